/*
 * Every method of the desk under abuse, from the table that describes it: a new method is tried without a word here.
 *
 * What is known of names is only where a call gets furthest with (samples); everything else follows from types, bounds
 * and roles. A parameter without a bound, and a kind of thing with an id that nobody but its owner may know of and of
 * which there is none here, fail: they would not be tried.
 */
#include "ra_fixture.h"

#include "common/base/text.h"
#include "common/rpc/json.h"
#include "token_kit.h"

#include <assert.h>
#include <sqlite3.h>
#include <string.h>

#define OWN_SERVICE "20353"
#define OTHERS_SERVICE "20354"
#define OWN_TOKEN "7F3A00112233CDEF"
#define OTHERS_TOKEN "7F3A00112233CDF8"
#define IDS_MAX 32
#define MANY 2000 /* lists up to here are made one item too long */

/* --- the scene: two organisations, each with a service, an order and a draft --- */

struct scene {
	struct fx *x;
	char *order, *request;
	char *others
		[IDS_MAX]; /* ids of the other organisation's things, one of each table; then its serial and identifier */
	size_t n_others;
};

static char *draft(struct fx *x, enum fx_uid uid, const char *session, const char *serial)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, uid, "request.prepare",
		      json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "session", session, "kind", "revoke", "way",
				"by-subscriber", "project", "jinhua", "serial", serial, "reason", "superseded"));
	return xstrdup(fx_text(r, "request"));
}

static void scene_done(struct scene *s)
{
	free(s->order);
	free(s->request);
	for (size_t i = 0; i < s->n_others; i++)
		free(s->others[i]);
	fx_free(s->x);
}

static sqlite3 *database(const struct scene *s)
{
	sqlite3 *db = NULL;
	_cleanup_(freep) char *path = path_join(s->x->dir, "state/desk.db");
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	return db;
}

/* Kinds of things that have an id of their own and an owner, and that no method makes yet. */
static const char *const awaited[] = {"uploads"};

static void add_id_of(struct scene *s, sqlite3 *db, const char *table)
{
	_cleanup_(freep) char *sql = xasprintf(
		"SELECT id FROM %s WHERE account = (SELECT id FROM accounts WHERE identifier = '" OTHER_CODE "')",
		table);
	sqlite3_stmt *st = NULL;
	bool later = false;
	for (size_t i = 0; i < sizeof(awaited) / sizeof(awaited[0]); i++)
		later |= strcmp(awaited[i], table) == 0;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW) {
		assert_true(s->n_others < IDS_MAX - 3);
		s->others[s->n_others++] = xstrdup((const char *)sqlite3_column_text(st, 0));
	} else if (!later) {
		fail_msg("things in table %s have ids and owners: make one of the other organisation's in scene_init()",
			 table);
	}
	sqlite3_finalize(st);
}

