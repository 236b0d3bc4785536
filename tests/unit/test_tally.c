/*
 * Tallies: each kind's field table against an independent one, each field's good and bad values, subject differences in
 * their one form, and the property that whatever is accepted is written again as it was read.
 */
#include "tests/unit/note_kit.h"

#include "common/note/tally.h"

#define HEX32 "5d0c1122334455667788990011223344"
#define HEX40 "1f00000000000000000000000000000000000000"
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEX64B "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* The fields in their order, with a value each; those that depend on the kind are in sample(). */
static const char *const fields[][2] = {
	{"kind", NULL},
	{"id", HEX32},
	{"ca", HEX40},
	{"project", "jinhua"},
	{"profile", NULL},
	{"issuer", HEX40},
	{"way", "name-or-code"},
	{"policy", HEX64},
	{"predecessor", HEX40 " 74C2008800000AE9"},
	{"subject", NULL},
	{"key", NULL},
	{"validity", "add 36 months"},
	{"latest", "2030-10-26T04:25:04Z"},
	{"order", "20353-A.1"},
	{"material", "business-licence " HEX64},
	{"notice", "2026.1 " HEX64},
	{"encrypted-files", "no"},
	{"key-seen", "paper"},
	{"collides", HEX40 " 01"},
	{"reason", "keyCompromise"},
	{"target", HEX32},
	{"hold", "17"},
	{"made", "2026-11-23T00:00:00Z"},
	{"dies", "2026-11-24T00:00:00Z"},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* What each kind must and may have besides kind, id, ca, made and dies. */
static const struct {
	const char *must, *may;
} table[TALLY_KIND_N] = {
	[TALLY_EXTEND] = {"project profile way policy predecessor subject key validity latest",
			  "order material notice encrypted-files"},
	[TALLY_CHANGE] = {"project profile way policy predecessor subject key validity latest",
			  "order material notice encrypted-files collides"},
	[TALLY_ENROL] = {"project profile way policy subject key validity latest key-seen",
			 "order material notice encrypted-files collides"},
	[TALLY_REISSUE] =
		{"project profile way policy predecessor subject key validity latest encrypted-files key-seen reason",
		 "order material notice"},
	[TALLY_REVOKE] = {"project profile way policy predecessor reason", ""},
	[TALLY_HOLD] = {"project profile policy predecessor", ""},
	[TALLY_RELEASE] = {"project profile way policy predecessor hold", ""},
	[TALLY_WITHDRAW] = {"target", "predecessor"},
	[TALLY_RESPONDER] = {"profile key", "issuer"},
};
#define ALWAYS "kind id ca made dies"

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = strstr(list, word); p != NULL; p = strstr(p + 1, word)) {
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	}
	return false;
}

static void sample(enum tally_kind kind, size_t field, struct buf *b)
{
	const char *word = fields[field][0];
	bool new_key = kind == TALLY_ENROL || kind == TALLY_REISSUE || kind == TALLY_RESPONDER;

	if (strcmp(word, "kind") == 0)
		buf_fmt(b, "kind: %s\n", tally_kind_word(kind));
	else if (strcmp(word, "profile") == 0)
		buf_fmt(b, "profile: %s\n", kind == TALLY_RESPONDER ? "responder" : "organisation");
	else if (strcmp(word, "key") == 0)
		buf_fmt(b, "key: %s " HEX64 "\n", new_key ? "new" : "same");
	else if (strcmp(word, "subject") != 0)
		buf_fmt(b, "%s: %s\n", word, fields[field][1]);
	else if (kind == TALLY_CHANGE)
		buf_str(b, "subject: = C CN\nsubject: - O 擎洲测试投标人6\nsubject: + O 擎洲\n");
	else
		buf_fmt(b, "subject: %c C CN\nsubject: %c O 擎洲测试投标人6\n", kind == TALLY_ENROL ? '+' : '=',
			kind == TALLY_ENROL ? '+' : '=');
}

/* A text of that kind: all fields that it must have, may have too when full, without `without`, with `with`. Gives:
 * free(). */
static char *text_of(enum tally_kind kind, bool full, const char *without, const char *with)
{
	_cleanup_buf_ struct buf b = {0};

	buf_str(&b, TALLY_KIND_LINE "\n");
	for (size_t i = 0; i < N_FIELDS; i++) {
		const char *word = fields[i][0];
		bool in = has_word(ALWAYS, word) || has_word(table[kind].must, word) ||
			  (full && has_word(table[kind].may, word)) || strcmp(with, word) == 0;

		if (in && strcmp(without, word) != 0)
			sample(kind, i, &b);
	}
	return buf_take(&b, NULL);
}

