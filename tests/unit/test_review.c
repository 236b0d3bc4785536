/*
 * Officers at work: corrections, numbers that stay, entries of one's own, claims, and two of them at once.
 */
#include "material_kit.h"
#include "ra_fixture.h"

#include "ra/clockwork.h"
#include "ra/request.h"

#include <string.h>

static json_t *of(struct fx *x, const char *request)
{
	return json_pack("{s:s,s:s}", "session", x->session, "request", request);
}

static json_t *show(struct fx *x, const char *request)
{
	return fx_do(x, UID_SUBSCRIBER, "request.show", of(x, request));
}

static json_t *officer_show(struct fx *x, const char *request)
{
	return fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", request));
}

/* A change that waits for officers. Gives its id: free(). */
static char *waiting(struct fx *x)
{
	char *id = fx_change(x);
	fx_prove(x, id);
	fx_submit(x, id);
	return id;
}

static json_t *correction(const char *request, const char *item, const char *reason)
{
	return json_pack("{s:s,s:[{s:s,s:s}]}", "request", request, "items", "item", item, "reason", reason);
}

static void ask(struct fx *x, const char *request, const char *item)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_OFFICER, "review.correct", correction(request, item, "印章不清晰 <b>';--"));
	assert_string_equal(fx_text(r, "state"), "to_correct");
}

/* The owner begins the correction by the request's number. Gives the new id: free(). */
static char *edit(struct fx *x, const char *number)
{
	json_t *p = fx_change_params(x);
	json_object_set_new(p, "request", json_string(number));
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", p);
	assert_string_equal(fx_text(r, "state"), "drafted");
	assert_string_equal(fx_text(r, "number"), number);
	return xstrdup(fx_text(r, "request"));
}

static char *number_of(struct fx *x, const char *request)
{
	_cleanup_(json_freep) json_t *r = show(x, request);
	assert_true(fx_text(r, "number")[0]);
	return xstrdup(fx_text(r, "number"));
}

/* A material of that name with other bytes than fx_material() puts. */
static void other_material(struct fx *x, const char *request, const char *name)
{
	_cleanup_buf_ struct buf pdf = {0}, text = {0};
	kit_pdf("% stamped anew", &pdf);
	buf_base64(&text, pdf.data, pdf.len);
	json_decref(fx_do(x, UID_SUBSCRIBER, "material.put",
			  json_pack("{s:s,s:s,s:s,s:s}", "session", x->session, "request", request, "name", name,
				    "content", buf_text(&text))));
}

/* --- what to look at --- */

