/*
 * A password is changed by who knows it, or set anew by who holds the bound number. Either ends all other sessions. Next:
 * account_register.c.
 */
#include "ra/account.h"

#include "ra/code.h"
#include "ra/mobile.h"
#include "ra/password.h"

#include <string.h>

#define SERVED_MAX 101

struct setting {
	char hash[PASSWORD_HASH_MAX + 1];
	struct account *accounts; /* owned; that share the number, or the one */
	size_t n;
	int64_t code;
};
static void setting_done(struct setting *s)
{
	free(s->accounts);
}

/* --- change --- */

static enum err set_all(struct ctx *c, const struct setting *s, struct fault *f)
{
	for (size_t i = 0; i < s->n; i++) {
		TRY(store_account_password(c->db, s->accounts[i].id, s->hash, false, c->now, f));
		TRY(store_sessions_end(c->db, s->accounts[i].id, c->token, f));
	}
	return account_tell_password(c, &s->accounts[0], f);
}

/* The account as it is now, and those that share its number; each once. */
static enum err find_served(struct ctx *c, int64_t id, struct setting *s, struct fault *f)
{
	struct account own;
	TRY(store_account_get(c->db, id, &own, f));
	TRY(store_accounts_by_mobile(c->db, own.login_mobile, s->accounts, SERVED_MAX, &s->n, f));
	if (s->n == 0)
		s->accounts[s->n++] = own;
	return OK;
}

static enum err change_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct setting *s = c->work;
	struct account now;
	TRY(store_account_get(c->db, c->session->account.id, &now, f));
	/* Somebody else set it between the check and now. */
	if (strcmp(now.password, c->session->account.password) != 0)
		return fault_raise(f, ERR_CONFLICT, "password_changed", "params.password",
				   "the password was changed at this very moment: log in again");
	TRY(find_served(c, now.id, s, f));
	TRY(set_all(c, s, f));
	TRY(desk_audit(c, "password_change", c->session->account.identifier, "", f));
	*ret = json_object();
	return OK;
}

/* Guesses of the present password are log-in attempts of the account's identifier, and count as such. */
static enum err check_present(struct ctx *c, struct fault *f)
{
	const struct account *a = &c->session->account;
	password_turn_begin(c->desk->passwords, a->identifier);
	enum err e = login_attempt(c, a, param_text(c, "password"), f);
	password_turn_end(c->desk->passwords, a->identifier);
	if (e == ERR_DENIED && strcmp(f->rule, "login_wrong") == 0)
		return fault_raise(f, ERR_DENIED, "password_wrong", "params.password",
				   "found another password, wanted the present one");
	return e;
}

enum err account_password(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct account *a = &c->session->account;
	_cleanup_(setting_done) struct setting s = {.accounts = xcalloc(SERVED_MAX, sizeof(*s.accounts))};
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	TRY(account_new_password(c, a, a->login_mobile, f));
	TRY(check_present(c, f));
	TRY(password_hash(c->desk->passwords, param_text(c, "new_password"), s.hash, f));
	c->work = &s;
	return desk_change(c, change_in, ret, f);
}

/* --- forgotten --- */

static enum err forgot_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct setting *s = c->work;
	const char *mobile = param_text(c, "mobile");
	s->n = 0;
	TRY(store_accounts_by_mobile(c->db, mobile, s->accounts, SERVED_MAX, &s->n, f));
	TRY(sms_use(c, s->code, f));
	if (s->n == 0)
		return fault_raise(f, ERR_DENIED, "sms_code_wrong", "params.sms_code",
				   "the code is wrong, used, or over: ask for a new one");
	TRY(set_all(c, s, f));
	TRY(store_attempts_clear(c->db, mobile, f));
	for (size_t i = 0; i < s->n; i++)
		TRY(store_attempts_clear(c->db, s->accounts[i].identifier, f));
	TRY(desk_audit(c, "password_forgot", s->accounts[0].identifier, "", f));
	*ret = json_object();
	return OK;
}

static enum err find_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct setting *s = c->work;
	(void)ret;
	return store_accounts_by_mobile(c->db, param_text(c, "mobile"), s->accounts, SERVED_MAX, &s->n, f);
}

enum err account_forgot(struct ctx *c, json_t **ret, struct fault *f)
{
	static const struct account nobody = {0};
	const char *mobile = param_text(c, "mobile");
	_cleanup_(setting_done) struct setting s = {.accounts = xcalloc(SERVED_MAX, sizeof(*s.accounts))};
	TRY(mobile_check("params.mobile", mobile, f));
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	/* What only an account could find wrong is found after the code has shown whose number it is. */
	TRY(account_new_password(c, &nobody, mobile, f));
	TRY(sms_try(c, mobile, "forgot", 0, param_text(c, "sms_code"), &s.code, f));
	c->work = &s;
	TRY(desk_read(c, find_in, NULL, f));
	for (size_t i = 0; i < s.n; i++)
		TRY(account_new_password(c, &s.accounts[i], mobile, f));
	TRY(password_hash(c->desk->passwords, param_text(c, "new_password"), s.hash, f));
	return desk_change(c, forgot_in, ret, f);
}
