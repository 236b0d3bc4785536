/*
 * The reference that a payment has is the bank's or the provider's, and it is what makes a payment real: it counts once,
 * for one order, whoever reports it again and under whatever call id. All roads end in payment_take(), inside the one
 * writer's transaction, so of two that come together the second finds the order paid: its money is kept in view until
 * an officer sends it back. Next: payment_callback.c.
 */
#include "ra/payment.h"

#include "ra/invoice.h"
#include "ra/officer.h"

#include "common/base/clock.h"

#include <string.h>

#define PAYMENT_ID(source, reference)                                                                                  \
	payment_id((char[PAYMENT_ID_MAX + 1]){0}, PAYMENT_ID_MAX + 1, (source), (reference))

static const char *payment_id(char *ret, size_t size, const char *source, const char *reference)
{
	snprintf(ret, size, "%s:%s", source, reference);
	return ret;
}

/* --- coming --- */

/* The period runs on from its end, or from the payment when it has ended or never begun. */
static enum err run_on(struct ctx *c, struct order *o, struct fault *f)
{
	struct service s = {0};
	TRY(store_service_get(c->db, o->service, &s, f));
	bool over = s.ends <= c->now;
	o->before_begins = s.begins;
	o->before_ends = s.ends;
	o->begins = over ? c->now : s.ends;
	o->ends = time_add_months(o->begins, (int)o->period_months);
	return store_service_period(c->db, s.id, over ? c->now : s.begins, o->ends, f);
}

