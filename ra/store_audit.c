/*
 * The audit's table. The id is given here and not by SQLite, so that it has no gaps: a row that is missing shows.
 */
#include "ra/store_audit.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

#define COLUMNS "id, at, who, uid, address, what, object, detail, hash"

enum err store_audit_head(struct db *db, struct audit_walk *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	*ret = (struct audit_walk){0};
	TRY(db_query(db, f, &row, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1", ""));
	TRY(db_next(row, &more, f));
	if (!more)
		return OK;
	struct slice hash = db_blob(row, 1);
	ret->id = db_i64(row, 0);
	if (hash.n == 32)
		memcpy(ret->hash, hash.p, 32);
	return OK;
}

enum err store_audit(struct db *db, struct audit_row *row, struct fault *f)
{
	struct audit_walk head;
	TRY(store_audit_head(db, &head, f));
	row->id = head.id + 1;
	audit_row_hash(head.hash, row, row->hash);
	return db_run(db, f, "INSERT INTO audit (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", "iitittttb",
		      row->id, row->at, row->who, row->uid, row->address, row->what, row->object, row->detail,
		      slice_of(row->hash, 32));
}

/* Texts borrow from the database's row. */
static struct audit_row read_row(struct db_row *row)
{
	struct slice hash = db_blob(row, 8);
	struct audit_row r = {.id = db_i64(row, 0),
			      .at = db_i64(row, 1),
			      .who = db_text(row, 2),
			      .uid = db_i64(row, 3),
			      .address = db_text(row, 4),
			      .what = db_text(row, 5),
			      .object = db_text(row, 6),
			      .detail = db_text(row, 7)};
	if (hash.n == 32)
		memcpy(r.hash, hash.p, 32);
	return r;
}

/* *ret_hash: of the first row that has none; *ret_id 0: all have one. */
static enum err unsealed(struct db *db, int64_t *ret_id, uint8_t ret_hash[32], struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL, *before = NULL;
	uint8_t hash[32] = {0};
	bool more = false;
	*ret_id = 0;
	TRY(db_query(db, f, &row, "SELECT " COLUMNS " FROM audit WHERE hash IS NULL ORDER BY id LIMIT 1", ""));
	TRY(db_next(row, &more, f));
	if (!more)
		return OK;
	struct audit_row r = read_row(row);
	TRY(db_query(db, f, &before, "SELECT hash FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT 1", "i", r.id));
	TRY(db_next(before, &more, f));
	if (more && db_blob(before, 0).n == 32)
		memcpy(hash, db_blob(before, 0).p, 32);
	audit_row_hash(hash, &r, ret_hash);
	*ret_id = r.id;
	return OK;
}

static enum err seal_all(struct db *db, struct fault *f)
{
	for (;;) {
		uint8_t hash[32];
		int64_t id = 0;
		TRY(unsealed(db, &id, hash, f));
		if (id == 0)
			return OK;
		TRY(db_run(db, f, "UPDATE audit SET hash = ?2 WHERE id = ?1", "ib", id, slice_of(hash, 32)));
	}
}

enum err store_audit_seal(struct db *db, struct fault *f)
{
	TRY(db_begin(db, f));
	enum err e = seal_all(db, f);
	if (e == OK)
		return db_commit(db, f);
	db_rollback(db);
	return e;
}

static enum err walk(struct db_row *row, audit_row_fn *fn, void *arg, struct fault *f)
{
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		struct audit_row r = read_row(row);
		TRY(fn(arg, &r, f));
	}
}

/* Where a list by time goes on: the time of the row that it is behind. */
static enum err time_of(struct db *db, int64_t id, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	*ret = INT64_MIN;
	TRY(db_query(db, f, &row, "SELECT at FROM audit WHERE id = ?1", "i", id));
	TRY(db_next(row, &more, f));
	if (more)
		*ret = db_i64(row, 0);
	return OK;
}

/* By time, and by row where that is the same: a clock that went back shows, and no row is left out. */
static enum err rows_by_time(struct db *db, const struct audit_filter *filter, struct db_row **ret, struct fault *f)
{
	int64_t at;
	TRY(time_of(db, filter->after, &at, f));
	if (filter->who)
		return db_query(db, f, ret,
				"SELECT " COLUMNS
				" FROM audit INDEXED BY audit_who WHERE who = ?6 AND at >= ?1 AND at < ?2"
				" AND (at, id) > (?3, ?4) ORDER BY at, id LIMIT ?5",
				"iiiiit", filter->since, filter->until, at, filter->after, filter->limit, filter->who);
	return db_query(db, f, ret,
			"SELECT " COLUMNS " FROM audit INDEXED BY audit_at WHERE at >= ?1 AND at < ?2"
			" AND (at, id) > (?3, ?4) ORDER BY at, id LIMIT ?5",
			"iiiii", filter->since, filter->until, at, filter->after, filter->limit);
}

enum err store_audit_rows(struct db *db, const struct audit_filter *filter, audit_row_fn *fn, void *arg,
			  struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	if (filter->object)
		TRY(db_query(db, f, &row,
			     "SELECT " COLUMNS " FROM audit WHERE object = ?1 AND id > ?2 AND at >= ?3 AND at < ?4"
			     " AND (?5 IS NULL OR who = ?5) ORDER BY id LIMIT ?6",
			     "tiiiti", filter->object, filter->after, filter->since, filter->until, filter->who,
			     filter->limit));
	else if (filter->who || filter->since > INT64_MIN || filter->until < INT64_MAX)
		TRY(rows_by_time(db, filter, &row, f));
	else
		TRY(db_query(db, f, &row, "SELECT " COLUMNS " FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2", "ii",
			     filter->after, filter->limit));
	return walk(row, fn, arg, f);
}

enum err store_audit_has(struct db *db, const char *object, const char *what, const char *who, int64_t uid,
			 const char *detail, int64_t since, bool *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT 1 FROM audit WHERE object = ?1 AND what = ?2 AND who = ?3 AND uid = ?4 AND detail = ?5"
		     " AND at >= ?6 LIMIT 1",
		     "tttiti", object, what, who, uid, detail, since));
	return db_next(row, ret, f);
}
