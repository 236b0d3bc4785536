/*
 * An account after its first log-in: forgotten password, register, field checks, several organisations,
 * change of agent, freeze, cases, sessions.
 */
#include "ra_fixture.h"

#include "ra/clockwork.h"

#include <string.h>

#define NEXT_MOBILE "13700000007"
#define HOSTILE "'; DROP TABLE accounts; --<script>alert(1)</script>"

static json_t *login(const char *name, const char *password)
{
	return json_pack("{s:s,s:s}", "identifier", name, "password", password);
}

static json_t *with(json_t *params, const char *key, const char *value)
{
	json_object_set_new(params, key, json_string(value));
	return params;
}

static json_t *in(const char *session)
{
	return json_pack("{s:s}", "session", session);
}

static void code_for(struct fx *x, const char *session, const char *purpose, const char *given, const char *to,
		     char ret[7])
{
	clock_set(clock_now() + 60);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.sms",
			  json_pack("{s:s*,s:s,s:s*}", "session", session, "purpose", purpose, "mobile", given)));
	fx_sms_code(x, to, ret);
}

static char *session_of(struct fx *x, const char *name, const char *password)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.login", login(name, password));
	return xstrdup(fx_text(r, "session"));
}

/* --- forgotten password --- */

static json_t *forgot(const char *mobile, const char *code, const char *password)
{
	return json_pack("{s:s,s:s,s:s}", "mobile", mobile, "sms_code", code, "new_password", password);
}

static void test_forgotten_password(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[7];
	(void)state;
	fx_log_in(x);
	for (size_t i = 0; i < 5; i++)
		fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, "wrong-password"), "login_wrong");
	code_for(x, NULL, "forgot", ORG_MOBILE, ORG_MOBILE, code);
	fx_refused(x, UID_SUBSCRIBER, "account.forgot", forgot(ORG_MOBILE, code, ORG_CODE), "password_weak");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.forgot",
			  with(forgot(ORG_MOBILE, code, "another-password"), "call_id", "forgot-01")));
	/* The same call again is the same answer; another one finds the code used. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.forgot",
			  with(forgot(ORG_MOBILE, code, "another-password"), "call_id", "forgot-01")));
	fx_refused(x, UID_SUBSCRIBER, "account.forgot", forgot(ORG_MOBILE, code, "a-third-password"), "sms_code_wrong");
	/* Sessions and the lock are gone; the owner hears of it. */
	fx_refused(x, UID_SUBSCRIBER, "account.show", in(x->session), "session_unknown");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, "another-password")));
	_cleanup_(json_freep) json_t *told = fx_message(x, ORG_MOBILE, "password");
	assert_non_null(told);
}

/* Who asks learns nothing of whether somebody has that number: the same answers, and no message. */
static void test_forgotten_password_of_nobody(void **state)
{
	static const char nobody[] = "13911119999";
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	clock_set(NOW + 60);
	_cleanup_(json_freep) json_t *known = fx_do(x, UID_SUBSCRIBER, "account.sms",
						    json_pack("{s:s,s:s}", "purpose", "forgot", "mobile", ORG_MOBILE)),
				     *unknown = fx_do(x, UID_SUBSCRIBER, "account.sms",
						      json_pack("{s:s,s:s}", "purpose", "forgot", "mobile", nobody));
	assert_string_equal(fx_text(known, "mobile"), "138****1084");
	json_object_set_new(unknown, "mobile", json_string("138****1084"));
	assert_true(json_equal(known, unknown));
	fx_refused(x, UID_SUBSCRIBER, "account.forgot", forgot(ORG_MOBILE, "000000", PASSWORD "x"), "sms_code_wrong");
	fx_refused(x, UID_SUBSCRIBER, "account.forgot", forgot(nobody, "000000", PASSWORD "x"), "sms_code_wrong");
	_cleanup_(json_freep) json_t *none = fx_message(x, nobody, "code");
	assert_null(none);
}

/* --- register and check --- */

static json_t *newcomer(const char *identifier, const char *organisation, const char *mobile, const char *code)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "identifier", identifier, "organisation", organisation, "agent",
			 "王五", "mobile", mobile, "sms_code", code, "new_password", PASSWORD);
}

