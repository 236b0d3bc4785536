/*
 * common/rpc/server over real sockets, and peers that misbehave.
 */
#include "tests/unit/server_kit.h"

#include <assert.h>

static void test_echo(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 4);
	struct rpc_client *c = client(h.path, 3000);
	expect_echo(c, "hello");
	assert_int_equal(h.peer.uid, getuid());
	assert_int_equal(h.peer.gid, getgid());
	assert_int_equal(h.peer.pid, getpid());
	assert_true(h.signals_blocked);
	_cleanup_buf_ struct buf reply = {0};
	assert_int_equal(rpc_call(c, slice_of(NULL, 0), &reply, NULL), OK); /* an empty request is one */
	assert_string_equal(buf_text(&reply), "0");
	for (int i = 0; i < 200; i++)
		expect_echo(c, "again");
	rpc_client_close(c);
	host_done(&h);
}

static void *call_meet(void *arg)
{
	expect_echo(arg, "meet");
	return NULL;
}

static void test_in_flight(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, IN_FLIGHT);
	struct rpc_client *c = client(h.path, 8000);
	pthread_t t[IN_FLIGHT];
	for (unsigned i = 0; i < IN_FLIGHT; i++)
		assert_int_equal(pthread_create(&t[i], NULL, call_meet, c), 0);
	for (unsigned i = 0; i < IN_FLIGHT; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(h.met, IN_FLIGHT);
	rpc_client_close(c);
	host_done(&h);
}

static void test_uids(void **state)
{
	(void)state;
	const uid_t own[] = {getuid() + 7, getuid()}, others[] = {getuid() + 1, getuid() + 7};
	const struct {
		const uid_t *uids;
		size_t n;
		bool admitted;
	} rows[] = {{own, 2, true}, {NULL, 0, true}, {others, 2, false}, {others, 0, false}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct host h;
		host_init(&h);
		struct rpc_server_config config = host_config(&h);
		config.uids = rows[i].uids;
		config.n_uids = rows[i].n;
		assert_int_equal(rpc_server_start(&config, &h.server, NULL), OK);
		struct rpc_client *c = client(h.path, 1000);
		if (rows[i].admitted)
			expect_echo(c, "hello");
		else
			expect_net(c, slice_str("hello"), "peer_refused");
		rpc_client_close(c);
		/* also a peer that sends its request along with the greeting is not heard */
		int fd = raw_connect(h.path);
		if (!rows[i].admitted) {
			(void)!send(fd, "\0SP\0\0\x30\0\0\1\0\0\0\0\0\0\0\5\200\0\0\1x", 22, MSG_NOSIGNAL);
			assert_true(raw_hung_up(fd));
			assert_int_equal(host_handled(&h), 0);
		}
		close(fd);
		host_done(&h);
	}
}

static void test_size(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	struct rpc_client *c = client(h.path, 2000);
	_cleanup_(freep) uint8_t *bytes = xcalloc(1, MAX_REQUEST + 1);
	_cleanup_buf_ struct buf reply = {0};
	assert_int_equal(rpc_call(c, slice_of(bytes, MAX_REQUEST), &reply, NULL), OK);
	assert_int_equal(reply.len, MAX_REQUEST);
	expect_net(c, slice_of(bytes, MAX_REQUEST + 1), "peer_closed");
	assert_int_equal(host_handled(&h), 1);
	expect_echo(c, "still here");
	rpc_client_close(c);
	struct rpc_client *small = NULL;
	assert_int_equal(rpc_client_open(h.path, 2000, 4, &small, NULL), OK);
	expect_echo(small, "four");
	expect_net(small, slice_str("fives"), "peer_closed"); /* the answer is too large for this client */
	expect_net(small, slice_str("big"), "peer_closed");
	rpc_client_close(small);
	host_done(&h);
}

