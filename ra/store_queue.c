/*
 * What waits for officers, and what is open at all. The table `waiting` and the counts are kept by triggers
 * (schema/024-scale.sql, 071-queue.sql), so that neither a page nor a number of the queue looks at more than it shows. SQLite is told which
 * index to go by: without statistics it may take another.
 */
#include "ra/store_queue.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"

#include <string.h>

#define KEYS(index, where)                                                                                             \
	"SELECT due, request FROM waiting INDEXED BY " index " WHERE " where                                           \
	" AND (due, request) > (?3, ?4) AND due < ?5 ORDER BY due, request LIMIT ?6"

static const char *keys_sql(const char *project, const char *kind)
{
	if (project[0] != '\0')
		return kind[0] != '\0' ? KEYS("waiting_project_kind", "project = ?1 AND kind = ?2")
				       : KEYS("waiting_project", "project = ?1 AND ?2 = ''");
	return kind[0] != '\0' ? KEYS("waiting_kind", "?1 = '' AND kind = ?2")
			       : KEYS("waiting_due", "?1 = '' AND ?2 = ''");
}

static enum err read_keys(struct db *db, const struct queue_filter *q, const char *project, const struct list_page *p,
			  struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row, keys_sql(project, q->kind), "ttitii", project, q->kind, p->after.at, p->after.id,
		     q->overdue ? q->now : INT64_MAX, p->offset + p->limit + 1));
	return keys_read(row, k, f);
}

struct giving {
	struct db *db;
	request_item_fn *fn;
	void *arg;
};

static enum err give(void *arg, const struct list_key *key, struct fault *f)
{
	const struct giving *g = arg;
	struct request_item item = {0};
	TRY(store_request_item(g->db, key->id, &item, f));
	g->fn(g->arg, &item);
	return OK;
}

enum err store_requests_queue(struct db *db, const struct queue_filter *q, const struct list_page *p,
			      request_item_fn *fn, void *arg, struct list_end *ret, struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	if (!q->projects)
		TRY(read_keys(db, q, "", p, &keys, f));
	for (size_t i = 0; q->projects && i < q->n_projects; i++)
		TRY(read_keys(db, q, q->projects[i], p, &keys, f));
	return keys_page(&keys, p, give, &(struct giving){db, fn, arg}, ret, f);
}

static enum err add_counts(struct db *db, const struct queue_filter *q, const char *project, struct queue_counts *ret,
			   struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL, *claims = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT coalesce(sum(t.n), 0), coalesce(sum((SELECT sum(c.n) FROM waiting_counts c"
		   " WHERE c.project = t.project AND c.kind = t.kind AND c.due < ?3)), 0) FROM waiting_totals t"
		   " WHERE (?1 = '' OR t.project = ?1) AND (?2 = '' OR t.kind = ?2)",
		   "tti", project, q->kind, q->now));
	TRY(db_one(db, f, &claims,
		   "SELECT count(*) FROM waiting INDEXED BY waiting_claims WHERE claim_ends > 0 AND claim_ends > ?3"
		   " AND (?1 = '' OR project = ?1) AND (?2 = '' OR kind = ?2)",
		   "tti", project, q->kind, q->now));
	ret->waiting += db_i64(row, 0);
	ret->overdue += db_i64(row, 1);
	ret->claimed += db_i64(claims, 0);
	return OK;
}

enum err store_requests_queue_count(struct db *db, const struct queue_filter *q, struct queue_counts *ret,
				    struct fault *f)
{
	*ret = (struct queue_counts){0};
	if (!q->projects)
		TRY(add_counts(db, q, "", ret, f));
	for (size_t i = 0; q->projects && i < q->n_projects; i++)
		TRY(add_counts(db, q, q->projects[i], ret, f));
	ret->total = q->overdue ? ret->overdue : ret->waiting;
	return OK;
}

enum err store_requests_pending(struct db *db, const char *view, const struct list_page *p, request_item_fn *fn,
				void *arg, struct list_end *ret, struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT dies, id FROM requests INDEXED BY requests_open WHERE state IN ('drafted',"
		     " 'awaiting_proof', 'awaiting_officers', 'approved', 'sent', 'to_correct', 'opened',"
		     " 'at_key_centre', 'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed') AND (dies, id) > (?1, ?2) "
		     "AND " VIEW_PROJECT("?4", "project") " ORDER BY dies, id LIMIT ?3",
		     "itit", p->after.at, p->after.id, p->offset + p->limit + 1, view));
	TRY(keys_read(row, &keys, f));
	return keys_page(&keys, p, give, &(struct giving){db, fn, arg}, ret, f);
}

enum err store_requests_count(struct db *db, void (*fn)(void *arg, const char *state, int64_t n), void *arg,
			      struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row, "SELECT state, n FROM request_counts WHERE n > 0 ORDER BY state", ""));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		fn(arg, db_text(row, 0), db_i64(row, 1));
	}
}