static void test_register(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[7];
	(void)state;
	code_for(x, NULL, "register", NEXT_MOBILE, NEXT_MOBILE, code);
	/* A new identifier passes its check; texts are taken as they are. */
	fx_refused(x, UID_SUBSCRIBER, "account.register", newcomer(ORG_CODE, "某公司", NEXT_MOBILE, code),
		   "identifier_check");
	fx_refused(x, UID_SUBSCRIBER, "account.register", newcomer("' OR 1=1 --", "某公司", NEXT_MOBILE, code),
		   "identifier_form");
	fx_refused(x, UID_SUBSCRIBER, "account.register", newcomer(NEW_CODE, "  ", NEXT_MOBILE, code), "text_blank");
	fx_refused(x, UID_SUBSCRIBER, "account.register", newcomer(NEW_CODE, "某\u202e公司", NEXT_MOBILE, code),
		   "param_characters");
	fx_refused(x, UID_SUBSCRIBER, "account.register", newcomer(NEW_CODE, "某公司", "12345", code), "mobile_form");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.register", newcomer(NEW_CODE, HOSTILE, NEXT_MOBILE, code)));
	_cleanup_(freep) char *session = session_of(x, NEXT_MOBILE, PASSWORD);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.show", in(session));
	assert_string_equal(fx_text(r, "organisation"), HOSTILE);
	assert_string_equal(fx_text(r, "identifier"), NEW_CODE);
	/* No initial password opens it. */
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(NEW_CODE, INITIAL), "login_wrong");
	/* Who has an account is told after the code alone. */
	fx_refused(x, UID_SUBSCRIBER, "account.register", newcomer(OTHER_CODE, "另一家", "13700000008", "123456"),
		   "sms_code_wrong");
	code_for(x, NULL, "register", "13700000008", "13700000008", code);
	fx_refused(x, UID_SUBSCRIBER, "account.register", newcomer(OTHER_CODE, "另一家", "13700000008", code),
		   "identifier_taken");
}

static void check(struct fx *x, const char *field, const char *value, const char *other, const char *reason)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "account.check",
		      json_pack("{s:s,s:s,s:s*}", "field", field, "value", value, "other", other));
	bool ok = json_is_true(json_object_get(r, "ok"));
	if (ok != (reason == NULL) || strcmp(fx_text(r, "reason"), reason ? reason : "") != 0)
		fail_msg("%s \"%s\": found %s, wanted %s", field, value, ok ? "ok" : fx_text(r, "reason"),
			 reason ? reason : "ok");
	assert_true(ok || (fx_text(r, "zh")[0] && fx_text(r, "en")[0]));
}

static void test_fields_as_they_are_typed(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	check(x, "identifier", NEW_CODE, NULL, NULL);
	/* A stranger's identifier and number look like those that nobody has. */
	check(x, "identifier", OTHER_CODE, NULL, NULL);
	check(x, "mobile", OTHER_MOBILE, NULL, NULL);
	check(x, "mobile", "13911119999", NULL, NULL);
	check(x, "identifier", ORG_CODE, NULL, "identifier_check");
	check(x, "identifier", "x", NULL, "identifier_form");
	check(x, "mobile", "1300000000", NULL, "mobile_form");
	check(x, "mail", "agent@example.com", NULL, NULL);
	check(x, "mail", "agent@example", NULL, "mail_form");
	check(x, "mail", "a@b.c\r\nBcc: x@y.z", NULL, "mail_form");
	check(x, "sms_code", "852552", NULL, NULL);
	check(x, "sms_code", "85255x", NULL, "sms_code_form");
	check(x, "new_password", "long enough it is", NULL, NULL);
	check(x, "new_password", "short", NULL, "password_weak");
	check(x, "new_password", "13858011084", "13858011084", "password_weak");
	check(x, "new_password_again", "long enough it is", "long enough it is", NULL);
	check(x, "new_password_again", "long enough it was", "long enough it is", "password_differs");
	check(x, "organisation", "杭州田谷", NULL, NULL);
	check(x, "organisation", "   ", NULL, "text_blank");
	check(x, "agent", "张\x07三", NULL, "param_characters");
	fx_refused(x, UID_SUBSCRIBER, "account.check", json_pack("{s:s,s:s}", "field", "password", "value", "x"),
		   "param_word");
}

