/*
 * The ledger's Merkle tree: what the writer's tiles give is what all the leaves give, proofs lead to signed
 * checkpoints, a start finds what was damaged, and an operation that failed leaves no leaf.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/ledger_check.h"
#include "ca/log_signer.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <string.h>
#include <sys/stat.h>

#define NOW INT64_C(1795392000)
static const uint8_t ca[20] = {0xca};

struct room {
	char dir[40];
	struct ledger *l;
	struct log_key key;
};

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\": %s", what, err_word(e), f->rule, f->text);
}

static void take_key(struct room *r)
{
	_cleanup_buf_ struct buf vkey = {0};
	_cleanup_(freep) char *path = path_join(r->dir, "log.vkey");
	struct fault f = {0};
	struct log_signer *log = NULL;
	must("log key", log_signer_open(&(struct ca_config){.state = r->dir}, ca, &log, &f), &f);
	ledger_take_log(r->l, log);
	must("vkey", file_read(path, 1000, &vkey, &f), &f);
	must("vkey", log_key_parse(buf_slice(&vkey), &r->key, &f), &f);
}

static int set_up(void **state)
{
	struct room *r = xcalloc(1, sizeof(*r));
	struct fault f = {0};
	clock_set(NOW);
	log_init("test", LOG_LEVEL_ERROR);
	snprintf(r->dir, sizeof(r->dir), "/tmp/hufu-tree-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	must("open", ledger_open(r->dir, true, &r->l, &f), &f);
	must("make key", log_signer_make(&(struct ca_config){.state = r->dir}, ca, &f), &f);
	take_key(r);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct room *r = *state;
	static const char *const names[] = {"ledger.db",   "ledger.db-wal", "ledger.db-shm",
					    "ledger.lock", "log.key",	    "log.vkey"};
	ledger_closep(&r->l);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_(freep) char *path = path_join(r->dir, names[i]);
		unlink(path);
	}
	rmdir(r->dir);
	free(r);
	clock_set(0);
	return 0;
}

struct batch {
	size_t n;
	bool fail;
};

static enum err beats(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct batch *b = arg;
	for (size_t i = 0; i < b->n; i++) {
		struct wire_e_beat e = {0};
		TRY(ledger_append_e_beat(tx, &e, NULL, f));
	}
	return b->fail ? fault_raise(f, ERR_RULE, "played", "played", "played") : OK;
}

static void add(struct room *r, size_t n)
{
	struct batch b = {.n = n};
	struct fault f = {0};
	must("beats", ledger_do(r->l, beats, &b, &f), &f);
}

struct leaves {
	merkle_hash *v;
	size_t n;
};

static void take_leaf(void *arg, struct slice body)
{
	struct leaves *l = arg;
	merkle_leaf(body, l->v[l->n++]);
}

/* Every leaf, from the bodies. Gives l->v. */
static void all_leaves(struct room *r, struct db *db, struct leaves *l)
{
	struct fault f = {0};
	uint64_t size = ledger_size(r->l);
	l->v = xcalloc(size + 1, sizeof(*l->v));
	while (l->n < size)
		must("entries", ledger_entries(db, l->n, 1024, SIZE_MAX, take_leaf, l, &f), &f);
}

/* Member by member: there is room between them. */
static void check_same(const struct checkpoint *found, const struct checkpoint *wanted)
{
	assert_string_equal(found->origin, wanted->origin);
	assert_int_equal(found->size, wanted->size);
	assert_memory_equal(found->root, wanted->root, sizeof(found->root));
}

static struct checkpoint head(struct room *r)
{
	_cleanup_buf_ struct buf note = {0};
	struct checkpoint made, opened;
	struct fault f = {0};
	must("checkpoint", ledger_checkpoint(r->l, &made, &note, &f), &f);
	must("opens", checkpoint_open(buf_slice(&note), &r->key, &opened, &f), &f);
	check_same(&made, &opened);
	return opened;
}

static void check_tree(struct room *r)
{
	struct leaves l = {0};
	struct db *db = NULL;
	struct fault f = {0};
	merkle_hash root;
	struct checkpoint c = head(r);
	must("reader", ledger_reader(r->l, &db, &f), &f);
	all_leaves(r, db, &l);
	assert_int_equal(c.size, l.n);
	merkle_root(l.v, l.n, root);
	assert_memory_equal(c.root, root, 32);
	for (size_t step = 1, i = 0; i < l.n; i += step, step += 1 + step / 3) {
		_cleanup_buf_ struct buf path = {0};
		must("prove", ledger_prove_inclusion(db, i, c.size, &path, &f), &f);
		assert_true(merkle_included(l.v[i], i, c.size, (const merkle_hash *)path.data, path.len / 32, c.root));
	}
	for (size_t step = 1, m = 0; m <= l.n; m += step, step += 1 + step / 3) {
		_cleanup_buf_ struct buf path = {0};
		merkle_hash old;
		merkle_root(l.v, m, old);
		must("prove", ledger_prove_consistency(db, m, c.size, &path, &f), &f);
		assert_true(merkle_consistent(m, old, c.size, c.root, (const merkle_hash *)path.data, path.len / 32));
	}
	ledger_reader_put(r->l, db);
	free(l.v);
}

