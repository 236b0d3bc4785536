/*
 * One writer, taken in turn, whose commits are shared: a flush takes as long as many changes, so whoever ends while
 * others wait for their turn leaves the commit to the last of them, and answers when that is done. Each is a savepoint in
 * the one transaction, so what one takes back is its own. Turns come in the order in which they were asked for, but what
 * many wait for (the ledger's entries, what goes to the signer) goes before the rest.
 *
 * A change that is given as a function (a task) need not have its own thread woken for its turn: who has the writer
 * makes the tasks that wait behind its own change, as far as they share its commit; then the store's own thread goes on with them. A
 * thread that waits for its task (store_change) is called once, with the result; for a task that was put (store_put) no thread waits, and
 * all of a commit are handed on together. So the writer's tables stay in one core's cache, and it never stands still until somebody has been woken.
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
#define WRITER_CACHE "PRAGMA cache_size=-24576"
#define GROUP_MAX 64   /* changes that share a commit */
#define GROUP_US 20000 /* nobody waits longer for others */

struct reader {
	struct db *db;
	struct reader *next;
};
/* Who waits for the writer: threads, and tasks. */
struct turns {
	struct store_turn *first, **last;
};
/* Changes that are made and wait for their commit. */
struct group {
	struct store_task *members;
	unsigned n_members;
	int64_t since_us;
};
struct store {
	char *path;
	struct db *writer;
	pthread_mutex_t turning;    /* of what follows, until waiting */
	bool taken;		    /* the writer is */
	struct turns urgent, usual; /* who waits for it */
	struct store_task *due;	    /* whose turn has come, for the store's thread, which has the writer then */
	pthread_cond_t serve;
	bool closing, serves; /* the thread is there */
	pthread_t server;
	store_over *over;
	void *over_arg;
	atomic_uint waiting; /* how many do */
	bool open;	     /* the writer's: a transaction is, and whose changes it holds */
	struct group group;
	store_watch *watch; /* the writer's, as the three below */
	void *watch_arg;
	int64_t *touched; /* certs, by the transaction that is open */
	size_t n_touched, cap_touched;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t given;
	struct reader *idle;
	unsigned n_readers; /* open or being opened */
};

static void *serve(void *arg);

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
	pthread_mutex_init(&s->turning, NULL);
	s->urgent.last = &s->urgent.first;
	s->usual.last = &s->usual.first;
	pthread_cond_init(&s->serve, NULL);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->given, NULL);
	TRY(db_open_writer(path, &s->writer, f));
	TRY(db_run(s->writer, f, WRITER_CACHE, ""));
	TRY(db_migrate(s->writer, store_migrations, store_n_migrations, f));
	TRY(store_audit_seal(s->writer, f));
	if (pthread_create(&s->server, NULL, serve, s) != 0)
		return fault_raise(f, ERR_IO, "thread", "store", "cannot start a thread");
	s->serves = true;
	*ret = TAKE(s);
	return OK;
}

static void end_server(struct store *s)
{
	if (!s->serves)
		return;
	pthread_mutex_lock(&s->turning);
	s->closing = true;
	pthread_cond_signal(&s->serve);
	pthread_mutex_unlock(&s->turning);
	pthread_join(s->server, NULL);
}

void store_close(struct store *s)
{
	end_server(s);
	while (s->idle) {
		struct reader *r = s->idle;
		s->idle = r->next;
		db_close(r->db);
		free(r);
	}
	if (s->writer)
		db_close(s->writer);
	pthread_mutex_destroy(&s->turning);
	pthread_cond_destroy(&s->serve);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->given);
	free(s->touched);
	free(s->path);
	free(s);
}

/* --- whose turn it is --- */

/* With `turning` held. */
static void queue_up(struct store *s, struct turns *q, struct store_turn *t)
{
	*q->last = t;
	q->last = &t->next;
	atomic_fetch_add(&s->waiting, 1);
}

/* With `turning` held: the first, who no longer waits. */
static struct store_turn *call_up(struct store *s, struct turns *q)
{
	struct store_turn *t = q->first;
	q->first = t->next;
	if (!q->first)
		q->last = &q->first;
	atomic_fetch_sub(&s->waiting, 1);
	return t;
}