static void test_checklist_in_both_languages(void **state)
{
	static const struct bilingual wanted[] = {
		{"单位名称“" NEW_NAME "”与材料上的写法一致",
		 "organisation: \"" NEW_NAME "\" stands in the materials as written here"},
		{"营业执照：已盖章、清晰可读，且属于该单位",
		 "business licence: stamped, readable and of this organisation"},
		/* of the policy */
		{"公章上的名称与该单位一致", "the name in the stamp is the organisation's"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = waiting(x);
	_cleanup_(json_freep) json_t *r = officer_show(x, id);
	json_t *list = json_object_get(r, "checklist"), *v;
	size_t i, found = 0;
	json_array_foreach(list, i, v)
	{
		assert_true((unsigned char)fx_text(v, "zh")[0] >= 0x80 && fx_text(v, "en")[0] != '\0');
		for (size_t k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++)
			found += strcmp(fx_text(v, "zh"), wanted[k].zh) == 0 &&
				 strcmp(fx_text(v, "en"), wanted[k].en) == 0;
	}
	assert_int_equal(found, sizeof(wanted) / sizeof(wanted[0]));
	/* The policy's come last, each once, as the way lists them. */
	assert_string_equal(fx_text(json_array_get(list, json_array_size(list) - 4), "en"),
			    "name and code agree on the licence, the form and the proof of change");
	assert_string_equal(fx_text(json_array_get(list, json_array_size(list) - 1), "en"),
			    "the name in the stamp is the organisation's");
}

/* A way without checks, and what has no way of the policy: nothing of another way's is asked. */
static void test_checklist_of_a_way_without_checks(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *opened = fx_do(x, UID_OFFICER, "review.prepare",
						     json_pack("{s:s,s:s,s:s,s:s}", "kind", "revoke", "serial",
							       ORG_SERIAL, "reason", "superseded", "officer", "alice"));
	_cleanup_(json_freep) json_t *revocation = officer_show(x, fx_text(opened, "request"));
	assert_int_equal(json_array_size(json_object_get(revocation, "checklist")), 1);
	_cleanup_(json_freep) json_t *recovery = fx_do(
		x, UID_SUBSCRIBER, "recover.open", json_pack("{s:s,s:s}", "session", x->session, "serial", ORG_SERIAL));
	_cleanup_(json_freep) json_t *shown = officer_show(x, fx_text(recovery, "request"));
	assert_non_null(json_object_get(shown, "checklist"));
	assert_int_equal(json_array_size(json_object_get(shown, "checklist")), 0);
}

/* --- corrections --- */

static void test_correction(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = waiting(x), *number = number_of(x, id);
	fx_approve(x, id, "alice");
	_cleanup_(freep) char *late = fx_officer_line(x, id, "bob");
	ask(x, id, "business-licence");
	/* The owner reads what is wrong, in words; the tally is dead at the signer at once. */
	_cleanup_(json_freep) json_t *seen = show(x, number);
	json_t *item = json_array_get(json_object_get(seen, "corrections"), 0);
	assert_string_equal(fx_text(seen, "request"), id);
	assert_string_equal(fx_text(item, "item"), "business-licence");
	assert_string_equal(fx_text(item, "zh"), "营业执照");
	assert_string_equal(fx_text(item, "reason"), "印章不清晰 <b>';--");
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 1);
	fx_follow(x);
	fx_state(x, id, "to_correct");
	/* No officer's line counts any more, the ones that came before neither. */
	fx_refused(x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", id, "line", late),
		   "request_state");
	_cleanup_(freep) char *next = edit(x, number);
	assert_string_not_equal(next, id);
	fx_state(x, id, "corrected");
	_cleanup_(json_freep) json_t *draft = show(x, number);
	assert_string_equal(fx_text(draft, "request"), next);
	assert_string_equal(fx_text(draft, "replaces"), id);
	assert_int_equal(json_array_size(json_object_get(draft, "materials")), 4);
	json_t *missing = json_array_get(json_object_get(draft, "missing"), 0);
	assert_string_equal(fx_text(missing, "name"), "business-licence");
	assert_string_equal(fx_text(missing, "zh"), "营业执照");
	other_material(x, next, "business-licence");
	fx_prove(x, next);
	fx_submit(x, next);
	_cleanup_(json_freep) json_t *again = officer_show(x, next);
	assert_string_equal(fx_text(again, "officers"), "0/2");
	fx_refused(x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", next, "line", late),
		   "officer_signature");
	fx_approve(x, next, "alice");
	fx_approve(x, next, "bob");
	fx_hand_over(x);
	_cleanup_(json_freep) json_t *done = show(x, number);
	assert_string_equal(fx_text(done, "state"), "issued");
	assert_string_equal(fx_text(done, "number"), number);
	/* One history, from the first draft to the certificate. */
	json_t *history = json_object_get(done, "history");
	assert_string_equal(fx_text(json_array_get(history, 0), "event"), "draft");
	assert_string_equal(fx_text(json_array_get(history, json_array_size(history) - 1), "event"), "issue");
	assert_int_equal(x->signer.n_issued, 1);
}

static void test_correction_is_refused(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *draft = fx_change(x), *id = waiting(x);
	const struct {
		const char *request, *item, *reason, *rule;
	} bad[] = {{draft, "business-licence", "x", "request_state"},
		   {id, "love-letter", "x", "correction_item"},
		   {id, "", "x", "correction_item"},
		   {id, "legalRepresentative", "x", "correction_item"},
		   {id, "business-licence", "", "text_blank"},
		   {id, "business-licence", "a\nb", "param_characters"},
		   {"00000000000000000000000000000000", "other", "x", "request_unknown"},
		   {"20261123-7K2M9QXA4BCD", "other", "x", "request_unknown"},
		   {"' OR 1=1 --", "other", "x", "request_unknown"}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fx_refused(x, UID_OFFICER, "review.correct", correction(bad[i].request, bad[i].item, bad[i].reason),
			   bad[i].rule);
	fx_refused(x, UID_SUBSCRIBER, "review.correct", correction(id, "other", "x"), "method_denied");
	fx_refused(x, UID_OFFICER, "review.correct",
		   json_pack("{s:s,s:[{s:s,s:s},{s:s,s:s}]}", "request", id, "items", "item", "other", "reason", "x",
			     "item", "other", "reason", "y"),
		   "correction_item");
	/* What is final stays final; a draft of another is nothing that one can edit. */
	json_decref(fx_do(x, UID_OFFICER, "review.reject", json_pack("{s:s,s:s}", "request", id, "reason", "x")));
	fx_refused(x, UID_OFFICER, "review.correct", correction(id, "other", "x"), "request_state");
	_cleanup_(freep) char *number = number_of(x, id);
	json_t *p = fx_change_params(x);
	json_object_set_new(p, "session", json_string(x->other_session));
	json_object_set_new(p, "request", json_string(number));
	fx_refused(x, UID_OTHER, "request.prepare", p, "request_unknown");
	fx_refused(x, UID_OTHER, "request.show", json_pack("{s:s,s:s}", "session", x->other_session, "request", number),
		   "request_unknown");
}

static void test_unchanged_faults(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = waiting(x), *number = number_of(x, id);
	ask(x, id, "change-proof");
	_cleanup_(freep) char *next = edit(x, number);
	_cleanup_(freep) char *early = fx_sub_line(x, next, x->org.key);
	fx_refused(x, UID_SUBSCRIBER, "request.prove",
		   json_pack("{s:s,s:s,s:[s]}", "session", x->session, "request", next, "lines", early),
		   "materials_missing");
	/* The very same file again is no correction. */
	fx_material(x, next, "change-proof");
	fx_prove(x, next);
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, next), "correction_unchanged");
	/* The old one can't be edited a second time. */
	json_t *p = fx_change_params(x);
	json_object_set_new(p, "request", json_string(id));
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "request_state");
}