static void check_round_trip(const char *text)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};

	check_ok(text, tally_parse(slice_str(text), &t, &f), &f);
	tally_put(&t, &again);
	assert_string_equal(buf_text(&again), text);
}

static void test_each_kind(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < TALLY_KIND_N; kind++) {
		_cleanup_(freep) char *least = text_of((enum tally_kind)kind, false, "", "");
		_cleanup_(freep) char *full = text_of((enum tally_kind)kind, true, "", "");

		check_round_trip(least);
		check_round_trip(full);
	}
}

/* Every kind with every field taken away and put in. */
static void test_presence(void **state)
{
	(void)state;
	for (size_t k = 0; k < TALLY_KIND_N; k++) {
		enum tally_kind kind = (enum tally_kind)k;

		for (size_t i = 0; i < N_FIELDS; i++) {
			const char *word = fields[i][0];
			bool must = has_word(ALWAYS, word) || has_word(table[kind].must, word);
			bool may = has_word(table[kind].may, word);
			_cleanup_(freep) char *less = text_of(kind, true, word, "");
			_cleanup_(freep) char *more = text_of(kind, false, "", word);
			_cleanup_(tally_done) struct tally a = {0}, b = {0};
			struct fault f = {0};

			if (must)
				check_refused(less, tally_parse(slice_str(less), &a, &f), &f, ERR_PARSE,
					      strcmp(word, "dies") == 0 ? "field_missing" : "field_order");
			else
				check_round_trip(less);
			if (must || may)
				check_round_trip(more);
			else
				check_refused(more, tally_parse(slice_str(more), &b, &f), &f, ERR_PARSE,
					      "field_forbidden");
		}
	}
}

/* Lines doubled, swapped, cut off: never another reading of the same words. */
static void test_lines_moved(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < TALLY_KIND_N; kind++) {
		_cleanup_(freep) char *text = text_of((enum tally_kind)kind, true, "", "");

		for (char *line = text, *end; *line != '\0'; line = end) {
			_cleanup_(freep) char *twice = NULL, *swapped = NULL, *cut = NULL;
			int n, n2;

			end = strchr(line, '\n') + 1;
			n = (int)(end - line);
			n2 = *end != '\0' ? (int)(strchr(end, '\n') + 1 - end) : 0;
			if (strncmp(line, "subject", 7) == 0)
				continue;
			twice = xasprintf("%.*s%s", (int)(end - text), text, line);
			assert_int_equal(tally_parse(slice_str(twice), &(struct tally){0}, NULL), ERR_PARSE);
			swapped = xasprintf("%.*s%.*s%.*s%s", (int)(line - text), text, n2, end, n, line, end + n2);
			assert_true(n2 == 0 || tally_parse(slice_str(swapped), &(struct tally){0}, NULL) == ERR_PARSE);
			cut = xasprintf("%.*s", (int)(line - text), text);
			assert_int_equal(tally_parse(slice_str(cut), &(struct tally){0}, NULL), ERR_PARSE);
		}
	}
}

struct edit {
	enum tally_kind kind;
	const char *find, *with, *rule; /* rule NULL: the edited text is good */
};

static void check_edits(const struct edit *edits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *text = text_of(edits[i].kind, true, "", "");
		_cleanup_(freep) char *other = edited(text, edits[i].find, edits[i].with);
		_cleanup_(tally_done) struct tally t = {0};
		struct fault f = {0};
		enum err e;

		if (edits[i].rule == NULL) {
			check_round_trip(other);
			continue;
		}
		e = tally_parse(slice_str(other), &t, &f);
		check_refused(other, e, &f, ERR_PARSE, edits[i].rule);
		assert_null(t.subject);
		assert_null(t.materials);
	}
}

