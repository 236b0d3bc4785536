/*
 * Exactly once: that a tally is about to be sent is recorded before it is sent, by one thread for all that are due, or by the
 * very call that hands it in; the signer answers the same text under the same id with the same certificate; and the ledger, which the follower reads, says
 * what became of it even when no answer came. So whatever is not known to be done is simply sent again.
 *
 * An answer is kept a moment for the follower, so that certificate, status and request change together; only when the
 * follower is late does the answer itself move the request. No thread waits meanwhile: who follows looks through what is
 * kept, and who fetches settles what nobody came for. Next: ledger.c.
 */
#include "ra/handover.h"

#include "ra/ledger.h"
#include "ra/request_state.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define RETRY_MAX_S 60
#define FOLLOW_WAIT_US 2000000
#define IDLE_MAX_S 30

/* A row that is recorded as sent: it waits for a sender, and when it is answered, for the follower. */
struct parcel {
	struct handover row;
	struct buf reply; /* what `answer` borrows from */
	struct wire_done answer;
	int64_t until_us; /* then the answer itself is believed, by the monotonic clock */
	struct parcel *next;
};
struct handover_pool {
	struct desk *desk;
	pthread_t *threads; /* the first fetches, the others send */
	unsigned n_senders, n_started;
	pthread_mutex_t lock;  /* of all below */
	pthread_cond_t due;    /* for who fetches */
	pthread_cond_t ready;  /* for senders */
	pthread_cond_t rested; /* for senders after a failure */
	bool stopping;
	struct parcel *first, **last;
	unsigned n_waiting;			  /* parcels */
	struct parcel *answered, **answered_last; /* the follower has not come past them; by rising until_us */
	int64_t *taken;				  /* rows that are fetched and not done with */
	size_t n_taken;
	int64_t *fresh; /* rows that were put, so that nobody need look for them; room() at most */
	size_t n_fresh;
	bool looks;	      /* there may be others: the database is asked at once */
	int64_t next_look_us; /* and else then, by the monotonic clock */
	int64_t wakes_us;     /* when who fetches stands still until then; else 0 */
	bool held;	      /* and stands still for want of room */
};

static void parcel_free(struct parcel *x)
{
	handover_done(&x->row);
	buf_done(&x->reply);
	free(x);
}
CLEANUP_PTR(struct parcel, parcel_freep, parcel_free)

static void parcels_free(struct parcel *first)
{
	while (first) {
		struct parcel *x = first;
		first = x->next;
		parcel_free(x);
	}
}

/* --- one row --- */

static bool is_tally(const struct handover *h)
{
	return strcmp(h->what, "tally") == 0;
}

/* *ret_go false: the row has been done, or its request has gone another way. */
static enum err mark_sent_in(struct db *db, int64_t id, struct handover *h, bool *ret_go, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	TRY(store_handover_get(db, id, h, f));
	*ret_go = false;
	if (strcmp(h->state, "done") == 0)
		return OK;
	TRY(store_request_head(db, h->request, &r, f));
	enum request_state state = request_state_from_word(r.state);
	if (is_tally(h) && state != REQUEST_APPROVED && state != REQUEST_SENT)
		return store_handover_done(db, id, "the request has gone another way", f);
	if (is_tally(h) && state == REQUEST_APPROVED)
		TRY(request_move(db, r.id, r.state, EVENT_SEND, clock_now(), HANDOVER_WHO, "", NULL, f));
	*ret_go = true;
	return store_handover_sent(db, id, f);
}

/* Many rows share a transaction. rows and go are arrays of n. */
static enum err mark_all_in(struct db *db, const int64_t *ids, size_t n, struct handover *rows, bool *go,
			    struct fault *f)
{
	for (size_t i = 0; i < n; i++)
		TRY(mark_sent_in(db, ids[i], &rows[i], &go[i], f));
	return OK;
}

static enum err mark_sent(struct desk *d, const int64_t *ids, size_t n, struct handover *rows, bool *go,
			  struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin_urgent(d->store, &db, f));
	return store_end(d->store, db, mark_all_in(db, ids, n, rows, go, f), f);
}

static enum err send(struct desk *d, const struct handover *h, struct buf *reply, struct wire_done *ret,
		     uint32_t *ret_retry_ms, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	wire_tally_put(&(struct wire_tally){.note = buf_slice(&h->note), .csr = buf_slice(&h->csr)}, &request);
	TRY(rpc_call(d->signer, buf_slice(&request), reply, f));
	TRY(wire_expect(buf_slice(reply), WIRE_TYPE_DONE, ret_retry_ms, f));
	return wire_done_get(buf_slice(reply), ret, f);
}

