/*
 * One writer behind a lock, whose commits are shared: a flush takes as long as many changes, so whoever ends while
 * others wait for their turn leaves the commit to the last of them, and answers when that is done. Each is a savepoint in
 * the one transaction, so what one takes back is its own.
 *
 * And a few readers; each connection is opened when it is first needed and kept, with its
 * cache, so there are only as many as a machine's cores can use. Here too: stored answers, heads.
 */
#include "ra/store_audit.h"
#include "ra/store_schema.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/rpc/server.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define READERS_MAX 4
/* KiB: the inner pages of the tables of a large desk, which else are read anew for each page of a list. Filled as it is needed. */
#define READER_CACHE "PRAGMA cache_size=-12288"
#define GROUP_MAX 64   /* changes that share a commit */
#define GROUP_US 20000 /* nobody waits longer for others */

struct reader {
	struct db *db;
	struct reader *next;
};
/* Changes that are made durable together. */
struct group {
	unsigned members; /* done, and waiting for the commit */
	int64_t since_us;
	bool over;
	enum err result;
	struct fault fault;
};
struct store {
	char *path;
	struct db *writer;
	pthread_mutex_t writing;
	atomic_uint waiting;	/* for the writer */
	struct group *group;	/* of the transaction that is open; the writer's */
	pthread_mutex_t ending; /* of `members` and `over` of groups that the writer has left */
	pthread_cond_t ended;
	store_watch *watch; /* the writer's, as the three below */
	void *watch_arg;
	int64_t *touched; /* certs, by the transaction that is open */
	size_t n_touched, cap_touched;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t given;
	struct reader *idle;
	unsigned n_readers; /* open or being opened */
};

static void touch(void *arg, const char *table, int64_t row)
{
	struct store *s = arg;
	if (strcmp(table, "certs") != 0)
		return;
	if (s->n_touched == s->cap_touched) {
		s->cap_touched = s->cap_touched ? 2 * s->cap_touched : 256;
		s->touched = xrealloc(s->touched, s->cap_touched, sizeof(*s->touched));
	}
	s->touched[s->n_touched++] = row;
}

void store_watch_certs(struct store *s, store_watch *fn, void *arg)
{
	s->watch = fn;
	s->watch_arg = arg;
	s->n_touched = 0;
	db_watch(s->writer, fn ? touch : NULL, s);
}

enum err store_open(const char *path, struct store **ret, struct fault *f)
{
	_cleanup_(store_closep) struct store *s = xcalloc(1, sizeof(*s));
	s->path = xstrdup(path);
	pthread_mutex_init(&s->writing, NULL);
	pthread_mutex_init(&s->ending, NULL);
	pthread_cond_init(&s->ended, NULL);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->given, NULL);
	TRY(db_open(path, false, &s->writer, f));
	TRY(db_migrate(s->writer, store_migrations, store_n_migrations, f));
	TRY(store_audit_seal(s->writer, f));
	*ret = TAKE(s);
	return OK;
}

void store_close(struct store *s)
{
	while (s->idle) {
		struct reader *r = s->idle;
		s->idle = r->next;
		db_close(r->db);
		free(r);
	}
	if (s->writer)
		db_close(s->writer);
	pthread_mutex_destroy(&s->writing);
	pthread_mutex_destroy(&s->ending);
	pthread_cond_destroy(&s->ended);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->given);
	free(s->touched);
	free(s->path);
	free(s);
}

/* --- the writer; with `writing` held --- */

/* SQLite ends the transaction by itself when the disk is full or fails: then nothing of the group is left. */
static enum err commit(struct store *s, struct fault *f)
{
	if (!db_in_transaction(s->writer))
		return fault_raise(f, ERR_DB, "db_error", "commit", "the database gave up the transaction");
	enum err e = db_commit(s->writer, f);
	if (e != OK)
		db_rollback(s->writer);
	return e;
}

/* Ends the group, and tells those who wait for it. */
static void end_group(struct store *s)
{
	struct group *g = s->group;
	s->group = NULL;
	if (g->members == 0) {
		db_rollback(s->writer);
		free(g);
		return;
	}
	g->result = commit(s, &g->fault);
	/* What was rolled back reads as it was: no need to forget it. */
	if (s->n_touched > 0 && s->watch(s->watch_arg, s->writer, s->touched, s->n_touched))
		s->n_touched = 0;
	pthread_mutex_lock(&s->ending);
	g->over = true;
	pthread_cond_broadcast(&s->ended);
	pthread_mutex_unlock(&s->ending);
}

/* Somebody else will come and end it. */
static bool may_wait(struct store *s)
{
	const struct group *g = s->group;
	return atomic_load(&s->waiting) > 0 && g->members < GROUP_MAX && clock_mono_us() - g->since_us < GROUP_US &&
	       db_in_transaction(s->writer);
}

static enum err join(struct store *s, struct fault *f)
{
	if (!s->group) {
		TRY(db_begin(s->writer, f));
		s->group = xcalloc(1, sizeof(*s->group));
		s->group->since_us = clock_mono_us();
	}
	return db_run(s->writer, f, "SAVEPOINT member", "");
}

static enum err leave(struct store *s, enum err e, struct fault *f)
{
	if (e == OK)
		e = db_run(s->writer, f, "RELEASE member", "");
	if (e == OK)
		s->group->members++;
	else if (db_in_transaction(s->writer) && db_run(s->writer, NULL, "ROLLBACK TO member", "") == OK)
		(void)!db_run(s->writer, NULL, "RELEASE member", "");
	return e;
}

/* --- */

