/*
 * Lists of a large desk: pages by key, counts that are kept, searches, and status before its index is complete.
 */
#include "ra_fixture.h"

#include "ra/request_state.h"
#include "ra/status.h"
#include "ra/status_index.h"
#include "ra/store_audit.h"
#include "ra/store_course.h"
#include "ra/store_find.h"
#include "ra/store_parcel.h"
#include "ra/store_queue.h"

#include <sched.h>
#include <string.h>

#define N 450
#define DAY_OF(i) (NOW + ((int64_t)((i)*7 % 30) - 10) * DAY)

static const char *const projects[] = {"jinhua", "hangzhou", "ningbo"}, *const kinds[] = {"change", "reissue"};

static void ok(enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s", f->text);
}

static void id_of(unsigned i, char ret[REQUEST_ID + 1])
{
	snprintf(ret, REQUEST_ID + 1, "%032x", i + 1);
}

static void add_request(struct db *db, unsigned i)
{
	struct request r = {.way = "name",
			    .profile = "organisation",
			    .state = "drafted",
			    .subject = (char[]){"{}"},
			    .tally = (char[]){""},
			    .hold = -1,
			    .made = NOW,
			    .dies = NOW + 30 * DAY};
	struct course c = {.claimant = ""};
	struct fault f = {0};
	id_of(i, r.id);
	snprintf(r.project, sizeof(r.project), "%s", projects[i % 3]);
	snprintf(r.kind, sizeof(r.kind), "%s", kinds[i % 2]);
	snprintf(c.number, sizeof(c.number), "20261124-%08u", i);
	ok(store_request_add(db, &r, &f), &f);
	ok(store_course_add(db, r.id, &c, &f), &f);
	ok(store_course_submitted(db, r.id, NOW, DAY_OF(i), &f), &f);
	ok(store_request_state(db, r.id, "awaiting_officers", &f), &f);
}

static struct db *begin(struct fx *x)
{
	struct db *db = NULL;
	struct fault f = {0};
	ok(store_begin(x->desk->store, &db, &f), &f);
	return db;
}

static void end(struct fx *x, struct db *db)
{
	struct fault f = {0};
	ok(store_end(x->desk->store, db, OK, &f), &f);
}

static struct fx *crowded(void)
{
	struct fx *x = fx_new();
	struct db *db = begin(x);
	for (unsigned i = 0; i < N; i++)
		add_request(db, i);
	end(x, db);
	return x;
}

static json_int_t number(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* Goes through the queue by `after`; each request once, by due date. Returns how many. between: after each page. */
static size_t walk(struct fx *x, json_t *params, unsigned seen[N], void (*between)(struct fx *x, unsigned page))
{
	_cleanup_(freep) char *next = NULL;
	char before[32] = "";
	size_t n = 0;
	for (unsigned page = 0;; page++) {
		json_t *p = json_deep_copy(params), *row;
		size_t i;
		if (next)
			json_object_set_new(p, "after", json_string(next));
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.queue", p);
		json_array_foreach(json_object_get(r, "requests"), i, row)
		{
			unsigned long k = strtoul(fx_text(row, "request"), NULL, 16);
			assert_true(k >= 1 && k <= N);
			assert_int_equal(seen[k - 1]++, 0);
			assert_true(strcmp(before, fx_text(row, "due")) <= 0);
			snprintf(before, sizeof(before), "%s", fx_text(row, "due"));
			n++;
		}
		if (between)
			between(x, page);
		free(next);
		next = json_object_get(r, "next") ? xstrdup(fx_text(r, "next")) : NULL;
		if (!next)
			break;
	}
	json_decref(params);
	return n;
}

/* The first that waits is decided: what follows does not move up and past the reader. */
static void decide_one(struct fx *x, unsigned page)
{
	char id[REQUEST_ID + 1];
	struct db *db = begin(x);
	struct fault f = {0};
	unsigned first = 0;
	for (unsigned i = 0; page == 0 && i < N; i++)
		first = DAY_OF(i) < DAY_OF(first) ? i : first;
	id_of(first, id);
	ok(store_request_state(db, id, "refused", &f), &f);
	end(x, db);
}

static void test_queue_pages(void **state)
{
	_cleanup_(fx_freep) struct fx *x = crowded();
	(void)state;
	static const struct {
		const char *params;
		unsigned by_project, by_kind; /* 1 + index; 0 all */
		bool overdue;
	} cases[] = {{"{\"per_page\":100}", 0, 0, false},
		     {"{\"per_page\":7}", 0, 0, false},
		     {"{\"per_page\":11,\"project\":\"hangzhou\"}", 2, 0, false},
		     {"{\"per_page\":11,\"kind\":\"reissue\"}", 0, 2, false},
		     {"{\"per_page\":11,\"project\":\"ningbo\",\"kind\":\"change\",\"overdue\":true}", 3, 1, true},
		     {"{\"overdue\":true}", 0, 0, true}};
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		unsigned seen[N] = {0}, wanted = 0;
		for (unsigned i = 0; i < N; i++)
			wanted += (cases[k].by_project == 0 || i % 3 + 1 == cases[k].by_project) &&
				  (cases[k].by_kind == 0 || i % 2 + 1 == cases[k].by_kind) &&
				  (!cases[k].overdue || DAY_OF(i) < NOW);
		_cleanup_(json_freep) json_t *params = json_loads(cases[k].params, 0, NULL);
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.queue", json_deep_copy(params));
		assert_int_equal(number(r, "total"), wanted);
		assert_int_equal(walk(x, json_incref(params), seen, NULL), wanted);
	}
}

