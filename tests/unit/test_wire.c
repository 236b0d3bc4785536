/*
 * common/rpc/wire: every message and entry by the same loops, made from wire.def as the code is; then limits and faults
 * by hand.
 */
#include "common/rpc/wire.h"

#include "common/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

/* A sample of each: all fields filled, lists with an empty item among others. */
static const char some_text[] = "hufu/tally/v1\n虎符 x\n";

static void fill_U8(uint8_t *v, uint64_t limit)
{
	*v = (uint8_t)(limit ? limit : 0xfe);
}
static void fill_U32(uint32_t *v, uint64_t limit)
{
	*v = (uint32_t)(limit ? limit : 0xfedcba98);
}
static void fill_U64(uint64_t *v, uint64_t limit)
{
	*v = limit ? limit : UINT64_C(0xfedcba9876543210);
}
static void fill_I64(int64_t *v, uint64_t limit)
{
	*v = limit ? (int64_t)limit : -2;
}
static void fill_FIXED(void *v, uint64_t limit)
{
	memset(v, 0xa5, limit);
}
static void fill_BYTES(struct slice *v, uint64_t limit)
{
	*v = slice_of(some_text, limit < sizeof(some_text) ? limit : sizeof(some_text));
}
static void fill_TEXT(struct slice *v, uint64_t limit)
{
	(void)limit, *v = slice_str("rule 虎");
}
static void fill_LIST(struct wire_list *v, uint64_t limit)
{
	(void)limit;
	wire_list_add(v, slice_str("one"));
	wire_list_add(v, slice_of(NULL, 0));
	wire_list_add(v, slice_of("\0\xff", 2));
}

