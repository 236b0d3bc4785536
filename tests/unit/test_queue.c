/*
 * common/rpc/queue: whose turn it is.
 */
#include "common/rpc/queue.h"

#include "common/base/cleanup.h"

#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

struct bench {
	struct queue *q;
	struct conn *conn;
	int epoll, peer;
	struct worker a, b; /* both of the main thread, which is b when it waits */
};

static void set_up_with(struct bench *t, unsigned at_work, unsigned jobs)
{
	int fds[2];
	*t = (struct bench){.q = queue_new(at_work, jobs), .epoll = epoll_create1(EPOLL_CLOEXEC)};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	t->peer = fds[1];
	t->conn = conn_new(t->epoll, fds[0], &(struct rpc_peer){.uid = getuid()});
	assert_non_null(t->conn);
}

static void set_up(struct bench *t, unsigned at_work)
{
	set_up_with(t, at_work, UINT_MAX);
}

static void tear_down(struct bench *t)
{
	queue_free(t->q);
	conn_close(t->conn);
	conn_unref(t->conn);
	close(t->peer);
	close(t->epoll);
}

static void add(struct bench *t, const char *names)
{
	struct request *batch = NULL, **tail = &batch;
	for (const char *p = names; *p; p++) {
		struct request *r = xcalloc(1, sizeof(*r) + 1);
		r->conn = conn_ref(t->conn);
		r->n = 1;
		r->bytes[0] = (uint8_t)*p;
		t->conn->queued++;
		t->conn->queued_bytes++;
		*tail = r;
		tail = &r->next;
	}
	queue_add(t->q, batch, tail);
}

/* Takes the next request and is done with it, but stays at work: '\0' for none. */
static char take(struct queue *q, struct worker *w)
{
	struct request *r = NULL;
	struct rpc_job *job = NULL;
	if (!queue_next(q, w, &r, &job))
		return '\0';
	assert_non_null(r);
	char name = (char)r->bytes[0];
	queue_done(q, r);
	return name;
}

struct other {
	struct queue *q;
	pthread_t thread;
	_Atomic char got;
};

static void *take_one(void *arg)
{
	struct other *o = arg;
	struct worker w = {0};
	char got = take(o->q, &w);
	o->got = got;
	while (got != '\0')
		got = take(o->q, &w);
	return NULL;
}

static void start(struct other *o, struct queue *q)
{
	*o = (struct other){.q = q};
	assert_int_equal(pthread_create(&o->thread, NULL, take_one, o), 0);
}

/* In the order in which they came, to the two that are at work; the third gets none. */
static void test_order(void **state)
{
	(void)state;
	struct bench t;
	struct other o;
	set_up(&t, 2);
	add(&t, "1234");
	assert_true(queue_look(t.q)); /* they wait */
	assert_int_equal(take(t.q, &t.a), '1');
	assert_int_equal(take(t.q, &t.b), '2');
	start(&o, t.q);
	assert_int_equal(take(t.q, &t.a), '3');
	assert_int_equal(take(t.q, &t.b), '4');
	assert_false(queue_look(t.q));
	queue_stop(t.q);
	pthread_join(o.thread, NULL);
	assert_int_equal(o.got, '\0');
	assert_int_equal(take(t.q, &t.a), '\0');
	assert_int_equal(take(t.q, &t.b), '\0');
	tear_down(&t);
}

/* Two are at work; a third comes to its turn when one of them says that it waits, and not before. */
static void test_wait(void **state)
{
	(void)state;
	struct bench t;
	struct other o;
	set_up(&t, 2);
	assert_int_equal((add(&t, "12"), take(t.q, &t.a)), '1');
	assert_int_equal(take(t.q, &t.b), '2');
	start(&o, t.q);
	add(&t, "3");
	rpc_wait_begin();
	while (o.got == '\0')
		poll(NULL, 0, 1);
	assert_int_equal(o.got, '3');
	rpc_wait_end();
	rpc_wait_end(); /* harmless */
	add(&t, "4");
	assert_int_equal(take(t.q, &t.b), '4');
	queue_stop(t.q);
	pthread_join(o.thread, NULL);
	tear_down(&t);
}

/* Who takes long without saying so loses its turn as well; but only to somebody. */
static void test_slow(void **state)
{
	(void)state;
	struct bench t;
	struct other o;
	set_up(&t, 1);
	assert_int_equal((add(&t, "12"), take(t.q, &t.a)), '1');
	start(&o, t.q);
	while (queue_look(t.q))
		poll(NULL, 0, 1);
	while (o.got == '\0')
		poll(NULL, 0, 1);
	assert_int_equal(o.got, '2');
	queue_stop(t.q);
	pthread_join(o.thread, NULL);
	tear_down(&t);
}

static void note_run(struct rpc_job *job)
{
	(void)job;
}

/* Jobs come before requests, and need no turn. */
static void test_jobs(void **state)
{
	(void)state;
	struct bench t;
	struct rpc_job job = {.run = note_run}, *got = NULL;
	struct request *r = NULL;
	set_up(&t, 1);
	add(&t, "12");
	assert_int_equal(take(t.q, &t.a), '1');
	queue_resume(t.q, &job);
	assert_true(queue_next(t.q, &t.b, &r, &got));
	assert_ptr_equal(got, &job);
	assert_null(r);
	queue_stop(t.q);
	assert_int_equal(take(t.q, &t.b), '\0'); /* '2' is not given out any more */
	tear_down(&t);
}

