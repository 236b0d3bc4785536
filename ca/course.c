/*
 * One tally from the wire to the answer. Checks, build and lint come first; then the ledger records (an intent, what
 * else was asked for, or a refusal); an intent is signed after its flush, and its outcome is recorded by the next one.
 *
 * A step ends by posting an operation and naming what comes after its flush. From then on the course belongs to whoever
 * is told of the flush, so a step that has posted touches it no more. Who drives the steps: serve.c.
 */
#include "ca/course.h"

#include "ca/revoke.h"
#include "ca/serve.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define LOG_EVERY_US 100000 /* what outsiders cause is logged ten times a second at most */

static bool over(struct course *c)
{
	wire_done_put(&c->r.done, &c->reply);
	return true;
}

static bool over_by_fault(struct course *c, const struct fault *f)
{
	serve_fault(f, &c->reply);
	return true;
}

static void op_flushed(struct ledger_op *op)
{
	struct course *c = (struct course *)(void *)((char *)op - offsetof(struct course, op));
	c->flushed(c);
}

/* False: posted, and c is no longer ours. True: it could not be, and *f says why. */
static bool cannot_post(struct course *c, ledger_fn *fn, void *arg, bool (*next)(struct course *c), struct fault *f)
{
	c->next = next;
	c->op = (struct ledger_op){.fn = fn, .arg = arg, .f = &c->f, .then = op_flushed};
	return ledger_post(c->r.s->ledger, &c->op, f) != OK;
}

/* --- refusals --- */

/* Is this a no, or did the judgement not come about? */
static bool is_refusal(enum err e)
{
	switch (e) {
	case ERR_PARSE:
	case ERR_LIMIT:
	case ERR_RULE:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_CRYPTO:
		return true;
	case OK:
	case ERR_IO:
	case ERR_DB:
	case ERR_NET:
	case ERR_BUSY:
	case ERR_CONFIG:
	case ERR_LOCKED:
	case ERR_INTERNAL:
		break;
	}
	return false;
}

static enum err refusal_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct course *c = arg;
	struct wire_e_refused e = {
		.rule = entry_text(c->why.rule), .where = entry_text(c->why.where), .text = entry_text(c->why.text)};
	memcpy(e.tally, c->r.t.id, TALLY_ID);
	memcpy(e.text_sha256, c->r.text_sha256, 32);
	return ledger_append_e_refused(tx, &e, NULL, f);
}

static void log_rejected(struct signer *s, const struct fault *f)
{
	static _Atomic int64_t last_us;
	unsigned long long n = atomic_fetch_add(&s->rejected, 1) + 1;
	int64_t now = clock_mono_us(), last = atomic_load(&last_us);
	if (now - last >= LOG_EVERY_US && atomic_compare_exchange_strong(&last_us, &last, now))
		log_event(LOG_LEVEL_WARNING, "rejected", "rule=%s where=%s text=%s total=%llu", LQ(f->rule),
			  LQ(f->where), LQ(f->text), n);
}

static bool after_refusal(struct course *c)
{
	if (c->op.result != OK)
		return over_by_fault(c, &c->f);
	log_event(LOG_LEVEL_INFO, "refused", "tally=%s rule=%s where=%s", TALLY_ID_TEXT(c->r.t.id), LQ(c->why.rule),
		  LQ(c->why.where));
	return over_by_fault(c, &c->why);
}

/* A refusal is durable before the RA hears of it; when it cannot be recorded, that is the answer. */
static bool refuse(struct course *c, const struct fault *why)
{
	static const uint8_t nobody[32] = {0};
	struct request *r = &c->r;
	struct fault f = {0};
	if (!is_refusal(why->kind) || r->given_up)
		return over_by_fault(c, why);
	if (!r->recorded) {
		log_rejected(r->s, why);
		return over_by_fault(c, why);
	}
	signer_may_refuse(r->s, r->ra ? r->ra->key : nobody, true);
	c->why = *why;
	return cannot_post(c, refusal_op, c, after_refusal, &f) ? over_by_fault(c, &f) : false;
}

