/*
 * The table. Rows are states, columns events, a cell is the state after; an empty cell refuses.
 *
 * A request that is to be corrected has died at the signer already, by the desk's withdrawal: the ledger's word of that
 * changes nothing. The correction is another request with another tally; the number that people see stays.
 *
 * Three events (done, refused, dead) come from the signer and its ledger, whose word is the law: they are possible even where the
 * desk thought otherwise (a request that it held for withdrawn or expired, while the signer was issuing it).
 */
#include "ra/request_state.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

static const char *const state_words[REQUEST_STATE_N] = {
	[REQUEST_NONE] = "",
	[REQUEST_DRAFTED] = "drafted",
	[REQUEST_AWAITING_PROOF] = "awaiting_proof",
	[REQUEST_AWAITING_OFFICERS] = "awaiting_officers",
	[REQUEST_APPROVED] = "approved",
	[REQUEST_SENT] = "sent",
	[REQUEST_TO_CORRECT] = "to_correct",
	[REQUEST_OPENED] = "opened",
	[REQUEST_AT_CENTRE] = "at_key_centre",
	[REQUEST_TO_MAKE] = "to_make",
	[REQUEST_KEYED] = "keyed",
	[REQUEST_TO_SHIP] = "to_ship",
	[REQUEST_IN_POST] = "in_post",
	[REQUEST_LAPSED] = "lapsed",
	[REQUEST_DONE] = "done",
	[REQUEST_DELIVERED] = "delivered",
	[REQUEST_NO_COPY] = "no_copy",
	[REQUEST_WAIVED] = "waived",
	[REQUEST_SEALED] = "sealed",
	[REQUEST_RELEASED] = "released",
	[REQUEST_FAILED] = "failed",
	[REQUEST_ISSUED] = "issued",
	[REQUEST_REFUSED] = "refused",
	[REQUEST_WITHDRAWN] = "withdrawn",
	[REQUEST_EXPIRED] = "expired",
	[REQUEST_CORRECTED] = "corrected",
};
static const char *const event_words[EVENT_N] = {
	[EVENT_EDIT] = "edit",
	[EVENT_PROVE] = "prove",
	[EVENT_SUBMIT] = "submit",
	[EVENT_PASS] = "submit",
	[EVENT_APPROVE] = "approve",
	[EVENT_ENOUGH] = "approve",
	[EVENT_REJECT] = "reject",
	[EVENT_WITHDRAW] = "withdraw",
	[EVENT_EXPIRE] = "expire",
	[EVENT_SEND] = "send",
	[EVENT_DONE] = "issue",
	[EVENT_REFUSE] = "refuse",
	[EVENT_DIE] = "die",
	[EVENT_CORRECT] = "correct",
	[EVENT_REPLACE] = "replace",
	[EVENT_COMMISSION] = "submit",
	[EVENT_KEY] = "key",
	[EVENT_TO_SHIP] = "approve",
	[EVENT_PACK] = "pack",
	[EVENT_SHIP] = "ship",
	[EVENT_RETURN] = "return",
	[EVENT_RECEIVE] = "receive",
	[EVENT_LOSE] = "lose",
	[EVENT_CLOSE] = "lose",
	[EVENT_AGAIN] = "again",
	[EVENT_RENEW] = "renew",
	[EVENT_LAPSE] = "lapse",
	[EVENT_DECIDE] = "decide",
	[EVENT_CENTRE] = "send_to_centre",
	[EVENT_DELIVER] = "deliver",
	[EVENT_NO_COPY] = "no_copy",
	[EVENT_WAIVE] = "waive",
	[EVENT_SEAL] = "seal",
	[EVENT_RELEASE] = "release",
	[EVENT_UNLOCK] = "unlock",
	[EVENT_FAIL] = "fail",
};

