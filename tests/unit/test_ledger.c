/*
 * The ledger alone: only ever appended, one flush for many, nothing left of an operation that failed, time that does
 * not go back, and one signer on a file.
 */
#include "ledger_kit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

/* --- entries --- */

static void entries_stay(void **state)
{
	struct room *r = *state;
	_cleanup_(db_closep) struct db *db = NULL;
	_cleanup_(freep) char *path = xasprintf("%s/ledger.db", r->dir);
	_cleanup_buf_ struct buf first = {0}, second = {0};
	struct wire_e_beat a, b;
	struct fault f = {0};
	uint64_t index;
	add_beat(r, &index);
	assert_int_equal(index, 0);
	add_beat(r, &index);
	assert_int_equal(index, 1);
	must("open", db_open(path, false, &db, &f), &f);
	assert_int_equal(db_run(db, &f, "UPDATE entries SET at = at + 1", ""), ERR_CONFLICT);
	assert_int_equal(db_run(db, &f, "DELETE FROM entries WHERE idx = 1", ""), ERR_CONFLICT);
	assert_int_equal(db_run(db, &f,
				"INSERT OR REPLACE INTO entries (idx, type, at, leaf, body) SELECT idx, 1, at, leaf, "
				"body FROM entries",
				""),
			 ERR_CONFLICT);
	must("entry", ledger_entry(db, 0, &first, &f), &f);
	must("entry", ledger_entry(db, 1, &second, &f), &f);
	must("beat", wire_e_beat_get(buf_slice(&first), &a, &f), &f);
	must("beat", wire_e_beat_get(buf_slice(&second), &b, &f), &f);
	assert_int_equal(a.at, NOW);
	/* The salt: equal entries have hashes that cannot be guessed from each other. */
	assert_memory_not_equal(a.salt, b.salt, sizeof(a.salt));
	assert_int_equal(ledger_entry(db, 2, &second, &f), ERR_NOT_FOUND);
}

static void leaf_is_the_bodys(void **state)
{
	struct room *r = *state;
	struct db *db;
	_cleanup_buf_ struct buf body = {0};
	struct fault f = {0};
	uint8_t leaf[32];
	add_beat(r, NULL);
	db = reader(r);
	must("entry", ledger_entry(db, 0, &body, &f), &f);
	merkle_leaf(buf_slice(&body), leaf);
	struct db_row *row = NULL;
	must("leaf", db_one(db, &f, &row, "SELECT leaf FROM entries WHERE idx = 0", ""), &f);
	assert_true(slice_eq(db_blob(row, 0), slice_of(leaf, 32)));
	db_row_done(row);
	ledger_reader_put(r->l, db);
}

static enum err too_large(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct wire_e_intent e = {.tbs = slice_of(arg, 12289)};
	return ledger_append_e_intent(tx, &e, NULL, f);
}

static void entries_are_bounded(void **state)
{
	struct room *r = *state;
	_cleanup_(freep) char *bytes = xcalloc(1, 20000);
	struct fault f = {0};
	assert_int_equal(ledger_do(r->l, too_large, bytes, &f), ERR_LIMIT);
	assert_int_equal(ledger_size(r->l), 0);
}

static void count_one(void *arg, struct slice body)
{
	size_t *n = arg;
	(*n)++;
	(void)body;
}

static void entries_in_parts(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	static const struct {
		uint64_t from;
		uint32_t max;
		size_t bytes, wanted;
	} rows[] = {
		{0, 1024, 1000000, 10},	     {0, 3, 1000000, 3}, {8, 1024, 1000000, 2}, {10, 5, 1000000, 0},
		{UINT64_MAX, 5, 1000000, 0}, {0, 1024, 60, 2},	 {0, 1024, 1, 1},	{0, 0, 100, 0},
	};
	for (size_t i = 0; i < 10; i++)
		add_beat(r, NULL);
	struct db *db = reader(r);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = 0;
		must("entries", ledger_entries(db, rows[i].from, rows[i].max, rows[i].bytes, count_one, &n, &f), &f);
		if (n != rows[i].wanted)
			fail_msg("row %zu: %zu entries", i, n);
	}
	uint64_t beats = 0;
	must("count", ledger_count(db, WIRE_TYPE_E_BEAT, &beats, &f), &f);
	assert_int_equal(beats, 10);
	ledger_reader_put(r->l, db);
}

/* --- group commit --- */

static enum err beat_then_fail(struct ledger_tx *tx, void *arg, struct fault *f)
{
	TRY(beat(tx, NULL, f));
	TRY(beat(tx, arg, f));
	return fault_raise(f, ERR_RULE, "no", "test", "no");
}

#define THREADS 16
#define EACH 50
struct worker {
	struct room *r;
	pthread_t thread;
	unsigned done, refused, wrong;
};

