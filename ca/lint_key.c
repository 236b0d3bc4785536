/*
 * Rules on the key and the two key identifiers.
 */
#include "ca/lint_private.h"

#include "ca/build_ext.h"

#include <string.h>

bool lint_key_meant(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	if (!slice_eq(v.spki, slice_of(in->key->spki, in->key->spki_len)))
		return NO("the public key is not the one that was meant");
	return true;
}

bool lint_key_allowed(const struct lint_input *in, char *why, size_t why_size)
{
	const struct profile *p = in->profile;
	const struct pubkey *k = &in->cert->key;
	if (!p)
		return true;
	if (!(p->key_algs & (1u << k->alg)))
		return NO("found a %s key, which profile %s does not allow", key_alg_word(k->alg), p->name);
	if (k->alg == KEY_RSA && ((int64_t)k->bits < p->rsa_min_bits || (int64_t)k->bits > p->rsa_max_bits))
		return NO("found an RSA key of %u bits, wanted %lld to %lld (profile %s)", k->bits,
			  (long long)p->rsa_min_bits, (long long)p->rsa_max_bits, p->name);
	return true;
}

bool lint_key_strength(const struct lint_input *in, char *why, size_t why_size)
{
	struct fault f = {0};
	if (pubkey_check_strength(&in->cert->key, "key", &f) != OK)
		return NO("%s", f.text);
	return true;
}

bool lint_key_not_issuers(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	if (!lint_is_root(in) && slice_eq(v.spki, slice_of(in->issuer->key.spki, in->issuer->key.spki_len)))
		return NO("the subject's key is the issuer's own");
	return true;
}

/* RFC 5280 4.2.1.2 (1): SHA-1 of the BIT STRING's content. */
bool lint_subject_key_id(const struct lint_input *in, char *why, size_t why_size)
{
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_SKI);
	struct slice id;
	struct der d;
	if (!e)
		return in->profile || NO("a CA's certificate has no subjectKeyIdentifier");
	d = der_of(e->value);
	if (!der_get(&d, DER_OCTET_STRING, &id) || !der_at_end(&d) || !slice_eq(id, slice_of(in->key->key_id, 20)))
		return NO("subjectKeyIdentifier is not the SHA-1 of the key's octets");
	return true;
}

/* The key identifier alone, equal to the issuer's SKI; only a self-signed certificate may leave it out. */
bool lint_authority_key_id(const struct lint_input *in, char *why, size_t why_size)
{
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_AKI);
	struct slice id, wanted = in->issuer->ski;
	struct der d, inner;
	if (!e)
		return lint_is_root(in) || NO("no authorityKeyIdentifier, and not self-signed");
	if (!wanted.n)
		wanted = slice_of(in->issuer->key.key_id, 20);
	d = der_of(e->value);
	if (!der_enter(&d, DER_SEQUENCE, &inner) || !der_at_end(&d) || !der_get(&inner, DER_CONTEXT(0), &id) ||
	    !der_at_end(&inner))
		return NO("authorityKeyIdentifier is not a key identifier alone");
	if (!slice_eq(id, wanted))
		return NO("authorityKeyIdentifier is not the issuer's subjectKeyIdentifier");
	return true;
}
