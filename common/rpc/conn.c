/*
 * SP's REP side on one Unix socket: frames in, frames out, and when to stop reading.
 *
 * A peer costs what it has sent and not more: a frame's length only sets how far reading may go, memory follows the
 * bytes. Reading pauses while many requests of the peer wait for a worker, and while it does not take its replies.
 *
 * One thread at a time sends, without the lock, since a peer that is woken may take the processor from it. Others that
 * have a reply meanwhile leave it there, and it goes on with these, several at once, for a while.
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
#define SEND_PARTS 32		    /* kept replies that are sent at once */
#define SEND_TIMES 8		    /* before the rest is left to the I/O thread: a worker has other work */
#define LINGER_US INT64_C(100000)   /* between the last reply and the end */
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
	bool unread = c->out && !c->sending;
	uint32_t want = 0;
	if (c->finishing || (!full && !unread))
		want |= EPOLLIN;
	if (unread)
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

/* With the lock held, so that no worker sends to another's number. */
static void hang_up(struct conn *c)
{
	while (c->out) {
		struct out *o = c->out;
		c->out = o->next;
		free(o);
	}
	close(c->fd); /* leaves the epoll by this */
}

void conn_close(struct conn *c)
{
	pthread_mutex_lock(&c->lock);
	c->closed = true;
	if (c->sending)
		(void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->fd,
				NULL); /* no more events, although fd is open for a moment */
	else
		hang_up(c);
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

/* With the lock held: a half-close, for a peer's nng drops unread replies when it is hung up on. And those that it has read and not
 * passed on yet, so nor is that done close behind a reply: conn_stalled() comes back to it. */
static void shut_when_empty(struct conn *c)
{
	if (!c->finishing || c->out || c->sending || c->shut || clock_mono_us() - c->progress_us < LINGER_US)
		return;
	c->shut = true;
	(void)shutdown(c->fd, SHUT_WR);
}

static struct out *out_new(struct slice head, struct slice body, size_t sent)
{
	struct out *o = xmalloc(sizeof(*o) + head.n + body.n);
	*o = (struct out){.n = head.n + body.n, .sent = sent};
	memcpy(o->bytes, head.p, head.n);
	memcpy(o->bytes + head.n, body.p, body.n);
	return o;
}

/* All of these are called with the lock held; send_now() lets go of it meanwhile, and c->sending keeps others off. */

/* How many the socket took; -1: the peer is gone. */
static ssize_t send_now(struct conn *c, struct iovec *v, size_t n)
{
	struct msghdr m = {.msg_iov = v, .msg_iovlen = n};
	pthread_mutex_unlock(&c->lock);
	ssize_t sent = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	bool gone = sent < 0 && errno != EAGAIN && errno != EINTR;
	pthread_mutex_lock(&c->lock);
	if (sent > 0)
		c->progress_us = clock_mono_us();
	return gone ? -1 : sent > 0 ? sent : 0;
}

/* True: nothing is left of what was sent. */
static bool drop_sent(struct conn *c, size_t sent, size_t of)
{
	for (size_t left = sent; left > 0 && c->out;) {
		struct out *o = c->out;
		size_t n = left < o->n - o->sent ? left : o->n - o->sent;
		o->sent += n;
		left -= n;
		if (o->sent < o->n)
			break;
		c->out = o->next;
		if (!c->out)
			c->out_tail = &c->out;
		free(o);
	}
	return sent == of;
}

/* Sends what is kept, as far as the socket takes it; false when the peer is gone. */
static bool send_kept(struct conn *c)
{
	bool more = true;
	for (int i = 0; i < SEND_TIMES && more && c->out && !c->closed; i++) {
		struct iovec v[SEND_PARTS];
		size_t n = 0, bytes = 0;
		for (struct out *o = c->out; o && n < SEND_PARTS; o = o->next) {
			v[n++] = (struct iovec){o->bytes + o->sent, o->n - o->sent};
			bytes += o->n - o->sent;
		}
		ssize_t sent = send_now(c, v, n);
		if (sent < 0)
			return false;
		more = drop_sent(c, (size_t)sent, bytes);
	}
	return true;
}

static void send_end(struct conn *c)
{
	c->sending = false;
	if (c->closed) {
		hang_up(c);
		return;
	}
	shut_when_empty(c);
	arm(c);
}

/* What a worker sends to a peer that left shows up at the I/O thread. */
static void send_first(struct conn *c, struct slice head, struct slice body)
{
	struct iovec v[2] = {{(void *)head.p, head.n}, {(void *)body.p, body.n}};
	c->sending = true;
	ssize_t n = send_now(c, v, 2);
	size_t sent = n > 0 ? (size_t)n : 0;
	if (sent == head.n + body.n) {
		(void)!send_kept(c);
	} else {
		struct out *o = out_new(head, body, sent);
		o->next = c->out;
		if (!c->out)
			c->out_tail = &o->next;
		c->out = o;
		c->progress_us = clock_mono_us();
	}
	send_end(c);
}

static void keep(struct conn *c, struct slice head, struct slice body)
{
	if (!c->out)
		c->progress_us = clock_mono_us();
	*c->out_tail = out_new(head, body, 0);
	c->out_tail = &(*c->out_tail)->next;
	arm(c);
}

/* True when something was kept that nobody is sending. */
static bool send_or_keep(struct conn *c, struct slice head, struct slice body)
{
	pthread_mutex_lock(&c->lock);
	if (!c->closed && (c->out || c->sending))
		keep(c, head, body);
	else if (!c->closed)
		send_first(c, head, body);
	bool kept = !c->closed && c->out && !c->sending;
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

bool conn_flush(struct conn *c)
{
	bool alive = true;
	pthread_mutex_lock(&c->lock);
	if (!c->sending) {
		c->sending = true;
		alive = send_kept(c);
		send_end(c);
	}
	pthread_mutex_unlock(&c->lock);
	return alive;
}

bool conn_stalled(struct conn *c, int64_t now_us, int64_t timeout_us)
{
	pthread_mutex_lock(&c->lock);
	c->pending = c->out != NULL;
	bool stalled = c->out && now_us - c->progress_us > timeout_us;
	shut_when_empty(c);
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
