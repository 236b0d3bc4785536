/*
 * Transcripts and orders of ceremonies as text: the good one comes back byte for byte, each malformed line is refused, times do not go
 * back, and a hash is shown in groups.
 */
#include "tests/unit/note_kit.h"

#include "common/note/transcript.h"

#define HEX40 "1f00000000000000000000000000000000000000"
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static char *vkey(const char *name, uint8_t seed)
{
	struct buf b = {0};
	struct keypair k = keypair_of(seed);
	note_vkey_put(name, k.public_key, &b);
	return buf_take(&b, NULL);
}

/* Gives: free(). */
static char *good_text(void)
{
	_cleanup_(freep) char *operator= vkey("operator", 1), *walter = vkey("walter", 2);
	return xasprintf(
		"hufu/transcript/v1\nceremony: issuing\nkind: intermediate\nmode: run\nversion: hufu-ca 0.1.0\n"
		"library: OpenSSL 3.0\nprogram: " HEX64 "\nfile: " HEX64 "\noperator: %s\nwitness: %s\n"
		"begun: 2026-11-23T00:00:00Z\ninput: issuer " HEX64 " root.crt\n"
		"prompt: 2026-11-23T00:00:00Z yes walter is here\nprompt: 2026-11-23T00:00:01Z given a passphrase\n"
		"step: 2026-11-23T00:00:02Z key made\ntoken: 2026-11-23T00:00:02Z serial 0123\n"
		"output: key " HEX64 " a path with spaces\nended: 2026-11-23T00:00:03Z\n",
		operator, walter);
}

static enum err read_text(const char *text, struct buf *again, struct fault *f)
{
	struct transcript *t = xcalloc(1, sizeof(*t));
	enum err e = transcript_parse(slice_str(text), t, f);
	if (e == OK)
		transcript_put(t, again);
	transcript_done(t);
	free(t);
	return e;
}

static void test_good(void **state)
{
	_cleanup_(freep) char *text = good_text();
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	(void)state;
	check_ok("transcript", read_text(text, &again, &f), &f);
	assert_string_equal(buf_text(&again), text);
}

static const struct {
	const char *what, *find, *with, *rule;
} bad[] = {
	{"another kind", "transcript/v1", "transcript/v2", "text_kind"},
	{"a mode of its own", "mode: run", "mode: try", "field_value"},
	{"no version", "version: hufu-ca 0.1.0\n", "", "field_order"},
	{"a hash that is short", "program: 00", "program: ", "field_value"},
	{"a hash in capitals", "file: 00112233445566778899aabbccddeeff", "file: 00112233445566778899AABBCCDDEEFF",
	 "field_value"},
	{"an operator without a key", "operator: operator+", "operator: operator-", "field_value"},
	{"an operator under another name", "operator: operator+", "operator: mallory+", "field_value"},
	{"an answer that says more", "yes walter", "maybe walter", "field_value"},
	{"a step without a time", "step: 2026-11-23T00:00:02Z", "step: later", "field_value"},
	{"a step behind the outputs", "ended:", "step: 2026-11-23T00:00:03Z more\nended:", "field_order"},
	{"a step before the beginning", "step: 2026-11-23T00:00:02Z", "step: 2026-11-22T00:00:02Z", "transcript_times"},
	{"an end before the beginning", "ended: 2026-11-23T00:00:03Z", "ended: 2026-11-22T00:00:03Z",
	 "transcript_times"},
	{"an input without a hash", "input: issuer " HEX64, "input: issuer", "field_value"},
	{"no output", "output: key " HEX64 " a path with spaces\n", "", "transcript_outputs"},
	{"a line behind the end", "ended: 2026-11-23T00:00:03Z\n", "ended: 2026-11-23T00:00:03Z\nmore: of it\n",
	 "field_extra"},
	{"a line that turns around", "key made", "key \u202emade", "text_character"},
};

static void test_bad(void **state)
{
	_cleanup_(freep) char *text = good_text();
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_(freep) char *other = edited(text, bad[i].find, bad[i].with);
		_cleanup_buf_ struct buf again = {0};
		struct fault f = {0};
		check_refused(bad[i].what, read_text(other, &again, &f), &f, ERR_PARSE, bad[i].rule);
	}
}

/* More lines than a transcript may have are refused before they are kept. */
static void test_too_long(void **state)
{
	static const char step[] = "step: 2026-11-23T00:00:02Z key made\n";
	_cleanup_(freep) char *text = good_text();
	_cleanup_buf_ struct buf longer = {0}, again = {0};
	char *at = strstr(text, step);
	struct fault f = {0};
	(void)state;
	buf_add(&longer, text, (size_t)(at - text));
	for (size_t i = 0; i < TRANSCRIPT_MAX_LINES; i++)
		buf_str(&longer, step);
	buf_str(&longer, at);
	check_refused("too long", read_text(buf_text(&longer), &again, &f), &f, ERR_LIMIT, "transcript_lines");
}

/* What a person typed cannot begin a line of its own. */
static void test_a_line_stays_one(void **state)
{
	struct transcript *t = xcalloc(1, sizeof(*t));
	(void)state;
	transcript_add(t, TRANSCRIPT_STEP, 1, NULL, "one\noutput: key x");
	assert_null(strchr(t->lines[0].text, '\n'));
	transcript_add(t, TRANSCRIPT_STEP, 0, NULL, "after the clock was set back");
	assert_int_equal(t->lines[1].when, 1);
	transcript_done(t);
	free(t);
}

static void test_hash_aloud(void **state)
{
	uint8_t hash[32];
	_cleanup_buf_ struct buf said = {0};
	(void)state;
	for (size_t i = 0; i < 32; i++)
		hash[i] = (uint8_t)(i * 8);
	hash_aloud(hash, "  ", &said);
	assert_string_equal(buf_text(&said), "0008 1018 2028 3038 4048 5058 6068 7078\n"
					     "  8088 9098 a0a8 b0b8 c0c8 d0d8 e0e8 f0f8");
}

static const char order_text[] = "hufu/ceremony/v1\nca: " HEX40 "\nceremony: roll\nkind: rollover\nfile: " HEX64
				 "\nmade: 2026-11-23T00:00:00Z\n";

static void test_order(void **state)
{
	static const char *const wrong[][2] = {
		{"ca: 1f", "ca: zz"}, {"kind: rollover\n", ""}, {"made: 2026", "made: never"}, {"file: 00", "file: 0"}};
	struct ceremony_order o;
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	(void)state;
	check_ok("order", ceremony_order_parse(slice_str(order_text), &o, &f), &f);
	ceremony_order_put(&o, &again);
	assert_string_equal(buf_text(&again), order_text);
	for (size_t i = 0; i < 4; i++) {
		_cleanup_(freep) char *other = edited(order_text, wrong[i][0], wrong[i][1]);
		assert_int_equal(ceremony_order_parse(slice_str(other), &o, &f), ERR_PARSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	   cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_long),   cmocka_unit_test(test_a_line_stays_one),
		cmocka_unit_test(test_hash_aloud), cmocka_unit_test(test_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