/* --- several organisations --- */

static void test_one_number_for_two_organisations(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_configure(x, "accounts: {organisations_per_mobile: 2}\n");
	x->session = fx_log_in_as(x, UID_SUBSCRIBER, ORG_CODE, ORG_MOBILE);
	clock_set(NOW + 60);
	x->other_session = fx_log_in_as(x, UID_OTHER, OTHER_CODE, ORG_MOBILE);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, PASSWORD));
	assert_true(json_is_true(json_object_get(r, "must_choose")));
	assert_int_equal(json_array_size(json_object_get(r, "organisations")), 2);
	const char *session = fx_text(r, "session");
	fx_refused(x, UID_SUBSCRIBER, "service.list", in(session), "choose_first");
	fx_refused(x, UID_SUBSCRIBER, "account.choose", with(in(session), "identifier", NEW_CODE),
		   "organisation_unknown");
	for (int i = 0; i < 2; i++) /* the session is another's then, and the call is still the same */
		json_decref(fx_do(x, UID_SUBSCRIBER, "account.choose",
				  with(with(in(session), "identifier", OTHER_CODE), "call_id", "chosen-once")));
	assert_int_equal(fx_number(x, "SELECT count(*) FROM audit WHERE what = 'organisation_chosen'"), 1);
	_cleanup_(json_freep) json_t *list = fx_do(x, UID_SUBSCRIBER, "service.list", in(session));
	assert_string_equal(fx_text(json_array_get(json_object_get(list, "services"), 0), "id"), "20354");
	/* Chosen again in the same session; the identifier leads to one without a choice. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.choose", with(in(session), "identifier", ORG_CODE)));
	_cleanup_(json_freep) json_t *direct = fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD));
	assert_true(json_is_false(json_object_get(direct, "must_choose")));
	/* One person, one password. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.password",
			  json_pack("{s:s,s:s,s:s}", "session", session, "password", PASSWORD, "new_password",
				    "another-password")));
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(OTHER_CODE, PASSWORD), "login_wrong");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(OTHER_CODE, "another-password")));
}

static void test_strangers_cannot_be_chosen(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	fx_refused(x, UID_SUBSCRIBER, "account.choose", with(in(x->session), "identifier", OTHER_CODE),
		   "organisation_unknown");
}

/* --- another agent --- */

static json_t *agent(const char *session, const char *old_code, const char *new_code)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s*,s:s}", "session", session, "agent", "李四", "mobile", NEXT_MOBILE,
			 "way", "sms", "new_code", new_code, "old_code", old_code, "new_password", "the-next-password");
}

static void change_agent(struct fx *x)
{
	char old_code[7], new_code[7];
	code_for(x, x->session, "old", NULL, ORG_MOBILE, old_code);
	code_for(x, x->session, "new", NEXT_MOBILE, NEXT_MOBILE, new_code);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.agent", agent(x->session, old_code, new_code)));
}

static void test_change_of_agent(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char old_code[7], new_code[7];
	(void)state;
	fx_log_in(x);
	code_for(x, x->session, "old", NULL, ORG_MOBILE, old_code);
	code_for(x, x->session, "new", NEXT_MOBILE, NEXT_MOBILE, new_code);
	fx_refused(x, UID_SUBSCRIBER, "account.agent", agent(x->session, NULL, new_code), "param_missing");
	fx_refused(x, UID_SUBSCRIBER, "account.agent", agent(x->session, new_code, new_code), "sms_code_wrong");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.agent", agent(x->session, old_code, new_code)));
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.show", in(x->session));
	assert_string_equal(fx_text(r, "agent"), "李四");
	assert_string_equal(fx_text(r, "login_mobile"), NEXT_MOBILE);
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, PASSWORD), "login_wrong");
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD), "login_wrong");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(NEXT_MOBILE, "the-next-password")));
	/* An import of the old system takes nothing of it back. */
	json_decref(
		fx_do(x, UID_ADMIN, "import.accounts",
		      json_pack("{s:[{s:i,s:s,s:s,s:s,s:s}],s:b}", "rows", "line", 2, "account_identifier", ORG_CODE,
				"organisation", "杭州田谷", "agent", "张三", "mobile", "1300000000", "dry_run", 0)));
	_cleanup_(json_freep) json_t *after = fx_do(x, UID_SUBSCRIBER, "account.show", in(x->session));
	assert_string_equal(fx_text(after, "agent"), "李四");
}

