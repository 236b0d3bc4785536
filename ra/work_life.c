/*
 * A tally's id is used once. So whenever a key is given up, or a tally dies before its key, another request takes the place
 * of the one before: with its number, papers and delivery, and an id that nobody has signed for. The id of before is
 * withdrawn at the signer in the same breath, whatever lines there are over it.
 */
#include "ra/work.h"

#include "ra/course.h"
#include "ra/note.h"
#include "ra/parcel.h"
#include "ra/plain.h"

#include <string.h>

static enum err take_place(struct ctx *c, struct request *r, enum request_event event, const char *who,
			   const char *detail, struct fault *f)
{
	char before[REQUEST_ID + 1], state[sizeof(r->state)];
	struct course old, course = {0};
	memcpy(before, r->id, sizeof(before));
	memcpy(state, r->state, sizeof(state));
	TRY(store_course_get(c->db, before, &old, f));
	if (request_has_tally(r))
		TRY(note_withdraw(c, r, f));
	TRY(request_move(c->db, before, state, event, c->now, who, detail, NULL, f));
	TRY(store_course_claim(c->db, before, "", 0, f));
	request_new_id(r, c->now);
	snprintf(r->state, sizeof(r->state), "%s", request_state_word(REQUEST_TO_MAKE));
	memcpy(course.number, old.number, sizeof(course.number));
	memcpy(course.replaces, before, sizeof(course.replaces));
	memcpy(course.entered_by, old.entered_by, sizeof(course.entered_by));
	free(r->tally);
	r->tally = xstrdup("");
	r->made = c->now;
	r->dies = 0;
	TRY(store_request_add(c->db, r, f));
	TRY(store_delivery_put(c->db, r, f));
	TRY(store_course_add(c->db, r->id, &course, f));
	TRY(store_materials_carry(c->db, before, r->id, f));
	return course_submit(c, r, f);
}

enum err work_restart(struct ctx *c, struct request *r, enum request_event event, const char *who, const char *detail,
		      struct fault *f)
{
	buf_done(&r->csr);
	return take_place(c, r, event, who, detail, f);
}

enum err work_put_key(struct ctx *c, struct request *r, const struct work *w, const char *who, struct fault *f)
{
	_cleanup_(draw_done) struct draw made = {0}, whole = {0};
	TRY(draw_make(c, r, &made, f));
	TRY(request_complete(c, r, &whole, f));
	TRY(store_request_redraw(c->db, r, f));
	TRY(store_work_set(c->db, r->id, w, f));
	TRY(request_move(c->db, r->id, r->state, EVENT_KEY, c->now, who, w->token, NULL, f));
	snprintf(r->state, sizeof(r->state), "%s", request_state_word(REQUEST_KEYED));
	return OK;
}

enum err work_renew(struct ctx *c, struct request *r, const char *who, struct fault *f)
{
	_cleanup_(work_done) struct work w = {0};
	char before[REQUEST_ID + 1];
	memcpy(before, r->id, sizeof(before));
	TRY(store_work_get(c->db, before, &w, f));
	TRY(take_place(c, r, EVENT_RENEW, who, "", f));
	TRY(store_parcel_follow(c->db, before, r->id, f));
	return work_put_key(c, r, &w, who, f);
}

enum err work_approved(struct ctx *c, const struct request *r, const char *officer, struct fault *f)
{
	bool has = false;
	TRY(parcel_was_received(c, r, &has, f));
	TRY(request_move(c->db, r->id, r->state, has ? EVENT_ENOUGH : EVENT_TO_SHIP, c->now, officer, "", NULL, f));
	return has ? note_hand_over(c, r, f) : OK;
}

enum err work_give_up(struct ctx *c, const struct request *r, struct fault *f)
{
	_cleanup_(work_done) struct work w = {0};
	bool received = false;
	if (r->delivery.recipient[0] == '\0')
		return OK;
	enum err e = store_work_get(c->db, r->id, &w, f);
	if (e == ERR_NOT_FOUND || (e == OK && w.token[0] == '\0'))
		return OK;
	TRY(e);
	TRY(parcel_was_received(c, r, &received, f));
	if (received)
		return OK;
	TRY(parcel_is_here(c, r, f));
	TRY(parcel_undo(c, r, c->who, f));
	return work_token(c, WORK_TOKEN_FREE, w.token, r, c->who, "", f);
}
