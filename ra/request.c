/*
 * The owner's calls on a request, each one transaction.
 *
 * A draft may be edited, and so may what officers sent back (correct.c); its tally is made anew each time. The first proof freezes it, so the first proof also wants it
 * complete: what is signed is what will be sent. Next: request_tally.c, request_show.c.
 */
#include "ra/request.h"

#include "ra/officer.h"

#include "ra/correct.h"
#include "ra/course.h"
#include "ra/handover.h"
#include "ra/note.h"
#include "ra/order.h"
#include "ra/plain.h"
#include "ra/standing.h"
#include "ra/status.h"
#include "ra/work.h"

#include <string.h>

#define OPEN_MAX 50
#define INCOMPLETE_S (30 * 86400)

/* --- whose request --- */

static enum err unknown(const char *id, struct fault *f)
{
	return fault_raise(f, ERR_NOT_FOUND, "request_unknown", "params.request", "there is no request \"%s\" for you",
			   ESC(id, strlen(id)));
}

/* What was said is an id, or a number, which stands for the newest of its requests. */
static enum err resolve(struct ctx *c, char ret[REQUEST_ID + 1], struct fault *f)
{
	const char *said = param_text(c, "request");
	snprintf(ret, REQUEST_ID + 1, "%s", said);
	return strlen(said) < REQUEST_ID ? store_course_current(c->db, said, ret, f) : OK;
}

enum err request_any(struct ctx *c, struct request *ret, struct fault *f)
{
	char id[REQUEST_ID + 1];
	enum err e = resolve(c, id, f);
	if (e == OK)
		e = store_request_get(c->db, id, ret, f);
	if (e == ERR_NOT_FOUND)
		return unknown(param_text(c, "request"), f);
	TRY(e);
	/* Its owner has a session; an officer, perhaps a view. */
	if (c->session || officer_sees(c, ret->project))
		return OK;
	request_done(ret);
	return unknown(param_text(c, "request"), f);
}

/* account: whose the request is. */
static bool is_own(const struct ctx *c, int64_t account)
{
	return account != 0 && account == c->session->account.id;
}

enum err request_own(struct ctx *c, struct request *ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	TRY(request_any(c, &r, f));
	if (!is_own(c, r.account))
		return unknown(param_text(c, "request"), f);
	*ret = r;
	r = (struct request){0};
	return OK;
}

enum err request_own_stand(struct ctx *c, char ret_id[REQUEST_ID + 1], struct request_stand *ret, struct fault *f)
{
	enum err e = resolve(c, ret_id, f);
	if (e == OK)
		e = store_request_stand(c->db, ret_id, ret, f);
	if (e == ERR_NOT_FOUND || (e == OK && !is_own(c, ret->account)))
		return unknown(param_text(c, "request"), f);
	return e;
}

enum err request_answer(struct ctx *c, const char *id, json_t **ret, struct fault *f)
{
	struct course_place now;
	TRY(store_course_place(c->db, id, &now, f));
	*ret = json_object();
	json_object_set_new(*ret, "request", json_string(id));
	json_object_set_new(*ret, "number", json_string(now.number));
	json_object_set_new(*ret, "state", json_string(now.state));
	return OK;
}

/* --- prepare --- */

#define SET_WORD(c, name, array) set_word((c), (name), (array), sizeof(array))

/* The table of parameters bounds the lengths. */
static void set_word(const struct ctx *c, const char *name, char *ret, size_t size)
{
	const char *text = param_text(c, name);
	snprintf(ret, size, "%s", text ? text : "");
}

static enum err set_csr(const struct ctx *c, struct request *r, struct fault *f)
{
	const char *pem = param_text(c, "csr");
	buf_clear(&r->csr);
	if (!pem)
		return OK;
	TRY(pem_or_der(slice_str(pem), "CERTIFICATE REQUEST", &r->csr, f));
	if (r->csr.len > CSR_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "csr_size", "params.csr", "found %zu bytes, wanted at most %d",
				   r->csr.len, CSR_MAX_BYTES);
	return OK;
}

static bool is_kind(const struct request *r, enum tally_kind kind)
{
	return strcmp(r->kind, tally_kind_word(kind)) == 0;
}

static enum err set_reason(struct request *r, struct fault *f)
{
	bool revokes = is_kind(r, TALLY_REVOKE);
	if (revokes == (r->reason[0] != '\0') && (!revokes || crl_reason_from_word(r->reason) >= 0))
		return OK;
	return fault_raise(f, ERR_PARSE, "reason_form", "params.reason", "found \"%s\", wanted %s",
			   ESC(r->reason, strlen(r->reason)),
			   revokes ? "a reason of RFC 5280 5.3.1, as keyCompromise" : "none for this kind");
}

