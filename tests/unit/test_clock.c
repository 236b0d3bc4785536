/*
 * Calendar arithmetic against the C library, and the strict parsers.
 */
#include "common/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define FIRST INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define LAST INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

static void the_clock_can_be_set(void **state)
{
	(void)state;
	clock_set(1795392000);
	assert_int_equal(clock_now(), 1795392000);
	clock_set(0);
	int64_t now = clock_now();
	struct timespec real; /* not time(), which is that of the last tick */
	clock_gettime(CLOCK_REALTIME, &real);
	assert_true(now <= real.tv_sec && real.tv_sec - now <= 2);
	int64_t a = clock_mono_us(), b = clock_mono_us();
	assert_true(a > 0 && b >= a);
}

static void agrees_with_the_c_library(void **state)
{
	(void)state;
	/* A step that is prime to a day walks through all hours, days and years. */
	for (int64_t t = FIRST; t <= LAST; t += 1234567 * 7 + 1) {
		struct tm tm;
		time_t tt = t;
		assert_non_null(gmtime_r(&tt, &tm));
		struct civil c = time_civil(t);
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_int_equal(c.hour, tm.tm_hour);
		assert_int_equal(c.minute, tm.tm_min);
		assert_int_equal(c.second, tm.tm_sec);
		assert_int_equal(time_from_civil(c), t);
		int64_t back;
		assert_true(time_parse_utc(UTC(t), 20, &back));
		assert_int_equal(back, t);
	}
}

static void texts(void **state)
{
	(void)state;
	assert_string_equal(UTC(0), "1970-01-01T00:00:00Z");
	assert_string_equal(UTC(-1), "1969-12-31T23:59:59Z");
	assert_string_equal(UTC(FIRST), "0000-01-01T00:00:00Z");
	assert_string_equal(UTC(LAST), "9999-12-31T23:59:59Z");
	assert_string_equal(UTC(1795392000), "2026-11-23T00:00:00Z");
	assert_string_equal(SHANGHAI(1795392000), "2026-11-23 08:00:00");
	assert_string_equal(SHANGHAI(57600), "1970-01-02 00:00:00");
}

struct parse_case {
	const char *text;
	bool good;
	int64_t want;
};

static void run_parse(const struct parse_case *cases, size_t n, bool (*parse)(const char *, size_t, int64_t *))
{
	for (size_t i = 0; i < n; i++) {
		int64_t t = 4242;
		/* A copy without NUL, so that reading beyond the end shows. */
		size_t len = strlen(cases[i].text);
		char *copy = malloc(len + (len == 0));
		memcpy(copy, cases[i].text, len);
		bool good = parse(copy, len, &t);
		free(copy);
		if (good != cases[i].good)
			fail_msg("\"%s\": %s", cases[i].text, good ? "accepted" : "refused");
		assert_int_equal(t, good ? cases[i].want : 4242);
	}
}

static void parses_utc_strictly(void **state)
{
	(void)state;
	static const struct parse_case cases[] = {
		{"1970-01-01T00:00:00Z", true, 0},
		{"2026-11-23T00:00:00Z", true, 1795392000},
		{"2000-02-29T00:00:00Z", true, 951782400},
		{"0000-01-01T00:00:00Z", true, FIRST},
		{"9999-12-31T23:59:59Z", true, LAST},
		{"2100-02-29T00:00:00Z", false, 0},
		{"2026-02-29T00:00:00Z", false, 0},
		{"2026-04-31T00:00:00Z", false, 0},
		{"2026-00-10T00:00:00Z", false, 0},
		{"2026-13-10T00:00:00Z", false, 0},
		{"2026-10-00T00:00:00Z", false, 0},
		{"2026-10-10T24:00:00Z", false, 0},
		{"2026-10-10T00:60:00Z", false, 0},
		{"2016-12-31T23:59:60Z", false, 0},
		{"2026-10-10t00:00:00Z", false, 0},
		{"2026-10-10T00:00:00z", false, 0},
		{"2026-10-10 00:00:00Z", false, 0},
		{"2026-10-10T00:00:00", false, 0},
		{"2026-10-10T00:00:00.0Z", false, 0},
		{"2026-10-10T00:00:00+00:00", false, 0},
		{"+026-10-10T00:00:00Z", false, 0},
		{"-026-10-10T00:00:00Z", false, 0},
		{"2026- 1-10T00:00:00Z", false, 0},
		{"2026/10/10T00:00:00Z", false, 0},
		{" 2026-10-10T00:00:00Z", false, 0},
		{"2026-10-10T00:00:00Z\n", false, 0},
		{"20261010T000000Z", false, 0},
		{"", false, 0},
		{"Z", false, 0},
	};
	run_parse(cases, N(cases), time_parse_utc);
	int64_t t;
	assert_false(time_parse_utc("2026-10-10T00:00:00\0", 20, &t));
}

