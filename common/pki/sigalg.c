/*
 * Signature algorithms as certificates and requests name them.
 *
 * What is written is one form for each key; what is read is what other CAs made, SHA-1 and MD5 included and marked
 * weak, so that policy can say what becomes of it.
 */
#include "common/pki/der.h"
#include "common/pki/pubkey_private.h"

#include <string.h>

/* Parameters: RSA's are NULL and may be missing (RFC 4055 5); ECDSA and Ed25519 have none (RFC 5758 3.2, RFC 8410 3);
 * SM2 has none (RFC 8998 3.2.1), but issuers of its first years wrote NULL. */
static const struct {
	const char *oid;
	struct sigalg alg;
	bool may_null;
} known[] = {
	{"1.2.840.113549.1.1.4", {SIG_RSA, "MD5", true}, true},
	{"1.2.840.113549.1.1.5", {SIG_RSA, "SHA1", true}, true},
	{"1.2.840.113549.1.1.11", {SIG_RSA, "SHA256", false}, true},
	{"1.2.840.113549.1.1.12", {SIG_RSA, "SHA384", false}, true},
	{"1.2.840.113549.1.1.13", {SIG_RSA, "SHA512", false}, true},
	{"1.2.840.10045.4.1", {SIG_ECDSA, "SHA1", true}, false},
	{"1.2.840.10045.4.3.2", {SIG_ECDSA, "SHA256", false}, false},
	{"1.2.840.10045.4.3.3", {SIG_ECDSA, "SHA384", false}, false},
	{"1.2.840.10045.4.3.4", {SIG_ECDSA, "SHA512", false}, false},
	{"1.3.101.112", {SIG_ED25519, NULL, false}, false},
	{"1.2.156.10197.1.501", {SIG_SM2, NULL, false}, true},
};

void sigalg_put(enum key_alg alg, struct buf *ret)
{
	buf_add_slice(ret, key_info(alg)->sigalg);
}

static bool parameters_are(struct slice found, bool may_null)
{
	static const uint8_t null[] = {DER_NULL, 0};
	return found.n == 0 || (may_null && slice_eq(found, slice_of(null, sizeof(null))));
}

enum err sigalg_parse(struct slice whole, struct sigalg *ret, struct fault *f)
{
	struct der d = der_of(whole), inner;
	struct slice oid;
	char text[128];
	if (!der_enter(&d, DER_SEQUENCE, &inner) || !der_at_end(&d) || !der_get(&inner, DER_OID, &oid) ||
	    !der_oid_text(oid, text, sizeof(text)))
		return fault_raise(f, ERR_PARSE, "sigalg_form", "signatureAlgorithm",
				   "not a SEQUENCE that begins with an OBJECT IDENTIFIER in DER (RFC 5280 4.1.1.2)");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].oid, text) != 0)
			continue;
		if (!parameters_are(slice_of(inner.p, (size_t)(inner.end - inner.p)), known[i].may_null))
			return fault_raise(f, ERR_PARSE, "sigalg_parameters", "signatureAlgorithm",
					   "%s with %zu bytes of parameters, wanted %s", text,
					   (size_t)(inner.end - inner.p), known[i].may_null ? "NULL or none" : "none");
		*ret = known[i].alg;
		return OK;
	}
	return fault_raise(f, ERR_PARSE, "sigalg_unknown", "signatureAlgorithm",
			   "algorithm %s, wanted RSA PKCS#1 v1.5 or ECDSA with SHA-1 or SHA-2, Ed25519, SM2 with SM3",
			   text);
}

bool sigalg_fits(const struct sigalg *s, enum key_alg alg)
{
	switch (alg) {
	case KEY_RSA:
		return s->family == SIG_RSA;
	case KEY_P256:
	case KEY_P384:
		return s->family == SIG_ECDSA;
	case KEY_ED25519:
		return s->family == SIG_ED25519;
	case KEY_SM2:
		return s->family == SIG_SM2;
	case KEY_ALG_N:
		break;
	}
	return false;
}

bool signature_der_from_rs(enum key_alg alg, struct slice raw, struct buf *ret)
{
	bool has_rs = alg == KEY_P256 || alg == KEY_P384 || alg == KEY_SM2;
	size_t half = alg == KEY_P384 ? 48 : 32;
	if (!has_rs || raw.n != 2 * half)
		return false;
	size_t at = der_begin(ret, DER_SEQUENCE);
	der_put_magnitude(ret, slice_of(raw.p, half));
	der_put_magnitude(ret, slice_of(raw.p + half, half));
	der_end(ret, at);
	return true;
}
