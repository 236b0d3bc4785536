/*
 * One walk over the DER. What is not understood and critical refuses the whole request (RFC 6960 4.4); what is not
 * critical is read for its form and goes no further.
 */
#include "ra/gate/ocsp_request.h"

#include "common/base/cleanup.h"

#include <string.h>

#define OID_NONCE "1.3.6.1.5.5.7.48.1.2"

static enum err bad(const char *where, const char *wanted, struct fault *f)
{
	return fault_raise(f, ERR_PARSE, "ocsp_form", where, "wanted %s (RFC 6960 4.1.1)", wanted);
}

/* AlgorithmIdentifier of a digest: NULL or nothing behind the OID. */
static enum err read_hash(struct der *d, enum ocsp_hash *ret, size_t *ret_len, struct fault *f)
{
	/* 1.3.14.3.2.26, 2.16.840.1.101.3.4.2.1, 1.2.156.10197.1.401 */
	static const struct {
		uint8_t oid[9], oid_len;
		enum ocsp_hash hash;
		size_t len;
	} known[] = {{{0x2b, 0x0e, 0x03, 0x02, 0x1a}, 5, OCSP_SHA1, 20},
		     {{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}, 9, OCSP_SHA256, 32},
		     {{0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x11}, 8, OCSP_SM3, 32}};
	struct der in;
	struct slice oid, null = {0};
	char text[64];
	if (!der_enter(d, DER_SEQUENCE, &in) || !der_get(&in, DER_OID, &oid))
		return bad("request.hashAlgorithm", "an AlgorithmIdentifier", f);
	bool bare = der_at_end(&in);
	if (!bare && (!der_get(&in, DER_NULL, &null) || null.n != 0 || !der_at_end(&in)))
		return bad("request.hashAlgorithm", "NULL or no parameters", f);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!slice_eq(oid, slice_of(known[i].oid, known[i].oid_len)))
			continue;
		*ret = bare ? known[i].hash + 1 : known[i].hash;
		*ret_len = known[i].len;
		return OK;
	}
	return fault_raise(f, ERR_RULE, "ocsp_hash", "request.hashAlgorithm", "found %s, wanted SHA-1, SHA-256 or SM3",
			   der_oid_text(oid, text, sizeof(text)) ? text : "no OID");
}

static enum err read_cert_id(struct der *d, struct ocsp_cert *c, struct fault *f)
{
	struct der in, at = *d;
	struct slice serial;
	size_t len = 0;
	if (!der_get_whole(d, DER_SEQUENCE, &c->whole) || !der_enter(&at, DER_SEQUENCE, &in))
		return bad("request.certID", "a CertID", f);
	TRY(read_hash(&in, &c->hash, &len, f));
	if (!der_get(&in, DER_OCTET_STRING, &c->name_hash) || c->name_hash.n != len)
		return bad("request.issuerNameHash", "as many bytes as the digest has", f);
	if (!der_get(&in, DER_OCTET_STRING, &c->key_hash) || c->key_hash.n != len)
		return bad("request.issuerKeyHash", "as many bytes as the digest has", f);
	if (!der_get_integer(&in, &serial) || !der_at_end(&in))
		return bad("request.serialNumber", "an INTEGER and no more", f);
	c->any_serial = !serial_from_integer(serial, &c->serial);
	return OK;
}

/* The next Extension, RFC 5280 4.1. */
static enum err read_extension(struct der *d, const char *where, char oid[64], bool *ret_critical, struct slice *ret,
			       struct fault *f)
{
	struct der in;
	struct slice body;
	*ret_critical = false;
	if (!der_enter(d, DER_SEQUENCE, &in) || !der_get(&in, DER_OID, &body) || !der_oid_text(body, oid, 64))
		return bad(where, "an Extension", f);
	if (der_peek(&in) == DER_BOOLEAN && !(der_get_bool(&in, ret_critical) && *ret_critical))
		return bad(where, "critical TRUE, or nothing", f);
	if (!der_get(&in, DER_OCTET_STRING, ret) || !der_at_end(&in))
		return bad(where, "an OCTET STRING and no more", f);
	return OK;
}

/* RFC 9654 2.1: an OCTET STRING of 1 to 128 octets. */
static enum err take_nonce(struct slice value, struct ocsp_request *r, struct fault *f)
{
	struct der d = der_of(value);
	struct slice nonce;
	if (r->nonce.n > 0)
		return bad("request.nonce", "one nonce", f);
	if (!der_get(&d, DER_OCTET_STRING, &nonce) || !der_at_end(&d))
		return bad("request.nonce", "an OCTET STRING", f);
	if (nonce.n == 0 || nonce.n > OCSP_NONCE_MAX)
		return fault_raise(f, ERR_LIMIT, "ocsp_nonce", "request.nonce",
				   "found %zu octets, wanted 1 to %u (RFC 9654 2.1)", nonce.n, OCSP_NONCE_MAX);
	r->nonce = nonce;
	return OK;
}