static void note_id(void *arg, const struct request_item *item)
{
	buf_fmt(arg, "%s ", item->id);
}

typedef enum err list_fn(struct db *, const struct queue_filter *, const struct list_page *, request_item_fn *, void *,
			 struct list_end *, struct fault *);

static void read_page(struct db *db, list_fn *list, const struct queue_filter *q, struct list_page p, struct buf *ret,
		      struct list_end *ret_end)
{
	struct fault f = {0};
	ok(list(db, q, &p, note_id, ret, ret_end, &f), &f);
}

/* Pages by number, by the row before, and all at once give the same rows, of one project, of two, of all. */
static void test_pages_by_number(void **state)
{
	_cleanup_(fx_freep) struct fx *x = crowded();
	struct db *db = begin(x);
	static const struct {
		size_t n;
		unsigned rows;
	} cases[] = {{0, N}, {1, N / 3}, {2, N / 3 * 2}};
	static list_fn *const lists[] = {store_requests_queue, store_requests_pending};
	(void)state;
	for (size_t k = 0; k < 2 * sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_buf_ struct buf all = {0}, by_number = {0}, by_key = {0};
		struct queue_filter q = {.projects = cases[k / 2].n > 0 ? projects : NULL,
					 .n_projects = cases[k / 2].n,
					 .kind = "",
					 .now = NOW};
		struct list_end last = {0}, key = {.last.at = INT64_MIN};
		read_page(db, lists[k % 2], &q, PAGE_FROM_START(N), &all, &last);
		assert_false(last.more);
		assert_int_equal(all.len, cases[k / 2].rows * (REQUEST_ID + 1));
		for (int64_t i = 0; i < cases[k / 2].rows / 50; i++) {
			read_page(db, lists[k % 2], &q,
				  (struct list_page){.limit = 50, .offset = 50 * i, .after.at = INT64_MIN}, &by_number,
				  &last);
			read_page(db, lists[k % 2], &q, (struct list_page){.limit = 50, .after = key.last}, &by_key,
				  &key);
			assert_int_equal(key.more, by_key.len < all.len);
			assert_int_equal(last.more, by_number.len < all.len);
		}
		assert_string_equal(buf_text(&by_number), buf_text(&all));
		assert_string_equal(buf_text(&by_key), buf_text(&all));
		buf_clear(&all);
		read_page(db, lists[k % 2], &q, (struct list_page){.limit = 50, .offset = N, .after.at = INT64_MIN},
			  &all, &last);
		assert_int_equal(all.len, 0); /* there is no such page */
		assert_false(last.more);
	}
	end(x, db);
}

