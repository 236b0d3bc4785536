/*
 * The first log-in: what the published password opens, the three proofs, codes by SMS with their limits, back-fill and
 * reset, picture codes.
 */
#include "ra_fixture.h"

#include "ra/outbox.h"
#include "ra/picture.h"
#include "ra/store_code.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static json_t *login(const char *name, const char *password)
{
	return json_pack("{s:s,s:s}", "identifier", name, "password", password);
}

static json_t *sms(const char *session, const char *purpose, const char *mobile)
{
	return json_pack("{s:s*,s:s,s:s*}", "session", session, "purpose", purpose, "mobile", mobile);
}

static json_t *reset(const char *session, const char *mobile, const char *code)
{
	return json_pack("{s:s,s:s*,s:s*,s:s}", "session", session, "mobile", mobile, "sms_code", code, "new_password",
			 PASSWORD);
}

static json_t *with(json_t *params, const char *key, const char *value)
{
	json_object_set_new(params, key, json_string(value));
	return params;
}

static char *proved(struct fx *x)
{
	char *session = fx_enter(x, UID_SUBSCRIBER, ORG_CODE);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.prove", fx_prove_params(x, UID_SUBSCRIBER, session, &x->org)));
	return session;
}

/* Asks for a code that goes out, and reads it. */
static void new_code(struct fx *x, const char *session, const char *purpose, const char *mobile, char ret[7])
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.sms", sms(session, purpose, mobile));
	assert_true(json_is_true(json_object_get(r, "sent")));
	fx_sms_code(x, mobile, ret);
}

static void other_code(const char *code, int by, char ret[7])
{
	snprintf(ret, 7, "%06u", ((unsigned)strtoul(code, NULL, 10) + (unsigned)by) % 1000000u);
}

/* --- proofs --- */

static void test_nothing_before_the_proof(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *session = fx_enter(x, UID_SUBSCRIBER, ORG_CODE);
	(void)state;
	fx_refused(x, UID_SUBSCRIBER, "account.sms", sms(session, "bind", ORG_MOBILE), "proof_first");
	fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, "123456"), "proof_first");
	fx_refused(x, UID_SUBSCRIBER, "account.sms", sms(session, "recorded", NULL), "mobile_form");
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "account.proof", json_pack("{s:s}", "session", session));
	assert_string_equal(fx_text(r, "wanted"), "key");
	assert_string_equal(fx_text(r, "mobile"), "130***0000");
	assert_string_equal(fx_text(json_array_get(json_object_get(r, "certificates"), 0), "serial"), ORG_SERIAL);
	assert_true(json_is_false(json_object_get(r, "enough")));
	_cleanup_(json_freep) json_t *ways = json_pack("[s,s]", "key", "officer");
	assert_true(json_equal(json_object_get(r, "ways"), ways));
}

static void test_proof_by_key(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *session = fx_enter(x, UID_SUBSCRIBER, ORG_CODE),
			      *second = fx_enter(x, UID_SUBSCRIBER, ORG_CODE);
	(void)state;
	/* Whoever signs elsewhere can check it before: the certificate comes with its line. */
	_cleanup_(json_freep) json_t *proof =
		fx_do(x, UID_SUBSCRIBER, "account.proof", json_pack("{s:s}", "session", session));
	json_t *certs = json_object_get(proof, "certificates");
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	struct fault f = {0};
	assert_int_equal(json_array_size(certs), 1);
	assert_int_equal(pem_or_der(slice_str(fx_text(json_array_get(certs, 0), "pem")), "CERTIFICATE", &der, &f), OK);
	assert_int_equal(cert_parse(buf_slice(&der), &cert, &f), OK);
	assert_true(serial_eq(&cert.serial, &x->org.serial));
	assert_memory_equal(cert.key.spki_sha256, x->org.public_key.spki_sha256, 32);
	/* Another organisation's key under its own name, and under ours. */
	fx_refused(x, UID_SUBSCRIBER, "account.prove", fx_prove_params(x, UID_SUBSCRIBER, session, &x->other),
		   "signer_unknown");
	struct fx_org forged = x->org;
	forged.key = x->other.key;
	fx_refused(x, UID_SUBSCRIBER, "account.prove", fx_prove_params(x, UID_SUBSCRIBER, session, &forged),
		   "subscriber_signature");
	/* A signature made for one session opens no other. */
	_cleanup_(json_freep) json_t *right = fx_prove_params(x, UID_SUBSCRIBER, session, &x->org);
	fx_refused(x, UID_SUBSCRIBER, "account.prove", with(json_deep_copy(right), "session", second),
		   "subscriber_signature");
	fx_refused(x, UID_SUBSCRIBER, "account.prove", with(json_deep_copy(right), "line", "no line"),
		   "note_signature_line");
	fx_refused(x, UID_SUBSCRIBER, "account.prove", json_pack("{s:s,s:s}", "session", session, "way", "key"),
		   "param_missing");
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "account.prove", with(json_deep_copy(right), "call_id", "proof-0001"));
	assert_string_equal(fx_text(json_object_get(r, "account"), "mobile"), "1300000000");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.prove", with(json_deep_copy(right), "call_id", "proof-0001")));
	/* Weaker than what the project wants. */
	fx_refused(x, UID_SUBSCRIBER, "account.prove",
		   json_pack("{s:s,s:s,s:s}", "session", second, "way", "sms", "code", "123456"), "proof_way");
}

