/*
 * Two servers that do nothing: the project's own (common/rpc/server.h, at_once) and plain nng, each in a child process.
 */
#include "tools/benchmark/echo.h"

#include "common/base/cleanup.h"
#include "common/rpc/server.h"

#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTEXTS 64

const char *const echo_words[ECHO_KINDS] = {"echo", "echo-nng"};

/* --- ours --- */

static bool answer(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	(void)peer;
	(void)request;
	buf_add_slice(reply, *(const struct slice *)arg);
	return true;
}

static void never(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	(void)arg;
	(void)peer;
	(void)request;
	(void)reply;
}

static bool serve_ours(const char *path, struct slice body)
{
	struct rpc_server *s = NULL;
	struct rpc_server_config c = {.path = path,
				      .mode = 0600,
				      .max_request = 1024 * 1024,
				      .workers = 1,
				      .handle = never,
				      .at_once = answer,
				      .arg = &body};
	static struct slice kept;
	kept = body;
	c.arg = &kept;
	return rpc_server_start(&c, &s, NULL) == OK;
}

/* --- nng's: each context goes round receive, send --- */

struct context {
	nng_ctx ctx;
	nng_aio *aio;
	bool sending;
	struct slice body;
};

static void receive(struct context *c)
{
	c->sending = false;
	nng_ctx_recv(c->ctx, c->aio);
}

static void turn(void *arg)
{
	struct context *c = arg;
	if (nng_aio_result(c->aio) != 0 || c->sending) {
		receive(c);
		return;
	}
	nng_msg *m = nng_aio_get_msg(c->aio);
	nng_msg_clear(m);
	if (nng_msg_append(m, c->body.p, c->body.n) != 0) {
		nng_msg_free(m);
		receive(c);
		return;
	}
	c->sending = true;
	nng_aio_set_msg(c->aio, m);
	nng_ctx_send(c->ctx, c->aio);
}

static bool serve_nng(const char *path, struct slice body)
{
	static struct context contexts[CONTEXTS];
	nng_socket s;
	_cleanup_(freep) char *url = xasprintf("ipc://%s", path);
	if (nng_rep0_open(&s) != 0)
		return false;
	for (size_t i = 0; i < CONTEXTS; i++) {
		contexts[i].body = body;
		if (nng_ctx_open(&contexts[i].ctx, s) != 0 || nng_aio_alloc(&contexts[i].aio, turn, &contexts[i]) != 0)
			return false;
	}
	if (nng_listen(s, url, NULL, 0) != 0)
		return false;
	for (size_t i = 0; i < CONTEXTS; i++)
		receive(&contexts[i]);
	return true;
}

/* --- the process --- */

static void live(enum echo_kind kind, const char *path, size_t reply_bytes, int ready)
{
	sigset_t end;
	int sig;
	uint8_t *body = xcalloc(1, reply_bytes);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	bool ok = kind == ECHO_OURS ? serve_ours(path, slice_of(body, reply_bytes))
				    : serve_nng(path, slice_of(body, reply_bytes));
	if (!ok || write(ready, "r", 1) != 1)
		_exit(1);
	sigwait(&end, &sig);
	_exit(0);
}

enum err echo_start(enum echo_kind kind, const char *path, size_t reply_bytes, pid_t *ret, struct fault *f)
{
	int fds[2];
	char byte = 0;
	if (pipe(fds) != 0)
		return fault_raise(f, ERR_IO, "pipe", "echo", "%s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		live(kind, path, reply_bytes, fds[1]);
	}
	close(fds[1]);
	bool ok = pid > 0 && read(fds[0], &byte, 1) == 1;
	close(fds[0]);
	*ret = pid;
	if (ok)
		return OK;
	echo_stop(ret);
	return fault_raise(f, ERR_IO, "echo", "echo", "%s does not start", echo_words[kind]);
}

void echo_stop(pid_t *pid)
{
	if (*pid <= 0)
		return;
	(void)kill(*pid, SIGTERM);
	(void)waitpid(*pid, NULL, 0);
	*pid = 0;
}
