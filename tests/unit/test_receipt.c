/*
 * Receipts of a real signer: what holds, what each part is checked against, and that no byte can be changed.
 */
#include "tests/unit/ca_fixture.h"

#include "ca/receipt.h"
#include "common/base/file.h"
#include "common/note/receipt.h"
#include "tools/hufu/receipt_check.h"

#include <string.h>

struct given {
	struct buf cert, receipt;
	struct log_key log;
	struct roster roster;
	struct receipt_trust trust;
};

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

static void given_done(struct given *g)
{
	buf_done(&g->cert);
	buf_done(&g->receipt);
	roster_done(&g->roster);
}

static void load_trust(struct fx *x, struct given *g)
{
	_cleanup_(freep) char *path = path_join(x->dir, "log.vkey");
	_cleanup_buf_ struct buf vkey = {0};
	_cleanup_(note_done) struct note note = {0};
	struct fault f = {0};
	must("vkey", file_read(path, 1024, &vkey, &f), &f);
	must("vkey", log_key_parse(buf_slice(&vkey), &g->log, &f), &f);
	must("note", note_parse(buf_slice(&x->roster_note), 1, &note, &f), &f);
	must("roster", roster_parse(note.text, &g->roster, &f), &f);
	g->trust = (struct receipt_trust){.log = &g->log, .roster = &g->roster};
}

static void take_receipt(struct fx *x, const struct tally *t, const struct fx_answer *a, struct given *g)
{
	struct fault f = {0};
	load_trust(x, g);
	buf_add_slice(&g->cert, a->done.cert);
	must("receipt", receipt_make(x->signer, t->id, &g->receipt, &f), &f);
}

static enum err check(const struct given *g, struct buf *words, struct fault *f)
{
	return receipt_check(buf_slice(&g->cert), buf_slice(&g->receipt), &g->trust, words, f);
}

static void refused(const char *what, const struct given *g, const char *rule)
{
	_cleanup_buf_ struct buf words = {0};
	struct fault f = {0};
	enum err e = check(g, &words, &f);
	if (e == OK || strcmp(f.rule, rule) != 0 || !f.where[0] || !f.text[0])
		fail_msg("%s: found %s, rule \"%s\" at %s: %s; wanted rule \"%s\"", what, e == OK ? "ok" : err_word(e),
			 f.rule, f.where, f.text, rule);
	assert_int_equal(words.len, 0);
}

/* An extension, then a change with a new key on top of it: an adopted predecessor, then one that was issued here. */
static void issue_two(struct fx *x, struct given *first, struct given *second)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0};
	_cleanup_(tally_done) struct tally t = {0}, u = {0};
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_SUB | BY_RA, &a);
	check_done("extend", &a);
	take_receipt(x, &t, &a, first);
	fx_follow(x, ORG_P256, &a, KEY_OF_P256);
	fx_change(x, ORG_P256, &u);
	fx_new_key(&u, KEY_NEW);
	fx_ask(x, &u, ORG_P256, KEY_NEW, BY_SUB | BY_NEW | BY_RA | BY_OFFICERS, &b);
	check_done("change", &b);
	take_receipt(x, &u, &b, second);
}

static void test_good_receipts(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(given_done) struct given first = {0}, second = {0};
	_cleanup_buf_ struct buf words = {0}, more = {0};
	struct fault f = {0};
	(void)state;
	issue_two(x, &first, &second);
	must("extend", check(&first, &words, &f), &f);
	assert_non_null(strstr(buf_text(&words), "keys that signed: current\nofficers: -\nRA: ra-one\n"));
	assert_non_null(strstr(buf_text(&words), "roster version 1\n"));
	must("change", check(&second, &more, &f), &f);
	assert_non_null(strstr(buf_text(&more), "keys that signed: current, new\nofficers: alice, bob\n"));
	assert_non_null(strstr(buf_text(&more), "审核员：alice, bob"));
	/* A later receipt of the same certificate stands under a later checkpoint, and holds as well. */
	struct receipt *r = xcalloc(1, sizeof(*r));
	must("parse", receipt_parse(buf_slice(&first.receipt), r, &f), &f);
	buf_clear(&first.receipt);
	must("again", receipt_make(x->signer, r->tally, &first.receipt, &f), &f);
	buf_clear(&words);
	must("extend again", check(&first, &words, &f), &f);
	/* And the issuing CA's own certificate is its root here. */
	struct cert root = x->signer->issuer;
	first.trust.issuer = first.trust.root = &root;
	buf_clear(&words);
	must("by root", check(&first, &words, &f), &f);
	receipt_done(r);
	free(r);
}

