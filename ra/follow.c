/*
 * A long poll from the last entry on. A batch and the new position are one transaction, so a crash repeats a batch or
 * not, but never half. Between polls the signer's health is asked for.
 *
 * The desk keeps the right edge of the ledger's tree. A batch counts when the edge with its leaves has a root from
 * which the signer's signed checkpoint grows (RFC 9162 2.1.4): so whatever was followed once can't be told differently
 * later, and a signer that tries is found out at the next poll.
 */
#include "ra/follow.h"

#include "ra/bell.h"
#include "ra/handover.h"
#include "ra/ledger.h"
#include "ra/resume.h"
#include "ra/signer.h"
#include "ra/status_index.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/note/checkpoint.h"
#include "common/rpc/wire.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
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
	bool shown;	     /* the signer was shown our checkpoint since it was away */
};

/* --- one batch --- */

/* Where the desk stands: the tree over what was read, and how much of it was applied. A desk from before there was a
 * tree has applied entries that it reads once more. */
struct position {
	struct merkle_edge edge;
	uint64_t applied;
};

static enum err position_get(struct db *db, struct position *ret, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	int64_t applied = 0;
	struct position p = {0};
	TRY(store_head(db, HEAD_NEXT, &applied, f));
	TRY(store_head_bytes(db, HEAD_EDGE, &b, f));
	p.applied = (uint64_t)applied;
	if (b.len > 0) {
		for (size_t i = 0; i < 8; i++)
			p.edge.n = p.edge.n << 8 | b.data[i];
		assert(b.len == 8 + 32 * merkle_edge_depth(p.edge.n));
		memcpy(p.edge.pending, b.data + 8, b.len - 8);
	}
	*ret = p;
	return OK;
}

static enum err position_set(struct db *db, const struct position *p, int64_t at, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_char(&b, (char)(p->edge.n >> shift));
	buf_add(&b, p->edge.pending, 32 * merkle_edge_depth(p->edge.n));
	TRY(store_head_bytes_set(db, HEAD_EDGE, buf_slice(&b), f));
	TRY(store_head_set(db, HEAD_NEXT, (int64_t)p->applied, f));
	return at ? store_head_set(db, HEAD_AT, at, f) : OK;
}

static enum err read_position(struct desk *d, struct position *ret, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(d->store, &db, f));
	enum err e = position_get(db, ret, f);
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

/* The edge grows by the batch's leaves; they must lead to the signed checkpoint. */
static enum err check_answer(struct desk *d, const struct wire_entries *e, struct merkle_edge *edge, struct fault *f)
{
	struct checkpoint c;
	merkle_hash leaf, root;
	if (e->entries.n > 0 && e->from != edge->n)
		return fault_raise(f, ERR_NET, "wire_answer", "entries.from", "found %llu, wanted %llu",
				   (unsigned long long)e->from, (unsigned long long)edge->n);
	TRY(checkpoint_open(e->checkpoint, &d->log_key, &c, f));
	if (c.size < edge->n)
		return fault_raise(
			f, ERR_DB, "ledger_fork", "checkpoint.size",
			"the signer's ledger has %llu entries, %llu were followed: it is another or an older one",
			(unsigned long long)c.size, (unsigned long long)edge->n);
	for (size_t i = 0; i < e->entries.n; i++) {
		merkle_leaf(e->entries.v[i], leaf);
		merkle_edge_add(edge, leaf);
	}
	merkle_edge_root(edge, root);
	if (e->proof.n % 32 != 0 ||
	    !merkle_consistent(edge->n, root, c.size, c.root, (const merkle_hash *)e->proof.p, e->proof.n / 32))
		return fault_raise(
			f, ERR_DB, "ledger_fork", "checkpoint.root",
			"the tree of the %llu entries followed does not grow into the signed checkpoint of %llu: "
			"the signer shows another ledger than before",
			(unsigned long long)edge->n, (unsigned long long)c.size);
	return OK;
}

/* An answer that leads to the signed checkpoint. */
struct batch {
	const struct wire_entries *e;
	struct position before, after;
	struct ledger_part part; /* what was not applied before */
};

static void batch_done(struct batch *b)
{
	ledger_part_done(&b->part);
}

static enum err read_batch(struct desk *d, struct batch *b, struct fault *f)
{
	const struct slice *v = b->e->entries.v;
	uint64_t from = b->before.edge.n, applied = b->before.applied;
	size_t skip = applied <= from			 ? 0
		      : applied - from < b->e->entries.n ? (size_t)(applied - from)
							 : b->e->entries.n;
	if (b->after.applied < b->after.edge.n)
		b->after.applied = b->after.edge.n;
	return ledger_part_read(d, from + skip, v + skip, b->e->entries.n - skip, &b->part, f);
}

