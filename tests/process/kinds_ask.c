/*
 * The ways to ask the signer: a tally, the same again, later, and the three notes that only the operator's socket takes.
 */
#include "tests/process/kinds.h"

#include <string.h>

#define DAY_SECONDS INT64_C(86400)

static void keep(struct world *w, const struct tally *t, const struct buf *note, const struct buf *csr,
		 const struct fx_answer *a)
{
	memcpy(w->id, t->id, TALLY_ID);
	buf_clear(&w->note);
	buf_clear(&w->csr);
	buf_clear(&w->cert);
	buf_add_slice(&w->note, buf_slice(note));
	buf_add_slice(&w->csr, buf_slice(csr));
	if (a)
		buf_add_slice(&w->cert, a->done.cert);
}

static void write_note(struct world *w, const struct step *s, struct tally *t, struct buf *ret_note,
		       struct buf *ret_csr)
{
	_cleanup_buf_ struct buf text = {0};
	s->make(w->x, s->org, t);
	if (s->change)
		s->change(w->x, t);
	tally_put(t, &text);
	if (s->edit)
		s->edit(&text);
	fx_note_text(w->x, &text, s->org, s->key, s->who, ret_note);
	if (t->has_key && t->key_is_new)
		fx_csr(s->key, ret_csr);
	if (s->after)
		s->after(w->x, ret_note, ret_csr);
}

static void ask_new(struct world *w, const struct step *s, bool keeps, struct fx_answer *ret)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf note = {0}, csr = {0};
	write_note(w, s, &t, &note, &csr);
	fx_send(w->x, s->past_ra, &note, &csr, ret);
	if (ret->kind != OK || !keeps)
		return;
	keep(w, &t, &note, &csr, ret);
	if (tally_kind_issues(t.kind))
		fx_follow(w->x, s->org, ret, s->key);
}
void ask_tally(struct world *w, const struct step *s, struct fx_answer *ret)
{
	ask_new(w, s, true, ret);
}
/* The tally before stays the last one. */
void ask_aside(struct world *w, const struct step *s, struct fx_answer *ret)
{
	ask_new(w, s, false, ret);
}

/* Signed by all and kept back: the request that somebody thinks better of. */
void ask_draft(struct world *w, const struct step *s, struct fx_answer *ret)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf note = {0}, csr = {0};
	write_note(w, s, &t, &note, &csr);
	keep(w, &t, &note, &csr, NULL);
	ret->kind = OK;
}

/* The note of the last tally, byte for byte. */
void ask_late(struct world *w, const struct step *s, struct fx_answer *ret)
{
	fx_send(w->x, s->past_ra, &w->note, &w->csr, ret);
}

/* The same, and what is answered is what was answered. */
void ask_again(struct world *w, const struct step *s, struct fx_answer *ret)
{
	ask_late(w, s, ret);
	check_done(s->story, ret);
	assert_int_equal(ret->done.again, 1);
	assert_true(slice_eq(ret->done.cert, buf_slice(&w->cert)));
}

/* kill -9, and so many days later a new start; the first beat has been when we go on. */
void ask_later(struct world *w, const struct step *s, struct fx_answer *ret)
{
	world_kill_and_start(w, s->days * DAY_SECONDS);
	world_until_beat(w);
	ret->kind = OK;
}

/* kill -9 and a new start, at once. */
void ask_kill(struct world *w, const struct step *s, struct fx_answer *ret)
{
	const struct step now = {.story = s->story, .days = w->ahead / DAY_SECONDS};
	ask_later(w, &now, ret);
}

/* --- adoption --- */

static void send_message(struct world *w, bool by_operator, const struct buf *request, enum wire_type want,
			 struct buf *ret_reply, struct fx_answer *ret)
{
	ret->kind = (by_operator ? fx_operator : fx_ra)(w->x, request, want, ret_reply, &ret->f);
}

