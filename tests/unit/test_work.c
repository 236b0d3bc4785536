/*
 * Keys that the desk makes: from the owner's address to the receipt that sends the tally.
 */
#include "work_kit.h"

/* --- the whole way --- */

static void test_to_receipt(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = in_post(x, "damaged");
	/* All have signed, and the signer has not heard of it. */
	settle(x);
	assert_int_equal(x->signer.n_tallies, 0);
	fx_refused(x, UID_OTHER, "parcel.receive", with(with(by_dave(id), "session", x->other_session), "token", TOKEN),
		   "param_unknown");
	fx_refused(x, UID_OTHER, "parcel.receive",
		   json_pack("{s:s,s:s,s:s}", "session", x->other_session, "request", id, "token", TOKEN),
		   "request_unknown");
	fx_refused(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, OTHER_TOKEN), "token_other");
	fx_state(x, id, "in_post");
	_cleanup_(json_freep) json_t *desk = fx_do(x, UID_OFFICER, "parcel.show", json_pack("{s:s}", "request", id));
	assert_int_equal(json_integer_value(json_object_get(desk, "strangers")), 1);
	assert_string_equal(fx_text(desk, "packed_by"), "dave");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN));
	assert_string_equal(fx_text(r, "state"), "approved");
	settle(x);
	assert_int_equal(x->signer.n_tallies, 1);
	fx_state(x, id, "issued");
	_cleanup_(json_freep) json_t *token = fx_do(x, UID_OFFICER, "token.show", json_pack("{s:s}", "token", TOKEN));
	_cleanup_(json_freep) json_t *done = fx_do(x, UID_SUBSCRIBER, "request.show", of(x, id));
	assert_string_equal(fx_text(token, "state"), "in_use");
	assert_string_equal(fx_text(token, "certificate"), fx_text(done, "certificate_serial"));
	/* Again: the same, and once. */
	_cleanup_(json_freep) json_t *again = fx_do(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN));
	assert_string_equal(fx_text(again, "state"), "issued");
	assert_string_equal(fx_text(again, "received"), fx_text(r, "received"));
	settle(x);
	assert_int_equal(x->signer.n_tallies, 1);
	_cleanup_(json_freep) json_t *mine =
		fx_do(x, UID_SUBSCRIBER, "parcel.list", json_pack("{s:s}", "session", x->session));
	assert_string_equal(first_text(json_object_get(mine, "parcels"), "state"), "received");
	assert_string_equal(first_text(json_object_get(mine, "parcels"), "ended_by"), "account:" ORG_CODE);
	assert_string_equal(first_text(json_object_get(mine, "parcels"), "ended_from"), "uid:1001");
	_cleanup_(json_freep) json_t *theirs =
		fx_do(x, UID_OTHER, "parcel.list", json_pack("{s:s}", "session", x->other_session));
	assert_int_equal(json_integer_value(json_object_get(theirs, "total")), 0);
	fx_refused(x, UID_OTHER, "parcel.show", json_pack("{s:s,s:s}", "session", x->other_session, "request", id),
		   "request_unknown");
}

static void test_history(void **state)
{
	static const char *const wanted[] = {"draft",	"submit", "key",  "prove",   "approve", "approve",
					     "approve", "pack",	  "ship", "receive", "send",	"issue"};
	_cleanup_(fx_freep) struct fx *x = scene();
	size_t i, n = 0;
	json_t *v;
	(void)state;
	_cleanup_(freep) char *id = in_post(x, "damaged");
	json_decref(fx_do(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN)));
	settle(x);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.show", of(x, id));
	json_array_foreach(json_object_get(r, "history"), i, v)
	{
		if (strcmp(fx_text(v, "event"), "edit") == 0)
			continue;
		assert_true(n < sizeof(wanted) / sizeof(wanted[0]));
		assert_string_equal(fx_text(v, "event"), wanted[n]);
		/* A sentence in each language, and not the word itself. */
		assert_null(strstr(fx_text(v, "zh"), wanted[n]));
		n++;
	}
	assert_int_equal(n, sizeof(wanted) / sizeof(wanted[0]));
}

