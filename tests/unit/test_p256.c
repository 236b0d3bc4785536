/*
 * p256: the equation beside libcrypto's own verification, over signatures that are made backwards from u and v, so that
 * the sum meets infinity, equal points, opposite ones, and an x above the order. Points and published signatures are in
 * test_pubkey.c, DER and hostile numbers in test_known_key.c.
 */
#include "pki_kit.h"

#include "common/pki/der.h"
#include "common/pki/p256.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "common/base/cleanup.h"

#define ROUNDS 24
#define TURNS 2000

struct lab {
	EC_GROUP *curve;
	const BIGNUM *n;
	BN_CTX *ctx;
	EC_POINT *q, *sum;
	BIGNUM *u, *v, *r, *s, *e, *x;
};

static void lab_make(struct lab *l)
{
	*l = (struct lab){.curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), .ctx = BN_CTX_new()};
	l->n = EC_GROUP_get0_order(l->curve);
	l->q = EC_POINT_new(l->curve);
	l->sum = EC_POINT_new(l->curve);
	BIGNUM **all[] = {&l->u, &l->v, &l->r, &l->s, &l->e, &l->x};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		*all[i] = BN_new();
}

static void lab_done(struct lab *l)
{
	BIGNUM *all[] = {l->u, l->v, l->r, l->s, l->e, l->x};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		BN_free(all[i]);
	EC_POINT_free(l->q);
	EC_POINT_free(l->sum);
	BN_CTX_free(l->ctx);
	EC_GROUP_free(l->curve);
}

static struct slice number(const BIGNUM *n, uint8_t ret[32])
{
	assert_int_equal(BN_bn2binpad(n, ret, 32), 32);
	return slice_of(ret, 32);
}

static bool libcrypto_says(const uint8_t point[P256_POINT_BYTES], struct slice r, struct slice s,
			   const uint8_t hash[32])
{
	_cleanup_buf_ struct buf sig = {0};
	EVP_PKEY *made = NULL;
	char group[] = "P-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, P256_POINT_BYTES),
		OSSL_PARAM_construct_end()};
	_cleanup_(evp_pkey_ctx_freep) EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	assert_true(EVP_PKEY_fromdata_init(from) == 1 &&
		    EVP_PKEY_fromdata(from, &made, EVP_PKEY_PUBLIC_KEY, params) == 1);
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = made;
	_cleanup_(evp_pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t at = der_begin(&sig, DER_SEQUENCE);
	der_put_magnitude(&sig, r);
	der_put_magnitude(&sig, s);
	der_end(&sig, at);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	return EVP_PKEY_verify(ctx, sig.data, sig.len, hash, 32) == 1;
}

/* Several at a time, among which some that never hold. */
static bool many_say(const uint8_t point[P256_POINT_BYTES], struct slice r, struct slice s, const uint8_t hash[32],
		     bool wanted)
{
	static const uint8_t zero[32];
	uint8_t off[P256_POINT_BYTES];
	static const size_t sizes[] = {1, 3, 11};
	struct p256_claim c[11];
	bool same = true;
	memcpy(off, point, sizeof(off));
	off[P256_POINT_BYTES - 1] ^= 1;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		size_t n = sizes[k];
		for (size_t i = 0; i < n; i++) {
			c[i] = (struct p256_claim){point, r, s, hash, i % 2 == 1};
			if (i % 5 == 1)
				c[i].point = off;
			if (i % 5 == 2)
				c[i].s = slice_of(zero, sizeof(zero));
		}
		p256_hold_many(c, n);
		for (size_t i = 0; i < n; i++)
			same &= c[i].holds == (wanted && i % 5 != 1 && i % 5 != 2);
	}
	p256_hold_many(NULL, 0);
	return same;
}

