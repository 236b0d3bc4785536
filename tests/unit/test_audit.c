/*
 * The audit: its chain, what each way of tampering shows, who may read what, and where a call came from.
 */
#include "ra_fixture.h"

#include "ra/audit.h"
#include "ra/store_audit.h"
#include "ra/store_schema.h"

#include <string.h>

/* --- the chain --- */

/* Made by another program (Python's hashlib) from the description in audit.h. */
static void test_known_hashes(void **state)
{
	static const struct {
		struct audit_row row;
		const char *hash;
	} cases[] = {
		{{.id = 1,
		  .at = NOW,
		  .who = "account:35353550-9",
		  .uid = 1001,
		  .address = "2001:db8::1",
		  .what = "login",
		  .object = "35353550-9",
		  .detail = ""},
		 "658cc70231d7e1f25fd08d95969c240ebadda9c191c54d0c4b8c3b30a9a1ec3a"},
		{{.id = 2,
		  .at = NOW + 1,
		  .who = "uid:1002",
		  .uid = 1002,
		  .address = "",
		  .what = "order_confirmed",
		  .object = "20261123-7K2M9QXA4BCD",
		  .detail = "银行 <b>1:2,3</b>"},
		 "aa04c774168b94f7076da1db4af99711ca6662fb05698a7111402d2cd324d426"},
	};
	struct audit_walk walk = {0};
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct audit_row row = cases[i].row;
		char hex[65];
		audit_row_hash(walk.hash, &row, row.hash);
		hex_lower(row.hash, 32, hex);
		assert_string_equal(hex, cases[i].hash);
		assert_int_equal(audit_walk_next(&walk, &row, &f), OK);
	}
	assert_int_equal(walk.id, 2);
}

/* No two contents have one hash by moving text between fields. */
static void test_fields_do_not_flow(void **state)
{
	struct audit_row a = {.who = "ab", .address = "c", .what = "", .object = "", .detail = ""},
			 b = {.who = "a", .address = "bc", .what = "", .object = "", .detail = ""};
	uint8_t zero[32] = {0};
	(void)state;
	audit_row_hash(zero, &a, a.hash);
	audit_row_hash(zero, &b, b.hash);
	assert_memory_not_equal(a.hash, b.hash, 32);
}

/* --- a desk's audit --- */

static json_t *verified(struct fx *x)
{
	return fx_do(x, UID_ADMIN, "audit.verify", NULL);
}

/* Somebody with the database in hand: the triggers are no obstacle. */
static void tamper(struct fx *x, const char *sql)
{
	struct db *db = NULL;
	struct fault f = {0};
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	enum err e = db_run(db, &f, "DROP TRIGGER IF EXISTS audit_stays", "");
	if (e == OK)
		e = db_run(db, &f, "DROP TRIGGER IF EXISTS audit_kept", "");
	if (e == OK)
		e = db_run(db, &f, sql, "");
	assert_int_equal(store_end(x->desk->store, db, e, &f), OK);
}

static void test_tampering_names_the_row(void **state)
{
	static const struct {
		const char *sql;
		int64_t row; /* 0: not seen by the chain alone */
	} cases[] = {
		{"UPDATE audit SET who = 'uid:0' WHERE id = 3", 3},
		{"UPDATE audit SET at = at + 1 WHERE id = 1", 1},
		{"UPDATE audit SET detail = detail || ' ' WHERE id = 4", 4},
		{"UPDATE audit SET hash = zeroblob(32) WHERE id = 2", 2},
		{"UPDATE audit SET hash = zeroblob(31) WHERE id = 2", 2},
		{"DELETE FROM audit WHERE id = 2", 2},
		{"UPDATE audit SET id = 99 WHERE id = 3", 3},
		{"INSERT INTO audit (id, at, who, uid, what, object, detail, address, hash) SELECT -1, at, who, uid, "
		 "what,"
		 " object, detail, address, hash FROM audit WHERE id = 1",
		 1},
		{"DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		fx_log_in(x);
		free(fx_revoke(x));
		_cleanup_(json_freep) json_t *before = verified(x);
		assert_true(json_is_true(json_object_get(before, "holds")));
		tamper(x, cases[i].sql);
		_cleanup_(json_freep) json_t *after = verified(x);
		if (json_is_true(json_object_get(after, "holds")) != (cases[i].row == 0) ||
		    json_integer_value(json_object_get(after, "row")) != cases[i].row)
			fail_msg("case %zu: %s", i, json_dumps(after, 0));
		/* What the chain alone does not see, the head that somebody kept does. */
		assert_false(json_equal(json_object_get(before, "head"), json_object_get(after, "head")));
	}
}

static void test_rows_are_appended(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_revoke(x);
	_cleanup_(json_freep)
		json_t *all = fx_do(x, UID_ADMIN, "audit.export", json_pack("{s:i}", "limit", 1000)),
		       *tail = fx_do(x, UID_ADMIN, "audit.export", json_pack("{s:i,s:i}", "after", 2, "limit", 1));
	json_t *rows = json_object_get(all, "rows"), *row;
	size_t i, n = json_array_size(rows);
	json_array_foreach(rows, i, row) assert_int_equal(json_integer_value(json_object_get(row, "id")), i + 1);
	assert_string_equal(fx_text(json_object_get(all, "head"), "hash"),
			    fx_text(json_array_get(rows, n - 1), "hash"));
	assert_int_equal(json_array_size(json_object_get(tail, "rows")), 1);
	assert_true(json_equal(json_array_get(json_object_get(tail, "rows"), 0), json_array_get(rows, 2)));
	/* What was refused left no row, and the chain goes on over a restart. */
	fx_refused(x, UID_SUBSCRIBER, "request.submit", json_pack("{s:s,s:s}", "session", x->session, "request", "x"),
		   "param_range");
	fx_restart(x);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw",
			  json_pack("{s:s,s:s}", "session", x->session, "request", id)));
	_cleanup_(json_freep) json_t *after = verified(x);
	assert_true(json_is_true(json_object_get(after, "holds")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(after, "head"), "id")), n + 1);
}

