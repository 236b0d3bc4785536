/*
 * Officers judge what waits for them.
 *
 * An approval is a signature line over the tally's text, made on the officer's own machine; the desk verifies it by the
 * roster and counts people. A rejection also lets the tally die at the signer, since others may have signed already.
 * Next: review_show.c.
 */
#include "ra/review.h"

#include "ra/claim.h"
#include "ra/note.h"
#include "ra/officer.h"
#include "ra/plain.h"
#include "ra/status.h"
#include "ra/work.h"

#include "common/base/log.h"

#include <string.h>

/* --- approve --- */

static enum err check_member(struct ctx *c, const struct request *r, const struct one_line *l, struct fault *f)
{
	const struct note_sig *sig = &l->note.sigs[0];
	const struct member *m = roster_by_name(&c->law->roster, sig->name);
	enum tally_kind kind = TALLY_KIND_N;
	bool known = tally_kind_from_word(r->kind, strlen(r->kind), &kind);
	if (!m || m->role != ROLE_OFFICER)
		return fault_raise(f, ERR_RULE, "signer_unknown", "params.line",
				   "found a line of \"%s\", wanted one of an officer of the roster",
				   ESC(sig->name, strlen(sig->name)));
	if (!note_sig_holds_ed25519(&l->note, sig, m->key))
		return fault_raise(f, ERR_CRYPTO, "officer_signature", "params.line",
				   "the line of officer \"%s\" does not hold for the roster's key", m->name);
	if (!known || !member_may(m, r->project, kind))
		return fault_raise(f, ERR_RULE, "officers_scope", "params.line",
				   "officer \"%s\" may not sign %s in project %s", m->name, r->kind, r->project);
	return OK;
}

static enum err take_line(struct ctx *c, const struct request *r, struct one_line *l, int64_t *ret_have,
			  struct fault *f)
{
	TRY(one_line_read(r->tally, param_text(c, "line"), l, f));
	TRY(check_member(c, r, l, f));
	enum err e = store_line_add(c->db, r->id, "officer", l->note.sigs[0].name, l->line, c->now, f);
	if (e == ERR_CONFLICT)
		return fault_raise(f, ERR_RULE, "officer_twice", "params.line",
				   "officer \"%s\" has approved request %s already", l->note.sigs[0].name, r->id);
	TRY(e);
	return store_lines_count(c->db, r->id, "officer", ret_have, f);
}

static enum err check_standing(struct ctx *c, const struct request *r, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	if (request_next(request_state_from_word(r->state), EVENT_APPROVE) == REQUEST_NONE)
		return request_move(c->db, r->id, r->state, EVENT_APPROVE, c->now, c->who, "", NULL, f);
	if (request_is_plain(r))
		return fault_raise(f, ERR_RULE, "nothing_to_sign", "params.request",
				   "request %s makes no certificate: there is nothing to sign, decide it", r->id);
	TRY(draw_load(c, r, &d, f));
	return draw_judge(c, &d, f);
}

static enum err maker_of(struct ctx *c, const struct request *r, struct work *ret, struct fault *f)
{
	return r->delivery.recipient[0] != '\0' ? store_work_get(c->db, r->id, ret, f) : OK;
}

enum err review_approve(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(one_line_done) struct one_line l = {0};
	_cleanup_(work_done) struct work w = {0};
	struct course course;
	int64_t have = 0;
	TRY(request_any(c, &r, f));
	TRY(check_standing(c, &r, f));
	TRY(take_line(c, &r, &l, &have, f));
	const char *officer = l.note.sigs[0].name;
	TRY(store_course_get(c->db, r.id, &course, f));
	TRY(maker_of(c, &r, &w, f));
	TRY(officer_may_sign(c, &course, w.maker, officer, f));
	bool enough = have >= r.officers;
	if (enough && r.delivery.recipient[0] != '\0') {
		TRY(work_approved(c, &r, officer, f));
	} else {
		TRY(request_move(c->db, r.id, r.state, enough ? EVENT_ENOUGH : EVENT_APPROVE, c->now, officer, "", NULL,
				 f));
		if (enough)
			TRY(note_hand_over(c, &r, f));
	}
	TRY(claim_end(c, &r, officer, f));
	TRY(desk_audit(c, "request_approved", r.id, officer, f));
	TRY(request_answer(c, r.id, ret, f));
	json_object_set_new(*ret, "officers", json_sprintf("%lld/%lld", (long long)have, (long long)r.officers));
	return OK;
}

/* --- reject --- */

enum err review_reject(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	const char *reason;
	char who[WHO_MAX];
	TRY(officer_of(c, who, f));
	TRY(param_clean(c, "reason", &reason, f));
	TRY(request_any(c, &r, f));
	TRY(request_move(c->db, r.id, r.state, EVENT_REJECT, c->now, who, reason, NULL, f));
	TRY(store_request_refusal(c->db, r.id, "officer_rejected", "review", reason, f));
	if (request_has_tally(&r))
		TRY(note_withdraw(c, &r, f));
	TRY(work_give_up(c, &r, f));
	TRY(desk_audit(c, "request_rejected", r.id, reason, f));
	return request_answer(c, r.id, ret, f);
}
