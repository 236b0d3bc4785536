/*
 * Certification requests: the key, and the proof that its private half made them.
 *
 * Nothing else inside is believed: the subject is carried as bytes for a display, attributes are only checked for form.
 * Next: pubkey.c.
 */
#include "common/pki/csr.h"
#include "common/base/cleanup.h"
#include "common/pki/der.h"
#include "common/pki/name_private.h"
#include "common/pki/pubkey_private.h"

void csr_done(struct csr *c)
{
	pubkey_done(&c->key);
	*c = (struct csr){0};
}

static enum err bad(struct fault *f, const char *where, const char *wanted)
{
	return fault_raise(f, ERR_PARSE, "csr_form", where, "not %s in DER", wanted);
}

/* RFC 2986 4.1: [0] IMPLICIT SET OF SEQUENCE { type, SET OF value }. Old makers leave the empty set out altogether. */
static enum err check_attributes(struct der *info, struct fault *f)
{
	struct der attrs, attr;
	struct slice type, values;
	char oid[128];
	if (der_at_end(info))
		return OK;
	if (!der_enter(info, DER_CONTEXT_CONS(0), &attrs))
		return bad(f, "csr.attributes", "a [0] set (RFC 2986 4.1)");
	while (!der_at_end(&attrs)) {
		if (!der_enter(&attrs, DER_SEQUENCE, &attr) || !der_get(&attr, DER_OID, &type) ||
		    !der_oid_text(type, oid, sizeof(oid)) || !der_get(&attr, DER_SET, &values) || !der_at_end(&attr))
			return bad(f, "csr.attributes", "each a SEQUENCE of type and SET (RFC 2986 4.1)");
		struct der set = der_of(values);
		while (!der_at_end(&set)) {
			if (!der_any(&set, NULL, NULL, NULL))
				return bad(f, "csr.attributes", "values that are whole (RFC 2986 4.1)");
		}
	}
	return OK;
}

static enum err parse_info(struct slice whole, struct csr *c, struct fault *f)
{
	struct der d = der_of(whole), info;
	struct slice spki;
	uint64_t version;
	if (!der_enter(&d, DER_SEQUENCE, &info))
		return bad(f, "csr.info", "a SEQUENCE (RFC 2986 4.1)");
	if (!der_get_uint(&info, 0, &version))
		return bad(f, "csr.version", "version 0 (RFC 2986 4.1)");
	if (!der_get_whole(&info, DER_SEQUENCE, &c->subject) || !name_is_wellformed(c->subject))
		return bad(f, "csr.subject", "a Name (RFC 5280 4.1.2.4)");
	if (!der_get_whole(&info, DER_SEQUENCE, &spki))
		return bad(f, "csr.key", "a SubjectPublicKeyInfo (RFC 5280 4.1.2.7)");
	TRY(pubkey_parse(spki, &c->key, f));
	TRY(check_attributes(&info, f));
	return der_at_end(&info) ? OK : bad(f, "csr.info", "ended by its attributes (RFC 2986 4.1)");
}

enum err csr_parse(struct slice der, struct csr *ret, struct fault *f)
{
	_cleanup_(csr_done) struct csr c = {0};
	struct der d = der_of(der), outer;
	struct slice algid;
	unsigned unused;
	if (der.n > CSR_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "csr_size", "csr", "%zu bytes, wanted at most %d", der.n,
				   CSR_MAX_BYTES);
	if (!der_enter(&d, DER_SEQUENCE, &outer) || !der_at_end(&d))
		return bad(f, "csr", "one SEQUENCE with nothing behind it (RFC 2986 4.2)");
	if (!der_get_whole(&outer, DER_SEQUENCE, &c.info))
		return bad(f, "csr.info", "a SEQUENCE (RFC 2986 4.1)");
	TRY(parse_info(c.info, &c, f));
	if (!der_get_whole(&outer, DER_SEQUENCE, &algid))
		return bad(f, "csr.signatureAlgorithm", "a SEQUENCE (RFC 2986 4.2)");
	TRY(sigalg_parse(algid, &c.sigalg, f));
	if (!der_get_bits(&outer, &c.signature, &unused) || unused != 0 || !der_at_end(&outer))
		return bad(f, "csr.signature", "a last BIT STRING of whole octets (RFC 2986 4.2)");
	*ret = c;
	c = (struct csr){0};
	return OK;
}

enum err csr_verify(const struct csr *c, struct fault *f)
{
	const char *alg = key_alg_word(c->key.alg);
	if (!sigalg_fits(&c->sigalg, c->key.alg))
		return fault_raise(f, ERR_CRYPTO, "csr_signature", "csr.signatureAlgorithm",
				   "the algorithm is of another kind than the request's %s key", alg);
	if (!pubkey_verify_md(&c->key, c->sigalg.md, c->info, c->signature))
		return fault_raise(f, ERR_CRYPTO, "csr_signature", "csr.signature",
				   "the signature does not verify with the request's own %s key (RFC 2986 4.2)", alg);
	return OK;
}