static void test_who_sees_what(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_revoke(x);
	json_t *of = json_pack("{s:s}", "object", id);
	_cleanup_(json_freep) json_t *seen = fx_do(x, UID_OFFICER, "audit.list", of);
	json_t *row = json_array_get(json_object_get(seen, "rows"), 0);
	assert_int_equal(json_array_size(json_object_get(seen, "rows")), 1);
	assert_string_equal(fx_text(row, "what"), "request_drafted");
	assert_string_equal(fx_text(row, "who"), "account:" ORG_CODE);
	assert_string_equal(fx_text(row, "at"), "2026-11-23T00:00:00Z");
	/* By its number too; a number that is none, and half of one, name nothing. */
	_cleanup_(json_freep) json_t *shown = fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", id));
	_cleanup_(freep) char *number = xstrdup(fx_text(shown, "number"));
	_cleanup_(json_freep) json_t *by_number =
		fx_do(x, UID_OFFICER, "audit.list", json_pack("{s:s}", "object", number));
	assert_true(json_equal(json_object_get(by_number, "rows"), json_object_get(seen, "rows")));
	fx_refused(x, UID_OFFICER, "audit.list", json_pack("{s:s}", "object", "20261123-AAAAAAAAAAAA"),
		   "request_unknown");
	number[12] = '\0';
	fx_refused(x, UID_OFFICER, "audit.list", json_pack("{s:s}", "object", number), "request_unknown");
	fx_refused(x, UID_OFFICER, "audit.list", NULL, "audit_object");
	fx_refused(x, UID_OFFICER, "audit.list", json_pack("{s:s}", "object", ORG_CODE), "request_unknown");
	fx_refused(x, UID_OFFICER, "audit.list", json_pack("{s:s}", "object", "' OR 1=1 --<script>"),
		   "request_unknown");
	fx_refused(x, UID_OFFICER, "audit.export", NULL, "method_denied");
	fx_refused(x, UID_OFFICER, "audit.verify", NULL, "method_denied");
	fx_refused(x, UID_SUBSCRIBER, "audit.list", json_pack("{s:s}", "object", id), "method_denied");
	fx_refused(x, UID_PORTAL, "audit.list", json_pack("{s:s}", "object", id), "method_denied");
}

static size_t listed(struct fx *x, json_t *params)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "audit.list", params);
	return json_array_size(json_object_get(r, "rows"));
}

static void test_filters(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	clock_set(NOW + 100);
	_cleanup_(freep) char *id = fx_revoke(x);
	size_t all = listed(x, NULL);
	assert_int_equal(listed(x, json_pack("{s:s}", "since", "2026-11-23T00:01:40Z")), 1);
	assert_int_equal(listed(x, json_pack("{s:s}", "until", "2026-11-23T00:01:40Z")), all - 1);
	assert_int_equal(
		listed(x, json_pack("{s:s,s:s}", "since", "2026-11-23T00:01:40Z", "until", "2026-11-23T00:01:40Z")), 0);
	assert_int_equal(listed(x, json_pack("{s:s,s:s}", "object", id, "who", "account:" ORG_CODE)), 1);
	assert_int_equal(listed(x, json_pack("{s:s,s:s}", "object", id, "who", "account:" OTHER_CODE)), 0);
	assert_int_equal(listed(x, json_pack("{s:s}", "who", "x' OR '1'='1")), 0);
	assert_int_equal(listed(x, json_pack("{s:i,s:i}", "after", 1, "limit", 1)), 1);
	fx_refused(x, UID_ADMIN, "audit.list", json_pack("{s:s}", "since", "2026-02-30T00:00:00Z"), "audit_time");
	fx_refused(x, UID_ADMIN, "audit.list", json_pack("{s:i}", "limit", 501), "param_range");
	fx_refused(x, UID_ADMIN, "audit.export", json_pack("{s:i}", "after", -1), "param_range");
}

