/*
 * The ledger's file and its one writer thread.
 *
 * Operations are posted; the writer takes what has queued, runs all of it in one transaction, and says so to whoever
 * posted it after the flush. One that is refused leaves nothing and disturbs nobody. A lone request never waits for
 * company: the writer waits (2 ms, or until 8 or more have queued) only while more requests are known to be under way
 * than have queued. Once
 * a commit has failed, nobody knows what the disk holds, so nothing more is written: the process ends and the next
 * start reads the truth. Next: ledger_reader.c, ledger_clock.c, ledger_append.c for entries, ledger_cert.c for what is
 * derived from them.
 */
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#define QUEUE_MAX                                                                                                      \
	1024 /* more than are let in (SIGNER_MAX_TALLIES): one that has an intent always gets its outcome in */
#define BATCH_WANTED 8 /* or half of those under way, when they are more */
#define BATCH_MANY 64
#define BATCH_WAIT_US 2000
#define STACK_BYTES (1024u * 1024u)

/* --- the writer --- */

static void deadline_in(int64_t us, struct timespec *ret)
{
	int64_t at = clock_mono_us() + us;
	*ret = (struct timespec){.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000};
}

/* The lock is held. More are wanted while requests are under way that have not queued yet: the fewer flushes for many
 * of them, the less they cost; for a few, the wait would. */
static bool wants_more(const struct ledger *l)
{
	unsigned many = l->entered / 2, wanted = l->entered < BATCH_WANTED ? l->entered : BATCH_WANTED;
	if (many > wanted)
		wanted = many < BATCH_MANY ? many : BATCH_MANY;
	return l->queued < wanted && !l->stopping;
}

/* The lock is held. The writer is woken when it has something to do, not for each that queues. */
static void wake_writer(struct ledger *l)
{
	if (l->idle || !wants_more(l))
		pthread_cond_signal(&l->work);
}

/* Takes the whole queue; NULL when stopping and empty. */
static struct ledger_op *take_batch(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->idle = true;
	while (!l->first && !l->stopping)
		pthread_cond_wait(&l->work, &l->lock);
	l->idle = false;
	struct timespec until;
	deadline_in(BATCH_WAIT_US, &until);
	while (l->first && wants_more(l))
		if (pthread_cond_timedwait(&l->work, &l->lock, &until) == ETIMEDOUT)
			break;
	struct ledger_op *batch = l->first;
	l->first = NULL;
	l->last = &l->first;
	l->queued = 0;
	pthread_mutex_unlock(&l->lock);
	return batch;
}

/* Takes back what a refused operation has left in *tx. */
static void forget(struct ledger_tx *tx, const struct ledger_tx *before)
{
	tx->next = before->next;
	tx->leaves.len = 32 * (size_t)(before->next - before->first);
	memcpy(tx->counts, before->counts, sizeof(tx->counts));
	memcpy(tx->issuer, before->issuer, sizeof(tx->issuer));
	tx->standing = before->standing;
	tx->heads_read = false;
}

/* An error is returned when the transaction itself is in question; an operation's own refusal is not. safely: under a
 * savepoint. Without one, *ret_dirty says that it was refused after it had written. */
static enum err run_one(struct ledger_tx *tx, struct ledger_op *op, bool safely, bool *ret_dirty, struct fault *f)
{
	struct ledger_tx before = *tx;
	int64_t changes = db_total_changes(tx->db);
	if (safely)
		TRY(db_savepoint(tx->db, f));
	op->result = op->fn(tx, op->arg, op->f);
	/* A full disk may have ended the transaction, and what came next would stand outside of any. */
	if (op->result != OK && (op->result == ERR_DB || !db_in_transaction(tx->db))) {
		*f = *op->f;
		return op->result;
	}
	if (op->result == OK)
		return safely ? db_release(tx->db, f) : OK;
	if (safely)
		TRY(db_rollback_to(tx->db, f));
	else
		*ret_dirty = db_total_changes(tx->db) != changes;
	forget(tx, &before);
	return OK;
}