static const struct edit value_edits[] = {
	{TALLY_EXTEND, "tally/v1", "tally/v2", "text_kind"},
	{TALLY_EXTEND, "kind: extend", "kind: Extend", "field_value"},
	{TALLY_EXTEND, "kind: extend", "kind: mint", "field_value"},
	{TALLY_EXTEND, "kind: extend", "kind: extend ", "field_value"},
	{TALLY_EXTEND, "kind: extend", "kind:  extend", "field_value"},
	{TALLY_EXTEND, "id: 5d0c", "id: 5D0C", "field_value"},
	{TALLY_EXTEND, "id: 5d0c", "id: 5d0", "field_value"},
	{TALLY_EXTEND, "ca: 1f", "ca: 1f1f", "field_value"},
	{TALLY_EXTEND, "project: jinhua", "project: 金华", "field_value"},
	{TALLY_EXTEND, "project: jinhua", "project: jinhua,yiwu", "field_value"},
	{TALLY_EXTEND, "profile: organisation", "profile: responder", "field_value"},
	{TALLY_RESPONDER, "profile: responder", "profile: organisation", "field_value"},
	{TALLY_EXTEND, "policy: 00", "policy: none00", "field_value"},
	{TALLY_EXTEND, "74C2008800000AE9", "01", NULL},
	{TALLY_EXTEND, "74C2008800000AE9", "FF02030405060708090A0B0C0D0E0F1011121314", NULL},
	{TALLY_EXTEND, "74C2008800000AE9", "0102030405060708090A0B0C0D0E0F101112131415", "field_value"},
	{TALLY_EXTEND, "74C2008800000AE9", "74c2008800000ae9", "field_value"},
	{TALLY_EXTEND, "74C2008800000AE9", "0074C2008800000AE9", "field_value"},
	{TALLY_EXTEND, "74C2008800000AE9", "4C2008800000AE9", "field_value"},
	{TALLY_EXTEND, "74C2008800000AE9", "00", "field_value"},
	{TALLY_EXTEND, "74C2008800000AE9", "-1", "field_value"},
	{TALLY_EXTEND, "74C2008800000AE9", "74:C2", "field_value"},
	{TALLY_EXTEND, " 74C2008800000AE9", "", "field_value"},
	{TALLY_EXTEND, " 74C2008800000AE9", "  74C2008800000AE9", "field_value"},
	{TALLY_EXTEND, " 74C2008800000AE9", " 74C2008800000AE9 01", "field_value"},
	{TALLY_EXTEND, "predecessor: 1f", "predecessor: 1F", "field_value"},
	{TALLY_EXTEND, "key: same", "key: new", NULL},
	{TALLY_EXTEND, "key: same", "key: Same", "field_value"},
	{TALLY_EXTEND, "key: same ", "key: ", "field_value"},
	{TALLY_EXTEND, "key: same 00", "key: same 0", "field_value"},
	{TALLY_ENROL, "key: new", "key: same", "field_value"},
	{TALLY_REISSUE, "key: new", "key: same", "field_value"},
	{TALLY_RESPONDER, "key: new", "key: same", "field_value"},
	{TALLY_CHANGE, "key: same", "key: new", NULL},
	{TALLY_CHANGE, "add 36 months", "keep", NULL},
	{TALLY_REISSUE, "add 36 months", "keep", NULL},
	{TALLY_EXTEND, "add 36 months", "add 1200 months", NULL},
	{TALLY_EXTEND, "add 36 months", "keep", "field_value"},
	{TALLY_ENROL, "add 36 months", "keep", "field_value"},
	{TALLY_CHANGE, "add 36 months", "keep ", "field_value"},
	{TALLY_EXTEND, "add 36 months", "add 0 months", "field_value"},
	{TALLY_EXTEND, "add 36 months", "add 036 months", "field_value"},
	{TALLY_EXTEND, "add 36 months", "add -1 months", "field_value"},
	{TALLY_EXTEND, "add 36 months", "add 1201 months", "field_value"},
	{TALLY_EXTEND, "add 36 months", "add 36 years", "field_value"},
	{TALLY_EXTEND, "add 36 months", "add 36", "field_value"},
	{TALLY_EXTEND, "add 36 months", "add 36 months more", "field_value"},
	{TALLY_EXTEND, "latest: 2030-10-26T04:25:04Z", "latest: 2030-10-26", "field_value"},
	{TALLY_EXTEND, "latest: 2030-10-26T04:25:04Z", "latest: 1970-01-01T00:00:00Z", "field_value"},
	{TALLY_EXTEND, "20353-A.1", "abcdefghij_abcdefghij_abcdefghij_abcdefghij_abc", NULL},
	{TALLY_EXTEND, "20353-A.1", "abcdefghij_abcdefghij_abcdefghij_abcdefghij_abcd", "field_value"},
	{TALLY_EXTEND, "20353-A.1", "-20353", "field_value"},
	{TALLY_EXTEND, "20353-A.1", "20353 20354", "field_value"},
	{TALLY_EXTEND, "20353-A.1", "20353/../1", "field_value"},
	{TALLY_EXTEND, "20353-A.1", "", "field_value"},
	{TALLY_EXTEND, "notice: 2026.1 00", "notice: 00", "field_value"},
	{TALLY_EXTEND, "notice: 2026.1 00", "notice: 2026/1 00", "field_value"},
	{TALLY_EXTEND, "encrypted-files: no", "encrypted-files: yes", NULL},
	{TALLY_EXTEND, "encrypted-files: no", "encrypted-files: waived", NULL},
	{TALLY_EXTEND, "encrypted-files: no", "encrypted-files: unsaid", "field_value"},
	{TALLY_ENROL, "key-seen: paper", "key-seen: token", NULL},
	{TALLY_ENROL, "key-seen: paper", "key-seen: call", NULL},
	{TALLY_ENROL, "key-seen: paper", "key-seen: person", NULL},
	{TALLY_ENROL, "key-seen: paper", "key-seen: scan", "field_value"},
	{TALLY_ENROL, "collides: " HEX40 " 01", "collides: none", "field_value"},
	{TALLY_REISSUE, "keyCompromise", "superseded", NULL},
	{TALLY_REISSUE, "keyCompromise", "affiliationChanged", "field_value"},
	{TALLY_REVOKE, "keyCompromise", "affiliationChanged", NULL},
	{TALLY_REVOKE, "keyCompromise", "unspecified", NULL},
	{TALLY_REVOKE, "keyCompromise", "keycompromise", "field_value"},
	{TALLY_REVOKE, "keyCompromise", "certificateHold", "field_value"},
	{TALLY_REVOKE, "keyCompromise", "removeFromCRL", "field_value"},
	{TALLY_REVOKE, "keyCompromise", "1", "field_value"},
	{TALLY_REVOKE, "keyCompromise", "keyCompromise\xc2\xa0", "field_value"},
	{TALLY_WITHDRAW, "target: 5d", "target: 5D", "field_value"},
	{TALLY_RELEASE, "hold: 17", "hold: 0", NULL},
	{TALLY_RELEASE, "hold: 17", "hold: 9223372036854775807", NULL},
	{TALLY_RELEASE, "hold: 17", "hold: 9223372036854775808", "field_value"},
	{TALLY_RELEASE, "hold: 17", "hold: 0x11", "field_value"},
	{TALLY_EXTEND, "dies: 2026-11-24", "dies: 2026-11-23", "tally_window"},
	{TALLY_EXTEND, "dies: 2026-11-24", "dies: 2026-11-22", "tally_window"},
	{TALLY_EXTEND, "dies: 2026-11-24T00:00:00Z", "dies: 2026-11-24T08:00:00+08:00", "field_value"},
	{TALLY_EXTEND, "dies: 2026-11-24T00:00:00Z\n", "dies: 2026-11-24T00:00:00Z\npair: x\n", "field_extra"},
	{TALLY_EXTEND, "made: 2026", "note: x\nmade: 2026", "field_order"},
	{TALLY_EXTEND, "made: 2026", "\u2014 alice AAAAAAA=\nmade: 2026", "field_form"},
	{TALLY_EXTEND, "project: jinhua\n", "project: jinhua\r\n", "text_character"},
	{TALLY_EXTEND, "project: jinhua\n", "project: jinhua\n\n", "text_form"},
};

