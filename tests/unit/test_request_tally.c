/*
 * Requests that certify a key without an old one to speak for it: reissue and enrol, from draft to the certificate's
 * place at the desk, and what each must not be.
 */
#include "ra_fixture.h"

#include "common/pki/fingerprint.h"
#include "ra/request.h"

#include <string.h>

static const char *const reissue_papers[] = {"registration-form", "agent-id-card", "business-licence", "risk-notice"};

static json_t *of(struct fx *x, const char *request)
{
	return json_pack("{s:s,s:s}", "session", x->session, "request", request);
}

static json_t *show(struct fx *x, const char *request)
{
	return fx_do(x, UID_SUBSCRIBER, "request.show", of(x, request));
}

static void papers(struct fx *x, const char *id, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fx_material(x, id, reissue_papers[i]);
}

static json_t *lines_of(struct fx *x, const char *id, EVP_PKEY *key)
{
	_cleanup_(freep) char *line = fx_sub_line(x, id, key);
	json_t *p = of(x, id);
	json_object_set_new(p, "lines", json_pack("[s]", line));
	return p;
}

static void prove_new(struct fx *x, const char *id)
{
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove", lines_of(x, id, x->new_key)));
}

static char *prepared(struct fx *x, json_t *params)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", params);
	return xstrdup(fx_text(r, "request"));
}

static void approve_by(struct fx *x, const char *id, const char *const *officers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fx_approve(x, id, officers[i]);
	fx_hand_over(x);
	fx_state(x, id, "issued");
}

static const char *const all_officers[] = {"alice", "bob", "carol"};

static void tally_of(const char *text, struct tally *ret)
{
	struct fault f = {0};
	if (tally_parse(slice_str(text), ret, &f) != OK)
		fail_msg("%s: %s", f.rule, f.text);
}

/* --- reissue --- */

static void test_reissue(void **state)
{
	static const struct {
		const char *way, *reason;
	} ways[] = {{"lost", "keyCompromise"}, {"damaged", "superseded"}};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		_cleanup_(tally_done) struct tally t = {0};
		fx_log_in(x);
		_cleanup_(freep) char *id = prepared(x, fx_reissue_params(x, ways[i].way));
		papers(x, id, 4);
		_cleanup_(json_freep) json_t *r = show(x, id);
		tally_of(fx_text(r, "tally"), &t);
		/* What follows from the way is not the client's to say. */
		assert_string_equal(crl_reason_word((unsigned)t.reason), ways[i].reason);
		assert_int_equal(t.key_seen, KEY_SEEN_PAPER);
		assert_string_equal(fx_text(r, "key_fingerprint"), FINGERPRINT(t.key_sha256));
		assert_int_equal(json_integer_value(json_object_get(r, "officers_needed")), 3);
		prove_new(x, id);
		fx_submit(x, id);
		approve_by(x, id, all_officers, 3);
		_cleanup_(json_freep) json_t *done = show(x, id);
		_cleanup_(json_freep) json_t *old =
			fx_do(x, UID_SUBSCRIBER, "cert.show",
			      json_pack("{s:s,s:s}", "session", x->session, "serial", ORG_SERIAL));
		assert_string_equal(fx_text(old, "successor"), fx_text(done, "certificate_serial"));
		/* The service goes on with the new certificate, and an old one that has a successor is reissued no more. */
		_cleanup_(json_freep) json_t *list =
			fx_do(x, UID_SUBSCRIBER, "service.list", json_pack("{s:s}", "session", x->session));
		assert_string_equal(fx_text(json_array_get(json_object_get(list, "services"), 0), "serial"),
				    fx_text(done, "certificate_serial"));
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_reissue_params(x, ways[i].way),
			   "predecessor_succeeded");
	}
}

static void set(json_t *p, const char *key, const char *value)
{
	if (!value)
		json_object_del(p, key);
	else if (strcmp(key, "months") == 0)
		json_object_set_new(p, key, json_integer(atol(value)));
	else if (strcmp(key, "subject") == 0)
		json_object_set_new(p, key, json_pack("[{s:s,s:s}]", "attribute", "O", "value", value));
	else
		json_object_set_new(p, key, json_string(value));
}

