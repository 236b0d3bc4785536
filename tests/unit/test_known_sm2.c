/*
 * known_sm2: the equation with a key that is the generator itself, so that sums meet the points for which the addition
 * has another formula. What signatures of other keys say is in test_known_key.c.
 */
#include "pki_kit.h"

#include "common/pki/known_sm2.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "common/base/cleanup.h"

static const char spki_hex[] = "3059301306072a8648ce3d020106082a811ccf5501822d034200"
			       "0432c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
			       "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0";

static struct slice number(BIGNUM *n, uint8_t ret[32])
{
	assert_int_equal(BN_bn2binpad(n, ret, 32), 32);
	return slice_of(ret, 32);
}

/* s G + t Q with Q = G: r is t - s, and e what is left of r without x. */
static bool holds(const struct known_sm2 *k, unsigned s_word, unsigned t_word, unsigned e_more)
{
	EC_GROUP *curve = EC_GROUP_new_by_curve_name(NID_sm2);
	BN_CTX *ctx = BN_CTX_new();
	EC_POINT *sum = EC_POINT_new(curve);
	const BIGNUM *n = EC_GROUP_get0_order(curve);
	BIGNUM *s = BN_new(), *t = BN_new(), *r = BN_new(), *e = BN_new(), *x = BN_new(), *both = BN_new();
	uint8_t r_bytes[32], s_bytes[32], e_bytes[32];
	assert_true(BN_set_word(s, s_word) && BN_set_word(t, t_word) && BN_mod_sub(r, t, s, n, ctx) &&
		    BN_mod_add(both, s, t, n, ctx) && EC_POINT_mul(curve, sum, both, NULL, NULL, ctx) &&
		    EC_POINT_get_affine_coordinates(curve, sum, x, NULL, ctx) && BN_mod_sub(e, r, x, n, ctx) &&
		    BN_add_word(e, e_more));
	number(e, e_bytes);
	bool answer = known_sm2_holds(k, number(r, r_bytes), number(s, s_bytes), e_bytes);
	BIGNUM *all[] = {s, t, r, e, x, both};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		BN_free(all[i]);
	EC_POINT_free(sum);
	BN_CTX_free(ctx);
	EC_GROUP_free(curve);
	return answer;
}

static void test_special_sums(void **state)
{
	static const unsigned cases[][2] = {
		{5, 69},	  {32, 96},
		{1, 65}, /* the sum so far and the next are the same point */
		{5, 59},	  {1, 63},
		{31, 33}, /* they are opposites, and more follows */
		{64, 128},	  {64, 4032},
		{4096, 64}, /* the same in the digits above */
		{1, 2},		  {2, 1},
		{33, 32}, /* ordinary ones */
		{0x7fffffff, 63}, {12345, 0xffffffff},
	};
	(void)state;
	_cleanup_(pubkey_done) struct pubkey key = {0};
	uint8_t spki[91];
	struct fault f = {0};
	assert_true(hex_decode(spki_hex, 2 * sizeof(spki), spki, sizeof(spki)));
	assert_ok(pubkey_parse(slice_of(spki, sizeof(spki)), &key, &f), &f);
	struct known_sm2 *k = known_sm2_new(&key);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!holds(k, cases[i][0], cases[i][1], 0))
			fail_msg("%u G + %u G is not found", cases[i][0], cases[i][1]);
		assert_false(holds(k, cases[i][0], cases[i][1], 1));
	}
	free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_special_sums)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
