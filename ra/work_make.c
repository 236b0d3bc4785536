/*
 * The key is made on an officer's machine, in a token out of the stock. What comes here is its request and then its own
 * signature over the tally, which exists only now.
 *
 * Who makes the key has entered it: it is what all the other officers vouch for, so its maker is not one of them. Each of
 * those lets the token sign for their own client (key-seen: token), and so notices a key that is on no token.
 * Next: work_life.c.
 */
#include "ra/work.h"

#include "ra/note.h"
#include "ra/officer.h"
#include "ra/parcel.h"
#include "ra/plain.h"
#include "ra/sealed.h"

#include <string.h>

static enum err find(struct ctx *c, struct request *r, struct work *w, char who[WHO_MAX], struct fault *f)
{
	TRY(officer_of(c, who, f));
	TRY(request_any(c, r, f));
	if (r->delivery.recipient[0] == '\0')
		return fault_raise(f, ERR_RULE, "work_kind", "params.request",
				   "request %s has no delivery: its owner brings the key", r->id);
	return store_work_get(c->db, r->id, w, f);
}

static enum err check_event(struct ctx *c, const struct request *r, enum request_event event, struct fault *f)
{
	if (request_next(request_state_from_word(r->state), event) != REQUEST_NONE)
		return OK;
	return request_move(c->db, r->id, r->state, event, c->now, c->who, "", NULL, f);
}

static bool is_state(const struct request *r, enum request_state state)
{
	return strcmp(r->state, request_state_word(state)) == 0;
}

/* The key that the call brings: PKCS#10, DER, appended. */
static enum err read_csr(struct ctx *c, struct buf *ret, struct csr *ret_csr, struct fault *f)
{
	TRY(pem_or_der(slice_str(param_text(c, "csr")), "CERTIFICATE REQUEST", ret, f));
	if (ret->len > CSR_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "csr_size", "params.csr", "found %zu bytes, wanted at most %d",
				   ret->len, CSR_MAX_BYTES);
	return csr_parse(buf_slice(ret), ret_csr, f);
}

static enum err read_pin(struct ctx *c, struct work *w, struct fault *f)
{
	const char *pin = param_text(c, "start_pin");
	for (const char *p = pin; p && *p; p++) {
		if (*p <= ' ' || *p > '~')
			return fault_raise(f, ERR_PARSE, "param_characters", "params.start_pin",
					   "found a character that is no printable ASCII");
	}
	buf_clear(&w->pin);
	if (pin)
		sealed_put(c->desk, slice_str(pin), &w->pin);
	return OK;
}

/* The same token with the same key again, whatever request carries it: a client that had no answer. */
static enum err is_same(const struct request *r, const struct work *w, const char *token, const struct csr *csr,
			bool *ret, struct fault *f)
{
	_cleanup_(csr_done) struct csr before = {0};
	*ret = false;
	if (strcmp(w->token, token) != 0 || r->csr.len == 0)
		return OK;
	TRY(csr_parse(buf_slice(&r->csr), &before, f));
	*ret = memcmp(before.key.spki_sha256, csr->key.spki_sha256, 32) == 0;
	return OK;
}

static enum err answer(struct ctx *c, const struct request *r, const char *token, json_t **ret, struct fault *f)
{
	TRY(request_answer(c, r->id, ret, f));
	json_object_set_new(*ret, "token", json_string(token));
	json_object_set_new(*ret, "tally", json_string(r->tally));
	return OK;
}

/* The tally died at the desk: the key is still good, and lies here. */
static enum err renew_here(struct ctx *c, struct request *r, const struct work *w, const char *token, bool same,
			   const char *who, struct fault *f)
{
	TRY(parcel_is_here(c, r, f));
	if (same)
		return work_renew(c, r, who, f);
	return fault_raise(f, ERR_RULE, "token_other", "params.token",
			   "found token \"%s\" or another key, wanted token %s with the key that it has; work.again "
			   "gives that one up",
			   ESC(token, strlen(token)), w->token);
}

static enum err make_key(struct ctx *c, struct request *r, struct work *w, const char *token, struct buf *csr,
			 const char *who, struct fault *f)
{
	TRY(check_event(c, r, EVENT_KEY, f));
	TRY(work_token(c, WORK_TOKEN_PICK, token, r, who, "", f));
	snprintf(w->token, sizeof(w->token), "%s", token);
	snprintf(w->maker, sizeof(w->maker), "%s", who);
	TRY(read_pin(c, w, f));
	buf_clear(&r->csr);
	buf_add_slice(&r->csr, buf_slice(csr));
	return work_put_key(c, r, w, who, f);
}

enum err work_csr(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(work_done) struct work w = {0};
	_cleanup_(csr_done) struct csr csr = {0};
	_cleanup_buf_ struct buf der = {0};
	const char *token = param_text(c, "token");
	char who[WHO_MAX];
	bool same = false;
	TRY(find(c, &r, &w, who, f));
	TRY(read_csr(c, &der, &csr, f));
	TRY(is_same(&r, &w, token, &csr, &same, f));
	if (same && is_state(&r, REQUEST_KEYED))
		return answer(c, &r, token, ret, f);
	TRY(is_state(&r, REQUEST_LAPSED) ? renew_here(c, &r, &w, token, same, who, f)
					 : make_key(c, &r, &w, token, &der, who, f));
	TRY(desk_audit(c, "work_keyed", r.id, token, f));
	return answer(c, &r, token, ret, f);
}

enum err work_prove(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(work_done) struct work w = {0};
	_cleanup_(draw_done) struct draw d = {0};
	char who[WHO_MAX];
	bool fresh = false;
	TRY(find(c, &r, &w, who, f));
	if (!is_state(&r, REQUEST_KEYED))
		return fault_raise(f, ERR_RULE, "request_state", "request.state",
				   "request %s is %s: the token signs while keyed", r.id, r.state);
	TRY(request_complete(c, &r, &d, f));
	TRY(proof_take(c, &r, &d, param_text(c, "line"), &fresh, f));
	TRY(request_move(c->db, r.id, r.state, EVENT_PROVE, c->now, who, w.token, NULL, f));
	TRY(desk_audit(c, "work_proved", r.id, w.token, f));
	return request_answer(c, r.id, ret, f);
}

enum err work_again(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(work_done) struct work w = {0};
	char who[WHO_MAX];
	const char *note;
	TRY(find(c, &r, &w, who, f));
	TRY(param_clean(c, "note", &note, f));
	TRY(check_event(c, &r, EVENT_AGAIN, f));
	TRY(parcel_is_here(c, &r, f));
	TRY(parcel_undo(c, &r, who, f));
	TRY(work_token(c, WORK_TOKEN_BREAK, w.token, &r, who, note, f));
	TRY(work_restart(c, &r, EVENT_AGAIN, who, note, f));
	TRY(desk_audit(c, "work_again", r.id, w.token, f));
	return request_answer(c, r.id, ret, f);
}
