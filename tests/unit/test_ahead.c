/*
 * What is verified and signed before a proof's change counts for the very bytes and keys that the change sees, and for no
 * others: a draft that is edited between the two is refused, as if nothing had been done before.
 */
#include "ra_fixture.h"

#include "ra/ahead.h"
#include "ra/law.h"
#include "ra/note.h"

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

struct call {
	struct rpc_call rpc;
	struct session session;
	struct ctx c;
};

/* request.prove as its owner's call has it, before its change. */
static void call_begin(struct fx *x, json_t *params, struct call *ret)
{
	struct account a = {0};
	struct fault f = {0};
	struct db *db = NULL;
	assert_int_equal(store_read(x->desk->store, &db, &f), OK);
	assert_int_equal(store_account_by_name(db, ORG_CODE, &a, &f), OK);
	store_read_end(x->desk->store, db);
	ret->session = (struct session){.account = a};
	ret->rpc = (struct rpc_call){.method = "request.prove", .params = params};
	ret->c = (struct ctx){.desk = x->desk,
			      .call = &ret->rpc,
			      .session = &ret->session,
			      .now = clock_now(),
			      .law = laws_take(x->desk->laws),
			      .who = "account:" ORG_CODE,
			      .caller = "account:" ORG_CODE};
}

static void call_end(struct fx *x, struct call *call)
{
	handover_done(&call->c.going);
	ahead_free(call->c.ahead);
	law_put(x->desk->laws, call->c.law);
}

static json_t *prove_params(const char *request, const char *line)
{
	return json_pack("{s:s,s:s,s:[s],s:b}", "call_id", "0123456789abcdef", "request", request, "lines", line,
			 "submit", 1);
}

static void draft(struct fx *x, char **ret_order, char **ret_id, char **ret_tally)
{
	*ret_order = fx_paid_order(x, x->session, "20353");
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "request.prepare", fx_extend_params(x, *ret_order, 12));
	*ret_id = xstrdup(fx_text(r, "request"));
	*ret_tally = xstrdup(fx_text(r, "tally"));
}

static void facts(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *order = NULL, *id = NULL, *tally = NULL;
	fx_log_in(x);
	draft(x, &order, &id, &tally);
	_cleanup_(freep) char *line = fx_sub_line(x, id, x->org.key);
	_cleanup_(json_freep) json_t *params = prove_params(id, line);
	_cleanup_(one_line_done) struct one_line l = {0};
	struct fault f = {0};
	struct call call;
	assert_int_equal(one_line_read(tally, line, &l, &f), OK);
	call_begin(x, params, &call);
	ahead_proof(&call.c);
	assert_non_null(call.c.ahead);
	assert_null(call.c.db);

	/* A signature that is none is still taken for these bytes under this key: so nothing was verified again. */
	l.note.sigs[0].sig[9] ^= 1;
	assert_true(ahead_holds(&call.c, &l.note, buf_slice(&l.bytes), &x->org.public_key));
	assert_false(ahead_holds(&call.c, &l.note, buf_slice(&l.bytes), &x->other.public_key));
	l.bytes.data[5] ^= 1;
	assert_false(ahead_holds(&call.c, &l.note, buf_slice(&l.bytes), &x->org.public_key));
	l.bytes.data[5] ^= 1;
	assert_false(ahead_holds(&call.c, &l.note, slice_of(l.bytes.data, l.bytes.len - 1), &x->org.public_key));

	/* The RA signs as it would have, this text and any other. */
	const char *texts[] = {tally, "another text\n"};
	for (size_t i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf by_ahead = {0}, by_key = {0};
		note_begin(slice_str(texts[i]), &by_ahead);
		note_begin(slice_str(texts[i]), &by_key);
		assert_int_equal(note_sign_by(&by_ahead, "ra", ahead_signer(&call.c), &f), OK);
		assert_int_equal(note_sign_ed25519(&by_key, "ra", x->desk->key.secret.p, &f), OK);
		assert_true(slice_eq(buf_slice(&by_ahead), buf_slice(&by_key)));
	}
	call_end(x, &call);
}

/* The bytes of a certificate of the desk's, read anew. */
static void read_der(struct fx *x, const char *code, struct buf *ret)
{
	_cleanup_(cert_body_done) struct cert_body body = {0};
	_cleanup_(freep) char *sql = xasprintf(
		"SELECT c.id FROM certs c JOIN accounts a ON a.id = c.account WHERE a.identifier = '%s'", code);
	int64_t id = fx_number(x, sql);
	struct fault f = {0};
	struct db *db = NULL;
	assert_int_equal(store_read(x->desk->store, &db, &f), OK);
	assert_int_equal(store_cert_body(db, id, &body, &f), OK);
	store_read_end(x->desk->store, db);
	buf_add_slice(ret, buf_slice(&body.der));
}

