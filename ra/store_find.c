/*
 * Each search goes by the index that knows the rarest of what was said: a text, else an invoice's state, else amount and
 * state, and judges the rest row by row. Parts of names are found by the index of their groups of three characters; what is
 * shorter, by the beginning. Whose projects have few services has orders found from those.
 */
#include "ra/store_find.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"
#include "common/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define GRAM 3
#define TAIL_MIN 4 /* characters of an order's id that are worth a search */

/* The first text behind all that begin with this one. */
static char *behind(const char *text)
{
	return xasprintf("%s\xf4\x8f\xbf\xbf", text); /* U+10FFFF */
}

static size_t characters(const char *text)
{
	size_t n = strlen(text), i = 0, count = 0;
	for (; i < n; count++)
		(void)utf8_next((const uint8_t *)text, n, &i);
	return count;
}

/* As one phrase of FTS5. */
static char *phrase(const char *text)
{
	_cleanup_buf_ struct buf b = {0};
	buf_char(&b, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			buf_char(&b, '"');
		buf_char(&b, *p);
	}
	buf_char(&b, '"');
	return xstrdup(buf_text(&b));
}

/* --- accounts --- */

/* By a part keys come in their order, by the beginning of a name in the order of names; so how many are wanted differs. */
struct limits {
	int64_t by_part, by_beginning;
};

static enum err named(struct db *db, const char *text, const char *view, int64_t after, struct limits limits,
		      struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	_cleanup_(freep) char *words = characters(text) >= GRAM ? phrase(text) : NULL, *end = behind(text);
	if (words)
		TRY(db_query(db, f, &row,
			     "SELECT n.rowid, '' FROM account_names n WHERE account_names MATCH ?1 AND n.rowid > ?2"
			     " AND " VIEW_ACCOUNT("?4", "n.rowid") " ORDER BY n.rowid LIMIT ?3",
			     "tiit", words, after, limits.by_part, view));
	else
		TRY(db_query(db, f, &row,
			     "SELECT id, '' FROM (SELECT id FROM accounts a INDEXED BY accounts_organisation"
			     " WHERE organisation >= ?1 AND organisation < ?2 AND " VIEW_ACCOUNT(
				     "?5", "a.id") " ORDER BY organisation LIMIT ?4) WHERE id > ?3",
			     "ttiit", text, end, after, limits.by_beginning, view));
	return keys_read(row, k, f);
}

static enum err account_keys(struct db *db, const char *text, const char *view, int64_t after, struct limits limits,
			     struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT id, '' FROM accounts a WHERE identifier IN (?1, upper(?1)) AND id > ?2 AND " VIEW_ACCOUNT(
			     "?3", "a.id") " UNION ALL SELECT id, '' FROM accounts a WHERE login_mobile = ?1 AND "
					   "login_mobile <> ''"
					   " AND id > ?2 AND " VIEW_ACCOUNT("?3", "a.id"),
		     "tit", text, after, view));
	TRY(keys_read(row, k, f));
	return named(db, text, view, after, limits, k, f);
}

struct giving {
	struct db *db;
	account_fn *account;
	found_order_fn *order;
	void *arg;
};

static enum err give_account(void *arg, const struct list_key *key, struct fault *f)
{
	const struct giving *g = arg;
	struct account a = {0};
	TRY(store_account_get(g->db, key->at, &a, f));
	g->account(g->arg, &a);
	return OK;
}

enum err store_accounts_find(struct db *db, const char *text, const char *view, const struct list_page *p,
			     account_fn *fn, void *arg, struct list_end *ret, struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	TRY(account_keys(db, text, view, p->after.at, (struct limits){keys_wanted(p), KEYS_MAX}, &keys, f));
	return keys_page(&keys, p, give_account, &(struct giving){.db = db, .account = fn, .arg = arg}, ret, f);
}

/* --- orders --- */

#define VIEW_ORDER VIEW_PROJECT("?7", "(SELECT project FROM services WHERE id = o.service)")
#define REST                                                                                                           \
	" AND (?1 < 0 OR o.amount_fen = ?1) AND (?2 = '' OR o.state = ?2)"                                             \
	" AND (?3 = '' OR EXISTS (SELECT 1 FROM invoices i WHERE i.order_id = o.id AND i.state = ?3))"                 \
	" AND (o.created, o.id) > (?4, ?5) AND " VIEW_ORDER