/* What is resumed between begin and end waits for the end, of each server in its order. */
static void test_jobs_together(void **state)
{
	(void)state;
	struct bench t, u;
	struct rpc_job jobs[3] = {{.run = note_run}, {.run = note_run}, {.run = note_run}}, *got = NULL;
	struct request *r = NULL;
	set_up(&t, 1);
	set_up(&u, 1);
	add(&t, "1");
	rpc_resume_begin();
	queue_resume(t.q, &jobs[0]);
	queue_resume(t.q, &jobs[1]);
	assert_int_equal(take(t.q, &t.a), '1'); /* no job is there yet */
	queue_resume(u.q, &jobs[2]);
	rpc_resume_end();
	for (int i = 0; i < 3; i++) {
		assert_true(i < 2 ? queue_next(t.q, &t.a, &r, &got) : queue_next(u.q, &u.a, &r, &got));
		assert_ptr_equal(got, &jobs[i]);
	}
	rpc_resume_begin();
	rpc_resume_end(); /* of nothing */
	queue_resume(t.q, &jobs[0]);
	assert_true(queue_next(t.q, &t.a, &r, &got));
	assert_ptr_equal(got, &jobs[0]);
	queue_stop(t.q);
	queue_stop(u.q);
	assert_int_equal(take(t.q, &t.a), '\0');
	assert_int_equal(take(u.q, &u.a), '\0');
	tear_down(&t);
	tear_down(&u);
}

#define ROUNDS 200

struct counted {
	struct rpc_job job;
	_Atomic unsigned n;
};

struct sleeper {
	struct queue *q;
	pthread_t thread;
	int called; /* what a worker's semaphore was at when it had a job */
};

static void count_run(struct rpc_job *job)
{
	atomic_fetch_add(&((struct counted *)job)->n, 1);
}

static void *sleep_and_run(void *arg)
{
	struct sleeper *s = arg;
	struct worker w = {0};
	struct request *r = NULL;
	struct rpc_job *job = NULL;
	while (queue_next(s->q, &w, &r, &job)) {
		int called = 0;
		sem_getvalue(&w.called, &called);
		s->called += called;
		job->run(job);
	}
	return NULL;
}

/* Many jobs at once for few who sleep, again and again: each is run once, and nobody is called more often than he sleeps. */
static void test_jobs_for_sleepers(void **state)
{
	(void)state;
	struct bench t;
	struct sleeper s[4];
	struct counted jobs[ROUNDS][6];
	set_up(&t, 1);
	for (int i = 0; i < 4; i++) {
		s[i] = (struct sleeper){.q = t.q};
		assert_int_equal(pthread_create(&s[i].thread, NULL, sleep_and_run, &s[i]), 0);
	}
	for (int k = 0; k < ROUNDS; k++) {
		rpc_resume_begin();
		for (int i = 0; i < 6; i++) {
			jobs[k][i] = (struct counted){.job = {.run = count_run}};
			queue_resume(t.q, &jobs[k][i].job);
		}
		rpc_resume_end();
	}
	queue_stop(t.q);
	for (int i = 0; i < 4; i++) {
		pthread_join(s[i].thread, NULL);
		assert_int_equal(s[i].called, 0);
	}
	for (int k = 0; k < ROUNDS; k++)
		for (int i = 0; i < 6; i++)
			assert_int_equal(jobs[k][i].n, 1);
	tear_down(&t);
}

static char more(struct bench *t, struct worker *w)
{
	struct request *r = queue_more(t->q, w);
	char name = r ? (char)r->bytes[0] : '\0';
	assert_true(!r || w->request == r);
	if (r)
		queue_done(t->q, r);
	return name;
}

/* Who has a request takes more of those that wait, but leaves one for each that is at work. */
static void test_more(void **state)
{
	(void)state;
	struct bench t;
	set_up(&t, 2);
	add(&t, "12345");
	assert_int_equal(take(t.q, &t.a), '1');
	assert_int_equal(more(&t, &t.a), '2'); /* alone at work */
	assert_int_equal(take(t.q, &t.b), '3');
	assert_int_equal(more(&t, &t.a), '4');
	assert_int_equal(more(&t, &t.a), '\0'); /* the other's */
	assert_int_equal(take(t.q, &t.b), '5');
	assert_int_equal(more(&t, &t.b), '\0');
	add(&t, "67");
	queue_stop(t.q);
	assert_int_equal(more(&t, &t.a), '\0');
	assert_int_equal(take(t.q, &t.a), '\0');
	tear_down(&t);
}

/* A job more than are to be run at once waits until one is done, and keeps no request from its turn. */
static void test_jobs_at_once(void **state)
{
	(void)state;
	struct bench t;
	struct request *r = NULL;
	struct rpc_job jobs[2] = {{.run = note_run}, {.run = note_run}}, *got = NULL;
	set_up_with(&t, 2, 1);
	add(&t, "1");
	queue_resume(t.q, &jobs[0]);
	queue_resume(t.q, &jobs[1]);
	assert_true(queue_next(t.q, &t.a, &r, &got));
	assert_ptr_equal(got, &jobs[0]);
	assert_int_equal(take(t.q, &t.b), '1');
	assert_true(queue_next(t.q, &t.a, &r, &got));
	assert_ptr_equal(got, &jobs[1]);
	queue_stop(t.q);
	assert_false(queue_next(t.q, &t.a, &r, &got));
	assert_false(queue_next(t.q, &t.b, &r, &got));
	tear_down(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	      cmocka_unit_test(test_wait),
		cmocka_unit_test(test_slow),	      cmocka_unit_test(test_jobs),
		cmocka_unit_test(test_jobs_together), cmocka_unit_test(test_jobs_for_sleepers),
		cmocka_unit_test(test_jobs_at_once),  cmocka_unit_test(test_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
