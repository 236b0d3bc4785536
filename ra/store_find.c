/*
 * Accounts that officers look for. Parts of names are found by the index of their groups of three characters; what is shorter,
 * by the beginning, in the order of names.
 *
 * Who sees some projects alone has what is of those found from them, each in its order, when they are small or the text is
 * common; a text that few have is found by its own index, and judged. So neither a rare project nor a rare text makes
 * anybody walk through everybody's. Next: store_find_order.c.
 */
#include "ra/store_find.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"
#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

#define GRAM 3
/* How many are looked at, so that a page stays a page: accounts that a text finds and that are judged; accounts of a project from
 * where a page begins; and of projects that are not worth the text's index. */
#define FEW_NAMED 300
#define FEW_SEEN 2000
#define SOME_SEEN 20000

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

/* What one project adds to a list. */
struct looking {
	struct db *db;
	const char *text;
	int64_t after, limit;
	struct keys *keys;
	bool cut; /* there is more of the project than was looked at */
};

/* --- by a part of the name --- */

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
	struct looking *l = arg;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(l->db, f, &row,
		     "SELECT account, '' FROM account_projects WHERE project = ?1 AND account > ?2"
		     " AND organisation LIKE ?3 ESCAPE '\\' ORDER BY account LIMIT ?4",
		     "titi", project, l->after, l->text, l->limit));
	return keys_read(row, l->keys, f);
}

/* The same, but no further than FEW_SEEN accounts of the project. */
static enum err part_near(void *arg, const char *project, struct fault *f)
{
	struct looking *l = arg;
	_cleanup_(db_row_donep) struct db_row *row = NULL, *last = NULL;
	size_t before = l->keys->n;
	TRY(db_query(l->db, f, &row,
		     "SELECT account, '' FROM (SELECT account, organisation FROM account_projects WHERE project = ?1"
		     " AND account > ?2 ORDER BY account LIMIT ?5) WHERE organisation LIKE ?3 ESCAPE '\\' LIMIT ?4",
		     "titii", project, l->after, l->text, l->limit, (int64_t)FEW_SEEN));
	TRY(keys_read(row, l->keys, f));
	if ((int64_t)(l->keys->n - before) == l->limit)
		return OK;
	TRY(db_one(l->db, f, &last,
		   "SELECT count(*) FROM (SELECT 1 FROM account_projects WHERE project = ?1 AND account > ?2 LIMIT ?3)",
		   "tii", project, l->after, (int64_t)FEW_SEEN + 1));
	l->cut = l->cut || db_i64(last, 0) > FEW_SEEN;
	return OK;
}

/* What is tried first costs least where it is enough: a text that few have is judged; what is common is found soon among the
 * view's own accounts; those of a small project are all looked at. */
static enum err part_in_view(struct db *db, const char *text, const char *words, const char *view, int64_t after,
			     int64_t limit, struct keys *k, bool *ret_done, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	_cleanup_(freep) char *like = like_part(text);
	struct looking l = {.db = db, .text = like, .after = after, .limit = limit, .keys = k};
	*ret_done = false;
	TRY(db_one(db, f, &row,
		   "SELECT count(*) FROM (SELECT 1 FROM account_names WHERE account_names MATCH ?1 AND rowid > ?2 "
		   "LIMIT ?3)",
		   "tii", words, after, (int64_t)FEW_NAMED + 1));
	if (db_i64(row, 0) <= FEW_NAMED || !folds_alike(text))
		return OK;
	TRY(view_each(view, part_near, &l, f));
	*ret_done = !l.cut;
	if (*ret_done)
		return OK;
	keys_done(k);
	TRY(view_few(db, view, VIEW_COUNT("account_projects WHERE project = ?2"), SOME_SEEN, ret_done, f));
	return *ret_done ? view_each(view, part_in_project, &l, f) : OK;
}

static enum err named_by_part(struct db *db, const char *text, const char *view, int64_t after, int64_t limit,
			      struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	_cleanup_(freep) char *words = phrase(text);
	bool done = false;
	if (view[0] != '\0')
		TRY(part_in_view(db, text, words, view, after, limit, k, &done, f));
	if (done)
		return OK;
	TRY(db_query(db, f, &row,
		     "SELECT n.rowid, '' FROM account_names n WHERE account_names MATCH ?1 AND n.rowid > ?2"
		     " AND " VIEW_ACCOUNT("?4", "n.rowid") " ORDER BY n.rowid LIMIT ?3",
		     "tiit", words, after, limit, view));
	return keys_read(row, k, f);
}

/* An identifier or a mobile is written out. */
static enum err keys_by_part(struct db *db, const char *text, const char *view, int64_t after, int64_t limit,
			     struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT id, '' FROM accounts a WHERE identifier IN (?1, upper(?1)) AND id > ?2 AND " VIEW_ACCOUNT(
			     "?3", "a.id") " UNION ALL SELECT id, '' FROM accounts a WHERE login_mobile = ?1 AND "
					   "login_mobile <> ''"
					   " AND id > ?2 AND " VIEW_ACCOUNT("?3", "a.id"),
		     "tit", text, after, view));
	TRY(named_by_part(db, text, view, after, limit, k, f));
	return keys_read(row, k, f);
}