static void test_garbage(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
		{"", 0},
		{"GET / HTTP/1.0\r\n\r\n", 18},
		{"\0SP\0\0\x10\0\0", 8},					       /* another protocol: PAIR */
		{"\0SP\0\0\x31\0\0", 8},					       /* a server's greeting */
		{"\0SP\1\0\x30\0\0", 8},					       /* another version */
		{"\0SP\0\0\x30\0", 7},						       /* cut */
		{"\0SP\0\0\x30\0\0\2\0\0\0\0\0\0\0\5\200\0\0\1x", 22},		       /* another type of message */
		{"\0SP\0\0\x30\0\0\1\200\0\0\0\0\0\0\0\200\0\0\1x", 22},	       /* 2^63 bytes */
		{"\0SP\0\0\x30\0\0\1\377\377\377\377\377\377\377\377\200\0\0\1x", 22}, /* 2^64 - 1 */
		{"\0SP\0\0\x30\0\0\1\0\0\0\0\0\1\0\5\200\0\0\1x", 22},		       /* MAX_REQUEST + 5 */
		{"\0SP\0\0\x30\0\0\1\0\0\0\0\0\0\0\3\200\0\0", 20},		       /* no room for an id */
		{"\0SP\0\0\x30\0\0\1\0\0\0\0\0\0\0\4\0\0\0\1", 21},		       /* no end of ids */
		{"\0SP\0\0\x30\0\0\1\0\0\0\0\0\0\0\7\200\0\0\1x", 22},		       /* shorter than it says */
	};
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = raw_connect(h.path);
		(void)!send(fd, rows[i].bytes, rows[i].n, MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		assert_true(raw_hung_up(fd));
		close(fd);
	}
	assert_int_equal(host_handled(&h), 0);
	struct rpc_client *c = client(h.path, 2000);
	expect_echo(c, "still here");
	rpc_client_close(c);
	host_done(&h);
}

/* Peers that stand still in the middle of a message, and stay, hold up nobody, not even the end. */
static void test_half_a_message(void **state)
{
	(void)state;
	static const char whole[] = "\0SP\0\0\x30\0\0\1\0\0\0\0\0\0\0\5\200\0\0\1x";
	int fds[sizeof(whole) - 1];
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fds[i] = raw_connect(h.path);
		assert_int_equal(send(fds[i], whole, i, MSG_NOSIGNAL), (ssize_t)i);
	}
	struct rpc_client *c = client(h.path, 2000);
	for (int i = 0; i < 10; i++)
		expect_echo(c, "still here");
	assert_int_equal(host_handled(&h), 10);
	rpc_client_close(c);
	rpc_server_stop(h.server);
	h.server = NULL;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
	host_done(&h);
}

/* A peer that hangs up before it is greeted stops the listener of nng 1.5.2 for good; not ours. */
static void test_hangs_up_early(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	struct rpc_client *c = client(h.path, 2000);
	for (int i = 0; i < 300; i++) {
		close(raw_connect(h.path));
		if (i % 50 == 0)
			expect_echo(c, "still here");
	}
	expect_echo(c, "still here");
	rpc_client_close(c);
	host_done(&h);
}

static void test_many_connections(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	int fds[300];
	for (int i = 0; i < 300; i++)
		fds[i] = raw_connect(h.path);
	uint8_t b[8];
	for (int i = 0; i < 300; i++) /* 256 of one user are greeted */
		assert_int_equal(recv(fds[i], b, 8, MSG_WAITALL), i < 256 ? 8 : 0);
	struct rpc_client *c = client(h.path, 2000);
	expect_net(c, slice_str("hello"), "peer_refused");
	for (int i = 0; i < 300; i++)
		close(fds[i]);
	/* the server sees the hang-ups in its own time */
	_cleanup_buf_ struct buf reply = {0};
	int64_t until = clock_mono_us() + 3000000;
	while (rpc_call(c, slice_str("hello"), &reply, NULL) != OK)
		assert_true(clock_mono_us() < until);
	rpc_client_close(c);
	host_done(&h);
}

/* More requests at once than are taken from one peer, some cut in two: all are answered, each once. */
static void test_pipelined(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	int fd = raw_connect(h.path);
	raw_hello(fd, 0x30);
	enum { N = 1000, FRAME = 13 + 4 };
	_cleanup_buf_ struct buf b = {0};
	for (unsigned i = 0; i < N; i++) {
		uint8_t frame[FRAME] = {1,	    0,	 0,   0,   0,  0, 0, 0, 8, 0x80, 0, (uint8_t)(i >> 8),
					(uint8_t)i, 'p', 'i', 'p', 'e'};
		buf_add(&b, frame, sizeof(frame));
	}
	for (size_t at = 0; at < b.len;) {
		size_t n = b.len - at < 5000 ? b.len - at : 5000; /* not a multiple of a frame */
		assert_int_equal(send(fd, b.data + at, n, MSG_NOSIGNAL), (ssize_t)n);
		at += n;
	}
	uint8_t hello[8], frame[FRAME], seen[N] = {0};
	assert_int_equal(recv(fd, hello, 8, MSG_WAITALL), 8);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(recv(fd, frame, FRAME, MSG_WAITALL), FRAME);
		assert_memory_equal(frame + 13, "pipe", 4);
		assert_int_equal(seen[frame[11] << 8 | frame[12]]++, 0);
	}
	close(fd);
	host_done(&h);
}

