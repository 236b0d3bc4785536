/*
 * What the desk goes by: shown, tried, read again; each change in the audit; officers' views; prices from a day on.
 */
#include "ra_fixture.h"

#include "ra/facts.h"

#include <string.h>

static size_t lines_with(json_t *list, const char *text)
{
	json_t *v;
	size_t i, n = 0;
	json_array_foreach(list, i, v) n += strstr(json_string_value(v), text) != NULL;
	return n;
}

static size_t audited(struct fx *x, const char *text)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "audit.list", json_pack("{s:s}", "object", "desk"));
	json_t *v;
	size_t i, n = 0;
	json_array_foreach(json_object_get(r, "rows"), i, v) n +=
		strcmp(fx_text(v, "what"), "law_changed") == 0 && strstr(fx_text(v, "detail"), text) != NULL;
	return n;
}

static void test_diff(void **state)
{
	static const struct {
		const char *before, *after, *changes[3];
	} cases[] = {
		{"", "", {NULL}},
		{"a = 1\n", "a = 1\n", {NULL}},
		{"", "a = 1\n", {"+ a = 1"}},
		{"a = 1\nb = 2\n", "a = 1\n", {"- b = 2"}},
		{"a = 1\nb = 2\n", "a = 2\nb = 2\n", {"- a = 1", "+ a = 2"}},
		{"b = 2\na = 1\n", "a = 1\nb = 2", {NULL}},
		{"a = 1\n", "b = 1\n", {"- a = 1", "+ b = 1"}},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(json_freep) json_t *r = facts_diff(slice_str(cases[i].before), slice_str(cases[i].after));
		size_t n = 0;
		for (; n < 3 && cases[i].changes[n]; n++)
			assert_string_equal(json_string_value(json_array_get(r, n)), cases[i].changes[n]);
		assert_int_equal(json_array_size(r), n);
	}
}

static void test_show(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(json_freep) json_t *admin = fx_do(x, UID_ADMIN, "desk.law", NULL),
				     *officer = fx_do(x, UID_OFFICER, "desk.law", NULL);
	json_t *all = json_object_get(admin, "facts"), *some = json_object_get(officer, "facts");
	assert_int_equal(lines_with(all, "project.jinhua.service.organisation-certificate.price_fen = 30000"), 1);
	assert_int_equal(lines_with(all, "project.jinhua.contact.emergency = 0579-00000001"), 1);
	assert_int_equal(lines_with(all, "roster.alice = officer "), 1);
	assert_true(lines_with(all, "caller.") > 0);
	assert_int_equal(lines_with(some, "caller."), 0);
	assert_int_equal(lines_with(some, "project.jinhua.contact.emergency"), 1);
	fx_refused(x, UID_SUBSCRIBER, "desk.law", NULL, "method_denied");
	fx_refused(x, UID_OFFICER, "desk.check", NULL, "method_denied");
	fx_refused(x, UID_OFFICER, "desk.reload", NULL, "method_denied");
}

#define CALENDAR "opens: '09:00'\ncloses: '17:30'\nweekdays: [monday, tuesday]\nyears: {'2027': {off: [%s]}}\n"

static void put_calendar(struct fx *x, const char *days)
{
	_cleanup_(freep) char *text = xasprintf(CALENDAR, days);
	fx_write(x, "calendar.yaml", text);
}

static void test_reload(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	put_calendar(x, "2027-01-01");
	json_decref(fx_do(x, UID_ADMIN, "desk.reload", NULL));
	size_t before = audited(x, "");
	_cleanup_(json_freep) json_t *same = fx_do(x, UID_ADMIN, "desk.check", NULL);
	assert_int_equal(json_array_size(json_object_get(same, "changes")), 0);
	put_calendar(x, "2027-01-01..2027-01-03");
	/* Tried: nothing is changed, and nothing is written. */
	_cleanup_(json_freep) json_t *tried = fx_do(x, UID_ADMIN, "desk.check", NULL);
	assert_int_equal(lines_with(json_object_get(tried, "changes"), "- calendar.2027.off = 2027-01-01"), 1);
	assert_int_equal(lines_with(json_object_get(tried, "changes"), "+ calendar.2027.off = 2027-01-01..2027-01-03"),
			 1);
	_cleanup_(json_freep) json_t *old = fx_do(x, UID_PORTAL, "calendar.show", NULL);
	assert_int_equal(lines_with(json_object_get(old, "facts"), ".."), 0);
	assert_int_equal(audited(x, ""), before);
	/* Read: in force, and once in the audit with who and what; the call repeated changes nothing. */
	json_t *p = json_pack("{s:s}", "call_id", "reload-0001");
	_cleanup_(json_freep) json_t *done = fx_do(x, UID_ADMIN, "desk.reload", json_incref(p)),
				     *again = fx_do(x, UID_ADMIN, "desk.reload", p);
	assert_true(json_equal(done, again));
	_cleanup_(json_freep) json_t *now = fx_do(x, UID_PORTAL, "calendar.show", NULL);
	assert_int_equal(lines_with(json_object_get(now, "facts"), "2027-01-01..2027-01-03"), 1);
	assert_int_equal(audited(x, ""), before + 1);
	assert_int_equal(audited(x, "+ calendar.2027.off = 2027-01-01..2027-01-03"), 1);
	_cleanup_(json_freep) json_t *nothing = fx_do(x, UID_ADMIN, "desk.reload", NULL);
	assert_int_equal(json_array_size(json_object_get(nothing, "changes")), 0);
	fx_restart(x);
	assert_int_equal(audited(x, ""), before + 1);
}

