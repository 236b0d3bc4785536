/*
 * What the gate's own HTTP server makes of the octets of a connection: whole answers, the same however they come in parts, and nothing of them is left when it ends.
 */
#include "tests/fuzz/fuzz.h"

#include "ra/gate/documents.h"
#include "ra/gate/front_private.h"
#include "ra/gate/ocsp.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <sodium.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define INPUT_MAX 100000u
#define GO "HTTP/1.1 100 Continue\r\n\r\n"

static struct gate gate;

/* The desk is not there: nobody waits for it. */
bool __wrap_later_push(struct later *l, struct later_job *j);
bool __wrap_later_push(struct later *l, struct later_job *j)
{
	(void)l;
	must(j->reply.later && j->request.path[0] == '/');
	return false;
}

static void open_once(void)
{
	if (gate.table)
		return;
	must(sodium_init() >= 0);
	clock_set(1800000000);
	pthread_mutex_init(&gate.lock, NULL);
	gate.table = table_new();
	gate.config.ocsp = (struct ocsp_rules){.validity_minutes = 60, .cache_entries = 16};
	must(documents_open(NULL, &gate.documents, NULL) == OK);
	gate.ocsp = ocsp_open(&gate);
}

/* All that has been sent, without the words that depend on how the request came. */
static void drain(int peer, struct buf *ret)
{
	char part[65536];
	ssize_t n;
	while ((n = recv(peer, part, sizeof(part), 0)) > 0)
		buf_add(ret, part, (size_t)n);
}

static void without_go(struct buf *b)
{
	uint8_t *at;
	while (b->len > 0 && (at = memmem(b->data, b->len, GO, sizeof(GO) - 1))) {
		memmove(at, at + sizeof(GO) - 1, b->len - (size_t)(at - b->data) - (sizeof(GO) - 1));
		b->len -= sizeof(GO) - 1;
	}
}

/* Until nothing more is read or sent. */
static void settle(struct loop *l, struct visitor *v, int peer, struct buf *ret)
{
	for (struct epoll_event e; v->fd >= 0 && epoll_wait(l->epoll, &e, 1, 0) == 1;) {
		visitor_on_event(v, e.events);
		drain(peer, ret);
	}
	drain(peer, ret);
}

/* True: the connection was ended. */
static bool ask(struct slice bytes, size_t cut, struct buf *ret)
{
	static struct loop l;
	struct front t = {.gate = &gate, .loops = &l, .n_loops = 1};
	_cleanup_(closep) int peer = -1;
	int fds[2];
	l.front = &t;
	l.epoll = epoll_create1(0);
	must(l.epoll >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	peer = fds[1];
	struct visitor *v = visitor_new(&l, fds[0]);
	visitor_begin(v);
	for (size_t at = 0, end = cut; v->fd >= 0 && at < bytes.n; end = bytes.n) {
		ssize_t n = end > at ? send(peer, bytes.p + at, end - at, MSG_NOSIGNAL) : 0;
		at += n > 0 ? (size_t)n : 0;
		settle(&l, v, peer, ret);
		must(v->fd < 0 || v->in.len <= FRONT_READ + FRONT_READ / 4);
	}
	bool ended = v->fd < 0 || v->ends;
	if (v->fd >= 0)
		visitor_close(v);
	must(l.dead == v && !l.first && !l.last && l.n == 0 && t.n == 0);
	free(TAKE(l.dead));
	closep(&l.epoll);
	without_go(ret);
	return ended;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of(data, size < INPUT_MAX ? size : INPUT_MAX);
	_cleanup_buf_ struct buf whole = {0}, parts = {0};
	open_once();
	bool ended = ask(bytes, bytes.n, &whole);
	must(whole.len == 0 || memcmp(whole.data, "HTTP/1.1 ", 9) == 0);
	for (size_t cut = 1; cut < bytes.n; cut += 1 + bytes.n / 4) {
		buf_clear(&parts);
		must(ask(bytes, cut, &parts) == ended);
		must_be(buf_slice(&parts), buf_slice(&whole));
	}
	return 0;
}
