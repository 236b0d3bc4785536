/*
 * Courses and corrections. Requests of one number form a chain by `replaces`; its end is the one that counts.
 */
#include "ra/store_course.h"

#include "common/base/cleanup.h"

enum err store_course_add(struct db *db, const char *request, const struct course *course, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO courses (request, number, replaces, entered_by) VALUES (?1, ?2, NULLIF(?3, ''), ?4)",
		      "tttt", request, course->number, course->replaces, course->entered_by);
}

enum err store_course_get(struct db *db, const char *request, struct course *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(
		db, f, &row,
		"SELECT c.number, coalesce(c.replaces, ''), coalesce(n.request, ''), c.entered_by, c.submitted, c.due,"
		" c.claimant, c.claim_ends FROM courses c LEFT JOIN courses n ON n.replaces = c.request"
		" WHERE c.request = ?1",
		"t", request));
	COLUMN(row, 0, ret->number);
	COLUMN(row, 1, ret->replaces);
	COLUMN(row, 2, ret->replaced_by);
	COLUMN(row, 3, ret->entered_by);
	ret->submitted = db_i64(row, 4);
	ret->due = db_i64(row, 5);
	COLUMN(row, 6, ret->claimant);
	ret->claim_ends = db_i64(row, 7);
	return OK;
}

enum err store_course_place(struct db *db, const char *request, struct course_place *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT c.number, r.state FROM requests r JOIN courses c ON c.request = r.id WHERE r.id = ?1", "t",
		   request));
	COLUMN(row, 0, ret->number);
	COLUMN(row, 1, ret->state);
	return OK;
}

enum err store_course_submitted(struct db *db, const char *request, int64_t at, int64_t due, struct fault *f)
{
	return db_run(db, f, "UPDATE courses SET submitted = ?2, due = ?3 WHERE request = ?1", "tii", request, at, due);
}

enum err store_course_claim(struct db *db, const char *request, const char *who, int64_t ends, struct fault *f)
{
	return db_run(db, f, "UPDATE courses SET claimant = ?2, claim_ends = ?3 WHERE request = ?1", "tti", request,
		      who, ends);
}

enum err store_course_current(struct db *db, const char *number, char ret[REQUEST_ID + 1], struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT c.request FROM courses c WHERE c.number = ?1"
		   " AND NOT EXISTS (SELECT 1 FROM courses n WHERE n.replaces = c.request)",
		   "t", number));
	column_copy(row, 0, ret, REQUEST_ID + 1);
	return OK;
}

enum err store_course_length(struct db *db, const char *number, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM courses WHERE number = ?1", "t", number));
	*ret = db_i64(row, 0);
	return OK;
}

/* --- corrections --- */

enum err store_correction_add(struct db *db, const char *request, const struct correction *c, struct fault *f)
{
	return db_run(db, f, "INSERT INTO corrections (request, item, reason) VALUES (?1, ?2, ?3)", "ttt", request,
		      c->item, c->reason);
}

enum err store_corrections(struct db *db, const char *request, void (*fn)(void *arg, const struct correction *c),
			   void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row, "SELECT item, reason FROM corrections WHERE request = ?1 ORDER BY item", "t",
		     request));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		fn(arg, &(struct correction){db_text(row, 0), db_text(row, 1)});
	}
}

enum err store_materials_carry(struct db *db, const char *from, const char *to, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE materials SET owner = ?2 WHERE kind = 'request' AND owner = ?1"
		      " AND name NOT IN (SELECT item FROM corrections WHERE request = ?1)",
		      "tt", from, to);
}

enum err store_materials_unchanged(struct db *db, const char *replaced, const char *request, int64_t *ret,
				   struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT count(*) FROM materials n JOIN materials o ON o.kind = n.kind AND o.owner = ?1"
		   " AND o.name = n.name AND o.sha256 = n.sha256 WHERE n.kind = 'request' AND n.owner = ?2",
		   "tt", replaced, request));
	*ret = db_i64(row, 0);
	return OK;
}
