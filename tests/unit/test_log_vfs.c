/*
 * The write-ahead log in large pieces: what a commit leaves on the disk, what others see of it, and writes that fail.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/db/private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
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

/* --- the file alone, without a database --- */

#define PAGE 4096
#define FRAME (24 + PAGE)
#define LOG_HEAD 32
#define FRAMES_A_PIECE 30

static sqlite3_file *log_open(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(log_vfs());
	assert_non_null(vfs);
	sqlite3_file *f = xcalloc(1, (size_t)vfs->szOsFile);
	int flags = SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, given;
	struct fault fault = {0};
	ok(file_write("t.db", slice_str("it has the mode"), 0600, &fault), &fault);
	assert_int_equal(vfs->xOpen(vfs, "t.db-wal", f, flags, &given), SQLITE_OK);
	return f;
}

static void log_close(sqlite3_file *f, int wanted)
{
	assert_int_equal(f->pMethods->xClose(f), wanted);
	free(f);
	forget();
}

static int64_t on_disk(void)
{
	struct stat st;
	assert_int_equal(stat("t.db-wal", &st), 0);
	return st.st_size;
}

/* The page of that number, whose octets are all that; marked: it ends a commit. As SQLite does, by two calls. */
static int put_frame(sqlite3_file *f, int i, bool marked)
{
	uint8_t head[24] = {0}, page[PAGE];
	sqlite3_int64 at = LOG_HEAD + (sqlite3_int64)i * FRAME;
	head[7] = marked;
	memset(page, i + 1, sizeof(page));
	int code = f->pMethods->xWrite(f, head, sizeof(head), at);
	return code == SQLITE_OK ? f->pMethods->xWrite(f, page, sizeof(page), at + (int)sizeof(head)) : code;
}

static sqlite3_file *begun(void)
{
	static const uint8_t head[LOG_HEAD];
	sqlite3_file *f = log_open();
	assert_int_equal(f->pMethods->xWrite(f, head, sizeof(head), 0), SQLITE_OK);
	assert_int_equal(on_disk(), LOG_HEAD);
	return f;
}