static void test_queue_moves(void **state)
{
	_cleanup_(fx_freep) struct fx *x = crowded();
	unsigned seen[N] = {0};
	(void)state;
	assert_int_equal(walk(x, json_pack("{s:i}", "per_page", 10), seen, decide_one), N);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.queue", NULL);
	assert_int_equal(number(r, "total"), N - 1);
}

static void test_places_that_are_none(void **state)
{
	static const char *const bad[] = {
		"x", "17", ":", ":abc", "-1:abc", "99999999999999999999:a", "1x:abc", " 1:a", "1;DROP TABLE waiting"};
	_cleanup_(fx_freep) struct fx *x = crowded();
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fx_refused(x, UID_OFFICER, "review.queue", json_pack("{s:s}", "after", bad[i]),
			   strlen(bad[i]) < 2 ? "param_range" : "list_after");
	/* What reads like a place is one, wherever it came from. */
	_cleanup_(json_freep) json_t *all =
		fx_do(x, UID_OFFICER, "review.queue", json_pack("{s:s}", "after", "0:' OR 1=1 --"));
	assert_int_equal(json_array_size(json_object_get(all, "requests")), 20);
	_cleanup_(json_freep) json_t *none =
		fx_do(x, UID_OFFICER, "review.queue", json_pack("{s:s}", "after", "999999999999999999:"));
	assert_int_equal(json_array_size(json_object_get(none, "requests")), 0);
	assert_null(json_object_get(none, "next"));
	fx_refused(x, UID_OFFICER, "review.queue", json_pack("{s:i,s:i}", "page", 11, "per_page", 100), "page_deep");
	fx_refused(x, UID_OFFICER, "order.find", json_pack("{s:i}", "page", 1000000), "page_deep");
	fx_refused(x, UID_OFFICER, "order.payments", json_pack("{s:i}", "page", 1000000), "page_deep");
	fx_refused(x, UID_OFFICER, "account.cases", json_pack("{s:i}", "page", 1000000), "page_deep");
	fx_refused(x, UID_OFFICER, "policy.pending", json_pack("{s:s}", "after", "x:"), "list_after");
}

/* --- what is kept by triggers is what one would count --- */

static void counts_are_true(struct fx *x)
{
	struct db *db = begin(x);
	struct fault f = {0};
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	static const char sql[] =
		"SELECT (SELECT count(*) FROM waiting w JOIN requests r ON r.id = w.request JOIN courses k"
		" ON k.request = r.id AND k.due = w.due AND k.claim_ends = w.claim_ends AND r.kind = w.kind"
		" AND r.project = w.project),"
		" (SELECT count(*) FROM waiting), (SELECT coalesce(sum(n), 0) FROM waiting_counts),"
		" (SELECT count(*) FROM (SELECT project, kind, due, count(*) AS n FROM waiting GROUP BY 1, 2, 3"
		"  EXCEPT SELECT project, kind, due, n FROM waiting_counts)),"
		" (SELECT count(*) FROM (SELECT state, count(*) AS n FROM requests GROUP BY 1"
		"  EXCEPT SELECT state, n FROM request_counts)),"
		" (SELECT count(*) FROM requests) - (SELECT sum(n) FROM request_counts),"
		" (SELECT count(*) FROM (SELECT project, kind, count(*) AS n FROM waiting GROUP BY 1, 2"
		"  EXCEPT SELECT project, kind, n FROM waiting_totals)),"
		" (SELECT count(*) FROM waiting) - (SELECT sum(n) FROM waiting_totals),"
		" (SELECT count(*) FROM (SELECT * FROM waiting EXCEPT SELECT * FROM waiting_rows)),"
		" (SELECT count(*) FROM waiting_rows) - (SELECT count(*) FROM waiting)";
	ok(db_one(db, &f, &row, sql, ""), &f);
	assert_int_equal(db_i64(row, 0), db_i64(row, 1));
	assert_int_equal(db_i64(row, 2), db_i64(row, 1));
	for (int i = 3; i < 10; i++)
		assert_int_equal(db_i64(row, i), 0);
	db_row_done(TAKE(row));
	end(x, db);
}

