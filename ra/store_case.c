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

enum err store_history(struct db *db, const char *request, void (*fn)(void *arg, const struct history_item *item),
		       void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT h.at, h.event, h.before, h.after, h.who, h.detail FROM courses own JOIN courses c"
		     " ON c.number = own.number JOIN history h ON h.request = c.request WHERE own.request = ?1"
		     " ORDER BY h.id",
		     "t", request));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		fn(arg, &(struct history_item){db_i64(row, 0), db_text(row, 1), db_text(row, 2), db_text(row, 3),
					       db_text(row, 4), db_text(row, 5)});
	}
}
