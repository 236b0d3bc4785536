/*
 * The RA's socket: eight messages, one function each. Nothing else is reachable here, whatever bytes come.
 */
#include "ca/serve.h"

#include "ca/course.h"
#include "ca/feed.h"
#include "ca/publish.h"
#include "ca/receipt.h"
#include "ca/restore.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <stddef.h>
#include <string.h>

#define ENTRIES_BYTES (1024u * 1024u)

void serve_fault(const struct fault *f, struct buf *reply)
{
	uint32_t retry_ms = 0;
	if (f->kind == ERR_BUSY)
		retry_ms = strcmp(f->rule, "refusals_rate") == 0 ? 1000 : 100;
	else if (f->kind == ERR_LOCKED)
		retry_ms = 5000;
	buf_clear(reply);
	wire_put_fault(f, retry_ms, reply);
}

/* --- TALLY --- */

/* Somebody who takes all steps of a tally, and sleeps while the ledger flushes. */
struct sleeper {
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool flushed;
};

static void wake(struct course *c)
{
	struct sleeper *s = c->arg;
	pthread_mutex_lock(&s->lock);
	s->flushed = true;
	pthread_cond_signal(&s->woken);
	pthread_mutex_unlock(&s->lock);
}

static void sleep_until_flushed(struct sleeper *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->flushed)
		pthread_cond_wait(&s->woken, &s->lock);
	s->flushed = false;
	pthread_mutex_unlock(&s->lock);
}

void serve_tally(struct signer *s, bool by_operator, struct slice request, struct buf *reply)
{
	struct sleeper sleeper = {.lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};
	struct course *c = xcalloc(1, sizeof(*c));
	if (course_begin(c, s, by_operator, request, reply)) {
		c->flushed = wake;
		c->arg = &sleeper;
		while (!course_step(c))
			sleep_until_flushed(&sleeper);
		buf_add_slice(reply, buf_slice(&c->reply));
		course_end(c);
	}
	free(c);
	pthread_cond_destroy(&sleeper.woken);
	pthread_mutex_destroy(&sleeper.lock);
}

/* A tally of the RA's: its steps are jobs of the socket's workers. */
struct deferred {
	struct course course;
	struct rpc_job job;
	struct rpc_ticket *ticket;
};

static void take_step(struct deferred *d)
{
	if (!course_step(&d->course))
		return;
	rpc_answer(d->ticket, buf_slice(&d->course.reply));
	course_end(&d->course);
	free(d);
}

static void run_job(struct rpc_job *job)
{
	take_step((struct deferred *)(void *)((char *)job - offsetof(struct deferred, job)));
}

static void make_job(struct course *c)
{
	struct deferred *d = (struct deferred *)(void *)((char *)c - offsetof(struct deferred, course));
	rpc_resume(d->ticket, &d->job);
}

/* Those of this thread that wait for their subscribers' signatures. */
static _Thread_local struct {
	struct deferred *of[SIGNER_GATHER];
	size_t n;
} waiting;

static bool wait_for_others(struct course *c)
{
	if (waiting.n == SIGNER_GATHER)
		return false;
	waiting.of[waiting.n++] = (struct deferred *)(void *)((char *)c - offsetof(struct deferred, course));
	return true;
}

void signer_gathered_ra(void *arg)
{
	struct pubkey_claim claims[SIGNER_GATHER];
	(void)arg;
	for (size_t i = 0; i < waiting.n; i++)
		claims[i] = waiting.of[i]->course.r.claim;
	pubkey_verify_many(claims, waiting.n);
	for (size_t i = 0; i < waiting.n; i++) {
		waiting.of[i]->course.r.claim.holds = claims[i].holds;
		take_step(waiting.of[i]);
	}
	waiting.n = 0;
}

