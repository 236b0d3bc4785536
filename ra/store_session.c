/*
 * A session is stored by the hash of its token: who reads the database cannot take one over. One that was made after
 * now is none: the clock has gone back, and nobody knows for how long it would live. One that was ended expires at 0, which
 * no clock brings back; it stays for a day, so that a call which was answered while it lived can be answered again.
 */
#include "ra/store_session.h"

#include "common/base/cleanup.h"

#define ENDED_KEPT_S 86400
#define AHEAD_S 60 /* clocks are set by so much without anybody noticing */

static void read_session(struct db_row *row, int first, struct session *ret)
{
	COLUMN(row, first, ret->id);
	COLUMN(row, first + 1, ret->address);
	COLUMN(row, first + 2, ret->proof);
	ret->uid = db_i64(row, first + 3);
	ret->created = db_i64(row, first + 4);
	ret->used = db_i64(row, first + 5);
	ret->expires = db_i64(row, first + 6);
	ret->must_reset = db_i64(row, first + 7) != 0;
	ret->must_choose = db_i64(row, first + 8) != 0;
}
#define SESSION_COLUMNS "s.id, s.address, s.proof, s.uid, s.created, s.used, s.expires, s.must_reset, s.must_choose"

#define SELECT_SESSION                                                                                                 \
	"SELECT " ACCOUNT_COLUMNS ", " SESSION_COLUMNS " FROM sessions s JOIN accounts a ON a.id = s.account"          \
	" WHERE s.token = ?1"

enum err store_session_find(struct db *db, const uint8_t token[32], int64_t now, struct session *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, SELECT_SESSION " AND s.expires > ?2 AND s.created <= ?3", "bii", slice_of(token, 32),
		   now, now + AHEAD_S));
	store_account_read(row, 0, &ret->account);
	read_session(row, ACCOUNT_N_COLUMNS, ret);
	return OK;
}

enum err store_session_ended(struct db *db, const uint8_t token[32], struct session *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, SELECT_SESSION " AND s.expires = 0", "b", slice_of(token, 32)));
	store_account_read(row, 0, &ret->account);
	read_session(row, ACCOUNT_N_COLUMNS, ret);
	return OK;
}

enum err store_session_add(struct db *db, const uint8_t token[32], const struct session *s, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO sessions (token, id, account, uid, address, must_reset, must_choose, proof, created,"
		      " used, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)",
		      "btiitiitii", slice_of(token, 32), s->id, s->account.id, s->uid, s->address,
		      (int64_t)s->must_reset, (int64_t)s->must_choose, s->proof, s->created, s->expires);
}

enum err store_session_extend(struct db *db, const uint8_t token[32], int64_t now, int64_t expires, struct fault *f)
{
	return db_run(db, f, "UPDATE sessions SET used = ?2, expires = ?3 WHERE token = ?1 AND expires > 0", "bii",
		      slice_of(token, 32), now, expires);
}

enum err store_session_proved(struct db *db, const uint8_t token[32], const char *proof, struct fault *f)
{
	return db_run(db, f, "UPDATE sessions SET proof = ?2 WHERE token = ?1", "bt", slice_of(token, 32), proof);
}

enum err store_session_choose(struct db *db, const uint8_t token[32], int64_t account, struct fault *f)
{
	return db_run(db, f, "UPDATE sessions SET account = ?2, must_choose = 0 WHERE token = ?1", "bi",
		      slice_of(token, 32), account);
}

enum err store_session_full(struct db *db, const uint8_t token[32], struct fault *f)
{
	return db_run(db, f, "UPDATE sessions SET must_reset = 0, must_choose = 0 WHERE token = ?1", "b",
		      slice_of(token, 32));
}

enum err store_session_end(struct db *db, const uint8_t token[32], struct fault *f)
{
	return db_run(db, f, "UPDATE sessions SET expires = 0 WHERE token = ?1", "b", slice_of(token, 32));
}

enum err store_session_end_id(struct db *db, int64_t account, const char *id, bool *ret_found, struct fault *f)
{
	TRY(db_run(db, f, "UPDATE sessions SET expires = 0 WHERE account = ?1 AND id = ?2 AND expires > 0", "it",
		   account, id));
	*ret_found = db_changes(db) > 0;
	return OK;
}

enum err store_sessions_end(struct db *db, int64_t account, const uint8_t *but, struct fault *f)
{
	return db_run(db, f, "UPDATE sessions SET expires = 0 WHERE account = ?1 AND (?2 IS NULL OR token <> ?2)", "ib",
		      account, slice_of(but, but ? 32 : 0));
}

enum err store_sessions_of(struct db *db, int64_t account, int64_t now, void (*fn)(void *arg, const struct session *s),
			   void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT " SESSION_COLUMNS " FROM sessions s WHERE s.account = ?1 AND s.expires > ?2"
		     " ORDER BY s.created DESC, s.id",
		     "ii", account, now));
	for (;;) {
		struct session s = {0};
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		read_session(row, 0, &s);
		fn(arg, &s);
	}
}

enum err store_sessions_purge(struct db *db, int64_t now, struct fault *f)
{
	return db_run(db, f, "DELETE FROM sessions WHERE expires <= ?1 AND (expires > 0 OR used <= ?2)", "ii", now,
		      now - ENDED_KEPT_S);
}