static const unsigned char next[REQUEST_STATE_N][EVENT_N] = {
	[REQUEST_DRAFTED] = {[EVENT_EDIT] = REQUEST_DRAFTED,
			     [EVENT_PROVE] = REQUEST_AWAITING_PROOF,
			     [EVENT_SUBMIT] = REQUEST_AWAITING_OFFICERS,
			     [EVENT_PASS] = REQUEST_APPROVED,
			     [EVENT_COMMISSION] = REQUEST_TO_MAKE,
			     [EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
			     [EVENT_EXPIRE] = REQUEST_EXPIRED,
			     [EVENT_DONE] = REQUEST_ISSUED,
			     [EVENT_REFUSE] = REQUEST_REFUSED,
			     [EVENT_DIE] = REQUEST_WITHDRAWN},
	[REQUEST_AWAITING_PROOF] = {[EVENT_PROVE] = REQUEST_AWAITING_PROOF,
				    [EVENT_SUBMIT] = REQUEST_AWAITING_OFFICERS,
				    [EVENT_PASS] = REQUEST_APPROVED,
				    [EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
				    [EVENT_EXPIRE] = REQUEST_EXPIRED,
				    [EVENT_DONE] = REQUEST_ISSUED,
				    [EVENT_REFUSE] = REQUEST_REFUSED,
				    [EVENT_DIE] = REQUEST_WITHDRAWN},
	[REQUEST_AWAITING_OFFICERS] = {[EVENT_APPROVE] = REQUEST_AWAITING_OFFICERS,
				       [EVENT_ENOUGH] = REQUEST_APPROVED,
				       [EVENT_REJECT] = REQUEST_REFUSED,
				       [EVENT_DECIDE] = REQUEST_DONE,
				       [EVENT_TO_SHIP] = REQUEST_TO_SHIP,
				       [EVENT_AGAIN] = REQUEST_CORRECTED,
				       [EVENT_LAPSE] = REQUEST_LAPSED,
				       [EVENT_CORRECT] = REQUEST_TO_CORRECT,
				       [EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
				       [EVENT_EXPIRE] = REQUEST_EXPIRED,
				       [EVENT_DONE] = REQUEST_ISSUED,
				       [EVENT_REFUSE] = REQUEST_REFUSED,
				       [EVENT_DIE] = REQUEST_WITHDRAWN},
	[REQUEST_APPROVED] = {[EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
			      [EVENT_LAPSE] = REQUEST_LAPSED,
			      [EVENT_EXPIRE] = REQUEST_EXPIRED,
			      [EVENT_SEND] = REQUEST_SENT,
			      [EVENT_DONE] = REQUEST_ISSUED,
			      [EVENT_REFUSE] = REQUEST_REFUSED,
			      [EVENT_DIE] = REQUEST_WITHDRAWN},
	[REQUEST_SENT] =
		{[EVENT_DONE] = REQUEST_ISSUED, [EVENT_REFUSE] = REQUEST_REFUSED, [EVENT_DIE] = REQUEST_WITHDRAWN},
	[REQUEST_TO_CORRECT] = {[EVENT_REPLACE] = REQUEST_CORRECTED,
				[EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
				[EVENT_EXPIRE] = REQUEST_EXPIRED,
				[EVENT_DONE] = REQUEST_ISSUED},
	[REQUEST_OPENED] = {[EVENT_EDIT] = REQUEST_OPENED,
			    [EVENT_CENTRE] = REQUEST_AT_CENTRE,
			    [EVENT_NO_COPY] = REQUEST_NO_COPY,
			    [EVENT_WAIVE] = REQUEST_WAIVED,
			    [EVENT_SEAL] = REQUEST_SEALED,
			    [EVENT_REJECT] = REQUEST_REFUSED,
			    [EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
			    [EVENT_EXPIRE] = REQUEST_EXPIRED},
	[REQUEST_SEALED] = {[EVENT_RELEASE] = REQUEST_RELEASED,
			    [EVENT_REJECT] = REQUEST_REFUSED,
			    [EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
			    [EVENT_EXPIRE] = REQUEST_EXPIRED},
	[REQUEST_RELEASED] =
		{[EVENT_UNLOCK] = REQUEST_DONE, [EVENT_FAIL] = REQUEST_FAILED, [EVENT_EXPIRE] = REQUEST_EXPIRED},
	[REQUEST_AT_CENTRE] = {[EVENT_EDIT] = REQUEST_AT_CENTRE,
			       [EVENT_DELIVER] = REQUEST_DELIVERED,
			       [EVENT_NO_COPY] = REQUEST_NO_COPY,
			       [EVENT_WAIVE] = REQUEST_WAIVED},
	[REQUEST_TO_MAKE] = {[EVENT_KEY] = REQUEST_KEYED,
			     [EVENT_REJECT] = REQUEST_REFUSED,
			     [EVENT_CORRECT] = REQUEST_TO_CORRECT,
			     [EVENT_WITHDRAW] = REQUEST_WITHDRAWN},
	[REQUEST_KEYED] = {[EVENT_PROVE] = REQUEST_AWAITING_OFFICERS,
			   [EVENT_AGAIN] = REQUEST_CORRECTED,
			   [EVENT_LAPSE] = REQUEST_LAPSED,
			   [EVENT_REJECT] = REQUEST_REFUSED,
			   [EVENT_CORRECT] = REQUEST_TO_CORRECT,
			   [EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
			   [EVENT_DONE] = REQUEST_ISSUED,
			   [EVENT_REFUSE] = REQUEST_REFUSED,
			   [EVENT_DIE] = REQUEST_WITHDRAWN},
	[REQUEST_TO_SHIP] = {[EVENT_PACK] = REQUEST_TO_SHIP,
			     [EVENT_SHIP] = REQUEST_IN_POST,
			     [EVENT_AGAIN] = REQUEST_CORRECTED,
			     [EVENT_LAPSE] = REQUEST_LAPSED,
			     [EVENT_REJECT] = REQUEST_REFUSED,
			     [EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
			     [EVENT_DONE] = REQUEST_ISSUED,
			     [EVENT_REFUSE] = REQUEST_REFUSED,
			     [EVENT_DIE] = REQUEST_WITHDRAWN},
	[REQUEST_IN_POST] = {[EVENT_RECEIVE] = REQUEST_APPROVED,
			     [EVENT_RETURN] = REQUEST_TO_SHIP,
			     [EVENT_LOSE] = REQUEST_CORRECTED,
			     [EVENT_CLOSE] = REQUEST_REFUSED,
			     [EVENT_LAPSE] = REQUEST_LAPSED,
			     [EVENT_DONE] = REQUEST_ISSUED,
			     [EVENT_REFUSE] = REQUEST_REFUSED,
			     [EVENT_DIE] = REQUEST_WITHDRAWN},
	/* What happens to the parcel changes nothing for the tally: it is dead. */
	[REQUEST_LAPSED] = {[EVENT_RECEIVE] = REQUEST_LAPSED,
			    [EVENT_RETURN] = REQUEST_LAPSED,
			    [EVENT_RENEW] = REQUEST_CORRECTED,
			    [EVENT_LOSE] = REQUEST_CORRECTED,
			    [EVENT_CLOSE] = REQUEST_REFUSED,
			    [EVENT_AGAIN] = REQUEST_CORRECTED,
			    [EVENT_REJECT] = REQUEST_REFUSED,
			    [EVENT_WITHDRAW] = REQUEST_WITHDRAWN,
			    [EVENT_DONE] = REQUEST_ISSUED},
	[REQUEST_ISSUED] = {0},
	[REQUEST_DONE] = {0},
	[REQUEST_FAILED] = {0},
	[REQUEST_DELIVERED] = {0},
	[REQUEST_NO_COPY] = {0},
	[REQUEST_WAIVED] = {0},
	[REQUEST_REFUSED] = {[EVENT_DONE] = REQUEST_ISSUED},
	[REQUEST_WITHDRAWN] = {[EVENT_DONE] = REQUEST_ISSUED},
	[REQUEST_EXPIRED] = {[EVENT_DONE] = REQUEST_ISSUED},
	[REQUEST_CORRECTED] = {[EVENT_DONE] = REQUEST_ISSUED},
};

const char *request_state_word(enum request_state state)
{
	assert(state < REQUEST_STATE_N);
	return state_words[state];
}

enum request_state request_state_from_word(const char *word)
{
	for (size_t i = REQUEST_DRAFTED; i < REQUEST_STATE_N; i++) {
		if (strcmp(word, state_words[i]) == 0)
			return (enum request_state)i;
	}
	return REQUEST_NONE;
}

bool request_state_is_final(enum request_state state)
{
	return state >= REQUEST_ISSUED;
}

bool request_state_waits(enum request_state state)
{
	switch (state) {
	case REQUEST_AWAITING_OFFICERS:
	case REQUEST_OPENED:
	case REQUEST_AT_CENTRE:
	case REQUEST_TO_MAKE:
	case REQUEST_KEYED:
	case REQUEST_TO_SHIP:
		return true;
	case REQUEST_NONE:
	case REQUEST_DRAFTED:
	case REQUEST_AWAITING_PROOF:
	case REQUEST_APPROVED:
	case REQUEST_SENT:
	case REQUEST_TO_CORRECT:
	case REQUEST_IN_POST:
	case REQUEST_LAPSED:
	case REQUEST_SEALED:
	case REQUEST_RELEASED:
	case REQUEST_FAILED:
	case REQUEST_ISSUED:
	case REQUEST_REFUSED:
	case REQUEST_WITHDRAWN:
	case REQUEST_EXPIRED:
	case REQUEST_DONE:
	case REQUEST_DELIVERED:
	case REQUEST_NO_COPY:
	case REQUEST_WAIVED:
	case REQUEST_CORRECTED:
	case REQUEST_STATE_N:
		return false;
	}
	return false;
}

enum request_state request_next(enum request_state state, enum request_event event)
{
	assert(state < REQUEST_STATE_N && event < EVENT_N);
	return (enum request_state)next[state][event];
}

static enum err not_now(const char *id, enum request_state state, enum request_event event, struct fault *f)
{
	_cleanup_buf_ struct buf when = {0};
	for (size_t i = REQUEST_DRAFTED; i < REQUEST_STATE_N; i++) {
		if (next[i][event] != REQUEST_NONE)
			buf_fmt(&when, "%s%s", when.len > 0 ? ", " : "", state_words[i]);
	}
	return fault_raise(f, ERR_RULE, "request_state", "request.state", "request %s is %s: %s is possible while %s",
			   id, state_words[state], event_words[event], buf_text(&when));
}

/* Into the history alone. */
static enum err tell(struct db *db, const char *id, const char *state_word, const struct request_step *steps, size_t n,
		     int64_t now, const char *detail, enum request_state *ret_after, struct fault *f)
{
	enum request_state before = request_state_from_word(state_word), after = before;
	assert(before != REQUEST_NONE);
	for (size_t i = 0; i < n; i++, before = after) {
		after = request_next(before, steps[i].event);
		if (after == REQUEST_NONE)
			return not_now(id, before, steps[i].event, f);
		TRY(store_history_add(db, id, now, event_words[steps[i].event], state_words[before], state_words[after],
				      steps[i].who, detail, f));
	}
	*ret_after = after;
	return OK;
}

enum err request_move_on(struct db *db, const char *id, const char *state_word, const struct request_step *steps,
			 size_t n, int64_t now, const char *detail, enum request_state *ret_after, struct fault *f)
{
	enum request_state after = REQUEST_NONE;
	TRY(tell(db, id, state_word, steps, n, now, detail, &after, f));
	if (strcmp(state_words[after], state_word) != 0)
		TRY(store_request_state(db, id, state_words[after], f));
	if (ret_after)
		*ret_after = after;
	return OK;
}

enum err request_issued(struct db *db, const char *id, const char *state_word, int64_t cert, int64_t now,
			const char *who, struct fault *f)
{
	enum request_state after = REQUEST_NONE;
	TRY(tell(db, id, state_word, &(struct request_step){EVENT_DONE, who}, 1, now, "", &after, f));
	return store_request_result(db, id, state_words[after], cert, f);
}

enum err request_move(struct db *db, const char *id, const char *state_word, enum request_event event, int64_t now,
		      const char *who, const char *detail, enum request_state *ret_after, struct fault *f)
{
	return request_move_on(db, id, state_word, &(struct request_step){event, who}, 1, now, detail, ret_after, f);
}