/* --- from where --- */

static json_t *login(const char *address)
{
	json_t *p = json_pack("{s:s,s:s}", "identifier", ORG_CODE, "password", PASSWORD);
	if (address)
		json_object_set_new(p, "address", json_string(address));
	return p;
}

static void test_where_a_call_came_from(void **state)
{
	static const char *const good[] = {"203.0.113.7", "2001:db8::1"};
	static const char *const bad[] = {"203.0.113", "somewhere", "203.0.113.7 ",
					  "::1%eth0",  "<script>",  "'; DROP TABLE audit"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		json_decref(fx_do(x, UID_PORTAL, "account.login", login(good[i])));
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "audit.export", NULL);
		json_t *rows = json_object_get(r, "rows"), *last = json_array_get(rows, json_array_size(rows) - 1);
		assert_string_equal(fx_text(last, "what"), "login");
		assert_string_equal(fx_text(last, "address"), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fx_refused(x, UID_PORTAL, "account.login", login(bad[i]), "address_form");
	fx_refused(x, UID_PORTAL, "account.login", login(""), "param_range");
	/* Nobody else's word on it is taken. */
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(good[0]), "address_denied");
	fx_refused(x, UID_OFFICER, "audit.list", json_pack("{s:s}", "address", good[0]), "param_unknown");
}

/* The same call from another place is the same call. */
static void test_an_address_is_no_content(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	json_t *first = login("203.0.113.7");
	_cleanup_(json_freep) json_t *in = fx_do(x, UID_PORTAL, "account.login", first);
	json_t *order = json_pack("{s:s,s:s,s:s,s:s,s:s}", "session", fx_text(in, "session"), "service_id", "20353",
				  "kind", "renew", "call_id", "the-same-call", "address", "203.0.113.7");
	json_t *again = json_deep_copy(order);
	json_object_set_new(again, "address", json_string("203.0.113.8"));
	_cleanup_(json_freep) json_t *a = fx_do(x, UID_PORTAL, "order.create", order),
				     *b = fx_do(x, UID_PORTAL, "order.create", again);
	assert_true(json_equal(a, b));
}

/* --- upgrades, and the head in the log --- */

static void test_rows_from_before_are_chained(void **state)
{
	_cleanup_(db_closep) struct db *db = NULL;
	struct fault f = {0};
	struct audit_walk head;
	(void)state;
	assert_int_equal(db_open(":memory:", false, &db, &f), OK);
	assert_int_equal(db_migrate(db, store_migrations, 2, &f), OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(db_run(db, &f,
					"INSERT INTO audit (at, who, uid, what, object, detail) VALUES (?1, 'uid:7', "
					"7, 'login', 'o', '')",
					"i", (int64_t)i),
				 OK);
	assert_int_equal(db_migrate(db, store_migrations, store_n_migrations, &f), OK);
	assert_int_equal(store_audit_seal(db, &f), OK);
	assert_int_equal(store_audit_head(db, &head, &f), OK);
	assert_int_equal(head.id, 3);
	struct audit_walk walk = {0};
	for (int i = 0; i < 3; i++) {
		struct audit_row row = {.id = i + 1,
					.at = i,
					.who = "uid:7",
					.uid = 7,
					.address = "",
					.what = "login",
					.object = "o",
					.detail = ""};
		audit_row_hash(walk.hash, &row, row.hash);
		assert_int_equal(audit_walk_next(&walk, &row, &f), OK);
	}
	assert_memory_equal(walk.hash, head.hash, 32);
	/* From now on they are as fixed as the others. */
	assert_int_not_equal(db_run(db, &f, "UPDATE audit SET who = 'x' WHERE id = 1", ""), OK);
}

static int64_t head_day(struct fx *x)
{
	struct db *db = NULL;
	struct fault f = {0};
	int64_t day = 0;
	assert_int_equal(store_read(x->desk->store, &db, &f), OK);
	assert_int_equal(store_head(db, "audit_day", &day, &f), OK);
	store_read_end(x->desk->store, db);
	return day;
}

static void test_the_head_is_logged_daily(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	(void)state;
	assert_int_equal(audit_log_head(x->desk, NOW, &f), OK);
	assert_int_equal(head_day(x), NOW / DAY);
	assert_int_equal(audit_log_head(x->desk, NOW + DAY - 1, &f), OK);
	assert_int_equal(head_day(x), NOW / DAY);
	assert_int_equal(audit_log_head(x->desk, NOW + DAY, &f), OK);
	assert_int_equal(head_day(x), NOW / DAY + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_hashes),
		cmocka_unit_test(test_fields_do_not_flow),
		cmocka_unit_test(test_tampering_names_the_row),
		cmocka_unit_test(test_rows_are_appended),
		cmocka_unit_test(test_who_sees_what),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_where_a_call_came_from),
		cmocka_unit_test(test_an_address_is_no_content),
		cmocka_unit_test(test_rows_from_before_are_chained),
		cmocka_unit_test(test_the_head_is_logged_daily),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
