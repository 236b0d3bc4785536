/*
 * Ids: the same tally again, an id with another text, refused, withdrawn; who may do without the RA; and how often an
 * RA may be refused.
 */
#include "ca_fixture.h"

#include <string.h>

#define SAME (BY_RA | BY_SUB)
#define CHANGE (BY_RA | BY_SUB | BY_OFFICERS)

/* --- ids --- */

static void same_id_same_answer(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0}, other = {0};
	_cleanup_(fx_answer_done) struct fx_answer first = {0}, again = {0}, reused = {0}, bare = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &first);
	check_done("first", &first);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &again);
	check_done("again", &again);
	assert_int_equal(first.done.again, 0);
	assert_int_equal(again.done.again, 1);
	assert_true(slice_eq(first.done.cert, again.done.cert));
	assert_int_equal(first.done.index, again.done.index);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
	/* The same id with another text, whatever it asks. */
	fx_extend(x, ORG_RSA, &other);
	memcpy(other.id, t.id, TALLY_ID);
	fx_ask(x, &other, ORG_RSA, KEY_NEW, SAME, &reused);
	check_rule("another text", &reused, "tally_id_used");
	/* Who asks again shows the RA's line at least. */
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_SUB, &bare);
	check_rule("again without the RA", &bare, "ra_signature");
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

static void refusal_binds_no_id(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer no = {0}, yes = {0};
	(void)state;
	fx_change(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_RA | BY_SUB | BY_ALICE, &no);
	check_rule("one officer", &no, "officers_short");
	fx_ask(x, &t, ORG_P256, KEY_NEW, CHANGE, &yes);
	check_done("the same tally with both", &yes);
}

static void withdrawn_is_dead(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0}, w = {0}, twice = {0}, late = {0}, self = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0}, c = {0}, d = {0}, e = {0}, s = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	fx_withdraw(x, t.id, &w);
	fx_ask(x, &w, ORG_P256, KEY_NEW, BY_RA, &a);
	check_done("withdraw", &a);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &b);
	check_rule("withdrawn", &b, "tally_withdrawn");
	fx_withdraw(x, t.id, &twice);
	fx_ask(x, &twice, ORG_P256, KEY_NEW, BY_RA, &c);
	check_rule("twice", &c, "target_withdrawn");
	memset(t.id, 7, TALLY_ID);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &d);
	check_done("another id", &d);
	fx_withdraw(x, t.id, &late);
	fx_ask(x, &late, ORG_P256, KEY_NEW, BY_RA, &e);
	check_rule("too late", &e, "target_done");
	fx_withdraw(x, t.id, &self);
	memcpy(self.target, self.id, TALLY_ID);
	fx_ask(x, &self, ORG_P256, KEY_NEW, BY_RA, &s);
	check_rule("itself", &s, "target_self");
}

/* On the operator's socket no RA signs: then an officer or the predecessor's subscriber must. */
static void operator_needs_no_ra(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	static const struct {
		const char *what;
		unsigned who;
		const char *rule;
	} tries[] = {
		{"nobody but a custodian", BY_CUSTODIAN, "officers_short"},
		{"an outsider", BY_OUTSIDER, "signer_unknown"},
		{"an officer", BY_DAVE, NULL},
	};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		_cleanup_(tally_done) struct tally t = {0};
		_cleanup_(fx_answer_done) struct fx_answer a = {0};
		_cleanup_buf_ struct buf note = {0};
		uint8_t target[TALLY_ID] = {(uint8_t)i};
		fx_withdraw(x, target, &t);
		fx_note(x, &t, ORG_P256, KEY_NEW, tries[i].who, &note);
		fx_send(x, true, &note, NULL, &a);
		if (tries[i].rule)
			check_rule(tries[i].what, &a, tries[i].rule);
		else
			check_done(tries[i].what, &a);
	}
	_cleanup_(tally_done) struct tally hold = {0}, change = {0};
	_cleanup_(fx_answer_done) struct fx_answer h = {0}, c = {0};
	_cleanup_buf_ struct buf hold_note = {0}, change_note = {0};
	fx_hold(x, ORG_P256, &hold);
	fx_note(x, &hold, ORG_P256, KEY_NEW, BY_SUB, &hold_note);
	fx_send(x, true, &hold_note, NULL, &h);
	check_rule("hold by nobody", &h, "officers_short");
	fx_change(x, ORG_P256, &change);
	fx_note(x, &change, ORG_P256, KEY_NEW, BY_SUB | BY_OFFICERS, &change_note);
	fx_send(x, true, &change_note, NULL, &c);
	check_done("change without the RA", &c);
}

static void one_refused(struct fx *x)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_RA, &a);
	check_rule("refused", &a, "subscriber_missing");
}

/* Refusals of one RA key have a rate; others are not touched by it. */
static void refusals_have_a_rate(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally good = {0}, w = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0};
	uint8_t target[TALLY_ID] = {1};
	(void)state;
	x->config.refusals_burst = 5;
	x->config.refusals_per_second = 1;
	for (size_t i = 0; i < 5; i++)
		one_refused(x);
	fx_extend(x, ORG_P256, &good);
	fx_ask(x, &good, ORG_P256, KEY_NEW, SAME, &a);
	check_rule("too many", &a, "refusals_rate");
	assert_int_equal(a.kind, ERR_BUSY);
	assert_true(a.retry_ms > 0);
	fx_withdraw(x, target, &w);
	fx_ask(x, &w, ORG_P256, KEY_NEW, BY_RA_OTHER, &b);
	check_done("the other RA", &b);
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
		cmocka_unit_test(same_id_same_answer),	cmocka_unit_test(refusal_binds_no_id),
		cmocka_unit_test(withdrawn_is_dead),	cmocka_unit_test(operator_needs_no_ra),
		cmocka_unit_test(refusals_have_a_rate),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}
