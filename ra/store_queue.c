/*
 * What waits for officers, and what is open at all. The table `waiting` and the counts are kept by triggers
 * (schema/072-rows.sql, 024-scale.sql, 071-queue.sql, 150-narrow.sql), so that neither a page nor a number of the queue looks at more than it shows: a page
 * is one walk along an index from the place where it begins. SQLite is told which index to go by: without statistics it may take another.
 *
 * An officer of several projects has a list for each, of which the keys are merged first.
 */
#include "ra/store_queue.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

/* ?1 project, ?2 kind, ?3 and ?4 the place to begin behind, ?5 the end, ?6 how many, ?7 how many to pass over. */
#define WALK(columns, table, index, at, id, where)                                                                     \
	"SELECT " columns " FROM " table " INDEXED BY " index " WHERE " where " AND (" at ", " id ") > (?3, ?4)"       \
	" AND " at " < ?5 ORDER BY " at ", " id " LIMIT ?6 OFFSET ?7"

/* One order of one list. */
struct road {
	const char *keys, *rows, *one; /* one: ?1 at, ?2 id */
	void (*read)(struct db_row *row, struct request_item *ret);
	bool by_claim; /* ?8 is the time */
};

/* --- waiting --- */

#define W_KEY "due, request"
#define W_ROW                                                                                                          \
	W_KEY ", kind, way, project, state, issuer, serial, officers, officers_have, made, dies, organisation, "       \
	      "number,"                                                                                                \
	      " replaces, submitted, claimant, claim_ends"
#define W_WALK(columns, index, where) WALK(columns, "waiting", index, "due", "request", where)
#define W_ROAD(keys_index, rows_index, where, by_claim)                                                                \
	{                                                                                                              \
		W_WALK(W_KEY, keys_index, where), W_WALK(W_ROW, rows_index, where),                                    \
			"SELECT " W_ROW " FROM waiting WHERE due = ?1 AND request = ?2", read_waiting, by_claim        \
	}
/* By project and kind; what is free is found on the way, for it is most. */
#define W_ROADS(more, by_claim)                                                                                        \
	{                                                                                                              \
		{W_ROAD("waiting_due", "sqlite_autoindex_waiting_1", "?1 = '' AND ?2 = ''" more, by_claim),            \
		 W_ROAD("waiting_kind", "waiting_kind", "?1 = '' AND kind = ?2" more, by_claim)},                      \
		{                                                                                                      \
			W_ROAD("waiting_project", "waiting_project", "project = ?1 AND ?2 = ''" more, by_claim),       \
				W_ROAD("waiting_project_kind", "waiting_project_kind",                                 \
				       "project = ?1 AND kind = ?2" more, by_claim)                                    \
		}                                                                                                      \
	}

static void read_waiting(struct db_row *row, struct request_item *ret)
{
	ret->course.due = db_i64(row, 0);
	COLUMN(row, 1, ret->id);
	COLUMN(row, 2, ret->kind);
	COLUMN(row, 3, ret->way);
	COLUMN(row, 4, ret->project);
	COLUMN(row, 5, ret->state);
	column_ref(row, 6, 7, &ret->ref);
	ret->officers = db_i64(row, 8);
	ret->officers_have = db_i64(row, 9);
	ret->made = db_i64(row, 10);
	ret->dies = db_i64(row, 11);
	COLUMN(row, 12, ret->organisation);
	COLUMN(row, 13, ret->course.number);
	COLUMN(row, 14, ret->course.replaces);
	ret->course.submitted = db_i64(row, 15);
	COLUMN(row, 16, ret->course.claimant);
	ret->course.claim_ends = db_i64(row, 17);
}

/* The first stands in the table itself. */
static const struct road waiting_roads[2][2] = W_ROADS("", false);
static const struct road free_roads[2][2] = W_ROADS(" AND claim_ends <= ?8", true);
/* Claims are as many as officers at work: they are found by their own index, and sorted. */
static const struct road taken_road =
	W_ROAD("waiting_claims", "waiting_claims",
	       "claim_ends > 0 AND claim_ends > ?8 AND (?1 = '' OR project = ?1) AND (?2 = '' OR kind = ?2)", true);

/* --- what is open --- */

#define O_ROW "dies, id, kind, project, profile, state, policy"
#define O_WALK(columns, index, where) WALK(columns, "requests", index, "dies", "id", where " AND pending = 1")
#define O_ROAD(index, where)                                                                                           \
	{                                                                                                              \
		O_WALK("dies, id", index, where), O_WALK(O_ROW, index, where),                                         \
			"SELECT " O_ROW " FROM requests WHERE dies = ?1 AND id = ?2", read_open                        \
	}

static void read_open(struct db_row *row, struct request_item *ret)
{
	ret->dies = db_i64(row, 0);
	COLUMN(row, 1, ret->id);
	COLUMN(row, 2, ret->kind);
	COLUMN(row, 3, ret->project);
	COLUMN(row, 4, ret->profile);
	COLUMN(row, 5, ret->state);
	COLUMN(row, 6, ret->policy);
}

static const struct road open_roads[2] = {O_ROAD("requests_open", "?1 = '' AND ?2 = ''"),
					  O_ROAD("requests_open_project", "project = ?1 AND ?2 = ''")};

