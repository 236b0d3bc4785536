/*
 * A new legal representative changes the desk's record and makes no certificate, unless the profile lists a way for it.
 *
 * It is reviewed like all requests, and decided by one officer of the desk. That decision is a row of the desk with who,
 * when and on what papers, no signature: whoever takes over the desk can write its records anyway, and no certificate
 * hangs on this one.
 */
#include "ra/claim.h"
#include "ra/officer.h"
#include "ra/plain.h"
#include "ra/store_record.h"
#include "ra/title.h"

#include <string.h>

#define LIFE_S (30 * 86400)

bool record_applies(struct ctx *c, const struct request *r)
{
	const struct profile *p = policy_profile(c->law->policy, r->profile);
	return strcmp(r->kind, "change") == 0 && strcmp(r->way, PLAIN_RECORD_WAY) == 0 &&
	       !(p && profile_way(p, TALLY_CHANGE, PLAIN_RECORD_WAY));
}

/* The one attribute that the terms name; borrowed from *ret_list. */
static enum err new_name(const struct request *r, json_t **ret_list, const char **ret, struct fault *f)
{
	const char *word, *value;
	*ret_list = json_loads(r->subject, 0, NULL);
	json_t *item = json_array_get(*ret_list, 0);
	if (json_array_size(*ret_list) != 1)
		return fault_raise(f, ERR_RULE, "record_terms", "params.subject",
				   "found %zu attributes, wanted one: " PLAIN_RECORD_ATTRIBUTE,
				   json_array_size(*ret_list));
	TRY(member_text(item, "params.subject", "attribute", true, 32, &word, f));
	TRY(member_text(item, "params.subject", "value", true, REPRESENTATIVE_MAX, &value, f));
	if (strcmp(word, PLAIN_RECORD_ATTRIBUTE) != 0)
		return fault_raise(f, ERR_RULE, "record_terms", "params.subject",
				   "found attribute \"%s\", wanted " PLAIN_RECORD_ATTRIBUTE, ESC(word, strlen(word)));
	TRY(name_value_check("params.subject", value, strlen(value), f));
	*ret = value;
	return OK;
}

enum err record_make(struct ctx *c, struct request *r, struct fault *f)
{
	_cleanup_(json_freep) json_t *list = NULL;
	char before[REPRESENTATIVE_MAX + 1];
	const char *name;
	TRY(new_name(r, &list, &name, f));
	TRY(store_representative(c->db, r->account, before, f));
	if (strcmp(before, name) == 0)
		return fault_raise(f, ERR_RULE, "record_same", "params.subject", "the record says %s already",
				   ESC(name, strlen(name)));
	if (r->months != 0 || r->order[0] != '\0' || r->csr.len > 0 || r->files[0] != '\0')
		return fault_raise(f, ERR_RULE, "record_terms", "params",
				   "found months, order, csr or files, wanted none: way %s makes no certificate",
				   r->way);
	free(r->tally);
	r->tally = xstrdup("");
	hex_lower(c->law->policy->note.sha256, 32, r->policy);
	r->proof = 0;
	r->officers = 1;
	r->made = c->now;
	r->dies = c->now + LIFE_S;
	return OK;
}

enum err record_difference(struct ctx *c, const struct request *r, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *list = NULL;
	char before[REPRESENTATIVE_MAX + 1];
	const char *name = "";
	if (strcmp(r->kind, "change") != 0) {
		*ret = json_array();
		return OK;
	}
	TRY(new_name(r, &list, &name, f));
	TRY(store_representative(c->db, r->account, before, f));
	*ret = json_array();
	json_t *o = json_object();
	const struct bilingual title = title_of(PLAIN_RECORD_ATTRIBUTE);
	json_object_set_new(o, "attribute", json_string(PLAIN_RECORD_ATTRIBUTE));
	json_object_set_new(o, "title", json_bilingual(&title));
	json_object_set_new(o, "old", before[0] != '\0' ? json_string(before) : json_null());
	json_object_set_new(o, "new", json_string(name));
	json_array_append_new(*ret, o);
	return OK;
}

static enum err check_standing(struct ctx *c, const struct request *r, const char *who, struct fault *f)
{
	struct course course;
	if (!request_is_plain(r) || strcmp(r->kind, "change") != 0)
		return fault_raise(f, ERR_RULE, "decide_kind", "request.kind",
				   "request %s asks for a certificate: officers sign its tally", r->id);
	TRY(store_course_get(c->db, r->id, &course, f));
	return officer_may_sign(c, &course, "", who, f);
}

enum err review_decide(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(json_freep) json_t *list = NULL;
	_cleanup_(draw_done) struct draw d = {0};
	char who[WHO_MAX];
	const char *name;
	TRY(officer_of(c, who, f));
	TRY(request_any(c, &r, f));
	TRY(check_standing(c, &r, who, f));
	TRY(request_move(c->db, r.id, r.state, EVENT_DECIDE, c->now, who, "", NULL, f));
	TRY(plain_check(c, &r, &d, f));
	TRY(new_name(&r, &list, &name, f));
	TRY(store_representative_set(c->db, r.account, name, c->now, r.id, f));
	TRY(claim_end(c, &r, who, f));
	TRY(desk_audit(c, "record_changed", r.id, who, f));
	lanes_add(&c->ended, r.id);
	return request_answer(c, r.id, ret, f);
}
