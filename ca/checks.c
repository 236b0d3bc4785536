/*
 * The order of the checks. The table below is DESIGN.md's paragraph, line by line; each function does what its line
 * says and nothing of another's. `again` is the part that depends on the ledger and may have changed by the time the
 * writer's transaction runs: there it is asked once more, so no two requests can both pass on the same free identifier
 * or the same predecessor. Whose key it is already is asked there alone: the certificates with that key are looked up
 * once. What was found out is of one snapshot, or of two where the checks stopped for a signature: the second is the newer.
 *
 * What fails up to and with the RA's signature is counted and logged only; later failures are recorded
 * (request.recorded). Next: checks_signers.c, checks_ledger.c, then issue.c and revoke.c for what follows a yes.
 */
#include "ca/checks.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <string.h>

/* --- parse --- */

static enum err check_parse(struct request *r, struct fault *f)
{
	if (r->note_bytes.n > TALLY_NOTE_MAX)
		return fault_raise(f, ERR_LIMIT, "tally_size", "tally", "%zu bytes, at most %d are allowed",
				   r->note_bytes.n, TALLY_NOTE_MAX);
	if (r->csr_bytes.n > CSR_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "csr_size", "csr", "%zu bytes, at most %d are allowed", r->csr_bytes.n,
				   CSR_MAX_BYTES);
	TRY(note_parse(r->note_bytes, 1, &r->note, f));
	TRY(tally_parse(r->note.text, &r->t, f));
	note_text_sha256(&r->note, r->text_sha256);
	return OK;
}

/* --- RA's signature --- */

static const uint8_t operator_bucket[32] = {0};

static enum err check_ra(struct request *r, struct fault *f)
{
	TRY(signers_ra(r, f));
	if (!signer_may_refuse(r->s, r->ra ? r->ra->key : operator_bucket, false))
		return fault_raise(f, ERR_BUSY, "refusals_rate", "tally",
				   "too many refused tallies of %s; try again later",
				   r->ra ? r->ra->name : "the operator");
	r->recorded = true;
	return OK;
}

/* --- window and clock --- */

static enum err check_window(struct request *r, struct fault *f)
{
	TRY(ledger_now(r->s->ledger, &r->now, f));
	r->facts.now = r->now;
	return judge_window(&r->t, r->now, f);
}

/* --- id --- */

static enum err id_state(struct request *r, struct ledger_tally *known, struct fault *f)
{
	TRY(ledger_tally(r->db, r->t.id, known, f));
	if (known->withdrawn)
		return fault_raise(f, ERR_RULE, "tally_withdrawn", "tally.id", "%s was withdrawn",
				   TALLY_ID_TEXT(r->t.id));
	if (!known->known)
		return OK;
	if (memcmp(known->text_sha256, r->text_sha256, 32) != 0)
		return fault_raise(f, ERR_RULE, "tally_id_used", "tally.id", "%s belongs to a tally with another text",
				   TALLY_ID_TEXT(r->t.id));
	if (known->dead)
		return fault_raise(f, ERR_RULE, "tally_dead", "tally.id", "%s was given up before it was signed",
				   TALLY_ID_TEXT(r->t.id));
	if (known->outcome == LEDGER_NONE)
		return fault_raise(f, ERR_BUSY, "tally_in_flight", "tally.id", "%s is being worked on",
				   TALLY_ID_TEXT(r->t.id));
	return OK;
}

/* The same tally again: the same answer. */
static enum err answer_again(struct request *r, const struct ledger_tally *known, struct fault *f)
{
	struct wire_e_intent meant = {0};
	if (tally_kind_issues(r->t.kind)) {
		_cleanup_buf_ struct buf issued = {0}, intent = {0};
		struct wire_e_issued outcome;
		TRY(ledger_entry(r->db, known->outcome, &issued, f));
		TRY(wire_e_issued_get(buf_slice(&issued), &outcome, f));
		TRY(ledger_entry(r->db, outcome.intent, &intent, f));
		TRY(wire_e_intent_get(buf_slice(&intent), &meant, f));
		TRY(cert_from_tbs(meant.tbs, outcome.signature, &r->cert, f));
	}
	r->done = (struct wire_done){
		.cert = buf_slice(&r->cert), .index = known->outcome, .intent = known->intent, .again = 1};
	memcpy(r->done.issuer, meant.issuer, 20);
	r->answered = true;
	return OK;
}

static enum err check_id(struct request *r, struct fault *f)
{
	struct ledger_tally known;
	TRY(id_state(r, &known, f));
	return known.known ? answer_again(r, &known, f) : OK;
}