/* Is it the tally that was refused, or the moment? */
static bool passes(enum err kind)
{
	switch (kind) {
	case ERR_NET:
	case ERR_BUSY:
	case ERR_LOCKED:
	case ERR_IO:
	case ERR_DB:
	case ERR_INTERNAL:
	case ERR_CONFIG:
		return true;
	case OK:
	case ERR_PARSE:
	case ERR_LIMIT:
	case ERR_RULE:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_CRYPTO:
		return false;
	}
	return false;
}

static int64_t pause_of(const struct handover *h, uint32_t retry_ms)
{
	int64_t pause = h->tries < 6 ? (int64_t)1 << h->tries : RETRY_MAX_S;
	int64_t asked = (retry_ms + 999) / 1000;
	return asked > pause ? asked : pause;
}

static enum err retry_later(struct desk *d, const struct handover *h, uint32_t retry_ms, const struct fault *why,
			    struct fault *f)
{
	struct db *db = NULL;
	int64_t pause = pause_of(h, retry_ms);
	log_event(LOG_LEVEL_WARNING, "handover_waits", "request=%s what=%s tries=%lld pause_s=%lld err=%s text=%s",
		  h->request, h->what, (long long)h->tries + 1, (long long)pause, err_word(why->kind), LQ(why->text));
	TRY(store_begin(d->store, &db, f));
	TRY(store_end(d->store, db, store_handover_retry(db, h->id, clock_now() + pause, why->text, f), f));
	if (why->kind == ERR_NET)
		atomic_store(&d->cut, true);
	return OK;
}

static enum err refused_in(struct db *db, const struct handover *h, const struct fault *why, struct fault *f)
{
	if (is_tally(h))
		return ledger_settle(db, h->request, false, 0, why, clock_now(), f);
	return store_handover_done(db, h->id, why->rule, f);
}

static enum err refused(struct desk *d, const struct handover *h, const struct fault *why, struct fault *f)
{
	struct db *db = NULL;
	log_audit("signer_refused", "request=%s what=%s rule=%s text=%s", h->request, h->what, why->rule,
		  LQ(why->text));
	TRY(store_begin(d->store, &db, f));
	TRY(store_end(d->store, db, refused_in(db, h, why, f), f));
	bell_ring(d->finished, bell_lane(h->request));
	return OK;
}

/* Has the follower come past that entry? Then it has settled the row too. */
static bool is_followed(const struct desk *d, const struct wire_done *answer)
{
	return d->followed_next > answer->index;
}

static enum err done_in(struct desk *d, struct db *db, const struct handover *h, const struct wire_done *done,
			struct fault *f)
{
	if (!is_tally(h))
		return store_handover_done(db, h->id, "", f);
	if (done->cert.n > 0)
		return ledger_put_issued(d, db, done, buf_slice(&h->note), f);
	return ledger_settle(db, h->request, true, 0, NULL, clock_now(), f);
}

/* By the answer, since the follower is late. */
static enum err settle(struct desk *d, const struct parcel *x, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(d->store, &db, f));
	TRY(store_end(d->store, db, done_in(d, db, &x->row, &x->answer, f), f));
	bell_ring(d->finished, bell_lane(x->row.request));
	return OK;
}

/* Of a row that is marked. *ret_answered: the signer has done it, and it waits for the follower. */
static enum err bring(struct desk *d, struct parcel *x, bool *ret_answered, struct fault *f)
{
	const struct handover *h = &x->row;
	struct fault why = {0};
	uint32_t retry_ms = 0;
	enum err e = send(d, h, &x->reply, &x->answer, &retry_ms, &why);
	*ret_answered = e == OK;
	if (e != OK)
		return passes(e) ? retry_later(d, h, retry_ms, &why, f) : refused(d, h, &why, f);
	log_audit("signer_done", "request=%s what=%s entry=%llu again=%d", h->request, h->what,
		  (unsigned long long)x->answer.index, x->answer.again);
	return OK;
}

enum err handover_one(struct desk *d, int64_t id, struct fault *f)
{
	_cleanup_(parcel_freep) struct parcel *x = xcalloc(1, sizeof(*x));
	bool go = false, answered = false;
	TRY(mark_sent(d, &id, 1, &x->row, &go, f));
	if (go)
		TRY(bring(d, x, &answered, f));
	return answered && !is_followed(d, &x->answer) ? settle(d, x, f) : OK;
}

/* --- who fetches --- */

