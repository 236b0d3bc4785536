/*
 * The desk as a whole: configuration, who may call what, answers that repeat, status from the ledger, health, and many
 * calls at once.
 */
#include "ra_fixture.h"

#include "ra/account.h"
#include "ra/signer.h"
#include "ra/store_schema.h"

#include <assert.h>
#include <string.h>

/* --- configuration --- */

#define GOOD                                                                                                           \
	"state: s\nsocket: a\nsigner_socket: b\npolicies: p\nroster: r\nra_key: k\nlog_key: l\nra_name: "              \
	"ra-1\ncallers:\n"                                                                                             \
	"  - {uid: 1, roles: [subscriber]}\n"

static enum err load(struct fx *x, const char *text, struct ra_config *c, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(x->dir, "try.yaml");
	fx_write(x, "try.yaml", text);
	return ra_config_load(path, c, f);
}

static void test_config(void **state)
{
	static const struct {
		const char *text, *rule;
	} bad[] = {
		{"state: s\n", "yaml_key_missing"},
		{GOOD "colour: red\n", "yaml_key_unknown"},
		{GOOD "workers: 0\n", "yaml_range"},
		{GOOD "workers: many\n", ""},
		{GOOD "  - {uid: 1, roles: [officer]}\n", "caller_twice"},
		{GOOD "  - {uid: 2, roles: [king]}\n", ""},
		{GOOD "  - {uid: 2, roles: []}\n", ""},
		{GOOD "login: {lock_minutes: [0]}\n", ""},
		{GOOD "portals:\n  - {name: p, token_sha256: abc}\n", "yaml_range"},
		{GOOD "portals:\n  - {name: p, token_sha256: "
		      "zz2a0f83384803565149f5dcad3372bb1e6846d6817f32d6dbe965356f2eedfa}\n",
		 "portal_token"},
		{GOOD "root_crl: root.crl\n", "root_crl_whose"},
		{GOOD "state: t\n", ""},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	struct ra_config c = {0};
	(void)state;
	assert_int_equal(load(x, GOOD, &c, &f), OK);
	assert_int_equal(c.workers, 8);
	assert_int_equal(c.login.failures, 5);
	assert_int_equal(c.login.lock_minutes.n, 3);
	assert_int_equal(c.session_minutes, 30);
	assert_false(c.has_bank);
	assert_int_equal(ra_config_roles(&c, 1), DESK_SUBSCRIBER);
	assert_int_equal(ra_config_roles(&c, 2), 0);
	ra_config_done(&c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum err e = load(x, bad[i].text, &c, &f);
		if (e != ERR_CONFIG || (bad[i].rule[0] && strcmp(f.rule, bad[i].rule) != 0))
			fail_msg("case %zu: %s %s %s", i, err_word(e), f.rule, f.text);
	}
	assert_int_equal(ra_config_load("/nonexistent/ra.yaml", &c, &f), ERR_CONFIG);
}

static void test_root_of_paths(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	struct ra_config c = {0};
	_cleanup_(freep) char *dir = path_join(x->dir, "tree/etc/hufu"), *wanted = path_join(x->dir, "tree/s");
	(void)state;
	assert_int_equal(dir_make(dir, 0700, &f), OK);
	fx_write(x, "tree/etc/hufu/ra.yaml", GOOD);
	_cleanup_(freep) char *path = path_join(dir, "ra.yaml");
	assert_int_equal(ra_config_load(path, &c, &f), OK);
	assert_string_equal(c.state, wanted);
	ra_config_done(&c);
	fx_write(x, "tree/etc/hufu/ra.yaml", "root: /var\n" GOOD);
	assert_int_equal(ra_config_load(path, &c, &f), OK);
	assert_string_equal(c.state, "/var/s");
	ra_config_done(&c);
}

/* What the desk starts from must be whole, and the message says which file is not. */
static void test_opening(void **state)
{
	static const struct {
		const char *file, *text, *wanted;
	} cases[] = {
		{"roster.note", "nonsense", "roster"},
		{"policies/policy.note", "nonsense", "policies"},
		{"policies/profiles/organisation.yaml", "name: organisation\n", "policies"},
		{"ra.key", "nonsense", "ra.key"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		struct ra_config c = {0};
		struct desk *d = NULL;
		struct fault f = {0};
		_cleanup_(freep) char *path = path_join(x->dir, "ra.yaml");
		fx_write(x, cases[i].file, cases[i].text);
		assert_int_equal(ra_config_load(path, &c, &f), OK);
		assert_int_not_equal(desk_open(&c, &d, &f), OK);
		if (!strstr(f.text, cases[i].wanted))
			fail_msg("%s: %s", cases[i].file, f.text);
	}
}

/* --- who may call --- */

static void test_roles(void **state)
{
	static const struct {
		const char *method;
		bool subscriber, officer, admin, portal;
	} cases[] = {
		{"account.login", true, false, false, true},	{"request.prepare", true, false, false, true},
		{"order.confirm", false, true, false, false},	{"order.callback", false, false, false, true},
		{"order.find", false, true, false, false},	{"order.refund", false, true, false, false},
		{"review.queue", false, true, false, false},	{"review.approve", false, true, false, false},
		{"import.accounts", false, false, true, false}, {"policy.pending", false, true, true, false},
		{"status.query", true, true, true, true},	{"desk.health", true, true, true, true},
	};
	static const enum fx_uid uids[] = {UID_SUBSCRIBER, UID_OFFICER, UID_ADMIN, UID_PORTAL};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const bool may[] = {cases[i].subscriber, cases[i].officer, cases[i].admin, cases[i].portal};
		for (size_t u = 0; u < 4; u++) {
			_cleanup_(json_freep) json_t *r = fx_call(x, uids[u], cases[i].method, NULL);
			json_t *data = json_object_get(json_object_get(r, "error"), "data");
			bool denied = data && strcmp(fx_text(data, "reason"), "method_denied") == 0;
			if (denied == may[u])
				fail_msg("%s for uid %d: %s", cases[i].method, uids[u], denied ? "denied" : "allowed");
		}
		fx_refused(x, UID_NOBODY, cases[i].method, NULL, "peer_unknown");
	}
}

static void test_every_method_is_described(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(json_freep) json_t *doc = fx_do(x, UID_PORTAL, "rpc.discover", NULL);
	const struct desk_method *method = NULL;
	const struct rpc_message *message = NULL;
	size_t n = 0;
	for (; (method = desk_method_at(n)); n++) {
		const struct rpc_method *m = &method->rpc;
		_cleanup_(json_freep) json_t *schema = json_loads(m->result, 0, NULL);
		assert_non_null(schema);
		assert_true(m->zh[0] && m->en[0] && m->roles != 0 && m->params);
		assert_true(!m->changes || method->mode != MODE_READ);
		for (size_t k = 0; k < n; k++)
			assert_string_not_equal(m->name, desk_method_at(k)->rpc.name);
		assert_ptr_equal(desk_method_named(m->name), method);
	}
	assert_int_equal(json_array_size(json_object_get(doc, "methods")), n);
	for (size_t i = 0; (message = desk_message_at(i)); i++) {
		assert_true(message->zh[0] && message->en[0]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(message->rule, desk_message_at(k)->rule);
		assert_ptr_equal(desk_message_of(message->rule), message);
	}
	assert_null(desk_method_named("desk.healt"));
	assert_null(desk_method_named(""));
	assert_null(desk_message_of("zzz"));
}

/* --- bad input --- */

static json_t *wrong_type(enum param_type type)
{
	return type == PARAM_STRING ? json_integer(7) : json_string("x");
}

static json_t *too_long(const struct rpc_param *p)
{
	if (p->type == PARAM_INTEGER)
		return json_integer(p->max + 1);
	if (p->type == PARAM_STRING)
		return json_sprintf("%0*d", (int)p->max + 1, 0);
	json_t *list = json_array();
	for (int64_t i = 0; i <= p->max; i++)
		json_array_append_new(list, p->type == PARAM_STRINGS ? json_string("x") : json_object());
	return list;
}

/* The one parameter is wrong; the others may be missing, for what is wrong is told before or after that. */
static void param_refused(struct fx *x, const struct rpc_method *m, const struct rpc_param *p, json_t *value,
			  const char *what)
{
	json_t *params = json_pack("{s:o}", p->name, value);
	if (m->session && strcmp(p->name, "session") != 0)
		json_object_set_new(params, "session", json_string(x->session));
	enum fx_uid uid = m->roles & DESK_SUBSCRIBER ? UID_SUBSCRIBER
			  : m->roles & DESK_OFFICER  ? UID_OFFICER
			  : m->roles & DESK_PORTAL   ? UID_PORTAL
			  : m->roles & DESK_NOTIFIER ? UID_NOTIFIER
			  : m->roles & DESK_GATE     ? UID_GATE
						     : UID_ADMIN;
	_cleanup_(json_freep) json_t *r = fx_call(x, uid, m->name, params);
	json_t *error = json_object_get(r, "error");
	if (!error || json_integer_value(json_object_get(error, "code")) != -32602)
		fail_msg("%s: %s %s was not refused as a parameter", m->name, what, p->name);
}

static void test_bad_parameters(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	const struct desk_method *method = NULL;
	for (size_t i = 0; (method = desk_method_at(i)); i++) {
		const struct rpc_method *m = &method->rpc;
		struct rpc_param unknown = {.name = "colour", .type = PARAM_STRING};
		param_refused(x, m, &unknown, json_string("red"), "unknown");
		for (const struct rpc_param *p = m->params; p->name; p++) {
			param_refused(x, m, p, wrong_type(p->type), "mistyped");
			param_refused(x, m, p, json_null(), "null");
			if (p->max > 0 && p->max < 100000)
				param_refused(x, m, p, too_long(p), "too large");
		}
	}
}

/* The words that common/policy/judge.h promises all have texts. */
static void test_rules_of_the_judge_have_texts(void **state)
{
	static const char *const rules[] = {
		"tally_not_yet",
		"tally_expired",
		"tally_life",
		"kind_unknown",
		"project_unknown",
		"profile_unknown",
		"way_unknown",
		"predecessor_unknown",
		"predecessor_revoked",
		"predecessor_ended",
		"predecessor_succeeded",
		"predecessor_held",
		"predecessor_weak",
		"key_hash",
		"key_same",
		"key_algorithm",
		"key_strength",
		"renewal_times",
		"subject_before",
		"subject_change",
		"subject_empty_change",
		"subject_attribute",
		"identifier_check",
		"materials_missing",
		"material_unknown",
		"notice_missing",
		"order_missing",
		"order_unwanted",
		"files_unsaid",
		"files_pending",
		"key_seen",
		"validity_window",
		"validity_length",
		"validity_cap",
		"validity_latest",
		"validity_issuer",
		"reason_way",
		"policy_hash",
		"predecessor_not_held",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		bool found = false;
		const struct rpc_message *m = NULL;
		for (size_t k = 0; (m = desk_message_at(k)); k++)
			found = found || strcmp(m->rule, rules[i]) == 0;
		if (!found)
			fail_msg("no text for %s", rules[i]);
	}
}

/* --- answers that repeat --- */

static json_t *create(const char *session, const char *service, const char *call_id)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "session", session, "service_id", service, "kind", "renew", "call_id",
			 call_id);
}

