/*
 * How often a call asks the database: in how many snapshots, and the same thing never twice. Counted by SQLite itself, for
 * each statement of the one reader that one caller after the other needs.
 */
#include "ra_fixture.h"

#include "common/db/private.h"

#include <sqlite3.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

/* Runs of the statements that hold this text. */
static int runs(struct fx *x, const char *text)
{
	struct fault f = {0};
	struct db *db = NULL;
	sqlite3_stmt *s = NULL;
	int n = 0;
	assert_int_equal(store_read(x->desk->store, &db, &f), OK);
	while ((s = sqlite3_next_stmt(db->handle, s))) {
		if (strstr(sqlite3_sql(s), text))
			n += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_RUN, 0);
	}
	store_read_end(x->desk->store, db);
	return n;
}

/* Of such statements, by one call of the first organisation. params is taken. */
static int runs_of_call(struct fx *x, const char *text, const char *method, json_t *params)
{
	int idle = runs(x, text), before = runs(x, text);
	json_decref(fx_do(x, UID_SUBSCRIBER, method, params));
	return runs(x, text) - before - (before - idle);
}

static json_t *of(struct fx *x, const char *request)
{
	return json_pack("{s:s,s:s}", "session", x->session, "request", request);
}

static json_t *prove(struct fx *x, const char *request)
{
	_cleanup_(freep) char *line = fx_sub_line(x, request, x->org.key);
	return json_pack("{s:s,s:s,s:[s],s:b}", "session", x->session, "request", request, "lines", line, "submit", 1);
}

/* What a call reads first it reads in the snapshot that its session was found in, and in no other. */
static void test_one_snapshot(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	const struct {
		const char *method;
		json_t *params;
		int snapshots;
	} calls[] = {
		{"request.list", json_pack("{s:s}", "session", x->session), 1},
		{"account.sessions", json_pack("{s:s}", "session", x->session), 1},
		{"request.show", of(x, id), 2}, /* it may wait: what it waits for is counted before it reads */
		{"request.prove", prove(x, id), 1},
	};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_int_equal(runs_of_call(x, "BEGIN", calls[i].method, calls[i].params), calls[i].snapshots);
}

/* A reader that was kept for a call is given back, however the call ends: there are only a few. */
static void test_readers_come_back(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(freep) char *session = fx_enter(x, UID_SUBSCRIBER, ORG_CODE);
	for (int i = 0; i < 10; i++)
		fx_refused(x, UID_SUBSCRIBER, "request.list", json_pack("{s:s}", "session", session), "reset_first");
	fx_log_in(x);
	for (int i = 0; i < 10; i++) {
		fx_refused(x, UID_SUBSCRIBER, "request.list", json_pack("{s:s}", "session", "nobody's"),
			   "session_unknown");
		fx_refused(x, UID_OTHER, "request.list", json_pack("{s:s}", "session", x->session), "session_unknown");
		fx_refused(x, UID_SUBSCRIBER, "request.list",
			   json_pack("{s:s,s:s}", "session", x->session, "address", "192.0.2.1"), "address_denied");
		fx_refused(x, UID_SUBSCRIBER, "request.prove",
			   json_pack("{s:s,s:s,s:[s],s:s}", "session", x->session, "request",
				     "00000000000000000000000000000000", "lines", "line", "address", "192.0.2.1"),
			   "address_denied");
		/* One that writes how long the session lives on. */
		clock_set(NOW + 120 * (i + 1));
		json_decref(fx_do(x, UID_SUBSCRIBER, "request.list", json_pack("{s:s}", "session", x->session)));
	}
}

/* Of a request that is at its end: one small look, then all of it once; its history by the request alone. */
static void test_show(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove", prove(x, id)));
	fx_hand_over(x);
	fx_state(x, id, "issued");
	const struct {
		const char *text;
		int runs;
	} wanted[] = {{"FROM requests r LEFT JOIN works", 0},
		      {"FROM requests r JOIN request_texts", 1},
		      {"FROM courses c JOIN history", 0},
		      {"FROM history WHERE request", 1}};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		json_t *p = of(x, id);
		json_object_set_new(p, "wait_ms", json_integer(1000));
		assert_int_equal(runs_of_call(x, wanted[i].text, "request.show", p), wanted[i].runs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_snapshot),
		cmocka_unit_test(test_readers_come_back),
		cmocka_unit_test(test_show),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