/* With `turning` held, until it is called. */
static void wait_for_turn(struct store *s, struct turns *q)
{
	struct store_turn t = {.called = PTHREAD_COND_INITIALIZER};
	queue_up(s, q, &t);
	while (!t.mine)
		pthread_cond_wait(&t.called, &s->turning);
	pthread_cond_destroy(&t.called);
}

static void take_writer(struct store *s, bool urgent)
{
	pthread_mutex_lock(&s->turning);
	if (s->taken) {
		rpc_wait_begin();
		wait_for_turn(s, urgent ? &s->urgent : &s->usual);
		rpc_wait_end();
	}
	s->taken = true;
	pthread_mutex_unlock(&s->turning);
}

unsigned store_waiting(struct store *s)
{
	return atomic_load(&s->waiting);
}

/* With `turning` held: the writer is given to the store's thread, for that task. */
static void let_serve(struct store *s, struct store_task *task)
{
	s->due = task;
	pthread_cond_signal(&s->serve);
}

static void give_writer(struct store *s)
{
	pthread_mutex_lock(&s->turning);
	struct turns *q = s->urgent.first ? &s->urgent : &s->usual;
	struct store_turn *next = q->first ? call_up(s, q) : NULL;
	s->taken = next != NULL;
	if (next && next->task) {
		let_serve(s, next->task);
	} else if (next) {
		next->mine = true;
		pthread_cond_signal(&next->called);
	}
	pthread_mutex_unlock(&s->turning);
}

/* The next task, when nothing urgent and no thread waits before it. */
static struct store_task *next_task(struct store *s)
{
	struct store_turn *t = NULL;
	pthread_mutex_lock(&s->turning);
	if (!s->urgent.first && s->usual.first && s->usual.first->task)
		t = call_up(s, &s->usual);
	pthread_mutex_unlock(&s->turning);
	return t ? t->task : NULL;
}

/* --- the writer, by whom has it --- */

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

/* Tells of tasks that are over. One that somebody waits for is gone as soon as it is told: each is called by itself, for woken
 * together, all would want one lock. */
static void tell(struct store *s, struct store_task *all)
{
	struct store_task *put = NULL, **last = &put;
	for (struct store_task *t = all, *next; t; t = next) {
		next = t->next;
		if (t->waiter) {
			sem_post(t->waiter);
			continue;
		}
		*last = t;
		last = &t->next;
	}
	*last = NULL;
	if (put)
		s->over(s->over_arg, put);
}

/* Ends the group. */
static void end_group(struct store *s)
{
	struct group g = s->group;
	struct fault f = {0};
	s->group = (struct group){0};
	s->open = false;
	if (!g.members) {
		db_rollback(s->writer);
		return;
	}
	enum err e = commit(s, &f);
	/* What was rolled back reads as it was: no need to forget it. */
	if (s->n_touched > 0 && s->watch(s->watch_arg, s->writer, s->touched, s->n_touched))
		s->n_touched = 0;
	for (struct store_task *t = g.members; t && e != OK; t = t->next) {
		t->result = e;
		t->f = f;
	}
	tell(s, g.members);
}

/* Somebody else will come and end it. */
static bool may_wait(struct store *s)
{
	const struct group *g = &s->group;
	return atomic_load(&s->waiting) > 0 && g->n_members < GROUP_MAX && clock_mono_us() - g->since_us < GROUP_US &&
	       db_in_transaction(s->writer);
}

static enum err join(struct store *s, struct fault *f)
{
	if (!s->open) {
		TRY(db_begin(s->writer, f));
		s->open = true;
		s->group.since_us = clock_mono_us();
	}
	return db_run(s->writer, f, "SAVEPOINT member", "");
}

/* What of a change succeeded is kept in the group, else it is taken back. */
static enum err leave(struct store *s, struct store_task *t, enum err e, struct fault *f)
{
	if (e == OK)
		e = db_run(s->writer, f, "RELEASE member", "");
	if (e == OK) {
		t->next = s->group.members;
		s->group.members = t;
		s->group.n_members++;
	} else if (db_in_transaction(s->writer) && db_run(s->writer, NULL, "ROLLBACK TO member", "") == OK) {
		(void)!db_run(s->writer, NULL, "RELEASE member", "");
	}
	return e;
}

