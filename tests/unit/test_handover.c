/*
 * The road to the signer: retries, crashes between sending and hearing, and the threads at work.
 */
#include "ra_fixture.h"

#include "ra/follow.h"
#include "ra/handover.h"
#include "ra/resume.h"
#include "ra/store_cert.h"

#include <string.h>
#include <unistd.h>

/* A submitted extension, approved and queued. Gives: free(). */
static char *queued(struct fx *x)
{
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	char *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	return id;
}

static void fails(struct fx *x, enum err kind, unsigned times, bool after)
{
	pthread_mutex_lock(&x->signer.lock);
	x->signer.fail = times;
	x->signer.fail_after = after;
	fault_raise(&x->signer.fault, kind, "played", "signer", "played fault");
	pthread_mutex_unlock(&x->signer.lock);
}

static void test_retries(void **state)
{
	static const enum err kinds[] = {ERR_NET, ERR_BUSY, ERR_LOCKED, ERR_DB, ERR_INTERNAL};
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		fx_log_in(x);
		_cleanup_(freep) char *id = queued(x);
		fails(x, kinds[i], 2, false);
		fx_hand_over(x);
		fx_state(x, id, "sent");
		/* Not before its time, and each time later. */
		fx_hand_over(x);
		assert_int_equal(x->signer.n_tallies, 1);
		clock_set(NOW + 1);
		fx_hand_over(x);
		assert_int_equal(x->signer.n_tallies, 2);
		clock_set(NOW + 2);
		fx_hand_over(x);
		assert_int_equal(x->signer.n_tallies, 2);
		clock_set(NOW + 3);
		fx_hand_over(x);
		fx_state(x, id, "issued");
		assert_int_equal(x->signer.n_issued, 1);
	}
}

static void test_refusals_are_final(void **state)
{
	static const enum err kinds[] = {ERR_RULE, ERR_PARSE, ERR_CRYPTO, ERR_CONFLICT, ERR_LIMIT, ERR_DENIED};
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		fx_log_in(x);
		_cleanup_(freep) char *id = queued(x);
		fails(x, kinds[i], 1, false);
		fx_hand_over(x);
		fx_state(x, id, "refused");
		clock_set(NOW + 600);
		fx_hand_over(x);
		assert_int_equal(x->signer.n_tallies, 1);
	}
}

/* The signer did it, the answer was lost, the desk died: sent again, it is the same certificate. */
static void test_lost_answer(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = queued(x);
	fails(x, ERR_NET, 1, true);
	fx_hand_over(x);
	fx_state(x, id, "sent");
	fx_restart(x);
	clock_set(NOW + 5);
	fx_hand_over(x);
	fx_state(x, id, "issued");
	assert_int_equal(x->signer.n_tallies, 2);
	assert_int_equal(x->signer.n_issued, 1);
}

/* As above, but the ledger is read before it is sent again: nothing is sent at all. */
static void test_ledger_answers_first(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = queued(x);
	fails(x, ERR_NET, 1, true);
	fx_hand_over(x);
	fx_restart(x);
	fx_follow(x);
	fx_state(x, id, "issued");
	clock_set(NOW + 60);
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 1);
	assert_int_equal(x->signer.n_issued, 1);
}

/* Died after "sent" was recorded and before the wire was touched. */
static void test_recorded_and_not_sent(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct db *db = NULL;
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = queued(x);
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	enum err e = store_handover_sent(db, 1, &f);
	if (e == OK)
		e = store_request_state(db, id, "sent", &f);
	assert_int_equal(store_end(x->desk->store, db, e, &f), OK);
	fx_restart(x);
	fx_hand_over(x);
	fx_state(x, id, "issued");
	assert_int_equal(x->signer.n_tallies, 1);
}

static void test_signer_away(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	size_t n = 0;
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = queued(x);
	rpc_server_stop(x->signer.server);
	x->signer.server = NULL;
	fx_hand_over(x);
	fx_state(x, id, "sent");
	assert_int_equal(follow_once(x->desk, 0, &n, &f), ERR_NET);
	fx_refused(x, UID_PORTAL, "crl.get", NULL, "peer_away");
}

/* What the desk says of the organisation's certificate. Gives: free(). */
static char *cert_state(struct fx *x)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", ORG_SERIAL));
	return xstrdup(fx_text(json_array_get(json_object_get(r, "answers"), 0), "state"));
}

/* --- a ledger that is not the one that was followed --- */

