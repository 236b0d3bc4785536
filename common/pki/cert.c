/*
 * Certificates as they are read.
 *
 * The reader follows the ASN.1 of RFC 5280 4.1 line by line and takes each value in its one DER form, so that what is
 * checked here is what every other program sees. Weak algorithms are read and marked, since old certificates have them;
 * what becomes of those is for policy. Next: ext.c (extensions), crl.c.
 */
#include "common/pki/cert.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/pki/ext.h"
#include "common/pki/name_private.h"
#include "common/pki/pubkey_private.h"

#include <string.h>

void cert_done(struct cert *c)
{
	pubkey_done(&c->key);
	*c = (struct cert){0};
}

static enum err bad(struct fault *f, const char *where, const char *wanted)
{
	return fault_raise(f, ERR_PARSE, "cert_form", where, "not %s in DER", wanted);
}

/* v1 is the default and so left out; v2 has nothing that v3 has not. *ret: may there be extensions? */
static enum err parse_version(struct der *tbs, bool *ret_v3, struct fault *f)
{
	struct der version;
	uint64_t v;
	*ret_v3 = der_peek(tbs) == DER_CONTEXT_CONS(0);
	if (!*ret_v3)
		return OK;
	if (!der_enter(tbs, DER_CONTEXT_CONS(0), &version) || !der_get_uint(&version, UINT32_MAX, &v) ||
	    !der_at_end(&version))
		return bad(f, "cert.version", "a [0] INTEGER (RFC 5280 4.1.2.1)");
	if (v != 2)
		return fault_raise(f, ERR_PARSE, "cert_version", "cert.version",
				   "version value %llu, wanted 2 (v3), or none for v1 (RFC 5280 4.1.2.1)",
				   (unsigned long long)v);
	return OK;
}

static enum err parse_serial(struct der *tbs, struct cert *c, struct fault *f)
{
	struct slice body;
	if (!der_get_integer(tbs, &body))
		return bad(f, "cert.serial", "an INTEGER (RFC 5280 4.1.2.2)");
	if (!serial_from_integer(body, &c->serial))
		return fault_raise(
			f, ERR_PARSE, "cert_serial", "cert.serial",
			"%zu octets that begin 0x%02x, wanted a positive number of at most 20 (RFC 5280 4.1.2.2)",
			body.n, body.p[0]);
	return OK;
}

static enum err parse_validity(struct der *tbs, struct cert *c, struct fault *f)
{
	struct der validity;
	if (!der_enter(tbs, DER_SEQUENCE, &validity) || !der_get_time(&validity, &c->not_before) ||
	    !der_get_time(&validity, &c->not_after) || !der_at_end(&validity))
		return bad(
			f, "cert.validity",
			"two times, seconds and Z, UTCTime through 2049 and GeneralizedTime later (RFC 5280 4.1.2.5)");
	if (c->not_before > c->not_after)
		return fault_raise(f, ERR_PARSE, "cert_validity", "cert.validity",
				   "notBefore %s is later than notAfter %s", UTC(c->not_before), UTC(c->not_after));
	return OK;
}

static enum err add_extension(struct der *exts, struct cert *c, struct fault *f)
{
	if (c->n_exts == CERT_MAX_EXTS)
		return fault_raise(f, ERR_LIMIT, "cert_extensions", "cert.extensions", "more than %d extensions",
				   CERT_MAX_EXTS);
	struct cert_ext *e = &c->exts[c->n_exts];
	if (!ext_get(exts, e))
		return fault_raise(f, ERR_PARSE, "cert_form", "cert.extensions",
				   "extension %zu is not a SEQUENCE of type, critical only when TRUE, and OCTET STRING "
				   "in DER (RFC 5280 "
				   "4.1, X.690 11.5)",
				   c->n_exts + 1);
	if (cert_ext(c, e->oid))
		return fault_raise(f, ERR_PARSE, "cert_extension_twice", "cert.extensions",
				   "extension %s is there twice (RFC 5280 4.2)", e->oid);
	c->n_exts++;
	return OK;
}

