/*
 * A tally's course over the RA's real socket: few workers, many tallies under way, and answers that come as jobs.
 */
#include "ca_fixture.h"

#include "ca/course.h"
#include "ca/ledger_private.h"
#include "ca/publish.h"

#include "common/base/cleanup.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 12
#define SAME (BY_RA | BY_SUB)

struct socket {
	char dir[64], path[100];
	struct rpc_server *server;
	struct rpc_client *client;
};
static struct socket *the;

static void by_socket(struct fx *x, bool by_operator, struct slice request, struct buf *reply)
{
	struct fault f = {0};
	(void)x;
	assert_false(by_operator);
	if (rpc_call(the->client, request, reply, &f) != OK)
		fail_msg("%s", f.text);
}

static void socket_open(struct socket *s, struct fx *x, unsigned workers)
{
	struct fault f = {0};
	*s = (struct socket){0};
	snprintf(s->dir, sizeof(s->dir), "/tmp/hufu-course-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/ra.sock", s->dir);
	struct rpc_server_config c = {.path = s->path,
				      .mode = 0600,
				      .max_request = WIRE_MAX_RA_REQUEST,
				      .workers = workers,
				      .handle = signer_handle_ra,
				      .defer = signer_defer_ra,
				      .gathered = signer_gathered_ra,
				      .gather = SIGNER_GATHER,
				      .arg = x->signer};
	assert_int_equal(rpc_server_start(&c, &s->server, &f), OK);
	assert_int_equal(rpc_client_open(s->path, 30000, WIRE_MAX_MESSAGE, &s->client, &f), OK);
	the = s;
	x->carry = by_socket;
}

static void socket_close(struct socket *s, struct fx *x)
{
	x->carry = NULL;
	rpc_client_close(s->client);
	rpc_server_stop(s->server);
	assert_int_equal(rmdir(s->dir), 0);
}

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

/* How many were answered by a certificate. */
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

static bool rule_is(const struct racer *r, const char *rule)
{
	return strcmp(r->a.f.rule, rule) == 0;
}

/* Tallies of one predecessor, whatever batch they meet in: one certificate, and a refusal or a wait for each other. */
static void one_predecessor(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct racer racers[THREADS] = {0};
	struct socket s;
	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		_cleanup_(tally_done) struct tally t = {0};
		fx_extend(x, ORG_P256, &t);
		fx_note(x, &t, ORG_P256, KEY_NEW, SAME, &racers[i].note);
		racers[i].x = x;
	}
	socket_open(&s, x, 2);
	assert_int_equal(race_all(racers), 1);
	for (size_t i = 0; i < THREADS; i++) {
		bool known = racers[i].a.kind == OK || rule_is(&racers[i], "predecessor_in_flight") ||
			     rule_is(&racers[i], "predecessor_succeeded");
		if (!known)
			fail_msg("%s: %s", racers[i].a.f.rule, racers[i].a.f.text);
		fx_answer_done(&racers[i].a);
	}
	socket_close(&s, x);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_INTENT), 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

/* One tally many times at once: one certificate, the same for all that are told of it. */
static void one_tally(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	struct racer racers[THREADS] = {0};
	struct slice cert = {0};
	struct socket s;
	(void)state;
	fx_extend(x, ORG_P256, &t);
	for (size_t i = 0; i < THREADS; i++) {
		fx_note(x, &t, ORG_P256, KEY_NEW, SAME, &racers[i].note);
		racers[i].x = x;
	}
	socket_open(&s, x, 2);
	assert_true(race_all(racers) >= 1);
	socket_close(&s, x);
	for (size_t i = 0; i < THREADS; i++) {
		assert_true(racers[i].a.kind == OK || racers[i].a.kind == ERR_BUSY);
		if (racers[i].a.kind == OK && cert.p)
			assert_true(slice_eq(cert, racers[i].a.done.cert));
		if (racers[i].a.kind == OK)
			cert = racers[i].a.done.cert;
	}
	for (size_t i = 0; i < THREADS; i++)
		fx_answer_done(&racers[i].a);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_INTENT), 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

/* Refusals are recorded on the same way, and what is no tally is handled beside them. */
static void refusals(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct racer racers[THREADS] = {0};
	struct socket s;
	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		_cleanup_(tally_done) struct tally t = {0};
		fx_extend(x, ORG_P256, &t);
		fx_note(x, &t, ORG_P256, KEY_NEW, i % 2 ? BY_RA : BY_SUB, &racers[i].note);
		racers[i].x = x;
	}
	socket_open(&s, x, 2);
	assert_int_equal(race_all(racers), 0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_string_equal(racers[i].a.f.rule, i % 2 ? "subscriber_missing" : "ra_signature");
		fx_answer_done(&racers[i].a);
	}
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct fault f = {0};
	wire_health_put(&(struct wire_health){0}, &request);
	assert_int_equal(fx_ra(x, &request, WIRE_TYPE_HEALTH_IS, &reply, &f), OK);
	buf_clear(&request);
	buf_clear(&reply);
	buf_str(&request, "no message");
	assert_int_not_equal(fx_ra(x, &request, WIRE_TYPE_DONE, &reply, &f), OK);
	socket_close(&s, x);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REFUSED), THREADS / 2);
}

