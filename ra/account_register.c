/*
 * A new organisation registers: its identifier passes the checks of GB 11714 or GB 32100, its number is shown by a code. Who
 * already has an account is told so only after the code, so that nobody finds out by asking. Whoever is logged in adds another
 * organisation under the same number and password. Here too: the check of one field while it is typed. Next: account_agent.c.
 */
#include "ra/account.h"

#include "ra/code.h"
#include "ra/mail.h"
#include "ra/mobile.h"
#include "ra/password.h"

#include "common/pki/identifier.h"

#include <string.h>

/* --- register --- */

struct newcomer {
	struct account account;
	char hash[PASSWORD_HASH_MAX + 1];
	int64_t code;
};

static enum err not_blank(const char *where, const char *text, struct fault *f)
{
	if (text[strspn(text, " ")] != '\0' && text[0] != ' ' && text[strlen(text) - 1] != ' ')
		return OK;
	return fault_raise(f, ERR_PARSE, "text_blank", where, "found \"%s\", wanted a text without space at its ends",
			   ESC(text, strlen(text)));
}

/* agent: who it is when the call says none; NULL: it must. */
static enum err read_organisation(struct ctx *c, const char *agent, struct account *a, struct fault *f)
{
	const char *organisation;
	account_normalise(param_text(c, "identifier"), a->identifier, sizeof(a->identifier));
	TRY(org_identifier_check("params.identifier", a->identifier, strlen(a->identifier), f));
	TRY(param_clean(c, "organisation", &organisation, f));
	TRY(not_blank("params.organisation", organisation, f));
	if (!agent || param_text(c, "agent")) {
		TRY(param_clean(c, "agent", &agent, f));
		TRY(not_blank("params.agent", agent, f));
	}
	snprintf(a->organisation, sizeof(a->organisation), "%s", organisation);
	snprintf(a->agent, sizeof(a->agent), "%s", agent);
	return OK;
}

static enum err read_newcomer(struct ctx *c, struct account *a, struct fault *f)
{
	const char *mobile = param_text(c, "mobile");
	TRY(read_organisation(c, NULL, a, f));
	TRY(mobile_check("params.mobile", mobile, f));
	snprintf(a->mobile, sizeof(a->mobile), "%s", mobile);
	return account_new_password(c, a, mobile, f);
}

static enum err identifier_is_free(struct ctx *c, const char *identifier, struct fault *f)
{
	struct account there;
	enum err e = store_account_by_name(c->db, identifier, &there, f);
	if (e == OK)
		return fault_raise(f, ERR_CONFLICT, "identifier_taken", "params.identifier",
				   "there is an account of this identifier: log in, or ask the service desk");
	return e == ERR_NOT_FOUND ? OK : e;
}

/* way: "register", or "link" of somebody who is logged in. */
static enum err add_account(struct ctx *c, const char *way, const char *detail, json_t **ret, struct fault *f)
{
	struct newcomer *n = c->work;
	struct account *a = &n->account;
	bool linked = strcmp(way, "link") == 0;
	TRY(sms_use(c, n->code, f));
	TRY(identifier_is_free(c, a->identifier, f));
	TRY(store_account_add(c->db, a, c->now, &a->id, f));
	TRY(account_bind(c,
			 &(struct account_change){.account = a,
						  .agent = a->agent,
						  .mobile = a->mobile,
						  .way = way,
						  .hash = linked ? NULL : n->hash,
						  .linked = linked,
						  .first = true},
			 f));
	TRY(desk_audit(c, way, a->identifier, detail, f));
	*ret = json_pack("{s:s}", "identifier", a->identifier);
	return OK;
}

static enum err register_in(struct ctx *c, json_t **ret, struct fault *f)
{
	return add_account(c, "register", "", ret, f);
}