static void test_many_corrections(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *number = NULL;
	(void)state;
	fx_log_in(x);
	char *id = waiting(x);
	number = number_of(x, id);
	for (int i = 0; i < 5; i++) {
		ask(x, id, "other");
		free(id);
		id = edit(x, number);
		fx_prove(x, id);
		fx_submit(x, id);
	}
	for (int i = 0; i < 45; i++)
		fx_refused(x, UID_OFFICER, "review.correct", correction(id, "other", "x"), "corrections_many");
	fx_approve(x, id, "alice");
	fx_approve(x, id, "bob");
	fx_hand_over(x);
	fx_hand_over(x);
	fx_state(x, number, "issued");
	assert_int_equal(x->signer.n_issued, 1);
	free(id);
}

static void test_correction_ends(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = waiting(x), *other = NULL;
	ask(x, id, "other");
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw", of(x, id)));
	fx_state(x, id, "withdrawn");
	other = waiting(x);
	ask(x, other, "other");
	clock_set(NOW + 30 * DAY);
	assert_int_equal(clockwork_turn(x->desk, &f), OK);
	clock_set(NOW);
	fx_state(x, other, "expired");
}

/* --- drafts that are only saved --- */

static void test_saved_drafts(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	json_t *p = fx_change_params(x);
	json_object_del(p, "subject");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", json_incref(p), "subject_empty_change");
	json_object_del(p, "call_id");
	json_object_set_new(p, "save", json_true());
	_cleanup_(json_freep) json_t *saved = fx_do(x, UID_SUBSCRIBER, "request.prepare", p);
	const char *id = fx_text(saved, "request");
	assert_string_equal(fx_text(saved, "tally"), "");
	json_t *wrong = json_array_get(json_object_get(saved, "missing"), 0);
	assert_string_equal(fx_text(wrong, "name"), "subject_empty_change");
	assert_string_equal(fx_text(wrong, "zh"), "主体没有变化");
	/* It takes materials already, and goes nowhere as it is. */
	fx_material(x, id, "business-licence");
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, id), "subject_empty_change");
	fx_refused(x, UID_SUBSCRIBER, "request.prove",
		   json_pack("{s:s,s:s,s:[s]}", "session", x->session, "request", id, "lines", "x"),
		   "subject_empty_change");
	_cleanup_(json_freep) json_t *seen = show(x, id), *officer = officer_show(x, id);
	assert_string_equal(fx_text(json_array_get(json_object_get(seen, "missing"), 0), "what"), "terms");
	assert_string_equal(fx_text(officer, "state"), "drafted");
	/* A word that is none, or somebody else's certificate, is not kept either. */
	p = fx_change_params(x);
	json_object_set_new(p, "save", json_true());
	json_object_set_new(p, "serial", json_string(OTHER_SERIAL));
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "certificate_unknown");
	/* Filled in, it is a draft like others, under its number; another one is taken back. */
	p = fx_change_params(x);
	json_object_set_new(p, "request", json_string(id));
	_cleanup_(json_freep) json_t *whole = fx_do(x, UID_SUBSCRIBER, "request.prepare", p);
	assert_string_equal(fx_text(whole, "number"), fx_text(saved, "number"));
	assert_true(fx_text(whole, "tally")[0]);
	assert_int_equal(json_array_size(json_object_get(whole, "missing")), 5);
	p = fx_change_params(x);
	json_object_del(p, "subject");
	json_object_set_new(p, "save", json_true());
	_cleanup_(json_freep) json_t *other = fx_do(x, UID_SUBSCRIBER, "request.prepare", p);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw", of(x, fx_text(other, "request"))));
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 0);
}

