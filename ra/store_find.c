/*
 * Each search goes by the index that knows the rarest of what was said: a text, else an invoice's state, else amount and
 * state, and judges the rest row by row. Parts of names are found by the index of their groups of three characters; what is
 * shorter, by the beginning.
 *
 * Who sees some projects alone has what is of those found from them, each in its order, when they are few or the text is
 * common; a text that few have is found by its own index, and judged. So neither a rare project nor a rare text makes
 * anybody walk through everybody's.
 */
#include "ra/store_find.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"
#include "common/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define GRAM 3
#define TAIL_MIN 4     /* characters of an order's id that are worth a search */
#define FEW_SEEN 2000  /* accounts or orders of a view: a walk through them takes no longer than a page */
#define FEW_NAMED 5000 /* that a text finds: to judge each of them takes no longer */

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

/* What one project adds to a list. */
struct looking {
	struct db *db;
	const char *text, *end;
	int64_t after, limit;
	const struct order_search *orders;
	const struct list_page *page;
	struct keys *keys;
};

#define MANY(from) "SELECT count(*) FROM (SELECT 1 FROM " from " LIMIT ?1)"

/* ?2, ?3: of the statement, whose rows are counted no further than to `most`. */
static enum err count_few(struct db *db, const char *sql, const char *types, int64_t most, const char *a, const char *b,
			  int64_t *ret_left, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, sql, types, most + 1, a, b));
	*ret_left = most - db_i64(row, 0);
	return OK;
}

static enum err count_accounts(void *arg, const char *project, struct fault *f)
{
	struct looking *l = arg;
	if (l->limit < 0)
		return OK;
	return count_few(l->db, MANY("account_projects WHERE project = ?2"), "it", l->limit, project, NULL, &l->limit,
			 f);
}

static enum err count_orders(void *arg, const char *project, struct fault *f)
{
	struct looking *l = arg;
	if (l->limit < 0)
		return OK;
	return count_few(l->db, MANY("orders INDEXED BY orders_project WHERE project = ?2"), "it", l->limit, project,
			 NULL, &l->limit, f);
}

/* Are there so few of what a view sees that all of them are sooner looked at than others passed over? */
static enum err few(struct db *db, const char *view, view_fn *count, bool *ret, struct fault *f)
{
	struct looking l = {.db = db, .limit = FEW_SEEN};
	TRY(view_each(view, count, &l, f));
	*ret = l.limit >= 0;
	return OK;
}

/* LIKE folds the case of ASCII alone, the index of names that of all letters. */
static bool folds_alike(const char *text)
{
	size_t n = strlen(text), i = 0;
	while (i < n) {
		uint32_t c = utf8_next((const uint8_t *)text, n, &i);
		if (c > 0x7f && (c < 0x2e80 || c > 0xfeff))
			return false;
	}
	return true;
}

static char *like_part(const char *text)
{
	_cleanup_buf_ struct buf b = {0};
	buf_char(&b, '%');
	for (const char *p = text; *p; p++) {
		if (*p == '%' || *p == '_' || *p == '\\')
			buf_char(&b, '\\');
		buf_char(&b, *p);
	}
	buf_char(&b, '%');
	return xstrdup(buf_text(&b));
}

static enum err part_in_project(void *arg, const char *project, struct fault *f)
{
	const struct looking *l = arg;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(l->db, f, &row,
		     "SELECT account, '' FROM account_projects WHERE project = ?1 AND account > ?2"
		     " AND organisation LIKE ?3 ESCAPE '\\' ORDER BY account LIMIT ?4",
		     "titi", project, l->after, l->text, l->limit));
	return keys_read(row, l->keys, f);
}

static enum err beginning_in_project(void *arg, const char *project, struct fault *f)
{
	const struct looking *l = arg;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(l->db, f, &row,
		     "SELECT account, '' FROM (SELECT account FROM account_projects INDEXED BY account_projects_name"
		     " WHERE project = ?1 AND organisation >= ?2 AND organisation < ?3 ORDER BY organisation LIMIT ?5)"
		     " WHERE account > ?4",
		     "tttii", project, l->text, l->end, l->after, l->limit));
	return keys_read(row, l->keys, f);
}

