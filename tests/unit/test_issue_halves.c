/*
 * The two halves of an issue when something happens between them, and many at once.
 */
#include "issue_kit.h"

#include <pthread.h>
#include <string.h>

/* --- between intent and outcome --- */

/* The intent is recorded, the signature fails: as a crash between the two, and a signature that does not hold never
 * leaves. */
static void half_issue_for(struct fx *x, const struct tally *t, enum fx_which org, enum fx_key key, unsigned who)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	struct ca_key *wrong = NULL, *right = atomic_load(&x->signer->key);
	struct fault f = {0};
	assert_int_equal(ca_key_create(KEY_P256, 0, &wrong, &f), OK);
	atomic_store(&x->signer->key, wrong);
	uint64_t open = fx_count(x, WIRE_TYPE_E_INTENT) - fx_count(x, WIRE_TYPE_E_ISSUED);
	fx_ask(x, t, org, key, who, &a);
	assert_int_equal(a.kind, ERR_INTERNAL);
	atomic_store(&x->signer->key, right);
	ca_key_free(wrong);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_INTENT), fx_count(x, WIRE_TYPE_E_ISSUED) + open + 1);
}

static void half_issue(struct fx *x, const struct tally *t, enum fx_which org, unsigned who)
{
	half_issue_for(x, t, org, KEY_NEW, who);
}

static struct slice last_body(struct fx *x, uint64_t index, struct buf *ret)
{
	struct db *db = NULL;
	struct fault f = {0};
	assert_int_equal(ledger_reader(x->ledger, &db, &f), OK);
	assert_int_equal(ledger_entry(db, index, ret, &f), OK);
	ledger_reader_put(x->ledger, db);
	return buf_slice(ret);
}

static void open_intent_is_finished(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer busy = {0}, a = {0}, in_flight = {0};
	_cleanup_buf_ struct buf body = {0};
	struct wire_e_intent meant;
	struct fault f = {0};
	(void)state;
	fx_change(x, ORG_P256, &t);
	half_issue(x, &t, ORG_P256, CHANGE);
	fx_ask(x, &t, ORG_P256, KEY_NEW, CHANGE, &busy);
	check_rule("open", &busy, "tally_in_flight");
	assert_int_equal(busy.kind, ERR_BUSY);
	_cleanup_(tally_done) struct tally other = {0};
	fx_extend(x, ORG_P256, &other);
	fx_ask(x, &other, ORG_P256, KEY_NEW, SAME, &in_flight);
	check_rule("predecessor taken", &in_flight, "predecessor_in_flight");
	refused(x, "identifier taken", fx_enrol, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS, "line_occupied");
	fx_restart(x, true);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
	fx_ask(x, &t, ORG_P256, KEY_NEW, CHANGE, &a);
	check_done("after the restart", &a);
	assert_int_equal(a.done.again, 1);
	/* Exactly the bytes that were meant. */
	assert_int_equal(wire_e_intent_get(last_body(x, a.done.intent, &body), &meant, &f), OK);
	fx_follow(x, ORG_P256, &a, KEY_OF_P256);
	assert_true(slice_eq(x->orgs[ORG_P256].cert.tbs, meant.tbs));
	check_verifies(x, ORG_P256);
	fx_restart(x, true);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

/* Without a restart it is finished a moment later. */
static void is_finished_a_moment_later(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	half_issue(x, &t, ORG_P256, SAME);
	signer_finish(x->signer);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_done("a moment later", &a);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

static void open_intent_dies(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer dead = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	half_issue(x, &t, ORG_P256, SAME);
	goes(x, "revoke meanwhile", by_officer, ORG_P256, KEY_NEW, BY_RA | BY_BOB);
	fx_restart(x, true);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 0);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_DEAD), 1);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &dead);
	check_rule("dead", &dead, "tally_dead");
	assert_int_equal(row_of(x, ORG_P256).successor, 0);
}

/* The new key was certified before, and that certificate is revoked as compromised between the halves. */
static void compromised_key_dies(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0}, lost = {0};
	_cleanup_(fx_answer_done) struct fx_answer dead = {0}, a = {0};
	const struct cert_ref first = fx_ref(x, ORG_P256);
	(void)state;
	goes(x, "another key", fx_rekey, ORG_P256, KEY_NEW, REKEY);
	fx_clock(x, x->orgs[ORG_P256].cert.not_after - 30 * DAY);
	fx_rekey(x, ORG_P256, &t);
	fx_new_key(&t, KEY_OF_P256);
	half_issue_for(x, &t, ORG_P256, KEY_OF_P256, REKEY);
	by_officer(x, ORG_P256, &lost);
	lost.predecessor = first;
	fx_ask(x, &lost, ORG_P256, KEY_NEW, BY_RA | BY_BOB, &a);
	check_done("lost meanwhile", &a);
	fx_restart(x, true);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_DEAD), 1);
	fx_ask(x, &t, ORG_P256, KEY_OF_P256, REKEY, &dead);
	check_rule("dead", &dead, "tally_dead");
	assert_int_equal(row_of(x, ORG_P256).successor, 0);
}