static void parses_shanghai(void **state)
{
	(void)state;
	static const struct parse_case cases[] = {
		{"2026-11-23 08:00:00", true, 1795392000},
		{"2026-11-23 08:00:00+08:00", true, 1795392000},
		{"2026-11-23T08:00:00+08:00", true, 1795392000},
		{"2026-11-23T00:00:00Z", true, 1795392000},
		{"2026-11-23 00:00:00Z", true, 1795392000},
		{"1970-01-01 00:00:00", true, -28800},
		{"2026-11-23T08:00:00", false, 0},
		{"2026-11-23 08:00:00 +08:00", false, 0},
		{"2026-11-23 08:00:00+0800", false, 0},
		{"2026-11-23 08:00:00+09:00", false, 0},
		{"2026-11-23 08:00:00-08:00", false, 0},
		{"2026-11-23_08:00:00Z", false, 0},
		{"2026-11-23 08:00", false, 0},
		{"2026-02-30 08:00:00", false, 0},
		{"2026-11-23", false, 0},
		{"", false, 0},
	};
	run_parse(cases, N(cases), time_parse_shanghai);
}

static void months_keep_the_day_or_take_the_last(void **state)
{
	(void)state;
	static const struct {
		const char *from;
		int months;
		const char *want;
	} cases[] = {
		{"2026-11-23T01:02:03Z", 12, "2027-11-23T01:02:03Z"},
		{"2024-02-29T00:00:00Z", 12, "2025-02-28T00:00:00Z"},
		{"2024-02-29T00:00:00Z", 48, "2028-02-29T00:00:00Z"},
		{"2026-01-31T00:00:00Z", 1, "2026-02-28T00:00:00Z"},
		{"2024-01-31T00:00:00Z", 1, "2024-02-29T00:00:00Z"},
		{"2026-12-31T00:00:00Z", 1, "2027-01-31T00:00:00Z"},
		{"2026-12-31T00:00:00Z", 2, "2027-02-28T00:00:00Z"},
		{"2026-03-31T00:00:00Z", -1, "2026-02-28T00:00:00Z"},
		{"2026-01-15T00:00:00Z", -1, "2025-12-15T00:00:00Z"},
		{"2026-01-15T00:00:00Z", -13, "2024-12-15T00:00:00Z"},
		{"2026-05-15T00:00:00Z", 0, "2026-05-15T00:00:00Z"},
		{"2096-02-29T00:00:00Z", 48, "2100-02-28T00:00:00Z"},
	};
	for (size_t i = 0; i < N(cases); i++) {
		int64_t t;
		assert_true(time_parse_utc(cases[i].from, 20, &t));
		assert_string_equal(UTC(time_add_months(t, cases[i].months)), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clock_can_be_set),
		cmocka_unit_test(agrees_with_the_c_library),
		cmocka_unit_test(texts),
		cmocka_unit_test(parses_utc_strictly),
		cmocka_unit_test(parses_shanghai),
		cmocka_unit_test(months_keep_the_day_or_take_the_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
