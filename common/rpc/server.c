/*
 * The replying side: a nng REP socket on a Unix path and a fixed number of worker threads, each with a context of its
 * own.
 *
 * A worker receives, handles and replies in turn, so at most `workers` requests are in flight and the rest wait in
 * their peers' sockets. Who may connect is settled when nng has made the pipe and not yet read from it (ADD_PRE).
 * Stopping ends the receives alone: nng would drop pipes with their unread replies if the listener were closed first.
 * client.c is the other side, path.c the care of the socket file.
 */
#include "common/rpc/server.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/path.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/transport/ipc/ipc.h>

#include "common/base/cleanup.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_BYTES 4		  /* request id of the SP protocol, counted by NNG_OPT_RECVMAXSZ */
#define KEEP_BYTES (256u * 1024u) /* reply buffers up to here are kept for the next request */
#define SEND_TIMEOUT_MS 5000	  /* a peer that does not read its replies loses its pipe */
#define DRAIN_MS 100		  /* for the last replies to be read out of the sockets */
#define DRAIN_LARGE_MS 2000
#define LARGE_REPLY (64u * 1024u)
#define REFUSAL_LOG_US 1000000 /* refused peers come back at once: one line a second */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES (2048u * 1024u) /* instrumented frames are several times as large */
#else
#define STACK_BYTES (256u * 1024u)
#endif

struct worker {
	struct rpc_server *server;
	pthread_t thread;
	bool started;
	nng_ctx ctx;
	nng_aio *recv, *send;
	int pipe_id; /* whose identity `peer` is; ids are not given twice */
	struct rpc_peer peer;
	struct buf reply;
};

struct rpc_server {
	nng_socket sock;
	uid_t *uids;
	size_t n_uids;
	bool any_uid;
	size_t max_request;
	nng_duration send_timeout_ms;
	rpc_handler *handle;
	void *arg;
	atomic_bool stopping;
	_Atomic int64_t last_reply_us, last_large_us;
	struct worker *workers;
	unsigned n_workers;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t pipe_gone;
	unsigned pipes;
	int64_t last_refusal_us;
	uint64_t refusals;
};

static enum err nng_raise(struct fault *f, enum err kind, const char *what, int rv)
{
	return fault_raise(f, kind, "socket", "socket", "%s: %s", what, nng_strerror(rv));
}

/* --- who connects ------------------------------------------------------------------------------------------------ */

static bool pipe_peer(nng_pipe pipe, struct rpc_peer *ret)
{
	uint64_t uid, gid, pid;
	if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) != 0 ||
	    nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_GID, &gid) != 0 ||
	    nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_PID, &pid) != 0)
		return false;
	*ret = (struct rpc_peer){.uid = (uid_t)uid, .gid = (gid_t)gid, .pid = (pid_t)pid};
	return true;
}

static bool may_connect(const struct rpc_server *s, uid_t uid)
{
	for (size_t i = 0; i < s->n_uids; i++)
		if (s->uids[i] == uid)
			return true;
	return s->any_uid;
}

static void log_refusal(struct rpc_server *s, const struct rpc_peer *peer)
{
	pthread_mutex_lock(&s->lock);
	uint64_t n = ++s->refusals;
	int64_t now = clock_mono_us();
	bool due = n == 1 || now - s->last_refusal_us >= REFUSAL_LOG_US;
	if (due)
		s->last_refusal_us = now;
	pthread_mutex_unlock(&s->lock);
	if (due)
		log_event(LOG_LEVEL_WARNING, "peer_refused", "uid=%u gid=%u pid=%d refused_total=%" PRIu64,
			  (unsigned)peer->uid, (unsigned)peer->gid, (int)peer->pid, n);
}

/* ADD_PRE comes once for every pipe and before its first byte, REM_POST once after its last. */
static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct rpc_server *s = arg;
	pthread_mutex_lock(&s->lock);
	if (event == NNG_PIPE_EV_ADD_PRE)
		s->pipes++;
	else if (--s->pipes == 0)
		pthread_cond_signal(&s->pipe_gone);
	pthread_mutex_unlock(&s->lock);
	if (event != NNG_PIPE_EV_ADD_PRE)
		return;
	struct rpc_peer peer = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	bool known = pipe_peer(pipe, &peer);
	if (atomic_load(&s->stopping)) {
		nng_pipe_close(pipe);
	} else if (!known || !may_connect(s, peer.uid)) {
		nng_pipe_close(pipe);
		log_refusal(s, &peer);
	}
}