static void test_field_values(void **state)
{
	(void)state;
	check_edits(value_edits, sizeof(value_edits) / sizeof(value_edits[0]));
}

#define MAT(name, hash) "material: " name " " hash "\n"
static void test_materials(void **state)
{
	static const char first[] = MAT("business-licence", HEX64);
	static const struct edit edits[] = {
		{TALLY_EXTEND, first, MAT("a", HEX64) MAT("b", HEX64), NULL},
		{TALLY_EXTEND, first, MAT("a", HEX64) MAT("a", HEX64B), NULL},
		{TALLY_EXTEND, first, MAT("a", HEX64) MAT("a-b", HEX64) MAT("ab", HEX64), NULL},
		{TALLY_EXTEND, first, MAT("a", HEX64B) MAT("a", HEX64), "field_value"},
		{TALLY_EXTEND, first, MAT("a", HEX64) MAT("a", HEX64), "field_value"},
		{TALLY_EXTEND, first, MAT("b", HEX64) MAT("a", HEX64B), "field_value"},
		{TALLY_EXTEND, first, MAT("a.pdf", HEX64), "field_value"},
		{TALLY_EXTEND, first, MAT("A", HEX64), "field_value"},
		{TALLY_EXTEND, first, MAT("a", HEX64 "00"), "field_value"},
		{TALLY_EXTEND, first, MAT("a", "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"),
		 "field_value"},
		{TALLY_EXTEND, first, "material: a\n", "field_value"},
	};
	_cleanup_(freep) char *text = text_of(TALLY_EXTEND, true, "", "");
	_cleanup_buf_ struct buf many = {0};
	_cleanup_(freep) char *good = NULL, *bad = NULL;
	struct tally t = {0};
	struct fault f = {0};

	(void)state;
	check_edits(edits, sizeof(edits) / sizeof(edits[0]));
	for (unsigned i = 0; i < TALLY_MAX_MATERIALS; i++)
		buf_fmt(&many, "material: m%02u " HEX64 "\n", i);
	good = edited(text, first, buf_text(&many));
	check_round_trip(good);
	buf_str(&many, MAT("n", HEX64));
	bad = edited(text, first, buf_text(&many));
	check_refused("33", tally_parse(slice_str(bad), &t, &f), &f, ERR_LIMIT, "materials");
}