/* --- certificates --- */

static bool left_open(struct course *c, const struct fault *f)
{
	atomic_store(&c->r.s->unfinished, true);
	return over_by_fault(c, f);
}

static bool after_outcome(struct course *c)
{
	struct fault f = {0};
	if (c->op.result != OK)
		return left_open(c, &c->f);
	issue_log(&c->issue);
	return issue_answer(&c->issue, &f) == OK ? over(c) : over_by_fault(c, &f);
}

static bool after_intent(struct course *c)
{
	struct fault f = {0};
	if (c->op.result != OK)
		return refuse(c, &c->f);
	if (issue_sign(c->r.by.verifier, c->r.by.key, &c->issue, &f) != OK)
		return left_open(c, &f);
	return cannot_post(c, issue_outcome, &c->issue, after_outcome, &f) ? left_open(c, &f) : false;
}

static bool after_act(struct course *c)
{
	if (c->op.result != OK)
		return refuse(c, &c->f);
	revoke_log(&c->r);
	return over(c);
}

/* --- the first step --- */

static enum err judge_rest(struct course *c, struct fault *f)
{
	TRY(checks_run(&c->r, f));
	return c->r.answered || !tally_kind_issues(c->r.t.kind) ? OK : issue_prepare(&c->r, &c->issue, f);
}

static bool judged(struct course *c)
{
	struct fault f = {0};
	if (judge_rest(c, &f) != OK)
		return refuse(c, &f);
	if (c->r.answered)
		return over(c);
	bool issues = tally_kind_issues(c->r.t.kind);
	return cannot_post(c, issues ? issue_intent : revoke_act, issues ? (void *)&c->issue : &c->r,
			   issues ? after_intent : after_act, &f)
		       ? refuse(c, &f)
		       : false;
}

static bool first(struct course *c)
{
	struct fault f = {0};
	bool claims = false;
	if (c->gather && checks_run_to_signature(&c->r, &claims, &f) != OK)
		return refuse(c, &f);
	c->next = judged;
	if (claims && c->gather(c))
		return false;
	c->r.claimed = NULL; /* nobody has verified it */
	return judged(c);
}

static enum err begin(struct course *c, struct signer *s, bool by_operator, struct slice request, struct fault *f)
{
	struct wire_tally m;
	enum err e = wire_tally_get(request, &m, f);
	if (e != OK) {
		log_rejected(s, f);
		return e;
	}
	if (!atomic_load(&s->key)) {
		char waits[64];
		bool custody = *ca_custody_waits(s->custody, s->issuer.key.key_id, waits, sizeof(waits)) != '\0';
		return fault_raise(f, ERR_LOCKED, "signer_locked", "signer", "the CA key is not open; %s",
				   custody ? waits : "the operator must unlock the signer");
	}
	TRY(ca_key_usable(atomic_load(&s->key), f));
	TRY(ledger_log_usable(s->ledger, f)); /* no receipt would come */
	TRY(signer_enter(s, f));
	*c = (struct course){
		.next = first,
		.r = {.s = s, .by_operator = by_operator, .note_bytes = m.note, .csr_bytes = m.csr, .identifier = ""}};
	return OK;
}

bool course_begin(struct course *c, struct signer *s, bool by_operator, struct slice request, struct buf *reply)
{
	struct fault f = {0};
	if (begin(c, s, by_operator, request, &f) == OK)
		return true;
	serve_fault(&f, reply);
	return false;
}

bool course_step(struct course *c)
{
	assert(c->next && c->flushed);
	return c->next(c);
}

void course_end(struct course *c)
{
	signer_leave(c->r.s);
	issue_done(&c->issue);
	request_done(&c->r);
	buf_done(&c->reply);
}
