/*
 * Orders. The price and what an order allows are read from the signed policy when it is made and stay as they were
 * sold.
 *
 * The bank's reference is what makes a payment real, and it is the bank's: one reference pays one order. Confirming the
 * same order with the same reference again is the same answer, whoever's call id it comes under.
 */
#include "ra/order.h"

#include "ra/number.h"

#include "common/base/clock.h"

#include <string.h>

/* --- answers --- */

static json_t *order_json(const struct order *o, int64_t uses_left)
{
	json_t *j = json_object();
	json_object_set_new(j, "order", json_string(o->id));
	json_object_set_new(j, "kind", json_string(o->kind));
	json_object_set_new(j, "service_id", json_string(o->service));
	json_object_set_new(j, "amount_fen", json_integer(o->amount_fen));
	json_object_set_new(j, "period_months", json_integer(o->period_months));
	json_object_set_new(j, "uses", json_integer(o->uses));
	if (uses_left >= 0)
		json_object_set_new(j, "uses_left", json_integer(uses_left));
	json_object_set_new(j, "months", json_integer(o->months));
	json_object_set_new(j, "state", json_string(o->state));
	json_object_set_new(j, "created", json_time(o->created));
	if (o->paid_at != 0) {
		json_object_set_new(j, "paid_at", json_time(o->paid_at));
		json_object_set_new(j, "bank_reference", json_string(o->bank_reference));
	}
	return j;
}

static enum err answer(struct ctx *c, const char *id, json_t **ret, struct fault *f)
{
	struct order o = {0};
	int64_t uses, months;
	TRY(store_order_get(c->db, id, &o, f));
	TRY(store_order_used(c->db, id, "", &uses, &months, f));
	*ret = order_json(&o, o.uses > uses ? o.uses - uses : 0);
	return OK;
}