/* Savepoints copy every page that an operation touches, and nearly all operations are refused before they write or not
 * at all: so it is tried without, and all is done again when one was refused later than that. */
static enum err run_all(struct ledger_op *batch, struct ledger_tx *tx, struct fault *f)
{
	const struct ledger_tx before = *tx;
	bool dirty = false;
	TRY(db_begin(tx->db, f));
	for (struct ledger_op *op = batch; op && !dirty; op = op->next)
		TRY(run_one(tx, op, false, &dirty, f));
	if (!dirty)
		return OK;
	db_rollback(tx->db);
	forget(tx, &before);
	TRY(db_begin(tx->db, f));
	for (struct ledger_op *op = batch; op; op = op->next)
		TRY(run_one(tx, op, true, &dirty, f));
	return OK;
}

/* Was it certainly not written? A full disk says so before the record that makes a transaction count. */
static bool nothing_written(struct ledger *l, enum err e)
{
	uint64_t size;
	merkle_hash found, known;
	if (e != ERR_BUSY)
		return false;
	db_rollback(l->db);
	tree_root(&l->tree, known);
	return tree_head(l->db, &size, found, NULL) == OK && (size == UINT64_MAX || size == ledger_size(l)) &&
	       (size == UINT64_MAX || memcmp(found, known, 32) == 0);
}

/* The file must be ours before and after: what went into another is told to nobody. */
static enum err commit(struct ledger *l, bool *ret_broken, struct fault *f)
{
	enum err e = db_commit(l->db, f);
	if (e == OK)
		e = file_same(l, f);
	*ret_broken = e != OK && !nothing_written(l, e);
	return e;
}

/* tree: as it will be when this is flushed. */
static enum err run_batch(struct ledger *l, struct ledger_op *batch, struct ledger_tx *tx, struct ledger_tree *tree,
			  bool *ret_broken, struct fault *f)
{
	TRY(ledger_now(l, &tx->at, f));
	*ret_broken = true;
	TRY(file_same(l, f));
	*ret_broken = false;
	enum err e = run_all(batch, tx, f);
	if (e == OK && tx->next > tx->first)
		e = append_counts(tx, f);
	if (e == OK && tx->next > tx->first)
		e = tree_append(tree, tx, f);
	readers_let_go(l);
	if (e == OK)
		e = commit(l, ret_broken, f);
	*ret_broken |= l->doubted;
	if (e != OK)
		db_rollback(l->db);
	return e;
}

static void finish_batch(struct ledger_op *batch, enum err e, const struct fault *why)
{
	rpc_resume_begin(); /* then() of many of them has a worker of a socket go on */
	for (struct ledger_op *op = batch, *next; op; op = next) {
		next = op->next; /* op is gone once then() has been called */
		if (e != OK) {
			op->result = e;
			*op->f = *why;
		}
		op->then(op);
	}
	rpc_resume_end();
}

static enum err broken_raise(struct fault *f)
{
	return fault_raise(f, ERR_DB, "ledger_broken", "ledger",
			   "its file failed; nothing more is written until the signer is started again");
}

static void commit_batch(struct ledger *l, struct ledger_op *batch)
{
	struct fault f = {0};
	bool broken = false;
	uint64_t first = ledger_size(l);
	struct ledger_tx tx = {.db = l->db, .next = first, .first = first};
	struct ledger_tree tree = l->tree;
	ledger_standing(l, &tx.standing);
	enum err e = ledger_broken(l) ? broken_raise(&f) : run_batch(l, batch, &tx, &tree, &broken, &f);
	buf_done(&tx.leaves);
	if (e == OK)
		l->tree = tree;
	pthread_mutex_lock(&l->lock);
	if (e == OK)
		l->standing = tx.standing;
	if (e == OK && tx.next != l->size) {
		l->size = tx.next;
		tree_root(&tree, l->root);
		l->last_at = tx.at;
		pthread_cond_broadcast(&l->grown);
	}
	l->broken |= broken;
	l->commits++;
	l->committing = false;
	pthread_mutex_unlock(&l->lock);
	if (broken && file_same(l, NULL) != OK)
		file_rescue(l);
	finish_batch(batch, e, &f);
	if (broken)
		log_fault(LOG_LEVEL_ERROR, "ledger_broken", &f);
}

