/*
 * Codes by SMS, and back-fill and reset: the number that logs in from now on, and a password of one's own.
 *
 * Which number a code may be sent to, the purpose says: one's own that is being bound, the one on record, the one that is
 * bound. Who asks for a forgotten password hears the same whether or not somebody has that number. Next: account_password.c.
 */
#include "ra/account.h"

#include "ra/code.h"
#include "ra/mobile.h"
#include "ra/password.h"
#include "ra/picture.h"

#include <string.h>

static enum err reset_done(struct fault *f)
{
	return fault_raise(f, ERR_RULE, "reset_done", "params.session",
			   "this account has a password of its own: account.password changes it");
}

/* --- codes --- */

struct asking {
	const char *purpose, *mobile;
	int64_t account;
	bool pretend, picture;
	struct sms_sent sent;
};

static bool is(const struct asking *a, const char *word)
{
	return strcmp(a->purpose, word) == 0;
}

static enum err want_session(const struct ctx *c, const struct asking *a, struct fault *f)
{
	const struct session *s = c->session;
	bool anonymous = is(a, "forgot") || is(a, "register"), first = is(a, "bind") || is(a, "recorded");
	if (anonymous)
		return OK;
	if (!s)
		return fault_raise(f, ERR_DENIED, "session_missing", "params.session", "wanted a session for %s",
				   a->purpose);
	if (first != s->must_reset)
		return first ? reset_done(f)
			     : fault_raise(f, ERR_DENIED, "reset_first", "params.session",
					   "logged in with the initial password: only account.reset is open");
	return OK;
}

/* To which number, for which account. */
static enum err choose(struct ctx *c, struct asking *a, struct fault *f)
{
	const char *given = param_text(c, "mobile");
	TRY(want_session(c, a, f));
	if (is(a, "recorded") || is(a, "old")) {
		a->mobile = is(a, "old") ? c->session->account.login_mobile : c->session->account.mobile;
	} else if (!given) {
		return fault_raise(f, ERR_PARSE, "param_missing", "params.mobile",
				   "mobile is missing, wanted a string");
	} else {
		a->mobile = given;
	}
	if (!mobile_is_good(a->mobile) && given != a->mobile)
		return fault_raise(f, ERR_RULE, "mobile_form", "params.purpose",
				   "the number on record cannot be sent to: ask the service desk");
	TRY(mobile_check("params.mobile", a->mobile, f));
	a->account = is(a, "forgot") || is(a, "register") ? 0 : c->session->account.id;
	return OK;
}

static enum err look_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct asking *a = c->work;
	struct account known;
	size_t n = 0;
	(void)ret;
	if (is(a, "bind"))
		TRY(account_proved(c, f));
	TRY(sms_is_busy(c, a->mobile, &a->picture, f));
	if (!is(a, "forgot"))
		return OK;
	TRY(store_accounts_by_mobile(c->db, a->mobile, &known, 1, &n, f));
	a->pretend = n == 0;
	return OK;
}

static enum err sms_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct asking *a = c->work;
	TRY(sms_send(c, a->mobile, a->purpose, a->account, a->pretend, &a->sent, f));
	*ret = json_object();
	json_object_set_new(*ret, "sent", json_boolean(a->sent.sent));
	json_object_set_new(*ret, "wait_seconds", json_integer(a->sent.wait_s));
	json_object_set_new(*ret, "lives_seconds", json_integer(a->sent.lives_s));
	char mobile[MOBILE_MAX + 1];
	mobile_mask(a->mobile, mobile);
	json_object_set_new(*ret, "mobile", json_string(mobile));
	return a->sent.sent ? desk_audit(c, "sms_code", mobile, a->purpose, f) : OK;
}

enum err account_sms(struct ctx *c, json_t **ret, struct fault *f)
{
	const int when = c->desk->config.login.picture_code;
	struct asking a = {.purpose = param_text(c, "purpose")};
	TRY(choose(c, &a, f));
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	c->work = &a;
	TRY(desk_read(c, look_in, NULL, f));
	TRY(picture_check(c, when == PICTURE_ALWAYS || (when == PICTURE_AFTER && a.picture), f));
	return desk_change(c, sms_in, ret, f);
}

/* --- reset --- */

struct reset {
	const char *mobile;
	char hash[PASSWORD_HASH_MAX + 1];
	int64_t code;
};

static enum err check_in(struct ctx *c, json_t **ret, struct fault *f)
{
	(void)ret;
	return account_proved(c, f);
}

static enum err reset_in(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct reset *r = c->work;
	struct account now;
	const struct account *a = &now;
	const char *way = c->session->proof[0] ? c->session->proof : "none";
	/* Another session may have been faster. */
	TRY(store_account_get(c->db, c->session->account.id, &now, f));
	if (!a->initial)
		return reset_done(f);
	TRY(account_proved(c, f));
	if (r->mobile[0] != '\0')
		TRY(sms_use(c, r->code, f));
	TRY(account_bind(c,
			 &(struct account_change){.account = a,
						  .agent = a->agent,
						  .mobile = r->mobile,
						  .way = way,
						  .hash = r->hash,
						  .first = true},
			 f));
	TRY(store_session_full(c->db, c->token, f));
	TRY(desk_audit(c, "password_reset", a->identifier, way, f));
	*ret = json_object();
	return OK;
}

static enum err check_mobile(struct ctx *c, struct reset *r, struct fault *f)
{
	const char *mobile = param_text(c, "mobile"), *code = param_text(c, "sms_code");
	r->mobile = mobile ? mobile : "";
	if (!mobile && c->desk->config.accounts.mobile == ACCOUNT_MOBILE_OPTIONAL)
		return OK;
	if (!mobile || !code)
		return fault_raise(f, ERR_RULE, "mobile_wanted", mobile ? "params.sms_code" : "params.mobile",
				   "wanted the mobile number that will log in, and the code that was sent to it");
	return mobile_check("params.mobile", mobile, f);
}

enum err account_reset(struct ctx *c, json_t **ret, struct fault *f)
{
	struct reset r = {0};
	const struct account *a = &c->session->account;
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	if (!c->session->must_reset)
		return reset_done(f);
	TRY(desk_read(c, check_in, NULL, f));
	TRY(check_mobile(c, &r, f));
	TRY(account_new_password(c, a, r.mobile, f));
	if (r.mobile[0] != '\0')
		TRY(sms_try(c, r.mobile, "bind", a->id, param_text(c, "sms_code"), &r.code, f));
	TRY(password_hash(c->desk->passwords, param_text(c, "new_password"), r.hash, f));
	c->work = &r;
	return desk_change(c, reset_in, ret, f);
}
