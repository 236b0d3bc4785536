/*
 * Messages with a notifier: taken under a lease, reported on, due again, dead in time; what officers see and do.
 */
#include "ra_fixture.h"

#include "ra/outbox.h"
#include "ra/sealed.h"
#include "ra/store.h"
#include "ra/store_outbox.h"

#include <sqlite3.h>
#include <string.h>

#define BY_NOTIFIER "notices: {by: notifier}\n"
#define MOBILE "13900000009"
#define LEASE "lease-of-the-tests-"

static struct fx *scene(void)
{
	struct fx *x = fx_new();
	fx_log_in(x);
	fx_configure(x, BY_NOTIFIER);
	return x;
}

/* A code for a number that nobody has. */
static void ask_code(struct fx *x, const char *mobile)
{
	json_decref(
		fx_do(x, UID_OTHER, "account.sms", json_pack("{s:s,s:s}", "purpose", "register", "mobile", mobile)));
}

static json_t *take_params(const char *channel, const char *lease)
{
	return json_pack("{s:s,s:s}", "channel", channel, "lease", lease);
}

/* Gives the message, or NULL. */
static json_t *take(struct fx *x, const char *channel, const char *lease)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_NOTIFIER, "notice.take", take_params(channel, lease));
	json_t *m = json_object_get(r, "notice");
	return m ? json_incref(m) : NULL;
}

static void none(struct fx *x, const char *channel, const char *lease)
{
	_cleanup_(json_freep) json_t *m = take(x, channel, lease);
	assert_null(m);
}

static void done(struct fx *x, const char *id, const char *result, const char *error, const char *state)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_NOTIFIER, "notice.done",
		      json_pack("{s:s,s:s,s:s*}", "notice", id, "result", result, "error", error));
	assert_string_equal(fx_text(r, "state"), state);
}

static void turn(struct fx *x)
{
	struct fault f = {0};
	size_t n = 0;
	assert_int_equal(outbox_turn(x->desk, &n, &f), OK);
	assert_int_equal(n, 0); /* nothing goes to the spool */
}

static json_t *show(struct fx *x, const char *id)
{
	return fx_do(x, UID_OFFICER, "notice.show", json_pack("{s:s}", "notice", id));
}

static void shows(struct fx *x, const char *id, const char *key, const char *value)
{
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_string_equal(fx_text(r, key), value);
}

/* --- taking --- */

static enum err unlease(struct fx *x, const char *id, const char *lease, struct fault *f)
{
	struct db *db;
	TRY(store_begin(x->desk->store, &db, f));
	return store_end(x->desk->store, db, store_message_unlease(db, id, lease, clock_now(), f), f);
}

static void test_taken_once_under_a_lease(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	ask_code(x, MOBILE);
	turn(x);
	none(x, "mail", LEASE "1");
	_cleanup_(json_freep) json_t *m = take(x, "sms", LEASE "1"), *again = take(x, "sms", LEASE "1");
	assert_string_equal(fx_text(m, "to"), MOBILE);
	assert_non_null(strstr(fx_text(m, "text"), "验证码 "));
	assert_null(json_object_get(m, "subject"));
	assert_int_equal(json_integer_value(json_object_get(m, "tries")), 1);
	assert_true(json_equal(m, again));
	none(x, "sms", LEASE "2");
	/* The same after a crash of the desk. */
	fx_restart(x);
	none(x, "sms", LEASE "2");
	done(x, fx_text(m, "id"), "sent", NULL, "sent");
	done(x, fx_text(m, "id"), "sent", NULL, "sent");
	none(x, "sms", LEASE "1");
	shows(x, fx_text(m, "id"), "state", "sent");
	/* A word that comes late does not undo it. */
	done(x, fx_text(m, "id"), "later", "timeout", "sent");
	done(x, fx_text(m, "id"), "refused", "timeout", "sent");
}

