/*
 * "Please correct": an officer says what is wrong, an item at a time, and the owner makes it good.
 *
 * What is wrong stands in a tally that people have signed. So the tally dies at the signer at once, with the officers'
 * lines over it, and the corrected request is another one with a tally and an id of its own, which nobody has signed
 * yet. The number that the owner knows stays with the newest; the history is told over all of them.
 */
#include "ra/correct.h"

#include "ra/note.h"
#include "ra/officer.h"
#include "ra/plain.h"
#include "ra/title.h"
#include "ra/work.h"

#include <string.h>

#define REASON_MAX 500

struct items {
	struct correction v[TALLY_MAX_MATERIALS];
	size_t n;
};

/* recorded: what a change of the desk's record is about. */
static enum err check_item(const struct draw *d, bool recorded, const char *item, struct fault *f)
{
	const struct attr_type *type = attr_by_word(item, strlen(item));
	bool attribute = recorded ? strcmp(item, PLAIN_RECORD_ATTRIBUTE) == 0
				  : type && d->verdict.profile && profile_attr(d->verdict.profile, type);
	bool known = attribute || title_is_field(item) || (d->verdict.way && way_material(d->verdict.way, item));
	if (known)
		return OK;
	return fault_raise(
		f, ERR_RULE, "correction_item", "params.items",
		"found item \"%s\", wanted a material of the way, an attribute of its subject, or months, order, "
		"files, notice, key, delivery, reason, other",
		ESC(item, strlen(item)));
}

static enum err add_item(json_t *o, const struct draw *d, bool recorded, struct items *items, struct fault *f)
{
	const char *item, *reason;
	char place[sizeof("params.items.") + TALLY_WORD];
	TRY(member_text(o, "params.items", "item", true, TALLY_WORD - 1, &item, f));
	TRY(check_item(d, recorded, item, f));
	snprintf(place, sizeof(place), "params.items.%s", item);
	TRY(member_text(o, place, "reason", true, REASON_MAX, &reason, f));
	if (reason[0] == '\0')
		return fault_raise(f, ERR_PARSE, "text_blank", place,
				   "item %s: found no reason, wanted what is to be corrected", item);
	for (size_t i = 0; i < items->n; i++) {
		if (strcmp(items->v[i].item, item) == 0)
			return fault_raise(f, ERR_PARSE, "correction_item", "params.items", "item %s stands twice",
					   item);
	}
	items->v[items->n++] = (struct correction){item, reason};
	return OK;
}

static enum err read_items(struct ctx *c, const struct request *r, struct items *items, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	json_t *list = json_object_get(c->call->params, "items"), *o;
	size_t i;
	bool recorded = record_applies(c, r);
	TRY(request_is_plain(r) ? plain_load(c, r, &d, f) : draw_load(c, r, &d, f));
	json_array_foreach(list, i, o) TRY(add_item(o, &d, recorded, items, f));
	return OK;
}

static enum err check_room(struct ctx *c, const struct course *course, struct fault *f)
{
	int64_t n = 0;
	TRY(store_course_length(c->db, course->number, &n, f));
	if (n <= c->desk->config.review.corrections)
		return OK;
	return fault_raise(f, ERR_LIMIT, "corrections_many", "request",
			   "request %s was corrected %lld times already: approve or reject it", course->number,
			   (long long)n - 1);
}

static enum err keep_items(struct ctx *c, const struct request *r, const struct items *items, const char *who,
			   struct fault *f)
{
	_cleanup_buf_ struct buf detail = {0};
	for (size_t i = 0; i < items->n; i++) {
		TRY(store_correction_add(c->db, r->id, &items->v[i], f));
		buf_fmt(&detail, "%s%s: %s", i > 0 ? "; " : "", items->v[i].item, items->v[i].reason);
	}
	return request_move(c->db, r->id, r->state, EVENT_CORRECT, c->now, who, buf_text(&detail), NULL, f);
}

enum err review_correct(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	struct course course;
	struct items items = {0};
	char who[WHO_MAX];
	TRY(officer_of(c, who, f));
	TRY(request_any(c, &r, f));
	TRY(store_course_get(c->db, r.id, &course, f));
	if (request_next(request_state_from_word(r.state), EVENT_CORRECT) == REQUEST_NONE || r.account == 0)
		return fault_raise(f, ERR_RULE, "request_state", "request.state",
				   "request %s is %s%s: a correction is possible while awaiting_officers, of its owner",
				   course.number, r.state, r.account == 0 ? " and an officer's" : "");
	TRY(check_room(c, &course, f));
	TRY(read_items(c, &r, &items, f));
	TRY(keep_items(c, &r, &items, who, f));
	TRY(store_course_claim(c->db, r.id, "", 0, f));
	if (request_has_tally(&r))
		TRY(note_withdraw(c, &r, f));
	TRY(work_give_up(c, &r, f));
	TRY(desk_audit(c, "correction_asked", r.id, who, f));
	return request_answer(c, r.id, ret, f);
}

/* --- the owner's side --- */

enum err correct_begin(struct ctx *c, struct request *r, struct fault *f)
{
	char replaced[REQUEST_ID + 1], state[sizeof(r->state)];
	struct course before, course = {0};
	memcpy(replaced, r->id, sizeof(replaced));
	memcpy(state, r->state, sizeof(state));
	TRY(store_course_get(c->db, replaced, &before, f));
	memcpy(course.number, before.number, sizeof(course.number));
	memcpy(course.replaces, replaced, sizeof(course.replaces));
	request_new_id(r, c->now);
	TRY(store_request_add(c->db, r, f));
	TRY(store_course_add(c->db, r->id, &course, f));
	TRY(store_materials_carry(c->db, replaced, r->id, f));
	return request_move(c->db, replaced, state, EVENT_REPLACE, c->now, c->who, "", NULL, f);
}

enum err correct_check(struct ctx *c, const struct request *r, struct fault *f)
{
	struct course course;
	int64_t same = 0;
	TRY(store_course_get(c->db, r->id, &course, f));
	if (course.replaces[0] != '\0')
		TRY(store_materials_unchanged(c->db, course.replaces, r->id, &same, f));
	if (same == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "correction_unchanged", "request.materials",
			   "%lld of the materials that were to be corrected are the very same files again",
			   (long long)same);
}

static void add_correction(void *arg, const struct correction *k)
{
	struct bilingual title = title_of(k->item);
	json_t *o = json_object();
	json_object_set_new(o, "item", json_string(k->item));
	json_object_set_new(o, "zh", json_string(title.zh));
	json_object_set_new(o, "en", json_string(title.en));
	json_object_set_new(o, "reason", json_string(k->reason));
	json_array_append_new(arg, o);
}

enum err correct_json(struct ctx *c, const struct request *r, const struct course *course, json_t *o, struct fault *f)
{
	bool asked = strcmp(r->state, request_state_word(REQUEST_TO_CORRECT)) == 0;
	const char *of = asked ? r->id : course->replaces;
	json_t *list = json_array();
	json_object_set_new(o, "corrections", list);
	return of[0] != '\0' ? store_corrections(c->db, of, add_correction, list, f) : OK;
}
