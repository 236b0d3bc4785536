/*
 * Officers of some projects among many accounts: each list gives exactly the rows that a walk through everybody's gives, whichever way it
 * took, and what is kept beside the rows for that is what the rows say, whatever moved.
 */
#include "ra_fixture.h"

#include "ra/store_find.h"
#include "ra/store_payment.h"
#include "ra/store_token.h"
#include "ra/store_view.h"

#include <string.h>

#define MANY "6100" /* more than ra/store_find.c takes for few, of services and of names */

static void ok(enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s", f->text);
}

static void run(struct db *db, const char *const *sqls, size_t n)
{
	struct fault f = {0};
	for (size_t i = 0; i < n; i++)
		ok(db_run(db, &f, sqls[i], ""), &f);
}

/* Accounts 100000 and on: most of jinhua, some of two others or of two at once, some of none; each with a service, an order, a payment of
 * that, and some with a token. Names are of the first two thirds as one kind of words, a few rare, a few with letters that have cases. */
static void add_crowd(struct db *db, bool many)
{
	const char *const sqls[] = {
		"CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < " MANY
		") SELECT i, i + 100000 AS account, CASE i % 100 WHEN 3 THEN 'ningbo' WHEN 4 THEN 'quzhou' ELSE "
		"'jinhua' END"
		" AS project, i % 100 <> 5 AS served FROM n",
		many ? "DELETE FROM n WHERE i < 0" : "DELETE FROM n WHERE i > 450",
		"INSERT INTO accounts (id, identifier, organisation, agent, mobile, flags, initial, created, updated)"
		" SELECT account, 'X' || i, CASE WHEN i % 50 IN (3, 7) THEN '特别商行 AbC%_' || i WHEN i % 100 IN (4, "
		"8) THEN"
		" '市Äpfel' || i WHEN i > 5000 THEN '晚来商号' || i ELSE '甲乙' || i || '有限公司' END, '', '', '', 1, "
		"1, 1 FROM n",
		"INSERT INTO account_names (rowid, organisation) SELECT id, organisation FROM accounts WHERE id >= "
		"100000",
		"INSERT INTO services (id, account, project, service, title, certificate_name, serial, issuer_name, "
		"begins, ends)"
		" SELECT '7' || i, account, project, 'x', '', '', x'', '', 0, 0 FROM n WHERE served"
		" UNION ALL SELECT '8' || i, account, 'ningbo', 'x', '', '', x'', '', 0, 0 FROM n WHERE i % 100 = 6",
		"INSERT INTO orders (id, account, service, kind, amount_fen, period_months, uses, months, policy, "
		"state, created,"
		" project) SELECT printf('20261123-%08d', i), account, '7' || i, 'renew', 100 * (i % 7), 12, 0, 0, '',"
		" CASE WHEN i % 3 THEN 'paid' ELSE 'created' END, (i * 7919) % 101, project FROM n WHERE served",
		"INSERT INTO payments (id, order_id, amount_fen, state, at, who, project) SELECT 'bank:' || i,"
		" printf('20261123-%08d', i), 1, CASE WHEN i % 5 THEN 'applied' ELSE 'to_refund' END, (i * 31) % 97, "
		"'', project"
		" FROM n WHERE i % 3 AND served",
		"INSERT INTO tokens (serial, model, label, state, account, keeper, added, changed)"
		" SELECT printf('S%06d', (i * 7919) % 100003), 'm', 'l', CASE WHEN i % 4 THEN 'in_use' ELSE 'lost' END,"
		" CASE WHEN i % 40 THEN account END, '', 1, 1 FROM n WHERE i % 10 = 0 OR i % 100 < 7",
	};
	run(db, sqls, sizeof(sqls) / sizeof(sqls[0]));
}

/* --- what lists give, beside a walk --- */

/* The ids that a statement gives, which looks at every row: ?1 the view, ?2 a text, ?3 a number. */
static void check_ids(struct db *db, const char *sql, const char *view, const char *text, int64_t n, struct buf *ids)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	_cleanup_buf_ struct buf wanted = {0};
	struct fault f = {0};
	ok(db_query(db, &f, &row, sql, "tti", view, text, n), &f);
	for (bool more = true;;) {
		ok(db_next(row, &more, &f), &f);
		if (!more)
			break;
		buf_fmt(&wanted, "%s ", db_text(row, 0));
	}
	if (strcmp(buf_text(ids), buf_text(&wanted)) != 0)
		fail_msg("view %s, \"%s\", %d: found %.300s, wanted %.300s", view, text, (int)n, buf_text(ids),
			 buf_text(&wanted));
	buf_clear(ids);
}