/* Unmarked pages wait for whoever asks about the file, for the mark of a commit, or until there are too many. */
static void test_gathered(void **state)
{
	sqlite3_file *f = begun();
	sqlite3_int64 size = 0;
	uint8_t page[PAGE];
	(void)state;
	assert_int_equal(put_frame(f, 0, false), SQLITE_OK);
	assert_int_equal(on_disk(), LOG_HEAD);
	assert_int_equal(f->pMethods->xRead(f, page, PAGE, LOG_HEAD + 24), SQLITE_OK);
	assert_int_equal(page[0], 1);
	assert_int_equal(page[PAGE - 1], 1);
	assert_int_equal(on_disk(), LOG_HEAD + FRAME);

	assert_int_equal(put_frame(f, 1, false), SQLITE_OK);
	assert_int_equal(f->pMethods->xRead(f, page, PAGE, LOG_HEAD + 24), SQLITE_OK); /* which is there already */
	assert_int_equal(on_disk(), LOG_HEAD + FRAME);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_int_equal(size, LOG_HEAD + 2 * FRAME);

	assert_int_equal(put_frame(f, 2, false), SQLITE_OK);
	assert_int_equal(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_int_equal(on_disk(), LOG_HEAD + 3 * FRAME);

	assert_int_equal(put_frame(f, 3, false), SQLITE_OK);
	assert_int_equal(put_frame(f, 4, true), SQLITE_OK);
	assert_int_equal(on_disk(), LOG_HEAD + 5 * FRAME);

	assert_int_equal(put_frame(f, 5, false), SQLITE_OK);
	assert_int_equal(f->pMethods->xTruncate(f, LOG_HEAD + FRAME), SQLITE_OK);
	assert_int_equal(on_disk(), LOG_HEAD + FRAME);

	for (int i = 1; i <= FRAMES_A_PIECE + 1; i++)
		assert_int_equal(put_frame(f, i, false), SQLITE_OK);
	assert_in_range(on_disk(), LOG_HEAD + 20 * FRAME, LOG_HEAD + (FRAMES_A_PIECE + 2) * FRAME - 1);
	log_close(f, SQLITE_OK);
}

enum asked { READ, TRUNCATE, SYNC, SIZE, OVERWRITE, CLOSE, ASKED_N };

static int ask(sqlite3_file *f, enum asked what)
{
	uint8_t page[PAGE] = {0};
	sqlite3_int64 size;
	switch (what) {
	case READ:
		return f->pMethods->xRead(f, page, PAGE, LOG_HEAD + 24);
	case TRUNCATE:
		return f->pMethods->xTruncate(f, LOG_HEAD);
	case SYNC:
		return f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
	case SIZE:
		return f->pMethods->xFileSize(f, &size);
	case OVERWRITE:
		return f->pMethods->xWrite(f, page, PAGE, LOG_HEAD);
	case CLOSE:
	case ASKED_N:
	default:
		return f->pMethods->xClose(f);
	}
}

/* What cannot be handed on is the error of whoever asks, and is gone: it belongs to no commit. */
static void test_gathered_in_vain(void **state)
{
	(void)state;
	for (enum asked what = READ; what < ASKED_N; what++) {
		sqlite3_file *f = begun();
		assert_int_equal(put_frame(f, 0, false), SQLITE_OK);
		fail_by = EIO;
		fail_at = 0;
		assert_int_equal(ask(f, what), SQLITE_IOERR_WRITE);
		assert_int_equal(fail_at, -1);
		if (what == CLOSE) {
			free(f);
			forget();
			continue;
		}
		assert_int_equal(on_disk(), LOG_HEAD);
		assert_int_equal(put_frame(f, 0, true), SQLITE_OK);
		assert_int_equal(on_disk(), LOG_HEAD + FRAME);
		log_close(f, SQLITE_OK);
	}
	/* Too many for a piece: the error is that write's. */
	sqlite3_file *f = begun();
	int code = SQLITE_OK;
	fail_by = EIO;
	fail_at = 0;
	for (int i = 0; i <= FRAMES_A_PIECE + 1 && code == SQLITE_OK; i++)
		code = put_frame(f, i, false);
	assert_int_equal(code, SQLITE_IOERR_WRITE);
	assert_int_equal(fail_at, -1);
	/* What is not behind the last write goes straight through, and its error comes straight back. */
	fail_at = 0;
	assert_int_equal(put_frame(f, 40, false), SQLITE_IOERR_WRITE);
	log_close(f, SQLITE_OK);
}

/* All else is SQLite's own word; and a log that cannot be opened is none. */
static void test_passed_on(void **state)
{
	sqlite3_file *f = begun();
	sqlite3_vfs *vfs = sqlite3_vfs_find(log_vfs());
	static const uint8_t large[127000];
	int held = 1, given;
	(void)state;
	assert_int_equal(f->pMethods->xWrite(f, large, sizeof(large), LOG_HEAD), SQLITE_OK); /* more than a piece */
	assert_int_equal(on_disk(), LOG_HEAD + sizeof(large));
	assert_int_equal(f->pMethods->xLock(f, SQLITE_LOCK_SHARED), SQLITE_OK);
	assert_int_equal(f->pMethods->xCheckReservedLock(f, &held), SQLITE_OK);
	assert_int_equal(held, 0);
	assert_int_equal(f->pMethods->xUnlock(f, SQLITE_LOCK_NONE), SQLITE_OK);
	assert_int_equal(f->pMethods->xFileControl(f, -1, NULL), SQLITE_NOTFOUND);
	assert_int_equal(f->pMethods->xSectorSize(f), 4096);
	assert_int_not_equal(f->pMethods->xDeviceCharacteristics(f) & SQLITE_IOCAP_POWERSAFE_OVERWRITE, 0);
	log_close(f, SQLITE_OK);
	f = xcalloc(1, (size_t)vfs->szOsFile);
	assert_int_not_equal(vfs->xOpen(vfs, "none/t.db-wal", f, SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE, &given),
			     SQLITE_OK);
	assert_null(f->pMethods);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commits),		 cmocka_unit_test(test_spilled),
		cmocka_unit_test(test_failing),		 cmocka_unit_test(test_gathered),
		cmocka_unit_test(test_gathered_in_vain), cmocka_unit_test(test_passed_on),
	};
	return cmocka_run_group_tests_name("log_vfs", tests, set_up, tear_down);
}