static char *case_of(struct fx *x, const char *kind)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "account.cases", NULL);
	json_t *v;
	size_t i;
	json_array_foreach(json_object_get(r, "cases"), i, v)
	{
		if (strcmp(fx_text(v, "kind"), kind) == 0)
			return xstrdup(fx_text(v, "case"));
	}
	fail_msg("there is no open case of kind %s", kind);
	return NULL;
}

static json_t *decide(const char *id, const char *decision)
{
	return json_pack("{s:s,s:s,s:s}", "case", id, "decision", decision, "answer", "licence seen, called back");
}

static void test_change_of_agent_by_an_officer(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[7];
	(void)state;
	fx_log_in(x);
	for (int i = 0; i < 2; i++) {
		code_for(x, x->session, "new", NEXT_MOBILE, NEXT_MOBILE, code);
		json_t *p = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "session", x->session, "agent", "李四", "mobile",
				      NEXT_MOBILE, "way", "officer", "new_code", code, "text", HOSTILE);
		if (i == 0)
			json_decref(fx_do(x, UID_SUBSCRIBER, "account.agent", p));
		else
			fx_refused(x, UID_SUBSCRIBER, "account.agent", p, "case_open");
	}
	_cleanup_(freep) char *id = case_of(x, "agent");
	_cleanup_(json_freep) json_t *k = fx_do(x, UID_OFFICER, "account.case", json_pack("{s:s}", "case", id));
	assert_string_equal(fx_text(k, "text"), HOSTILE);
	assert_string_equal(fx_text(json_object_get(k, "account"), "identifier"), ORG_CODE);
	fx_refused(x, UID_SUBSCRIBER, "account.decide", decide(id, "accept"), "method_denied");
	/* Until then all is as before. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.show", in(x->session)));
	json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(id, "accept")));
	fx_refused(x, UID_OFFICER, "account.decide", decide(id, "refuse"), "case_done");
	fx_refused(x, UID_SUBSCRIBER, "account.show", in(x->session), "session_unknown");
	/* The old agent's password opens nothing; the new one sets a password by SMS. */
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD), "login_wrong");
	code_for(x, NULL, "forgot", NEXT_MOBILE, NEXT_MOBILE, code);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.forgot", forgot(NEXT_MOBILE, code, "the-next-password")));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(NEXT_MOBILE, "the-next-password")));
}

/* Who is agent of one organisation already becomes that of another: one person, one password. */
static void test_agent_of_a_second_organisation(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[7];
	(void)state;
	fx_configure(x, "accounts: {organisations_per_mobile: 2}\n");
	fx_log_in(x);
	code_for(x, x->session, "new", OTHER_MOBILE, OTHER_MOBILE, code);
	json_decref(fx_do(x, UID_OTHER, "account.password",
			  json_pack("{s:s,s:s,s:s}", "session", x->other_session, "password", PASSWORD, "new_password",
				    "of-the-other-one")));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.agent",
			  json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "session", x->session, "agent", "李四", "mobile",
				    OTHER_MOBILE, "way", "officer", "new_code", code, "text", "one agent for both")));
	_cleanup_(freep) char *id = case_of(x, "agent");
	json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(id, "accept")));
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD), "login_wrong");
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "account.login", login(OTHER_MOBILE, "of-the-other-one"));
	assert_true(json_is_true(json_object_get(r, "must_choose")));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, "of-the-other-one")));
}

static void test_number_of_another_account(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char old_code[7], new_code[7];
	(void)state;
	fx_log_in(x);
	code_for(x, x->session, "old", NULL, ORG_MOBILE, old_code);
	code_for(x, x->session, "new", OTHER_MOBILE, OTHER_MOBILE, new_code);
	fx_refused(x, UID_SUBSCRIBER, "account.agent",
		   with(agent(x->session, old_code, new_code), "mobile", OTHER_MOBILE), "mobile_used");
}