/* Other people's orders are not there. */
static enum err own_order(struct db *db, const char *id, int64_t account, struct order *ret, struct fault *f)
{
	enum err e = store_order_get(db, id, ret, f);
	if (e == ERR_NOT_FOUND || (e == OK && ret->account != account))
		return fault_raise(f, ERR_NOT_FOUND, "order_unknown", "params.order", "you have no order \"%s\"",
				   ESC(id, strlen(id)));
	return e;
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

enum err order_create(struct ctx *c, json_t **ret, struct fault *f)
{
	struct service s = {0};
	const struct service_def *def = NULL;
	struct order o = {.account = c->session->account.id, .created = c->now};
	TRY(own_service(c, &s, f));
	TRY(check_none_open(c, &s, f));
	TRY(find_def(c, &s, &def, f));
	number_make(c->now, o.id);
	memcpy(o.service, s.id, sizeof(o.service));
	snprintf(o.kind, sizeof(o.kind), "%s", param_text(c, "kind"));
	snprintf(o.state, sizeof(o.state), "open");
	hex_lower(c->law->policy->note.sha256, 32, o.policy);
	o.amount_fen = def->price_fen;
	o.period_months = def->period_months;
	o.uses = def->order_uses;
	o.months = def->order_months;
	TRY(store_order_add(c->db, &o, f));
	TRY(desk_audit(c, "order_created", o.id, s.id, f));
	return answer(c, o.id, ret, f);
}

/* --- looking --- */

static void add_order(void *arg, const struct order *o)
{
	json_array_append_new(arg, order_json(o, -1));
}

enum err order_list(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	int64_t limit, offset, total = 0;
	param_page(c, &limit, &offset);
	TRY(store_orders_of(c->db, c->session->account.id, limit, offset, add_order, rows, &total, f));
	*ret = json_object();
	json_object_set_new(*ret, "orders", TAKE(rows));
	json_object_set_new(*ret, "total", json_integer(total));
	return OK;
}

enum err order_show(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	const char *id = param_text(c, "order");
	TRY(own_order(c->db, id, c->session->account.id, &o, f));
	return answer(c, id, ret, f);
}

/* --- paying --- */

static bool waits(const struct order *o)
{
	return strcmp(o->state, "open") == 0 || strcmp(o->state, "awaiting_payment") == 0;
}

static enum err state_fault(const struct order *o, const char *wanted, struct fault *f)
{
	const char *rule = strcmp(o->state, "paid") == 0 ? "order_paid" : "order_cancelled";
	return fault_raise(f, ERR_RULE, rule, "params.order", "order %s is %s, wanted one that %s", o->id, o->state,
			   wanted);
}

static json_t *bank_json(const struct ra_config *config)
{
	if (!config->has_bank)
		return json_null();
	json_t *o = json_object();
	json_object_set_new(o, "name", json_string(config->bank.name));
	json_object_set_new(o, "bank", json_string(config->bank.bank));
	json_object_set_new(o, "account", json_string(config->bank.account));
	return o;
}

enum err order_pay(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	const char *id = param_text(c, "order");
	TRY(own_order(c->db, id, c->session->account.id, &o, f));
	if (!waits(&o))
		return state_fault(&o, "waits for its payment", f);
	TRY(store_order_state(c->db, id, "awaiting_payment", f));
	TRY(desk_audit(c, "order_pay", id, "", f));
	TRY(answer(c, id, ret, f));
	json_object_set_new(*ret, "bank", bank_json(&c->desk->config));
	json_object_set_new(*ret, "reference", json_string(o.id));
	return OK;
}

enum err order_cancel(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	const char *id = param_text(c, "order");
	TRY(own_order(c->db, id, c->session->account.id, &o, f));
	if (!waits(&o))
		return state_fault(&o, "waits for its payment", f);
	TRY(store_order_state(c->db, id, "cancelled", f));
	TRY(desk_audit(c, "order_cancelled", id, "", f));
	return answer(c, id, ret, f);
}

/* The period runs on from its end, or from the payment when it has ended. */
static enum err run_on(struct ctx *c, const struct order *o, struct fault *f)
{
	struct service s = {0};
	TRY(store_service_get(c->db, o->service, &s, f));
	bool over = s.ends <= c->now;
	int64_t from = over ? c->now : s.ends;
	return store_service_period(c->db, s.id, over ? c->now : s.begins, time_add_months(from, (int)o->period_months),
				    f);
}

static enum err pay_in(struct ctx *c, const struct order *o, const char *reference, struct fault *f)
{
	if (!waits(o))
		return state_fault(o, "waits for its payment", f);
	enum err e = store_order_paid(c->db, o->id, reference, c->now, f);
	if (e == ERR_CONFLICT)
		return fault_raise(f, ERR_CONFLICT, "bank_reference_used", "params.bank_reference",
				   "bank reference \"%s\" has paid another order", ESC(reference, strlen(reference)));
	TRY(e);
	TRY(run_on(c, o, f));
	return desk_audit(c, "order_confirmed", o->id, reference, f);
}

enum err order_confirm(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	const char *id = param_text(c, "order"), *reference;
	TRY(param_clean(c, "bank_reference", &reference, f));
	enum err e = store_order_get(c->db, id, &o, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "order_unknown", "params.order", "there is no order \"%s\"",
				   ESC(id, strlen(id)));
	TRY(e);
	if (strcmp(o.state, "paid") != 0 || strcmp(o.bank_reference, reference) != 0)
		TRY(pay_in(c, &o, reference, f));
	return answer(c, id, ret, f);
}

/* --- using --- */

enum err order_check(struct db *db, const char *order, int64_t account, const char *service, const char *request,
		     int64_t months, struct fault *f)
{
	struct order o = {0};
	int64_t uses, used_months;
	TRY(own_order(db, order, account, &o, f));
	if (waits(&o))
		return fault_raise(f, ERR_RULE, "order_unpaid", "params.order", "order %s is not paid yet", o.id);
	if (strcmp(o.state, "paid") != 0)
		return state_fault(&o, "is paid", f);
	if (strcmp(o.service, service) != 0)
		return fault_raise(f, ERR_RULE, "order_other_service", "params.order",
				   "order %s is for service %s, wanted one for service %s", o.id, o.service, service);
	TRY(store_order_used(db, order, request, &uses, &used_months, f));
	if (uses >= o.uses)
		return fault_raise(f, ERR_RULE, "order_used", "params.order",
				   "order %s allows %lld certificates and has been used %lld times", o.id,
				   (long long)o.uses, (long long)uses);
	if (used_months + months > o.months)
		return fault_raise(f, ERR_RULE, "order_months", "params.order",
				   "order %s extends by %lld months in all, %lld are used, found %lld more", o.id,
				   (long long)o.months, (long long)used_months, (long long)months);
	return OK;
}
