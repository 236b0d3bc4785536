/*
 * Payments, the nonces of the provider's calls, and invoices.
 */
#ifndef HUFU_RA_STORE_PAYMENT_H
#define HUFU_RA_STORE_PAYMENT_H

#include "ra/store_keys.h"
#include "ra/store_order.h"

#define NONCE_MAX 64
#define INVOICE_TITLE_MAX 400
#define INVOICE_NUMBER_MAX 40
#define TAX_NUMBER_MAX 20

struct payment {
	char id[PAYMENT_ID_MAX + 1]; /* "bank:ICBC-1", "provider:4200…", "free:<order>" */
	char order[ORDER_ID_MAX + 1];
	int64_t amount_fen;
	char state[12];              /* applied, to_refund, refunded */
	int64_t at;
	char who[80];                /* that said it came */
	char refund[BANK_REFERENCE_MAX + 1]; /* reference of the transfer back; "" none */
	int64_t refunded;            /* 0: not */
};
MUST_CHECK enum err store_payment_get(struct db *db, const char *id, struct payment *ret, struct fault *f);
/* An id twice: ERR_CONFLICT. */
MUST_CHECK enum err store_payment_add(struct db *db, const struct payment *p, struct fault *f);
/* It has gone back under that reference. A reference twice: ERR_CONFLICT. */
MUST_CHECK enum err store_payment_refunded(struct db *db, const char *id, const char *refund, int64_t now,
					   struct fault *f);
typedef void payment_fn(void *arg, const struct payment *p);
struct payment_filter {
	const char *state, *order; /* "" all */
	const char *view;          /* store_view.h: of which projects' services */
};
/* Oldest first. */
MUST_CHECK enum err store_payments(struct db *db, const struct payment_filter *q, const struct list_page *p,
				   payment_fn *fn, void *arg, struct list_end *ret, struct fault *f);

/* Used before: ERR_CONFLICT. */
MUST_CHECK enum err store_nonce_use(struct db *db, const char *nonce, int64_t now, struct fault *f);
MUST_CHECK enum err store_nonces_purge(struct db *db, int64_t before, struct fault *f);

struct invoice {
	char order[ORDER_ID_MAX + 1];
	char title[INVOICE_TITLE_MAX + 1];
	char tax_number[TAX_NUMBER_MAX + 1];
	int64_t amount_fen;
	char state[12];              /* asked, issued, void */
	int64_t asked, issued;       /* 0: not */
	char number[INVOICE_NUMBER_MAX + 1]; /* "" not issued */
};
MUST_CHECK enum err store_invoice_get(struct db *db, const char *order, struct invoice *ret, struct fault *f);
/* Adds or replaces. A number twice: ERR_CONFLICT. */
MUST_CHECK enum err store_invoice_put(struct db *db, const struct invoice *i, struct fault *f);

#endif
