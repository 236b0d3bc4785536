/*
 * Questions are drawn at random, so that answers lie all over the database. An own one is asked by one of the accounts that have
 * a session; a page's has the session in its cookie, as a browser sends it.
 */
#include "tools/benchmark/question.h"

#include "common/base/clock.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

/* One question: whose it is, when it is an own one. */
struct asking {
	const struct kind *kind;
	const struct crowd *crowd;
	size_t account;
};

/* --- parameters --- */

static size_t below(size_t n)
{
	return ((size_t)rand() * 32768u + (size_t)rand()) % n;
}

static void ask_serials(const struct asking *a, struct buf *ret)
{
	for (unsigned i = 0; i < a->kind->serials; i++) {
		struct serial s;
		crowd_serial(below(a->crowd->n_certs), &s);
		buf_fmt(ret, "%s\"%s\"", i ? "," : "\"serials\":[", SERIAL(&s));
	}
	buf_char(ret, ']');
}

static void ask_fixed(const struct asking *a, struct buf *ret)
{
	buf_str(ret, a->kind->fixed);
}

/* Anywhere in the queue but its end. */
static void ask_queue_late(const struct asking *a, struct buf *ret)
{
	size_t i = below(a->crowd->n_requests);
	int64_t due = crowd_due(a->crowd, i), last = a->crowd->now + (CROWD_DUE_DAYS - 13) * INT64_C(86400);
	char id[REQUEST_ID + 1];
	crowd_request(i / 2, id);
	buf_fmt(ret, "\"after\":\"%lld:%s\"%s", (long long)(due < last ? due : last), id, a->kind->fixed);
}

static void ask_pending_late(const struct asking *a, struct buf *ret)
{
	char id[REQUEST_ID + 1];
	crowd_request(below(a->crowd->n_requests - 100), id);
	buf_fmt(ret, "\"per_page\":20,\"after\":\"%lld:%s\"", (long long)a->crowd->now + 30LL * 86400, id);
}

static void ask_name(const struct asking *a, struct buf *ret)
{
	char name[CROWD_NAME];
	crowd_name(below(crowd_accounts(a->crowd)), name, true);
	buf_fmt(ret, "\"search\":\"%s\"", name);
}

static void ask_identifier(const struct asking *a, struct buf *ret)
{
	char identifier[16];
	crowd_identifier(below(crowd_accounts(a->crowd)), identifier);
	buf_fmt(ret, "\"search\":\"%s\"", identifier);
}

/* By its part behind the date. */
static void ask_order(const struct asking *a, struct buf *ret)
{
	char order[ORDER_ID_MAX + 1];
	(void)a;
	crowd_order(below(CROWD_ACCOUNTS * CROWD_OWN), order);
	buf_fmt(ret, "\"search\":\"%s\"", order + 9);
}

static void ask_payments_late(const struct asking *a, struct buf *ret)
{
	buf_fmt(ret, "\"after\":\"%lld:\"", (long long)a->crowd->now - 400LL * 86400 + (long long)below(80000));
}

/* Anywhere among those that are under way, but at their end. */
static void ask_parcel_late(const struct asking *a, struct buf *ret)
{
	size_t i = crowd_parcel(below((a->crowd->n_parcels - 100) / 4));
	int64_t due = crowd_due(a->crowd, i), last = a->crowd->now + (CROWD_DUE_DAYS - 13) * INT64_C(86400);
	char id[REQUEST_ID + 1];
	crowd_request(i / 2, id);
	buf_fmt(ret, "\"after\":\"%lld:%s\"", (long long)(due < last ? due : last), id);
}

static void ask_key_late(const struct asking *a, struct buf *ret)
{
	char serial[16];
	crowd_key(below(a->crowd->n_keys - 100), serial);
	buf_fmt(ret, "\"after\":\"%s\"%s", serial, a->kind->fixed);
}

