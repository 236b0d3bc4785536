/*
 * An intent and its outcome, together in what is followed at once or apart, with a restart between; and an outcome whose
 * intent is not open.
 */
#include "ra_fixture.h"

#include "ra/follow.h"

#include <string.h>

/* The signer has issued, and its answer was lost: the last two entries, which nobody followed. Gives: free(). */
static char *issued_unheard(struct fx *x)
{
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	char *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	x->signer.fail = 1;
	x->signer.fail_after = true;
	fault_raise(&x->signer.fault, ERR_BUSY, "played", "signer", "played fault");
	fx_hand_over(x);
	fx_state(x, id, "sent");
	return id;
}

static void hide_last(struct fx *x)
{
	pthread_mutex_lock(&x->signer.lock);
	x->signer.n_entries--;
	pthread_mutex_unlock(&x->signer.lock);
}

static void show_last(struct fx *x)
{
	pthread_mutex_lock(&x->signer.lock);
	x->signer.n_entries++;
	pthread_mutex_unlock(&x->signer.lock);
}

static void change(struct fx *x, const char *sql)
{
	struct db *db = NULL;
	struct fault f = {0};
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_end(x->desk->store, db, db_run(db, &f, sql, ""), &f), OK);
}

static int64_t n_intents(struct fx *x)
{
	return fx_number(x, "SELECT count(*) FROM intents");
}

static void misses(struct fx *x)
{
	struct fault f = {0};
	size_t n = 0;
	assert_int_equal(follow_once(x->desk, 0, &n, &f), ERR_PARSE);
	assert_string_equal(f.rule, "intent_missing");
}

static void append_dead(struct fx *x, uint64_t intent)
{
	_cleanup_buf_ struct buf entry = {0};
	wire_e_dead_put(&(struct wire_e_dead){.at = NOW, .intent = intent}, &entry);
	fx_append(x, &entry);
}

static void append_last_again(struct fx *x)
{
	_cleanup_buf_ struct buf entry = {0};
	buf_add_slice(&entry, buf_slice(&x->signer.entries[x->signer.n_entries - 1]));
	fx_append(x, &entry);
}

/* --- */

static void test_together(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(freep) char *id = issued_unheard(x);
	change(x, "CREATE TRIGGER unwanted BEFORE INSERT ON intents BEGIN SELECT RAISE(ABORT, 'unwanted'); END");
	fx_follow(x);
	fx_state(x, id, "issued");
}

static void test_apart(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(freep) char *id = issued_unheard(x);
	hide_last(x);
	fx_follow(x);
	assert_int_equal(n_intents(x), 1);
	fx_state(x, id, "sent");
	fx_restart(x);
	show_last(x);
	fx_follow(x);
	fx_state(x, id, "issued");
	assert_int_equal(n_intents(x), 0);
}

/* The intent was applied by a desk from before there was a tree, which reads it once more together with its outcome. */
static void test_read_once_more(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(freep) char *id = issued_unheard(x);
	hide_last(x);
	fx_follow(x);
	change(x, "DELETE FROM heads WHERE name = 'ledger_edge'");
	show_last(x);
	fx_follow(x);
	fx_state(x, id, "issued");
	assert_int_equal(n_intents(x), 0);
	assert_int_equal(fx_number(x, "SELECT count(*) FROM history WHERE event = 'issue'"), 1);
}

static void test_dead(void **state)
{
	(void)state;
	for (int apart = 0; apart < 2; apart++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		_cleanup_(freep) char *id = issued_unheard(x);
		_cleanup_buf_ struct buf outcome = {0};
		buf_add_slice(&outcome, buf_slice(&x->signer.entries[x->signer.n_entries - 1]));
		buf_done(&x->signer.entries[--x->signer.n_entries]);
		if (apart)
			fx_follow(x);
		append_dead(x, x->signer.n_entries - 1);
		fx_follow(x);
		assert_int_equal(n_intents(x), 0);
		fx_append(x, &outcome);
		misses(x);
		fx_state(x, id, "sent");
	}
}

/* An outcome completes what was meant once, and none that comes later or is something else. */
static void test_not_open(void **state)
{
	(void)state;
	for (int apart = 0; apart < 2; apart++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		_cleanup_(freep) char *id = issued_unheard(x);
		if (apart)
			fx_follow(x);
		append_last_again(x);
		misses(x);
		fx_state(x, id, apart ? "issued" : "sent");
	}
	for (uint64_t ahead = 0; ahead < 3; ahead++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		_cleanup_buf_ struct buf entry = {0};
		struct wire_e_issued e;
		free(issued_unheard(x));
		size_t last = x->signer.n_entries - 1;
		assert_int_equal(wire_e_issued_get(buf_slice(&x->signer.entries[last]), &e, NULL), OK);
		e.intent = last + ahead;
		wire_e_issued_put(&e, &entry);
		hide_last(x);
		buf_done(&x->signer.entries[last]);
		fx_append(x, &entry);
		misses(x);
		assert_int_equal(n_intents(x), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_together), cmocka_unit_test(test_apart),	  cmocka_unit_test(test_read_once_more),
		cmocka_unit_test(test_dead),	 cmocka_unit_test(test_not_open),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
