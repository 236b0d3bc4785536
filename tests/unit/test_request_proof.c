/*
 * Requests from proof to outcome: lines, officers, the signer's word, withdrawing and expiring.
 */
#include "request_kit.h"

/* --- proofs and officers --- */

static void test_bad_proofs(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	_cleanup_(freep) char *elsewhere = fx_extend(x, order, 12);
	_cleanup_(freep) char *wrong_key = fx_sub_line(x, id, x->other.key), *new_key = fx_sub_line(x, id, x->new_key),
			      *officer = fx_officer_line(x, id, "alice"), *other_text = NULL,
			      *good = fx_sub_line(x, id, x->org.key), *two = xasprintf("%s%s", good, good);
	other_text = fx_sub_line(x, elsewhere, x->org.key);
	const struct {
		const char *line, *rule;
	} cases[] = {{wrong_key, "subscriber_signature"},
		     {new_key, "signer_unknown"},
		     {officer, "signer_unknown"},
		     {other_text, "subscriber_signature"},
		     {two, "line_form"},
		     {"nonsense", "note_signature_line"},
		     {"", "note_unsigned"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fx_refused(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, cases[i].line), cases[i].rule);
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, id), "subscriber_missing");
	fx_state(x, id, "drafted");
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, good)));
	/* A second line of the same key is no news. */
	_cleanup_(freep) char *again = fx_sub_line(x, id, x->org.key);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, again)));
	fx_submit(x, id);
	fx_hand_over(x);
	fx_state(x, id, "issued");
}

static void test_proof_wants_a_complete_draft(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *draft = fx_do(x, UID_SUBSCRIBER, "request.prepare", fx_change_params(x));
	const char *id = fx_text(draft, "request");
	_cleanup_(freep) char *line = fx_sub_line(x, id, x->org.key);
	fx_refused(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, line), "materials_missing");
	json_t *p = fx_change_params(x);
	json_object_del(p, "notice_accepted");
	_cleanup_(freep) char *whole = fx_change(x);
	json_object_set_new(p, "request", json_string(whole));
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prepare", p));
	_cleanup_(freep) char *other = fx_sub_line(x, whole, x->org.key);
	fx_refused(x, UID_SUBSCRIBER, "request.prove", with_line(x, whole, other), "notice_missing");
}

static void test_bad_approvals(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	_cleanup_(freep) char *early = fx_officer_line(x, id, "alice");
	fx_refused(x, UID_OFFICER, "review.approve", approval(id, early), "request_state");
	fx_prove(x, id);
	fx_submit(x, id);
	_cleanup_(freep) char *dave = fx_officer_line(x, id, "dave"), *ra = fx_officer_line(x, id, "ra-1"),
			      *mallory = fx_officer_line(x, id, "mallory"), *alice = fx_officer_line(x, id, "alice"),
			      *sub = fx_sub_line(x, id, x->org.key);
	_cleanup_(freep) char *forged = xstrdup(mallory);
	/* Mallory's signature under alice's name. */
	_cleanup_(freep) char *stolen = xasprintf("— alice%s", strchr(strchr(forged, ' ') + 1, ' '));
	const struct {
		const char *line, *rule;
	} cases[] = {{dave, "officers_scope"}, {ra, "signer_unknown"},	      {mallory, "signer_unknown"},
		     {sub, "signer_unknown"},  {stolen, "officer_signature"}, {"— alice AAAA", "note_signature_line"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fx_refused(x, UID_OFFICER, "review.approve", approval(id, cases[i].line), cases[i].rule);
	fx_refused(x, UID_SUBSCRIBER, "review.approve", approval(id, alice), "method_denied");
	json_decref(fx_do(x, UID_OFFICER, "review.approve", approval(id, alice)));
	fx_refused(x, UID_OFFICER, "review.approve", approval(id, alice), "officer_twice");
	fx_state(x, id, "awaiting_officers");
	fx_refused(x, UID_OFFICER, "review.approve", approval("00000000000000000000000000000000", alice),
		   "request_unknown");
}

static void test_rejection_kills_the_tally(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	fx_prove(x, id);
	fx_submit(x, id);
	fx_approve(x, id, "alice");
	json_decref(
		fx_do(x, UID_OFFICER, "review.reject", json_pack("{s:s,s:s}", "request", id, "reason", "照片不清楚")));
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_string_equal(fx_text(r, "state"), "refused");
	assert_string_equal(fx_text(json_object_get(r, "refusal"), "rule"), "officer_rejected");
	assert_string_equal(fx_text(json_object_get(r, "refusal"), "text"), "照片不清楚");
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 1);
	assert_int_equal(x->signer.n_issued, 0);
	fx_follow(x);
	fx_state(x, id, "refused");
}

/* --- withdrawing, expiring --- */

static void withdraw(struct fx *x, const char *id)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.withdraw", of(x, id));
	assert_string_equal(fx_text(r, "state"), "withdrawn");
}