/* --- two officers, double clicks, entries of one's own --- */

static void test_two_at_once(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = waiting(x), *line = fx_officer_line(x, id, "alice"),
			      *late = fx_officer_line(x, id, "bob");
	json_t *p = json_pack("{s:s,s:s,s:s}", "request", id, "line", line, "call_id", "click-0001");
	_cleanup_(json_freep) json_t *one = fx_do(x, UID_OFFICER, "review.approve", json_incref(p)),
				     *two = fx_do(x, UID_OFFICER, "review.approve", p);
	assert_true(json_equal(one, two));
	assert_string_equal(fx_text(two, "officers"), "1/2");
	json_decref(fx_do(x, UID_BOB, "review.reject", json_pack("{s:s,s:s}", "request", id, "reason", "不符")));
	fx_refused(x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", id, "line", late),
		   "request_state");
	fx_refused(x, UID_OFFICER, "review.reject", json_pack("{s:s,s:s}", "request", id, "reason", "不符"),
		   "request_state");
	_cleanup_(json_freep) json_t *r = show(x, id);
	json_t *history = json_object_get(r, "history");
	assert_string_equal(fx_text(json_array_get(history, json_array_size(history) - 1), "who"), "bob");
}

static char *opened(struct fx *x, enum fx_uid uid, const char *officer)
{
	json_t *p = json_pack("{s:s,s:s,s:s}", "kind", "revoke", "serial", OTHER_SERIAL, "reason", "keyCompromise");
	if (officer)
		json_object_set_new(p, "officer", json_string(officer));
	_cleanup_(json_freep) json_t *r = fx_do(x, uid, "review.prepare", p);
	return xstrdup(fx_text(r, "request"));
}

