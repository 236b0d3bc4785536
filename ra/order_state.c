/*
 * The table. Rows are states, columns events, a cell is the state after; an empty cell refuses.
 *
 * Money that comes for an order which takes none is no event of the order: it is a payment that is to go back
 * (payment.c).
 */
#include "ra/order_state.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

const char *const order_state_words[ORDER_STATE_N + 1] = {"created",   "paid",	   "fulfilled",
							  "cancelled", "refunded", NULL};

static const char *const event_words[ORDER_EVENT_N] = {
	[ORDER_PAY] = "pay",	   [ORDER_CANCEL] = "cancel", [ORDER_EXPIRE] = "expire",
	[ORDER_FULFIL] = "fulfil", [ORDER_REFUND] = "refund",
};
static const unsigned char next[ORDER_STATE_N][ORDER_EVENT_N] = {
	[ORDER_CREATED] =
		{[ORDER_PAY] = ORDER_PAID, [ORDER_CANCEL] = ORDER_CANCELLED, [ORDER_EXPIRE] = ORDER_CANCELLED},
	[ORDER_PAID] = {[ORDER_FULFIL] = ORDER_FULFILLED, [ORDER_REFUND] = ORDER_REFUNDED},
	[ORDER_FULFILLED] = {0},
	[ORDER_CANCELLED] = {0},
	[ORDER_REFUNDED] = {0},
};

const char *order_state_word(enum order_state state)
{
	assert(state > ORDER_NONE && state < ORDER_STATE_N);
	return order_state_words[state - ORDER_CREATED];
}

enum order_state order_state_from_word(const char *word)
{
	for (size_t i = ORDER_CREATED; i < ORDER_STATE_N; i++) {
		if (strcmp(word, order_state_word((enum order_state)i)) == 0)
			return (enum order_state)i;
	}
	return ORDER_NONE;
}

enum order_state order_next(enum order_state state, enum order_event event)
{
	assert(state < ORDER_STATE_N && event < ORDER_EVENT_N);
	return (enum order_state)next[state][event];
}

static enum err not_now(const struct order *o, enum order_state state, enum order_event event, struct fault *f)
{
	static const char *const rules[ORDER_STATE_N] = {
		[ORDER_CREATED] = "order_unpaid",      [ORDER_PAID] = "order_paid",
		[ORDER_FULFILLED] = "order_fulfilled", [ORDER_CANCELLED] = "order_cancelled",
		[ORDER_REFUNDED] = "order_refunded",
	};
	_cleanup_buf_ struct buf when = {0};
	for (size_t i = ORDER_CREATED; i < ORDER_STATE_N; i++) {
		if (next[i][event] != ORDER_NONE)
			buf_fmt(&when, "%s%s", when.len > 0 ? ", " : "", order_state_word((enum order_state)i));
	}
	return fault_raise(f, ERR_RULE, rules[state], "order.state", "order %s is %s: %s is possible while %s", o->id,
			   o->state, event_words[event], buf_text(&when));
}

enum err order_move(struct db *db, struct order *o, enum order_event event, int64_t now, struct fault *f)
{
	enum order_state before = order_state_from_word(o->state), after;
	assert(before != ORDER_NONE);
	after = order_next(before, event);
	if (after == ORDER_NONE)
		return not_now(o, before, event, f);
	snprintf(o->state, sizeof(o->state), "%s", order_state_word(after));
	if (after == ORDER_CANCELLED || after == ORDER_REFUNDED) {
		o->closed = now;
		snprintf(o->why, sizeof(o->why), "%s", event_words[event]);
	}
	return event == ORDER_FULFIL ? store_order_state(db, o->id, o->state, f) : store_order_set(db, o, f);
}
