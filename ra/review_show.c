/*
 * What an officer is shown: the tally's own text first, and what the desk can say beside it. An officer's client makes
 * the difference and the hashes itself from the text; what stands here is for screens that only show. Next: review_checklist.c.
 */
#include "ra/review.h"

#include "ra/correct.h"
#include "ra/course.h"
#include "ra/history.h"
#include "ra/material.h"
#include "ra/note.h"
#include "ra/officer.h"
#include "ra/plain.h"
#include "ra/status.h"
#include "ra/store_queue.h"
#include "ra/title.h"
#include "ra/unlock.h"
#include "ra/work.h"

#include <string.h>

#define QUEUE_PER_PAGE 20

struct listing {
	const struct ctx *c;
	json_t *rows;
};

static void add_item(void *arg, const struct request_item *item)
{
	const struct listing *l = arg;
	json_t *o = json_object();
	json_object_set_new(o, "request", json_string(item->id));
	course_json(l->c, &item->course, true, o);
	course_claim_json(l->c, item->course.claimant, item->course.claim_ends, o);
	json_object_set_new(o, "kind", json_string(item->kind));
	json_object_set_new(o, "way", json_string(item->way));
	json_object_set_new(o, "project", json_string(item->project));
	if (item->ref.serial.n > 0)
		json_object_set_new(o, "serial", json_string(SERIAL(&item->ref.serial)));
	json_object_set_new(o, "organisation", json_string(item->organisation));
	json_object_set_new(o, "state", json_string(item->state));
	json_object_set_new(o, "officers",
			    json_sprintf("%lld/%lld", (long long)item->officers_have, (long long)item->officers));
	json_object_set_new(o, "made", json_time(item->made));
	if (item->dies != 0)
		json_object_set_new(o, "dies", json_time(item->dies));
	json_array_append_new(l->rows, o);
}

static json_t *counts_json(const struct queue_counts *n)
{
	json_t *o = json_object();
	json_object_set_new(o, "waiting", json_integer(n->waiting));
	json_object_set_new(o, "overdue", json_integer(n->overdue));
	json_object_set_new(o, "claimed", json_integer(n->claimed));
	return o;
}

enum err review_queue(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	const char *project = param_text(c, "project"), *kind = param_text(c, "kind");
	const struct yaml_strs *view = officer_view(c);
	bool one = project && officer_sees(c, project);
	struct queue_filter q = {.projects = project ? &project
					     : view  ? view->v
						     : NULL,
				 .n_projects = project ? one
					       : view  ? view->n
						       : 0,
				 .kind = kind ? kind : "",
				 .overdue = param_true(c, "overdue"),
				 .claim = !json_object_get(c->call->params, "claimed") ? CLAIM_ANY
					  : param_true(c, "claimed")		       ? CLAIM_TAKEN
										       : CLAIM_FREE,
				 .now = c->now};
	struct queue_counts n;
	struct list_page page;
	struct list_end end;
	TRY(param_list(c, QUEUE_PER_PAGE, &page, f));
	TRY(store_requests_queue(c->db, &q, &page, add_item, &(struct listing){c, rows}, &end, f));
	TRY(store_requests_queue_count(c->db, &q, &n, f));
	end.total = n.total;
	end.counted = true;
	*ret = json_object();
	json_object_set_new(*ret, "requests", TAKE(rows));
	list_end_put(&end, *ret);
	json_object_set_new(*ret, "counts", counts_json(&n));
	return OK;
}

/* --- one request --- */

