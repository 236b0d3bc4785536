/*
 * Rules on the frame: structure, version, serial, signature algorithm, signature, and the list of extensions as such.
 */
#include "ca/lint_private.h"

#include "ca/build_ext.h"
#include "common/base/cleanup.h"

#include <string.h>

bool lint_structure(const struct lint_input *in, char *why, size_t why_size)
{
	struct lint_view v;
	if (!lint_look(in, &v))
		return NO("%zu bytes that are not one Certificate in DER", in->cert->der.n);
	if (in->cert->der.n > CERT_MAX_BYTES)
		return NO("%zu bytes, wanted at most %d", in->cert->der.n, CERT_MAX_BYTES);
	return true;
}

bool lint_version(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	if (!v.has_version || v.version != 2)
		return NO("found version %llu, wanted 2 (v3) for extensions", (unsigned long long)v.version);
	return true;
}

bool lint_serial_positive(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	if (v.serial.p[0] >= 0x80 || (v.serial.n == 1 && v.serial.p[0] == 0) || v.serial.n > SERIAL_MAX)
		return NO("found a serial of %zu octets that begins %02x, wanted a positive one of at most %d octets",
			  v.serial.n, v.serial.p[0], SERIAL_MAX);
	return true;
}

/* 48 bits of time and 80 random ones: 16 octets. */
bool lint_serial_entropy(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	if (v.serial.n < 16)
		return NO("found a serial of %zu octets, wanted 16 or more: 48 bits of time and 80 random ones",
			  v.serial.n);
	return true;
}

bool lint_sigalg_same(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	if (!slice_eq(v.inner_sigalg, v.outer_sigalg))
		return NO("the algorithm inside what is signed differs from that beside the signature");
	return true;
}

bool lint_sigalg_of_issuer(const struct lint_input *in, char *why, size_t why_size)
{
	_cleanup_buf_ struct buf wanted = {0};
	enum key_alg signer = in->signer ? in->signer->alg : in->made.alg;
	LOOK(v);
	sigalg_put(in->issuer->key.alg, &wanted);
	if (!slice_eq(v.inner_sigalg, buf_slice(&wanted)) || signer != in->issuer->key.alg)
		return NO("the signature algorithm is not that of the issuer's %s key",
			  key_alg_word(in->issuer->key.alg));
	return true;
}

/* Who has just had it made by the key need not do the key's sums again: the same bytes hold the same signature. What
 * a wrong sum would do is looked at where it matters, in the CA's own signature before it leaves (issue.c). */
bool lint_signature_holds(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	if (!in->signer) {
		if (!slice_eq(v.tbs, in->made.tbs) || !slice_eq(v.signature, in->made.signature))
			return NO("what is signed, or its signature, is not what the key was asked for and has made");
		return true;
	}
	if (!pubkey_verify(in->signer, v.tbs, v.signature))
		return NO("the signature does not hold under the key that made it");
	return true;
}

bool lint_unique_ids(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	if (v.has_unique_ids)
		return NO("found issuerUniqueID or subjectUniqueID, wanted neither");
	return true;
}

#define MANY_EXTENSIONS 64u

bool lint_extensions_unique(const struct lint_input *in, char *why, size_t why_size)
{
	char oids[MANY_EXTENSIONS][64];
	size_t n = 0;
	bool critical;
	struct slice value;
	LOOK(v);
	for (struct der d = der_of(v.extensions); !der_at_end(&d); n++) {
		if (n == MANY_EXTENSIONS || !lint_next_ext(&d, oids[n], &critical, &value))
			return NO("extension %zu is not an Extension in DER, or more than %u", n + 1, MANY_EXTENSIONS);
		for (size_t i = 0; i < n; i++) {
			if (strcmp(oids[i], oids[n]) == 0)
				return NO("extension %s stands twice", oids[n]);
		}
	}
	return true;
}

/* What a verifier that follows RFC 5280 understands, and so may be critical. */
bool lint_extensions_known(const struct lint_input *in, char *why, size_t why_size)
{
	static const char *const known[] = {OID_EXT_KEY_USAGE, OID_EXT_BASIC_CONSTRAINTS, OID_EXT_SAN,
					    OID_EXT_POLICIES,  OID_EXT_PURPOSES,	  OID_EXT_CRL_DP};
	char oid[64];
	bool critical;
	struct slice value;
	LOOK(v);
	for (struct der d = der_of(v.extensions); !der_at_end(&d);) {
		bool found = false;
		if (!lint_next_ext(&d, oid, &critical, &value))
			return NO("an extension is not an Extension in DER");
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found = found || strcmp(known[i], oid) == 0;
		if (critical && !found)
			return NO("extension %s is critical, and verifiers need not know it", oid);
	}
	return true;
}