/* --- freeze --- */

static json_t *freeze(const char *code)
{
	return json_pack("{s:s}", "code", code);
}

static void test_old_contact_freezes(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[20];
	(void)state;
	fx_log_in(x);
	change_agent(x);
	fx_freeze_code(x, ORG_MOBILE, code);
	fx_refused(x, UID_OTHER, "account.freeze", freeze("AAAA-BBBB-CCCC-DDDD"), "freeze_wrong");
	fx_refused(x, UID_OTHER, "account.freeze", freeze(HOSTILE), "param_range");
	json_decref(fx_do(x, UID_OTHER, "account.freeze", freeze(code)));
	fx_refused(x, UID_OTHER, "account.freeze", freeze(code), "freeze_wrong");
	/* Nobody is in, and nobody comes in. */
	fx_refused(x, UID_SUBSCRIBER, "account.show", in(x->session), "session_unknown");
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(NEXT_MOBILE, "the-next-password"), "account_frozen");
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(NEXT_MOBILE, "wrong-password"), "login_wrong");
	_cleanup_(freep) char *id = case_of(x, "frozen");
	json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(id, "accept")));
	/* As before, with a password that the old number sets. */
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(NEXT_MOBILE, "the-next-password"), "login_wrong");
	char sms_code[7];
	code_for(x, NULL, "forgot", ORG_MOBILE, ORG_MOBILE, sms_code);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.forgot", forgot(ORG_MOBILE, sms_code, "ours-once-more")));
	_cleanup_(freep) char *session = session_of(x, ORG_MOBILE, "ours-once-more");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.show", in(session));
	assert_string_equal(fx_text(r, "agent"), "张三");
}

/* The number of before serves another account meanwhile. */
static void test_number_of_before_is_taken(void **state)
{
	for (int most = 1; most <= 2; most++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		_cleanup_(freep) char *rules = xasprintf("accounts: {organisations_per_mobile: %d}\n", most);
		char code[20], sms_code[7];
		fx_configure(x, rules);
		fx_log_in(x);
		change_agent(x);
		fx_freeze_code(x, ORG_MOBILE, code);
		code_for(x, NULL, "register", ORG_MOBILE, ORG_MOBILE, sms_code);
		json_decref(
			fx_do(x, UID_OTHER, "account.register", newcomer(NEW_CODE, "某公司", ORG_MOBILE, sms_code)));
		json_decref(fx_do(x, UID_OTHER, "account.freeze", freeze(code)));
		_cleanup_(freep) char *id = case_of(x, "frozen");
		if (most == 2) { /* one number may serve both */
			json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(id, "accept")));
			_cleanup_(json_freep) json_t *r =
				fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, PASSWORD));
			assert_true(json_is_true(json_object_get(r, "must_choose")));
			continue;
		}
		fx_refused(x, UID_OFFICER, "account.decide", decide(id, "accept"), "number_taken");
		_cleanup_(json_freep) json_t *said = fx_call(x, UID_OFFICER, "account.decide", decide(id, "accept"));
		const char *text = fx_text(json_object_get(json_object_get(said, "error"), "data"), "text");
		assert_non_null(strstr(text, "account " NEW_CODE));
		/* Nothing has changed: frozen, open, and the number is the other's. */
		fx_refused(x, UID_SUBSCRIBER, "account.login", login(NEXT_MOBILE, "the-next-password"),
			   "account_frozen");
		_cleanup_(freep) char *open = case_of(x, "frozen");
		assert_string_equal(open, id);
		_cleanup_(freep) char *session = session_of(x, ORG_MOBILE, PASSWORD);
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.show", in(session));
		assert_string_equal(fx_text(r, "identifier"), NEW_CODE);
		json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(id, "refuse")));
		json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(NEXT_MOBILE, "the-next-password")));
	}
	(void)state;
}

