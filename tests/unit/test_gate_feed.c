/*
 * A gate follows a real signer's ledger: what it believes, and that a desk between can neither change, leave out nor
 * turn back anything.
 */
#include "tests/unit/gate_kit.h"

#include <sys/stat.h>

static void ask_done(struct fx *x, const char *what, const struct tally *t, unsigned who)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	fx_ask(x, t, ORG_P256, KEY_NEW, who, &a);
	check_done(what, &a);
	if (a.done.cert.n > 0)
		fx_follow(x, ORG_P256, &a, KEY_OF_P256);
}

static void extend(struct fx *x)
{
	_cleanup_(tally_done) struct tally t = {0};
	fx_extend(x, ORG_P256, &t);
	ask_done(x, "extend", &t, BY_SUB | BY_RA);
}

static void hold(struct fx *x)
{
	_cleanup_(tally_done) struct tally t = {0};
	fx_hold(x, ORG_P256, &t);
	ask_done(x, "hold", &t, BY_RA);
}

static enum gate_state state_of(struct fx *x, struct gate *g)
{
	struct cert_ref ref = fx_ref(x, ORG_P256);
	const struct gate_row *r = table_find(g->table, &ref, NULL);
	assert_non_null(r);
	return (enum gate_state)r->state;
}

static void test_follows(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = kit_gate(x);
	const char *why;
	assert_false(gate_ready(g, &why));
	assert_string_equal(why, "empty");
	extend(x);
	kit_beat(x);
	kit_follow(x, g);
	assert_int_equal(kit_size(g), ledger_size(x->ledger));
	assert_int_equal(state_of(x, g), GATE_GOOD);
	assert_true(gate_ready(g, &why));
	hold(x);
	kit_follow(x, g);
	assert_int_equal(state_of(x, g), GATE_HELD);
	assert_true(g->checkpoint.len > 0);
}

/* What a desk might make of the signer's answer. Each is refused, nothing of it is taken, and the right one is taken after it. */
static void test_hostile(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256), *other = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = kit_gate(x);
	_cleanup_buf_ struct buf good = {0}, skipped = {0}, foreign = {0}, less = {0};
	_cleanup_(wire_feed_is_done) struct wire_feed_is m = {0};
	struct fault f = {0};
	bool more;
	extend(x);
	kit_follow(x, g);
	uint64_t at = kit_size(g);
	hold(x);
	kit_beat(x);
	kit_answer(x, at, 1024, &good);
	kit_answer(x, at + 1, 1024, &skipped);
	assert_int_equal(feed_take(g, buf_slice(&skipped), &more, &f), ERR_NET);
	assert_string_equal(f.rule, "feed_from");
	kit_answer(other, 0, 1024, &foreign);
	assert_int_equal(feed_take(g, buf_slice(&foreign), &more, &f), ERR_RULE);
	assert_string_equal(f.rule, "log_origin");
	/* the hold left out */
	kit_must("get", wire_feed_is_get(buf_slice(&good), &m, &f), &f);
	assert_int_equal(m.records.n, 2);
	m.records.v[0] = m.records.v[1];
	m.records.n = 1;
	wire_feed_is_put(&m, &less);
	assert_int_equal(feed_take(g, buf_slice(&less), &more, &f), ERR_RULE);
	assert_string_equal(f.rule, "feed_records");
	for (size_t i = 0; i < good.len; i += 3) {
		_cleanup_buf_ struct buf bytes = {0};
		buf_add_slice(&bytes, buf_slice(&good));
		bytes.data[i] ^= 1;
		if (feed_take(g, buf_slice(&bytes), &more, &f) == OK)
			fail_msg("byte %zu changed, and nobody saw it", i);
		g->forked = false; /* a proof that does not hold looks like a fork */
	}
	assert_int_equal(kit_size(g), at);
	assert_int_equal(state_of(x, g), GATE_GOOD);
	kit_must("good", feed_take(g, buf_slice(&good), &more, &f), &f);
	assert_int_equal(state_of(x, g), GATE_HELD);
}

/* The signer's own key over another story, as after a backup was put back: found out, and for good. */
static void test_fork(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = kit_gate(x), *ahead = kit_gate(x);
	_cleanup_buf_ struct buf answer = {0}, end = {0};
	struct gate_head h;
	struct fault f = {0};
	const char *why;
	bool more;
	extend(x);
	kit_beat(x);
	kit_follow(x, g);
	h = table_head(g->table);
	h.root[0] ^= 1;
	table_set_head(g->table, &h);
	hold(x);
	kit_answer(x, h.size, 1024, &answer);
	assert_int_equal(feed_take(g, buf_slice(&answer), &more, &f), ERR_DB);
	assert_string_equal(f.rule, "ledger_fork");
	assert_false(gate_ready(g, &why));
	assert_string_equal(why, "forked");
	/* A ledger that ends before what was followed. */
	kit_follow(x, ahead);
	h = table_head(ahead->table);
	h.size += 5;
	table_set_head(ahead->table, &h);
	kit_answer(x, h.size, 1024, &end);
	assert_int_equal(feed_take(ahead, buf_slice(&end), &more, &f), ERR_DB);
	assert_string_equal(f.rule, "ledger_fork");
}

/* A change that was told is remembered over a crash, though the snapshot is older: nothing is answered until it is there again. */
static void test_mark(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = kit_gate(x);
	_cleanup_(freep) char *snapshot = path_join(g->config.state, "snapshot");
	struct fault f = {0};
	const char *why;
	extend(x);
	kit_beat(x);
	kit_follow(x, g);
	kit_must("snapshot", snapshot_write(g->table, snapshot, &f), &f);
	hold(x);
	kit_follow(x, g);
	assert_int_equal(state_of(x, g), GATE_HELD);
	table_freep(&g->table);
	kit_must("load", feed_load(g, &f), &f);
	assert_int_equal(state_of(x, g), GATE_GOOD);
	assert_false(gate_ready(g, &why));
	assert_string_equal(why, "behind");
	/* Another CA's gate has left this folder. */
	g->log_key.origin[12] = g->log_key.origin[12] == '0' ? '1' : '0';
	table_freep(&g->table);
	assert_int_equal(feed_load(g, &f), ERR_CONFIG);
}

/* A change that cannot be kept is not answered against: nothing is told until it can. */
static void test_full_disk(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = kit_gate(x);
	_cleanup_(freep) char *mark = path_join(g->config.state, "followed");
	struct fault f = {0};
	const char *why;
	bool more;
	extend(x);
	kit_beat(x);
	kit_follow(x, g);
	assert_true(gate_ready(g, &why));
	/* No file takes the name of a folder. */
	unlink(mark);
	assert_int_equal(mkdir(mark, 0700), 0);
	hold(x);
	{
		_cleanup_buf_ struct buf answer = {0};
		kit_answer(x, kit_size(g), 1024, &answer);
		assert_int_equal(feed_take(g, buf_slice(&answer), &more, &f), ERR_IO);
	}
	assert_int_equal(state_of(x, g), GATE_GOOD);
	assert_false(gate_ready(g, &why));
	assert_string_equal(why, "disk");
	assert_int_equal(rmdir(mark), 0);
	kit_follow(x, g);
	assert_int_equal(state_of(x, g), GATE_HELD);
	assert_true(gate_ready(g, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows), cmocka_unit_test(test_hostile),	  cmocka_unit_test(test_fork),
		cmocka_unit_test(test_mark),	cmocka_unit_test(test_full_disk),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fx_keys_done();
	return failed;
}
