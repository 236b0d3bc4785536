/*
 * common/rpc/conn: replies of many threads to one peer.
 */
#include "common/rpc/conn.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define THREADS 4
#define REPLIES 250
#define HEAD 13
#define GREETING 8
#define FAR_US 60000000

struct bench {
	struct conn *conn;
	int epoll, peer;
	pthread_t threads[THREADS];
	_Atomic unsigned started, ended;
};

static void set_up(struct bench *t)
{
	int fds[2];
	*t = (struct bench){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	t->peer = fds[1];
	t->conn = conn_new(t->epoll, fds[0], &(struct rpc_peer){.uid = getuid()});
	assert_non_null(t->conn);
}

/* Small ones mostly, and now and then one that the socket does not take as a whole. */
static size_t reply_bytes(unsigned number)
{
	return number % 50 == 7 ? 400000 : 1 + number * 37 % 900;
}

static void *reply_often(void *arg)
{
	struct bench *t = arg;
	unsigned thread = t->started++;
	_cleanup_(freep) uint8_t *body = xmalloc(400000);
	for (unsigned i = 0; i < REPLIES; i++) {
		unsigned number = thread * REPLIES + i;
		uint8_t id[4] = {0x80, 0, (uint8_t)(number >> 8), (uint8_t)number};
		memset(body, (int)(number % 251), reply_bytes(number));
		(void)conn_reply(t->conn, id, slice_of(body, reply_bytes(number)));
	}
	t->ended++;
	return NULL;
}

static void start(struct bench *t)
{
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t->threads[i], NULL, reply_often, t), 0);
}

static void join(struct bench *t)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(t->threads[i], NULL);
}

/* What the I/O thread does for one peer, until its threads have ended and nothing is kept. */
static void *serve(void *arg)
{
	struct bench *t = arg;
	bool pending = true;
	while (t->ended < THREADS || pending) {
		struct epoll_event e;
		if (epoll_wait(t->epoll, &e, 1, 5) == 1 && e.events & EPOLLOUT)
			assert_true(conn_flush(t->conn));
		assert_false(conn_stalled(t->conn, clock_mono_us(), FAR_US));
		pending = t->conn->pending;
	}
	return NULL;
}

static void read_all(int fd, uint8_t *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = read(fd, p + at, n - at);
		assert_true(got > 0);
		at += (size_t)got;
	}
}

/* Every reply arrives once and whole, and those of one thread in their order. */
static void test_replies(void **state)
{
	(void)state;
	struct bench t;
	pthread_t io;
	unsigned seen[THREADS] = {0};
	_cleanup_(freep) uint8_t *body = xmalloc(400000);
	set_up(&t);
	start(&t);
	assert_int_equal(pthread_create(&io, NULL, serve, &t), 0);
	read_all(t.peer, body, GREETING);
	for (int k = 0; k < THREADS * REPLIES; k++) {
		uint8_t head[HEAD];
		read_all(t.peer, head, HEAD);
		unsigned number = (unsigned)head[11] << 8 | head[12];
		size_t n = (size_t)head[6] << 16 | (size_t)head[7] << 8 | head[8];
		assert_in_range(number, 0, THREADS * REPLIES - 1);
		assert_int_equal(number % REPLIES, seen[number / REPLIES]++);
		assert_int_equal(n, reply_bytes(number) + 4);
		read_all(t.peer, body, n - 4);
		for (size_t i = 0; i < n - 4; i++)
			if (body[i] != number % 251)
				fail_msg("reply %u, octet %zu: found %u", number, i, body[i]);
	}
	pthread_join(io, NULL);
	join(&t);
	assert_null(t.conn->out);
	assert_false(t.conn->sending);
	assert_int_equal(t.conn->armed, EPOLLIN);
	conn_close(t.conn);
	conn_unref(t.conn);
	close(t.peer);
	close(t.epoll);
}

/* A peer that reads nothing: reading from it pauses, what is kept is known to stall, and more is kept behind it. */
static void test_unread(void **state)
{
	(void)state;
	struct bench t;
	static const uint8_t big[1000000];
	set_up(&t);
	assert_true(conn_reply(t.conn, (const uint8_t[]){0x80, 0, 0, 1}, slice_of(big, sizeof(big))));
	assert_true(conn_reply(t.conn, (const uint8_t[]){0x80, 0, 0, 2}, slice_str("x")));
	assert_int_equal(t.conn->armed, EPOLLOUT);
	assert_true(conn_flush(t.conn));
	assert_false(conn_stalled(t.conn, clock_mono_us(), FAR_US));
	assert_true(t.conn->pending);
	assert_true(conn_stalled(t.conn, clock_mono_us() + FAR_US + 1000000, FAR_US));
	close(t.peer);
	assert_false(conn_flush(t.conn));
	conn_close(t.conn);
	conn_unref(t.conn);
	close(t.epoll);
}

/* The I/O thread hangs up while workers send: the peer sees the end, and what comes later is dropped. */
static void test_close(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct bench t;
		uint8_t some[4096];
		struct epoll_event e;
		set_up(&t);
		start(&t);
		for (unsigned i = 0; i < round; i++)
			assert_true(read(t.peer, some, sizeof(some)) > 0);
		conn_close(t.conn);
		assert_int_equal(epoll_wait(t.epoll, &e, 1, 0), 0);
		join(&t);
		assert_null(t.conn->out);
		assert_int_equal(fcntl(t.conn->fd, F_GETFD), -1);
		ssize_t n = 1;
		while (n > 0)
			n = read(t.peer, some, sizeof(some));
		assert_int_equal(n, 0);
		conn_unref(t.conn);
		close(t.peer);
		close(t.epoll);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_replies), cmocka_unit_test(test_unread),
					   cmocka_unit_test(test_close)};
	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
