/*
 * Field lines: texts that are not lines, fields that are not the one asked for, and each value type's good and bad
 * spellings.
 */
#include "tests/unit/note_kit.h"

#include "common/base/clock.h"
#include "common/note/lines.h"

#define KIND "hufu/thing/v1"

static enum err begin(struct lines *l, const char *bytes, size_t n, struct fault *f)
{
	return lines_begin(l, "thing", KIND, slice_of(bytes, n), 5, f);
}

static void test_texts_that_are_none(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum err kind;
		const char *rule;
	} cases[] = {
		{"", 0, ERR_PARSE, "text_form"},
#define CASE(text, kind, rule) {text, sizeof(text) - 1, kind, rule}
		CASE("\n", ERR_PARSE, "text_form"),
		CASE(KIND, ERR_PARSE, "text_form"),
		CASE(KIND "\na: 1", ERR_PARSE, "text_form"),
		CASE(KIND "\n\na: 1\n", ERR_PARSE, "text_form"),
		CASE(KIND "\na: 1\n\n", ERR_PARSE, "text_form"),
		CASE("\n" KIND "\na: 1\n", ERR_PARSE, "text_form"),
		CASE(KIND "\r\na: 1\r\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \0\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na:\t1\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \x1b[2J\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \x7f\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \xc2\x85\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \u202e1\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \u20661\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \u200b1\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \ufeff1\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \u20281\n", ERR_PARSE, "text_character"),
		CASE("\xef\xbb\xbf" KIND "\na: 1\n", ERR_PARSE, "text_character"),
		CASE(KIND "\na: \xff\n", ERR_PARSE, "text_utf8"),
		CASE(KIND "\na: \xc0\xaf\n", ERR_PARSE, "text_utf8"),
		CASE(KIND "\na: \xed\xa0\x80\n", ERR_PARSE, "text_utf8"),
		CASE(KIND "\na: \xe6\x93\n", ERR_PARSE, "text_utf8"),
		CASE("hufu/thing/v2\na: 1\n", ERR_PARSE, "text_kind"),
		CASE("hufu/thing/v1 \na: 1\n", ERR_PARSE, "text_kind"),
		CASE("hufu/thing\na: 1\n", ERR_PARSE, "text_kind"),
		CASE(KIND "\na: 1\na: 2\na: 3\na: 4\na: 5\n", ERR_LIMIT, "text_lines"),
	};
	struct lines l;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = {0};

		check_refused(cases[i].bytes, begin(&l, cases[i].bytes, cases[i].n, &f), &f, cases[i].kind,
			      cases[i].rule);
	}
}

static void test_a_text_too_large(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	struct lines l;
	struct fault f = {0};

	(void)state;
	buf_str(&b, KIND "\na: ");
	while (b.len < NOTE_MAX_BYTES - 1)
		buf_char(&b, 'x');
	buf_char(&b, '\n');
	check_ok("at the limit", begin(&l, buf_text(&b), b.len, &f), &f);
	b.data[b.len - 1] = 'x';
	buf_char(&b, '\n');
	check_refused("above it", begin(&l, buf_text(&b), b.len, &f), &f, ERR_LIMIT, "text_size");
}

static void test_fields_in_order(void **state)
{
	static const char text[] = KIND "\na: one\nb: two: three\nc: 擎洲\n";
	struct lines l;
	struct slice v;
	struct fault f = {0};

	(void)state;
	check_ok("begin", begin(&l, text, sizeof(text) - 1, &f), &f);
	assert_true(lines_next_is(&l, "a"));
	assert_false(lines_next_is(&l, "aa"));
	assert_false(lines_next_is(&l, "b"));
	check_refused("b before a", lines_get(&l, "b", &v, &f), &f, ERR_PARSE, "field_order");
	assert_string_equal(f.where, "thing.b");
	assert_non_null(strstr(f.text, "line 2"));
	assert_non_null(strstr(f.text, "\"a\""));
	check_ok("a", lines_get(&l, "a", &v, &f), &f);
	assert_true(slice_eq(v, slice_str("one")));
	check_refused("not the end", lines_end(&l, &f), &f, ERR_PARSE, "field_extra");
	check_ok("b", lines_get(&l, "b", &v, &f), &f);
	assert_true(slice_eq(v, slice_str("two: three")));
	check_ok("c", lines_get(&l, "c", &v, &f), &f);
	check_ok("end", lines_end(&l, &f), &f);
	assert_false(lines_next_is(&l, "d"));
	check_refused("d", lines_get(&l, "d", &v, &f), &f, ERR_PARSE, "field_missing");
}