/* Is it best to go through the view's own accounts? */
static enum err by_project(struct db *db, const char *text, const char *words, const char *view, bool *ret,
			   struct fault *f)
{
	int64_t left;
	*ret = false;
	if (view[0] == '\0' || !folds_alike(text))
		return OK;
	TRY(few(db, view, count_accounts, ret, f));
	if (*ret)
		return OK;
	TRY(count_few(db, MANY("account_names WHERE account_names MATCH ?2"), "it", FEW_NAMED, words, NULL, &left, f));
	*ret = left < 0;
	return OK;
}

static enum err named_by_part(struct db *db, const char *text, const char *view, int64_t after, int64_t limit,
			      struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	_cleanup_(freep) char *words = phrase(text), *like = like_part(text);
	bool from_project;
	TRY(by_project(db, text, words, view, &from_project, f));
	if (from_project)
		return view_each(view, part_in_project,
				 &(struct looking){.db = db, .text = like, .after = after, .limit = limit, .keys = k},
				 f);
	TRY(db_query(db, f, &row,
		     "SELECT n.rowid, '' FROM account_names n WHERE account_names MATCH ?1 AND n.rowid > ?2"
		     " AND " VIEW_ACCOUNT("?4", "n.rowid") " ORDER BY n.rowid LIMIT ?3",
		     "tiit", words, after, limit, view));
	return keys_read(row, k, f);
}

static enum err named(struct db *db, const char *text, const char *view, int64_t after, struct limits limits,
		      struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	_cleanup_(freep) char *end = behind(text);
	struct looking l = {
		.db = db, .text = text, .end = end, .after = after, .limit = limits.by_beginning, .keys = k};
	if (characters(text) >= GRAM)
		return named_by_part(db, text, view, after, limits.by_part, k, f);
	if (view[0] != '\0')
		return view_each(view, beginning_in_project, &l, f);
	TRY(db_query(db, f, &row,
		     "SELECT id, '' FROM (SELECT id FROM accounts a INDEXED BY accounts_organisation"
		     " WHERE organisation >= ?1 AND organisation < ?2 ORDER BY organisation LIMIT ?4) WHERE id > ?3",
		     "ttii", text, end, after, limits.by_beginning));
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
	const struct order_search *s = l->orders;
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

static enum err order_keys(struct db *db, const struct order_search *s, const struct list_page *p, struct keys *k,
			   struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool any = s->amount_fen < 0 && s->state[0] == '\0', from_project = s->view[0] != '\0' && s->invoice[0] == '\0';
	if (from_project && !any)
		TRY(few(db, s->view, count_orders, &from_project, f));
	if (from_project)
		return view_each(s->view, orders_in_project,
				 &(struct looking){.db = db, .text = "", .end = "", .orders = s, .page = p, .keys = k},
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
	_cleanup_(freep) char *end = behind(s->text);
	TRY(db_query(db, f, &row, sql, "ittitittt", s->amount_fen, s->state, s->invoice, p->after.at, p->after.id,
		     (int64_t)KEYS_MAX, s->view, s->text, end));
	return keys_read(row, k, f);
}

/* Has a view few orders, or the text many? */
static enum err orders_by_project(struct db *db, const struct order_search *s, const char *end, bool *ret,
				  struct fault *f)
{
	int64_t left;
	*ret = false;
	if (s->view[0] == '\0')
		return OK;
	TRY(few(db, s->view, count_orders, ret, f));
	if (*ret)
		return OK;
	TRY(count_few(db, MANY("orders WHERE id >= ?2 AND id < ?3"), "itt", FEW_NAMED, s->text, end, &left, f));
	if (left >= 0)
		TRY(count_few(db,
			      MANY("orders INDEXED BY orders_tail WHERE substr(id, 10) >= ?2 AND substr(id, 10) < ?3"),
			      "itt", FEW_NAMED, s->text, end, &left, f));
	*ret = left < 0;
	return OK;
}

static enum err order_keys_by_number(struct db *db, const struct order_search *s, const struct list_page *p,
				     struct keys *k, struct fault *f)
{
	_cleanup_(freep) char *end = behind(s->text);
	struct looking l = {.db = db, .text = s->text, .end = end, .orders = s, .page = p, .keys = k};
	bool from_project;
	TRY(orders_by_project(db, s, end, &from_project, f));
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
