/*
 * A connection: what comes is read into its thread's room, and requests that are whole are answered from there. The rest is kept,
 * and so is all that comes behind a request whose answer is not sent yet: then nothing more is read.
 */
#include "ra/gate/front_private.h"

#include "common/base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define THROWN_MAX 1048576u

/* --- its place --- */

static void unlink_visitor(struct visitor *v)
{
	struct loop *l = v->loop;
	*(v->prev ? &v->prev->next : &l->first) = v->next;
	*(v->next ? &v->next->prev : &l->last) = v->prev;
	v->prev = v->next = NULL;
}

static void link_visitor(struct visitor *v)
{
	struct loop *l = v->loop;
	v->since = l->now;
	v->prev = l->last;
	*(l->last ? &l->last->next : &l->first) = v;
	l->last = v;
}

void visitor_touch(struct visitor *v)
{
	v->since = v->loop->now;
	if (v->loop->last == v)
		return;
	unlink_visitor(v);
	link_visitor(v);
}

struct visitor *visitor_new(struct loop *l, int fd)
{
	struct visitor *v = xcalloc(1, sizeof(*v));
	v->fd = fd;
	v->loop = l;
	atomic_fetch_add(&l->n, 1);
	atomic_fetch_add(&l->front->n, 1);
	return v;
}

/* Told of once for what comes, so that a connection whose octets have been read is not looked at again by the kernel; also
 * when the other end has said its last, since that comes with the octets before it. */
static struct epoll_event event_of(struct visitor *v, uint32_t events)
{
	return (struct epoll_event){.events = events == EPOLLIN ? EPOLLIN | EPOLLRDHUP | EPOLLET : events,
				    .data.ptr = v};
}

void visitor_begin(struct visitor *v)
{
	struct epoll_event e = event_of(v, EPOLLIN);
	link_visitor(v);
	v->events = EPOLLIN;
	if (epoll_ctl(v->loop->epoll, EPOLL_CTL_ADD, v->fd, &e) != 0)
		visitor_close(v);
}

void visitor_look_for(struct visitor *v, uint32_t events)
{
	struct epoll_event e = event_of(v, events);
	if (v->events == events)
		return;
	v->events = events;
	(void)epoll_ctl(v->loop->epoll, EPOLL_CTL_MOD, v->fd, &e);
}

/* More has come than was read. */
static void look_again(struct visitor *v)
{
	struct epoll_event e = event_of(v, v->events);
	(void)epoll_ctl(v->loop->epoll, EPOLL_CTL_MOD, v->fd, &e);
}

static void throw_away(struct visitor *v)
{
	v->next = v->loop->dead;
	v->loop->dead = v;
}

void visitor_close(struct visitor *v)
{
	struct loop *l = v->loop;
	closep(&v->fd);
	if (v->file > 0)
		closep(&v->file);
	buf_done(&v->in);
	buf_done(&v->out);
	freep(&v->text);
	atomic_fetch_sub(&l->n, 1);
	atomic_fetch_sub(&l->front->n, 1);
	if (v->waiting)
		return; /* visitor_answered() finds it closed */
	unlink_visitor(v);
	throw_away(v);
}

/* --- a request --- */

static void on_answered(struct later_job *j)
{
	struct waiting *w = (struct waiting *)j;
	loop_tell(w->visitor->loop, w);
}

static void waiting_free(struct waiting *w)
{
	buf_done(&w->job.reply.body);
	free(w->head);
	free(w);
}

static struct http_request request_of(const struct http_text *t, const char *p, size_t head)
{
	return (struct http_request){.method = t->is_head ? "GET" : p + t->method,
				     .path = p + t->path,
				     .body = slice_of(p + head, t->body_n),
				     .text = t,
				     .head = p};
}