/* Its caller has hung up. */
static void test_a_lease_that_nobody_heard_of(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	struct fault f = {0};
	(void)state;
	ask_code(x, MOBILE);
	turn(x);
	_cleanup_(json_freep) json_t *m = take(x, "sms", LEASE "1");
	assert_int_equal(unlease(x, fx_text(m, "id"), LEASE "2", &f), OK); /* another's: nothing changes */
	none(x, "sms", LEASE "3");
	assert_int_equal(unlease(x, fx_text(m, "id"), LEASE "1", &f), OK);
	_cleanup_(json_freep) json_t *next = take(x, "sms", LEASE "2"), *again = take(x, "sms", LEASE "2");
	assert_string_equal(fx_text(next, "id"), fx_text(m, "id"));
	assert_int_equal(json_integer_value(json_object_get(next, "tries")), 1); /* the other was none */
	assert_true(json_equal(next, again));
	/* The same caller over another connection: it has the message, whatever became of the first. */
	assert_int_equal(unlease(x, fx_text(m, "id"), LEASE "2", &f), OK);
	none(x, "sms", LEASE "3");
	done(x, fx_text(m, "id"), "sent", NULL, "sent");
	assert_int_equal(unlease(x, fx_text(m, "id"), LEASE "2", &f), OK);
	shows(x, fx_text(m, "id"), "state", "sent");
}

static void test_a_lease_runs_out(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	ask_code(x, MOBILE);
	_cleanup_(json_freep) json_t *m = take(x, "sms", LEASE "1");
	clock_set(NOW + 119);
	none(x, "sms", LEASE "2");
	clock_set(NOW + 120);
	_cleanup_(json_freep) json_t *again = take(x, "sms", LEASE "2");
	assert_string_equal(fx_text(again, "id"), fx_text(m, "id"));
	assert_string_equal(fx_text(again, "text"), fx_text(m, "text"));
	assert_int_equal(json_integer_value(json_object_get(again, "tries")), 2);
	/* The old lease has nothing any more; what its taker did is true all the same. */
	none(x, "sms", LEASE "1");
	done(x, fx_text(m, "id"), "sent", NULL, "sent");
	none(x, "sms", LEASE "2");
}

/* Each pause is longer than the one before, up to a bound; and a code is never given out when it is dead. */
static void test_later_and_never_late(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	int64_t due = NOW, pause = 0;
	char id[MESSAGE_ID + 1] = "";
	(void)state;
	ask_code(x, MOBILE);
	for (int try = 0; try < 5; try++) {
		clock_set(due);
		_cleanup_(json_freep) json_t *m = take(x, "sms", LEASE "1");
		assert_non_null(m);
		snprintf(id, sizeof(id), "%s", fx_text(m, "id"));
		done(x, id, "later", "the server is away", "waiting");
		none(x, "sms", LEASE "1");
		assert_true(outbox_pause_s(try + 1) > pause);
		pause = outbox_pause_s(try + 1);
		clock_set(due + pause - 1);
		none(x, "sms", LEASE "1");
		due += pause;
	}
	shows(x, id, "error", "the server is away");
	clock_set(NOW + 600);
	none(x, "sms", LEASE "1");
	turn(x);
	shows(x, id, "state", "expired");
	assert_int_equal(outbox_pause_s(1000), 300);
	/* It was sent in the last second after all: that is true, and is said. */
	done(x, id, "sent", NULL, "sent");
}

static json_t *contact(struct fx *x, const char *mail, const char *language)
{
	return json_pack("{s:s,s:s*,s:s*}", "session", x->session, "mail", mail, "language", language);
}

static void test_codes_go_before_notices(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact", contact(x, "a@example.com", NULL)));
	clock_set(NOW + 60);
	ask_code(x, MOBILE);
	static const char *const wanted[] = {"code", "mail"};
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *lease = xasprintf(LEASE "%zu", i);
		_cleanup_(json_freep) json_t *m = take(x, "sms", lease);
		assert_string_equal(fx_text(m, "template"), wanted[i]);
	}
}

static void test_who_may_take(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	/* The desk fills its own spool: no two roads for one message. */
	fx_refused(x, UID_NOTIFIER, "notice.take", take_params("sms", LEASE "1"), "notices_spooled");
	fx_configure(x, BY_NOTIFIER);
	none(x, "sms", LEASE "1");
	fx_refused(x, UID_OFFICER, "notice.take", take_params("sms", LEASE "1"), "method_denied");
	fx_refused(x, UID_NOTIFIER, "notice.list", NULL, "method_denied");
	fx_refused(x, UID_NOTIFIER, "notice.take", take_params("fax", LEASE "1"), "param_word");
	fx_refused(x, UID_NOTIFIER, "notice.done",
		   json_pack("{s:s,s:s}", "notice", "00000000000000000000000000000000", "result", "sent"),
		   "notice_unknown");
	x->desk->forked = true;
	fx_refused(x, UID_NOTIFIER, "notice.take", take_params("sms", LEASE "1"), "ledger_fork");
	x->desk->forked = false;
}

