/*
 * Services, orders, and what a paid order allows.
 */
#include "ra_fixture.h"

#include "ra/order.h"
#include "ra/store_payment.h"
#include "ra/store_schema.h"

#include <string.h>

static json_t *of(const char *session, const char *order)
{
	return json_pack("{s:s,s:s}", "session", session, "order", order);
}

static json_t *confirm(const char *order, const char *reference)
{
	return json_pack("{s:s,s:s}", "order", order, "bank_reference", reference);
}

static char *create(struct fx *x, const char *service)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "order.create",
		      json_pack("{s:s,s:s,s:s}", "session", x->session, "service_id", service, "kind", "renew"));
	return xstrdup(fx_text(r, "order"));
}

static void service_is(struct fx *x, const char *session, enum fx_uid uid, const char *state, const char *begins,
		       const char *ends)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, uid, "service.list", json_pack("{s:s}", "session", session));
	json_t *s = json_array_get(json_object_get(r, "services"), 0);
	assert_string_equal(fx_text(s, "state"), state);
	assert_string_equal(fx_text(s, "begins"), begins);
	assert_string_equal(fx_text(s, "ends"), ends);
}

static void test_renewal_runs_on(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *order = NULL, *other = NULL;
	(void)state;
	fx_log_in(x);
	/* Ended: from the payment. */
	order = fx_paid_order(x, x->session, "20353");
	service_is(x, x->session, UID_SUBSCRIBER, "active", "2026-11-23T00:00:00Z", "2027-11-23T00:00:00Z");
	/* Still running: from its end. */
	other = fx_paid_order(x, x->other_session, "20354");
	service_is(x, x->other_session, UID_OTHER, "active", "2015-08-31T03:39:36Z", "2029-08-31T03:39:36Z");
}

static void test_price_and_terms_are_the_policys(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x, "20353");
	_cleanup_(json_freep) json_t *shown = fx_do(x, UID_SUBSCRIBER, "order.show", of(x->session, order));
	assert_int_equal(json_integer_value(json_object_get(shown, "amount_fen")), 30000);
	assert_int_equal(json_integer_value(json_object_get(shown, "period_months")), 12);
	assert_int_equal(json_integer_value(json_object_get(shown, "uses")), 1);
	assert_int_equal(json_integer_value(json_object_get(shown, "months")), 36);
	assert_string_equal(fx_text(shown, "state"), "created");
	_cleanup_(json_freep) json_t *pay = fx_do(x, UID_SUBSCRIBER, "order.pay", of(x->session, order));
	assert_string_equal(fx_text(pay, "state"), "created");
	assert_string_equal(fx_text(pay, "reference"), order);
	assert_string_equal(fx_text(json_object_get(pay, "bank"), "bank"), "Example Bank");
}

/* As a project file that says `prices` would have it; NULL: as shipped. */
static void set_prices(struct fx *x, struct service_price *prices, size_t n)
{
	struct law *law = laws_take(x->desk->laws);
	for (size_t i = 0; i < law->policy->projects[0].services.n; i++) {
		struct service_def *def = (struct service_def *)law->policy->projects[0].services.v + i;
		def->prices.v = prices;
		def->prices.n = n;
	}
	law_put(x->desk->laws, law);
}

static json_int_t amount(struct fx *x, const char *order)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "order.show", of(x->session, order));
	return json_integer_value(json_object_get(r, "amount_fen"));
}

