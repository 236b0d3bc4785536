/*
 * Is a new key strong enough for today?
 *
 * Length is the least of it: a modulus with a small factor, or one from the library whose primes gave themselves away
 * (ROCA, CVE-2017-15361), is broken at any length. Elliptic keys were checked when their point was read.
 */
#include "common/base/buf.h"
#include "common/pki/pubkey_private.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

/* SP 800-89 5.3.3 wants no factor below 752. */
#define SMALL_FACTOR_END 752u
/* The published fingerprint looks at the primes up to this one. */
#define ROCA_LAST_PRIME 167u
#define ROCA_GENERATOR 65537u

static bool is_prime(unsigned n)
{
	for (unsigned d = 2; d * d <= n; d++) {
		if (n % d == 0)
			return false;
	}
	return n >= 2;
}

/* A prime factor below the bound, or 0. Primes go through the long division together, as many as 32 bits hold: the fast
 * case of BN_mod_word(). */
static unsigned small_factor(const BIGNUM *n)
{
	unsigned first = 3;
	while (first < SMALL_FACTOR_END) {
		uint64_t product = 1;
		unsigned end = first;
		for (; end < SMALL_FACTOR_END; end += 2) {
			if (!is_prime(end))
				continue;
			if (product * end > UINT32_MAX)
				break;
			product *= end;
		}
		uint64_t residue = BN_mod_word(n, product);
		for (unsigned p = first; p < end; p += 2) {
			if (is_prime(p) && residue % p == 0)
				return p;
		}
		first = end;
	}
	return 0;
}

static bool is_power_of_generator(unsigned residue, unsigned p)
{
	unsigned x = 1;
	do {
		if (x == residue)
			return true;
		x = x * (ROCA_GENERATOR % p) % p;
	} while (x != 1);
	return false;
}

/* Primes of that library are k*M + 65537^a mod M, so the modulus is a power of 65537 modulo every prime that divides
 * M. By chance this happens about once in 2^27 moduli and less. Nemec et al., "The Return of Coppersmith's
 * Attack", 2.2. */
static bool is_roca(const BIGNUM *n)
{
	for (unsigned p = 3; p <= ROCA_LAST_PRIME; p += 2) {
		if (is_prime(p) && !is_power_of_generator((unsigned)BN_mod_word(n, p), p))
			return false;
	}
	return true;
}

static enum err weak(struct fault *f, const char *where, const char *what, unsigned found, const char *wanted)
{
	return fault_raise(f, ERR_RULE, "key_strength", where, "rsa key: %s %u, wanted %s", what, found, wanted);
}

static enum err check_rsa(const struct pubkey *k, const char *where, struct fault *f)
{
	_cleanup_(bn_freep) BIGNUM *n = NULL;
	_cleanup_(bn_freep) BIGNUM *e = NULL;
	if (k->bits < 2048 || k->bits > 4096 || k->bits % 8 != 0)
		return weak(f, where, "modulus bits", k->bits,
			    "2048 to 4096, a multiple of 8 (SP 800-57 part 1, 5.6.1)");
	if (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return fault_raise(f, ERR_INTERNAL, "key_numbers", where, "rsa key without its numbers");
	if (BN_num_bits(e) < 17)
		return weak(f, where, "exponent bits", (unsigned)BN_num_bits(e),
			    "17 and more, as 65537 has (FIPS 186-4 B.3.1)");
	unsigned factor = small_factor(n);
	if (factor)
		return weak(f, where, "the modulus has the factor", factor, "none below 752 (SP 800-89 5.3.3)");
	if (is_roca(n))
		return weak(f, where, "the modulus carries the ROCA fingerprint for primes up to", ROCA_LAST_PRIME,
			    "a key of another generator (CVE-2017-15361)");
	return OK;
}

enum err pubkey_check_strength(const struct pubkey *k, const char *where, struct fault *f)
{
	switch (k->alg) {
	case KEY_RSA:
		return check_rsa(k, where, f);
	case KEY_P256:
	case KEY_P384:
	case KEY_ED25519:
	case KEY_SM2:
		return OK;
	case KEY_ALG_N:
		break;
	}
	return fault_raise(f, ERR_INTERNAL, "key_algorithm", where, "key of no algorithm");
}