static void cut_last(struct fx *x)
{
	buf_done(&x->signer.entries[--x->signer.n_entries]);
}

/* The history behind the tree's edge is another one, though the ledger has only grown. */
static void change_first(struct fx *x)
{
	x->signer.entries[0].data[x->signer.entries[0].len - 1] ^= 1;
	fx_append_revoked(x, &x->org, false, 1, NOW);
}

static void sign_by_another(struct fx *x)
{
	x->signer.other_log_key = true;
}

static void say_another_root(struct fx *x)
{
	x->signer.bad_root = true;
}

static void grow_and_say_another_root(struct fx *x)
{
	fx_append_revoked(x, &x->org, false, 1, NOW);
	x->signer.bad_root = true;
}

static void test_forks(void **state)
{
	static const struct {
		const char *what, *rule;
		enum err err;
		void (*play)(struct fx *x);
	} cases[] = {
		{"an older copy", "ledger_fork", ERR_DB, cut_last},
		{"another history", "ledger_fork", ERR_DB, change_first},
		{"another log key", "log_signature", ERR_CRYPTO, sign_by_another},
		{"another root of the same size", "ledger_fork", ERR_DB, say_another_root},
		{"new entries that the checkpoint does not hold", "ledger_fork", ERR_DB, grow_and_say_another_root},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		size_t n = 0;
		struct fault f = {0};
		fx_log_in(x);
		cases[i].play(x);
		_cleanup_(freep) char *before = cert_state(x);
		enum err e = follow_once(x->desk, 0, &n, &f);
		if (e != cases[i].err || strcmp(f.rule, cases[i].rule) != 0)
			fail_msg("%s: found %s %s: %s", cases[i].what, err_word(e), f.rule, f.text);
		assert_int_equal(n, 0);
		/* Nothing that it said is believed, and no work is taken any more; reading goes on. */
		_cleanup_(freep) char *after = cert_state(x);
		assert_string_equal(before, after);
		fx_refused(x, UID_SUBSCRIBER, "order.create",
			   json_pack("{s:s, s:s, s:s}", "session", x->session, "service_id", "20353", "kind", "renew"),
			   "ledger_fork");
		_cleanup_(json_freep) json_t *health = fx_do(x, UID_ADMIN, "desk.health", NULL);
		_cleanup_(freep) char *text = json_dumps(health, 0);
		assert_non_null(strstr(text, "\"ledger_fork\""));
		/* It stays so when the signer shows the right one again: somebody must look. */
		fx_refused(x, UID_SUBSCRIBER, "order.create",
			   json_pack("{s:s, s:s, s:s}", "session", x->session, "service_id", "20353", "kind", "renew"),
			   "ledger_fork");
	}
}

/* --- a ledger that was restored behind the desk --- */

static json_t *an_order(struct fx *x)
{
	return json_pack("{s:s, s:s, s:s}", "session", x->session, "service_id", "20353", "kind", "renew");
}

/* The operator's word, as an entry; head: the newest checkpoint that was known. */
static void say_word(struct fx *x, struct slice head, uint64_t lost)
{
	_cleanup_buf_ struct buf entry = {0};
	struct wire_e_restored e = {.at = NOW, .lost = lost, .head = head, .word = slice_str("fire")};
	wire_e_restored_put(&e, &entry);
	fx_append(x, &entry);
	x->signer.restored = x->signer.n_entries;
	x->signer.waits = false;
}

/* One that was followed, and stands in the restored ledger no more. */
static void open_intent(struct fx *x, int64_t entry)
{
	static const uint8_t id[20];
	struct db *db = NULL;
	struct fault f = {0};
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	enum err e = store_intent_put(db, entry, id, id, slice_str("tbs"), slice_str("note"), &f);
	assert_int_equal(store_end(x->desk->store, db, e, &f), OK);
}

