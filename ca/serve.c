/*
 * The RA's socket: five messages, one function each. Nothing else is reachable here, whatever bytes come.
 */
#include "ca/serve.h"

#include "ca/issue.h"
#include "ca/publish.h"
#include "ca/receipt.h"
#include "ca/revoke.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <string.h>

#define ENTRIES_BYTES (1024u * 1024u)
#define LOG_EVERY_US 100000 /* what outsiders cause is logged ten times a second at most */

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

struct refusal {
	const struct request *r;
	struct fault *why;
};

static enum err refusal_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct refusal *x = arg;
	struct wire_e_refused e = {
		.rule = entry_text(x->why->rule), .where = entry_text(x->why->where), .text = entry_text(x->why->text)};
	memcpy(e.tally, x->r->t.id, TALLY_ID);
	memcpy(e.text_sha256, x->r->text_sha256, 32);
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

/* A refusal is durable before the RA hears of it; when it cannot be recorded, that is the answer. */
static void refuse(struct request *r, struct fault *why)
{
	static const uint8_t nobody[32] = {0};
	struct fault f = {0};
	if (!is_refusal(why->kind))
		return;
	if (r->given_up)
		return;
	if (!r->recorded) {
		log_rejected(r->s, why);
		return;
	}
	signer_may_refuse(r->s, r->ra ? r->ra->key : nobody, true);
	if (ledger_do(r->s->ledger, refusal_op, &(struct refusal){r, why}, &f) != OK)
		*why = f;
	else
		log_event(LOG_LEVEL_INFO, "refused", "tally=%s rule=%s where=%s", TALLY_ID_TEXT(r->t.id), LQ(why->rule),
			  LQ(why->where));
}

static enum err do_tally(struct request *r, struct fault *f)
{
	TRY(checks_run(r, f));
	if (r->answered)
		return OK;
	return tally_kind_issues(r->t.kind) ? issue(r, f) : revoke_act(r, f);
}

static void judge_tally(struct request *r, struct buf *reply)
{
	struct fault f = {0};
	if (do_tally(r, &f) == OK) {
		wire_done_put(&r->done, reply);
		return;
	}
	refuse(r, &f);
	serve_fault(&f, reply);
}

void serve_tally(struct signer *s, bool by_operator, struct slice request, struct buf *reply)
{
	struct fault f = {0};
	struct wire_tally m;
	if (wire_tally_get(request, &m, &f) != OK) {
		log_rejected(s, &f);
		serve_fault(&f, reply);
		return;
	}
	if (!atomic_load(&s->key)) {
		fault_raise(&f, ERR_LOCKED, "signer_locked", "signer",
			    "the CA key is not open; the operator must unlock the signer");
		serve_fault(&f, reply);
		return;
	}
	struct request *r = xcalloc(1, sizeof(*r)); /* too large for a worker's stack */
	*r = (struct request){
		.s = s, .by_operator = by_operator, .note_bytes = m.note, .csr_bytes = m.csr, .identifier = ""};
	pthread_rwlock_rdlock(&s->tallies);
	ledger_enter(s->ledger);
	judge_tally(r, reply);
	ledger_leave(s->ledger);
	pthread_rwlock_unlock(&s->tallies);
	request_done(r);
	free(r);
}

/* --- CRL, FOLLOW, HEALTH --- */

enum err serve_crl(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	struct wire_crl m;
	struct ledger_crl c;
	TRY(wire_crl_get(request, &m, f));
	TRY(publish_crl(s, m.issuer, m.shard, &der, &c, f));
	wire_crl_is_put(&(struct wire_crl_is){.der = buf_slice(&der), .number = c.number, .next_update = c.next_update},
			reply);
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
static void wait_for_more(struct signer *s, const struct wire_follow *m)
{
	unsigned most = s->config->workers / 4 ? s->config->workers / 4 : 1;
	if (m->wait_ms > 0 && atomic_fetch_add(&s->following, 1) < most)
		ledger_wait(s->ledger, m->from, m->wait_ms);
	if (m->wait_ms > 0)
		atomic_fetch_sub(&s->following, 1);
}

static enum err serve_follow(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	struct wire_follow m;
	struct db *db;
	TRY(wire_follow_get(request, &m, f));
	wait_for_more(s, &m);
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

enum err serve_receipt(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	struct wire_receipt m;
	TRY(wire_receipt_get(request, &m, f));
	TRY(receipt_make(s, m.tally, &text, f));
	wire_receipt_is_put(&(struct wire_receipt_is){.text = buf_slice(&text)}, reply);
	return OK;
}

static enum err fill_counts(struct db *db, struct wire_health_is *m, struct fault *f)
{
	uint64_t ended = 0;
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
	memcpy(m.ca, s->issuer.key.key_id, 20);
	memcpy(m.roster, h->roster.sha256, 32);
	memcpy(m.policy, h->now.policy->note.sha256, 32);
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = fill_counts(db, &m, f);
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
