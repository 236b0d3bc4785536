/*
 * From a judged tally to a certificate.
 *
 * The to-be-signed bytes are built once. A throw-away key signs them first and the lint judges that certificate; then
 * the intent with these very bytes goes into the ledger, and only what the intent holds is signed by the CA's key. The
 * outcome is a second transaction, which looks at the predecessor and the new key once more: one that was revoked in
 * between gets no successor, one that was compromised no certificate, and the intent is given up instead. A crash
 * between the two leaves an open intent, which issue_recover() finishes the same way. Who takes these steps, and what
 * waits between them, is in course.c.
 */
#include "ca/issue.h"

#include "ca/lint.h"
#include "ca/responder.h"
#include "ca/revoke.h"
#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <string.h>

/* --- build and lint --- */

/* A responder's is in code, all others' in the policy. */
static const struct profile *profile_of(const struct request *r)
{
	return r->t.kind == TALLY_RESPONDER ? responder_profile() : r->verdict.profile;
}

static enum err build(struct request *r, const struct serial *serial, struct buf *ret_tbs, struct fault *f)
{
	struct build b = {.serial = serial,
			  .subject = &r->subject,
			  .key = r->facts.key,
			  .not_before = r->verdict.not_before,
			  .not_after = r->verdict.not_after};
	if (r->t.kind == TALLY_RESPONDER)
		TRY(responder_tbs(r->by.cert, &b, ret_tbs, f));
	else
		TRY(build_tbs(policy_ready_template(r->ready, r->verdict.profile), &b, ret_tbs, f));
	if (ret_tbs->len > 12288)
		return fault_raise(f, ERR_LIMIT, "certificate_size", "certificate",
				   "%zu bytes to be signed, at most 12288 are allowed", ret_tbs->len);
	return OK;
}

/* One like the issuer's. A retired CA signs for a responder once in half a week: its own is made each time, *ret_made. */
static enum err throwaway_for(const struct request *r, struct throwaway **ret_made, const struct throwaway **ret,
			      struct fault *f)
{
	const struct pubkey *k = &r->by.cert->key;
	*ret = r->s->throwaway;
	if (r->by.cert == &r->s->issuer)
		return OK;
	TRY(throwaway_new(k->alg, k->bits, ret_made, f));
	*ret = *ret_made;
	return OK;
}

static enum err lint(struct request *r, struct slice tbs, struct fault *f)
{
	_cleanup_(throwaway_freep) struct throwaway *made = NULL;
	_cleanup_buf_ struct buf signature = {0}, der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	const struct throwaway *throwaway;
	TRY(throwaway_for(r, &made, &throwaway, f));
	throwaway_sign(throwaway, tbs, &signature);
	build_certificate(tbs, r->by.cert->key.alg, buf_slice(&signature), &der);
	TRY(cert_parse_like(buf_slice(&der), r->facts.key, &cert, f));
	return lint_run(&(struct lint_input){.cert = &cert,
					     .issuer = r->by.cert,
					     .profile = profile_of(r),
					     .subject = &r->subject,
					     .key = r->facts.key,
					     .made = {throwaway_alg(throwaway), tbs, buf_slice(&signature)},
					     .now = r->now},
			f);
}

/* --- intent --- */

static void fill_row(const struct request *r, const struct serial *serial, struct ledger_cert *c)
{
	*c = (struct ledger_cert){.intent = LEDGER_NONE,
				  .entry = LEDGER_NONE,
				  .not_before = r->verdict.not_before,
				  .not_after = r->verdict.not_after,
				  .line = r->line,
				  .renewals = r->has_pred && !r->t.key_is_new ? r->pred.renewals + 1 : 0,
				  .shard = serial_shard(serial, profile_shards(profile_of(r)))};
	memcpy(c->ref.issuer_key_id, r->by.cert->key.key_id, 20);
	c->ref.serial = *serial;
	memcpy(c->project, r->t.project, sizeof(c->project));
	memcpy(c->profile, r->t.profile, sizeof(c->profile));
	memcpy(c->key, r->facts.key->spki_sha256, 32);
}

static enum err append_intent(struct ledger_tx *tx, struct issue *i, struct fault *f)
{
	const struct request *r = i->r;
	struct wire_e_intent e = {.tbs = buf_slice(&i->tbs), .note = r->note_bytes};
	memcpy(e.tally, r->t.id, TALLY_ID);
	memcpy(e.roster, r->heads->roster_head.sha256, 32);
	memcpy(e.policy, r->ready->policy->note.sha256, 32);
	memcpy(e.issuer, r->by.cert->key.key_id, 20);
	return ledger_append_e_intent(tx, &e, &i->intent, f);
}

/* A collision of serials is as good as impossible (80 random bits); the constraint makes it certain. */
static enum err add_row(struct ledger_tx *tx, struct ledger_cert *row, struct fault *f)
{
	enum err e = ledger_cert_add(tx, row, f);
	if (e == ERR_CONFLICT)
		return fault_raise(f, ERR_BUSY, "serial_taken", "certificate.serial",
				   "%s is taken; the next try gets another", SERIAL(&row->ref.serial));
	return e;
}