static void test_revoked_key_proves_nothing(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *session = fx_enter(x, UID_SUBSCRIBER, ORG_CODE);
	(void)state;
	fx_append_revoked(x, &x->org, true, 1, NOW);
	fx_follow(x);
	fx_refused(x, UID_SUBSCRIBER, "account.prove", fx_prove_params(x, UID_SUBSCRIBER, session, &x->org),
		   "signer_unknown");
}

static json_t *by_officer(const char *session, const char *code)
{
	return json_pack("{s:s,s:s,s:s}", "session", session, "way", "officer", "code", code);
}

static json_t *grant(const char *code)
{
	return json_pack("{s:s,s:s}", "identifier", code, "reason", "licence seen");
}

static void test_proof_by_officer(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_first_login_proof(x, "officer");
	_cleanup_(freep) char *session = fx_enter(x, UID_SUBSCRIBER, ORG_CODE),
			      *other = fx_enter(x, UID_OTHER, OTHER_CODE);
	fx_refused(x, UID_SUBSCRIBER, "account.prove", fx_prove_params(x, UID_SUBSCRIBER, session, &x->org),
		   "proof_way");
	fx_refused(x, UID_SUBSCRIBER, "account.grant", grant(ORG_CODE), "method_denied");
	fx_refused(x, UID_OFFICER, "account.grant", grant("99999999-9"), "account_unknown");
	_cleanup_(json_freep) json_t *g = fx_do(x, UID_OFFICER, "account.grant", grant(ORG_CODE));
	const char *code = fx_text(g, "code");
	fx_refused(x, UID_SUBSCRIBER, "account.prove", by_officer(session, "AAAA-AAAA-AAAA-AAAA"), "grant_wrong");
	fx_refused(x, UID_OTHER, "account.prove", by_officer(other, code), "grant_wrong");
	/* As people type it; it is used once. */
	char typed[20];
	for (size_t i = 0; i <= strlen(code); i++)
		typed[i] = code[i] == '-'		      ? ' '
			   : code[i] >= 'A' && code[i] <= 'Z' ? (char)(code[i] - 'A' + 'a')
							      : code[i];
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.prove", by_officer(session, typed)));
	fx_refused(x, UID_SUBSCRIBER, "account.prove", by_officer(session, code), "grant_wrong");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.sms", sms(session, "bind", ORG_MOBILE)));
}

static void test_officers_code_dies(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(json_freep) json_t *g = fx_do(x, UID_OFFICER, "account.grant", grant(ORG_CODE));
	clock_set(NOW + 72 * 3600);
	_cleanup_(freep) char *session = fx_enter(x, UID_SUBSCRIBER, ORG_CODE);
	fx_refused(x, UID_SUBSCRIBER, "account.prove", by_officer(session, fx_text(g, "code")), "grant_wrong");
	/* Of two, the newer; and five wrong ones kill it. */
	_cleanup_(json_freep) json_t *first = fx_do(x, UID_OFFICER, "account.grant", grant(ORG_CODE)),
				     *next = fx_do(x, UID_OFFICER, "account.grant", grant(ORG_CODE));
	for (size_t i = 0; i < 5; i++)
		fx_refused(x, UID_SUBSCRIBER, "account.prove", by_officer(session, fx_text(first, "code")),
			   "grant_wrong");
	fx_refused(x, UID_SUBSCRIBER, "account.prove", by_officer(session, fx_text(next, "code")), "grant_wrong");
}

