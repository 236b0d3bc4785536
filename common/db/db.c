/*
 * A connection: opened hard, migrated forward, transactions. Statements are in stmt.c.
 *
 * The schema is data of ours but the file may have been touched by others, hence trusted_schema off and the defensive
 * mode. Temporary tables stay in memory, because a sandboxed process has no folder for them.
 */
#include "common/db/private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#define BUSY_MS 5000
#define BULK_PAGES 64 /* of a connection's cache, in one piece */

/* In brackets, since tools/analyze.h has a macro of that name. */
enum err(db_raise)(struct db *db, int code, const char *what, struct fault *f)
{
	const char *text = sqlite3_errmsg(db->handle);
	/* The handle may have moved on (a rollback, a close), then its text is about something else. */
	if (sqlite3_extended_errcode(db->handle) != code)
		text = sqlite3_errstr(code);
	char where[sizeof(f->where)];
	text_escape(what, strnlen(what, 400), where, sizeof(where));
	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
		return fault_raise(f, ERR_CONFLICT, "db_constraint", where, "%s", ESC(text, strlen(text)));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fault_raise(f, ERR_BUSY, "db_busy", where, "%s", ESC(text, strlen(text)));
	case SQLITE_FULL:
		return fault_raise(f, ERR_BUSY, "disk_full", where, "%s", ESC(text, strlen(text)));
	}
	return fault_raise(f, ERR_DB, "db_error", where, "%s (sqlite %d)", ESC(text, strlen(text)), code);
}

static enum err exec(struct db *db, const char *sql, struct fault *f)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? OK : db_raise(db, code, sql, f);
}

/* Only ever creates: closing a second descriptor of a file in use would drop the POSIX locks of this process. */
static enum err make_private(const char *path, struct fault *f)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return fault_raise(f, ERR_DB, "db_open", "path", "%s: cannot create: %s", ESC(path, strlen(path)),
				   strerror(errno));
	return OK;
}

static enum err check_wal(struct db *db, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "PRAGMA journal_mode=WAL", ""));
	const char *mode = db_text(row, 0);
	if (!mode || (strcmp(mode, "wal") != 0 && strcmp(mode, "memory") != 0))
		return fault_raise(f, ERR_DB, "db_wal", "journal_mode", "found %s, wanted wal",
				   mode ? mode : "nothing");
	return OK;
}

static enum err set_up(struct db *db, bool read_only, struct fault *f)
{
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	/* Plans don't look at bound values, or each new value would have its statement prepared anew. */
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
	TRY(exec(db,
		 "PRAGMA trusted_schema=OFF;"
		 "PRAGMA cell_size_check=ON;"
		 "PRAGMA cache_size=-2048;"
		 "PRAGMA temp_store=MEMORY;"
		 "PRAGMA foreign_keys=ON;"
		 "PRAGMA recursive_triggers=ON;"
		 "PRAGMA synchronous=FULL;"
		 "PRAGMA wal_autocheckpoint=8000;",
		 f));
	if (read_only)
		return exec(db, "PRAGMA query_only=ON", f);
	return check_wal(db, f);
}

/* SQLite counts its memory for all threads under one lock unless it is told not to, and takes the pages of a cache one by
 * one from the heap: a reader's cache is emptied by each change of others. When the library runs already, all is as it was. */
static void configure(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, BULK_PAGES);
	log_vfs_register();
}

/* vfs: how files are reached; NULL: as SQLite does. */
static enum err open_by(const char *path, bool read_only, const char *vfs, struct db **ret, struct fault *f)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, configure);
	if (!read_only && strcmp(path, ":memory:") != 0)
		TRY(make_private(path, f));
	_cleanup_(db_closep) struct db *db = xcalloc(1, sizeof(*db));
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
		    (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int code = sqlite3_open_v2(path, &db->handle, flags, vfs);
	enum err e = code == SQLITE_OK ? set_up(db, read_only, f) : db_raise(db, code, "open", f);
	if (e != OK) {
		fault_prefix(f, "%s", ESC(path, strlen(path)));
		return e;
	}
	*ret = TAKE(db);
	return OK;
}

enum err db_open(const char *path, bool read_only, struct db **ret, struct fault *f)
{
	return open_by(path, read_only, NULL, ret, f);
}

enum err db_open_writer(const char *path, struct db **ret, struct fault *f)
{
	return open_by(path, false, log_vfs(), ret, f);
}

void db_close(struct db *db)
{
	db_rollback(db);
	stmt_cache_done(db);
	sqlite3_close_v2(db->handle);
	free(db);
}

