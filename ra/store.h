/*
 * The desk's database: schema, connections, and the small tables that every method touches (calls, heads).
 *
 * SQL stands in ra/store_*.c only. Whoever changes holds the one writer, so writers never wait in SQLite's busy loop;
 * readers have connections of their own and see a snapshot.
 */
#ifndef HUFU_RA_STORE_H
#define HUFU_RA_STORE_H

#include "common/db/db.h"
#include "common/note/tally.h"

#include <pthread.h>
#include <semaphore.h>

struct store; /* thread-safe */
/* path: the database file; migrated to the newest schema. Gives *ret: store_close(). */
MUST_CHECK enum err store_open(const char *path, struct store **ret, struct fault *f);
void store_close(struct store *s);
static inline void store_closep(struct store **s) { if (*s) store_close(*s); *s = NULL; }

/* Takes the writer and begins a transaction. On OK the caller ends it by store_end(). */
MUST_CHECK enum err store_begin(struct store *s, struct db **ret, struct fault *f);
/* The same, before those who wait already: for what many others wait for, of which few may be under way at once. */
MUST_CHECK enum err store_begin_urgent(struct store *s, struct db **ret, struct fault *f);
/* How many wait for the writer now. For tests. */
unsigned store_waiting(struct store *s);
/* e OK: commits, else rolls back; gives the writer back. Returns e, or why the commit failed. Changes of several threads
 * may share a commit: each returns when it is durable, and when it fails, all of them fail. */
MUST_CHECK enum err store_end(struct store *s, struct db *db, enum err e, struct fault *f);
/* fn in a transaction, as between store_begin() and store_end() with what it returns. It may run on the thread of another change, one of
 * many that share a commit: it waits for nothing and asks nothing of its thread. *f is its own. */
typedef enum err store_fn(struct db *db, void *arg, struct fault *f);
MUST_CHECK enum err store_change(struct store *s, store_fn *fn, void *arg, struct fault *f);
/* A change that no thread waits for. Its maker sets fn and arg, and leaves it alone until it is over. */
struct store_task;
struct store_turn { /* the store's own */
	struct store_task *task; /* NULL: a thread wants the writer for itself */
	bool mine;
	pthread_cond_t called;
	struct store_turn *next;
};
struct store_task {
	store_fn *fn;
	void *arg;
	enum err result; /* when it is over, as of store_change() */
	struct fault f;
	struct store_task *next; /* which is over by the same commit */
	sem_t *waiter;	         /* the store's own, as is turn */
	struct store_turn turn;
};
/* As store_change(), but returns at once: a thread of the store's makes it when its turn has come, and what store_when_over() named is told. */
void store_put(struct store *s, struct store_task *task);
/* Given the tasks that are over together, by whatever thread ended them, which others wait for: it hands them on. Set before the first store_put(). */
typedef void store_over(void *arg, struct store_task *all);
void store_when_over(struct store *s, store_over *fn, void *arg);
/* After each commit that touched rows of certs, before the writer is given back: their ids, in the order of the changes,
 * repeated ones too. False: to be told again with the next commit. db is the writer, outside a transaction. Set while
 * nobody writes; fn NULL ends it. */
typedef bool store_watch(void *arg, struct db *db, const int64_t *ids, size_t n);
void store_watch_certs(struct store *s, store_watch *fn, void *arg);
/* A connection for reading, in a snapshot of its own until store_read_end(). */
MUST_CHECK enum err store_read(struct store *s, struct db **ret, struct fault *f);
void store_read_end(struct store *s, struct db *db);

/* --- answers of changing calls, by the caller's call_id -------------------------------------------------------- */

/* *ret_answer: the stored JSON (gives: free()), NULL when this id is new. The same id with another method or digest:
 * ERR_CONFLICT call_id_reused. */
MUST_CHECK enum err store_call_find(struct db *db, const char *actor, const char *call_id, const char *method,
				    const uint8_t digest[32], char **ret_answer, struct fault *f);
MUST_CHECK enum err store_call_put(struct db *db, const char *actor, const char *call_id, const char *method,
				   const uint8_t digest[32], const char *answer, int64_t now, struct fault *f);
MUST_CHECK enum err store_calls_purge(struct db *db, int64_t before, struct fault *f);

/* --- heads: small values by name -------------------------------------------------------------------------------- */

/* 0 when absent. */
MUST_CHECK enum err store_head(struct db *db, const char *name, int64_t *ret, struct fault *f);
MUST_CHECK enum err store_head_set(struct db *db, const char *name, int64_t value, struct fault *f);
/* The same of bytes; nothing is appended when absent. */
MUST_CHECK enum err store_head_bytes(struct db *db, const char *name, struct buf *ret, struct fault *f);
MUST_CHECK enum err store_head_bytes_set(struct db *db, const char *name, struct slice value, struct fault *f);

/* A copy of a text column, "" for null, into a fixed array; longer ones are a fault of the database (asserted). */
void column_copy(struct db_row *row, int column, char *ret, size_t size);
#define COLUMN(row, column, array) column_copy((row), (column), (array), sizeof(array))
/* A certificate's issuer (20 bytes) and serial number out of two columns; left as it is when they are null. */
void column_ref(struct db_row *row, int issuer, int serial, struct cert_ref *ret);

#endif