static void test_bad_reissues(void **state)
{
	static const struct {
		const char *key, *value, *rule;
	} cases[] = {
		{"serial", NULL, "param_missing"},
		{"serial", OTHER_SERIAL, "certificate_unknown"},
		{"serial", "74C2008800000AFF", "certificate_unknown"},
		{"csr", NULL, "csr_missing"},
		{"files", NULL, "files_unsaid"},
		{"key_seen", NULL, "key_seen"},
		{"key_seen", "scan", "param_word"},
		{"way", "stolen", "way_unknown"},
		{"months", "12", "validity_length"},
		{"subject", NEW_NAME, "subject_change"},
		{"reason", "keyCompromise", "reason_form"},
		{"collides", "2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a " OTHER_SERIAL, "collides_unknown"},
		{"project", "nowhere", "project_unknown"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = fx_reissue_params(x, "lost");
		set(p, cases[i].key, cases[i].value);
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, cases[i].rule);
	}
	/* The old key again is no new one; a lapsed certificate has no validity to keep. */
	_cleanup_(freep) char *same = fx_csr(x->org.key);
	json_t *p = fx_reissue_params(x, "lost");
	set(p, "csr", same);
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "key_same");
	clock_set(NOW + 61 * DAY);
	_cleanup_(json_freep) json_t *login =
		fx_do(x, UID_SUBSCRIBER, "account.login",
		      json_pack("{s:s,s:s}", "identifier", ORG_CODE, "password", PASSWORD));
	p = fx_reissue_params(x, "lost");
	json_object_set(p, "session", json_object_get(login, "session"));
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "validity_window");
}

static bool lacks(json_t *o, const char *words)
{
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(o, "missing"), i, v)
	{
		if (strncmp(fx_text(v, "text"), words, strlen(words)) == 0)
			return true;
	}
	return false;
}

/* Files that are not yet opened hold the request until recovery is done or waived; the answer stands in the tally. */
static void test_files_hold_a_reissue(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	json_t *p = fx_reissue_params(x, "damaged");
	set(p, "files", "yes");
	_cleanup_(freep) char *id = prepared(x, p);
	papers(x, id, 4);
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_true(lacks(r, "recovery first"));
	fx_refused(x, UID_SUBSCRIBER, "request.prove", lines_of(x, id, x->new_key), "files_pending");
	static const char *const answers[] = {"waived", "no"};
	for (size_t i = 0; i < 2; i++) {
		p = fx_reissue_params(x, "damaged");
		set(p, "files", answers[i]);
		set(p, "request", id);
		_cleanup_(json_freep) json_t *edited = fx_do(x, UID_SUBSCRIBER, "request.prepare", p);
		assert_false(lacks(edited, "recovery first"));
	}
	prove_new(x, id);
}

static void test_hostile_reissue(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = prepared(x, fx_reissue_params(x, "lost"));
	papers(x, id, 4);
	/* Another account neither sees nor proves it. */
	json_t *p = lines_of(x, id, x->new_key);
	json_object_set_new(p, "session", json_string(x->other_session));
	fx_refused(x, UID_OTHER, "request.prove", p, "request_unknown");
	/* The old key is lost: its line alone opens nothing. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove", lines_of(x, id, x->org.key)));
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, id), "new_key_missing");
	/* Once somebody has signed, nothing is edited any more: neither the key nor how it is seen. */
	p = fx_reissue_params(x, "lost");
	set(p, "request", id);
	set(p, "key_seen", "call");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "request_state");
	prove_new(x, id);
	fx_submit(x, id);
	fx_approve(x, id, "alice");
	_cleanup_(freep) char *again = fx_officer_line(x, id, "alice"), *dave = fx_officer_line(x, id, "dave");
	fx_refused(x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", id, "line", again),
		   "officer_twice");
	fx_refused(x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", id, "line", dave),
		   "officers_scope");
	fx_approve(x, id, "bob");
	fx_state(x, id, "awaiting_officers");
	assert_int_equal(x->signer.n_issued, 0);
}

/* --- enrol --- */

static char *enrolled(struct fx *x, const char *order)
{
	char *id = prepared(x, fx_enrol_params(x, order, NEW_CODE));
	papers(x, id, 3);
	prove_new(x, id);
	fx_submit(x, id);
	return id;
}

static void test_enrolment(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(name_done) struct name after = {0};
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	fx_service(x, "30001");
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "30001"), *id = enrolled(x, order);
	_cleanup_(json_freep) json_t *r = show(x, id);
	tally_of(fx_text(r, "tally"), &t);
	assert_false(t.has_predecessor);
	assert_int_equal(t.key_seen, KEY_SEEN_CALL);
	/* In the profile's order, with what follows from another attribute. */
	assert_int_equal(tally_subject_after(&t, &after, &f), OK);
	assert_int_equal(after.n, 4);
	assert_string_equal(after.attrs[2].type->word, "CN");
	assert_string_equal(after.attrs[2].value, NEW_NAME);
	assert_null(json_object_get(r, "serial"));
	/* Lists and the officers' screen know a request without a certificate. */
	_cleanup_(json_freep) json_t *queue =
		fx_do(x, UID_OFFICER, "review.queue", json_pack("{s:s}", "kind", "enrol"));
	assert_int_equal(json_array_size(json_object_get(queue, "requests")), 1);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.list", json_pack("{s:s}", "session", x->session)));
	approve_by(x, id, all_officers, 2);
	/* It is the account's, and the service's that paid for it. */
	_cleanup_(json_freep) json_t *done = show(x, id);
	const char *serial = fx_text(done, "certificate_serial");
	json_decref(
		fx_do(x, UID_SUBSCRIBER, "cert.show", json_pack("{s:s,s:s}", "session", x->session, "serial", serial)));
	fx_refused(x, UID_OTHER, "cert.show", json_pack("{s:s,s:s}", "session", x->other_session, "serial", serial),
		   "certificate_unknown");
	_cleanup_(json_freep) json_t *list = fx_do(x, UID_SUBSCRIBER, "service.list",
						   json_pack("{s:s,s:s}", "session", x->session, "search", NEW_NAME));
	json_t *row = json_array_get(json_object_get(list, "services"), 0);
	assert_string_equal(fx_text(row, "id"), "30001");
	assert_string_equal(fx_text(row, "serial"), serial);
	/* The same order, and the code, serve once. */
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_enrol_params(x, NULL, NEW_CODE), "line_occupied");
}

