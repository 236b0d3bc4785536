/*
 * What the desk does for gates: it hands a responder's own tally on and nothing else, once, and to gates alone.
 */
#include "tests/unit/ra_fixture.h"

#include "common/pki/csr.h"
#include "ra/handover.h"

#include <string.h>

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\": %s", what, err_word(e), f->rule, f->text);
}

static void add_line(struct buf *note, const char *name, EVP_PKEY *key)
{
	_cleanup_(note_done) struct note n = {0};
	_cleanup_(pubkey_done) struct pubkey p = {0};
	_cleanup_buf_ struct buf sig = {0};
	struct fault f = {0};
	uint8_t id[4];
	must("note", note_parse(buf_slice(note), 0, &n, &f), &f);
	must("key", privkey_public(key, &p, &f), &f);
	must("sign", privkey_sign(key, p.alg, n.text, &sig, &f), &f);
	note_key_id_spki(name, &p, id);
	must("line", note_add_line(note, name, id, buf_slice(&sig), &f), &f);
}

static void tally_text_of(struct fx *x, enum tally_kind kind, EVP_PKEY *key, struct buf *ret)
{
	_cleanup_(pubkey_done) struct pubkey p = {0};
	struct fault f = {0};
	struct tally t = {.kind = kind, .reason = -1, .made = clock_now(), .dies = clock_now() + 600};
	must("key", privkey_public(key, &p, &f), &f);
	random_fill(t.id, sizeof(t.id));
	memcpy(t.ca, x->signer.public_key.key_id, 20);
	if (kind == TALLY_RESPONDER) {
		snprintf(t.profile, sizeof(t.profile), "responder");
		t.has_key = t.key_is_new = true;
		memcpy(t.key_sha256, p.spki_sha256, 32);
	} else {
		t.has_target = true;
		random_fill(t.target, sizeof(t.target));
	}
	tally_put(&t, ret);
}

static json_t *params_of(EVP_PKEY *key, const struct buf *note)
{
	static const uint8_t no_name[] = {0x30, 0x00};
	_cleanup_buf_ struct buf csr = {0}, text = {0};
	struct fault f = {0};
	must("csr", csr_make(key, slice_of(no_name, sizeof(no_name)), &csr, &f), &f);
	buf_base64(&text, csr.data, csr.len);
	return json_pack("{s:s,s:s}", "note", buf_text(note), "csr", buf_text(&text));
}

static void note_of(struct fx *x, enum tally_kind kind, struct buf *ret)
{
	_cleanup_buf_ struct buf text = {0};
	tally_text_of(x, kind, x->new_key, &text);
	note_begin(buf_slice(&text), ret);
}

static void test_responder(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf note = {0}, der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_(json_freep) json_t *r = NULL, *again = NULL, *call = NULL;
	struct fault f = {0};
	note_of(x, TALLY_RESPONDER, &note);
	add_line(&note, NOTE_NEW_KEY, x->new_key);
	call = params_of(x->new_key, &note);
	json_object_set_new(call, "call_id", json_string("responder-1"));
	r = fx_do(x, UID_GATE, "edge.responder", json_incref(call));
	assert_true(base64_decode(fx_text(r, "certificate"), strlen(fx_text(r, "certificate")), &der));
	must("certificate", cert_parse(buf_slice(&der), &cert, &f), &f);
	assert_true(x->signer.n_tallies == 1);
	again = fx_do(x, UID_GATE, "edge.responder", json_incref(call));
	assert_true(json_equal(r, again));
	assert_true(x->signer.n_tallies == 1); /* answered from what was stored */
	assert_int_equal(fx_number(x, "SELECT count(*) FROM audit WHERE what = 'edge.responder'"), 1);
	fx_follow(x); /* the ledger's entry of it is followed like any other */
}

static void test_refused(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf other = {0}, two = {0}, none = {0}, good = {0};
	note_of(x, TALLY_WITHDRAW, &other);
	add_line(&other, NOTE_NEW_KEY, x->new_key);
	fx_refused(x, UID_GATE, "edge.responder", params_of(x->new_key, &other), "edge_kind");
	note_of(x, TALLY_RESPONDER, &two);
	add_line(&two, NOTE_NEW_KEY, x->new_key);
	add_line(&two, "alice", x->org.key);
	fx_refused(x, UID_GATE, "edge.responder", params_of(x->new_key, &two), "edge_lines");
	note_of(x, TALLY_RESPONDER, &none);
	add_line(&none, "alice", x->org.key);
	fx_refused(x, UID_GATE, "edge.responder", params_of(x->new_key, &none), "edge_lines");
	note_of(x, TALLY_RESPONDER, &good);
	add_line(&good, NOTE_NEW_KEY, x->new_key);
	json_t *bad_csr = params_of(x->new_key, &good);
	json_object_set_new(bad_csr, "csr", json_string("not base64"));
	fx_refused(x, UID_GATE, "edge.responder", bad_csr, "csr_form");
	fx_refused(x, UID_ADMIN, "edge.responder", params_of(x->new_key, &good), "method_denied");
	fx_refused(x, UID_PORTAL, "edge.feed", json_pack("{s:i}", "from", 0), "method_denied");
	assert_true(x->signer.n_tallies == 0);
}

/* The signer's refusal is the answer. */
static void test_signer_refuses(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf note = {0};
	note_of(x, TALLY_RESPONDER, &note);
	add_line(&note, NOTE_NEW_KEY, x->new_key);
	x->signer.fail = 1;
	(void)fault_raise(&x->signer.fault, ERR_RULE, "responder_unknown", "tally.key", "found a key of nobody");
	fx_refused(x, UID_GATE, "edge.responder", params_of(x->new_key, &note), "responder_unknown");
	assert_int_equal(fx_number(x, "SELECT count(*) FROM audit WHERE what = 'edge.responder'"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responder),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_signer_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
