/*
 * Requests that ask for no certificate: the legal representative in the desk's record, and recoveries.
 */
#include "ra_fixture.h"

#include "ra/plain.h"

#include <string.h>

static json_t *of(struct fx *x, const char *request)
{
	return json_pack("{s:s,s:s}", "session", x->session, "request", request);
}

static json_t *record_params(struct fx *x, const char *attribute, const char *name)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:[{s:s,s:s}]}", "session", x->session, "kind", "change", "way",
			 "legal-representative", "project", "jinhua", "serial", ORG_SERIAL, "subject", "attribute",
			 attribute, "value", name);
}

/* Their own account's data, and nobody else's. NULL: there is no such line. */
static void shows_representative(struct fx *x, const char *name)
{
	_cleanup_(json_freep)
		json_t *r = fx_do(x, UID_SUBSCRIBER, "account.show", json_pack("{s:s}", "session", x->session)),
		       *other = fx_do(x, UID_OTHER, "account.show", json_pack("{s:s}", "session", x->other_session));
	const char *said = json_string_value(json_object_get(r, "legal_representative"));
	assert_string_equal(said ? said : "none", name ? name : "none");
	assert_null(json_object_get(other, "legal_representative"));
}

static char *record(struct fx *x, const char *name)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "request.prepare", record_params(x, "legalRepresentative", name));
	assert_string_equal(fx_text(r, "makes"), "record");
	assert_string_equal(fx_text(r, "tally"), "");
	assert_string_equal(fx_text(json_array_get(json_object_get(r, "missing"), 0), "name"),
			    "business-licence or change-proof");
	return xstrdup(fx_text(r, "request"));
}

static json_t *decision(const char *request, const char *officer)
{
	return json_pack("{s:s,s:s}", "request", request, "officer", officer);
}

static void test_record(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = record(x, "李四");
	shows_representative(x, NULL);
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, id), "materials_missing");
	fx_refused(x, UID_SUBSCRIBER, "request.prove",
		   json_pack("{s:s,s:s,s:[s]}", "session", x->session, "request", id, "lines", "x"), "nothing_to_sign");
	fx_refused(x, UID_OFFICER, "review.decide", decision(id, "alice"), "request_state");
	fx_material(x, id, "change-proof");
	fx_submit(x, id);
	fx_state(x, id, "awaiting_officers");
	_cleanup_(json_freep) json_t *seen = fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", id));
	json_t *line = json_array_get(json_object_get(seen, "difference"), 0);
	assert_string_equal(fx_text(line, "attribute"), "legalRepresentative");
	assert_string_equal(fx_text(line, "new"), "李四");
	fx_refused(x, UID_SUBSCRIBER, "review.decide", decision(id, "alice"), "method_denied");
	fx_refused(x, UID_OFFICER, "review.decide", decision(id, "mallory"), "officer_unknown");
	fx_refused(x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", id, "line", "x"),
		   "nothing_to_sign");
	json_t *p = decision(id, "alice");
	json_object_set_new(p, "call_id", json_string("click-0001"));
	json_decref(fx_do(x, UID_OFFICER, "review.decide", json_incref(p)));
	json_decref(fx_do(x, UID_OFFICER, "review.decide", p));
	fx_state(x, id, "done");
	shows_representative(x, "李四");
	fx_refused(x, UID_BOB, "review.decide", decision(id, "bob"), "request_state");
	fx_refused(x, UID_OFFICER, "review.reject", json_pack("{s:s,s:s}", "request", id, "reason", "x"),
		   "request_state");
	/* No certificate, nothing for the signer; the record says it. */
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 0);
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", record_params(x, "legalRepresentative", "李四"),
		   "record_same");
}

static json_t *correction(const char *request, const char *item)
{
	return json_pack("{s:s,s:[{s:s,s:s}]}", "request", request, "items", "item", item, "reason", "x");
}

static void test_record_is_refused(void **state)
{
	static const struct {
		const char *attribute, *name, *rule;
	} bad[] = {{"O", "李四", "record_terms"},
		   {"legalRepresentative", "", "name_empty"},
		   {"legalRepresentative", " 李四", "name_space"},
		   {"legalRepresentative", "李\xe2\x80\xae四", "param_characters"}};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", record_params(x, bad[i].attribute, bad[i].name),
			   bad[i].rule);
	json_t *p = record_params(x, "legalRepresentative", "李四");
	json_object_set_new(p, "months", json_integer(12));
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "record_terms");
	/* HTML and SQL are a name's letters like others, and go out as they came in. */
	_cleanup_(freep) char *id = record(x, "<script>'); DROP TABLE requests;--");
	fx_material(x, id, "business-licence");
	fx_submit(x, id);
	fx_refused(x, UID_OFFICER, "review.correct", correction(id, "O"), "correction_item");
	fx_refused(x, UID_OFFICER, "review.correct", correction(id, "legalrepresentative"), "correction_item");
	json_decref(fx_do(x, UID_OFFICER, "review.correct",
			  json_pack("{s:s,s:[{s:s,s:s},{s:s,s:s}]}", "request", id, "items", "item", "business-licence",
				    "reason", "模糊", "item", "legalRepresentative", "reason", "与执照不一致")));
	_cleanup_(freep) char *number = NULL;
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.show", of(x, id));
	number = xstrdup(fx_text(r, "number"));
	p = record_params(x, "legalRepresentative", "王五");
	json_object_set_new(p, "request", json_string(number));
	_cleanup_(json_freep) json_t *next = fx_do(x, UID_SUBSCRIBER, "request.prepare", p);
	fx_material(x, fx_text(next, "request"), "change-proof");
	fx_submit(x, fx_text(next, "request"));
	json_decref(fx_do(x, UID_OFFICER, "review.decide", decision(number, "alice")));
	fx_state(x, number, "done");
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 0);
}

