/*
 * The write-ahead log in large pieces: what a commit leaves on the disk, what others see of it, and writes that fail.
 */
#include "common/base/cleanup.h"
#include "common/db/private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static char dir[] = "/tmp/hufu-log-XXXXXX";
static const char schema[] =
	"CREATE TABLE word(id INTEGER PRIMARY KEY, text BLOB NOT NULL) STRICT; CREATE INDEX word_text ON word(text);";
static const char insert_word[] = "INSERT INTO word(text) VALUES (?1)";
static const char count_words[] = "SELECT count(*) FROM word";

/* SQLite's pwrite, which counts, and fails when it is told to. */
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static unsigned writes;
static int fail_at = -1,
	   fail_by; /* before that write: -1: none; errno, or 0: half of it is written, and no more fits */

static ssize_t counted_pwrite(int fd, const void *p, size_t n, off_t at)
{
	writes++;
	if (fail_at < 0 || fail_at-- > 0)
		return real_pwrite(fd, p, n, at);
	if (fail_by == 0 && n > 24) {
		fail_by = ENOSPC;
		fail_at = 0;
		return real_pwrite(fd, p, n / 2, at);
	}
	errno = fail_by ? fail_by : ENOSPC;
	fail_at = -1;
	return -1;
}

static int set_up(void **state)
{
	static const char *const names[] = {"pwrite", "pwrite64"};
	(void)state;
	if (!mkdtemp(dir) || chdir(dir) != 0)
		return -1;
	struct fault f = {0};
	_cleanup_(db_closep) struct db *db = NULL;
	assert_int_equal(db_open(":memory:", false, &db, &f), OK);
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	for (size_t i = 0; i < N(names); i++) {
		sqlite3_syscall_ptr was = vfs->xGetSystemCall(vfs, names[i]);
		if (!was)
			continue;
		*(sqlite3_syscall_ptr *)(void *)&real_pwrite = was;
		assert_int_equal(vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)counted_pwrite), SQLITE_OK);
	}
	return real_pwrite ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/") == 0 ? rmdir(dir) : -1;
}

static void forget(void)
{
	static const char *const names[] = {"t.db", "t.db-wal", "t.db-shm", "image.db", "image.db-wal", "image.db-shm"};
	for (size_t i = 0; i < N(names); i++)
		unlink(names[i]);
}

static void ok(enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s", f->rule, f->text);
}