static void *append_many(void *arg)
{
	struct worker *w = arg;
	for (unsigned i = 0; i < EACH; i++) {
		struct fault f = {0};
		bool fails = i % 5 == 4;
		uint64_t index = LEDGER_NONE;
		ledger_enter(w->r->l);
		enum err e = ledger_do(w->r->l, fails ? beat_then_fail : beat, &index, &f);
		ledger_leave(w->r->l);
		w->done += e == OK;
		w->refused += e == ERR_RULE && strcmp(f.rule, "no") == 0;
		/* What was answered is in the ledger. */
		w->wrong += e == OK && index >= ledger_size(w->r->l);
	}
	return NULL;
}

static void many_share_a_flush(void **state)
{
	struct room *r = *state;
	struct worker workers[THREADS] = {0};
	unsigned done = 0, refused = 0, wrong = 0;
	for (size_t i = 0; i < THREADS; i++) {
		workers[i].r = r;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, append_many, &workers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		done += workers[i].done;
		refused += workers[i].refused;
		wrong += workers[i].wrong;
	}
	assert_int_equal(done, THREADS * EACH * 4 / 5);
	assert_int_equal(refused, THREADS * EACH / 5);
	assert_int_equal(wrong, 0);
	assert_int_equal(ledger_size(r->l), done);
	reopen(r);
	assert_int_equal(ledger_size(r->l), done);
	size_t n = 0;
	struct fault f = {0};
	struct db *db = reader(r);
	must("entries", ledger_entries(db, 0, 1000, SIZE_MAX, count_one, &n, &f), &f);
	ledger_reader_put(r->l, db);
	assert_int_equal(n, done);
}

static void failed_leaves_nothing(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	uint64_t index;
	assert_int_equal(ledger_do(r->l, beat_then_fail, NULL, &f), ERR_RULE);
	assert_string_equal(f.rule, "no");
	assert_int_equal(ledger_size(r->l), 0);
	add_beat(r, &index);
	assert_int_equal(index, 0);
}

/* A database error in one operation puts the whole transaction in question: nobody in it is told yes. */
static enum err db_fails(struct ledger_tx *tx, void *arg, struct fault *f)
{
	(void)arg;
	TRY(beat(tx, NULL, f));
	return db_run(tx->db, f, "INSERT INTO no_such_table VALUES (1)", "");
}

static void db_error_takes_all_back(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	uint64_t index;
	assert_int_equal(ledger_do(r->l, db_fails, NULL, &f), ERR_DB);
	assert_false(ledger_broken(r->l));
	add_beat(r, &index);
	assert_int_equal(index, 0);
}

static void *wait_for_one(void *arg)
{
	struct room *r = arg;
	ledger_wait(r->l, 0, 10000);
	return ledger_size(r->l) == 1 ? r : NULL;
}

static void followers_wake(void **state)
{
	struct room *r = *state;
	pthread_t thread;
	void *found = NULL;
	int64_t begun = clock_mono_us();
	assert_int_equal(pthread_create(&thread, NULL, wait_for_one, r), 0);
	add_beat(r, NULL);
	pthread_join(thread, &found);
	assert_ptr_equal(found, r);
	assert_true(clock_mono_us() - begun < 5000000);
	begun = clock_mono_us();
	ledger_wait(r->l, 1, 20);
	assert_true(clock_mono_us() - begun >= 19000);
}

/* --- file and clock --- */