/* --- recovery --- */

static json_t *open_params(struct fx *x, const char *serial)
{
	return json_pack("{s:s,s:s}", "session", x->session, "serial", serial);
}

static char *opened(struct fx *x)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "recover.open", open_params(x, ORG_SERIAL));
	assert_string_equal(fx_text(r, "state"), "opened");
	return xstrdup(fx_text(r, "request"));
}

static json_t *step(const char *request, const char *word)
{
	return json_pack("{s:s,s:s,s:s}", "request", request, "step", word, "note", "依据 KMC-2026-17 <i>");
}

static void move(struct fx *x, const char *request, const char *word, const char *state)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.recover", step(request, word));
	assert_string_equal(fx_text(r, "state"), state);
}

static void test_recovery(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = opened(x);
	fx_refused(x, UID_SUBSCRIBER, "recover.open", open_params(x, ORG_SERIAL), "recovery_open");
	fx_refused(x, UID_SUBSCRIBER, "recover.open", open_params(x, OTHER_SERIAL), "certificate_unknown");
	fx_refused(x, UID_SUBSCRIBER, "review.recover", step(id, "sent"), "method_denied");
	fx_refused(x, UID_OFFICER, "review.recover", step(id, "delivered"), "request_state");
	fx_refused(x, UID_OFFICER, "review.recover", step(id, "lost"), "param_word");
	fx_refused(x, UID_OFFICER, "review.decide", decision(id, "alice"), "decide_kind");
	_cleanup_(json_freep) json_t *queue =
		fx_do(x, UID_OFFICER, "review.queue", json_pack("{s:s}", "kind", "recover"));
	json_t *row = json_array_get(json_object_get(queue, "requests"), 0);
	assert_string_equal(fx_text(row, "request"), id);
	assert_true(fx_text(row, "due")[0]);
	assert_null(json_object_get(row, "dies"));
	move(x, id, "sent", "at_key_centre");
	fx_refused(x, UID_SUBSCRIBER, "request.withdraw", of(x, id), "request_state");
	move(x, id, "delivered", "delivered");
	fx_refused(x, UID_OFFICER, "review.recover", step(id, "no_copy"), "request_state");
	_cleanup_(json_freep) json_t *done = fx_do(x, UID_SUBSCRIBER, "request.show", of(x, id));
	json_t *history = json_object_get(done, "history");
	assert_int_equal(json_array_size(history), 3);
	assert_string_equal(fx_text(json_array_get(history, 2), "detail"), "依据 KMC-2026-17 <i>");
	free(opened(x)); /* another one may follow */
	fx_refused(x, UID_OTHER, "request.show", json_pack("{s:s,s:s}", "session", x->other_session, "request", id),
		   "request_unknown");
}

static void test_waiver(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = opened(x);
	fx_refused(x, UID_OFFICER, "review.recover", step(id, "waived"), "waiver_missing");
	fx_state(x, id, "opened");
	fx_material(x, id, "recovery-waiver");
	move(x, id, "waived", "waived");
}

/* A new key waits for the end of the case, whatever the owner answers meanwhile. */
static void test_a_new_key_waits(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	struct request r = {0};
	struct tally t = {.key_is_new = true, .has_predecessor = true, .files = FILES_WAIVED};
	struct ctx c = {.desk = x->desk};
	struct fault f = {0};
	assert_int_equal(store_read(x->desk->store, &c.db, &f), OK);
	r.cert = 1;
	assert_int_equal(recover_allows(&c, &r, &t, &f), ERR_RULE);
	assert_string_equal(f.rule, "recovery_missing");
	t.files = FILES_NO;
	assert_int_equal(recover_allows(&c, &r, &t, &f), OK);
	store_read_end(x->desk->store, c.db);
	_cleanup_(freep) char *id = opened(x);
	assert_int_equal(store_read(x->desk->store, &c.db, &f), OK);
	assert_int_equal(recover_allows(&c, &r, &t, &f), ERR_RULE);
	assert_string_equal(f.rule, "recovery_open");
	t.key_is_new = false;
	assert_int_equal(recover_allows(&c, &r, &t, &f), OK);
	store_read_end(x->desk->store, c.db);
	fx_material(x, id, "recovery-waiver");
	move(x, id, "waived", "waived");
	t.key_is_new = true;
	t.files = FILES_WAIVED;
	assert_int_equal(store_read(x->desk->store, &c.db, &f), OK);
	assert_int_equal(recover_allows(&c, &r, &t, &f), OK);
	store_read_end(x->desk->store, c.db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),		cmocka_unit_test(test_record_is_refused),
		cmocka_unit_test(test_recovery),	cmocka_unit_test(test_waiver),
		cmocka_unit_test(test_a_new_key_waits),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
