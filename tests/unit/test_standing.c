/*
 * Hold, release and revoke: who opens them, what goes out at once, and which hold a release ends.
 */
#include "ra_fixture.h"

#include "ra/request.h"

#include <string.h>

static json_t *standing(const char *kind, const char *serial)
{
	return json_pack("{s:s,s:s,s:s}", "kind", kind, "serial", serial, "officer", "dave");
}

static void has_state(struct fx *x, const char *serial, const char *wanted)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", serial));
	assert_string_equal(fx_text(json_array_get(json_object_get(r, "answers"), 0), "state"), wanted);
}

static void done(struct fx *x)
{
	fx_hand_over(x);
	fx_follow(x);
}

static char *opened(struct fx *x, json_t *params, const char *state)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.prepare", params);
	assert_string_equal(fx_text(r, "state"), state);
	return xstrdup(fx_text(r, "request"));
}

static bool worried(struct fx *x, int64_t held)
{
	_cleanup_(json_freep) json_t *h = fx_do(x, UID_ADMIN, "desk.health", NULL);
	size_t i;
	json_t *v;
	assert_int_equal(json_integer_value(json_object_get(h, "held")), held);
	json_array_foreach(json_object_get(h, "worries"), i, v)
	{
		if (strcmp(fx_text(v, "reason"), "certificates_held") == 0)
			return true;
	}
	return false;
}

static void test_hold_and_release(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	assert_false(worried(x, 0));
	free(opened(x, standing("hold", ORG_SERIAL), "approved"));
	done(x);
	has_state(x, ORG_SERIAL, "held");
	assert_true(worried(x, 1));
	fx_refused(x, UID_OFFICER, "review.prepare", standing("hold", ORG_SERIAL), "predecessor_held");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_change_params(x), "predecessor_held");
	_cleanup_(freep) char *id = opened(x, standing("release", ORG_SERIAL), "awaiting_officers");
	fx_approve(x, id, "alice");
	done(x);
	has_state(x, ORG_SERIAL, "held");
	fx_approve(x, id, "bob");
	done(x);
	has_state(x, ORG_SERIAL, "good");
	assert_false(worried(x, 0));
	free(fx_change(x));
}

/* Key lost at night: the subscriber's session is enough, and nobody else's. */
static void test_subscribers_hold(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	json_t *other = json_pack("{s:s,s:s}", "session", x->other_session, "serial", ORG_SERIAL);
	fx_refused(x, UID_OTHER, "request.hold", other, "certificate_unknown");
	fx_refused(x, UID_SUBSCRIBER, "request.hold", json_pack("{s:s}", "serial", ORG_SERIAL), "param_missing");
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "request.hold",
		      json_pack("{s:s,s:s,s:s}", "session", x->session, "serial", ORG_SERIAL, "call_id", "night-0001"));
	assert_string_equal(fx_text(r, "state"), "approved");
	/* The same call again is the same hold. */
	_cleanup_(json_freep) json_t *again =
		fx_do(x, UID_SUBSCRIBER, "request.hold",
		      json_pack("{s:s,s:s,s:s}", "session", x->session, "serial", ORG_SERIAL, "call_id", "night-0001"));
	assert_string_equal(fx_text(again, "request"), fx_text(r, "request"));
	done(x);
	assert_int_equal(x->signer.n_tallies, 1);
	has_state(x, ORG_SERIAL, "held");
	fx_state(x, fx_text(r, "request"), "issued");
	/* What is held may be reissued, and only officers release it. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prepare", fx_reissue_params(x, "lost")));
	fx_refused(x, UID_SUBSCRIBER, "review.prepare", standing("release", ORG_SERIAL), "method_denied");
}

static json_t *release_of(int64_t entry)
{
	json_t *p = standing("release", ORG_SERIAL);
	json_object_set_new(p, "hold", json_integer(entry));
	return p;
}

static void test_release_names_its_hold(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(tally_done) struct tally t = {0};
	struct fault f = {0};
	(void)state;
	fx_refused(x, UID_OFFICER, "review.prepare", standing("release", ORG_SERIAL), "predecessor_not_held");
	free(opened(x, standing("hold", ORG_SERIAL), "approved"));
	done(x);
	int64_t first = (int64_t)x->signer.n_entries - 1;
	fx_refused(x, UID_OFFICER, "review.prepare", release_of(first - 1), "hold_unknown");
	_cleanup_(freep) char *one = opened(x, release_of(first), "awaiting_officers");
	_cleanup_(freep) char *two = opened(x, standing("release", ORG_SERIAL), "awaiting_officers");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", two));
	assert_int_equal(tally_parse(slice_str(fx_text(r, "tally")), &t, &f), OK);
	assert_int_equal(t.hold, first);
	fx_approve(x, one, "alice");
	fx_approve(x, one, "carol");
	done(x);
	/* Held again: the release that was left over is not this hold's. */
	free(opened(x, standing("hold", ORG_SERIAL), "approved"));
	done(x);
	fx_refused(x, UID_OFFICER, "review.prepare", release_of(first), "hold_unknown");
	free(opened(x, release_of((int64_t)x->signer.n_entries - 1), "awaiting_officers"));
}

static void test_expired_ones(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	clock_set(NOW + 200 * DAY);
	has_state(x, ORG_SERIAL, "expired");
	free(opened(x, standing("hold", OTHER_SERIAL), "approved"));
	json_t *p = standing("revoke", ORG_SERIAL);
	json_object_set_new(p, "reason", json_string("keyCompromise"));
	_cleanup_(freep) char *id = opened(x, p, "awaiting_officers");
	fx_approve(x, id, "alice");
	done(x);
	has_state(x, OTHER_SERIAL, "held");
	has_state(x, ORG_SERIAL, "revoked");
	fx_refused(x, UID_OFFICER, "review.prepare", standing("hold", ORG_SERIAL), "predecessor_revoked");
}

static void test_bad_ones(void **state)
{
	static const struct {
		const char *kind, *key, *value, *rule;
	} cases[] = {
		{"extend", "serial", ORG_SERIAL, "param_word"},
		{"hold", "serial", "74C2008800000AFF", "certificate_unknown"},
		{"hold", "reason", "keyCompromise", "reason_form"},
		{"hold", "way", "desk", "way_unknown"},
		{"hold", "hold", "3", "hold_unknown"},
		{"revoke", "hold", "3", "reason_form"},
		{"release", "way", "by-magic", "way_unknown"},
		{"release", "reason", "keyCompromise", "reason_form"},
		{"release", "hold", "-1", "param_range"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = standing(cases[i].kind, ORG_SERIAL);
		json_object_set_new(p, cases[i].key,
				    strcmp(cases[i].key, "hold") == 0 ? json_integer(atol(cases[i].value))
								      : json_string(cases[i].value));
		fx_refused(x, UID_OFFICER, "review.prepare", p, cases[i].rule);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold_and_release),
		cmocka_unit_test(test_subscribers_hold),
		cmocka_unit_test(test_release_names_its_hold),
		cmocka_unit_test(test_expired_ones),
		cmocka_unit_test(test_bad_ones),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
