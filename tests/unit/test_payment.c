/*
 * Money: the provider's signed call, the officer's confirmation, both at once, what comes too late or twice, what goes
 * back, and invoices.
 */
#include "ra_fixture.h"

#include "ra/payment.h"

#include <sodium.h>
#include <string.h>

#define TAX "913301003535355023"

static json_t *of(struct fx *x, const char *order)
{
	return json_pack("{s:s,s:s}", "session", x->session, "order", order);
}

static json_t *confirm(const char *order, const char *reference)
{
	return json_pack("{s:s,s:s}", "order", order, "bank_reference", reference);
}

static char *create(struct fx *x)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "order.create",
		      json_pack("{s:s,s:s,s:s}", "session", x->session, "service_id", "20353", "kind", "renew"));
	return xstrdup(fx_text(r, "order"));
}

static void sign(const char *secret, const struct callback *b, char ret[65])
{
	uint8_t mac[32];
	crypto_auth_hmacsha256_state h;
	_cleanup_buf_ struct buf text = {0};
	callback_text(b, &text);
	crypto_auth_hmacsha256_init(&h, (const uint8_t *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&h, text.data, text.len);
	crypto_auth_hmacsha256_final(&h, mac);
	hex_lower(mac, 32, ret);
}

static json_t *pack(const struct callback *b, const char *signature)
{
	return json_pack("{s:s,s:I,s:s,s:s,s:s,s:s}", "order", b->order, "amount_fen", (json_int_t)b->amount_fen,
			 "transaction", b->transaction, "time", b->time, "nonce", b->nonce, "signature", signature);
}

/* The provider's call of now, as it should be. */
static json_t *call_of(const char *order, int64_t amount, const char *transaction, const char *nonce)
{
	char hex[65], time[TIME_TEXT];
	const struct callback b = {.order = order,
				   .amount_fen = amount,
				   .transaction = transaction,
				   .time = time_utc(clock_now(), time),
				   .nonce = nonce};
	sign(PROVIDER_SECRET, &b, hex);
	return pack(&b, hex);
}

static void order_is(struct fx *x, const char *order, const char *state)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "order.find", json_pack("{s:s}", "search", order));
	assert_string_equal(fx_text(json_array_get(json_object_get(r, "orders"), 0), "state"), state);
}

static void service_ends(struct fx *x, const char *ends)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "service.list", json_pack("{s:s}", "session", x->session));
	assert_string_equal(fx_text(json_array_get(json_object_get(r, "services"), 0), "ends"), ends);
}

static int64_t payments(struct fx *x, const char *state)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "order.payments", json_pack("{s:s}", "state", state));
	return json_integer_value(json_object_get(r, "total"));
}

/* --- the provider's call --- */

/* The text that a provider's programmer reads in docs/desk.md. */
static void test_text_of_the_call(void **state)
{
	const struct callback b = {.order = "20261123-7K2M9QXA4BCD",
				   .amount_fen = 30000,
				   .transaction = "4200001",
				   .time = "2026-11-23T00:00:00Z",
				   .nonce = "0123456789abcdef"};
	_cleanup_buf_ struct buf text = {0};
	char hex[65];
	(void)state;
	callback_text(&b, &text);
	assert_string_equal(buf_text(&text), "hufu/payment/v1\norder: 20261123-7K2M9QXA4BCD\namount: 30000\n"
					     "transaction: 4200001\ntime: 2026-11-23T00:00:00Z\n"
					     "nonce: 0123456789abcdef\n");
	sign("key", &b, hex);
	assert_string_equal(hex, "a7d7c359b39021e73fe83ef62b63e221717ab8125a46fab83f9708651b037efd");
}

static void test_address(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x);
	json_t *params = of(x, order);
	json_object_set_new(params, "way", json_string("provider"));
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "order.pay", params);
	_cleanup_(freep) char *wanted = xasprintf(
		"https://pay.example.test/p?o=%s&fen=30000&yuan=300.00&back=https%%3A%%2F%%2Fdesk.example.test"
		"%%2Forders%%2F%s",
		order, order);
	assert_string_equal(fx_text(r, "url"), wanted);
	assert_string_equal(fx_text(r, "reference"), order);
}