static void reopen(struct room *r)
{
	struct fault f = {0};
	ledger_closep(&r->l);
	must("open", ledger_open(r->dir, false, &r->l, &f), &f);
	take_key(r);
}

/* Sizes around the tiles' borders, one level up too, and each again after a restart. */
static void test_tiles_give_the_root(void **state)
{
	struct room *r = *state;
	static const size_t steps[] = {0, 1, 1, 5, 248, 1, 1, 255, 1, 4096, 60927, 1, 300};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		for (size_t left = steps[i]; left > 0;) {
			size_t n = left < 5000 ? left : 5000;
			add(r, n);
			left -= n;
		}
		check_tree(r);
		struct checkpoint before = head(r);
		reopen(r);
		struct checkpoint after = head(r);
		check_same(&after, &before);
	}
	check_tree(r);
	assert_true(ledger_size(r->l) > 65536);
}

static void test_failed_operations_leave_no_leaf(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	add(r, 254);
	struct checkpoint before = head(r);
	struct batch bad = {.n = 5, .fail = true};
	assert_int_equal(ledger_do(r->l, beats, &bad, &f), ERR_RULE);
	struct checkpoint after = head(r);
	check_same(&after, &before);
	add(r, 3);
	check_tree(r);
}

static void test_no_proof_beyond_the_tree(void **state)
{
	struct room *r = *state;
	_cleanup_buf_ struct buf path = {0};
	struct db *db = NULL;
	struct fault f = {0};
	add(r, 10);
	must("reader", ledger_reader(r->l, &db, &f), &f);
	assert_int_equal(ledger_prove_inclusion(db, 10, 10, &path, &f), ERR_NOT_FOUND);
	assert_int_equal(ledger_prove_inclusion(db, UINT64_MAX, 10, &path, &f), ERR_NOT_FOUND);
	assert_int_equal(path.len, 0);
	ledger_reader_put(r->l, db);
}

