/*
 * The queue to the signer. A row stays until the signer's answer, or the ledger, says what became of it.
 */
#include "ra/store_request.h"

#include "common/base/cleanup.h"

void handover_done(struct handover *h)
{
	buf_done(&h->note);
	buf_done(&h->csr);
	*h = (struct handover){0};
}

enum err store_handover_add(struct db *db, const char *request, const char *what, bool sent, struct slice note,
			    struct slice csr, int64_t now, int64_t *ret_id, struct fault *f)
{
	int64_t before = db_total_changes(db);
	TRY(db_run(db, f,
		   "INSERT INTO handover (request, what, note, csr, state, tries, next_at, error)"
		   " VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, '') ON CONFLICT (request, what) DO NOTHING",
		   "ttbbti", request, what, note, csr.n > 0 ? csr : slice_of(NULL, 0), sent ? "sent" : "queued", now));
	*ret_id = db_total_changes(db) > before ? db_last_id(db) : 0;
	return OK;
}

enum err store_handover_due(struct db *db, int64_t now, int64_t *ret, size_t max, size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	size_t n = 0;
	TRY(db_query(db, f, &row,
		     "SELECT id FROM handover h WHERE state <> 'done' AND next_at <= ?1 AND NOT EXISTS"
		     " (SELECT 1 FROM handover o WHERE o.request = h.request AND o.id < h.id AND o.state = 'sent')"
		     " ORDER BY next_at, id LIMIT ?2",
		     "ii", now, (int64_t)max));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			break;
		ret[n++] = db_i64(row, 0);
	}
	*ret_n = n;
	return OK;
}

enum err store_handover_get(struct db *db, int64_t id, struct handover *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT id, request, what, state, note, csr, tries FROM handover WHERE id = ?1", "i",
		   id));
	ret->id = db_i64(row, 0);
	COLUMN(row, 1, ret->request);
	COLUMN(row, 2, ret->what);
	COLUMN(row, 3, ret->state);
	buf_add_slice(&ret->note, db_blob(row, 4));
	buf_add_slice(&ret->csr, db_blob(row, 5));
	ret->tries = db_i64(row, 6);
	return OK;
}

enum err store_handover_sent(struct db *db, int64_t id, struct fault *f)
{
	return db_run(db, f, "UPDATE handover SET state = 'sent' WHERE id = ?1", "i", id);
}

enum err store_handover_retry(struct db *db, int64_t id, int64_t next_at, const char *error, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE handover SET tries = tries + 1, next_at = ?2, error = ?3 WHERE id = ?1 AND state <> "
		      "'done'",
		      "iit", id, next_at, error);
}

enum err store_handover_hurry(struct db *db, struct fault *f)
{
	return db_run(db, f, "UPDATE handover SET next_at = 0 WHERE state <> 'done' AND tries > 0", "");
}

enum err store_handover_done(struct db *db, int64_t id, const char *error, struct fault *f)
{
	return db_run(db, f, "UPDATE handover SET state = 'done', error = ?2 WHERE id = ?1", "it", id, error);
}

enum err store_handover_settled(struct db *db, const char *request, const char *what, struct fault *f)
{
	return db_run(db, f, "UPDATE handover SET state = 'done' WHERE request = ?1 AND what = ?2", "tt", request,
		      what);
}

enum err store_handover_note(struct db *db, const char *request, const char *what, struct buf *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	TRY(db_query(db, f, &row, "SELECT note FROM handover WHERE request = ?1 AND what = ?2", "tt", request, what));
	TRY(db_next(row, &more, f));
	if (more)
		buf_add_slice(ret, db_blob(row, 0));
	return OK;
}

enum err store_handover_next(struct db *db, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT min(next_at) FROM handover WHERE state <> 'done'", ""));
	*ret = db_is_null(row, 0) ? INT64_MAX : db_i64(row, 0);
	return OK;
}

enum err store_handover_count(struct db *db, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM handover WHERE state <> 'done'", ""));
	*ret = db_i64(row, 0);
	return OK;
}
