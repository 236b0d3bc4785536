/*
 * Accounts and log-in attempts. Next: store_session.c.
 */
#include "ra/store_account.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"

#include <assert.h>

void store_account_read(struct db_row *row, int first, struct account *ret)
{
	ret->id = db_i64(row, first);
	COLUMN(row, first + 1, ret->identifier);
	COLUMN(row, first + 2, ret->organisation);
	COLUMN(row, first + 3, ret->agent);
	COLUMN(row, first + 4, ret->mobile);
	COLUMN(row, first + 5, ret->flags);
	COLUMN(row, first + 6, ret->password);
	ret->initial = db_i64(row, first + 7) != 0;
	COLUMN(row, first + 8, ret->login_mobile);
	ret->frozen = db_i64(row, first + 9) != 0;
}

enum err store_account_by_name(struct db *db, const char *identifier, struct account *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " ACCOUNT_COLUMNS " FROM accounts a WHERE a.identifier = ?1", "t", identifier));
	store_account_read(row, 0, ret);
	return OK;
}

enum err store_account_get(struct db *db, int64_t id, struct account *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " ACCOUNT_COLUMNS " FROM accounts a WHERE a.id = ?1", "i", id));
	store_account_read(row, 0, ret);
	return OK;
}

enum err store_accounts_by_mobile(struct db *db, const char *mobile, struct account *ret, size_t max, size_t *ret_n,
				  struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	*ret_n = 0;
	if (mobile[0] == '\0')
		return OK;
	TRY(db_query(db, f, &row,
		     "SELECT " ACCOUNT_COLUMNS " FROM accounts a WHERE a.login_mobile = ?1 AND a.login_mobile <> ''"
		     " ORDER BY a.id LIMIT ?2",
		     "ti", mobile, (int64_t)max));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		assert(*ret_n < max);
		store_account_read(row, 0, &ret[(*ret_n)++]);
	}
}

enum err store_account_add(struct db *db, const struct account *a, int64_t now, int64_t *ret_id, struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT INTO accounts (identifier, organisation, agent, mobile, flags, password, initial, created,"
		   " updated) VALUES (?1, ?2, ?3, ?4, ?5, NULL, 1, ?6, ?6)",
		   "ttttti", a->identifier, a->organisation, a->agent, a->mobile, a->flags, now));
	*ret_id = db_last_id(db);
	return db_run(db, f, "INSERT INTO account_names (rowid, organisation) VALUES (?1, ?2)", "it", *ret_id,
		      a->organisation);
}

/* The index of names is told what stood there, else it keeps finding it. */
static enum err rename_account(struct db *db, const struct account *a, struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT INTO account_names (account_names, rowid, organisation)"
		   " SELECT 'delete', id, organisation FROM accounts WHERE id = ?1",
		   "i", a->id));
	return db_run(db, f, "INSERT INTO account_names (rowid, organisation) VALUES (?1, ?2)", "it", a->id,
		      a->organisation);
}

enum err store_account_set(struct db *db, const struct account *a, int64_t now, struct fault *f)
{
	TRY(rename_account(db, a, f));
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

enum err store_mobile_password(struct db *db, const char *mobile, const char *hash, int64_t now, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE accounts SET password = ?2, initial = 0, updated = ?3"
		      " WHERE login_mobile = ?1 AND login_mobile <> ''",
		      "tti", mobile, hash, now);
}

enum err store_account_bind(struct db *db, int64_t id, const char *agent, const char *mobile, int64_t now,
			    struct fault *f)
{
	return db_run(db, f, "UPDATE accounts SET agent = ?2, login_mobile = ?3, updated = ?4 WHERE id = ?1", "itti",
		      id, agent, mobile, now);
}

enum err store_account_unbind(struct db *db, int64_t id, const char *agent, const char *mobile, int64_t now,
			      struct fault *f)
{
	return db_run(db, f,
		      "UPDATE accounts SET agent = ?2, login_mobile = ?3, password = NULL, initial = 1, updated = ?4"
		      " WHERE id = ?1",
		      "itti", id, agent, mobile, now);
}

enum err store_account_frozen(struct db *db, int64_t id, bool frozen, int64_t now, struct fault *f)
{
	return db_run(db, f, "UPDATE accounts SET frozen = ?2, updated = ?3 WHERE id = ?1", "iii", id, (int64_t)frozen,
		      now);
}

enum err store_account_projects(struct db *db, int64_t id, void (*fn)(void *arg, const char *project), void *arg,
				struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT project FROM account_projects WHERE account = ?1 AND project <> '" VIEW_EVERYBODYS
		     "' ORDER BY project",
		     "i", id));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		fn(arg, db_text(row, 0));
	}
}

enum err store_account_seen(struct db *db, int64_t id, const char *view, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	return db_one(db, f, &row, "SELECT 1 FROM accounts a WHERE a.id = ?1 AND " VIEW_ACCOUNT("?2", "a.id"), "it", id,
		      view);
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
