/*
 * Materials by owner, and when they may go. Next: store_upload.c.
 */
#include "ra/store_material.h"

#include "common/base/cleanup.h"

#include <string.h>

#define COLUMNS "name, sha256, bytes, type, file, key, deleted, damaged"
#define N_COLUMNS 8

static void read_material(struct db_row *row, struct material *ret)
{
	struct slice hash = db_blob(row, 1), key = db_blob(row, 5);
	*ret = (struct material){0};
	COLUMN(row, 0, ret->name);
	if (hash.n == 32)
		memcpy(ret->sha256, hash.p, 32);
	ret->bytes = db_i64(row, 2);
	COLUMN(row, 3, ret->type);
	COLUMN(row, 4, ret->file);
	ret->sealed = key.n == MATERIAL_KEY;
	if (ret->sealed)
		memcpy(ret->key, key.p, MATERIAL_KEY);
	ret->deleted = db_i64(row, 6);
	ret->damaged = db_i64(row, 7);
}

enum err store_material_add(struct db *db, const struct material_owner *o, const struct material *m, int64_t now,
			    bool *ret_new, struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT INTO materials (kind, owner, name, sha256, bytes, type, at, account, file, key)"
		   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, 0), ?9, ?10)"
		   " ON CONFLICT (kind, owner, name, sha256) DO NOTHING",
		   "tttbitiitb", o->kind, o->id, m->name, slice_of(m->sha256, 32), m->bytes, m->type, now, o->account,
		   m->file, m->sealed ? slice_of(m->key, MATERIAL_KEY) : (struct slice){0}));
	*ret_new = db_changes(db) > 0;
	return OK;
}

enum err store_material_get(struct db *db, const struct material_owner *o, const char *name, const uint8_t hash[32],
			    struct material *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT " COLUMNS " FROM materials WHERE kind = ?1 AND owner = ?2 AND name = ?3 AND sha256 = ?4",
		   "tttb", o->kind, o->id, name, slice_of(hash, 32)));
	read_material(row, ret);
	return OK;
}

enum err store_materials_of(struct db *db, const struct material_owner *o, struct material *ret, size_t max,
			    size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	size_t n = 0;
	TRY(db_query(db, f, &row,
		     "SELECT " COLUMNS " FROM materials WHERE kind = ?1 AND owner = ?2 ORDER BY name, sha256 LIMIT ?3",
		     "tti", o->kind, o->id, (int64_t)max));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			break;
		read_material(row, &ret[n++]);
	}
	*ret_n = n;
	return OK;
}

enum err store_materials(struct db *db, const char *request, struct material *ret, size_t max, size_t *ret_n,
			 struct fault *f)
{
	struct material_owner o = {.kind = "request"};
	snprintf(o.id, sizeof(o.id), "%s", request);
	return store_materials_of(db, &o, ret, max, ret_n, f);
}

enum err store_material_drop(struct db *db, const struct material_owner *o, const struct material *m, struct fault *f)
{
	return db_run(db, f, "DELETE FROM materials WHERE kind = ?1 AND owner = ?2 AND name = ?3 AND sha256 = ?4",
		      "tttb", o->kind, o->id, m->name, slice_of(m->sha256, 32));
}

enum err store_material_damaged(struct db *db, const struct material_owner *o, const struct material *m, int64_t at,
				struct fault *f)
{
	return db_run(db, f,
		      "UPDATE materials SET damaged = nullif(?5, 0)"
		      " WHERE kind = ?1 AND owner = ?2 AND name = ?3 AND sha256 = ?4",
		      "tttbi", o->kind, o->id, m->name, slice_of(m->sha256, 32), at);
}

enum err store_materials_damaged(struct db *db, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM materials WHERE damaged IS NOT NULL", ""));
	*ret = db_i64(row, 0);
	return OK;
}

/* --- retention --- */

enum err store_materials_closed(struct db *db, const struct material_owner *o, int64_t at, bool certified,
				struct fault *f)
{
	return db_run(db, f, "UPDATE materials SET closed = ?3, certified = ?4 WHERE kind = ?1 AND owner = ?2", "ttii",
		      o->kind, o->id, at, (int64_t)certified);
}

/* A certificate that is revoked ends earlier than its not_after; keeping longer than that is the safe side. */
#define ENDED "(SELECT request FROM material_closings ORDER BY request LIMIT 5000)"