/* Room for what is due and as much again that is under way already. */
static size_t room(const struct handover_pool *p)
{
	return 2 * (size_t)p->n_senders;
}

static bool is_taken(const struct handover_pool *p, int64_t id)
{
	for (size_t i = 0; i < p->n_taken; i++) {
		if (p->taken[i] == id)
			return true;
	}
	return false;
}

static void let_go(struct handover_pool *p, int64_t id)
{
	for (size_t i = 0; i < p->n_taken; i++) {
		if (p->taken[i] == id) {
			p->taken[i] = p->taken[--p->n_taken];
			return;
		}
	}
}

/* Ids that are due, and when the next one will be. */
static enum err look(struct desk *d, int64_t *ids, size_t max, size_t *ret_n, int64_t *ret_next, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(d->store, &db, f));
	enum err e = store_handover_due(db, clock_now(), ids, max, ret_n, f);
	if (e == OK)
		e = store_handover_next(db, ret_next, f);
	store_read_end(d->store, db);
	return e;
}

/* Under the lock. Keeps of the ids those that nobody has, as many as there is room for, and takes them. */
static size_t take(struct handover_pool *p, int64_t *ids, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n && p->n_taken < room(p); i++) {
		if (!is_taken(p, ids[i]))
			p->taken[p->n_taken++] = ids[kept++] = ids[i];
	}
	return kept;
}

static void put_parcel(struct handover_pool *p, struct handover *row)
{
	struct parcel *x = xcalloc(1, sizeof(*x));
	x->row = *row;
	*row = (struct handover){0};
	*p->last = x;
	p->last = &x->next;
	p->n_waiting++;
	pthread_cond_signal(&p->ready);
}

/* Marks the rows and hands them to the senders; *f says why when it did not work, and none of them is taken then. */
static enum err mark_and_put(struct handover_pool *p, const int64_t *ids, size_t n, struct fault *f)
{
	struct handover *rows = xcalloc(n, sizeof(*rows));
	_cleanup_(freep) bool *go = xcalloc(n, sizeof(*go));
	enum err e = mark_sent(p->desk, ids, n, rows, go, f);
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < n; i++) {
		if (e == OK && go[i])
			put_parcel(p, &rows[i]);
		else
			let_go(p, ids[i]);
	}
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < n; i++)
		handover_done(&rows[i]);
	free(rows);
	return e;
}

/* A row that cannot be marked keeps no other from its turn: then each is tried by itself. */
static bool fetch(struct handover_pool *p, int64_t *ids, size_t n)
{
	struct fault f = {0};
	if (n == 0 || mark_and_put(p, ids, n, &f) == OK)
		return true;
	bool good = n > 1;
	for (size_t i = 0; i < n && n > 1; i++) {
		pthread_mutex_lock(&p->lock);
		bool again = take(p, &ids[i], 1) == 1;
		pthread_mutex_unlock(&p->lock);
		good = (!again || mark_and_put(p, &ids[i], 1, &f) == OK) && good;
	}
	if (!good)
		log_fault(LOG_LEVEL_ERROR, "handover_failed", &f);
	return good;
}

/* When the database is asked again: when the next row is due, by the clock that people set, and soon enough if that is wrong. */
static void look_at(struct handover_pool *p, int64_t next)
{
	int64_t now = clock_now(), seconds = IDLE_MAX_S;
	if (next - now < IDLE_MAX_S)
		seconds = next > now ? next - now : 1;
	p->next_look_us = clock_mono_us() + seconds * 1000000;
}

/* One that fails has a next try, of which the last look knew nothing. */
static void look_soon(struct handover_pool *p)
{
	int64_t soon = clock_mono_us() + 1000000;
	if (soon >= p->next_look_us)
		return;
	p->next_look_us = soon;
	pthread_cond_signal(&p->due);
}

static bool may_look(const struct handover_pool *p)
{
	return p->looks || clock_mono_us() >= p->next_look_us;
}

/* Nothing goes to a signer whose ledger is not to be believed, and nothing more is fetched while senders have enough. */
static bool may_fetch(const struct handover_pool *p)
{
	return !p->desk->forked && p->n_waiting < (p->n_senders + 1) / 2 && p->n_taken < room(p);
}

/* Until something may be done; the time may be set nearer meanwhile. */
static void wait_for_due(struct handover_pool *p)
{
	p->held = !may_fetch(p);
	p->wakes_us = p->held ? INT64_MAX : p->next_look_us;
	if (p->answered && p->answered->until_us < p->wakes_us)
		p->wakes_us = p->answered->until_us;
	struct timespec ts = {.tv_sec = p->wakes_us / 1000000, .tv_nsec = p->wakes_us % 1000000 * 1000};
	pthread_cond_timedwait(&p->due, &p->lock, &ts);
	p->held = false;
	p->wakes_us = 0;
}

