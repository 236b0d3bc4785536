/*
 * known_ed25519: the same answers as libsodium, over good, altered and hostile signatures, and keys that are none; by the
 * processor's vectors, where it has them, and without.
 */
#include "pki_kit.h"

#include "common/pki/known_ed25519.h"

#include <sodium.h>

#define KEYS 24

struct pair {
	uint8_t public[32], secret[64];
	struct known_ed25519 *known, *plain;
};

static void pair_make(struct pair *p)
{
	crypto_sign_keypair(p->public, p->secret);
	p->known = known_ed25519_new(p->public);
	p->plain = known_ed25519_new_plain(p->public);
	assert_non_null(p->known);
	assert_non_null(p->plain);
	assert_memory_equal(known_ed25519_key(p->known), p->public, 32);
}

static bool answer(const struct pair *p, struct slice msg, const uint8_t sig[64])
{
	bool known = known_ed25519_verify(p->known, msg, sig), plain = known_ed25519_verify(p->plain, msg, sig);
	bool good = crypto_sign_verify_detached(sig, msg.p, msg.n, p->public) == 0;
	if (known != good || plain != good)
		fail_msg("libsodium says %d, known_ed25519 %d, without vectors %d", good, known, plain);
	return known;
}

static void pair_done(struct pair *p)
{
	known_ed25519_free(p->known);
	known_ed25519_free(p->plain);
}

static void test_good_and_altered(void **state)
{
	(void)state;
	uint8_t msg[400], sig[64], last[64] = {0};
	for (size_t i = 0; i < KEYS; i++) {
		struct pair p;
		struct slice m = slice_of(msg, i * 17 % sizeof(msg));
		pair_make(&p);
		random_fill(msg, sizeof(msg));
		crypto_sign_detached(sig, NULL, m.p, m.n, p.secret);
		assert_true(answer(&p, m, sig));
		assert_false(answer(&p, m, last)); /* another's, or zeros */
		memcpy(last, sig, sizeof(last));
		for (size_t bit = i % 3; bit < 512; bit += 3) {
			sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(answer(&p, m, sig));
			sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		if (m.n > 0) {
			msg[i % m.n] ^= 1;
			assert_false(answer(&p, m, sig));
		}
		pair_done(&p);
	}
}

/* The same s, more by the order: RFC 8032 5.1.7 wants it below. */
static void test_order_added(void **state)
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,	0xd6,
					  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	(void)state;
	uint8_t sig[64];
	struct pair p;
	pair_make(&p);
	crypto_sign_detached(sig, NULL, sig, 0, p.secret);
	for (unsigned times = 0; times < 15; times++) {
		assert_int_equal(answer(&p, slice_of("", 0), sig), times == 0);
		unsigned carry = 0;
		for (size_t i = 0; i < 32; i++) {
			carry += sig[32 + i] + (unsigned)order[i];
			sig[32 + i] = (uint8_t)carry;
			carry >>= 8;
		}
	}
	pair_done(&p);
}

/* R is the neutral point and s = h a: the equation holds, but such an R is refused, in each of its spellings. */
static void test_small_order(void **state)
{
	static const uint8_t neutral[][32] = {
		{1},
		{1, [31] = 0x80},
		{0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	};
	(void)state;
	struct pair p;
	pair_make(&p);
	for (size_t i = 0; i < sizeof(neutral) / sizeof(neutral[0]); i++) {
		uint8_t sig[64], hashed[64 + 3], hash[64], h[32], a[64];
		memcpy(sig, neutral[i], 32);
		memcpy(hashed, sig, 32);
		memcpy(hashed + 32, p.public, 32);
		memcpy(hashed + 64, "abc", 3);
		crypto_hash_sha512(hash, hashed, sizeof(hashed));
		crypto_core_ed25519_scalar_reduce(h, hash);
		crypto_hash_sha512(a, p.secret, 32); /* the secret scalar, RFC 8032 5.1.5 */
		a[0] &= 248;
		a[31] &= 127;
		a[31] |= 64;
		crypto_core_ed25519_scalar_mul(sig + 32, h, a);
		assert_false(answer(&p, slice_of("abc", 3), sig));
	}
	pair_done(&p);
}

/* Points of small order, one outside the main subgroup, one off the curve, y not below p. */
static void test_no_keys(void **state)
{
	static const char *const keys[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"0200000000000000000000000000000000000000000000000000000000000000",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		uint8_t key[32];
		assert_true(hex_decode(keys[i], 64, key, 32));
		assert_null(known_ed25519_new(key));
	}
	/* A good key and a point of order 8 together. */
	uint8_t eight[32], mixed[32];
	struct pair p;
	pair_make(&p);
	assert_true(hex_decode(keys[4], 64, eight, 32));
	assert_int_equal(crypto_core_ed25519_add(mixed, p.public, eight), 0);
	assert_null(known_ed25519_new(mixed));
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_and_altered),
		cmocka_unit_test(test_order_added),
		cmocka_unit_test(test_small_order),
		cmocka_unit_test(test_no_keys),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
