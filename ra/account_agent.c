/*
 * Another agent for an organisation: the number of before and the new one each show a code, or the new one does and an
 * officer decides. And the freeze: whoever was the contact before holds a one-time code from the notice; it shuts the account
 * until an officer has decided. Next: account_case.c.
 */
#include "ra/account_case.h"

#include "ra/code.h"
#include "ra/mobile.h"
#include "ra/password.h"

#include <string.h>

/* --- change of agent --- */

struct agent_change {
	const char *agent, *mobile, *text;
	bool by_officer;
	char hash[PASSWORD_HASH_MAX + 1];
	int64_t old_code, new_code;
};

static enum err want(const struct ctx *c, const char *name, struct fault *f)
{
	if (param_text(c, name))
		return OK;
	return fault_raise(f, ERR_PARSE, "param_missing", name, "%s is missing, wanted a string", name);
}

static enum err read_change(struct ctx *c, struct agent_change *ch, struct fault *f)
{
	ch->by_officer = strcmp(param_text(c, "way"), "officer") == 0;
	ch->mobile = param_text(c, "mobile");
	ch->text = "";
	TRY(param_clean(c, "agent", &ch->agent, f));
	TRY(mobile_check("params.mobile", ch->mobile, f));
	if (ch->by_officer) {
		TRY(want(c, "text", f));
		return param_clean(c, "text", &ch->text, f);
	}
	TRY(want(c, "old_code", f));
	TRY(want(c, "new_password", f));
	return account_new_password(c, &c->session->account, ch->mobile, f);
}

static enum err try_codes(struct ctx *c, struct agent_change *ch, struct fault *f)
{
	const struct account *a = &c->session->account;
	TRY(sms_try(c, ch->mobile, "new", a->id, param_text(c, "new_code"), &ch->new_code, f));
	if (ch->by_officer)
		return OK;
	TRY(sms_try(c, a->login_mobile, "old", a->id, param_text(c, "old_code"), &ch->old_code, f));
	return password_hash(c->desk->passwords, param_text(c, "new_password"), ch->hash, f);
}

static enum err open_agent_case(struct ctx *c, const struct agent_change *ch, json_t **ret, struct fault *f)
{
	_cleanup_(freep) struct account_case *k = xcalloc(1, sizeof(*k));
	const struct account *a = &c->session->account;
	int64_t open = 0;
	TRY(store_cases_open(c->db, a->id, "agent", &open, f));
	if (open > 0)
		return fault_raise(f, ERR_CONFLICT, "case_open", "params.way",
				   "there is an open case about the agent of this account already");
	k->account = a->id;
	snprintf(k->kind, sizeof(k->kind), "agent");
	snprintf(k->organisation, sizeof(k->organisation), "%s", a->organisation);
	snprintf(k->agent, sizeof(k->agent), "%s", ch->agent);
	snprintf(k->mobile, sizeof(k->mobile), "%s", ch->mobile);
	snprintf(k->text, sizeof(k->text), "%s", ch->text);
	TRY(account_case_open(c, k, f));
	json_object_set_new(*ret, "case", json_string(k->id));
	return desk_audit(c, "case_open", k->id, k->kind, f);
}

static enum err agent_in(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct agent_change *ch = c->work;
	struct account now;
	TRY(store_account_get(c->db, c->session->account.id, &now, f));
	TRY(sms_use(c, ch->new_code, f));
	*ret = json_object();
	json_object_set_new(*ret, "done", json_boolean(!ch->by_officer));
	if (ch->by_officer)
		return open_agent_case(c, ch, ret, f);
	TRY(sms_use(c, ch->old_code, f));
	TRY(account_bind(
		c,
		&(struct account_change){
			.account = &now, .agent = ch->agent, .mobile = ch->mobile, .way = "sms", .hash = ch->hash},
		f));
	return desk_audit(c, "agent_change", now.identifier, "sms", f);
}

enum err account_agent(struct ctx *c, json_t **ret, struct fault *f)
{
	struct agent_change ch = {0};
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	TRY(read_change(c, &ch, f));
	TRY(try_codes(c, &ch, f));
	c->work = &ch;
	return desk_change(c, agent_in, ret, f);
}

/* --- freeze --- */

static enum err freeze_wrong(struct fault *f)
{
	return fault_raise(f, ERR_DENIED, "freeze_wrong", "params.code",
			   "the code is wrong, used, or over: call the service desk");
}

static enum err open_freeze_case(struct ctx *c, const struct binding *b, const struct account *a, struct fault *f)
{
	_cleanup_(freep) struct account_case *k = xcalloc(1, sizeof(*k));
	k->account = a->id;
	k->binding = b->id;
	snprintf(k->kind, sizeof(k->kind), "frozen");
	snprintf(k->organisation, sizeof(k->organisation), "%s", a->organisation);
	snprintf(k->agent, sizeof(k->agent), "%s", b->agent);
	snprintf(k->mobile, sizeof(k->mobile), "%s", b->mobile);
	return account_case_open(c, k, f);
}

enum err account_freeze(struct ctx *c, json_t **ret, struct fault *f)
{
	char code[CODE_TEXT + 1];
	uint8_t hash[32];
	struct binding b = {0};
	struct account a;
	code_normalise(param_text(c, "code"), code);
	code_hash(c->desk, "freeze", "", code, hash);
	enum err e = store_binding_by_freeze(c->db, hash, &b, f);
	if (e == ERR_NOT_FOUND || (e == OK && b.freeze_dies <= c->now))
		return freeze_wrong(f);
	TRY(e);
	TRY(store_account_get(c->db, b.account, &a, f));
	TRY(store_binding_state(c->db, b.id, "frozen", f));
	TRY(store_account_frozen(c->db, a.id, true, c->now, f));
	TRY(store_sessions_end(c->db, a.id, NULL, f));
	TRY(open_freeze_case(c, &b, &a, f));
	TRY(desk_audit(c, "account_freeze", a.identifier, b.way, f));
	*ret = json_object();
	json_object_set_new(*ret, "frozen", json_true());
	return OK;
}