static void collect_ids(struct scene *s)
{
	static const char sql[] =
		"SELECT m.name FROM sqlite_master m WHERE m.type = 'table'"
		" AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'id' AND type = 'TEXT')"
		" AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'account')"
		" ORDER BY m.name";
	sqlite3 *db = database(s);
	sqlite3_stmt *st = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		add_id_of(s, db, (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	assert_true(s->n_others >= 3);
	s->others[s->n_others++] = xstrdup(OTHER_SERIAL);
	s->others[s->n_others++] = xstrdup(OTHER_CODE);
	s->others[s->n_others++] = xstrdup(OTHERS_TOKEN);
}

/* Another agent for the other organisation, which an officer is to decide. */
static void open_case(struct fx *x)
{
	static const char mobile[] = "13900000077";
	char code[7];
	json_decref(fx_do(x, UID_OTHER, "account.sms",
			  json_pack("{s:s,s:s,s:s}", "session", x->other_session, "purpose", "new", "mobile", mobile)));
	fx_sms_code(x, mobile, code);
	json_decref(
		fx_do(x, UID_OTHER, "account.agent",
		      json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "session", x->other_session, "agent", "李四", "mobile",
				mobile, "way", "officer", "new_code", code, "text", "the number of before is lost")));
}

/* In use, with its certificate and a PUK. */
static void add_token(struct fx *x, const struct token_kit *desk, const char *token, const char *code,
		      const char *serial)
{
	_cleanup_(freep) char *puk = token_kit_puk(desk->key, token, "24680246");
	json_decref(fx_do(x, UID_OFFICER, "token.add",
			  json_pack("{s:s,s:s,s:s,s:s,s:s}", "token", token, "state", "in_use", "identifier", code,
				    "certificate", serial, "puk", puk)));
}

static void scene_init(struct scene *s)
{
	_cleanup_(token_kit_done) struct token_kit desk = {0};
	*s = (struct scene){.x = fx_new()};
	token_kit_begin(s->x, &desk);
	fx_log_in(s->x);
	s->order = fx_paid_order(s->x, s->x->session, OWN_SERVICE);
	free(fx_paid_order(s->x, s->x->other_session, OTHERS_SERVICE));
	s->request = draft(s->x, UID_SUBSCRIBER, s->x->session, ORG_SERIAL);
	free(draft(s->x, UID_OTHER, s->x->other_session, OTHER_SERIAL));
	open_case(s->x);
	add_token(s->x, &desk, OWN_TOKEN, ORG_CODE, ORG_SERIAL);
	add_token(s->x, &desk, OTHERS_TOKEN, OTHER_CODE, OTHER_SERIAL);
	collect_ids(s);
}

/* A session of an organisation, good for one call: the call may end it. Gives: free(). */
static char *new_session(struct fx *x, const char *code, enum fx_uid uid)
{
	uint8_t random[16], hash[32];
	char token[33];
	struct db *db = NULL;
	struct fault f = {0};
	struct session in = {.uid = uid, .created = clock_now(), .expires = clock_now() + 600};
	random_fill(random, sizeof(random));
	hex_lower(random, sizeof(random), token);
	sha256(token, 32, hash);
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_account_by_name(db, code, &in.account, &f), OK);
	memcpy(in.id, token, sizeof(in.id));
	assert_int_equal(store_session_add(db, hash, &in, &f), OK);
	assert_int_equal(store_end(x->desk->store, db, OK, &f), OK);
	return xstrdup(token);
}

/* --- calls --- */

static const struct {
	enum fx_uid uid;
	enum desk_role role;
} peers[] = {{UID_SUBSCRIBER, DESK_SUBSCRIBER},
	     {UID_OFFICER, DESK_OFFICER},
	     {UID_ADMIN, DESK_ADMIN},
	     {UID_PORTAL, DESK_PORTAL},
	     {UID_NOTIFIER, DESK_NOTIFIER},
	     {UID_GATE, DESK_GATE}};
#define N_PEERS (sizeof(peers) / sizeof(peers[0]))

