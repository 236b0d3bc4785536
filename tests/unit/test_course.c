/*
 * A tally's course over the RA's real socket: few workers, many tallies under way, and answers that come as jobs.
 */
#include "ca_fixture.h"

#include "ca/course.h"

#include "common/base/cleanup.h"

#include <pthread.h>
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
		cmocka_unit_test(forged),	   cmocka_unit_test(busy),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}