static void test_officer_lets_a_binding_stand(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[20];
	(void)state;
	fx_log_in(x);
	change_agent(x);
	fx_freeze_code(x, ORG_MOBILE, code);
	json_decref(fx_do(x, UID_OTHER, "account.freeze", freeze(code)));
	_cleanup_(freep) char *id = case_of(x, "frozen");
	json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(id, "refuse")));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(NEXT_MOBILE, "the-next-password")));
	fx_refused(x, UID_OTHER, "account.freeze", freeze(code), "freeze_wrong");
}

/* A first binding by a stranger, undone: the account is as it was imported. */
static void test_first_binding_is_undone(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[20];
	(void)state;
	fx_first_login_proof(x, "none");
	json_decref(
		fx_do(x, UID_ADMIN, "import.accounts",
		      json_pack("{s:[{s:i,s:s,s:s,s:s,s:s}],s:b}", "rows", "line", 9, "account_identifier", OTHER_CODE,
				"organisation", "另一家", "agent", "李四", "mobile", "13911112222", "dry_run", 0)));
	_cleanup_(freep) char *session = fx_enter(x, UID_OTHER, OTHER_CODE);
	json_decref(fx_do(x, UID_OTHER, "account.reset", fx_reset_params(x, UID_OTHER, session, NEXT_MOBILE)));
	fx_freeze_code(x, "13911112222", code);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.freeze", freeze(code)));
	_cleanup_(freep) char *id = case_of(x, "frozen");
	json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(id, "accept")));
	fx_refused(x, UID_OTHER, "account.login", login(NEXT_MOBILE, PASSWORD), "login_wrong");
	fx_refused(x, UID_OTHER, "account.login", login(OTHER_CODE, PASSWORD), "login_wrong");
	_cleanup_(freep) char *again = fx_enter(x, UID_SUBSCRIBER, OTHER_CODE);
	assert_non_null(again);
}

static void test_freeze_code_dies(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[20];
	(void)state;
	fx_log_in(x);
	change_agent(x);
	fx_freeze_code(x, ORG_MOBILE, code);
	clock_set(clock_now() + 30 * DAY);
	fx_refused(x, UID_OTHER, "account.freeze", freeze(code), "freeze_wrong");
}

/* --- sessions --- */

static void test_sessions_are_listed_and_ended(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *second = session_of(x, ORG_MOBILE, PASSWORD);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.sessions", in(second));
	json_t *rows = json_object_get(r, "sessions"), *v;
	const char *other = "";
	size_t i;
	assert_int_equal(json_array_size(rows), 2);
	json_array_foreach(rows, i, v)
	{
		assert_string_equal(fx_text(v, "address"), "uid:1001");
		if (json_is_false(json_object_get(v, "this")))
			other = fx_text(v, "id");
	}
	/* Somebody else's are not there. */
	_cleanup_(json_freep) json_t *theirs = fx_do(x, UID_OTHER, "account.sessions", in(x->other_session));
	const char *strange = fx_text(json_array_get(json_object_get(theirs, "sessions"), 0), "id");
	fx_refused(x, UID_SUBSCRIBER, "account.end", with(in(second), "id", strange), "session_not_found");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.end", with(in(second), "id", other)));
	fx_refused(x, UID_SUBSCRIBER, "account.show", in(x->session), "session_unknown");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.end", in(second)));
	fx_refused(x, UID_SUBSCRIBER, "account.show", in(second), "session_unknown");
	json_decref(fx_do(x, UID_OTHER, "account.show", in(x->other_session)));
}