static void test_peer_dies(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	for (uint8_t i = 0; i < 2; i++) {
		int fd = raw_connect(h.path);
		raw_hello(fd, 0x30);
		raw_request(fd, i, "block");
		host_wait_blocked(&h, i + 1u);
		close(fd);
	}
	host_open(&h);
	struct rpc_client *c = client(h.path, 2000);
	for (int i = 0; i < 10; i++)
		expect_echo(c, "still here");
	rpc_client_close(c);
	rpc_server_stop(h.server);
	h.server = NULL;
	assert_int_equal(h.left, 2); /* both knew */
	host_done(&h);
}

/* One that is there is known to be there, until it leaves. */
static void test_peer_waits(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	assert_true(rpc_peer_waits()); /* of a thread that is no worker */
	int there = raw_connect(h.path), gone = raw_connect(h.path);
	raw_hello(there, 0x30);
	raw_hello(gone, 0x30);
	raw_request(there, 1, "block");
	raw_request(gone, 2, "block");
	host_wait_blocked(&h, 2);
	close(gone);
	host_open(&h);
	rpc_server_stop(h.server);
	h.server = NULL;
	assert_int_equal(h.left, 1);
	close(there);
	host_done(&h);
}

/* A peer that sends requests and never reads fills its own socket; it is hung up on and the workers go on. */
static void test_peer_does_not_read(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	int fd = raw_connect(h.path);
	raw_hello(fd, 0x30);
	for (uint8_t i = 0; i < 6; i++)
		raw_request(fd, i, "big");
	struct rpc_client *c = client(h.path, 4000);
	for (int i = 0; i < 10; i++)
		expect_echo(c, "still here");
	struct pollfd p = {.fd = fd};
	assert_int_equal(poll(&p, 1, 3000), 1);
	assert_true(p.revents & POLLHUP);
	close(fd);
	rpc_client_close(c);
	host_done(&h);
}

static void expect_frame(int fd, uint8_t id, const char *text)
{
	uint8_t frame[13 + 64];
	size_t n = 13 + strlen(text);
	assert_int_equal(recv(fd, frame, n, MSG_WAITALL), (ssize_t)n);
	assert_int_equal(frame[8], n - 9);
	assert_int_equal(frame[12], id);
	assert_memory_equal(frame + 13, text, strlen(text));
}

static void test_at_once(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	struct rpc_server_config config = host_config(&h);
	config.at_once = quick;
	config.workers = 1;
	assert_int_equal(rpc_server_start(&config, &h.server, NULL), OK);
	int fd = raw_connect(h.path);
	uint8_t hello[8];
	raw_hello(fd, 0x30);
	assert_int_equal(recv(fd, hello, 8, MSG_WAITALL), 8);
	raw_request(fd, 1, "block");
	host_wait_blocked(&h, 1);
	/* The only worker waits, and so does what needs one. */
	raw_request(fd, 2, "later");
	raw_request(fd, 3, "now");
	raw_request(fd, 4, "now-none");
	raw_request(fd, 5, "now-and-then");
	expect_frame(fd, 3, "now");
	expect_frame(fd, 5, "now-and-then");
	assert_int_equal(host_handled(&h), 1);
	host_open(&h);
	expect_frame(fd, 1, "block");
	expect_frame(fd, 2, "later");
	close(fd);
	host_done(&h);
}

/* One that asks and asks and reads nothing stands in nobody's way. */
static void test_at_once_unread(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	struct rpc_server_config config = host_config(&h);
	config.at_once = quick;
	assert_int_equal(rpc_server_start(&config, &h.server, NULL), OK);
	int fd = raw_connect(h.path);
	raw_hello(fd, 0x30);
	for (uint8_t i = 0; i < 100; i++)
		raw_request(fd, i, "now-big");
	struct rpc_client *c = client(h.path, 4000);
	for (int i = 0; i < 10; i++) {
		expect_echo(c, "now");
		expect_echo(c, "still here");
	}
	struct pollfd p = {.fd = fd};
	assert_int_equal(poll(&p, 1, 3000), 1);
	assert_true(p.revents & POLLHUP);
	close(fd);
	rpc_client_close(c);
	host_done(&h);
}

struct late_call {
	struct rpc_client *c;
	const char *request;
	size_t got;
	enum err e;
};

static void *call_late(void *arg)
{
	struct late_call *l = arg;
	_cleanup_buf_ struct buf reply = {0};
	l->e = rpc_call(l->c, slice_str(l->request), &reply, NULL);
	l->got = reply.len;
	return NULL;
}

