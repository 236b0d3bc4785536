/*
 * Sealed PUKs: who can open one, for which token it is, and the code that two people compare.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/puk.h"

#include "common/base/cleanup.h"

#include <sodium.h>
#include <string.h>

#define SERIAL_A "7F3A00112233CDEF"

struct pair {
	uint8_t key[PUK_KEY];
	struct secret secret;
};
static void pair_make(struct pair *p)
{
	secret_alloc(&p->secret, PUK_KEY);
	crypto_box_keypair(p->key, p->secret.p);
}
static void pair_done(struct pair *p)
{
	secret_done(&p->secret);
}

static void put(struct puk_set *s, const char *puk)
{
	secret_alloc(&s->puk[s->n], strlen(puk));
	memcpy(s->puk[s->n++].p, puk, strlen(puk));
}

static void is_puk(const struct secret *s, const char *wanted)
{
	assert_int_equal(s->n, strlen(wanted));
	assert_memory_equal(s->p, wanted, s->n);
}

static void test_round(void **state)
{
	_cleanup_(pair_done) struct pair desk = {0};
	_cleanup_(puk_set_done) struct puk_set in = {0}, out = {0};
	_cleanup_buf_ struct buf box = {0};
	struct puk_key key;
	struct fault f = {0};
	(void)state;
	pair_make(&desk);
	put(&in, "24680246");
	put(&in, "K7M29QXA4BCDEFGH");
	assert_int_equal(puk_seal(desk.key, SERIAL_A, &in, &box, &f), OK);
	puk_key_from(desk.key, &key);
	assert_true(puk_is_for(buf_slice(&box), &key));
	assert_int_equal(puk_open(desk.key, &desk.secret, SERIAL_A, buf_slice(&box), &out, &f), OK);
	assert_int_equal(out.n, 2);
	is_puk(&out.puk[0], "24680246");
	is_puk(&out.puk[1], "K7M29QXA4BCDEFGH");
	assert_null(memmem(box.data, box.len, "24680246", 8));
}

static void test_not_opened(void **state)
{
	_cleanup_(pair_done) struct pair desk = {0}, other = {0};
	_cleanup_(puk_set_done) struct puk_set in = {0}, out = {0};
	_cleanup_buf_ struct buf box = {0};
	struct fault f = {0};
	(void)state;
	pair_make(&desk);
	pair_make(&other);
	put(&in, "24680246");
	assert_int_equal(puk_seal(desk.key, SERIAL_A, &in, &box, &f), OK);
	assert_int_equal(puk_open(other.key, &other.secret, SERIAL_A, buf_slice(&box), &out, &f), ERR_CRYPTO);
	assert_string_equal(f.rule, "puk_key");
	assert_int_equal(puk_open(desk.key, &other.secret, SERIAL_A, buf_slice(&box), &out, &f), ERR_CRYPTO);
	assert_string_equal(f.rule, "puk_open");
	/* That of another token, under the right key: what a captured desk could hand out. */
	assert_int_equal(puk_open(desk.key, &desk.secret, "0000000000000001", buf_slice(&box), &out, &f), ERR_CRYPTO);
	assert_string_equal(f.rule, "puk_serial");
	assert_null(strstr(f.text, "24680246"));
	for (size_t i = 0; i < box.len; i++) {
		box.data[i] ^= 1;
		assert_int_equal(puk_open(desk.key, &desk.secret, SERIAL_A, buf_slice(&box), &out, &f), ERR_CRYPTO);
		box.data[i] ^= 1;
	}
	for (size_t n = 0; n < box.len; n++)
		assert_int_equal(puk_open(desk.key, &desk.secret, SERIAL_A, slice_of(box.data, n), &out, &f),
				 ERR_CRYPTO);
}

/* Boxes that open, with something else inside. */
static void test_hostile_inside(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"hufu-puk/v1\n",
		"hufu-puk/v1\nserial: " SERIAL_A "\n",
		"hufu-puk/v1\nserial: " SERIAL_A "\npuk: \n",
		"hufu-puk/v1\nserial: " SERIAL_A "\npuk: 1",
		"hufu-puk/v1\nserial: " SERIAL_A "\npuk: 1\npuk: 2\npuk: 3\n",
		"hufu-puk/v1\nserial: " SERIAL_A "\npuk: 1\nmore\n",
		"hufu-puk/v2\nserial: " SERIAL_A "\npuk: 1\n",
		"hufu-puk/v1\nserial: " SERIAL_A "\npuk: 1 2\n",
		"hufu-puk/v1\nserial: " SERIAL_A "\npuk: \x1b[2J\n",
		"hufu-puk/v1\nserial: " SERIAL_A
		"\npuk: 1234567890123456789012345678901234567890123456789012345678901234x\n",
	};
	_cleanup_(pair_done) struct pair desk = {0};
	struct puk_key key;
	(void)state;
	pair_make(&desk);
	puk_key_from(desk.key, &key);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_(puk_set_done) struct puk_set out = {0};
		uint8_t box[PUK_BOX_MAX];
		size_t n = strlen(texts[i]);
		struct fault f = {0};
		memcpy(box, key.id, PUK_KEY_ID);
		crypto_box_seal(box + PUK_KEY_ID, (const uint8_t *)texts[i], n, desk.key);
		struct slice sealed = slice_of(box, PUK_KEY_ID + crypto_box_SEALBYTES + n);
		assert_int_equal(puk_open(desk.key, &desk.secret, SERIAL_A, sealed, &out, &f), ERR_CRYPTO);
		assert_string_equal(f.rule, "puk_open");
		assert_int_equal(out.n, 0);
	}
}