static void see_order(void *arg, const struct order *o, const char *organisation, const char *identifier)
{
	(void)organisation, (void)identifier;
	buf_fmt(arg, "%s ", o->id);
}

static void see_payment(void *arg, const struct payment *p)
{
	buf_fmt(arg, "%s ", p->id);
}

static void see_account(void *arg, const struct account *a)
{
	buf_fmt(arg, "%s ", a->identifier);
}

struct seen_tokens {
	struct buf *ids;
	size_t n;
	char last[PUK_SERIAL + 1];
};

static void see_token(void *arg, const struct token_item *t)
{
	struct seen_tokens *s = arg;
	buf_fmt(s->ids, "%s ", t->serial);
	memcpy(s->last, t->serial, sizeof(s->last));
	s->n++;
}

static void check_orders(struct db *db, const char *view, const char *state, int64_t amount)
{
	_cleanup_buf_ struct buf ids = {0};
	struct list_end end = {.more = true, .last.at = INT64_MIN};
	struct fault f = {0};
	const struct order_search orders = {
		.text = "", .amount_fen = amount, .state = state, .invoice = "", .view = view};
	while (end.more)
		ok(store_orders_find(db, &orders, &(struct list_page){.limit = 900, .after = end.last}, see_order, &ids,
				     &end, &f),
		   &f);
	check_ids(db,
		  "SELECT o.id FROM orders o JOIN services s ON s.id = o.service WHERE instr(?1, ',' || s.project || "
		  "',') > 0"
		  " AND (?2 = '' OR o.state = ?2) AND (?3 < 0 OR o.amount_fen = ?3) ORDER BY o.created, o.id",
		  view, state, amount, &ids);
}

static void check_payments(struct db *db, const char *view, const char *state)
{
	_cleanup_buf_ struct buf ids = {0};
	struct list_end end = {.more = true, .last.at = INT64_MIN};
	struct fault f = {0};
	const struct payment_filter payments = {.state = state, .order = "", .view = view};
	while (end.more)
		ok(store_payments(db, &payments, &(struct list_page){.limit = 900, .after = end.last}, see_payment,
				  &ids, &end, &f),
		   &f);
	check_ids(db,
		  "SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id JOIN services s ON s.id = o.service"
		  " WHERE instr(?1, ',' || s.project || ',') > 0 AND (?2 = '' OR p.state = ?2) AND ?3 = 0"
		  " ORDER BY p.at, p.id",
		  view, state, 0, &ids);
}

/* By a part of the number; page by page where that is in the order of time, else the first page of all. */
static void check_numbers(struct db *db, const char *view, const char *text)
{
	_cleanup_buf_ struct buf ids = {0};
	struct list_end end = {.more = true, .last.at = INT64_MIN};
	struct fault f = {0};
	const struct order_search orders = {.text = text, .amount_fen = -1, .state = "", .invoice = "", .view = view};
	while (end.more)
		ok(store_orders_find(db, &orders, &(struct list_page){.limit = 300, .after = end.last}, see_order, &ids,
				     &end, &f),
		   &f);
	check_ids(db,
		  "SELECT o.id FROM orders o JOIN services s ON s.id = o.service WHERE instr(?1, ',' || s.project || "
		  "',') > 0"
		  " AND (instr(o.id, ?2) = 1 OR instr(substr(o.id, 10), ?2) = 1) AND ?3 = 0 ORDER BY o.created, o.id",
		  view, text, 0, &ids);
}