bool signer_defer_ra(void *arg, struct rpc_ticket *ticket, struct slice request)
{
	_cleanup_buf_ struct buf reply = {0};
	enum wire_type type;
	if (wire_type(request, &type, NULL) != OK || type != WIRE_TYPE_TALLY)
		return false;
	struct deferred *d = xcalloc(1, sizeof(*d));
	if (!course_begin(&d->course, arg, false, request, &reply)) {
		rpc_answer(ticket, buf_slice(&reply));
		free(d);
		return true;
	}
	d->ticket = ticket;
	d->job.run = run_job;
	d->course.flushed = make_job;
	d->course.gather = wait_for_others;
	take_step(d);
	return true;
}

/* --- CRL, FOLLOW, HEALTH --- */

enum err serve_crl(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	struct wire_crl m;
	struct ledger_crl c;
	uint64_t size;
	TRY(wire_crl_get(request, &m, f));
	TRY(publish_crl(s, &m, &der, &c, &size, f));
	struct wire_crl_is is = {
		.der = buf_slice(&der), .number = c.number, .next_update = c.next_update, .size = size};
	memcpy(is.sha256, c.sha256, 32);
	wire_crl_is_put(&is, reply);
	return OK;
}

struct gathered {
	struct buf bytes;
	size_t ends[1024];
	size_t n;
};

static void gather(void *arg, struct slice body)
{
	struct gathered *g = arg;
	buf_add_slice(&g->bytes, body);
	g->ends[g->n++] = g->bytes.len;
}

/* The checkpoint is taken before the entries are read, and nothing is told that it does not cover. */
struct following {
	struct checkpoint head;
	struct buf note, proof;
	struct gathered entries;
};

static void following_free(struct following *w)
{
	buf_done(&w->note);
	buf_done(&w->proof);
	buf_done(&w->entries.bytes);
	free(w);
}

static enum err read_entries(struct db *db, const struct wire_follow *m, struct following *w, struct fault *f)
{
	uint64_t rest = m->from < w->head.size ? w->head.size - m->from : 0;
	TRY(ledger_entries(db, m->from, rest < m->max ? (uint32_t)rest : m->max, ENTRIES_BYTES, gather, &w->entries,
			   f));
	if (m->from > w->head.size)
		return OK; /* whoever has followed further than the ledger goes finds out by its size */
	return ledger_prove_consistency(db, m->from + w->entries.n, w->head.size, &w->proof, f);
}

static void put_entries(uint64_t from, const struct following *w, struct buf *reply)
{
	const struct gathered *g = &w->entries;
	struct wire_entries m = {
		.from = from, .size = w->head.size, .checkpoint = buf_slice(&w->note), .proof = buf_slice(&w->proof)};
	for (size_t i = 0, at = 0; i < g->n; at = g->ends[i++])
		wire_list_add(&m.entries, slice_of(g->bytes.data + at, g->ends[i] - at));
	wire_entries_put(&m, reply);
	wire_entries_done(&m);
}

/* Waiting occupies a worker: at most a quarter of them wait, and the rest of the followers hear at once that there is
 * nothing. */
static void wait_for_more(struct signer *s, uint64_t from, uint32_t wait_ms)
{
	unsigned most = s->config->workers / 4 ? s->config->workers / 4 : 1;
	if (wait_ms > 0 && atomic_fetch_add(&s->following, 1) < most)
		ledger_wait(s->ledger, from, wait_ms);
	if (wait_ms > 0)
		atomic_fetch_sub(&s->following, 1);
}

static enum err serve_follow(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	struct wire_follow m;
	struct db *db;
	TRY(wire_follow_get(request, &m, f));
	wait_for_more(s, m.from, m.wait_ms);
	TRY(ledger_reader(s->ledger, &db, f));
	struct following *w = xcalloc(1, sizeof(*w));
	enum err e = ledger_checkpoint(s->ledger, &w->head, &w->note, f);
	if (e == OK)
		e = read_entries(db, &m, w, f);
	ledger_reader_put(s->ledger, db);
	if (e == OK)
		put_entries(m.from, w, reply);
	following_free(w);
	return e;
}

static enum err serve_feed(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	struct wire_feed m;
	TRY(wire_feed_get(request, &m, f));
	wait_for_more(s, m.from, m.wait_ms);
	return feed_make(s, &m, reply, f);
}