static void test_call_pays(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x), *second = NULL;
	fx_refused(x, UID_SUBSCRIBER, "order.callback", call_of(order, 30000, "T-1", "nonce-0000000001"),
		   "method_denied");
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_PORTAL, "order.callback", call_of(order, 30000, "T-1", "nonce-0000000001"));
	assert_string_equal(fx_text(r, "state"), "paid");
	assert_string_equal(fx_text(r, "payment"), "applied");
	service_ends(x, "2027-11-23T00:00:00Z");
	/* The provider calls again: the same answer, nothing twice. */
	_cleanup_(json_freep) json_t *again =
		fx_do(x, UID_PORTAL, "order.callback", call_of(order, 30000, "T-1", "nonce-0000000002"));
	assert_string_equal(fx_text(again, "payment"), "applied");
	service_ends(x, "2027-11-23T00:00:00Z");
	/* A transaction pays one order. */
	second = create(x);
	fx_refused(x, UID_PORTAL, "order.callback", call_of(second, 30000, "T-1", "nonce-0000000003"),
		   "transaction_used");
	order_is(x, second, "created");
}

static void test_calls_that_are_not_believed(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x);
	char good[65], other[65], late[65], early[65], cut[65], bad_time[65], line[65], low[65], high[65];
	const char *const n = "nonce-0000000001", *const now = "2026-11-23T00:00:00Z";
	const struct callback call = {order, "T-1", now, n, 30000};
	const struct callback was = {order, "T-1", "2026-11-22T23:54:59Z", n, 30000};
	const struct callback will = {order, "T-1", "2026-11-23T00:05:01Z", n, 30000};
	const struct callback odd = {order, "T-1", "2026-11-31T00:00:00Z", n, 30000};
	const struct callback lines = {order, "T-1\namount: 1", now, n, 30000};
	const struct callback less = {order, "T-1", now, n, 29999}, more = {order, "T-1", now, n, 30001};
	const struct callback nobody = {"20261123-NOSUCHORDER2", "T-1", now, n, 30000};
	sign(PROVIDER_SECRET, &call, good);
	sign("another secret of somebody else's", &call, other);
	sign(PROVIDER_SECRET, &was, late);
	sign(PROVIDER_SECRET, &will, early);
	sign(PROVIDER_SECRET, &odd, bad_time);
	sign(PROVIDER_SECRET, &lines, line);
	sign(PROVIDER_SECRET, &less, low);
	sign(PROVIDER_SECRET, &more, high);
	memcpy(cut, good, sizeof(cut));
	cut[63] = cut[63] == '0' ? '1' : '0';
	char unknown[65];
	sign(PROVIDER_SECRET, &nobody, unknown);
	const struct {
		const struct callback *call;
		const char *signature, *rule;
	} cases[] = {
		{&call, other, "callback_signature"}, {&call, cut, "callback_signature"},
		{&call, "00", "param_range"},	      {&less, good, "callback_signature"},
		{&was, good, "callback_signature"},   {&was, late, "callback_time"},
		{&will, early, "callback_time"},      {&odd, bad_time, "callback_form"},
		{&lines, line, "callback_form"},      {&less, low, "payment_amount"},
		{&more, high, "payment_amount"},      {&nobody, unknown, "order_unknown"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fx_refused(x, UID_PORTAL, "order.callback", pack(cases[i].call, cases[i].signature), cases[i].rule);
	order_is(x, order, "created");
	/* What was refused has used nothing up; what was taken is taken once. */
	json_decref(fx_do(x, UID_PORTAL, "order.callback", pack(&call, good)));
	fx_refused(x, UID_PORTAL, "order.callback", pack(&call, good), "callback_nonce");
	order_is(x, order, "paid");
	assert_int_equal(payments(x, "applied"), 1);
}

static void test_amounts_out_of_bounds(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x);
	static const int64_t amounts[] = {-1, -30000, INT64_MIN, INT64_MAX, INT64_C(100000000001)};
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		fx_refused(x, UID_PORTAL, "order.callback", call_of(order, amounts[i], "T-1", "nonce-0000000001"),
			   "param_range");
		json_t *p = confirm(order, "B-1");
		json_object_set_new(p, "amount_fen", json_integer(amounts[i]));
		fx_refused(x, UID_OFFICER, "order.confirm", p, "param_range");
	}
	json_t *p = confirm(order, "B-1");
	json_object_set_new(p, "amount_fen", json_integer(29999));
	fx_refused(x, UID_OFFICER, "order.confirm", p, "payment_amount");
	order_is(x, order, "created");
}

