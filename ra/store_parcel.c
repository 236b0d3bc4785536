/*
 * The table of parcels.
 */
#include "ra/store_parcel.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"

#define PARCEL                                                                                                         \
	"p.request, p.account, p.token, p.state, p.recipient, p.mobile, p.address, p.carrier, p.tracking, p.packed,"   \
	" p.packed_by, p.shipped, p.shipped_by, p.due, p.reminded, p.ended, p.ended_by, p.ended_from, p.note,"         \
	" p.strangers, k.number, a.organisation FROM parcels p JOIN courses k ON k.request = p.request"                \
	" JOIN accounts a ON a.id = p.account"

static void read_parcel(struct db_row *row, struct parcel *ret)
{
	COLUMN(row, 0, ret->request);
	ret->account = db_i64(row, 1);
	COLUMN(row, 2, ret->token);
	COLUMN(row, 3, ret->state);
	COLUMN(row, 4, ret->to.recipient);
	COLUMN(row, 5, ret->to.mobile);
	COLUMN(row, 6, ret->to.address);
	COLUMN(row, 7, ret->carrier);
	COLUMN(row, 8, ret->tracking);
	ret->packed = db_i64(row, 9);
	COLUMN(row, 10, ret->packed_by);
	ret->shipped = db_i64(row, 11);
	COLUMN(row, 12, ret->shipped_by);
	ret->due = db_i64(row, 13);
	ret->reminded = db_i64(row, 14);
	ret->ended = db_i64(row, 15);
	COLUMN(row, 16, ret->ended_by);
	COLUMN(row, 17, ret->ended_from);
	COLUMN(row, 18, ret->note);
	ret->strangers = db_i64(row, 19);
	COLUMN(row, 20, ret->number);
	COLUMN(row, 21, ret->organisation);
}

enum err store_parcel_get(struct db *db, const char *request, struct parcel *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " PARCEL " WHERE p.request = ?1", "t", request));
	read_parcel(row, ret);
	return OK;
}

enum err store_parcel_put(struct db *db, const struct parcel *p, struct fault *f)
{
	return db_run(
		db, f,
		"INSERT INTO parcels (request, account, token, state, recipient, mobile, address, carrier, tracking,"
		" packed, packed_by, shipped, shipped_by, due, reminded, ended, ended_by, ended_from, note)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
		" ON CONFLICT (request) DO UPDATE SET state = ?4, recipient = ?5, mobile = ?6, address = ?7,"
		" carrier = ?8, tracking = ?9, packed = ?10, packed_by = ?11, shipped = ?12, shipped_by = ?13, due = "
		"?14,"
		" reminded = ?15, ended = ?16, ended_by = ?17, ended_from = ?18, note = ?19",
		"tittttttt"
		"itit"
		"iii"
		"ttt",
		p->request, p->account, p->token, p->state, p->to.recipient, p->to.mobile, p->to.address, p->carrier,
		p->tracking, p->packed, p->packed_by, p->shipped, p->shipped_by, p->due, p->reminded, p->ended,
		p->ended_by, p->ended_from, p->note);
}

enum err store_parcel_stranger(struct db *db, const char *request, struct fault *f)
{
	return db_run(db, f, "UPDATE parcels SET strangers = strangers + 1 WHERE request = ?1", "t", request);
}

enum err store_parcel_follow(struct db *db, const char *from, const char *to, struct fault *f)
{
	return db_run(db, f, "UPDATE parcels SET request = ?2 WHERE request = ?1", "tt", from, to);
}

#define FILTER                                                                                                         \
	" WHERE (?1 = 0 OR p.account = ?1) AND (?2 = '' OR p.state = ?2)"                                              \
	" AND (?3 = 0 OR (p.state = 'shipped' AND p.due < ?4)) AND " VIEW_PROJECT(                                     \
		"?5", "(SELECT project FROM requests WHERE id = p.request)")

static enum err count(struct db *db, const struct parcel_filter *q, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM parcels p" FILTER, "itiit", q->account, q->state,
		   (int64_t)q->overdue, q->now, q->view));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_parcels(struct db *db, const struct parcel_filter *q, int64_t limit, int64_t offset, parcel_fn *fn,
		       void *arg, int64_t *ret_total, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(count(db, q, ret_total, f));
	const char *sql = q->account != 0 ? "SELECT " PARCEL FILTER
					    " ORDER BY p.packed DESC, p.request LIMIT ?6 OFFSET ?7"
					  : "SELECT " PARCEL FILTER
					    " ORDER BY p.ended > 0, p.due, p.packed DESC, p.request LIMIT ?6 OFFSET ?7";
	TRY(db_query(db, f, &row, sql, "itiitii", q->account, q->state, (int64_t)q->overdue, q->now, q->view, limit,
		     offset));
	for (;;) {
		struct parcel p = {0};
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		read_parcel(row, &p);
		fn(arg, &p);
	}
}

enum err store_parcels_overdue(struct db *db, int64_t now, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM parcels WHERE state = 'shipped' AND due < ?1", "i", now));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_parcels_to_remind(struct db *db, int64_t now, char (*ret)[REQUEST_ID + 1], size_t max, size_t *ret_n,
				 struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT request FROM parcels WHERE state = 'shipped' AND reminded = 0 AND due < ?1 ORDER BY due"
		     " LIMIT ?2",
		     "ii", now, (int64_t)max));
	for (*ret_n = 0;; (*ret_n)++) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		column_copy(row, 0, ret[*ret_n], REQUEST_ID + 1);
	}
}