enum err store_materials_close_requests(struct db *db, struct fault *f)
{
	TRY(db_run(db, f,
		   "UPDATE materials SET certified = 1, closed ="
		   " (SELECT c.not_after FROM requests r JOIN certs c ON c.id = r.result WHERE r.id = materials.owner)"
		   " WHERE kind = 'request' AND owner IN " ENDED " AND (closed IS NULL OR certified = 0) AND EXISTS"
		   " (SELECT 1 FROM requests r WHERE r.id = materials.owner AND r.state = 'issued'"
		   " AND r.result IS NOT NULL)",
		   ""));
	/* Carried over into a request that follows another. */
	TRY(db_run(db, f,
		   "UPDATE materials SET closed = NULL WHERE kind = 'request' AND owner IN " ENDED
		   " AND closed IS NOT NULL AND EXISTS (SELECT 1 FROM requests r WHERE r.id = materials.owner"
		   " AND r.state NOT IN ('issued', 'refused', 'withdrawn', 'expired'))",
		   ""));
	TRY(db_run(db, f,
		   "UPDATE materials SET closed = (SELECT max(at) FROM history h WHERE h.request = materials.owner)"
		   " WHERE kind = 'request' AND owner IN " ENDED " AND closed IS NULL AND EXISTS"
		   " (SELECT 1 FROM requests r WHERE r.id = materials.owner AND (r.state IN ('refused', 'withdrawn',"
		   " 'expired', 'corrected', 'done', 'delivered', 'no_copy', 'waived')"
		   " OR (r.state = 'issued' AND r.result IS NULL)))",
		   ""));
	return db_run(db, f, "DELETE FROM material_closings WHERE request IN " ENDED, "");
}

static void read_due(struct db_row *row, struct material_due *ret)
{
	read_material(row, &ret->material);
	ret->owner = (struct material_owner){.account = db_i64(row, N_COLUMNS + 2)};
	COLUMN(row, N_COLUMNS, ret->owner.kind);
	COLUMN(row, N_COLUMNS + 1, ret->owner.id);
}

enum err store_materials_due(struct db *db, int64_t certified, int64_t others, struct material_due *ret, size_t max,
			     size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	size_t n = 0;
	TRY(db_query(db, f, &row,
		     "SELECT " COLUMNS ", kind, owner, account FROM materials WHERE deleted IS NULL"
		     " AND closed <= max(?1, ?2) AND closed <= CASE certified WHEN 0 THEN ?2 ELSE ?1 END ORDER BY "
		     "closed LIMIT ?3",
		     "iii", certified, others, (int64_t)max));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			break;
		read_due(row, &ret[n++]);
	}
	*ret_n = n;
	return OK;
}

enum err store_material_deleted(struct db *db, const struct material_due *due, int64_t now, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE materials SET deleted = ?5, key = NULL, file = '', damaged = NULL"
		      " WHERE kind = ?1 AND owner = ?2 AND name = ?3 AND sha256 = ?4",
		      "tttbi", due->owner.kind, due->owner.id, due->material.name, slice_of(due->material.sha256, 32),
		      now);
}

/* --- files --- */

enum err store_material_file(struct db *db, const char *file, bool *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	uint8_t hash[32] = {0};
	size_t n = strlen(file);
	bool plain = n == 64 && hex_decode(file, n, hash, 32);
	if (plain)
		TRY(db_query(db, f, &row,
			     "SELECT 1 FROM materials WHERE sha256 = ?1 AND key IS NULL AND deleted IS NULL LIMIT 1",
			     "b", slice_of(hash, 32)));
	else
		TRY(db_query(db, f, &row, "SELECT 1 FROM materials WHERE file = ?1 AND file <> '' LIMIT 1", "t", file));
	return db_next(row, ret, f);
}

enum err store_material_plain(struct db *db, struct material_due *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT " COLUMNS ", kind, owner, account FROM materials"
		   " WHERE key IS NULL AND deleted IS NULL AND damaged IS NULL LIMIT 1",
		   ""));
	read_due(row, ret);
	return OK;
}

enum err store_material_sealed(struct db *db, const struct material_due *m, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE materials SET file = ?5, key = ?6"
		      " WHERE kind = ?1 AND owner = ?2 AND name = ?3 AND sha256 = ?4",
		      "tttbtb", m->owner.kind, m->owner.id, m->material.name, slice_of(m->material.sha256, 32),
		      m->material.file, slice_of(m->material.key, MATERIAL_KEY));
}

enum err store_material_keys(struct db *db, bool *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT 1 FROM materials WHERE file <> '' AND key IS NOT NULL UNION ALL SELECT 1 FROM"
		     " uploads WHERE id > '' LIMIT 1",
		     ""));
	return db_next(row, ret, f);
}