/* Without a provider, nobody's call is believed: not even one signed with an empty secret. */
static void test_no_provider(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x);
	x->desk->config.has_provider = false;
	secret_done(&x->desk->provider_secret);
	char hex[65];
	const struct callback b = {order, "T-1", "2026-11-23T00:00:00Z", "nonce-0000000001", 30000};
	sign("", &b, hex);
	fx_refused(x, UID_PORTAL, "order.callback", pack(&b, hex), "provider_missing");
	json_t *params = of(x, order);
	json_object_set_new(params, "way", json_string("provider"));
	fx_refused(x, UID_SUBSCRIBER, "order.pay", params, "provider_missing");
}

static void test_configuration(void **state)
{
	static const struct {
		const char *url, *back, *secret, *wanted;
	} cases[] = {
		{"ftp://pay.example.test/{order}", "https://d.test/{order}", "secret-of-16-bytes", "wanted https://"},
		{"https://pay.example.test/", "https://d.test/{order}", "secret-of-16-bytes", "found no {order}"},
		{"https://p.test/{order}?{sum}", "https://d.test/{order}", "secret-of-16-bytes", "found {sum}"},
		{"https://p.test/{order", "https://d.test/{order}", "secret-of-16-bytes", "found {order"},
		{"https://p.test/{order} x", "https://d.test/{order}", "secret-of-16-bytes", "no URL has"},
		{"https://p.test/{order}", "https://d.test/{amount}{order}", "secret-of-16-bytes", "found {amount}"},
		{"https://p.test/{order}", "https://d.test/{order}", "short", "wanted at least 16"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *path = path_join(x->dir, "ra.yaml");
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ra_config c = {0};
		struct desk *d = NULL;
		struct fault f = {0};
		_cleanup_(freep) char *text =
			xasprintf("root: %s\nstate: state\nsocket: s\nsigner_socket: signer.sock\npolicies: policies\n"
				  "roster: roster.note\nra_key: ra.key\nlog_key: log.vkey\nra_name: ra-1\ncallers: "
				  "[{uid: 0, roles: "
				  "[portal]}]\nprovider:\n  url: '%s'\n  return_url: '%s'\n  secret: other.key\n",
				  x->dir, cases[i].url, cases[i].back);
		fx_write(x, "other.key", cases[i].secret);
		fx_write(x, "ra.yaml", text);
		if (ra_config_load(path, &c, &f) == OK)
			assert_int_equal(desk_open(&c, &d, &f), ERR_CONFIG);
		ra_config_done(&c);
		if (!strstr(f.text, cases[i].wanted))
			fail_msg("%s: %s, wanted %s", cases[i].url, f.text, cases[i].wanted);
	}
}

/* --- late and twice --- */

static void test_money_for_a_cancelled_order_goes_back(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x);
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.cancel", of(x, order)));
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_PORTAL, "order.callback", call_of(order, 30000, "T-1", "nonce-0000000001"));
	assert_string_equal(fx_text(r, "state"), "cancelled");
	assert_string_equal(fx_text(r, "payment"), "to_refund");
	service_ends(x, "2016-08-31T03:39:36Z");
	/* An officer who sees it on the statement says so in as many words. */
	fx_refused(x, UID_OFFICER, "order.confirm", confirm(order, "B-1"), "order_cancelled");
	json_t *p = confirm(order, "B-1");
	json_object_set_new(p, "to_refund", json_true());
	json_decref(fx_do(x, UID_OFFICER, "order.confirm", p));
	assert_int_equal(payments(x, "to_refund"), 2);
	fx_refused(x, UID_OFFICER, "order.refund", confirm(order, "R-1"), "order_cancelled");
	p = confirm(order, "R-1");
	json_object_set_new(p, "payment", json_string("provider:T-2"));
	fx_refused(x, UID_OFFICER, "order.refund", p, "payment_unknown");
	for (unsigned i = 0; i < 2; i++) {
		p = confirm(order, "R-1");
		json_object_set_new(p, "payment", json_string("provider:T-1"));
		json_decref(fx_do(x, UID_OFFICER, "order.refund", p));
	}
	p = confirm(order, "R-2");
	json_object_set_new(p, "payment", json_string("provider:T-1"));
	fx_refused(x, UID_OFFICER, "order.refund", p, "order_refunded");
	p = confirm(order, "R-1");
	json_object_set_new(p, "payment", json_string("bank:B-1"));
	fx_refused(x, UID_OFFICER, "order.refund", p, "refund_reference_used");
	assert_int_equal(payments(x, "to_refund"), 1);
	assert_int_equal(payments(x, "refunded"), 1);
}

