/*
 * The table of parcels.
 */
#include "ra/store_parcel.h"

#include "common/base/cleanup.h"

#include <string.h>

#define PARCEL                                                                                                         \
	"p.request, p.account, p.token, p.state, p.recipient, p.mobile, p.address, p.carrier, p.tracking, p.packed,"   \
	" p.packed_by, p.shipped, p.shipped_by, p.due, p.reminded, p.ended, p.ended_by, p.ended_from, p.note,"         \
	" p.strangers, k.number, a.organisation FROM parcels p JOIN courses k ON k.request = p.request"                \
	" JOIN accounts a ON a.id = p.account"

static void read_parcel(struct db_row *row, struct parcel *ret)
{
	COLUMN(row, 0, ret->request);
	ret->account = db_i64(row, 1);
	COLUMN(row, 2, ret->token);
	COLUMN(row, 3, ret->state);
	COLUMN(row, 4, ret->to.recipient);
	COLUMN(row, 5, ret->to.mobile);
	COLUMN(row, 6, ret->to.address);
	COLUMN(row, 7, ret->carrier);
	COLUMN(row, 8, ret->tracking);
	ret->packed = db_i64(row, 9);
	COLUMN(row, 10, ret->packed_by);
	ret->shipped = db_i64(row, 11);
	COLUMN(row, 12, ret->shipped_by);
	ret->due = db_i64(row, 13);
	ret->reminded = db_i64(row, 14);
	ret->ended = db_i64(row, 15);
	COLUMN(row, 16, ret->ended_by);
	COLUMN(row, 17, ret->ended_from);
	COLUMN(row, 18, ret->note);
	ret->strangers = db_i64(row, 19);
	COLUMN(row, 20, ret->number);
	COLUMN(row, 21, ret->organisation);
}

enum err store_parcel_get(struct db *db, const char *request, struct parcel *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " PARCEL " WHERE p.request = ?1", "t", request));
	read_parcel(row, ret);
	return OK;
}

enum err store_parcel_put(struct db *db, const struct parcel *p, struct fault *f)
{
	return db_run(
		db, f,
		"INSERT INTO parcels (request, account, token, state, recipient, mobile, address, carrier, tracking,"
		" packed, packed_by, shipped, shipped_by, due, reminded, ended, ended_by, ended_from, note)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
		" ON CONFLICT (request) DO UPDATE SET state = ?4, recipient = ?5, mobile = ?6, address = ?7,"
		" carrier = ?8, tracking = ?9, packed = ?10, packed_by = ?11, shipped = ?12, shipped_by = ?13, due = "
		"?14,"
		" reminded = ?15, ended = ?16, ended_by = ?17, ended_from = ?18, note = ?19",
		"tittttttt"
		"itit"
		"iii"
		"ttt",
		p->request, p->account, p->token, p->state, p->to.recipient, p->to.mobile, p->to.address, p->carrier,
		p->tracking, p->packed, p->packed_by, p->shipped, p->shipped_by, p->due, p->reminded, p->ended,
		p->ended_by, p->ended_from, p->note);
}

enum err store_parcel_stranger(struct db *db, const char *request, struct fault *f)
{
	return db_run(db, f, "UPDATE parcels SET strangers = strangers + 1 WHERE request = ?1", "t", request);
}

enum err store_parcel_follow(struct db *db, const char *from, const char *to, struct fault *f)
{
	return db_run(db, f, "UPDATE parcels SET request = ?2 WHERE request = ?1", "tt", from, to);
}

/* ?1 project, ?2 state, ?3 and ?4 the place to begin behind, ?5 the end, ?6 how many. */
#define ALL(index, where)                                                                                              \
	"SELECT place, request FROM parcels INDEXED BY " index " WHERE " where                                         \
	" AND (place, request) > (?3, ?4) AND place < ?5 ORDER BY place, request LIMIT ?6"
#define NEWEST_FIRST "4000000000000 - packed"

static const char *all_sql(const struct parcel_filter *q, const char *state)
{
	if (q->projects)
		return state[0] != '\0' ? ALL("parcels_project_state", "project = ?1 AND state = ?2")
					: ALL("parcels_project", "project = ?1 AND ?2 = ''");
	return state[0] != '\0' ? ALL("parcels_state_place", "?1 = '' AND state = ?2")
				: ALL("parcels_place", "?1 = '' AND ?2 = ''");
}

/* What is overdue was shipped, and is due in its place. */
static enum err all_keys(struct db *db, const struct parcel_filter *q, const char *project, const struct list_page *p,
			 struct keys *k, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	const char *state = q->overdue ? "shipped" : q->state;
	if (q->overdue && q->state[0] != '\0' && strcmp(q->state, state) != 0)
		return OK;
	TRY(db_query(db, f, &row, all_sql(q, state), "ttitii", project, state, p->after.at, p->after.id,
		     q->overdue ? q->now : INT64_MAX, keys_wanted(p)));
	return keys_read(row, k, f);
}

/* Few: an account's own. */
static enum err own_keys(struct db *db, const struct parcel_filter *q, const struct list_page *p, struct keys *k,
			 struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT " NEWEST_FIRST ", request FROM parcels INDEXED BY parcels_account WHERE account = ?1"
		     " AND (?2 = '' OR state = ?2) AND (?3 = 0 OR (state = 'shipped' AND due < ?4))"
		     " AND (" NEWEST_FIRST ", request) > (?5, ?6) ORDER BY 1, 2 LIMIT ?7",
		     "itiiiti", q->account, q->state, (int64_t)q->overdue, q->now, p->after.at, p->after.id,
		     keys_wanted(p)));
	return keys_read(row, k, f);
}

struct giving {
	struct db *db;
	parcel_fn *fn;
	void *arg;
};

static enum err give(void *arg, const struct list_key *key, struct fault *f)
{
	const struct giving *g = arg;
	struct parcel p = {0};
	TRY(store_parcel_get(g->db, key->id, &p, f));
	g->fn(g->arg, &p);
	return OK;
}

enum err store_parcels(struct db *db, const struct parcel_filter *q, const struct list_page *p, parcel_fn *fn,
		       void *arg, struct list_end *ret, struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	if (q->account != 0)
		TRY(own_keys(db, q, p, &keys, f));
	else if (!q->projects)
		TRY(all_keys(db, q, "", p, &keys, f));
	else
		for (size_t i = 0; i < q->n_projects; i++)
			TRY(all_keys(db, q, q->projects[i], p, &keys, f));
	return keys_page(&keys, p, give, &(struct giving){db, fn, arg}, ret, f);
}

enum err store_parcels_overdue(struct db *db, int64_t now, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	/* Whole days by their numbers, the rest of today one by one. */
	TRY(db_one(db, f, &row,
		   "SELECT (SELECT coalesce(sum(n), 0) FROM parcel_days WHERE day < ?1 / 86400)"
		   " + (SELECT count(*) FROM parcels INDEXED BY parcels_state WHERE state = 'shipped'"
		   " AND due >= ?1 / 86400 * 86400 AND due < ?1)",
		   "i", now));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_parcels_to_remind(struct db *db, int64_t now, char (*ret)[REQUEST_ID + 1], size_t max, size_t *ret_n,
				 struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT request FROM parcels WHERE state = 'shipped' AND reminded = 0 AND due < ?1 ORDER BY due"
		     " LIMIT ?2",
		     "ii", now, (int64_t)max));
	for (*ret_n = 0;; (*ret_n)++) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		column_copy(row, 0, ret[*ret_n], REQUEST_ID + 1);
	}
}