static void test_proof_by_sms_to_the_number_on_record(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char code[7];
	(void)state;
	fx_first_login_proof(x, "sms_to_recorded_mobile");
	json_decref(
		fx_do(x, UID_ADMIN, "import.accounts",
		      json_pack("{s:[{s:i,s:s,s:s,s:s,s:s}],s:b}", "rows", "line", 9, "account_identifier", OTHER_CODE,
				"organisation", "另一家", "agent", "李四", "mobile", "13911112222", "dry_run", 0)));
	_cleanup_(freep) char *session = fx_enter(x, UID_SUBSCRIBER, OTHER_CODE);
	new_code(x, session, "recorded", "13911112222", code);
	json_t *p = json_pack("{s:s,s:s,s:s}", "session", session, "way", "sms", "code", code);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.prove", json_incref(p)));
	/* Once. */
	json_object_set_new(p, "call_id", json_string("another-call"));
	fx_refused(x, UID_SUBSCRIBER, "account.prove", p, "sms_code_wrong");
	json_decref(
		fx_do(x, UID_SUBSCRIBER, "account.reset", fx_reset_params(x, UID_SUBSCRIBER, session, OTHER_MOBILE)));
}

static void test_no_proof_as_in_the_guide(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_first_login_proof(x, "none");
	_cleanup_(freep) char *session = fx_enter(x, UID_SUBSCRIBER, ORG_CODE);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.reset", fx_reset_params(x, UID_SUBSCRIBER, session, ORG_MOBILE)));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_MOBILE, PASSWORD)));
	fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, "123456"), "reset_done");
	/* The number on record is malformed: nothing was sent to it, and that is on record. */
	_cleanup_(json_freep) json_t *m = fx_message(x, "1300000000", "bound");
	assert_null(m);
}

/* --- codes --- */

static void test_code_is_resent_after_a_minute(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *session = proved(x);
	char first[7], second[7];
	(void)state;
	new_code(x, session, "bind", ORG_MOBILE, first);
	clock_set(NOW + 18);
	_cleanup_(json_freep) json_t *early = fx_do(x, UID_SUBSCRIBER, "account.sms", sms(session, "bind", ORG_MOBILE));
	assert_true(json_is_false(json_object_get(early, "sent")));
	assert_int_equal(json_integer_value(json_object_get(early, "wait_seconds")), 42);
	clock_set(NOW + 60);
	new_code(x, session, "bind", ORG_MOBILE, second);
	/* The newest counts alone. */
	if (strcmp(first, second) != 0)
		fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, first), "sms_code_wrong");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, second)));
}

static void test_code_dies(void **state)
{
	static const struct {
		int64_t after;
		bool good;
	} cases[] = {{599, true}, {600, false}, {30 * DAY, false}, {-59, true}, {-3600, false}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		_cleanup_(freep) char *session = proved(x);
		char code[7];
		new_code(x, session, "bind", ORG_MOBILE, code);
		clock_set(NOW + cases[i].after);
		if (cases[i].good)
			json_decref(fx_do(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, code)));
		else
			fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, code),
				   labs((long)cases[i].after) > 1800 ? "session_unknown" : "sms_code_wrong");
	}
}

static void test_code_has_five_tries(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *session = proved(x);
	char code[7], wrong[7];
	(void)state;
	new_code(x, session, "bind", ORG_MOBILE, code);
	for (int i = 1; i <= 5; i++) {
		other_code(code, i, wrong);
		fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, wrong), "sms_code_wrong");
	}
	fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, code), "sms_code_wrong");
}

static void test_code_is_of_its_number_purpose_and_account(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *session = proved(x), *other = fx_enter(x, UID_OTHER, OTHER_CODE);
	char code[7];
	(void)state;
	new_code(x, session, "bind", ORG_MOBILE, code);
	fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, "13900000009", code), "sms_code_wrong");
	json_decref(fx_do(x, UID_OTHER, "account.prove", fx_prove_params(x, UID_OTHER, other, &x->other)));
	fx_refused(x, UID_OTHER, "account.reset", reset(other, ORG_MOBILE, code), "sms_code_wrong");
	fx_refused(x, UID_OTHER, "account.forgot",
		   json_pack("{s:s,s:s,s:s}", "mobile", ORG_MOBILE, "sms_code", code, "new_password", PASSWORD),
		   "sms_code_wrong");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, code)));
}