static void test_lines_that_are_no_field(void **state)
{
	static const struct {
		const char *line, *rule;
	} cases[] = {
		{"a", "field_form"},	  {"a:", "field_form"},	  {"a:1", "field_form"},   {"a: ", "field_value"},
		{" a: 1", "field_order"}, {": 1", "field_order"}, {"A: 1", "field_order"}, {"a : 1", "field_order"},
	};
	struct lines l;
	struct slice v;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *text = xasprintf(KIND "\n%s\n", cases[i].line);
		struct fault f = {0};

		check_ok(text, begin(&l, text, strlen(text), &f), &f);
		check_refused(text, lines_get(&l, "a", &v, &f), &f, ERR_PARSE, cases[i].rule);
	}
}

enum value { V_TIME, V_TIME_OR_NONE, V_U64, V_HEX, V_HEX_OR_NONE, V_WORD };

static enum err read_value(enum value type, struct lines *l, struct fault *f)
{
	int64_t t;
	uint64_t u;
	uint8_t hex[2];
	char word[9];
	bool has;

	switch (type) {
	case V_TIME:
		return lines_time(l, "a", &t, f);
	case V_TIME_OR_NONE:
		return lines_time_or_none(l, "a", &t, f);
	case V_U64:
		return lines_u64(l, "a", 1000, &u, f);
	case V_HEX:
		return lines_hex(l, "a", hex, 2, f);
	case V_HEX_OR_NONE:
		return lines_hex_or_none(l, "a", &has, hex, 2, f);
	case V_WORD:
		return lines_word(l, "a", word, sizeof(word), f);
	}
	return ERR_INTERNAL;
}

static void test_values(void **state)
{
	static const struct {
		enum value type;
		bool good;
		const char *text;
	} cases[] = {
		{V_TIME, true, "2026-11-23T00:00:00Z"},
		{V_TIME, true, "2024-02-29T23:59:59Z"},
		{V_TIME, true, "9999-12-31T23:59:59Z"},
		{V_TIME, false, "2026-02-29T00:00:00Z"},
		{V_TIME, false, "2026-11-23T24:00:00Z"},
		{V_TIME, false, "2026-11-23T23:59:60Z"},
		{V_TIME, false, "2026-11-23 00:00:00Z"},
		{V_TIME, false, "2026-11-23t00:00:00z"},
		{V_TIME, false, "2026-11-23T00:00:00"},
		{V_TIME, false, "2026-11-23T00:00:00+00:00"},
		{V_TIME, false, "2026-11-23T00:00:00.0Z"},
		{V_TIME, false, "2026-11-23T00:00Z"},
		{V_TIME, false, "2026-11-23T00:00:00Z "},
		{V_TIME, false, "1970-01-01T00:00:00Z"},
		{V_TIME, false, "1969-12-31T23:59:59Z"},
		{V_TIME, false, "12026-11-23T00:00:00Z"},
		{V_TIME, false, "none"},
		{V_TIME_OR_NONE, true, "none"},
		{V_TIME_OR_NONE, true, "2026-11-23T00:00:00Z"},
		{V_TIME_OR_NONE, false, "None"},
		{V_TIME_OR_NONE, false, "1970-01-01T00:00:00Z"},
		{V_U64, true, "0"},
		{V_U64, true, "1000"},
		{V_U64, false, "1001"},
		{V_U64, false, "01"},
		{V_U64, false, "+1"},
		{V_U64, false, "-1"},
		{V_U64, false, " 1"},
		{V_U64, false, "1 "},
		{V_U64, false, "0x1"},
		{V_U64, false, "1e2"},
		{V_U64, false, "18446744073709551617"},
		{V_U64, false, "１"},
		{V_HEX, true, "00ff"},
		{V_HEX, false, "00FF"},
		{V_HEX, false, "00fF"},
		{V_HEX, false, "00f"},
		{V_HEX, false, "00ff00"},
		{V_HEX, false, "0x00"},
		{V_HEX, false, "00 f"},
		{V_HEX, false, "none"},
		{V_HEX_OR_NONE, true, "none"},
		{V_HEX_OR_NONE, true, "00ff"},
		{V_HEX_OR_NONE, false, "NONE"},
		{V_HEX_OR_NONE, false, "00Ff"},
		{V_WORD, true, "a"},
		{V_WORD, true, "abc-12-x"},
		{V_WORD, false, "abc-12-xy"},
		{V_WORD, false, "1a"},
		{V_WORD, false, "-a"},
		{V_WORD, false, "Ab"},
		{V_WORD, false, "a_b"},
		{V_WORD, false, "a b"},
		{V_WORD, false, "é"},
	};
	struct lines l;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *text = xasprintf(KIND "\na: %s\n", cases[i].text);
		struct fault f = {0};
		enum err e;

		check_ok(text, begin(&l, text, strlen(text), &f), &f);
		e = read_value(cases[i].type, &l, &f);
		if (cases[i].good)
			check_ok(text, e, &f);
		else
			check_refused(text, e, &f, ERR_PARSE, "field_value");
	}
}

