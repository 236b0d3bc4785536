/*
 * Orders. The price and what an order allows are read from the signed policy when it is made and stay as they were
 * sold. Next: order_state.c, payment.c, order_use.c.
 */
#include "ra/order.h"

#include "ra/invoice.h"
#include "ra/number.h"
#include "ra/officer.h"
#include "ra/store_find.h"

#include "common/base/clock.h"

#include <string.h>

#define AHEAD_MONTHS_MAX 120

/* --- answers --- */

static void put_payment(const struct order *o, json_t *j)
{
	const char *colon = strchr(o->payment, ':');
	bool bank = strncmp(o->payment, "bank:", 5) == 0;
	if (o->paid_at != 0)
		json_object_set_new(j, "paid_at", json_time(o->paid_at));
	if (colon)
		json_object_set_new(j, bank ? "bank_reference" : "transaction", json_string(colon + 1));
	if (o->begins != 0) {
		json_object_set_new(j, "begins", json_time(o->begins));
		json_object_set_new(j, "ends", json_time(o->ends));
	}
	if (o->closed != 0) {
		json_object_set_new(j, "closed", json_time(o->closed));
		json_object_set_new(j, "why", json_string(o->why));
	}
}

static json_t *order_json(const struct order *o)
{
	json_t *j = json_object();
	json_object_set_new(j, "order", json_string(o->id));
	json_object_set_new(j, "kind", json_string(o->kind));
	json_object_set_new(j, "service_id", json_string(o->service));
	json_object_set_new(j, "amount_fen", json_integer(o->amount_fen));
	json_object_set_new(j, "period_months", json_integer(o->period_months));
	json_object_set_new(j, "uses", json_integer(o->uses));
	json_object_set_new(j, "months", json_integer(o->months));
	json_object_set_new(j, "state", json_string(o->state));
	json_object_set_new(j, "created", json_time(o->created));
	put_payment(o, j);
	return j;
}

enum err order_answer(struct ctx *c, const char *id, json_t **ret, struct fault *f)
{
	struct order o = {0};
	int64_t uses, months;
	json_t *invoice = NULL;
	TRY(store_order_get(c->db, id, &o, f));
	TRY(store_order_used(c->db, id, "", &uses, &months, f));
	TRY(invoice_json(c->db, id, &invoice, f));
	*ret = order_json(&o);
	json_object_set_new(*ret, "uses_left", json_integer(o.uses > uses ? o.uses - uses : 0));
	json_object_set_new(*ret, "invoice", invoice);
	return OK;
}

static enum err unknown(const char *id, struct fault *f)
{
	return fault_raise(f, ERR_NOT_FOUND, "order_unknown", "params.order", "there is no order \"%s\" for you",
			   ESC(id, strlen(id)));
}

enum err order_of(struct db *db, const char *id, int64_t account, struct order *ret, struct fault *f)
{
	enum err e = store_order_get(db, id, ret, f);
	return e == ERR_NOT_FOUND || (e == OK && ret->account != account) ? unknown(id, f) : e;
}

enum err order_own(struct ctx *c, struct order *ret, struct fault *f)
{
	return order_of(c->db, param_text(c, "order"), c->session->account.id, ret, f);
}

enum err order_any(struct ctx *c, struct order *ret, struct fault *f)
{
	const char *id = param_text(c, "order");
	enum err e = store_order_get(c->db, id, ret, f);
	return e == ERR_NOT_FOUND ? unknown(id, f) : e;
}

enum err order_seen(struct ctx *c, struct order *ret, struct fault *f)
{
	struct service s = {0};
	struct order o = {0};
	TRY(order_any(c, &o, f));
	TRY(store_service_get(c->db, o.service, &s, f));
	if (!officer_sees(c, s.project))
		return unknown(o.id, f);
	*ret = o;
	return OK;
}

/* --- making --- */

static enum err own_service(struct ctx *c, struct service *ret, struct fault *f)
{
	const char *id = param_text(c, "service_id");
	enum err e = store_service_get(c->db, id, ret, f);
	if (e == ERR_NOT_FOUND || (e == OK && ret->account != c->session->account.id))
		return fault_raise(f, ERR_NOT_FOUND, "service_unknown", "params.service_id",
				   "you have no service \"%s\"", ESC(id, strlen(id)));
	return e;
}