/* Another line of the subscriber, of the same form: some digit of s is not the one that was. */
static void forge(struct buf *note)
{
	char *line = strstr((char *)note->data, "\xe2\x80\x94 sub:"), *end = line ? strchr(line, '\n') : NULL;
	assert_non_null(end);
	end[-24] = end[-24] == 'A' ? 'B' : 'A';
}

/* Signatures that are verified together are each judged for itself. */
static void forged(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally good = {0};
	_cleanup_(fx_answer_done) struct fx_answer after = {0};
	struct racer racers[THREADS] = {0};
	struct socket s;
	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		_cleanup_(tally_done) struct tally t = {0};
		fx_extend(x, ORG_P256, &t);
		fx_note(x, &t, ORG_P256, KEY_NEW, SAME, &racers[i].note);
		forge(&racers[i].note);
		racers[i].x = x;
	}
	socket_open(&s, x, 1);
	assert_int_equal(race_all(racers), 0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_string_equal(racers[i].a.f.rule, "subscriber_signature");
		fx_answer_done(&racers[i].a);
	}
	fx_extend(x, ORG_P256, &good);
	fx_ask(x, &good, ORG_P256, KEY_NEW, SAME, &after);
	assert_int_equal(after.kind, OK);
	socket_close(&s, x);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REFUSED), THREADS);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

/* A signer with as much under way as it takes says so, and when to come again; then it goes on. */
static void busy(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer full = {0}, after = {0};
	struct fault f = {0};
	struct socket s;
	(void)state;
	fx_extend(x, ORG_P256, &t);
	socket_open(&s, x, 2);
	for (unsigned i = 0; i < SIGNER_MAX_TALLIES; i++)
		assert_int_equal(signer_enter(x->signer, &f), OK);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &full);
	assert_int_equal(full.kind, ERR_BUSY);
	assert_string_equal(full.f.rule, "signer_busy");
	assert_int_equal(full.retry_ms, 100);
	for (unsigned i = 0; i < SIGNER_MAX_TALLIES; i++)
		signer_leave(x->signer);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &after);
	assert_int_equal(after.kind, OK);
	socket_close(&s, x);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REFUSED), 0);
}

/* --- while a CRL is made --- */

#define REVOKED 300000

static enum err revoke_many(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct slice key_id = slice_of(((struct fx *)arg)->signer->issuer.key.key_id, 20);
	TRY(db_run(tx->db, f, "INSERT INTO issuer (key_id) VALUES (?1) ON CONFLICT DO NOTHING", "b", key_id));
	return db_run(
		tx->db, f,
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)"
		" INSERT INTO revocation (issuer, serial, shard, at, reason, keep_until)"
		" SELECT (SELECT id FROM issuer WHERE key_id = ?1), CAST(x'10' || randomblob(15) AS BLOB), 0, ?3, 1, ?4"
		" FROM n",
		"biii", key_id, (int64_t)REVOKED, clock_now(), clock_now() + 86400);
}

struct making {
	struct fx *x;
	struct buf first; /* its first piece */
	uint64_t size;
	enum err result;
	struct fault f;
	atomic_bool made;
};

static void *make_crl(void *arg)
{
	struct making *m = arg;
	struct wire_crl ask = {.shard = WIRE_FULL_CRL};
	struct ledger_crl c;
	memcpy(ask.issuer, m->x->signer->issuer.key.key_id, 20);
	m->result = publish_crl(m->x->signer, &ask, &m->first, &c, &m->size, &m->f);
	atomic_store(&m->made, true);
	return NULL;
}

static void withdraw_one(struct fx *x)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	uint8_t target[TALLY_ID];
	random_fill(target, sizeof(target));
	fx_withdraw(x, target, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_RA, &a);
	check_done("withdraw", &a);
}

/* A CRL of 300,000 entries takes as long as a hundred tallies: they do not wait for it. */
static void beside_a_crl(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct making m = {.x = x};
	struct fault f = {0};
	pthread_t thread;
	unsigned meanwhile = 0;
	(void)state;
	assert_int_equal(ledger_do(x->ledger, revoke_many, x, &f), OK);
	assert_int_equal(pthread_create(&thread, NULL, make_crl, &m), 0);
	while (atomic_load(&x->signer->crl_inside) == 0)
		sched_yield();
	static const enum fx_which orgs[] = {ORG_P256, ORG_RSA};
	for (size_t i = 0; !atomic_load(&m.made); i++) {
		_cleanup_(tally_done) struct tally t = {0};
		_cleanup_(fx_answer_done) struct fx_answer a = {0};
		if (i < 2) {
			fx_extend(x, orgs[i], &t);
			fx_ask(x, &t, orgs[i], KEY_NEW, SAME, &a);
			check_done("extend", &a);
		} else {
			withdraw_one(x);
		}
		meanwhile += !atomic_load(&m.made);
	}
	pthread_join(thread, NULL);
	assert_int_equal(m.result, OK);
	assert_true(m.size > REVOKED * 40);
	buf_done(&m.first);
	if (meanwhile < 3)
		fail_msg("%u tallies were answered while the CRL was made", meanwhile);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 2);
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
		cmocka_unit_test(one_predecessor), cmocka_unit_test(one_tally), cmocka_unit_test(refusals),
		cmocka_unit_test(forged),	   cmocka_unit_test(busy),	cmocka_unit_test(beside_a_crl),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}
