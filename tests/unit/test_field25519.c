/*
 * field25519: every operation compared with libcrypto's whole numbers, for numbers at the edges and with the largest
 * limbs that are allowed.
 */
#include "pki_kit.h"

#include "common/pki/field25519.h"

#include <openssl/bn.h>

#include "common/base/cleanup.h"

#define N_EDGES 9
#define ROUNDS 200
#define LARGEST ((UINT64_C(1) << 54) - 1)

static BIGNUM *modulus;
static BN_CTX *ctx;

static struct field edge(size_t i)
{
	static const struct field edges[N_EDGES] = {
		{{0}},
		{{1}},
		{{FIELD_LIMB - 18, FIELD_LIMB, FIELD_LIMB, FIELD_LIMB, FIELD_LIMB}}, /* p */
		{{FIELD_LIMB - 19, FIELD_LIMB, FIELD_LIMB, FIELD_LIMB, FIELD_LIMB}},
		{{FIELD_LIMB - 17, FIELD_LIMB, FIELD_LIMB, FIELD_LIMB, FIELD_LIMB}},
		{{FIELD_LIMB, FIELD_LIMB, FIELD_LIMB, FIELD_LIMB, FIELD_LIMB}},
		{{LARGEST, LARGEST, LARGEST, LARGEST, LARGEST}},
		{{LARGEST, 0, 0, 0, LARGEST}},
		{{0, 0, 0, 0, FIELD_LIMB + 1}}, /* 2^255 */
	};
	struct field r;
	if (i < N_EDGES)
		return edges[i];
	random_fill(r.l, sizeof(r.l));
	for (size_t k = 0; k < 5; k++)
		r.l[k] &= LARGEST;
	return r;
}

static BIGNUM *number(struct field a)
{
	BIGNUM *r = BN_new();
	for (int i = 4; i >= 0; i--) {
		uint8_t bytes[8];
		for (int k = 0; k < 8; k++)
			bytes[k] = (uint8_t)(a.l[i] >> (56 - 8 * k));
		BIGNUM *limb = BN_bin2bn(bytes, 8, NULL);
		assert_true(BN_lshift(r, r, FIELD_BITS) == 1 && BN_add(r, r, limb) == 1);
		BN_free(limb);
	}
	return r;
}

/* Takes expected. */
static void check(const char *what, struct field found, BIGNUM *expected)
{
	uint8_t a[32], b[32];
	assert_int_equal(BN_nnmod(expected, expected, modulus, ctx), 1);
	assert_int_equal(BN_bn2lebinpad(expected, b, 32), 32);
	BN_free(expected);
	field_write(found, a);
	if (memcmp(a, b, 32) != 0)
		fail_msg("%s: another number than libcrypto's", what);
}

typedef int bn_fn(BIGNUM *r, const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *ctx);

static BIGNUM *of_two(bn_fn *fn, struct field a, struct field b)
{
	BIGNUM *x = number(a), *y = number(b), *r = BN_new();
	assert_int_equal(fn(r, x, y, modulus, ctx), 1);
	BN_free(x);
	BN_free(y);
	return r;
}

static void test_sums_and_products(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EDGES + ROUNDS; i++) {
		struct field a = edge(i);
		check("the number itself", a, number(a));
		check("square", field_square(a), of_two(BN_mod_mul, a, a));
		for (size_t k = 0; k < N_EDGES + 4; k++) {
			struct field b = edge(k), product = field_mul(a, b);
			check("product", product, of_two(BN_mod_mul, a, b));
			for (size_t n = 0; n < 5; n++)
				assert_true(product.l[n] < FIELD_LIMB + (1 << 20));
			check("sum", field_add(product, a), of_two(BN_mod_add, product, a));
			check("difference", field_sub(a, product), of_two(BN_mod_sub, a, product));
		}
	}
}

static BIGNUM *inverse(struct field a)
{
	BIGNUM *x = number(a), *r = BN_new();
	assert_int_equal(BN_nnmod(x, x, modulus, ctx), 1);
	if (!BN_is_zero(x))
		assert_non_null(BN_mod_inverse(r, x, modulus, ctx));
	BN_free(x);
	return r;
}

static void test_inverse_and_root(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EDGES + ROUNDS; i++) {
		struct field a = edge(i), square = field_square(a), root;
		check("inverse", field_inverse(a), inverse(a));
		assert_true(field_root(square, &root));
		assert_true(field_eq(field_square(root), square));
		/* 2 is no square, so twice a square is none, but for 0. */
		if (!field_eq(square, FIELD_ZERO))
			assert_false(field_root(field_mul(square, field_small(2)), &root));
	}
}

/* Only numbers below p are read, and what is read is written the same. */
static void test_read(void **state)
{
	(void)state;
	uint8_t p[32], bytes[32], again[32];
	struct field a;
	memset(p, 0xff, sizeof(p));
	p[31] = 0x7f;
	for (unsigned low = 0; low < 256; low++) {
		p[0] = (uint8_t)low;
		assert_int_equal(field_read(p, &a), low < 0xed);
	}
	for (size_t i = 0; i < ROUNDS; i++) {
		random_fill(bytes, sizeof(bytes));
		assert_true(field_read(bytes, &a));
		field_write(a, again);
		bytes[31] &= 0x7f;
		assert_memory_equal(again, bytes, sizeof(bytes));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_and_products),
		cmocka_unit_test(test_inverse_and_root),
		cmocka_unit_test(test_read),
	};
	ctx = BN_CTX_new();
	if (!ctx || !BN_hex2bn(&modulus, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	BN_free(modulus);
	BN_CTX_free(ctx);
	return failed;
}