static void test_no_receipt(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf none = {0};
	struct fault f = {0};
	uint8_t id[TALLY_ID] = {9};
	(void)state;
	assert_int_equal(receipt_make(x->signer, id, &none, &f), ERR_NOT_FOUND);
	assert_string_equal(f.rule, "receipt_unknown");
	fx_hold(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_RA, &a);
	check_done("hold", &a);
	assert_int_equal(receipt_make(x->signer, t.id, &none, &f), ERR_NOT_FOUND);
	assert_int_equal(none.len, 0);
}

/* --- whose word it is --- */

static void test_other_trust(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(given_done) struct given first = {0}, second = {0};
	(void)state;
	issue_two(x, &first, &second);
	struct log_key other = first.log;
	other.key[0] ^= 1;
	first.trust.log = &other;
	refused("another log key", &first, "log_signature");
	first.trust.log = &first.log;

	_cleanup_(roster_done) struct roster next = {0};
	_cleanup_(note_done) struct note note = {0};
	_cleanup_buf_ struct buf newer = {0};
	struct fault f = {0};
	uint8_t sha[32];
	memcpy(sha, first.roster.sha256, 32);
	fx_roster_note(x, 2, true, sha, 2, BY_OFFICERS, &newer);
	must("note", note_parse(buf_slice(&newer), 1, &note, &f), &f);
	must("roster", roster_parse(note.text, &next, &f), &f);
	first.trust.roster = &next;
	_cleanup_buf_ struct buf words = {0};
	assert_int_equal(check(&first, &words, &f), ERR_RULE);
	assert_string_equal(f.rule, "receipt_roster");
	assert_non_null(strstr(f.text, "found roster version 2"));
	first.trust.roster = &first.roster;

	struct cert root = x->old_cert;
	first.trust.issuer = &x->signer->issuer;
	first.trust.root = &root;
	refused("another root", &first, "cert_issuer_name");
}

/* Judged by the second roster: the first is no more its roster than a third would be. */
static void test_an_older_roster(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(given_done) struct given g = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(roster_done) struct roster second = {0};
	_cleanup_buf_ struct buf next = {0}, request = {0}, reply = {0}, words = {0};
	struct fault f = {0};
	uint8_t sha[32];
	(void)state;
	memcpy(sha, x->signer->heads->roster.sha256, 32);
	fx_roster_note(x, 2, true, sha, 2, BY_OFFICERS, &next);
	wire_roster_put(&(struct wire_roster){.note = buf_slice(&next)}, &request);
	must("roster", fx_operator(x, &request, WIRE_TYPE_OK, &reply, &f), &f);
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_SUB | BY_RA, &a);
	check_done("extend", &a);
	take_receipt(x, &t, &a, &g);
	refused("the first roster", &g, "receipt_roster");
	assert_int_equal(check(&g, &words, &f), ERR_RULE);
	assert_non_null(strstr(f.text, "found roster version 1"));
	must("note", note_parse(buf_slice(&next), 1, &note, &f), &f);
	must("roster", roster_parse(note.text, &second, &f), &f);
	g.trust.roster = &second;
	must("the second", check(&g, &words, &f), &f);
}

