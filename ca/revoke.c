/*
 * Kinds without a certificate are one transaction each: the checks once more, the entry, the state, and the id bound to
 * it.
 *
 * A compromised key is compromised in every certificate that carries it, so a revocation for keyCompromise takes them
 * all.
 */
#include "ca/revoke.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <string.h>

#define HOLD_REASON 6 /* certificateHold, RFC 5280 5.3.1 */

static bool is_over(const struct ledger_cert *c)
{
	return c->state == CERT_REVOKED || c->state == CERT_ENDED;
}

static enum err revoke_row(struct ledger_tx *tx, const struct ledger_cert *c, const struct revocation *v,
			   uint64_t *ret_index, struct fault *f)
{
	struct wire_e_revoked e = {.serial = slice_of(c->ref.serial.b, c->ref.serial.n),
				   .when = tx->at,
				   .reason = (uint8_t)v->reason,
				   .ended = c->adopted,
				   .cause = v->cause,
				   .note = v->note};
	memcpy(e.issuer, c->ref.issuer_key_id, 20);
	memcpy(e.tally, v->tally, TALLY_ID);
	TRY(ledger_append_e_revoked(tx, &e, ret_index, f));
	return ledger_set_state(tx, c, c->adopted ? CERT_ENDED : CERT_REVOKED, v->reason, tx->at, *ret_index, f);
}

static enum err revoke_same_key(struct ledger_tx *tx, const struct ledger_cert *c, const struct revocation *v,
				int64_t *below, struct fault *f)
{
	int64_t ids[LEDGER_PAGE];
	size_t n = 0;
	TRY(ledger_certs_with_key(tx->db, c->key, *below, ids, &n, f));
	for (size_t i = 0; i < n; i++) {
		struct ledger_cert other;
		struct revocation same = {.reason = v->reason, .cause = LEDGER_NONE, .tally = v->tally};
		uint64_t index;
		TRY(ledger_cert_by_id(tx->db, ids[i], &other, f));
		if (other.id != c->id && !is_over(&other) && other.entry != LEDGER_NONE)
			TRY(revoke_row(tx, &other, &same, &index, f));
	}
	*below = n == LEDGER_PAGE ? ids[n - 1] : 0;
	return OK;
}

enum err revoke_certificate(struct ledger_tx *tx, const struct ledger_cert *c, const struct revocation *v,
			    uint64_t *ret_index, struct fault *f)
{
	bool compromised = v->reason == (unsigned)crl_reason_from_word("keyCompromise");
	TRY(revoke_row(tx, c, v, ret_index, f));
	for (int64_t below = compromised ? INT64_MAX : 0; below > 0;)
		TRY(revoke_same_key(tx, c, v, &below, f));
	return OK;
}

enum err revoke_due_one(struct ledger_tx *tx, int64_t predecessor, bool *ret_any, struct fault *f)
{
	struct ledger_fate fate;
	struct ledger_cert c;
	int64_t id;
	uint64_t index;
	TRY(ledger_due(tx->db, tx->at, predecessor, &id, &fate, f));
	*ret_any = id != 0;
	if (id == 0)
		return OK;
	TRY(ledger_cert_by_id(tx->db, id, &c, f));
	return revoke_certificate(tx, &c,
				  &(struct revocation){.reason = fate.reason, .cause = fate.cause, .tally = fate.tally},
				  &index, f);
}

static enum err due_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	return revoke_due_one(tx, 0, arg, f);
}

enum err revoke_due(struct signer *s, struct fault *f)
{
	bool any = true;
	while (any) {
		TRY(ledger_do(s->ledger, due_op, &any, f));
		if (any)
			log_audit("revoked_due", "ledger_size=%llu", (unsigned long long)ledger_size(s->ledger));
	}
	return OK;
}

/* --- the kinds --- */

static enum err act_revoke(struct ledger_tx *tx, struct request *r, uint64_t *ret_index, struct fault *f)
{
	return revoke_certificate(
		tx, &r->pred,
		&(struct revocation){
			.reason = r->verdict.reason, .cause = LEDGER_NONE, .tally = r->t.id, .note = r->note_bytes},
		ret_index, f);
}

static enum err act_hold(struct ledger_tx *tx, struct request *r, uint64_t *ret_index, struct fault *f)
{
	struct wire_e_held e = {.serial = slice_of(r->pred.ref.serial.b, r->pred.ref.serial.n), .note = r->note_bytes};
	memcpy(e.issuer, r->pred.ref.issuer_key_id, 20);
	memcpy(e.tally, r->t.id, TALLY_ID);
	TRY(ledger_append_e_held(tx, &e, ret_index, f));
	return ledger_set_state(tx, &r->pred, CERT_HELD, HOLD_REASON, tx->at, *ret_index, f);
}

static enum err act_release(struct ledger_tx *tx, struct request *r, uint64_t *ret_index, struct fault *f)
{
	struct wire_e_released e = {.serial = slice_of(r->pred.ref.serial.b, r->pred.ref.serial.n),
				    .hold = r->t.hold,
				    .note = r->note_bytes};
	memcpy(e.issuer, r->pred.ref.issuer_key_id, 20);
	memcpy(e.tally, r->t.id, TALLY_ID);
	TRY(ledger_append_e_released(tx, &e, ret_index, f));
	return ledger_set_state(tx, &r->pred, CERT_GOOD, 0, 0, *ret_index, f);
}

static enum err act_withdraw(struct ledger_tx *tx, struct request *r, uint64_t *ret_index, struct fault *f)
{
	struct wire_e_withdrawn e = {.note = r->note_bytes};
	memcpy(e.tally, r->t.id, TALLY_ID);
	memcpy(e.target, r->t.target, TALLY_ID);
	TRY(ledger_append_e_withdrawn(tx, &e, ret_index, f));
	return ledger_withdraw(tx, r->t.target, *ret_index, f);
}

static enum err act(struct ledger_tx *tx, struct request *r, uint64_t *ret_index, struct fault *f)
{
	switch (r->t.kind) {
	case TALLY_REVOKE:
		return act_revoke(tx, r, ret_index, f);
	case TALLY_HOLD:
		return act_hold(tx, r, ret_index, f);
	case TALLY_RELEASE:
		return act_release(tx, r, ret_index, f);
	case TALLY_WITHDRAW:
		return act_withdraw(tx, r, ret_index, f);
	case TALLY_EXTEND:
	case TALLY_CHANGE:
	case TALLY_ENROL:
	case TALLY_REISSUE:
	case TALLY_RESPONDER:
	case TALLY_KIND_N:
		break;
	}
	return fault_raise(f, ERR_INTERNAL, "kind_act", "tally.kind", "kind %d is not one of these", (int)r->t.kind);
}

enum err revoke_act(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct request *r = arg;
	uint64_t index = LEDGER_NONE;
	TRY(checks_again(r, tx, f));
	TRY(act(tx, r, &index, f));
	TRY(ledger_tally_done(tx, r->t.id, r->text_sha256, index, f));
	r->done = (struct wire_done){.index = index, .intent = LEDGER_NONE};
	return OK;
}

void revoke_log(const struct request *r)
{
	log_audit("done", "kind=%s tally=%s entry=%llu", tally_kind_word(r->t.kind), TALLY_ID_TEXT(r->t.id),
		  (unsigned long long)r->done.index);
	if (r->t.kind == TALLY_HOLD)
		log_event(LOG_LEVEL_WARNING, "hold", "serial=%s by=%s", SERIAL(&r->pred.ref.serial),
			  r->ra ? r->ra->name : "operator");
}
