/*
 * The PUK goes from the desk's sealed store to one client, and nobody between reads it:
 *
 *   opened ──▶ sealed ──▶ released ──▶ done | failed        opened, sealed ──▶ refused | withdrawn | expired
 *
 * The client brings a one-time key; an officer's client opens the PUK with the token key and seals it anew to that key; the
 * desk hands that out once. Whether the one-time key is the client's own, the two people find out by its short code, outside
 * the desk. What the client has seen is used up: it records another PUK, sealed to the token key, before it sets it; the old
 * one is kept until it reports. Nothing goes to the signer. Next: store_unlock.h, tools/hufu/unlock_client.c.
 */
#include "ra/unlock.h"

#include "ra/claim.h"
#include "ra/course.h"
#include "ra/officer.h"
#include "ra/token.h"

#include <sodium.h>
#include <string.h>

#define LIFE_S (7 * INT64_C(86400))

const char *unlock_why_not(const struct token *t)
{
	if (token_state_from_word(t->state) != TOKEN_IN_USE)
		return "unlock_token_state";
	if (!t->has_puk)
		return "unlock_puk_unknown";
	return t->cert == 0 ? "unlock_no_certificate" : NULL;
}

/* Before anything is handed in: whose token it is, and whether the desk can. */
static enum err check_token(struct ctx *c, const struct token *t, struct fault *f)
{
	const char *rule = unlock_why_not(t);
	char number[COURSE_NUMBER_MAX + 1];
	if (rule && strcmp(rule, "unlock_puk_unknown") == 0)
		return fault_raise(f, ERR_RULE, rule, "params.token",
				   "the desk holds no PUK of token %s: ask for a recovery first, then for a reissue",
				   t->serial);
	if (rule)
		return fault_raise(
			f, ERR_RULE, rule, "params.token",
			"token %s is %s and %s a certificate on record, wanted one that is in_use and carries one",
			t->serial, t->state, t->cert ? "has" : "has no");
	enum err e = store_unlock_open(c->db, t->id, number, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	return fault_raise(f, ERR_RULE, "unlock_open", "params.token", "unlock %s of token %s has not ended", number,
			   t->serial);
}

/* A point of small order would let everybody open what is sealed to it (RFC 7748 6.1). */
static enum err read_key(struct ctx *c, uint8_t ret[PUK_KEY], struct fault *f)
{
	const char *text = param_text(c, "key");
	uint8_t shared[PUK_KEY], any[PUK_KEY] = {1};
	if (hex_decode(text, strlen(text), ret, PUK_KEY) && crypto_scalarmult(shared, any, ret) == 0)
		return OK;
	return fault_raise(f, ERR_PARSE, "unlock_key", "params.key", "found no X25519 key of 64 hex characters");
}

static enum err own_token(struct ctx *c, struct token *ret, struct fault *f)
{
	const char *serial = param_text(c, "token");
	enum err e = store_token_by_serial(c->db, serial, ret, f);
	if (e == OK && ret->account == c->session->account.id)
		return OK;
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	return fault_raise(f, ERR_NOT_FOUND, "token_unlisted", "params.token", "there is no token \"%s\"",
			   ESC(serial, strlen(serial)));
}

enum err unlock_open(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	struct unlock u = {0};
	struct token t;
	TRY(request_check_room(c, f));
	TRY(own_token(c, &t, f));
	TRY(check_token(c, &t, f));
	TRY(read_key(c, u.key, f));
	TRY(plain_make(c, PLAIN_UNLOCK_KIND, t.cert, &r, f));
	r.dies = c->now + LIFE_S;
	TRY(store_request_add(c->db, &r, f));
	TRY(course_begin(c, &r, "", f));
	TRY(course_submit(c, &r, f));
	memcpy(u.request, r.id, sizeof(u.request));
	u.token = t.id;
	TRY(store_unlock_add(c->db, &u, f));
	TRY(store_history_add(c->db, r.id, c->now, "ask_unlock", "", r.state, c->who, t.serial, f));
	TRY(desk_audit(c, "unlock_opened", r.id, t.serial, f));
	TRY(request_answer(c, r.id, ret, f));
	json_object_set_new(*ret, "token", json_string(t.serial));
	return OK;
}

/* --- officers --- */

static enum err check_kind(const struct request *r, struct fault *f)
{
	if (strcmp(r->kind, PLAIN_UNLOCK_KIND) == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "unlock_kind", "params.request", "request %s is no unlock", r->id);
}

enum err unlock_explain(struct ctx *c, const struct request *r, struct buf *zh, struct buf *en, struct fault *f)
{
	_cleanup_(unlock_done) struct unlock u = {0};
	struct token t;
	TRY(store_unlock_get(c->db, r->id, &u, f));
	TRY(store_token_get(c->db, u.token, &t, f));
	buf_fmt(zh, "解锁 USB Key %s：重新设置 PIN，密钥和证书不变。\n", t.serial);
	buf_fmt(en, "Unlock token %s: its PIN is set anew, key and certificate stay.\n", t.serial);
	return OK;
}

enum err unlock_json(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_(unlock_done) struct unlock u = {0};
	_cleanup_(token_puks_done) struct token_puks p = {0};
	struct token t;
	if (strcmp(r->kind, PLAIN_UNLOCK_KIND) != 0)
		return OK;
	TRY(store_unlock_get(c->db, r->id, &u, f));
	TRY(store_token_get(c->db, u.token, &t, f));
	TRY(store_token_puks(c->db, t.id, &p, f));
	json_t *k = json_object();
	json_object_set_new(o, "unlock", k);
	json_object_set_new(k, "token", json_string(t.serial));
	json_object_set_new(k, "key", json_hex(u.key, PUK_KEY));
	json_object_set_new(k, "puk", p.puk.len > 0 ? json_base64(buf_slice(&p.puk)) : json_null());
	json_object_set_new(k, "puk_next", p.next.len > 0 ? json_base64(buf_slice(&p.next)) : json_null());
	return OK;
}

static enum err read_box(struct ctx *c, const uint8_t key[PUK_KEY], struct buf *ret, struct fault *f)
{
	const char *text = param_text(c, "puk");
	struct puk_key to;
	puk_key_from(key, &to);
	if (base64_decode(text, strlen(text), ret) && puk_is_for(buf_slice(ret), &to))
		return OK;
	return fault_raise(f, ERR_RULE, "puk_sealed", "params.puk",
			   "found no PUK sealed to the key that was wanted, in base64");
}

enum err review_unlock(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(unlock_done) struct unlock u = {0};
	_cleanup_buf_ struct buf box = {0};
	char who[WHO_MAX];
	TRY(officer_of(c, who, f));
	TRY(request_any(c, &r, f));
	TRY(check_kind(&r, f));
	TRY(store_unlock_get(c->db, r.id, &u, f));
	TRY(request_move(c->db, r.id, r.state, EVENT_SEAL, c->now, who, "", NULL, f));
	TRY(read_box(c, u.key, &box, f));
	TRY(store_unlock_sealed(c->db, r.id, buf_slice(&box), f));
	TRY(claim_end(c, &r, who, f));
	TRY(desk_audit(c, "unlock_sealed", r.id, who, f));
	return request_answer(c, r.id, ret, f);
}

/* --- the client --- */

static enum err own_unlock(struct ctx *c, struct request *r, struct unlock *u, struct fault *f)
{
	TRY(request_own(c, r, f));
	TRY(check_kind(r, f));
	return store_unlock_get(c->db, r->id, u, f);
}

static enum err take_in(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(unlock_done) struct unlock u = {0};
	TRY(own_unlock(c, &r, &u, f));
	if (request_state_from_word(r.state) == REQUEST_RELEASED)
		return fault_raise(f, ERR_RULE, "unlock_released", "params.request",
				   "the PUK of unlock %s was handed out already, and that is done once", r.id);
	TRY(request_move(c->db, r.id, r.state, EVENT_RELEASE, c->now, c->who, "", NULL, f));
	TRY(store_unlock_sealed(c->db, r.id, (struct slice){0}, f));
	TRY(desk_audit(c, "unlock_released", r.id, "", f));
	TRY(request_answer(c, r.id, ret, f));
	json_object_set_new(*ret, "puk", json_base64(buf_slice(&u.sealed)));
	return OK;
}

static enum err note_refusal(struct ctx *c, json_t **ret, struct fault *f)
{
	(void)ret;
	return desk_audit(c, "unlock_refused", param_text(c, "request"), "the PUK was asked for a second time", f);
}

/* Who asks a second time has lost the answer, or is somebody else with the session: that is kept, though the call is refused. */
enum err unlock_take(struct ctx *c, json_t **ret, struct fault *f)
{
	struct fault why = {0};
	enum err e = desk_change(c, take_in, ret, &why);
	if (e != OK && strcmp(why.rule, "unlock_released") == 0)
		TRY(desk_write(c, note_refusal, f));
	if (e != OK && f)
		*f = why;
	return e;
}

static enum err check_released(const struct request *r, struct fault *f)
{
	if (request_state_from_word(r->state) == REQUEST_RELEASED)
		return OK;
	return fault_raise(f, ERR_RULE, "request_state", "request.state",
			   "unlock %s is %s: this is possible while released", r->id, r->state);
}

enum err unlock_renew(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(unlock_done) struct unlock u = {0};
	_cleanup_(token_puks_done) struct token_puks p = {0};
	TRY(own_unlock(c, &r, &u, f));
	TRY(check_released(&r, f));
	TRY(store_token_puks(c->db, u.token, &p, f));
	buf_clear(&p.next);
	TRY(read_box(c, c->desk->token_key.key, &p.next, f));
	TRY(store_token_puks_set(c->db, u.token, &p, f));
	TRY(desk_audit(c, "unlock_renewed", r.id, "", f));
	return request_answer(c, r.id, ret, f);
}

/* Which of the two PUKs is on the token now, only the client knows; when it does not say, both are kept. */
static enum err settle(struct ctx *c, const struct token *t, struct fault *f)
{
	_cleanup_(token_puks_done) struct token_puks p = {0};
	const char *puk = param_text(c, "puk");
	if (!puk || strcmp(puk, "next") != 0)
		return OK;
	TRY(store_token_puks(c->db, t->id, &p, f));
	TRY(token_puk_settle(t, &p, f));
	return store_token_puks_set(c->db, t->id, &p, f);
}

enum err unlock_report(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(unlock_done) struct unlock u = {0};
	bool done = strcmp(param_text(c, "result"), "done") == 0;
	const char *text = "";
	struct token t;
	TRY(own_unlock(c, &r, &u, f));
	if (param_text(c, "text"))
		TRY(param_clean(c, "text", &text, f));
	TRY(request_move(c->db, r.id, r.state, done ? EVENT_UNLOCK : EVENT_FAIL, c->now, c->who, text, NULL, f));
	TRY(store_token_get(c->db, u.token, &t, f));
	TRY(settle(c, &t, f));
	TRY(store_token_history_add(
		c->db, t.id,
		&(struct history_item){c->now, done ? "unlock" : "unlock_failed", t.state, t.state, c->who, text}, f));
	TRY(desk_audit(c, "unlock_reported", r.id, done ? "done" : "failed", f));
	lanes_add(&c->ended, r.id);
	return request_answer(c, r.id, ret, f);
}
