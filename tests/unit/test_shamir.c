/*
 * Shamir's scheme: every choice of m shares gives the secret, m - 1 fit every secret, and libgfshare, which others
 * wrote, reads our shares as we read its.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/note/shamir.h"

#include <libgfshare.h>
#include <string.h>

#define LEN 32

static void combine(const struct secret *shares, const uint8_t *xs, unsigned m, uint8_t ret[LEN])
{
	_cleanup_secret_ struct secret s = {0};
	const uint8_t *at[SHAMIR_MAX];
	for (unsigned i = 0; i < m; i++)
		at[i] = shares->p + (size_t)(xs[i] - 1) * LEN;
	shamir_combine(xs, at, m, LEN, &s);
	assert_int_equal(s.n, LEN);
	memcpy(ret, s.p, LEN);
}

static unsigned bits_of(unsigned set)
{
	return (unsigned)__builtin_popcount(set);
}

/* All choices of m among n. */
static void all_choices(const struct secret *secret, const struct secret *shares, unsigned m, unsigned n)
{
	for (unsigned set = 0; set < 1u << n; set++) {
		uint8_t xs[SHAMIR_MAX], found[LEN];
		unsigned k = 0;
		if (bits_of(set) != m)
			continue;
		for (unsigned i = n; i-- > 0;)
			if (set & 1u << i)
				xs[k++] = (uint8_t)(i + 1);
		combine(shares, xs, m, found);
		assert_memory_equal(found, secret->p, LEN);
	}
}

static void random_secret(struct secret *s)
{
	secret_alloc(s, LEN);
	random_fill(s->p, LEN);
}

static void test_any_m_shares(void **state)
{
	static const unsigned rows[][2] = {{2, 2}, {2, 3}, {3, 3}, {3, 5}, {5, 7}, {2, 16}, {7, 16}, {16, 16}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_secret_ struct secret secret = {0}, shares = {0};
		random_secret(&secret);
		shamir_split(&secret, rows[i][0], rows[i][1], &shares);
		assert_int_equal(shares.n, rows[i][1] * LEN);
		all_choices(&secret, &shares, rows[i][0], rows[i][1]);
	}
}

/* With m - 1 shares held, every secret is still possible: for each there is a last share that gives it. */
static void test_fewer_tell_nothing(void **state)
{
	_cleanup_secret_ struct secret secret = {0}, shares = {0};
	uint8_t xs[3] = {1, 2, 3};
	bool seen[256] = {false};
	(void)state;
	random_secret(&secret);
	shamir_split(&secret, 3, 3, &shares);
	for (unsigned last = 0; last < 256; last++) {
		uint8_t found[LEN];
		shares.p[2 * LEN] = (uint8_t)last;
		combine(&shares, xs, 3, found);
		assert_false(seen[found[0]]);
		seen[found[0]] = true;
	}
}

static void test_a_wrong_share_shows(void **state)
{
	_cleanup_secret_ struct secret secret = {0}, shares = {0};
	uint8_t xs[3] = {5, 1, 3}, found[LEN];
	(void)state;
	random_secret(&secret);
	shamir_split(&secret, 3, 5, &shares);
	for (size_t bit = 0; bit < 8 * LEN; bit++) {
		shares.p[4 * LEN + bit / 8] ^= (uint8_t)(1u << bit % 8);
		combine(&shares, xs, 3, found);
		assert_memory_not_equal(found, secret.p, LEN);
		shares.p[4 * LEN + bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	combine(&shares, xs, 3, found);
	assert_memory_equal(found, secret.p, LEN);
}

static void fill(unsigned char *p, unsigned n)
{
	random_fill(p, n);
}

static void test_libgfshare_reads_ours(void **state)
{
	(void)state;
	for (unsigned m = 2; m <= 7; m++) {
		_cleanup_secret_ struct secret secret = {0}, shares = {0};
		uint8_t numbers[SHAMIR_MAX], found[LEN];
		random_secret(&secret);
		shamir_split(&secret, m, SHAMIR_MAX, &shares);
		/* The last m of sixteen. */
		for (unsigned i = 0; i < m; i++)
			numbers[i] = (uint8_t)(SHAMIR_MAX - i);
		gfshare_ctx *c = gfshare_ctx_init_dec(numbers, m, LEN);
		for (unsigned i = 0; i < m; i++)
			gfshare_ctx_dec_giveshare(c, (unsigned char)i, shares.p + (size_t)(numbers[i] - 1) * LEN);
		gfshare_ctx_dec_extract(c, found);
		gfshare_ctx_free(c);
		assert_memory_equal(found, secret.p, LEN);
	}
}

static void test_we_read_libgfshares(void **state)
{
	(void)state;
	for (unsigned m = 2; m <= 7; m++) {
		_cleanup_secret_ struct secret secret = {0}, shares = {0};
		uint8_t numbers[SHAMIR_MAX], xs[7];
		random_secret(&secret);
		secret_alloc(&shares, SHAMIR_MAX * LEN);
		for (unsigned i = 0; i < SHAMIR_MAX; i++)
			numbers[i] = (uint8_t)(i + 1);
		gfshare_ctx *c = gfshare_ctx_init_enc(numbers, SHAMIR_MAX, (unsigned char)m, LEN);
		gfshare_ctx_enc_setsecret(c, secret.p);
		for (unsigned i = 0; i < SHAMIR_MAX; i++)
			gfshare_ctx_enc_getshare(c, (unsigned char)i, shares.p + (size_t)i * LEN);
		gfshare_ctx_free(c);
		uint8_t found[LEN];
		for (unsigned i = 0; i < m; i++)
			xs[i] = (uint8_t)(2 * i + 2);
		combine(&shares, xs, m, found);
		assert_memory_equal(found, secret.p, LEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_m_shares),	    cmocka_unit_test(test_fewer_tell_nothing),
		cmocka_unit_test(test_a_wrong_share_shows), cmocka_unit_test(test_libgfshare_reads_ours),
		cmocka_unit_test(test_we_read_libgfshares),
	};
	secret_init();
	gfshare_fill_rand = fill;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
