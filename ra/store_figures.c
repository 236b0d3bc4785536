/*
 * Figures read the past a few days at a time, and never a table: SQLite is told which index to go by.
 */
#include "ra/store_figures.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

/* Word for word as the index has it. */
#define COUNTING                                                                                                       \
	"(h.event = 'submit' OR h.event = 'approve' OR h.event = 'decide' OR h.event = 'reject' OR h.event = "         \
	"'correct')"

enum err store_figure_steps(struct db *db, int64_t from, int64_t until,
			    void (*fn)(void *arg, const struct figure_step *s), void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT h.at, k.submitted, k.due, h.event, h.after, r.project FROM history h INDEXED BY"
		     " history_days JOIN courses k ON k.request = h.request JOIN requests r ON r.id = h.request"
		     " WHERE " COUNTING " AND h.at >= ?1 AND h.at < ?2 ORDER BY h.at",
		     "ii", from, until));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		fn(arg, &(struct figure_step){.at = db_i64(row, 0),
					      .submitted = db_i64(row, 1),
					      .due = db_i64(row, 2),
					      .event = db_text(row, 3),
					      .after = db_text(row, 4),
					      .project = db_text(row, 5)});
	}
}

enum err store_certs_ending(struct db *db, int64_t from, int64_t until, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT count(*) FROM certs INDEXED BY certs_end WHERE successor IS NULL AND state < 2"
		   " AND not_after >= ?1 AND not_after < ?2",
		   "ii", from, until));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_refusals(struct db *db, int64_t limit, void (*fn)(void *arg, const struct refusal *r), void *arg,
			struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT h.at, k.number, r.kind, r.project, coalesce(r.refusal_rule, ''),"
		     " coalesce(r.refusal_text, '') FROM history h INDEXED BY"
		     " history_refused JOIN courses k ON k.request = h.request JOIN requests r ON r.id = h.request"
		     " WHERE h.event = 'refuse' ORDER BY h.at DESC LIMIT ?1",
		     "i", limit));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		fn(arg, &(struct refusal){.at = db_i64(row, 0),
					  .number = db_text(row, 1),
					  .kind = db_text(row, 2),
					  .project = db_text(row, 3),
					  .rule = db_text(row, 4),
					  .text = db_text(row, 5)});
	}
}

enum err store_responders(struct db *db, int64_t now, int64_t limit,
			  void (*fn)(void *arg, const struct cert_item *item), void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT c.id, c.issuer, c.serial, c.state, c.not_after, b.name FROM cert_bodies b INDEXED BY"
		     " cert_bodies_responders JOIN certs c ON c.id = b.id WHERE b.profile = 'responder' AND"
		     " c.not_after >= ?1 ORDER BY c.not_after DESC LIMIT ?2",
		     "ii", now, limit));
	for (;;) {
		bool more = false;
		struct cert_item item = {0};
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		item.row.id = db_i64(row, 0);
		column_ref(row, 1, 2, &item.row.ref);
		item.row.state = (enum cert_state)db_i64(row, 3);
		item.row.not_after = db_i64(row, 4);
		COLUMN(row, 5, item.name);
		fn(arg, &item);
	}
}