/* --- one request ------------------------------------------------------------------------------------------------- */

static void send_reply(struct worker *w, nng_msg *msg, nng_pipe pipe)
{
	nng_aio_set_msg(w->send, msg);
	nng_ctx_send(w->ctx, w->send);
	nng_aio_wait(w->send);
	int rv = nng_aio_result(w->send);
	if (rv == 0) {
		int64_t now = clock_mono_us();
		atomic_store(&w->server->last_reply_us, now);
		if (w->reply.len > LARGE_REPLY)
			atomic_store(&w->server->last_large_us, now);
		return;
	}
	nng_msg_free(nng_aio_get_msg(w->send)); /* taken on success only */
	nng_aio_set_msg(w->send, NULL);
	log_event(LOG_LEVEL_WARNING, "reply_lost", "uid=%u pid=%d why=%s", (unsigned)w->peer.uid, (int)w->peer.pid,
		  LQ(nng_strerror(rv)));
	if (rv == NNG_ETIMEDOUT)
		nng_pipe_close(pipe);
}

/* The identity of a pipe that is gone cannot be had: nobody waits for that reply. */
static bool learn_peer(struct worker *w, nng_pipe pipe)
{
	int id = nng_pipe_id(pipe);
	if (id == w->pipe_id)
		return true;
	w->pipe_id = -1;
	if (!pipe_peer(pipe, &w->peer))
		return false;
	w->pipe_id = id;
	return true;
}

static void serve(struct worker *w, nng_msg *msg_given)
{
	_cleanup_(nng_msg_freep) nng_msg *msg = msg_given;
	nng_pipe pipe = nng_msg_get_pipe(msg);
	size_t n = nng_msg_len(msg);
	if (n > w->server->max_request || !learn_peer(w, pipe))
		return;
	buf_clear(&w->reply);
	w->server->handle(w->server->arg, &w->peer, slice_of(nng_msg_body(msg), n), &w->reply);
	if (n > 0)
		explicit_bzero(nng_msg_body(msg), n); /* may hold a passphrase */
	if (w->reply.len == 0)
		return;
	nng_msg_clear(msg);
	if (nng_msg_append(msg, w->reply.data, w->reply.len) != 0) {
		log_event(LOG_LEVEL_ERROR, "reply_lost", "bytes=%zu why=\"out of memory\"", w->reply.len);
		return;
	}
	send_reply(w, TAKE(msg), pipe);
	if (w->reply.cap > KEEP_BYTES)
		buf_done(&w->reply);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	while (!atomic_load(&w->server->stopping)) {
		nng_ctx_recv(w->ctx, w->recv);
		nng_aio_wait(w->recv);
		int rv = nng_aio_result(w->recv);
		if (rv != 0) {
			if (!atomic_load(&w->server->stopping))
				log_event(LOG_LEVEL_ERROR, "worker_ended", "why=%s", LQ(nng_strerror(rv)));
			break;
		}
		nng_msg *msg = nng_aio_get_msg(w->recv);
		nng_aio_set_msg(w->recv, NULL);
		serve(w, msg);
	}
	return NULL;
}

/* --- start and stop ---------------------------------------------------------------------------------------------- */

static enum err start_worker(struct rpc_server *s, struct worker *w, struct fault *f)
{
	w->server = s;
	w->pipe_id = -1;
	int rv = nng_ctx_open(&w->ctx, s->sock);
	if (rv == 0)
		rv = nng_aio_alloc(&w->recv, NULL, NULL);
	if (rv == 0)
		rv = nng_aio_alloc(&w->send, NULL, NULL);
	if (rv != 0)
		return nng_raise(f, ERR_IO, "worker", rv);
	nng_aio_set_timeout(w->recv, NNG_DURATION_INFINITE);
	nng_aio_set_timeout(w->send, s->send_timeout_ms);
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	int e = pthread_create(&w->thread, &attr, work, w);
	pthread_attr_destroy(&attr);
	if (e != 0)
		return fault_raise(f, ERR_IO, "socket", "socket", "worker thread: %s", strerror(e));
	w->started = true;
	return OK;
}

static enum err open_socket(struct rpc_server *s, struct fault *f)
{
	int rv = nng_rep0_open(&s->sock);
	if (rv == 0)
		rv = nng_socket_set_size(s->sock, NNG_OPT_RECVMAXSZ, s->max_request + HEADER_BYTES);
	if (rv == 0)
		rv = nng_pipe_notify(s->sock, NNG_PIPE_EV_ADD_PRE, on_pipe, s);
	if (rv == 0)
		rv = nng_pipe_notify(s->sock, NNG_PIPE_EV_REM_POST, on_pipe, s);
	return rv == 0 ? OK : nng_raise(f, ERR_IO, "socket", rv);
}