#define S(mark, rest) "subject: " mark " " rest "\n"
#define CHANGE S("=", "C CN") S("-", "O 擎洲测试投标人6") S("+", "O 擎洲")
#define O_LINE S("=", "O 擎洲测试投标人6")

static void test_subjects(void **state)
{
	static const struct edit edits[] = {
		{TALLY_CHANGE, CHANGE, S("=", "C CN"), NULL}, /* an empty change is the signer's to refuse */
		{TALLY_CHANGE, CHANGE, S("=", "C CN") S("+", "O 擎洲"), NULL},
		{TALLY_CHANGE, CHANGE, S("=", "C CN") S("-", "O 擎洲"), NULL},
		{TALLY_CHANGE, CHANGE, S("-", "O a") S("+", "O b") S("-", "CN a") S("+", "CN b"), NULL},
		{TALLY_CHANGE, CHANGE, S("=", "O a") S("-", "OU x") S("=", "CN a") S("+", "L y"), NULL},
		{TALLY_CHANGE, CHANGE, S("=", "O a b  c"), NULL},
		{TALLY_CHANGE, CHANGE, S("=", "C CN") S("+", "O b") S("-", "O a"), "subject_difference"},
		{TALLY_CHANGE, CHANGE, S("-", "O a") S("+", "O a"), "subject_difference"},
		{TALLY_CHANGE, CHANGE, S("=", "C CN") S("-", "O a") S("+", "O a"), "subject_difference"},
		{TALLY_CHANGE, CHANGE, S("-", "O a") S("-", "CN a") S("+", "O b") S("+", "CN b"), "subject_difference"},
		{TALLY_CHANGE, CHANGE, S("+", "L y") S("-", "OU x"), "subject_difference"},
		{TALLY_CHANGE, CHANGE, S("+", "O a"), "subject_empty"},
		{TALLY_CHANGE, CHANGE, S("-", "O a"), "subject_empty"},
		{TALLY_CHANGE, CHANGE, S("~", "O a"), "field_value"},
		{TALLY_CHANGE, CHANGE, S("=-", "O a"), "field_value"},
		{TALLY_CHANGE, CHANGE, S("=", "o a"), "field_value"},
		{TALLY_CHANGE, CHANGE, S("=", "2.5.4.10 a"), "field_value"},
		{TALLY_CHANGE, CHANGE, S("=", "O"), "field_value"},
		{TALLY_CHANGE, CHANGE, "subject: =  O a\n", "field_value"},
		{TALLY_EXTEND, O_LINE, S("-", "O a"), "field_value"},
		{TALLY_EXTEND, O_LINE, S("+", "O a"), "field_value"},
		{TALLY_EXTEND, O_LINE, S("-", "O a") S("+", "O b"), "field_value"},
		{TALLY_REISSUE, O_LINE, S("+", "O a"), "field_value"},
		{TALLY_ENROL, "subject: + C", "subject: = C", "field_value"},
		{TALLY_ENROL, "subject: + C", "subject: - C", "field_value"},
		{TALLY_EXTEND, "擎洲测试投标人6", "擎洲\u202e6", "text_character"},
		{TALLY_EXTEND, "擎洲测试投标人6", "擎洲\u200b6", "text_character"},
		{TALLY_EXTEND, "擎洲测试投标人6", "擎洲\xff", "text_utf8"},
	};
	static const char *const bad_values[] = {" a", "a ", "擎\u0378", "\u00ad", "a\uE000"};

	(void)state;
	check_edits(edits, sizeof(edits) / sizeof(edits[0]));
	for (size_t i = 0; i < sizeof(bad_values) / sizeof(bad_values[0]); i++) {
		_cleanup_(freep) char *text = text_of(TALLY_EXTEND, true, "", "");
		_cleanup_(freep) char *bad = edited(text, "擎洲测试投标人6", bad_values[i]);

		assert_int_not_equal(tally_parse(slice_str(bad), &(struct tally){0}, NULL), OK);
	}
}

