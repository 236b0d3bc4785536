/*
 * Accounts, log-in attempts and sessions. A session is stored by the hash of its token: who reads the database cannot
 * take one over.
 */
#include "ra/store_account.h"

#include "common/base/cleanup.h"

static void read_account(struct db_row *row, int first, struct account *ret)
{
	ret->id = db_i64(row, first);
	COLUMN(row, first + 1, ret->identifier);
	COLUMN(row, first + 2, ret->organisation);
	COLUMN(row, first + 3, ret->agent);
	COLUMN(row, first + 4, ret->mobile);
	COLUMN(row, first + 5, ret->flags);
	COLUMN(row, first + 6, ret->password);
	ret->initial = db_i64(row, first + 7) != 0;
}

enum err store_account_by_name(struct db *db, const char *identifier, struct account *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT id, identifier, organisation, agent, mobile, flags, password, initial FROM accounts"
		   " WHERE identifier = ?1",
		   "t", identifier));
	read_account(row, 0, ret);
	return OK;
}

enum err store_account_get(struct db *db, int64_t id, struct account *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT id, identifier, organisation, agent, mobile, flags, password, initial FROM accounts"
		   " WHERE id = ?1",
		   "i", id));
	read_account(row, 0, ret);
	return OK;
}

enum err store_account_add(struct db *db, const struct account *a, int64_t now, int64_t *ret_id, struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT INTO accounts (identifier, organisation, agent, mobile, flags, password, initial, created,"
		   " updated) VALUES (?1, ?2, ?3, ?4, ?5, NULL, 1, ?6, ?6)",
		   "ttttti", a->identifier, a->organisation, a->agent, a->mobile, a->flags, now));
	*ret_id = db_last_id(db);
	return OK;
}

enum err store_account_set(struct db *db, const struct account *a, int64_t now, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE accounts SET organisation = ?2, agent = ?3, mobile = ?4, flags = ?5, updated = ?6"
		      " WHERE id = ?1",
		      "itttti", a->id, a->organisation, a->agent, a->mobile, a->flags, now);
}

enum err store_account_password(struct db *db, int64_t id, const char *hash, bool initial, int64_t now, struct fault *f)
{
	return db_run(db, f, "UPDATE accounts SET password = ?2, initial = ?3, updated = ?4 WHERE id = ?1", "itii", id,
		      hash, (int64_t)initial, now);
}

/* --- attempts --- */

enum err store_attempts(struct db *db, const char *identifier, struct attempts *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	*ret = (struct attempts){0};
	TRY(db_query(db, f, &row, "SELECT failures, locks, locked_until FROM logins WHERE identifier = ?1", "t",
		     identifier));
	TRY(db_next(row, &more, f));
	if (more)
		*ret = (struct attempts){db_i64(row, 0), db_i64(row, 1), db_i64(row, 2)};
	return OK;
}

enum err store_attempts_set(struct db *db, const char *identifier, const struct attempts *a, int64_t now,
			    struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO logins (identifier, failures, locks, locked_until, last) VALUES (?1, ?2, ?3, ?4, ?5)"
		      " ON CONFLICT (identifier) DO UPDATE SET failures = ?2, locks = ?3, locked_until = ?4, last = ?5",
		      "tiiii", identifier, a->failures, a->locks, a->locked_until, now);
}

enum err store_attempts_clear(struct db *db, const char *identifier, struct fault *f)
{
	return db_run(db, f, "DELETE FROM logins WHERE identifier = ?1", "t", identifier);
}

enum err store_attempts_purge(struct db *db, int64_t before, int64_t now, int64_t keep, struct fault *f)
{
	TRY(db_run(db, f, "DELETE FROM logins WHERE last < ?1 AND locked_until <= ?2", "ii", before, now));
	return db_run(db, f,
		      "DELETE FROM logins WHERE identifier IN (SELECT identifier FROM logins ORDER BY last DESC"
		      " LIMIT -1 OFFSET ?1)",
		      "i", keep);
}

/* --- sessions --- */

enum err store_session_find(struct db *db, const uint8_t token[32], int64_t now, struct session *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT a.id, a.identifier, a.organisation, a.agent, a.mobile, a.flags, a.password, a.initial,"
		   " s.uid, s.must_reset, s.expires FROM sessions s JOIN accounts a ON a.id = s.account"
		   " WHERE s.token = ?1 AND s.expires > ?2",
		   "bi", slice_of(token, 32), now));
	read_account(row, 0, &ret->account);
	ret->uid = db_i64(row, 8);
	ret->must_reset = db_i64(row, 9) != 0;
	ret->expires = db_i64(row, 10);
	return OK;
}

enum err store_session_add(struct db *db, const uint8_t token[32], int64_t account, int64_t uid, bool must_reset,
			   int64_t now, int64_t expires, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO sessions (token, account, uid, must_reset, created, expires)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		      "biiiii", slice_of(token, 32), account, uid, (int64_t)must_reset, now, expires);
}

enum err store_session_extend(struct db *db, const uint8_t token[32], int64_t expires, struct fault *f)
{
	return db_run(db, f, "UPDATE sessions SET expires = ?2 WHERE token = ?1", "bi", slice_of(token, 32), expires);
}

enum err store_session_end(struct db *db, const uint8_t token[32], struct fault *f)
{
	return db_run(db, f, "DELETE FROM sessions WHERE token = ?1", "b", slice_of(token, 32));
}

enum err store_session_reset(struct db *db, const uint8_t token[32], int64_t account, struct fault *f)
{
	TRY(db_run(db, f, "DELETE FROM sessions WHERE account = ?1 AND token <> ?2", "ib", account,
		   slice_of(token, 32)));
	return db_run(db, f, "UPDATE sessions SET must_reset = 0 WHERE token = ?1", "b", slice_of(token, 32));
}

enum err store_sessions_purge(struct db *db, int64_t now, struct fault *f)
{
	return db_run(db, f, "DELETE FROM sessions WHERE expires <= ?1", "i", now);
}