/* A first certificate follows none; its profile may go unsaid where the project has one. */
static enum err set_first(struct ctx *c, struct request *r, struct fault *f)
{
	const struct project *p = policy_project(c->law->policy, r->project);
	const char *serial = param_text(c, "serial");
	if (serial)
		return fault_raise(f, ERR_PARSE, "param_unknown", "params.serial",
				   "found %s, wanted none: an enrolment follows no certificate",
				   ESC(serial, strlen(serial)));
	r->cert = 0;
	if (r->profile[0] == '\0' && p && p->profiles.n == 1)
		snprintf(r->profile, sizeof(r->profile), "%s", p->profiles.v[0]);
	return OK;
}

static enum err set_cert(struct ctx *c, struct request *r, struct fault *f)
{
	_cleanup_(cert_body_done) struct cert_body body = {0};
	const char *serial = param_text(c, "serial");
	struct cert_row row;
	if (is_kind(r, TALLY_ENROL))
		return set_first(c, r, f);
	if (!serial)
		return fault_raise(f, ERR_PARSE, "param_missing", "params.serial",
				   "serial is missing, wanted the certificate to %s", r->kind);
	TRY(cert_find(c->db, serial, param_text(c, "issuer"), c->session->account.id, &row, f));
	r->cert = row.id;
	if (r->profile[0] != '\0')
		return OK;
	TRY(store_cert_body(c->db, row.id, &body, f));
	memcpy(r->profile, body.profile, sizeof(r->profile));
	return OK;
}

/* It is the owner's even in a draft that is only saved; what it is good for is judged with the terms. */
static enum err set_order(struct ctx *c, struct request *r, struct fault *f)
{
	struct order o = {0};
	SET_WORD(c, "order", r->order);
	return r->order[0] == '\0' ? OK : order_of(c->db, r->order, c->session->account.id, &o, f);
}

static enum err set_terms(struct ctx *c, struct request *r, struct fault *f)
{
	json_t *subject = json_object_get(c->call->params, "subject");
	SET_WORD(c, "kind", r->kind);
	SET_WORD(c, "way", r->way);
	SET_WORD(c, "project", r->project);
	SET_WORD(c, "profile", r->profile);
	SET_WORD(c, "files", r->files);
	SET_WORD(c, "reason", r->reason);
	SET_WORD(c, "key_seen", r->key_seen);
	SET_WORD(c, "collides", r->collides);
	r->hold = -1;
	r->months = param_number(c, "months", 0);
	r->notice = param_true(c, "notice_accepted");
	free(r->subject);
	r->subject = subject ? json_dumps(subject, JSON_COMPACT) : xstrdup("[]");
	TRY(set_order(c, r, f));
	TRY(set_csr(c, r, f));
	TRY(set_reason(r, f));
	TRY(work_said(c, r, f));
	return set_cert(c, r, f);
}

enum err request_check_room(struct ctx *c, struct fault *f)
{
	int64_t open = 0;
	TRY(store_requests_open(c->db, c->session->account.id, &open, f));
	if (open < OPEN_MAX)
		return OK;
	return fault_raise(f, ERR_LIMIT, "requests_many", "request", "%lld requests are open, wanted fewer than %d",
			   (long long)open, OPEN_MAX);
}

void request_new_id(struct request *r, int64_t now)
{
	uint8_t id[TALLY_ID];
	tally_id_new(now, id);
	hex_lower(id, sizeof(id), r->id);
	snprintf(r->state, sizeof(r->state), "%s", request_state_word(REQUEST_DRAFTED));
}

static enum err begin_draft(struct ctx *c, struct request *r, struct fault *f)
{
	TRY(request_check_room(c, f));
	request_new_id(r, c->now);
	r->account = c->session->account.id;
	return OK;
}

static enum err save_draft(struct ctx *c, const struct request *r, bool fresh, struct fault *f)
{
	if (!fresh) {
		TRY(store_request_redraw(c->db, r, f));
		TRY(store_delivery_put(c->db, r, f));
		TRY(request_move(c->db, r->id, r->state, EVENT_EDIT, c->now, c->who, "", NULL, f));
		return desk_audit(c, "request_edited", r->id, r->kind, f);
	}
	TRY(store_request_add(c->db, r, f));
	if (r->delivery.recipient[0] != '\0')
		TRY(store_delivery_put(c->db, r, f));
	TRY(course_begin(c, r, "", f));
	TRY(store_history_add(c->db, r->id, c->now, "draft", "", r->state, c->who, "", f));
	return desk_audit(c, "request_drafted", r->id, r->kind, f);
}

