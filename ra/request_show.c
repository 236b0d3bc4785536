/*
 * What an owner sees of requests. request.show may wait, on a bell and without polling, until the request has come to
 * its end.
 */
#include "ra/request.h"

#include "ra/correct.h"
#include "ra/course.h"
#include "ra/history.h"
#include "ra/material.h"
#include "ra/plain.h"
#include "ra/status.h"
#include "ra/work.h"

#include "common/base/clock.h"
#include "common/pki/fingerprint.h"

#include <string.h>

static void add_history(void *arg, const struct history_item *item)
{
	json_array_append_new(arg, history_json(item));
}

static enum err put_history(struct ctx *c, const struct request *r, const struct course *course, json_t *o,
			    struct fault *f)
{
	json_t *list = json_array();
	json_object_set_new(o, "history", list);
	return store_history(c->db, r->id, course, add_history, list, f);
}

static enum err put_materials(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	struct material m[TALLY_MAX_MATERIALS];
	json_t *list = json_array();
	size_t n = 0;
	json_object_set_new(o, "materials", list);
	TRY(store_materials(c->db, r->id, m, TALLY_MAX_MATERIALS, &n, f));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, material_json(&m[i]));
	return OK;
}

/* So that a client can hold a new key's signature against the key before it sends it. The characters are what the owner
 * writes on paper or reads out; the owner's own client makes them from the owner's own key. */
static enum err put_csr(const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_(csr_done) struct csr csr = {0};
	_cleanup_buf_ struct buf pem = {0};
	if (r->csr.len == 0)
		return OK;
	TRY(csr_parse(buf_slice(&r->csr), &csr, f));
	pem_put(&pem, "CERTIFICATE REQUEST", buf_slice(&r->csr));
	json_object_set_new(o, "csr", json_string(buf_text(&pem)));
	json_object_set_new(o, "key_fingerprint", json_string(FINGERPRINT(csr.key.spki_sha256)));
	if (r->key_seen[0] != '\0')
		json_object_set_new(o, "key_seen", json_string(r->key_seen));
	return OK;
}

/* The note as it was sent; before, as far as it is signed. */
static enum err put_note(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0}, lines = {0};
	TRY(store_handover_note(c->db, r->id, "tally", &note, f));
	if (note.len == 0) {
		TRY(store_lines(c->db, r->id, &lines, f));
		if (lines.len == 0)
			return OK;
		note_begin(slice_str(r->tally), &note);
		buf_add_slice(&note, buf_slice(&lines));
	}
	json_object_set_new(o, "note", json_string(buf_text(&note)));
	return OK;
}

static enum err put_outcome(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_(json_freep) json_t *cert = NULL;
	if (r->refusal_rule[0] != '\0') {
		json_t *refusal = json_object();
		json_object_set_new(refusal, "rule", json_string(r->refusal_rule));
		json_object_set_new(refusal, "where", json_string(r->refusal_where));
		json_object_set_new(refusal, "text", json_string(r->refusal_text));
		json_object_set_new(o, "refusal", refusal);
	}
	if (r->result == 0)
		return OK;
	TRY(cert_json(c->db, r->result, &cert, f));
	json_object_set(o, "certificate", json_object_get(cert, "pem"));
	json_object_set(o, "certificate_serial", json_object_get(cert, "serial"));
	json_object_set(o, "certificate_issuer", json_object_get(cert, "issuer"));
	return OK;
}

/* What is wrong with terms that were only saved. */
static enum err put_wrong(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_(request_done) struct request again = {0};
	_cleanup_(draw_done) struct draw d = {0};
	struct fault why = {0};
	json_t *list = json_array();
	json_object_set_new(o, "missing", list);
	TRY(store_request_get(c->db, r->id, &again, f));
	if (draw_make(c, &again, &d, &why) != OK)
		missing_fault(list, &why);
	return OK;
}

/* A draft's gaps; when the policy has moved on so far that they can't be told, the list is left out. */
static enum err put_missing(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	_cleanup_(json_freep) json_t *missing = NULL;
	struct fault why = {0};
	if (request_state_from_word(r->state) > REQUEST_AWAITING_PROOF)
		return OK;
	if (request_is_incomplete(r))
		return put_wrong(c, r, o, f);
	if (request_is_keyless(r) && draw_load(c, r, &d, &why) != OK)
		return put_wrong(c, r, o, f);
	if (request_is_keyless(r)) {
		TRY(draw_missing(c, &d, r, &missing, f));
		json_object_set_new(o, "missing", TAKE(missing));
		return OK;
	}
	if ((request_is_plain(r) ? plain_load(c, r, &d, &why) : draw_load(c, r, &d, &why)) != OK)
		return OK;
	TRY(draw_missing(c, &d, r, &missing, f));
	json_object_set_new(o, "missing", TAKE(missing));
	return OK;
}

static enum err put_predecessor(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	struct cert_row row;
	if (r->cert == 0)
		return OK;
	TRY(store_cert_by_id(c->db, r->cert, &row, f));
	json_object_set_new(o, "serial", json_string(SERIAL(&row.ref.serial)));
	json_object_set_new(o, "issuer", json_hex(row.ref.issuer_key_id, 20));
	return OK;
}