/* The answer was lost with which a session ended: the same call gets it, and nothing else gets anything. */
static void test_what_ended_its_session_is_answered_again(void **state)
{
	static const char *const methods[] = {"account.logout", "account.end"}, *const ids[] = {"logs-out-1",
												"ends-all-1"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		const char *other = methods[1 - i];
		_cleanup_(freep) char *session = session_of(x, ORG_MOBILE, PASSWORD);
		json_decref(fx_do(x, UID_SUBSCRIBER, methods[i], with(in(session), "call_id", ids[i])));
		json_decref(fx_do(x, UID_SUBSCRIBER, methods[i], with(in(session), "call_id", ids[i])));
		fx_refused(x, UID_OTHER, methods[i], with(in(session), "call_id", ids[i]), "session_unknown");
		fx_refused(x, UID_SUBSCRIBER, methods[i], with(in(session), "call_id", "another-call"),
			   "session_unknown");
		fx_refused(x, UID_SUBSCRIBER, other, with(in(session), "call_id", "one-more-call"), "session_unknown");
		fx_refused(x, UID_SUBSCRIBER, "account.show", in(session), "session_unknown");
		/* No clock brings it back. */
		clock_set(NOW - 3600);
		fx_refused(x, UID_SUBSCRIBER, "account.show", in(session), "session_unknown");
		clock_set(NOW);
	}
	assert_int_equal(fx_number(x, "SELECT count(*) FROM audit WHERE what = 'logout'"), 1);
	assert_int_equal(fx_number(x, "SELECT count(*) FROM audit WHERE what = 'session_end'"), 1);
	assert_int_equal(fx_number(x, "SELECT count(*) FROM sessions WHERE expires > 0 AND account ="
				      " (SELECT id FROM accounts WHERE identifier = '" ORG_CODE "')"),
			 0);
	/* They are kept for a day. */
	struct db *db = NULL;
	struct fault f = {0};
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_sessions_purge(db, NOW + 3600, &f), OK);
	assert_int_equal(store_end(x->desk->store, db, OK, &f), OK);
	assert_int_equal(fx_number(x, "SELECT count(*) FROM sessions WHERE expires = 0"), 3);
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_sessions_purge(db, NOW + 86400, &f), OK);
	assert_int_equal(store_end(x->desk->store, db, OK, &f), OK);
	assert_int_equal(fx_number(x, "SELECT count(*) FROM sessions WHERE expires = 0"), 0);
}

static void test_sessions_end_by_the_clock(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	/* However busy it is: twelve hours. */
	for (int64_t t = 20 * 60; t < 12 * 3600; t += 20 * 60) {
		clock_set(NOW + t);
		json_decref(fx_do(x, UID_SUBSCRIBER, "account.show", in(x->session)));
	}
	clock_set(NOW + 12 * 3600);
	fx_refused(x, UID_SUBSCRIBER, "account.show", in(x->session), "session_unknown");
	/* A clock that went back: nobody knows how long it would live. */
	_cleanup_(freep) char *session = session_of(x, ORG_MOBILE, PASSWORD);
	clock_set(NOW);
	fx_refused(x, UID_SUBSCRIBER, "account.show", in(session), "session_unknown");
}

static void test_lock_and_a_clock_that_goes_back(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	clock_set(NOW + 400 * DAY);
	for (size_t i = 0; i < 5; i++)
		fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, "wrong-password"), "login_wrong");
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, PASSWORD), "login_locked");
	/* Not for four hundred days. */
	clock_set(NOW);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, PASSWORD)));
}

static void test_restart_keeps_it_all(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[20];
	(void)state;
	fx_log_in(x);
	change_agent(x);
	fx_restart(x);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.show", in(x->session)));
	fx_freeze_code(x, ORG_MOBILE, code);
	json_decref(fx_do(x, UID_OTHER, "account.freeze", freeze(code)));
	fx_restart(x);
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(NEXT_MOBILE, "the-next-password"), "account_frozen");
}

/* --- another organisation, from inside the session --- */

static json_t *link_params(struct fx *x, const char *identifier, const char *organisation, const char *code)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "session", x->session, "identifier", identifier, "organisation",
			 organisation, "sms_code", code);
}

