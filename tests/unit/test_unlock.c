/*
 * Unlocks: who may ask, what the desk keeps and hands out, and once.
 */
#include "ra_fixture.h"

#include "ra/clockwork.h"
#include "ra/token.h"
#include "token_kit.h"

#define T1 "7F3A00112233CDEF"
#define T2 "7F3A00112233CDF0"
#define OLD_PUK "24680246"
#define NEXT_PUK "ABCDEFGHABCDEFGH"

struct scene {
	struct fx *x;
	struct token_kit desk, client;
	char *request;
};

static void scene_done(struct scene *s)
{
	token_kit_done(&s->desk);
	token_kit_done(&s->client);
	free(s->request);
	fx_free(s->x);
}

static void add_token(struct scene *s, const char *token, const char *code, const char *serial, bool with_puk)
{
	_cleanup_(freep) char *puk = token_kit_puk(s->desk.key, token, OLD_PUK);
	json_t *p = json_pack("{s:s,s:s,s:s,s:s}", "token", token, "state", "in_use", "identifier", code, "certificate",
			      serial);
	if (with_puk)
		json_object_set_new(p, "puk", json_string(puk));
	json_decref(fx_do(s->x, UID_OFFICER, "token.add", p));
}

/* The first organisation has a token with a PUK, the other one without. */
static void scene_init(struct scene *s)
{
	*s = (struct scene){.x = fx_new()};
	token_kit_begin(s->x, &s->desk);
	token_kit_make(&s->client);
	fx_log_in(s->x);
	add_token(s, T1, ORG_CODE, ORG_SERIAL, true);
	add_token(s, T2, OTHER_CODE, OTHER_SERIAL, false);
}

static json_t *open_params(struct scene *s, const char *token)
{
	char hex[2 * PUK_KEY + 1];
	hex_lower(s->client.key, PUK_KEY, hex);
	return json_pack("{s:s,s:s,s:s}", "session", s->x->session, "token", token, "key", hex);
}

static void open_it(struct scene *s)
{
	_cleanup_(json_freep) json_t *r = fx_do(s->x, UID_SUBSCRIBER, "unlock.open", open_params(s, T1));
	assert_string_equal(fx_text(r, "state"), "opened");
	assert_string_equal(fx_text(r, "token"), T1);
	free(s->request);
	s->request = xstrdup(fx_text(r, "request"));
}

static json_t *mine(struct scene *s)
{
	return json_pack("{s:s,s:s}", "session", s->x->session, "request", s->request);
}

static json_t *with(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, json_string(value));
	return o;
}

static json_t *officers(struct scene *s, const uint8_t key[PUK_KEY])
{
	_cleanup_(freep) char *box = token_kit_puk(key, T1, OLD_PUK);
	return json_pack("{s:s,s:s,s:s}", "request", s->request, "puk", box, "officer", "alice");
}

static void seal(struct scene *s)
{
	json_decref(fx_do(s->x, UID_OFFICER, "review.unlock", officers(s, s->client.key)));
}

/* Gives: free(). */
static char *take(struct scene *s)
{
	_cleanup_(json_freep) json_t *r = fx_do(s->x, UID_SUBSCRIBER, "unlock.take", mine(s));
	assert_string_equal(fx_text(r, "state"), "released");
	return token_kit_open(&s->client, T1, fx_text(r, "puk"));
}

static void renew(struct scene *s)
{
	_cleanup_(freep) char *box = token_kit_puk(s->desk.key, T1, NEXT_PUK);
	json_decref(fx_do(s->x, UID_SUBSCRIBER, "unlock.renew", with(mine(s), "puk", box)));
}

static void puk_is(struct scene *s, const char *member, const char *wanted)
{
	_cleanup_(json_freep) json_t *t = fx_do(s->x, UID_OFFICER, "token.show", json_pack("{s:s}", "token", T1));
	if (!wanted) {
		assert_true(json_is_null(json_object_get(t, member)));
		return;
	}
	_cleanup_(freep) char *found = token_kit_open(&s->desk, T1, fx_text(t, member));
	assert_string_equal(found, wanted);
}

static size_t audited(struct scene *s, const char *what)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(s->x, UID_OFFICER, "audit.list", json_pack("{s:s}", "object", s->request));
	json_t *row, *rows = json_object_get(r, "rows");
	size_t i, n = 0;
	json_array_foreach(rows, i, row) n += strcmp(fx_text(row, "what"), what) == 0;
	return n;
}

/* --- the road --- */

