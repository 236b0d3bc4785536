/*
 * The certificate and status tables are what the ledger's entries make of them, and nothing else writes them.
 *
 * Each entry is applied by its type; what it says of a tally that the desk knows also moves the request, so that a
 * crash between sending and hearing is mended by reading on. Next: ledger_part.c, which reads the entries; follow.c, which brings them.
 */
#include "ra/ledger.h"

#include "ra/follow.h"
#include "ra/order.h"
#include "ra/request_state.h"
#include "ra/work.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/note/statement.h"
#include "common/rpc/wire.h"

#include <assert.h>
#include <string.h>

#define WHO "signer"

/* --- requests --- */

/* The request of a tally, without its texts; *ret_known false when it is not the desk's. */
static enum err find_request(struct db *db, const uint8_t tally[TALLY_ID], struct request *ret, bool *ret_known,
			     struct fault *f)
{
	enum err e = store_request_head(db, TALLY_ID_TEXT(tally), ret, f);
	*ret_known = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err settle_known(struct db *db, const struct request *r, bool done, int64_t cert, const struct fault *why,
			     int64_t now, struct fault *f)
{
	enum request_event event = done ? EVENT_DONE : EVENT_REFUSE;
	if (request_next(request_state_from_word(r->state), event) == REQUEST_NONE)
		return OK;
	if (done) {
		TRY(request_issued(db, r->id, r->state, cert, now, WHO, f));
		TRY(work_issued(db, r, cert, now, f));
		return order_delivered(db, r, cert, now, f);
	}
	TRY(request_move(db, r->id, r->state, event, now, WHO, why->rule, NULL, f));
	return store_request_refusal(db, r->id, why->rule, why->where, why->text, f);
}

enum err ledger_settle(struct db *db, const char *request, bool done, int64_t cert, const struct fault *why,
		       int64_t now, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	TRY(store_request_head(db, request, &r, f));
	TRY(settle_known(db, &r, done, cert, why, now, f));
	return store_handover_settled(db, request, "tally", f);
}

static enum err settle_done(struct db *db, const struct request *r, int64_t cert, int64_t now, struct fault *f)
{
	TRY(settle_known(db, r, true, cert, NULL, now, f));
	return store_handover_settled(db, r->id, "tally", f);
}

/* By something that makes no certificate. */
static enum err settle_tally(struct db *db, const uint8_t tally[TALLY_ID], int64_t now, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	bool known = false;
	TRY(find_request(db, tally, &r, &known, f));
	if (!known)
		return OK;
	return settle_done(db, &r, 0, now, f);
}

/* --- certificates --- */

/* What a certificate takes over from the one that it follows. */
static enum err follow_predecessor(struct db *db, struct issued *i, struct fault *f)
{
	struct cert_line before;
	if (!i->has_predecessor)
		return OK;
	TRY(store_cert_line(db, &i->predecessor, &before, f));
	i->row.predecessor = before.id;
	i->row.account = before.account;
	if (memcmp(before.key_sha256, i->body.key_sha256, 32) == 0)
		i->body.renewals = before.renewals + 1;
	return OK;
}

/* The certificate, and what that makes of its request. */
static enum err put_issued(struct db *db, struct issued *i, int64_t now, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	bool known = false, added = false;
	int64_t id = 0;
	TRY(find_request(db, i->tally, &r, &known, f));
	TRY(follow_predecessor(db, i, f));
	if (known && i->row.account == 0)
		i->row.account = r.account;
	TRY(store_cert_add(db, &i->row, &i->body, &id, &added, f));
	if (added && i->row.predecessor != 0)
		TRY(store_cert_successor(db, i->row.predecessor, id, f));
	return known ? settle_done(db, &r, id, now, f) : OK;
}

enum err ledger_put_issued(struct desk *d, struct db *db, const struct wire_done *done, struct slice note,
			   struct fault *f)
{
	_cleanup_(issued_done) struct issued i = {0};
	TRY(issued_read(d, done->index, done->issuer, done->cert, note, &i, f));
	return put_issued(db, &i, clock_now(), f);
}

/* --- entries, by type --- */

struct entry {
	struct desk *desk;
	struct db *db;
	const struct ledger_part *part;
	const struct ledger_entry *read;
	uint64_t index;
	struct slice bytes;
	int64_t at;
	struct lanes *ended;
};
typedef enum err apply_fn(struct entry *x, struct fault *f);

static enum err end_tally(struct entry *x, const uint8_t tally[TALLY_ID], struct fault *f)
{
	lanes_add(x->ended, TALLY_ID_TEXT(tally));
	return settle_tally(x->db, tally, x->at, f);
}

static enum err apply_adoption(struct entry *x, struct fault *f)
{
	struct wire_e_adoption e;
	_cleanup_(note_done) struct note note = {0};
	struct adoption a = {0};
	TRY(wire_e_adoption_get(x->bytes, &e, f));
	TRY(note_parse(e.note, 1, &note, f));
	TRY(adoption_parse(note.text, &a, f));
	return store_adoption_put(x->db, (int64_t)x->index, a.project, a.profile, f);
}

static enum err apply_adopted(struct entry *x, struct fault *f)
{
	struct wire_e_adopted e;
	struct cert_row row = {0};
	_cleanup_(cert_body_done) struct cert_body body = {.adopted = true};
	int64_t id;
	bool added;
	TRY(wire_e_adopted_get(x->bytes, &e, f));
	TRY(store_adoption_get(x->db, (int64_t)e.adoption, body.project, body.profile, f));
	TRY(issued_cert(x->desk, e.cert, &row, &body, f));
	memcpy(row.ref.issuer_key_id, e.issuer, 20);
	body.weak = e.weak != 0;
	body.entry = (int64_t)x->index;
	TRY(store_cert_add(x->db, &row, &body, &id, &added, f));
	return store_claims_resolve(x->db, &row.ref.serial, f);
}

static enum err apply_intent(struct entry *x, struct fault *f)
{
	struct wire_e_intent e;
	if (x->read->closed)
		return OK;
	TRY(wire_e_intent_get(x->bytes, &e, f));
	return store_intent_put(x->db, (int64_t)x->index, e.issuer, e.tally, e.tbs, e.note, f);
}

/* One whose intent came with an earlier part. */
static enum err complete_intent(struct entry *x, struct issued *ret, struct fault *f)
{
	struct wire_e_issued e;
	_cleanup_(intent_done) struct intent intent = {0};
	TRY(wire_e_issued_get(x->bytes, &e, f));
	enum err found = store_intent_get(x->db, (int64_t)e.intent, &intent, f);
	if (found == ERR_NOT_FOUND)
		return intent_missing(x->index, e.intent, f);
	TRY(found);
	TRY(issued_signed(x->desk, x->index, intent.issuer, buf_slice(&intent.tbs), buf_slice(&intent.note),
			  e.signature, ret, f));
	return store_intent_drop(x->db, (int64_t)e.intent, f);
}

static enum err apply_issued(struct entry *x, struct fault *f)
{
	_cleanup_(issued_done) struct issued completed = {0};
	struct issued *i = x->read->issued;
	if (!i) {
		TRY(complete_intent(x, &completed, f));
		i = &completed;
	}
	lanes_add(x->ended, i->body.tally);
	return put_issued(x->db, i, x->at, f);
}

static enum err apply_dead(struct entry *x, struct fault *f)
{
	struct wire_e_dead e;
	TRY(wire_e_dead_get(x->bytes, &e, f));
	return e.intent < x->part->from ? store_intent_drop(x->db, (int64_t)e.intent, f) : OK;
}

static void copy_text(struct slice s, char *ret, size_t size)
{
	size_t n = s.n < size ? s.n : size - 1;
	if (n > 0)
		memcpy(ret, s.p, n);
	ret[n] = '\0';
}

/* A refusal counts for exactly the text that was refused. */
static enum err apply_refused(struct entry *x, struct fault *f)
{
	struct wire_e_refused e;
	_cleanup_(request_done) struct request r = {0};
	struct fault why = {.kind = ERR_RULE};
	uint8_t hash[32];
	TRY(wire_e_refused_get(x->bytes, &e, f));
	enum err found = store_request_get(x->db, TALLY_ID_TEXT(e.tally), &r, f);
	if (found == ERR_NOT_FOUND)
		return OK;
	TRY(found);
	sha256(r.tally, strlen(r.tally), hash);
	if (memcmp(hash, e.text_sha256, 32) != 0)
		return OK;
	copy_text(e.rule, why.rule, sizeof(why.rule));
	copy_text(e.where, why.where, sizeof(why.where));
	copy_text(e.text, why.text, sizeof(why.text));
	lanes_add(x->ended, r.id);
	TRY(settle_known(x->db, &r, false, 0, &why, x->at, f));
	return store_handover_settled(x->db, r.id, "tally", f);
}

/* Status of a certificate that the ledger must have told of before. */
static enum err set_status(struct entry *x, const uint8_t issuer[20], struct slice serial, enum cert_state state,
			   unsigned reason, int64_t when, struct fault *f)
{
	struct cert_ref ref = {0};
	struct cert_row row;
	assert(serial.n <= SERIAL_MAX);
	memcpy(ref.issuer_key_id, issuer, 20);
	memcpy(ref.serial.b, serial.p, serial.n);
	ref.serial.n = serial.n;
	enum err e = store_cert_by_ref(x->db, &ref, &row, f);
	if (e == ERR_NOT_FOUND) {
		log_event(LOG_LEVEL_ERROR, "certificate_missing", "entry=%llu serial=%s", (unsigned long long)x->index,
			  SERIAL(&ref.serial));
		return OK;
	}
	TRY(e);
	return store_cert_status(x->db, row.id, state, reason, when, (int64_t)x->index, f);
}

static enum err apply_revoked(struct entry *x, struct fault *f)
{
	struct wire_e_revoked e;
	TRY(wire_e_revoked_get(x->bytes, &e, f));
	TRY(set_status(x, e.issuer, e.serial, e.ended ? CERT_ENDED : CERT_REVOKED, e.reason, e.when, f));
	/* With a note it is the revocation that was asked for; without, what became of a predecessor. */
	return e.note.n > 0 ? end_tally(x, e.tally, f) : OK;
}

static enum err apply_held(struct entry *x, struct fault *f)
{
	struct wire_e_held e;
	TRY(wire_e_held_get(x->bytes, &e, f));
	TRY(set_status(x, e.issuer, e.serial, CERT_HELD, 0, x->at, f));
	return end_tally(x, e.tally, f);
}

static enum err apply_released(struct entry *x, struct fault *f)
{
	struct wire_e_released e;
	TRY(wire_e_released_get(x->bytes, &e, f));
	TRY(set_status(x, e.issuer, e.serial, CERT_GOOD, 0, x->at, f));
	return end_tally(x, e.tally, f);
}

static enum err apply_withdrawn(struct entry *x, struct fault *f)
{
	struct wire_e_withdrawn e;
	_cleanup_(request_done) struct request r = {0};
	bool known = false;
	TRY(wire_e_withdrawn_get(x->bytes, &e, f));
	TRY(find_request(x->db, e.target, &r, &known, f));
	if (!known)
		return OK;
	TRY(store_handover_settled(x->db, r.id, "withdraw", f));
	if (request_next(request_state_from_word(r.state), EVENT_DIE) == REQUEST_NONE)
		return OK;
	TRY(store_handover_settled(x->db, r.id, "tally", f));
	lanes_add(x->ended, r.id);
	return request_move(x->db, r.id, r.state, EVENT_DIE, x->at, WHO, "", NULL, f);
}

static enum err apply_one(struct entry *x, struct fault *f)
{
	static const struct {
		enum wire_type type;
		apply_fn *fn;
	} table[] = {
		{WIRE_TYPE_E_ADOPTION, apply_adoption}, {WIRE_TYPE_E_ADOPTED, apply_adopted},
		{WIRE_TYPE_E_INTENT, apply_intent},	{WIRE_TYPE_E_ISSUED, apply_issued},
		{WIRE_TYPE_E_DEAD, apply_dead},		{WIRE_TYPE_E_REFUSED, apply_refused},
		{WIRE_TYPE_E_REVOKED, apply_revoked},	{WIRE_TYPE_E_HELD, apply_held},
		{WIRE_TYPE_E_RELEASED, apply_released}, {WIRE_TYPE_E_WITHDRAWN, apply_withdrawn},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].type == x->read->type)
			return table[i].fn(x, f);
	}
	return OK;
}

enum err ledger_apply(struct desk *d, struct db *db, const struct ledger_part *p, struct lanes *ended, struct fault *f)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct ledger_entry *e = &p->entries[i];
		struct entry x = {.desk = d,
				  .db = db,
				  .part = p,
				  .read = e,
				  .index = e->index,
				  .bytes = e->bytes,
				  .at = e->at,
				  .ended = ended};
		enum err err = apply_one(&x, f);
		if (err != OK) {
			fault_prefix(f, "ledger entry %llu", (unsigned long long)e->index);
			return err;
		}
	}
	return OK;
}