static void *write_loop(void *arg)
{
	struct ledger *l = arg;
	for (struct ledger_op *batch = take_batch(l); batch; batch = take_batch(l)) {
		commit_batch(l, batch);
		wal_look(l);
	}
	return NULL;
}

enum err ledger_post(struct ledger *l, struct ledger_op *op, struct fault *f)
{
	op->next = NULL;
	pthread_mutex_lock(&l->lock);
	unsigned queued = l->queued;
	bool full = queued >= QUEUE_MAX || l->stopping;
	if (!full) {
		*l->last = op;
		l->last = &op->next;
		l->queued++;
		wake_writer(l);
	}
	pthread_mutex_unlock(&l->lock);
	return full ? fault_raise(f, ERR_BUSY, "ledger_queue", "ledger", "%u operations wait already; try again",
				  queued)
		    : OK;
}

/* Somebody who sleeps until the flush. */
struct sleeper {
	struct ledger_op op;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool done;
};

static void wake_sleeper(struct ledger_op *op)
{
	struct sleeper *s = (struct sleeper *)op;
	pthread_mutex_lock(&s->lock);
	s->done = true;
	pthread_cond_signal(&s->woken);
	pthread_mutex_unlock(&s->lock);
}

enum err ledger_do(struct ledger *l, ledger_fn *fn, void *arg, struct fault *f)
{
	struct fault own = {0};
	struct sleeper s = {.op = {.fn = fn, .arg = arg, .f = f ? f : &own, .then = wake_sleeper},
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .woken = PTHREAD_COND_INITIALIZER};
	TRY(ledger_post(l, &s.op, f));
	pthread_mutex_lock(&s.lock);
	while (!s.done)
		pthread_cond_wait(&s.woken, &s.lock);
	pthread_mutex_unlock(&s.lock);
	pthread_mutex_destroy(&s.lock);
	pthread_cond_destroy(&s.woken);
	return s.op.result;
}

void ledger_enter(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->entered++;
	pthread_mutex_unlock(&l->lock);
}

void ledger_leave(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	assert(l->entered > 0);
	l->entered--;
	if (l->queued > 0)
		wake_writer(l);
	pthread_mutex_unlock(&l->lock);
}

/* --- what others ask --- */

uint64_t ledger_size(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	uint64_t size = l->size;
	pthread_mutex_unlock(&l->lock);
	return size;
}

bool ledger_broken(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	bool broken = l->broken;
	pthread_mutex_unlock(&l->lock);
	return broken;
}

void ledger_wait(struct ledger *l, uint64_t from, unsigned timeout_ms)
{
	struct timespec until;
	deadline_in((int64_t)timeout_ms * 1000, &until);
	pthread_mutex_lock(&l->lock);
	while (l->size <= from && !l->awake)
		if (pthread_cond_timedwait(&l->grown, &l->lock, &until) == ETIMEDOUT)
			break;
	pthread_mutex_unlock(&l->lock);
}

void ledger_wake(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->awake = true;
	pthread_cond_broadcast(&l->grown);
	pthread_mutex_unlock(&l->lock);
}

/* --- opening --- */