/* r: takes a nonce; NULL: there is none to take here. */
static enum err read_extensions(struct der *d, int tag, const char *where, struct ocsp_request *r, struct fault *f)
{
	struct der outer, list;
	char oid[64];
	bool critical;
	struct slice value;
	if (der_peek(d) != tag)
		return OK;
	if (!der_enter(d, tag, &outer) || !der_enter(&outer, DER_SEQUENCE, &list) || !der_at_end(&outer) ||
	    der_at_end(&list))
		return bad(where, "a list of extensions", f);
	while (!der_at_end(&list)) {
		TRY(read_extension(&list, where, oid, &critical, &value, f));
		if (r && strcmp(oid, OID_NONCE) == 0)
			TRY(take_nonce(value, r, f));
		else if (critical)
			return fault_raise(f, ERR_RULE, "unknown_critical_extension", where,
					   "found critical extension %s, which is not known here (RFC 6960 4.4)", oid);
	}
	return OK;
}

static enum err read_list(struct der *d, struct ocsp_request *r, struct fault *f)
{
	struct der list, one;
	if (!der_enter(d, DER_SEQUENCE, &list) || der_at_end(&list))
		return bad("request.requestList", "a list of at least one Request", f);
	while (!der_at_end(&list)) {
		if (r->n == OCSP_CERTS_MAX)
			return fault_raise(f, ERR_LIMIT, "ocsp_certs", "request.requestList",
					   "found more than %u certificates", OCSP_CERTS_MAX);
		if (!der_enter(&list, DER_SEQUENCE, &one))
			return bad("request.requestList", "a Request", f);
		TRY(read_cert_id(&one, &r->certs[r->n++], f));
		TRY(read_extensions(&one, DER_CONTEXT_CONS(0), "request.singleRequestExtensions", NULL, f));
		if (!der_at_end(&one))
			return bad("request.requestList", "a Request and no more", f);
	}
	return OK;
}

static enum err read_tbs(struct der *d, struct ocsp_request *r, struct fault *f)
{
	struct der tbs, version;
	uint64_t v;
	if (!der_enter(d, DER_SEQUENCE, &tbs))
		return bad("request.tbsRequest", "a TBSRequest", f);
	/* DER leaves the default, v1, out (X.690 11.5); whoever writes it is understood. */
	if (der_peek(&tbs) == DER_CONTEXT_CONS(0) &&
	    !(der_enter(&tbs, DER_CONTEXT_CONS(0), &version) && der_get_uint(&version, 0, &v) && der_at_end(&version)))
		return bad("request.version", "v1", f);
	if (der_peek(&tbs) == DER_CONTEXT_CONS(1) && !der_get(&tbs, DER_CONTEXT_CONS(1), NULL))
		return bad("request.requestorName", "a GeneralName", f);
	TRY(read_list(&tbs, r, f));
	TRY(read_extensions(&tbs, DER_CONTEXT_CONS(2), "request.requestExtensions", r, f));
	return der_at_end(&tbs) ? OK : bad("request.tbsRequest", "nothing behind the extensions", f);
}

enum err ocsp_request_parse(struct slice der, struct ocsp_request *ret, struct fault *f)
{
	struct der d = der_of(der), in;
	ret->n = 0;
	ret->nonce = (struct slice){0};
	if (der.n > OCSP_REQUEST_MAX)
		return fault_raise(f, ERR_LIMIT, "ocsp_size", "request", "found %zu bytes, wanted at most %u", der.n,
				   OCSP_REQUEST_MAX);
	if (!der_enter(&d, DER_SEQUENCE, &in) || !der_at_end(&d))
		return bad("request", "one OCSPRequest", f);
	TRY(read_tbs(&in, ret, f));
	if (der_peek(&in) == DER_CONTEXT_CONS(0) && !der_get(&in, DER_CONTEXT_CONS(0), NULL))
		return bad("request.optionalSignature", "a Signature", f);
	return der_at_end(&in) ? OK : bad("request", "nothing behind the signature", f);
}

enum err ocsp_path_decode(const char *path, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	size_t n = strlen(path);
	if (n == 0 || n > OCSP_REQUEST_MAX)
		return bad("path", "an OCSPRequest in base64", f);
	buf_add(&text, path, n);
	/* Some clients leave the padding out. */
	while (text.len % 4 != 0)
		buf_char(&text, '=');
	if (!base64_decode(buf_text(&text), text.len, ret))
		return bad("path", "an OCSPRequest in base64", f);
	return OK;
}