enum err issue_intent(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct issue *i = arg;
	struct request *r = i->r;
	TRY(checks_again(r, tx, f));
	TRY(append_intent(tx, i, f));
	i->row.intent = i->intent;
	i->row.root = r->has_pred ? r->pred.root : 0;
	TRY(add_row(tx, &i->row, f));
	TRY(ledger_tally_bind(tx, r->t.id, r->text_sha256, i->intent, i->row.id, f));
	if (!r->has_pred)
		return OK;
	struct ledger_fate fate = {.revoke = r->verdict.revoke_predecessor,
				   .reason = r->verdict.reason,
				   .when = r->verdict.revoke_at,
				   .cause = i->intent};
	memcpy(fate.tally, r->t.id, TALLY_ID);
	return ledger_succeed(tx, r->pred.id, i->row.id, &fate, f);
}

enum err issue_prepare(struct request *r, struct issue *ret, struct fault *f)
{
	struct serial serial;
	*ret = (struct issue){.r = r, .t = &r->t};
	signer_serial(r->s, &serial);
	TRY(build(r, &serial, &ret->tbs, f));
	TRY(lint(r, buf_slice(&ret->tbs), f));
	fill_row(r, &serial, &ret->row);
	return OK;
}

/* --- signature and outcome --- */

struct slice entry_text(char *text)
{
	size_t n = strlen(text);
	for (size_t i = 0; !utf8_valid(text, n) && i < n; i++)
		if ((unsigned char)text[i] >= 0x80)
			text[i] = '?';
	return slice_of(text, n);
}

/* A revocation for keyCompromise takes all certificates with that key, of which this was none yet. The same key again is
 * its predecessor's, whose state says it. */
static enum err key_allowed(struct ledger_tx *tx, const struct tally *t, struct fault *f)
{
	bool compromised = false;
	if (t->key_is_new)
		TRY(ledger_key_ended(tx->db, t->key_sha256, (unsigned)crl_reason_from_word("keyCompromise"),
				     &compromised, f));
	return compromised ? fault_raise(f, ERR_RULE, "key_blocked", "tally.key",
					 "a certificate with this key was revoked as compromised meanwhile")
			   : OK;
}

/* Does the predecessor's state still allow its successor? Our own link to it does not count. */
static enum err predecessor_allowed(struct ledger_tx *tx, const struct issue *i, int64_t *ret_pred, struct fault *f)
{
	struct ledger_cert pred;
	struct verdict v = {0};
	*ret_pred = 0;
	if (!i->r) { /* of before a crash */
		TRY(ledger_predecessor(tx->db, i->row.id, ret_pred, f));
		if (*ret_pred != 0)
			TRY(ledger_cert_by_id(tx->db, *ret_pred, &pred, f));
	} else if (i->r->has_pred) {
		pred = i->r->pred;
		*ret_pred = pred.id;
		TRY(ledger_cert_refresh(tx->db, &pred, f));
	}
	if (*ret_pred == 0)
		return OK;
	struct facts x = {.now = tx->at,
			  .has_predecessor = true,
			  .weak = pred.weak,
			  .revoked = pred.state == CERT_REVOKED,
			  .ended = pred.state == CERT_ENDED,
			  .held = pred.state == CERT_HELD};
	return judge_predecessor(i->t, &x, &v, f);
}

static enum err still_allowed(struct ledger_tx *tx, const struct issue *i, int64_t *ret_pred, struct fault *f)
{
	TRY(predecessor_allowed(tx, i, ret_pred, f));
	return key_allowed(tx, i->t, f);
}

static enum err give_up(struct ledger_tx *tx, struct issue *i, struct fault *f)
{
	struct wire_e_dead e = {.intent = i->intent, .why = entry_text(i->why.text)};
	memcpy(e.tally, i->t->id, TALLY_ID);
	TRY(ledger_append_e_dead(tx, &e, &i->index, f));
	TRY(ledger_cert_drop(tx, i->row.id, f));
	i->dead = true;
	return ledger_tally_dead(tx, i->t->id, i->index, f);
}

enum err issue_outcome(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct issue *i = arg;
	int64_t pred = 0;
	bool any;
	i->dead = false;
	enum err allowed = still_allowed(tx, i, &pred, &i->why);
	if (allowed == ERR_RULE)
		return give_up(tx, i, f);
	if (allowed != OK) {
		*f = i->why;
		return allowed;
	}
	struct wire_e_issued e = {.intent = i->intent, .signature = buf_slice(&i->signature)};
	memcpy(e.tally, i->t->id, TALLY_ID);
	TRY(ledger_append_e_issued(tx, &e, &i->index, f));
	TRY(ledger_cert_issued(tx, i->row.id, i->index, f));
	bool may_be_due = pred != 0 && (!i->r || i->r->verdict.revoke_predecessor);
	return may_be_due ? revoke_due_one(tx, pred, &any, f) : OK;
}