static void test_bad_input(void **state)
{
	static const char *const serials[] = {"", " 1", "1 ", "a\nb", "钥匙", "123456789012345678901234567890123"};
	static const char *const puks[] = {"with space", "new\nline",
					   "12345678901234567890123456789012345678901234567890123456789012345"};
	_cleanup_(pair_done) struct pair desk = {0};
	_cleanup_buf_ struct buf box = {0};
	struct fault f = {0};
	(void)state;
	pair_make(&desk);
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		_cleanup_(puk_set_done) struct puk_set in = {0};
		put(&in, "1");
		assert_false(puk_serial_ok(serials[i]));
		assert_int_equal(puk_seal(desk.key, serials[i], &in, &box, &f), ERR_PARSE);
	}
	for (size_t i = 0; i < sizeof(puks) / sizeof(puks[0]); i++) {
		_cleanup_(puk_set_done) struct puk_set in = {0};
		put(&in, puks[i]);
		assert_int_equal(puk_seal(desk.key, SERIAL_A, &in, &box, &f), ERR_PARSE);
		assert_string_equal(f.rule, "puk_form");
	}
	/* Keys of small order, as a desk in other hands could name: nobody's, or everybody's. */
	for (uint8_t k = 0; k < 2; k++) {
		_cleanup_(puk_set_done) struct puk_set in = {0};
		const uint8_t weak[PUK_KEY] = {k};
		put(&in, "1");
		assert_int_equal(puk_seal(weak, SERIAL_A, &in, &box, &f), ERR_CRYPTO);
		assert_string_equal(f.rule, "puk_key");
	}
	assert_int_equal(box.len, 0);
	assert_true(puk_serial_ok("ePass 3003 1"));
}

/* The longest that may be sealed fits into what a box may be. */
static void test_largest(void **state)
{
	_cleanup_(pair_done) struct pair desk = {0};
	_cleanup_(puk_set_done) struct puk_set in = {0}, out = {0};
	_cleanup_buf_ struct buf box = {0};
	struct fault f = {0};
	(void)state;
	pair_make(&desk);
	for (; in.n < PUK_MOST; in.n++)
		puk_make(PUK_MAX, &in.puk[in.n]);
	assert_int_equal(puk_seal(desk.key, "12345678901234567890123456789012", &in, &box, &f), OK);
	assert_true(box.len <= PUK_BOX_MAX);
	assert_int_equal(
		puk_open(desk.key, &desk.secret, "12345678901234567890123456789012", buf_slice(&box), &out, &f), OK);
	assert_int_equal(out.puk[1].n, PUK_MAX);
	assert_memory_not_equal(in.puk[0].p, in.puk[1].p, PUK_MAX);
}

static void test_code(void **state)
{
	_cleanup_(pair_done) struct pair one = {0}, two = {0};
	char a[PUK_CODE + 1], again[PUK_CODE + 1], b[PUK_CODE + 1], c[PUK_CODE + 1];
	struct fault f = {0};
	(void)state;
	pair_make(&one);
	pair_make(&two);
	assert_int_equal(puk_code(one.key, SERIAL_A, a, &f), OK);
	assert_int_equal(puk_code(one.key, SERIAL_A, again, &f), OK);
	assert_int_equal(puk_code(two.key, SERIAL_A, b, &f), OK);
	assert_int_equal(puk_code(one.key, "0000000000000001", c, &f), OK);
	assert_string_equal(a, again);
	assert_string_not_equal(a, b);
	assert_string_not_equal(a, c);
	assert_int_equal(strlen(a), PUK_CODE);
	assert_int_equal(a[4], '-');
	assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-"), PUK_CODE);
}

static void test_key_file(void **state)
{
	static const char good[] =
		"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a\n"; /* RFC 7748 6.1 */
	static const char *const bad[] = {"",
					  "8520",
					  "zz20f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
					  "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a 00",
					  "0000000000000000000000000000000000000000000000000000000000000000",
					  "0100000000000000000000000000000000000000000000000000000000000000"};
	char dir[] = "/tmp/hufu-puk-XXXXXX";
	struct puk_key key;
	struct fault f = {0};
	(void)state;
	assert_non_null(mkdtemp(dir));
	_cleanup_(freep) char *path = path_join(dir, "token.pub");
	assert_int_equal(puk_key_load(path, &key, &f), ERR_CONFIG);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(file_write(path, slice_str(bad[i]), 0600, &f), OK);
		assert_int_equal(puk_key_load(path, &key, &f), ERR_CONFIG);
		assert_string_equal(f.rule, "token_key");
	}
	assert_int_equal(file_write(path, slice_str(good), 0600, &f), OK);
	assert_int_equal(puk_key_load(path, &key, &f), OK);
	assert_int_equal(key.key[0], 0x85);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),	       cmocka_unit_test(test_not_opened),
		cmocka_unit_test(test_hostile_inside), cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_largest),	       cmocka_unit_test(test_code),
		cmocka_unit_test(test_key_file),
	};
	secret_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
