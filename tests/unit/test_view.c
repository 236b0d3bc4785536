/*
 * Officers of some projects: of every list they see what is their projects', and what is another's is not there, by whatever name it
 * is asked for. The other organisation belongs to project hangzhou here, which one officer sees; the first stays in jinhua.
 */
#include "ra_fixture.h"

#include <string.h>

#define TOKEN_ORG "T-ORG"
#define TOKEN_OTHER "T-OTHER"
#define TOKEN_STOCK "T-STOCK"
#define CASE_ORG "0000000000000000000000000000000a"
#define CASE_OTHER "0000000000000000000000000000000b"
#define CASE_NOBODY "0000000000000000000000000000000c"
#define NOTICE_ORG "0000000000000000000000000000001a"
#define NOTICE_OTHER "0000000000000000000000000000001b"
#define ID(code) "(SELECT id FROM accounts WHERE identifier = '" code "')"
#define CASE(id, account)                                                                                              \
	"INSERT INTO account_cases (id, kind, state, account, organisation, agent, mobile, text, file_type, address,"  \
	" made, who, answer) VALUES ('" id "', 'agent', 'open', " account ", 'x', 'x', '13800000000', '', '', '', 1,"  \
	" '', '')"
#define NOTICE(id, account)                                                                                            \
	"INSERT INTO outbox (id, channel, recipient, template, state, made, dies, tries, next_at, error, account)"     \
	" VALUES ('" id "', 'sms', '13800000000', 'reminder', 'failed', 1, 4000000000, 1, 1, '', " account ")"
#define TOKEN(serial, state, account)                                                                                  \
	"INSERT INTO tokens (serial, model, label, state, account, keeper, added, changed) VALUES ('" serial           \
	"', 'm', 'l', '" state "', " account ", 'alice', 1, 1)"

struct world {
	struct fx *x;
	char *order, *other_order, *request, *other_request;
};

static void run(struct fx *x, const char *sql)
{
	struct db *db = NULL;
	struct fault f = {0};
	if (store_begin(x->desk->store, &db, &f) != OK ||
	    store_end(x->desk->store, db, db_run(db, &f, sql, ""), &f) != OK)
		fail_msg("%s: %s", sql, f.text);
}

static char *draft(struct fx *x, enum fx_uid uid, const char *session, const char *serial)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, uid, "request.prepare",
		      json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "session", session, "kind", "change", "way",
				"name-or-code", "project", "jinhua", "serial", serial, "save", 1));
	return xstrdup(fx_text(r, "request"));
}

static void world_done(struct world *w)
{
	free(w->order);
	free(w->other_order);
	free(w->request);
	free(w->other_request);
	fx_freep(&w->x);
}

static void world_begin(struct world *w)
{
	struct fx *x = w->x = fx_new();
	fx_log_in(x);
	w->order = fx_paid_order(x, x->session, "20353");
	w->other_order = fx_paid_order(x, x->other_session, "20354");
	w->request = draft(x, UID_SUBSCRIBER, x->session, ORG_SERIAL);
	w->other_request = draft(x, UID_OTHER, x->other_session, OTHER_SERIAL);
	static const char *const rows[] = {
		"DELETE FROM outbox",
		TOKEN(TOKEN_ORG, "in_use", ID(ORG_CODE)),
		TOKEN(TOKEN_OTHER, "in_use", ID(OTHER_CODE)),
		TOKEN(TOKEN_STOCK, "stock", "NULL"),
		CASE(CASE_ORG, ID(ORG_CODE)),
		CASE(CASE_OTHER, ID(OTHER_CODE)),
		CASE(CASE_NOBODY, "NULL"),
		NOTICE(NOTICE_ORG, ID(ORG_CODE)),
		NOTICE(NOTICE_OTHER, ID(OTHER_CODE)),
		"INSERT INTO parcels (request, account, token, state, recipient, mobile, address, packed, packed_by)"
		" SELECT id, account, id, 'packed', 'x', 'x', 'x', 1, 'x' FROM requests WHERE account IS NOT NULL",
		"UPDATE services SET project = 'hangzhou' WHERE account = " ID(OTHER_CODE),
		"UPDATE cert_bodies SET project = 'hangzhou' WHERE id IN (SELECT id FROM certs WHERE account = " ID(
			OTHER_CODE) ")",
		"UPDATE requests SET project = 'hangzhou' WHERE account = " ID(OTHER_CODE),
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run(x, rows[i]);
}

/* Which of the rows' members a list shows, in order, each followed by a space. */
static char *listed(struct fx *x, enum fx_uid uid, const char *method, const char *params, const char *rows,
		    const char *member)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, uid, method, json_loads(params, 0, NULL));
	_cleanup_buf_ struct buf b = {0};
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(r, rows), i, row) buf_fmt(&b, "%s ", fx_text(row, member));
	json_t *total = json_object_get(r, "total");
	if (total)
		assert_int_equal(json_integer_value(total), json_array_size(json_object_get(r, rows)));
	return xstrdup(buf_text(&b));
}

