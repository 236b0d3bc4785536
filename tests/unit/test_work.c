/*
 * Keys that the desk makes: from the owner's address to the receipt that sends the tally, and what goes wrong on the way.
 */
#include "ra_fixture.h"

#include "ra/clockwork.h"
#include "ra/request.h"
#include "ra/store_parcel.h"
#include "ra/work.h"

#include <sqlite3.h>
#include <string.h>

#define TOKEN "83a1d6a326fbf046"
#define OTHER_TOKEN "11b2c3d4e5f60718"
#define PIN "Tiger-7381"

static const char *const papers[] = {"registration-form", "agent-id-card", "business-licence", "risk-notice"};
static const char *const officers[] = {"alice", "bob", "carol"};

/* Everybody is logged in, and two tokens are in stock. */
static struct fx *scene(void)
{
	static const char *const tokens[] = {TOKEN, OTHER_TOKEN};
	struct fx *x = fx_new();
	fx_log_in(x);
	for (size_t i = 0; i < 2; i++)
		json_decref(fx_do(x, UID_OFFICER, "token.add", json_pack("{s:s}", "token", tokens[i])));
	return x;
}

static void token_is(struct fx *x, const char *token, const char *wanted)
{
	_cleanup_(json_freep) json_t *t = fx_do(x, UID_OFFICER, "token.show", json_pack("{s:s}", "token", token));
	assert_string_equal(fx_text(t, "state"), wanted);
}

static json_t *of(struct fx *x, const char *request)
{
	return json_pack("{s:s,s:s}", "session", x->session, "request", request);
}

/* {request, officer: dave}: who works on tokens, and approves nothing here. */
static json_t *by_dave(const char *request)
{
	return json_pack("{s:s,s:s}", "request", request, "officer", "dave");
}

static json_t *with(json_t *params, const char *name, const char *value)
{
	if (value)
		json_object_set_new(params, name, json_string(value));
	else
		json_object_del(params, name);
	return params;
}

static json_t *work_params(struct fx *x, const char *way)
{
	json_t *p = fx_reissue_params(x, way);
	json_object_del(p, "csr");
	json_object_del(p, "key_seen");
	with(p, "recipient", "张三");
	with(p, "mobile", "0571-88880000");
	return with(p, "ship_to", "杭州市西湖区示例路 1 号");
}

static char *drafted(struct fx *x, json_t *params)
{
	bool first = strcmp(fx_text(params, "kind"), "enrol") == 0;
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", params);
	char *id = xstrdup(fx_text(r, "request"));
	assert_string_equal(fx_text(r, "tally"), "");
	for (size_t i = 0; i < (first ? 3 : 4); i++)
		fx_material(x, id, papers[i]);
	return id;
}

static json_t *shown(struct fx *x, const char *id)
{
	return fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", id));
}

/* Id of the newest request that has its number. */
static char *now_called(struct fx *x, const char *id)
{
	_cleanup_(json_freep) json_t *r = shown(x, id);
	_cleanup_(json_freep) json_t *newest = shown(x, fx_text(r, "number"));
	return xstrdup(fx_text(newest, "request"));
}

static char *submitted(struct fx *x, const char *way)
{
	char *id = drafted(x, work_params(x, way));
	fx_submit(x, id);
	fx_state(x, id, "to_make");
	return id;
}

static json_t *csr_params(struct fx *x, const char *id, const char *token)
{
	_cleanup_(freep) char *csr = fx_csr(x->new_key);
	json_t *p = by_dave(id);
	with(p, "token", token);
	with(p, "start_pin", PIN);
	return with(p, "csr", csr);
}

static json_t *line_params(struct fx *x, const char *id)
{
	_cleanup_(freep) char *line = fx_sub_line(x, id, x->new_key);
	return with(by_dave(id), "line", line);
}

static void made(struct fx *x, const char *id)
{
	json_decref(fx_do(x, UID_OFFICER, "work.csr", csr_params(x, id, TOKEN)));
	fx_state(x, id, "keyed");
	token_is(x, TOKEN, "prepared");
	json_decref(fx_do(x, UID_OFFICER, "work.prove", line_params(x, id)));
	fx_state(x, id, "awaiting_officers");
}

static void approved(struct fx *x, const char *id)
{
	for (size_t i = 0; i < 3; i++)
		fx_approve(x, id, officers[i]);
}

static void packed(struct fx *x, const char *id)
{
	json_decref(fx_do(x, UID_OFFICER, "parcel.pack", with(by_dave(id), "token", TOKEN)));
}

static json_t *ship_params(const char *id)
{
	return with(with(by_dave(id), "carrier", "顺丰"), "tracking", "SF1234567890");
}

static void shipped(struct fx *x, const char *id)
{
	packed(x, id);
	json_decref(fx_do(x, UID_OFFICER, "parcel.ship", ship_params(id)));
	fx_state(x, id, "in_post");
	token_is(x, TOKEN, "shipped");
}

static json_t *receive_params(struct fx *x, const char *id, const char *token)
{
	return with(of(x, id), "token", token);
}

static char *in_post(struct fx *x, const char *way)
{
	char *id = submitted(x, way);
	made(x, id);
	approved(x, id);
	fx_state(x, id, "to_ship");
	shipped(x, id);
	return id;
}

static void cert_is(struct fx *x, const char *state)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", ORG_SERIAL));
	assert_string_equal(fx_text(json_array_get(json_object_get(r, "answers"), 0), "state"), state);
}

static void settle(struct fx *x)
{
	fx_hand_over(x);
	fx_follow(x);
}

static const char *first_text(json_t *list, const char *key)
{
	return fx_text(json_array_get(list, 0), key);
}

/* Nowhere in the database's bytes. */
static bool database_has(struct fx *x, const char *text)
{
	static const char *const names[] = {"state/desk.db", "state/desk.db-wal"};
	bool found = false;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *path = path_join(x->dir, names[i]);
		_cleanup_buf_ struct buf bytes = {0};
		struct fault f = {0};
		if (file_read(path, 1 << 28, &bytes, &f) == OK && bytes.len > 0)
			found |= memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
	}
	return found;
}

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
