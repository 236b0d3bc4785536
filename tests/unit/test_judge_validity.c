/*
 * Validity: windows and ends to the second, 29 February, cap, latest and the issuer's end.
 */
#include "judge_kit.h"

static void c_with_extension(struct scene *s)
{
	validity_set(s, 36);
	c_order(s);
}
static void c_with_free_extension(struct scene *s)
{
	validity_set(s, 36);
}
static void c_with_early_extension(struct scene *s)
{
	s->x.not_after = now + 91 * DAY;
	c_with_extension(s);
}
static void c_with_late_extension(struct scene *s)
{
	s->x.not_after = now - DAY;
	c_with_extension(s);
}
static void c_length(struct scene *s)
{
	validity_set(s, 37);
}
static void c_length_keep(struct scene *s)
{
	validity_set(s, 0);
}
static void c_length_absent(struct scene *s)
{
	s->t.has_validity = false;
}
static void c_length_huge(struct scene *s)
{
	validity_set(s, 4000000000u);
}
static void c_window_opens(struct scene *s)
{
	s->x.not_after = now + 90 * DAY;
}
static void c_window_closed_yet(struct scene *s)
{
	s->x.not_after = now + 90 * DAY + 1;
}
static void c_window_last(struct scene *s)
{
	s->x.not_after = now - 365 * DAY;
}
static void c_window_gone(struct scene *s)
{
	s->x.not_after = now - 365 * DAY - 1;
}
static void c_window_far(struct scene *s)
{
	s->x.not_after = at("9999-12-31T23:59:59Z");
}
static void c_keep_last_second(struct scene *s)
{
	s->x.not_after = s->t.latest = now;
}
static void c_latest_equal(struct scene *s)
{
	s->t.latest = time_add_months(s->x.not_after, 36);
}
static void c_latest_less(struct scene *s)
{
	s->t.latest = time_add_months(s->x.not_after, 36) - 1;
}
static void c_issuer_equal(struct scene *s)
{
	s->x.issuer_not_after = time_add_months(s->x.not_after, 36);
}
static void c_issuer_less(struct scene *s)
{
	s->x.issuer_not_after = time_add_months(s->x.not_after, 36) - 1;
}
static void c_issuer_week(struct scene *s)
{
	s->x.issuer_not_after = now + JUDGE_RESPONDER_DAYS * DAY - 1;
}
static void c_issuer_keep(struct scene *s)
{
	s->x.issuer_not_after = s->x.not_after - 1;
}
static void c_keep_beyond_cap(struct scene *s)
{
	s->x.not_after = s->t.latest = now + 3654 * DAY;
}

static const struct judge_case cases[] = {
	/* validity */
	{"change with an ordered extension", TALLY_CHANGE, c_with_extension, NULL},
	{"change with an extension for nothing", TALLY_CHANGE, c_with_free_extension, "order_missing"},
	{"the same, where policy forgets to ask", TALLY_CHANGE, c_with_free_extension, "order_missing",
	 "        order: when_extended\n", ""},
	{"change with an extension before the window", TALLY_CHANGE, c_with_early_extension, NULL},
	{"the same, where the way does not allow it", TALLY_CHANGE, c_with_early_extension, "validity_window",
	 "        extension_early: true\n", ""},
	{"change with an extension after the end", TALLY_CHANGE, c_with_late_extension, NULL},
	{"change with an extension that the way lacks", TALLY_CHANGE, c_with_extension, "validity_length",
	 "        extension_allowed: true\n", ""},
	{"reissue with an extension", TALLY_REISSUE, c_with_free_extension, "validity_length"},
	{"change after the end", TALLY_CHANGE, c_expired, "validity_window"},
	{"change in the last second", TALLY_CHANGE, c_keep_last_second, NULL},
	{"reissue after the end", TALLY_REISSUE, c_expired, "validity_window"},
	{"length", TALLY_EXTEND, c_length, "validity_length"},
	{"length, enrol", TALLY_ENROL, c_length, "validity_length"},
	{"no length", TALLY_EXTEND, c_length_keep, "validity_length"},
	{"no length, enrol", TALLY_ENROL, c_length_keep, "validity_length"},
	{"validity absent", TALLY_EXTEND, c_length_absent, "validity_length"},
	{"length beyond all years", TALLY_EXTEND, c_length_huge, "validity_length"},
	{"first second of the window", TALLY_EXTEND, c_window_opens, NULL},
	{"a second early", TALLY_EXTEND, c_window_closed_yet, "validity_window"},
	{"last second of the window", TALLY_EXTEND, c_window_last, NULL},
	{"a second late", TALLY_EXTEND, c_window_gone, "validity_window"},
	{"end without end", TALLY_EXTEND, c_window_far, "validity_window"},
	{"latest", TALLY_EXTEND, c_latest_equal, NULL},
	{"a second beyond latest", TALLY_EXTEND, c_latest_less, "validity_latest"},
	{"issuer's end", TALLY_EXTEND, c_issuer_equal, NULL},
	{"a second beyond the issuer's end", TALLY_EXTEND, c_issuer_less, "validity_issuer"},
	{"issuer ends before what is kept", TALLY_CHANGE, c_issuer_keep, "validity_issuer"},
	{"issuer ends within the responder's week", TALLY_RESPONDER, c_issuer_week, "validity_issuer"},
	{"cap", TALLY_EXTEND, c_none, "validity_cap", "cap_days: 3653", "cap_days: 1155"},
	{"cap, to the day", TALLY_EXTEND, c_none, NULL, "cap_days: 3653", "cap_days: 1156"},
	{"kept end beyond the cap", TALLY_CHANGE, c_keep_beyond_cap, "validity_cap"},
};