static bool waits(struct fx *x, const char *id)
{
	struct db *db = begin(x);
	struct fault f = {0};
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	ok(db_one(db, &f, &row, "SELECT count(*) FROM waiting WHERE request = ?1", "t", id), &f);
	bool rv = db_i64(row, 0) == 1;
	db_row_done(TAKE(row));
	end(x, db);
	return rv;
}

/* What is pending is what is open, but for unlocks under way. */
static bool pends(struct fx *x, const char *id)
{
	_cleanup_(freep) char *sql = xasprintf("SELECT pending FROM requests WHERE id = '%s'", id);
	return fx_number(x, sql) == 1;
}

/* Whoever adds a state in which officers are asked must tell the triggers as well. */
static void test_each_state(void **state)
{
	_cleanup_(fx_freep) struct fx *x = crowded();
	char id[REQUEST_ID + 1];
	struct fault f = {0};
	(void)state;
	id_of(5, id);
	for (enum request_state s = REQUEST_DRAFTED; s < REQUEST_STATE_N; s++) {
		struct db *db = begin(x);
		ok(store_request_state(db, id, request_state_word(s), &f), &f);
		end(x, db);
		assert_int_equal(waits(x, id), request_state_waits(s));
		assert_int_equal(pends(x, id),
				 !request_state_is_final(s) && s != REQUEST_SEALED && s != REQUEST_RELEASED);
		counts_are_true(x);
	}
}

static void owned(struct db *db, const char *id, int64_t account, struct fault *f)
{
	ok(db_run(db, f, "UPDATE requests SET account = ?2 WHERE id = ?1", "ti", id, account), f);
}

/* What a row of the queue shows is what stands in the tables that it is taken from, whatever of them changes. */
static void test_rows_follow(void **state)
{
	_cleanup_(fx_freep) struct fx *x = crowded();
	_cleanup_(request_done) struct request r = {0};
	struct account a = {0};
	struct fault f = {0};
	char id[REQUEST_ID + 1];
	(void)state;
	id_of(0, id); /* the queue's first */
	struct db *db = begin(x);
	ok(store_account_by_name(db, "35353550-9", &a, &f), &f);
	owned(db, id, a.id, &f);
	ok(store_line_add(db, id, "officer", "alice", "line", NOW, &f), &f);
	ok(store_line_add(db, id, "subscriber", "sub:1", "line", NOW, &f), &f);
	ok(store_course_claim(db, id, "bob", NOW + 60, &f), &f);
	ok(store_request_get(db, id, &r, &f), &f);
	r.officers = 3;
	r.dies = NOW + 5 * DAY;
	snprintf(r.way, sizeof(r.way), "%s", "agent");
	ok(store_request_redraw(db, &r, &f), &f);
	snprintf(a.organisation, sizeof(a.organisation), "%s", "改名之后");
	ok(store_account_set(db, &a, NOW, &f), &f);
	end(x, db);
	counts_are_true(x);
	_cleanup_(json_freep) json_t *q = fx_do(x, UID_OFFICER, "review.queue", json_pack("{s:i}", "per_page", 100));
	json_t *row, *found = NULL;
	size_t i;
	json_array_foreach(json_object_get(q, "requests"), i, row) found =
		strcmp(fx_text(row, "request"), id) == 0 ? row : found;
	assert_non_null(found);
	assert_string_equal(fx_text(found, "officers"), "1/3");
	assert_string_equal(fx_text(found, "claimed_by"), "bob");
	assert_string_equal(fx_text(found, "way"), "agent");
	assert_string_equal(fx_text(found, "organisation"), "改名之后");
	assert_string_equal(fx_text(found, "dies"), UTC(NOW + 5 * DAY));
}