struct payer {
	struct fx *x;
	const char *order;
	unsigned index;
};

/* The bank's officer and the provider, each with money of its own, and each more than once. */
static void *pay(void *arg)
{
	struct payer *p = arg;
	struct rpc_peer peer = {.uid = p->index % 2 ? UID_PORTAL : UID_OFFICER};
	_cleanup_buf_ struct buf reply = {0};
	_cleanup_(freep) char *nonce = xasprintf("nonce-%010u", p->index);
	json_t *params = p->index % 2 ? call_of(p->order, 30000, "T-1", nonce) : confirm(p->order, "B-1");
	json_object_set_new(params, "call_id", json_sprintf("at-once-%08u", p->index));
	_cleanup_(json_freep) json_t *request =
		json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id", 1, "method",
			  p->index % 2 ? "order.callback" : "order.confirm", "params", params);
	char *text = json_dumps(request, 0);
	desk_handle(p->x->desk, &peer, slice_str(text), &reply);
	free(text);
	return NULL;
}

/* One of the two pays, the period runs on once; the provider's money is in view wherever it ended. */
static void test_both_at_once(void **state)
{
	enum { N = 16 };
	_cleanup_(fx_freep) struct fx *x = fx_new();
	pthread_t threads[N];
	struct payer payers[N];
	(void)state;
	fx_log_in(x);
	for (unsigned round = 0; round < 2; round++) {
		_cleanup_(freep) char *order = create(x);
		for (unsigned i = 0; i < N; i++) {
			/* Whoever came late in the first round: the provider's money was kept, the officer was told. */
			payers[i] = (struct payer){x, order, round == 0 ? i : i | 1};
			assert_int_equal(pthread_create(&threads[i], NULL, pay, &payers[i]), 0);
		}
		for (unsigned i = 0; i < N; i++)
			pthread_join(threads[i], NULL);
		if (round == 0) {
			order_is(x, order, "paid");
			service_ends(x, "2027-11-23T00:00:00Z");
			assert_int_equal(payments(x, "applied"), 1);
			assert_true(payments(x, "to_refund") <= 1);
		} else {
			/* The provider's reference and all nonces are spent: nothing of it pays the second order. */
			order_is(x, order, "created");
		}
	}
}

/* Two clicks at the same time: one order. */
static void *click(void *arg)
{
	struct payer *p = arg;
	struct rpc_peer peer = {.uid = UID_SUBSCRIBER};
	_cleanup_buf_ struct buf reply = {0};
	_cleanup_(freep) char *text =
		xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"order.create\",\"params\":{\"session\":\"%s\","
			  "\"service_id\":\"20353\",\"kind\":\"renew\",\"call_id\":\"click-%08u\"}}",
			  p->x->session, p->index / 2);
	desk_handle(p->x->desk, &peer, slice_str(text), &reply);
	return NULL;
}

