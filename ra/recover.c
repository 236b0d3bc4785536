/*
 * Recovery: before an old key is given up, files that were encrypted for it want to be opened. The key centre holds a copy
 * of keys, or holds none; the desk carries the case and never a key.
 *
 *   opened ──▶ at_key_centre ──▶ delivered | no_copy        opened, at_key_centre ──▶ waived (on a stamped paper)
 *
 * A request that would replace the key waits for the end of the case.
 */
#include "ra/claim.h"
#include "ra/officer.h"
#include "ra/plain.h"
#include "ra/status.h"
#include "ra/store_record.h"

#include <string.h>

#define NOTE_MAX_CHARS 500

static bool is_open(const char *state)
{
	return request_state_waits(request_state_from_word(state));
}

static enum err check_none_open(struct ctx *c, int64_t cert, struct fault *f)
{
	char number[COURSE_NUMBER_MAX + 1], state[20];
	enum err e = store_recovery(c->db, cert, number, state, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	if (!is_open(state))
		return OK;
	return fault_raise(f, ERR_RULE, "recovery_open", "params.serial", "case %s is %s already", number, state);
}

enum err recover_open(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	struct cert_row row;
	TRY(request_check_room(c, f));
	TRY(cert_find(c->db, param_text(c, "serial"), param_text(c, "issuer"), c->session->account.id, &row, f));
	TRY(check_none_open(c, row.id, f));
	TRY(plain_make(c, PLAIN_RECOVER_KIND, row.id, &r, f));
	TRY(store_request_add(c->db, &r, f));
	TRY(course_begin(c, &r, "", f));
	TRY(course_submit(c, &r, f));
	TRY(store_history_add(c->db, r.id, c->now, "open", "", r.state, c->who, "", f));
	TRY(desk_audit(c, "recovery_opened", r.id, SERIAL(&row.ref.serial), f));
	return request_answer(c, r.id, ret, f);
}

static enum request_event step_event(const char *word)
{
	static const struct {
		const char *word;
		enum request_event event;
	} steps[] = {{"sent", EVENT_CENTRE},
		     {"delivered", EVENT_DELIVER},
		     {"no_copy", EVENT_NO_COPY},
		     {"waived", EVENT_WAIVE}};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(steps[i].word, word) == 0)
			return steps[i].event;
	}
	return EVENT_N;
}

static enum err check_waiver(struct ctx *c, const struct request *r, enum request_event event, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	TRY(plain_load(c, r, &d, f));
	if (event != EVENT_WAIVE || d.n_materials > 0)
		return OK;
	return fault_raise(f, ERR_RULE, "waiver_missing", "request.materials",
			   "found no recovery-waiver, wanted the stamped paper by which the owner gives the files up");
}

enum err review_recover(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	enum request_event event = step_event(param_text(c, "step"));
	enum request_state after;
	char who[WHO_MAX];
	const char *note;
	TRY(officer_of(c, who, f));
	TRY(param_clean(c, "note", &note, f));
	TRY(request_any(c, &r, f));
	if (strcmp(r.kind, PLAIN_RECOVER_KIND) != 0 || event == EVENT_N)
		return fault_raise(f, ERR_RULE, "recovery_kind", "params.request", "request %s is no recovery case",
				   r.id);
	TRY(request_move(c->db, r.id, r.state, event, c->now, who, note, &after, f));
	TRY(check_waiver(c, &r, event, f));
	TRY(desk_audit(c, "recovery_moved", r.id, request_state_word(after), f));
	if (request_state_is_final(after))
		lanes_add(&c->ended, r.id);
	return request_answer(c, r.id, ret, f);
}

enum err recover_allows(struct ctx *c, const struct request *r, const struct tally *t, struct fault *f)
{
	char number[COURSE_NUMBER_MAX + 1], state[20] = "";
	if (!t->key_is_new || !t->has_predecessor)
		return OK;
	enum err e = store_recovery(c->db, r->cert, number, state, f);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (e == OK && is_open(state))
		return fault_raise(f, ERR_RULE, "recovery_open", "request.files",
				   "recovery case %s of the certificate is %s: it must end first", number, state);
	if (t->files != FILES_WAIVED || strcmp(state, request_state_word(REQUEST_WAIVED)) == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "recovery_missing", "request.files",
			   "found the answer waived, wanted a recovery case that was waived in writing");
}