/* --- a page --- */

/* What all parts of a page go by. */
struct walk {
	struct db *db;
	const struct road *road;
	const struct queue_filter *q;
	int64_t end; /* keys before it */
	request_item_fn *fn;
	void *arg;
};

static enum err begin(const struct walk *w, const char *sql, const char *project, const struct list_key *after,
		      int64_t limit, int64_t offset, struct db_row **ret, struct fault *f)
{
	return db_query(w->db, f, ret, sql, w->road->by_claim ? "ttitiiii" : "ttitiii", project, w->q->kind, after->at,
			after->id, w->end, limit, offset, w->q->now);
}

/* The place where the page begins: only keys are passed over. *ret_there false: there are not so many. */
static enum err place(const struct walk *w, const char *project, const struct list_page *p, struct list_key *ret,
		      bool *ret_there, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	*ret = p->after;
	*ret_there = true;
	if (p->offset == 0)
		return OK;
	TRY(begin(w, w->road->keys, project, &p->after, 1, p->offset - 1, &row, f));
	TRY(db_next(row, ret_there, f));
	if (!*ret_there)
		return OK;
	ret->at = db_i64(row, 0);
	COLUMN(row, 1, ret->id);
	return OK;
}

static enum err walk_one(const struct walk *w, const char *project, const struct list_page *p, struct list_end *ret,
			 struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool there = false;
	TRY(place(w, project, p, &ret->last, &there, f));
	if (!there)
		return OK;
	TRY(begin(w, w->road->rows, project, &ret->last, p->limit + 1, 0, &row, f));
	for (int64_t i = 0;; i++) {
		struct request_item item = {0};
		TRY(db_next(row, &there, f));
		ret->more = there && i == p->limit;
		if (!there || ret->more)
			return OK;
		ret->last.at = db_i64(row, 0);
		COLUMN(row, 1, ret->last.id);
		w->road->read(row, &item);
		w->fn(w->arg, &item);
	}
}

static enum err give(void *arg, const struct list_key *key, struct fault *f)
{
	const struct walk *w = arg;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	struct request_item item = {0};
	TRY(db_one(w->db, f, &row, w->road->one, "it", key->at, key->id));
	w->road->read(row, &item);
	w->fn(w->arg, &item);
	return OK;
}

static enum err walk_many(const struct walk *w, const struct list_page *p, struct list_end *ret, struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	for (size_t i = 0; i < w->q->n_projects; i++) {
		_cleanup_(db_row_donep) struct db_row *row = NULL;
		TRY(begin(w, w->road->keys, w->q->projects[i], &p->after, p->offset + p->limit + 1, 0, &row, f));
		TRY(keys_read(row, &keys, f));
	}
	return keys_page(&keys, p, give, (void *)w, ret, f);
}

static enum err walk(const struct walk *w, const struct list_page *p, struct list_end *ret, struct fault *f)
{
	*ret = (struct list_end){0};
	assert(w->road);
	if (!w->q->projects || w->q->n_projects == 1)
		return walk_one(w, w->q->projects ? w->q->projects[0] : "", p, ret, f);
	return walk_many(w, p, ret, f);
}

static const struct road *road_of(const struct queue_filter *q)
{
	const bool by_project = q->projects != NULL, by_kind = q->kind[0] != '\0';
	switch (q->claim) {
	case CLAIM_ANY:
		return &waiting_roads[by_project][by_kind];
	case CLAIM_FREE:
		return &free_roads[by_project][by_kind];
	case CLAIM_TAKEN:
		return &taken_road;
	}
	return NULL;
}

enum err store_requests_queue(struct db *db, const struct queue_filter *q, const struct list_page *p,
			      request_item_fn *fn, void *arg, struct list_end *ret, struct fault *f)
{
	const struct walk w = {db, road_of(q), q, q->overdue ? q->now : INT64_MAX, fn, arg};
	return walk(&w, p, ret, f);
}

enum err store_requests_pending(struct db *db, const struct queue_filter *q, const struct list_page *p,
				request_item_fn *fn, void *arg, struct list_end *ret, struct fault *f)
{
	const struct walk w = {db, &open_roads[q->projects != NULL], q, INT64_MAX, fn, arg};
	assert(q->kind[0] == '\0');
	return walk(&w, p, ret, f);
}

/* --- numbers --- */

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
		   "SELECT count(*), count(*) FILTER (WHERE due < ?3) FROM waiting INDEXED BY waiting_claims WHERE "
		   "claim_ends > 0 AND claim_ends > ?3"
		   " AND (?1 = '' OR project = ?1) AND (?2 = '' OR kind = ?2)",
		   "tti", project, q->kind, q->now));
	ret->waiting += db_i64(row, 0);
	ret->overdue += db_i64(row, 1);
	ret->claimed += db_i64(claims, 0);
	ret->claimed_late += db_i64(claims, 1);
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
	const int64_t all = q->overdue ? ret->overdue : ret->waiting,
		      taken = q->overdue ? ret->claimed_late : ret->claimed;
	ret->total = q->claim == CLAIM_ANY ? all : q->claim == CLAIM_TAKEN ? taken : all - taken;
	return OK;
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