static void test_subject_bounds(void **state)
{
	_cleanup_(freep) char *text = text_of(TALLY_EXTEND, true, "", "");

	(void)state;
	for (size_t n = NAME_MAX_ATTRS - 1; n <= 2 * NAME_MAX_ATTRS + 1; n++) {
		_cleanup_buf_ struct buf b = {0};
		_cleanup_(freep) char *other = NULL;

		for (size_t i = 1; i < n; i++) /* one more is in the text */
			buf_fmt(&b, "subject: = OU %zu\n", i);
		other = edited(text, O_LINE, buf_text(&b));
		if (n <= NAME_MAX_ATTRS)
			check_round_trip(other);
		else
			assert_int_not_equal(tally_parse(slice_str(other), &(struct tally){0}, NULL), OK);
	}
	for (size_t n = NAME_MAX_VALUE; n <= NAME_MAX_VALUE + 1; n++) {
		_cleanup_(freep) char *line = xasprintf("subject: = street %0*d\n", (int)n, 0);
		_cleanup_(freep) char *other = edited(text, O_LINE, line);

		assert_int_not_equal(tally_parse(slice_str(other), &(struct tally){0}, NULL), OK);
	}
}

/* "O=a/CN=b" into a name. */
static void name_from(const char *spec, struct name *ret)
{
	while (*spec != '\0') {
		const char *eq = strchr(spec, '='), *end = strchrnul(spec, '/');
		const struct attr_type *type = attr_by_word(spec, (size_t)(eq - spec));
		struct fault f = {0};

		assert_non_null(type);
		check_ok(spec, name_add(ret, type, eq + 1, (size_t)(end - eq - 1), &f), &f);
		spec = *end == '/' ? end + 1 : end;
	}
}

static void lines_text(const struct tally *t, struct buf *b)
{
	for (size_t i = 0; i < t->n_subject; i++)
		buf_fmt(b, "%s%c%s=%s", i > 0 ? "/" : "", "=-+"[t->subject[i].mark], t -> subject[i].type->word,
			t->subject[i].value);
}

static void test_set_subject(void **state)
{
	static const struct {
		const char *before, *after, *lines;
	} cases[] = {
		{"C=CN/O=a/CN=a", "C=CN/O=a/CN=a", "=C=CN/=O=a/=CN=a"},
		{"C=CN/O=a/CN=a", "C=CN/O=b/CN=b", "=C=CN/-O=a/+O=b/-CN=a/+CN=b"},
		{"C=CN/O=a/CN=a", "C=CN/CN=a", "=C=CN/-O=a/=CN=a"},
		{"C=CN/CN=a", "C=CN/O=a/CN=a", "=C=CN/+O=a/=CN=a"},
		{"O=a/OU=x/CN=a", "O=a/CN=a/L=y", "=O=a/-OU=x/=CN=a/+L=y"},
		{"O=a/CN=b", "CN=b/O=a", "-O=a/=CN=b/+O=a"},
		{"OU=1/OU=2/OU=3", "OU=1/OU=3", "=OU=1/-OU=2/=OU=3"},
		{"OU=1/OU=2", "OU=3/OU=1/OU=2", "+OU=3/=OU=1/=OU=2"},
		{"O=a/OU=x", "OU=y", "-O=a/-OU=x/+OU=y"},
		{"", "C=CN/O=a", "+C=CN/+O=a"},
		{"O=a", "CN=b", "-O=a/+CN=b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(name_done) struct name before = {0}, after = {0}, before2 = {0}, after2 = {0};
		_cleanup_(tally_done) struct tally t = {0};
		_cleanup_buf_ struct buf lines = {0};
		struct fault f = {0};

		name_from(cases[i].before, &before);
		name_from(cases[i].after, &after);
		check_ok("set", tally_set_subject(&t, &before, &after, &f), &f);
		check_ok("set again", tally_set_subject(&t, &before, &after, &f), &f);
		lines_text(&t, &lines);
		assert_string_equal(buf_text(&lines), cases[i].lines);
		check_ok("before", tally_subject_before(&t, &before2, &f), &f);
		check_ok("after", tally_subject_after(&t, &after2, &f), &f);
		assert_true(name_eq(&before, &before2));
		assert_true(name_eq(&after, &after2));
		assert_int_equal(tally_subject_differs(&t), !name_eq(&before, &after));
	}
}

static void test_set_subject_to_nothing(void **state)
{
	_cleanup_(name_done) struct name before = {0};
	struct name after = {0};
	struct tally t = {0};
	struct fault f = {0};

	(void)state;
	name_from("O=a", &before);
	check_refused("nothing", tally_set_subject(&t, &before, &after, &f), &f, ERR_PARSE, "subject_empty");
}

static unsigned dice(unsigned *state, unsigned n)
{
	*state = *state * 1103515245u + 12345u;
	return (*state >> 16) % n;
}

/* Names of few types and values, so that they meet in every way: both sides come back, and the text is accepted. */
static void test_any_two_names(void **state)
{
	static const char *const words[] = {"O", "OU", "CN"};
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		_cleanup_(name_done) struct name back = {0};
		struct name side[2] = {0};
		_cleanup_(tally_done) struct tally t = {0}, u = {0};
		_cleanup_(freep) char *text = text_of(TALLY_CHANGE, true, "", "");
		_cleanup_buf_ struct buf b = {0};
		struct fault f = {0};

		for (unsigned s = 0; s < 2; s++) {
			for (unsigned n = 1 + dice(&seed, 6); n > 0; n--) {
				const char *word = words[dice(&seed, 3)], *value = dice(&seed, 2) ? "a" : "b";

				check_ok("add", name_add(&side[s], attr_by_word(word, strlen(word)), value, 1, &f), &f);
			}
		}
		check_ok("parse", tally_parse(slice_str(text), &t, &f), &f);
		check_ok("set", tally_set_subject(&t, &side[0], &side[1], &f), &f);
		tally_put(&t, &b);
		check_ok(buf_text(&b), tally_parse(buf_slice(&b), &u, &f), &f);
		check_ok("before", tally_subject_before(&u, &back, &f), &f);
		assert_true(name_eq(&back, &side[0]));
		name_done(&back);
		check_ok("after", tally_subject_after(&u, &back, &f), &f);
		assert_true(name_eq(&back, &side[1]));
		name_done(&side[0]);
		name_done(&side[1]);
	}
}