/* Its octets are the thread's, so it gets its own. False: too many wait. */
static bool wait_for(struct visitor *v, const struct http_text *t, const char *p, size_t head, http_route *later)
{
	struct waiting *w = xcalloc(1, sizeof(*w));
	w->visitor = v;
	w->began = v->loop->now;
	w->text = *t;
	w->head = xmalloc(head + t->body_n);
	memcpy(w->head, p, head + t->body_n);
	w->job = (struct later_job){
		.request = request_of(&w->text, w->head, head), .reply = {.later = later}, .done = on_answered};
	/* All of it first: the answer may be there before this returns. */
	v->waiting = w;
	v->loop->n_waiting++;
	unlink_visitor(v);
	visitor_look_for(v, 0);
	if (later_push(v->loop->front->later, &w->job))
		return true;
	v->waiting = NULL;
	v->loop->n_waiting--;
	link_visitor(v);
	visitor_look_for(v, EPOLLIN);
	waiting_free(w);
	return false;
}

void visitor_answered(struct waiting *w)
{
	struct visitor *v = w->visitor;
	struct gate *g = v->loop->front->gate;
	v->waiting = NULL;
	v->loop->n_waiting--;
	if (v->fd < 0) {
		if (w->job.reply.fd > 0)
			close(w->job.reply.fd);
		throw_away(v);
	} else {
		link_visitor(v);
		visitor_look_for(v, EPOLLIN);
		answer_give(v, &w->job.request, &w->job.reply, w->text.is_head);
		http_note_latency(g, v->loop->now - w->began);
		if (v->fd >= 0)
			visitor_go_on(v);
	}
	waiting_free(w);
}

static void answer(struct visitor *v, const struct http_text *t, const char *p, size_t head)
{
	struct loop *l = v->loop;
	struct gate *g = l->front->gate;
	struct http_request r = request_of(t, p, head);
	struct http_reply to = {.body = l->body}; /* its memory is used again */
	l->body = (struct buf){0};
	v->closes |= t->closes;
	http_dispatch(g, &http_public, &r, &to);
	if (to.later && !wait_for(v, t, p, head, to.later)) {
		gate_count(g, COUNT_REFUSED);
		http_say(&to, MHD_HTTP_SERVICE_UNAVAILABLE, "too many wait: try later");
		to.later = NULL;
	}
	if (!to.later) {
		int64_t began = l->now;
		answer_give(v, &r, &to, t->is_head);
		l->now = clock_mono_us();
		http_note_latency(g, l->now - began);
	}
	l->body = to.body;
	buf_clear(&l->body);
}

/* The head is read. Octets that are used; 0: the body is not all there. */
static size_t take_body(struct visitor *v, struct http_text *t, const char *p, size_t n, size_t head)
{
	if (n - head < t->body_n)
		return 0;
	answer(v, t, p, head);
	return head + t->body_n;
}

/* Of n octets, at least as many as a head may have. All are used. */
static size_t refuse_long(struct visitor *v, const char *p, size_t n)
{
	bool line = memchr(p, '\n', HTTP_HEAD_MAX) != NULL;
	answer_refuse(v, line ? 431 : 414, line ? "the header fields are too large" : "the path is too long");
	return n;
}

/* A head that is whole. */
static size_t take_head(struct visitor *v, char *p, size_t n, size_t head)
{
	struct http_text *t = &v->loop->text;
	const char *why;
	if (head > HTTP_HEAD_MAX)
		return refuse_long(v, p, n);
	unsigned bad = http_text_parse(p, head, t, &why);
	if (bad != 0) {
		answer_refuse(v, bad, why);
		return n;
	}
	if (t->body_n > HTTP_BODY_MAX) {
		answer_refuse(v, 413, "the body is too large");
		return n;
	}
	v->looked_at = 0;
	size_t used = take_body(v, t, p, n, head);
	if (used > 0)
		return used;
	v->head_n = head;
	v->text = xmalloc(sizeof(*v->text));
	*v->text = *t;
	if (t->continues && n == head)
		answer_continue(v);
	return 0;
}

