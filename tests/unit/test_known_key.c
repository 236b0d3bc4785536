/*
 * known_key: the same answers as pubkey_verify(), for each kind of key, over good, altered and hostile signatures.
 */
#include "pki_kit.h"

#include "common/pki/der.h"
#include "common/pki/known_key.h"
#include "common/pki/sign.h"

#include "common/base/cleanup.h"

#define ROUNDS 24

struct pair {
	EVP_PKEY *private;
	struct pubkey public;
	struct known_key *known;
};

static void pair_make(enum key_alg alg, struct pair *p)
{
	struct fault f = {0};
	assert_ok(privkey_generate(alg, alg == KEY_RSA ? 2048 : 0, &p->private, &f), &f);
	assert_ok(privkey_public(p->private, &p->public, &f), &f);
	p->known = known_key_new(&p->public);
}

static void pair_done(struct pair *p)
{
	known_key_free(p->known);
	pubkey_done(&p->public);
	EVP_PKEY_free(p->private);
}

static bool libcrypto_says(const struct pair *p, struct slice msg, struct slice sig)
{
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	return EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, p->private, NULL) == 1 &&
	       EVP_DigestVerify(ctx, sig.p, sig.n, msg.p ? msg.p : (const uint8_t *)"", msg.n) == 1;
}

/* Both ways say the same, and of P-256, which has none of libcrypto's in it, libcrypto too; returns what they say. */
static bool answer(const struct pair *p, struct slice msg, struct slice sig)
{
	bool known = known_key_verify(p->known, msg, sig);
	if (known != pubkey_verify(&p->public, msg, sig))
		fail_msg("%s: known_key says %d, pubkey the opposite, of %zu bytes", key_alg_word(p->public.alg), known,
			 sig.n);
	if (p->public.alg == KEY_P256)
		assert_int_equal(known, libcrypto_says(p, msg, sig));
	return known;
}

static void each_kind(void (*check)(const struct pair *p))
{
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		struct pair p = {0};
		pair_make((enum key_alg)a, &p);
		check(&p);
		pair_done(&p);
	}
}

static void good_and_altered(const struct pair *p)
{
	for (size_t i = 0; i < ROUNDS; i++) {
		struct fault f = {0};
		_cleanup_buf_ struct buf sig = {0};
		uint8_t msg[64];
		size_t n = i < 2 ? i : sizeof(msg), bit = 8 * i;
		random_fill(msg, sizeof(msg));
		assert_ok(privkey_sign(p->private, p->public.alg, slice_of(msg, n), &sig, &f), &f);
		assert_true(answer(p, slice_of(msg, n), buf_slice(&sig)));
		if (n > 0) {
			msg[i % n] ^= 1;
			assert_false(answer(p, slice_of(msg, n), buf_slice(&sig)));
			msg[i % n] ^= 1;
		}
		sig.data[bit / 3 % sig.len] ^= (uint8_t)(1 << bit % 7);
		assert_false(answer(p, slice_of(msg, n), buf_slice(&sig)));
		sig.data[bit / 3 % sig.len] ^= (uint8_t)(1 << bit % 7);
		assert_false(answer(p, slice_of(msg, n), slice_of(sig.data, sig.len - 1)));
	}
}

static void test_good_and_altered(void **state)
{
	(void)state;
	each_kind(good_and_altered);
}

static const char p256_n[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
		  sm2_n[] = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";

static void put_rs(struct slice r, struct slice s, struct buf *ret)
{
	size_t seq = der_begin(ret, DER_SEQUENCE);
	der_put_magnitude(ret, r);
	der_put_magnitude(ret, s);
	der_end(ret, seq);
}

/* r and s of 0, 1, n - 1, n, n + 1 and 2^256 - 1, each with each, and each beside the good one of the other. */
static void hostile_numbers(const struct pair *p)
{
	const char *order = p->public.alg == KEY_SM2 ? sm2_n : p256_n;
	uint8_t numbers[6][32] = {{0}}, msg[] = "hostile";
	struct fault f = {0};
	if (p->public.alg != KEY_P256 && p->public.alg != KEY_SM2)
		return;
	numbers[1][31] = 1;
	for (size_t i = 2; i < 5; i++)
		assert_true(hex_decode(order, 64, numbers[i], 32));
	numbers[2][31]--;
	numbers[4][31]++;
	memset(numbers[5], 0xff, 32);
	_cleanup_buf_ struct buf good = {0};
	assert_ok(privkey_sign(p->private, p->public.alg, slice_of(msg, sizeof(msg)), &good, &f), &f);
	struct der d = der_of(buf_slice(&good)), rs;
	struct slice r, s;
	assert_true(der_enter(&d, DER_SEQUENCE, &rs) && der_get_integer(&rs, &r) && der_get_integer(&rs, &s));
	for (size_t i = 0; i < 7; i++) {
		for (size_t k = 0; k < 7; k++) {
			_cleanup_buf_ struct buf sig = {0};
			put_rs(i < 6 ? slice_of(numbers[i], 32) : r, k < 6 ? slice_of(numbers[k], 32) : s, &sig);
			assert_int_equal(answer(p, slice_of(msg, sizeof(msg)), buf_slice(&sig)), i == 6 && k == 6);
		}
	}
}

static void test_hostile_numbers(void **state)
{
	(void)state;
	each_kind(hostile_numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_and_altered),
		cmocka_unit_test(test_hostile_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
