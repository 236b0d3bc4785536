/*
 * What waits for a server's workers, and whose turn it is: first come, first served, and no more at work at once than were asked for.
 */
#ifndef HUFU_RPC_QUEUE_H
#define HUFU_RPC_QUEUE_H

#include "common/rpc/conn.h"

#include <semaphore.h>

struct queue;
/* A worker's own; zero before the first queue_next(). */
struct worker {
	struct worker *next, *prev; /* idle, or at work */
	struct worker *next_called; /* of those that one thread is about to call */
	sem_t called;               /* it was idle, and has what it has to do */
	struct queue *queue; /* NULL before the first queue_next() */
	bool at_work;
	int64_t since_us; /* at work */
	struct request *request;
	struct rpc_job *job;
};

/* at_work: so many requests are handled at once, beside those that wait (rpc_wait_begin) or take long; jobs: so many jobs. Gives: queue_free(). */
struct queue *queue_new(unsigned at_work, unsigned jobs);
/* Also what still waits in it. */
void queue_free(struct queue *q);
/* Takes the requests from batch to its tail, in order. I/O thread. */
void queue_add(struct queue *q, struct request *batch, struct request **tail);
/* Lets others take the turns of those who take long. True while requests wait: to be asked again after QUEUE_SLOW_US. I/O thread. */
bool queue_look(struct queue *q);
#define QUEUE_SLOW_US 5000
/* Blocks for the next job or request, one of which is set: jobs first. False after queue_stop(), when all requests that were taken are
 * done. A request is given back by queue_done(). */
bool queue_next(struct queue *q, struct worker *w, struct request **ret_request, struct rpc_job **ret_job);
/* One more request for a worker that has one, of those for which others that are at work have no time. NULL: none. */
struct request *queue_more(struct queue *q, struct worker *w);
/* Between rpc_resume_begin() and rpc_resume_end() the job is kept. */
void queue_resume(struct queue *q, struct rpc_job *job);
/* Frees the request. */
void queue_done(struct queue *q, struct request *r);
/* No more requests are given out. */
void queue_stop(struct queue *q);

#endif