/* Neither a lease nor an answer leaves a code in the database in the clear. */
static void test_texts_are_stored_nowhere(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	static const char *const files[] = {"state/desk.db", "state/desk.db-wal"};
	struct fault f = {0};
	size_t looked = 0;
	(void)state;
	ask_code(x, MOBILE);
	_cleanup_(json_freep) json_t *m = take(x, "sms", LEASE "1");
	const char *text = fx_text(m, "text");
	assert_true(strlen(text) > 20);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf bytes = {0};
		_cleanup_(freep) char *path = path_join(x->dir, files[i]);
		if (!file_exists(path))
			continue;
		assert_int_equal(file_read(path, 16u << 20, &bytes, &f), OK);
		assert_null(memmem(bytes.data, bytes.len, text, strlen(text)));
		looked++;
	}
	assert_true(looked > 0);
}

/* --- officers --- */

static void test_failed_shown_and_tried_again(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact", contact(x, "a@example.com", NULL)));
	_cleanup_(json_freep) json_t *m = take(x, "mail", LEASE "1");
	const char *id = fx_text(m, "id");
	fx_refused(x, UID_OFFICER, "notice.retry", json_pack("{s:s}", "notice", id), "notice_state");
	done(x, id, "refused", "550 5.1.1 no such user", "failed");
	none(x, "mail", LEASE "1");
	_cleanup_(json_freep) json_t *shown = show(x, id);
	assert_string_equal(fx_text(shown, "error"), "550 5.1.1 no such user");
	assert_string_equal(fx_text(shown, "text"), fx_text(m, "text"));
	assert_string_equal(fx_text(shown, "identifier"), ORG_CODE);
	_cleanup_(json_freep) json_t *health = fx_do(x, UID_ADMIN, "desk.health", NULL);
	assert_int_equal(json_integer_value(json_object_get(health, "messages_failed")), 1);
	json_decref(fx_do(x, UID_OFFICER, "notice.retry", json_pack("{s:s}", "notice", id)));
	_cleanup_(json_freep) json_t *again = take(x, "mail", LEASE "2");
	assert_string_equal(fx_text(again, "id"), id);
	done(x, id, "refused", "550 5.1.1 no such user", "failed");
	/* When it is dead its text goes, and nobody sends it. */
	clock_set(NOW + 7 * DAY);
	turn(x);
	shows(x, id, "text", "");
	shows(x, id, "state", "failed");
	fx_refused(x, UID_OFFICER, "notice.retry", json_pack("{s:s}", "notice", id), "notice_dead");
	fx_refused(x, UID_OFFICER, "notice.retry", json_pack("{s:s}", "notice", "ffffffffffffffffffffffffffffffff"),
		   "notice_unknown");
	fx_refused(x, UID_SUBSCRIBER, "notice.show", json_pack("{s:s}", "notice", id), "method_denied");
}

static void test_codes_are_not_shown(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	ask_code(x, MOBILE);
	_cleanup_(json_freep) json_t *m = take(x, "sms", LEASE "1");
	done(x, fx_text(m, "id"), "refused", "number unknown", "failed");
	_cleanup_(json_freep) json_t *shown = show(x, fx_text(m, "id"));
	assert_true(json_is_true(json_object_get(shown, "closed")));
	assert_null(json_object_get(shown, "text"));
	assert_false(outbox_is_open("code"));
	assert_false(outbox_is_open("bound"));
	assert_false(outbox_is_open("no-such-template"));
	assert_true(outbox_is_open("expiry"));
}

static json_t *list(struct fx *x, json_t *params)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "notice.list", params);
	return json_incref(r);
}

static void listed(struct fx *x, json_t *params, size_t n, bool more)
{
	_cleanup_(json_freep) json_t *r = list(x, params);
	assert_int_equal(json_array_size(json_object_get(r, "notices")), n);
	assert_int_equal(json_is_true(json_object_get(r, "more")), more);
}

