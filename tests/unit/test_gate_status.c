/*
 * A gate's JSON, of a ledger that a real signer writes: what is said of each certificate and its line, that a clock which
 * is behind turns nothing back, and what a receipt's check says of receipts that hold and of those that do not.
 */
#include "tests/unit/gate_kit.h"

#include "ca/receipt.h"
#include "common/rpc/json.h"
#include "ra/gate/routes.h"

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

struct world {
	struct fx *x;
	struct gate *g;
	struct cert_ref old, new;
	struct buf cert, receipt; /* of the new one: DER, text */
};

static void world_done(struct world *w)
{
	buf_done(&w->cert);
	buf_done(&w->receipt);
	kit_freep(&w->g);
	fx_freep(&w->x);
}

static void follow(struct world *w)
{
	kit_beat(w->x);
	kit_follow(w->x, w->g);
}

/* An adopted certificate and the one that followed it, at that time. */
static void world_new(struct world *w, int64_t at)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_(tally_done) struct tally t = {0};
	struct fault f = {0};
	*w = (struct world){.x = fx_new(KEY_P256)};
	w->g = kit_gate(w->x);
	fx_clock(w->x, at);
	w->old = fx_ref(w->x, ORG_P256);
	fx_extend(w->x, ORG_P256, &t);
	fx_ask(w->x, &t, ORG_P256, KEY_NEW, BY_SUB | BY_RA, &a);
	check_done("extend", &a);
	buf_add_slice(&w->cert, a.done.cert);
	kit_must("receipt", receipt_make(w->x->signer, t.id, &w->receipt, &f), &f);
	fx_follow(w->x, ORG_P256, &a, KEY_OF_P256);
	w->new = fx_ref(w->x, ORG_P256);
	follow(w);
}

/* What the gate answers: its HTTP status, and the JSON. */
static unsigned asked(struct world *w, const char *method, const char *path, const char *body, json_t **ret)
{
	static const struct json_limits limits = {1 << 20, 8, 10000};
	struct http_request r = {.method = method, .path = path, .body = slice_str(body)};
	struct http_reply to = {0};
	struct fault f = {0};
	assert_true(route_status(w->g, &r, &to));
	if (to.later)
		assert_true(to.later(w->g, &r, &to));
	*ret = NULL;
	if (to.body.len > 0)
		kit_must("json", json_read(buf_slice(&to.body), &limits, ret, &f), &f);
	buf_done(&to.body);
	return to.status ? to.status : 200;
}

static void same_text(json_t *o, const char *key, const char *wanted)
{
	const char *found = json_string_value(json_object_get(o, key));
	if (!found != !wanted || (wanted && strcmp(found, wanted) != 0))
		fail_msg("%s: found %s, wanted %s", key, found ? found : "none", wanted ? wanted : "none");
}

/* --- states --- */

/* The answer about one, asked for by GET. */
static json_t *about(struct world *w, const struct cert_ref *ref)
{
	_cleanup_(freep) char *path = xasprintf("/v1/status/%s", SERIAL(&ref->serial));
	_cleanup_(json_freep) json_t *o = NULL;
	assert_int_equal(asked(w, "GET", path, "", &o), 200);
	assert_int_equal(json_array_size(json_object_get(o, "answers")), 1);
	return json_incref(json_array_get(json_object_get(o, "answers"), 0));
}

static void said(struct world *w, const struct cert_ref *ref, const char *word)
{
	_cleanup_(json_freep) json_t *o = about(w, ref);
	same_text(o, "state", word);
}

static void test_line(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w;
	char old_issuer[41], new_issuer[41];
	world_new(&w, NOW + 60);
	_cleanup_(json_freep) json_t *old = about(&w, &w.old), *new = about(&w, &w.new);
	hex_lower(w.old.issuer_key_id, 20, old_issuer);
	hex_lower(w.new.issuer_key_id, 20, new_issuer);
	same_text(old, "issuer", old_issuer);
	same_text(old, "successor", SERIAL(&w.new.serial));
	same_text(old, "successor_issuer", new_issuer);
	same_text(old, "predecessor", NULL);
	same_text(new, "state", "good");
	same_text(new, "predecessor", SERIAL(&w.old.serial));
	same_text(new, "predecessor_issuer", old_issuer);
	same_text(new, "successor", NULL);
}

/* Set back, or behind: what the ledger told as revoked is revoked; expired only what is. */
static void test_clock_back(void **state)
{
	(void)state;
	static const int64_t back[] = {0, 1, 3600, 3 * 3600 - 60, 86400, NOW};
	_cleanup_(world_done) struct world w;
	_cleanup_(tally_done) struct tally revoke = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	world_new(&w, NOW + 3 * 3600);
	said(&w, &w.new, "good");
	fx_revoke(w.x, ORG_P256, &revoke);
	fx_ask(w.x, &revoke, ORG_P256, KEY_NEW, BY_SUB | BY_RA, &a);
	check_done("revoke", &a);
	follow(&w);
	for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
		clock_set(NOW + 3 * 3600 - back[i]);
		said(&w, &w.new, "revoked");
	}
	/* and a day on, with nothing heard, there is no answer */
	_cleanup_(json_freep) json_t *o = NULL;
	clock_set(table_head(w.g->table).beat + 86400);
	assert_int_equal(asked(&w, "GET", "/v1/status/0A", "", &o), 503);
	same_text(json_object_get(o, "error"), "reason", "status_stale");
}