/* Held as long as the process lives; never removed, since a lock on a removed file locks nothing. */
static enum err lock_folder(struct ledger *l, const char *dir, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(dir, "ledger.lock");
	l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->lock_fd < 0)
		return fault_raise(f, ERR_IO, "ledger_lock", "ledger.lock", "%s: %s", ESC(path, strlen(path)),
				   strerror(errno));
	if (flock(l->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return fault_raise(f, ERR_CONFIG, "ledger_locked", "ledger.lock",
				   "%s: another signer runs on this ledger", ESC(path, strlen(path)));
	return OK;
}

static enum err check_there(const struct ledger *l, bool create, struct fault *f)
{
	bool there = file_exists(l->path);
	if (there && create)
		return fault_raise(f, ERR_CONFLICT, "ledger_exists", "ledger", "%s is there already",
				   ESC(l->path, strlen(l->path)));
	if (!there && !create)
		return fault_raise(f, ERR_CONFIG, "ledger_missing", "ledger", "%s is missing: hufu-ca genesis makes it",
				   ESC(l->path, strlen(l->path)));
	return OK;
}

static enum err read_tail(struct ledger *l, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(l->db, f, &row, "SELECT idx, at FROM entries ORDER BY idx DESC LIMIT 1", ""));
	TRY(db_next(row, &more, f));
	l->size = more ? (uint64_t)db_i64(row, 0) + 1 : 0;
	return more ? column_time(row, 1, &l->last_at, f) : OK;
}

/* Signals are the main thread's business. */
enum err ledger_thread(pthread_t *ret, void *(*body)(void *), void *arg, struct fault *f)
{
	sigset_t all, before;
	pthread_attr_t attr;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	int e = pthread_create(ret, &attr, body, arg);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e == 0 ? OK : fault_raise(f, ERR_IO, "ledger_thread", "ledger", "thread: %s", strerror(e));
}

static enum err start_threads(struct ledger *l, struct fault *f)
{
	TRY(ledger_thread(&l->writer, write_loop, l, f));
	l->started = true;
	return wal_start(l, f);
}

static struct ledger *ledger_new(const char *dir)
{
	struct ledger *l = xcalloc(1, sizeof(*l));
	l->path = path_join(dir, "ledger.db");
	l->lock_fd = -1;
	l->last = &l->first;
	l->seen_wall = clock_now();
	l->seen_mono_us = clock_mono_us();
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->work, &attr);
	pthread_cond_init(&l->grown, &attr);
	pthread_cond_init(&l->copy, NULL);
	pthread_cond_init(&l->copied, NULL);
	pthread_condattr_destroy(&attr);
	return l;
}

enum err ledger_open(const char *dir, bool create, struct ledger **ret, struct fault *f)
{
	_cleanup_(ledger_closep) struct ledger *l = ledger_new(dir);
	TRY(lock_folder(l, dir, f));
	TRY(check_there(l, create, f));
	TRY(db_open_writer(l->path, &l->db, f));
	/* The pages of the random keys that many transactions touch; a reader's copy of them would be void after each. */
	TRY(db_run(l->db, f, "PRAGMA cache_size=-16384", ""));
	TRY(wal_open(l, f));
	TRY(file_remember(l, f));
	TRY(db_migrate(l->db, ledger_migrations, ledger_n_migrations, f));
	TRY(read_tail(l, f));
	TRY(restore_load(l->db, &l->standing, f));
	TRY(tree_open(&l->tree, l->db, l->size, f));
	tree_root(&l->tree, l->root);
	TRY(start_threads(l, f));
	*ret = TAKE(l);
	return OK;
}

void ledger_close(struct ledger *l)
{
	if (l->started) {
		pthread_mutex_lock(&l->lock);
		l->stopping = true;
		pthread_cond_signal(&l->work);
		pthread_cond_signal(&l->copy);
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->writer, NULL);
	}
	wal_close(l);
	for (unsigned i = 0; i < l->n_pool; i++)
		db_close(l->pool[i]);
	if (l->db)
		db_close(l->db);
	closep(&l->lock_fd);
	if (l->log)
		log_signer_free(l->log);
	pthread_cond_destroy(&l->work);
	pthread_cond_destroy(&l->grown);
	pthread_cond_destroy(&l->copy);
	pthread_cond_destroy(&l->copied);
	pthread_mutex_destroy(&l->lock);
	free(l->path);
	free(l);
}
