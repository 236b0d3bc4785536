/*
 * A server has more workers than a machine has cores, because some of them wait: for another program, a flush, a bell.
 * Were all the others to run at once, each request would take as long as all of them, by the kernel's turns, and some
 * much longer. So only a few are at work at a time, and the rest waits in the order in which it came.
 *
 * A worker that says that it waits (rpc_wait_begin) leaves its turn to others, and so does who has been at it for long
 * without saying so. The worker that was idle last is called first: its stack and memory are warm, and the others need
 * none. It is given its work with the lock held and called when that is free again, so that it has nothing to wait for;
 * and as many are called as there is work for.
 */
#include "common/rpc/queue.h"

#include "common/base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct queue {
	pthread_mutex_t lock;
	struct request *requests, **requests_tail;
	struct rpc_job *jobs, **jobs_tail;
	struct worker *idle;		/* the last to come first */
	struct worker *oldest, *newest; /* at work */
	unsigned n_at_work, max_at_work;
	unsigned n_jobs, max_jobs; /* being run */
	unsigned n_requests;
	unsigned taken; /* requests that a worker has taken and that are not done */
	bool stopped;
};

static _Thread_local struct worker *self;
/* What this thread resumes between rpc_resume_begin() and rpc_resume_end(). */
static _Thread_local struct {
	bool keeps;
	struct queue *queue; /* of all that is kept */
	struct rpc_job *first, **tail;
} resumed;

struct queue *queue_new(unsigned at_work, unsigned jobs)
{
	struct queue *q = xcalloc(1, sizeof(*q));
	pthread_mutex_init(&q->lock, NULL);
	q->requests_tail = &q->requests;
	q->jobs_tail = &q->jobs;
	q->max_at_work = at_work;
	q->max_jobs = jobs;
	return q;
}

static void request_free(struct request *r)
{
	explicit_bzero(r->bytes, r->n); /* may hold a passphrase */
	conn_unref(r->conn);
	free(r);
}

void queue_free(struct queue *q)
{
	while (q->requests) {
		struct request *r = q->requests;
		q->requests = r->next;
		request_free(r);
	}
	pthread_mutex_destroy(&q->lock);
	free(q);
}

/* --- all of these with the lock held --- */

static void enter_work(struct queue *q, struct worker *w)
{
	w->at_work = true;
	w->since_us = clock_mono_us();
	w->next = NULL;
	w->prev = q->newest;
	if (q->newest)
		q->newest->next = w;
	else
		q->oldest = w;
	q->newest = w;
	q->n_at_work++;
}

static void leave_work(struct queue *q, struct worker *w)
{
	if (!w->at_work)
		return;
	w->at_work = false;
	if (w->prev)
		w->prev->next = w->next;
	else
		q->oldest = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		q->newest = w->prev;
	q->n_at_work--;
}

static void take_job(struct queue *q, struct worker *w)
{
	q->n_jobs++;
	w->job = q->jobs;
	q->jobs = w->job->next;
	if (!q->jobs)
		q->jobs_tail = &q->jobs;
}

static void take_request(struct queue *q, struct worker *w)
{
	w->request = q->requests;
	q->requests = w->request->next;
	if (!q->requests)
		q->requests_tail = &q->requests;
	q->n_requests--;
	q->taken++;
}

/* Gives w what it has to do, which at the end is to go home. False: there is nothing. */
static bool give(struct queue *q, struct worker *w)
{
	if (q->jobs && q->n_jobs < q->max_jobs)
		take_job(q, w);
	else if (!q->stopped && q->requests && q->n_at_work < q->max_at_work) {
		take_request(q, w);
		enter_work(q, w);
	} else
		return q->stopped && q->taken == 0;
	return true;
}

/* Gives out all that may be; who is given something is called by call() when the lock is free, and lives until then. */
static struct worker *give_out(struct queue *q)
{
	struct worker *w, *called = NULL, **tail = &called;
	while ((w = q->idle)) {
		struct worker *rest = w->next;
		if (!give(q, w))
			break;
		q->idle = rest;
		*tail = w;
		tail = &w->next_called;
	}
	*tail = NULL;
	return called;
}

/* --- */

static void call(struct worker *w)
{
	while (w) {
		struct worker *next = w->next_called;
		sem_post(&w->called);
		w = next;
	}
}