enum err account_register(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(freep) struct newcomer *n = xcalloc(1, sizeof(*n));
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	TRY(read_newcomer(c, &n->account, f));
	TRY(sms_try(c, n->account.mobile, "register", 0, param_text(c, "sms_code"), &n->code, f));
	TRY(password_hash(c->desk->passwords, param_text(c, "new_password"), n->hash, f));
	c->work = n;
	return desk_change(c, register_in, ret, f);
}

/* --- link: another organisation of the person who is logged in --- */

static enum err link_in(struct ctx *c, json_t **ret, struct fault *f)
{
	return add_account(c, "link", c->session->account.identifier, ret, f);
}

enum err account_link(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct account *from = &c->session->account;
	_cleanup_(freep) struct newcomer *n = xcalloc(1, sizeof(*n));
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	if (from->login_mobile[0] == '\0')
		return fault_raise(f, ERR_RULE, "mobile_missing", "account.login_mobile",
				   "no number is bound to this account: bind one first");
	TRY(read_organisation(c, from->agent, &n->account, f));
	snprintf(n->account.mobile, sizeof(n->account.mobile), "%s", from->login_mobile);
	TRY(sms_try(c, n->account.mobile, "register", 0, param_text(c, "sms_code"), &n->code, f));
	c->work = n;
	return desk_change(c, link_in, ret, f);
}

/* --- one field, as it is typed: its form alone, so that nobody learns who has an account --- */

static enum err check_digits(const char *value, struct fault *f)
{
	if (strlen(value) == 6 && strspn(value, "0123456789") == 6)
		return OK;
	return fault_raise(f, ERR_PARSE, "sms_code_form", "params.value", "found \"%s\", wanted six digits",
			   ESC(value, strlen(value)));
}

static enum err check_identifier(const char *value, struct fault *f)
{
	char name[IDENTIFIER_MAX + 1];
	account_normalise(value, name, sizeof(name));
	return org_identifier_check("params.value", name, strlen(name), f);
}

static enum err check_password(struct ctx *c, const char *value, const char *other, struct fault *f)
{
	static const struct account nobody = {0};
	const struct account *a = c->session ? &c->session->account : &nobody;
	return password_accept(c->desk->passwords, a, other ? other : "", c->desk->config.accounts.password_characters,
			       value, f);
}

static enum err check_field(struct ctx *c, const char *field, struct fault *f)
{
	const char *value = param_text(c, "value"), *other = param_text(c, "other");
	if (strcmp(field, "identifier") == 0)
		return check_identifier(value, f);
	if (strcmp(field, "mobile") == 0)
		return mobile_check("params.value", value, f);
	if (strcmp(field, "mail") == 0)
		return mail_check("params.value", value, f);
	if (strcmp(field, "sms_code") == 0)
		return check_digits(value, f);
	if (strcmp(field, "new_password") == 0)
		return check_password(c, value, other, f);
	if (strcmp(field, "new_password_again") == 0)
		return other && strcmp(value, other) == 0 ? OK
							  : fault_raise(f, ERR_RULE, "password_differs", "params.value",
									"the two new passwords differ");
	TRY(param_clean(c, "value", &value, f));
	return not_blank("params.value", value, f);
}

enum err account_check(struct ctx *c, json_t **ret, struct fault *f)
{
	const char *field = param_text(c, "field");
	struct fault why = {0};
	enum err e = check_field(c, field, &why);
	if (e != OK && !err_is_public(e))
		return fault_raise(f, e, why.rule, why.where, "%s", why.text);
	*ret = json_object();
	json_object_set_new(*ret, "field", json_string(field));
	json_object_set_new(*ret, "ok", json_boolean(e == OK));
	if (e == OK)
		return OK;
	const struct rpc_message *m = desk_message_of(why.rule);
	json_object_set_new(*ret, "reason", json_string(why.rule));
	json_object_set_new(*ret, "zh", json_string(m ? m->zh : "内容格式不正确"));
	json_object_set_new(*ret, "en", json_string(m ? m->en : why.text));
	return OK;
}
