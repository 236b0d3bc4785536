/*
 * Rules on what the key may do: key usage, basic constraints, purposes. A leaf never is a CA, nor a responder by its
 * profile.
 */
#include "ca/lint_private.h"

#include "ca/build_ext.h"
#include "ca/responder.h"

#include <string.h>

#define CA_USAGES (KU_BIT(KU_KEY_CERT_SIGN) | KU_BIT(KU_CRL_SIGN))

/* The named bits, read here a second time. False: not a BIT STRING of 1 to 9 bits. */
static bool read_usages(const struct lint_input *in, uint64_t *ret, unsigned *ret_unused, uint8_t *ret_last)
{
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_KEY_USAGE);
	struct slice bits;
	if (!e)
		return false;
	struct der d = der_of(e->value);
	if (!der_get_bits(&d, &bits, ret_unused) || !der_at_end(&d) || bits.n < 1 || bits.n > 2)
		return false;
	*ret = 0;
	for (unsigned i = 0; i < 8 * bits.n; i++) {
		if (bits.p[i / 8] & (0x80 >> i % 8))
			*ret |= KU_BIT(i);
	}
	*ret_last = bits.p[bits.n - 1];
	return *ret < KU_BIT(9);
}

#define USAGES(bits)                                                                                                   \
	uint64_t bits;                                                                                                 \
	unsigned unused;                                                                                               \
	uint8_t last;                                                                                                  \
	if (!read_usages(in, &bits, &unused, &last))                                                                   \
	return NO("keyUsage is absent, or not a BIT STRING of the nine usages")

bool lint_key_usage_critical(const struct lint_input *in, char *why, size_t why_size)
{
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_KEY_USAGE);
	if (!e || !e->critical)
		return NO("keyUsage is %s, wanted it critical", e ? "not critical" : "absent");
	return true;
}

/* A named bit list ends with its last set bit, and at least one is set. */
bool lint_key_usage_form(const struct lint_input *in, char *why, size_t why_size)
{
	USAGES(bits);
	if (bits == 0)
		return NO("keyUsage has no bit set");
	if (last == 0 || !(last & (1u << unused)))
		return NO("keyUsage has zero bits behind its last set one");
	return true;
}

bool lint_key_usage_exact(const struct lint_input *in, char *why, size_t why_size)
{
	const struct profile_ext *e = lint_profile_ext(in, EXT_KEY_USAGE);
	USAGES(bits);
	if (in->profile && !e)
		return NO("profile %s lists no key_usage", in->profile->name);
	uint64_t wanted = e ? profile_key_usage(e, in->key->alg) : CA_USAGES;
	if (bits != wanted)
		return NO("found usages 0x%03llx, wanted 0x%03llx (bit 0 digitalSignature to bit 8 decipherOnly)",
			  (unsigned long long)bits, (unsigned long long)wanted);
	return true;
}

bool lint_key_usage_of_leaf(const struct lint_input *in, char *why, size_t why_size)
{
	USAGES(bits);
	if (in->profile && (bits & CA_USAGES))
		return NO("a leaf has keyCertSign or cRLSign");
	return true;
}

bool lint_key_usage_fits_key(const struct lint_input *in, char *why, size_t why_size)
{
	USAGES(bits);
	uint64_t beyond = bits & ~key_alg_usages(in->cert->key.alg) & ~(uint64_t)CA_USAGES;
	if (beyond)
		return NO("usages 0x%03llx are not for a %s key", (unsigned long long)beyond,
			  key_alg_word(in->cert->key.alg));
	return true;
}

/* Absent; or empty, which says "no CA", where the profile lists it. */
bool lint_constraints_of_leaf(const struct lint_input *in, char *why, size_t why_size)
{
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_BASIC_CONSTRAINTS);
	if (!in->profile || !e)
		return true;
	if (!lint_profile_ext(in, EXT_BASIC_CONSTRAINTS))
		return NO("a leaf has basicConstraints, which profile %s does not list", in->profile->name);
	if (!slice_eq(e->value, slice_of("\x30\x00", 2)))
		return NO("a leaf's basicConstraints is not empty: cA or pathLenConstraint");
	return true;
}

