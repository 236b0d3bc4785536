/*
 * Reminders of a certificate's end: which, when, to whom, once.
 */
#include "ra_fixture.h"

#include "ra/remind.h"
#include "ra/status_index.h"
#include "ra/store_remind.h"

#include <string.h>

/* A certificate of the first organisation that ends then. Gives its id. */
static int64_t cert(struct fx *x, uint8_t serial, int64_t not_after)
{
	struct db *db = NULL;
	struct fault f = {0};
	struct account a;
	struct cert_row row = {
		.ref.serial = {.b = {serial, 1, 2}, .n = 3}, .not_before = NOW - DAY, .not_after = not_after};
	struct cert_body body = {
		.name = "擎洲测试投标人6", .issuer_name = "CA", .project = "jinhua", .profile = "organisation"};
	int64_t id = 0;
	bool added = false;
	buf_add(&body.der, &serial, 1);
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_account_by_name(db, ORG_CODE, &a, &f), OK);
	row.account = a.id;
	assert_int_equal(store_cert_add(db, &row, &body, &id, &added, &f), OK);
	assert_int_equal(store_end(x->desk->store, db, OK, &f), OK);
	assert_true(added);
	cert_body_done(&body);
	return id;
}

static void write_in(struct fx *x, const char *sql, int64_t a, int64_t b)
{
	struct db *db = NULL;
	struct fault f = {0};
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_end(x->desk->store, db, db_run(db, &f, sql, "ii", a, b), &f), OK);
}

/* As many certificates are reminded of at that time. */
static void turn(struct fx *x, int64_t now, size_t wanted)
{
	struct fault f = {0};
	size_t n = 0;
	clock_set(now);
	if (remind_turn(x->desk, now, &n, &f) != OK)
		fail_msg("%s", f.text);
	if (n != wanted)
		fail_msg("at %s: found %zu reminders, wanted %zu", UTC(now), n, wanted);
}

static struct fx *scene(void)
{
	struct fx *x = fx_new();
	fx_log_in(x);
	turn(x, NOW, 0); /* the marks stand */
	return x;
}

static void said(struct fx *x, const char *to, const char *left)
{
	_cleanup_(json_freep) json_t *m = fx_message(x, to, "expiry");
	assert_non_null(m);
	if (!strstr(fx_text(m, "en"), left))
		fail_msg("found %s, wanted %s", fx_text(m, "en"), left);
}

static void test_four_times_once_each(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	int64_t end = NOW + 100 * DAY + 3600;
	static const struct {
		int64_t days;
		const char *said;
	} rows[] = {{90, "days left: 90"}, {30, "days left: 30"}, {7, "days left: 7"}, {1, "days left: 1"}};
	(void)state;
	cert(x, 1, end);
	turn(x, NOW + 9 * DAY, 0);
	for (size_t i = 0; i < 4; i++) {
		turn(x, end - rows[i].days * DAY - 1, 0);
		turn(x, end - rows[i].days * DAY, 1);
		turn(x, end - rows[i].days * DAY, 0);
		said(x, ORG_MOBILE, rows[i].said);
		turn(x, end - rows[i].days * DAY + 3600, 0);
	}
	turn(x, end - 3600, 0);
	turn(x, end + DAY, 0);
}

/* Followed, revoked, ended, of nobody: not a word. On hold: it may be released. */
static void test_which(void **state)
{
	static const struct {
		const char *sql;
		size_t wanted;
	} rows[] = {{"UPDATE certs SET successor = ?2 WHERE id = ?1", 0},
		    {"UPDATE certs SET state = 2 WHERE id = ?1 AND ?2 > 0", 0},
		    {"UPDATE certs SET state = 3 WHERE id = ?1 AND ?2 > 0", 0},
		    {"UPDATE certs SET account = NULL WHERE id = ?1 AND ?2 > 0", 0},
		    {"UPDATE certs SET state = 1 WHERE id = ?1 AND ?2 > 0", 1}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = scene();
		int64_t next = cert(x, 2, NOW + 1000 * DAY);
		write_in(x, rows[i].sql, cert(x, 1, NOW + 91 * DAY), next);
		turn(x, NOW + DAY, rows[i].wanted);
	}
}

/* The desk was down: the nearest of what was missed, and not all. */
static void test_caught_up_by_the_nearest(void **state)
{
	static const struct {
		int64_t down_days;
		size_t wanted;
		const char *said;
	} rows[] = {{5, 0, NULL},
		    {20, 1, "days left: 80"},
		    {65, 1, "days left: 35"},
		    {75, 1, "days left: 25"},
		    {96, 1, "days left: 4"},
		    {99, 1, "days left: 1"},
		    {100, 0, NULL},
		    {400, 0, NULL}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = scene();
		cert(x, 1, NOW + 100 * DAY);
		turn(x, NOW + rows[i].down_days * DAY, rows[i].wanted);
		turn(x, NOW + rows[i].down_days * DAY + 60, 0);
		if (rows[i].said)
			said(x, ORG_MOBILE, rows[i].said);
	}
}

