/*
 * The outbox. A row is added in the transaction of what it tells of, and keeps its text, sealed, until it is handed over.
 */
#include "ra/store_outbox.h"

#include "common/base/cleanup.h"

void message_done(struct message *m)
{
	buf_done(&m->sealed);
	*m = (struct message){0};
}

enum err store_message_add(struct db *db, const struct message *m, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO outbox (id, channel, recipient, template, sealed, state, made, dies, tries, next_at,"
		      " error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?7, '')",
		      "ttttbtii", m->id, m->channel, m->recipient, m->template, buf_slice(&m->sealed), m->state,
		      m->made, m->dies);
}

enum err store_message_due(struct db *db, int64_t now, bool *ret_there, struct message *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT id, channel, recipient, template, sealed, state, made, dies, tries, next_at FROM outbox"
		     " WHERE state = 'waiting' AND next_at <= ?1 ORDER BY next_at LIMIT 1",
		     "i", now));
	TRY(db_next(row, ret_there, f));
	if (!*ret_there)
		return OK;
	COLUMN(row, 0, ret->id);
	COLUMN(row, 1, ret->channel);
	COLUMN(row, 2, ret->recipient);
	COLUMN(row, 3, ret->template);
	buf_clear(&ret->sealed);
	buf_add_slice(&ret->sealed, db_blob(row, 4));
	COLUMN(row, 5, ret->state);
	ret->made = db_i64(row, 6);
	ret->dies = db_i64(row, 7);
	ret->tries = db_i64(row, 8);
	ret->next_at = db_i64(row, 9);
	return OK;
}

enum err store_message_end(struct db *db, const char *id, const char *state, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE outbox SET state = ?2, sealed = NULL, error = '' WHERE id = ?1 AND state = 'waiting'",
		      "tt", id, state);
}

enum err store_message_later(struct db *db, const char *id, int64_t next_at, const char *error, struct fault *f)
{
	return db_run(db, f, "UPDATE outbox SET tries = tries + 1, next_at = ?2, error = ?3 WHERE id = ?1", "tit", id,
		      next_at, error);
}

enum err store_outbox_waiting(struct db *db, int64_t *ret_n, int64_t *ret_since, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*), coalesce(min(made), 0) FROM outbox WHERE state = 'waiting'", ""));
	*ret_n = db_i64(row, 0);
	*ret_since = db_i64(row, 1);
	return OK;
}

enum err store_outbox_purge(struct db *db, int64_t before, struct fault *f)
{
	return db_run(db, f, "DELETE FROM outbox WHERE made < ?1 AND state <> 'waiting'", "i", before);
}
