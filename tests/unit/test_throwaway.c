/*
 * throwaway: each kind's signatures hold by libcrypto's judgement under the key's public half, and under no other; many
 * threads sign at once.
 */
#include "pki_kit.h"

#include "common/pki/pubkey_private.h"
#include "common/pki/throwaway.h"

#include <openssl/err.h>
#include <pthread.h>

#include "common/base/cleanup.h"

#define THREADS 4
#define SIGNATURES 12

static const struct {
	enum key_alg alg;
	unsigned rsa_bits;
} kinds[] = {{KEY_P256, 0}, {KEY_P384, 0}, {KEY_SM2, 0}, {KEY_ED25519, 0}, {KEY_RSA, 2048}};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* By libcrypto alone. */
static bool holds(EVP_PKEY *key, enum key_alg alg, struct slice msg, struct slice sig)
{
	EVP_PKEY_CTX *pctx = NULL;
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit_ex(ctx, &pctx, key_info(alg)->md, NULL, NULL, key, NULL), 1);
	assert_true(alg != KEY_SM2 || sm2_set_id(pctx));
	bool good = EVP_DigestVerify(ctx, sig.p, sig.n, msg.p, msg.n) == 1;
	ERR_clear_error();
	return good;
}

struct signing {
	const struct throwaway *t;
	EVP_PKEY *public;
	unsigned good;
	pthread_t thread;
};

static void *sign_some(void *arg)
{
	struct signing *s = arg;
	for (size_t i = 0; i < SIGNATURES; i++) {
		_cleanup_buf_ struct buf sig = {0};
		uint8_t msg[1 + SIGNATURES];
		random_fill(msg, sizeof(msg));
		throwaway_sign(s->t, slice_of(msg, 1 + i), &sig);
		s->good += holds(s->public, throwaway_alg(s->t), slice_of(msg, 1 + i), buf_slice(&sig));
	}
	return NULL;
}

static void test_each_kind_holds(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_KINDS; k++) {
		_cleanup_(throwaway_freep) struct throwaway *t = NULL;
		struct signing s[THREADS];
		struct fault f = {0};
		assert_ok(throwaway_new(kinds[k].alg, kinds[k].rsa_bits, &t, &f), &f);
		_cleanup_(evp_pkey_freep) EVP_PKEY *public = throwaway_public(t);
		assert_int_equal(throwaway_alg(t), kinds[k].alg);
		for (size_t i = 0; i < THREADS; i++) {
			s[i] = (struct signing){.t = t, .public = public};
			assert_int_equal(pthread_create(&s[i].thread, NULL, sign_some, &s[i]), 0);
		}
		for (size_t i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(s[i].thread, NULL), 0);
			assert_int_equal(s[i].good, SIGNATURES);
		}
	}
}

static void test_other_bytes_and_keys(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_KINDS; k++) {
		_cleanup_(throwaway_freep) struct throwaway *t = NULL, *other = NULL;
		_cleanup_buf_ struct buf sig = {0};
		struct fault f = {0};
		assert_ok(throwaway_new(kinds[k].alg, kinds[k].rsa_bits, &t, &f), &f);
		assert_ok(throwaway_new(kinds[k].alg, kinds[k].rsa_bits, &other, &f), &f);
		_cleanup_(evp_pkey_freep) EVP_PKEY *own = throwaway_public(t), *others = throwaway_public(other);
		throwaway_sign(t, slice_str("a certificate"), &sig);
		assert_true(holds(own, kinds[k].alg, slice_str("a certificate"), buf_slice(&sig)));
		assert_false(holds(own, kinds[k].alg, slice_str("a certificat"), buf_slice(&sig)));
		assert_false(holds(others, kinds[k].alg, slice_str("a certificate"), buf_slice(&sig)));
		assert_int_equal(EVP_PKEY_eq(own, others), 0);
	}
}

/* The longest is longer than libcrypto verifies by such an exponent. */
static void test_rsa_sizes(void **state)
{
	(void)state;
	_cleanup_(throwaway_freep) struct throwaway *t = NULL;
	_cleanup_buf_ struct buf sig = {0};
	struct fault f = {0};
	assert_int_equal(throwaway_new(KEY_RSA, 1024, &t, &f), ERR_RULE);
	assert_string_equal(f.rule, "key_strength");
	assert_null(t);
	assert_ok(throwaway_new(KEY_RSA, 4096, &t, &f), &f);
	throwaway_sign(t, slice_str(""), &sig);
	assert_int_equal(sig.len, 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_holds),
		cmocka_unit_test(test_other_bytes_and_keys),
		cmocka_unit_test(test_rsa_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
