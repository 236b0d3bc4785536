/*
 * The fuzz targets' mutations: what comes out has the form of what went in, is mostly another, and the same seed gives the
 * same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/mutate.h"

#include "common/rpc/json.h"

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

#define SEEDS 3000u
#define MAX 4096u

/* In libFuzzer's place. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
	if (size == 0 && max > 0)
		data[size++] = 'x';
	else if (size > 0)
		data[size / 2] ^= 1;
	return size;
}

/* The long form too: a sequence of 200 octets around all, an octet string with DER inside. */
static void make_der(struct buf *ret)
{
	static const uint8_t begin[] = {0x30, 0x81, 0xc8, 0x30, 0x0a, 0x02, 0x01, 0x05, 0x04,
					0x05, 0x30, 0x03, 0x01, 0x01, 0xff, 0x04, 0x81, 0xb9};
	buf_add(ret, begin, sizeof(begin));
	for (size_t i = 0; i < 0xb9; i++)
		buf_char(ret, 'a');
}

/* The whole is one element, or none, or it and others behind it: each length is of what is there. */
static void check_der(struct slice s)
{
	while (s.n > 0) {
		assert_true(s.n >= 2);
		size_t octets = s.p[1] < 0x80 ? 0 : s.p[1] & 0x7fu, len = octets ? 0 : s.p[1];
		assert_true(octets <= 2 && 2 + octets <= s.n);
		for (size_t i = 0; i < octets; i++)
			len = len << 8 | s.p[2 + i];
		assert_true(octets == 0 || len >= (octets == 1 ? 0x80 : 0x100));
		assert_true(len <= s.n - 2 - octets);
		s = slice_of(s.p + 2 + octets + len, s.n - 2 - octets - len);
	}
}

static void check_lines(struct slice s)
{
	assert_true(s.n == 0 || memchr(s.p, '\n', s.n));
}

static void check_json(struct slice s)
{
	static const struct json_limits limits = {MAX, 64, 1000};
	_cleanup_(json_freep) json_t *o = NULL;
	assert_int_equal(json_read(s, &limits, &o, NULL), OK);
}

static void each(mutate_fn *fn, struct slice bytes, void (*check)(struct slice))
{
	unsigned same = 0;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct mutation m = {seed, MAX}, again = m;
		_cleanup_buf_ struct buf b = {0}, c = {0};
		assert_true(fn(&m, bytes, &b) && fn(&again, bytes, &c));
		assert_true(slice_eq(buf_slice(&b), buf_slice(&c)));
		check(buf_slice(&b));
		same += slice_eq(buf_slice(&b), bytes);
	}
	assert_in_range(same, 0, SEEDS / 4);
}

static void test_forms(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf der = {0};
	make_der(&der);
	check_der(buf_slice(&der));
	each(mutate_der, buf_slice(&der), check_der);
	each(mutate_lines, slice_str("hufu/x/v1\na: 1\nb: 2 3\n\nlast: x\n"), check_lines);
	each(mutate_json, slice_str("{\"a\":[1,\"b\",{\"c\":null}],\"d\":\"e\"}"), check_json);
}

static void test_other_forms(void **state)
{
	(void)state;
	struct mutation m = {1, MAX};
	_cleanup_buf_ struct buf b = {0};
	assert_false(mutate_der(&m, slice_str("0\x05zz"), &b) || mutate_der(&m, slice_str(""), &b));
	assert_false(mutate_json(&m, slice_str("{"), &b) || mutate_json(&m, slice_str("1"), &b));
	assert_false(mutate_lines(&m, slice_str(""), &b));
	assert_int_equal(b.len, 0);
	/* then any change of bytes, and never more than there is room for */
	uint8_t room[4] = "{";
	for (unsigned seed = 0; seed < 100; seed++)
		assert_in_range(mutate(mutate_json, room, 1, sizeof(room), seed), 0, sizeof(room));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms), cmocka_unit_test(test_other_forms)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
