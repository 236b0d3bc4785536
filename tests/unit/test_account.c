/*
 * Log-in, sessions, the initial password; what an import keeps and flags.
 */
#include "ra_fixture.h"

#include "ra/clockwork.h"
#include "ra/password.h"

#include <string.h>

static json_t *login(const char *identifier, const char *password)
{
	return json_pack("{s:s,s:s}", "identifier", identifier, "password", password);
}

static json_t *with_session(struct fx *x)
{
	return json_pack("{s:s}", "session", x->session);
}

static void test_initial_password_opens_reset_alone(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(json_freep) json_t *in = fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, INITIAL));
	const char *session = fx_text(in, "session");
	(void)state;
	assert_true(json_is_true(json_object_get(in, "must_reset")));
	assert_string_equal(fx_text(json_object_get(in, "account"), "organisation"), "杭州田谷");
	/* Whoever has the published password is shown what is on record, but not whom to call. */
	assert_string_equal(fx_text(json_object_get(in, "account"), "mobile"), "130***0000");
	assert_string_equal(fx_text(json_object_get(in, "account"), "agent"), "张*");
	assert_string_equal(fx_text(in, "first_login_proof"), "key");
	static const char *const closed[] = {"service.list", "cert.list", "order.list", "request.list"};
	for (size_t i = 0; i < 4; i++)
		fx_refused(x, UID_SUBSCRIBER, closed[i], json_pack("{s:s}", "session", session), "reset_first");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.show", json_pack("{s:s}", "session", session)));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.prove", fx_prove_params(x, UID_SUBSCRIBER, session, &x->org)));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.reset", fx_reset_params(x, UID_SUBSCRIBER, session, ORG_MOBILE)));
	json_decref(fx_do(x, UID_SUBSCRIBER, "service.list", json_pack("{s:s}", "session", session)));
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, INITIAL), "login_wrong");
	_cleanup_(json_freep) json_t *again = fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD));
	assert_true(json_is_false(json_object_get(again, "must_reset")));
}

static void test_identifier_spelling(void **state)
{
	static const struct {
		const char *typed;
		bool known;
	} cases[] = {{" 35353550-9 ", true}, {"91110000802100433b", true}, {"35353550", false}, {"35353550-8", false}};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].known)
			json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(cases[i].typed, INITIAL)));
		else
			fx_refused(x, UID_SUBSCRIBER, "account.login", login(cases[i].typed, INITIAL), "login_wrong");
	}
}

static json_t *new_password(const char *session, const char *now, const char *next)
{
	return json_pack("{s:s,s:s,s:s}", "session", session, "password", now, "new_password", next);
}

static void test_new_passwords(void **state)
{
	static const char *const bad[] = {
		"short",    "nine char",	 "九个字的密码还不够", INITIAL, ORG_CODE, "1300000000",
		ORG_MOBILE, "line\nbreak in it", "zero\u200bwidth too"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fx_refused(x, UID_SUBSCRIBER, "account.password", new_password(x->session, PASSWORD, bad[i]),
			   "password_weak");
	json_t *differs = new_password(x->session, PASSWORD, "another-password");
	json_object_set_new(differs, "new_password_again", json_string("another-passwort"));
	fx_refused(x, UID_SUBSCRIBER, "account.password", differs, "password_differs");
	/* Characters are counted, not bytes. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.password",
			  new_password(x->session, PASSWORD, "十个字的密码就够用啦")));
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD), "login_wrong");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, "十个字的密码就够用啦")));
}

/* A session that lies open is no password: guesses of the present one are counted and locked like log-ins. */
static void test_password_wants_the_present_one(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t i = 0; i < 5; i++)
		fx_refused(x, UID_SUBSCRIBER, "account.password",
			   new_password(x->session, "wrong-password", "x-another-one"), "password_wrong");
	fx_refused(x, UID_SUBSCRIBER, "account.password", new_password(x->session, PASSWORD, "x-another-one"),
		   "login_locked");
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD), "login_locked");
}

/* Whether the name exists cannot be told from answers: same words, same counting, same lock. */
static void test_wrong_names_and_passwords_look_alike(void **state)
{
	static const char *const names[] = {ORG_CODE, "99999999-9"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t n = 0; n < 2; n++) {
		for (size_t i = 0; i < 5; i++)
			fx_refused(x, UID_SUBSCRIBER, "account.login", login(names[n], "wrong-password"),
				   "login_wrong");
		fx_refused(x, UID_SUBSCRIBER, "account.login", login(names[n], PASSWORD), "login_locked");
	}
}

static void lock_once(struct fx *x, int64_t minutes)
{
	for (size_t i = 0; i < 5; i++)
		fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, "wrong-password"), "login_wrong");
	clock_set(clock_now() + minutes * 60 - 1);
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD), "login_locked");
	clock_set(clock_now() + 1);
}

static void test_locks_grow(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	lock_once(x, 1);
	lock_once(x, 5);
	lock_once(x, 30);
	lock_once(x, 30);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD)));
	/* The right password takes it all back. */
	lock_once(x, 1);
}