static void test_restored(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf older = {0};
	struct checkpoint c;
	struct fault f = {0};
	size_t n = 0;
	(void)state;
	fx_log_in(x);
	fx_refused(x, UID_ADMIN, "desk.resume", json_object(), "not_waiting");
	assert_int_equal(resume_show(x->desk, &f), OK);
	buf_add_slice(&older, buf_slice(&x->signer.seen));
	size_t kept = x->signer.n_entries;
	fx_append_revoked(x, &x->org, false, 1, NOW);
	fx_follow(x);
	cut_last(x);
	x->signer.waits = true;
	assert_int_equal(follow_once(x->desk, 0, &n, &f), ERR_DB);
	/* The signer is shown what the desk has followed to. */
	assert_int_equal(resume_show(x->desk, &f), OK);
	assert_int_equal(checkpoint_open(buf_slice(&x->signer.seen), &x->desk->log_key, &c, &f), OK);
	assert_int_equal(c.size, kept + 1);
	fx_refused(x, UID_ADMIN, "desk.resume", json_object(), "ledger_waits");
	x->signer.waits = false;
	fx_refused(x, UID_ADMIN, "desk.resume", json_object(), "restore_unsaid");
	fx_refused(x, UID_OFFICER, "desk.resume", json_object(), "method_denied");
	/* A word that knew nothing of what the desk has. */
	say_word(x, buf_slice(&older), 0);
	fx_refused(x, UID_ADMIN, "desk.resume", json_object(), "restore_behind");
	fx_refused(x, UID_SUBSCRIBER, "order.create", an_order(x), "ledger_fork");
	cut_last(x);
	say_word(x, buf_slice(&x->signer.seen), 1);
	open_intent(x, (int64_t)kept);
	_cleanup_(json_freep) json_t *done = fx_do(x, UID_ADMIN, "desk.resume", json_object());
	assert_int_equal(fx_number(x, "SELECT count(*) FROM intents"), 0);
	assert_int_equal(json_integer_value(json_object_get(done, "entry")), kept);
	assert_int_equal(json_integer_value(json_object_get(done, "lost_entries")), 1);
	assert_int_equal(json_integer_value(json_object_get(done, "noted")), 1);
	_cleanup_(json_freep) json_t *lost = fx_do(x, UID_OFFICER, "desk.lost", json_object());
	json_t *row = json_array_get(json_object_get(lost, "lost"), 0);
	assert_int_equal(json_integer_value(json_object_get(lost, "total")), 1);
	assert_string_equal(fx_text(row, "serial"), ORG_SERIAL);
	assert_string_equal(fx_text(row, "lost"), "state");
	assert_string_equal(fx_text(row, "state"), "revoked");
	/* It is followed again from its beginning, and work is taken. */
	assert_int_equal(follow_once(x->desk, 0, &n, &f), OK);
	assert_int_equal(n, kept + 1);
	json_decref(fx_do(x, UID_SUBSCRIBER, "order.create", an_order(x)));
	fx_refused(x, UID_ADMIN, "desk.resume", json_object(), "not_waiting");
	/* Revoked it stays at the desk; the restored ledger, when it says so too, is followed. */
	fx_append_revoked(x, &x->org, false, 1, NOW);
	fx_follow(x);
	fx_restart(x);
	assert_int_equal(follow_once(x->desk, 0, &n, &f), OK);
	assert_int_equal(n, 0);
}

/* A desk from before there was a tree reads what it has applied once more, and applies nothing twice. */
static void test_desk_without_a_tree(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct db *db = NULL;
	struct fault f = {0};
	size_t n = 0;
	(void)state;
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	enum err e = db_run(db, &f, "DELETE FROM heads WHERE name = 'ledger_edge'", "");
	assert_int_equal(store_end(x->desk->store, db, e, &f), OK);
	assert_int_equal(follow_once(x->desk, 0, &n, &f), OK);
	assert_int_equal(n, x->signer.n_entries);
	fx_append_revoked(x, &x->org, false, 1, NOW);
	assert_int_equal(follow_once(x->desk, 0, &n, &f), OK);
	assert_int_equal(n, 1);
	_cleanup_(freep) char *state_now = cert_state(x);
	assert_string_equal(state_now, "revoked");
}