static enum fx_uid may_call(const struct rpc_method *m)
{
	for (size_t i = 0; i < N_PEERS; i++) {
		if (m->roles & (uint64_t)peers[i].role)
			return peers[i].uid;
	}
	fail_msg("%s: nobody may call it", m->name);
	return UID_NOBODY;
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool bounded(const struct rpc_param *p)
{
	return p->min != 0 || p->max != 0;
}

static json_t *repeated(char c, int64_t n)
{
	_cleanup_(freep) char *text = xcalloc((size_t)n + 1, 1);
	memset(text, c, (size_t)n);
	return json_string(text);
}

static json_t *repeated_item(json_t *item_given, int64_t n)
{
	json_t *list = json_array();
	for (int64_t i = 0; i < n; i++)
		json_array_append(list, item_given);
	json_decref(item_given);
	return list;
}

/* What gets a call furthest. */
static json_t *named_sample(const struct scene *s, const char *name)
{
	const struct {
		const char *name, *value;
	} samples[] = {
		{"project", "jinhua"},
		{"way", "by-subscriber"},
		{"serial", ORG_SERIAL},
		{"service_id", OWN_SERVICE},
		{"order", s->order},
		{"request", s->request},
		{"identifier", ORG_CODE},
		{"password", "wrong-password"},
		{"reason", "superseded"},
		{"new_password", PASSWORD},
		{"content", "JVBERi0xLjQ="},
		{"token", OWN_TOKEN},
		{"key", "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
	};
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		if (is(samples[i].name, name))
			return json_string(samples[i].value);
	}
	return NULL;
}

static json_t *sample(const struct scene *s, const struct rpc_param *p)
{
	json_t *named = p->type == PARAM_STRING && !p->words ? named_sample(s, p->name) : NULL;
	if (named)
		return named;
	switch (p->type) {
	case PARAM_STRING:
		return p->words ? json_string(p->words[0]) : repeated('1', p->min ? p->min : 1);
	case PARAM_INTEGER:
		return json_integer(p->min);
	case PARAM_BOOLEAN:
		return json_true();
	case PARAM_STRINGS:
		return repeated_item(json_string(p->words ? p->words[0] : "01"), p->min ? p->min : 1);
	case PARAM_OBJECT:
		return json_object();
	case PARAM_OBJECTS:
		return repeated_item(json_object(), p->min ? p->min : 1);
	}
	return NULL;
}

/* All required parameters, and a session where there is one. */
static json_t *good_params(const struct scene *s, const struct rpc_method *m)
{
	json_t *params = json_object();
	bool wants = m->session;
	for (const struct rpc_param *p = m->params; p->name; p++) {
		if (is(p->name, "session"))
			wants = true;
		else if (p->required)
			json_object_set_new(params, p->name, sample(s, p));
	}
	if (wants && m->roles & DESK_SUBSCRIBER) {
		_cleanup_(freep) char *session = new_session(s->x, ORG_CODE, UID_SUBSCRIBER);
		json_object_set_new(params, "session", json_string(session));
	}
	return params;
}

static const char *reason_of(json_t *reply)
{
	return fx_text(json_object_get(json_object_get(reply, "error"), "data"), "reason");
}

/* The call may do what it likes, but not fail inside. */
static json_t *survives(const struct scene *s, const struct rpc_method *m, json_t *params)
{
	json_t *reply = fx_call(s->x, may_call(m), m->name, params);
	json_t *error = json_object_get(reply, "error"), *data = json_object_get(error, "data");
	assert_true((error != NULL) != (json_object_get(reply, "result") != NULL));
	if (error && (is(fx_text(data, "kind"), "internal") || !fx_text(data, "zh")[0] || !fx_text(data, "en")[0])) {
		char *text = json_dumps(reply, 0);
		fail_msg("%s: %s", m->name, text);
	}
	return reply;
}

static void refused(const struct scene *s, const struct rpc_method *m, json_t *params, const char *reason,
		    const char *field)
{
	_cleanup_(json_freep) json_t *reply = survives(s, m, params);
	const char *found = fx_text(json_object_get(json_object_get(reply, "error"), "data"), "field");
	if (!is(reason_of(reply), reason) || !is(found, field))
		fail_msg("%s %s: found %s of %s, wanted %s", m->name, field, reason_of(reply), found, reason);
}

static json_t *with(json_t *params, const char *name, json_t *value_given)
{
	json_object_set_new(params, name, value_given);
	return params;
}

#define EACH_METHOD(m)                                                                                                 \
	const struct desk_method *m##_at = NULL;                                                                       \
	size_t m##_i = 0;                                                                                              \
	for (const struct rpc_method *m = NULL; (m##_at = desk_method_at(m##_i)) && (m = &m##_at->rpc); m##_i++)

/* --- who --- */

static void test_who(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	EACH_METHOD(m)
	{
		for (size_t i = 0; i < N_PEERS; i++) {
			if (!(m->roles & (uint64_t)peers[i].role))
				fx_refused(s.x, peers[i].uid, m->name, good_params(&s, m), "method_denied");
		}
		fx_refused(s.x, UID_NOBODY, m->name, good_params(&s, m), "peer_unknown");
		if (!m->session)
			continue;
		refused(&s, m, with(good_params(&s, m), "session", json_string("no-such-session")), "session_unknown",
			"params.session");
		/* A session in another peer's hands opens nothing. */
		_cleanup_(freep) char *theirs = new_session(s.x, OTHER_CODE, UID_OTHER);
		refused(&s, m, with(good_params(&s, m), "session", json_string(theirs)), "session_unknown",
			"params.session");
	}
}

/* --- shape --- */

static bool fits(json_type t, enum param_type p)
{
	switch (p) {
	case PARAM_STRING:
		return t == JSON_STRING;
	case PARAM_INTEGER:
		return t == JSON_INTEGER;
	case PARAM_BOOLEAN:
		return t == JSON_TRUE;
	case PARAM_OBJECT:
		return t == JSON_OBJECT;
	case PARAM_STRINGS:
	case PARAM_OBJECTS:
		return t == JSON_ARRAY;
	}
	return false;
}

static void mistyped(const struct scene *s, const struct rpc_method *m, const struct rpc_param *p)
{
	json_t *const values[] = {json_null(),	    json_true(),   json_integer(1),    json_real(1.5),
				  json_string("1"), json_object(), json_pack("[i]", 1)};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		bool list = json_is_array(values[i]); /* of the wrong items */
		if (list || !fits(json_typeof(values[i]), p->type))
			refused(s, m, with(good_params(s, m), p->name, json_incref(values[i])), "param_type", p->name);
		json_decref(values[i]);
	}
}

static void oversized(const struct scene *s, const struct rpc_method *m, const struct rpc_param *p)
{
	switch (p->type) {
	case PARAM_STRING:
		if (!bounded(p) && !p->words)
			fail_msg("%s: %s has no bound", m->name, p->name);
		if (p->max > 0)
			refused(s, m, with(good_params(s, m), p->name, repeated('1', p->max + 1)), "param_range",
				p->name);
		if (p->min > 0)
			refused(s, m, with(good_params(s, m), p->name, json_string("")), "param_range", p->name);
		if (p->words)
			refused(s, m, with(good_params(s, m), p->name, json_string("'or''='")), "param_word", p->name);
		return;
	case PARAM_INTEGER:
		if (!bounded(p))
			fail_msg("%s: %s has no bound", m->name, p->name);
		if (p->max < INT64_MAX)
			refused(s, m, with(good_params(s, m), p->name, json_integer(p->max + 1)), "param_range",
				p->name);
		if (p->min > INT64_MIN)
			refused(s, m, with(good_params(s, m), p->name, json_integer(p->min - 1)), "param_range",
				p->name);
		return;
	case PARAM_STRINGS:
	case PARAM_OBJECTS:
		if (!bounded(p))
			fail_msg("%s: %s has no bound", m->name, p->name);
		json_t *item = p->type == PARAM_OBJECTS ? json_object() : json_string(p->words ? p->words[0] : "01");
		if (p->max > MANY)
			fail_msg("%s: a list of %lld items is not tried here", m->name, (long long)p->max);
		refused(s, m, with(good_params(s, m), p->name, repeated_item(item, p->max + 1)), "param_range",
			p->name);
		return;
	case PARAM_BOOLEAN:
	case PARAM_OBJECT:
		return;
	}
}

static void test_shape(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	EACH_METHOD(m)
	{
		refused(&s, m, with(good_params(&s, m), "surprise", json_true()), "param_unknown", "surprise");
		for (const struct rpc_param *p = m->params; p->name; p++) {
			if (p->required) {
				json_t *params = good_params(&s, m);
				json_object_del(params, p->name);
				refused(&s, m, params, "param_missing", p->name);
			}
			mistyped(&s, m, p);
			oversized(&s, m, p);
		}
		if (m->session) {
			json_t *params = good_params(&s, m);
			json_object_del(params, "session");
			refused(&s, m, params, "param_missing", "session");
			refused(&s, m, with(good_params(&s, m), "session", json_null()), "param_type", "session");
		}
		if (m->changes)
			refused(&s, m, with(good_params(&s, m), "call_id", json_string("'; DROP TABLE x")),
				"param_range", "call_id");
	}
}

/* --- JSON that is none --- */

static void test_text(void **state)
{
	static const struct {
		const char *params, *reason;
	} cases[] = {
		{"{\"a\":1,\"a\":1}", "json_duplicate_key"},
		{"{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}", "json_depth"},
		{"{\"a\":\"\\u0000\"}", "json_nul"},
		{"{\"a\":\"\xff\xfe\"}", "json_utf8"},
		{"{\"a\":1e999}", "json_syntax"},
		{"{\"a\":", "json_syntax"},
		{"[1]", "param_type"},
		{"null", "param_type"},
	};
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	EACH_METHOD(m)
	{
		struct rpc_peer peer = {.uid = (uid_t)may_call(m)};
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			_cleanup_buf_ struct buf text = {0}, reply = {0};
			buf_fmt(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", m->name,
				cases[i].params);
			desk_handle(s.x->desk, &peer, buf_slice(&text), &reply);
			_cleanup_(json_freep) json_t *r = json_loadb((const char *)reply.data, reply.len, 0, NULL);
			if (!is(reason_of(r), cases[i].reason))
				fail_msg("%s: %s", buf_text(&text), buf_text(&reply));
		}
	}
}

/* --- other people's ids --- */

/* One that never was: another last character of the same kind. */
static char *never(const char *id)
{
	if (is(id, OTHER_CODE))
		return xstrdup(NEW_CODE); /* passes its check too */
	char *other = xstrdup(id);
	char *last = &other[strlen(other) - 1];
	*last = *last == '9'						       ? '2'
		: *last == 'z' || *last == 'Z' || *last == 'f' || *last == 'F' ? *last - 3
									       : *last + 1;
	return other;
}

/* The answer's text with the id, which a message may repeat in capitals, taken out; *ret_done: the call was carried out. Gives:
 * free(). */
static char *answer_about(const struct scene *s, const struct rpc_method *m, const struct rpc_param *p, size_t k,
			  bool real, bool *ret_done)
{
	_cleanup_(freep) char *id = real ? xstrdup(s->others[k]) : never(s->others[k]);
	json_t *value = p->type == PARAM_STRINGS ? json_pack("[s]", id) : json_string(id);
	_cleanup_(json_freep) json_t *reply = survives(s, m, with(good_params(s, m), p->name, value));
	_cleanup_buf_ struct buf out = {0};
	char *text = json_dumps(reply, JSON_SORT_KEYS), *at = text, *hit;
	for (; (hit = strcasestr(at, id)); at = hit + strlen(id))
		buf_fmt(&out, "%.*sID", (int)(hit - at), at);
	buf_str(&out, at);
	free(text);
	*ret_done = json_object_get(reply, "result") != NULL;
	return buf_take(&out, &(size_t){0});
}

/* Both carried out and changing: the id was a text like any other, and new things have names of their own. */
static bool alike(const struct rpc_method *m, const char *a, bool a_done, const char *b, bool b_done)
{
	return (a_done && b_done && m->changes) || is(a, b);
}

/* Limits on how often something may be tried can make two answers differ; then each is asked for in a world of its own. */
static void same_as_never(struct scene *s, const struct rpc_method *m, const struct rpc_param *p, size_t k)
{
	int64_t n = (int64_t)strlen(s->others[k]);
	bool done[2];
	if (p->type == PARAM_STRING && bounded(p) && (n < p->min || n > p->max))
		return;
	_cleanup_(freep) char *theirs = answer_about(s, m, p, k, true, &done[0]),
			      *nobodys = answer_about(s, m, p, k, false, &done[1]);
	if (alike(m, theirs, done[0], nobodys, done[1]))
		return;
	scene_done(s);
	scene_init(s);
	_cleanup_(freep) char *first = answer_about(s, m, p, k, true, &done[0]);
	scene_done(s);
	scene_init(s);
	_cleanup_(freep) char *second = answer_about(s, m, p, k, false, &done[1]);
	if (!alike(m, first, done[0], second, done[1]))
		fail_msg("%s: %s tells %s from what never was:\n%s\n%s", m->name, p->name, s->others[k], first, second);
}

/* By whom and by what anybody may ask who has it: revocation is public, a name is typed at the door. */
static bool is_public(const struct rpc_method *m, const struct rpc_param *p)
{
	return is(m->name, "status.query") && is(p->name, "serials");
}

static void test_ids_of_others(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	EACH_METHOD(m)
	{
		if (!(m->roles & DESK_SUBSCRIBER))
			continue;
		for (const struct rpc_param *p = m->params; p->name; p++) {
			bool text = (p->type == PARAM_STRING || p->type == PARAM_STRINGS) && !p->words;
			for (size_t k = 0; text && !is_public(m, p) && k < s.n_others; k++)
				same_as_never(&s, m, p, k);
		}
	}
}

/* --- the database, beside the desk --- */

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* Names of all tables, indices and triggers. Gives: free(). */
static char *tables(sqlite3 *db)
{
	_cleanup_buf_ struct buf out = {0};
	sqlite3_stmt *st = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT name FROM sqlite_master ORDER BY name", -1, &st, NULL),
			 SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		buf_fmt(&out, "%s,", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return buf_take(&out, &(size_t){0});
}

static void intact(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
}

/* --- SQL, HTML and worse in every text --- */

static const char *const payloads[] = {
	"'; DROP TABLE accounts; --",
	"' OR '1'='1",
	"\" OR 1=1 --",
	"%' UNION SELECT password FROM accounts --",
	"<script>alert(1)</script>",
	"\"><img src=x onerror=alert(1)>",
	"%s%s%n",
	"../../../../etc/passwd",
	"$(reboot)`reboot`",
	"\xe2\x80\xae\xe2\x80\x8b", /* bidi override, zero width */
	"\xf0\x9f\x90\x85\xcc\x81",
	"\n\r\t\x01",
};
#define N_PAYLOADS (sizeof(payloads) / sizeof(payloads[0]))

/* Cut or filled to what the table lets through. */
static json_t *payload(const struct rpc_param *p, const char *text)
{
	_cleanup_buf_ struct buf b = {0};
	buf_str(&b, text);
	while ((int64_t)b.len < p->min)
		buf_str(&b, text);
	if (p->max > 0 && (int64_t)b.len > p->max)
		b.len = (size_t)p->max;
	while (!utf8_valid(b.data, b.len))
		b.len--;
	return json_stringn((const char *)b.data, b.len);
}

static void try_payload(const struct scene *s, const struct rpc_method *m, const struct rpc_param *p, const char *text)
{
	json_t *value = NULL;
	switch (p->type) {
	case PARAM_STRING:
		value = payload(p, text);
		break;
	case PARAM_STRINGS:
		value = repeated_item(json_string(text), p->min ? p->min : 1);
		break;
	case PARAM_OBJECT:
		value = json_pack("{s:s,s:{s:s}}", text, text, "attribute", "value", text);
		break;
	case PARAM_OBJECTS:
		value = repeated_item(
			json_pack("{s:s,s:s,s:s,s:i}", text, text, "attribute", text, "value", text, "serial", 1),
			p->min ? p->min : 1);
		break;
	case PARAM_INTEGER:
	case PARAM_BOOLEAN:
		return;
	}
	json_decref(survives(s, m, with(good_params(s, m), p->name, value)));
}

static void test_payloads(void **state)
{
	_cleanup_(scene_done) struct scene s = {0};
	(void)state;
	scene_init(&s);
	sqlite3 *db = database(&s);
	_cleanup_(freep) char *before = tables(db);
	int64_t accounts = number(db, "SELECT count(*) FROM accounts"),
		certs = number(db, "SELECT count(*) FROM certs");
	EACH_METHOD(m)
	{
		for (const struct rpc_param *p = m->params; p->name; p++) {
			for (size_t i = 0; i < N_PAYLOADS; i++)
				try_payload(&s, m, p, payloads[i]);
		}
	}
	_cleanup_(freep) char *after = tables(db);
	assert_string_equal(after, before);
	assert_true(number(db, "SELECT count(*) FROM accounts") >= accounts);
	assert_int_equal(number(db, "SELECT count(*) FROM certs"), certs);
	intact(db);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who),	      cmocka_unit_test(test_shape),    cmocka_unit_test(test_text),
		cmocka_unit_test(test_ids_of_others), cmocka_unit_test(test_payloads),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
