/*
 * An invoice is a record: the tax system issues it, an officer copies its number. Until then its owner may correct what
 * was asked for; a refund voids it, and an issued one keeps its number, for the red invoice that must follow.
 */
#include "ra/invoice.h"

#include "ra/order.h"
#include "ra/store_payment.h"

#include "common/pki/identifier.h"

#include <string.h>

#define OLD_TAX_NUMBER 15 /* tax registration numbers from before the unified code */

enum err invoice_json(struct db *db, const char *order, json_t **ret, struct fault *f)
{
	struct invoice i = {0};
	enum err e = store_invoice_get(db, order, &i, f);
	if (e == ERR_NOT_FOUND) {
		*ret = json_null();
		return OK;
	}
	TRY(e);
	*ret = json_object();
	json_object_set_new(*ret, "title", json_string(i.title));
	json_object_set_new(*ret, "tax_number", json_string(i.tax_number));
	json_object_set_new(*ret, "amount_fen", json_integer(i.amount_fen));
	json_object_set_new(*ret, "state", json_string(i.state));
	json_object_set_new(*ret, "asked", json_time(i.asked));
	if (i.issued != 0) {
		json_object_set_new(*ret, "number", json_string(i.number));
		json_object_set_new(*ret, "issued", json_time(i.issued));
	}
	return OK;
}

enum err invoice_void(struct db *db, const char *order, struct fault *f)
{
	struct invoice i = {0};
	enum err e = store_invoice_get(db, order, &i, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	snprintf(i.state, sizeof(i.state), "void");
	return store_invoice_put(db, &i, f);
}

static enum err check_tax_number(const char *text, struct fault *f)
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = strlen(text);
	if (n == OLD_TAX_NUMBER && strspn(text, letters) == n)
		return OK;
	if (n == OLD_TAX_NUMBER + 3)
		return uscc_check("params.tax_number", text, n, f);
	return fault_raise(f, ERR_PARSE, "tax_number_form", "params.tax_number",
			   "found \"%s\", wanted a unified social credit code of 18 characters or a tax number of 15, "
			   "digits and capital letters",
			   ESC(text, n));
}

enum err order_invoice(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	struct invoice i = {.asked = c->now};
	const char *title, *tax_number;
	TRY(order_own(c, &o, f));
	TRY(param_clean(c, "title", &title, f));
	TRY(param_clean(c, "tax_number", &tax_number, f));
	TRY(check_tax_number(tax_number, f));
	if (o.closed != 0)
		return fault_raise(f, ERR_RULE, o.paid_at != 0 ? "order_refunded" : "order_cancelled", "params.order",
				   "order %s is %s: there is no invoice of it", o.id, o.state);
	enum err e = store_invoice_get(c->db, o.id, &i, f);
	if (e == OK && strcmp(i.state, "asked") != 0)
		return fault_raise(f, ERR_RULE, "invoice_issued", "params.order",
				   "the invoice of order %s is %s: number %s", o.id, i.state, i.number);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	i.asked = c->now;
	i.amount_fen = o.amount_fen;
	snprintf(i.order, sizeof(i.order), "%s", o.id);
	snprintf(i.state, sizeof(i.state), "asked");
	snprintf(i.title, sizeof(i.title), "%s", title);
	snprintf(i.tax_number, sizeof(i.tax_number), "%s", tax_number);
	TRY(store_invoice_put(c->db, &i, f));
	TRY(desk_audit(c, "invoice_asked", o.id, tax_number, f));
	return order_answer(c, o.id, ret, f);
}

static enum err check_number(const char *text, struct fault *f)
{
	size_t n = strlen(text);
	if (n >= 8 && strspn(text, "0123456789-") == n)
		return OK;
	return fault_raise(f, ERR_PARSE, "invoice_number_form", "params.number",
			   "found \"%s\", wanted 8 to %d digits, with hyphens at most", ESC(text, n),
			   INVOICE_NUMBER_MAX);
}

static enum err issue(struct ctx *c, const struct order *o, struct invoice *i, const char *number, struct fault *f)
{
	if (o->paid_at == 0)
		return fault_raise(f, ERR_RULE, "order_unpaid", "params.order", "order %s is not paid yet", o->id);
	if (strcmp(i->state, "asked") != 0)
		return fault_raise(f, ERR_RULE, "invoice_issued", "params.order",
				   "the invoice of order %s is %s: number %s", o->id, i->state, i->number);
	snprintf(i->state, sizeof(i->state), "issued");
	snprintf(i->number, sizeof(i->number), "%s", number);
	i->issued = c->now;
	enum err e = store_invoice_put(c->db, i, f);
	if (e == ERR_CONFLICT)
		return fault_raise(f, ERR_CONFLICT, "invoice_number_used", "params.number",
				   "invoice %s stands already, for another order", number);
	TRY(e);
	return desk_audit(c, "invoice_issued", o->id, number, f);
}

enum err order_invoiced(struct ctx *c, json_t **ret, struct fault *f)
{
	struct order o = {0};
	struct invoice i = {0};
	const char *number = param_text(c, "number");
	TRY(check_number(number, f));
	TRY(order_seen(c, &o, f));
	enum err e = store_invoice_get(c->db, o.id, &i, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "invoice_unknown", "params.order",
				   "nobody asked for an invoice of order %s", o.id);
	TRY(e);
	if (strcmp(i.state, "issued") != 0 || strcmp(i.number, number) != 0)
		TRY(issue(c, &o, &i, number, f));
	return order_answer(c, o.id, ret, f);
}