enum err issue_sign(const struct known_key *verifier, const struct ca_key *key, struct issue *i, struct fault *f)
{
	TRY(ca_key_sign(key, buf_slice(&i->tbs), &i->signature, f));
	if (!known_key_verify(verifier, buf_slice(&i->tbs), buf_slice(&i->signature)))
		return fault_raise(f, ERR_INTERNAL, "signature_faulty", "certificate.signature",
				   "the CA's own signature does not hold");
	return OK;
}

void issue_log(const struct issue *i)
{
	if (i->dead)
		log_audit("intent_dead", "tally=%s intent=%llu why=%s", TALLY_ID_TEXT(i->t->id),
			  (unsigned long long)i->intent, LQ(i->why.text));
	else
		log_audit("issued", "kind=%s tally=%s intent=%llu entry=%llu", tally_kind_word(i->t->kind),
			  TALLY_ID_TEXT(i->t->id), (unsigned long long)i->intent, (unsigned long long)i->index);
}

enum err issue_answer(struct issue *i, struct fault *f)
{
	struct request *r = i->r;
	if (i->dead) {
		r->given_up = true;
		*f = i->why;
		return f->kind;
	}
	build_certificate(buf_slice(&i->tbs), r->by.cert->key.alg, buf_slice(&i->signature), &r->cert);
	r->done = (struct wire_done){.cert = buf_slice(&r->cert), .index = i->index, .intent = i->intent};
	memcpy(r->done.issuer, i->row.ref.issuer_key_id, 20);
	return OK;
}

void issue_done(struct issue *i)
{
	buf_done(&i->tbs);
	buf_done(&i->signature);
	*i = (struct issue){0};
}

/* --- after a crash --- */

static enum err next_open(struct signer *s, uint64_t from, uint64_t *ret_intent, int64_t *ret_cert,
			  struct buf *ret_body, struct fault *f)
{
	struct db *db;
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = ledger_open_intent(db, from, ret_intent, ret_cert, f);
	if (e == OK && *ret_intent != LEDGER_NONE)
		e = ledger_entry(db, *ret_intent, ret_body, f);
	ledger_reader_put(s->ledger, db);
	return e;
}

/* Transaction. Nobody can sign it any more. */
static enum err abandon(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct issue *i = arg;
	(void)fault_raise(&i->why, ERR_RULE, "issuer_gone", "certificate.issuer",
			  "the key of the CA that was to sign it is no more");
	return give_up(tx, i, f);
}

/* By the very CA that the bytes name, also when it was rolled meanwhile. */
static enum err sign_or_give_up(struct signer *s, const struct ca_key *key, const uint8_t issuer[20], struct issue *i,
				bool *ret_waits, struct fault *f)
{
	struct issuer by;
	if (!signer_issuer(s, issuer, &by))
		return fault_raise(f, ERR_DB, "ledger_entry", "entry.issuer", "it is by no CA of this signer");
	bool issues = by.cert == &s->issuer;
	*ret_waits = !issues && !by.key && !by.gone;
	if (*ret_waits)
		return OK;
	if (!issues && !by.key)
		return ledger_do(s->ledger, abandon, i, f);
	TRY(issue_sign(by.verifier, issues ? key : by.key, i, f));
	return ledger_do(s->ledger, issue_outcome, i, f);
}

static enum err recover_one(struct signer *s, const struct ca_key *key, uint64_t intent, int64_t cert,
			    struct slice body, struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(issue_done) struct issue i = {.t = &t, .intent = intent, .row.id = cert};
	struct wire_e_intent e;
	TRY(wire_e_intent_get(body, &e, f));
	TRY(note_parse(e.note, 1, &note, f));
	TRY(tally_parse(note.text, &t, f));
	buf_add_slice(&i.tbs, e.tbs);
	log_event(LOG_LEVEL_NOTICE, "recover", "intent=%llu tally=%s", (unsigned long long)intent, TALLY_ID_TEXT(t.id));
	bool waits = false;
	TRY(sign_or_give_up(s, key, e.issuer, &i, &waits, f));
	if (waits)
		log_event(LOG_LEVEL_WARNING, "recover_waits", "intent=%llu text=%s", (unsigned long long)intent,
			  LQ("it is by a retired CA, whose key is not open"));
	else
		issue_log(&i);
	return OK;
}

enum err issue_recover(struct signer *s, const struct ca_key *key, struct fault *f)
{
	for (uint64_t from = 0;;) {
		_cleanup_buf_ struct buf body = {0};
		uint64_t intent;
		int64_t cert;
		TRY(next_open(s, from, &intent, &cert, &body, f));
		if (intent == LEDGER_NONE)
			return OK;
		TRY(recover_one(s, key, intent, cert, buf_slice(&body), f));
		from = intent + 1;
	}
}
