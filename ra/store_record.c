/*
 * Small tables beside the requests.
 */
#include "ra/store_record.h"

#include "common/base/cleanup.h"

enum err store_representative(struct db *db, int64_t account, char ret[REPRESENTATIVE_MAX + 1], struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT coalesce((SELECT representative FROM account_records WHERE account = ?1), '')",
		   "i", account));
	column_copy(row, 0, ret, REPRESENTATIVE_MAX + 1);
	return OK;
}

enum err store_representative_set(struct db *db, int64_t account, const char *name, int64_t at, const char *request,
				  struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO account_records (account, representative, at, request) VALUES (?1, ?2, ?3, ?4)"
		      " ON CONFLICT (account) DO UPDATE SET representative = ?2, at = ?3, request = ?4",
		      "itit", account, name, at, request);
}

enum err store_recovery(struct db *db, int64_t cert, char number[COURSE_NUMBER_MAX + 1], char state[20],
			struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT k.number, r.state FROM requests r JOIN courses k ON k.request = r.id WHERE r.cert = ?1"
		   " AND r.kind = 'recover' AND r.state <> 'withdrawn'"
		   /* of two in one second the one that waits is the later: there is one at most */
		   " ORDER BY r.made DESC, r.state IN ('opened', 'at_key_centre') DESC, r.id LIMIT 1",
		   "i", cert));
	column_copy(row, 0, number, COURSE_NUMBER_MAX + 1);
	column_copy(row, 1, state, 20);
	return OK;
}
