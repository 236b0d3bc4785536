/*
 * Orders that officers look for. Each search goes by the index that knows the rarest of what was said: a text, else an invoice's
 * state, else amount and state, and judges the rest row by row. Who sees some projects alone has theirs found from those, unless
 * they have many and what was said is rarer.
 */
#include "ra/store_find.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"
#include "common/base/text.h"

#include <string.h>

#define TAIL_MIN 4     /* characters of an order's id that are worth a search */
#define FEW_SEEN 2000  /* orders of a view: a walk through them takes no longer than a page */
#define FEW_NAMED 5000 /* whose number begins so: to judge each of them takes no longer */

/* What one project adds to a list. */
struct looking {
	struct db *db;
	const char *text, *end; /* its number's beginning lies between; "": any */
	const struct order_search *search;
	const struct list_page *page;
	struct keys *keys;
};

/* ?8 to ?9: a text of its id, as order_keys_by_text() has it; ?8 "": any. */
#define VIEW_ORDER VIEW_PROJECT("?7", "o.project")
#define REST_OF_ANY                                                                                                    \
	" AND (?1 < 0 OR o.amount_fen = ?1) AND (?2 = '' OR o.state = ?2)"                                             \
	" AND (?3 = '' OR EXISTS (SELECT 1 FROM invoices i WHERE i.order_id = o.id AND i.state = ?3))"                 \
	" AND (o.created, o.id) > (?4, ?5)"
#define REST REST_OF_ANY " AND " VIEW_ORDER
#define BY_TIME " ORDER BY o.created, o.id LIMIT ?6"
#define ORDERS(index, where) "SELECT o.created, o.id FROM orders o INDEXED BY " index " WHERE " where REST BY_TIME

static const char *orders_sql(const struct order_search *s)
{
	if (s->invoice[0] != '\0')
		return "SELECT i.asked, i.order_id FROM invoices i INDEXED BY invoices_state JOIN orders o"
		       " ON o.id = i.order_id WHERE i.state = ?3 AND (i.asked, i.order_id) > (?4, ?5)"
		       " AND (?1 < 0 OR o.amount_fen = ?1) AND (?2 = '' OR o.state = ?2) AND " VIEW_ORDER
		       " ORDER BY i.asked, i.order_id LIMIT ?6";
	if (s->amount_fen >= 0)
		return s->state[0] != '\0' ? ORDERS("orders_state_amount", "o.state = ?2 AND o.amount_fen = ?1")
					   : ORDERS("orders_amount", "o.amount_fen = ?1");
	return s->state[0] != '\0' ? ORDERS("orders_state", "o.state = ?2") : ORDERS("orders_created", "1");
}

static enum err orders_in_project(void *arg, const char *project, struct fault *f)
{
	const struct looking *l = arg;
	const struct order_search *s = l->search;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(l->db, f, &row,
		     "SELECT o.created, o.id FROM orders o INDEXED BY orders_project WHERE o.project = ?7" REST_OF_ANY
		     " AND (?8 = '' OR o.id >= ?8 AND o.id < ?9 OR substr(o.id, 10) >= ?8 AND substr(o.id, 10) < "
		     "?9)" BY_TIME,
		     "ittititt"
		     "t",
		     s->amount_fen, s->state, s->invoice, l->page->after.at, l->page->after.id, keys_wanted(l->page),
		     project, l->text, l->end));
	return keys_read(row, l->keys, f);
}

static enum err few_seen(struct db *db, const char *view, bool *ret, struct fault *f)
{
	return view_few(db, view, VIEW_COUNT("orders INDEXED BY orders_project WHERE project = ?2"), FEW_SEEN, ret, f);
}

static enum err order_keys(struct db *db, const struct order_search *s, const struct list_page *p, struct keys *k,
			   struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool any = s->amount_fen < 0 && s->state[0] == '\0', from_project = s->view[0] != '\0' && s->invoice[0] == '\0';
	if (from_project && !any)
		TRY(few_seen(db, s->view, &from_project, f));
	if (from_project)
		return view_each(s->view, orders_in_project,
				 &(struct looking){.db = db, .text = "", .end = "", .search = s, .page = p, .keys = k},
				 f);
	TRY(db_query(db, f, &row, orders_sql(s), "ittitit", s->amount_fen, s->state, s->invoice, p->after.at,
		     p->after.id, keys_wanted(p), s->view));
	return keys_read(row, k, f);
}