static void test_messages_escape_what_was_found(void **state)
{
	static const char text[] = KIND "\na: 1\u00e9\"\n";
	struct lines l;
	uint64_t u;
	struct fault f = {0};

	(void)state;
	check_ok("begin", begin(&l, text, sizeof(text) - 1, &f), &f);
	check_refused("a", lines_u64(&l, "a", 7, &u, &f), &f, ERR_PARSE, "field_value");
	assert_string_equal(f.where, "thing.a");
	assert_non_null(strstr(f.text, "line 2"));
	assert_non_null(strstr(f.text, "at most 7"));
	assert_int_equal(lines_begin(&l, "thing", "other", slice_str(text), 5, NULL), ERR_PARSE);
}

static void test_split(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		bool rest_last, good;
		const char *last;
	} cases[] = {
		{"a", 1, false, true, "a"},	 {"a b", 2, false, true, "b"},	    {"a b c", 2, true, true, "b c"},
		{"a b c", 3, false, true, "c"},	 {"a b  c", 2, true, true, "b  c"}, {"a b ", 2, true, true, "b "},
		{"", 1, false, false, NULL},	 {"a", 2, false, false, NULL},	    {"a b c", 2, false, false, NULL},
		{"a  b", 2, false, false, NULL}, {" a b", 2, false, false, NULL},   {"a ", 2, false, false, NULL},
		{"a ", 2, true, false, NULL},	 {"a  b", 2, true, false, NULL},    {"a b ", 2, false, false, NULL},
		{"a", 2, true, false, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice part[3];
		bool good = slice_split(slice_str(cases[i].text), part, cases[i].n, cases[i].rest_last);

		if (good != cases[i].good || (good && !slice_eq(part[cases[i].n - 1], slice_str(cases[i].last))))
			fail_msg("\"%s\" in %zu parts", cases[i].text, cases[i].n);
	}
}

static void test_written_again(void **state)
{
	static const uint8_t bytes[2] = {0xab, 0x01};
	_cleanup_buf_ struct buf b = {0};
	struct fault f = {0};

	(void)state;
	buf_str(&b, KIND "\n");
	lines_put(&b, "a", "x");
	lines_put_u64(&b, "b", 18446744073709551615u);
	lines_put_time(&b, "c", 1795392000);
	lines_put_hex(&b, "d", bytes, 2);
	lines_put_hex_or_none(&b, "e", false, bytes, 2);
	assert_string_equal(buf_text(&b),
			    KIND "\na: x\nb: 18446744073709551615\nc: 2026-11-23T00:00:00Z\nd: ab01\ne: none\n");
	check_ok("same", lines_same("thing", slice_of(b.data, b.len), &b, &f), &f);
	check_refused("shorter", lines_same("thing", slice_of(b.data, b.len - 1), &b, &f), &f, ERR_PARSE,
		      "not_canonical");
	check_refused("other", lines_same("thing", slice_str(KIND "\na: y\n"), &b, &f), &f, ERR_PARSE, "not_canonical");
	assert_non_null(strstr(f.text, "line 2"));
	check_refused("empty", lines_same("thing", slice_of(NULL, 0), &b, &f), &f, ERR_PARSE, "not_canonical");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_that_are_none),
		cmocka_unit_test(test_a_text_too_large),
		cmocka_unit_test(test_fields_in_order),
		cmocka_unit_test(test_lines_that_are_no_field),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_messages_escape_what_was_found),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_written_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