static void test_calls_repeat(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *first =
		fx_do(x, UID_SUBSCRIBER, "order.create", create(x->session, "20353", "same-call-1"));
	_cleanup_(json_freep) json_t *second =
		fx_do(x, UID_SUBSCRIBER, "order.create", create(x->session, "20353", "same-call-1"));
	assert_true(json_equal(first, second));
	/* The answer outlives the process. */
	fx_restart(x);
	fx_follow(x);
	_cleanup_(json_freep) json_t *third =
		fx_do(x, UID_SUBSCRIBER, "order.create", create(x->session, "20353", "same-call-1"));
	assert_true(json_equal(first, third));
	fx_refused(x, UID_SUBSCRIBER, "order.create", create(x->session, "20354", "same-call-1"), "call_id_reused");
	fx_refused(x, UID_SUBSCRIBER, "order.pay",
		   json_pack("{s:s,s:s,s:s}", "session", x->session, "order", fx_text(first, "order"), "call_id",
			     "same-call-1"),
		   "call_id_reused");
	/* Somebody else's ids are somebody else's. */
	json_decref(fx_do(x, UID_OTHER, "order.create", create(x->other_session, "20354", "same-call-1")));
	_cleanup_(json_freep) json_t *list =
		fx_do(x, UID_SUBSCRIBER, "order.list", json_pack("{s:s}", "session", x->session));
	assert_int_equal(json_integer_value(json_object_get(list, "total")), 1);
}