static void *stop(void *arg)
{
	rpc_server_stop(arg);
	return NULL;
}

static void test_stop_drains(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 4);
	struct rpc_client *c = client(h.path, 5000);
	struct late_call small = {.c = c, .request = "block"}, big = {.c = c, .request = "blockbig"};
	pthread_t t[3];
	pthread_create(&t[0], NULL, call_late, &small);
	pthread_create(&t[1], NULL, call_late, &big);
	host_wait_blocked(&h, 2);
	pthread_create(&t[2], NULL, stop, h.server);
	h.server = NULL;
	host_open(&h);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(small.e, OK);
	assert_int_equal(small.got, 5);
	assert_int_equal(big.e, OK);
	assert_int_equal(big.got, 8u << 20);
	rpc_client_close(c);
	pthread_join(t[2], NULL);
	host_done(&h);
}

static enum err try_start(struct host *h, const char *path, const char *rule)
{
	struct rpc_server_config c = host_config(h);
	c.path = path;
	struct fault f = {0};
	struct rpc_server *s = NULL;
	enum err e = rpc_server_start(&c, &s, &f);
	if (e == OK)
		rpc_server_stop(s);
	assert_string_equal(f.rule, rule);
	return e;
}

static void test_path(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	char dir[300], link[300], other[300];
	snprintf(other, sizeof(other), "%s/file", h.dir);
	snprintf(link, sizeof(link), "%s/link", h.dir);
	snprintf(dir, sizeof(dir), "%s/no-such-folder/s.sock", h.dir);
	assert_int_equal(try_start(&h, "", "socket_path"), ERR_CONFIG);
	assert_int_equal(try_start(&h, dir, "socket"), ERR_IO);
	/* a file that is no socket stays */
	int fd = open(other, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(try_start(&h, other, "socket_path"), ERR_CONFIG);
	assert_int_equal(symlink(other, link), 0);
	assert_int_equal(try_start(&h, link, "socket_path"), ERR_CONFIG);
	assert_int_equal(try_start(&h, h.dir, "socket_path"), ERR_CONFIG);
	assert_int_equal(access(other, F_OK), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(other), 0);
	/* somebody accepts: in use, and goes on; nobody: replaced */
	fd = raw_listen(h.path);
	assert_int_equal(try_start(&h, h.path, "socket_in_use"), ERR_CONFLICT);
	assert_int_equal(access(h.path, F_OK), 0);
	close(fd);
	assert_int_equal(access(h.path, F_OK), 0);
	assert_int_equal(try_start(&h, h.path, ""), OK);
	host_done(&h);
}

static void test_path_length(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	char path[200];
	for (size_t n = 106; n <= 110; n++) {
		memset(path, 'x', sizeof(path));
		memcpy(path, h.dir, strlen(h.dir));
		path[strlen(h.dir)] = '/';
		path[n] = 0;
		struct fault f = {0};
		struct rpc_client *c = NULL;
		enum err want = n <= 107 ? OK : ERR_CONFIG;
		assert_int_equal(try_start(&h, path, n <= 107 ? "" : "socket_path"), want);
		assert_int_equal(rpc_client_open(path, 100, 100, &c, &f), want);
		if (c)
			rpc_client_close(c);
		else
			assert_non_null(strstr(f.text, "at most 107"));
	}
	host_done(&h);
}

static void test_mode(void **state)
{
	(void)state;
	static const unsigned modes[] = {0600, 0660, 0666, 0620}, masks[] = {0, 022, 077, 0777};
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			struct host h;
			host_init(&h);
			mode_t before = umask(masks[j]);
			struct rpc_server_config c = host_config(&h);
			c.mode = modes[i];
			assert_int_equal(rpc_server_start(&c, &h.server, NULL), OK);
			assert_int_equal(umask(before), masks[j]); /* given back */
			struct stat st;
			assert_int_equal(lstat(h.path, &st), 0);
			assert_int_equal(st.st_mode & 07777, modes[i]);
			host_done(&h);
		}
}

/* --- deferred requests --- */

#define LATER 64

/* One request "later" that waits with its ticket. */
struct late {
	struct rpc_job job;
	struct rpc_ticket *ticket;
	struct slice request;
	struct shelf *shelf;
};
struct shelf {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct late late[LATER];
	unsigned n, run;
};