struct guess {
	struct fx *x;
	const char *password;
	bool entered;
};

static void *guess(void *arg)
{
	struct guess *g = arg;
	_cleanup_(json_freep) json_t *request =
		json_pack("{s:s,s:i,s:s,s:{s:s,s:s}}", "jsonrpc", "2.0", "id", 1, "method", "account.login", "params",
			  "identifier", ORG_CODE, "password", g->password);
	struct rpc_peer peer = {.uid = UID_SUBSCRIBER};
	_cleanup_buf_ struct buf reply = {0};
	char *text = json_dumps(request, 0);
	desk_handle(g->x->desk, &peer, slice_str(text), &reply);
	free(text);
	g->entered = strstr(buf_text(&reply), "\"result\"") != NULL;
	return NULL;
}

/* Many right ones at once all enter; many wrong ones at once are no more guesses than one after the other. */
static void test_attempts_at_once(void **state)
{
	static const char *const passwords[] = {PASSWORD, "wrong-password"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t p = 0; p < 2; p++) {
		struct guess guesses[12];
		pthread_t threads[12];
		for (size_t i = 0; i < 12; i++) {
			guesses[i] = (struct guess){x, passwords[p], false};
			assert_int_equal(pthread_create(&threads[i], NULL, guess, &guesses[i]), 0);
		}
		for (size_t i = 0; i < 12; i++) {
			pthread_join(threads[i], NULL);
			assert_int_equal(guesses[i].entered, p == 0);
		}
	}
	/* Five were counted, the others met the lock: it is the first one. */
	clock_set(NOW + 60);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD)));
}

static void test_sessions(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.show", with_session(x)));
	/* A token that was stolen by another user of the machine opens nothing. */
	fx_refused(x, UID_PORTAL, "account.show", with_session(x), "session_unknown");
	fx_refused(x, UID_SUBSCRIBER, "account.show", json_pack("{s:s}", "session", "0000"), "session_unknown");
	/* Used, it lives on; unused, it ends. */
	for (size_t i = 0; i < 4; i++) {
		clock_set(clock_now() + 20 * 60);
		json_decref(fx_do(x, UID_SUBSCRIBER, "account.show", with_session(x)));
	}
	clock_set(clock_now() + 30 * 60);
	fx_refused(x, UID_SUBSCRIBER, "account.show", with_session(x), "session_unknown");
}

static void test_log_out_and_new_password_end_sessions(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *second = fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, PASSWORD));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.password",
			  new_password(fx_text(second, "session"), PASSWORD, "another-password")));
	fx_refused(x, UID_SUBSCRIBER, "account.show", with_session(x), "session_unknown");
	json_decref(
		fx_do(x, UID_SUBSCRIBER, "account.logout", json_pack("{s:s}", "session", fx_text(second, "session"))));
	fx_refused(x, UID_SUBSCRIBER, "account.show", json_pack("{s:s}", "session", fx_text(second, "session")),
		   "session_unknown");
}

static void test_database_holds_no_secret(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	static const char *const files[] = {"state/desk.db", "state/desk.db-wal"};
	for (size_t i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf bytes = {0};
		_cleanup_(freep) char *path = path_join(x->dir, files[i]);
		struct fault f = {0};
		assert_int_equal(file_read(path, 16u << 20, &bytes, &f), OK);
		assert_null(memmem(bytes.data, bytes.len, PASSWORD, strlen(PASSWORD)));
		assert_null(memmem(bytes.data, bytes.len, x->session, strlen(x->session)));
	}
}

static void test_hashes(void **state)
{
	struct password_guard *g = NULL;
	struct account a = {.initial = true};
	char hash[PASSWORD_HASH_MAX + 1];
	struct fault f = {0};
	(void)state;
	assert_int_equal(password_guard_open(INITIAL, &g, &f), OK);
	/* At the first use the initial password gets its hash. */
	assert_true(password_check(g, &a, INITIAL, hash));
	assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
	memcpy(a.password, hash, sizeof(hash));
	assert_true(password_check(g, &a, INITIAL, hash));
	assert_string_equal(hash, "");
	assert_false(password_check(g, &a, "wrong", hash));
	assert_false(password_check(g, NULL, INITIAL, hash));
	password_guard_close(g);
	/* Without an initial password, an account that has none of its own stays shut. */
	memset(a.password, 0, sizeof(a.password));
	assert_int_equal(password_guard_open(NULL, &g, &f), OK);
	assert_false(password_check(g, &a, INITIAL, hash));
	password_guard_close(g);
}

/* --- import --- */

static json_t *row(const char *code, const char *organisation, const char *mobile, const char *service_id,
		   const char *service, const char *begins, const char *serial)
{
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "line", 7, "account_identifier", code,
			 "organisation", organisation, "mobile", mobile, "project", "jinhua", "service_id", service_id,
			 "service", service, "service_begins", begins, "service_ends", "2027-01-01 00:00:00",
			 "certificate_name", organisation, "serial", serial, "issuer", "ZJCA OCA2", "agent", "李四");
}

