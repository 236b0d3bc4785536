/*
 * kept_key: signatures of each kind of key hold, one after the other and from several threads at the same time.
 */
#include "pki_kit.h"

#include "common/pki/kept_key.h"
#include "common/pki/sign.h"

#include <pthread.h>

#include "common/base/cleanup.h"

#define THREADS 4
#define SIGNATURES 12

struct signing {
	struct kept_key *kept;
	const struct pubkey *public;
	unsigned good;
	pthread_t thread;
};

static void *sign_some(void *arg)
{
	struct signing *s = arg;
	for (size_t i = 0; i < SIGNATURES; i++) {
		_cleanup_buf_ struct buf sig = {0};
		struct fault f = {0};
		uint8_t msg[200];
		struct slice m = slice_of(msg, i == 0 ? 0 : sizeof(msg));
		random_fill(msg, sizeof(msg));
		s->good += kept_key_sign(s->kept, m, &sig, &f) == OK && pubkey_verify(s->public, m, buf_slice(&sig));
	}
	return NULL;
}

static void test_each_kind(void **state)
{
	(void)state;
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
		_cleanup_(pubkey_done) struct pubkey public = {0};
		_cleanup_(kept_key_freep) struct kept_key *kept = NULL;
		struct signing s[THREADS];
		struct fault f = {0};
		assert_ok(privkey_generate((enum key_alg)a, a == KEY_RSA ? 2048 : 0, &key, &f), &f);
		assert_ok(privkey_public(key, &public, &f), &f);
		assert_ok(kept_key_new(key, &public, &kept, &f), &f);
		for (size_t i = 0; i < THREADS; i++) {
			s[i] = (struct signing){.kept = kept, .public = &public};
			assert_int_equal(pthread_create(&s[i].thread, NULL, sign_some, &s[i]), 0);
		}
		for (size_t i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(s[i].thread, NULL), 0);
			assert_int_equal(s[i].good, SIGNATURES);
		}
	}
}

/* A key beside the public half of another kind would make signatures that nobody accepts. */
static void test_other_kind(void **state)
{
	(void)state;
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL, *other = NULL;
	_cleanup_(pubkey_done) struct pubkey public = {0};
	struct kept_key *kept = NULL;
	struct fault f = {0};
	assert_ok(privkey_generate(KEY_P256, 0, &key, &f), &f);
	assert_ok(privkey_generate(KEY_SM2, 0, &other, &f), &f);
	assert_ok(privkey_public(other, &public, &f), &f);
	assert_int_equal(kept_key_new(key, &public, &kept, &f), ERR_CRYPTO);
	assert_string_equal(f.rule, "key_algorithm");
	assert_null(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind),
		cmocka_unit_test(test_other_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