/* There may be room again. */
static void made_room(struct handover_pool *p)
{
	if (p->held && may_fetch(p))
		pthread_cond_signal(&p->due);
}

/* Rows that were put: nobody looks for them, but for those that could not be taken or marked. Called and left with the lock held. */
static void fetch_fresh(struct handover_pool *p, int64_t *ids)
{
	size_t n = p->n_fresh;
	memcpy(ids, p->fresh, n * sizeof(*ids));
	p->n_fresh = 0;
	size_t kept = take(p, ids, n);
	p->looks = p->looks || kept < n;
	pthread_mutex_unlock(&p->lock);
	(void)fetch(p, ids, kept);
	pthread_mutex_lock(&p->lock);
	look_soon(p);
}

/* One look at what is due, which is also what was put. Called and left with the lock held. */
static void fetch_due(struct handover_pool *p, int64_t *ids)
{
	int64_t next = INT64_MAX;
	struct fault f = {0};
	/* What is under way is due too, and may stand first. */
	size_t n = 0, max = p->n_taken + room(p);
	p->looks = false;
	p->n_fresh = 0;
	pthread_mutex_unlock(&p->lock);
	bool good = look(p->desk, ids, max, &n, &next, &f) == OK;
	if (!good)
		log_fault(LOG_LEVEL_ERROR, "handover_look", &f);
	bool all = n < max;
	pthread_mutex_lock(&p->lock);
	n = take(p, ids, n);
	pthread_mutex_unlock(&p->lock);
	good = fetch(p, ids, n) && good;
	pthread_mutex_lock(&p->lock);
	/* A database that fails now is not asked again at once. */
	if (!good || (n == 0 && all))
		look_at(p, good ? next : clock_now() + 1);
	else
		p->looks = true;
}

/* --- what is answered --- */

/* Under the lock: where the follower would see it, too. */
static void put_answered(struct handover_pool *p, struct parcel *x)
{
	x->until_us = clock_mono_us() + FOLLOW_WAIT_US;
	x->next = NULL;
	*p->answered_last = x;
	p->answered_last = &x->next;
	if (x->until_us < p->wakes_us)
		pthread_cond_signal(&p->due);
}

static bool is_late(const struct handover_pool *p)
{
	return p->answered && clock_mono_us() >= p->answered->until_us;
}

/* The first. Called and left with the lock held. */
static void settle_late(struct handover_pool *p)
{
	struct parcel *x = p->answered;
	struct fault f = {0};
	p->answered = x->next;
	if (!p->answered)
		p->answered_last = &p->answered;
	pthread_mutex_unlock(&p->lock);
	bool good = settle(p->desk, x, &f) == OK;
	if (!good)
		log_fault(LOG_LEVEL_ERROR, "handover_failed", &f);
	pthread_mutex_lock(&p->lock);
	let_go(p, x->row.id);
	if (!good)
		look_soon(p);
	parcel_free(x);
}

void handover_followed(struct handover_pool *p)
{
	struct parcel *settled = NULL;
	pthread_mutex_lock(&p->lock);
	struct parcel **at = &p->answered;
	while (*at) {
		struct parcel *x = *at;
		if (!is_followed(p->desk, &x->answer)) {
			at = &x->next;
			continue;
		}
		*at = x->next;
		let_go(p, x->row.id);
		x->next = settled;
		settled = x;
	}
	p->answered_last = at;
	made_room(p);
	pthread_mutex_unlock(&p->lock);
	parcels_free(settled);
}

