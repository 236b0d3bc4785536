/*
 * 签收: the owner has the token, and says its serial. Only now the approved tally goes to the signer.
 *
 * Another token than the parcel's is refused before anything else is looked at, and told to the desk: two parcels may have
 * been swapped. A tally that died on the way is replaced by one for the same key, which waits for that key's line, from the
 * token that its owner holds now, and for officers. Reminders of parcels that nobody signed for are here too.
 */
#include "ra/account.h"
#include "ra/contact.h"
#include "ra/note.h"
#include "ra/parcel.h"
#include "ra/plain.h"
#include "ra/work.h"

#include "common/base/log.h"

#include <string.h>

#define REMIND_MAX 64
#define REMINDER_LIVES_S (7 * 86400)

static enum err find(struct ctx *c, struct request *r, struct parcel *p, struct fault *f)
{
	TRY(request_own(c, r, f));
	enum err e = store_parcel_get(c->db, r->id, p, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "parcel_unknown", "params.request", "request %s has no parcel yet",
				   r->id);
	return e;
}

static enum err check_token(struct ctx *c, const struct parcel *p, struct fault *f)
{
	const char *token = param_text(c, "token");
	if (strcmp(token, p->token) == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "token_other", "params.token",
			   "found token \"%s\", wanted %s: this token belongs to another parcel, nothing was confirmed",
			   ESC(token, strlen(token)), p->token);
}

static enum err sign_for(struct ctx *c, const struct request *r, struct parcel *p, struct fault *f)
{
	if (strcmp(p->state, "shipped") != 0)
		return fault_raise(f, ERR_RULE, "parcel_state", "parcel.state",
				   "the parcel is %s: a receipt is possible while shipped", p->state);
	snprintf(p->state, sizeof(p->state), "received");
	memcpy(p->ended_by, c->who, sizeof(p->ended_by));
	if (c->address)
		snprintf(p->ended_from, sizeof(p->ended_from), "%s", c->address);
	else
		snprintf(p->ended_from, sizeof(p->ended_from), "uid:%lld", (long long)c->call->peer.uid);
	p->ended = c->now;
	TRY(store_parcel_put(c->db, p, f));
	TRY(work_token(c, WORK_TOKEN_ARRIVE, p->token, r, c->who, "", f));
	TRY(request_move(c->db, r->id, r->state, EVENT_RECEIVE, c->now, c->who, p->token, NULL, f));
	return desk_audit(c, "parcel_received", r->id, p->token, f);
}

/* To the signer; a tally that died meanwhile, or that the policy of today does not know any more, is made anew. */
static enum err hand_over(struct ctx *c, struct request *r, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	struct fault why = {0};
	const char *approved = request_state_word(REQUEST_APPROVED), *lapsed = request_state_word(REQUEST_LAPSED);
	bool lives = strcmp(r->state, approved) == 0;
	enum err e = draw_load(c, r, &d, &why);
	if (e == OK)
		e = draw_judge(c, &d, &why);
	if (e != OK && e != ERR_RULE) {
		*f = why;
		return e;
	}
	if (lives && e == OK)
		return note_hand_over(c, r, f);
	if (lives) {
		TRY(request_move(c->db, r->id, r->state, EVENT_LAPSE, c->now, c->who, why.rule, NULL, f));
		snprintf(r->state, sizeof(r->state), "%s", lapsed);
	}
	return work_renew(c, r, c->who, f);
}

static enum err receive(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(draw_done) struct draw d = {0};
	struct parcel p = {0};
	TRY(find(c, &r, &p, f));
	TRY(check_token(c, &p, f));
	bool before = strcmp(p.state, "received") == 0;
	bool lapsed = strcmp(r.state, request_state_word(REQUEST_LAPSED)) == 0;
	if (!before) {
		TRY(draw_load(c, &r, &d, f));
		TRY(recover_allows(c, &r, &d.tally, f));
		TRY(sign_for(c, &r, &p, f));
		if (!lapsed)
			snprintf(r.state, sizeof(r.state), "%s", request_state_word(REQUEST_APPROVED));
	}
	if (!before || lapsed)
		TRY(hand_over(c, &r, f));
	TRY(request_answer(c, r.id, ret, f));
	json_object_set_new(*ret, "token", json_string(p.token));
	json_object_set_new(*ret, "received", json_time(p.ended));
	json_object_set_new(*ret, "tally", json_string(r.tally));
	return OK;
}

static enum err note_stranger(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	struct parcel p = {0};
	(void)ret;
	TRY(find(c, &r, &p, f));
	TRY(store_parcel_stranger(c->db, r.id, f));
	log_event(LOG_LEVEL_WARNING, "parcel_token_other", "request=%s token=%s found=%s", r.id, LQ(p.token),
		  LQ(param_text(c, "token")));
	return desk_audit(c, "parcel_token_other", r.id, param_text(c, "token"), f);
}

enum err parcel_receive(struct ctx *c, json_t **ret, struct fault *f)
{
	struct fault why = {0};
	enum err e = desk_change(c, receive, ret, &why);
	if (e == ERR_RULE && strcmp(why.rule, "token_other") == 0)
		TRY(desk_write(c, note_stranger, f));
	if (e != OK)
		*f = why;
	return e;
}

/* --- reminders --- */

static enum err remind(struct ctx *c, const char *request, struct fault *f)
{
	struct parcel p = {0};
	struct account a = {0};
	TRY(store_parcel_get(c->db, request, &p, f));
	/* It may have arrived since it was looked up. */
	if (strcmp(p.state, "shipped") != 0 || p.reminded != 0)
		return OK;
	TRY(store_account_get(c->db, p.account, &a, f));
	p.reminded = c->now;
	TRY(store_parcel_put(c->db, &p, f));
	const struct letter_word words[] = {
		{"organisation", a.organisation},
		{"number", p.number},
		{"carrier", p.carrier},
		{"tracking", p.tracking},
	};
	struct letter l = {.template = "parcel_overdue",
			   .words = words,
			   .n_words = sizeof(words) / sizeof(words[0]),
			   .lives_s = REMINDER_LIVES_S};
	return contact_post(c, &a, &l, f);
}

static enum err find_overdue(struct desk *d, int64_t now, char (*ids)[REQUEST_ID + 1], size_t *ret_n, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(d->store, &db, f));
	enum err e = store_parcels_to_remind(db, now, ids, REMIND_MAX, ret_n, f);
	store_read_end(d->store, db);
	return e;
}

enum err parcel_turn(struct desk *d, int64_t now, struct fault *f)
{
	char ids[REMIND_MAX][REQUEST_ID + 1];
	struct rpc_call nobody = {0};
	struct ctx c = {.desk = d, .call = &nobody, .now = now, .who = "clock"};
	size_t n = 0;
	enum err e = OK;
	TRY(find_overdue(d, now, ids, &n, f));
	if (n == 0)
		return OK;
	c.law = laws_take(d->laws);
	for (size_t i = 0; e == OK && i < n; i++) {
		e = store_begin(d->store, &c.db, f);
		if (e == OK)
			e = store_end(d->store, c.db, remind(&c, ids[i], f), f);
	}
	law_put(d->laws, c.law);
	if (c.posted)
		bell_ring(d->posted, 0);
	return e;
}
