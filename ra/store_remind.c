/*
 * One index, walked from where it was left: what has an end far away is never looked at.
 */
#include "ra/store_remind.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

enum err store_endings(struct db *db, struct end_mark after, int64_t until, struct ending *ret, size_t max,
		       size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	*ret_n = 0;
	TRY(db_query(db, f, &row,
		     "SELECT c.id, coalesce(c.account, 0), c.not_after, c.serial, coalesce(b.name, '') FROM certs c"
		     " LEFT JOIN cert_bodies b ON b.id = c.id WHERE c.successor IS NULL AND c.state < 2"
		     " AND (c.not_after, c.id) > (?1, ?2) AND c.not_after <= ?3 ORDER BY c.not_after, c.id LIMIT ?4",
		     "iiii", after.at, after.id, until, (int64_t)max));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		struct ending *e = &ret[(*ret_n)++];
		struct slice serial = db_blob(row, 3);
		assert(serial.n <= SERIAL_MAX);
		*e = (struct ending){.id = db_i64(row, 0), .account = db_i64(row, 1), .not_after = db_i64(row, 2)};
		memcpy(e->serial.b, serial.p, serial.n);
		e->serial.n = serial.n;
		COLUMN(row, 4, e->name);
	}
}

enum err store_reminder_add(struct db *db, const struct ending *e, int64_t days, int64_t now, bool *ret_new,
			    struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT INTO reminders (not_after, cert, days, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
		   "iiii", e->not_after, e->id, days, now));
	*ret_new = db_changes(db) > 0;
	return OK;
}

enum err store_reminders_purge(struct db *db, int64_t before, struct fault *f)
{
	return db_run(db, f, "DELETE FROM reminders WHERE not_after < ?1", "i", before);
}