static void test_limits_of_codes(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	/* Ten a day for a number, whoever asks. */
	for (int i = 0; i < 10; i++) {
		json_decref(fx_do(x, i % 2 ? UID_SUBSCRIBER : UID_OTHER, "account.sms",
				  sms(NULL, "register", "13900000009")));
		clock_set(clock_now() + 3600);
	}
	fx_refused(x, UID_OTHER, "account.sms", sms(NULL, "register", "13900000009"), "sms_limit_number");
	clock_set(clock_now() + DAY);
	json_decref(fx_do(x, UID_OTHER, "account.sms", sms(NULL, "register", "13900000009")));
	/* Thirty an hour for an address: a portal's person, or the peer. */
	clock_set(clock_now() + DAY);
	for (int i = 0; i < 31; i++) {
		char mobile[12];
		snprintf(mobile, sizeof(mobile), "139000001%02d", i);
		json_t *p = with(sms(NULL, "register", mobile), "address", "192.0.2.7");
		if (i < 30)
			json_decref(fx_do(x, UID_PORTAL, "account.sms", p));
		else
			fx_refused(x, UID_PORTAL, "account.sms", p, "sms_limit_address");
	}
	json_decref(fx_do(x, UID_PORTAL, "account.sms",
			  with(sms(NULL, "register", "13900000555"), "address", "192.0.2.8")));
	fx_refused(x, UID_SUBSCRIBER, "account.sms", with(sms(NULL, "register", "13900000556"), "address", "192.0.2.9"),
		   "address_denied");
}

static void test_addresses_of_one_network_count_together(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	for (int i = 0; i < 31; i++) {
		char mobile[12], address[40];
		snprintf(mobile, sizeof(mobile), "139000001%02d", i);
		snprintf(address, sizeof(address), "2001:db8:1:2:%x::%x", i, i);
		json_t *p = with(sms(NULL, "register", mobile), "address", address);
		if (i < 30)
			json_decref(fx_do(x, UID_PORTAL, "account.sms", p));
		else
			fx_refused(x, UID_PORTAL, "account.sms", p, "sms_limit_address");
	}
}

static void test_same_call_sends_once(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	size_t n = 0;
	struct fault f = {0};
	(void)state;
	for (int i = 0; i < 3; i++) {
		_cleanup_(json_freep) json_t *r =
			fx_do(x, UID_OTHER, "account.sms",
			      with(sms(NULL, "register", "13900000009"), "call_id", "the-very-same"));
		assert_true(json_is_true(json_object_get(r, "sent")));
	}
	assert_int_equal(outbox_turn(x->desk, &n, &f), OK);
	assert_int_equal(n, 1);
}

static void test_numbers_that_cannot_be_sent_to(void **state)
{
	static const char *const bad[] = {"1300000000",	    "130000000000",  "23800000000",
					  "12800000000",    "1380000000x",   "'; DROP TABLE accounts; --",
					  "<b>13800000000", "+8613800000000"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *session = proved(x);
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fx_refused(x, UID_SUBSCRIBER, "account.sms", sms(session, "bind", bad[i]), "mobile_form");
		fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, bad[i], "123456"), "mobile_form");
	}
	fx_refused(x, UID_SUBSCRIBER, "account.sms", sms(session, "bind", NULL), "param_missing");
	fx_refused(x, UID_SUBSCRIBER, "account.sms", sms(session, "old", NULL), "reset_first");
	fx_refused(x, UID_SUBSCRIBER, "account.sms", sms(NULL, "bind", ORG_MOBILE), "session_missing");
	fx_refused(x, UID_OTHER, "account.sms", sms(session, "bind", ORG_MOBILE), "session_unknown");
	fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, NULL, NULL), "mobile_wanted");
	fx_refused(x, UID_SUBSCRIBER, "account.reset", reset(session, ORG_MOBILE, NULL), "mobile_wanted");
}

/* --- the outbox --- */

