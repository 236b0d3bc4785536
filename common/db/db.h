/*
 * One small SQL layer. Statements are whole constants, values are bound, rows are read by column number.
 *
 * SQLite: WAL, synchronous=FULL, foreign keys on, busy timeout; a struct db belongs to one thread at a time.
 * Statements use ?1, ?2 … and are prepared once for each db and kept.
 */
#ifndef HUFU_DB_DB_H
#define HUFU_DB_DB_H

#include "common/base/buf.h"

struct db;
struct db_row; /* a running statement */

/* path: a file (made 0600 when absent). Gives *ret: db_close(). read_only: opened for reading only. */
MUST_CHECK enum err db_open(const char *path, bool read_only, struct db **ret, struct fault *f);
/* As db_open(), for writing, for a connection that commits many pages at a time: its write-ahead log is written in large pieces. */
MUST_CHECK enum err db_open_writer(const char *path, struct db **ret, struct fault *f);
/* Every row must be done before. What was not committed is rolled back. */
void db_close(struct db *db);
static inline void db_closep(struct db **db) { if (*db) db_close(*db); *db = NULL; }

/* A copy of what db sees now into a new file (0600), flushed, while others go on writing. ERR_CONFLICT db_exists; a copy that fails is
 * taken away again. mark: SQL that makes the copy known as one; NULL: none. */
MUST_CHECK enum err db_backup(struct db *db, const char *to, const char *mark, struct fault *f);

/* Migrations: append-only, numbered from 1; sqls[i] is migration i+1, many statements each. Applied in one
 * transaction each; the version is recorded in user_version; a newer file than the program knows: ERR_DB. */
MUST_CHECK enum err db_migrate(struct db *db, const char *const *sqls, size_t n, struct fault *f);

MUST_CHECK enum err db_begin(struct db *db, struct fault *f);       /* BEGIN IMMEDIATE */
MUST_CHECK enum err db_begin_read(struct db *db, struct fault *f);  /* BEGIN: one snapshot for several reads */
MUST_CHECK enum err db_commit(struct db *db, struct fault *f);
void db_rollback(struct db *db);                                    /* harmless when none is open */
bool db_in_transaction(struct db *db);                              /* SQLite ends one by itself on some errors */
MUST_CHECK enum err db_savepoint(struct db *db, struct fault *f);   /* nested, one level */
MUST_CHECK enum err db_release(struct db *db, struct fault *f);
/* Error: what was written since the savepoint is still there, or all of the transaction is gone: it must not be committed. */
MUST_CHECK enum err db_rollback_to(struct db *db, struct fault *f);
/* For what was refused with e, as why says, under a savepoint, while the rest goes on: db_rollback_to(). Where nothing can go on, e and why as they are: the
 * database has failed, or a full disk has ended the whole transaction. */
MUST_CHECK enum err db_take_back(struct db *db, enum err e, const struct fault *why, struct fault *f);

/* From now on this connection's commits leave all in the write-ahead log; db_wal_copy() alone, by any connection, brings it into the file. */
MUST_CHECK enum err db_wal_keep(struct db *db, struct fault *f);
/* Pages that stood in the log after the last commit of a connection that keeps it. */
unsigned db_wal_pages(const struct db *db);
/* Writes what the log holds where it belongs and flushes it, while others read and write: as far as no reader sees an older state.
 * *ret_copied of *ret_pages are in the file; when all are, the log begins anew with the next commit. Another copy runs: nothing is done,
 * and both are 0. Any error but ERR_BUSY disk_full: nobody knows what the file holds. */
MUST_CHECK enum err db_wal_copy(struct db *db, unsigned *ret_pages, unsigned *ret_copied, struct fault *f);

/* Binds by a type string: i int64_t · t const char * (NULL: null) · b struct slice by value (p NULL: null) · n null.
 *   db_run(db, f, SQL, "itb", id, name, slice)
 * SQL must be a literal with static lifetime (the cache is keyed by its address and text).
 * Constraint violations are ERR_CONFLICT, a busy database ERR_BUSY, the rest ERR_DB. */
MUST_CHECK enum err db_run(struct db *db, struct fault *f, const char *sql, const char *types, ...);
int64_t db_total_changes(struct db *db); /* rows changed since it was opened */
int64_t db_changes(struct db *db);      /* rows of the last db_run */
int64_t db_last_id(struct db *db);
/* fn hears of each row that is added, changed or taken out through this connection, as it happens, committed or not;
 * tables WITHOUT ROWID say nothing. fn must not use db. One watcher; NULL ends it. */
void db_watch(struct db *db, void (*fn)(void *arg, const char *table, int64_t row), void *arg);
/* Starts a query. Gives *ret: db_row_done() (also on the zero state, by db_row_donep). */
MUST_CHECK enum err db_query(struct db *db, struct fault *f, struct db_row **ret, const char *sql, const char *types, ...);
/* Next row: *ret_more false at the end. */
MUST_CHECK enum err db_next(struct db_row *row, bool *ret_more, struct fault *f);
void db_row_done(struct db_row *row);
static inline void db_row_donep(struct db_row **row) { if (*row) db_row_done(*row); *row = NULL; }
/* Query that must give exactly one row: ERR_NOT_FOUND when none. The row is positioned. */
MUST_CHECK enum err db_one(struct db *db, struct fault *f, struct db_row **ret, const char *sql, const char *types, ...);

/* Columns of the current row, from 0. Text and blobs borrow until the next db_next(). */
int64_t db_i64(struct db_row *row, int column);
const char *db_text(struct db_row *row, int column);   /* NULL for null */
struct slice db_blob(struct db_row *row, int column);  /* {NULL,0} for null */
bool db_is_null(struct db_row *row, int column);

#endif
