/*
 * Money: how an order is paid, by the provider's signed call or by an officer who reads the bank's statement; and how it
 * goes back.
 */
#ifndef HUFU_RA_PAYMENT_H
#define HUFU_RA_PAYMENT_H

#include "ra/order.h"
#include "ra/store_payment.h"

enum err order_pay(struct ctx *c, json_t **ret, struct fault *f);
enum err order_confirm(struct ctx *c, json_t **ret, struct fault *f);
enum err order_callback(struct ctx *c, json_t **ret, struct fault *f);
enum err order_refund(struct ctx *c, json_t **ret, struct fault *f);
enum err order_payments(struct ctx *c, json_t **ret, struct fault *f);

/* Money has come for the order under that id. While the order waits for it, it is paid and its service runs on; else the payment is
 * recorded as one that is to go back. The id must be new (store_payment_get()). Changes *o. */
MUST_CHECK enum err payment_take(struct ctx *c, struct order *o, const char *id, struct fault *f);

#define CALLBACK_WINDOW_S 300
/* What the provider signs with HMAC-SHA256: each value on a line of its own, so that none can pass for another. */
struct callback {
	const char *order, *transaction, *time, *nonce;
	int64_t amount_fen;
};
void callback_text(const struct callback *b, struct buf *ret);

/* The provider's address for paying an order: the template of ra.yaml with {order}, {amount} (fen), {yuan} and {return} filled in,
 * each percent-encoded (RFC 3986 2.1). */
void payment_url(const struct provider *p, const struct order *o, struct buf *ret);

#endif