/* --- by the beginning of the name --- */

/* Accounts by their names, from several queries. */
struct names {
	struct db *db;
	const char *text, *behind; /* what they begin with, and the first text behind all that do */
	char *from;		   /* name and id of the one that the page before ended with */
	int64_t after, limit;
	struct name_at {
		size_t at;
		int64_t id;
	} * v;
	size_t n, cap;
	struct buf texts;
};

static void names_done(struct names *n)
{
	free(n->from);
	free(n->v);
	buf_done(&n->texts);
}

static enum err names_read(struct names *n, struct db_row *row, struct fault *f)
{
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		const char *name = db_text(row, 1);
		if (n->n == n->cap) {
			n->cap = n->cap ? 2 * n->cap : 64;
			n->v = xrealloc(n->v, n->cap, sizeof(*n->v));
		}
		n->v[n->n++] = (struct name_at){n->texts.len, db_i64(row, 0)};
		buf_add(&n->texts, name, strlen(name) + 1);
	}
}

static int by_name(const void *a, const void *b, void *texts)
{
	const struct name_at *x = a, *y = b;
	int d = strcmp((const char *)texts + x->at, (const char *)texts + y->at);
	return d ? d : (x->id > y->id) - (x->id < y->id);
}

/* Where a page goes on: at the name that the account before has now. */
static enum err names_from(struct names *n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(n->db, f, &row, "SELECT organisation FROM accounts WHERE id = ?1", "i", n->after));
	bool more = false;
	TRY(db_next(row, &more, f));
	n->from = xstrdup(more ? db_text(row, 0) : "");
	if (strcmp(n->from, n->text) >= 0)
		return OK;
	free(n->from);
	n->from = xstrdup(n->text);
	n->after = INT64_MIN;
	return OK;
}

static enum err names_in_project(void *arg, const char *project, struct fault *f)
{
	struct names *n = arg;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(n->db, f, &row,
		     "SELECT account, organisation FROM account_projects INDEXED BY account_projects_name"
		     " WHERE project = ?1 AND organisation < ?2 AND (organisation, account) > (?3, ?4)"
		     " ORDER BY organisation, account LIMIT ?5",
		     "tttii", project, n->behind, n->from, n->after, n->limit));
	return names_read(n, row, f);
}

static enum err names_of_all(struct names *n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(n->db, f, &row,
		     "SELECT id, organisation FROM accounts INDEXED BY accounts_organisation"
		     " WHERE organisation < ?1 AND (organisation, id) > (?2, ?3) ORDER BY organisation, id LIMIT ?4",
		     "ttii", n->behind, n->from, n->after, n->limit));
	return names_read(n, row, f);
}

/* An account of two of the projects is there twice. */
static void names_give(struct names *n, struct keys *k)
{
	if (n->n > 0)
		qsort_r(n->v, n->n, sizeof(*n->v), by_name, n->texts.data);
	for (size_t i = 0; i < n->n && (int64_t)k->n < n->limit; i++) {
		if (i == 0 || n->v[i].id != n->v[i - 1].id)
			keys_add(k, n->v[i].id, "");
	}
	k->in_order = true;
}

static enum err keys_by_beginning(struct db *db, const char *text, const char *view, int64_t after, int64_t limit,
				  struct keys *k, struct fault *f)
{
	_cleanup_(freep) char *end = text_behind(text);
	_cleanup_(names_done) struct names n = {.db = db, .text = text, .behind = end, .after = after, .limit = limit};
	TRY(names_from(&n, f));
	TRY(view[0] == '\0' ? names_of_all(&n, f) : view_each(view, names_in_project, &n, f));
	names_give(&n, k);
	return OK;
}

enum err store_account_keys(struct db *db, const char *text, const char *view, int64_t after, int64_t limit,
			    struct keys *k, struct fault *f)
{
	return characters(text) >= GRAM ? keys_by_part(db, text, view, after, limit, k, f)
					: keys_by_beginning(db, text, view, after, limit, k, f);
}

struct giving {
	struct db *db;
	account_fn *fn;
	void *arg;
};

static enum err give(void *arg, const struct list_key *key, struct fault *f)
{
	const struct giving *g = arg;
	struct account a = {0};
	TRY(store_account_get(g->db, key->at, &a, f));
	g->fn(g->arg, &a);
	return OK;
}

enum err store_accounts_find(struct db *db, const char *text, const char *view, const struct list_page *p,
			     account_fn *fn, void *arg, struct list_end *ret, struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	TRY(store_account_keys(db, text, view, p->after.at, keys_wanted(p), &keys, f));
	return keys_page(&keys, p, give, &(struct giving){db, fn, arg}, ret, f);
}
