/*
 * SP's REP side on one Unix socket: frames in, frames out, and when to stop reading.
 *
 * A peer costs what it has sent and not more: a frame's length only sets how far reading may go, memory follows the
 * bytes. Reading pauses while many requests of the peer wait for a worker, and while it does not take its replies.
 */
#include "common/rpc/conn.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define GREETING_BYTES 8
#define FRAME_HEAD 9
#define ID_BYTES 4
#define ANSWERS_KEPT (256u * 1024u) /* memory for them that stays with a connection */
#define QUEUED_MAX 64u		    /* requests of one peer waiting for a worker */
#define QUEUED_BYTES (256u * 1024u) /* the same in bytes; one larger request may wait alone */

static const uint8_t greeting_theirs[GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
static const uint8_t greeting_ours[GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

struct out {
	struct out *next;
	size_t n, sent;
	uint8_t bytes[];
};

/* With the lock held. Errors cannot come: the fd is ours and registered. */
static void arm(struct conn *c)
{
	bool full = c->queued >= QUEUED_MAX || (c->queued > 0 && c->queued_bytes >= QUEUED_BYTES);
	uint32_t want = 0;
	if (c->finishing || (!full && !c->out))
		want |= EPOLLIN;
	if (c->out)
		want |= EPOLLOUT;
	if (want == c->armed || c->closed)
		return;
	c->armed = want;
	struct epoll_event e = {.events = want, .data.ptr = c};
	(void)epoll_ctl(c->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

struct conn *conn_new(int epoll, int fd, const struct rpc_peer *peer)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	c->peer = *peer;
	c->since_us = clock_mono_us();
	c->epoll = epoll;
	c->fd = fd;
	c->out_tail = &c->out;
	c->armed = EPOLLIN;
	atomic_init(&c->refs, 1);
	pthread_mutex_init(&c->lock, NULL);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	if (send(fd, greeting_ours, GREETING_BYTES, MSG_NOSIGNAL) == GREETING_BYTES &&
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0)
		return c;
	conn_close(c);
	conn_unref(c);
	return NULL;
}

struct conn *conn_ref(struct conn *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void conn_unref(struct conn *c)
{
	if (atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	buf_done(&c->in);
	buf_done(&c->answers);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void conn_close(struct conn *c)
{
	pthread_mutex_lock(&c->lock);
	c->closed = true;
	while (c->out) {
		struct out *o = c->out;
		c->out = o->next;
		free(o);
	}
	close(c->fd); /* leaves the epoll by this; under the lock, so that no worker sends to another's number */
	pthread_mutex_unlock(&c->lock);
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

static void put_head(uint8_t head[FRAME_HEAD + ID_BYTES], const uint8_t id[ID_BYTES], size_t body)
{
	uint64_t n = body + ID_BYTES;
	head[0] = 1;
	for (int k = 0; k < 8; k++)
		head[1 + k] = (uint8_t)(n >> (56 - 8 * k));
	memcpy(head + FRAME_HEAD, id, ID_BYTES);
}

/* Asks whether the request can be answered at once, and puts the answer behind the others. */
static bool answer_at_once(struct conn *c, const uint8_t *frame, size_t n)
{
	static const uint8_t room[FRAME_HEAD + ID_BYTES];
	size_t from = c->answers.len, body = from + sizeof(room);
	if (!c->at_once)
		return false;
	buf_add(&c->answers, room, sizeof(room));
	bool done = c->at_once(c->arg, &c->peer, slice_of(frame + ID_BYTES, n), &c->answers);
	if (!done || c->answers.len == body)
		c->answers.len = from;
	else
		put_head(c->answers.data + from, frame, c->answers.len - body);
	return done;
}

static void take_request(struct conn *c, const uint8_t *frame, size_t n, struct request ***tail)
{
	struct request *r = xmalloc(sizeof(*r) + n);
	*r = (struct request){.conn = conn_ref(c), .n = n};
	memcpy(r->id, frame, ID_BYTES);
	memcpy(r->bytes, frame + ID_BYTES, n);
	**tail = r;
	*tail = &r->next;
	pthread_mutex_lock(&c->lock);
	c->queued++;
	c->queued_bytes += n;
	arm(c);
	pthread_mutex_unlock(&c->lock);
}

static uint64_t frame_length(const uint8_t *head)
{
	uint64_t n = 0;
	for (int k = 1; k < FRAME_HEAD; k++)
		n = n << 8 | head[k];
	return n;
}

/* One frame at *at, if it is there whole. */
static enum err parse_frame(struct conn *c, size_t max_request, size_t *at, bool *ret_whole, struct request ***tail,
			    struct fault *f)
{
	const uint8_t *p = c->in.data + *at;
	size_t left = c->in.len - *at;
	*ret_whole = false;
	if (left < FRAME_HEAD)
		return OK;
	if (p[0] != 1)
		return fault_raise(f, ERR_PARSE, "sp_frame", "frame.type", "frame type is %u, wanted 1", p[0]);
	uint64_t n = frame_length(p);
	if (n < ID_BYTES)
		return fault_raise(f, ERR_PARSE, "sp_frame", "frame.length",
				   "frame length is %" PRIu64 ", wanted %d at least", n, ID_BYTES);
	if (n - ID_BYTES > max_request)
		return fault_raise(f, ERR_LIMIT, "sp_frame", "frame.length",
				   "frame length is %" PRIu64 ", a request has at most %zu bytes", n, max_request);
	if (left - FRAME_HEAD < n)
		return OK;
	p += FRAME_HEAD;
	if (!(p[0] & 0x80))
		return fault_raise(f, ERR_PARSE, "sp_frame", "frame.id",
				   "frame id has its highest bit clear: forwarded requests are not taken");
	if (!answer_at_once(c, p, n - ID_BYTES))
		take_request(c, p, n - ID_BYTES, tail);
	*at += FRAME_HEAD + n;
	*ret_whole = true;
	return OK;
}

static enum err parse(struct conn *c, size_t max_request, struct request ***tail, struct fault *f)
{
	size_t at = 0;
	if (!c->greeted) {
		size_t n = c->in.len < GREETING_BYTES ? c->in.len : GREETING_BYTES;
		if (memcmp(c->in.data, greeting_theirs, n) != 0)
			return fault_raise(f, ERR_PARSE, "sp_greeting", "greeting",
					   "greeting is not that of an SP requester (REQ 0)");
		if (n < GREETING_BYTES)
			return OK;
		c->greeted = true;
		at = GREETING_BYTES;
	}
	bool whole = true;
	while (whole)
		TRY(parse_frame(c, max_request, &at, &whole, tail, f));
	size_t rest = c->in.len - at;
	if (rest > 0)
		memmove(c->in.data, c->in.data + at, rest);
	explicit_bzero(c->in.data + rest, at); /* may have held a passphrase */
	c->in.len = rest;
	if (rest == 0 && c->in.cap > CONN_SCRATCH)
		buf_done(&c->in);
	return OK;
}

void conn_taken(struct conn *c, const struct request *r)
{
	pthread_mutex_lock(&c->lock);
	c->queued--;
	c->queued_bytes -= r->n;
	arm(c);
	pthread_mutex_unlock(&c->lock);
}

bool conn_alive(struct conn *c)
{
	pthread_mutex_lock(&c->lock);
	bool alive = !c->closed;
	pthread_mutex_unlock(&c->lock);
	return alive;
}

bool conn_waits(struct conn *c)
{
	struct pollfd p = {.fd = c->fd};
	pthread_mutex_lock(&c->lock);
	bool there = !c->closed && (poll(&p, 1, 0) == 0 || (p.revents & (POLLHUP | POLLERR)) == 0);
	pthread_mutex_unlock(&c->lock);
	return there;
}

/* --- replies ----------------------------------------------------------------------------------------------------- */

/* How many of head and body the socket took now. A peer that left shows up at the I/O thread. */
static size_t send_now(int fd, struct slice head, struct slice body)
{
	struct iovec v[2] = {{(void *)head.p, head.n}, {(void *)body.p, body.n}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
	ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n > 0 ? (size_t)n : 0;
}

static void keep(struct conn *c, struct slice head, struct slice body, size_t sent)
{
	struct out *o = xmalloc(sizeof(*o) + head.n + body.n);
	*o = (struct out){.n = head.n + body.n, .sent = sent};
	memcpy(o->bytes, head.p, head.n);
	memcpy(o->bytes + head.n, body.p, body.n);
	if (!c->out)
		c->progress_us = clock_mono_us();
	*c->out_tail = o;
	c->out_tail = &o->next;
	arm(c);
}

/* True when something was kept. */
static bool send_or_keep(struct conn *c, struct slice head, struct slice body)
{
	bool kept = false;
	pthread_mutex_lock(&c->lock);
	if (!c->closed) {
		size_t sent = c->out ? 0 : send_now(c->fd, head, body);
		kept = sent < head.n + body.n;
		if (kept)
			keep(c, head, body, sent);
	}
	pthread_mutex_unlock(&c->lock);
	return kept;
}

bool conn_reply(struct conn *c, const uint8_t id[4], struct slice body)
{
	uint8_t head[FRAME_HEAD + ID_BYTES];
	put_head(head, id, body.n);
	return send_or_keep(c, slice_of(head, sizeof(head)), body);
}

enum err conn_read(struct conn *c, uint8_t *scratch, size_t max_request, struct request ***tail, struct fault *f)
{
	ssize_t n = recv(c->fd, scratch, CONN_SCRATCH, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return OK;
	if (n <= 0)
		return fault_raise(f, ERR_NET, "peer_left", "socket", "%s", n < 0 ? strerror(errno) : "end of stream");
	if (c->finishing)
		return OK; /* written by this thread; a request that came too late is not taken */
	buf_add(&c->in, scratch, (size_t)n);
	explicit_bzero(scratch, (size_t)n);
	enum err e = parse(c, max_request, tail, f);
	c->kept = c->answers.len > 0 && send_or_keep(c, slice_of(c->answers.data, 0), buf_slice(&c->answers));
	buf_clear(&c->answers);
	if (c->answers.cap > ANSWERS_KEPT)
		buf_done(&c->answers);
	return e;
}

/* With the lock held. */
static bool flush(struct conn *c)
{
	while (c->out) {
		struct out *o = c->out;
		ssize_t n = send(c->fd, o->bytes + o->sent, o->n - o->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->progress_us = clock_mono_us();
		o->sent += (size_t)n;
		if (o->sent < o->n)
			return true;
		c->out = o->next;
		if (!c->out)
			c->out_tail = &c->out;
		free(o);
	}
	return true;
}

/* With the lock held: a half-close, for a peer's nng drops unread replies when it is hung up on. */
static void shut_when_empty(struct conn *c)
{
	if (!c->finishing || c->out || c->shut)
		return;
	c->shut = true;
	(void)shutdown(c->fd, SHUT_WR);
}

bool conn_flush(struct conn *c)
{
	pthread_mutex_lock(&c->lock);
	bool alive = flush(c);
	shut_when_empty(c);
	arm(c);
	pthread_mutex_unlock(&c->lock);
	return alive;
}

bool conn_stalled(struct conn *c, int64_t now_us, int64_t timeout_us)
{
	pthread_mutex_lock(&c->lock);
	c->pending = c->out != NULL;
	bool stalled = c->out && now_us - c->progress_us > timeout_us;
	pthread_mutex_unlock(&c->lock);
	return stalled;
}

void conn_finish(struct conn *c)
{
	pthread_mutex_lock(&c->lock);
	c->finishing = true;
	shut_when_empty(c);
	arm(c);
	pthread_mutex_unlock(&c->lock);
}