static void test_double_click(void **state)
{
	enum { N = 8 };
	_cleanup_(fx_freep) struct fx *x = fx_new();
	pthread_t threads[N];
	struct payer payers[N];
	(void)state;
	fx_log_in(x);
	for (unsigned i = 0; i < N; i++) {
		payers[i] = (struct payer){x, NULL, i};
		assert_int_equal(pthread_create(&threads[i], NULL, click, &payers[i]), 0);
	}
	for (unsigned i = 0; i < N; i++)
		pthread_join(threads[i], NULL);
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "order.list", json_pack("{s:s}", "session", x->session));
	assert_int_equal(json_integer_value(json_object_get(r, "total")), 1);
}

/* --- going back --- */

static void test_refund(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *first = fx_paid_order(x, x->session, "20353");
	_cleanup_(freep) char *second = fx_paid_order(x, x->session, "20353"), *unpaid = create(x);
	service_ends(x, "2028-11-23T00:00:00Z");
	fx_refused(x, UID_SUBSCRIBER, "order.refund", confirm(first, "R-1"), "method_denied");
	fx_refused(x, UID_OFFICER, "order.refund", confirm(unpaid, "R-1"), "order_unpaid");
	fx_refused(x, UID_OFFICER, "order.refund", confirm(first, "R-1"), "order_refund_later");
	_cleanup_(freep) char *request = fx_extend(x, second, 12);
	fx_prove(x, request);
	fx_submit(x, request);
	fx_refused(x, UID_OFFICER, "order.refund", confirm(second, "R-1"), "order_in_use");
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw",
			  json_pack("{s:s,s:s}", "session", x->session, "request", request)));
	for (unsigned i = 0; i < 2; i++) { /* the second time is the same answer */
		json_decref(fx_do(x, UID_OFFICER, "order.refund", confirm(second, "R-1")));
		service_ends(x, "2027-11-23T00:00:00Z");
	}
	order_is(x, second, "refunded");
	fx_refused(x, UID_OFFICER, "order.refund", confirm(first, "R-1"), "refund_reference_used");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_extend_params(x, second, 12), "order_refunded");
	json_decref(fx_do(x, UID_OFFICER, "order.refund", confirm(first, "R-2")));
	service_ends(x, "2016-08-31T03:39:36Z");
	/* The old reference pays nothing again. */
	_cleanup_(freep) char *reference = xasprintf("BANK-%s", first);
	fx_refused(x, UID_OFFICER, "order.confirm", confirm(unpaid, reference), "bank_reference_used");
}

/* --- invoices --- */

static json_t *invoice(struct fx *x, const char *order, const char *title, const char *tax)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "session", x->session, "order", order, "title", title, "tax_number", tax);
}