static void test_claims_and_rollbacks(void **state)
{
	_cleanup_(fx_freep) struct fx *x = crowded();
	char id[REQUEST_ID + 1];
	struct fault f = {0};
	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		struct db *db = begin(x);
		id_of(i, id);
		ok(store_course_claim(db, id, "alice", NOW + (i < 6 ? 60 : -60), &f), &f);
		end(x, db);
	}
	struct db *db = begin(x);
	id_of(100, id);
	ok(store_request_state(db, id, "issued", &f), &f);
	assert_int_equal(store_end(x->desk->store, db, ERR_RULE, &f), ERR_RULE);
	counts_are_true(x);
	_cleanup_(json_freep)
		json_t *r = fx_do(x, UID_OFFICER, "review.queue", NULL),
		       *h = fx_do(x, UID_ADMIN, "desk.health", NULL),
		       *mine = fx_do(x, UID_OFFICER, "review.queue", json_pack("{s:s}", "project", "jinhua"));
	unsigned overdue = 0;
	for (unsigned i = 0; i < N; i++)
		overdue += DAY_OF(i) < NOW;
	assert_int_equal(number(json_object_get(r, "counts"), "claimed"), 6);
	assert_int_equal(number(json_object_get(r, "counts"), "waiting"), N);
	assert_int_equal(number(json_object_get(mine, "counts"), "claimed"), 2);
	assert_int_equal(number(json_object_get(mine, "counts"), "waiting"), N / 3);
	assert_int_equal(number(h, "overdue"), overdue);
	assert_int_equal(number(json_object_get(h, "requests"), "awaiting_officers"), N);
}

static void test_pending_pages(void **state)
{
	_cleanup_(fx_freep) struct fx *x = crowded();
	_cleanup_(freep) char *next = NULL;
	size_t n = 0;
	(void)state;
	do {
		json_t *p = json_pack("{s:i,s:s*}", "per_page", 60, "after", next);
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "policy.pending", p);
		n += json_array_size(json_object_get(r, "requests"));
		free(next);
		next = json_object_get(r, "next") ? xstrdup(fx_text(r, "next")) : NULL;
	} while (next);
	assert_int_equal(n, N);
}

/* --- parcels --- */

static void add_parcel(struct db *db, unsigned i, int64_t account)
{
	struct parcel p = {
		.account = account, .carrier = "SF", .tracking = "1", .packed = NOW + i, .packed_by = "alice"};
	struct fault f = {0};
	id_of(i, p.request);
	snprintf(p.token, sizeof(p.token), "P%u", i);
	snprintf(p.state, sizeof(p.state), "%s", i % 4 == 0 ? "received" : i % 4 == 1 ? "packed" : "shipped");
	p.due = i % 4 == 1 ? 0 : DAY_OF(i);
	p.ended = i % 4 == 0 ? NOW - i : 0;
	ok(store_parcel_put(db, &p, &f), &f);
	ok(store_parcel_put(db, &p, &f), &f);
}

struct seen {
	struct buf ids;
	bool ended;
	int64_t before;
	unsigned n;
};

/* Open ones by due date, then the ended, the last one first. */
static void see_parcel(void *arg, const struct parcel *p)
{
	struct seen *s = arg;
	int64_t at = p->ended ? -p->ended : p->due;
	assert_true(s->ended <= (p->ended != 0));
	if (s->n > 0 && s->ended == (p->ended != 0))
		assert_true(at >= s->before);
	s->ended = p->ended != 0;
	s->before = at;
	s->n++;
	buf_fmt(&s->ids, "%s ", p->request);
}

