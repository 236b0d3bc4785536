/*
 * The ledger alone: only ever appended, one flush for many, nothing left of an operation that failed, time that does
 * not go back, one signer on a file, and what is derived from the entries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/ledger_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/note/merkle.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define NOW INT64_C(1795392000)

struct room {
	char dir[40];
	struct ledger *l;
};

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\": %s", what, err_word(e), f->rule, f->text);
}

static void reopen(struct room *r)
{
	struct fault f = {0};
	ledger_closep(&r->l);
	must("open", ledger_open(r->dir, false, &r->l, &f), &f);
}

static int set_up(void **state)
{
	struct room *r = xcalloc(1, sizeof(*r));
	struct fault f = {0};
	clock_set(NOW);
	log_init("test", LOG_LEVEL_ERROR);
	snprintf(r->dir, sizeof(r->dir), "/tmp/hufu-ledger-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	must("open", ledger_open(r->dir, true, &r->l, &f), &f);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct room *r = *state;
	static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.lock",
					    "before.db", "before.db-wal", "before.db-shm"};
	ledger_closep(&r->l);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", r->dir, names[i]);
		unlink(path);
	}
	rmdir(r->dir);
	free(r);
	clock_set(0);
	return 0;
}

static enum err beat(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct wire_e_beat e = {0};
	return ledger_append_e_beat(tx, &e, arg, f);
}

static void add_beat(struct room *r, uint64_t *ret)
{
	struct fault f = {0};
	must("beat", ledger_do(r->l, beat, ret, &f), &f);
}

static struct db *reader(struct room *r)
{
	struct db *db = NULL;
	struct fault f = {0};
	must("reader", ledger_reader(r->l, &db, &f), &f);
	return db;
}

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

/* --- certificates --- */

static struct ledger_cert a_cert(unsigned serial, int64_t line)
{
	struct ledger_cert c = {.intent = 7,
				.entry = LEDGER_NONE,
				.not_before = NOW,
				.not_after = NOW + 1000,
				.line = line,
				.shard = serial % 4};
	memset(c.ref.issuer_key_id, 0xca, 20);
	c.ref.serial = (struct serial){.b = {0x10, (uint8_t)(serial >> 8), (uint8_t)serial}, .n = 3};
	snprintf(c.project, sizeof(c.project), "jinhua");
	snprintf(c.profile, sizeof(c.profile), "organisation");
	memset(c.key, (int)serial, 32);
	return c;
}

static enum err add_cert(struct ledger_tx *tx, void *arg, struct fault *f)
{
	return ledger_cert_add(tx, arg, f);
}

static void serials_are_unique(void **state)
{
	struct room *r = *state;
	struct ledger_cert c = a_cert(1, 5), twin = a_cert(1, 6), back, other = a_cert(1, 7);
	struct fault f = {0};
	must("add", ledger_do(r->l, add_cert, &c, &f), &f);
	assert_int_equal(c.root, c.id);
	assert_int_equal(ledger_do(r->l, add_cert, &twin, &f), ERR_CONFLICT);
	other.ref.issuer_key_id[0] ^= 1; /* another issuer's serials are its own */
	must("add", ledger_do(r->l, add_cert, &other, &f), &f);
	struct db *db = reader(r);
	must("cert", ledger_cert(db, &c.ref, &back, &f), &f);
	assert_int_equal(back.id, c.id);
	assert_int_equal(back.entry, LEDGER_NONE);
	assert_int_equal(back.intent, 7);
	assert_int_equal(back.state, CERT_GOOD);
	assert_int_equal(back.line, 5);
	assert_memory_equal(back.key, c.key, 32);
	struct serial last;
	must("last", ledger_last_serial(db, c.ref.issuer_key_id, &last, &f), &f);
	assert_true(serial_eq(&last, &c.ref.serial));
	c.ref.serial.b[0] ^= 1;
	assert_int_equal(ledger_cert(db, &c.ref, &back, &f), ERR_NOT_FOUND);
	ledger_reader_put(r->l, db);
}

static void lines_in_pages(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	int64_t ids[LEDGER_PAGE], below = INT64_MAX;
	size_t n = 0, all = 0;
	for (unsigned i = 0; i < LEDGER_PAGE + 6; i++) {
		struct ledger_cert c = a_cert(i, i % 35 == 34 ? 2 : 1);
		must("add", ledger_do(r->l, add_cert, &c, &f), &f);
	}
	struct db *db = reader(r);
	do {
		must("line", ledger_certs_in_line(db, 1, below, ids, &n, &f), &f);
		for (size_t i = 0; i < n; i++) {
			assert_true(ids[i] < below);
			below = ids[i];
		}
		all += n;
	} while (n == LEDGER_PAGE);
	assert_int_equal(all, LEDGER_PAGE + 6 - 2);
	uint8_t key[32];
	memset(key, 3, sizeof(key));
	must("key", ledger_certs_with_key(db, key, INT64_MAX, ids, &n, &f), &f);
	assert_int_equal(n, 1);
	ledger_reader_put(r->l, db);
	assert_true(ledger_line_hash("a", "bc") != ledger_line_hash("ab", "c"));
}

