/*
 * order.*: what an account buys. An order is made for a service, paid (payment.h), and then allows what the policy says.
 */
#ifndef HUFU_RA_ORDER_H
#define HUFU_RA_ORDER_H

#include "ra/desk.h"
#include "ra/order_state.h"

enum err order_create(struct ctx *c, json_t **ret, struct fault *f);
enum err order_list(struct ctx *c, json_t **ret, struct fault *f);
enum err order_show(struct ctx *c, json_t **ret, struct fault *f);
enum err order_cancel(struct ctx *c, json_t **ret, struct fault *f);
enum err order_find(struct ctx *c, json_t **ret, struct fault *f);

/* An order of that kind for the account's service, at the policy's price of now. ERR_RULE order_open, service_not_sold, service_far. */
MUST_CHECK enum err order_place(struct ctx *c, const struct service *s, const char *kind, struct order *ret,
				struct fault *f);
/* The order of params.order: of this session's account, or of anybody for officers and the portal. ERR_NOT_FOUND order_unknown; other
 * people's are not there. */
MUST_CHECK enum err order_of(struct db *db, const char *id, int64_t account, struct order *ret, struct fault *f);
MUST_CHECK enum err order_own(struct ctx *c, struct order *ret, struct fault *f);
MUST_CHECK enum err order_any(struct ctx *c, struct order *ret, struct fault *f);
MUST_CHECK enum err order_seen(struct ctx *c, struct order *ret, struct fault *f); /* by an officer: of the projects that are seen */
/* The order as it is now. */
MUST_CHECK enum err order_answer(struct ctx *c, const char *id, json_t **ret, struct fault *f);

/* May that request of the account use the order for a certificate of this service, `months` longer? ERR_NOT_FOUND
 * order_unknown (also another account's), ERR_RULE order_unpaid, order_cancelled, order_refunded, order_other_service, order_used,
 * order_months. */
MUST_CHECK enum err order_check(struct db *db, const char *order, int64_t account, const char *service,
				const char *request, int64_t months, struct fault *f);
/* The service that the account's order is for. ERR_NOT_FOUND order_unknown. */
MUST_CHECK enum err order_service(struct db *db, const char *order, int64_t account, struct service *ret,
				  struct fault *f);
/* The request has become that certificate: a service that had none has it from now on, and an order of which nothing is left is
 * fulfilled. Nothing to do for a request without an order. */
MUST_CHECK enum err order_delivered(struct db *db, const struct request *r, int64_t cert, int64_t now, struct fault *f);
/* Time alone: unpaid orders are cancelled, paid ones whose period is over are fulfilled. Its own transactions. */
MUST_CHECK enum err order_turn(struct desk *d, int64_t now, struct fault *f);

#endif
