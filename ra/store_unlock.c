/*
 * One row an unlock; its states are its request's.
 */
#include "ra/store_unlock.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

void unlock_done(struct unlock *u)
{
	buf_done(&u->sealed);
}

enum err store_unlock_add(struct db *db, const struct unlock *u, struct fault *f)
{
	return db_run(db, f, "INSERT INTO unlocks (request, token, client_key) VALUES (?1, ?2, ?3)", "tib", u->request,
		      u->token, slice_of(u->key, PUK_KEY));
}

enum err store_unlock_get(struct db *db, const char *request, struct unlock *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT request, token, client_key, sealed FROM unlocks WHERE request = ?1", "t",
		   request));
	struct slice key = db_blob(row, 2);
	COLUMN(row, 0, ret->request);
	ret->token = db_i64(row, 1);
	assert(key.n == PUK_KEY);
	memcpy(ret->key, key.p, PUK_KEY);
	buf_add_slice(&ret->sealed, db_blob(row, 3));
	return OK;
}

enum err store_unlock_sealed(struct db *db, const char *request, struct slice sealed, struct fault *f)
{
	return db_run(db, f, "UPDATE unlocks SET sealed = ?2 WHERE request = ?1", "tb", request, sealed);
}

enum err store_unlock_open(struct db *db, int64_t token, char ret[COURSE_NUMBER_MAX + 1], struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(
		db, f, &row,
		"SELECT k.number FROM unlocks u JOIN requests r ON r.id = u.request JOIN courses k ON k.request = r.id"
		" WHERE u.token = ?1 AND r.state IN ('opened', 'sealed', 'released') LIMIT 1",
		"i", token));
	column_copy(row, 0, ret, COURSE_NUMBER_MAX + 1);
	return OK;
}