static enum err parse_extensions(struct der *tbs, struct cert *c, bool v3, struct fault *f)
{
	struct der explicit, exts;
	if (!der_at_end(tbs)) {
		if (!v3)
			return bad(f, "cert", "ended by its key, as v1 is (RFC 5280 4.1.2.1)");
		if (!der_enter(tbs, DER_CONTEXT_CONS(3), &explicit) || !der_enter(&explicit, DER_SEQUENCE, &exts) ||
		    !der_at_end(&explicit) || der_at_end(&exts) || !der_at_end(tbs))
			return bad(f, "cert.extensions",
				   "a last [3] SEQUENCE of one extension or more (RFC 5280 4.1.2.8, 4.1.2.9)");
		while (!der_at_end(&exts))
			TRY(add_extension(&exts, c, f));
	}
	return ext_read_all(c, f);
}

static enum err parse_name(struct der *tbs, const char *where, struct slice *ret, struct fault *f)
{
	if (!der_get_whole(tbs, DER_SEQUENCE, ret) || !name_is_wellformed(*ret))
		return bad(f, where, "a Name (RFC 5280 4.1.2.4)");
	return OK;
}

static enum err parse_tbs(struct cert *c, const struct pubkey *like, struct slice *ret_algid, struct fault *f)
{
	struct der d = der_of(c->tbs), tbs;
	struct slice spki;
	bool v3;
	if (!der_enter(&d, DER_SEQUENCE, &tbs))
		return bad(f, "cert.tbsCertificate", "a SEQUENCE (RFC 5280 4.1)");
	TRY(parse_version(&tbs, &v3, f));
	TRY(parse_serial(&tbs, c, f));
	if (!der_get_whole(&tbs, DER_SEQUENCE, ret_algid))
		return bad(f, "cert.signature", "a SEQUENCE (RFC 5280 4.1.2.3)");
	TRY(parse_name(&tbs, "cert.issuer", &c->issuer, f));
	if (c->issuer.n <= 2)
		return fault_raise(f, ERR_PARSE, "cert_issuer_empty", "cert.issuer",
				   "an empty Name (RFC 5280 4.1.2.4)");
	TRY(parse_validity(&tbs, c, f));
	TRY(parse_name(&tbs, "cert.subject", &c->subject, f));
	if (!der_get_whole(&tbs, DER_SEQUENCE, &spki))
		return bad(f, "cert.key", "a SubjectPublicKeyInfo (RFC 5280 4.1.2.7)");
	TRY(pubkey_parse_like(spki, like, &c->key, f));
	return parse_extensions(&tbs, c, v3, f);
}

enum err cert_from_tbs(struct slice tbs, struct slice signature, struct buf *ret, struct fault *f)
{
	struct der whole = der_of(tbs), in;
	struct slice algorithm, skipped;
	if (!der_enter(&whole, DER_SEQUENCE, &in) || !der_get(&in, DER_CONTEXT_CONS(0), &skipped) ||
	    !der_get_integer(&in, &skipped) || !der_get_whole(&in, DER_SEQUENCE, &algorithm))
		return fault_raise(f, ERR_PARSE, "cert_tbs", "certificate.tbs",
				   "the bytes are no TBSCertificate of version 3");
	size_t begin = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, tbs);
	buf_add_slice(ret, algorithm);
	der_put_bits(ret, signature, 0);
	der_end(ret, begin);
	return OK;
}

enum err cert_parse(struct slice der, struct cert *ret, struct fault *f)
{
	return cert_parse_like(der, NULL, ret, f);
}