/* A file of one's own, with the code; and neither the database nor its log knows it. */
static void test_codes_are_in_the_spool_alone(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	static const char *const files[] = {"state/desk.db", "state/desk.db-wal"};
	struct fault f = {0};
	size_t n = 0;
	char code[7];
	(void)state;
	json_decref(fx_do(x, UID_OTHER, "account.sms", sms(NULL, "register", "13900000009")));
	fx_restart(x);
	assert_int_equal(outbox_turn(x->desk, &n, &f), OK);
	assert_int_equal(n, 1);
	DIR *dir = opendir(x->desk->spool);
	struct dirent *e;
	size_t found = 0;
	while ((e = readdir(dir))) {
		struct stat st;
		_cleanup_(freep) char *path = path_join(x->desk->spool, e->d_name);
		if (e->d_name[0] == '.')
			continue;
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		found++;
	}
	closedir(dir);
	assert_int_equal(found, 1);
	fx_sms_code(x, "13900000009", code);
	char sentence[24];
	snprintf(sentence, sizeof(sentence), "Code %s", code);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf bytes = {0};
		_cleanup_(freep) char *path = path_join(x->dir, files[i]);
		if (!file_exists(path))
			continue;
		assert_int_equal(file_read(path, 16u << 20, &bytes, &f), OK);
		assert_null(memmem(bytes.data, bytes.len, sentence, strlen(sentence)));
	}
}

static void late_messages(struct fx *x, bool wanted)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "desk.health", NULL);
	char *text = json_dumps(json_object_get(r, "worries"), 0);
	assert_int_equal(strstr(text, "messages_late") != NULL, wanted);
	free(text);
}

static void test_outbox_waits_and_gives_up(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	size_t n = 0;
	(void)state;
	json_decref(fx_do(x, UID_OTHER, "account.sms", sms(NULL, "register", "13900000009")));
	/* The spool is away: it is tried again later, and until then nothing is lost. */
	assert_int_equal(rmdir(x->desk->spool), 0);
	assert_int_equal(outbox_turn(x->desk, &n, &f), OK);
	assert_int_equal(n, 0);
	assert_int_equal(mkdir(x->desk->spool, 0700), 0);
	assert_int_equal(outbox_turn(x->desk, &n, &f), OK);
	assert_int_equal(n, 0);
	late_messages(x, false);
	clock_set(NOW + 61);
	late_messages(x, true);
	assert_int_equal(outbox_turn(x->desk, &n, &f), OK);
	assert_int_equal(n, 1);
	late_messages(x, false);
	/* A code that is dead is not sent. */
	json_decref(fx_do(x, UID_OTHER, "account.sms", sms(NULL, "register", "13900000010")));
	clock_set(clock_now() + 600);
	assert_int_equal(outbox_turn(x->desk, &n, &f), OK);
	assert_int_equal(n, 0);
}

/* --- two at once --- */

static void test_two_sessions_reset_once(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *first = proved(x), *second = proved(x);
	char code[7];
	(void)state;
	new_code(x, first, "bind", ORG_MOBILE, code);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.reset", reset(first, ORG_MOBILE, code)));
	fx_refused(x, UID_SUBSCRIBER, "account.sms", sms(second, "bind", "13900000009"), "session_unknown");
}

struct race {
	struct fx *x;
	enum fx_uid uid;
	json_t *params;
	bool done;
	char reason[48];
};

static void *race_one(void *arg)
{
	struct race *r = arg;
	_cleanup_(json_freep) json_t *request = json_pack("{s:s,s:i,s:s,s:O}", "jsonrpc", "2.0", "id", 1, "method",
							  "account.reset", "params", r->params);
	struct rpc_peer peer = {.uid = (uid_t)r->uid};
	_cleanup_buf_ struct buf reply = {0};
	char *text = json_dumps(request, 0);
	desk_handle(r->x->desk, &peer, slice_str(text), &reply);
	free(text);
	_cleanup_(json_freep) json_t *answer = json_loadb((const char *)reply.data, reply.len, 0, NULL);
	r->done = json_object_get(answer, "result") != NULL;
	snprintf(r->reason, sizeof(r->reason), "%s",
		 fx_text(json_object_get(json_object_get(answer, "error"), "data"), "reason"));
	return NULL;
}