/* An entry that cannot be read stops the follower where it is, with what came before kept. */
static void test_bad_entries(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {{"", 0}, {"\x01\xff", 2}, {"\x01\x81\x00\x00", 4}, {"\x02\x8d\0\0\0\0\0\0\0\0", 10}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		_cleanup_buf_ struct buf entry = {0};
		struct fault f = {0};
		size_t n = 0;
		buf_add(&entry, cases[i].bytes, cases[i].n);
		fx_append_revoked(x, &x->org, false, 1, NOW);
		fx_follow(x);
		fx_append(x, &entry);
		assert_int_equal(follow_once(x->desk, 0, &n, &f), ERR_PARSE);
		assert_non_null(strstr(f.text, "ledger entry 4"));
		_cleanup_(json_freep) json_t *r =
			fx_do(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", ORG_SERIAL));
		assert_int_equal(json_integer_value(json_object_get(r, "ledger_size")), 4);
	}
}

/* --- with all threads --- */

static void wait_issued(struct fx *x, const char *id)
{
	for (int i = 0; i < 10; i++) {
		_cleanup_(json_freep) json_t *r =
			fx_do(x, UID_SUBSCRIBER, "request.show",
			      json_pack("{s:s,s:s,s:i}", "session", x->session, "request", id, "wait_ms", 3000));
		if (strcmp(fx_text(r, "state"), "issued") == 0)
			return;
	}
	fail_msg("request %s did not end", id);
}

static unsigned n_follows(struct fx *x)
{
	pthread_mutex_lock(&x->signer.lock);
	unsigned n = x->signer.n_follows;
	pthread_mutex_unlock(&x->signer.lock);
	return n;
}

/* The follower's first poll comes after it has met the signer, when all that waits is due at once. */
static struct follower *work(struct fx *x)
{
	struct follower *follower = NULL;
	struct fault f = {0};
	unsigned before = n_follows(x);
	assert_int_equal(handover_start(x->desk, 2, &x->desk->handover, &f), OK);
	assert_int_equal(follower_start(x->desk, &follower, &f), OK);
	while (n_follows(x) == before)
		usleep(1000);
	return follower;
}

static void rest(struct fx *x, struct follower *follower)
{
	follower_stop(follower);
	handover_stop(x->desk->handover);
	x->desk->handover = NULL;
}

static int64_t tries(struct fx *x, const char *id)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	struct db *db = NULL;
	struct fault f = {0};
	assert_int_equal(store_read(x->desk->store, &db, &f), OK);
	assert_int_equal(db_one(db, &f, &row, "SELECT tries FROM handover WHERE request = ?1", "t", id), OK);
	int64_t n = db_i64(row, 0);
	db_row_donep(&row);
	store_read_end(x->desk->store, db);
	return n;
}

/* A tally that needs no officer is recorded as sent by the call that hands it in, once; one that failed is found again when its time
 * comes. */
static void test_put_and_found_again(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	struct follower *follower = work(x);
	fails(x, ERR_BUSY, 1, false);
	_cleanup_(freep) char *id = queued(x);
	while (tries(x, id) == 0)
		json_decref(fx_do(x, UID_SUBSCRIBER, "request.show",
				  json_pack("{s:s,s:s,s:i}", "session", x->session, "request", id, "wait_ms", 10)));
	fx_state(x, id, "sent");
	clock_set(NOW + 1);
	wait_issued(x, id);
	assert_int_equal(fx_number(x, "SELECT count(*) FROM history WHERE event = 'send' AND before = 'approved'"
				      " AND after = 'sent' AND who = 'desk'"),
			 1);
	assert_int_equal(x->signer.n_tallies, 2);
	assert_int_equal(x->signer.n_issued, 1);
	rest(x, follower);
}

/* The answer of a call whose tally goes at once says so; more of them than the pool has room for are found in the queue. */
static void test_more_than_fit(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	enum { N = 7 }; /* with two senders there is room for four */
	char *ids[N];
	(void)state;
	fx_log_in(x);
	struct follower *follower = work(x);
	pthread_mutex_lock(&x->signer.lock); /* it answers nothing meanwhile */
	for (size_t i = 0; i < N; i++) {
		ids[i] = fx_revoke(x);
		fx_prove(x, ids[i]);
		fx_submit(x, ids[i]);
		fx_state(x, ids[i], "sent");
	}
	pthread_mutex_unlock(&x->signer.lock);
	for (size_t i = 0; i < N; i++) {
		wait_issued(x, ids[i]);
		free(ids[i]);
	}
	assert_int_equal(x->signer.n_tallies, N);
	rest(x, follower);
}

/* The clock stands, so that nothing becomes due by itself. */
static void test_signer_back(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *first = queued(x);
	fails(x, ERR_BUSY, 1, false);
	fx_hand_over(x);
	assert_int_equal(tries(x, first), 1);
	struct follower *follower = work(x);
	wait_issued(x, first);
	rpc_server_stop(x->signer.server);
	x->signer.server = NULL;
	_cleanup_(freep) char *revoked = fx_revoke(x);
	fx_prove(x, revoked);
	fx_submit(x, revoked);
	while (tries(x, revoked) == 0)
		json_decref(
			fx_do(x, UID_SUBSCRIBER, "request.show",
			      json_pack("{s:s,s:s,s:i}", "session", x->session, "request", revoked, "wait_ms", 20)));
	fx_start_signer(x);
	wait_issued(x, revoked);
	rest(x, follower);
}

