/*
 * For the tests of common/rpc/server and client: a server with a few odd requests, and peers that speak the SP protocol
 * by hand.
 */
#ifndef HUFU_TEST_SERVER_KIT_H
#define HUFU_TEST_SERVER_KIT_H

#include "common/base/clock.h"
#include "common/rpc/server.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define IN_FLIGHT 64
#define MAX_REQUEST 65536u
#define MAX_REPLY (16u * 1024u * 1024u)

/* Request "block": answers when opened. "big": 8 MiB. "none": no answer. "meet": answers when 64 are here. Else: echo.
 */
struct host {
	char dir[64], path[100];
	struct rpc_server *server;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned handled, blocked, met;
	unsigned left; /* of the blocked, those whose peer was gone when they were let go */
	bool open;
	struct rpc_peer peer;
	bool signals_blocked;
};

static inline void handle(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	struct host *h = arg;
	sigset_t mask;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	pthread_mutex_lock(&h->lock);
	h->handled++;
	h->peer = *peer;
	h->signals_blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGHUP) == 1;
	if (slice_eq(request, slice_str("meet"))) {
		h->met++;
		pthread_cond_broadcast(&h->changed);
		while (h->met < IN_FLIGHT)
			pthread_cond_wait(&h->changed, &h->lock);
	}
	if (slice_eq(request, slice_str("block")) || slice_eq(request, slice_str("blockbig"))) {
		h->blocked++;
		pthread_cond_broadcast(&h->changed);
		while (!h->open)
			pthread_cond_wait(&h->changed, &h->lock);
		h->left += !rpc_peer_waits();
	}
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	if (slice_eq(request, slice_str("big")) || slice_eq(request, slice_str("blockbig"))) {
		buf_reserve(reply, 8u << 20);
		for (unsigned i = 0; i < 8u << 10; i++)
			buf_add(reply, (uint8_t[1024]){1}, 1024);
	} else if (!slice_eq(request, slice_str("none"))) {
		buf_add_slice(reply, request);
		if (request.n == 0)
			buf_char(reply, '0');
	}
}

/* An rpc_quick: "now" is repeated, "now-big" answered by 64 KiB, "now-none" by nothing. */
static inline bool quick(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	static const uint8_t big[65536];
	(void)arg;
	if (request.n < 3 || memcmp(request.p, "now", 3) != 0 || peer->uid != getuid())
		return false;
	if (slice_eq(request, slice_str("now-big")))
		buf_add(reply, big, sizeof(big));
	else if (!slice_eq(request, slice_str("now-none")))
		buf_add_slice(reply, request);
	return true;
}

static inline void host_init(struct host *h)
{
	*h = (struct host){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	snprintf(h->dir, sizeof(h->dir), "/tmp/hufu-rpc-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	snprintf(h->path, sizeof(h->path), "%s/s.sock", h->dir);
}

static inline struct rpc_server_config host_config(struct host *h)
{
	return (struct rpc_server_config){.path = h->path,
					  .mode = 0660,
					  .max_request = MAX_REQUEST,
					  .workers = 4,
					  .send_timeout_ms = 200,
					  .handle = handle,
					  .arg = h};
}

static inline void host_serve(struct host *h, unsigned workers)
{
	struct rpc_server_config c = host_config(h);
	c.workers = workers;
	struct fault f = {0};
	if (rpc_server_start(&c, &h->server, &f) != OK)
		fail_msg("%s", f.text);
}

static inline void host_done(struct host *h)
{
	if (h->server)
		rpc_server_stop(h->server);
	struct stat st;
	assert_int_equal(lstat(h->path, &st), -1); /* the file is gone */
	assert_int_equal(rmdir(h->dir), 0);
}

static inline void host_wait_blocked(struct host *h, unsigned n)
{
	pthread_mutex_lock(&h->lock);
	while (h->blocked < n)
		pthread_cond_wait(&h->changed, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

static inline void host_open(struct host *h)
{
	pthread_mutex_lock(&h->lock);
	h->open = true;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static inline unsigned host_handled(struct host *h)
{
	pthread_mutex_lock(&h->lock);
	unsigned n = h->handled;
	pthread_mutex_unlock(&h->lock);
	return n;
}

static inline struct rpc_client *client(const char *path, unsigned timeout_ms)
{
	struct rpc_client *c = NULL;
	struct fault f = {0};
	if (rpc_client_open(path, timeout_ms, MAX_REPLY, &c, &f) != OK)
		fail_msg("%s", f.text);
	return c;
}

static inline void expect_echo(struct rpc_client *c, const char *text)
{
	_cleanup_buf_ struct buf reply = {0};
	struct fault f = {0};
	if (rpc_call(c, slice_str(text), &reply, &f) != OK)
		fail_msg("%s: %s", text, f.text);
	assert_true(slice_eq(buf_slice(&reply), slice_str(text)));
}

static inline void expect_net(struct rpc_client *c, struct slice request, const char *rule)
{
	_cleanup_buf_ struct buf reply = {0};
	struct fault f = {0};
	assert_int_equal(rpc_call(c, request, &reply, &f), ERR_NET);
	assert_string_equal(f.rule, rule);
	assert_int_equal(reply.len, 0);
}

/* --- a peer by hand ---------------------------------------------------------------------------------------------- */

static inline int raw_connect(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	struct timeval limit = {.tv_sec = 5};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static inline int raw_listen(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static inline void raw_hello(int fd, uint8_t protocol)
{
	uint8_t hello[8] = {0, 'S', 'P', 0, 0, protocol, 0, 0};
	assert_int_equal(send(fd, hello, 8, MSG_NOSIGNAL), 8);
}

static inline void raw_request(int fd, uint8_t id, const char *text)
{
	uint8_t head[13] = {1, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(4 + strlen(text)), 0x80, 0, 0, id};
	assert_int_equal(send(fd, head, 13, MSG_NOSIGNAL), 13);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until the other side hangs up; false when it does not within the socket's time limit. */
static inline bool raw_hung_up(int fd)
{
	uint8_t b[4096];
	ssize_t n;
	while ((n = recv(fd, b, sizeof(b), 0)) > 0)
		;
	return n == 0 || errno == ECONNRESET;
}

#endif