static void test_refused_calls_may_be_tried_again(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.create", create(x->session, "20353", "first-order")));
	fx_refused(x, UID_SUBSCRIBER, "order.create", create(x->session, "20353", "second-order"), "order_open");
	fx_refused(x, UID_SUBSCRIBER, "order.create",
		   json_pack("{s:s,s:s,s:s,s:s}", "session", x->session, "service_id", "20353", "kind", "renew",
			     "call_id", "short"),
		   "param_range");
}

/* --- status --- */

static json_t *status(struct fx *x, const char *serial)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", serial));
	return json_incref(json_array_get(json_object_get(r, "answers"), 0));
}

static void status_is(struct fx *x, const char *serial, const char *wanted, const char *reason)
{
	_cleanup_(json_freep) json_t *a = status(x, serial);
	assert_string_equal(fx_text(a, "state"), wanted);
	assert_string_equal(fx_text(a, "reason"), reason);
}

static void held(struct fx *x, bool release)
{
	_cleanup_buf_ struct buf entry = {0};
	struct wire_e_held h = {.at = clock_now(), .serial = slice_of(x->org.serial.b, x->org.serial.n)};
	struct wire_e_released r = {.at = clock_now(), .serial = h.serial};
	memcpy(h.issuer, x->org.issuer, 20);
	memcpy(r.issuer, x->org.issuer, 20);
	if (release)
		wire_e_released_put(&r, &entry);
	else
		wire_e_held_put(&h, &entry);
	fx_append(x, &entry);
	fx_follow(x);
}