static void one_signer(void **state)
{
	struct room *r = *state;
	struct ledger *second = NULL;
	struct fault f = {0};
	assert_int_equal(ledger_open(r->dir, false, &second, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "ledger_locked");
	ledger_closep(&r->l);
	assert_int_equal(ledger_open(r->dir, true, &second, &f), ERR_CONFLICT);
	assert_string_equal(f.rule, "ledger_exists");
	_cleanup_(freep) char *empty = xasprintf("%s/empty", r->dir), *lock = xasprintf("%s/ledger.lock", empty);
	assert_int_equal(mkdir(empty, 0700), 0);
	assert_int_equal(ledger_open(empty, false, &second, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "ledger_missing");
	unlink(lock);
	rmdir(empty);
	reopen(r);
}

static int64_t at_of(struct room *r, uint64_t index)
{
	_cleanup_buf_ struct buf body = {0};
	struct wire_e_beat e = {0};
	struct fault f = {0};
	struct db *db = reader(r);
	must("entry", ledger_entry(db, index, &body, &f), &f);
	ledger_reader_put(r->l, db);
	must("beat", wire_e_beat_get(buf_slice(&body), &e, &f), &f);
	return e.at;
}

static void time_never_goes_back(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	int64_t now = 0;
	add_beat(r, NULL);
	clock_set(NOW - 600);
	add_beat(r, NULL);
	assert_int_equal(at_of(r, 1), NOW);
	must("now", ledger_now(r->l, &now, &f), &f);
	assert_int_equal(now, NOW);
	reopen(r);
	add_beat(r, NULL);
	assert_int_equal(at_of(r, 2), NOW);
}

static void jumps_need_the_operator(void **state)
{
	struct room *r = *state;
	static const struct {
		int64_t to;
		bool restart, doubt;
	} rows[] = {
		{NOW + 3600, false, false}, {NOW + 7201, false, true},
		{NOW + 7201, true, false},  {NOW + 7201 + 30 * 86400, true, false},
		{NOW, true, true},	    {NOW + 7201 + 30 * 86400 - 3600, true, false},
	};
	struct fault f = {0};
	add_beat(r, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t size = ledger_size(r->l);
		clock_set(rows[i].to);
		if (rows[i].restart)
			reopen(r);
		enum err e = ledger_do(r->l, beat, NULL, &f);
		if (e != (rows[i].doubt ? ERR_LOCKED : OK) || ledger_clock_in_doubt(r->l) != rows[i].doubt)
			fail_msg("row %zu: %s", i, err_word(e));
		assert_int_equal(ledger_size(r->l), size + !rows[i].doubt);
	}
	clock_set(NOW);
	reopen(r);
	assert_int_equal(ledger_do(r->l, beat, NULL, &f), ERR_LOCKED);
	must("accept", ledger_accept_clock(r->l, &f), &f);
	add_beat(r, NULL);
	assert_true(at_of(r, ledger_size(r->l) - 1) >= NOW + 7201 + 30 * 86400);
}

/* --- snapshots --- */

/* A checkpoint of the WAL to its end, which no reader stands in the way of. */
static bool checkpoint_ends(struct room *r)
{
	_cleanup_(db_closep) struct db *db = NULL;
	_cleanup_(freep) char *path = xasprintf("%s/ledger.db", r->dir);
	struct db_row *row = NULL;
	struct fault f = {0};
	must("open", db_open(path, false, &db, &f), &f);
	must("no waiting", db_run(db, &f, "PRAGMA busy_timeout=0", ""), &f);
	must("checkpoint", db_one(db, &f, &row, "PRAGMA wal_checkpoint(TRUNCATE)", ""), &f);
	bool busy = db_i64(row, 0) != 0;
	db_row_done(row);
	return !busy;
}

static void snapshots_are_the_newest(void **state)
{
	struct room *r = *state;
	struct ledger_snapshot a, b, c;
	struct fault f = {0};
	add_beat(r, NULL);
	must("snapshot", ledger_snapshot(r->l, &a, &f), &f);
	assert_true(sees(a.db, 0));
	struct db *first = a.db;
	ledger_snapshot_put(r->l, &a);
	must("snapshot", ledger_snapshot(r->l, &a, &f), &f);
	assert_ptr_equal(a.db, first); /* the same transaction: nothing was committed */
	assert_true(db_in_transaction(a.db) && sees(a.db, 0));
	must("snapshot", ledger_snapshot(r->l, &b, &f), &f);
	assert_ptr_not_equal(b.db, first);
	ledger_snapshot_put(r->l, &b);
	/* One is in use, one was put back: both are of before. */
	add_beat(r, NULL);
	assert_false(sees(a.db, 1));
	must("snapshot", ledger_snapshot(r->l, &c, &f), &f);
	assert_true(sees(c.db, 1));
	ledger_snapshot_put(r->l, &a);
	assert_false(db_in_transaction(first));
	ledger_snapshot_put(r->l, &c);
	struct db *db = reader(r);
	assert_false(db_in_transaction(db));
	ledger_reader_put(r->l, db);
}

/* What was put back holds up no checkpoint behind the next commit. */
static void snapshots_let_go(void **state)
{
	struct room *r = *state;
	struct ledger_snapshot a;
	struct fault f = {0};
	add_beat(r, NULL);
	must("snapshot", ledger_snapshot(r->l, &a, &f), &f);
	assert_true(sees(a.db, 0));
	assert_false(checkpoint_ends(r)); /* in use */
	add_beat(r, NULL);
	ledger_snapshot_put(r->l, &a);
	assert_true(checkpoint_ends(r)); /* an old one is not kept */
	must("snapshot", ledger_snapshot(r->l, &a, &f), &f);
	assert_true(sees(a.db, 1));
	ledger_snapshot_put(r->l, &a);
	assert_true(db_in_transaction(a.db));
	add_beat(r, NULL);
	assert_true(checkpoint_ends(r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_stay),
		TEST(leaf_is_the_bodys),
		TEST(entries_are_bounded),
		TEST(entries_in_parts),
		TEST(many_share_a_flush),
		TEST(failed_leaves_nothing),
		TEST(db_error_takes_all_back),
		TEST(followers_wake),
		TEST(one_signer),
		TEST(time_never_goes_back),
		TEST(jumps_need_the_operator),
		TEST(snapshots_are_the_newest),
		TEST(snapshots_let_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
