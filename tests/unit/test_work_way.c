/*
 * Keys that the desk makes: what goes wrong on the way, and what else is going on meanwhile.
 */
#include "work_kit.h"

/* --- on the way --- */

static void test_packing(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	fx_refused(x, UID_OFFICER, "parcel.pack", with(by_dave(id), "token", TOKEN), "request_state");
	made(x, id);
	fx_refused(x, UID_OFFICER, "parcel.ship", ship_params(id), "parcel_state");
	approved(x, id);
	fx_refused(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN), "parcel_unknown");
	fx_refused(x, UID_OFFICER, "parcel.pack", with(by_dave(id), "token", OTHER_TOKEN), "token_other");
	packed(x, id);
	fx_refused(x, UID_OFFICER, "parcel.pack", with(by_dave(id), "token", TOKEN), "parcel_state");
	fx_refused(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN), "parcel_state");
	fx_refused(x, UID_OFFICER, "parcel.lost", with(by_dave(id), "note", "?"), "parcel_state");
	json_decref(fx_do(x, UID_OFFICER, "parcel.ship", ship_params(id)));
	fx_refused(x, UID_OFFICER, "parcel.ship", ship_params(id), "parcel_state");
	fx_refused(x, UID_SUBSCRIBER, "request.withdraw", of(x, id), "request_state");
	fx_refused(x, UID_OFFICER, "review.reject", with(by_dave(id), "reason", "late"), "request_state");
}

static void test_returned(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = in_post(x, "damaged");
	json_t *wrong = with(with(by_dave(id), "token", OTHER_TOKEN), "note", "nobody at home");
	fx_refused(x, UID_OFFICER, "parcel.returned", wrong, "token_other");
	json_decref(fx_do(x, UID_OFFICER, "parcel.returned",
			  with(with(by_dave(id), "token", TOKEN), "note", "nobody at home")));
	fx_state(x, id, "to_ship");
	token_is(x, TOKEN, "returned");
	fx_refused(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN), "parcel_state");
	fx_refused(x, UID_OFFICER, "parcel.ship", with(ship_params(id), "mobile", "none"), "telephone_form");
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_OFFICER, "parcel.ship", with(ship_params(id), "ship_to", "杭州市西湖区示例路 11 号"));
	assert_string_equal(fx_text(r, "address"), "杭州市西湖区示例路 11 号");
	json_decref(fx_do(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN)));
	settle(x);
	fx_state(x, id, "issued");
}

/* A key that is lost on the way is never certified, whoever has signed for it. */
static void test_lost_on_the_way(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = in_post(x, "damaged");
	json_decref(fx_do(x, UID_OFFICER, "parcel.lost", with(by_dave(id), "note", "carrier lost it")));
	settle(x);
	assert_int_equal(x->signer.n_tallies, 1); /* the withdrawal */
	assert_int_equal(x->signer.n_issued, 0);
	fx_state(x, id, "corrected");
	fx_refused(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN), "parcel_state");
	_cleanup_(freep) char *next = now_called(x, id);
	assert_string_not_equal(next, id);
	fx_state(x, next, "to_make");
	_cleanup_(json_freep) json_t *r = shown(x, next);
	assert_int_equal(json_array_size(json_object_get(r, "materials")), 4);
	assert_string_equal(fx_text(json_object_get(r, "delivery"), "recipient"), "张三");
	assert_string_equal(fx_text(r, "token"), "");
	token_is(x, TOKEN, "lost");
	fx_refused(x, UID_OFFICER, "work.csr", csr_params(x, next, TOKEN), "token_state");
	fx_refused(x, UID_OFFICER, "work.csr", csr_params(x, next, "0000"), "token_unlisted");
	json_decref(fx_do(x, UID_OFFICER, "work.csr", csr_params(x, next, OTHER_TOKEN)));
	fx_state(x, next, "keyed");
}

static void test_lost_and_closed(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = in_post(x, "damaged");
	json_t *p = with(by_dave(id), "note", "owner gives up");
	json_object_set_new(p, "close", json_true());
	json_decref(fx_do(x, UID_OFFICER, "parcel.lost", p));
	fx_state(x, id, "refused");
	settle(x);
	assert_int_equal(x->signer.n_issued, 0);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.show", of(x, id));
	assert_string_equal(fx_text(json_object_get(r, "refusal"), "rule"), "parcel_lost");
}

static void test_broken_token(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	fx_refused(x, UID_OFFICER, "work.again", with(by_dave(id), "note", "?"), "request_state");
	made(x, id);
	approved(x, id);
	packed(x, id);
	json_decref(fx_do(x, UID_OFFICER, "work.again", with(by_dave(id), "note", "it does not answer any more")));
	_cleanup_(freep) char *next = now_called(x, id);
	fx_state(x, next, "to_make");
	token_is(x, TOKEN, "damaged");
	_cleanup_(json_freep) json_t *old = fx_do(x, UID_OFFICER, "parcel.show", json_pack("{s:s}", "request", id));
	assert_string_equal(fx_text(old, "state"), "undone");
	settle(x);
	assert_int_equal(x->signer.n_issued, 0);
}

