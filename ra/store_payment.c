/*
 * Payments are never changed but for going back; what a reference has paid it pays for ever.
 */
#include "ra/store_payment.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"

#define PAYMENT "id, order_id, amount_fen, state, at, who, refund, refunded FROM payments"

static void read_payment(struct db_row *row, struct payment *ret)
{
	*ret = (struct payment){.amount_fen = db_i64(row, 2), .at = db_i64(row, 4), .refunded = db_i64(row, 7)};
	COLUMN(row, 0, ret->id);
	COLUMN(row, 1, ret->order);
	COLUMN(row, 3, ret->state);
	COLUMN(row, 5, ret->who);
	COLUMN(row, 6, ret->refund);
}

enum err store_payment_get(struct db *db, const char *id, struct payment *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " PAYMENT " WHERE id = ?1", "t", id));
	read_payment(row, ret);
	return OK;
}

enum err store_payment_add(struct db *db, const struct payment *p, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO payments (id, order_id, amount_fen, state, at, who, project) VALUES (?1, ?2, ?3, "
		      "?4, ?5, ?6,"
		      " (SELECT project FROM orders WHERE id = ?2))",
		      "ttitit", p->id, p->order, p->amount_fen, p->state, p->at, p->who);
}

enum err store_payment_refunded(struct db *db, const char *id, const char *refund, int64_t now, struct fault *f)
{
	return db_run(db, f, "UPDATE payments SET state = 'refunded', refund = ?2, refunded = ?3 WHERE id = ?1", "tti",
		      id, refund, now);
}

/* Who sees all reads from the index alone; the project stands in the row. */
#define KEYS(index, where)                                                                                             \
	"SELECT p.at, p.id FROM payments p INDEXED BY " index " WHERE " where                                          \
	" AND (p.at, p.id) > (?3, ?4) ORDER BY p.at, p.id LIMIT ?5"

static const char *keys_sql(const char *state, const char *order)
{
	if (order[0] != '\0')
		return KEYS("payments_order",
			    "(?1 = '' OR state = ?1) AND order_id = ?2 AND " VIEW_PROJECT("?6", "p.project"));
	return state[0] != '\0' ? KEYS("payments_state", "state = ?1 AND ?2 = '' AND ?6 = ''")
				: KEYS("payments_at", "?1 = '' AND ?2 = '' AND ?6 = ''");
}

struct looking {
	struct db *db;
	const struct payment_filter *q;
	const struct list_page *page;
	struct keys *keys;
	payment_fn *fn;
	void *arg;
};

static enum err add_project(void *arg, const char *project, struct fault *f)
{
	const struct looking *l = arg;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(
		l->db, f, &row,
		l->q->state[0] != '\0'
			? "SELECT p.at, p.id FROM payments p INDEXED BY payments_project_state WHERE p.project = ?1"
			  " AND p.state = ?2 AND (p.at, p.id) > (?3, ?4) ORDER BY p.at, p.id LIMIT ?5"
			: "SELECT p.at, p.id FROM payments p INDEXED BY payments_project WHERE p.project = ?1"
			  " AND ?2 = '' AND (p.at, p.id) > (?3, ?4) ORDER BY p.at, p.id LIMIT ?5",
		"ttiti", project, l->q->state, l->page->after.at, l->page->after.id, keys_wanted(l->page)));
	return keys_read(row, l->keys, f);
}

static enum err give(void *arg, const struct list_key *key, struct fault *f)
{
	const struct looking *l = arg;
	struct payment p;
	TRY(store_payment_get(l->db, key->id, &p, f));
	l->fn(l->arg, &p);
	return OK;
}

enum err store_payments(struct db *db, const struct payment_filter *q, const struct list_page *p, payment_fn *fn,
			void *arg, struct list_end *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	_cleanup_(keys_done) struct keys keys = {0};
	struct looking l = {db, q, p, &keys, fn, arg};
	if (q->view[0] != '\0' && q->order[0] == '\0') {
		TRY(view_each(q->view, add_project, &l, f));
	} else {
		TRY(db_query(db, f, &row, keys_sql(q->state, q->order), "ttitit", q->state, q->order, p->after.at,
			     p->after.id, keys_wanted(p), q->view));
		TRY(keys_read(row, &keys, f));
	}
	return keys_page(&keys, p, give, &l, ret, f);
}

/* --- nonces --- */

enum err store_nonce_use(struct db *db, const char *nonce, int64_t now, struct fault *f)
{
	return db_run(db, f, "INSERT INTO nonces (nonce, at) VALUES (?1, ?2)", "ti", nonce, now);
}

enum err store_nonces_purge(struct db *db, int64_t before, struct fault *f)
{
	return db_run(db, f, "DELETE FROM nonces WHERE at < ?1", "i", before);
}

/* --- invoices --- */

enum err store_invoice_get(struct db *db, const char *order, struct invoice *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT order_id, title, tax_number, amount_fen, state, asked, issued, number FROM invoices"
		   " WHERE order_id = ?1",
		   "t", order));
	*ret = (struct invoice){.amount_fen = db_i64(row, 3), .asked = db_i64(row, 5), .issued = db_i64(row, 6)};
	COLUMN(row, 0, ret->order);
	COLUMN(row, 1, ret->title);
	COLUMN(row, 2, ret->tax_number);
	COLUMN(row, 4, ret->state);
	COLUMN(row, 7, ret->number);
	return OK;
}

enum err store_invoice_put(struct db *db, const struct invoice *i, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO invoices (order_id, title, tax_number, amount_fen, state, asked, issued, number)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, '')) ON CONFLICT (order_id) DO UPDATE SET"
		      " title = ?2, tax_number = ?3, amount_fen = ?4, state = ?5, asked = ?6, issued = ?7,"
		      " number = nullif(?8, '')",
		      "ttti"
		      "tiit",
		      i->order, i->title, i->tax_number, i->amount_fen, i->state, i->asked, i->issued, i->number);
}