static enum err draw(struct ctx *c, struct request *r, struct draw *d, struct fault *f)
{
	TRY(draw_make(c, r, d, f));
	return draw_check_paid(c, d, r, f);
}

/* Terms that a rule refuses are kept all the same when the owner only saves them; what is said is what is wrong. */
static enum err draw_or_save(struct ctx *c, struct request *r, struct draw *d, json_t *missing, struct fault *f)
{
	struct fault why = {0};
	bool may_save = param_true(c, "save") && strcmp(r->way, PLAIN_RECORD_WAY) != 0;
	if (!may_save)
		return draw(c, r, d, f);
	enum err e = draw(c, r, d, &why);
	if (e != ERR_RULE) {
		*f = why;
		return e;
	}
	missing_fault(missing, &why);
	free(r->tally);
	r->tally = xstrdup("");
	hex_lower(c->law->policy->note.sha256, 32, r->policy);
	r->proof = r->officers = 0;
	r->made = c->now;
	r->dies = c->now + INCOMPLETE_S;
	return OK;
}

static enum err answer_draft(struct ctx *c, const struct request *r, struct draw *d, json_t *wrong, json_t **ret,
			     struct fault *f)
{
	_cleanup_(json_freep) json_t *missing = NULL;
	if (request_is_plain(r))
		TRY(plain_load(c, r, d, f));
	if (request_is_incomplete(r) || json_array_size(wrong) > 0)
		missing = json_incref(wrong);
	else
		TRY(draw_missing(c, d, r, &missing, f));
	TRY(request_answer(c, r->id, ret, f));
	json_object_set_new(*ret, "makes", json_string(request_is_plain(r) ? "record" : "certificate"));
	json_object_set_new(*ret, "tally", json_string(r->tally));
	json_object_set_new(*ret, "missing", TAKE(missing));
	return OK;
}

enum err request_prepare(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(draw_done) struct draw d = {0};
	_cleanup_(json_freep) json_t *wrong = json_array();
	bool fresh = param_text(c, "request") == NULL;
	TRY(fresh ? begin_draft(c, &r, f) : request_own(c, &r, f));
	if (strcmp(r.state, request_state_word(REQUEST_TO_CORRECT)) == 0)
		TRY(correct_begin(c, &r, f));
	if (strcmp(r.state, "drafted") != 0)
		return request_move(c->db, r.id, r.state, EVENT_EDIT, c->now, c->who, "", NULL, f);
	TRY(set_terms(c, &r, f));
	TRY(record_applies(c, &r) ? record_make(c, &r, f) : draw_or_save(c, &r, &d, wrong, f));
	TRY(save_draft(c, &r, fresh, f));
	return answer_draft(c, &r, &d, wrong, ret, f);
}

/* --- prove, submit, withdraw --- */

/* Says what is wrong with terms that were only saved; when nothing is any more, they are to be prepared anew. */
static enum err incomplete(struct ctx *c, const struct request *r, struct fault *f)
{
	_cleanup_(request_done) struct request again = {0};
	_cleanup_(draw_done) struct draw d = {0};
	TRY(store_request_get(c->db, r->id, &again, f));
	TRY(draw_make(c, &again, &d, f));
	return fault_raise(f, ERR_RULE, "draft_saved", "request", "request %s was only saved: prepare it once more",
			   r->id);
}

enum err request_complete(struct ctx *c, const struct request *r, struct draw *d, struct fault *f)
{
	if (request_is_plain(r))
		return plain_check(c, r, d, f);
	if (request_is_incomplete(r))
		return incomplete(c, r, f);
	TRY(draw_load(c, r, d, f));
	TRY(draw_judge(c, d, f));
	TRY(draw_check_line(c, d, f));
	TRY(recover_allows(c, r, &d->tally, f));
	return draw_check_paid(c, d, r, f);
}

/* The event's place in the table is asked first: kinder than a judgement of what can't happen any more. */
static enum err check_event(const struct request *r, enum request_event event, struct ctx *c, struct fault *f)
{
	if (request_next(request_state_from_word(r->state), event) != REQUEST_NONE)
		return OK;
	return request_move(c->db, r->id, r->state, event, c->now, c->who, "", NULL, f);
}

