/*
 * The desk's calendar: hours, holidays, make-up days; and files that are refused.
 */
#include "ra_fixture.h"

#include "ra/calendar.h"

#include <string.h>

static int64_t at(const char *text)
{
	int64_t t = 0;
	assert_true(time_parse_shanghai(text, strlen(text), &t));
	return t;
}

/* 2026: the day before a holiday, within one, on make-up days; the clock's turn at closing time; a year that is not there. */
static void test_due(void **state)
{
	struct calendar *k = NULL;
	struct fault f = {0};
	static const struct {
		const char *in;
		int days;
		const char *due;
	} cases[] = {
		{"2026-11-23 10:00:00", 2, "2026-11-25 18:00:00"}, /* Monday */
		{"2026-11-23 08:00:00", 2, "2026-11-25 18:00:00"},
		{"2026-11-23 17:59:59", 2, "2026-11-25 18:00:00"},
		{"2026-11-23 18:00:00", 2, "2026-11-26 18:00:00"}, /* counts from Tuesday */
		{"2026-11-23 23:59:59", 1, "2026-11-25 18:00:00"},
		{"2026-11-27 10:00:00", 1, "2026-11-30 18:00:00"}, /* over the weekend */
		{"2026-11-28 10:00:00", 1, "2026-12-01 18:00:00"}, /* Saturday counts from Monday */
		{"2026-02-13 10:00:00", 1, "2026-02-14 18:00:00"}, /* a Saturday that works */
		{"2026-02-13 10:00:00", 2, "2026-02-24 18:00:00"}, /* over the Spring Festival */
		{"2026-02-14 18:00:01", 1, "2026-02-25 18:00:00"},
		{"2026-02-16 12:00:00", 2, "2026-02-26 18:00:00"},
		{"2026-09-18 12:00:00", 1, "2026-09-20 18:00:00"}, /* a Sunday that works */
		{"2026-09-30 12:00:00", 2, "2026-10-09 18:00:00"},
		{"2026-09-30 12:00:00", 3, "2026-10-10 18:00:00"},
		{"2026-12-31 12:00:00", 1, "2027-01-01 18:00:00"}, /* no data: a Friday like others */
	};
	(void)state;
	assert_int_equal(calendar_load(POLICIES_DIR "/calendar.yaml", &k, &f), OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(SHANGHAI(calendar_due(k, at(cases[i].in), cases[i].days)), cases[i].due);
	assert_true(calendar_knows(k, at("2026-01-01 00:00:00")));
	assert_true(calendar_knows(k, at("2026-12-31 23:59:59")));
	assert_false(calendar_knows(k, at("2027-01-01 00:00:00")));
	assert_false(calendar_knows(k, at("2025-12-31 23:59:59")));
	assert_false(calendar_works(k, at("2026-10-07 12:00:00")));
	assert_true(calendar_works(k, at("2026-10-10 12:00:00")));
	calendar_free(k);
	assert_string_equal(SHANGHAI(calendar_due(calendar_plain(), at("2026-10-01 12:00:00"), 1)),
			    "2026-10-02 18:00:00");
}

/* A due date never goes back when the time goes on, over a whole year of hours. */
static void test_due_is_monotonic(void **state)
{
	struct calendar *k = NULL;
	struct fault f = {0};
	int64_t last = 0;
	(void)state;
	assert_int_equal(calendar_load(POLICIES_DIR "/calendar.yaml", &k, &f), OK);
	for (int64_t t = at("2026-01-01 00:00:00"); t < at("2027-01-01 00:00:00"); t += 1800) {
		int64_t due = calendar_due(k, t, 2);
		assert_true(due >= last && due > t && due < t + 20 * DAY);
		assert_true(calendar_works(k, due));
		last = due;
	}
	calendar_free(k);
}

#define HEAD "opens: '09:00'\ncloses: '18:00'\nweekdays: [monday]\n"

static void test_files_that_are_refused(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *path = xasprintf("%s/k.yaml", x->dir);
	static const struct {
		const char *text, *rule;
	} bad[] = {
		{"opens: '25:00'\ncloses: '18:00'\nweekdays: [monday]\n", "calendar_clock"},
		{"opens: '09-00'\ncloses: '18:00'\nweekdays: [monday]\n", "calendar_clock"},
		{"opens: '18:00'\ncloses: '09:00'\nweekdays: [monday]\n", "calendar_hours"},
		{HEAD "years: {'26': {off: [2026-01-01]}}\n", "calendar_year"},
		{HEAD "years: {'2026': {off: [2025-12-31]}}\n", "calendar_day"},
		{HEAD "years: {'2026': {off: [2026-02-29]}}\n", "calendar_day"},
		{HEAD "years: {'2026': {off: [2026-01-03..2026-01-01]}}\n", "calendar_day"},
		{HEAD "years: {'2026': {off: [2026-01-01, 2026-01-01]}}\n", "calendar_twice"},
		{HEAD "years: {'2026': {off: [2026-01-01..2026-01-03], working: [2026-01-02]}}\n", "calendar_twice"},
		{HEAD "years: {'2026': {working: [2026-11-23]}}\n", "calendar_day"},
		{HEAD "years: {'2026': {holidays: [2026-11-23]}}\n", NULL},
		{HEAD "weekends: true\n", NULL},
		{"", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct calendar *k = NULL;
		struct fault f = {0};
		fx_write(x, "k.yaml", bad[i].text);
		assert_int_equal(calendar_load(path, &k, &f), ERR_CONFIG);
		if (bad[i].rule)
			assert_string_equal(f.rule, bad[i].rule);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_due_is_monotonic),
		cmocka_unit_test(test_files_that_are_refused),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