/* --- restore --- */

/* What only takes away is taken from any time: so a revocation that was lost with its ledger can be handed in again. */
static bool takes_away(const struct request *r)
{
	return r->t.kind == TALLY_REVOKE || r->t.kind == TALLY_WITHDRAW;
}

/* A tally from before a restore may have been done in what was lost, and would be done a second time. */
static enum err check_restore(struct request *r, struct fault *f)
{
	if (r->standing.waits)
		return ledger_waits_raise(f);
	if (r->standing.restored > 0 && r->t.made <= r->standing.at && !takes_away(r))
		return fault_raise(
			f, ERR_RULE, "tally_before_restore", "tally.made",
			"found %s, wanted later than %s: the ledger was restored then (entry %llu); ask anew",
			UTC(r->t.made), UTC(r->standing.at), (unsigned long long)(r->standing.restored - 1));
	return OK;
}

static enum err again_id(struct request *r, struct fault *f)
{
	struct ledger_tally known;
	TRY(id_state(r, &known, f));
	if (known.known)
		return fault_raise(f, ERR_BUSY, "tally_in_flight", "tally.id",
				   "%s was done a moment ago; ask again for its answer", TALLY_ID_TEXT(r->t.id));
	return OK;
}

/* --- kind and profile, policy --- */

/* The policy that the tally names: the one in force, or the one before while its tallies still count. */
static const struct policy_ready *policy_named(const struct request *r)
{
	const struct policy *now = r->heads->now.policy, *before = r->heads->before.policy;
	if (memcmp(r->t.policy, now->note.sha256, 32) == 0)
		return &r->heads->now;
	if (before && memcmp(r->t.policy, before->note.sha256, 32) == 0 && r->now < now->note.until)
		return &r->heads->before;
	return NULL;
}

/* RFC 6960 4.2.2.2: a responder answers for a CA by a certificate of that very CA, also after it was rolled. All else
 * is signed by the one that issues now. */
static enum err check_issuer(struct request *r, struct fault *f)
{
	if (!signer_issuer(r->s, r->t.has_issuer ? r->t.issuer : r->s->issuer.key.key_id, &r->by))
		return fault_raise(f, ERR_RULE, "issuer_unknown", "tally.issuer", "found no CA of this signer");
	if (r->by.gone)
		return fault_raise(f, ERR_RULE, "issuer_gone", "tally.issuer",
				   "the key of the CA that was to sign it is no more");
	if (!r->by.key)
		return fault_raise(f, ERR_LOCKED, "signer_locked", "signer", "the retired CA's key is not open");
	r->facts.issuer_not_after = r->by.cert->not_after;
	return r->t.has_issuer ? ca_key_usable(r->by.key, f) : OK;
}

static enum err check_served(struct request *r, struct fault *f)
{
	if (memcmp(r->t.ca, r->s->ca, 20) != 0)
		return fault_raise(f, ERR_RULE, "ca_unknown", "tally.ca", "the tally is for another CA");
	TRY(check_issuer(r, f));
	/* A withdrawal names no project: any RA of the roster may make requests die. */
	if (r->ra && r->t.kind != TALLY_WITHDRAW && !member_may(r->ra, r->t.project, r->t.kind))
		return fault_raise(f, ERR_RULE, "ra_scope", "tally.project", "%s may not ask for %s in project %s",
				   r->ra->name, tally_kind_word(r->t.kind), r->t.project);
	return OK;
}

static enum err check_policy(struct request *r, struct fault *f)
{
	bool names_policy = r->t.kind != TALLY_WITHDRAW && r->t.kind != TALLY_RESPONDER;
	TRY(check_served(r, f));
	const struct policy_ready *named = names_policy ? policy_named(r) : &r->heads->now;
	r->ready = named ? named : &r->heads->now;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is named, or a part of heads */
	TRY(judge_policy(r->ready->policy, &r->t, &r->verdict, f));
	if (!named)
		return fault_raise(f, ERR_RULE, "policy_hash", "tally.policy",
				   "found another policy than the one in force, %s", r->heads->now.policy->origin);
	return OK;
}

static enum err again_heads(struct request *r, struct fault *f)
{
	uint64_t roster, policy;
	TRY(ledger_tx_heads(r->tx, &roster, &policy, f));
	if (roster == r->heads->roster_head.entry && policy == r->heads->policy_head.entry)
		return OK;
	return fault_raise(f, ERR_BUSY, "heads_changed", "ledger",
			   "roster or policy changed a moment ago; the tally is to be judged anew");
}