/* The certificate by whose key a line is verified is read once: handed on for the same bytes, and for no others. */
static void one_certificate(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *order = NULL, *id = NULL, *tally = NULL;
	fx_log_in(x);
	draft(x, &order, &id, &tally);
	_cleanup_(freep) char *line = fx_sub_line(x, id, x->org.key);
	_cleanup_(json_freep) json_t *params = prove_params(id, line);
	struct fault f = {0};
	struct call call;
	call_begin(x, params, &call);
	ahead_proof(&call.c);
	const struct {
		const char *code;
		const struct fx_org *org;
		bool handed_on;
	} asked[] = {{OTHER_CODE, &x->other, false}, {ORG_CODE, &x->org, true}, {ORG_CODE, &x->org, false}};
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		_cleanup_buf_ struct buf der = {0};
		_cleanup_(cert_done) struct cert cert = {0};
		read_der(x, asked[i].code, &der);
		const uint8_t *bytes = der.data;
		assert_int_equal(ahead_cert(&call.c, &der, &cert, &f), OK);
		assert_int_equal(der.data != bytes, asked[i].handed_on);
		assert_ptr_equal(cert.der.p, der.data);
		assert_memory_equal(cert.key.spki_sha256, asked[i].org->public_key.spki_sha256, 32);
	}
	call_end(x, &call);
}

/* What cannot be done before is left to the change: another's request, one that is not there, a line of another key. */
static void nothing_known(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *order = NULL, *id = NULL, *tally = NULL;
	fx_log_in(x);
	draft(x, &order, &id, &tally);
	_cleanup_(freep) char *good = fx_sub_line(x, id, x->org.key), *bad = fx_sub_line(x, id, x->other.key);
	const struct {
		const char *request, *line, *rule;
		int64_t account; /* added to the caller's */
	} cases[] = {{id, bad, "subscriber_signature", 0},
		     {id, good, "request_unknown", 1},
		     {"00000000000000000000000000000000", good, "request_unknown", 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(json_freep) json_t *params = prove_params(cases[i].request, cases[i].line), *answer = NULL;
		_cleanup_(one_line_done) struct one_line l = {0};
		struct fault f = {0};
		struct call call;
		assert_int_equal(one_line_read(tally, cases[i].line, &l, &f), OK);
		call_begin(x, params, &call);
		call.session.account.id += cases[i].account;
		ahead_proof(&call.c);
		l.note.sigs[0].sig[9] ^= 1;
		assert_false(ahead_holds(&call.c, &l.note, buf_slice(&l.bytes), &x->org.public_key));
		assert_int_not_equal(desk_change(&call.c, request_prove, &answer, &f), OK);
		assert_string_equal(f.rule, cases[i].rule);
		call_end(x, &call);
	}
	assert_int_equal(fx_number(x, "SELECT count(*) FROM lines"), 0);
}

static void edited_between(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *order = NULL, *id = NULL, *tally = NULL;
	fx_log_in(x);
	draft(x, &order, &id, &tally);
	_cleanup_(freep) char *line = fx_sub_line(x, id, x->org.key);
	_cleanup_(json_freep) json_t *params = prove_params(id, line), *answer = NULL;
	struct fault f = {0};
	struct call call;
	call_begin(x, params, &call);
	ahead_proof(&call.c);

	clock_set(NOW + 60); /* the same terms, a minute later: another tally */
	json_t *p = fx_extend_params(x, order, 12);
	json_object_set_new(p, "request", json_string(id));
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prepare", p));
	assert_int_equal(desk_change(&call.c, request_prove, &answer, &f), ERR_CRYPTO);
	assert_string_equal(f.rule, "subscriber_signature");
	assert_int_equal(fx_number(x, "SELECT count(*) FROM lines"), 0);
	assert_int_equal(fx_number(x, "SELECT count(*) FROM handover"), 0);
	call_end(x, &call);
	fx_state(x, id, "drafted");

	/* The same call with the new tally's line, all the way. */
	_cleanup_(freep) char *next = fx_sub_line(x, id, x->org.key);
	json_decref(fx_do(
		x, UID_SUBSCRIBER, "request.prove",
		json_pack("{s:s,s:s,s:[s],s:b}", "session", x->session, "request", id, "lines", next, "submit", 1)));
	fx_hand_over(x);
	fx_follow(x);
	fx_state(x, id, "issued");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(facts), cmocka_unit_test(one_certificate),
					   cmocka_unit_test(nothing_known), cmocka_unit_test(edited_between)};
	return cmocka_run_group_tests_name("ahead", tests, NULL, NULL);
}