static enum err wait_for(struct store *s, struct group *g, struct fault *f)
{
	rpc_wait_begin();
	pthread_mutex_lock(&s->ending);
	while (!g->over)
		pthread_cond_wait(&s->ended, &s->ending);
	enum err e = g->result;
	if (e != OK && f)
		*f = g->fault;
	bool last = --g->members == 0;
	pthread_mutex_unlock(&s->ending);
	rpc_wait_end();
	if (last)
		free(g);
	return e;
}

enum err store_begin(struct store *s, struct db **ret, struct fault *f)
{
	if (pthread_mutex_trylock(&s->writing) != 0) {
		atomic_fetch_add(&s->waiting, 1);
		rpc_wait_begin();
		pthread_mutex_lock(&s->writing);
		rpc_wait_end();
		atomic_fetch_sub(&s->waiting, 1);
	}
	enum err e = join(s, f);
	if (e == OK) {
		*ret = s->writer;
		return OK;
	}
	if (s->group && !may_wait(s))
		end_group(s);
	pthread_mutex_unlock(&s->writing);
	return e;
}

enum err store_end(struct store *s, struct db *db, enum err e, struct fault *f)
{
	struct group *g = s->group;
	assert(db == s->writer && g);
	e = leave(s, e, f);
	if (!may_wait(s))
		end_group(s);
	pthread_mutex_unlock(&s->writing);
	return e == OK ? wait_for(s, g, f) : e;
}

/* --- readers --- */

/* NULL: one more may be opened, and is counted already. */
static struct reader *idle_reader(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->idle && s->n_readers == READERS_MAX)
		pthread_cond_wait(&s->given, &s->lock);
	struct reader *r = s->idle;
	if (r)
		s->idle = r->next;
	else
		s->n_readers++;
	pthread_mutex_unlock(&s->lock);
	return r;
}

static void reader_lost(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->n_readers--;
	pthread_cond_signal(&s->given);
	pthread_mutex_unlock(&s->lock);
}

static enum err reader_take(struct store *s, struct db **ret, struct fault *f)
{
	struct reader *r = idle_reader(s);
	if (r) {
		*ret = r->db;
		free(r);
		return OK;
	}
	_cleanup_(db_closep) struct db *db = NULL;
	enum err e = db_open(s->path, true, &db, f);
	if (e == OK)
		e = db_run(db, f, READER_CACHE, "");
	if (e != OK)
		reader_lost(s);
	else
		*ret = TAKE(db);
	return e;
}

static void reader_give(struct store *s, struct db *db)
{
	struct reader *r = xcalloc(1, sizeof(*r));
	r->db = db;
	pthread_mutex_lock(&s->lock);
	r->next = s->idle;
	s->idle = r;
	pthread_cond_signal(&s->given);
	pthread_mutex_unlock(&s->lock);
}

enum err store_read(struct store *s, struct db **ret, struct fault *f)
{
	struct db *db = NULL;
	TRY(reader_take(s, &db, f));
	enum err e = db_begin_read(db, f);
	if (e != OK) {
		reader_give(s, db);
		return e;
	}
	*ret = db;
	return OK;
}

void store_read_end(struct store *s, struct db *db)
{
	db_rollback(db);
	reader_give(s, db);
}

void column_copy(struct db_row *row, int column, char *ret, size_t size)
{
	const char *text = db_text(row, column);
	size_t n = text ? strlen(text) : 0;
	assert(n < size);
	if (n > 0)
		memcpy(ret, text, n);
	ret[n] = '\0';
}

/* --- stored answers --- */

enum err store_call_find(struct db *db, const char *actor, const char *call_id, const char *method,
			 const uint8_t digest[32], char **ret_answer, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	TRY(db_query(db, f, &row, "SELECT method, digest, answer FROM calls WHERE actor = ?1 AND call_id = ?2", "tt",
		     actor, call_id));
	TRY(db_next(row, &more, f));
	if (!more)
		return OK;
	if (strcmp(db_text(row, 0), method) != 0 || !slice_eq(db_blob(row, 1), slice_of(digest, 32)))
		return fault_raise(f, ERR_CONFLICT, "call_id_reused", "params.call_id",
				   "call_id %s was used by you before, for %s with other parameters; wanted a new one",
				   ESC(call_id, strlen(call_id)), db_text(row, 0));
	*ret_answer = xstrdup(db_text(row, 2));
	return OK;
}

enum err store_call_put(struct db *db, const char *actor, const char *call_id, const char *method,
			const uint8_t digest[32], const char *answer, int64_t now, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO calls (actor, call_id, method, digest, answer, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		      "tttbti", actor, call_id, method, slice_of(digest, 32), answer, now);
}

enum err store_calls_purge(struct db *db, int64_t before, struct fault *f)
{
	return db_run(db, f, "DELETE FROM calls WHERE at < ?1", "i", before);
}

/* --- heads --- */

enum err store_head(struct db *db, const char *name, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	*ret = 0;
	TRY(db_query(db, f, &row, "SELECT number FROM heads WHERE name = ?1", "t", name));
	TRY(db_next(row, &more, f));
	if (more)
		*ret = db_i64(row, 0);
	return OK;
}

enum err store_head_set(struct db *db, const char *name, int64_t value, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO heads (name, number) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET number = ?2",
		      "ti", name, value);
}

enum err store_head_bytes(struct db *db, const char *name, struct buf *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	TRY(db_query(db, f, &row, "SELECT bytes FROM heads WHERE name = ?1", "t", name));
	TRY(db_next(row, &more, f));
	if (more)
		buf_add_slice(ret, db_blob(row, 0));
	return OK;
}

enum err store_head_bytes_set(struct db *db, const char *name, struct slice value, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO heads (name, bytes) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET bytes = ?2",
		      "tb", name, value);
}