static void test_log_key(void **state)
{
	struct room *r = *state;
	_cleanup_(freep) char *path = path_join(r->dir, "log.key");
	struct fault f = {0};
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* Made once: a second genesis in the same folder keeps the key. */
	struct log_key before = r->key;
	must("again", log_signer_make(&(struct ca_config){.state = r->dir}, ca, &f), &f);
	take_key(r);
	assert_memory_equal(&before, &r->key, sizeof(before));
	assert_int_equal(unlink(path), 0);
	struct log_signer *none = NULL;
	assert_int_equal(log_signer_open(&(struct ca_config){.state = r->dir}, ca, &none, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "log_key_missing");
}

/* Each kind of damage that a file can have is found at the start, and named. */
static void test_damage_is_found_at_the_start(void **state)
{
	static const struct {
		const char *sql, *found;
	} cases[] = {
		{"UPDATE tree SET size = size - 1", "the file is damaged"},
		{"UPDATE tree SET root = zeroblob(32)", "does not give the root"},
		{"DELETE FROM node", "is missing"},
		{"UPDATE node SET hash = zeroblob(32)", "does not give the root"},
		{"DROP TRIGGER entries_no_update; UPDATE entries SET body = X'01' WHERE idx = 300",
		 "is not what its leaf"},
		{"DROP TRIGGER entries_no_delete; DELETE FROM entries WHERE idx = 300", "but a tree of"},
		{"DROP TRIGGER entries_no_update; UPDATE entries SET leaf = zeroblob(32) WHERE idx = 299",
		 "is not what its leaf"},
	};
	struct room *r = *state;
	_cleanup_(freep) char *path = path_join(r->dir, "ledger.db");
	add(r, 301);
	ledger_closep(&r->l);
	_cleanup_buf_ struct buf good = {0};
	struct fault f = {0};
	must("read", file_read(path, 64u << 20, &good, &f), &f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct db *db = NULL;
		must("restore", file_write(path, buf_slice(&good), 0600, &f), &f);
		must("db", db_open(path, false, &db, &f), &f);
		_cleanup_(freep) char *copy = xstrdup(cases[i].sql);
		for (char *rest = copy, *one; (one = strsep(&rest, ";"));)
			must(one, db_run(db, &f, one, ""), &f);
		db_close(db);
		assert_int_equal(ledger_open(r->dir, false, &r->l, &f), ERR_DB);
		if (!strstr(f.text, cases[i].found))
			fail_msg("%s: found \"%s\", wanted \"%s\"", cases[i].sql, f.text, cases[i].found);
		assert_null(r->l);
	}
	must("restore", file_write(path, buf_slice(&good), 0600, &f), &f);
	reopen(r);
	check_tree(r);
}

/* --- looking at the file from outside --- */

/* Each is damage beyond the tail, which a start does not look at. */
static void test_the_full_scan_finds_what_a_start_does_not(void **state)
{
	static const struct {
		const char *sql, *found;
	} cases[] = {
		{"DROP TRIGGER entries_no_update; UPDATE entries SET body = X'01' WHERE idx = 3",
		 "entry 3: its leaf hash"},
		{"DROP TRIGGER entries_no_update; UPDATE entries SET at = at + 1 WHERE idx = 3",
		 "entry 3: type or time"},
		{"DROP TRIGGER entries_no_update; UPDATE entries SET type = 140 WHERE idx = 3",
		 "entry 3: type or time"},
		{"DROP TRIGGER entries_no_delete; DELETE FROM entries WHERE idx = 3", "entry 3: it is missing"},
		{"UPDATE node SET hash = zeroblob(32)", "node 0 of level 8"},
		{"UPDATE tree SET root = zeroblob(32)", "or another root"},
	};
	struct room *r = *state;
	_cleanup_(freep) char *path = path_join(r->dir, "ledger.db");
	_cleanup_buf_ struct buf good = {0};
	struct ledger_report report;
	struct fault f = {0};
	add(r, 301);
	must("while it is open", ledger_check(path, &report, &f), &f);
	assert_int_equal(report.size, 301);
	assert_int_equal(report.open_intents, 0);
	struct checkpoint c = head(r);
	assert_memory_equal(report.root, c.root, 32);
	ledger_closep(&r->l);
	must("read", file_read(path, 64u << 20, &good, &f), &f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct db *db = NULL;
		must("restore", file_write(path, buf_slice(&good), 0600, &f), &f);
		must("db", db_open(path, false, &db, &f), &f);
		_cleanup_(freep) char *copy = xstrdup(cases[i].sql);
		for (char *rest = copy, *one; (one = strsep(&rest, ";"));)
			must(one, db_run(db, &f, one, ""), &f);
		db_close(db);
		assert_int_equal(ledger_check(path, &report, &f), ERR_DB);
		if (!strstr(f.text, cases[i].found))
			fail_msg("%s: found \"%s\", wanted \"%s\"", cases[i].sql, f.text, cases[i].found);
	}
	assert_int_equal(ledger_check("/nonexistent/ledger.db", &report, &f), ERR_NOT_FOUND);
}

static void test_backup(void **state)
{
	struct room *r = *state;
	_cleanup_(freep) char *path = path_join(r->dir, "ledger.db"), *to = path_join(r->dir, "copy.db"),
			      *wal = path_join(r->dir, "copy.db-wal"), *nowhere = path_join(r->dir, "no/copy.db");
	struct ledger_report report;
	struct stat st;
	struct fault f = {0};
	add(r, 600);
	must("backup", ledger_file_backup(path, to, &f), &f);
	add(r, 5);
	must("check", ledger_check(to, &report, &f), &f);
	assert_int_equal(report.size, 600);
	assert_int_equal(stat(to, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(wal, &st), -1);
	assert_int_equal(ledger_file_backup(path, to, &f), ERR_CONFLICT);
	assert_int_equal(ledger_file_backup(path, nowhere, &f), ERR_IO);
	unlink(to);
}

/* A ledger from before there was a tree gets one at its first start. */
static void test_older_ledgers_get_a_tree(void **state)
{
	struct room *r = *state;
	_cleanup_(freep) char *path = path_join(r->dir, "ledger.db");
	struct db *db = NULL;
	struct fault f = {0};
	add(r, 700);
	struct checkpoint before = head(r);
	ledger_closep(&r->l);
	must("db", db_open(path, false, &db, &f), &f);
	static const char *const since[] = {"DROP TABLE node",
					    "DROP TABLE tree",
					    "DROP TABLE waiting",
					    "DROP TABLE restored",
					    "DROP TABLE lost",
					    "DROP INDEX certificate_open",
					    "ALTER TABLE tally DROP COLUMN cert",
					    "CREATE INDEX tally_open ON tally (intent) WHERE outcome IS NULL"};
	for (size_t i = 0; i < sizeof(since) / sizeof(since[0]); i++)
		must(since[i], db_run(db, &f, since[i], ""), &f);
	must("version", db_run(db, &f, "PRAGMA user_version=1", ""), &f);
	db_close(db);
	reopen(r);
	struct checkpoint after = head(r);
	check_same(&after, &before);
	add(r, 100);
	check_tree(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tiles_give_the_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_operations_leave_no_leaf, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_proof_beyond_the_tree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_log_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damage_is_found_at_the_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_older_ledgers_get_a_tree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_full_scan_finds_what_a_start_does_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backup, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