static void test_forked(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w;
	_cleanup_(json_freep) json_t *o = NULL;
	world_new(&w, NOW + 60);
	w.g->forked = true;
	assert_int_equal(asked(&w, "POST", "/v1/status", "{\"serials\":[\"0A\"]}", &o), 503);
	same_text(json_object_get(o, "error"), "reason", "status_stale");
}

static void test_bad_questions(void **state)
{
	(void)state;
	static const struct row {
		const char *method, *path, *body;
	} rows[] = {
		{"GET", "/v1/status", ""},
		{"GET", "/v1/status/", ""},
		{"GET", "/v1/status/0", ""},
		{"GET", "/v1/status/000A", ""},
		{"GET", "/v1/status/0A/", ""},
		{"GET", "/v1/status/receipt", ""},
		{"GET", "/v1/status/0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A", ""},
		{"GET", "/v1/status/../ca", ""},
		{"GET", "/v1/status/\xe5\xba\x8f", ""},
		{"POST", "/v1/status", ""},
		{"POST", "/v1/status", "[]"},
		{"POST", "/v1/status", "{}"},
		{"POST", "/v1/status", "{\"serials\":{}}"},
		{"POST", "/v1/status", "{\"serials\":[null]}"},
		{"POST", "/v1/status", "{\"serials\":[\"0A\",\"XX\"]}"},
		{"POST", "/v1/status", "{\"serials\":[\"0A\"],\"serials\":[\"0B\"]}"},
		{"POST", "/v1/status", "{\"refs\":[{\"serial\":\"0A\",\"issuer\":\"12\"}]}"},
		{"POST", "/v1/status", "{\"refs\":[\"0A\"]}"},
		{"POST", "/v1/status",
		 "{\"serials\":[\"0A\"]} "
		 "x"},
		{"POST", "/v1/status", "{\"serials\":[[[[[[[[\"0A\"]]]]]]]]}"},
	};
	_cleanup_(world_done) struct world w;
	world_new(&w, NOW + 60);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(json_freep) json_t *o = NULL;
		unsigned status = asked(&w, rows[i].method, rows[i].path, rows[i].body, &o);
		if (status != 400)
			fail_msg("%s %s %s: found %u", rows[i].method, rows[i].path, rows[i].body, status);
		same_text(json_object_get(o, "error"), "reason", "status_form");
	}
	struct http_request other = {.method = "GET", .path = "/v1/statuses"};
	struct http_reply to = {0};
	assert_false(route_status(w.g, &other, &to));
}

/* --- receipts --- */

static json_t *receipt_answer_to(struct world *w, const char *pem, const char *receipt)
{
	_cleanup_(json_freep) json_t *body = json_pack("{s:s,s:s}", "certificate", pem, "receipt", receipt), *o = NULL;
	_cleanup_buf_ struct buf text = {0};
	json_write(body, &text);
	assert_int_equal(asked(w, "POST", "/v1/status/receipt", buf_text(&text), &o), 200);
	return TAKE(o);
}

static void receipt_refused(struct world *w, const char *what, const char *pem, const char *receipt, const char *rule)
{
	_cleanup_(json_freep) json_t *o = receipt_answer_to(w, pem, receipt);
	const char *reason = json_string_value(json_object_get(o, "reason"));
	if (json_is_true(json_object_get(o, "good")) || !reason || strcmp(reason, rule) != 0)
		fail_msg("%s: found %s, wanted %s", what, reason ? reason : "none", rule);
	assert_non_null(json_string_value(json_object_get(o, "zh")));
	assert_true(json_string_length(json_object_get(o, "en")) > 0 &&
		    json_string_length(json_object_get(o, "where")) > 0);
	assert_null(json_object_get(o, "checked"));
}

static char *pem_of(struct slice der)
{
	_cleanup_buf_ struct buf pem = {0};
	pem_put(&pem, "CERTIFICATE", der);
	return xstrdup(buf_text(&pem));
}

/* The text with one part of it put otherwise. */
static char *altered(const struct buf *text, const char *find, const char *with)
{
	_cleanup_buf_ struct buf b = {0};
	buf_add_slice(&b, buf_slice(text));
	fx_replace(&b, find, with);
	return xstrdup(buf_text(&b));
}

static void test_receipt(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w;
	world_new(&w, NOW + 60);
	_cleanup_(freep) char *pem = pem_of(buf_slice(&w.cert));
	_cleanup_(json_freep) json_t *o = receipt_answer_to(&w, pem, buf_text(&w.receipt));
	assert_true(json_is_true(json_object_get(o, "good")));
	same_text(o, "serial", SERIAL(&w.new.serial));
	same_text(o, "ledger", w.g->log_key.origin);
	assert_int_equal(json_array_size(json_object_get(o, "checked")), 4);
	assert_int_equal(json_array_size(json_object_get(o, "not_checked")), 2);
}