static void check_accounts(struct db *db, const char *view, const char *text, bool beginning)
{
	_cleanup_buf_ struct buf ids = {0};
	struct list_end end = {.more = true, .last.at = INT64_MIN};
	struct fault f = {0};
	while (end.more)
		ok(store_accounts_find(db, text, view, &(struct list_page){.limit = 300, .after = end.last},
				       see_account, &ids, &end, &f),
		   &f);
	check_ids(db,
		  "WITH s (account, project) AS (SELECT account, project FROM services UNION SELECT c.account, "
		  "b.project FROM certs c"
		  " JOIN cert_bodies b ON b.id = c.id WHERE c.account IS NOT NULL) SELECT a.identifier FROM accounts a"
		  " WHERE (?1 = '' OR EXISTS (SELECT 1 FROM s WHERE s.account = a.id AND instr(?1, ',' || s.project || "
		  "',') > 0)"
		  " OR NOT EXISTS (SELECT 1 FROM s WHERE s.account = a.id))"
		  " AND (CASE WHEN ?3 THEN instr(organisation, ?2) = 1 ELSE instr(lower(organisation), lower(?2)) > 0 "
		  "END)"
		  " ORDER BY CASE WHEN ?3 THEN organisation ELSE '' END, a.id",
		  view, text, beginning, &ids);
}

static void check_tokens(struct db *db, const char *view, const char *state)
{
	_cleanup_buf_ struct buf ids = {0};
	struct seen_tokens seen = {.ids = &ids, .n = 1};
	struct fault f = {0};
	while (seen.n > 0) {
		struct token_search s = {
			.prefix = "S", .after = seen.last, .state = state, .keeper = "", .view = view, .limit = 70};
		seen.n = 0;
		ok(store_tokens(db, &s, see_token, &seen, &f), &f);
		assert_true(seen.n <= 70);
	}
	check_ids(
		db,
		"WITH s (account, project) AS (SELECT account, project FROM services UNION SELECT c.account, b.project "
		"FROM certs c"
		" JOIN cert_bodies b ON b.id = c.id WHERE c.account IS NOT NULL) SELECT t.serial FROM tokens t"
		" WHERE (t.account IS NULL OR EXISTS (SELECT 1 FROM s WHERE s.account = t.account AND"
		" instr(?1, ',' || s.project || ',') > 0) OR NOT EXISTS (SELECT 1 FROM s WHERE s.account = t.account))"
		" AND (?2 = '' OR t.state = ?2) AND ?3 = 0 ORDER BY t.serial",
		view, state, 0, &ids);
}

static void check_view(struct db *db, const char *view)
{
	static const struct {
		const char *state;
		int64_t amount;
	} orders[] = {{"", -1}, {"created", -1}, {"paid", 300}, {"", 300}};
	static const struct {
		const char *text;
		bool beginning;
	} names[] = {{"有限公司", false}, {"特别商行", false}, {"行 ABC%_", false}, {"%%%", false},
		     {"_bC", false},	  {"市Äpfel", false},  {"没有这个", false}, {"特别", true},
		     {"晚来商号", false}, {"市Ä", true},       {"甲乙", true},	    {"\\\"'", false}};
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		check_orders(db, view, orders[i].state, orders[i].amount);
	check_payments(db, view, "");
	check_payments(db, view, "applied");
	check_numbers(db, view, "20261123-000001");
	check_numbers(db, view, "00000203");
	check_numbers(db, view, "99999999");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		check_accounts(db, view, names[i].text, names[i].beginning);
	check_tokens(db, view, "");
	check_tokens(db, view, "lost");
}

/* --- what is kept beside the rows --- */

/* How many rows of two statements are not the other's, and how many the first has. */
#define DIFFER(a, b)                                                                                                   \
	"SELECT (SELECT count(*) FROM (" a " EXCEPT " b ")) + (SELECT count(*) FROM (" b " EXCEPT " a                  \
	")), (SELECT count(*) FROM (" a "))"

static void check_kept(struct db *db)
{
	static const char *const sqls[] = {
		DIFFER("SELECT project, account, organisation FROM account_projects",
		       "SELECT p.project, p.account, a.organisation FROM project_accounts p JOIN accounts a ON a.id = "
		       "p.account"),
		DIFFER("SELECT project, serial, state FROM token_projects",
		       "SELECT coalesce(p.project, '*'), t.serial, t.state FROM tokens t"
		       " LEFT JOIN project_accounts p ON p.account = t.account"),
		DIFFER("SELECT * FROM token_rows", "SELECT * FROM token_shown"),
		DIFFER("SELECT id, project FROM orders",
		       "SELECT o.id, s.project FROM orders o JOIN services s ON s.id = o.service"),
		DIFFER("SELECT id, project FROM payments",
		       "SELECT p.id, o.project FROM payments p JOIN orders o ON o.id = p.order_id"),
	};
	struct fault f = {0};
	for (size_t i = 0; i < sizeof(sqls) / sizeof(sqls[0]); i++) {
		_cleanup_(db_row_donep) struct db_row *row = NULL;
		ok(db_one(db, &f, &row, sqls[i], ""), &f);
		if (db_i64(row, 0) != 0 || db_i64(row, 1) == 0)
			fail_msg("%s: %d rows differ, of %d", sqls[i], (int)db_i64(row, 0), (int)db_i64(row, 1));
	}
}