static enum err copy_into(struct db *db, const char *to, const char *mark, struct fault *f)
{
	_cleanup_(sqlite3_closep) sqlite3 *copy = NULL;
	int code =
		sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	sqlite3_backup *b = code == SQLITE_OK ? sqlite3_backup_init(copy, "main", db->handle, "main") : NULL;
	if (!b)
		return fault_raise(f, ERR_DB, "db_backup", "backup", "%s: %s", ESC(to, strlen(to)),
				   copy ? sqlite3_errmsg(copy) : sqlite3_errstr(code));
	int step = sqlite3_backup_step(b, -1);
	code = sqlite3_backup_finish(b);
	/* The copy is one file, and stays one when it is read. */
	if (step == SQLITE_DONE && code == SQLITE_OK)
		code = sqlite3_exec(copy, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	if (step == SQLITE_DONE && code == SQLITE_OK && mark)
		code = sqlite3_exec(copy, mark, NULL, NULL, NULL);
	if (step != SQLITE_DONE || code != SQLITE_OK)
		return fault_raise(f, ERR_DB, "db_backup", "backup", "%s: %s", ESC(to, strlen(to)),
				   sqlite3_errstr(step != SQLITE_DONE ? step : code));
	return OK;
}

enum err db_backup(struct db *db, const char *to, const char *mark, struct fault *f)
{
	int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_raise(f, errno == EEXIST ? ERR_CONFLICT : ERR_IO,
				   errno == EEXIST ? "db_exists" : "db_backup", "backup", "%s: %s", ESC(to, strlen(to)),
				   strerror(errno));
	close(fd);
	enum err e = copy_into(db, to, mark, f);
	if (e != OK)
		unlink(to);
	return e;
}

static enum err read_version(struct db *db, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "PRAGMA user_version", ""));
	*ret = db_i64(row, 0);
	return OK;
}

/* Inside a transaction. The version is read again, since another process may have migrated meanwhile. */
static enum err apply(struct db *db, const char *const *sqls, size_t n, bool *ret_more, struct fault *f)
{
	int64_t version;
	TRY(read_version(db, &version, f));
	if (version < 0 || (uint64_t)version > n)
		return fault_raise(f, ERR_DB, "db_version", "user_version",
				   "the file has schema version %lld, this program knows up to %zu", (long long)version,
				   n);
	*ret_more = (uint64_t)version < n;
	if (!*ret_more)
		return OK;
	TRY(exec(db, sqls[version], f));
	if (sqlite3_get_autocommit(db->handle))
		return fault_raise(f, ERR_DB, "db_migration", "user_version", "migration %lld ended its transaction",
				   (long long)version + 1);
	/* A pragma takes no bound value; the number is ours. */
	char set[48];
	snprintf(set, sizeof(set), "PRAGMA user_version=%lld", (long long)version + 1);
	return exec(db, set, f);
}

enum err db_migrate(struct db *db, const char *const *sqls, size_t n, struct fault *f)
{
	bool more = true;
	while (more) {
		TRY(db_begin(db, f));
		enum err e = apply(db, sqls, n, &more, f);
		if (e == OK)
			e = db_commit(db, f);
		if (e != OK) {
			db_rollback(db);
			fault_prefix(f, "migrating the database");
			return e;
		}
	}
	return OK;
}

enum err db_begin(struct db *db, struct fault *f)
{
	return db_run(db, f, "BEGIN IMMEDIATE", "");
}

enum err db_begin_read(struct db *db, struct fault *f)
{
	return db_run(db, f, "BEGIN", "");
}

enum err db_commit(struct db *db, struct fault *f)
{
	return db_run(db, f, "COMMIT", "");
}

void db_rollback(struct db *db)
{
	/* Some errors (disk full, I/O) have rolled back already. */
	if (db->handle && !sqlite3_get_autocommit(db->handle))
		(void)!db_run(db, NULL, "ROLLBACK", "");
}

bool db_in_transaction(struct db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

enum err db_savepoint(struct db *db, struct fault *f)
{
	return db_run(db, f, "SAVEPOINT inner_part", "");
}

enum err db_release(struct db *db, struct fault *f)
{
	return db_run(db, f, "RELEASE inner_part", "");
}

enum err db_rollback_to(struct db *db, struct fault *f)
{
	/* Rolling back keeps the savepoint on the stack; releasing it takes it off. */
	TRY(db_run(db, f, "ROLLBACK TO inner_part", ""));
	return db_run(db, f, "RELEASE inner_part", "");
}

enum err db_take_back(struct db *db, enum err e, const struct fault *why, struct fault *f)
{
	if (!err_is_public(e) || !db_in_transaction(db))
		return fault_raise(f, e, why->rule, why->where, "%s", why->text);
	return db_rollback_to(db, f);
}

int64_t db_changes(struct db *db)
{
	return sqlite3_changes64(db->handle);
}

int64_t db_total_changes(struct db *db)
{
	return sqlite3_total_changes64(db->handle);
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

static void changed(void *arg, int what, const char *database, const char *table, sqlite3_int64 row)
{
	struct db *db = arg;
	(void)what;
	(void)database;
	db->watch(db->watch_arg, table, row);
}

void db_watch(struct db *db, void (*fn)(void *arg, const char *table, int64_t row), void *arg)
{
	db->watch = fn;
	db->watch_arg = arg;
	sqlite3_update_hook(db->handle, fn ? changed : NULL, db);
}

static int committed(void *arg, sqlite3 *handle, const char *name, int pages)
{
	(void)handle;
	(void)name;
	((struct db *)arg)->wal_pages = (unsigned)pages;
	return SQLITE_OK;
}

enum err db_wal_keep(struct db *db, struct fault *f)
{
	TRY(exec(db, "PRAGMA wal_autocheckpoint=0", f));
	sqlite3_wal_hook(db->handle, committed, db);
	return OK;
}

unsigned db_wal_pages(const struct db *db)
{
	return db->wal_pages;
}

enum err db_wal_copy(struct db *db, unsigned *ret_pages, unsigned *ret_copied, struct fault *f)
{
	int pages = 0, copied = 0;
	int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
	if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
		return db_raise(db, code, "checkpoint", f);
	*ret_pages = pages > 0 ? (unsigned)pages : 0;
	*ret_copied = copied > 0 ? (unsigned)copied : 0;
	return OK;
}