static void *run_fetcher(void *arg)
{
	struct handover_pool *p = arg;
	_cleanup_(freep) int64_t *ids = xcalloc(2 * room(p), sizeof(*ids));
	pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		if (is_late(p))
			settle_late(p);
		else if (may_fetch(p) && may_look(p))
			fetch_due(p, ids);
		else if (may_fetch(p) && p->n_fresh > 0)
			fetch_fresh(p, ids);
		else
			wait_for_due(p);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* --- who sends --- */

/* NULL when the pool stops. */
static struct parcel *next_parcel(struct handover_pool *p)
{
	struct parcel *x = NULL;
	pthread_mutex_lock(&p->lock);
	while (!p->stopping && (!p->first || p->desk->forked))
		pthread_cond_wait(&p->ready, &p->lock);
	if (!p->stopping) {
		x = p->first;
		p->first = x->next;
		if (!p->first)
			p->last = &p->first;
		p->n_waiting--;
		made_room(p);
	}
	pthread_mutex_unlock(&p->lock);
	return x;
}

/* What failed is due still: not at once. */
static void rest(struct handover_pool *p)
{
	int64_t until = clock_mono_us() + 1000000;
	struct timespec ts = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
	while (!p->stopping && pthread_cond_timedwait(&p->rested, &p->lock, &ts) == 0)
		;
}

static void *run_sender(void *arg)
{
	struct handover_pool *p = arg;
	struct parcel *x;
	while ((x = next_parcel(p))) {
		struct fault f = {0};
		bool answered = false;
		bool good = bring(p->desk, x, &answered, &f) == OK;
		if (!good)
			log_fault(LOG_LEVEL_ERROR, "handover_failed", &f);
		pthread_mutex_lock(&p->lock);
		if (!good)
			rest(p);
		if (answered && !is_followed(p->desk, &x->answer)) {
			put_answered(p, TAKE(x));
		} else {
			let_go(p, x->row.id);
			made_room(p);
		}
		pthread_mutex_unlock(&p->lock);
		if (x)
			parcel_free(x);
	}
	return NULL;
}

static enum err start_threads(struct handover_pool *p, struct fault *f)
{
	for (; p->n_started < 1 + p->n_senders; p->n_started++) {
		void *(*body)(void *) = p->n_started == 0 ? run_fetcher : run_sender;
		if (pthread_create(&p->threads[p->n_started], NULL, body, p) != 0)
			return fault_raise(f, ERR_IO, "thread", "handover", "cannot start a thread");
	}
	return OK;
}

static void init_conds(struct handover_pool *p)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->due, &attr);
	pthread_cond_init(&p->ready, &attr);
	pthread_cond_init(&p->rested, &attr);
	pthread_condattr_destroy(&attr);
}

enum err handover_start(struct desk *d, unsigned n_senders, struct handover_pool **ret, struct fault *f)
{
	struct handover_pool *p = xcalloc(1, sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	init_conds(p);
	p->desk = d;
	p->n_senders = n_senders;
	p->last = &p->first;
	p->answered_last = &p->answered;
	p->taken = xcalloc(room(p), sizeof(*p->taken));
	p->fresh = xcalloc(room(p), sizeof(*p->fresh));
	p->looks = true;
	p->threads = xcalloc(1 + n_senders, sizeof(*p->threads));
	enum err e = start_threads(p, f);
	if (e != OK) {
		handover_stop(p);
		return e;
	}
	*ret = p;
	return OK;
}

void handover_put(struct handover_pool *p, int64_t tally)
{
	if (tally == 0) {
		handover_wake(p);
		return;
	}
	pthread_mutex_lock(&p->lock);
	if (p->n_fresh < room(p))
		p->fresh[p->n_fresh++] = tally;
	else
		p->looks = true;
	pthread_cond_signal(&p->due);
	pthread_mutex_unlock(&p->lock);
}

void handover_bring(struct handover_pool *p, struct handover *row)
{
	pthread_mutex_lock(&p->lock);
	if (p->n_taken < room(p)) {
		p->taken[p->n_taken++] = row->id;
		put_parcel(p, row);
		look_soon(p);
	} else {
		p->looks = true;
		pthread_cond_signal(&p->due);
	}
	pthread_mutex_unlock(&p->lock);
	handover_done(row);
}

void handover_wake(struct handover_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->looks = true;
	pthread_cond_signal(&p->due);
	/* Senders stand still only while the ledger is not believed. */
	if (p->first)
		pthread_cond_broadcast(&p->ready);
	pthread_mutex_unlock(&p->lock);
}

enum err handover_hurry(struct handover_pool *p, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(p->desk->store, &db, f));
	TRY(store_end(p->desk->store, db, store_handover_hurry(db, f), f));
	handover_wake(p);
	return OK;
}

void handover_stop(struct handover_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->due);
	pthread_cond_broadcast(&p->ready);
	pthread_cond_broadcast(&p->rested);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_started; i++)
		pthread_join(p->threads[i], NULL);
	pthread_mutex_lock(&p->lock);
	while (p->answered)
		settle_late(p);
	pthread_mutex_unlock(&p->lock);
	parcels_free(p->first);
	pthread_cond_destroy(&p->due);
	pthread_cond_destroy(&p->ready);
	pthread_cond_destroy(&p->rested);
	pthread_mutex_destroy(&p->lock);
	free(p->taken);
	free(p->fresh);
	free(p->threads);
	free(p);
}
