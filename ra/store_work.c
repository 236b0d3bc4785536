/*
 * One row beside a request. What is over needs no row of its own: the request's state says it.
 */
#include "ra/store_work.h"

#include "common/base/cleanup.h"

void work_done(struct work *w)
{
	buf_done(&w->pin);
	*w = (struct work){0};
}

enum err store_delivery_put(struct db *db, const struct request *r, struct fault *f)
{
	const struct delivery *d = &r->delivery;
	if (d->recipient[0] == '\0')
		return db_run(db, f, "DELETE FROM works WHERE request = ?1", "t", r->id);
	return db_run(db, f,
		      "INSERT INTO works (request, recipient, mobile, address) VALUES (?1, ?2, ?3, ?4)"
		      " ON CONFLICT (request) DO UPDATE SET recipient = ?2, mobile = ?3, address = ?4",
		      "tttt", r->id, d->recipient, d->mobile, d->address);
}

enum err store_work_get(struct db *db, const char *request, struct work *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT token, maker, pin FROM works WHERE request = ?1", "t", request));
	COLUMN(row, 0, ret->token);
	COLUMN(row, 1, ret->maker);
	buf_clear(&ret->pin);
	buf_add_slice(&ret->pin, db_blob(row, 2));
	return OK;
}

enum err store_work_set(struct db *db, const char *request, const struct work *w, struct fault *f)
{
	struct slice pin = w->pin.len > 0 ? buf_slice(&w->pin) : slice_of(NULL, 0);
	return db_run(db, f, "UPDATE works SET token = ?2, maker = ?3, pin = ?4 WHERE request = ?1", "tttb", request,
		      w->token, w->maker, pin);
}

enum err store_work_with_token(struct db *db, const char *token, const char *request, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT count(*) FROM works w JOIN requests r ON r.id = w.request WHERE w.token = ?1 AND w.token <> ''"
		   " AND w.request <> ?2 AND r.state IN ('keyed', 'awaiting_officers', 'to_ship', 'in_post', 'lapsed',"
		   " 'approved', 'sent')",
		   "tt", token, request));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_requests_under_way(struct db *db, int64_t cert, const char *kind, const char *request, int64_t *ret,
				  struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(
		db, f, &row,
		"SELECT count(*) FROM requests INDEXED BY requests_cert WHERE cert = ?1 AND kind = ?2 AND id <> ?3 AND"
		" state IN"
		" ('awaiting_officers', 'to_correct', 'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed', 'approved',"
		" 'sent')",
		"itt", cert, kind, request));
	*ret = db_i64(row, 0);
	return OK;
}