static void test_parcel_pages(void **state)
{
	_cleanup_(fx_freep) struct fx *x = crowded();
	struct account a = {0};
	struct fault f = {0};
	unsigned late = 0;
	(void)state;
	struct db *db = begin(x);
	ok(store_account_by_name(db, "35353550-9", &a, &f), &f);
	for (unsigned i = 0; i < N; i++) {
		add_parcel(db, i, a.id);
		late += i % 4 > 1 && DAY_OF(i) < NOW;
	}
	const struct {
		struct parcel_filter q;
		unsigned n;
	} cases[] = {
		{{.state = ""}, N},
		{{.state = "received"}, (N + 3) / 4},
		{{.state = "", .projects = projects, .n_projects = 1}, N / 3},
		{{.state = "", .projects = projects, .n_projects = 2}, N / 3 * 2},
		{{.state = "lost", .projects = projects, .n_projects = 2}, 0},
		{{.state = "", .projects = projects, .n_projects = 0}, 0},
		{{.state = "", .overdue = true, .now = NOW}, late},
		{{.state = "shipped", .overdue = true, .now = NOW}, late},
		{{.state = "packed", .overdue = true, .now = NOW}, 0},
	};
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct list_end end = {.more = true, .last.at = INT64_MIN}, one;
		struct seen by_key = {0}, by_number = {0};
		while (end.more)
			ok(store_parcels(db, &cases[k].q, &(struct list_page){.limit = 7, .after = end.last},
					 see_parcel, &by_key, &end, &f),
			   &f);
		one.more = true;
		for (int64_t i = 0; one.more; i += 100)
			ok(store_parcels(db, &cases[k].q,
					 &(struct list_page){.limit = 100, .offset = i, .after.at = INT64_MIN},
					 see_parcel, &by_number, &one, &f),
			   &f);
		if (by_key.n != cases[k].n || by_number.n != cases[k].n)
			fail_msg("case %zu: %u by key, %u by number, wanted %u", k, by_key.n, by_number.n, cases[k].n);
		if (by_key.n > 0)
			assert_string_equal(buf_text(&by_key.ids), buf_text(&by_number.ids));
		buf_done(&by_key.ids);
		buf_done(&by_number.ids);
	}
	end(x, db);
}

/* What is overdue, at the beginning, in the middle and at the end of days, is what a count of rows says. */
static void check_overdue(struct db *db)
{
	struct fault f = {0};
	for (int64_t at = NOW - 12 * DAY; at < NOW + 22 * DAY; at += DAY / 3 + 1) {
		_cleanup_(db_row_donep) struct db_row *row = NULL;
		int64_t n = 0;
		ok(store_parcels_overdue(db, at, &n, &f), &f);
		ok(db_one(db, &f, &row, "SELECT count(*) FROM parcels WHERE state = 'shipped' AND due < ?1", "i", at),
		   &f);
		assert_int_equal(n, db_i64(row, 0));
	}
}

static void test_parcels_overdue(void **state)
{
	_cleanup_(fx_freep) struct fx *x = crowded();
	static const char *const changes[] = {
		("UPDATE parcels SET state = 'received', ended = 1 WHERE state = 'shipped' AND due % 2 = 0 AND packed "
		 "% "
		 "3 = 0"),
		"UPDATE parcels SET state = 'shipped', due = packed WHERE state = 'packed'",
		"UPDATE parcels SET due = due + 86401 WHERE packed % 5 = 0",
		"DELETE FROM parcels WHERE packed % 7 = 0",
		"UPDATE parcels SET state = 'lost'",
	};
	struct account a = {0};
	struct fault f = {0};
	(void)state;
	struct db *db = begin(x);
	ok(store_account_by_name(db, "35353550-9", &a, &f), &f);
	for (unsigned i = 0; i < N; i++)
		add_parcel(db, i, a.id);
	check_overdue(db);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		ok(db_run(db, &f, changes[i], ""), &f);
		check_overdue(db);
	}
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	ok(db_one(db, &f, &row, "SELECT count(*) FROM parcel_days", ""), &f);
	assert_int_equal(db_i64(row, 0), 0);
	db_row_done(TAKE(row));
	end(x, db);
}