/* One number, two accounts, the same moment: one has it. */
static void test_one_number_is_bound_once(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *session = proved(x), *other = fx_enter(x, UID_OTHER, OTHER_CODE);
	char code[7], code2[7];
	pthread_t threads[2];
	(void)state;
	json_decref(fx_do(x, UID_OTHER, "account.prove", fx_prove_params(x, UID_OTHER, other, &x->other)));
	new_code(x, session, "bind", ORG_MOBILE, code);
	clock_set(NOW + 60);
	json_decref(fx_do(x, UID_OTHER, "account.sms", sms(other, "bind", ORG_MOBILE)));
	fx_sms_code(x, ORG_MOBILE, code2);
	struct race races[2] = {
		{.x = x,
		 .uid = UID_SUBSCRIBER,
		 .params = with(reset(session, ORG_MOBILE, code), "call_id", "race-one")},
		{.x = x, .uid = UID_OTHER, .params = with(reset(other, ORG_MOBILE, code2), "call_id", "race-two")}};
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race_one, &races[i]), 0);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(races[0].done + races[1].done, 1);
	assert_string_equal(races[races[0].done ? 1 : 0].reason, "mobile_used");
	for (size_t i = 0; i < 2; i++)
		json_decref(races[i].params);
}

/* --- pictures --- */

static json_t *picture_login(const char *picture, const char *code, const char *password)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "identifier", ORG_CODE, "password", password, "picture", picture,
			 "picture_code", code);
}

/* The answer never leaves the desk, so the test puts a picture of its own there. */
static void put_picture(struct fx *x, uint8_t byte, const char *code, char ret[2 * PICTURE_ID + 1])
{
	uint8_t id[PICTURE_ID], hash[32];
	struct db *db = NULL;
	struct fault f = {0};
	memset(id, byte, sizeof(id));
	picture_hash(x->desk, id, code, hash);
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(
		store_end(x->desk->store, db, store_picture_put(db, id, hash, clock_now(), clock_now() + 300, &f), &f),
		OK);
	hex_lower(id, sizeof(id), ret);
}

static void test_picture_always(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char id[2 * PICTURE_ID + 1];
	(void)state;
	fx_picture_code(x, "always");
	fx_refused(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, INITIAL), "picture_wanted");
	fx_refused(x, UID_SUBSCRIBER, "account.sms", sms(NULL, "register", ORG_MOBILE), "picture_wanted");
	put_picture(x, 1, "ACEFH", id);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", picture_login(id, "acefh", INITIAL)));
	/* Once, right or wrong. */
	fx_refused(x, UID_SUBSCRIBER, "account.login", picture_login(id, "ACEFH", INITIAL), "picture_wrong");
	put_picture(x, 2, "ACEFH", id);
	fx_refused(x, UID_SUBSCRIBER, "account.login", picture_login(id, "ACEFK", INITIAL), "picture_wrong");
	fx_refused(x, UID_SUBSCRIBER, "account.login", picture_login(id, "ACEFH", INITIAL), "picture_wrong");
	/* Another picture's answer, one that is over, one that never was. */
	put_picture(x, 3, "KLMNP", id);
	fx_refused(x, UID_SUBSCRIBER, "account.login", picture_login(id, "ACEFH", INITIAL), "picture_wrong");
	put_picture(x, 4, "ACEFH", id);
	clock_set(NOW + 300);
	fx_refused(x, UID_SUBSCRIBER, "account.login", picture_login(id, "ACEFH", INITIAL), "picture_wrong");
	clock_set(NOW - 3600);
	fx_refused(x, UID_SUBSCRIBER, "account.login", picture_login(id, "ACEFH", INITIAL), "picture_wrong");
	fx_refused(x, UID_SUBSCRIBER, "account.login",
		   picture_login("00000000000000000000000000000000", "ACEFH", INITIAL), "picture_wrong");
	fx_refused(x, UID_SUBSCRIBER, "account.login",
		   picture_login("not hex, but thirty-two letters.", "ACEFH", INITIAL), "picture_wrong");
}