/* Of even accounts the audit has a row. */
static void ask_audit_object(const struct asking *a, struct buf *ret)
{
	char id[REQUEST_ID + 1];
	crowd_request(below(crowd_accounts(a->crowd) / 2) * 2, id);
	buf_fmt(ret, "\"object\":\"%s\"", id);
}

static void ask_audit_who(const struct asking *a, struct buf *ret)
{
	char identifier[16];
	crowd_identifier(below(crowd_accounts(a->crowd) / 2) * 2, identifier);
	buf_fmt(ret, "\"who\":\"account:%s\"", identifier);
}

static void ask_audit_late(const struct asking *a, struct buf *ret)
{
	int64_t at = a->crowd->now - 2 * 365 * INT64_C(86400) + (int64_t)below(crowd_accounts(a->crowd) / 2) * 60;
	buf_fmt(ret, "\"since\":\"%s\"", UTC(at));
}

/* One that is whole: of the account that asks, or of any of those. */
static void ask_request(const struct asking *a, struct buf *ret)
{
	char id[REQUEST_ID + 1];
	crowd_request(crowd_whole_request(a->account), id);
	buf_fmt(ret, "\"request\":\"%s\"", id);
}

/* --- kinds --- */

static const struct kind of_all[] = {
	{"status-64", "status.query", 64, 1, ask_serials, "", "answers", 1},
	{"status-32x64", "status.query", 64, 32, ask_serials, "", "answers", 32},
	{"cert-list-16", "cert.list", 16, 0, ask_fixed, "", "certificates", 5, true},
	{"cert-list-late", "cert.list", 16, 0, ask_fixed, "\"page\":4", "certificates", 5, true},
	{"cert-list-search", "cert.list", 16, 0, ask_fixed, "\"search\":\"测试\"", "certificates", 5, true},
	{"service-list-16", "service.list", 16, 0, ask_fixed, "", "services", 5, true},
	{"service-list-late", "service.list", 16, 0, ask_fixed, "\"page\":4", "services", 5, true},
	{"service-list-search", "service.list", 16, 0, ask_fixed, "\"search\":\"测试\"", "services", 5, true},
	{"order-list-16", "order.list", 16, 0, ask_fixed, "", "orders", 5, true},
	{"order-list-late", "order.list", 16, 0, ask_fixed, "\"page\":4", "orders", 5, true},
	{"request-list-16", "request.list", 16, 0, ask_fixed, "", "requests", 5, true},
	{"request-list-late", "request.list", 16, 0, ask_fixed, "\"page\":4", "requests", 5, true},
	{"queue-16", "review.queue", 16, 0, ask_fixed, "", "requests", 20},
	{"queue-late", "review.queue", 16, 0, ask_queue_late, "", "requests", 0},
	{"queue-page-50", "review.queue", 16, 0, ask_fixed, "\"page\":49", "requests", 20},
	{"queue-project", "review.queue", 16, 0, ask_fixed, "\"project\":\"ningbo\"", "requests", 20},
	{"queue-kind-late", "review.queue", 16, 0, ask_queue_late, ",\"kind\":\"reissue\",\"project\":\"jinhua\"",
	 "requests", 0},
	{"queue-overdue", "review.queue", 16, 0, ask_fixed, "\"overdue\":true", "requests", 20},
	{"pending-late", "policy.pending", 16, 0, ask_pending_late, "", "requests", 20},
	{"account-find", "account.find", 16, 0, ask_name, "account", "accounts", 0},
	{"account-find-town", "account.find", 16, 0, ask_fixed, "\"search\":\"杭州\",\"page\":20", "accounts", 5},
	{"account-find-form", "account.find", 16, 0, ask_fixed, "\"search\":\"有限公司\"", "accounts", 5},
	{"account-find-code", "account.find", 16, 0, ask_identifier, "", "accounts", 1},
	{"order-find-name", "order.find", 16, 0, ask_name, "order", "orders", 0},
	{"order-find-number", "order.find", 16, 0, ask_order, "", "orders", 1},
	{"order-find-unpaid", "order.find", 16, 0, ask_fixed, "\"state\":\"created\",\"amount_fen\":30000,\"page\":50",
	 "orders", 5},
	{"payments-late", "order.payments", 16, 0, ask_payments_late, "", "payments", 5},
	{"audit-object", "audit.list", 16, 0, ask_audit_object, "", "rows", 1},
	{"audit-who", "audit.list", 16, 0, ask_audit_who, "", "rows", 1},
	{"audit-late", "audit.list", 16, 0, ask_audit_late, "", "rows", 50},
	{"parcel-list-16", "parcel.list", 16, 0, ask_fixed, "", "parcels", 5},
	{"parcel-list-late", "parcel.list", 16, 0, ask_parcel_late, "", "parcels", 5},
	{"parcel-received", "parcel.list", 16, 0, ask_fixed, "\"state\":\"received\",\"page\":50", "parcels", 5},
	{"token-list-late", "token.list", 16, 0, ask_key_late, "", "tokens", 20},
	{"token-list-state", "token.list", 16, 0, ask_key_late, ",\"state\":\"in_use\"", "tokens", 20},
	{"health-16", "desk.health", 16, 0, ask_fixed, "", "remarks", 0},
};