static void test_list(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	char before[MESSAGE_ID + 1] = "";
	size_t n = 0;
	(void)state;
	clock_set(NOW + 60);
	for (int i = 0; i < 5; i++) {
		_cleanup_(freep) char *mobile = xasprintf("1390000010%d", i);
		ask_code(x, mobile);
	}
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact", contact(x, "a@example.com", "en")));
	listed(x, json_pack("{s:s,s:s}", "state", "waiting", "channel", "sms"), 6, false);
	listed(x, json_pack("{s:s}", "channel", "mail"), 1, false);
	listed(x, json_pack("{s:s,s:i}", "state", "waiting", "limit", 3), 3, true);
	listed(x, json_pack("{s:s,s:s}", "identifier", ORG_CODE, "state", "waiting"), 2, false);
	listed(x, json_pack("{s:s,s:s}", "identifier", OTHER_CODE, "state", "waiting"), 0, false);
	fx_refused(x, UID_OFFICER, "notice.list", json_pack("{s:s}", "identifier", "NOBODY"), "account_unknown");
	fx_refused(x, UID_OFFICER, "notice.list", json_pack("{s:s}", "before", "ffffffffffffffffffffffffffffffff"),
		   "notice_unknown");
	/* Page by page, each once; numbers are masked. */
	for (;;) {
		_cleanup_(json_freep) json_t *r = list(x, json_pack("{s:s,s:i,s:s*}", "state", "waiting", "limit", 2,
								    "before", before[0] ? before : NULL));
		json_t *rows = json_object_get(r, "notices"), *row;
		size_t i;
		json_array_foreach(rows, i, row)
		{
			assert_string_not_equal(fx_text(row, "notice"), before);
			snprintf(before, sizeof(before), "%s", fx_text(row, "notice"));
			if (strcmp(fx_text(row, "channel"), "sms") == 0)
				assert_non_null(strstr(fx_text(row, "to"), "****"));
			n++;
		}
		if (!json_is_true(json_object_get(r, "more")))
			break;
	}
	assert_int_equal(n, 7);
}

/* --- languages and addresses --- */

static void test_language_of_the_person(void **state)
{
	static const struct {
		const char *language;
		bool zh, en, mail_zh, mail_en;
	} rows[] = {
		{NULL, true, false, true, true}, {"zh", true, false, true, false}, {"en", false, true, false, true}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = scene();
		json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact", contact(x, "a@example.com", rows[i].language)));
		_cleanup_(json_freep) json_t *sms = take(x, "sms", LEASE "1"), *mail = take(x, "mail", LEASE "2");
		assert_int_equal(strstr(fx_text(sms, "text"), "通知邮箱") != NULL, rows[i].zh);
		assert_int_equal(strstr(fx_text(sms, "text"), "Notices of") != NULL, rows[i].en);
		assert_int_equal(strstr(fx_text(mail, "text"), "通知邮箱") != NULL, rows[i].mail_zh);
		assert_int_equal(strstr(fx_text(mail, "text"), "Notices of") != NULL, rows[i].mail_en);
		assert_int_equal(strstr(fx_text(mail, "subject"), "账户") != NULL, rows[i].mail_zh);
		assert_int_equal(strstr(fx_text(mail, "subject"), "Where") != NULL, rows[i].mail_en);
	}
}

/* Whoever had the notices hears that they go elsewhere; the same again tells nobody. */
static void test_contact(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	static const char *const bad[] = {"",
					  "a",
					  "a@",
					  "@example.com",
					  "a@example",
					  "a b@example.com",
					  "a@example.com\r\nRCPT TO:<b@example.com>",
					  "<a@example.com>",
					  "a@@example.com",
					  "a@exa mple.com",
					  "a..b@example.com",
					  ".a@example.com",
					  "a@-example.com",
					  "a@example.com.",
					  "a@127.0.0.1",
					  "a@[127.0.0.1]",
					  "\"a b\"@example.com",
					  "张@example.com",
					  "-oQ/tmp@example.com",
					  "a,b@example.com",
					  "a@example.com>"};
	(void)state;
	for (size_t i = 1; i < sizeof(bad) / sizeof(bad[0]); i++)
		fx_refused(x, UID_SUBSCRIBER, "account.contact", contact(x, bad[i], NULL), "mail_form");
	fx_refused(x, UID_SUBSCRIBER, "account.contact", contact(x, NULL, "fr"), "param_word");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact", contact(x, "old@example.com", NULL)));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact", contact(x, "new@mail.example.com", "en")));
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact", contact(x, "new@mail.example.com", NULL)));
	_cleanup_(json_freep) json_t *shown =
		fx_do(x, UID_SUBSCRIBER, "account.show", json_pack("{s:s}", "session", x->session));
	assert_string_equal(fx_text(shown, "mail"), "new@mail.example.com");
	assert_string_equal(fx_text(shown, "language"), "en");
	listed(x, json_pack("{s:s}", "channel", "mail"), 3, false);
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact", contact(x, "", NULL)));
	listed(x, json_pack("{s:s}", "channel", "mail"), 4, false);
	_cleanup_(json_freep) json_t *gone =
		fx_do(x, UID_SUBSCRIBER, "account.show", json_pack("{s:s}", "session", x->session));
	assert_null(json_object_get(gone, "mail"));
}