/* The PIN leaves with the parcel, to the number that logs in, and lies in the clear nowhere before. */
static void test_start_pin(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	made(x, id);
	assert_false(database_has(x, PIN));
	assert_true(database_has(x, TOKEN)); /* so it would be found */
	approved(x, id);
	assert_null(fx_message(x, ORG_MOBILE, "start_pin"));
	shipped(x, id);
	assert_false(database_has(x, PIN));
	_cleanup_(json_freep) json_t *m = fx_message(x, ORG_MOBILE, "start_pin");
	assert_non_null(m);
	assert_non_null(strstr(fx_text(m, "zh"), PIN));
	assert_non_null(strstr(fx_text(m, "en"), TOKEN));
	json_decref(fx_do(x, UID_OFFICER, "parcel.returned",
			  with(with(by_dave(id), "token", TOKEN), "note", "nobody at home")));
	json_decref(fx_do(x, UID_OFFICER, "parcel.ship", ship_params(id)));
	assert_null(fx_message(x, ORG_MOBILE, "start_pin")); /* once */
}

/* --- drafts --- */

static void test_bad_drafts(void **state)
{
	static const struct {
		const char *key, *value, *rule;
	} cases[] = {
		{"ship_to", NULL, "delivery_form"},
		{"recipient", NULL, "delivery_form"},
		{"mobile", "a friend", "telephone_form"},
		{"mobile", "1234", "telephone_form"},
		{"recipient", "张\u202e三", "param_characters"},
		{"key_seen", "paper", "key_seen"},
		{"files", NULL, "files_unsaid"},
		{"way", "stolen", "way_unknown"},
		{"serial", OTHER_SERIAL, "certificate_unknown"},
	};
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fx_refused(x, UID_SUBSCRIBER, "request.prepare",
			   with(work_params(x, "damaged"), cases[i].key, cases[i].value), cases[i].rule);
	json_t *both = fx_reissue_params(x, "damaged");
	with(both, "key_seen", "token");
	with(with(both, "recipient", "张三"), "mobile", "0571-88880000");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", with(both, "ship_to", "杭州"), "delivery_csr");
	json_t *change = fx_change_params(x);
	with(with(change, "recipient", "张三"), "mobile", "0571-88880000");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", with(change, "ship_to", "杭州"), "delivery_kind");
}

/* Nothing to sign, and nothing is handed in before it is whole. */
static void test_submission(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", work_params(x, "damaged"));
	const char *id = fx_text(r, "request");
	assert_int_equal(json_array_size(json_object_get(r, "missing")), 4); /* papers alone */
	json_t *prove = of(x, id);
	json_object_set_new(prove, "lines", json_pack("[s]", "— new-key AAAA"));
	fx_refused(x, UID_SUBSCRIBER, "request.prove", prove, "key_at_desk");
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, id), "materials_missing");
	_cleanup_(freep) char *held = drafted(x, with(work_params(x, "damaged"), "files", "yes"));
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, held), "files_pending");
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prepare",
			  with(with(work_params(x, "damaged"), "files", "no"), "request", held)));
	fx_submit(x, held);
	_cleanup_(freep) char *second = drafted(x, work_params(x, "damaged"));
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, second), "work_under_way");
	_cleanup_(json_freep) json_t *queue = fx_do(x, UID_OFFICER, "review.queue", json_object());
	assert_string_equal(first_text(json_object_get(queue, "requests"), "state"), "to_make");
	/* The clock ends no work that waits for the desk. */
	clock_set(NOW + 90 * DAY);
	struct fault f = {0};
	assert_int_equal(clockwork_turn(x->desk, &f), OK);
	_cleanup_(json_freep) json_t *later = shown(x, held);
	assert_string_equal(fx_text(later, "state"), "to_make");
	assert_int_equal(json_array_size(json_object_get(later, "wrong")), 1); /* its certificate has expired */
}

/* --- a lost key is held --- */

static void test_lost_is_held(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = drafted(x, work_params(x, "lost"));
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.submit", of(x, id));
	json_t *hold = json_object_get(r, "hold");
	assert_non_null(strstr(fx_text(hold, "zh"), ORG_SERIAL));
	settle(x);
	cert_is(x, "held");
	fx_state(x, fx_text(hold, "request"), "issued");
	/* It goes on although the certificate is on hold. */
	made(x, id);
	approved(x, id);
	shipped(x, id);
	json_decref(fx_do(x, UID_SUBSCRIBER, "parcel.receive", receive_params(x, id, TOKEN)));
	settle(x);
	fx_state(x, id, "issued");
}

static void test_hold_is_a_choice(void **state)
{
	static const struct {
		const char *way;
		bool keep;
	} cases[] = {{"lost", true}, {"damaged", false}};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(fx_freep) struct fx *x = scene();
		_cleanup_(freep) char *id = drafted(x, work_params(x, cases[i].way));
		json_t *p = of(x, id);
		if (cases[i].keep)
			json_object_set_new(p, "keep_valid", json_true());
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.submit", p);
		assert_null(json_object_get(r, "hold"));
		settle(x);
		cert_is(x, "good");
	}
}