/* An order keeps the price of the day on which it was made, to its payment and refund; the next one has the new price. */
static void test_price_changes_under_an_order(void **state)
{
	static struct service_price prices[] = {{"2027-01-01", 32000}};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	int64_t midnight = 0;
	(void)state;
	assert_true(time_parse_shanghai("2027-01-01 00:00:00", 19, &midnight));
	clock_set(midnight - 600);
	set_prices(x, prices, 1);
	fx_log_in(x);
	clock_set(midnight - 1);
	_cleanup_(freep) char *before = create(x, "20353");
	assert_int_equal(amount(x, before), 30000);
	clock_set(midnight);
	assert_int_equal(amount(x, before), 30000);
	_cleanup_(json_freep) json_t *pay = fx_do(x, UID_SUBSCRIBER, "order.pay", of(x->session, before));
	assert_int_equal(json_integer_value(json_object_get(pay, "amount_fen")), 30000);
	fx_refused(x, UID_OFFICER, "order.confirm",
		   json_pack("{s:s,s:s,s:i}", "order", before, "bank_reference", "B-1", "amount_fen", 32000),
		   "payment_amount");
	json_decref(fx_do(x, UID_OFFICER, "order.confirm",
			  json_pack("{s:s,s:s,s:i}", "order", before, "bank_reference", "B-1", "amount_fen", 30000)));
	_cleanup_(freep) char *after = create(x, "20353");
	assert_int_equal(amount(x, after), 32000);
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.cancel", of(x->session, after)));
	json_decref(fx_do(x, UID_OFFICER, "order.refund",
			  json_pack("{s:s,s:s}", "order", before, "bank_reference", "R-1")));
	assert_int_equal(fx_number(x, "SELECT amount_fen FROM payments WHERE id = 'bank:B-1' AND state = 'refunded'"),
			 30000);
	_cleanup_(freep) char *again = create(x, "20353");
	assert_int_equal(amount(x, again), 32000);
	set_prices(x, NULL, 0);
}

static void test_confirming(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *first = NULL, *second = NULL;
	(void)state;
	fx_log_in(x);
	first = create(x, "20353");
	fx_refused(x, UID_SUBSCRIBER, "order.confirm", confirm(first, "B-1"), "method_denied");
	json_decref(fx_do(x, UID_OFFICER, "order.confirm", confirm(first, "B-1")));
	/* Again, under another call id: the same answer, and the period has not run on twice. */
	_cleanup_(json_freep) json_t *again = fx_do(x, UID_OFFICER, "order.confirm", confirm(first, "B-1"));
	assert_string_equal(fx_text(again, "state"), "paid");
	service_is(x, x->session, UID_SUBSCRIBER, "active", "2026-11-23T00:00:00Z", "2027-11-23T00:00:00Z");
	fx_refused(x, UID_OFFICER, "order.confirm", confirm(first, "B-2"), "order_paid");
	second = create(x, "20353");
	fx_refused(x, UID_OFFICER, "order.confirm", confirm(second, "B-1"), "bank_reference_used");
	fx_refused(x, UID_OFFICER, "order.confirm", confirm("20261123-NOSUCHORDER2", "B-3"), "order_unknown");
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.cancel", of(x->session, second)));
	fx_refused(x, UID_OFFICER, "order.confirm", confirm(second, "B-4"), "order_cancelled");
	fx_refused(x, UID_SUBSCRIBER, "order.pay", of(x->session, second), "order_cancelled");
}

static void test_one_open_order(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x, "20353");
	fx_refused(x, UID_SUBSCRIBER, "order.create",
		   json_pack("{s:s,s:s,s:s}", "session", x->session, "service_id", "20353", "kind", "renew"),
		   "order_open");
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.cancel", of(x->session, order)));
	free(create(x, "20353"));
	_cleanup_(json_freep) json_t *list =
		fx_do(x, UID_SUBSCRIBER, "order.list", json_pack("{s:s}", "session", x->session));
	assert_int_equal(json_integer_value(json_object_get(list, "total")), 2);
}

/* Other people's services and orders are not there: the same words as for what does not exist. */
static void test_others_are_not_there(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *theirs = fx_paid_order(x, x->other_session, "20354");
	static const char *const services[] = {"20354", "99999"};
	for (size_t i = 0; i < 2; i++)
		fx_refused(
			x, UID_SUBSCRIBER, "order.create",
			json_pack("{s:s,s:s,s:s}", "session", x->session, "service_id", services[i], "kind", "renew"),
			"service_unknown");
	const char *const orders[] = {theirs, "20261123-NOSUCHORDER2"};
	static const char *const methods[] = {"order.show", "order.pay", "order.cancel"};
	for (size_t i = 0; i < 2; i++) {
		for (size_t m = 0; m < 3; m++)
			fx_refused(x, UID_SUBSCRIBER, methods[m], of(x->session, orders[i]), "order_unknown");
	}
}