static enum err order_keys_of(struct db *db, int64_t account, const struct order_search *s, const struct list_page *p,
			      struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row, ORDERS("orders_account", "o.account = ?8"), "ittititi", s->amount_fen, s->state,
		     s->invoice, p->after.at, p->after.id, keys_wanted(p), s->view, account));
	return keys_read(row, k, f);
}

/* sql: by a range of texts, ?8 to ?9. */
static enum err order_keys_from(struct db *db, const char *sql, const struct order_search *s, const struct list_page *p,
				struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	_cleanup_(freep) char *end = text_behind(s->text);
	TRY(db_query(db, f, &row, sql, "ittitittt", s->amount_fen, s->state, s->invoice, p->after.at, p->after.id,
		     (int64_t)KEYS_MAX, s->view, s->text, end));
	return keys_read(row, k, f);
}

static enum err count_numbers(struct db *db, const char *sql, const char *text, const char *end, int64_t *left,
			      struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, sql, "itt", *left + 1, text, end));
	*left -= db_i64(row, 0);
	return OK;
}

/* Has a view few orders, or the text many? */
static enum err by_project(struct db *db, const struct order_search *s, const char *end, bool *ret, struct fault *f)
{
	int64_t left = FEW_NAMED;
	*ret = false;
	if (s->view[0] == '\0')
		return OK;
	TRY(few_seen(db, s->view, ret, f));
	if (*ret)
		return OK;
	TRY(count_numbers(db, VIEW_COUNT("orders WHERE id >= ?2 AND id < ?3"), s->text, end, &left, f));
	if (left >= 0)
		TRY(count_numbers(
			db,
			VIEW_COUNT("orders INDEXED BY orders_tail WHERE substr(id, 10) >= ?2 AND substr(id, 10) < ?3"),
			s->text, end, &left, f));
	*ret = left < 0;
	return OK;
}

static enum err order_keys_by_number(struct db *db, const struct order_search *s, const struct list_page *p,
				     struct keys *k, struct fault *f)
{
	_cleanup_(freep) char *end = text_behind(s->text);
	struct looking l = {.db = db, .text = s->text, .end = end, .search = s, .page = p, .keys = k};
	bool from_project;
	TRY(by_project(db, s, end, &from_project, f));
	if (from_project)
		return view_each(s->view, orders_in_project, &l, f);
	TRY(order_keys_from(db, "SELECT o.created, o.id FROM orders o WHERE o.id >= ?8 AND o.id < ?9" REST " LIMIT ?6",
			    s, p, k, f));
	return order_keys_from(db,
			       "SELECT o.created, o.id FROM orders o INDEXED BY orders_tail"
			       " WHERE substr(o.id, 10) >= ?8 AND substr(o.id, 10) < ?9" REST " LIMIT ?6",
			       s, p, k, f);
}

static enum err order_keys_by_text(struct db *db, const struct order_search *s, const struct list_page *p,
				   struct keys *k, struct fault *f)
{
	_cleanup_(keys_done) struct keys accounts = {0};
	if (strlen(s->text) >= TAIL_MIN)
		TRY(order_keys_by_number(db, s, p, k, f));
	TRY(store_account_keys(db, s->text, s->view, INT64_MIN, FIND_ACCOUNTS, &accounts, f));
	for (size_t i = 0; i < accounts.n && i < FIND_ACCOUNTS; i++)
		TRY(order_keys_of(db, accounts.v[i].at, s, p, k, f));
	return OK;
}

struct giving {
	struct db *db;
	found_order_fn *fn;
	void *arg;
};

static enum err give(void *arg, const struct list_key *key, struct fault *f)
{
	const struct giving *g = arg;
	struct order o = {0};
	struct account a = {0};
	TRY(store_order_get(g->db, key->id, &o, f));
	TRY(store_account_get(g->db, o.account, &a, f));
	g->fn(g->arg, &o, a.organisation, a.identifier);
	return OK;
}

enum err store_orders_find(struct db *db, const struct order_search *s, const struct list_page *p, found_order_fn *fn,
			   void *arg, struct list_end *ret, struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	TRY(s->text[0] != '\0' ? order_keys_by_text(db, s, p, &keys, f) : order_keys(db, s, p, &keys, f));
	return keys_page(&keys, p, give, &(struct giving){db, fn, arg}, ret, f);
}