/* --- making the key --- */

static void test_bad_keys(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *draft = drafted(x, work_params(x, "damaged"));
	fx_refused(x, UID_OFFICER, "work.csr", csr_params(x, draft, TOKEN), "request_state");
	_cleanup_(freep) char *own = fx_change(x);
	fx_refused(x, UID_OFFICER, "work.csr", csr_params(x, own, TOKEN), "work_kind");
	fx_refused(x, UID_SUBSCRIBER, "work.csr", csr_params(x, draft, TOKEN), "method_denied");
	fx_submit(x, draft);
	fx_refused(x, UID_OFFICER, "work.csr", with(csr_params(x, draft, TOKEN), "csr", "no PEM"), "pem_none");
	fx_refused(x, UID_OFFICER, "work.csr", with(csr_params(x, draft, TOKEN), "start_pin", "12 34"),
		   "param_characters");
	/* The lost key again is no new key. */
	_cleanup_(freep) char *old = fx_csr(x->org.key);
	fx_refused(x, UID_OFFICER, "work.csr", with(csr_params(x, draft, TOKEN), "csr", old), "key_same");
	fx_state(x, draft, "to_make");
	fx_refused(x, UID_OFFICER, "work.prove", with(by_dave(draft), "line", "— new-key AAAA"), "request_state");
	json_decref(fx_do(x, UID_OFFICER, "work.csr", csr_params(x, draft, TOKEN)));
	/* A client that had no answer asks again; another token is another thing. */
	_cleanup_(json_freep) json_t *again = fx_do(x, UID_OFFICER, "work.csr", csr_params(x, draft, TOKEN));
	assert_string_equal(fx_text(again, "state"), "keyed");
	fx_refused(x, UID_OFFICER, "work.csr", csr_params(x, draft, OTHER_TOKEN), "request_state");
	/* The request names a key that this token does not have: its line does not hold. */
	EVP_PKEY *key = x->new_key, *other = NULL;
	struct fault f = {0};
	assert_int_equal(privkey_generate(KEY_P256, 0, &other, &f), OK);
	x->new_key = other;
	fx_refused(x, UID_OFFICER, "work.prove", line_params(x, draft), "new_key_signature");
	x->new_key = key;
	EVP_PKEY_free(other);
	fx_state(x, draft, "keyed");
}

/* Whoever made the key vouches for it no more. */
static void test_maker_does_not_approve(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	json_decref(fx_do(x, UID_OFFICER, "work.csr", with(csr_params(x, id, TOKEN), "officer", "alice")));
	json_decref(fx_do(x, UID_OFFICER, "work.prove", line_params(x, id)));
	_cleanup_(freep) char *line = fx_officer_line(x, id, "alice");
	fx_refused(x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", id, "line", line), "own_entry");
	fx_approve(x, id, "bob");
}

static void test_token_is_taken(void **state)
{
	_cleanup_(fx_freep) struct fx *x = scene();
	(void)state;
	_cleanup_(freep) char *id = submitted(x, "damaged");
	json_decref(fx_do(x, UID_OFFICER, "work.csr", csr_params(x, id, TOKEN)));
	fx_service(x, "20399");
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20399");
	json_t *p = fx_enrol_params(x, order, NEW_CODE);
	json_object_del(p, "csr");
	json_object_del(p, "key_seen");
	with(with(p, "recipient", "李四"), "mobile", "13900000009");
	_cleanup_(freep) char *enrol = drafted(x, with(p, "ship_to", "杭州市余杭区示例路 2 号"));
	fx_submit(x, enrol);
	fx_refused(x, UID_OFFICER, "work.csr", csr_params(x, enrol, TOKEN), "token_taken");
	/* Given up, it may serve another. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw", of(x, id)));
	json_decref(fx_do(x, UID_OFFICER, "work.csr", csr_params(x, enrol, TOKEN)));
	fx_state(x, enrol, "keyed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_receipt),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_start_pin),
		cmocka_unit_test(test_bad_drafts),
		cmocka_unit_test(test_submission),
		cmocka_unit_test(test_lost_is_held),
		cmocka_unit_test(test_hold_is_a_choice),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_maker_does_not_approve),
		cmocka_unit_test(test_token_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