static enum err check_proof(struct ctx *c, const struct request *r, struct fault *f)
{
	int64_t current = 0, fresh = 0;
	bool by_current = (r->proof & PROOF_CURRENT) != 0, by_new = (r->proof & PROOF_NEW) != 0;
	if (by_current)
		TRY(store_lines_count(c->db, r->id, "subscriber", &current, f));
	if (by_new)
		TRY(store_lines_count(c->db, r->id, "new-key", &fresh, f));
	if (by_current && current == 0)
		return fault_raise(f, ERR_RULE, "subscriber_missing", "request.lines",
				   "found no line of the current certificate's key, wanted its proof");
	if (by_new && fresh == 0)
		return fault_raise(f, ERR_RULE, "new_key_missing", "request.lines",
				   "found no line of the new key, wanted its proof");
	return OK;
}

static enum err take_lines(struct ctx *c, const struct request *r, struct draw *d, struct fault *f)
{
	json_t *lines = json_object_get(c->call->params, "lines"), *line;
	size_t i;
	json_array_foreach(lines, i, line)
	{
		bool fresh = false;
		TRY(proof_take(c, r, d, json_string_value(line), &fresh, f));
	}
	return desk_audit(c, "request_proved", r->id, "", f);
}

/* By its owner, for good: to the officers, to the signer where none is needed, or to the desk that makes its key. */
static enum request_event submit_event(const struct request *r)
{
	return request_is_keyless(r) ? EVENT_COMMISSION : r->officers > 0 ? EVENT_SUBMIT : EVENT_PASS;
}

/* Where nobody need look at it any more the signer has it by the same call. */
static size_t submit_steps(const struct ctx *c, enum request_event event, struct request_step ret[2])
{
	ret[0] = (struct request_step){event, c->who};
	ret[1] = (struct request_step){EVENT_SEND, HANDOVER_WHO};
	return event == EVENT_PASS && note_goes_at_once(c) ? 2 : 1;
}

/* What is left to do when the request has moved by that event. */
static enum err hand_in(struct ctx *c, struct request *r, enum request_event event, struct fault *f)
{
	TRY(event == EVENT_COMMISSION ? work_commission(c, r, f) : check_proof(c, r, f));
	TRY(correct_check(c, r, f));
	TRY(event == EVENT_PASS ? note_send(c, r, f) : course_submit(c, r, f));
	return desk_audit(c, "request_submitted", r->id, r->kind, f);
}

enum err request_prove(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(draw_done) struct draw d = {0};
	_cleanup_(json_freep) json_t *missing = NULL;
	bool submits = param_true(c, "submit");
	TRY(request_own(c, &r, f));
	if (request_is_keyless(&r))
		return fault_raise(f, ERR_RULE, "key_at_desk", "params.request",
				   "the desk makes the key of request %s: there is nothing to sign, submit it", r.id);
	TRY(check_event(&r, EVENT_PROVE, c, f));
	if (request_is_plain(&r))
		return fault_raise(f, ERR_RULE, "nothing_to_sign", "params.request",
				   "request %s makes no certificate: there is nothing to sign, submit it", r.id);
	TRY(request_complete(c, &r, &d, f));
	TRY(take_lines(c, &r, &d, f));
	enum request_event event = submit_event(&r);
	struct request_step steps[3] = {{EVENT_PROVE, c->who}};
	size_t n = submits ? 1 + submit_steps(c, event, steps + 1) : 1;
	TRY(request_move_on(c->db, r.id, r.state, steps, n, c->now, "", NULL, f));
	if (submits)
		TRY(hand_in(c, &r, event, f));
	TRY(draw_missing(c, &d, &r, &missing, f));
	TRY(request_answer(c, r.id, ret, f));
	json_object_set_new(*ret, "missing", TAKE(missing));
	return submits ? standing_lost(c, &r, &d, *ret, f) : OK;
}

enum err request_submit(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(draw_done) struct draw d = {0};
	TRY(request_own(c, &r, f));
	enum request_event event = submit_event(&r);
	TRY(check_event(&r, event, c, f));
	TRY(request_complete(c, &r, &d, f));
	struct request_step steps[2];
	size_t n = submit_steps(c, event, steps);
	TRY(request_move_on(c->db, r.id, r.state, steps, n, c->now, "", NULL, f));
	TRY(hand_in(c, &r, event, f));
	TRY(request_answer(c, r.id, ret, f));
	return standing_lost(c, &r, &d, *ret, f);
}

enum err request_withdraw(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	TRY(request_own(c, &r, f));
	TRY(request_move(c->db, r.id, r.state, EVENT_WITHDRAW, c->now, c->who, "", NULL, f));
	if (request_has_tally(&r))
		TRY(note_withdraw(c, &r, f));
	TRY(work_give_up(c, &r, f));
	TRY(desk_audit(c, "request_withdrawn", r.id, "", f));
	return request_answer(c, r.id, ret, f);
}