static void test_status(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	status_is(x, ORG_SERIAL, "good", "");
	status_is(x, "0BAD", "unknown", "");
	held(x, false);
	status_is(x, ORG_SERIAL, "held", "");
	held(x, true);
	status_is(x, ORG_SERIAL, "good", "");
	/* A revocation with grace counts from its time on. */
	fx_append_revoked(x, &x->other, false, 4, NOW + 10 * DAY);
	fx_follow(x);
	status_is(x, OTHER_SERIAL, "good", "");
	clock_set(NOW + 10 * DAY);
	status_is(x, OTHER_SERIAL, "revoked", "superseded");
	fx_append_revoked(x, &x->org, true, 3, NOW);
	fx_follow(x);
	status_is(x, ORG_SERIAL, "ended", "affiliationChanged");
	clock_set(NOW + 100 * DAY);
	status_is(x, OTHER_SERIAL, "revoked", "superseded");
	fx_refused(x, UID_PORTAL, "status.query", NULL, "status_nothing");
	fx_refused(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", "'; DROP TABLE certs"),
		   "serial_form");
	fx_refused(x, UID_PORTAL, "status.query", json_pack("{s:[{s:s}]}", "refs", "serial", ORG_SERIAL), "param_type");
}

static void test_status_by_reference(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char issuer[41];
	(void)state;
	clock_set(NOW + 60 * DAY + 1);
	status_is(x, ORG_SERIAL, "expired", "");
	hex_lower(x->org.issuer, 20, issuer);
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_PORTAL, "status.query",
		      json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "refs", "issuer", issuer, "serial", ORG_SERIAL, "issuer",
				"0000000000000000000000000000000000000000", "serial", ORG_SERIAL));
	json_t *answers = json_object_get(r, "answers");
	assert_string_equal(fx_text(json_array_get(answers, 0), "state"), "expired");
	assert_string_equal(fx_text(json_array_get(answers, 1), "state"), "unknown");
	assert_int_equal(json_integer_value(json_object_get(r, "ledger_size")), 3);
	assert_string_equal(fx_text(r, "as_of"), "2026-11-23T00:00:00Z");
}

/* --- health, reload --- */

static bool worries(struct fx *x, const char *reason)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "desk.health", NULL);
	json_t *list = json_object_get(r, "worries"), *v;
	size_t i;
	json_array_foreach(list, i, v)
	{
		if (strcmp(fx_text(v, "reason"), reason) == 0)
			return true;
	}
	return false;
}

static void ask(struct fx *x)
{
	signer_view_ask(x->desk->view, x->desk->signer, x->desk->laws, x->desk->root);
}

static void test_health(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	assert_true(worries(x, "signer_unreachable"));
	ask(x);
	assert_false(worries(x, "signer_unreachable"));
	assert_false(worries(x, "policy_differs"));
	assert_false(worries(x, "status_stale"));
	x->signer.locked = true;
	x->signer.policy[0] ^= 1;
	x->signer.roster[0] ^= 1;
	ask(x);
	assert_true(worries(x, "signer_locked"));
	assert_true(worries(x, "policy_differs"));
	assert_true(worries(x, "roster_differs"));
	clock_set(NOW + 600);
	assert_true(worries(x, "status_stale"));
	rpc_server_stop(x->signer.server);
	x->signer.server = NULL;
	ask(x);
	assert_true(worries(x, "signer_unreachable"));
	/* The issuer's end is remembered while the signer is away, and over a restart. */
	fx_restart(x);
	struct signer_state s;
	signer_view_get(x->desk->view, &s);
	assert_true(s.issuer_not_after == NOW + 3000 * DAY);
}