/* How many were new is told; a certificate that does not fit is a fault of its own within the answer. */
static void adopt(struct world *w, const struct step *s, bool by_operator, enum fx_which sent, uint32_t taken,
		  struct fx_answer *ret)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_adopt_is is = {0};
	fx_adopt_request(w->x, s->org, sent, s->who, NULL, &request);
	send_message(w, by_operator, &request, WIRE_TYPE_ADOPT_IS, &reply, ret);
	if (ret->kind != OK)
		return;
	assert_int_equal(wire_adopt_is_get(buf_slice(&reply), &is, &ret->f), OK);
	assert_int_equal(is.taken, taken);
	if (is.problems.n > 0) {
		/* "index rule text" */
		_cleanup_(freep) char *problem = slice_dup_str(is.problems.v[0]);
		const char *rule = strchr(problem, ' ') + 1;
		_cleanup_(freep) char *word = xstrndup(rule, strcspn(rule, " "));
		ret->kind = fault_raise(&ret->f, ERR_RULE, word, "adopt", "%s", problem);
	}
	wire_adopt_is_done(&is);
}
void ask_adopt(struct world *w, const struct step *s, struct fx_answer *ret)
{
	adopt(w, s, true, s->org, 1, ret);
}
void ask_adopt_by_ra(struct world *w, const struct step *s, struct fx_answer *ret)
{
	adopt(w, s, false, s->org, 0, ret);
}
void ask_adopt_again(struct world *w, const struct step *s, struct fx_answer *ret)
{
	adopt(w, s, true, s->org, 0, ret);
}
/* Officers signed one certificate; another comes in its place. */
void ask_adopt_swapped(struct world *w, const struct step *s, struct fx_answer *ret)
{
	adopt(w, s, true, ORG_P256, 0, ret);
}

/* --- roster --- */

static void roster(struct world *w, const struct step *s, bool by_operator, uint64_t version, struct fx_answer *ret)
{
	_cleanup_buf_ struct buf note = {0}, request = {0}, reply = {0};
	fx_roster_note(w->x, version, true, w->x->signer->heads->roster.sha256, 2, s->who, &note);
	wire_roster_put(&(struct wire_roster){.note = buf_slice(&note)}, &request);
	send_message(w, by_operator, &request, WIRE_TYPE_OK, &reply, ret);
}
void ask_roster(struct world *w, const struct step *s, struct fx_answer *ret)
{
	roster(w, s, true, 2, ret);
}
void ask_roster_by_ra(struct world *w, const struct step *s, struct fx_answer *ret)
{
	roster(w, s, false, 2, ret);
}
/* A version left out. */
void ask_roster_after(struct world *w, const struct step *s, struct fx_answer *ret)
{
	roster(w, s, true, 3, ret);
}

/* --- policy --- */

static void policy(struct world *w, const struct step *s, bool by_operator, bool swapped, struct fx_answer *ret)
{
	_cleanup_buf_ struct buf note = {0}, request = {0}, reply = {0};
	struct wire_policy m = {0};
	fx_policy_note(w->x, 0, w->x->signer->heads->now.policy->note.sha256, 2, s->who, &note);
	if (swapped)
		fx_replace(fx_file(w->x, "profiles/organisation.yaml"), "officers: 2", "officers: 0");
	m.note = buf_slice(&note);
	for (size_t i = 0; i < w->x->n_files; i++) {
		wire_list_add(&m.files, slice_str(w->x->files[i].path));
		wire_list_add(&m.files, buf_slice(&w->x->files[i].bytes));
	}
	wire_policy_put(&m, &request);
	wire_policy_done(&m);
	send_message(w, by_operator, &request, WIRE_TYPE_OK, &reply, ret);
}
void ask_policy(struct world *w, const struct step *s, struct fx_answer *ret)
{
	policy(w, s, true, false, ret);
}
void ask_policy_by_ra(struct world *w, const struct step *s, struct fx_answer *ret)
{
	policy(w, s, false, false, ret);
}
/* Officers signed one text; another comes in its place. */
void ask_policy_swapped(struct world *w, const struct step *s, struct fx_answer *ret)
{
	policy(w, s, true, true, ret);
}
/* Even officers can't give a profile the purpose of responders. */
void ask_policy_ocsp(struct world *w, const struct step *s, struct fx_answer *ret)
{
	struct buf *file = fx_file(w->x, "profiles/organisation.yaml");
	fx_replace(file, "purposes: [clientAuth, ", "purposes: [OCSPSigning, ");
	policy(w, s, true, false, ret);
	fx_replace(file, "purposes: [OCSPSigning, ", "purposes: [clientAuth, ");
}