static void test_road(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	open_it(&s);
	_cleanup_(json_freep) json_t *shown =
		fx_do(s.x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", s.request));
	json_t *k = json_object_get(shown, "unlock");
	char hex[2 * PUK_KEY + 1];
	hex_lower(s.client.key, PUK_KEY, hex);
	assert_string_equal(fx_text(k, "token"), T1);
	assert_string_equal(fx_text(k, "key"), hex);
	_cleanup_(freep) char *held = token_kit_open(&s.desk, T1, fx_text(k, "puk"));
	assert_string_equal(held, OLD_PUK);
	seal(&s);
	fx_state(s.x, s.request, "sealed");
	_cleanup_(freep) char *puk = take(&s);
	assert_string_equal(puk, OLD_PUK);
	renew(&s);
	/* The old one is kept until it is said which one is on the token. */
	puk_is(&s, "puk", OLD_PUK);
	puk_is(&s, "puk_next", NEXT_PUK);
	json_decref(fx_do(s.x, UID_SUBSCRIBER, "unlock.report", with(with(mine(&s), "result", "done"), "puk", "next")));
	fx_state(s.x, s.request, "done");
	puk_is(&s, "puk", NEXT_PUK);
	puk_is(&s, "puk_next", NULL);
	_cleanup_(json_freep) json_t *t = fx_do(s.x, UID_OFFICER, "token.show", json_pack("{s:s}", "token", T1));
	json_t *h = json_object_get(t, "history");
	assert_string_equal(fx_text(json_array_get(h, json_array_size(h) - 1), "zh"), "解锁：重新设置了 PIN");
	/* Another one may be asked for. */
	open_it(&s);
	assert_int_equal(s.x->signer.n_tallies, 0);
}

static void test_queue(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	open_it(&s);
	_cleanup_(json_freep) json_t *q = fx_do(s.x, UID_OFFICER, "review.queue", json_pack("{s:s}", "kind", "unlock"));
	json_t *row = json_array_get(json_object_get(q, "requests"), 0);
	assert_string_equal(fx_text(row, "request"), s.request);
	assert_string_equal(fx_text(row, "kind"), "unlock");
	_cleanup_(json_freep) json_t *own = fx_do(s.x, UID_SUBSCRIBER, "request.show", mine(&s));
	assert_non_null(strstr(fx_text(json_object_get(own, "explain"), "zh"), T1));
	assert_null(json_object_get(own, "unlock"));
	json_t *h = json_array_get(json_object_get(own, "history"), 0);
	assert_non_null(strstr(fx_text(h, "zh"), "申请解锁"));
	fx_refused(s.x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", s.request, "line", "x"),
		   "request_state");
	fx_refused(s.x, UID_OFFICER, "review.recover",
		   json_pack("{s:s,s:s,s:s}", "request", s.request, "step", "sent", "note", "x"), "recovery_kind");
}

/* --- before anything is handed in --- */

static void offer_is(struct scene *s, const char *session, enum fx_uid uid, const char *reason)
{
	_cleanup_(json_freep) json_t *r = fx_do(s->x, uid, "cert.list", json_pack("{s:s}", "session", session));
	json_t *offers = json_object_get(json_array_get(json_object_get(r, "certificates"), 0), "offers"), *o;
	size_t i;
	json_array_foreach(offers, i, o)
	{
		if (strcmp(fx_text(o, "action"), "unlock") != 0)
			continue;
		assert_string_equal(fx_text(o, "reason"), reason);
		assert_int_equal(json_is_true(json_object_get(o, "possible")), reason[0] == '\0');
		/* Only what has no PUK is helped by another key, and by the old one's recovery before that. */
		_cleanup_(json_freep) json_t *wanted =
			strcmp(reason, "unlock_puk_unknown") == 0 ? json_pack("[s,s]", "recover", "reissue") : NULL;
		json_t *instead = json_object_get(o, "instead");
		assert_true(wanted ? json_equal(instead, wanted) : instead == NULL);
		return;
	}
	fail_msg("no offer of an unlock");
}

static void test_said_before(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	offer_is(&s, s.x->session, UID_SUBSCRIBER, "");
	offer_is(&s, s.x->other_session, UID_OTHER, "unlock_puk_unknown");
	json_t *p = with(open_params(&s, T2), "session", s.x->other_session);
	fx_refused(s.x, UID_OTHER, "unlock.open", p, "unlock_puk_unknown");
	json_decref(fx_do(s.x, UID_OFFICER, "token.move",
			  json_pack("{s:s,s:s,s:s}", "token", T1, "to", "lost", "why", "x")));
	offer_is(&s, s.x->session, UID_SUBSCRIBER, "unlock_token_state");
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.open", open_params(&s, T1), "unlock_token_state");
	json_decref(fx_do(s.x, UID_OFFICER, "token.move",
			  json_pack("{s:s,s:s,s:s}", "token", T1, "to", "returned", "why", "x")));
	json_decref(fx_do(s.x, UID_OFFICER, "token.move",
			  json_pack("{s:s,s:s,s:s}", "token", T1, "to", "scrapped", "why", "x")));
}

static void test_refused(void **state)
{
	static const struct {
		const char *key, *rule;
	} keys[] = {
		{"zz00000000000000000000000000000000000000000000000000000000000000", "unlock_key"},
		{"0000000000000000000000000000000000000000000000000000000000000000", "unlock_key"},
		{"0100000000000000000000000000000000000000000000000000000000000000", "unlock_key"},
		{"00", "param_range"},
	};
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	/* Other people's tokens are not there, like those that never were. */
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.open", open_params(&s, T2), "token_unlisted");
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.open", open_params(&s, "0000"), "token_unlisted");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		fx_refused(s.x, UID_SUBSCRIBER, "unlock.open", with(open_params(&s, T1), "key", keys[i].key),
			   keys[i].rule);
	open_it(&s);
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.open", open_params(&s, T1), "unlock_open");
	/* Not before its time. */
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.take", mine(&s), "request_state");
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.report", with(mine(&s), "result", "done"), "request_state");
	/* Sealed to the token key, not to the client: an officer's client that is confused, or a desk that swapped keys later. */
	fx_refused(s.x, UID_OFFICER, "review.unlock", officers(&s, s.desk.key), "puk_sealed");
	fx_refused(s.x, UID_SUBSCRIBER, "review.unlock", officers(&s, s.client.key), "method_denied");
	seal(&s);
	fx_refused(s.x, UID_OFFICER, "review.unlock", officers(&s, s.client.key), "request_state");
	/* Others have no such request. */
	fx_refused(s.x, UID_OTHER, "unlock.take", with(mine(&s), "session", s.x->other_session), "request_unknown");
	free(take(&s));
	_cleanup_(freep) char *strange = token_kit_puk(s.client.key, T1, NEXT_PUK);
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.renew", with(mine(&s), "puk", strange), "puk_sealed");
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.report", with(with(mine(&s), "result", "done"), "puk", "next"),
		   "puk_next_missing");
	fx_state(s.x, s.request, "released");
}