static void test_lists(void **state)
{
	static const char *const views[] = {",ningbo,",	  ",jinhua,",	     ",ningbo,quzhou,hangzhou,",
					    ",hangzhou,", ",jinhua,ningbo,", ",*,%,"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct db *db = NULL;
	struct fault f = {0};
	(void)state;
	ok(store_begin(x->desk->store, &db, &f), &f);
	add_crowd(db, true);
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		check_view(db, views[i]);
	check_accounts(db, "", "特别", true);
	check_accounts(db, "", "甲", true);
	check_accounts(db, "", "%", true);
	check_accounts(db, "", "特别商", false);
	check_kept(db);
	ok(store_end(x->desk->store, db, OK, &f), &f);
}

/* Each in turn: what moves an account, a token, an order from one project to another. */
static void test_moves(void **state)
{
	static const char *const moves[] = {
		"UPDATE services SET project = 'hangzhou' WHERE id IN ('7103', '7106')",
		"UPDATE services SET account = 100205 WHERE id = '7104'",
		"UPDATE services SET ends = 5 WHERE id = '7106'",
		"INSERT INTO certs (id, issuer, serial, state, reason, changed, not_before, not_after)"
		" VALUES (900001, zeroblob(20), x'7701', 0, 0, 0, 0, 0), (900002, zeroblob(20), x'7702', 0, 0, 0, 0, "
		"0)",
		"INSERT INTO cert_bodies (id, der, name, issuer_name, key_sha256, renewals, adopted, weak, project, "
		"profile, entry)"
		" SELECT id, x'', '', '', x'', 0, 0, 0, 'wenzhou', '', 0 FROM certs WHERE id > 900000",
		"UPDATE certs SET account = 100305 WHERE id = 900001",
		"UPDATE certs SET account = 100300 WHERE id = 900002",
		"UPDATE certs SET account = 100405 WHERE id = 900002",
		"UPDATE tokens SET cert = 900001 WHERE account = 100305",
		"UPDATE cert_bodies SET project = 'huzhou' WHERE id = 900001",
		"UPDATE certs SET account = NULL WHERE id = 900002",
		"UPDATE accounts SET organisation = '新名有限公司' WHERE id IN (100305, 100003)",
		"UPDATE tokens SET account = NULL, state = 'stock', cert = NULL WHERE account IN (100305, 100003)",
		"UPDATE tokens SET account = 100004, keeper = 'alice', puk = x'01' WHERE state = 'stock'",
		"UPDATE tokens SET state = 'damaged' WHERE account = 100004",
		("INSERT INTO services (id, account, project, service, title, certificate_name, serial, issuer_name, "
		 "begins, ends)"
		 " VALUES ('9405', 100405, 'ningbo', '', '', '', x'', '', 0, 0)"),
		("INSERT INTO accounts (id, identifier, organisation, agent, mobile, flags, initial, created, updated)"
		 " VALUES (200000, 'NEW', '没有服务', '', '', '', 1, 1, 1)"),
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct db *db = NULL;
	struct fault f = {0};
	(void)state;
	ok(store_begin(x->desk->store, &db, &f), &f);
	add_crowd(db, false);
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		run(db, &moves[i], 1);
		if (db_changes(db) < 1)
			fail_msg("%s: moves nothing", moves[i]);
		check_kept(db);
	}
	check_tokens(db, ",huzhou,", "");
	check_accounts(db, ",huzhou,", "新名", true);
	ok(store_end(x->desk->store, db, OK, &f), &f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lists), cmocka_unit_test(test_moves)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