static void test_threads(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	struct follower *follower = work(x);
	fx_log_in(x);
	fails(x, ERR_BUSY, 1, true);
	_cleanup_(freep) char *id = queued(x);
	/* Its answer was lost; the ledger tells. */
	wait_issued(x, id);
	_cleanup_(freep) char *revoked = fx_revoke(x);
	fx_prove(x, revoked);
	fx_submit(x, revoked);
	wait_issued(x, revoked);
	/* Status and request change together. */
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", ORG_SERIAL));
	assert_string_equal(fx_text(json_array_get(json_object_get(r, "answers"), 0), "state"), "revoked");
	rest(x, follower);
}

/* --- answered, and the follower is late --- */

enum { LATE = 4 }; /* that two senders have room for */

/* So many tallies that the signer has answered, while nobody follows. */
static void answered(struct fx *x, char *ids[LATE])
{
	struct fault f = {0};
	fx_log_in(x);
	assert_int_equal(handover_start(x->desk, 2, &x->desk->handover, &f), OK);
	for (size_t i = 0; i < LATE; i++) {
		ids[i] = fx_revoke(x);
		fx_prove(x, ids[i]);
		fx_submit(x, ids[i]);
	}
}

static size_t n_tallies(struct fx *x)
{
	pthread_mutex_lock(&x->signer.lock);
	size_t n = x->signer.n_tallies;
	pthread_mutex_unlock(&x->signer.lock);
	return n;
}

/* At most about so long. */
static void wait_tallies(struct fx *x, size_t n, int64_t ms)
{
	int64_t until = clock_mono_us() + ms * 1000;
	while (n_tallies(x) < n && clock_mono_us() < until)
		usleep(1000);
	assert_int_equal(n_tallies(x), n);
}

static void all_issued(struct fx *x, char *ids[LATE])
{
	for (size_t i = 0; i < LATE; i++) {
		wait_issued(x, ids[i]);
		free(ids[i]);
	}
}

/* Two senders bring four, though the follower has come past none: they wait for it, and nobody waits with them. When it comes, there is room
 * for others. */
static void test_nobody_waits_for_the_follower(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char *ids[LATE], *more[LATE];
	(void)state;
	int64_t begun = clock_mono_us();
	answered(x, ids);
	wait_tallies(x, LATE, 1500);
	for (size_t i = 0; i < LATE; i++)
		fx_state(x, ids[i], "sent");
	for (size_t i = 0; i < LATE; i++) {
		more[i] = fx_revoke(x);
		fx_prove(x, more[i]);
		fx_submit(x, more[i]);
	}
	assert_int_equal(n_tallies(x), LATE);
	while (fx_number(x, "SELECT count(*) FROM handover WHERE state <> 'done'") > LATE)
		fx_follow(x);
	all_issued(x, ids);
	wait_tallies(x, 2 * (size_t)LATE, 1500);
	assert_true(clock_mono_us() - begun < 2000000);
	handover_stop(x->desk->handover);
	x->desk->handover = NULL;
	for (size_t i = 0; i < LATE; i++) {
		fx_state(x, more[i], "issued");
		free(more[i]);
	}
}

/* What nobody came for is settled by its answer, and once. */
static void test_late_follower(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	char *ids[LATE];
	(void)state;
	answered(x, ids);
	all_issued(x, ids);
	fx_follow(x);
	assert_int_equal(fx_number(x, "SELECT count(*) FROM history WHERE event = 'issue'"), LATE);
	handover_stop(x->desk->handover);
	x->desk->handover = NULL;
	assert_int_equal(x->signer.n_tallies, LATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retries),
		cmocka_unit_test(test_refusals_are_final),
		cmocka_unit_test(test_lost_answer),
		cmocka_unit_test(test_ledger_answers_first),
		cmocka_unit_test(test_recorded_and_not_sent),
		cmocka_unit_test(test_signer_away),
		cmocka_unit_test(test_forks),
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_desk_without_a_tree),
		cmocka_unit_test(test_bad_entries),
		cmocka_unit_test(test_put_and_found_again),
		cmocka_unit_test(test_more_than_fit),
		cmocka_unit_test(test_signer_back),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_nobody_waits_for_the_follower),
		cmocka_unit_test(test_late_follower),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