static void locked_serves_nothing(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0}, open = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	(void)state;
	fx_extend(x, ORG_RSA, &open);
	half_issue(x, &open, ORG_RSA, SAME);
	fx_restart(x, false);
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_rule("locked", &a, "signer_locked");
	assert_int_equal(a.kind, ERR_LOCKED);
	assert_true(a.retry_ms > 0);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 0);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REFUSED), 0);
}

static void clock_jumps(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0}, back = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0}, c = {0};
	struct fault f = {0};
	(void)state;
	clock_set(NOW + 2 * 3600);
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_rule("forward", &a, "clock_jump");
	assert_int_equal(signer_beat(x->signer, &f), ERR_LOCKED);
	fx_answer_done(&a);
	clock_set(NOW); /* doubt stays until somebody has looked */
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_rule("back again", &a, "clock_jump");
	fx_clock(x, NOW);
	fx_restart(x, true);
	clock_set(NOW - 2 * 3600);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &b);
	check_rule("backward", &b, "clock_jump");
	fx_clock(x, NOW - 2 * 3600);
	fx_extend(x, ORG_P256, &back);
	back.made = NOW - 5;
	back.dies = NOW + 600;
	fx_ask(x, &back, ORG_P256, KEY_NEW, SAME, &c);
	check_done("accepted", &c);
	fx_follow(x, ORG_P256, &c, KEY_OF_P256);
	/* The ledger's time did not go back. */
	assert_int_equal(x->orgs[ORG_P256].cert.not_before, NOW);
}

/* --- many at once --- */

#define THREADS 8
struct racer {
	struct fx *x;
	struct buf note;
	struct fx_answer a;
	pthread_t thread;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	fx_send(r->x, false, &r->note, NULL, &r->a);
	return NULL;
}

static size_t race_all(struct racer *racers)
{
	size_t done = 0;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		done += racers[i].a.kind == OK;
		buf_done(&racers[i].note);
	}
	return done;
}

static void one_of_many_succeeds(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct racer racers[THREADS] = {0};
	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		_cleanup_(tally_done) struct tally t = {0};
		fx_extend(x, ORG_P256, &t);
		fx_note(x, &t, ORG_P256, KEY_NEW, SAME, &racers[i].note);
		racers[i].x = x;
	}
	assert_int_equal(race_all(racers), 1);
	for (size_t i = 0; i < THREADS; i++) {
		if (racers[i].a.kind == ERR_BUSY)
			check_rule("busy", &racers[i].a, "predecessor_in_flight");
		else if (racers[i].a.kind != OK)
			check_rule("refused", &racers[i].a, "predecessor_succeeded");
		fx_answer_done(&racers[i].a);
	}
	assert_int_equal(fx_count(x, WIRE_TYPE_E_INTENT), 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

static void same_tally_many_times(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	struct racer racers[THREADS] = {0};
	struct slice cert = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	for (size_t i = 0; i < THREADS; i++) {
		fx_note(x, &t, ORG_P256, KEY_NEW, SAME, &racers[i].note);
		racers[i].x = x;
	}
	assert_true(race_all(racers) >= 1);
	for (size_t i = 0; i < THREADS; i++) {
		if (racers[i].a.kind != OK) {
			assert_int_equal(racers[i].a.kind, ERR_BUSY);
			continue;
		}
		if (cert.p)
			assert_true(slice_eq(cert, racers[i].a.done.cert));
		cert = racers[i].a.done.cert;
	}
	for (size_t i = 0; i < THREADS; i++)
		fx_answer_done(&racers[i].a);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_intent_is_finished),
		cmocka_unit_test(is_finished_a_moment_later),
		cmocka_unit_test(open_intent_dies),
		cmocka_unit_test(compromised_key_dies),
		cmocka_unit_test(locked_serves_nothing),
		cmocka_unit_test(clock_jumps),
		cmocka_unit_test(one_of_many_succeeds),
		cmocka_unit_test(same_tally_many_times),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}
