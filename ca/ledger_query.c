/*
 * Reading entries, and what all readers of the ledger's tables share.
 */
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"

int64_t hash_64(const uint8_t hash[32])
{
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | hash[i];
	return (int64_t)v;
}

enum err ledger_entry(struct db *db, uint64_t index, struct buf *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT body FROM entries WHERE idx = ?1", "i", (int64_t)index));
	buf_add_slice(ret, db_blob(row, 0));
	return OK;
}

enum err ledger_entries(struct db *db, uint64_t from, uint32_t max, size_t max_bytes, ledger_each *fn, void *arg,
			struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	size_t bytes = 0;
	if (from > INT64_MAX)
		return OK;
	TRY(db_query(db, f, &row, "SELECT body FROM entries WHERE idx >= ?1 ORDER BY idx LIMIT ?2", "ii", (int64_t)from,
		     (int64_t)max));
	TRY(db_next(row, &more, f));
	while (more) {
		struct slice body = db_blob(row, 0);
		if (bytes > 0 && bytes + body.n > max_bytes)
			break;
		bytes += body.n;
		fn(arg, body);
		TRY(db_next(row, &more, f));
	}
	return OK;
}

enum err ledger_count(struct db *db, enum wire_type type, uint64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(db, f, &row, "SELECT n FROM type_count WHERE type = ?1", "i", (int64_t)type));
	TRY(db_next(row, &more, f));
	*ret = more ? (uint64_t)db_i64(row, 0) : 0;
	return OK;
}

enum err ledger_last_beat(struct db *db, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(db, f, &row, "SELECT last_at FROM type_count WHERE type = ?1", "i", (int64_t)WIRE_TYPE_E_BEAT));
	TRY(db_next(row, &more, f));
	*ret = more ? db_i64(row, 0) : 0;
	return OK;
}