#define HANGZHOU "  telephone: 0571-00000000\n  emergency: 0571-00000001\n  sms_sender: 杭州服务\n"

/* A binding tells the old number: by that account's desk, whichever comes first in the policy. */
static void told(struct fx *x, bool other, const char *sender, const char *telephone)
{
	json_decref(fx_do(x, other ? UID_OTHER : UID_SUBSCRIBER, "account.sms",
			  json_pack("{s:s,s:s}", "session", other ? x->other_session : x->session, "purpose", "old")));
	_cleanup_(json_freep) json_t *code = take(x, "sms", LEASE "1");
	assert_non_null(code);
	assert_string_equal(fx_text(code, "sender"), sender);
	done(x, fx_text(code, "id"), "sent", NULL, "sent");
	_cleanup_(json_freep) json_t *reply = fx_call(
		x, other ? UID_OTHER : UID_SUBSCRIBER, "order.show",
		json_pack("{s:s,s:s}", "session", other ? x->other_session : x->session, "order", "no-such-order"));
	json_t *contact = json_object_get(json_object_get(json_object_get(reply, "error"), "data"), "contact");
	assert_string_equal(fx_text(contact, "telephone"), telephone);
}

static void test_each_account_by_its_own_desk(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	fx_second_project(x, HANGZHOU);
	clock_set(NOW + 600); /* the codes of the log-in are dead, others may be asked for */
	told(x, false, "", "0579-00000000");
	told(x, true, "杭州服务", "0571-00000000");
	/* The telephone stands in the text too. */
	json_decref(fx_do(x, UID_OTHER, "account.contact",
			  json_pack("{s:s,s:s}", "session", x->other_session, "mail", "desk@example.com")));
	_cleanup_(json_freep) json_t *sms = take(x, "sms", LEASE "2"), *mail = take(x, "mail", LEASE "3");
	assert_string_equal(fx_text(sms, "sender"), "杭州服务");
	assert_non_null(strstr(fx_text(sms, "text"), "0571-00000000"));
	assert_non_null(strstr(fx_text(mail, "text"), "0571-00000000"));
	assert_null(json_object_get(mail, "sender"));
}

/* What an earlier desk has posted has no text and no subject of its own. */
static void test_older_messages(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	struct db *db = NULL;
	struct fault f = {0};
	_cleanup_(message_done) struct message m = {.id = "0123456789abcdef0123456789abcdef",
						    .channel = "sms",
						    .recipient = MOBILE,
						    .template = "password",
						    .state = "waiting",
						    .made = NOW,
						    .dies = NOW + DAY,
						    .next_at = NOW};
	(void)state;
	sealed_put(x->desk, slice_str("{\"zh\": \"旧\", \"en\": \"old\"}"), &m.sealed);
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_end(x->desk->store, db, store_message_add(db, &m, &f), &f), OK);
	_cleanup_(json_freep) json_t *taken = take(x, "sms", LEASE "1");
	assert_string_equal(fx_text(taken, "text"), "旧");
}

static void test_notifier_must_be_there(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *path = path_join(x->dir, "none.yaml");
	struct ra_config config;
	struct fault f = {0};
	(void)state;
	fx_write(
		x, "none.yaml",
		"state: state\nsocket: d\nsigner_socket: s\npolicies: p\nroster: r\nra_key: k\nlog_key: l\nra_name: n\n"
		"callers:\n  - {uid: 1, roles: [officer]}\n" BY_NOTIFIER);
	assert_int_equal(ra_config_load(path, &config, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "notifier_missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_once_under_a_lease),
		cmocka_unit_test(test_a_lease_runs_out),
		cmocka_unit_test(test_a_lease_that_nobody_heard_of),
		cmocka_unit_test(test_later_and_never_late),
		cmocka_unit_test(test_codes_go_before_notices),
		cmocka_unit_test(test_who_may_take),
		cmocka_unit_test(test_texts_are_stored_nowhere),
		cmocka_unit_test(test_failed_shown_and_tried_again),
		cmocka_unit_test(test_codes_are_not_shown),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_language_of_the_person),
		cmocka_unit_test(test_contact),
		cmocka_unit_test(test_each_account_by_its_own_desk),
		cmocka_unit_test(test_older_messages),
		cmocka_unit_test(test_notifier_must_be_there),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