/* All of them say the same; returns what. */
static bool answer(struct lab *l)
{
	uint8_t point[P256_POINT_BYTES], r[32], s[32], e[32];
	assert_int_equal(
		EC_POINT_point2oct(l->curve, l->q, POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), l->ctx),
		sizeof(point));
	number(l->e, e);
	struct slice r_is = number(l->r, r), s_is = number(l->s, s);
	struct p256_table *t = p256_table_new(point), *slow = p256_table_new_plain(point);
	bool plain = p256_holds(point, r_is, s_is, e), known = p256_table_holds(t, r_is, s_is, e);
	assert_int_equal(plain, p256_table_holds(slow, r_is, s_is, e));
	p256_table_free(t);
	p256_table_free(slow);
	assert_true(many_say(point, r_is, s_is, e, plain));
	assert_true(p256_is_point(point));
	assert_int_equal(plain, known);
	assert_int_equal(plain, libcrypto_says(point, r_is, s_is, e));
	return plain;
}

/* r, s and e that lead to u and v: r is the sum's x (given, at infinity), s = r / v, e = u s. */
static void solve(struct lab *l)
{
	assert_int_equal(EC_POINT_mul(l->curve, l->sum, l->u, l->q, l->v, l->ctx), 1);
	if (EC_POINT_is_at_infinity(l->curve, l->sum))
		assert_int_equal(BN_set_word(l->r, 12345), 1);
	else
		assert_true(EC_POINT_get_affine_coordinates(l->curve, l->sum, l->x, NULL, l->ctx) &&
			    BN_nnmod(l->r, l->x, l->n, l->ctx));
	assert_true(BN_mod_inverse(l->s, l->v, l->n, l->ctx) && BN_mod_mul(l->s, l->r, l->s, l->n, l->ctx) &&
		    BN_mod_mul(l->e, l->u, l->s, l->n, l->ctx));
}

static void test_random_keys(void **state)
{
	struct lab l;
	(void)state;
	lab_make(&l);
	for (size_t i = 0; i < ROUNDS; i++) {
		assert_true(BN_rand_range(l.x, l.n) && BN_rand_range(l.u, l.n) && BN_rand_range(l.v, l.n) &&
			    EC_POINT_mul(l.curve, l.q, l.x, NULL, NULL, l.ctx));
		solve(&l);
		assert_true(answer(&l));
		BIGNUM *changed[] = {l.r, l.s, l.e};
		assert_int_equal(BN_add_word(changed[i % 3], 1), 1);
		assert_false(answer(&l));
	}
	lab_done(&l);
}

/* 1 to n - 1; random, or with a long run of ones or zeros. */
static void a_number(const struct lab *l, BIGNUM *ret)
{
	uint8_t bytes[32], kind[3];
	do {
		random_fill(bytes, sizeof(bytes));
		random_fill(kind, sizeof(kind));
		if (kind[0] & 1)
			memset(bytes + kind[1] % 32u, kind[0] & 2 ? 0xff : 0, 32 - kind[1] % 32u);
		if (kind[0] & 4)
			memset(bytes, kind[0] & 8 ? 0xff : 0, 1 + kind[2] % 32u);
		assert_non_null(BN_bin2bn(bytes, sizeof(bytes), ret));
	} while (BN_is_zero(ret) || BN_cmp(ret, l->n) >= 0);
}

/* Many digits by one table. */
static void test_one_key(void **state)
{
	struct lab l;
	uint8_t point[P256_POINT_BYTES], r[32], s[32], e[32];
	(void)state;
	lab_make(&l);
	a_number(&l, l.x);
	assert_true(EC_POINT_mul(l.curve, l.q, l.x, NULL, NULL, l.ctx) &&
		    EC_POINT_point2oct(l.curve, l.q, POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), l.ctx));
	struct p256_table *t = p256_table_new(point);
	for (size_t i = 0; i < TURNS; i++) {
		a_number(&l, l.u);
		a_number(&l, l.v);
		solve(&l);
		number(l.r, r);
		number(l.s, s);
		number(l.e, e);
		assert_true(p256_table_holds(t, slice_of(r, 32), slice_of(s, 32), e));
		e[i % 32] ^= (uint8_t)(1 << i / 32 % 8);
		assert_false(p256_table_holds(t, slice_of(r, 32), slice_of(s, 32), e));
	}
	p256_table_free(t);
	lab_done(&l);
}