static const struct kind of_narrow[] = {
	{"narrow-accounts", "account.find", 16, 0, ask_fixed, "\"search\":\"有限公司\"", "accounts", 0},
	{"narrow-account-none", "account.find", 16, 0, ask_name, "", "accounts", 0},
	{"narrow-account-town", "account.find", 16, 0, ask_fixed, "\"search\":\"杭州\"", "accounts", 0},
	{"narrow-orders", "order.find", 16, 0, ask_fixed, "", "orders", 0},
	{"narrow-order-number", "order.find", 16, 0, ask_fixed, "\"search\":\"20261123\"", "orders", 0},
	{"narrow-order-unpaid", "order.find", 16, 0, ask_fixed, "\"state\":\"created\"", "orders", 0},
	{"narrow-order-name", "order.find", 16, 0, ask_fixed, "\"search\":\"有限公司\"", "orders", 0},
	{"narrow-payments", "order.payments", 16, 0, ask_fixed, "", "payments", 0},
	{"narrow-tokens", "token.list", 16, 0, ask_fixed, "", "tokens", 0},
	{"narrow-tokens-late", "token.list", 16, 0, ask_key_late, "", "tokens", 0},
	{"narrow-tokens-state", "token.list", 16, 0, ask_fixed, "\"state\":\"lost\"", "tokens", 0},
	{"narrow-queue", "review.queue", 16, 0, ask_fixed, "", "requests", 0},
	{"narrow-parcels", "parcel.list", 16, 0, ask_fixed, "", "parcels", 0},
};

static const struct kind of_portal[] = {
	{"portal-services", "service.list", 16, 0, ask_fixed, "", "services", 5, true},
	{"portal-certs", "cert.list", 16, 0, ask_fixed, "\"page\":4", "certificates", 5, true},
	{"portal-cert-search", "cert.list", 16, 0, ask_fixed, "\"search\":\"测试\"", "certificates", 5, true},
	{"portal-orders", "order.list", 16, 0, ask_fixed, "", "orders", 5, true},
	{"portal-requests", "request.list", 16, 0, ask_fixed, "", "requests", 5, true},
	{"portal-request", "request.show", 16, 0, ask_request, "", "history", 2, true},
	{"portal-parcels", "parcel.list", 16, 0, ask_fixed, "", "parcels", 0, true},
	{"portal-tokens", "token.mine", 16, 0, ask_fixed, "", "tokens", 0, true},
	{"portal-search", "project.search", 16, 0, ask_fixed, "\"query\":\"金华\"", "projects", 1},
};