/* --- what an order is good for --- */

static void test_extension_wants_a_paid_service(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_extend_params(x, NULL, 12), "service_expired");
	_cleanup_(freep) char *open = create(x, "20353");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_extend_params(x, open, 12), "service_expired");
	json_decref(fx_do(x, UID_OFFICER, "order.confirm", confirm(open, "B-1")));
	_cleanup_(freep) char *request = fx_extend(x, open, 12);
	fx_prove(x, request);
	fx_submit(x, request);
	fx_state(x, request, "approved");
}

static void test_orders_that_do_not_fit(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *theirs = fx_paid_order(x, x->other_session, "20354");
	_cleanup_(freep) char *paid = fx_paid_order(x, x->session, "20353");
	_cleanup_(freep) char *unpaid = create(x, "20353");
	const struct {
		const char *order;
		int months;
		const char *rule;
	} cases[] = {{theirs, 12, "order_unknown"},
		     {"20261123-NOSUCHORDER2", 12, "order_unknown"},
		     {unpaid, 12, "order_unpaid"},
		     {paid, 48, "validity_length"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_extend_params(x, cases[i].order, cases[i].months),
			   cases[i].rule);
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.cancel", of(x->session, unpaid)));
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_extend_params(x, unpaid, 12), "order_cancelled");
}

/* Two drafts may name the order; only one of them is submitted. */
static void test_order_is_used_once(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	_cleanup_(freep) char *first = fx_extend(x, order, 12), *second = fx_extend(x, order, 12);
	fx_prove(x, first);
	fx_prove(x, second);
	fx_submit(x, first);
	fx_refused(x, UID_SUBSCRIBER, "request.submit",
		   json_pack("{s:s,s:s}", "session", x->session, "request", second), "order_used");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_extend_params(x, order, 12), "order_used");
	_cleanup_(json_freep) json_t *shown = fx_do(x, UID_SUBSCRIBER, "order.show", of(x->session, order));
	assert_int_equal(json_integer_value(json_object_get(shown, "uses_left")), 0);
	/* Withdrawn, it gives the order back. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw",
			  json_pack("{s:s,s:s}", "session", x->session, "request", first)));
	fx_submit(x, second);
}

/* The whole table, cell by cell: what is not named here is refused. */
static void test_states(void **state)
{
	static const unsigned char wanted[ORDER_STATE_N][ORDER_EVENT_N] = {
		[ORDER_CREATED] =
			{[ORDER_PAY] = ORDER_PAID, [ORDER_CANCEL] = ORDER_CANCELLED, [ORDER_EXPIRE] = ORDER_CANCELLED},
		[ORDER_PAID] = {[ORDER_FULFIL] = ORDER_FULFILLED, [ORDER_REFUND] = ORDER_REFUNDED},
	};
	(void)state;
	for (size_t s = ORDER_NONE; s < ORDER_STATE_N; s++) {
		for (size_t e = 0; e < ORDER_EVENT_N; e++)
			assert_int_equal(order_next((enum order_state)s, (enum order_event)e), wanted[s][e]);
	}
	for (size_t s = ORDER_CREATED; s < ORDER_STATE_N; s++)
		assert_int_equal(order_state_from_word(order_state_word((enum order_state)s)), s);
	assert_int_equal(order_state_from_word("open"), ORDER_NONE);
}

static void order_is(struct fx *x, const char *order, const char *wanted)
{
	_cleanup_(json_freep) json_t *shown = fx_do(x, UID_SUBSCRIBER, "order.show", of(x->session, order));
	assert_string_equal(fx_text(shown, "state"), wanted);
}

