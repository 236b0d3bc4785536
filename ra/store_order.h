/*
 * Services that accounts have, and orders for them.
 */
#ifndef HUFU_RA_STORE_ORDER_H
#define HUFU_RA_STORE_ORDER_H

#include "ra/store_account.h"
#include "ra/store_cert.h"

#define SERVICE_ID_MAX 40
#define ORDER_ID_MAX 40
#define TITLE_MAX 256
#define BANK_REFERENCE_MAX 64
#define PAYMENT_ID_MAX (BANK_REFERENCE_MAX + 16)

struct service {
	char id[SERVICE_ID_MAX + 1];  /* "20353" */
	int64_t account;
	char project[TALLY_WORD];
	char service[TALLY_WORD];     /* of the project's policy; "" when none has that title */
	char title[TITLE_MAX + 1];    /* "机构证书" */
	char certificate_name[CERT_NAME_MAX + 1];
	struct serial serial;         /* of its certificate now */
	char issuer_name[CERT_NAME_MAX + 1];
	int64_t cert;                 /* its certificate now; 0 while the ledger has none */
	int64_t begins, ends;         /* 0: no payment has come yet */
};
MUST_CHECK enum err store_service_get(struct db *db, const char *id, struct service *ret, struct fault *f);
/* The service that a certificate belongs to; ERR_NOT_FOUND when none. The one that ends last. */
MUST_CHECK enum err store_service_of_cert(struct db *db, int64_t cert, struct service *ret, struct fault *f);
MUST_CHECK enum err store_service_add(struct db *db, const struct service *s, struct fault *f);
MUST_CHECK enum err store_service_period(struct db *db, const char *id, int64_t begins, int64_t ends, struct fault *f);
/* The certificate that was issued for it. */
MUST_CHECK enum err store_service_cert(struct db *db, const char *id, int64_t cert, struct fault *f);
/* The account's service of that name in the project; ERR_NOT_FOUND when none. The one that ends last. */
MUST_CHECK enum err store_service_named(struct db *db, int64_t account, const char *project, const char *service,
					struct service *ret, struct fault *f);
MUST_CHECK enum err store_services_of(struct db *db, int64_t account, const char *search, int64_t limit, int64_t offset,
				      void (*fn)(void *arg, const struct service *s), void *arg, int64_t *ret_total,
				      struct fault *f);

struct order {
	char id[ORDER_ID_MAX + 1];
	int64_t account;
	char service[SERVICE_ID_MAX + 1];
	char kind[16];        /* renew, new */
	int64_t amount_fen, period_months;
	int64_t uses, months; /* what it allows once paid, as the policy said when it was made */
	char policy[65];
	char state[20];       /* word of order_state.h */
	int64_t created, paid_at;            /* 0: not yet */
	char payment[PAYMENT_ID_MAX + 1];    /* that paid it, "" none */
	int64_t begins, ends;                /* the period that it bought; 0: not paid */
	int64_t before_begins, before_ends;  /* of the service, before that */
	int64_t closed;       /* cancelled or refunded; 0: not */
	char why[16];         /* cancel, expire, refund; "" when not closed */
};
MUST_CHECK enum err store_order_get(struct db *db, const char *id, struct order *ret, struct fault *f);
MUST_CHECK enum err store_order_add(struct db *db, const struct order *o, struct fault *f);
/* Everything that changes in an order's life. */
MUST_CHECK enum err store_order_set(struct db *db, const struct order *o, struct fault *f);
/* Nothing but its state: writes to no index that does not name it. */
MUST_CHECK enum err store_order_state(struct db *db, const char *id, const char *state, struct fault *f);
/* The order of that service which waits for its payment; ERR_NOT_FOUND when none. */
MUST_CHECK enum err store_order_open(struct db *db, const char *service, struct order *ret, struct fault *f);
typedef void order_fn(void *arg, const struct order *o);
/* Of an account; state "" all. Newest first. */
MUST_CHECK enum err store_orders_of(struct db *db, int64_t account, const char *state, int64_t limit, int64_t offset,
				    order_fn *fn, void *arg, int64_t *ret_total, struct fault *f);

/* Ids of orders that were created before `created` and still wait for their payment, and of paid ones whose period ended before
 * `now`; at most max. */
MUST_CHECK enum err store_orders_due(struct db *db, int64_t created, int64_t now, char (*ret)[ORDER_ID_MAX + 1],
				     size_t max, size_t *ret_n, struct fault *f);
/* How many submitted requests use the order, and how many months they add up to; `except` ("" none) is left out. */
MUST_CHECK enum err store_order_used(struct db *db, const char *id, const char *except, int64_t *ret_uses,
				     int64_t *ret_months, struct fault *f);
/* As many as have been issued, and their months. */
MUST_CHECK enum err store_order_issued(struct db *db, const char *id, int64_t *ret_uses, int64_t *ret_months,
				       struct fault *f);

#endif