/* Q is G, or -G, or 2 G: products meet each other. */
static void test_special_sums(void **state)
{
	static const struct {
		int q, u, v;
		bool holds;
	} cases[] = {{1, 5, 5, true},	{1, 1, 1, true},    {1, 0, 7, true},   {1, 9, -9, false},  {-1, 9, 9, false},
		     {-1, 8, 9, true},	{2, 2, 1, true},    {2, -2, 1, false}, {2, 0, 1, true},	   {1, -1, -1, true},
		     {-1, 1, -1, true}, {2, 128, 64, true}, {1, 64, 64, true}, {1, 65, -65, false}};
	struct lab l;
	(void)state;
	lab_make(&l);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BIGNUM *numbers[] = {l.x, l.u, l.v};
		const int words[] = {cases[i].q, cases[i].u, cases[i].v};
		for (size_t k = 0; k < 3; k++) {
			BN_set_word(numbers[k], (BN_ULONG)abs(words[k]));
			if (words[k] < 0)
				BN_sub(numbers[k], l.n, numbers[k]);
		}
		assert_int_equal(EC_POINT_mul(l.curve, l.q, l.x, NULL, NULL, l.ctx), 1);
		solve(&l);
		if (answer(&l) != cases[i].holds)
			fail_msg("Q = %d G, u = %d, v = %d", cases[i].q, cases[i].u, cases[i].v);
	}
	lab_done(&l);
}

/* The sum's x is n or more, and r what is left: Q is (s R - e G) / r. */
static void test_x_above_the_order(void **state)
{
	struct lab l;
	unsigned found = 0;
	(void)state;
	lab_make(&l);
	for (unsigned above = 1; found < 3; above++) {
		assert_true(BN_copy(l.x, l.n) && BN_add_word(l.x, above));
		if (EC_POINT_set_compressed_coordinates(l.curve, l.sum, l.x, 0, l.ctx) != 1)
			continue; /* no such point */
		assert_true(BN_set_word(l.r, above) && BN_rand_range(l.s, l.n) && BN_rand_range(l.e, l.n) &&
			    BN_mod_inverse(l.x, l.r, l.n, l.ctx) && BN_mod_mul(l.v, l.s, l.x, l.n, l.ctx) &&
			    BN_mod_mul(l.u, l.e, l.x, l.n, l.ctx) && BN_sub(l.u, l.n, l.u) &&
			    EC_POINT_mul(l.curve, l.q, l.u, l.sum, l.v, l.ctx));
		assert_true(answer(&l));
		BN_add_word(l.r, 1);
		assert_false(answer(&l));
		found++;
	}
	lab_done(&l);
}

/* A hash above the order counts modulo it: s = (e + r q) / k, with an e that has room for one more n. */
static void test_hash_above_the_order(void **state)
{
	struct lab l;
	(void)state;
	lab_make(&l);
	for (unsigned e = 0; e < 8; e++) {
		assert_true(BN_rand_range(l.v, l.n) && BN_rand_range(l.u, l.n) &&
			    EC_POINT_mul(l.curve, l.q, l.v, NULL, NULL, l.ctx) &&
			    EC_POINT_mul(l.curve, l.sum, l.u, NULL, NULL, l.ctx) &&
			    EC_POINT_get_affine_coordinates(l.curve, l.sum, l.x, NULL, l.ctx) &&
			    BN_nnmod(l.r, l.x, l.n, l.ctx) && BN_set_word(l.e, e) &&
			    BN_mod_mul(l.s, l.r, l.v, l.n, l.ctx) && BN_mod_add(l.s, l.s, l.e, l.n, l.ctx) &&
			    BN_mod_inverse(l.x, l.u, l.n, l.ctx) && BN_mod_mul(l.s, l.s, l.x, l.n, l.ctx));
		assert_true(answer(&l));
		assert_int_equal(BN_add(l.e, l.e, l.n), 1);
		assert_true(answer(&l));
		BN_add_word(l.e, 1);
		assert_false(answer(&l));
	}
	lab_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_keys),	     cmocka_unit_test(test_one_key),
		cmocka_unit_test(test_special_sums),	     cmocka_unit_test(test_x_above_the_order),
		cmocka_unit_test(test_hash_above_the_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