/* All certificates that it allows are issued. */
static void test_issued_is_fulfilled(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	_cleanup_(freep) char *request = fx_extend(x, order, 12);
	fx_prove(x, request);
	fx_submit(x, request);
	order_is(x, order, "paid");
	fx_refused(x, UID_OFFICER, "order.refund", confirm(order, "R-1"), "order_in_use");
	fx_hand_over(x);
	fx_state(x, request, "issued");
	order_is(x, order, "fulfilled");
	fx_refused(x, UID_OFFICER, "order.refund", confirm(order, "R-1"), "order_fulfilled");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_extend_params(x, order, 12), "predecessor_succeeded");
}

/* Nobody pays, and the desk's days go by; nobody uses, and the period goes by. */
static void test_time_ends_orders(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *paid = fx_paid_order(x, x->session, "20353"), *unpaid = create(x, "20353");
	clock_set(NOW + 30 * DAY);
	assert_int_equal(order_turn(x->desk, clock_now(), &f), OK);
	_cleanup_(json_freep) json_t *still =
		fx_do(x, UID_OFFICER, "order.find", json_pack("{s:s}", "state", "created"));
	assert_int_equal(json_integer_value(json_object_get(still, "total")), 1);
	clock_set(NOW + 30 * DAY + 1);
	assert_int_equal(order_turn(x->desk, clock_now(), &f), OK);
	_cleanup_(json_freep) json_t *gone = fx_do(x, UID_OFFICER, "order.find", json_pack("{s:s}", "search", unpaid));
	json_t *row = json_array_get(json_object_get(gone, "orders"), 0);
	assert_string_equal(fx_text(row, "state"), "cancelled");
	assert_string_equal(fx_text(row, "why"), "expire");
	fx_refused(x, UID_OFFICER, "order.confirm", confirm(unpaid, "LATE-1"), "order_cancelled");
	/* A clock that goes back changes nothing that is done. */
	clock_set(NOW - 400 * DAY);
	assert_int_equal(order_turn(x->desk, clock_now(), &f), OK);
	clock_set(NOW + 366 * DAY);
	assert_int_equal(order_turn(x->desk, clock_now(), &f), OK);
	_cleanup_(json_freep) json_t *over = fx_do(x, UID_OFFICER, "order.find", json_pack("{s:s}", "search", paid));
	assert_string_equal(fx_text(json_array_get(json_object_get(over, "orders"), 0), "state"), "fulfilled");
}

static json_t *apply(const char *session, const char *project, const char *service)
{
	return json_pack("{s:s,s:s,s:s}", "session", session, "project", project, "service", service);
}

static json_t *service_row(struct fx *x, const char *session, const char *id)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "service.list", json_pack("{s:s,s:i}", "session", session, "per_page", 100));
	json_t *rows = json_object_get(r, "services"), *row;
	size_t i;
	json_array_foreach(rows, i, row)
	{
		if (strcmp(fx_text(row, "id"), id) == 0)
			return json_incref(row);
	}
	fail_msg("service %s is not there", id);
	return NULL;
}

static void service_state(struct fx *x, const char *session, const char *id, const char *state, const char *action)
{
	_cleanup_(json_freep) json_t *row = service_row(x, session, id);
	assert_string_equal(fx_text(row, "state"), state);
	assert_string_equal(fx_text(row, "action"), action);
}

/* An account of an old system without any service. */
static char *newcomer(struct fx *x)
{
	json_decref(fx_do(x, UID_ADMIN, "import.accounts",
			  json_pack("{s:[{s:i,s:s,s:s,s:s,s:s}]}", "rows", "line", 2, "account_identifier", NEW_CODE,
				    "organisation", NEW_NAME, "agent", "张三", "mobile", "13800000000")));
	return fx_log_in_as(x, UID_SUBSCRIBER, NEW_CODE, "13900000003");
}

static json_t *renewal(const char *session, const char *service)
{
	return json_pack("{s:s,s:s,s:s}", "session", session, "service_id", service, "kind", "renew");
}