static void test_reload(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *path = path_join(x->dir, "policies/policy.note");
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};
	struct law *law = laws_take(x->desk->laws);
	(void)state;
	assert_true(law->quorum);
	assert_int_equal(file_read(path, 65536, &note, &f), OK);
	fx_write(x, "policies/policy.note", "nonsense");
	/* What cannot be read leaves the old one in force. */
	assert_int_not_equal(laws_reload(x->desk->laws, &f), OK);
	struct law *same = laws_take(x->desk->laws);
	assert_ptr_equal(same, law);
	law_put(x->desk->laws, same);
	/* Without its second officer the bundle loads, and the desk says so. */
	char *last = strrchr(buf_text(&note), '\xe2');
	assert_non_null(last);
	*last = '\0';
	fx_write(x, "policies/policy.note", buf_text(&note));
	assert_int_equal(laws_reload(x->desk->laws, &f), OK);
	assert_true(worries(x, "policy_quorum"));
	law_put(x->desk->laws, law);
}

static void test_pending(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char hex[65];
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x), *gone = fx_revoke(x);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw",
			  json_pack("{s:s,s:s}", "session", x->session, "request", gone)));
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "policy.pending", NULL);
	json_t *rows = json_object_get(r, "requests");
	hex_lower(x->signer.policy, 32, hex);
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(fx_text(json_array_get(rows, 0), "request"), id);
	assert_string_equal(fx_text(json_array_get(rows, 0), "policy"), hex);
	assert_string_equal(fx_text(json_array_get(rows, 0), "dies"), "2026-12-23T00:00:00Z");
}

/* --- the database --- */