/* Ends on 29 February and the last of its hours, across a leap day: days are days. */
static void test_leap_days(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	int64_t end = time_from_civil((struct civil){2028, 2, 29, 4, 0, 0});
	int64_t after = time_from_civil((struct civil){2028, 3, 1, 4, 0, 0});
	(void)state;
	cert(x, 1, end);
	cert(x, 2, after);
	turn(x, end - 91 * DAY, 0);
	turn(x, time_from_civil((struct civil){2027, 12, 1, 4, 0, 0}), 1);
	turn(x, time_from_civil((struct civil){2027, 12, 2, 4, 0, 0}), 1);
	turn(x, time_from_civil((struct civil){2028, 2, 28, 4, 0, 0}), 2);
	turn(x, time_from_civil((struct civil){2028, 2, 29, 4, 0, 0}), 1);
}

static void test_not_at_night(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	cert(x, 1, NOW + 90 * DAY + 13 * 3600); /* the ninetieth day begins at 21:00 in Shanghai */
	turn(x, NOW + 13 * 3600, 0);
	turn(x, NOW + DAY - 1, 0);
	turn(x, NOW + DAY, 1);
}

/* A clock that was years ahead and is right again: nothing is lost, nothing comes twice. */
static void test_a_clock_that_was_ahead(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	cert(x, 1, NOW + 91 * DAY);
	cert(x, 2, NOW + 500 * DAY);
	turn(x, NOW + DAY, 1);
	turn(x, NOW + 415 * DAY, 1);
	turn(x, NOW + 2 * DAY, 0);
	turn(x, NOW + 61 * DAY, 1);
	turn(x, NOW + 410 * DAY, 0);
	turn(x, NOW + 415 * DAY, 0);
	turn(x, NOW + 470 * DAY, 1);
}

/* Many of one second are taken in more than one transaction, each once; and the next day none. */
static void test_many_of_one_second(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	struct db *db = NULL;
	struct fault f = {0};
	(void)state;
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	for (int64_t i = 0; i < 450; i++) {
		struct cert_row row = {.ref.serial = {.b = {7, (uint8_t)(i >> 8), (uint8_t)i}, .n = 3},
				       .not_after = NOW + 91 * DAY,
				       .account = 1};
		int64_t id;
		assert_int_equal(store_cert_row_add(db, &row, &id, &f), OK);
	}
	assert_int_equal(store_end(x->desk->store, db, OK, &f), OK);
	turn(x, NOW + DAY, 450);
	turn(x, NOW + 2 * DAY, 0);
}

/* The bound number and the mail address; for who never logged in, the number on record, unless it is malformed. */
static void test_to_whom(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact",
			  json_pack("{s:s,s:s}", "session", x->session, "mail", "a@example.com")));
	cert(x, 1, NOW + 91 * DAY);
	turn(x, NOW + DAY, 1);
	said(x, ORG_MOBILE, "擎洲测试投标人6");
	said(x, "a@example.com", "days left: 90");
	/* A frozen account is perhaps a stranger's: the number on record, which is malformed here. */
	cert(x, 2, NOW + 92 * DAY);
	write_in(x, "UPDATE accounts SET frozen = 1 WHERE identifier = '" ORG_CODE "' AND ?1 = ?2", 1, 1);
	turn(x, NOW + 2 * DAY, 1);
	_cleanup_(json_freep) json_t *none = fx_message(x, ORG_MOBILE, "expiry");
	assert_null(none);
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_OFFICER, "notice.list", json_pack("{s:s}", "state", "unsendable"));
	json_t *row = json_array_get(json_object_get(r, "notices"), 0);
	assert_string_equal(fx_text(row, "template"), "expiry");
}

/* Nothing can follow a certificate whose CA the root has revoked: nobody is asked to extend it. */
static void test_ca_revoked(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	static const uint8_t issuer[20];
	int64_t end = NOW + 25 * DAY;
	(void)state;
	cert(x, 1, end);
	status_issuer_set(x->desk->status, issuer, 1);
	turn(x, end - 7 * DAY, 0);
	status_issuer_set(x->desk->status, issuer, 0);
	turn(x, end - DAY, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_four_times_once_each),
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_caught_up_by_the_nearest),
		cmocka_unit_test(test_leap_days),
		cmocka_unit_test(test_not_at_night),
		cmocka_unit_test(test_a_clock_that_was_ahead),
		cmocka_unit_test(test_many_of_one_second),
		cmocka_unit_test(test_to_whom),
		cmocka_unit_test(test_ca_revoked),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
