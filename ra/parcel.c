/*
 * The desk's side: packing, shipping, and what goes wrong on the way.
 *
 * Each step says the token's serial again where the token is at hand, so that two tokens that lie in each other's parcels
 * are noticed. The start PIN leaves when the parcel does, and by SMS to the number that logs in: who steals the
 * parcel has no PIN, who reads the SMS no token, and there is no certificate yet. Next: parcel_receive.c.
 */
#include "ra/parcel.h"

#include "ra/note.h"
#include "ra/officer.h"
#include "ra/outbox.h"
#include "ra/plain.h"
#include "ra/sealed.h"
#include "ra/work.h"

#include <sodium.h>
#include <string.h>

#define PIN_LIVES_S (30 * 86400)

enum err parcel_was_received(struct ctx *c, const struct request *r, bool *ret, struct fault *f)
{
	struct parcel p = {0};
	enum err e = store_parcel_get(c->db, r->id, &p, f);
	*ret = e == OK && strcmp(p.state, "received") == 0;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err parcel_is_here(struct ctx *c, const struct request *r, struct fault *f)
{
	struct parcel p = {0};
	enum err e = store_parcel_get(c->db, r->id, &p, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	if (strcmp(p.state, "shipped") != 0 && strcmp(p.state, "received") != 0)
		return OK;
	return fault_raise(f, ERR_RULE, "parcel_shipped", "request.parcel",
			   "the parcel of request %s is %s: wanted its token at the desk", p.number, p.state);
}

enum err parcel_undo(struct ctx *c, const struct request *r, const char *who, struct fault *f)
{
	struct parcel p = {0};
	enum err e = store_parcel_get(c->db, r->id, &p, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	snprintf(p.state, sizeof(p.state), "undone");
	snprintf(p.ended_by, sizeof(p.ended_by), "%s", who);
	p.ended = c->now;
	return store_parcel_put(c->db, &p, f);
}

/* --- the officers' calls --- */

struct step {
	struct request r;
	struct work w;
	struct parcel p;
	bool there; /* p is */
	char who[WHO_MAX];
};
static void step_done(struct step *s)
{
	request_done(&s->r);
	work_done(&s->w);
}

static enum err begin(struct ctx *c, struct step *s, struct fault *f)
{
	TRY(officer_of(c, s->who, f));
	TRY(request_any(c, &s->r, f));
	enum err e = store_work_get(c->db, s->r.id, &s->w, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_RULE, "work_kind", "params.request",
				   "request %s has no delivery: nothing is shipped", s->r.id);
	TRY(e);
	e = store_parcel_get(c->db, s->r.id, &s->p, f);
	s->there = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err wanted(const struct step *s, const char *one, const char *other, const char *what, struct fault *f)
{
	const char *state = s->there ? s->p.state : "not packed";
	if (s->there && (strcmp(state, one) == 0 || strcmp(state, other) == 0))
		return OK;
	return fault_raise(f, ERR_RULE, "parcel_state", "parcel.state",
			   "the parcel of request %s is %s: %s is possible while %s%s%s", s->r.id, state, what, one,
			   strcmp(one, other) == 0 ? "" : ", ", strcmp(one, other) == 0 ? "" : other);
}

static enum err answer(struct ctx *c, const struct step *s, json_t **ret, struct fault *f)
{
	struct parcel p = {0};
	TRY(store_parcel_get(c->db, s->p.request, &p, f));
	*ret = parcel_json(c, &p);
	return OK;
}

enum err parcel_pack(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(step_done) struct step s = {0};
	const char *token = param_text(c, "token");
	TRY(begin(c, &s, f));
	TRY(request_move(c->db, s.r.id, s.r.state, EVENT_PACK, c->now, s.who, token, NULL, f));
	if (s.there)
		TRY(wanted(&s, "undone", "undone", "packing", f));
	if (strcmp(token, s.w.token) != 0)
		return fault_raise(f, ERR_RULE, "token_other", "params.token",
				   "found token \"%s\", wanted %s: that one has the key of request %s",
				   ESC(token, strlen(token)), s.w.token, s.r.id);
	memcpy(s.p.request, s.r.id, sizeof(s.p.request));
	s.p.account = s.r.account;
	memcpy(s.p.token, s.w.token, sizeof(s.p.token));
	snprintf(s.p.state, sizeof(s.p.state), "packed");
	s.p.to = s.r.delivery;
	s.p.packed = c->now;
	memcpy(s.p.packed_by, s.who, sizeof(s.p.packed_by));
	enum err e = store_parcel_put(c->db, &s.p, f);
	if (e == ERR_CONFLICT)
		return fault_raise(f, ERR_RULE, "token_packed", "params.token", "token %s lies in another parcel",
				   s.w.token);
	TRY(e);
	TRY(desk_audit(c, "parcel_packed", s.r.id, s.w.token, f));
	return answer(c, &s, ret, f);
}

static enum err corrected(struct ctx *c, const char *name, char *ret, size_t size, struct fault *f)
{
	const char *text = NULL;
	if (!param_text(c, name))
		return OK;
	TRY(param_clean(c, name, &text, f));
	snprintf(ret, size, "%s", text);
	return OK;
}

/* Who asked for it may be a stranger who has the account. */
static enum err check_frozen(const struct account *a, const struct step *s, struct fault *f)
{
	if (!a->frozen)
		return OK;
	return fault_raise(f, ERR_RULE, "account_frozen", "account",
			   "account %s of request %s is frozen: decide its case first, nothing is shipped",
			   a->identifier, s->r.id);
}

static enum err send_pin(struct ctx *c, struct step *s, const struct account *a, struct fault *f)
{
	_cleanup_buf_ struct buf pin = {0};
	if (s->w.pin.len == 0)
		return OK;
	TRY(sealed_open(c->desk, buf_slice(&s->w.pin), "start PIN", &pin, f));
	const struct letter_word words[] = {
		{"organisation", a->organisation}, {"token", s->w.token}, {"pin", buf_text(&pin)}};
	enum err e = outbox_post(c,
				 &(struct letter){.channel = "sms",
						  .to = a->login_mobile[0] != '\0' ? a->login_mobile : a->mobile,
						  .template = "start_pin",
						  .words = words,
						  .n_words = sizeof(words) / sizeof(words[0]),
						  .lives_s = PIN_LIVES_S,
						  .account = a->id},
				 f);
	sodium_memzero(pin.data, pin.len);
	TRY(e);
	buf_clear(&s->w.pin);
	return store_work_set(c->db, s->r.id, &s->w, f);
}

enum err parcel_ship(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(step_done) struct step s = {0};
	_cleanup_(draw_done) struct draw d = {0};
	struct account a = {0};
	TRY(begin(c, &s, f));
	TRY(wanted(&s, "packed", "returned", "shipping", f));
	TRY(store_account_get(c->db, s.r.account, &a, f));
	TRY(check_frozen(&a, &s, f));
	TRY(request_complete(c, &s.r, &d, f));
	TRY(corrected(c, "carrier", s.p.carrier, sizeof(s.p.carrier), f));
	TRY(corrected(c, "tracking", s.p.tracking, sizeof(s.p.tracking), f));
	TRY(corrected(c, "recipient", s.p.to.recipient, sizeof(s.p.to.recipient), f));
	TRY(corrected(c, "mobile", s.p.to.mobile, sizeof(s.p.to.mobile), f));
	TRY(work_check_telephone(s.p.to.mobile, f));
	TRY(corrected(c, "ship_to", s.p.to.address, sizeof(s.p.to.address), f));
	snprintf(s.p.state, sizeof(s.p.state), "shipped");
	memcpy(s.p.shipped_by, s.who, sizeof(s.p.shipped_by));
	s.p.shipped = c->now;
	s.p.due = calendar_due(law_calendar(c->law), c->now, c->desk->config.parcels.reminder_days);
	s.p.reminded = 0;
	TRY(store_parcel_put(c->db, &s.p, f));
	TRY(request_move(c->db, s.r.id, s.r.state, EVENT_SHIP, c->now, s.who, s.p.tracking, NULL, f));
	TRY(work_token(c, WORK_TOKEN_SHIP, s.p.token, &s.r, s.who, s.p.tracking, f));
	TRY(send_pin(c, &s, &a, f));
	TRY(desk_audit(c, "parcel_shipped", s.r.id, s.p.tracking, f));
	return answer(c, &s, ret, f);
}

static enum err end_parcel(struct ctx *c, struct step *s, const char *state, const char *note, struct fault *f)
{
	snprintf(s->p.state, sizeof(s->p.state), "%s", state);
	snprintf(s->p.note, sizeof(s->p.note), "%s", note);
	memcpy(s->p.ended_by, s->who, sizeof(s->p.ended_by));
	s->p.ended = c->now;
	return store_parcel_put(c->db, &s->p, f);
}

enum err parcel_lost(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(step_done) struct step s = {0};
	bool closes = param_true(c, "close");
	const char *note;
	TRY(begin(c, &s, f));
	TRY(param_clean(c, "note", &note, f));
	TRY(wanted(&s, "shipped", "shipped", "a loss", f));
	TRY(end_parcel(c, &s, "lost", note, f));
	TRY(work_token(c, WORK_TOKEN_LOSE, s.p.token, &s.r, s.who, note, f));
	TRY(desk_audit(c, "parcel_lost", s.r.id, s.p.token, f));
	if (!closes) {
		TRY(work_restart(c, &s.r, EVENT_LOSE, s.who, note, f));
	} else {
		TRY(request_move(c->db, s.r.id, s.r.state, EVENT_CLOSE, c->now, s.who, note, NULL, f));
		TRY(store_request_refusal(c->db, s.r.id, "parcel_lost", "parcel", note, f));
		TRY(note_withdraw(c, &s.r, f));
	}
	TRY(answer(c, &s, ret, f));
	json_object_set_new(*ret, "request", json_string(s.r.id));
	json_object_set_new(*ret, "request_state",
			    json_string(closes ? request_state_word(REQUEST_REFUSED) : s.r.state));
	return OK;
}

enum err parcel_returned(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(step_done) struct step s = {0};
	const char *note, *token = param_text(c, "token");
	TRY(begin(c, &s, f));
	TRY(param_clean(c, "note", &note, f));
	TRY(wanted(&s, "shipped", "shipped", "a return", f));
	if (strcmp(token, s.p.token) != 0)
		return fault_raise(f, ERR_RULE, "token_other", "params.token",
				   "found token \"%s\" in the parcel, wanted %s: look for the parcel that has that one",
				   ESC(token, strlen(token)), s.p.token);
	TRY(end_parcel(c, &s, "returned", note, f));
	TRY(work_token(c, WORK_TOKEN_BACK, s.p.token, &s.r, s.who, note, f));
	TRY(request_move(c->db, s.r.id, s.r.state, EVENT_RETURN, c->now, s.who, note, NULL, f));
	TRY(desk_audit(c, "parcel_returned", s.r.id, s.p.token, f));
	return answer(c, &s, ret, f);
}