static void test_history_and_audit_only_grow(void **state)
{
	static const char *const statements[] = {"DELETE FROM audit", "UPDATE audit SET who = 'x'",
						 "DELETE FROM history", "UPDATE history SET who = 'x'"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	free(fx_revoke(x));
	for (size_t i = 0; i < 4; i++) {
		struct db *db = NULL;
		assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
		enum err e = db_run(db, &f, statements[i], "");
		assert_int_not_equal(e, OK);
		assert_int_not_equal(store_end(x->desk->store, db, e, &f), OK);
	}
}

/* A database of each older schema, with a row in it, comes up to the newest. */
static void test_migrations(void **state)
{
	(void)state;
	for (size_t from = 1; from <= store_n_migrations; from++) {
		_cleanup_(db_closep) struct db *db = NULL;
		_cleanup_(cert_body_done) struct cert_body body = {0};
		struct fault f = {0};
		assert_int_equal(db_open(":memory:", false, &db, &f), OK);
		assert_int_equal(db_migrate(db, store_migrations, from, &f), OK);
		assert_int_equal(
			db_run(db, &f,
			       "INSERT INTO certs (id, issuer, serial, state, reason, changed, not_before, not_after)"
			       " VALUES (1, x'00', x'01', 0, 0, 0, 0, 0)",
			       ""),
			OK);
		assert_int_equal(
			db_run(db, &f,
			       "INSERT INTO cert_bodies (id, der, name, issuer_name, key_sha256, renewals, adopted,"
			       " weak, project, profile, entry) VALUES (1, x'30', 'n', 'i', zeroblob(32), 0, 0, 0,"
			       " 'p', 'f', 7)",
			       ""),
			OK);
		assert_int_equal(db_migrate(db, store_migrations, store_n_migrations, &f), OK);
		assert_int_equal(store_cert_body(db, 1, &body, &f), OK);
		assert_int_equal(body.entry, 7);
		assert_string_equal(body.identifier, "");
		/* And a newer one than this program knows is left alone. */
		assert_int_equal(db_migrate(db, store_migrations, store_n_migrations - 1, &f), ERR_DB);
	}
}

#define BEFORE_NARROW 25 /* migrations before 150-narrow */

static void old_request(struct db *db, const char *id, const char *state)
{
	struct fault f = {0};
	assert_int_equal(
		db_run(db, &f,
		       "INSERT INTO requests (id, kind, way, project, profile, state, subject, months, csr, files,"
		       " notice, reason, tally, policy, proof, officers, made, dies) VALUES (?1, 'change', 'w', 'p',"
		       " 'f', ?2, '[\"s\"]', 0, x'3000', '', 0, '', 'text of ' || ?1, '', 0, 0, 5, 9)",
		       "tt", id, state),
		OK);
}

/* What a request said before its texts stood apart, it says after; so does a call that was answered. */
static void test_texts_are_carried_over(void **state)
{
	static const struct {
		const char *id, *state, *tally;
		bool pending;
	} rows[] = {{"a1", "drafted", "text of a1", true},
		    {"b2", "issued", "text of b2", false},
		    {"c3", "sealed", "text of c3", false},
		    {"d4", "lapsed", "text of d4", true}};
	static const uint8_t digest[32] = {7};
	_cleanup_(db_closep) struct db *db = NULL;
	_cleanup_(freep) char *answer = NULL;
	struct fault f = {0};
	(void)state;
	assert_int_equal(db_open(":memory:", false, &db, &f), OK);
	assert_int_equal(db_migrate(db, store_migrations, BEFORE_NARROW, &f), OK);
	for (size_t i = 0; i < 4; i++)
		old_request(db, rows[i].id, rows[i].state);
	assert_int_equal(store_call_put(db, "me", "id", "m", digest, "{}", 1, &f), OK);
	assert_int_equal(db_migrate(db, store_migrations, store_n_migrations, &f), OK);
	for (size_t i = 0; i < 4; i++) {
		_cleanup_(request_done) struct request r = {0};
		_cleanup_(db_row_donep) struct db_row *row = NULL;
		assert_int_equal(store_request_get(db, rows[i].id, &r, &f), OK);
		assert_string_equal(r.state, rows[i].state);
		assert_string_equal(r.tally, rows[i].tally);
		assert_string_equal(r.subject, "[\"s\"]");
		assert_int_equal(r.csr.len, 2);
		assert_int_equal(r.dies, 9);
		assert_int_equal(db_one(db, &f, &row, "SELECT pending FROM requests WHERE id = ?1", "t", rows[i].id),
				 OK);
		assert_int_equal(db_i64(row, 0), rows[i].pending);
	}
	assert_int_equal(store_call_find(db, "me", "id", "m", digest, &answer, &f), OK);
	assert_string_equal(answer, "{}");
}

/* --- many at once --- */

struct crowd {
	struct fx *x;
	unsigned index;
};

static void *many_calls(void *arg)
{
	struct crowd *c = arg;
	struct rpc_peer peer = {.uid = c->index % 2 ? UID_SUBSCRIBER : UID_OTHER};
	const char *session = c->index % 2 ? c->x->session : c->x->other_session;
	for (int i = 0; i < 40; i++) {
		_cleanup_buf_ struct buf reply = {0};
		_cleanup_(freep) char *text =
			i % 4 == 0
				? xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"order.create\",\"params\":{"
					    "\"session\":\"%s\",\"service_id\":\"%s\",\"kind\":\"renew\",\"call_id\":"
					    "\"crowd-%u-%d\"}}",
					    session, c->index % 2 ? "20353" : "20354", c->index, i)
				: xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{\"session\":"
					    "\"%s\"}}",
					    i % 4 == 1	 ? "cert.list"
					    : i % 4 == 2 ? "service.list"
							 : "account.show",
					    session);
		desk_handle(c->x->desk, &peer, slice_str(text), &reply);
		assert(reply.len > 0);
	}
	return NULL;
}

static void test_many_at_once(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct crowd crowd[6];
	pthread_t threads[6];
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	for (unsigned i = 0; i < 6; i++) {
		crowd[i] = (struct crowd){x, i};
		assert_int_equal(pthread_create(&threads[i], NULL, many_calls, &crowd[i]), 0);
	}
	for (int i = 0; i < 5; i++)
		assert_int_equal(laws_reload(x->desk->laws, &f), OK);
	for (unsigned i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	/* However many asked, one order of each service is open. */
	_cleanup_(json_freep) json_t *list =
		fx_do(x, UID_SUBSCRIBER, "order.list", json_pack("{s:s}", "session", x->session));
	assert_int_equal(json_integer_value(json_object_get(list, "total")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_root_of_paths),
		cmocka_unit_test(test_opening),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_every_method_is_described),
		cmocka_unit_test(test_bad_parameters),
		cmocka_unit_test(test_rules_of_the_judge_have_texts),
		cmocka_unit_test(test_calls_repeat),
		cmocka_unit_test(test_refused_calls_may_be_tried_again),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_by_reference),
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_history_and_audit_only_grow),
		cmocka_unit_test(test_migrations),
		cmocka_unit_test(test_texts_are_carried_over),
		cmocka_unit_test(test_many_at_once),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