static enum err put_terms(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	json_object_set_new(o, "request", json_string(r->id));
	json_object_set_new(o, "state", json_string(r->state));
	json_object_set_new(o, "kind", json_string(r->kind));
	json_object_set_new(o, "way", json_string(r->way));
	json_object_set_new(o, "project", json_string(r->project));
	json_object_set_new(o, "profile", json_string(r->profile));
	TRY(put_predecessor(c, r, o, f));
	json_object_set_new(o, "subject", json_loads(r->subject, 0, NULL));
	json_object_set_new(o, "months", json_integer(r->months));
	if (r->files[0] != '\0')
		json_object_set_new(o, "files", json_string(r->files));
	if (r->order[0] != '\0')
		json_object_set_new(o, "order", json_string(r->order));
	json_object_set_new(o, "made", json_time(r->made));
	if (r->dies != 0)
		json_object_set_new(o, "dies", json_time(r->dies));
	json_object_set_new(o, "officers_needed", json_integer(r->officers));
	json_object_set_new(o, "tally", json_string(r->tally));
	return OK;
}

static enum err put_course(struct ctx *c, const struct request *r, json_t *o, struct course *ret, struct fault *f)
{
	TRY(store_course_get(c->db, r->id, ret, f));
	course_json(c, ret, request_state_waits(request_state_from_word(r->state)), o);
	return correct_json(c, r, ret, o, f);
}

static enum err put_explained(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf zh = {0}, en = {0};
	if (request_is_plain(r)) {
		TRY(plain_explain(c, r, &zh, &en, f));
	} else if (request_is_keyless(r)) {
		work_explain(r, &zh, &en);
	} else if (request_has_tally(r)) {
		TRY(tally_parse(slice_str(r->tally), &t, f));
		tally_explain(&t, "zh", &zh);
		tally_explain(&t, "en", &en);
	}
	json_object_set_new(o, "explain", json_bilingual(&(struct bilingual){buf_text(&zh), buf_text(&en)}));
	return OK;
}

static enum err show(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(json_freep) json_t *o = json_object();
	struct course course;
	TRY(request_own(c, &r, f));
	TRY(put_terms(c, &r, o, f));
	TRY(put_course(c, &r, o, &course, f));
	TRY(work_json(c, &r, o, f));
	TRY(put_csr(&r, o, f));
	TRY(put_explained(c, &r, o, f));
	TRY(put_missing(c, &r, o, f));
	TRY(put_materials(c, &r, o, f));
	TRY(put_note(c, &r, o, f));
	TRY(put_history(c, &r, &course, o, f));
	TRY(put_outcome(c, &r, o, f));
	*ret = TAKE(o);
	return OK;
}

void request_show_ahead(struct ctx *c)
{
	int64_t wait_ms = param_number(c, "wait_ms", 0);
	c->wait.over = wait_ms == 0;
	c->wait.until_us = clock_mono_us() + wait_ms * 1000;
	c->wait.lane = bell_lane(param_text(c, "request")); /* a guess, which holds for an id */
}

/* Is it the end? Then all of it, from the same snapshot. A number may stand for another request than before. */
enum err request_show(struct ctx *c, json_t **ret, struct fault *f)
{
	char id[REQUEST_ID + 1];
	struct request_stand now;
	if (c->wait.over)
		return show(c, ret, f);
	TRY(request_own_stand(c, id, &now, f));
	c->wait.lane = bell_lane(id);
	return request_state_is_final(request_state_from_word(now.state)) ? show(c, ret, f) : OK;
}

struct listing {
	const struct ctx *c;
	json_t *rows;
};

static void add_item(void *arg, const struct request_item *item)
{
	const struct listing *l = arg;
	json_t *o = json_object();
	json_object_set_new(o, "request", json_string(item->id));
	course_json(l->c, &item->course, request_state_waits(request_state_from_word(item->state)), o);
	json_object_set_new(o, "kind", json_string(item->kind));
	json_object_set_new(o, "way", json_string(item->way));
	json_object_set_new(o, "project", json_string(item->project));
	if (item->ref.serial.n > 0)
		json_object_set_new(o, "serial", json_string(SERIAL(&item->ref.serial)));
	json_object_set_new(o, "state", json_string(item->state));
	json_object_set_new(o, "made", json_time(item->made));
	if (item->dies != 0)
		json_object_set_new(o, "dies", json_time(item->dies));
	json_array_append_new(l->rows, o);
}

enum err request_list(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	const char *state = param_text(c, "state");
	int64_t limit, offset, total = 0;
	param_page(c, &limit, &offset);
	TRY(store_requests_of(c->db, c->session->account.id, state ? state : "", limit, offset, add_item,
			      &(struct listing){c, rows}, &total, f));
	*ret = json_object();
	json_object_set_new(*ret, "requests", TAKE(rows));
	json_object_set_new(*ret, "total", json_integer(total));
	return OK;
}