static void test_nobody_approves_their_own_entry(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	const struct {
		enum fx_uid opener;
		const char *officer;
		enum fx_uid approver;
		const char *signer, *rule;
	} cases[] = {
		{UID_OFFICER, "alice", UID_OFFICER, "alice", "own_entry"},
		{UID_OFFICER, NULL, UID_OFFICER, "carol", "own_entry"},
		{UID_BOB, NULL, UID_OFFICER, "bob", "own_entry"},
		{UID_BOB, "bob", UID_BOB, "bob", "own_entry"},
		{UID_BOB, NULL, UID_BOB, "carol", "officer_other"},
		{UID_OFFICER, "alice", UID_OFFICER, "bob", NULL},
		{UID_BOB, NULL, UID_OFFICER, "alice", NULL},
		{UID_OFFICER, NULL, UID_BOB, "bob", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *id = opened(x, cases[i].opener, cases[i].officer),
				      *line = fx_officer_line(x, id, cases[i].signer);
		json_t *p = json_pack("{s:s,s:s}", "request", id, "line", line);
		if (cases[i].rule) {
			fx_refused(x, cases[i].approver, "review.approve", p, cases[i].rule);
			_cleanup_(json_freep) json_t *r = officer_show(x, id);
			assert_string_equal(fx_text(r, "officers"), "0/1");
		} else {
			json_decref(fx_do(x, cases[i].approver, "review.approve", p));
		}
	}
	json_t *p = json_pack("{s:s,s:s,s:s,s:s}", "kind", "revoke", "serial", OTHER_SERIAL, "reason", "keyCompromise",
			      "officer", "mallory");
	fx_refused(x, UID_OFFICER, "review.prepare", json_incref(p), "officer_unknown");
	fx_refused(x, UID_BOB, "review.prepare", p, "officer_other");
}

/* --- claims, the queue, due dates --- */

static json_t *as(const char *request, const char *officer)
{
	json_t *p = json_pack("{s:s}", "request", request);
	if (officer)
		json_object_set_new(p, "officer", json_string(officer));
	return p;
}

static json_t *queue(struct fx *x, json_t *params)
{
	return fx_do(x, UID_OFFICER, "review.queue", params);
}

/* How many rows the queue has, and its total, with that filter (json_pack's "b" of claimed). */
static void assert_queue(struct fx *x, json_t *params, int64_t rows)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.queue", params);
	assert_int_equal(json_array_size(json_object_get(r, "requests")), rows);
	assert_int_equal(json_integer_value(json_object_get(r, "total")), rows);
}

/* Two wait, one of them claimed: by project and kind too, late ones, and page by page. */
static void test_claimed_alone(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *one = waiting(x), *two = waiting(x);
	json_decref(fx_do(x, UID_OFFICER, "review.claim", as(two, "alice")));
	assert_queue(x, json_pack("{}"), 2);
	for (int taken = 0; taken <= 1; taken++) {
		_cleanup_(json_freep) json_t *r =
			fx_do(x, UID_OFFICER, "review.queue", json_pack("{s:b}", "claimed", taken));
		assert_string_equal(fx_text(json_array_get(json_object_get(r, "requests"), 0), "request"),
				    taken ? two : one);
		assert_queue(x, json_pack("{s:b}", "claimed", taken), 1);
		assert_queue(x, json_pack("{s:b,s:s}", "claimed", taken, "project", "jinhua"), 1);
		assert_queue(x, json_pack("{s:b,s:s}", "claimed", taken, "kind", "change"), 1);
		assert_queue(x, json_pack("{s:b,s:s,s:s}", "claimed", taken, "project", "jinhua", "kind", "change"), 1);
		assert_queue(x, json_pack("{s:b,s:s}", "claimed", taken, "kind", "revoke"), 0);
		assert_queue(x, json_pack("{s:b,s:b}", "claimed", taken, "overdue", 1), 0);
		_cleanup_(json_freep) json_t *next =
			fx_do(x, UID_OFFICER, "review.queue",
			      json_pack("{s:b,s:i,s:i}", "claimed", taken, "page", 2, "per_page", 1));
		assert_int_equal(json_array_size(json_object_get(next, "requests")), 0);
	}
	/* A claim that is over is none. */
	clock_set(NOW + 3600);
	assert_queue(x, json_pack("{s:b}", "claimed", 1), 0);
	assert_queue(x, json_pack("{s:b}", "claimed", 0), 2);
	clock_set(NOW + 20 * 86400);
	json_decref(fx_do(x, UID_OFFICER, "review.claim", as(two, "alice")));
	assert_queue(x, json_pack("{s:b,s:b}", "claimed", 1, "overdue", 1), 1);
	assert_queue(x, json_pack("{s:b,s:b}", "claimed", 0, "overdue", 1), 1);
	fx_refused(x, UID_OFFICER, "review.queue", json_pack("{s:s}", "claimed", "alice"), "param_type");
}

