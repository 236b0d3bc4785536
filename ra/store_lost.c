/*
 * Rows are noted once, by the transaction that goes on with the restored ledger, and stay: they say what must be looked
 * at by people.
 */
#include "ra/store_lost.h"

#include "common/base/cleanup.h"

#include <string.h>

enum err store_lost_note(struct db *db, int64_t restored, int64_t from, int64_t *ret_n, struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT OR IGNORE INTO lost (restored, entry, what, cert)"
		   " SELECT ?1, entry, 'issued', id FROM cert_bodies WHERE entry >= ?2",
		   "ii", restored, from));
	*ret_n = db_changes(db);
	TRY(db_run(db, f,
		   "INSERT OR IGNORE INTO lost (restored, entry, what, cert)"
		   " SELECT ?1, state_entry, 'state', id FROM certs WHERE state_entry >= ?2",
		   "ii", restored, from));
	*ret_n += db_changes(db);
	return OK;
}

enum err store_lost_count(struct db *db, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM lost", ""));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_lost_each(struct db *db, int64_t limit, int64_t offset,
			 void (*fn)(void *arg, const struct lost_row *row), void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(db, f, &row,
		     "SELECT l.restored, l.entry, l.what = 'issued', c.serial, c.state, c.changed, c.not_after, b.name "
		     "FROM lost l"
		     " JOIN certs c ON c.id = l.cert JOIN cert_bodies b ON b.id = l.cert"
		     " ORDER BY l.restored DESC, l.entry, l.what, l.cert LIMIT ?1 OFFSET ?2",
		     "ii", limit, offset));
	TRY(db_next(row, &more, f));
	while (more) {
		struct lost_row r = {.restored = db_i64(row, 0),
				     .entry = db_i64(row, 1),
				     .issued = db_i64(row, 2) != 0,
				     .cert.state = (enum cert_state)db_i64(row, 4),
				     .cert.changed = db_i64(row, 5),
				     .cert.not_after = db_i64(row, 6)};
		struct slice serial = db_blob(row, 3);
		struct serial *to = &r.cert.ref.serial;
		to->n = serial.n <= SERIAL_MAX ? serial.n : SERIAL_MAX;
		memcpy(to->b, serial.p, to->n);
		COLUMN(row, 7, r.name);
		fn(arg, &r);
		TRY(db_next(row, &more, f));
	}
	return OK;
}
