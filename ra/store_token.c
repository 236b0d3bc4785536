/*
 * What a token is and what happens to it. What people see of it is kept beside it by triggers (ra/schema/140-projects.sql), so
 * nothing here writes into token_rows. Next: store_token_list.c.
 */
#include "ra/store_token.h"

#include "common/base/cleanup.h"

#include <assert.h>

#define TOKEN                                                                                                          \
	"t.id, t.serial, t.model, t.label, t.state, t.account, t.keeper, t.cert, t.puk IS NOT NULL,"                   \
	" t.puk_next IS NOT NULL, t.added, t.changed FROM tokens t"

static void read_token(struct db_row *row, struct token *ret)
{
	*ret = (struct token){.id = db_i64(row, 0),
			      .account = db_i64(row, 5),
			      .cert = db_i64(row, 7),
			      .has_puk = db_i64(row, 8) != 0,
			      .has_next = db_i64(row, 9) != 0,
			      .added = db_i64(row, 10),
			      .changed = db_i64(row, 11)};
	COLUMN(row, 1, ret->serial);
	COLUMN(row, 2, ret->model);
	COLUMN(row, 3, ret->label);
	COLUMN(row, 4, ret->state);
	COLUMN(row, 6, ret->keeper);
}

enum err store_token_by_serial(struct db *db, const char *serial, struct token *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " TOKEN " WHERE t.serial = ?1", "t", serial));
	read_token(row, ret);
	return OK;
}

enum err store_token_get(struct db *db, int64_t id, struct token *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " TOKEN " WHERE t.id = ?1", "i", id));
	read_token(row, ret);
	return OK;
}

enum err store_token_of_cert(struct db *db, int64_t cert, int64_t account, struct token *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT " TOKEN " JOIN cert_bodies b ON b.id = t.cert WHERE t.account = ?2"
		   " AND b.key_sha256 = (SELECT key_sha256 FROM cert_bodies WHERE id = ?1) LIMIT 1",
		   "ii", cert, account));
	read_token(row, ret);
	return OK;
}

enum err store_token_add(struct db *db, const struct token *t, int64_t *ret_id, struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT INTO tokens (serial, model, label, state, account, keeper, cert, added, changed)"
		   " VALUES (?1, ?2, ?3, ?4, nullif(?5, 0), ?6, nullif(?7, 0), ?8, ?8)",
		   "tttt"
		   "itii",
		   t->serial, t->model, t->label, t->state, t->account, t->keeper, t->cert, t->added));
	*ret_id = db_last_id(db);
	return OK;
}

enum err store_token_set(struct db *db, const struct token *t, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE tokens SET model = ?2, label = ?3, state = ?4, account = nullif(?5, 0), keeper = ?6,"
		      " cert = nullif(?7, 0), changed = ?8 WHERE id = ?1",
		      "ittt"
		      "itii",
		      t->id, t->model, t->label, t->state, t->account, t->keeper, t->cert, t->changed);
}

/* --- PUKs --- */

void token_puks_done(struct token_puks *p)
{
	buf_done(&p->puk);
	buf_done(&p->next);
}

enum err store_token_puks(struct db *db, int64_t id, struct token_puks *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT puk, puk_next FROM tokens WHERE id = ?1", "i", id));
	buf_add_slice(&ret->puk, db_blob(row, 0));
	buf_add_slice(&ret->next, db_blob(row, 1));
	return OK;
}

static struct slice or_null(const struct buf *b)
{
	return b->len > 0 ? buf_slice(b) : (struct slice){0};
}

enum err store_token_puks_set(struct db *db, int64_t id, const struct token_puks *p, struct fault *f)
{
	return db_run(db, f, "UPDATE tokens SET puk = ?2, puk_next = ?3 WHERE id = ?1", "ibb", id, or_null(&p->puk),
		      or_null(&p->next));
}

/* --- history --- */

enum err store_token_history_add(struct db *db, int64_t token, const struct history_item *item, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO token_history (token, at, event, before, after, who, why)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		      "iittttt", token, item->at, item->event, item->before, item->after, item->who, item->detail);
}

enum err store_token_history(struct db *db, int64_t token, void (*fn)(void *arg, const struct history_item *item),
			     void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT at, event, before, after, who, why FROM token_history WHERE token = ?1 ORDER BY id", "i",
		     token));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		fn(arg, &(struct history_item){db_i64(row, 0), db_text(row, 1), db_text(row, 2), db_text(row, 3),
					       db_text(row, 4), db_text(row, 5)});
	}
}

/* Extended with the same key, a certificate's successor is on the token too, whether or not it was written there. */
enum err store_token_live_cert(struct db *db, int64_t cert, int64_t now, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "WITH RECURSIVE line (id) AS (SELECT ?1 UNION SELECT c.successor FROM line l JOIN certs c ON c.id = "
		   "l.id"
		   " JOIN cert_bodies a ON a.id = c.id JOIN cert_bodies b ON b.id = c.successor"
		   " WHERE a.key_sha256 = b.key_sha256)"
		   " SELECT c.id FROM line l JOIN certs c ON c.id = l.id"
		   " WHERE c.state IN (0, 1) AND c.not_after > ?2 AND c.successor IS NULL LIMIT 1",
		   "ii", cert, now));
	*ret = db_i64(row, 0);
	return OK;
}