#define FILL(type, name, limit) fill_##type((void *)&m.name, limit);
#define SAMPLE(UPPER, lower, number, FIELDS)                                                                           \
	static void sample_##lower(struct buf *b)                                                                      \
	{                                                                                                              \
		_cleanup_(wire_##lower##_done) struct wire_##lower m = {0};                                            \
		FIELDS(FILL)                                                                                           \
		wire_##lower##_put(&m, b);                                                                             \
	}                                                                                                              \
	static void zero_##lower(struct buf *b)                                                                        \
	{                                                                                                              \
		struct wire_##lower m = {0};                                                                           \
		wire_##lower##_put(&m, b);                                                                             \
	}                                                                                                              \
	static enum err again_##lower(struct slice bytes, struct buf *b, struct fault *f)                              \
	{                                                                                                              \
		_cleanup_(wire_##lower##_done) struct wire_##lower m = {0};                                            \
		TRY(wire_##lower##_get(bytes, &m, f));                                                                 \
		assert_int_equal(wire_##lower##_check(&m, NULL), OK);                                                  \
		wire_##lower##_put(&m, b);                                                                             \
		return OK;                                                                                             \
	}
WIRE_MESSAGES(SAMPLE)
WIRE_ENTRY_LIST(SAMPLE)

static const struct row {
	const char *word;
	enum wire_type type;
	void (*sample)(struct buf *b), (*zero)(struct buf *b);
	enum err (*again)(struct slice bytes, struct buf *b, struct fault *f); /* decodes and encodes */
} rows[] = {
#define ROW(UPPER, lower, number, FIELDS) {#lower, WIRE_TYPE_##UPPER, sample_##lower, zero_##lower, again_##lower},
	WIRE_MESSAGES(ROW) WIRE_ENTRY_LIST(ROW)};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Bytes in memory of exactly their size, so that a sanitizer sees a read past them. */
static uint8_t *exactly(struct slice s)
{
	uint8_t *p = xmalloc(s.n ? s.n : 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++)
		for (int zero = 0; zero < 2; zero++) {
			_cleanup_buf_ struct buf a = {0}, b = {0}, text = {0};
			struct fault f = {0};
			enum wire_type type;
			(zero ? rows[i].zero : rows[i].sample)(&a);
			if (rows[i].again(buf_slice(&a), &b, &f) != OK)
				fail_msg("%s: %s", rows[i].word, f.text);
			assert_true(slice_eq(buf_slice(&a), buf_slice(&b)));
			assert_int_equal(wire_type(buf_slice(&a), &type, NULL), OK);
			assert_int_equal(type, rows[i].type);
			assert_string_equal(wire_type_word(type), rows[i].word);
			assert_int_equal(wire_print(buf_slice(&a), &text, NULL), OK);
			assert_non_null(strstr(buf_text(&text), rows[i].word));
		}
}

static void test_truncated(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		_cleanup_buf_ struct buf a = {0};
		rows[i].sample(&a);
		for (size_t n = 0; n < a.len; n++) {
			_cleanup_(freep) uint8_t *p = exactly(slice_of(a.data, n));
			_cleanup_buf_ struct buf b = {0};
			struct fault f = {0};
			assert_int_equal(rows[i].again(slice_of(p, n), &b, &f), ERR_PARSE);
			assert_string_equal(f.rule, "wire_truncated");
			assert_int_equal(wire_print(slice_of(p, n), &b, NULL), ERR_PARSE);
		}
	}
}

static void test_trailing_version_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		_cleanup_buf_ struct buf a = {0}, b = {0};
		struct fault f = {0};
		rows[i].sample(&a);
		buf_char(&a, 0);
		assert_int_equal(rows[i].again(buf_slice(&a), &b, &f), ERR_PARSE);
		assert_string_equal(f.rule, "wire_trailing");
		a.len--;
		for (int version = 0; version < 256; version++) {
			a.data[0] = (uint8_t)version;
			if (version == WIRE_VERSION)
				continue;
			assert_int_equal(rows[i].again(buf_slice(&a), &b, &f), ERR_PARSE);
			assert_string_equal(f.rule, "wire_version");
		}
		a.data[0] = WIRE_VERSION;
		for (int type = 0; type < 256; type++) {
			a.data[1] = (uint8_t)type;
			if (type == (int)rows[i].type)
				continue;
			assert_int_equal(rows[i].again(buf_slice(&a), &b, &f), ERR_PARSE);
			assert_string_equal(f.rule, "wire_type");
		}
		assert_int_equal(b.len, 0);
	}
}

/* Whatever one changed byte does: refused, or decoded to what gives the same bytes again. */
static void test_mutated(void **state)
{
	(void)state;
	static const uint8_t flips[] = {1, 0x80, 0xff, 0x7f};
	for (size_t i = 0; i < N_ROWS; i++) {
		_cleanup_buf_ struct buf a = {0};
		rows[i].sample(&a);
		_cleanup_(freep) uint8_t *p = exactly(buf_slice(&a));
		for (size_t at = 0; at < a.len; at++)
			for (size_t k = 0; k < sizeof(flips); k++) {
				_cleanup_buf_ struct buf b = {0}, text = {0};
				struct slice s = slice_of(p, a.len);
				p[at] ^= flips[k];
				enum err e = rows[i].again(s, &b, NULL);
				assert_true(e == ERR_PARSE || e == ERR_LIMIT ||
					    (e == OK && slice_eq(s, buf_slice(&b))));
				(void)!wire_print(s, &text, NULL);
				p[at] ^= flips[k];
			}
	}
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

static void put_be(struct buf *b, uint64_t v, unsigned octets)
{
	while (octets-- > 0)
		buf_char(b, (char)(v >> (8 * octets)));
}

static void test_limits(void **state)
{
	(void)state;
	_cleanup_(freep) uint8_t *zeros = xcalloc(1, WIRE_MAX_ITEM + 1);
	struct fault f;
	struct wire_tally tally = {.note = slice_of(zeros, 49152), .csr = slice_of(zeros, 16384)};
	assert_int_equal(wire_tally_check(&tally, &f), OK);
	tally.csr.n++;
	assert_int_equal(wire_tally_check(&tally, &f), ERR_LIMIT);
	assert_string_equal(f.where, "tally.csr");
	assert_string_equal(f.text, "has 16385 bytes, at most 16384 are allowed");
	struct wire_follow follow = {.max = 1024, .wait_ms = 1000};
	assert_int_equal(wire_follow_check(&follow, &f), OK);
	follow.wait_ms++;
	assert_int_equal(wire_follow_check(&follow, &f), ERR_LIMIT);
	struct wire_e_refused refused = {.rule = slice_str("a")};
	assert_int_equal(wire_e_refused_check(&refused, &f), OK);
	refused.rule = slice_of("a\0b", 3);
	assert_int_equal(wire_e_refused_check(&refused, &f), ERR_PARSE);
	refused.rule = slice_str("\xc3");
	assert_int_equal(wire_e_refused_check(&refused, &f), ERR_PARSE);
	_cleanup_(wire_list_done) struct wire_list list = {0};
	for (int i = 0; i < 256; i++)
		wire_list_add(&list, slice_of(zeros, WIRE_MAX_ITEM));
	struct wire_adopt_is is = {.problems = list};
	assert_int_equal(wire_adopt_is_check(&is, &f), OK);
	list.v[255].n++;
	assert_int_equal(wire_adopt_is_check(&is, &f), ERR_LIMIT);
	list.v[255].n--;
	wire_list_add(&list, slice_of(NULL, 0));
	is.problems = list;
	assert_int_equal(wire_adopt_is_check(&is, &f), ERR_LIMIT);
}

/* Lengths and counts that a decoder must refuse by what they say, with no byte behind them. */
static void test_hostile_lengths(void **state)
{
	(void)state;
	static const struct {
		enum wire_type type;
		unsigned skip; /* zero bytes before the length */
		uint64_t length;
		enum err want;
		const char *where;
	} cases[] = {
		{WIRE_TYPE_TALLY, 0, 49152, ERR_PARSE, "tally.note"},
		{WIRE_TYPE_TALLY, 0, 49153, ERR_LIMIT, "tally.note"},
		{WIRE_TYPE_TALLY, 0, 0xffffffff, ERR_LIMIT, "tally.note"},
		{WIRE_TYPE_TALLY, 4, 16385, ERR_LIMIT, "tally.csr"},
		{WIRE_TYPE_CRL_IS, 0, 67108865, ERR_LIMIT, "crl_is.der"},
		{WIRE_TYPE_FOLLOW, 8, 1025, ERR_LIMIT, "follow.max"},
		{WIRE_TYPE_ENTRIES, 16, 1024, ERR_PARSE, "entries.entries"},
		{WIRE_TYPE_ENTRIES, 16, 1025, ERR_LIMIT, "entries.entries"},
		{WIRE_TYPE_ENTRIES, 16, 0xffffffff, ERR_LIMIT, "entries.entries"},
		{WIRE_TYPE_FAULT, 0, 33, ERR_LIMIT, "fault.kind"},
		{WIRE_TYPE_E_ROSTER, 24, 0x80000000, ERR_LIMIT, "e_roster.note"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf b = {0}, out = {0};
		struct fault f = {0};
		put_be(&b, WIRE_VERSION, 1);
		put_be(&b, cases[i].type, 1);
		for (unsigned k = 0; k < cases[i].skip; k++)
			put_be(&b, 0, 1);
		put_be(&b, cases[i].length, 4);
		assert_int_equal(wire_print(buf_slice(&b), &out, &f), cases[i].want);
		assert_string_equal(f.where, cases[i].where);
	}
}

static void test_item_too_large(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf b = {0}, out = {0};
	struct fault f;
	put_be(&b, WIRE_VERSION, 1);
	put_be(&b, WIRE_TYPE_ENTRIES, 1);
	put_be(&b, 0, 8);
	put_be(&b, 0, 8);
	put_be(&b, 2, 4);
	put_be(&b, 0, 4);
	put_be(&b, WIRE_MAX_ITEM + 1, 4);
	buf_reserve(&b, WIRE_MAX_ITEM + 1);
	memset(b.data + b.len, 0, WIRE_MAX_ITEM + 1);
	b.len += WIRE_MAX_ITEM + 1;
	assert_int_equal(wire_print(buf_slice(&b), &out, &f), ERR_LIMIT);
}

/* --- what people see --------------------------------------------------------------------------------------------- */

static void test_print(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf b = {0}, text = {0};
	struct wire_tally m = {.note = slice_str("hufu/tally/v1\nkind: extend\n"), .csr = slice_of("\x30\x00", 2)};
	wire_tally_put(&m, &b);
	assert_int_equal(wire_print(buf_slice(&b), &text, NULL), OK);
	assert_string_equal(buf_text(&text),
			    "message: tally\nnote: \n  | hufu/tally/v1\n  | kind: extend\ncsr: 3000\n");
	buf_clear(&b);
	buf_clear(&text);
	struct wire_unlock u = {.passphrase = slice_str("correct horse")};
	wire_unlock_put(&u, &b);
	assert_int_equal(wire_print(buf_slice(&b), &text, NULL), OK);
	assert_null(strstr(buf_text(&text), "horse"));
	/* a note that would move the cursor is not shown as text */
	buf_clear(&b);
	buf_clear(&text);
	m.note = slice_str("a\x1b[2J\nb\n");
	wire_tally_put(&m, &b);
	assert_int_equal(wire_print(buf_slice(&b), &text, NULL), OK);
	assert_null(strchr(buf_text(&text), '\x1b'));
	buf_clear(&b);
	buf_clear(&text);
	struct wire_e_beat beat = {.at = 1795392000};
	wire_e_beat_put(&beat, &b);
	assert_int_equal(wire_print(buf_slice(&b), &text, NULL), OK);
	assert_non_null(strstr(buf_text(&text), "at: 1795392000 (2026-11-23T00:00:00Z)\n"));
}

static void test_describe(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf text = {0};
	wire_describe(&text);
	assert_non_null(
		strstr(buf_text(&text), "| 3 | follow | `from` U64; `max` U32 ≤ 1024; `wait_ms` U32 ≤ 1000 |\n"));
	assert_non_null(strstr(buf_text(&text), "| 141 | e_beat | `at` I64; `salt` FIXED 16 |\n"));
}

/* --- faults ------------------------------------------------------------------------------------------------------ */

static void test_fault(void **state)
{
	(void)state;
	for (enum err kind = ERR_PARSE; kind <= ERR_INTERNAL; kind++) {
		_cleanup_buf_ struct buf b = {0};
		struct fault f = {0}, got = {0};
		uint32_t retry_ms = 0;
		(void)fault_raise(&f, kind, "some_rule", "tally.dies", "found 1, wanted 2");
		wire_put_fault(&f, 250, &b);
		enum err want = err_is_public(kind) ? kind : ERR_INTERNAL;
		assert_int_equal(wire_expect(buf_slice(&b), WIRE_TYPE_DONE, &retry_ms, &got), want);
		assert_int_equal(got.kind, want);
		assert_int_equal(retry_ms, 250);
		if (err_is_public(kind)) {
			assert_string_equal(got.rule, "some_rule");
			assert_string_equal(got.where, "tally.dies");
			assert_string_equal(got.text, "found 1, wanted 2");
		} else { /* the text stays here */
			assert_string_equal(got.rule, "internal_error");
			assert_string_equal(got.where, "");
			assert_memory_equal(got.text, "internal error, reference ", 26);
			assert_int_equal(strspn(got.text + 26, "0123456789"), 10);
		}
	}
}

static void test_fault_longest(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf b = {0};
	struct fault f = {.kind = ERR_RULE}, got = {0};
	memset(f.rule, 'r', sizeof(f.rule) - 1);
	memset(f.where, 'w', sizeof(f.where) - 1);
	memset(f.text, 't', sizeof(f.text) - 1);
	f.text[sizeof(f.text) - 2] = '\xe8'; /* a code point that was cut off */
	wire_put_fault(&f, 0, &b);
	assert_int_equal(wire_expect(buf_slice(&b), WIRE_TYPE_DONE, NULL, &got), ERR_RULE);
	f.text[sizeof(f.text) - 2] = '?';
	assert_memory_equal(&f, &got, sizeof(f));
}

static void test_expect(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf b = {0};
	struct fault f = {0};
	struct wire_ok ok = {.index = 7};
	wire_ok_put(&ok, &b);
	assert_int_equal(wire_expect(buf_slice(&b), WIRE_TYPE_OK, NULL, &f), OK);
	assert_int_equal(wire_expect(buf_slice(&b), WIRE_TYPE_DONE, NULL, &f), ERR_NET);
	assert_string_equal(f.text, "the peer answered ok, wanted done");
	assert_int_equal(wire_expect(slice_of(NULL, 0), WIRE_TYPE_OK, NULL, &f), ERR_NET);
	assert_int_equal(wire_expect(slice_of("\2\106", 2), WIRE_TYPE_OK, NULL, &f), ERR_NET);
	assert_int_equal(wire_expect(slice_of("\1\101\0", 3), WIRE_TYPE_OK, NULL, &f), ERR_NET); /* a fault cut short */
	static const char *const kinds[] = {"", "ok", "nonsense", "PARSE"};
	for (size_t i = 0; i < 4; i++) {
		struct wire_fault m = {.kind = slice_str(kinds[i]), .text = slice_str("x")};
		buf_clear(&b);
		wire_fault_put(&m, &b);
		assert_int_equal(wire_expect(buf_slice(&b), WIRE_TYPE_OK, NULL, &f), ERR_NET);
		assert_int_equal(f.kind, ERR_NET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_trailing_version_type),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_hostile_lengths),
		cmocka_unit_test(test_item_too_large),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_fault_longest),
		cmocka_unit_test(test_expect),
	};
	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
