/*
 * Who may ask the agent: origins, codes and pairings. What it does is in tests/process/agent.bats.
 */
#include "tools/hufu/agent.h"

#include "common/base/file.h"

/* cmocka's own order */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define HERE "https://ca.example.cn"
#define THERE "http://localhost:18080"

struct fx {
	char dir[32];
	char *path;
	struct pairing p;
};
static void fx_init(struct fx *x)
{
	struct fault f;
	*x = (struct fx){.dir = "/tmp/hufu-agent-XXXXXX"};
	assert_non_null(mkdtemp(x->dir));
	x->path = path_join(x->dir, "below/paired");
	assert_int_equal(pairing_init(&x->p, x->path, &f), OK);
}
static void fx_done(struct fx *x)
{
	_cleanup_(freep) char *below = path_join(x->dir, "below");
	pairing_done(&x->p);
	unlink(x->path);
	rmdir(below);
	rmdir(x->dir);
	free(x->path);
}

static void test_origin(void **state)
{
	static const char *const good[] =
		{HERE, THERE, "https://a", "https://ca.example.cn:8443", "http://127.0.0.1", "http://127.0.0.1:65535"},
				 *const bad[] = {"",
						 "null",
						 "*",
						 "https://",
						 "https://*.example.cn",
						 "https://CA.example.cn",
						 "https://ca.example.cn/",
						 "https://ca.example.cn:",
						 "https://ca.example.cn:443",
						 "https://ca.example.cn:0",
						 "https://ca.example.cn:65536",
						 "https://ca.example.cn:8443/x",
						 "https://a@ca.example.cn",
						 "https://ca.example.cn ",
						 "https://ca.example.cn\nhttps://evil.example",
						 "http://ca.example.cn",
						 "http://localhost.evil.example",
						 "http://127.0.0.12",
						 "http://localhost:80",
						 "ftp://localhost",
						 "https:/ca.example.cn"};
	char longest[300] = "https://";
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(origin_ok(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (origin_ok(bad[i]))
			fail_msg("\"%s\" passed for an origin", bad[i]);
	memset(longest + 8, 'a', sizeof longest - 9);
	assert_false(origin_ok(longest));
}

static void test_pair(void **state)
{
	struct fx x;
	struct pairing again = {0};
	struct fault f;
	struct stat st;
	char code[PAIRING_DIGITS + 1], token[PAIRING_TOKEN + 1], other[PAIRING_TOKEN + 1];
	_cleanup_buf_ struct buf text = {0};
	(void)state;
	fx_init(&x);
	assert_int_equal(pairing_finish(&x.p, HERE, "", token, &f), ERR_DENIED); /* none is open */
	assert_int_equal(pairing_begin(&x.p, HERE, code, &f), OK);
	assert_int_equal(strlen(code), PAIRING_DIGITS);
	assert_int_equal(pairing_finish(&x.p, THERE, code, token, &f), ERR_DENIED);
	assert_string_equal(f.rule, "pair_code");
	assert_int_equal(pairing_finish(&x.p, HERE, code, token, &f), OK);
	assert_int_equal(pairing_finish(&x.p, HERE, code, other, &f), ERR_DENIED);
	assert_true(pairing_holds(&x.p, HERE, token));
	assert_false(pairing_holds(&x.p, THERE, token));
	assert_false(pairing_holds(&x.p, HERE, ""));
	token[0] ^= 1;
	assert_false(pairing_holds(&x.p, HERE, token));
	token[0] ^= 1;
	assert_int_equal(stat(x.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_read(x.path, 4096, &text, &f), OK);
	assert_null(strstr(buf_text(&text), token));
	assert_int_equal(pairing_init(&again, x.path, &f), OK);
	assert_true(pairing_holds(&again, HERE, token));
	pairing_done(&again);
	fx_done(&x);
}

static void test_closed(void **state)
{
	struct fx x;
	struct fault f;
	char code[PAIRING_DIGITS + 1], token[PAIRING_TOKEN + 1];
	(void)state;
	fx_init(&x);
	for (int n = 1; n <= PAIRING_WRONG; n++) {
		if (n < PAIRING_WRONG)
			assert_int_equal(pairing_begin(&x.p, HERE, code, &f), OK); /* a new code is no new try */
		assert_int_equal(pairing_finish(&x.p, HERE, "12345x", token, &f), ERR_DENIED);
		assert_string_equal(f.rule, n < PAIRING_WRONG ? "pair_code" : "pair_closed");
	}
	assert_int_equal(pairing_finish(&x.p, HERE, code, token, &f), ERR_DENIED);
	assert_int_equal(pairing_begin(&x.p, HERE, code, &f), ERR_DENIED);
	assert_string_equal(f.rule, "pair_closed");
	x.p.closed_until_us = 1; /* ten minutes later */
	assert_int_equal(pairing_begin(&x.p, HERE, code, &f), OK);
	x.p.until_us = 1; /* five minutes later */
	assert_int_equal(pairing_finish(&x.p, HERE, code, token, &f), ERR_DENIED);
	fx_done(&x);
}

/* A page that asks and asks fills nobody's window; the person who types a code is heard again at once. */
static void test_often(void **state)
{
	struct fx x;
	struct fault f;
	char code[PAIRING_DIGITS + 1], last[PAIRING_DIGITS + 1], token[PAIRING_TOKEN + 1];
	(void)state;
	fx_init(&x);
	for (int n = 0; n < PAIRING_CODES; n++)
		assert_int_equal(pairing_begin(&x.p, n % 2 ? HERE : THERE, last, &f), OK);
	for (int n = 0; n < 3; n++) {
		assert_int_equal(pairing_begin(&x.p, HERE, code, &f), ERR_DENIED);
		assert_string_equal(f.rule, "pair_often");
	}
	assert_int_equal(pairing_finish(&x.p, HERE, last, token, &f), OK); /* the code that is shown is good still */
	for (int n = 0; n < PAIRING_CODES; n++)
		assert_int_equal(pairing_begin(&x.p, HERE, code, &f), OK);
	assert_int_equal(pairing_begin(&x.p, HERE, code, &f), ERR_DENIED);
	x.p.shown_since_us -= 600 * INT64_C(1000000); /* ten minutes later */
	assert_int_equal(pairing_begin(&x.p, HERE, code, &f), OK);
	fx_done(&x);
}

/* The oldest makes room. */
static void test_many(void **state)
{
	struct fx x;
	struct fault f;
	char code[PAIRING_DIGITS + 1], first[PAIRING_TOKEN + 1], token[PAIRING_TOKEN + 1];
	(void)state;
	fx_init(&x);
	for (int i = 0; i <= PAIRING_MAX; i++) {
		assert_int_equal(pairing_begin(&x.p, HERE, code, &f), OK);
		assert_int_equal(pairing_finish(&x.p, HERE, code, i == 0 ? first : token, &f), OK);
	}
	assert_int_equal(x.p.n, PAIRING_MAX);
	assert_false(pairing_holds(&x.p, HERE, first));
	assert_true(pairing_holds(&x.p, HERE, token));
	fx_done(&x);
}

static void test_file(void **state)
{
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const char *const bad[] = {"x\n",
					  HASH "\n",
					  HASH " \n",
					  HASH " " HERE,
					  HASH " *\n",
					  HASH "  " HERE "\n",
					  "0" HASH " " HERE "\n",
					  HASH " " HERE "\n\n",
					  HASH " " HERE " \n"};
	struct fx x;
	struct fault f;
	(void)state;
	fx_init(&x);
	_cleanup_(freep) char *path = path_join(x.dir, "file");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct pairing p = {0};
		assert_int_equal(file_write(path, slice_str(bad[i]), 0600, &f), OK);
		if (pairing_init(&p, path, &f) != ERR_PARSE)
			fail_msg("\"%s\" passed for a file of pairings", bad[i]);
		assert_string_equal(f.rule, "pairing_file");
		pairing_done(&p);
	}
	unlink(path);
	fx_done(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin), cmocka_unit_test(test_pair), cmocka_unit_test(test_closed),
		cmocka_unit_test(test_often),  cmocka_unit_test(test_many), cmocka_unit_test(test_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