static struct db *writer(const char *pragma)
{
	struct db *db;
	struct fault f = {0};
	const char *all[] = {schema};
	ok(db_open_writer("t.db", &db, &f), &f);
	ok(db_migrate(db, all, 1, &f), &f);
	assert_int_equal(sqlite3_exec(db->handle, pragma, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static enum err add(struct db *db, unsigned n, struct fault *f)
{
	uint8_t text[900];
	TRY(db_begin(db, f));
	for (unsigned i = 0; i < n; i++) {
		sqlite3_randomness(sizeof(text), text);
		TRY(db_run(db, f, insert_word, "b", slice_of(text, sizeof(text))));
	}
	return db_commit(db, f);
}

static int64_t count(struct db *db)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	struct fault f = {0};
	ok(db_one(db, &f, &row, count_words, ""), &f);
	return db_i64(row, 0);
}

static void assert_sound(struct db *db)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	struct fault f = {0};
	ok(db_one(db, &f, &row, "PRAGMA integrity_check", ""), &f);
	assert_string_equal(db_text(row, 0), "ok");
}

/* What a process would find that starts when all others are gone: the file and its log, as they are on the disk. */
static int64_t count_image(void)
{
	_cleanup_(db_closep) struct db *db = NULL;
	struct fault f = {0};
	assert_int_equal(system("rm -f image.db-shm && cp t.db image.db && cp t.db-wal image.db-wal"), 0);
	ok(db_open("image.db", false, &db, &f), &f);
	assert_sound(db);
	return count(db);
}

/* Whatever `synchronous` is: behind a commit of any size, the disk has what a reader sees, and few calls were made. */
static void test_commits(void **state)
{
	/* With memory for all pages: one that is full writes page by page, as the next test has it. */
	static const char *const pragmas[] = {"PRAGMA cache_size=-8192; PRAGMA synchronous=FULL",
					      "PRAGMA cache_size=-8192; PRAGMA synchronous=NORMAL",
					      "PRAGMA cache_size=-8192; PRAGMA synchronous=OFF"};
	static const unsigned sizes[] = {1, 2, 300, 1, 40, 700, 3};
	(void)state;
	for (size_t p = 0; p < N(pragmas); p++) {
		struct db *db = writer(pragmas[p]);
		_cleanup_(db_closep) struct db *reader = NULL;
		struct fault f = {0};
		int64_t sum = 0;
		ok(db_open("t.db", true, &reader, &f), &f);
		ok(db_wal_keep(db, &f), &f);
		for (size_t i = 0; i < N(sizes); i++) {
			unsigned before = db_wal_pages(db);
			writes = 0;
			ok(add(db, sizes[i], &f), &f);
			unsigned pages = db_wal_pages(db) - before;
			assert_in_range(writes, 1, 3 + pages / 25); /* 30 pages a call */
			sum += sizes[i];
			assert_int_equal(count(reader), sum);
			assert_int_equal(count_image(), sum);
		}
		db_close(db);
		forget();
	}
}

/* Pages that do not fit into memory are read back before the commit, written twice, or rolled back; and the log begins anew behind a copy. */
static void test_spilled(void **state)
{
	(void)state;
	struct db *db = writer("PRAGMA cache_size=8");
	struct fault f = {0};
	unsigned pages, copied;
	ok(db_wal_keep(db, &f), &f);
	ok(add(db, 400, &f), &f);
	for (int i = 0; i < 3; i++) {
		ok(db_begin(db, &f), &f);
		ok(db_run(db, &f, "UPDATE word SET text = randomblob(900)", ""), &f);
		ok(db_run(db, &f, "DELETE FROM word WHERE id % 7 = ?1", "i", (int64_t)i), &f);
		assert_sound(db);
		if (i == 1) {
			db_rollback(db);
			ok(add(db, 1, &f), &f);
		} else {
			ok(db_commit(db, &f), &f);
		}
		assert_int_equal(count_image(), count(db));
		ok(db_wal_copy(db, &pages, &copied, &f), &f);
		assert_int_equal(pages, copied);
	}
	assert_sound(db);
	db_close(db);
	assert_int_equal(access("t.db-wal", F_OK), -1);
	ok(db_open("t.db", true, &db, &f), &f);
	assert_sound(db);
	db_close(db);
	forget();
}

/* A write that fails is the error of its commit, whichever of its writes it is; what was there before stays, and the next one succeeds. */
static void test_failing(void **state)
{
	static const struct {
		int error;
		enum err wanted;
		const char *rule;
	} cases[] = {{ENOSPC, ERR_BUSY, "disk_full"}, {EIO, ERR_DB, "db_error"}, {0, ERR_BUSY, "disk_full"}};
	(void)state;
	for (size_t c = 0; c < N(cases); c++) {
		struct db *db = writer("PRAGMA cache_size=-8192");
		struct fault f = {0};
		ok(db_wal_keep(db, &f), &f);
		ok(add(db, 5, &f), &f);
		int64_t sum = 5;
		for (int at = 0; at < 4; at++) {
			fail_by = cases[c].error;
			fail_at = at;
			assert_int_equal(add(db, 300, &f), cases[c].wanted);
			assert_string_equal(f.rule, cases[c].rule);
			assert_int_equal(fail_at, -1);
			db_rollback(db);
			assert_int_equal(count(db), sum);
			assert_int_equal(count_image(), sum);
			ok(add(db, 1, &f), &f);
			sum++;
			assert_int_equal(count_image(), sum);
		}
		assert_sound(db);
		db_close(db);
		forget();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_commits), cmocka_unit_test(test_spilled),
					   cmocka_unit_test(test_failing)};
	return cmocka_run_group_tests_name("log_vfs", tests, set_up, tear_down);
}
