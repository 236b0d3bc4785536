/*
 * What db.c and stmt.c share; nobody else includes this.
 */
#ifndef HUFU_DB_PRIVATE_H
#define HUFU_DB_PRIVATE_H

#include <sqlite3.h>

#include "common/base/cleanup.h"
#include "common/db/db.h"

/* A prepared statement under the address of its text. */
struct db_stmt {
	const char *sql;
	sqlite3_stmt *stmt;
	bool busy; /* a query is reading it */
};

struct db {
	sqlite3 *handle;
	struct db_stmt **cache; /* open addressing, n_slots a power of two; entries never move */
	size_t n_slots, n_cached;
	void (*watch)(void *arg, const char *table, int64_t row);
	void *watch_arg;
	unsigned wal_pages;
};

/* Raises what SQLite said: constraint ERR_CONFLICT, busy ERR_BUSY, else ERR_DB. what: the statement or act. */
enum err(db_raise)(struct db *db, int code, const char *what, struct fault *f);
void stmt_cache_done(struct db *db);

/* log_vfs.c. Makes the files known to SQLite that log_vfs() names, in which a write-ahead log is written in large pieces; once, before
 * the first database is opened. */
void log_vfs_register(void);
const char *log_vfs(void);

#endif