static void test_bad_enrolments(void **state)
{
	static const struct {
		const char *key, *value, *rule;
	} cases[] = {
		{"serial", ORG_SERIAL, "param_unknown"},
		{"csr", NULL, "csr_missing"},
		{"key_seen", NULL, "key_seen"},
		{"months", "0", "validity_length"},
		{"months", "7", "validity_length"},
		{"subject", NULL, "subject_empty"},
		{"subject", NEW_NAME, "subject_attribute"},
		{"order", "20991231-NOSUCHORDER2", "order_unknown"},
		{"profile", "person", "profile_unknown"},
		{"project", "nowhere", "project_unknown"},
		{"collides", "nonsense", "collides_form"},
		{"reason", "superseded", "reason_form"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = fx_enrol_params(x, NULL, NEW_CODE);
		set(p, cases[i].key, cases[i].value);
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, cases[i].rule);
	}
	/* A code that fails its check, unlike an old record's, is not taken over. */
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_enrol_params(x, NULL, "913301003535355024"),
		   "identifier_check");
}

/* Orders pay for their own service and account. */
static void test_enrolment_is_paid(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	fx_service(x, "30001");
	_cleanup_(freep) char *other = fx_paid_order(x, x->other_session, "20354");
	_cleanup_(freep) char *used = fx_paid_order(x, x->session, "20353");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_enrol_params(x, other, NEW_CODE), "order_unknown");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_enrol_params(x, used, NEW_CODE), "service_has_certificate");
	/* Without an order it can be drafted, and is told; but not handed in. */
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "request.prepare", fx_enrol_params(x, NULL, NEW_CODE));
	const char *id = fx_text(r, "request");
	assert_true(lacks(r, "paid order"));
	papers(x, id, 3);
	fx_refused(x, UID_SUBSCRIBER, "request.prove", lines_of(x, id, x->new_key), "order_missing");
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "30001");
	json_t *p = fx_enrol_params(x, order, NEW_CODE);
	set(p, "request", id);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prepare", p));
	prove_new(x, id);
}

/* A code that lives elsewhere is nobody else's, unless the tally names that certificate and one officer more signs. */
static void test_enrolment_into_a_living_code(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	static const char issuer[] = "2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a ";
	(void)state;
	fx_log_in(x);
	fx_service(x, "30001");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_enrol_params(x, NULL, OTHER_CODE), "line_occupied");
	static const char *const wrong[] = {ORG_SERIAL, "01"}; /* another's, and one that never was: the same answer */
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *named = xasprintf("%s%s", issuer, wrong[i]);
		json_t *p = fx_enrol_params(x, NULL, OTHER_CODE);
		set(p, "collides", named);
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "line_occupied");
		p = fx_enrol_params(x, NULL, NEW_CODE);
		set(p, "collides", named);
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "collides_unknown");
	}
	_cleanup_(freep) char *right = xasprintf("%s%s", issuer, OTHER_SERIAL);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "30001");
	json_t *p = fx_enrol_params(x, order, OTHER_CODE);
	set(p, "collides", right);
	_cleanup_(freep) char *id = prepared(x, p);
	papers(x, id, 3);
	prove_new(x, id);
	fx_submit(x, id);
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_int_equal(json_integer_value(json_object_get(r, "officers_needed")), 3);
	approve_by(x, id, all_officers, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reissue),
		cmocka_unit_test(test_bad_reissues),
		cmocka_unit_test(test_files_hold_a_reissue),
		cmocka_unit_test(test_hostile_reissue),
		cmocka_unit_test(test_enrolment),
		cmocka_unit_test(test_bad_enrolments),
		cmocka_unit_test(test_enrolment_is_paid),
		cmocka_unit_test(test_enrolment_into_a_living_code),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
