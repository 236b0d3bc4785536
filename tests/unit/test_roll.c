/*
 * The issuing CA is rolled: the ledger, the roster and the tallies stay the same CA's; what is issued is by the new
 * key, and the old one signs the CRLs of what it issued.
 */
#include "tests/unit/ca_fixture.h"

#include "ca/publish.h"
#include "ca/receipt.h"
#include "common/base/file.h"
#include "common/note/receipt.h"
#include "tools/hufu/receipt_check.h"

#include <string.h>

#define SAME (BY_SUB | BY_RA)

static void check(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

typedef void fx_tally(struct fx *x, enum fx_which org, struct tally *t);

static void ask(struct fx *x, const char *what, fx_tally *fn, enum fx_which org, unsigned who, uint8_t ret_id[TALLY_ID])
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_(tally_done) struct tally t = {0};
	fn(x, org, &t);
	fx_ask(x, &t, org, KEY_NEW, who, &a);
	check(what, a.kind, &a.f);
	if (a.done.cert.n > 0)
		fx_follow(x, org, &a, org == ORG_P256 ? KEY_OF_P256 : KEY_OF_RSA);
	memcpy(ret_id, t.id, TALLY_ID);
}

static const struct cert *old_ca(struct fx *x)
{
	return &x->signer->retired[0].cert;
}

static void get_crl(struct fx *x, const struct cert *by, uint32_t scope, struct buf *der, struct crl *ret,
		    uint64_t *ret_number)
{
	struct ledger_crl c;
	struct fault f = {0};
	buf_clear(der);
	check("crl", fx_publish(x, by->key.key_id, scope, der, &c, &f), &f);
	check("parse", crl_parse(buf_slice(der), ret, &f), &f);
	check("by its CA", crl_verify_by(ret, by, &f), &f);
	*ret_number = c.number;
}

static bool lists(const struct crl *crl, const struct serial *s)
{
	bool found = false;
	int64_t when;
	unsigned reason;
	assert_int_equal(crl_find(crl, s, &found, &when, &reason, NULL), OK);
	return found;
}

static void check_receipt(struct fx *x, const uint8_t tally[TALLY_ID], enum fx_which org)
{
	_cleanup_(freep) char *path = path_join(x->dir, "log.vkey");
	_cleanup_buf_ struct buf vkey = {0}, receipt = {0}, words = {0};
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(roster_done) struct roster roster = {0};
	struct log_key log;
	struct fault f = {0};
	check("vkey", file_read(path, 1024, &vkey, &f), &f);
	check("vkey", log_key_parse(buf_slice(&vkey), &log, &f), &f);
	check("note", note_parse(buf_slice(&x->roster_note), 1, &note, &f), &f);
	check("roster", roster_parse(note.text, &roster, &f), &f);
	check("receipt", receipt_make(x->signer, tally, &receipt, &f), &f);
	struct receipt_trust trust = {.log = &log, .roster = &roster};
	check("receipt holds", receipt_check(buf_slice(&x->orgs[org].der), buf_slice(&receipt), &trust, &words, &f),
	      &f);
}

/* --- the whole --- */

