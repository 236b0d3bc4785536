/*
 * order.*: renewing a service is an order that is paid; a paid order allows what the policy says.
 */
#ifndef HUFU_RA_ORDER_H
#define HUFU_RA_ORDER_H

#include "ra/desk.h"

enum err order_create(struct ctx *c, json_t **ret, struct fault *f);
enum err order_list(struct ctx *c, json_t **ret, struct fault *f);
enum err order_show(struct ctx *c, json_t **ret, struct fault *f);
enum err order_pay(struct ctx *c, json_t **ret, struct fault *f);
enum err order_cancel(struct ctx *c, json_t **ret, struct fault *f);
enum err order_confirm(struct ctx *c, json_t **ret, struct fault *f);

/* May that request of the account use the order for a certificate of this service, `months` longer? ERR_NOT_FOUND
 * order_unknown (also another account's), ERR_RULE order_unpaid, order_cancelled, order_other_service, order_used,
 * order_months. */
MUST_CHECK enum err order_check(struct db *db, const char *order, int64_t account, const char *service,
				const char *request, int64_t months, struct fault *f);

#endif