static void turn_at(struct fx *x, int64_t now)
{
	struct fault f = {0};
	clock_set(now);
	if (clockwork_turn(x->desk, &f) != OK)
		fail_msg("%s: %s", f.rule, f.text);
}

static void log_in_again(struct fx *x)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.login",
						json_pack("{s:s,s:s}", "identifier", ORG_MOBILE, "password", PASSWORD));
	free(x->session);
	x->session = xstrdup(fx_text(r, "session"));
}

static void freeze(struct fx *x, bool frozen)
{
	struct db *db = NULL;
	struct fault f = {0};
	int64_t id = fx_number(x, "SELECT id FROM accounts WHERE identifier = '" ORG_CODE "'");
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_end(x->desk->store, db, store_account_frozen(db, id, frozen, NOW, &f), &f), OK);
}

/* A stranger may have the account: no token goes there, and no start PIN to the number that was bound. */
static void test_frozen(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	made(x, id);
	approved(x, id);
	packed(x, id);
	freeze(x, true);
	fx_refused(x, UID_OFFICER, "parcel.ship", ship_params(id), "account_frozen");
	assert_null(fx_message(x, ORG_MOBILE, "start_pin"));
	freeze(x, false);
	json_decref(fx_do(x, UID_OFFICER, "parcel.ship", ship_params(id)));
	_cleanup_(json_freep) json_t *m = fx_message(x, ORG_MOBILE, "start_pin");
	assert_non_null(m);
}

static void test_overdue(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = in_post(x, "damaged");
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.contact",
			  json_pack("{s:s,s:s}", "session", x->session, "mail", "agent@example.com")));
	/* Shipped on a Monday: five working days behind it are over on the next one, at closing time. */
	turn_at(x, NOW + 7 * DAY + 9 * 3600);
	assert_null(fx_message(x, ORG_MOBILE, "parcel_overdue"));
	turn_at(x, NOW + 7 * DAY + 10 * 3600 + 1);
	_cleanup_(json_freep) json_t *m = fx_message(x, ORG_MOBILE, "parcel_overdue");
	assert_non_null(m);
	assert_non_null(strstr(fx_text(m, "zh"), "SF1234567890"));
	_cleanup_(json_freep) json_t *mail = fx_message(x, "agent@example.com", "parcel_overdue");
	assert_non_null(mail);
	assert_string_equal(fx_text(mail, "channel"), "mail");
	turn_at(x, NOW + 9 * DAY);
	assert_null(fx_message(x, ORG_MOBILE, "parcel_overdue"));
	assert_null(fx_message(x, "agent@example.com", "parcel_overdue"));
	_cleanup_(json_freep) json_t *late = fx_do(x, UID_OFFICER, "parcel.list", json_pack("{s:b}", "overdue", 1));
	assert_int_equal(json_integer_value(json_object_get(late, "total")), 1);
	assert_true(json_is_true(json_object_get(json_array_get(json_object_get(late, "parcels"), 0), "overdue")));
	_cleanup_(json_freep) json_t *health = fx_do(x, UID_ADMIN, "desk.health", NULL);
	assert_int_equal(json_integer_value(json_object_get(health, "parcels_overdue")), 1);
	log_in_again(x);
	json_decref(fx_do(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN)));
	_cleanup_(json_freep) json_t *none = fx_do(x, UID_OFFICER, "parcel.list", json_pack("{s:b}", "overdue", 1));
	assert_int_equal(json_integer_value(json_object_get(none, "total")), 0);
}

/* The tally dies in the post: its key is signed for anew, by its token, and by the officers. */
static void test_lapsed(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = in_post(x, "damaged");
	turn_at(x, NOW + 31 * DAY);
	log_in_again(x);
	fx_state(x, id, "lapsed");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN));
	_cleanup_(freep) char *next = xstrdup(fx_text(r, "request"));
	assert_string_not_equal(next, id);
	assert_string_equal(fx_text(r, "state"), "keyed");
	_cleanup_(freep) char *line = fx_sub_line(x, next, x->new_key);
	json_t *prove = of(x, next);
	json_object_set_new(prove, "lines", json_pack("[s]", line));
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove", prove));
	_cleanup_(json_freep) json_t *desk = shown(x, next);
	assert_non_null(strstr(fx_text(desk, "note_before"), "alice"));
	settle(x);
	assert_int_equal(x->signer.n_issued, 0);
	approved(x, next);
	settle(x); /* no second parcel: its owner has it */
	fx_state(x, next, "issued");
	assert_int_equal(x->signer.n_issued, 1);
}