static void check_accepted_is_canonical(struct slice text)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf again = {0};

	if (tally_parse(text, &t, NULL) != OK)
		return;
	tally_put(&t, &again);
	assert_true(slice_eq(buf_slice(&again), text));
}

static void test_changed_bytes_are_refused_or_canonical(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < TALLY_KIND_N; kind++) {
		_cleanup_(freep) char *text = text_of((enum tally_kind)kind, true, "", "");
		size_t n = strlen(text);

		for (size_t at = 0; at < n; at++) {
			char good = text[at];

			assert_int_equal(tally_parse(slice_of(text, at), &(struct tally){0}, NULL), ERR_PARSE);
			for (size_t v = 0; v < sizeof(nasty_bytes); v++) {
				text[at] = (char)nasty_bytes[v];
				check_accepted_is_canonical(slice_of(text, n));
			}
			text[at] = (char)(good ^ 1);
			check_accepted_is_canonical(slice_of(text, n));
			text[at] = good;
		}
	}
}

static void test_values_read(void **state)
{
	_cleanup_(freep) char *text = text_of(TALLY_CHANGE, true, "", "");
	_cleanup_(tally_done) struct tally t = {0};
	struct fault f = {0};

	(void)state;
	check_ok("change", tally_parse(slice_str(text), &t, &f), &f);
	assert_int_equal(t.kind, TALLY_CHANGE);
	assert_string_equal(TALLY_ID_TEXT(t.id), HEX32);
	assert_string_equal(t.way, "name-or-code");
	assert_true(t.has_predecessor);
	assert_string_equal(SERIAL(&t.predecessor.serial), "74C2008800000AE9");
	assert_false(cert_ref_eq(&t.predecessor, &t.collides));
	assert_true(cert_ref_eq(&t.predecessor, &t.predecessor));
	assert_int_equal(t.n_subject, 3);
	assert_int_equal(t.subject[1].mark, SUBJECT_OLD);
	assert_string_equal(t.subject[2].value, "擎洲");
	assert_true(t.has_key);
	assert_false(t.key_is_new);
	assert_int_equal(t.add_months, 36);
	assert_string_equal(t.order, "20353-A.1");
	assert_int_equal(t.n_materials, 1);
	assert_string_equal(t.notice, "2026.1");
	assert_int_equal(t.files, FILES_NO);
	assert_int_equal(t.key_seen, KEY_SEEN_UNSAID);
	assert_int_equal(t.reason, -1);
	assert_int_equal(t.dies - t.made, 86400);
}

static void test_kinds(void **state)
{
	enum tally_kind kind;

	(void)state;
	for (size_t i = 0; i < TALLY_KIND_N; i++) {
		const char *word = tally_kind_word((enum tally_kind)i);

		assert_true(tally_kind_from_word(word, strlen(word), &kind));
		assert_int_equal(kind, i);
		assert_int_equal(tally_kind_issues(kind), has_word("extend change enrol reissue responder", word));
	}
	assert_false(tally_kind_from_word("extends", 7, &kind));
	assert_false(tally_kind_from_word("exten", 5, &kind));
	assert_false(tally_kind_from_word("", 0, &kind));
}