static void report_of(struct fx *x, json_t *line, bool dry_run, const char *result, const char *flag, const char *text)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_ADMIN, "import.accounts", json_pack("{s:[o],s:b}", "rows", line, "dry_run", dry_run));
	json_t *entry = json_array_get(json_object_get(r, "report"), 0), *flags = json_object_get(entry, "flags"), *v;
	bool found = flag[0] == '\0';
	size_t i;
	json_array_foreach(flags, i, v) found = found || strcmp(json_string_value(v), flag) == 0;
	if (strcmp(fx_text(entry, "result"), result) != 0 || !found || !strstr(fx_text(entry, "text"), text))
		fail_msg("found %s \"%s\", wanted %s with \"%s\" and flag \"%s\"", fx_text(entry, "result"),
			 fx_text(entry, "text"), result, text, flag);
	assert_int_equal(json_integer_value(json_object_get(entry, "line")), 7);
}

static void test_import_lines(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	static const char *const begins = "2026-01-01 00:00:00";
	(void)state;
	report_of(x, row(NEW_CODE, "甲公司", "13858011084", "1", "机构证书", begins, ""), false, "created", "", "");
	report_of(x, row(NEW_CODE, "甲公司", "13858011084", "1", "机构证书", begins, ""), false, "unchanged", "", "");
	report_of(x, row(NEW_CODE, "甲公司", "13858011085", "1", "机构证书", begins, ""), false, "changed", "", "");
	report_of(x, row("12345678-9", "乙公司", "1300000000", "2", "机构证书", begins, ""), true, "created",
		  "identifier_check", "never sent to");
	fx_refused(x, UID_SUBSCRIBER, "account.login", login("12345678-9", INITIAL), "login_wrong");
	report_of(x, row("12345678-9", "", "1", "2", "机构证书", begins, ""), false, "refused", "", "organisation");
	report_of(x, row("12345678-9", "乙", "1", "2", "别的服务", begins, ""), false, "refused", "", "别的服务");
	report_of(x, row("12345678-9", "乙", "1", "2", "机构证书", "yesterday", ""), false, "refused", "", "yesterday");
	report_of(x, row("12345678-9", "乙", "1", "2", "机构证书", begins, "xyz"), false, "refused", "", "xyz");
	report_of(x, row("12345678-9", "乙", "1", "20353", "机构证书", begins, ""), false, "refused", "", "20353");
	report_of(x, row("12345678-9", "乙", "1", "2", "机构证书", begins, ORG_SERIAL), false, "refused", "",
		  ORG_SERIAL);
	report_of(x, row("12345678-9", "乙\u202e", "1", "2", "机构证书", begins, ""), false, "refused", "",
		  "invisible");
	/* A refused line leaves nothing behind, not even its account. */
	fx_refused(x, UID_SUBSCRIBER, "account.login", login("12345678-9", INITIAL), "login_wrong");
}

static void test_import_before_adoption(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *certs = fx_do(x, UID_SUBSCRIBER, "cert.list", with_session(x));
	json_t *cert = json_array_get(json_object_get(certs, "certificates"), 0);
	assert_int_equal(json_integer_value(json_object_get(certs, "total")), 1);
	assert_string_equal(fx_text(cert, "serial"), ORG_SERIAL);
	assert_string_equal(fx_text(cert, "issuer"), "ZJCA OCA2");
	_cleanup_(json_freep) json_t *services = fx_do(x, UID_SUBSCRIBER, "service.list", with_session(x));
	json_t *service = json_array_get(json_object_get(services, "services"), 0);
	assert_string_equal(fx_text(service, "id"), "20353");
	assert_string_equal(fx_text(service, "state"), "expired");
	assert_string_equal(fx_text(service, "ends"), "2016-08-31T03:39:36Z");
	/* Claimed first, adopted later: the same. */
	report_of(x, row(NEW_CODE, "甲公司", "13858011084", "9", "机构证书", "2026-01-01 00:00:00", "74C2008800000AEB"),
		  false, "created", "", "");
	_cleanup_(json_freep) json_t *in = fx_do(x, UID_SUBSCRIBER, "account.login", login(NEW_CODE, INITIAL));
	assert_true(json_is_true(json_object_get(in, "must_reset")));
}

static void test_sweep(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	clock_set(NOW + 30 * DAY);
	assert_int_equal(clockwork_turn(x->desk, &f), OK);
	fx_refused(x, UID_SUBSCRIBER, "account.show", with_session(x), "session_unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initial_password_opens_reset_alone),
		cmocka_unit_test(test_identifier_spelling),
		cmocka_unit_test(test_new_passwords),
		cmocka_unit_test(test_password_wants_the_present_one),
		cmocka_unit_test(test_wrong_names_and_passwords_look_alike),
		cmocka_unit_test(test_locks_grow),
		cmocka_unit_test(test_attempts_at_once),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_log_out_and_new_password_end_sessions),
		cmocka_unit_test(test_database_holds_no_secret),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_import_lines),
		cmocka_unit_test(test_import_before_adoption),
		cmocka_unit_test(test_sweep),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