static enum err add_ended(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct ledger_cert *c = arg;
	TRY(ledger_cert_add(tx, c, f));
	return ledger_set_state(tx, c, c->adopted ? CERT_ENDED : CERT_REVOKED, 4, 1000, 0, f);
}

/* Adopted ones that ended, and no others, in the order in which they were adopted. */
static void ended_in_pages(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	int64_t ids[LEDGER_PAGE], above = 0;
	size_t n = 0, all = 0;
	for (unsigned i = 0; i < LEDGER_PAGE + 9; i++) {
		struct ledger_cert c = a_cert(i, 1);
		c.adopted = i % 3 != 0;
		must("add", ledger_do(r->l, i % 3 == 2 ? add_cert : add_ended, &c, &f), &f);
	}
	for (unsigned i = 0; i < LEDGER_PAGE; i++) {
		struct ledger_cert c = a_cert(1000 + i, 1);
		c.adopted = true;
		must("add", ledger_do(r->l, add_ended, &c, &f), &f);
	}
	struct db *db = reader(r);
	do {
		must("ended", ledger_certs_ended(db, above, ids, &n, &f), &f);
		for (size_t i = 0; i < n; i++) {
			assert_true(ids[i] > above);
			above = ids[i];
		}
		all += n;
	} while (n == LEDGER_PAGE);
	assert_int_equal(all, LEDGER_PAGE + (LEDGER_PAGE + 9) / 3);
	ledger_reader_put(r->l, db);
}

/* --- snapshots --- */

static bool sees(struct db *db, uint64_t index)
{
	_cleanup_buf_ struct buf body = {0};
	struct fault f = {0};
	enum err e = ledger_entry(db, index, &body, &f);
	assert_true(e == OK || e == ERR_NOT_FOUND);
	return e == OK;
}

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

/* --- the write-ahead log --- */

#define LOG_PAGES 600u
#define LOG_PAGES_LATE (10 * LOG_PAGES) /* when a copy was in vain the next comes that much later */
#define FILE_BYTES 60000u		/* of a file that fills the log: 15 pages and some */

static enum err add_files(struct ledger_tx *tx, void *arg, struct fault *f)
{
	static uint8_t bytes[FILE_BYTES];
	(void)arg;
	for (unsigned i = 0; i < 8; i++) {
		uint8_t name[32];
		random_fill(name, sizeof(name));
		TRY(ledger_file_add(tx, name, slice_of(bytes, sizeof(bytes)), f));
	}
	return beat(tx, NULL, f);
}

static unsigned log_pages(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	unsigned pages = l->wal_pages;
	pthread_mutex_unlock(&l->lock);
	return pages;
}

static void copy_early(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->wal_begin = l->wal_next = LOG_PAGES;
	pthread_mutex_unlock(&l->lock);
}

static enum err nothing(struct ledger_tx *tx, void *arg, struct fault *f)
{
	(void)tx;
	(void)arg;
	(void)f;
	return OK;
}

/* The copy that the last commit led to has ended: the writer, which looks behind each commit whether there is one to be
 * made, has done another thing since. */