/* --- the rest --- */

static enum err check_predecessor(struct request *r, struct fault *f)
{
	if (r->t.kind == TALLY_WITHDRAW)
		TRY(target_state(r, f));
	TRY(predecessor_find(r, f));
	TRY(predecessor_state(r, false, f));
	return judge_needs(&r->t, &r->facts, &r->verdict, f);
}

static enum err again_predecessor(struct request *r, struct fault *f)
{
	return r->t.kind == TALLY_WITHDRAW ? target_state(r, f) : predecessor_state(r, true, f);
}

static enum err check_new_key(struct request *r, struct fault *f)
{
	TRY(r->t.kind == TALLY_RESPONDER ? responder_find(r, f) : line_find(r, f));
	TRY(signers_new_key(r, f));
	TRY(judge_key(&r->t, &r->facts, &r->verdict, f));
	return key_state(r, f);
}

static enum err check_subject(struct request *r, struct fault *f)
{
	TRY(judge_subject(&r->t, &r->facts, &r->verdict, f));
	return line_state(r, f);
}

static enum err check_papers(struct request *r, struct fault *f)
{
	return judge_papers(r->ready->policy, &r->t, &r->verdict, f);
}

static enum err check_validity(struct request *r, struct fault *f)
{
	return judge_validity(&r->t, &r->facts, &r->verdict, f);
}

/* --- the order --- */

typedef enum err check_fn(struct request *r, struct fault *f);

static const struct check {
	const char *name;
	check_fn *first, *again;
} checks[] = {
	{"parse", check_parse, NULL},
	{"RA's signature", check_ra, NULL},
	{"window and clock", check_window, NULL},
	{"id", check_id, again_id},
	{"restore", check_restore, check_restore},
	{"kind, profile, policy", check_policy, again_heads},
	{"predecessor", check_predecessor, again_predecessor},
	{"subscriber's signature", signers_subscriber, NULL},
	{"officers", signers_people, NULL},
	{"new key", check_new_key, key_state},
	{"subject, identifier's line", check_subject, line_state},
	{"materials, notice, order", check_papers, NULL},
	{"validity", check_validity, NULL},
};
#define N_CHECKS (sizeof(checks) / sizeof(checks[0]))

/* One snapshot for all look-ups. */
static enum err run_to(struct request *r, check_fn *stop, struct fault *f)
{
	enum err e = OK;
	for (; r->n_checked < N_CHECKS && checks[r->n_checked].first != stop && !r->answered && e == OK;
	     r->n_checked++) {
		e = checks[r->n_checked].first(r, f);
		if (e != OK)
			log_event(LOG_LEVEL_DEBUG, "check_failed", "check=%s err=%s", LQ(checks[r->n_checked].name),
				  err_word(e));
	}
	return e;
}

static enum err run_in_snapshot(struct request *r, check_fn *stop, struct fault *f)
{
	struct ledger_snapshot snapshot;
	TRY(ledger_snapshot(r->s->ledger, &snapshot, f));
	r->db = snapshot.db;
	enum err e = run_to(r, stop, f);
	r->db = NULL;
	ledger_snapshot_put(r->s->ledger, &snapshot);
	return e;
}

static void begin(struct request *r)
{
	if (r->heads)
		return;
	r->heads = signer_heads(r->s);
	ledger_standing(r->s->ledger, &r->standing);
}

enum err checks_run(struct request *r, struct fault *f)
{
	begin(r);
	return run_in_snapshot(r, NULL, f);
}

enum err checks_run_to_signature(struct request *r, bool *ret_claims, struct fault *f)
{
	begin(r);
	TRY(run_in_snapshot(r, signers_subscriber, f));
	*ret_claims = !r->answered && signers_claim(r);
	return OK;
}

enum err checks_again(struct request *r, struct ledger_tx *tx, struct fault *f)
{
	enum err e = OK;
	r->db = tx->db;
	r->standing = tx->standing;
	r->tx = tx;
	for (size_t i = 0; i < N_CHECKS && e == OK; i++)
		if (checks[i].again)
			e = checks[i].again(r, f);
	r->db = NULL;
	r->tx = NULL;
	return e;
}

void request_done(struct request *r)
{
	heads_unrefp(&r->heads);
	note_done(&r->note);
	tally_done(&r->t);
	buf_done(&r->pred_der);
	cert_done(&r->pred_cert);
	name_done(&r->pred_subject);
	csr_done(&r->csr);
	name_done(&r->subject);
	buf_done(&r->cert);
	*r = (struct request){0};
}