/* bind(2) makes the file, so the umask makes it with no more than `mode`; nng then sets the mode before it listens. */
static enum err listen_on(struct rpc_server *s, const char *path, unsigned mode, struct fault *f)
{
	TRY(path_claim(path, f));
	_cleanup_(freep) char *url = xasprintf("ipc://%s", path);
	nng_listener listener;
	int rv = nng_listener_create(&listener, s->sock, url);
	if (rv == 0)
		rv = nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, (int)mode);
	if (rv == 0) {
		mode_t before = umask(0777 & ~mode);
		rv = nng_listener_start(listener, 0);
		umask(before);
	}
	if (rv != 0)
		return fault_raise(f, ERR_IO, "socket", "socket", "cannot listen on %s: %s", ESC(path, strlen(path)),
				   nng_strerror(rv));
	return path_check_mode(path, mode, f);
}

static enum err start(struct rpc_server *s, const struct rpc_server_config *c, struct fault *f)
{
	TRY(open_socket(s, f));
	for (unsigned i = 0; i < s->n_workers; i++)
		TRY(start_worker(s, &s->workers[i], f));
	return listen_on(s, c->path, c->mode, f);
}

static struct rpc_server *server_new(const struct rpc_server_config *c)
{
	struct rpc_server *s = xcalloc(1, sizeof(*s));
	s->any_uid = c->uids == NULL;
	if (c->n_uids > 0) {
		s->uids = xcalloc(c->n_uids, sizeof(*s->uids));
		memcpy(s->uids, c->uids, c->n_uids * sizeof(*s->uids));
		s->n_uids = c->n_uids;
	}
	s->max_request = c->max_request;
	s->send_timeout_ms = c->send_timeout_ms ? (nng_duration)c->send_timeout_ms : SEND_TIMEOUT_MS;
	s->handle = c->handle;
	s->arg = c->arg;
	s->n_workers = c->workers;
	s->workers = xcalloc(c->workers, sizeof(*s->workers));
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->pipe_gone, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

enum err rpc_server_start(const struct rpc_server_config *c, struct rpc_server **ret, struct fault *f)
{
	assert(c->handle && c->workers >= 1 && c->workers <= 256 && c->max_request > 0 && (c->mode & ~0777u) == 0);
	TRY(path_check(c->path, f));
	struct rpc_server *s = server_new(c);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* our threads and nng's inherit it */
	enum err e = start(s, c, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (e != OK)
		rpc_server_stop(s);
	else
		*ret = s;
	return e;
}

/* nng says when it has given a reply to the pipe, not when the peer has it, and a peer's nng drops what it has not read
 * when we hang up. So the last replies get a moment, or until all peers have left. */
static void drain(struct rpc_server *s)
{
	int64_t until = atomic_load(&s->last_reply_us) + DRAIN_MS * 1000;
	int64_t until_large = atomic_load(&s->last_large_us) + DRAIN_LARGE_MS * 1000;
	if (atomic_load(&s->last_large_us) != 0 && until_large > until)
		until = until_large;
	if (atomic_load(&s->last_reply_us) == 0)
		return;
	struct timespec end = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
	pthread_mutex_lock(&s->lock);
	while (s->pipes > 0 && clock_mono_us() < until)
		pthread_cond_timedwait(&s->pipe_gone, &s->lock, &end);
	pthread_mutex_unlock(&s->lock);
}

void rpc_server_stop(struct rpc_server *s)
{
	atomic_store(&s->stopping, true);
	for (unsigned i = 0; i < s->n_workers; i++)
		if (s->workers[i].started)
			nng_aio_stop(s->workers[i].recv);
	for (unsigned i = 0; i < s->n_workers; i++)
		if (s->workers[i].started)
			pthread_join(s->workers[i].thread, NULL);
	drain(s);
	if (nng_socket_id(s->sock) > 0)
		nng_close(s->sock); /* also the listener, which removes its file, and the contexts */
	for (unsigned i = 0; i < s->n_workers; i++) {
		nng_aio_free(s->workers[i].recv);
		nng_aio_free(s->workers[i].send);
		buf_done(&s->workers[i].reply);
	}
	pthread_cond_destroy(&s->pipe_gone);
	pthread_mutex_destroy(&s->lock);
	free(s->workers);
	free(s->uids);
	free(s);
}
