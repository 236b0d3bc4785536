/*
 * A long poll from the last entry on. A batch and the new position are one transaction, so a crash repeats a batch or
 * not, but never half. Between polls the signer's health is asked for.
 */
#include "ra/follow.h"

#include "ra/bell.h"
#include "ra/ledger.h"
#include "ra/signer.h"
#include "ra/status_index.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/wire.h"

#include <pthread.h>
#include <string.h>

#define BATCH 256
#define WAIT_MS 1000
#define HEALTH_US 5000000
#define PAUSE_MIN_US 100000
#define AT_ONCE_US 50000
#define PAUSE_MAX_US 5000000

struct follower {
	struct desk *desk;
	pthread_t thread;
	struct bell *stop;
	_Atomic bool stopping;
	char last_error[40]; /* rule that was logged last */
};

/* --- one batch --- */

static enum err read_position(struct desk *d, int64_t *ret, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(d->store, &db, f));
	enum err e = store_head(db, HEAD_NEXT, ret, f);
	store_read_end(d->store, db);
	return e;
}

static enum err ask(struct desk *d, uint64_t from, uint32_t wait_ms, struct buf *reply, struct wire_entries *ret,
		    struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	wire_follow_put(&(struct wire_follow){.from = from, .max = BATCH, .wait_ms = wait_ms}, &request);
	TRY(rpc_call(d->signer, buf_slice(&request), reply, f));
	TRY(wire_expect(buf_slice(reply), WIRE_TYPE_ENTRIES, NULL, f));
	return wire_entries_get(buf_slice(reply), ret, f);
}

static enum err check_answer(uint64_t from, const struct wire_entries *e, struct fault *f)
{
	if (e->size < from)
		return fault_raise(
			f, ERR_DB, "ledger_shrunk", "ledger.size",
			"the signer's ledger has %llu entries, %llu were followed: it is another or an older "
			"one",
			(unsigned long long)e->size, (unsigned long long)from);
	if (e->entries.n > 0 && e->from != from)
		return fault_raise(f, ERR_NET, "wire_answer", "entries.from", "found %llu, wanted %llu",
				   (unsigned long long)e->from, (unsigned long long)from);
	return OK;
}

/* *ret_at: when the last entry was made; left alone when they were applied already. */
static enum err apply_in(struct desk *d, struct db *db, uint64_t from, const struct wire_entries *e,
			 struct lanes *ended, int64_t *ret_at, struct fault *f)
{
	int64_t now = 0, at = 0;
	/* Somebody else may have followed meanwhile (tests do). */
	TRY(store_head(db, HEAD_NEXT, &now, f));
	if ((uint64_t)now != from)
		return OK;
	for (size_t i = 0; i < e->entries.n; i++) {
		enum err err = ledger_apply(d, db, from + i, e->entries.v[i], ended, &at, f);
		if (err != OK) {
			fault_prefix(f, "ledger entry %llu", (unsigned long long)(from + i));
			return err;
		}
	}
	TRY(store_head_set(db, HEAD_NEXT, (int64_t)(from + e->entries.n), f));
	*ret_at = at;
	return store_head_set(db, HEAD_AT, at, f);
}

static enum err apply(struct desk *d, uint64_t from, const struct wire_entries *e, struct fault *f)
{
	struct db *db = NULL;
	struct lanes ended = {0};
	int64_t at = 0;
	TRY(store_begin(d->store, &db, f));
	TRY(store_end(d->store, db, apply_in(d, db, from, e, &ended, &at, f), f));
	if (at != 0)
		status_index_heads(d->status, (int64_t)(from + e->entries.n), at);
	d->followed_next = from + e->entries.n;
	bell_ring(d->followed, 0);
	bell_ring_lanes(d->finished, ended);
	return OK;
}

enum err follow_once(struct desk *d, uint32_t wait_ms, size_t *ret_n, struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	_cleanup_(wire_entries_done) struct wire_entries e = {0};
	int64_t from = 0;
	*ret_n = 0;
	TRY(read_position(d, &from, f));
	TRY(ask(d, (uint64_t)from, wait_ms, &reply, &e, f));
	TRY(check_answer((uint64_t)from, &e, f));
	if (e.entries.n == 0)
		return OK;
	TRY(apply(d, (uint64_t)from, &e, f));
	*ret_n = e.entries.n;
	return OK;
}

/* --- the thread --- */

static void report(struct follower *w, const struct fault *f)
{
	if (strcmp(w->last_error, f->rule) == 0)
		return;
	snprintf(w->last_error, sizeof(w->last_error), "%s", f->rule);
	log_fault(f->kind == ERR_NET || f->kind == ERR_BUSY || f->kind == ERR_LOCKED ? LOG_LEVEL_WARNING
										     : LOG_LEVEL_ERROR,
		  "follow_failed", f);
}

static void *run(void *arg)
{
	struct follower *w = arg;
	int64_t next_health = 0, pause = PAUSE_MIN_US;
	while (!w->stopping) {
		struct fault f = {0};
		size_t n = 0;
		if (clock_mono_us() >= next_health) {
			signer_view_ask(w->desk->view, w->desk->signer, w->desk->laws);
			next_health = clock_mono_us() + HEALTH_US;
		}
		int64_t asked = clock_mono_us();
		enum err e = follow_once(w->desk, WAIT_MS, &n, &f);
		if (e == OK) {
			w->last_error[0] = '\0';
			pause = PAUSE_MIN_US;
			/* A signer with many followers answers at once that there is nothing. */
			if (n > 0 || clock_mono_us() - asked > AT_ONCE_US)
				continue;
		} else {
			report(w, &f);
		}
		bell_wait(w->stop, 0, bell_count(w->stop, 0), clock_mono_us() + pause);
		pause = pause * 2 < PAUSE_MAX_US ? pause * 2 : PAUSE_MAX_US;
	}
	return NULL;
}

enum err follower_start(struct desk *d, struct follower **ret, struct fault *f)
{
	struct follower *w = xcalloc(1, sizeof(*w));
	w->desk = d;
	w->stop = bell_new(1);
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		bell_free(w->stop);
		free(w);
		return fault_raise(f, ERR_IO, "thread", "follower", "cannot start a thread");
	}
	*ret = w;
	return OK;
}

void follower_stop(struct follower *w)
{
	w->stopping = true;
	bell_stop(w->stop);
	pthread_join(w->thread, NULL);
	bell_free(w->stop);
	free(w);
}