enum err payment_take(struct ctx *c, struct order *o, const char *id, struct fault *f)
{
	struct payment p = {.amount_fen = o->amount_fen, .at = c->now};
	bool waits = order_next(order_state_from_word(o->state), ORDER_PAY) != ORDER_NONE;
	snprintf(p.id, sizeof(p.id), "%s", id);
	snprintf(p.order, sizeof(p.order), "%s", o->id);
	snprintf(p.state, sizeof(p.state), "%s", waits ? "applied" : "to_refund");
	snprintf(p.who, sizeof(p.who), "%s", c->who);
	TRY(store_payment_add(c->db, &p, f));
	if (!waits)
		return desk_audit(c, "payment_to_refund", o->id, id, f);
	snprintf(o->payment, sizeof(o->payment), "%s", id);
	o->paid_at = c->now;
	TRY(run_on(c, o, f));
	TRY(order_move(c->db, o, ORDER_PAY, c->now, f));
	return desk_audit(c, "order_paid", o->id, id, f);
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

static enum err put_way(struct ctx *c, const struct order *o, json_t *answer, struct fault *f)
{
	const struct ra_config *config = &c->desk->config;
	const char *way = param_text(c, "way");
	_cleanup_buf_ struct buf url = {0};
	json_object_set_new(answer, "reference", json_string(o->id));
	if (!way || strcmp(way, "bank") == 0) {
		json_object_set_new(answer, "bank", bank_json(config));
		return OK;
	}
	if (!config->has_provider)
		return fault_raise(f, ERR_RULE, "provider_missing", "params.way",
				   "found %s, but the desk takes no payments online: pay by bank transfer", way);
	payment_url(&config->provider, o, &url);
	json_object_set_new(answer, "url", json_string(buf_text(&url)));
	return OK;
}

enum err order_pay(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	_cleanup_(json_freep) json_t *answer = NULL;
	TRY(order_own(c, &o, f));
	if (order_next(order_state_from_word(o.state), ORDER_PAY) == ORDER_NONE)
		return order_move(c->db, &o, ORDER_PAY, c->now, f);
	if (o.amount_fen == 0)
		TRY(payment_take(c, &o, PAYMENT_ID("free", o.id), f));
	TRY(order_answer(c, o.id, &answer, f));
	TRY(put_way(c, &o, answer, f));
	TRY(desk_audit(c, "order_pay", o.id, "", f));
	*ret = TAKE(answer);
	return OK;
}

static enum err amount_fits(struct ctx *c, const struct order *o, struct fault *f)
{
	int64_t amount = param_number(c, "amount_fen", o->amount_fen);
	if (amount == o->amount_fen)
		return OK;
	return fault_raise(f, ERR_RULE, "payment_amount", "params.amount_fen",
			   "found %lld fen, wanted the %lld of order %s", (long long)amount, (long long)o->amount_fen,
			   o->id);
}

static enum err confirm_new(struct ctx *c, struct order *o, const char *id, struct fault *f)
{
	TRY(amount_fits(c, o, f));
	bool waits = order_next(order_state_from_word(o->state), ORDER_PAY) != ORDER_NONE;
	if (!waits && !param_true(c, "to_refund"))
		return order_move(c->db, o, ORDER_PAY, c->now, f);
	return payment_take(c, o, id, f);
}

enum err order_confirm(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	struct payment there = {0};
	const char *reference;
	TRY(param_clean(c, "bank_reference", &reference, f));
	TRY(order_seen(c, &o, f));
	const char *id = PAYMENT_ID("bank", reference);
	enum err e = store_payment_get(c->db, id, &there, f);
	if (e == OK && strcmp(there.order, o.id) != 0)
		return fault_raise(f, ERR_CONFLICT, "bank_reference_used", "params.bank_reference",
				   "bank reference \"%s\" has paid another order", ESC(reference, strlen(reference)));
	if (e == ERR_NOT_FOUND)
		e = confirm_new(c, &o, id, f);
	TRY(e);
	return order_answer(c, o.id, ret, f);
}

/* --- going back --- */

static enum err send_back(struct ctx *c, const struct payment *p, const char *reference, struct fault *f)
{
	enum err e = store_payment_refunded(c->db, p->id, reference, c->now, f);
	if (e == ERR_CONFLICT)
		return fault_raise(f, ERR_CONFLICT, "refund_reference_used", "params.bank_reference",
				   "a refund under \"%s\" stands already, of another payment",
				   ESC(reference, strlen(reference)));
	TRY(e);
	return desk_audit(c, "payment_refunded", p->order, reference, f);
}

/* Orders of a service are refunded last one first: a period in the middle can't be cut out. */
static enum err take_back_period(struct ctx *c, const struct order *o, struct fault *f)
{
	struct service s = {0};
	int64_t uses, months;
	TRY(store_order_used(c->db, o->id, "", &uses, &months, f));
	if (uses > 0)
		return fault_raise(f, ERR_RULE, "order_in_use", "params.order",
				   "order %s is used by %lld requests: withdraw them first; what is issued stays paid",
				   o->id, (long long)uses);
	TRY(store_service_get(c->db, o->service, &s, f));
	if (s.ends != o->ends)
		return fault_raise(f, ERR_RULE, "order_refund_later", "params.order",
				   "service %s runs until %s, order %s bought it until %s: refund the later order "
				   "first",
				   s.id, UTC(s.ends), o->id, UTC(o->ends));
	return store_service_period(c->db, s.id, o->before_begins, o->before_ends, f);
}

static enum err refund_order(struct ctx *c, struct order *o, const struct payment *p, const char *reference,
			     struct fault *f)
{
	if (order_next(order_state_from_word(o->state), ORDER_REFUND) == ORDER_NONE)
		return order_move(c->db, o, ORDER_REFUND, c->now, f);
	TRY(take_back_period(c, o, f));
	TRY(order_move(c->db, o, ORDER_REFUND, c->now, f));
	TRY(invoice_void(c->db, o->id, f));
	return send_back(c, p, reference, f);
}

/* The payment that is named, or the one that paid the order. */
static enum err find_payment(struct ctx *c, struct order *o, struct payment *ret, struct fault *f)
{
	const char *id = param_text(c, "payment");
	if (!id && o->payment[0] == '\0')
		return order_move(c->db, o, ORDER_REFUND, c->now, f);
	enum err e = store_payment_get(c->db, id ? id : o->payment, ret, f);
	if (e == ERR_NOT_FOUND || (e == OK && strcmp(ret->order, o->id) != 0))
		return fault_raise(f, ERR_NOT_FOUND, "payment_unknown", "params.payment",
				   "order %s has no payment \"%s\"", o->id, id ? ESC(id, strlen(id)) : o->payment);
	return e;
}

static enum err refund(struct ctx *c, struct order *o, const struct payment *p, const char *reference, struct fault *f)
{
	bool applied = strcmp(p->state, "applied") == 0;
	if (strcmp(p->state, "refunded") != 0)
		return applied ? refund_order(c, o, p, reference, f) : send_back(c, p, reference, f);
	if (strcmp(p->refund, reference) == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "order_refunded", "params.payment", "payment %s went back under \"%s\" already",
			   p->id, ESC(p->refund, strlen(p->refund)));
}

enum err order_refund(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	struct payment p = {0};
	const char *reference;
	TRY(param_clean(c, "bank_reference", &reference, f));
	TRY(order_seen(c, &o, f));
	TRY(find_payment(c, &o, &p, f));
	TRY(refund(c, &o, &p, reference, f));
	return order_answer(c, o.id, ret, f);
}

/* --- looking --- */

static void add_payment(void *arg, const struct payment *p)
{
	json_t *o = json_object();
	json_object_set_new(o, "payment", json_string(p->id));
	json_object_set_new(o, "order", json_string(p->order));
	json_object_set_new(o, "amount_fen", json_integer(p->amount_fen));
	json_object_set_new(o, "state", json_string(p->state));
	json_object_set_new(o, "at", json_time(p->at));
	json_object_set_new(o, "who", json_string(p->who));
	if (p->refunded != 0) {
		json_object_set_new(o, "refund", json_string(p->refund));
		json_object_set_new(o, "refunded", json_time(p->refunded));
	}
	json_array_append_new(arg, o);
}

enum err order_payments(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	_cleanup_(freep) char *view = officer_projects(c);
	const char *state = param_text(c, "state"), *order = param_text(c, "order");
	const struct payment_filter q = {state ? state : "", order ? order : "", view};
	struct list_page page;
	struct list_end end;
	TRY(param_list(c, PER_PAGE, &page, f));
	TRY(store_payments(c->db, &q, &page, add_payment, rows, &end, f));
	*ret = json_object();
	json_object_set_new(*ret, "payments", TAKE(rows));
	list_end_put(&end, *ret);
	return OK;
}