static void extends_across(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf old_crl = {0}, new_crl = {0};
	uint8_t first[TALLY_ID], second[TALLY_ID], third[TALLY_ID], ca[20];
	struct crl by_old, by_new;
	uint64_t old_number, new_number;
	struct fault f = {0};
	(void)state;
	memcpy(ca, x->signer->ca, 20);
	ask(x, "extend", fx_extend, ORG_P256, SAME, first);
	ask(x, "extend", fx_extend, ORG_RSA, SAME, second);
	get_crl(x, &x->signer->issuer, WIRE_FULL_CRL, &old_crl, &by_old, &old_number);
	assert_int_equal(old_number, 1);
	check_receipt(x, first, ORG_P256);

	fx_roll(x, KEY_P384);
	assert_memory_equal(x->signer->ca, ca, 20);
	assert_memory_not_equal(x->signer->issuer.key.key_id, ca, 20);
	check("new", fx_unlock(x, FX_NEW, &f), &f);
	check("old", fx_unlock(x, FX_OLD, &f), &f);
	check_receipt(x, first, ORG_P256);

	/* The predecessor is the old CA's and good; its successor is the new one's. */
	struct serial before = x->orgs[ORG_RSA].cert.serial;
	fx_clock(x, x->orgs[ORG_P256].cert.not_after - 30 * DAY);
	check("by the old", cert_verify_by(&x->orgs[ORG_P256].cert, old_ca(x), &f), &f);
	ask(x, "extend across", fx_extend, ORG_P256, SAME, third);
	check("by the new", cert_verify_by(&x->orgs[ORG_P256].cert, &x->signer->issuer, &f), &f);
	assert_memory_equal(x->orgs[ORG_P256].issuer, x->signer->issuer.key.key_id, 20);
	check_receipt(x, third, ORG_P256);

	/* Each is on its own CA's CRL, numbers rise by issuer, and shards too. */
	struct cert_ref ref = fx_ref(x, ORG_P256);
	struct ledger_cert row;
	fx_ledger_cert(x, &ref, &row);
	ask(x, "revoke the new", fx_revoke, ORG_P256, SAME, first);
	ask(x, "revoke the old", fx_revoke, ORG_RSA, SAME, first);
	get_crl(x, old_ca(x), WIRE_FULL_CRL, &old_crl, &by_old, &old_number);
	get_crl(x, &x->signer->issuer, WIRE_FULL_CRL, &new_crl, &by_new, &new_number);
	assert_int_equal(old_number, 2);
	assert_int_equal(new_number, 1);
	assert_true(lists(&by_old, &before));
	assert_false(lists(&by_old, &ref.serial));
	assert_true(lists(&by_new, &ref.serial));
	assert_false(lists(&by_new, &before));
	get_crl(x, &x->signer->issuer, row.shard, &new_crl, &by_new, &new_number);
	assert_true(lists(&by_new, &ref.serial));
	get_crl(x, old_ca(x), row.shard, &old_crl, &by_old, &old_number);
	assert_false(lists(&by_old, &ref.serial));
}

/* --- keys --- */

static void each_key_by_its_passphrase(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf der = {0};
	struct ledger_crl c;
	struct crl crl;
	uint64_t number;
	struct fault f = {0};
	(void)state;
	fx_roll(x, KEY_P256);
	assert_int_equal(fx_unlock(x, FX_OLD, &f), ERR_CRYPTO);
	assert_null(atomic_load(&x->signer->key));
	assert_null(atomic_load(&x->signer->retired[0].key));
	check("new", fx_unlock(x, FX_NEW, &f), &f);
	assert_null(atomic_load(&x->signer->retired[0].key));
	assert_int_equal(fx_publish(x, old_ca(x)->key.key_id, WIRE_FULL_CRL, &der, &c, &f), ERR_LOCKED);
	get_crl(x, &x->signer->issuer, WIRE_FULL_CRL, &der, &crl, &number);
	assert_int_equal(fx_unlock(x, "neither", &f), ERR_CRYPTO);
	check("old", fx_unlock(x, FX_OLD, &f), &f);
	get_crl(x, old_ca(x), WIRE_FULL_CRL, &der, &crl, &number);
	check("all are open", fx_unlock(x, "anything", &f), &f);
}

/* --- a crash, and a roll before the next start --- */

static void leave_open(struct fx *x)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(ca_key_freep) struct ca_key *wrong = NULL;
	struct ca_key *right = atomic_load(&x->signer->key);
	struct fault f = {0};
	check("wrong key", ca_key_create(KEY_P256, 0, &wrong, &f), &f);
	atomic_store(&x->signer->key, wrong);
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	atomic_store(&x->signer->key, right);
	assert_int_equal(a.kind, ERR_INTERNAL);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_INTENT), 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 0);
}

static void open_intent_is_the_old_ones(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct fault f = {0};
	(void)state;
	leave_open(x);
	fx_roll(x, KEY_P384);
	check("new", fx_unlock(x, FX_NEW, &f), &f);
	signer_finish(x->signer);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 0);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_DEAD), 0);
	check("old", fx_unlock(x, FX_OLD, &f), &f);
	signer_finish(x->signer);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

static void open_intent_of_a_lost_key_dies(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct fault f = {0};
	uint8_t id[TALLY_ID];
	(void)state;
	leave_open(x);
	fx_roll(x, KEY_P384);
	free(x->config.retired[0].key);
	x->config.retired[0].key = NULL;
	fx_restart(x, false);
	check("new", fx_unlock(x, FX_NEW, &f), &f);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_DEAD), 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 0);
	ask(x, "its predecessor is free again", fx_extend, ORG_P256, SAME, id);
}