static json_t *difference(const struct tally *t)
{
	json_t *list = json_array();
	for (size_t i = 0; i < t->n_subject; i++) {
		const struct subject_line *line = &t->subject[i];
		bool pair = line->mark == SUBJECT_OLD && i + 1 < t->n_subject &&
			    t->subject[i + 1].mark == SUBJECT_NEW && t->subject[i + 1].type == line->type;
		if (line->mark == SUBJECT_SAME)
			continue;
		json_t *o = json_object();
		const struct bilingual title = title_of(line->type->word);
		json_object_set_new(o, "attribute", json_string(line->type->word));
		json_object_set_new(o, "title", json_bilingual(&title));
		json_object_set_new(o, "old", line->mark == SUBJECT_OLD ? json_string(line->value) : json_null());
		if (pair)
			i++;
		json_object_set_new(o, "new",
				    t->subject[i].mark == SUBJECT_NEW ? json_string(t->subject[i].value) : json_null());
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *materials(const struct draw *d)
{
	json_t *list = json_array();
	for (size_t i = 0; i < d->n_materials; i++)
		json_array_append_new(list, material_json(&d->materials[i]));
	return list;
}

static enum err put_note(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	note_begin(slice_str(r->tally), &note);
	TRY(store_lines(c->db, r->id, &note, f));
	json_object_set_new(o, "note", json_string(buf_text(&note)));
	return OK;
}

/* The note that this request takes the place of, for the same key: who signed that one has seen the key already. */
static enum err put_before(struct ctx *c, const struct request *r, const struct course *course, json_t *o,
			   struct fault *f)
{
	_cleanup_(request_done) struct request before = {0};
	_cleanup_buf_ struct buf note = {0};
	if (course->replaces[0] == '\0' || r->delivery.recipient[0] == '\0')
		return OK;
	TRY(store_request_get(c->db, course->replaces, &before, f));
	if (!request_has_tally(&before))
		return OK;
	note_begin(slice_str(before.tally), &note);
	TRY(store_lines(c->db, before.id, &note, f));
	json_object_set_new(o, "note_before", json_string(buf_text(&note)));
	return OK;
}

static enum err put_people(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	int64_t have = 0;
	TRY(store_lines_count(c->db, r->id, "officer", &have, f));
	json_object_set_new(o, "officers", json_sprintf("%lld/%lld", (long long)have, (long long)r->officers));
	return OK;
}

/* So that an officer's client can hold a token's key against it. */
static void put_csr(const struct request *r, json_t *o)
{
	_cleanup_buf_ struct buf pem = {0};
	if (r->csr.len == 0)
		return;
	pem_put(&pem, "CERTIFICATE REQUEST", buf_slice(&r->csr));
	json_object_set_new(o, "csr", json_string(buf_text(&pem)));
}

static void add_history(void *arg, const struct history_item *item)
{
	json_array_append_new(arg, history_json(item));
}

static enum err put_owner(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	struct account a = {0};
	if (r->account == 0)
		return OK;
	TRY(store_account_get(c->db, r->account, &a, f));
	json_object_set_new(o, "organisation", json_string(a.organisation));
	json_object_set_new(o, "identifier", json_string(a.identifier));
	json_object_set_new(o, "agent", json_string(a.agent));
	return OK;
}

static enum err put_plain(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	_cleanup_buf_ struct buf zh = {0}, en = {0};
	json_t *changes = NULL;
	TRY(plain_load(c, r, &d, f));
	TRY(plain_explain(c, r, &zh, &en, f));
	TRY(record_difference(c, r, &changes, f));
	json_object_set_new(o, "difference", changes);
	json_object_set_new(o, "explain", json_bilingual(&(struct bilingual){buf_text(&zh), buf_text(&en)}));
	json_object_set_new(o, "materials", materials(&d));
	json_object_set_new(o, "checklist", review_checklist(c->law->policy, &d));
	json_object_set_new(o, "serial", json_string(SERIAL(&d.row.ref.serial)));
	json_object_set_new(o, "certificate_state", json_string(cert_state_word(c->desk->status, &d.row, c->now)));
	return unlock_json(c, r, o, f);
}

static enum err put_case(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	_cleanup_(json_freep) json_t *wrong = json_array();
	struct fault why = {0};
	_cleanup_buf_ struct buf zh = {0}, en = {0};
	if (request_is_incomplete(r))
		return OK;
	enum err e = draw_load(c, r, &d, &why);
	/* A work whose terms are not possible any more is still to be looked at, corrected or rejected. */
	if (e != OK && !(e == ERR_RULE && d.keyless)) {
		*f = why;
		return e;
	}
	if (e != OK)
		missing_fault(wrong, &why);
	json_object_set_new(o, "wrong", json_incref(wrong));
	if (d.keyless) {
		work_explain(r, &zh, &en);
	} else {
		tally_explain(&d.tally, "zh", &zh);
		tally_explain(&d.tally, "en", &en);
	}
	json_object_set_new(o, "explain", json_bilingual(&(struct bilingual){buf_text(&zh), buf_text(&en)}));
	json_object_set_new(o, "difference", difference(&d.tally));
	json_object_set_new(o, "materials", materials(&d));
	json_object_set_new(o, "checklist", review_checklist(c->law->policy, &d));
	if (r->cert == 0)
		return OK;
	json_object_set_new(o, "serial", json_string(SERIAL(&d.row.ref.serial)));
	json_object_set_new(o, "issuer", json_hex(d.row.ref.issuer_key_id, 20));
	json_object_set_new(o, "certificate_state", json_string(cert_state_word(c->desk->status, &d.row, c->now)));
	return OK;
}

static void put_way(struct ctx *c, const struct request *r, json_t *o)
{
	const struct policy_way *way = request_way(c, r);
	json_object_set_new(o, "way", json_string(r->way));
	if (way)
		json_object_set_new(o, "way_title", json_bilingual(&way->title));
}

enum err review_show(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(json_freep) json_t *o = json_object();
	struct course course;
	TRY(request_any(c, &r, f));
	TRY(store_course_get(c->db, r.id, &course, f));
	json_object_set_new(o, "request", json_string(r.id));
	course_json(c, &course, request_state_waits(request_state_from_word(r.state)), o);
	course_claim_json(c, course.claimant, course.claim_ends, o);
	json_object_set_new(o, "entered_by", json_string(course.entered_by));
	json_object_set_new(o, "state", json_string(r.state));
	json_object_set_new(o, "kind", json_string(r.kind));
	put_way(c, &r, o);
	json_object_set_new(o, "project", json_string(r.project));
	json_object_set_new(o, "made", json_time(r.made));
	if (r.dies != 0)
		json_object_set_new(o, "dies", json_time(r.dies));
	json_object_set_new(o, "tally", json_string(r.tally));
	TRY(correct_json(c, &r, &course, o, f));
	TRY(put_owner(c, &r, o, f));
	TRY(work_json(c, &r, o, f));
	TRY(put_before(c, &r, &course, o, f));
	put_csr(&r, o);
	TRY(request_is_plain(&r) ? put_plain(c, &r, o, f) : put_case(c, &r, o, f));
	TRY(put_people(c, &r, o, f));
	if (r.tally[0] != '\0')
		TRY(put_note(c, &r, o, f));
	json_t *history = json_array();
	json_object_set_new(o, "history", history);
	TRY(store_history(c->db, r.id, &course, add_history, history, f));
	*ret = TAKE(o);
	return OK;
}