static enum err check_none_open(struct ctx *c, const struct service *s, struct fault *f)
{
	struct order open = {0};
	enum err e = store_order_open(c->db, s->id, &open, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	return fault_raise(f, ERR_RULE, "order_open", "params.service_id",
			   "order %s for service %s waits for its payment: pay or cancel it first", open.id, s->id);
}

static enum err find_def(struct ctx *c, const struct service *s, const struct service_def **ret, struct fault *f)
{
	const struct project *p = policy_project(c->law->policy, s->project);
	*ret = p ? project_service(p, s->service) : NULL;
	if (*ret)
		return OK;
	return fault_raise(f, ERR_RULE, "service_not_sold", "params.service_id",
			   "project %s does not sell \"%s\" any more", s->project, ESC(s->title, strlen(s->title)));
}

static enum err check_far(struct ctx *c, const struct service *s, struct fault *f)
{
	if (s->ends <= time_add_months(c->now, AHEAD_MONTHS_MAX))
		return OK;
	return fault_raise(f, ERR_RULE, "service_far", "service.ends",
			   "service %s runs until %s already, wanted at most %d months ahead", s->id, UTC(s->ends),
			   AHEAD_MONTHS_MAX);
}

enum err order_place(struct ctx *c, const struct service *s, const char *kind, struct order *ret, struct fault *f)
{
	const struct service_def *def = NULL;
	struct order o = {.account = s->account, .created = c->now};
	TRY(check_none_open(c, s, f));
	TRY(find_def(c, s, &def, f));
	TRY(check_far(c, s, f));
	number_make(c->now, o.id);
	memcpy(o.service, s->id, sizeof(o.service));
	snprintf(o.kind, sizeof(o.kind), "%s", kind);
	snprintf(o.state, sizeof(o.state), "%s", order_state_word(ORDER_CREATED));
	hex_lower(c->law->policy->note.sha256, 32, o.policy);
	o.amount_fen = service_price(def, c->now);
	o.period_months = def->period_months;
	o.uses = def->order_uses;
	o.months = def->order_months;
	TRY(store_order_add(c->db, &o, f));
	TRY(desk_audit(c, "order_created", o.id, s->id, f));
	*ret = o;
	return OK;
}

enum err order_create(struct ctx *c, json_t **ret, struct fault *f)
{
	struct service s = {0};
	struct order o = {0};
	TRY(own_service(c, &s, f));
	TRY(check_none_open(c, &s, f));
	if (s.ends == 0)
		return fault_raise(f, ERR_RULE, "service_not_begun", "params.service_id",
				   "service %s has never been paid and has no open order: apply for it again", s.id);
	TRY(order_place(c, &s, param_text(c, "kind"), &o, f));
	return order_answer(c, o.id, ret, f);
}

/* --- looking, cancelling --- */

static void add_order(void *arg, const struct order *o)
{
	json_array_append_new(arg, order_json(o));
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

enum err order_list(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	int64_t limit, offset, total = 0;
	param_page(c, &limit, &offset);
	TRY(store_orders_of(c->db, c->session->account.id, or_empty(param_text(c, "state")), limit, offset, add_order,
			    rows, &total, f));
	*ret = json_object();
	json_object_set_new(*ret, "orders", TAKE(rows));
	json_object_set_new(*ret, "total", json_integer(total));
	return OK;
}

enum err order_show(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	TRY(order_own(c, &o, f));
	return order_answer(c, o.id, ret, f);
}

enum err order_cancel(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	TRY(order_own(c, &o, f));
	TRY(order_move(c->db, &o, ORDER_CANCEL, c->now, f));
	TRY(desk_audit(c, "order_cancelled", o.id, "", f));
	return order_answer(c, o.id, ret, f);
}

struct found {
	json_t *rows;
	struct db *db;
	enum err e;
	struct fault *f;
};

static void add_found(void *arg, const struct order *o, const char *organisation, const char *identifier)
{
	struct found *found = arg;
	json_t *j = order_json(o), *invoice = NULL;
	json_object_set_new(j, "organisation", json_string(organisation));
	json_object_set_new(j, "identifier", json_string(identifier));
	if (found->e == OK)
		found->e = invoice_json(found->db, o->id, &invoice, found->f);
	json_object_set_new(j, "invoice", invoice ? invoice : json_null());
	json_array_append_new(found->rows, j);
}

enum err order_find(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	_cleanup_(freep) char *view = officer_projects(c);
	struct found found = {.rows = rows, .db = c->db, .f = f};
	const struct order_search search = {.text = or_empty(param_text(c, "search")),
					    .amount_fen = param_number(c, "amount_fen", -1),
					    .state = or_empty(param_text(c, "state")),
					    .invoice = or_empty(param_text(c, "invoice")),
					    .view = view};
	struct list_page page;
	struct list_end end;
	TRY(param_list(c, PER_PAGE, &page, f));
	TRY(store_orders_find(c->db, &search, &page, add_found, &found, &end, f));
	TRY(found.e);
	*ret = json_object();
	json_object_set_new(*ret, "orders", TAKE(rows));
	list_end_put(&end, *ret);
	return OK;
}