static enum err serve_tile(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	struct wire_tile m;
	TRY(wire_tile_get(request, &m, f));
	return feed_tile(s, &m, reply, f);
}

enum err serve_receipt(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	struct wire_receipt m;
	TRY(wire_receipt_get(request, &m, f));
	TRY(receipt_make(s, m.tally, &text, f));
	wire_receipt_is_put(&(struct wire_receipt_is){.text = buf_slice(&text)}, reply);
	return OK;
}

enum err serve_seen(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	struct wire_seen m;
	TRY(wire_seen_get(request, &m, f));
	TRY(restore_see(s, m.checkpoint, f));
	wire_ok_put(&(struct wire_ok){.index = ledger_size(s->ledger)}, reply);
	return OK;
}

static enum err fill_counts(struct signer *s, struct db *db, struct wire_health_is *m, struct fault *f)
{
	uint64_t ended = 0;
	TRY(restore_seen(s, db, &m->seen, f));
	TRY(ledger_last_beat(db, &m->last_beat, f));
	TRY(ledger_count(db, WIRE_TYPE_E_ISSUED, &m->issued, f));
	TRY(ledger_count(db, WIRE_TYPE_E_REFUSED, &m->refused, f));
	TRY(ledger_count(db, WIRE_TYPE_E_REVOKED, &ended, f));
	m->revoked = ended;
	TRY(ledger_count(db, WIRE_TYPE_E_HELD, &m->held, f));
	return OK;
}

enum err serve_health(struct signer *s, struct buf *reply, struct fault *f)
{
	_cleanup_(heads_unrefp) struct heads *h = signer_heads(s);
	_cleanup_buf_ struct buf retired = {0};
	struct db *db;
	struct wire_health_is m = {.locked = atomic_load(&s->key) == NULL,
				   .clock_in_doubt = ledger_clock_in_doubt(s->ledger),
				   .size = ledger_size(s->ledger),
				   .now = clock_now(),
				   .roster_version = h->roster.version,
				   .policy_version = h->now.policy->note.version,
				   .issuer_not_after = s->issuer.not_after,
				   .issuer_cert = s->issuer.der,
				   .rejected = atomic_load(&s->rejected)};
	struct ledger_standing now;
	ledger_standing(s->ledger, &now);
	m.waits = now.waits;
	m.restored = now.restored;
	for (size_t i = 0; i < s->n_retired; i++)
		buf_add_slice(&retired, s->retired[i].cert.der);
	m.retired = buf_slice(&retired);
	memcpy(m.ca, s->ca, 20);
	memcpy(m.roster, h->roster.sha256, 32);
	memcpy(m.policy, h->now.policy->note.sha256, 32);
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = fill_counts(s, db, &m, f);
	ledger_reader_put(s->ledger, db);
	TRY(e);
	wire_health_is_put(&m, reply);
	return OK;
}

/* --- the socket --- */

static enum err dispatch(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	enum wire_type type;
	TRY(wire_type(request, &type, f));
	if (type == WIRE_TYPE_TALLY) {
		serve_tally(s, false, request, reply);
		return OK;
	}
	if (type == WIRE_TYPE_CRL)
		return serve_crl(s, request, reply, f);
	if (type == WIRE_TYPE_FOLLOW)
		return serve_follow(s, request, reply, f);
	if (type == WIRE_TYPE_HEALTH)
		return serve_health(s, reply, f);
	if (type == WIRE_TYPE_RECEIPT)
		return serve_receipt(s, request, reply, f);
	if (type == WIRE_TYPE_FEED)
		return serve_feed(s, request, reply, f);
	if (type == WIRE_TYPE_TILE)
		return serve_tile(s, request, reply, f);
	if (type == WIRE_TYPE_SEEN)
		return serve_seen(s, request, reply, f);
	return fault_raise(f, ERR_DENIED, "message_not_served", "message", "%s is not served on the RA's socket",
			   wire_type_word(type));
}

void signer_handle_ra(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	struct fault f = {0};
	(void)peer;
	if (dispatch(arg, request, reply, &f) != OK)
		serve_fault(&f, reply);
}