static void unlock_and_call(struct queue *q)
{
	struct worker *called = give_out(q);
	pthread_mutex_unlock(&q->lock);
	call(called);
}

/* --- the I/O thread --- */

void queue_add(struct queue *q, struct request *batch, struct request **tail)
{
	if (!batch)
		return;
	pthread_mutex_lock(&q->lock);
	for (const struct request *r = batch; r; r = r->next)
		q->n_requests++;
	*q->requests_tail = batch;
	q->requests_tail = tail;
	unlock_and_call(q);
}

bool queue_look(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	int64_t before = q->requests ? clock_mono_us() - QUEUE_SLOW_US : 0;
	while (q->requests && q->oldest && q->oldest->since_us <= before)
		leave_work(q, q->oldest);
	struct worker *called = give_out(q);
	bool waits = q->requests && !q->stopped;
	pthread_mutex_unlock(&q->lock);
	call(called);
	return waits;
}

void queue_stop(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->stopped = true;
	unlock_and_call(q);
}

/* --- workers --- */

bool queue_next(struct queue *q, struct worker *w, struct request **ret_request, struct rpc_job **ret_job)
{
	pthread_mutex_lock(&q->lock);
	if (!w->queue) {
		sem_init(&w->called, 0, 0);
		w->queue = q;
		self = w;
	}
	leave_work(q, w);
	if (w->job)
		q->n_jobs--;
	w->request = NULL;
	w->job = NULL;
	bool idle = !give(q, w);
	if (idle) {
		w->next = q->idle;
		q->idle = w;
	}
	pthread_mutex_unlock(&q->lock);
	while (idle)
		idle = sem_wait(&w->called) != 0; /* a signal may end it early */
	*ret_request = w->request;
	*ret_job = w->job;
	if (w->request)
		conn_taken(w->request->conn, w->request);
	else if (!w->job)
		sem_destroy(&w->called);
	return w->request || w->job;
}

struct request *queue_more(struct queue *q, struct worker *w)
{
	pthread_mutex_lock(&q->lock);
	bool more = !q->stopped && q->n_requests > 0 && q->n_requests >= q->n_at_work;
	if (more)
		take_request(q, w);
	pthread_mutex_unlock(&q->lock);
	if (more)
		conn_taken(w->request->conn, w->request);
	return more ? w->request : NULL;
}

static void resume_all(struct queue *q, struct rpc_job *first, struct rpc_job **tail)
{
	pthread_mutex_lock(&q->lock);
	*q->jobs_tail = first;
	q->jobs_tail = tail;
	unlock_and_call(q);
}

static void resume_kept(void)
{
	if (resumed.first)
		resume_all(resumed.queue, resumed.first, resumed.tail);
	resumed.first = NULL;
	resumed.tail = &resumed.first;
}

void queue_resume(struct queue *q, struct rpc_job *job)
{
	job->next = NULL;
	if (!resumed.keeps) {
		resume_all(q, job, &job->next);
		return;
	}
	if (resumed.queue != q)
		resume_kept();
	resumed.queue = q;
	*resumed.tail = job;
	resumed.tail = &job->next;
}

void rpc_resume_begin(void)
{
	resumed.keeps = true;
	resumed.first = NULL;
	resumed.tail = &resumed.first;
}

void rpc_resume_end(void)
{
	resume_kept();
	resumed.keeps = false;
}

void queue_done(struct queue *q, struct request *r)
{
	request_free(r);
	pthread_mutex_lock(&q->lock);
	q->taken--;
	if (q->stopped)
		unlock_and_call(q);
	else
		pthread_mutex_unlock(&q->lock);
}

void rpc_wait_begin(void)
{
	struct worker *w = self;
	if (!w)
		return;
	pthread_mutex_lock(&w->queue->lock);
	leave_work(w->queue, w);
	unlock_and_call(w->queue);
}

bool rpc_peer_waits(void)
{
	return !self || !self->request || conn_waits(self->request->conn);
}

void rpc_wait_end(void)
{
	struct worker *w = self;
	if (!w)
		return;
	pthread_mutex_lock(&w->queue->lock);
	if (!w->at_work && w->request)
		enter_work(w->queue, w);
	pthread_mutex_unlock(&w->queue->lock);
}