/* --- responders --- */

/* A certificate for the responder's key by the CA with that key id, NULL: by none that is named. */
static enum err ask_responder(struct fx *x, const uint8_t *issuer, struct buf *der, struct fault *f)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_(tally_done) struct tally t = {0};
	fx_responder(x, ORG_P256, &t);
	if (issuer) {
		t.has_issuer = true;
		memcpy(t.issuer, issuer, 20);
	}
	fx_ask(x, &t, ORG_P256, KEY_RESPONDER, BY_RA | BY_NEW, &a);
	buf_clear(der);
	*f = a.f;
	if (a.kind != OK)
		return a.kind;
	buf_add_slice(der, a.done.cert);
	assert_memory_equal(a.done.issuer, issuer ? issuer : x->signer->issuer.key.key_id, 20);
	return OK;
}

static void responder_by(struct fx *x, const uint8_t *issuer, const struct cert *by)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	struct fault f = {0};
	check("responder", ask_responder(x, issuer, &der, &f), &f);
	check("parse", cert_parse(buf_slice(&der), &cert, &f), &f);
	check("by its CA", cert_verify_by(&cert, by, &f), &f);
}

/* RFC 6960 4.2.2.2: who answers about certificates of a CA is certified by that very CA. */
static void responders_of_each(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf der = {0};
	static const uint8_t nobody[20] = {1};
	struct fault f = {0};
	(void)state;
	responder_by(x, NULL, &x->signer->issuer);
	responder_by(x, x->signer->ca, &x->signer->issuer);
	fx_roll(x, KEY_P384);
	check("new", fx_unlock(x, FX_NEW, &f), &f);
	responder_by(x, NULL, &x->signer->issuer);
	assert_int_equal(ask_responder(x, x->signer->ca, &der, &f), ERR_LOCKED);
	assert_int_equal(ask_responder(x, nobody, &der, &f), ERR_RULE);
	assert_string_equal(f.rule, "issuer_unknown");
	check("old", fx_unlock(x, FX_OLD, &f), &f);
	responder_by(x, x->signer->ca, old_ca(x));
	responder_by(x, x->signer->issuer.key.key_id, &x->signer->issuer);
	responder_by(x, NULL, &x->signer->issuer);
	free(x->config.retired[0].key);
	x->config.retired[0].key = NULL;
	fx_restart(x, false);
	check("new", fx_unlock(x, FX_NEW, &f), &f);
	assert_int_equal(ask_responder(x, x->signer->ca, &der, &f), ERR_RULE);
	assert_string_equal(f.rule, "issuer_gone");
}

/* --- what does not start --- */

static enum err start(struct fx *x, struct fault *f)
{
	signer_freep(&x->signer);
	return signer_new(&x->config, x->ledger, &x->signer, f);
}

static void wrong_configurations(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct fault f = {0};
	uint8_t id[TALLY_ID];
	(void)state;
	fx_roll(x, KEY_P256);
	check("new", fx_unlock(x, FX_NEW, &f), &f);
	ask(x, "extend", fx_extend, ORG_P256, SAME, id);
	struct ca_config_retired first = x->config.retired[0];
	/* Nothing retired: the ledger is nobody's. */
	x->config.n_retired = 0;
	assert_int_equal(start(x, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "ca_unknown");
	/* Back to the first key alone: the second one's certificates would have no CRL. */
	char *issuer = x->config.issuer;
	x->config.issuer = first.issuer;
	assert_int_equal(start(x, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "issuer_missing");
	/* The same one twice. */
	x->config.n_retired = 1;
	assert_int_equal(start(x, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "retired_twice");
	x->config.issuer = issuer;
	check("as it was", start(x, &f), &f);
}

static int group_done(void **state)
{
	(void)state;
	fx_keys_done();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extends_across),
		cmocka_unit_test(each_key_by_its_passphrase),
		cmocka_unit_test(open_intent_is_the_old_ones),
		cmocka_unit_test(open_intent_of_a_lost_key_dies),
		cmocka_unit_test(responders_of_each),
		cmocka_unit_test(wrong_configurations),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}