static void test_claims(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *draft = fx_change(x), *id = waiting(x);
	fx_refused(x, UID_OFFICER, "review.claim", as(draft, "alice"), "request_state");
	fx_refused(x, UID_SUBSCRIBER, "review.claim", as(id, NULL), "method_denied");
	fx_refused(x, UID_OFFICER, "review.claim", as(id, "mallory"), "officer_unknown");
	fx_refused(x, UID_OFFICER, "review.claim", as(id, "ra-1"), "officer_unknown");
	_cleanup_(json_freep) json_t *one = fx_do(x, UID_OFFICER, "review.claim", as(id, "alice"));
	assert_string_equal(fx_text(one, "claimed_by"), "alice");
	json_decref(fx_do(x, UID_OFFICER, "review.claim", as(id, "alice")));
	fx_refused(x, UID_BOB, "review.claim", as(id, NULL), "claimed");
	fx_refused(x, UID_BOB, "review.release_claim", as(id, NULL), "claimed");
	_cleanup_(json_freep) json_t *seen = queue(x, NULL);
	assert_string_equal(fx_text(json_array_get(json_object_get(seen, "requests"), 0), "claimed_by"), "alice");
	/* A courtesy: bob's signature counts all the same, and alice's claim stays until she has signed. */
	fx_approve(x, id, "bob");
	_cleanup_(json_freep) json_t *held = officer_show(x, id);
	assert_string_equal(fx_text(held, "claimed_by"), "alice");
	/* It dies after its time, and is given back. */
	clock_set(NOW + 3600);
	_cleanup_(json_freep) json_t *dead = officer_show(x, id);
	assert_null(json_object_get(dead, "claimed_by"));
	json_decref(fx_do(x, UID_BOB, "review.claim", as(id, NULL)));
	json_decref(fx_do(x, UID_BOB, "review.release_claim", as(id, NULL)));
	json_decref(fx_do(x, UID_BOB, "review.release_claim", as(id, NULL)));
	json_decref(fx_do(x, UID_OFFICER, "review.claim", as(id, "alice")));
	fx_approve(x, id, "alice");
	_cleanup_(json_freep) json_t *done = officer_show(x, id);
	assert_string_equal(fx_text(done, "state"), "approved");
	fx_refused(x, UID_BOB, "review.claim", as(id, NULL), "request_state");
}

static void test_queue_and_due_dates(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *first = waiting(x), *revoke = NULL;
	_cleanup_(json_freep) json_t *mine = show(x, first);
	/* NOW is a Monday, 08:00 in Shanghai. */
	assert_string_equal(fx_text(mine, "due"), "2026-11-25T10:00:00Z");
	assert_true(json_is_false(json_object_get(mine, "overdue")));
	clock_set(NOW + 11 * 3600);
	revoke = opened(x, UID_OFFICER, "alice");
	_cleanup_(json_freep) json_t *other = officer_show(x, revoke);
	assert_string_equal(fx_text(other, "due"), "2026-11-26T10:00:00Z");
	clock_set(NOW + 3 * DAY);
	_cleanup_(json_freep) json_t *all = queue(x, NULL), *late = queue(x, json_pack("{s:b}", "overdue", 1)),
				     *changes = queue(x, json_pack("{s:s}", "kind", "change")),
				     *page = queue(x, json_pack("{s:i,s:i}", "page", 2, "per_page", 1)),
				     *none = queue(x, json_pack("{s:s}", "project", "' OR 1=1 --"));
	json_t *rows = json_object_get(all, "requests");
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(fx_text(json_array_get(rows, 0), "request"), first);
	assert_true(json_is_true(json_object_get(json_array_get(rows, 0), "overdue")));
	assert_true(json_is_false(json_object_get(json_array_get(rows, 1), "overdue")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(all, "counts"), "overdue")), 1);
	assert_int_equal(json_array_size(json_object_get(late, "requests")), 1);
	assert_int_equal(json_integer_value(json_object_get(late, "total")), 1);
	assert_int_equal(json_array_size(json_object_get(changes, "requests")), 1);
	assert_string_equal(fx_text(json_array_get(json_object_get(page, "requests"), 0), "request"), revoke);
	assert_int_equal(json_integer_value(json_object_get(page, "total")), 2);
	assert_int_equal(json_integer_value(json_object_get(none, "total")), 0);
	_cleanup_(json_freep) json_t *health = fx_do(x, UID_ADMIN, "desk.health", NULL);
	assert_int_equal(json_integer_value(json_object_get(health, "overdue")), 1);
	clock_set(NOW);
}