/* What cannot be used is named, and what is in force stays. */
static void test_bad_files(void **state)
{
	static const char *const bad[] = {
		"2027-01-01, 2027-01-01",	      /* twice */
		"2027-01-01..2027-01-05, 2027-01-03", /* overlaps */
		"2026-12-31",			      /* another year */
		"2027-01-05..2027-01-01",	      /* backwards */
		"2027-02-30",
		"''",
		"x",
		"2027-01-01\n  - [}",
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	put_calendar(x, "2027-01-01");
	json_decref(fx_do(x, UID_ADMIN, "desk.reload", NULL));
	size_t before = audited(x, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_calendar(x, bad[i]);
		fx_refused(x, UID_ADMIN, "desk.check", NULL, "law_files");
		fx_refused(x, UID_ADMIN, "desk.reload", NULL, "law_files");
	}
	_cleanup_(json_freep) json_t *now = fx_do(x, UID_PORTAL, "calendar.show", NULL);
	assert_int_equal(lines_with(json_object_get(now, "facts"), "calendar.2027.off = 2027-01-01"), 1);
	assert_int_equal(audited(x, ""), before);
}

/* A file that was changed while the desk was down is in the audit when it is up. */
static void test_changed_while_down(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	size_t before = audited(x, "");
	fx_restart(x);
	assert_int_equal(audited(x, ""), before);
	fx_configure(x, "session_minutes: 7\n");
	assert_int_equal(audited(x, "+ ra_yaml.sha256 = "), before + 1);
}

/* An officer with a view sees its projects' requests, and of others not that they are there; who may sign is the roster's. */
static void test_views(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	fx_prove(x, id);
	fx_submit(x, id);
	_cleanup_(json_freep)
		json_t *all = fx_do(x, UID_OFFICER, "review.queue", NULL),
		       *none = fx_do(x, UID_NARROW, "review.queue", NULL),
		       *asked = fx_do(x, UID_NARROW, "review.queue", json_pack("{s:s}", "project", "jinhua"));
	assert_int_equal(json_array_size(json_object_get(all, "requests")), 1);
	assert_int_equal(json_array_size(json_object_get(none, "requests")), 0);
	assert_int_equal(json_integer_value(json_object_get(none, "total")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(none, "counts"), "waiting")), 0);
	assert_int_equal(json_array_size(json_object_get(asked, "requests")), 0);
	fx_refused(x, UID_NARROW, "review.show", json_pack("{s:s}", "request", id), "request_unknown");
	fx_refused(x, UID_NARROW, "review.claim", json_pack("{s:s}", "request", id), "request_unknown");
	fx_refused(x, UID_NARROW, "review.reject", json_pack("{s:s,s:s}", "request", id, "reason", "x"),
		   "request_unknown");
	fx_refused(x, UID_NARROW, "audit.list", json_pack("{s:s}", "object", id), "request_unknown");
	fx_state(x, id, "awaiting_officers");
}

static void test_price(void **state)
{
	struct service_price prices[] = {{"2027-01-01", 32000}, {"2028-01-01", 0}};
	struct service_def s = {.price_fen = 30000, .prices = {.v = prices, .n = 2}};
	int64_t t = 0;
	(void)state;
	static const struct {
		const char *at;
		int64_t fen;
	} cases[] = {{"2026-12-31 23:59:59", 30000},
		     {"2027-01-01 00:00:00", 32000},
		     {"2027-12-31 23:59:59", 32000},
		     {"2028-01-01 00:00:00", 0},
		     {"2031-01-01 00:00:00", 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(time_parse_shanghai(cases[i].at, strlen(cases[i].at), &t));
		assert_int_equal(service_price(&s, t), cases[i].fen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_changed_while_down),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_price),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
