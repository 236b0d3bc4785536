/*
 * Uploads under way, and which of their parts are there.
 */
#include "ra/store_material.h"

#include "common/base/cleanup.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS "id, kind, owner, name, sha256, bytes, account, key, made, dies"

static void read_upload(struct db_row *row, struct upload *ret)
{
	struct slice hash = db_blob(row, 4), key = db_blob(row, 7);
	*ret = (struct upload){.bytes = db_i64(row, 5), .made = db_i64(row, 8), .dies = db_i64(row, 9)};
	COLUMN(row, 0, ret->id);
	COLUMN(row, 1, ret->owner.kind);
	COLUMN(row, 2, ret->owner.id);
	COLUMN(row, 3, ret->name);
	ret->owner.account = db_i64(row, 6);
	if (hash.n == 32)
		memcpy(ret->sha256, hash.p, 32);
	if (key.n == MATERIAL_KEY)
		memcpy(ret->key, key.p, MATERIAL_KEY);
}

enum err store_upload_add(struct db *db, const struct upload *u, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO uploads (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, 0), ?8, ?9, ?10)",
		      "ttttbiibii", u->id, u->owner.kind, u->owner.id, u->name, slice_of(u->sha256, 32), u->bytes,
		      u->owner.account, slice_of(u->key, MATERIAL_KEY), u->made, u->dies);
}

enum err store_upload_get(struct db *db, const char *id, struct upload *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " COLUMNS " FROM uploads WHERE id = ?1", "t", id));
	read_upload(row, ret);
	return OK;
}

enum err store_upload_find(struct db *db, const struct material_owner *o, const char *name, const uint8_t hash[32],
			   struct upload *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT " COLUMNS " FROM uploads WHERE kind = ?1 AND owner = ?2 AND name = ?3 AND sha256 = ?4",
		   "tttb", o->kind, o->id, name, slice_of(hash, 32)));
	read_upload(row, ret);
	return OK;
}

enum err store_upload_dies(struct db *db, const char *id, int64_t dies, struct fault *f)
{
	return db_run(db, f, "UPDATE uploads SET dies = ?2 WHERE id = ?1", "ti", id, dies);
}

enum err store_upload_drop(struct db *db, const char *id, struct fault *f)
{
	return db_run(db, f, "DELETE FROM uploads WHERE id = ?1", "t", id);
}

enum err store_uploads_dead(struct db *db, int64_t now, char (*ret)[MATERIAL_FILE + 1], size_t max, size_t *ret_n,
			    struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	size_t n = 0;
	TRY(db_query(db, f, &row, "SELECT id FROM uploads WHERE dies <= ?1 ORDER BY dies LIMIT ?2", "ii", now,
		     (int64_t)max));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			break;
		COLUMN(row, 0, ret[n]);
		n++;
	}
	*ret_n = n;
	return OK;
}

enum err store_upload_quota(struct db *db, const struct material_owner *o, int64_t *ret_open, int64_t *ret_bytes,
			    struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	if (o->account != 0)
		TRY(db_one(db, f, &row,
			   "SELECT count(*), coalesce(sum(bytes), 0) + (SELECT coalesce(sum(bytes), 0) FROM materials"
			   " WHERE account = ?1 AND closed IS NULL) FROM uploads WHERE account = ?1",
			   "i", o->account));
	else
		TRY(db_one(db, f, &row,
			   "SELECT count(*), coalesce(sum(bytes), 0) + (SELECT coalesce(sum(bytes), 0) FROM materials"
			   " WHERE kind = ?1 AND owner = ?2) FROM uploads WHERE kind = ?1 AND owner = ?2",
			   "tt", o->kind, o->id));
	*ret_open = db_i64(row, 0);
	*ret_bytes = db_i64(row, 1);
	return OK;
}

/* --- parts --- */

enum err store_part_add(struct db *db, const char *upload, const struct upload_part *p, bool *ret_new, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_run(db, f, "INSERT INTO upload_parts (upload, part, sha256) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
		   "tib", upload, p->part, slice_of(p->sha256, 32)));
	*ret_new = db_changes(db) > 0;
	TRY(db_one(db, f, &row, "SELECT sha256 FROM upload_parts WHERE upload = ?1 AND part = ?2", "ti", upload,
		   p->part));
	if (slice_eq(db_blob(row, 0), slice_of(p->sha256, 32)))
		return OK;
	return fault_raise(f, ERR_CONFLICT, "part_differs", "params.content",
			   "part %" PRId64 " is there already, with other bytes; wanted the same", p->part);
}

enum err store_parts(struct db *db, const char *upload, struct upload_part *ret, size_t max, size_t *ret_n,
		     struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	size_t n = 0;
	TRY(db_query(db, f, &row, "SELECT part, sha256 FROM upload_parts WHERE upload = ?1 ORDER BY part LIMIT ?2",
		     "ti", upload, (int64_t)max));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			break;
		ret[n].part = db_i64(row, 0);
		if (db_blob(row, 1).n == 32)
			memcpy(ret[n].sha256, db_blob(row, 1).p, 32);
		n++;
	}
	*ret_n = n;
	return OK;
}