/* A service that the account does not have: applied for, ordered, paid; its period begins when it is paid. */
static void test_applying(void **state)
{
	static const char service[] = "organisation-certificate";
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *me = newcomer(x);
	fx_refused(x, UID_SUBSCRIBER, "service.apply", apply(me, "nowhere", service), "project_unknown");
	fx_refused(x, UID_SUBSCRIBER, "service.apply", apply(me, "jinhua", "nothing"), "service_not_sold");
	fx_refused(x, UID_SUBSCRIBER, "service.apply", apply(x->session, "jinhua", service), "service_held");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "service.apply", apply(me, "jinhua", service));
	const char *id = fx_text(r, "id"), *order = fx_text(r, "order");
	assert_true(json_is_null(json_object_get(r, "serial")) && json_is_null(json_object_get(r, "begins")));
	service_state(x, me, id, "awaiting_payment", "pay");
	fx_refused(x, UID_SUBSCRIBER, "service.apply", apply(me, "jinhua", service), "order_open");
	fx_refused(x, UID_SUBSCRIBER, "order.create", renewal(me, id), "order_open");
	fx_refused(x, UID_SUBSCRIBER, "order.create", renewal(x->session, id), "service_unknown");
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.cancel", of(me, order)));
	service_state(x, me, id, "lapsed", "apply");
	fx_refused(x, UID_SUBSCRIBER, "order.create", renewal(me, id), "service_not_begun");
	/* Again: the same row, another order. */
	_cleanup_(json_freep) json_t *again = fx_do(x, UID_SUBSCRIBER, "service.apply", apply(me, "jinhua", service));
	assert_string_equal(fx_text(again, "id"), id);
	clock_set(NOW + 600);
	json_decref(fx_do(x, UID_OFFICER, "order.confirm", confirm(fx_text(again, "order"), "B-9")));
	_cleanup_(json_freep) json_t *row = service_row(x, me, id);
	assert_string_equal(fx_text(row, "begins"), "2026-11-23T00:10:00Z");
	assert_string_equal(fx_text(row, "ends"), "2027-11-23T00:10:00Z");
	assert_string_equal(fx_text(row, "state"), "active");
	assert_string_equal(fx_text(row, "action"), "renew");
	/* Paid back: as it was. */
	json_decref(fx_do(x, UID_OFFICER, "order.refund", confirm(fx_text(again, "order"), "R-9")));
	service_state(x, me, id, "lapsed", "apply");
}

/* A month before its end a service is expiring; nobody pays for more than ten years ahead. */
static void test_near_and_far_ends(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	free(fx_paid_order(x, x->session, "20353"));
	service_state(x, x->session, "20353", "active", "renew");
	for (unsigned i = 0; i < 10; i++)
		free(fx_paid_order(x, x->session, "20353"));
	fx_refused(x, UID_SUBSCRIBER, "order.create", renewal(x->session, "20353"), "service_far");
	clock_set(NOW + 335 * DAY);
	_cleanup_(json_freep) json_t *in = fx_do(x, UID_SUBSCRIBER, "account.login",
						 json_pack("{s:s,s:s}", "identifier", ORG_CODE, "password", PASSWORD));
	service_state(x, fx_text(in, "session"), "20353", "active", "renew");
	clock_set(NOW + (11 * 365 + 3 - 29) * DAY);
	_cleanup_(json_freep) json_t *late =
		fx_do(x, UID_SUBSCRIBER, "account.login",
		      json_pack("{s:s,s:s}", "identifier", ORG_CODE, "password", PASSWORD));
	service_state(x, fx_text(late, "session"), "20353", "expiring", "renew");
}

/* What my certificates' page says of an action: "" when it is possible, else the rule. */
static void offer_is(struct fx *x, const char *session, const char *action, const char *rule)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "cert.list", json_pack("{s:s}", "session", session));
	json_t *certs = json_object_get(r, "certificates"), *cert, *o;
	size_t i, k, seen = 0;
	json_array_foreach(certs, i, cert)
	{
		if (strcmp(fx_text(cert, "serial"), ORG_SERIAL) != 0)
			continue;
		json_array_foreach(json_object_get(cert, "offers"), k, o)
		{
			if (strcmp(fx_text(o, "action"), action) != 0)
				continue;
			seen++;
			assert_string_equal(fx_text(o, "reason"), rule);
			assert_true(json_is_true(json_object_get(o, "possible")) == !rule[0]);
			assert_true(!rule[0] == (!fx_text(o, "zh")[0] && !fx_text(o, "en")[0]));
		}
	}
	assert_int_equal(seen, 1);
}