/* A receipt that holds in all, and whose issuing key is none that this gate was given, or that its root has not signed. */
static void test_receipt_issuer(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w;
	_cleanup_(fx_freep) struct fx *other = fx_new(KEY_P256);
	world_new(&w, NOW + 60);
	_cleanup_(freep) char *pem = pem_of(buf_slice(&w.cert));
	struct gate_cert ours = w.g->issuers[0].ca, *theirs = &w.g->issuers[1].ca;
	kit_issuer(w.g, other->signer->issuer.der);
	w.g->issuers[0].ca = *theirs;
	w.g->n_issuers = 1;
	receipt_refused(&w, "another CA's gate", pem, buf_text(&w.receipt), "receipt_issuer");
	w.g->n_issuers = 0;
	receipt_refused(&w, "no CA", pem, buf_text(&w.receipt), "receipt_issuer");
	w.g->issuers[0].ca = ours;
	w.g->n_issuers = 1;
	w.g->root = *theirs;
	receipt_refused(&w, "another root", pem, buf_text(&w.receipt), "cert_signature");
	w.g->root = ours; /* here the CA is its own root */
	_cleanup_(json_freep) json_t *o = receipt_answer_to(&w, pem, buf_text(&w.receipt));
	assert_true(json_is_true(json_object_get(o, "good")));
	cert_done(&theirs->cert);
	buf_done(&theirs->der);
}

static void test_receipt_hostile(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w, v;
	world_new(&w, NOW + 60);
	world_new(&v, NOW + 60); /* another ledger's */
	_cleanup_(freep) char *pem = pem_of(buf_slice(&w.cert)), *issuing = pem_of(w.x->signer->issuer.der),
			      *foreign = pem_of(buf_slice(&v.cert));
	_cleanup_(freep) char *tally = altered(&w.receipt, "\nintent: ", "\nintent: 9"),
			      *extra = altered(&w.receipt, "\nintent: ", "\nextra: 1\nintent: "),
			      *path = altered(&w.receipt, "\noutcome-path: ", "\noutcome-path: AAAA"),
			      *sig = xstrdup(buf_text(&w.receipt)), *cut = xstrdup(buf_text(&w.receipt));
	size_t n = strlen(sig);
	sig[n - 10] = sig[n - 10] == 'A' ? 'B' : 'A';
	cut[n / 2] = '\0';
	const struct row {
		const char *what, *pem, *receipt, *rule;
	} rows[] = {
		{"the issuing CA's certificate", issuing, buf_text(&w.receipt), "receipt_mismatch"},
		{"another's certificate", foreign, buf_text(&w.receipt), "receipt_mismatch"},
		{"another ledger's receipt", foreign, buf_text(&v.receipt), "log_origin"},
		{"an entry's number", pem, tally, "receipt_inclusion"},
		{"a line too many", pem, extra, "field_order"},
		{"a path that is none", pem, path, "field_value"},
		{"a signature's byte", pem, sig, "log_signature"},
		{"cut off", pem, cut, "receipt_form"},
		{"nothing", pem, "", "receipt_form"},
		{"the certificate in the receipt's place", pem, pem, "receipt_form"},
		{"the receipt in the certificate's place", buf_text(&w.receipt), buf_text(&w.receipt), "pem_none"},
		{"no certificate", "", buf_text(&w.receipt), "pem_none"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		receipt_refused(&w, rows[i].what, rows[i].pem, rows[i].receipt, rows[i].rule);
}

static void test_receipt_bodies(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"{",
		"[]",
		"null",
		"{}",
		"{\"certificate\":\"x\"}",
		"{\"receipt\":\"x\"}",
		"{\"certificate\":1,\"receipt\":\"x\"}",
		"{\"certificate\":\"x\",\"receipt\":null}",
		"{\"certificate\":\"x\",\"receipt\":[\"x\"]}",
		"{\"certificate\":\"x\",\"receipt\":\"x\",\"receipt\":\"y\"}",
		"{\"certificate\":\"x\",\"receipt\":\"\\u0000\"}",
		"{\"certificate\":\"x\",\"receipt\":\"x\"}{}",
		"{\"certificate\":\"\xff\",\"receipt\":\"x\"}",
	};
	_cleanup_(world_done) struct world w;
	world_new(&w, NOW + 60);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(json_freep) json_t *o = NULL;
		unsigned status = asked(&w, "POST", "/v1/status/receipt", rows[i], &o);
		if (status != 400)
			fail_msg("%s: found %u", rows[i], status);
		same_text(json_object_get(o, "error"), "reason", "receipt_body");
	}
}

static int teardown(void **state)
{
	(void)state;
	fx_keys_done();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_clock_back),
		cmocka_unit_test(test_forked),
		cmocka_unit_test(test_bad_questions),
		cmocka_unit_test(test_receipt),
		cmocka_unit_test(test_receipt_issuer),
		cmocka_unit_test(test_receipt_hostile),
		cmocka_unit_test(test_receipt_bodies),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}