/* *ret_at: when the last entry was made; left alone when they were applied already. */
static enum err apply_in(struct desk *d, struct db *db, const struct batch *b, struct lanes *ended, int64_t *ret_at,
			 struct fault *f)
{
	struct position now;
	int64_t at = b->part.n > 0 ? b->part.entries[b->part.n - 1].at : 0;
	TRY(position_get(db, &now, f));
	if (now.edge.n != b->before.edge.n || now.applied != b->before.applied)
		return OK; /* somebody else has followed meanwhile (tests do) */
	TRY(ledger_apply(d, db, &b->part, ended, f));
	*ret_at = at;
	TRY(store_head_bytes_set(db, HEAD_CHECKPOINT, b->e->checkpoint, f));
	return position_set(db, &b->after, at, f);
}

static enum err apply(struct desk *d, struct batch *b, struct fault *f)
{
	struct db *db = NULL;
	struct lanes ended = {0};
	int64_t at = 0;
	uint64_t to = b->after.edge.n;
	TRY(read_batch(d, b, f));
	TRY(store_begin_urgent(d->store, &db, f));
	TRY(store_end(d->store, db, apply_in(d, db, b, &ended, &at, f), f));
	if (at != 0)
		status_index_heads(d->status, (int64_t)to, at);
	d->followed_next = to;
	bell_ring_lanes(d->finished, ended);
	bell_ring(d->followed, 0);
	if (d->handover)
		handover_followed(d->handover);
	return OK;
}

/* A signature that does not hold, or a tree that did not grow: whatever it is, it is no fault of the line. resumed: as it
 * was before the question. */
static enum err distrust(struct desk *d, unsigned resumed, enum err e, const struct fault *f)
{
	bool forked = strcmp(f->rule, "ledger_fork") == 0 || strncmp(f->rule, "log_", 4) == 0;
	if (!forked || atomic_load(&d->resumed) != resumed)
		return e;
	bool known = atomic_exchange(&d->forked, true);
	if (atomic_load(&d->resumed) != resumed)
		atomic_store(&d->forked, false);
	else if (!known)
		log_audit("ledger_fork", "rule=%s where=%s text=%s", LQ(f->rule), LQ(f->where), LQ(f->text));
	return e;
}

enum err follow_once(struct desk *d, uint32_t wait_ms, size_t *ret_n, struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	_cleanup_(wire_entries_done) struct wire_entries e = {0};
	_cleanup_(batch_done) struct batch b = {.e = &e};
	unsigned resumed = atomic_load(&d->resumed);
	*ret_n = 0;
	TRY(read_position(d, &b.before, f));
	b.after = b.before;
	TRY(ask(d, b.before.edge.n, wait_ms, &reply, &e, f));
	enum err checked = check_answer(d, &e, &b.after.edge, f);
	if (checked != OK)
		return distrust(d, resumed, checked, f);
	if (e.entries.n == 0)
		return OK;
	TRY(apply(d, &b, f));
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

static void hurry(struct desk *d)
{
	struct fault f = {0};
	if (d->handover && handover_hurry(d->handover, &f) != OK)
		log_fault(LOG_LEVEL_ERROR, "handover_hurry", &f);
}

/* Asked for its health, the signer is shown what the desk holds: once it is back, and as long as they do not agree. */
static void look_at_signer(struct follower *w)
{
	struct desk *d = w->desk;
	struct signer_state s;
	struct fault f = {0};
	bool back = signer_view_ask(d->view, d->signer, d->laws, d->root);
	signer_view_get(d->view, &s);
	if (!s.reachable || s.waits || d->forked)
		w->shown = false;
	if (s.reachable && !w->shown) {
		w->shown = resume_show(d, &f) == OK;
		if (!w->shown)
			report(w, &f);
	}
	if (back)
		hurry(d);
}

static void *run(void *arg)
{
	struct follower *w = arg;
	int64_t next_health = 0, pause = PAUSE_MIN_US;
	while (!w->stopping) {
		struct fault f = {0};
		size_t n = 0;
		if (clock_mono_us() >= next_health) {
			look_at_signer(w);
			next_health = clock_mono_us() + HEALTH_US;
		}
		int64_t asked = clock_mono_us();
		enum err e = follow_once(w->desk, WAIT_MS, &n, &f);
		if (e == OK) {
			if (atomic_exchange(&w->desk->cut, false))
				hurry(w->desk);
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