static const struct kind of_officers[] = {
	{"officers-queue", "review.queue", 16, 0, ask_queue_late, "", "requests", 0},
	{"officers-request", "review.show", 16, 0, ask_request, "", "history", 2},
	{"officers-find", "account.find", 16, 0, ask_name, "", "accounts", 0},
	{"officers-find-town", "account.find", 16, 0, ask_fixed, "\"search\":\"杭州\"", "accounts", 5},
	{"officers-orders", "order.find", 16, 0, ask_name, "", "orders", 0},
	{"officers-payments", "order.payments", 16, 0, ask_payments_late, "", "payments", 5},
	{"officers-parcels", "parcel.list", 16, 0, ask_parcel_late, "", "parcels", 5},
	{"officers-tokens", "token.list", 16, 0, ask_key_late, "", "tokens", 20},
	{"officers-audit", "audit.list", 16, 0, ask_audit_object, "", "rows", 1},
	{"officers-figures", "desk.figures", 16, 0, ask_fixed, "", "days", 0},
	{"officers-outlook", "desk.outlook", 4, 0, ask_fixed, "", "weeks", 0},
};

#define SEATED(kinds)                                                                                                  \
	{                                                                                                              \
		kinds, sizeof kinds / sizeof kinds[0]                                                                  \
	}
static const struct {
	const struct kind *kinds;
	size_t n;
} seats[SEATS] = {[SEAT_ALL] = SEATED(of_all),
		  [SEAT_NARROW] = SEATED(of_narrow),
		  [SEAT_PORTAL] = SEATED(of_portal),
		  [SEAT_OFFICERS] = SEATED(of_officers)};

const struct kind *question_kinds(enum seat seat, size_t *ret_n)
{
	*ret_n = seats[seat].n;
	return seats[seat].kinds;
}

/* --- as bytes --- */

/* session: among the parameters; NULL: not there. */
static void put_call(const struct asking *a, const char *session, struct buf *ret)
{
	_cleanup_buf_ struct buf params = {0};
	a->kind->ask(a, &params);
	buf_fmt(ret, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":{", rand() % 100000, a->kind->method);
	if (session)
		buf_fmt(ret, "\"session\":\"%s\"%s", session, params.len ? "," : "");
	buf_add_slice(ret, buf_slice(&params));
	buf_str(ret, "}}");
}

static struct asking draw(const struct kind *k, const struct crowd *w, char ret_token[33])
{
	struct asking a = {k, w, below(CROWD_ACCOUNTS)};
	crowd_token(a.account, ret_token);
	return a;
}

void question_write(const struct kind *k, const struct crowd *w, struct buf *ret)
{
	char token[33];
	struct asking a = draw(k, w, token);
	put_call(&a, k->own ? token : NULL, ret);
}

void question_post(const struct kind *k, const struct crowd *w, struct buf *ret)
{
	char token[33];
	struct asking a = draw(k, w, token);
	_cleanup_buf_ struct buf body = {0};
	put_call(&a, NULL, &body);
	buf_fmt(ret,
		"POST /rpc HTTP/1.1\r\nHost: portal.bench.test\r\nOrigin: " QUESTION_ORIGIN
		"\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
		body.len);
	if (k->own)
		buf_fmt(ret, "Cookie: hufu-session=%s\r\n", token);
	buf_str(ret, "\r\n");
	buf_add_slice(ret, buf_slice(&body));
}

enum err question_read(const struct kind *k, struct slice reply, struct fault *f)
{
	json_error_t e;
	_cleanup_(json_freep) json_t *o = json_loadb((const char *)reply.p, reply.n, 0, &e);
	json_t *list = json_object_get(json_object_get(o, "result"), k->list), *v;
	size_t i, n = json_array_size(list);
	bool ok = json_is_array(list) && (k->rows == 0 || n == k->rows);
	json_array_foreach(list, i, v)
	{
		const char *state = json_string_value(json_object_get(v, "state"));
		ok = ok && (!state || strcmp(state, "unknown") != 0);
	}
	if (ok)
		return OK;
	return fault_raise(f, ERR_INTERNAL, "desk_answer", k->name, "answered: %s",
			   ESC(reply.p, reply.n < 150 ? reply.n : 150));
}