static void test_invoices(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x);
	static const struct {
		const char *title, *tax, *rule;
	} cases[] = {{"杭州田谷", "91330100353535502", "tax_number_form"},
		     {"杭州田谷", "913301003535355024", "identifier_check"},
		     {"杭州田谷", "abcdefghijklmno", "tax_number_form"},
		     {"杭州\x01田谷", TAX, "param_characters"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fx_refused(x, UID_SUBSCRIBER, "order.invoice", invoice(x, order, cases[i].title, cases[i].tax),
			   cases[i].rule);
	const char *const issued[] = {"12345678", "order_unpaid"};
	json_t *p = json_pack("{s:s,s:s}", "order", order, "number", issued[0]);
	fx_refused(x, UID_OFFICER, "order.invoiced", json_incref(p), "invoice_unknown");
	/* Titles are texts, whatever they look like. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.invoice", invoice(x, order, "'); DROP TABLE orders; --", TAX)));
	fx_refused(x, UID_OFFICER, "order.invoiced", json_incref(p), issued[1]);
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.invoice", invoice(x, order, "<b>田谷</b>", TAX)));
	json_decref(fx_do(x, UID_OFFICER, "order.confirm", confirm(order, "B-1")));
	_cleanup_(json_freep) json_t *waiting =
		fx_do(x, UID_OFFICER, "order.find", json_pack("{s:s}", "invoice", "asked"));
	assert_int_equal(json_integer_value(json_object_get(waiting, "total")), 1);
	for (unsigned i = 0; i < 2; i++) {
		json_object_del(p, "call_id");
		json_decref(fx_do(x, UID_OFFICER, "order.invoiced", json_incref(p)));
	}
	json_decref(p);
	_cleanup_(json_freep) json_t *shown = fx_do(x, UID_SUBSCRIBER, "order.show", of(x, order));
	json_t *i = json_object_get(shown, "invoice");
	assert_string_equal(fx_text(i, "title"), "<b>田谷</b>");
	assert_string_equal(fx_text(i, "state"), "issued");
	assert_string_equal(fx_text(i, "number"), "12345678");
	assert_int_equal(json_integer_value(json_object_get(i, "amount_fen")), 30000);
	fx_refused(x, UID_SUBSCRIBER, "order.invoice", invoice(x, order, "另一个抬头", TAX), "invoice_issued");
	json_decref(fx_do(x, UID_OFFICER, "order.refund", confirm(order, "R-1")));
	_cleanup_(json_freep) json_t *after = fx_do(x, UID_SUBSCRIBER, "order.show", of(x, order));
	assert_string_equal(fx_text(json_object_get(after, "invoice"), "state"), "void");
	fx_refused(x, UID_SUBSCRIBER, "order.invoice", invoice(x, order, "杭州田谷", TAX), "order_refunded");
}

/* --- finding --- */

static int64_t found(struct fx *x, json_t *params)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "order.find", params);
	return json_integer_value(json_object_get(r, "total"));
}

static void test_finding(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x);
	free(fx_paid_order(x, x->other_session, "20354"));
	assert_int_equal(found(x, json_pack("{s:s}", "state", "created")), 1);
	assert_int_equal(found(x, json_pack("{s:s}", "search", order + 9)), 1);
	assert_int_equal(found(x, json_pack("{s:s}", "search", "别家")), 1);
	assert_int_equal(found(x, json_pack("{s:s}", "search", ORG_CODE)), 1);
	assert_int_equal(found(x, json_pack("{s:i}", "amount_fen", 30000)), 2);
	assert_int_equal(found(x, json_pack("{s:i}", "amount_fen", 30001)), 0);
	assert_int_equal(found(x, json_pack("{s:s}", "search", "' OR 1=1 --")), 0);
	assert_int_equal(found(x, json_pack("{s:s}", "search", "%")), 0);
	fx_refused(x, UID_OFFICER, "order.find", json_pack("{s:s}", "state", "open"), "param_word");
}

/* A crash after the answer: the payment stands, and a repeated call is the same answer. */
static void test_survives_a_restart(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = create(x);
	json_t *call = call_of(order, 30000, "T-1", "nonce-0000000001");
	json_object_set_new(call, "call_id", json_string("nonce-0000000001"));
	_cleanup_(json_freep) json_t *first = fx_do(x, UID_PORTAL, "order.callback", json_incref(call));
	fx_restart(x);
	_cleanup_(json_freep) json_t *second = fx_do(x, UID_PORTAL, "order.callback", call);
	assert_true(json_equal(first, second));
	service_ends(x, "2027-11-23T00:00:00Z");
	assert_int_equal(payments(x, "applied"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_of_the_call),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_call_pays),
		cmocka_unit_test(test_calls_that_are_not_believed),
		cmocka_unit_test(test_amounts_out_of_bounds),
		cmocka_unit_test(test_no_provider),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_money_for_a_cancelled_order_goes_back),
		cmocka_unit_test(test_both_at_once),
		cmocka_unit_test(test_double_click),
		cmocka_unit_test(test_refund),
		cmocka_unit_test(test_invoices),
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_survives_a_restart),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