static void test_link(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[7];
	(void)state;
	fx_configure(x, "accounts: {linked_per_mobile: 2}\n");
	fx_log_in(x);
	clock_set(clock_now() + 61);
	code_for(x, NULL, "register", ORG_MOBILE, ORG_MOBILE, code);
	fx_refused(x, UID_SUBSCRIBER, "account.link", link_params(x, "913301003535355024", NEW_NAME, code),
		   "identifier_check");
	fx_refused(x, UID_SUBSCRIBER, "account.link", link_params(x, NEW_CODE, " x", code), "text_blank");
	fx_refused(x, UID_SUBSCRIBER, "account.link", link_params(x, OTHER_CODE, NEW_NAME, "000000"), "sms_code_wrong");
	_cleanup_(json_freep) json_t *made =
		fx_do(x, UID_SUBSCRIBER, "account.link", link_params(x, NEW_CODE, NEW_NAME, code));
	assert_string_equal(fx_text(made, "identifier"), NEW_CODE);
	fx_refused(x, UID_SUBSCRIBER, "account.link", link_params(x, "91330100MAHUFU0254", NEW_NAME, code),
		   "sms_code_wrong");
	/* Who has an account, and that two are enough, is told to who has shown the number. */
	clock_set(clock_now() + 61);
	code_for(x, NULL, "register", ORG_MOBILE, ORG_MOBILE, code);
	fx_refused(x, UID_SUBSCRIBER, "account.link", link_params(x, NEW_CODE, NEW_NAME, code), "identifier_taken");
	fx_refused(x, UID_SUBSCRIBER, "account.link", link_params(x, "91330100MAHUFU0254", NEW_NAME, code),
		   "mobile_used");
	/* The session is still the first organisation's; it goes over when it is told to, and nothing goes along. */
	_cleanup_(json_freep) json_t *before =
		fx_do(x, UID_SUBSCRIBER, "account.show", json_pack("{s:s}", "session", x->session));
	assert_string_equal(fx_text(before, "identifier"), ORG_CODE);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.choose",
			  json_pack("{s:s,s:s}", "session", x->session, "identifier", NEW_CODE)));
	_cleanup_(json_freep) json_t *after =
		fx_do(x, UID_SUBSCRIBER, "account.show", json_pack("{s:s}", "session", x->session));
	assert_string_equal(fx_text(after, "organisation"), NEW_NAME);
	assert_string_equal(fx_text(after, "agent"), fx_text(before, "agent"));
	assert_string_equal(fx_text(after, "login_mobile"), fx_text(before, "login_mobile"));
	_cleanup_(json_freep) json_t *services =
		fx_do(x, UID_SUBSCRIBER, "service.list", json_pack("{s:s}", "session", x->session));
	assert_int_equal(json_integer_value(json_object_get(services, "total")), 0);
	fx_refused(x, UID_SUBSCRIBER, "cert.show", json_pack("{s:s,s:s}", "session", x->session, "serial", ORG_SERIAL),
		   "certificate_unknown");
}

/* The number of before serves another organisation of the same holder, all along: that is nobody who took it. */
static void test_undoing_beside_a_linked_account(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[20];
	(void)state;
	fx_log_in(x);
	clock_set(clock_now() + 61);
	code_for(x, NULL, "register", ORG_MOBILE, ORG_MOBILE, code);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.link", link_params(x, NEW_CODE, NEW_NAME, code)));
	change_agent(x);
	fx_freeze_code(x, ORG_MOBILE, code);
	json_decref(fx_do(x, UID_OTHER, "account.freeze", freeze(code)));
	_cleanup_(freep) char *id = case_of(x, "frozen");
	json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(id, "accept")));
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, PASSWORD));
	assert_int_equal(json_array_size(json_object_get(r, "organisations")), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_undoing_beside_a_linked_account),
		cmocka_unit_test(test_forgotten_password),
		cmocka_unit_test(test_forgotten_password_of_nobody),
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_fields_as_they_are_typed),
		cmocka_unit_test(test_one_number_for_two_organisations),
		cmocka_unit_test(test_strangers_cannot_be_chosen),
		cmocka_unit_test(test_change_of_agent),
		cmocka_unit_test(test_change_of_agent_by_an_officer),
		cmocka_unit_test(test_agent_of_a_second_organisation),
		cmocka_unit_test(test_number_of_another_account),
		cmocka_unit_test(test_old_contact_freezes),
		cmocka_unit_test(test_number_of_before_is_taken),
		cmocka_unit_test(test_officer_lets_a_binding_stand),
		cmocka_unit_test(test_first_binding_is_undone),
		cmocka_unit_test(test_freeze_code_dies),
		cmocka_unit_test(test_sessions_are_listed_and_ended),
		cmocka_unit_test(test_what_ended_its_session_is_answered_again),
		cmocka_unit_test(test_sessions_end_by_the_clock),
		cmocka_unit_test(test_lock_and_a_clock_that_goes_back),
		cmocka_unit_test(test_restart_keeps_it_all),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