/* One task in the open group, or the first of one. */
static void make(struct store *s, struct store_task *t)
{
	enum err e = join(s, &t->f);
	if (e == OK)
		e = leave(s, t, t->fn(s->writer, t->arg, &t->f), &t->f);
	if (e == OK)
		return;
	t->result = e;
	t->next = NULL;
	tell(s, t);
}

/* With the writer, whose own change is made: then those of others that will share its commit. Gives the writer back. */
static void finish(struct store *s)
{
	while (s->open && may_wait(s)) {
		struct store_task *t = next_task(s);
		if (!t)
			break;
		make(s, t);
	}
	if (s->open && !may_wait(s))
		end_group(s);
	give_writer(s);
}

/* --- */

static void *serve(void *arg)
{
	struct store *s = arg;
	pthread_mutex_lock(&s->turning);
	while (s->due || !s->closing) {
		struct store_task *t = s->due;
		if (!t) {
			pthread_cond_wait(&s->serve, &s->turning);
			continue;
		}
		s->due = NULL;
		pthread_mutex_unlock(&s->turning);
		make(s, t);
		finish(s);
		pthread_mutex_lock(&s->turning);
	}
	pthread_mutex_unlock(&s->turning);
	return NULL;
}

void store_when_over(struct store *s, store_over *fn, void *arg)
{
	s->over = fn;
	s->over_arg = arg;
}

void store_put(struct store *s, struct store_task *task)
{
	assert(s->over);
	task->result = OK;
	task->waiter = NULL;
	task->turn = (struct store_turn){.task = task};
	pthread_mutex_lock(&s->turning);
	if (s->taken)
		queue_up(s, &s->usual, &task->turn);
	else
		let_serve(s, task);
	s->taken = true;
	pthread_mutex_unlock(&s->turning);
}

static void wait_for(sem_t *over)
{
	if (sem_trywait(over) == 0)
		return;
	rpc_wait_begin();
	while (sem_wait(over) != 0)
		; /* a signal */
	rpc_wait_end();
}

/* True: the writer is this thread's. False: the task waits for its turn, and somebody will make it. */
static bool take_or_queue(struct store *s, struct store_task *t)
{
	pthread_mutex_lock(&s->turning);
	bool mine = !s->taken;
	s->taken = true;
	if (!mine)
		queue_up(s, &s->usual, &t->turn);
	pthread_mutex_unlock(&s->turning);
	return mine;
}

enum err store_change(struct store *s, store_fn *fn, void *arg, struct fault *f)
{
	sem_t over;
	struct store_task t = {.fn = fn, .arg = arg, .waiter = &over, .turn.task = &t};
	sem_init(&over, 0, 0);
	if (take_or_queue(s, &t)) {
		make(s, &t);
		finish(s);
	}
	wait_for(&over);
	sem_destroy(&over);
	if (t.result != OK && f)
		*f = t.f;
	return t.result;
}

static enum err begin(struct store *s, bool urgent, struct db **ret, struct fault *f)
{
	take_writer(s, urgent);
	enum err e = join(s, f);
	if (e == OK) {
		*ret = s->writer;
		return OK;
	}
	finish(s);
	return e;
}

enum err store_begin(struct store *s, struct db **ret, struct fault *f)
{
	return begin(s, false, ret, f);
}

enum err store_begin_urgent(struct store *s, struct db **ret, struct fault *f)
{
	return begin(s, true, ret, f);
}

enum err store_end(struct store *s, struct db *db, enum err e, struct fault *f)
{
	sem_t over;
	struct store_task t = {.waiter = &over};
	assert(db == s->writer && s->open);
	sem_init(&over, 0, 0);
	e = leave(s, &t, e, f);
	finish(s);
	if (e == OK) {
		wait_for(&over);
		e = t.result;
		if (e != OK && f)
			*f = t.f;
	}
	sem_destroy(&over);
	return e;
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

void column_ref(struct db_row *row, int issuer, int serial, struct cert_ref *ret)
{
	struct slice i = db_blob(row, issuer), s = db_blob(row, serial);
	if (i.n == 0)
		return;
	assert(i.n == 20 && s.n <= SERIAL_MAX);
	memcpy(ret->issuer_key_id, i.p, 20);
	memcpy(ret->serial.b, s.p, s.n);
	ret->serial.n = s.n;
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