enum err cert_parse_like(struct slice der, const struct pubkey *like, struct cert *ret, struct fault *f)
{
	_cleanup_(cert_done) struct cert c = {.der = der};
	struct der d = der_of(der), outer;
	struct slice inner_alg, outer_alg;
	unsigned unused;
	if (der.n > CERT_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "cert_size", "cert", "%zu bytes, wanted at most %d", der.n,
				   CERT_MAX_BYTES);
	if (!der_enter(&d, DER_SEQUENCE, &outer) || !der_at_end(&d))
		return bad(f, "cert", "one SEQUENCE with nothing behind it (RFC 5280 4.1)");
	if (!der_get_whole(&outer, DER_SEQUENCE, &c.tbs))
		return bad(f, "cert.tbsCertificate", "a SEQUENCE (RFC 5280 4.1)");
	TRY(parse_tbs(&c, like, &inner_alg, f));
	if (!der_get_whole(&outer, DER_SEQUENCE, &outer_alg))
		return bad(f, "cert.signatureAlgorithm", "a SEQUENCE (RFC 5280 4.1.1.2)");
	if (!slice_eq(inner_alg, outer_alg))
		return fault_raise(f, ERR_PARSE, "cert_algorithms", "cert.signatureAlgorithm",
				   "differs from the one inside what is signed (RFC 5280 4.1.1.2)");
	TRY(sigalg_parse(outer_alg, &c.sigalg, f));
	if (!der_get_bits(&outer, &c.signature, &unused) || unused != 0 || !der_at_end(&outer))
		return bad(f, "cert.signatureValue", "a last BIT STRING of whole octets (RFC 5280 4.1.1.3)");
	*ret = c;
	c = (struct cert){0};
	return OK;
}

const struct cert_ext *cert_ext(const struct cert *c, const char *oid)
{
	for (size_t i = 0; i < c->n_exts; i++) {
		if (strcmp(c->exts[i].oid, oid) == 0)
			return &c->exts[i];
	}
	return NULL;
}

/* RFC 5280 6.1.4 (k), (l), (n). A v1 issuer says nothing, and so is none. */
static enum err check_issuer(const struct cert *c, const struct cert *issuer, struct fault *f)
{
	if (!slice_eq(c->issuer, issuer->subject))
		return fault_raise(f, ERR_RULE, "cert_issuer_name", "cert.issuer",
				   "is not the subject of the issuer's certificate, byte for byte (RFC 5280 6.1.3)");
	if (!issuer->has_bc || !issuer->is_ca)
		return fault_raise(f, ERR_RULE, "cert_issuer_not_ca", "issuer.basicConstraints",
				   "%s, wanted cA TRUE (RFC 5280 6.1.4)", issuer->has_bc ? "cA is not set" : "absent");
	if (issuer->has_ku && !(issuer->key_usage & KU_BIT(KU_KEY_CERT_SIGN)))
		return fault_raise(f, ERR_RULE, "cert_issuer_usage", "issuer.keyUsage",
				   "keyCertSign is not set (RFC 5280 4.2.1.3)");
	if (c->is_ca && issuer->path_len == 0 && !slice_eq(c->subject, c->issuer))
		return fault_raise(f, ERR_RULE, "cert_path_length", "issuer.basicConstraints",
				   "pathLenConstraint 0 allows no CA below (RFC 5280 4.2.1.9)");
	if (c->aki.n > 0 && issuer->ski.n > 0 && !slice_eq(c->aki, issuer->ski))
		return fault_raise(f, ERR_RULE, "cert_key_id", "cert.authorityKeyIdentifier",
				   "is not the issuer's subjectKeyIdentifier (RFC 5280 4.2.1.1)");
	return OK;
}

enum err cert_verify_by(const struct cert *c, const struct cert *issuer, struct fault *f)
{
	TRY(check_issuer(c, issuer, f));
	if (!sigalg_fits(&c->sigalg, issuer->key.alg) ||
	    !pubkey_verify_md(&issuer->key, c->sigalg.md, c->tbs, c->signature))
		return fault_raise(
			f, ERR_CRYPTO, "cert_signature", "cert.signatureValue",
			"certificate %s: the signature does not verify with the issuer's %s key (RFC 5280 6.1.3)",
			SERIAL(&c->serial), key_alg_word(issuer->key.alg));
	return OK;
}

void cert_sha256(const struct cert *c, uint8_t ret[32])
{
	sha256(c->der.p, c->der.n, ret);
}