static void test_picture_after_failures(void **state)
{
	static const char *const names[] = {ORG_CODE, "99999999-9"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char id[2 * PICTURE_ID + 1];
	(void)state;
	fx_picture_code(x, "after_failures");
	for (size_t n = 0; n < 2; n++) {
		for (size_t i = 0; i < 3; i++)
			fx_refused(x, UID_SUBSCRIBER, "account.login", login(names[n], "wrong"), "login_wrong");
		fx_refused(x, UID_SUBSCRIBER, "account.login", login(names[n], INITIAL), "picture_wanted");
	}
	put_picture(x, 1, "ACEFH", id);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", picture_login(id, "ACEFH", INITIAL)));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.login", login(ORG_CODE, INITIAL)));
	/* One password, many names: it is the address that is asked. */
	for (int i = 0; i < 14; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%08d-0", i);
		fx_refused(x, UID_SUBSCRIBER, "account.login", login(name, INITIAL), "login_wrong");
	}
	fx_refused(x, UID_SUBSCRIBER, "account.login", login("another", INITIAL), "picture_wanted");
	json_decref(fx_do(x, UID_OTHER, "account.login", login(OTHER_CODE, INITIAL)));
	/* And messages: three an hour are without. */
	for (int i = 0; i < 3; i++) {
		json_decref(fx_do(x, UID_OTHER, "account.sms", sms(NULL, "register", "13900000009")));
		clock_set(clock_now() + 60);
	}
	fx_refused(x, UID_OTHER, "account.sms", sms(NULL, "register", "13900000009"), "picture_wanted");
	/* From an address half of what it may ask for, so that several people of one office are not asked. */
	for (int i = 3; i < 15; i++) {
		char mobile[12];
		snprintf(mobile, sizeof(mobile), "139000002%02d", i);
		json_decref(fx_do(x, UID_OTHER, "account.sms", sms(NULL, "register", mobile)));
	}
	fx_refused(x, UID_OTHER, "account.sms", sms(NULL, "register", "13900000300"), "picture_wanted");
}

static void test_pictures_are_pngs_of_their_own(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(json_freep) json_t *a = fx_do(x, UID_SUBSCRIBER, "account.picture", NULL),
				     *b = fx_do(x, UID_SUBSCRIBER, "account.picture", NULL);
	_cleanup_buf_ struct buf png = {0};
	assert_string_not_equal(fx_text(a, "picture"), fx_text(b, "picture"));
	assert_string_not_equal(fx_text(a, "png"), fx_text(b, "png"));
	assert_true(base64_decode(fx_text(a, "png"), strlen(fx_text(a, "png")), &png));
	assert_memory_equal(png.data, "\x89PNG\r\n\x1a\n", 8);
	assert_non_null(strstr(fx_text(json_object_get(a, "alternative"), "zh"), "0579-00000000"));
	/* No two of one text are alike. */
	for (const char *c = PICTURE_ALPHABET; *c; c++) {
		_cleanup_buf_ struct buf one = {0}, two = {0};
		struct fault f = {0};
		char text[] = {*c, *c, *c, '\0'};
		assert_int_equal(picture_draw(text, &one, &f), OK);
		assert_int_equal(picture_draw(text, &two, &f), OK);
		assert_false(slice_eq(buf_slice(&one), buf_slice(&two)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_before_the_proof),
		cmocka_unit_test(test_proof_by_key),
		cmocka_unit_test(test_revoked_key_proves_nothing),
		cmocka_unit_test(test_proof_by_officer),
		cmocka_unit_test(test_officers_code_dies),
		cmocka_unit_test(test_proof_by_sms_to_the_number_on_record),
		cmocka_unit_test(test_no_proof_as_in_the_guide),
		cmocka_unit_test(test_code_is_resent_after_a_minute),
		cmocka_unit_test(test_code_dies),
		cmocka_unit_test(test_code_has_five_tries),
		cmocka_unit_test(test_code_is_of_its_number_purpose_and_account),
		cmocka_unit_test(test_limits_of_codes),
		cmocka_unit_test(test_addresses_of_one_network_count_together),
		cmocka_unit_test(test_same_call_sends_once),
		cmocka_unit_test(test_numbers_that_cannot_be_sent_to),
		cmocka_unit_test(test_codes_are_in_the_spool_alone),
		cmocka_unit_test(test_outbox_waits_and_gives_up),
		cmocka_unit_test(test_two_sessions_reset_once),
		cmocka_unit_test(test_one_number_is_bound_once),
		cmocka_unit_test(test_picture_always),
		cmocka_unit_test(test_picture_after_failures),
		cmocka_unit_test(test_pictures_are_pngs_of_their_own),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
