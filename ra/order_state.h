/*
 * The life of an order: a table of states and events.
 */
#ifndef HUFU_RA_ORDER_STATE_H
#define HUFU_RA_ORDER_STATE_H

#include "ra/store_order.h"

enum order_state {
	ORDER_NONE, /* no such transition */
	ORDER_CREATED,
	ORDER_PAID,
	ORDER_FULFILLED,
	ORDER_CANCELLED,
	ORDER_REFUNDED,
	ORDER_STATE_N
};
enum order_event {
	ORDER_PAY,     /* the money has come */
	ORDER_CANCEL,  /* the owner takes it back */
	ORDER_EXPIRE,  /* nobody paid in time */
	ORDER_FULFIL,  /* all its certificates are issued, or the period that it bought is over */
	ORDER_REFUND,  /* the money has gone back */
	ORDER_EVENT_N
};
extern const char *const order_state_words[ORDER_STATE_N + 1]; /* from ORDER_CREATED on, NULL-terminated */
const char *order_state_word(enum order_state state);
/* ORDER_NONE for a word that is none. */
enum order_state order_state_from_word(const char *word);
/* Where an event leads; ORDER_NONE: not possible in that state. */
enum order_state order_next(enum order_state state, enum order_event event);

/* Moves the order in the caller's transaction and in *o. ERR_RULE order_unpaid, order_paid, order_fulfilled, order_cancelled,
 * order_refunded (by the state that it is in) when the event is not possible now; the text says when it is. */
MUST_CHECK enum err order_move(struct db *db, struct order *o, enum order_event event, int64_t now, struct fault *f);

#endif