static json_t *log_in_at(struct fx *x, int64_t now)
{
	clock_set(now);
	return fx_do(x, UID_SUBSCRIBER, "account.login",
		     json_pack("{s:s,s:s}", "identifier", ORG_CODE, "password", PASSWORD));
}

/* The row of the guide: serial, name, issuer, validity, and four actions with whether and why not. */
static void test_my_certificates(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "cert.list", json_pack("{s:s,s:s}", "session", x->session, "search", "擎洲"));
	json_t *row = json_array_get(json_object_get(r, "certificates"), 0);
	assert_int_equal(json_integer_value(json_object_get(r, "total")), 1);
	assert_string_equal(fx_text(row, "serial"), ORG_SERIAL);
	assert_string_equal(fx_text(row, "name"), "擎洲测试投标人6");
	assert_string_equal(fx_text(row, "issuer"), "ZJCA OCA2");
	assert_string_equal(fx_text(row, "not_after"), "2027-01-22T00:00:00Z");
	assert_int_equal(json_array_size(json_object_get(row, "offers")), 4);
	offer_is(x, x->session, "extend", "service_expired");
	offer_is(x, x->session, "change", "");
	offer_is(x, x->session, "reissue", "");
	offer_is(x, x->session, "unlock", "unlock_at_desk");
	_cleanup_(freep) char *first = fx_paid_order(x, x->session, "20353"),
			      *second = fx_paid_order(x, x->session, "20353");
	assert_string_not_equal(first, second);
	offer_is(x, x->session, "extend", "");
	/* After its end, within the window; then beyond it. */
	_cleanup_(json_freep) json_t *late = log_in_at(x, NOW + 61 * DAY);
	offer_is(x, fx_text(late, "session"), "extend", "");
	offer_is(x, fx_text(late, "session"), "change", "");
	offer_is(x, fx_text(late, "session"), "reissue", "certificate_expired");
	_cleanup_(json_freep) json_t *later = log_in_at(x, NOW + (60 + 366) * DAY);
	offer_is(x, fx_text(later, "session"), "extend", "validity_window");
	offer_is(x, fx_text(later, "session"), "change", "certificate_expired");
	_cleanup_(json_freep) json_t *early = log_in_at(x, NOW - 31 * DAY);
	offer_is(x, fx_text(early, "session"), "extend", "validity_window");
	clock_set(NOW);
	fx_append_revoked(x, &x->org, true, 4, NOW);
	fx_follow(x);
	offer_is(x, x->session, "change", "predecessor_ended");
}