bool lint_constraints_of_ca(const struct lint_input *in, char *why, size_t why_size)
{
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_BASIC_CONSTRAINTS);
	struct der d, inner;
	bool is_ca = false;
	if (in->profile)
		return true;
	if (!e || !e->critical)
		return NO("a CA's basicConstraints is %s, wanted it critical", e ? "not critical" : "absent");
	d = der_of(e->value);
	if (!der_enter(&d, DER_SEQUENCE, &inner) || !der_get_bool(&inner, &is_ca) || !is_ca)
		return NO("a CA's basicConstraints has no cA");
	return true;
}

/* Each CA below takes one away. A self-issued certificate does not count. */
bool lint_path_len(const struct lint_input *in, char *why, size_t why_size)
{
	int64_t room = in->issuer->path_len, found = in->cert->path_len;
	if (in->profile || lint_is_root(in) || room < 0)
		return true;
	if (room == 0 || found < 0 || found >= room)
		return NO("found pathLenConstraint %lld (-1: none) below an issuer with %lld, wanted a smaller one",
			  (long long)found, (long long)room);
	return true;
}

/* The purposes as they stand, in order. False: not such bytes, or more than max. */
static bool read_purposes(const struct cert_ext *e, char oids[][64], size_t max, size_t *ret_n)
{
	struct der d = der_of(e->value), list;
	struct slice oid;
	*ret_n = 0;
	if (!der_enter(&d, DER_SEQUENCE, &list) || !der_at_end(&d))
		return false;
	while (!der_at_end(&list)) {
		if (*ret_n == max || !der_get(&list, DER_OID, &oid) || !der_oid_text(oid, oids[*ret_n], 64))
			return false;
		(*ret_n)++;
	}
	return *ret_n > 0;
}

#define PURPOSES_MAX 16u

static const char *wanted_purpose(const struct lint_input *in, const char *word)
{
	return lint_is_responder(in) ? OID_KP_OCSP_SIGNING : profile_purpose_oid(word);
}

bool lint_purposes_exact(const struct lint_input *in, char *why, size_t why_size)
{
	const struct profile_ext *wanted = lint_profile_ext(in, EXT_EXTENDED_KEY_USAGE);
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_PURPOSES);
	char oids[PURPOSES_MAX][64];
	size_t n;
	if (!e && !wanted)
		return true;
	if (!e || !wanted || !read_purposes(e, oids, PURPOSES_MAX, &n))
		return NO("extendedKeyUsage is %s", !e	     ? "absent, and the profile lists it"
						    : wanted ? "not a list of OBJECT IDENTIFIERs"
							     : "there, and nothing lists it");
	if (n != wanted->purposes.n)
		return NO("found %zu purposes, wanted %zu", n, wanted->purposes.n);
	for (size_t i = 0; i < n; i++) {
		const char *oid = wanted_purpose(in, wanted->purposes.v[i]);
		if (!oid || strcmp(oid, oids[i]) != 0)
			return NO("found purpose %s, wanted %s", oids[i], wanted->purposes.v[i]);
	}
	return true;
}

/* OCSPSigning comes from responder tallies alone, where it stands alone, and no certificate of ours is for every
 * purpose. */
bool lint_purposes_reserved(const struct lint_input *in, char *why, size_t why_size)
{
	static const char *const reserved[] = {OID_KP_OCSP_SIGNING, "2.5.29.37.0"};
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_PURPOSES);
	char oids[PURPOSES_MAX][64];
	size_t n;
	if (!e)
		return true;
	if (!read_purposes(e, oids, PURPOSES_MAX, &n))
		return NO("extendedKeyUsage is not a list of at most %u OBJECT IDENTIFIERs", PURPOSES_MAX);
	if (lint_is_responder(in) && n == 1 && strcmp(oids[0], OID_KP_OCSP_SIGNING) == 0)
		return true;
	for (size_t i = 0; i < 2 * n; i++) {
		if (strcmp(oids[i / 2], reserved[i % 2]) == 0)
			return NO("found purpose %s, which no profile may give", oids[i / 2]);
	}
	return true;
}

/* Whoever has it is asked about by nobody: a responder's certificate, which lives a week, and no other. */
bool lint_no_check(const struct lint_input *in, char *why, size_t why_size)
{
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_OCSP_NO_CHECK);
	if (!lint_is_responder(in))
		return !e || NO("ocsp-nocheck is there, and the certificate is no responder's");
	if (!e)
		return NO("a responder's certificate has no ocsp-nocheck");
	if (!slice_eq(e->value, slice_of("\x05\x00", 2)))
		return NO("ocsp-nocheck is not NULL");
	return true;
}
