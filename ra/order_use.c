/*
 * What a paid order is good for, and how it ends: fulfilled when all certificates that it allows are issued, or when the
 * period that it bought is over. What it allows and nobody used stays open to its owner even then.
 */
#include "ra/order.h"

#include "ra/store_audit.h"

#include <string.h>

#define DUE_MAX 64
#define DAY_S 86400

/* --- using --- */

static enum err check_state(const struct order *o, struct fault *f)
{
	switch (order_state_from_word(o->state)) {
	case ORDER_PAID:
	case ORDER_FULFILLED:
		return OK;
	case ORDER_CREATED:
		return fault_raise(f, ERR_RULE, "order_unpaid", "params.order", "order %s is not paid yet", o->id);
	case ORDER_CANCELLED:
		return fault_raise(f, ERR_RULE, "order_cancelled", "params.order", "order %s is cancelled", o->id);
	case ORDER_REFUNDED:
		return fault_raise(f, ERR_RULE, "order_refunded", "params.order", "order %s is refunded", o->id);
	case ORDER_NONE:
	case ORDER_STATE_N:
		break;
	}
	return fault_raise(f, ERR_INTERNAL, "order_state", "order.state", "order %s has no known state", o->id);
}

enum err order_check(struct db *db, const char *order, int64_t account, const char *service, const char *request,
		     int64_t months, struct fault *f)
{
	struct order o = {0};
	int64_t uses, used_months;
	TRY(order_of(db, order, account, &o, f));
	TRY(check_state(&o, f));
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

enum err order_service(struct db *db, const char *order, int64_t account, struct service *ret, struct fault *f)
{
	struct order o = {0};
	TRY(order_of(db, order, account, &o, f));
	return store_service_get(db, o.service, ret, f);
}

/* --- delivering --- */

static enum err fulfil_if_used(struct db *db, struct order *o, int64_t now, struct fault *f)
{
	int64_t uses, months;
	TRY(store_order_issued(db, o->id, &uses, &months, f));
	bool used_up = uses >= o->uses || months >= o->months;
	if (!used_up || order_next(order_state_from_word(o->state), ORDER_FULFIL) == ORDER_NONE)
		return OK;
	return order_move(db, o, ORDER_FULFIL, now, f);
}

enum err order_delivered(struct db *db, const struct request *r, int64_t cert, int64_t now, struct fault *f)
{
	struct order o = {0};
	struct service s = {0};
	if (r->order[0] == '\0')
		return OK;
	TRY(store_order_get(db, r->order, &o, f));
	TRY(store_service_get(db, o.service, &s, f));
	if (cert != 0 && (s.cert == 0 || strcmp(r->kind, "enrol") == 0))
		TRY(store_service_cert(db, s.id, cert, f));
	return fulfil_if_used(db, &o, now, f);
}

/* --- time --- */

static enum err turn_in(struct db *db, const char *id, int64_t created, int64_t now, struct fault *f)
{
	struct order o = {0};
	TRY(store_order_get(db, id, &o, f));
	/* It may have been paid since it was looked up. */
	if (order_state_from_word(o.state) == ORDER_CREATED && o.created < created) {
		TRY(order_move(db, &o, ORDER_EXPIRE, now, f));
		struct audit_row row = {.at = now,
					.who = "clock",
					.address = "",
					.what = "order_expired",
					.object = o.id,
					.detail = ""};
		return store_audit(db, &row, f);
	}
	if (order_state_from_word(o.state) == ORDER_PAID && o.ends <= now)
		return order_move(db, &o, ORDER_FULFIL, now, f);
	return OK;
}

enum err order_turn(struct desk *d, int64_t now, struct fault *f)
{
	char ids[DUE_MAX][ORDER_ID_MAX + 1];
	int64_t created = now - d->config.orders.unpaid_days * DAY_S;
	struct db *db = NULL;
	size_t n = 0;
	TRY(store_read(d->store, &db, f));
	enum err e = store_orders_due(db, created, now, ids, DUE_MAX, &n, f);
	store_read_end(d->store, db);
	TRY(e);
	for (size_t i = 0; i < n; i++) {
		TRY(store_begin(d->store, &db, f));
		TRY(store_end(d->store, db, turn_in(db, ids[i], created, now, f), f));
	}
	return OK;
}
