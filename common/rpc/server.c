/*
 * The replying side: a Unix socket, one I/O thread (loop.c) and a fixed number of worker threads.
 *
 * A worker takes a request, handles it and replies, so at most `workers` requests are being handled, of which few are at
 * work (queue.c), and the rest wait, few for each peer. A request that waits for something else is deferred: its worker goes on to the next, and what is
 * left to do for it comes back as a job. The wire is nng's REQ/REP over ipc://; client.c asks with nng itself. path.c takes care of the
 * socket file.
 */
#include "common/rpc/server.h"

#include "common/base/cleanup.h"
#include "common/rpc/loop.h"
#include "common/rpc/path.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define KEEP_BYTES (256u * 1024u) /* reply buffers up to here are kept for the next request */
#define SEND_TIMEOUT_MS 5000
#define BACKLOG 128

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES (2048u * 1024u) /* instrumented frames are several times as large */
#else
#define STACK_BYTES (256u * 1024u)
#endif

struct rpc_server {
	char *path;
	dev_t dev; /* of the socket file that is ours to remove */
	ino_t ino;
	bool bound;
	rpc_handler *handle;
	rpc_taker *take;
	rpc_deferred *defer;
	void (*gathered)(void *arg);
	unsigned gather;
	void *arg;
	struct loop *loop;
	pthread_t io, *workers;
	bool io_started;
	unsigned n_workers; /* started */
};

/* A ticket is a request by another name, which only this file knows. */
static bool is_deferred(const struct rpc_server *s, struct request *r)
{
	return s->defer && conn_alive(r->conn) && s->defer(s->arg, (struct rpc_ticket *)r, slice_of(r->bytes, r->n));
}

/* Takes more that wait as long as they are deferred. NULL, or the one that is not. */
static struct request *defer_some(const struct rpc_server *s, struct worker *w, struct request *r)
{
	for (unsigned n = 1; r && is_deferred(s, r); n++)
		r = n < s->gather ? loop_more(s->loop, w) : NULL;
	if (s->gathered)
		s->gathered(s->arg);
	return r;
}

/* Whose ticket is taken may be gone already. */
static void handle(const struct rpc_server *s, struct request *r, struct buf *reply)
{
	struct slice bytes = slice_of(r->bytes, r->n);
	buf_clear(reply);
	if (conn_alive(r->conn)) {
		if (s->take && !s->take(s->arg, &r->conn->peer, (struct rpc_ticket *)r, bytes, reply))
			return;
		if (s->handle)
			s->handle(s->arg, &r->conn->peer, bytes, reply);
	}
	loop_done(s->loop, r, buf_slice(reply));
}

static void *work(void *arg)
{
	struct rpc_server *s = arg;
	_cleanup_buf_ struct buf reply = {0};
	struct request *r;
	struct rpc_job *job;
	struct worker w = {0};
	while (loop_next(s->loop, &w, &r, &job)) {
		if (job) {
			job->run(job);
			continue;
		}
		r = defer_some(s, &w, r);
		if (!r)
			continue;
		handle(s, r, &reply);
		if (reply.cap > KEEP_BYTES)
			buf_done(&reply);
	}
	return NULL;
}

void rpc_answer(struct rpc_ticket *t, struct slice reply)
{
	struct request *r = (struct request *)t;
	loop_done(r->loop, r, reply);
}

void rpc_resume(struct rpc_ticket *t, struct rpc_job *job)
{
	loop_resume(((struct request *)t)->loop, job);
}

/* bind(2) makes the file with all bits that the umask leaves, and nobody can connect before listen(2): so it is never
 * open to more than `mode`. */
static int bind_as(int fd, const char *path, unsigned mode)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	memcpy(sa.sun_path, path, strlen(path) + 1);
	mode_t before = umask(0777 & ~mode);
	int rv = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
	umask(before);
	return rv;
}

static enum err listen_on(struct rpc_server *s, unsigned mode, int *ret_fd, struct fault *f)
{
	TRY(path_claim(s->path, f));
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind_as(fd, s->path, mode) < 0)
		return fault_raise(f, ERR_IO, "socket", "socket", "cannot bind %s: %s", ESC(s->path, strlen(s->path)),
				   strerror(errno));
	struct stat st;
	TRY(path_check_mode(s->path, mode, &st, f));
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->bound = true;
	if (listen(fd, BACKLOG) < 0)
		return fault_raise(f, ERR_IO, "socket", "socket", "cannot listen on %s: %s",
				   ESC(s->path, strlen(s->path)), strerror(errno));
	*ret_fd = fd;
	fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
	return OK;
}

static enum err start_thread(pthread_t *ret, void *(*body)(void *), void *arg, struct fault *f)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	int e = pthread_create(ret, &attr, body, arg);
	pthread_attr_destroy(&attr);
	return e == 0 ? OK : fault_raise(f, ERR_IO, "socket", "socket", "thread: %s", strerror(e));
}

static enum err start_threads(struct rpc_server *s, unsigned workers, struct fault *f)
{
	s->workers = xcalloc(workers, sizeof(*s->workers));
	TRY(start_thread(&s->io, loop_run, s->loop, f));
	s->io_started = true;
	for (; s->n_workers < workers; s->n_workers++)
		TRY(start_thread(&s->workers[s->n_workers], work, s, f));
	return OK;
}

static enum err start(struct rpc_server *s, const struct rpc_server_config *c, struct fault *f)
{
	int fd = -1;
	TRY(listen_on(s, c->mode, &fd, f));
	struct loop_config lc = {
		.uids = c->uids,
		.n_uids = c->n_uids,
		.any_uid = c->uids == NULL,
		.max_request = c->max_request,
		.at_work = c->at_work ? c->at_work : c->workers,
		.jobs = c->jobs ? c->jobs : UINT_MAX,
		.at_once = c->at_once,
		.arg = c->arg,
		.send_timeout_us = (int64_t)(c->send_timeout_ms ? c->send_timeout_ms : SEND_TIMEOUT_MS) * 1000,
	};
	TRY(loop_new(fd, &lc, &s->loop, f));
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* the threads inherit it */
	enum err e = start_threads(s, c->workers, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

enum err rpc_server_start(const struct rpc_server_config *c, struct rpc_server **ret, struct fault *f)
{
	assert((c->handle || c->take) && c->workers >= 1 && c->workers <= 256 && c->max_request > 0 &&
	       (c->mode & ~0777u) == 0);
	TRY(path_check(c->path, f));
	struct rpc_server *s = xcalloc(1, sizeof(*s));
	s->path = xstrdup(c->path);
	s->handle = c->handle;
	s->take = c->take;
	s->defer = c->defer;
	s->gathered = c->gathered;
	s->gather = c->gather;
	s->arg = c->arg;
	enum err e = start(s, c, f);
	if (e != OK)
		rpc_server_stop(s);
	else
		*ret = s;
	return e;
}

/* The file, unless another server has put its own there. */
static void remove_file(const struct rpc_server *s)
{
	struct stat st;
	if (s->bound && lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		(void)unlink(s->path);
}

void rpc_server_stop(struct rpc_server *s)
{
	remove_file(s);
	if (s->loop)
		loop_stop(s->loop);
	for (unsigned i = 0; i < s->n_workers; i++)
		pthread_join(s->workers[i], NULL);
	if (s->loop)
		loop_end(s->loop);
	if (s->io_started)
		pthread_join(s->io, NULL);
	if (s->loop)
		loop_free(s->loop);
	free(s->workers);
	free(s->path);
	free(s);
}