static void test_withdrawal(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	/* Approved and queued, but not sent: it never goes out; its withdrawal does. */
	withdraw(x, id);
	fx_hand_over(x);
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 1);
	assert_int_equal(x->signer.n_issued, 0);
	fx_follow(x);
	fx_state(x, id, "withdrawn");
	fx_refused(x, UID_SUBSCRIBER, "request.withdraw", of(x, id), "request_state");
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, id), "request_state");
	/* What is done stays done. */
	_cleanup_(freep) char *next = fx_extend(x, order, 12);
	fx_prove(x, next);
	fx_submit(x, next);
	fx_hand_over(x);
	fx_refused(x, UID_SUBSCRIBER, "request.withdraw", of(x, next), "request_state");
}

static void test_expiry(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	_cleanup_(freep) char *proved = fx_extend(x, order, 12), *queued = NULL;
	fx_prove(x, proved);
	queued = fx_extend(x, order, 12);
	fx_prove(x, queued);
	fx_submit(x, queued);
	clock_set(NOW + DAY - 1);
	assert_int_equal(clockwork_turn(x->desk, &f), OK);
	clock_set(NOW);
	fx_state(x, id, "drafted");
	clock_set(NOW + DAY);
	assert_int_equal(clockwork_turn(x->desk, &f), OK);
	fx_hand_over(x);
	clock_set(NOW);
	fx_state(x, id, "expired");
	fx_state(x, proved, "expired");
	fx_state(x, queued, "expired");
	assert_int_equal(x->signer.n_tallies, 0);
}

/* --- what the signer says --- */

static void test_signer_refuses(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	x->signer.fail = 1;
	fault_raise(&x->signer.fault, ERR_RULE, "line_occupied", "tally.subject", "found it taken");
	fx_hand_over(x);
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_string_equal(fx_text(r, "state"), "refused");
	assert_string_equal(fx_text(json_object_get(r, "refusal"), "rule"), "line_occupied");
	assert_string_equal(fx_text(json_object_get(r, "refusal"), "where"), "tally.subject");
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 1);
	/* The order was not used up by a refusal. */
	free(fx_extend(x, order, 12));
}

static void test_ledger_corrects(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	/* It was issued, but what came back was a refusal (sent again after its time, say). */
	x->signer.fail = 1;
	x->signer.fail_after = true;
	fault_raise(&x->signer.fault, ERR_RULE, "tally_expired", "tally.dies", "found it dead");
	fx_hand_over(x);
	fx_state(x, id, "refused");
	fx_follow(x);
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_string_equal(fx_text(r, "state"), "issued");
	assert_null(json_object_get(r, "refusal"));
	assert_true(fx_text(r, "certificate")[0]);
}

static void test_refusal_of_another_text_is_not_ours(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf entry = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	struct wire_e_refused e = {
		.at = NOW, .rule = slice_str("key_hash"), .where = slice_str("tally.key"), .text = slice_str("x")};
	assert_true(hex_decode(id, REQUEST_ID, e.tally, TALLY_ID));
	wire_e_refused_put(&e, &entry);
	fx_append(x, &entry);
	fx_follow(x);
	fx_state(x, id, "drafted");
}

/* --- whose --- */

static void test_others_are_not_there(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	static const char *const methods[] = {"request.show", "request.submit", "request.withdraw"};
	const char *const ids[] = {id, "00000000000000000000000000000000"};
	for (size_t i = 0; i < 2; i++) {
		for (size_t m = 0; m < 3; m++)
			fx_refused(x, UID_OTHER, methods[m],
				   json_pack("{s:s,s:s}", "session", x->other_session, "request", ids[i]),
				   "request_unknown");
	}
	fx_refused(x, UID_OTHER, "cert.show", json_pack("{s:s,s:s}", "session", x->other_session, "serial", ORG_SERIAL),
		   "certificate_unknown");
	_cleanup_(json_freep) json_t *list =
		fx_do(x, UID_OTHER, "request.list", json_pack("{s:s}", "session", x->other_session));
	assert_int_equal(json_integer_value(json_object_get(list, "total")), 0);
}