/* The due date was fixed when it came in; a clock that jumps moves no date, and what comes after counts anew. */
static void test_clock_jumps_over_a_holiday(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_write(x, "calendar.yaml",
		 "opens: '09:00'\ncloses: '18:00'\nweekdays: [monday, tuesday, wednesday, thursday, friday]\n"
		 "years: {'2026': {off: [2026-11-24..2026-11-26], working: [2026-11-28]}}\n");
	struct fault f = {0};
	assert_int_equal(laws_reload(x->desk->laws, &f), OK);
	_cleanup_(freep) char *before = opened(x, UID_OFFICER, "alice");
	_cleanup_(json_freep) json_t *one = officer_show(x, before);
	assert_string_equal(fx_text(one, "due"), "2026-11-28T10:00:00Z");
	clock_set(NOW + 2 * DAY);
	_cleanup_(freep) char *within = opened(x, UID_OFFICER, "alice");
	_cleanup_(json_freep) json_t *two = officer_show(x, within), *same = officer_show(x, before);
	assert_string_equal(fx_text(two, "due"), "2026-11-30T10:00:00Z");
	assert_string_equal(fx_text(same, "due"), "2026-11-28T10:00:00Z");
	assert_true(json_is_false(json_object_get(same, "overdue")));
	clock_set(NOW + 6 * DAY);
	_cleanup_(json_freep) json_t *late = officer_show(x, before);
	assert_true(json_is_true(json_object_get(late, "overdue")));
	clock_set(NOW - DAY);
	_cleanup_(json_freep) json_t *early = officer_show(x, before);
	assert_true(json_is_false(json_object_get(early, "overdue")));
	clock_set(NOW);
}

static bool remarked(struct fx *x, const char *reason)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "desk.health", NULL);
	json_t *v;
	size_t i;
	json_array_foreach(json_object_get(r, "remarks"), i, v)
	{
		if (strcmp(fx_text(v, "reason"), reason) == 0)
			return true;
	}
	return false;
}

static void test_calendar_is_read_again(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	assert_false(remarked(x, "calendar_year"));
	clock_set(NOW + 20 * DAY);
	assert_true(remarked(x, "calendar_year"));
	clock_set(NOW);
	fx_write(x, "calendar.yaml",
		 "opens: '09:00'\ncloses: '18:00'\nweekdays: [monday]\n"
		 "years: {'2026': {off: [2026-11-30]}, '2027': {}}\n");
	assert_int_equal(laws_reload(x->desk->laws, &f), OK);
	_cleanup_(freep) char *id = waiting(x);
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_string_equal(fx_text(r, "due"), "2026-12-14T10:00:00Z");
	/* One that can't be read changes nothing. */
	fx_write(x, "calendar.yaml", "opens: never\n");
	assert_int_equal(laws_reload(x->desk->laws, &f), ERR_CONFIG);
	_cleanup_(freep) char *next = waiting(x);
	_cleanup_(json_freep) json_t *same = show(x, next);
	assert_string_equal(fx_text(same, "due"), "2026-12-14T10:00:00Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checklist_in_both_languages),
		cmocka_unit_test(test_checklist_of_a_way_without_checks),
		cmocka_unit_test(test_correction),
		cmocka_unit_test(test_correction_is_refused),
		cmocka_unit_test(test_unchanged_faults),
		cmocka_unit_test(test_many_corrections),
		cmocka_unit_test(test_correction_ends),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_saved_drafts),
		cmocka_unit_test(test_clock_jumps_over_a_holiday),
		cmocka_unit_test(test_nobody_approves_their_own_entry),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_claimed_alone),
		cmocka_unit_test(test_queue_and_due_dates),
		cmocka_unit_test(test_calendar_is_read_again),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