static bool defer(void *arg, struct rpc_ticket *t, struct slice request)
{
	struct shelf *s = arg;
	if (!slice_eq(request, slice_str("later")))
		return false;
	pthread_mutex_lock(&s->lock);
	assert(s->n < LATER);
	s->late[s->n++] = (struct late){.ticket = t, .request = request, .shelf = s};
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return true;
}

static void answer_late(struct rpc_job *job)
{
	struct late *l = (struct late *)job;
	pthread_mutex_lock(&l->shelf->lock);
	l->shelf->run++;
	pthread_mutex_unlock(&l->shelf->lock);
	rpc_answer(l->ticket, l->request);
}

static void shelf_wait(struct shelf *s, unsigned n)
{
	pthread_mutex_lock(&s->lock);
	while (s->n < n)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static void echo_plain(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	(void)arg;
	(void)peer;
	buf_add_slice(reply, request);
}

/* How many were deferred when it was called last, and how many of them at once at most. */
static unsigned gathered_before, gathered_most;

static void gathered(void *arg)
{
	struct shelf *s = arg;
	pthread_mutex_lock(&s->lock);
	unsigned n = s->n - gathered_before;
	gathered_before = s->n;
	gathered_most = n > gathered_most ? n : gathered_most;
	pthread_mutex_unlock(&s->lock);
}

static void host_defer(struct host *h, struct shelf *s, unsigned workers)
{
	struct rpc_server_config c = host_config(h);
	struct fault f = {0};
	c.workers = workers;
	c.handle = echo_plain;
	c.defer = defer;
	c.gathered = gathered;
	c.gather = 4;
	c.arg = s;
	if (rpc_server_start(&c, &h->server, &f) != OK)
		fail_msg("%s", f.text);
}

static void *call_later(void *arg)
{
	expect_echo(arg, "later");
	return NULL;
}

/* One worker has 64 requests open and still answers others; each comes back as a job. */
static void test_deferred(void **state)
{
	(void)state;
	struct host h;
	struct shelf s = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	pthread_t t[LATER];
	gathered_before = gathered_most = 0;
	host_init(&h);
	host_defer(&h, &s, 1);
	struct rpc_client *c = client(h.path, 5000);
	for (unsigned i = 0; i < LATER; i++)
		pthread_create(&t[i], NULL, call_later, c);
	shelf_wait(&s, LATER);
	expect_echo(c, "hello");
	for (unsigned i = 0; i < LATER; i++) {
		s.late[i].job.run = answer_late;
		rpc_resume(s.late[i].ticket, &s.late[i].job);
	}
	for (unsigned i = 0; i < LATER; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(s.run, LATER);
	assert_int_equal(gathered_before, LATER); /* of all of them it was told, of four at once at most */
	assert_in_range(gathered_most, 1, 4);
	rpc_client_close(c);
	host_done(&h);
}

/* What was deferred is answered before a server that stops is gone, by its own workers, whether the peer is there still
 * or not. */
static void test_stop_waits_for_tickets(void **state)
{
	(void)state;
	struct host h;
	struct shelf s = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	pthread_t caller, stopper;
	host_init(&h);
	host_defer(&h, &s, 2);
	struct rpc_client *c = client(h.path, 5000), *gone = client(h.path, 100);
	expect_net(gone, slice_str("later"), "peer_timeout");
	rpc_client_close(gone);
	pthread_create(&caller, NULL, call_later, c);
	shelf_wait(&s, 2);
	pthread_create(&stopper, NULL, stop, h.server);
	h.server = NULL;
	for (unsigned i = 0; i < 2; i++) {
		s.late[i].job.run = answer_late;
		rpc_resume(s.late[i].ticket, &s.late[i].job);
	}
	pthread_join(caller, NULL);
	rpc_client_close(c);
	pthread_join(stopper, NULL);
	assert_int_equal(s.run, 2);
	host_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),	       cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_uids),	       cmocka_unit_test(test_size),
		cmocka_unit_test(test_garbage),	       cmocka_unit_test(test_peer_dies),
		cmocka_unit_test(test_peer_waits),     cmocka_unit_test(test_half_a_message),
		cmocka_unit_test(test_hangs_up_early), cmocka_unit_test(test_many_connections),
		cmocka_unit_test(test_at_once),	       cmocka_unit_test(test_at_once_unread),
		cmocka_unit_test(test_pipelined),      cmocka_unit_test(test_peer_does_not_read),
		cmocka_unit_test(test_stop_drains),    cmocka_unit_test(test_path),
		cmocka_unit_test(test_deferred),       cmocka_unit_test(test_stop_waits_for_tickets),
		cmocka_unit_test(test_path_length),    cmocka_unit_test(test_mode),
	};
	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