static void test_explained(void **state)
{
	static const struct {
		enum tally_kind kind;
		const char *lang, *words[4];
	} cases[] = {
		{TALLY_EXTEND,
		 "en",
		 {"extend certificate 74C2008800000AE9 by 36 months", "same key", "same subject",
		  "2030-10-26 12:25:04"}},
		{TALLY_EXTEND, "zh", {"延期", "74C2008800000AE9", "36 个月", "密钥不变"}},
		{TALLY_CHANGE,
		 "en",
		 {"change the subject of", "; organisation: \"擎洲测试投标人6\" becomes \"擎洲\"", "ELSEWHERE",
		  "by 36"}},
		{TALLY_CHANGE, "zh", {"变更", "；单位名称：“擎洲测试投标人6”改为“擎洲”", "同时延期", "01"}},
		{TALLY_ENROL, "en", {"first certificate", "valid for 36 months", "new key (seen", "stamped paper"}},
		{TALLY_ENROL, "zh", {"首次", "盖章", "；单位名称：“擎洲测试投标人6”", "个月"}},
		{TALLY_REISSUE,
		 "en",
		 {"reissue certificate 74C2008800000AE9", "reason: the key is lost", "new key", "no encrypted files"}},
		{TALLY_REISSUE, "zh", {"补办", "原因：密钥遗失或泄露", "新密钥", "解密"}},
		{TALLY_REVOKE,
		 "en",
		 {"revoke certificate 74C2008800000AE9", "reason: the key is lost or in other hands", "", ""}},
		{TALLY_REVOKE, "zh", {"吊销", "原因：密钥遗失或泄露", "", ""}},
		{TALLY_HOLD, "en", {"hold certificate 74C2008800000AE9", "", "", ""}},
		{TALLY_HOLD, "zh", {"挂起", "", "", ""}},
		{TALLY_RELEASE,
		 "en",
		 {"release certificate 74C2008800000AE9 from the hold of ledger entry 17", "", "", ""}},
		{TALLY_RELEASE, "zh", {"解除挂起", "17", "", ""}},
		{TALLY_WITHDRAW, "en", {"withdraw tally " HEX32, "", "", ""}},
		{TALLY_WITHDRAW, "zh", {"撤回", HEX32, "", ""}},
		{TALLY_RESPONDER, "en", {"OCSP responder", "new key", "", ""}},
		{TALLY_RESPONDER, "zh", {"OCSP", "新密钥", "", ""}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *text = text_of(cases[i].kind, true, "", "");
		_cleanup_(tally_done) struct tally t = {0};
		_cleanup_buf_ struct buf b = {0};
		struct fault f = {0};

		check_ok(text, tally_parse(slice_str(text), &t, &f), &f);
		tally_explain(&t, cases[i].lang, &b);
		for (size_t w = 0; w < 4; w++) {
			if (strstr(buf_text(&b), cases[i].words[w]) == NULL)
				fail_msg("\"%s\" has no \"%s\"", buf_text(&b), cases[i].words[w]);
		}
	}
}

/* Later ids come behind earlier ones, and what is not the time differs. */
static void test_new_ids(void **state)
{
	static const int64_t times[] = {0, 1, 255, 256, 1795651200, INT64_C(0xffffffffff)};
	uint8_t before[TALLY_ID] = {0}, id[TALLY_ID], again[TALLY_ID];
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		tally_id_new(times[i], id);
		tally_id_new(times[i], again);
		assert_memory_equal(id, again, 5);
		assert_memory_not_equal(id + 6, again + 6, TALLY_ID - 6);
		assert_true(i == 0 || memcmp(id, before, 5) > 0);
		memcpy(before, id, TALLY_ID);
	}
}

/* Within a second, too: a 256th part is one step. */
static void test_new_ids_of_a_second(void **state)
{
	struct timespec before, after;
	uint8_t id[TALLY_ID];
	(void)state;
	do {
		clock_gettime(CLOCK_REALTIME, &before);
		tally_id_new(before.tv_sec, id);
		clock_gettime(CLOCK_REALTIME, &after);
	} while (after.tv_sec != before.tv_sec);
	assert_in_range(id[5], before.tv_nsec * 256 / 1000000000, after.tv_nsec * 256 / 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind),
		cmocka_unit_test(test_presence),
		cmocka_unit_test(test_lines_moved),
		cmocka_unit_test(test_field_values),
		cmocka_unit_test(test_materials),
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_subject_bounds),
		cmocka_unit_test(test_set_subject),
		cmocka_unit_test(test_set_subject_to_nothing),
		cmocka_unit_test(test_any_two_names),
		cmocka_unit_test(test_changed_bytes_are_refused_or_canonical),
		cmocka_unit_test(test_values_read),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_explained),
		cmocka_unit_test(test_new_ids),
		cmocka_unit_test(test_new_ids_of_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