/* An owner's are the newest first, by key as well. */
static void test_own_parcels(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *next = NULL;
	struct account a = {0};
	struct fault f = {0};
	unsigned n = 0;
	(void)state;
	fx_log_in(x);
	struct db *db = begin(x);
	ok(store_account_by_name(db, "35353550-9", &a, &f), &f);
	for (unsigned i = 0; i < 23; i++) {
		add_request(db, i);
		add_parcel(db, i, a.id);
	}
	end(x, db);
	do {
		json_t *p = json_pack("{s:s,s:s*}", "session", x->session, "after", next), *row;
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "parcel.list", p);
		size_t i;
		json_array_foreach(json_object_get(r, "parcels"), i, row)
			assert_int_equal(strtoul(fx_text(row, "request"), NULL, 16), 23 - n++);
		free(next);
		next = json_object_get(r, "next") ? xstrdup(fx_text(r, "next")) : NULL;
	} while (next);
	assert_int_equal(n, 23);
}

/* --- searches --- */

static void test_account_find(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	static const struct {
		const char *text;
		unsigned found;
	} cases[] = {
		{"杭州田谷", 1},   {"州田谷", 1},     {"田谷", 0},	   {"杭州", 1},
		{"杭", 1},	   {"35353550-9", 1}, {"没有这个单位", 0}, {"\"", 0},
		{"\"\"\"\"", 0},   {"%%%", 0},	      {"' OR 1=1 --", 0},  {"organisation:杭州", 0},
		{"田* OR 谷*", 0}, {"NOT 田谷", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(json_freep) json_t *r =
			fx_do(x, UID_OFFICER, "account.find", json_pack("{s:s}", "search", cases[i].text));
		if (json_array_size(json_object_get(r, "accounts")) != cases[i].found)
			fail_msg("%s: found %zu, wanted %u", cases[i].text,
				 json_array_size(json_object_get(r, "accounts")), cases[i].found);
	}
	fx_refused(x, UID_OFFICER, "account.find", json_pack("{s:s}", "search", ""), "param_range");
	fx_refused(x, UID_OFFICER, "account.find", json_pack("{s:s}", "search", "a\nb"), "param_characters");
	fx_refused(x, UID_SUBSCRIBER, "account.find", json_pack("{s:s}", "search", "杭州田谷"), "method_denied");
	fx_refused(x, UID_PORTAL, "account.find", json_pack("{s:s}", "search", "杭州田谷"), "method_denied");
}

/* A name that changes is found as it is now, and not as it was. */
static void test_account_renamed(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct account a = {0};
	struct fault f = {0};
	(void)state;
	struct db *db = begin(x);
	ok(store_account_by_name(db, "35353550-9", &a, &f), &f);
	snprintf(a.organisation, sizeof(a.organisation), "宁波\"新\"名示例单位");
	ok(store_account_set(db, &a, NOW, &f), &f);
	end(x, db);
	_cleanup_(json_freep)
		json_t *was = fx_do(x, UID_OFFICER, "account.find", json_pack("{s:s}", "search", "杭州田谷")),
		       *is = fx_do(x, UID_OFFICER, "account.find", json_pack("{s:s}", "search", "\"新\"名示"));
	assert_int_equal(json_array_size(json_object_get(was, "accounts")), 0);
	assert_int_equal(json_array_size(json_object_get(is, "accounts")), 1);
}

/* --- the audit by time: a clock that went back hides nothing --- */

static void test_audit_by_time(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	char since[TIME_TEXT];
	int64_t after = 0;
	size_t n = 0;
	(void)state;
	struct db *db = begin(x);
	for (int i = 0; i < 90; i++) {
		struct audit_row row = {.at = NOW + DAY + (i < 30 ? 5000 + i : i),
					.who = i % 2 ? "clock:a" : "clock:b",
					.address = "",
					.what = "test",
					.object = "o",
					.detail = ""};
		ok(store_audit(db, &row, &f), &f);
	}
	end(x, db);
	snprintf(since, sizeof(since), "%s", UTC(NOW + DAY));
	for (;;) {
		json_t *p = json_pack("{s:s,s:s,s:i}", "since", since, "who", "clock:a", "limit", 7);
		if (after)
			json_object_set_new(p, "after", json_integer(after));
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "audit.list", p);
		json_t *rows = json_object_get(r, "rows");
		if (json_array_size(rows) == 0)
			break;
		n += json_array_size(rows);
		after = number(json_array_get(rows, json_array_size(rows) - 1), "id");
	}
	assert_int_equal(n, 45);
	_cleanup_(json_freep) json_t *late =
		fx_do(x, UID_ADMIN, "audit.list", json_pack("{s:s,s:i}", "since", UTC(NOW + DAY + 5000), "limit", 100));
	assert_int_equal(json_array_size(json_object_get(late, "rows")), 30);
}

