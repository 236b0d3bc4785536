/*
 * The I/O thread of a server: accepts, admits, reads, flushes, hangs up. Workers take requests from its queue.
 */
#ifndef HUFU_RPC_LOOP_H
#define HUFU_RPC_LOOP_H

#include "common/rpc/queue.h"

struct loop;
struct loop_config {
	const uid_t *uids; /* copied */
	size_t n_uids;
	bool any_uid;
	size_t max_request;
	unsigned at_work, jobs; /* at once; queue.h */
	int64_t send_timeout_us;
	rpc_quick *at_once;
	void *arg;
};
/* Takes the listening socket, also on failure. Gives *ret: loop_free() after loop_run() has returned. */
MUST_CHECK enum err loop_new(int listener, const struct loop_config *c, struct loop **ret, struct fault *f);
void loop_free(struct loop *l);
/* Body of the I/O thread; returns after loop_end() when every peer has its replies or was given up. */
void *loop_run(void *loop);
/* As queue_next(). A request is given back by loop_done(). */
bool loop_next(struct loop *l, struct worker *w, struct request **ret_request, struct rpc_job **ret_job);
/* As queue_more(). */
struct request *loop_more(struct loop *l, struct worker *w);
void loop_resume(struct loop *l, struct rpc_job *job);
/* Replies, unless the reply is empty, and frees the request. */
void loop_done(struct loop *l, struct request *r, struct slice reply);
/* No new connection, no new request; workers end. */
void loop_stop(struct loop *l);
/* Workers are gone: flush and return from loop_run(). */
void loop_end(struct loop *l);

#endif