static void test_history_tells_all(void **state)
{
	static const char *const events[] = {"draft", "prove", "submit", "send", "issue"};
	static const char *const states[] = {"drafted", "awaiting_proof", "approved", "sent", "issued"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	fx_hand_over(x);
	fx_follow(x);
	_cleanup_(json_freep) json_t *r = show(x, id);
	json_t *history = json_object_get(r, "history");
	assert_int_equal(json_array_size(history), 5);
	for (size_t i = 0; i < 5; i++) {
		json_t *item = json_array_get(history, i);
		assert_string_equal(fx_text(item, "event"), events[i]);
		assert_string_equal(fx_text(item, "to"), states[i]);
		assert_true(fx_text(item, "who")[0] && fx_text(item, "at")[0]);
	}
}

static void test_waiting_for_the_end(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	int64_t before = clock_mono_us();
	json_t *p = of(x, id);
	json_object_set_new(p, "wait_ms", json_integer(50));
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.show", p));
	assert_true(clock_mono_us() - before >= 50000);
	p = of(x, id);
	json_object_set_new(p, "wait_ms", json_integer(10001));
	fx_refused(x, UID_SUBSCRIBER, "request.show", p, "param_range");
	/* A desk that stops lets everybody go. */
	bell_stop(x->desk->finished);
	p = of(x, id);
	json_object_set_new(p, "wait_ms", json_integer(10000));
	before = clock_mono_us();
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.show", p));
	assert_true(clock_mono_us() - before < 5000000);
}

/* --- proof and submission by one call --- */

static json_t *prove_and_submit(struct fx *x, const char *id, EVP_PKEY *key)
{
	_cleanup_(freep) char *line = fx_sub_line(x, id, key);
	return json_pack("{s:s,s:s,s:[s],s:b}", "session", x->session, "request", id, "lines", line, "submit", 1);
}

static size_t count_history(struct fx *x, const char *id, const char *event, const char *to)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "request.show", json_pack("{s:s,s:s}", "session", x->session, "request", id));
	json_t *row;
	size_t i, n = 0;
	json_array_foreach(json_object_get(r, "history"), i, row) n +=
		strcmp(fx_text(row, "event"), event) == 0 && strcmp(fx_text(row, "to"), to) == 0;
	return n;
}

static void test_prove_and_submit(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new();
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	_cleanup_(freep) char *id = fx_extend(x, order, 12);
	/* Another's key proves nothing, and nothing of the call is kept. */
	fx_refused(x, UID_SUBSCRIBER, "request.prove", prove_and_submit(x, id, x->other.key), "subscriber_signature");
	fx_state(x, id, "drafted");
	assert_int_equal(count_history(x, id, "submit", "approved"), 0);
	json_t *params = prove_and_submit(x, id, x->org.key);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prove", params);
	assert_string_equal(fx_text(r, "state"), "approved");
	assert_int_equal(count_history(x, id, "prove", "awaiting_proof"), 1);
	assert_int_equal(count_history(x, id, "submit", "approved"), 1);
	/* It was handed in: neither can be done again. */
	fx_refused(x, UID_SUBSCRIBER, "request.prove", prove_and_submit(x, id, x->org.key), "request_state");
	fx_hand_over(x);
	fx_state(x, id, "issued");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_proofs),
		cmocka_unit_test(test_proof_wants_a_complete_draft),
		cmocka_unit_test(test_bad_approvals),
		cmocka_unit_test(test_rejection_kills_the_tally),
		cmocka_unit_test(test_withdrawal),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_signer_refuses),
		cmocka_unit_test(test_ledger_corrects),
		cmocka_unit_test(test_refusal_of_another_text_is_not_ours),
		cmocka_unit_test(test_others_are_not_there),
		cmocka_unit_test(test_history_tells_all),
		cmocka_unit_test(test_waiting_for_the_end),
		cmocka_unit_test(test_prove_and_submit),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