/* Orders from before payments were rows: what was paid stays paid, under the bank's reference. */
static void test_orders_of_before(void **state)
{
	_cleanup_(db_closep) struct db *db = NULL;
	struct order o = {0};
	struct payment p = {0};
	struct fault f = {0};
	(void)state;
	assert_int_equal(db_open(":memory:", false, &db, &f), OK);
	assert_int_equal(db_migrate(db, store_migrations, 2, &f), OK);
	assert_int_equal(
		db_run(db, &f,
		       "INSERT INTO accounts (id, identifier, organisation, agent, mobile, flags, initial, created,"
		       " updated) VALUES (1, 'i', 'o', 'a', 'm', '', 0, 0, 0)",
		       ""),
		OK);
	assert_int_equal(db_run(db, &f,
				"INSERT INTO services (id, account, project, service, title, certificate_name, serial,"
				" issuer_name, begins, ends) VALUES ('s', 1, 'p', 's', 't', 'c', x'', 'i', 1, 9)",
				""),
			 OK);
	assert_int_equal(
		db_run(db, &f,
		       "INSERT INTO orders (id, account, service, kind, amount_fen, period_months, uses, months,"
		       " policy, state, created, paid_at, bank_reference) VALUES"
		       " ('a', 1, 's', 'renew', 5, 12, 1, 36, 'p', 'paid', 1, 2, 'B-1'),"
		       " ('b', 1, 's', 'renew', 5, 12, 1, 36, 'p', 'awaiting_payment', 1, NULL, NULL),"
		       " ('c', 1, 's', 'renew', 5, 12, 1, 36, 'p', 'open', 1, NULL, NULL)",
		       ""),
		OK);
	assert_int_equal(db_migrate(db, store_migrations, store_n_migrations, &f), OK);
	assert_int_equal(store_order_get(db, "a", &o, &f), OK);
	assert_string_equal(o.state, "paid");
	assert_string_equal(o.payment, "bank:B-1");
	assert_int_equal(store_payment_get(db, "bank:B-1", &p, &f), OK);
	assert_string_equal(p.order, "a");
	assert_string_equal(p.state, "applied");
	assert_int_equal(p.amount_fen, 5);
	assert_int_equal(store_order_get(db, "b", &o, &f), OK);
	assert_string_equal(o.state, "created");
	assert_int_equal(store_order_get(db, "c", &o, &f), OK);
	assert_string_equal(o.state, "created");
}

static void test_projects(void **state)
{
	static const char *const queries[] = {"金华市公共资源中心", "金华市公共资源交易中心", "jinhua", "金华资源"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		_cleanup_(json_freep) json_t *r =
			fx_do(x, UID_PORTAL, "project.search", json_pack("{s:s}", "query", queries[i]));
		assert_string_equal(fx_text(json_array_get(json_object_get(r, "projects"), 0), "project"), "jinhua");
	}
	_cleanup_(json_freep) json_t *shown =
		fx_do(x, UID_PORTAL, "project.show", json_pack("{s:s}", "project", "jinhua"));
	json_t *service = json_array_get(json_object_get(shown, "services"), 0);
	assert_int_equal(json_integer_value(json_object_get(service, "price_fen")), 30000);
	assert_true(fx_text(json_object_get(shown, "contact"), "telephone")[0]);
	assert_string_equal(
		fx_text(json_object_get(json_array_get(json_object_get(shown, "process"), 0), "title"), "zh"), "登录");
	assert_true(json_array_size(json_object_get(shown, "help")) > 0);
	json_t *download = json_array_get(json_object_get(shown, "downloads"), 0);
	assert_int_equal(strlen(fx_text(download, "sha256")), 64);
	json_t *ways = json_object_get(shown, "ways"), *way;
	size_t i, changes = 0;
	json_array_foreach(ways, i, way)
	{
		if (strcmp(fx_text(way, "way"), "name-or-code") != 0)
			continue;
		changes++;
		assert_int_equal(json_array_size(json_object_get(way, "materials")), 5);
		assert_string_equal(fx_text(way, "notice"), "risk-2026-11");
	}
	assert_int_equal(changes, 1);
	fx_refused(x, UID_PORTAL, "project.show", json_pack("{s:s}", "project", "nowhere"), "project_unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renewal_runs_on),
		cmocka_unit_test(test_price_and_terms_are_the_policys),
		cmocka_unit_test(test_price_changes_under_an_order),
		cmocka_unit_test(test_confirming),
		cmocka_unit_test(test_one_open_order),
		cmocka_unit_test(test_others_are_not_there),
		cmocka_unit_test(test_extension_wants_a_paid_service),
		cmocka_unit_test(test_orders_that_do_not_fit),
		cmocka_unit_test(test_order_is_used_once),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_issued_is_fulfilled),
		cmocka_unit_test(test_time_ends_orders),
		cmocka_unit_test(test_applying),
		cmocka_unit_test(test_near_and_far_ends),
		cmocka_unit_test(test_my_certificates),
		cmocka_unit_test(test_orders_of_before),
		cmocka_unit_test(test_projects),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