static void test_each_rule(void **state)
{
	(void)state;
	CASES_RUN(cases);
}

/* Dates of the certificate. */
static void test_dates(void **state)
{
	(void)state;
	static const struct {
		enum tally_kind kind;
		const char *now, *old;
		unsigned months;
		const char *wants;
	} rows[] = {
		/* not expired: runs on from the old end */
		{TALLY_EXTEND, "2026-11-23T10:20:30Z", "2027-01-15T12:25:04Z", 36, "2030-01-15T12:25:04Z"},
		/* expired: from the issue on */
		{TALLY_EXTEND, "2026-11-23T10:20:30Z", "2026-10-26T12:25:04Z", 36, "2029-11-23T10:20:30Z"},
		{TALLY_EXTEND, "2026-11-23T10:20:30Z", "2026-11-23T10:20:30Z", 12, "2027-11-23T10:20:30Z"},
		/* 29 February: a day that is not there becomes the last of the month */
		{TALLY_EXTEND, "2028-01-10T00:00:00Z", "2028-02-29T23:59:59Z", 12, "2029-02-28T23:59:59Z"},
		{TALLY_EXTEND, "2028-02-29T08:00:00Z", "2028-02-01T00:00:00Z", 36, "2031-02-28T08:00:00Z"},
		{TALLY_ENROL, "2028-02-29T08:00:00Z", "2028-02-29T08:00:00Z", 24, "2030-02-28T08:00:00Z"},
		/* kept */
		{TALLY_CHANGE, "2026-11-23T10:20:30Z", "2027-01-15T12:25:04Z", 0, "2027-01-15T12:25:04Z"},
		{TALLY_CHANGE, "2026-11-23T10:20:30Z", "2027-01-15T12:25:04Z", 12, "2028-01-15T12:25:04Z"},
		{TALLY_REISSUE, "2026-11-23T10:20:30Z", "2029-01-15T12:25:04Z", 0, "2029-01-15T12:25:04Z"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene s;
		struct verdict v = {0};
		struct fault f = {0};

		scene_make(&s, rows[i].kind, NULL, NULL);
		s.x.now = at(rows[i].now);
		s.x.not_after = at(rows[i].old);
		s.t.made = s.x.now;
		s.t.dies = s.x.now + 3600;
		validity_set(&s, rows[i].months);
		if (rows[i].months > 0)
			c_order(&s);
		if (judge(s.p, &s.t, &s.x, &v, &f) != OK)
			fail_msg("row %zu: %s %s", i, f.rule, f.text);
		assert_int_equal(v.not_before, s.x.now);
		assert_string_equal(UTC(v.not_after), rows[i].wants);
		assert_int_equal(judge_not_after(policy_profile(s.p, "organisation"), s.x.now,
						 rows[i].kind == TALLY_ENROL ? 0 : s.x.not_after, rows[i].months),
				 v.not_after);
		scene_done(&s);
	}
}

static void test_not_after_is_bounded(void **state)
{
	(void)state;
	struct scene s;
	const struct profile *p;
	int64_t far = at("9999-12-31T23:59:59Z");

	scene_make(&s, TALLY_EXTEND, NULL, NULL);
	p = policy_profile(s.p, "organisation");
	assert_int_equal(judge_not_after(p, now, far, 36), now + 3653 * DAY);
	assert_int_equal(judge_not_after(p, now, far, 0), now + 3653 * DAY);
	assert_int_equal(judge_not_after(p, now, now, 4000000000u), now + 3653 * DAY);
	scene_done(&s);
}

static void test_responder_dates(void **state)
{
	(void)state;
	struct scene s;
	struct verdict v = {0};

	scene_make(&s, TALLY_RESPONDER, NULL, NULL);
	assert_int_equal(judge(s.p, &s.t, &s.x, &v, NULL), OK);
	assert_int_equal(v.not_before, now);
	assert_int_equal(v.not_after, now + 7 * DAY);
	assert_int_equal(v.proof, PROOF_NEW);
	assert_int_equal(v.officers, 0);
	assert_null(v.profile);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_rule),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_not_after_is_bounded),
		cmocka_unit_test(test_responder_dates),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
