/*
 * The asking side: one nng REQ socket, one context for each call under way.
 *
 * nng 1.5.2 gives up dialling for good when a peer hangs up before the greetings are through (its failed write is
 * "closed", as if by us), so a call that finds somebody there and gets no connection makes a new dialer.
 *
 * A context and its aio are kept for the next call after a good one and closed after a bad one, so that no aio is ever
 * cancelled but by its own timeout. Requests are never sent again behind the caller's back: when the peer goes away in
 * the middle, the call fails and the caller decides. See server.c for the other side.
 */
#include "common/rpc/server.h"

#include "common/base/clock.h"
#include "common/rpc/path.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include "common/base/cleanup.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#define HEADER_BYTES 4 /* request id, counted by NNG_OPT_RECVMAXSZ */
#define SEND_SLICE_MS 250
#define RECONNECT_MIN_MS 100 /* also how often a refused client comes back */
#define RECONNECT_MAX_MS 500

struct line {
	nng_ctx ctx;
	nng_aio *aio;
	struct line *next;
};

struct rpc_client {
	nng_socket sock;
	char *path;
	unsigned timeout_ms;
	size_t max_reply;
	atomic_uint pipes;
	pthread_mutex_t lock; /* of what follows */
	struct line *idle;
	nng_dialer dialer;
	int64_t dialled_us;
};

static void line_free(struct line *l)
{
	if (nng_ctx_id(l->ctx) > 0)
		nng_ctx_close(l->ctx);
	nng_aio_free(l->aio);
	free(l);
}
CLEANUP_PTR(struct line, line_freep, line_free)

static enum err line_open(struct rpc_client *c, struct line **ret, struct fault *f)
{
	pthread_mutex_lock(&c->lock);
	struct line *l = c->idle;
	if (l)
		c->idle = l->next;
	pthread_mutex_unlock(&c->lock);
	if (l) {
		*ret = l;
		return OK;
	}
	_cleanup_(line_freep) struct line *fresh = xcalloc(1, sizeof(*fresh));
	int rv = nng_ctx_open(&fresh->ctx, c->sock);
	if (rv == 0)
		rv = nng_aio_alloc(&fresh->aio, NULL, NULL);
	if (rv != 0)
		return fault_raise(f, ERR_NET, "socket", "socket", "%s: %s", ESC(c->path, strlen(c->path)),
				   nng_strerror(rv));
	*ret = TAKE(fresh);
	return OK;
}

static void line_keep(struct rpc_client *c, struct line *l)
{
	pthread_mutex_lock(&c->lock);
	l->next = c->idle;
	c->idle = l;
	pthread_mutex_unlock(&c->lock);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct rpc_client *c = arg;
	(void)pipe;
	if (event == NNG_PIPE_EV_ADD_PRE)
		atomic_fetch_add(&c->pipes, 1);
	else
		atomic_fetch_sub(&c->pipes, 1);
}

/* With the lock held, or before anybody else has the client. */
static int dial(struct rpc_client *c)
{
	_cleanup_(freep) char *url = xasprintf("ipc://%s", c->path);
	c->dialled_us = clock_mono_us();
	int rv = nng_dialer_create(&c->dialer, c->sock, url);
	if (rv == 0)
		rv = nng_dialer_start(c->dialer, NNG_FLAG_NONBLOCK);
	return rv;
}

/* No connection, though somebody accepts: not more often than nng itself would have tried. */
static void dial_again(struct rpc_client *c)
{
	pthread_mutex_lock(&c->lock);
	if (atomic_load(&c->pipes) == 0 && clock_mono_us() - c->dialled_us >= RECONNECT_MAX_MS * 1000) {
		nng_dialer_close(c->dialer);
		(void)dial(c); /* when it fails, the call times out and the next one tries again */
	}
	pthread_mutex_unlock(&c->lock);
}