#define BY_TIME " ORDER BY o.created, o.id LIMIT ?6"
#define ORDERS_OF_FEW                                                                                                  \
	"SELECT o.created, o.id FROM " VIEW_SERVICES("?7") " v CROSS JOIN orders o INDEXED BY orders_service"          \
							   " ON o.service = v.id WHERE 1" REST BY_TIME
#define ORDERS(index, where) "SELECT o.created, o.id FROM orders o INDEXED BY " index " WHERE " where REST BY_TIME

enum err store_view_few(struct db *db, const char *view, bool *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	*ret = false;
	if (view[0] == '\0')
		return OK;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM (SELECT 1 FROM " VIEW_SERVICES("?1") " LIMIT ?2)", "ti", view,
		   (int64_t)VIEW_FEW + 1));
	*ret = db_i64(row, 0) <= VIEW_FEW;
	return OK;
}

static const char *orders_sql(const struct order_search *s, bool few)
{
	if (s->invoice[0] != '\0')
		return "SELECT i.asked, i.order_id FROM invoices i INDEXED BY invoices_state JOIN orders o"
		       " ON o.id = i.order_id WHERE i.state = ?3 AND (i.asked, i.order_id) > (?4, ?5)"
		       " AND (?1 < 0 OR o.amount_fen = ?1) AND (?2 = '' OR o.state = ?2) AND " VIEW_ORDER
		       " ORDER BY i.asked, i.order_id LIMIT ?6";
	if (few)
		return ORDERS_OF_FEW;
	if (s->amount_fen >= 0)
		return s->state[0] != '\0' ? ORDERS("orders_state_amount", "o.state = ?2 AND o.amount_fen = ?1")
					   : ORDERS("orders_amount", "o.amount_fen = ?1");
	return s->state[0] != '\0' ? ORDERS("orders_state", "o.state = ?2") : ORDERS("orders_created", "1");
}

static enum err order_keys(struct db *db, const struct order_search *s, const struct list_page *p, struct keys *k,
			   struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool few;
	TRY(store_view_few(db, s->view, &few, f));
	TRY(db_query(db, f, &row, orders_sql(s, few), "ittitit", s->amount_fen, s->state, s->invoice, p->after.at,
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
	_cleanup_(freep) char *end = behind(s->text);
	TRY(db_query(db, f, &row, sql, "ittitittt", s->amount_fen, s->state, s->invoice, p->after.at, p->after.id,
		     (int64_t)KEYS_MAX, s->view, s->text, end));
	return keys_read(row, k, f);
}

static enum err order_keys_by_text(struct db *db, const struct order_search *s, const struct list_page *p,
				   struct keys *k, struct fault *f)
{
	_cleanup_(keys_done) struct keys accounts = {0};
	if (strlen(s->text) >= TAIL_MIN) {
		TRY(order_keys_from(
			db, "SELECT o.created, o.id FROM orders o WHERE o.id >= ?8 AND o.id < ?9" REST " LIMIT ?6", s,
			p, k, f));
		TRY(order_keys_from(db,
				    "SELECT o.created, o.id FROM orders o INDEXED BY orders_tail"
				    " WHERE substr(o.id, 10) >= ?8 AND substr(o.id, 10) < ?9" REST " LIMIT ?6",
				    s, p, k, f));
	}
	TRY(account_keys(db, s->text, s->view, 0, (struct limits){FIND_ACCOUNTS, FIND_ACCOUNTS}, &accounts, f));
	for (size_t i = 0; i < accounts.n && i < FIND_ACCOUNTS; i++)
		TRY(order_keys_of(db, accounts.v[i].at, s, p, k, f));
	return OK;
}

static enum err give_order(void *arg, const struct list_key *key, struct fault *f)
{
	const struct giving *g = arg;
	struct order o = {0};
	struct account a = {0};
	TRY(store_order_get(g->db, key->id, &o, f));
	TRY(store_account_get(g->db, o.account, &a, f));
	g->order(g->arg, &o, a.organisation, a.identifier);
	return OK;
}

enum err store_orders_find(struct db *db, const struct order_search *s, const struct list_page *p, found_order_fn *fn,
			   void *arg, struct list_end *ret, struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	TRY(s->text[0] != '\0' ? order_keys_by_text(db, s, p, &keys, f) : order_keys(db, s, p, &keys, f));
	return keys_page(&keys, p, give_order, &(struct giving){.db = db, .order = fn, .arg = arg}, ret, f);
}