/* The answer that was lost is given again to the same call; to another one never, and that is kept. */
static void test_once(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	open_it(&s);
	seal(&s);
	_cleanup_(json_freep) json_t *first =
		fx_do(s.x, UID_SUBSCRIBER, "unlock.take", with(mine(&s), "call_id", "take-0001"));
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.take", mine(&s), "unlock_released");
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.take", mine(&s), "unlock_released");
	_cleanup_(json_freep) json_t *again =
		fx_do(s.x, UID_SUBSCRIBER, "unlock.take", with(mine(&s), "call_id", "take-0001"));
	assert_true(json_equal(first, again));
	assert_int_equal(audited(&s, "unlock_released"), 1);
	assert_int_equal(audited(&s, "unlock_refused"), 2);
	_cleanup_(json_freep) json_t *shown =
		fx_do(s.x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", s.request));
	assert_string_equal(fx_text(shown, "state"), "released");
}

static void test_failed(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	open_it(&s);
	seal(&s);
	free(take(&s));
	renew(&s);
	json_decref(fx_do(s.x, UID_SUBSCRIBER, "unlock.report",
			  with(with(with(mine(&s), "result", "failed"), "puk", "kept"), "text", "puk_wrong")));
	fx_state(s.x, s.request, "failed");
	/* Which one is on the token is not known: both stay, and the next unlock gets both. */
	puk_is(&s, "puk", OLD_PUK);
	puk_is(&s, "puk_next", NEXT_PUK);
	open_it(&s);
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.report", with(mine(&s), "result", "failed"), "request_state");
}

static void test_ends(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	open_it(&s);
	json_decref(fx_do(s.x, UID_OFFICER, "review.reject",
			  json_pack("{s:s,s:s}", "request", s.request, "reason", "身份不符")));
	fx_state(s.x, s.request, "refused");
	open_it(&s);
	seal(&s);
	json_decref(fx_do(s.x, UID_SUBSCRIBER, "request.withdraw", mine(&s)));
	fx_state(s.x, s.request, "withdrawn");
	fx_refused(s.x, UID_SUBSCRIBER, "unlock.take", mine(&s), "request_state");
	open_it(&s);
	seal(&s);
	clock_set(NOW + 8 * DAY);
	struct fault f = {0};
	assert_int_equal(clockwork_turn(s.x->desk, &f), OK);
	fx_restart(s.x);
	_cleanup_(json_freep) json_t *r =
		fx_do(s.x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", s.request));
	assert_string_equal(fx_text(r, "state"), "expired");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_road),	cmocka_unit_test(test_queue), cmocka_unit_test(test_said_before),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_once),  cmocka_unit_test(test_failed),
		cmocka_unit_test(test_ends),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
