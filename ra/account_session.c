/*
 * Sessions as their owner sees them: listed, ended one by one or all, and, where a number serves several organisations, the
 * one that is meant.
 */
#include "ra/account.h"

#include <string.h>

enum err account_logout(struct ctx *c, json_t **ret, struct fault *f)
{
	TRY(store_session_end(c->db, c->token, f));
	TRY(desk_audit(c, "logout", c->session->account.identifier, "", f));
	*ret = json_object();
	return OK;
}

struct listing {
	json_t *rows;
	const char *own;
};

static void add_session(void *arg, const struct session *s)
{
	struct listing *l = arg;
	json_t *o = json_object();
	json_object_set_new(o, "id", json_string(s->id));
	json_object_set_new(o, "this", json_boolean(strcmp(s->id, l->own) == 0));
	json_object_set_new(o, "address", json_string(s->address));
	json_object_set_new(o, "created", json_time(s->created));
	json_object_set_new(o, "used", json_time(s->used));
	json_object_set_new(o, "expires", json_time(s->expires));
	json_array_append_new(l->rows, o);
}

enum err account_sessions(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	struct listing l = {rows, c->session->id};
	TRY(store_sessions_of(c->db, c->session->account.id, c->now, add_session, &l, f));
	*ret = json_object();
	json_object_set_new(*ret, "sessions", TAKE(rows));
	return OK;
}

enum err account_end(struct ctx *c, json_t **ret, struct fault *f)
{
	const char *id = param_text(c, "id");
	const struct account *a = &c->session->account;
	bool found = true;
	if (id)
		TRY(store_session_end_id(c->db, a->id, id, &found, f));
	else
		TRY(store_sessions_end(c->db, a->id, NULL, f));
	if (!found)
		return fault_raise(f, ERR_NOT_FOUND, "session_not_found", "params.id", "you have no session \"%s\"",
				   ESC(id, strlen(id)));
	TRY(desk_audit(c, "session_end", a->identifier, id ? id : "all", f));
	*ret = json_object();
	return OK;
}

static enum err choose_in(struct ctx *c, json_t **ret, struct fault *f)
{
	char name[IDENTIFIER_MAX + 1];
	const struct account *now = &c->session->account;
	struct account a = {0};
	const char *typed = param_text(c, "identifier");
	account_normalise(typed, name, sizeof(name));
	enum err e = store_account_by_name(c->db, name, &a, f);
	bool served = e == OK && now->login_mobile[0] != '\0' && strcmp(a.login_mobile, now->login_mobile) == 0;
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (!served)
		return fault_raise(f, ERR_NOT_FOUND, "organisation_unknown", "params.identifier",
				   "your number serves no organisation \"%s\"", ESC(typed, strlen(typed)));
	if (a.frozen)
		return fault_raise(f, ERR_DENIED, "account_frozen", "params.identifier",
				   "the account is frozen until an officer has decided");
	TRY(store_session_choose(c->db, c->token, a.id, f));
	TRY(desk_audit(c, "organisation_chosen", a.identifier, "", f));
	*ret = json_object();
	json_object_set_new(*ret, "account", account_json(&a, false));
	return OK;
}

/* The session is another account's afterwards: the call is the session's, so that it finds its answer when it comes again. */
enum err account_choose(struct ctx *c, json_t **ret, struct fault *f)
{
	snprintf(c->caller, sizeof(c->caller), "session:%s", c->session->id);
	return desk_change(c, choose_in, ret, f);
}
