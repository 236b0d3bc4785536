/*
 * The inventory, page by page behind the last serial that was seen. All that a row shows stands in token_rows, so that a page is
 * one walk along an index; who sees some projects alone has the serials from each of them, and their rows then.
 */
#include "ra/store_keys.h"
#include "ra/store_token.h"
#include "ra/store_view.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

#define ROW                                                                                                            \
	"SELECT t.serial, t.model, t.label, t.state, t.account, t.identifier, t.organisation, t.keeper, "              \
	"t.certificate,"                                                                                               \
	" t.has_puk, t.added, t.changed FROM token_rows t"

static void read_item(struct db_row *row, struct token_item *ret)
{
	struct slice cert = db_blob(row, 8);
	*ret = (struct token_item){.account = db_i64(row, 4),
				   .has_puk = db_i64(row, 9) != 0,
				   .added = db_i64(row, 10),
				   .changed = db_i64(row, 11)};
	COLUMN(row, 0, ret->serial);
	COLUMN(row, 1, ret->model);
	COLUMN(row, 2, ret->label);
	COLUMN(row, 3, ret->state);
	COLUMN(row, 5, ret->identifier);
	COLUMN(row, 6, ret->organisation);
	COLUMN(row, 7, ret->keeper);
	assert(cert.n <= SERIAL_MAX);
	if (cert.n > 0)
		memcpy(ret->certificate.b, cert.p, cert.n);
	ret->certificate.n = cert.n;
}

enum err store_token_item(struct db *db, const char *serial, struct token_item *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, ROW " WHERE t.serial = ?1", "t", serial));
	read_item(row, ret);
	return OK;
}

/* Serials are ASCII: what begins with the prefix lies between it and it with a character behind all others. */
#define RANGE " AND t.serial > ?2 AND t.serial >= ?3 AND t.serial < ?3 || char(127)"
#define SEEN " AND (t.account = 0 OR " VIEW_ACCOUNT("?5", "t.account") ")"
#define PAGE_END " ORDER BY t.serial LIMIT ?4"

static enum err query(struct db *db, const struct token_search *s, struct db_row **row, struct fault *f)
{
	if (s->account != 0)
		return db_query(db, f, row,
				ROW " WHERE t.account = ?1 AND t.account <> 0" RANGE SEEN
				    " AND (?6 = '' OR t.state = ?6) AND (?7 = '' OR t.keeper = ?7)" PAGE_END,
				"ittittt", s->account, s->after, s->prefix, s->limit, s->view, s->state, s->keeper);
	if (s->keeper[0] != '\0')
		return db_query(db, f, row,
				ROW " WHERE t.keeper = ?1 AND t.keeper <> ''" RANGE SEEN
				    " AND (?6 = '' OR t.state = ?6)" PAGE_END,
				"tttitt", s->keeper, s->after, s->prefix, s->limit, s->view, s->state);
	if (s->state[0] != '\0')
		return db_query(db, f, row, ROW " WHERE t.state = ?1" RANGE PAGE_END, "ttti", s->state, s->after,
				s->prefix, s->limit);
	return db_query(db, f, row, ROW " WHERE ?1 = ''" RANGE PAGE_END, "ttti", "", s->after, s->prefix, s->limit);
}

/* --- of some projects --- */

struct looking {
	struct db *db;
	const struct token_search *s;
	struct keys *keys;
	token_fn *fn;
	void *arg;
};

static enum err add_project(void *arg, const char *project, struct fault *f)
{
	const struct looking *l = arg;
	const struct token_search *s = l->s;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	if (s->state[0] != '\0')
		TRY(db_query(l->db, f, &row,
			     "SELECT 0, t.serial FROM token_projects t WHERE t.project = ?1" RANGE
			     " AND t.state = ?5" PAGE_END,
			     "tttit", project, s->after, s->prefix, s->limit, s->state));
	else
		TRY(db_query(l->db, f, &row,
			     "SELECT 0, t.serial FROM token_projects t WHERE t.project = ?1" RANGE PAGE_END, "ttti",
			     project, s->after, s->prefix, s->limit));
	return keys_read(row, l->keys, f);
}

static enum err give(void *arg, const struct list_key *key, struct fault *f)
{
	const struct looking *l = arg;
	struct token_item t;
	TRY(store_token_item(l->db, key->id, &t, f));
	l->fn(l->arg, &t);
	return OK;
}

static enum err narrow(struct db *db, const struct token_search *s, token_fn *fn, void *arg, struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	struct looking l = {db, s, &keys, fn, arg};
	struct list_end end;
	TRY(view_each(s->view, add_project, &l, f));
	return keys_page(&keys, &PAGE_FROM_START(s->limit), give, &l, &end, f);
}

enum err store_tokens(struct db *db, const struct token_search *s, token_fn *fn, void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	struct token_item t;
	if (s->view[0] != '\0' && s->account == 0 && s->keeper[0] == '\0')
		return narrow(db, s, fn, arg, f);
	TRY(query(db, s, &row, f));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		read_item(row, &t);
		fn(arg, &t);
	}
}