static int open_socket(struct rpc_client *c)
{
	int rv = nng_req0_open(&c->sock);
	if (rv == 0)
		rv = nng_socket_set_ms(c->sock, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
	if (rv == 0)
		rv = nng_socket_set_size(c->sock, NNG_OPT_RECVMAXSZ, c->max_reply + HEADER_BYTES);
	if (rv == 0)
		rv = nng_socket_set_ms(c->sock, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
	if (rv == 0)
		rv = nng_socket_set_ms(c->sock, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
	if (rv == 0)
		rv = nng_pipe_notify(c->sock, NNG_PIPE_EV_ADD_PRE, on_pipe, c);
	if (rv == 0)
		rv = nng_pipe_notify(c->sock, NNG_PIPE_EV_REM_POST, on_pipe, c);
	return rv;
}

enum err rpc_client_open(const char *path, unsigned timeout_ms, size_t max_reply, struct rpc_client **ret,
			 struct fault *f)
{
	assert(timeout_ms > 0 && timeout_ms <= INT32_MAX && max_reply > 0);
	TRY(path_check(path, f));
	_cleanup_(rpc_client_closep) struct rpc_client *c = xcalloc(1, sizeof(*c));
	c->path = xstrdup(path);
	c->timeout_ms = timeout_ms;
	c->max_reply = max_reply;
	pthread_mutex_init(&c->lock, NULL);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* nng's threads inherit it */
	int rv = open_socket(c);
	if (rv == 0)
		rv = dial(c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rv != 0)
		return fault_raise(f, ERR_NET, "socket", "socket", "%s: %s", ESC(path, strlen(path)), nng_strerror(rv));
	*ret = TAKE(c);
	return OK;
}

static enum err call_raise(const struct rpc_client *c, int rv, struct fault *f)
{
	const char *path = ESC(c->path, strlen(c->path));
	if (rv == NNG_ETIMEDOUT)
		return fault_raise(f, ERR_NET, "peer_timeout", "socket", "no answer on %s within %u ms", path,
				   c->timeout_ms);
	if (rv == NNG_ECONNRESET)
		return fault_raise(f, ERR_NET, "peer_closed", "socket",
				   "%s: connection closed before an answer (it stopped, or a message was too large)",
				   path);
	return fault_raise(f, ERR_NET, "peer_error", "socket", "%s: %s", path, nng_strerror(rv));
}

static nng_duration left_ms(int64_t until_us, nng_duration max_ms)
{
	int64_t left = (until_us - clock_mono_us()) / 1000;
	if (left > max_ms)
		return max_ms;
	return left > 0 ? (nng_duration)left : 1;
}

/* Waits for a connection in slices, so that a peer that is away is found out: nobody there is said at once, not after
 * the whole timeout. */
static enum err send_request(struct rpc_client *c, struct line *l, struct slice request, int64_t until_us,
			     struct fault *f)
{
	_cleanup_(nng_msg_freep) nng_msg *msg = NULL;
	int rv = nng_msg_alloc(&msg, 0);
	if (rv == 0 && request.n > 0)
		rv = nng_msg_append(msg, request.p, request.n);
	if (rv != 0)
		return call_raise(c, rv, f);
	do {
		if (atomic_load(&c->pipes) == 0) {
			TRY(path_probe(c->path, left_ms(until_us, INT32_MAX), f));
			dial_again(c);
		}
		nng_aio_set_timeout(l->aio, left_ms(until_us, SEND_SLICE_MS));
		nng_aio_set_msg(l->aio, msg);
		nng_ctx_send(l->ctx, l->aio);
		nng_aio_wait(l->aio);
		rv = nng_aio_result(l->aio);
		msg = rv == 0 ? NULL : nng_aio_get_msg(l->aio); /* taken on success only */
		nng_aio_set_msg(l->aio, NULL);
	} while (rv == NNG_ETIMEDOUT && clock_mono_us() < until_us);
	return rv == 0 ? OK : call_raise(c, rv, f);
}

static int receive_reply(struct line *l, int64_t until_us, nng_msg **ret)
{
	nng_aio_set_timeout(l->aio, left_ms(until_us, INT32_MAX));
	nng_ctx_recv(l->ctx, l->aio);
	nng_aio_wait(l->aio);
	int rv = nng_aio_result(l->aio);
	if (rv == 0)
		*ret = nng_aio_get_msg(l->aio);
	nng_aio_set_msg(l->aio, NULL);
	return rv;
}

enum err rpc_call(struct rpc_client *c, struct slice request, struct buf *reply, struct fault *f)
{
	int64_t until_us = clock_mono_us() + (int64_t)c->timeout_ms * 1000;
	_cleanup_(line_freep) struct line *l = NULL;
	_cleanup_(nng_msg_freep) nng_msg *msg = NULL;
	int rv = 0;
	TRY(line_open(c, &l, f));
	rpc_wait_begin();
	enum err e = send_request(c, l, request, until_us, f);
	if (e == OK)
		rv = receive_reply(l, until_us, &msg);
	rpc_wait_end();
	TRY(e);
	if (rv != 0)
		return call_raise(c, rv, f);
	buf_add(reply, nng_msg_body(msg), nng_msg_len(msg));
	line_keep(c, TAKE(l));
	return OK;
}

void rpc_client_close(struct rpc_client *c)
{
	while (c->idle) {
		struct line *l = c->idle;
		c->idle = l->next;
		line_free(l);
	}
	if (nng_socket_id(c->sock) > 0)
		nng_close(c->sock);
	pthread_mutex_destroy(&c->lock);
	free(c->path);
	free(c);
}
