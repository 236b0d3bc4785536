/*
 * Whose materials they are: requests', and cases' about accounts. material.h says how another kind is added.
 */
#include "ra/material.h"

#include "ra/plain.h"
#include "ra/store_binding.h"

#include <string.h>

/* --- requests --- */

static enum err not_yours(const char *id, struct fault *f)
{
	return fault_raise(f, ERR_NOT_FOUND, "request_unknown", "params.request", "there is no request \"%s\" for you",
			   ESC(id, strlen(id)));
}

/* By the parameter, which may be a number, or by the id that an upload was begun with. */
static enum err own_request(struct ctx *c, const char *id, struct request *ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	if (!c->session)
		return fault_raise(f, ERR_DENIED, "session_missing", "params.session", "wanted a session");
	if (param_text(c, "request"))
		return request_own(c, ret, f);
	enum err e = store_request_get(c->db, id, &r, f);
	if (e == ERR_NOT_FOUND || (e == OK && r.account != c->session->account.id))
		return not_yours(id, f);
	TRY(e);
	*ret = r;
	r = (struct request){0};
	return OK;
}

static enum err check_name(struct ctx *c, const struct request *r, const char *name, struct fault *f)
{
	const struct policy_way *way = request_way(c, r);
	if (way && way_material(way, name))
		return OK;
	return fault_raise(f, ERR_RULE, "material_unknown", "params.name",
			   "found \"%s\", which way %s does not ask for", ESC(name, strlen(name)), r->way);
}

static void name_owner(const struct request *r, struct material_owner *o)
{
	memcpy(o->id, r->id, sizeof(r->id));
	o->account = r->account;
}

static enum err request_may_change(struct ctx *c, struct material_owner *o, const char *name, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	TRY(own_request(c, o->id, &r, f));
	name_owner(&r, o);
	if (request_next(request_state_from_word(r.state), EVENT_EDIT) == REQUEST_NONE)
		return request_move(c->db, r.id, r.state, EVENT_EDIT, c->now, c->who, "", NULL, f);
	return check_name(c, &r, name, f);
}

static enum err request_may_read(struct ctx *c, struct material_owner *o, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	if (!c->session && !caller_is(c, DESK_OFFICER))
		return fault_raise(f, ERR_DENIED, "session_missing", "params.session",
				   "wanted a session, or a caller with role officer");
	TRY(c->session ? request_own(c, &r, f) : request_any(c, &r, f));
	name_owner(&r, o);
	return OK;
}

/* The tally names each material by its hash, so it is made anew. */
static enum err request_changed(struct ctx *c, const struct material_owner *o, const char *name, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	TRY(store_request_get(c->db, o->id, &r, f));
	TRY(request_redraw(c, &r, f));
	return request_move(c->db, r.id, r.state, EVENT_EDIT, c->now, c->who, name, NULL, f);
}

/* --- cases: a forgotten identifier with the licence --- */

#define CASE_FILE "business-licence"
#define CASE_FILES 4

/* Who asks has no account: the id, which the desk made at random and told the asker alone, is what opens the case for files. */
static enum err open_case(struct ctx *c, struct material_owner *o, struct account_case *k, struct fault *f)
{
	enum err e = store_case_get(c->db, o->id, k, f);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (e == OK && strcmp(k->kind, "identifier") == 0)
		return OK;
	return fault_raise(f, ERR_NOT_FOUND, "case_unknown", "params.case", "there is no case \"%s\" for you",
			   ESC(o->id, strlen(o->id)));
}

static enum err case_may_change(struct ctx *c, struct material_owner *o, const char *name, struct fault *f)
{
	_cleanup_(freep) struct account_case *k = xcalloc(1, sizeof(*k));
	TRY(open_case(c, o, k, f));
	if (strcmp(k->state, "open") != 0)
		return fault_raise(f, ERR_CONFLICT, "case_done", "params.case", "case %s was %s already", k->id,
				   k->state);
	if (strcmp(name, CASE_FILE) == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "material_unknown", "params.name", "found \"%s\", wanted " CASE_FILE,
			   ESC(name, strlen(name)));
}

/* Officers alone: what somebody handed in without a session is not handed out without a role. */
static enum err case_may_read(struct ctx *c, struct material_owner *o, struct fault *f)
{
	_cleanup_(freep) struct account_case *k = xcalloc(1, sizeof(*k));
	if (!caller_is(c, DESK_OFFICER))
		return fault_raise(f, ERR_NOT_FOUND, "case_unknown", "params.case", "there is no case \"%s\" for you",
				   ESC(o->id, strlen(o->id)));
	return open_case(c, o, k, f);
}

static enum err case_changed(struct ctx *c, const struct material_owner *o, const char *name, struct fault *f)
{
	(void)c, (void)o, (void)name, (void)f;
	return OK;
}

/* --- all kinds --- */

static const struct material_kind kinds[] = {
	{"request", TALLY_MAX_MATERIALS, request_may_change, request_may_read, request_changed},
	{"case", CASE_FILES, case_may_change, case_may_read, case_changed},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct material_kind *material_kind(const char *word)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		if (strcmp(kinds[i].word, word) == 0)
			return &kinds[i];
	}
	return NULL;
}

enum err material_owner_param(const struct ctx *c, struct material_owner *ret, const struct material_kind **ret_kind,
			      struct fault *f)
{
	*ret = (struct material_owner){0};
	*ret_kind = NULL;
	for (size_t i = 0; i < N_KINDS; i++) {
		const char *id = param_text(c, kinds[i].word);
		if (!id)
			continue;
		if (*ret_kind)
			return fault_raise(f, ERR_PARSE, "owner_missing", "params",
					   "found a %s and a %s, wanted one of them", (*ret_kind)->word, kinds[i].word);
		*ret_kind = &kinds[i];
		snprintf(ret->kind, sizeof(ret->kind), "%s", kinds[i].word);
		snprintf(ret->id, sizeof(ret->id), "%s", id);
	}
	return *ret_kind ? OK
			 : fault_raise(f, ERR_PARSE, "owner_missing", "params",
				       "found nothing that the file belongs to, wanted a request or a case");
}
