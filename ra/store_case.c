/*
 * What belongs to one request: signature lines, history.
 */
#include "ra/store_request.h"

#include "common/base/cleanup.h"

enum err store_line_add(struct db *db, const char *request, const char *part, const char *name, const char *line,
			int64_t now, struct fault *f)
{
	return db_run(db, f, "INSERT INTO lines (request, part, name, line, at) VALUES (?1, ?2, ?3, ?4, ?5)", "tttti",
		      request, part, name, line, now);
}

enum err store_lines_count(struct db *db, const char *request, const char *part, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM lines WHERE request = ?1 AND part = ?2", "tt", request, part));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_lines(struct db *db, const char *request, struct buf *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT line FROM lines WHERE request = ?1 ORDER BY"
		     " CASE part WHEN 'subscriber' THEN 0 WHEN 'new-key' THEN 1 ELSE 2 END, name",
		     "t", request));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		buf_str(ret, db_text(row, 0));
		buf_char(ret, '\n');
	}
}

/* --- history --- */

enum err store_history_add(struct db *db, const char *request, int64_t now, const char *event, const char *before,
			   const char *after, const char *who, const char *detail, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO history (request, at, event, before, after, who, detail)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		      "titttt"
		      "t",
		      request, now, event, before, after, who, detail);
}

/* A request that neither corrects another nor is corrected has its number to itself: its rows stand in order in an index. */
static enum err history_rows(struct db *db, const char *request, const struct course *course, struct db_row **ret,
			     struct fault *f)
{
	if (course->replaces[0] == '\0' && course->replaced_by[0] == '\0')
		return db_query(db, f, ret,
				"SELECT at, event, before, after, who, detail FROM history WHERE request = ?1"
				" ORDER BY id",
				"t", request);
	return db_query(db, f, ret,
			"SELECT h.at, h.event, h.before, h.after, h.who, h.detail FROM courses c JOIN history h"
			" ON h.request = c.request WHERE c.number = ?1 ORDER BY h.id",
			"t", course->number);
}

enum err store_history(struct db *db, const char *request, const struct course *course,
		       void (*fn)(void *arg, const struct history_item *item), void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(history_rows(db, request, course, &row, f));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		fn(arg, &(struct history_item){db_i64(row, 0), db_text(row, 1), db_text(row, 2), db_text(row, 3),
					       db_text(row, 4), db_text(row, 5)});
	}
}