/* It dies before it was shipped: the same, at the desk. */
static void test_lapsed_at_the_desk(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	made(x, id);
	approved(x, id);
	packed(x, id);
	turn_at(x, NOW + 31 * DAY);
	log_in_again(x);
	fx_state(x, id, "lapsed");
	fx_refused(x, UID_OFFICER, "work.csr", csr_params(x, id, OTHER_TOKEN), "token_other");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "work.csr", csr_params(x, id, TOKEN));
	_cleanup_(freep) char *next = xstrdup(fx_text(r, "request"));
	json_decref(fx_do(x, UID_OFFICER, "work.prove", line_params(x, next)));
	approved(x, next);
	fx_state(x, next, "to_ship");
	json_decref(fx_do(x, UID_OFFICER, "parcel.ship", ship_params(next)));
	json_decref(fx_do(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, next, TOKEN)));
	settle(x);
	fx_state(x, next, "issued");
}

/* Officers want a correction after the key was made: the token is free again, and the owner's next draft has none. */
static void test_corrected(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	made(x, id);
	json_decref(fx_do(x, UID_OFFICER, "review.correct",
			  json_pack("{s:s,s:[{s:s,s:s}]}", "request", id, "items", "item", "other", "reason",
				    "address incomplete")));
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "request.prepare", with(work_params(x, "damaged"), "request", id));
	_cleanup_(freep) char *next = xstrdup(fx_text(r, "request"));
	assert_string_equal(fx_text(r, "tally"), "");
	fx_submit(x, next);
	made(x, next);
}

/* --- what else is going on --- */

static json_t *step(const char *request, const char *word)
{
	return with(with(by_dave(request), "step", word), "note", "as the key centre says");
}

/* Files that the old key opens: a case that is opened late stops the parcel, and then its receipt. */
static void test_recovery_stops_it(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	made(x, id);
	approved(x, id);
	packed(x, id);
	json_t *open = json_pack("{s:s,s:s}", "session", x->session, "serial", ORG_SERIAL);
	_cleanup_(json_freep) json_t *first = fx_do(x, UID_SUBSCRIBER, "recover.open", json_incref(open));
	fx_refused(x, UID_OFFICER, "parcel.ship", ship_params(id), "recovery_open");
	json_decref(fx_do(x, UID_OFFICER, "review.recover", step(fx_text(first, "request"), "no_copy")));
	json_decref(fx_do(x, UID_OFFICER, "parcel.ship", ship_params(id)));
	json_object_del(open, "call_id");
	/* In the same second: the case that waits counts. */
	_cleanup_(json_freep) json_t *second = fx_do(x, UID_SUBSCRIBER, "recover.open", open);
	fx_refused(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN), "recovery_open");
	fx_state(x, id, "in_post");
	json_decref(fx_do(x, UID_OFFICER, "review.recover", step(fx_text(second, "request"), "no_copy")));
	json_decref(fx_do(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN)));
	fx_state(x, id, "approved");
}

static void test_withdrawn(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	made(x, id);
	approved(x, id);
	packed(x, id);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw", of(x, id)));
	fx_state(x, id, "withdrawn");
	token_is(x, TOKEN, "stock");
	_cleanup_(json_freep) json_t *p = fx_do(x, UID_OFFICER, "parcel.show", json_pack("{s:s}", "request", id));
	assert_string_equal(fx_text(p, "state"), "undone");
	settle(x);
	assert_int_equal(x->signer.n_issued, 0);
	fx_refused(x, UID_OFFICER, "parcel.ship", ship_params(id), "parcel_state");
}

static void offer_is(struct fx *x, const char *reason)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "cert.list", json_pack("{s:s}", "session", x->session));
	json_t *offers = json_object_get(json_array_get(json_object_get(r, "certificates"), 0), "offers"), *o;
	size_t i;
	json_array_foreach(offers, i, o)
	{
		if (strcmp(fx_text(o, "action"), "reissue") == 0)
			assert_string_equal(fx_text(o, "reason"), reason);
	}
	assert_true(json_array_size(offers) >= 4);
}

static void test_offers(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	offer_is(x, "");
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.hold",
			  json_pack("{s:s,s:s}", "session", x->session, "serial", ORG_SERIAL)));
	settle(x);
	cert_is(x, "held");
	offer_is(x, ""); /* what is on hold can be reissued */
	_cleanup_(freep) char *id = submitted(x, "lost");
	offer_is(x, "work_under_way");
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw", of(x, id)));
	offer_is(x, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packing),
		cmocka_unit_test(test_returned),
		cmocka_unit_test(test_lost_on_the_way),
		cmocka_unit_test(test_lost_and_closed),
		cmocka_unit_test(test_broken_token),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_overdue),
		cmocka_unit_test(test_lapsed),
		cmocka_unit_test(test_lapsed_at_the_desk),
		cmocka_unit_test(test_corrected),
		cmocka_unit_test(test_recovery_stops_it),
		cmocka_unit_test(test_withdrawn),
		cmocka_unit_test(test_offers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