/* Octets that are used; 0: more must come. */
static size_t take_one(struct visitor *v, char *p, size_t n)
{
	if (v->text) {
		_cleanup_(freep) struct http_text *t = TAKE(v->text);
		size_t used = take_body(v, t, p, n, v->head_n);
		if (used == 0)
			v->text = TAKE(t);
		return used;
	}
	/* RFC 9112 2.2: an empty line before a request. */
	if (n >= 2 && p[0] == '\r' && p[1] == '\n') {
		v->looked_at = 0;
		return 2;
	}
	size_t head = http_text_head(p, n, &v->looked_at);
	if (head > 0)
		return take_head(v, p, n, head);
	return n < HTTP_HEAD_MAX ? 0 : refuse_long(v, p, n);
}

/* All that are whole, one after the other. Octets that are used. */
static size_t take(struct visitor *v, char *p, size_t n)
{
	size_t done = 0;
	while (done < n && v->fd >= 0 && !v->waiting && !v->unread && !visitor_is_sending(v)) {
		size_t used = take_one(v, p + done, n - done);
		if (used == 0)
			break;
		done += used;
	}
	return done;
}

static void take_kept(struct visitor *v)
{
	size_t used = take(v, (char *)v->in.data, v->in.len);
	if (v->fd < 0)
		return;
	v->in.len -= used;
	if (v->in.len == 0 || v->unread)
		buf_done(&v->in);
	else
		memmove(v->in.data, v->in.data + used, v->in.len);
}

void visitor_go_on(struct visitor *v)
{
	if (v->in.len > 0)
		take_kept(v);
}

/* --- what comes --- */

static ssize_t receive(struct visitor *v, void *to, size_t n)
{
	ssize_t got = recv(v->fd, to, n, 0);
	v->again = got == (ssize_t)n;
	if (got > 0)
		return got;
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		visitor_close(v);
	return 0;
}

/* Until the other end has read why, and closes: RFC 9112 9.6. */
static void discard(struct visitor *v)
{
	ssize_t n = receive(v, v->loop->read, FRONT_READ);
	v->thrown += (size_t)n;
	if (v->fd >= 0 && v->thrown > THROWN_MAX)
		visitor_close(v);
}

static void read_first(struct visitor *v)
{
	char *p = v->loop->read;
	size_t n = (size_t)receive(v, p, FRONT_READ);
	size_t used = take(v, p, n);
	if (n == used || v->fd < 0 || v->unread)
		return;
	buf_add(&v->in, p + used, n - used);
	if (!v->waiting)
		visitor_touch(v); /* a request begins */
}

static void read_more(struct visitor *v)
{
	buf_reserve(&v->in, FRONT_READ / 4);
	size_t n = (size_t)receive(v, v->in.data + v->in.len, FRONT_READ / 4);
	if (v->fd < 0 || n == 0)
		return;
	v->in.len += n;
	take_kept(v);
}

void visitor_on_event(struct visitor *v, uint32_t events)
{
	if (v->fd < 0)
		return; /* closed in this round */
	if (v->waiting) {
		if (events & (EPOLLERR | EPOLLHUP))
			visitor_close(v);
	} else if (visitor_is_sending(v)) {
		answer_push(v);
		if (v->fd >= 0 && !visitor_is_sending(v))
			visitor_go_on(v);
	} else if (v->ends) {
		discard(v);
	} else if (v->in.len > 0) {
		read_more(v);
	} else {
		read_first(v);
	}
	if (v->fd >= 0 && v->events == EPOLLIN && (v->again || (events & EPOLLRDHUP)))
		look_again(v);
}

void visitor_let_go(struct loop *l)
{
	for (struct visitor *v = TAKE(l->held), *next; v; v = next) {
		next = TAKE(v->held);
		if (v->fd < 0)
			continue;
		answer_push(v);
		if (v->fd >= 0 && !visitor_is_sending(v))
			visitor_go_on(v);
	}
}