static void swap(struct buf *a, struct buf *b)
{
	struct buf keep = *a;
	*a = *b;
	*b = keep;
}

static void test_parts_of_another_receipt(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(given_done) struct given first = {0}, second = {0};
	struct receipt *a = xcalloc(1, sizeof(*a)), *b = xcalloc(1, sizeof(*b));
	struct fault f = {0};
	(void)state;
	issue_two(x, &first, &second);
	swap(&first.cert, &second.cert);
	refused("another certificate", &first, "receipt_mismatch");
	swap(&first.cert, &second.cert);
	/* Both under one checkpoint, so that every part proves itself. */
	must("parse", receipt_parse(buf_slice(&first.receipt), a, &f), &f);
	buf_clear(&first.receipt);
	must("again", receipt_make(x->signer, a->tally, &first.receipt, &f), &f);
	receipt_done(a);
	must("parse", receipt_parse(buf_slice(&first.receipt), a, &f), &f);
	must("parse", receipt_parse(buf_slice(&second.receipt), b, &f), &f);
	assert_true(slice_eq(buf_slice(&a->checkpoint), buf_slice(&b->checkpoint)));
	for (int part = 0; part < 3; part++) {
		struct receipt *mixed = xcalloc(1, sizeof(*mixed));
		must("parse", receipt_parse(buf_slice(&first.receipt), mixed, &f), &f);
		struct receipt_entry *to = part == 0   ? &mixed->intent
					   : part == 1 ? &mixed->outcome
						       : &mixed->predecessor;
		const struct receipt_entry *from = part == 0 ? &b->intent : part == 1 ? &b->outcome : &b->predecessor;
		buf_done(&to->body);
		*to = *from;
		to->body = (struct buf){0};
		buf_add_slice(&to->body, buf_slice(&from->body));
		buf_clear(&first.receipt);
		receipt_put(mixed, &first.receipt);
		refused("mixed", &first, "receipt_mismatch");
		receipt_done(mixed);
		free(mixed);
		buf_clear(&first.receipt);
		receipt_put(a, &first.receipt);
	}
	a->has_predecessor = false;
	buf_clear(&first.receipt);
	receipt_put(a, &first.receipt);
	refused("no predecessor", &first, "receipt_mismatch");
	receipt_done(a);
	receipt_done(b);
	free(a);
	free(b);
}

static void test_every_changed_byte(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(given_done) struct given first = {0}, second = {0};
	(void)state;
	issue_two(x, &first, &second);
	assert_true(second.receipt.len > 3000);
	for (size_t i = 0; i < second.receipt.len; i++) {
		_cleanup_buf_ struct buf words = {0};
		struct fault f = {0};
		second.receipt.data[i] ^= (uint8_t)(1u << i % 7);
		if (check(&second, &words, &f) == OK)
			fail_msg("byte %zu changed, and the receipt still holds", i);
		assert_true(f.rule[0] && f.text[0]);
		second.receipt.data[i] ^= (uint8_t)(1u << i % 7);
	}
	for (size_t i = 0; i < second.cert.len; i++) {
		_cleanup_buf_ struct buf words = {0};
		struct fault f = {0};
		second.cert.data[i] ^= 1;
		assert_int_not_equal(check(&second, &words, &f), OK);
		second.cert.data[i] ^= 1;
	}
	for (size_t n = 0; n < second.receipt.len; n += 1 + n / 16) {
		struct given cut = second;
		cut.receipt.len = n;
		_cleanup_buf_ struct buf words = {0};
		struct fault f = {0};
		assert_int_not_equal(check(&cut, &words, &f), OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_receipts),
		cmocka_unit_test(test_no_receipt),
		cmocka_unit_test(test_other_trust),
		cmocka_unit_test(test_an_older_roster),
		cmocka_unit_test(test_parts_of_another_receipt),
		cmocka_unit_test(test_every_changed_byte),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fx_keys_done();
	return failed;
}
