/*
 * Invoices: the owner asks, an officer enters the number of what the tax system issued.
 */
#ifndef HUFU_RA_INVOICE_H
#define HUFU_RA_INVOICE_H

#include "ra/desk.h"

enum err order_invoice(struct ctx *c, json_t **ret, struct fault *f);
enum err order_invoiced(struct ctx *c, json_t **ret, struct fault *f);

/* The order's invoice for an answer; JSON null when none was asked for. */
MUST_CHECK enum err invoice_json(struct db *db, const char *order, json_t **ret, struct fault *f);
/* The order's money has gone back: an invoice, asked for or issued, counts no more. */
MUST_CHECK enum err invoice_void(struct db *db, const char *order, struct fault *f);

#endif