/* --- status while the index is being read --- */

#define CERTS 60000

static void add_certs(struct fx *x)
{
	struct db *db = begin(x);
	struct fault f = {0};
	for (unsigned i = 0; i < CERTS; i++) {
		struct cert_row row = {.ref.serial.n = 16, .not_before = NOW, .not_after = NOW + DAY};
		int64_t id;
		row.ref.serial.b[0] = 1;
		memcpy(row.ref.serial.b + 1, &i, sizeof(i));
		memset(row.ref.issuer_key_id, (int)(i % 3), 20);
		ok(store_cert_row_add(db, &row, &id, &f), &f);
	}
	end(x, db);
}

static void serial_hex(unsigned i, char ret[33])
{
	uint8_t b[16] = {1};
	memcpy(b + 1, &i, sizeof(i));
	hex_upper(b, 16, ret);
}

/* The answer to a question is the same from the first moment on; one that changes meanwhile is told as changed. */
static void test_status_early(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	unsigned early = 0;
	(void)state;
	add_certs(x);
	/* How far the loader is when the question comes is up to the machine: until it came too early at least once. */
	for (unsigned turn = 0; turn < 8 || (early == 0 && turn < 500); turn++) {
		unsigned i = CERTS - 1 - turn, k = CERTS / 2 + turn;
		char serial[33], changed[33];
		serial_hex(i, serial);
		serial_hex(k, changed);
		status_index_close(x->desk->status);
		ok(status_index_open(x->desk->store, &x->desk->status, &f), &f);
		early += !status_complete(x->desk->status);
		struct db *db = begin(x);
		struct cert_row row;
		struct serial s;
		size_t n = 0;
		assert_true(serial_parse(changed, 32, &s));
		ok(store_certs_by_serial(db, &s, &row, 1, &n, &f), &f);
		ok(store_cert_status(db, row.id, CERT_REVOKED, 1, NOW - 1, 7, &f), &f);
		end(x, db);
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_PORTAL, "status.query",
							json_pack("{s:[sss]}", "serials", serial, changed, "0102"));
		json_t *a = json_object_get(r, "answers");
		assert_int_equal(json_array_size(a), 3);
		assert_string_equal(fx_text(json_array_get(a, 0), "state"), "good");
		assert_string_equal(fx_text(json_array_get(a, 1), "state"), "revoked");
		assert_string_equal(fx_text(json_array_get(a, 2), "state"), "unknown");
	}
	/* Else this has tested nothing. */
	assert_true(early > 0);
	while (!status_complete(x->desk->status))
		sched_yield();
	_cleanup_(json_freep) json_t *count = fx_do(x, UID_ADMIN, "desk.health", NULL);
	assert_non_null(count);
	status_begin(x->desk->status);
	for (int64_t id = 1; id <= CERTS; id++)
		assert_non_null(status_entry(x->desk->status, id));
	status_end(x->desk->status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue_pages),	cmocka_unit_test(test_queue_moves),
		cmocka_unit_test(test_pages_by_number), cmocka_unit_test(test_places_that_are_none),
		cmocka_unit_test(test_each_state),	cmocka_unit_test(test_claims_and_rollbacks),
		cmocka_unit_test(test_rows_follow),	cmocka_unit_test(test_pending_pages),
		cmocka_unit_test(test_parcel_pages),	cmocka_unit_test(test_own_parcels),
		cmocka_unit_test(test_parcels_overdue), cmocka_unit_test(test_account_find),
		cmocka_unit_test(test_account_renamed), cmocka_unit_test(test_audit_by_time),
		cmocka_unit_test(test_status_early),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