/* %1: the first organisation's, %2: the other's. */
static void test_lists(void **state)
{
	_cleanup_(world_done) struct world w = {0};
	(void)state;
	world_begin(&w);
	_cleanup_(freep) char *paid = xasprintf("bank:BANK-%s ", w.order),
			      *other_paid = xasprintf("bank:BANK-%s ", w.other_order),
			      *order = xasprintf("%s ", w.order), *other_order = xasprintf("%s ", w.other_order),
			      *request = xasprintf("%s ", w.request),
			      *other_request = xasprintf("%s ", w.other_request),
			      *find = xasprintf("{\"search\":\"%s\"}", w.order),
			      *other_find = xasprintf("{\"search\":\"%s\"}", w.other_order);
	const struct {
		const char *method, *params, *rows, *member, *mine, *others, *everybodys;
	} cases[] = {
		{"order.find", "{}", "orders", "order", other_order, order, ""},
		{"order.find", "{\"state\":\"paid\"}", "orders", "order", other_order, order, ""},
		{"order.find", "{\"state\":\"paid\",\"amount_fen\":30000}", "orders", "order", other_order, order, ""},
		{"order.find", "{\"amount_fen\":30000}", "orders", "order", other_order, order, ""},
		{"order.find", find, "orders", "order", "", order, ""},
		{"order.find", other_find, "orders", "order", other_order, "", ""},
		{"order.find", "{\"search\":\"" ORG_CODE "\"}", "orders", "order", "", order, ""},
		{"order.find", "{\"search\":\"" OTHER_CODE "\"}", "orders", "order", other_order, "", ""},
		{"order.payments", "{}", "payments", "payment", other_paid, paid, ""},
		{"order.payments", "{\"state\":\"applied\"}", "payments", "payment", other_paid, paid, ""},
		{"account.find", "{\"search\":\"" ORG_CODE "\"}", "accounts", "identifier", "", ORG_CODE " ", ""},
		{"account.find", "{\"search\":\"" ORG_MOBILE "\"}", "accounts", "identifier", "", ORG_CODE " ", ""},
		{"account.find", "{\"search\":\"杭州\"}", "accounts", "identifier", "", ORG_CODE " ", ""},
		{"account.find", "{\"search\":\"州田谷\"}", "accounts", "identifier", "", ORG_CODE " ", ""},
		{"account.find", "{\"search\":\"" OTHER_CODE "\"}", "accounts", "identifier", OTHER_CODE " ", "", ""},
		{"account.cases", "{}", "cases", "case", CASE_OTHER " ", CASE_ORG " ", CASE_NOBODY " "},
		{"policy.pending", "{}", "requests", "request", other_request, request, ""},
		{"parcel.list", "{}", "parcels", "request", other_request, request, ""},
		{"parcel.list", "{\"state\":\"packed\"}", "parcels", "request", other_request, request, ""},
		{"token.list", "{}", "tokens", "token", TOKEN_OTHER " ", TOKEN_ORG " ", TOKEN_STOCK " "},
		{"token.list", "{\"state\":\"in_use\"}", "tokens", "token", TOKEN_OTHER " ", TOKEN_ORG " ", ""},
		{"token.list", "{\"keeper\":\"alice\"}", "tokens", "token", TOKEN_OTHER " ", TOKEN_ORG " ",
		 TOKEN_STOCK " "},
		{"token.list", "{\"identifier\":\"" ORG_CODE "\"}", "tokens", "token", "", TOKEN_ORG " ", ""},
		{"notice.list", "{}", "notices", "notice", NOTICE_OTHER " ", NOTICE_ORG " ", ""},
		{"notice.list", "{\"state\":\"failed\"}", "notices", "notice", NOTICE_OTHER " ", NOTICE_ORG " ", ""},
		{"notice.list", "{\"identifier\":\"" OTHER_CODE "\"}", "notices", "notice", NOTICE_OTHER " ", "", ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *narrow = listed(w.x, UID_NARROW, cases[i].method, cases[i].params, cases[i].rows,
						       cases[i].member),
				      *all = listed(w.x, UID_OFFICER, cases[i].method, cases[i].params, cases[i].rows,
						    cases[i].member),
				      *wanted = xasprintf("%s%s", cases[i].mine, cases[i].everybodys);
		if (strcmp(narrow, wanted) != 0)
			fail_msg("%s %s: found %s, wanted %s", cases[i].method, cases[i].params, narrow, wanted);
		if (strlen(all) != strlen(wanted) + strlen(cases[i].others) || !strstr(all, cases[i].others))
			fail_msg("%s %s: who sees all found %s", cases[i].method, cases[i].params, all);
	}
}

static void test_named(void **state)
{
	_cleanup_(world_done) struct world w = {0};
	(void)state;
	world_begin(&w);
	const struct {
		const char *method, *member, *value, *more, *rule;
	} cases[] = {
		{"order.confirm", "order", w.order, "{\"bank_reference\":\"B-9\",\"to_refund\":true}", "order_unknown"},
		{"order.refund", "order", w.order, "{\"bank_reference\":\"B-9\"}", "order_unknown"},
		{"order.invoiced", "order", w.order, "{\"number\":\"12345678\"}", "order_unknown"},
		{"account.grant", "identifier", ORG_CODE, "{\"reason\":\"seen\"}", "account_unknown"},
		{"account.case", "case", CASE_ORG, "{}", "case_unknown"},
		{"account.decide", "case", CASE_ORG, "{\"decision\":\"accept\",\"answer\":\"x\"}", "case_unknown"},
		{"parcel.show", "request", w.request, "{}", "request_unknown"},
		{"token.show", "token", TOKEN_ORG, "{}", "token_unlisted"},
		{"token.move", "token", TOKEN_ORG, "{\"to\":\"lost\",\"why\":\"x\"}", "token_unlisted"},
		{"token.move", "token", TOKEN_STOCK,
		 "{\"to\":\"prepared\",\"why\":\"x\",\"identifier\":\"" ORG_CODE "\"}", "account_unknown"},
		{"token.add", "token", "T-NEW", "{\"state\":\"in_use\",\"identifier\":\"" ORG_CODE "\"}",
		 "account_unknown"},
		{"token.add", "token", TOKEN_ORG, "{}", "token_there"},
		{"token.puk", "token", TOKEN_ORG, "{\"step\":\"set\"}", "token_unlisted"},
		{"notice.show", "notice", NOTICE_ORG, "{}", "notice_unknown"},
		{"notice.retry", "notice", NOTICE_ORG, "{}", "notice_unknown"},
		{"notice.list", "identifier", ORG_CODE, "{}", "account_unknown"},
		{"review.prepare", "serial", ORG_SERIAL, "{\"kind\":\"hold\"}", "certificate_unknown"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = json_loads(cases[i].more, 0, NULL);
		json_object_set_new(p, cases[i].member, json_string(cases[i].value));
		fx_refused(w.x, UID_NARROW, cases[i].method, p, cases[i].rule);
	}
}

/* The same calls on what is of the own project, or of none, are answered. */
static void test_own(void **state)
{
	_cleanup_(world_done) struct world w = {0};
	(void)state;
	world_begin(&w);
	const struct {
		const char *method, *member, *value, *more;
	} cases[] = {
		{"order.refund", "order", w.other_order, "{\"bank_reference\":\"B-9\"}"},
		{"account.case", "case", CASE_OTHER, "{}"},
		{"account.decide", "case", CASE_NOBODY, "{\"decision\":\"refuse\",\"answer\":\"x\"}"},
		{"parcel.show", "request", w.other_request, "{}"},
		{"token.show", "token", TOKEN_OTHER, "{}"},
		{"token.move", "token", TOKEN_STOCK,
		 "{\"to\":\"prepared\",\"why\":\"x\",\"identifier\":\"" OTHER_CODE "\"}"},
		{"notice.show", "notice", NOTICE_OTHER, "{}"},
		{"notice.retry", "notice", NOTICE_OTHER, "{}"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = json_loads(cases[i].more, 0, NULL);
		json_object_set_new(p, cases[i].member, json_string(cases[i].value));
		json_decref(fx_do(w.x, UID_NARROW, cases[i].method, p));
	}
}

/* A line of an import about what is another project's is refused, and tells nothing of it. */
static void test_import(void **state)
{
	static const char rows[] =
		"[{\"line\":2,\"token\":\"" TOKEN_ORG "\",\"model\":\"m\"},"
		"{\"line\":3,\"token\":\"" TOKEN_ORG "\",\"model\":\"another\"},"
		"{\"line\":4,\"token\":\"T-NEW\",\"state\":\"in_use\",\"identifier\":\"" ORG_CODE "\"},"
		"{\"line\":5,\"token\":\"" TOKEN_OTHER "\",\"model\":\"m\"},"
		"{\"line\":6,\"token\":\"" TOKEN_STOCK "\",\"model\":\"m\"}]";
	static const struct {
		const char *narrow, *text, *all;
	} wanted[] = {{"token_there", "token " TOKEN_ORG " is in the inventory", ""},
		      {"token_there", "token " TOKEN_ORG " is in the inventory", "token_there"},
		      {"account_unknown", "identifier: there is no account \"" ORG_CODE "\"", ""},
		      {"", "", ""},
		      {"", "", ""}};
	_cleanup_(world_done) struct world w = {0};
	(void)state;
	world_begin(&w);
	_cleanup_(json_freep) json_t *narrow = fx_do(w.x, UID_NARROW, "token.import",
						     json_pack("{s:o}", "rows", json_loads(rows, 0, NULL))),
				     *all = fx_do(w.x, UID_OFFICER, "token.import",
						  json_pack("{s:o}", "rows", json_loads(rows, 0, NULL)));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		json_t *row = json_array_get(json_object_get(narrow, "report"), i);
		assert_string_equal(fx_text(row, "reason"), wanted[i].narrow);
		assert_string_equal(fx_text(row, "text"), wanted[i].text);
		row = json_array_get(json_object_get(all, "report"), i);
		assert_string_equal(fx_text(row, "reason"), wanted[i].all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_import),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