static void copy_has_ended(struct ledger *l)
{
	(void)!ledger_do(l, nothing, NULL, NULL);
	pthread_mutex_lock(&l->lock);
	while (!l->broken && (l->copying || l->wal_pages >= l->wal_next))
		pthread_cond_wait(&l->copied, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

/* Goes on until the log has begun anew; false: it has not by the time that it has so many pages. */
static bool begins_anew(struct room *r, unsigned most)
{
	for (unsigned before = 0, now = log_pages(r->l); now < most; before = now, now = log_pages(r->l)) {
		struct fault f = {0};
		if (now < before)
			return true;
		must("files", ledger_do(r->l, add_files, NULL, &f), &f);
		copy_has_ended(r->l);
	}
	return false;
}

static void the_log_begins_anew(void **state)
{
	struct room *r = *state;
	copy_early(r->l);
	for (unsigned i = 0; i < 3; i++)
		assert_true(begins_anew(r, LOG_PAGES_LATE));
	uint64_t size = ledger_size(r->l);
	reopen(r);
	assert_int_equal(ledger_size(r->l), size);
}

static void the_log_stays_for_who_reads_it(void **state)
{
	struct room *r = *state;
	struct ledger_snapshot old;
	struct fault f = {0};
	add_beat(r, NULL);
	must("snapshot", ledger_snapshot(r->l, &old, &f), &f);
	assert_true(sees(old.db, 0));
	copy_early(r->l);
	assert_false(begins_anew(r, 4 * LOG_PAGES));
	assert_false(sees(old.db, 1));
	assert_true(sees(old.db, 0));
	ledger_snapshot_put(r->l, &old);
	assert_true(begins_anew(r, LOG_PAGES_LATE));
}

/* The file may grow to so many bytes; the log, which begins anew because each copy is waited for, stays smaller. */
static void a_copy_fails(void **state)
{
	struct room *r = *state;
	struct rlimit before, small = {0};
	struct fault f = {0};
	enum err e = OK;
	copy_early(r->l);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = 12u << 20, .rlim_max = before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (unsigned i = 0; i < 400 && e == OK; i++) {
		e = ledger_do(r->l, add_files, NULL, &f);
		copy_has_ended(r->l);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(e, ERR_DB);
	assert_string_equal(f.rule, "ledger_broken");
	assert_true(ledger_broken(r->l));
	uint64_t size = ledger_size(r->l);
	reopen(r);
	assert_int_equal(ledger_size(r->l), size);
	add_beat(r, NULL);
}

struct pair {
	struct ledger_cert old, new;
	struct ledger_fate fate;
};

static enum err succeed(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct pair *p = arg;
	TRY(ledger_cert_add(tx, &p->old, f));
	TRY(ledger_cert_issued(tx, p->old.id, 3, f));
	TRY(ledger_cert_add(tx, &p->new, f));
	return ledger_succeed(tx, p->old.id, p->new.id, &p->fate, f);
}
static enum err issued(struct ledger_tx *tx, void *arg, struct fault *f)
{
	return ledger_cert_issued(tx, ((struct pair *)arg)->new.id, 9, f);
}
static enum err drop(struct ledger_tx *tx, void *arg, struct fault *f)
{
	return ledger_cert_drop(tx, ((struct pair *)arg)->new.id, f);
}

static int64_t due_at(struct room *r, int64_t now, struct ledger_fate *ret)
{
	struct fault f = {0};
	int64_t id = 0;
	struct db *db = reader(r);
	must("due", ledger_due(db, now, 0, &id, ret, &f), &f);
	ledger_reader_put(r->l, db);
	return id;
}

/* A predecessor falls due only when its successor is really issued, and not before its time. */
static void due_after_issue(void **state)
{
	struct room *r = *state;
	struct pair p = {
		a_cert(1, 1), a_cert(2, 1), {.revoke = true, .reason = 4, .when = NOW + 100, .cause = 7, .tally = {9}}};
	struct ledger_fate fate;
	struct ledger_cert c;
	struct fault f = {0};
	must("succeed", ledger_do(r->l, succeed, &p, &f), &f);
	assert_int_equal(due_at(r, NOW + 200, &fate), 0);
	struct db *db = reader(r);
	must("cert", ledger_cert_by_id(db, p.old.id, &c, &f), &f);
	assert_true(c.successor == p.new.id &&c.successor_open);
	ledger_reader_put(r->l, db);
	must("issued", ledger_do(r->l, issued, &p, &f), &f);
	assert_int_equal(due_at(r, NOW + 99, &fate), 0);
	assert_int_equal(due_at(r, NOW + 100, &fate), p.old.id);
	assert_int_equal(fate.reason, 4);
	assert_int_equal(fate.cause, 7);
	assert_int_equal(fate.tally[0], 9);
	/* What is issued is not dropped. */
	must("drop", ledger_do(r->l, drop, &p, &f), &f);
	db = reader(r);
	must("cert", ledger_cert_by_id(db, p.new.id, &c, &f), &f);
	must("cert", ledger_cert_by_id(db, p.old.id, &c, &f), &f);
	assert_int_equal(c.successor, p.new.id);
	ledger_reader_put(r->l, db);
}

static void dropped_frees_the_predecessor(void **state)
{
	struct room *r = *state;
	struct pair p = {a_cert(1, 1), a_cert(2, 1), {.revoke = true, .reason = 4, .when = NOW}};
	struct ledger_cert c;
	struct fault f = {0};
	must("succeed", ledger_do(r->l, succeed, &p, &f), &f);
	must("drop", ledger_do(r->l, drop, &p, &f), &f);
	struct db *db = reader(r);
	must("cert", ledger_cert_by_id(db, p.old.id, &c, &f), &f);
	assert_int_equal(c.successor, 0);
	assert_int_equal(ledger_cert_by_id(db, p.new.id, &c, &f), ERR_NOT_FOUND);
	ledger_reader_put(r->l, db);
}

/* --- a ledger of before --- */

static const uint8_t own[20] = {0xca, 1}, foreign[20] = {0xca, 2};

/* One certificate of ours and one adopted with the same serial, ours revoked and on two CRLs. */
static void fill_of_before(struct db *db)
{
	_cleanup_buf_ struct buf body = {0};
	struct fault f = {0};
	struct wire_e_crl e = {.at = NOW, .shard = WIRE_FULL_CRL, .number = 7};
	static const uint8_t zero[32];
	memcpy(e.issuer, own, 20);
	wire_e_crl_put(&e, &body);
	must("entry",
	     db_run(db, &f, "INSERT INTO entries (idx, type, at, leaf, body) VALUES (0, ?1, ?2, ?3, ?4)", "iibb",
		    (int64_t)WIRE_TYPE_E_CRL, NOW, slice_of(zero, 32), buf_slice(&body)),
	     &f);
	must("issuers",
	     db_run(db, &f, "INSERT INTO issuer (id, key_id) VALUES (1, ?1), (2, ?2)", "bb", slice_of(foreign, 20),
		    slice_of(own, 20)),
	     &f);
	for (int64_t issuer = 1; issuer <= 2; issuer++)
		must("certificate",
		     db_run(db, &f,
			    "INSERT INTO certificate (issuer, serial, not_before, not_after, project, profile, line, "
			    "key64, "
			    "key, root, renewals, shard, adopted, weak) VALUES (?1, x'0102', 0, 0, 'p', 'p', 0, 0, "
			    "x'00', 1, "
			    "0, 3, ?2, 0)",
			    "ii", issuer, (int64_t)(issuer == 1)),
		     &f);
	must("revoked",
	     db_run(db, &f,
		    "INSERT INTO revocation (serial, shard, at, reason, keep_until) VALUES (x'0102', 3, 5, 1, "
		    "?1)",
		    "i", NOW),
	     &f);
	must("crls",
	     db_run(db, &f,
		    "INSERT INTO crl (scope, number, this_update, next_update, upto, changed, sha256) VALUES (?1, 7, "
		    "1, 2, 3, 4, ?2), (3, 5, 1, 2, 3, NULL, ?2)",
		    "ib", (int64_t)WIRE_FULL_CRL, slice_of(zero, 32)),
	     &f);
}

static size_t count_revoked(struct db *db, const uint8_t issuer[20], uint32_t scope)
{
	_cleanup_(ledger_revoked_donep) struct ledger_revoked *r = NULL;
	struct fault f = {0};
	struct serial serial;
	int64_t when;
	unsigned reason;
	bool more = true;
	size_t n = 0;
	must("revoked", ledger_revoked(db, issuer, scope, 0, &r, &f), &f);
	must("next", ledger_revoked_next(r, &serial, &when, &reason, &more, &f), &f);
	for (; more; n++) {
		assert_string_equal(SERIAL(&serial), "0102");
		assert_int_equal(when, 5);
		assert_int_equal(reason, 1);
		must("next", ledger_revoked_next(r, &serial, &when, &reason, &more, &f), &f);
	}
	return n;
}

static void crls_get_their_issuer(void **state)
{
	struct room *r = *state;
	_cleanup_(freep) char *path = xasprintf("%s/before.db", r->dir);
	_cleanup_(db_closep) struct db *db = NULL;
	struct ledger_crl c;
	struct fault f = {0};
	ledger_closep(&r->l);
	must("open", db_open(path, false, &db, &f), &f);
	must("of before", db_migrate(db, ledger_migrations, 3, &f), &f);
	fill_of_before(db);
	must("today's", db_migrate(db, ledger_migrations, ledger_n_migrations, &f), &f);
	must("full", ledger_crl(db, own, WIRE_FULL_CRL, &c, &f), &f);
	assert_int_equal(c.number, 7);
	assert_int_equal(c.changed, 4);
	must("shard", ledger_crl(db, own, 3, &c, &f), &f);
	assert_int_equal(c.number, 5);
	must("another's", ledger_crl(db, foreign, WIRE_FULL_CRL, &c, &f), &f);
	assert_int_equal(c.number, 0);
	assert_int_equal(count_revoked(db, own, WIRE_FULL_CRL), 1);
	assert_int_equal(count_revoked(db, own, 3), 1);
	assert_int_equal(count_revoked(db, own, 2), 0);
	assert_int_equal(count_revoked(db, foreign, WIRE_FULL_CRL), 0);
}

static void check_tally(struct db *db, uint8_t first, uint64_t intent, uint64_t outcome, bool dead)
{
	struct ledger_tally t;
	struct fault f = {0};
	const uint8_t id[TALLY_ID] = {first};
	must("tally", ledger_tally(db, id, &t, &f), &f);
	assert_true(t.known && !t.withdrawn);
	assert_int_equal(t.intent, intent);
	assert_int_equal(t.outcome, outcome);
	assert_int_equal(t.dead, dead);
}

/* Of before: an outcome stood with the tally. 1 is done, 2 and 4 are open, 3 was given up, 5 is a revocation. */
static void outcomes_move_to_certificates(void **state)
{
	struct room *r = *state;
	_cleanup_(freep) char *path = xasprintf("%s/before.db", r->dir);
	_cleanup_(db_closep) struct db *db = NULL;
	struct fault f = {0};
	uint64_t intent;
	int64_t cert;
	ledger_closep(&r->l);
	must("open", db_open(path, false, &db, &f), &f);
	must("of before", db_migrate(db, ledger_migrations, 4, &f), &f);
	must("issuer", db_run(db, &f, "INSERT INTO issuer (id, key_id) VALUES (1, x'01')", ""), &f);
	must("certificates",
	     db_run(db, &f,
		    "INSERT INTO certificate (id, issuer, serial, intent, entry, not_before, not_after, project,"
		    " profile, line, key64, key, root, renewals, shard, adopted, weak)"
		    " SELECT column1, 1, column2, column3, column4, 0, 0, '', '', 0, 0, x'', column1, 0, 0, 0, 0"
		    " FROM (VALUES (11, x'01', 100, 101), (12, x'02', 102, NULL), (14, x'04', 106, NULL),"
		    " (15, x'05', NULL, 3))",
		    ""),
	     &f);
	must("tallies",
	     db_run(db, &f,
		    "INSERT INTO tally (id, text, intent, outcome, dead) SELECT CAST(column1 || zeroblob(15) AS BLOB), "
		    "zeroblob(32),"
		    " column2, column3, column4 FROM (VALUES (x'01', 100, 101, 0), (x'02', 102, NULL, 0),"
		    " (x'03', 103, 104, 1), (x'04', 106, NULL, 0), (x'05', NULL, 105, 0))",
		    ""),
	     &f);
	must("today's", db_migrate(db, ledger_migrations, ledger_n_migrations, &f), &f);
	check_tally(db, 1, 100, 101, false);
	check_tally(db, 2, 102, LEDGER_NONE, false);
	check_tally(db, 3, 103, 104, true);
	check_tally(db, 5, LEDGER_NONE, 105, false);
	must("open", ledger_open_intent(db, 0, &intent, &cert, &f), &f);
	assert_int_equal(intent, 102);
	assert_int_equal(cert, 12);
	must("open", ledger_open_intent(db, 103, &intent, &cert, &f), &f);
	assert_int_equal(intent, 106);
	assert_int_equal(cert, 14);
	must("open", ledger_open_intent(db, 107, &intent, &cert, &f), &f);
	assert_int_equal(intent, LEDGER_NONE);
	/* Its outcome comes, and is the tally's. */
	must("outcome", ledger_cert_issued(&(struct ledger_tx){.db = db}, 12, 108, &f), &f);
	check_tally(db, 2, 102, 108, false);
	must("dead", ledger_tally_dead(&(struct ledger_tx){.db = db}, (const uint8_t[TALLY_ID]){4}, 109, &f), &f);
	must("dropped", ledger_cert_drop(&(struct ledger_tx){.db = db}, 14, &f), &f);
	check_tally(db, 4, 106, 109, true);
	must("open", ledger_open_intent(db, 0, &intent, &cert, &f), &f);
	assert_int_equal(intent, LEDGER_NONE);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

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
		TEST(serials_are_unique),
		TEST(snapshots_are_the_newest),
		TEST(snapshots_let_go),
		TEST(the_log_begins_anew),
		TEST(the_log_stays_for_who_reads_it),
		TEST(a_copy_fails),
		TEST(lines_in_pages),
		TEST(ended_in_pages),
		TEST(due_after_issue),
		TEST(dropped_frees_the_predecessor),
		TEST(crls_get_their_issuer),
		TEST(outcomes_move_to_certificates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
