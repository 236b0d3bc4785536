/*
 * mod256: products and inverses beside libcrypto's, for each modulus that is used, of small, large, sparse and random
 * numbers.
 */
#include "pki_kit.h"

#include "common/pki/mod256.h"

#include <openssl/bn.h>

#include "common/base/cleanup.h"

#define SMALL 300
#define RANDOM 3000

static const char *const moduli[] = {
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", /* P-256's order, and field */
	"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
	"fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123", /* SM2's */
	"fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff",
};

struct lab {
	struct mod256 m;
	BIGNUM *n, *a, *b, *wanted;
	BN_CTX *ctx;
};

static struct n256 number(const BIGNUM *a)
{
	uint8_t bytes[32];
	assert_int_equal(BN_bn2binpad(a, bytes, 32), 32);
	return n256_read(bytes);
}

static void check_inverse(struct lab *l)
{
	struct n256 a = number(l->a), wanted;
	if (BN_is_zero(l->a))
		BN_zero(l->wanted);
	else
		assert_non_null(BN_mod_inverse(l->wanted, l->a, l->n, l->ctx));
	wanted = number(l->wanted);
	if (!n256_eq(n256_inverse(l->m.n, l->m.inv, a), wanted))
		fail_msg("another inverse of %s", BN_bn2hex(l->a));
	assert_true(n256_eq(mod256_out(&l->m, mod256_inverse(&l->m, mod256_in(&l->m, a))), wanted));
}

static void check_product(struct lab *l)
{
	assert_int_equal(BN_mod_mul(l->wanted, l->a, l->b, l->n, l->ctx), 1);
	assert_true(n256_eq(mod256_mul(&l->m, mod256_in(&l->m, number(l->a)), number(l->b)), number(l->wanted)));
}

static void check_modulus(struct lab *l)
{
	for (unsigned i = 0; i < SMALL; i++) { /* from 0 on, from the modulus down, powers of two */
		assert_int_equal(BN_set_word(l->a, i), 1);
		check_inverse(l);
		assert_true(BN_copy(l->a, l->n) && BN_sub_word(l->a, i + 1));
		check_inverse(l);
		assert_true(BN_one(l->a) && BN_lshift(l->a, l->a, (int)i % 256) && BN_nnmod(l->a, l->a, l->n, l->ctx));
		check_inverse(l);
	}
	for (unsigned i = 0; i < RANDOM; i++) {
		assert_true(BN_rand_range(l->a, l->n) && BN_rand_range(l->b, l->n));
		check_inverse(l);
		check_product(l);
	}
}

static void test_beside_libcrypto(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moduli) / sizeof(moduli[0]); i++) {
		struct lab l = {.a = BN_new(), .b = BN_new(), .wanted = BN_new(), .ctx = BN_CTX_new()};
		assert_int_equal(BN_hex2bn(&l.n, moduli[i]), 64);
		mod256_make(number(l.n), &l.m);
		check_modulus(&l);
		BN_free(l.n);
		BN_free(l.a);
		BN_free(l.b);
		BN_free(l.wanted);
		BN_CTX_free(l.ctx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_beside_libcrypto)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
