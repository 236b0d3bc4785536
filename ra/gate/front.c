/*
 * The world's HTTP server: for a fixed, small set of questions whose answers are a kilobyte, at the cost of a read and a
 * write. Each thread has connections of its own and looks after them alone; what may wait for the desk is answered by
 * http_later.c's threads, which ring. Only a request that has come in part, and an answer that was taken in part, costs memory.
 *
 * A connection that does nothing for idle_seconds is closed, and so is one whose request takes that long to come; when there are as many as may be, the one
 * that waits longest makes room. Next: front_visitor.c.
 */
#include "ra/gate/front_private.h"

#include "common/base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define EVENTS 64
#define LOOK_MS 1000
#define ROOM_US 1000000	 /* a connection that did something so lately makes no room */
#define DRAIN_US 5000000 /* for answers that are being sent when it stops, looked at so often: */
#define DRAIN_MS 50

static void ring(struct loop *l)
{
	const uint64_t one = 1;
	(void)!write(l->bell, &one, sizeof(one));
}

void loop_tell(struct loop *l, struct waiting *w)
{
	pthread_mutex_lock(&l->lock);
	w->next = l->answered;
	l->answered = w;
	ring(l); /* with the lock: the loop ends when it has heard of the last one */
	pthread_mutex_unlock(&l->lock);
}

/* --- connections that come --- */

static void listen_to(struct loop *l, bool on)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = &l->front->fd};
	if (l->listens != on)
		(void)epoll_ctl(l->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, l->front->fd, &e);
	l->listens = on;
}

static bool make_room(struct loop *l)
{
	bool old = l->first && l->now - l->first->since > ROOM_US;
	if (old)
		visitor_close(l->first);
	return old;
}

/* Its own thread, unless another one has much less to do. */
static struct loop *loop_for(struct loop *own)
{
	struct front *t = own->front;
	struct loop *least = own;
	for (size_t i = 0; i < t->n_loops; i++)
		if (t->loops[i].n < least->n)
			least = &t->loops[i];
	return own->n > least->n + least->n / 4 + 2 ? least : own;
}

static void hand_over(struct loop *l, struct visitor *v)
{
	pthread_mutex_lock(&l->lock);
	v->next = l->come;
	l->come = v;
	ring(l);
	pthread_mutex_unlock(&l->lock);
}

/* No descriptor is free: in a second again, or this thread would be told of it without end. */
static void on_no_descriptor(struct loop *l)
{
	if (!make_room(l))
		listen_to(l, false);
}

static void on_come(struct loop *l)
{
	struct front *t = l->front;
	int on = 1, fd = accept4(t->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			on_no_descriptor(l);
		return;
	}
	if (t->n >= (size_t)t->gate->config.connections && !make_room(l)) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* a Unix socket has none */
	struct loop *to = loop_for(l);
	struct visitor *v = visitor_new(to, fd);
	if (to == l)
		visitor_begin(v);
	else
		hand_over(to, v);
}

/* --- a thread --- */

static void on_bell(struct loop *l)
{
	uint64_t n;
	(void)!read(l->bell, &n, sizeof(n));
	pthread_mutex_lock(&l->lock);
	struct visitor *v = TAKE(l->come);
	struct waiting *w = TAKE(l->answered);
	pthread_mutex_unlock(&l->lock);
	while (v) {
		struct visitor *next = v->next;
		v->next = NULL;
		visitor_begin(v);
		v = next;
	}
	while (w) {
		struct waiting *next = w->next;
		visitor_answered(w);
		w = next;
	}
}

static void bury(struct loop *l)
{
	while (l->dead) {
		struct visitor *v = l->dead;
		l->dead = v->next;
		free(v);
	}
}

static void sweep(struct loop *l)
{
	int64_t idle = l->front->gate->config.idle_seconds * INT64_C(1000000);
	if (l->now - l->swept < LOOK_MS * INT64_C(1000))
		return;
	l->swept = l->now;
	while (l->first && l->now - l->first->since > idle)
		visitor_close(l->first);
	if (!l->front->quiet)
		listen_to(l, true);
}

/* Between requests. */
static void close_idle(struct loop *l)
{
	for (struct visitor *v = l->first, *next; v; v = next) {
		next = v->next;
		if (!visitor_is_sending(v))
			visitor_close(v);
	}
}

static void look(struct loop *l, int timeout_ms)
{
	struct epoll_event e[EVENTS];
	struct front *t = l->front;
	int n = epoll_wait(l->epoll, e, EVENTS, timeout_ms);
	l->now = clock_mono_us();
	for (int i = 0; i < n; i++) {
		l->to_come = n - i - 1;
		if (e[i].data.ptr == &t->fd)
			on_come(l);
		else if (e[i].data.ptr == &l->bell)
			on_bell(l);
		else
			visitor_on_event(e[i].data.ptr, e[i].events);
		if (l->held && (l->to_come == 0 || l->now >= l->held_until))
			visitor_let_go(l);
	}
	sweep(l);
	bury(l);
}

static void *run(void *arg)
{
	struct loop *l = arg;
	while (!l->front->stopping) {
		look(l, l->first || !l->listens ? LOOK_MS : -1);
		if (l->front->quiet)
			listen_to(l, false);
	}
	listen_to(l, false);
	look(l, 0); /* what has come before is answered */
	for (int64_t until = l->now + DRAIN_US; close_idle(l), (l->first || l->n_waiting > 0) && l->now < until;)
		look(l, DRAIN_MS);
	return NULL;
}

/* --- starting, stopping --- */

static enum err open_loop(struct front *t, struct loop *l, struct fault *f)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = &l->bell};
	l->front = t;
	pthread_mutex_init(&l->lock, NULL);
	l->now = l->swept = clock_mono_us();
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll < 0 || l->bell < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->bell, &e) != 0)
		return fault_raise(f, ERR_IO, "epoll", "http", "cannot look for events");
	listen_to(l, true);
	return OK;
}

/* After all threads: another one may have handed a connection over when this one had ended. */
static void close_loop(struct loop *l)
{
	on_bell(l);
	while (l->first)
		visitor_close(l->first);
	bury(l);
	buf_done(&l->out);
	buf_done(&l->body);
	closep(&l->epoll);
	closep(&l->bell);
	pthread_mutex_destroy(&l->lock);
}

enum err front_start(struct gate *g, int fd, struct later *later, struct front **ret, struct fault *f)
{
	struct front *t = xcalloc(1, sizeof(*t));
	enum err e = OK;
	t->gate = g;
	t->later = later;
	t->fd = fd;
	t->loops = xcalloc((size_t)g->config.threads, sizeof(*t->loops));
	while (e == OK && t->n_loops < (size_t)g->config.threads)
		e = open_loop(t, &t->loops[t->n_loops++], f);
	while (e == OK && t->n_started < t->n_loops) {
		struct loop *l = &t->loops[t->n_started];
		if (pthread_create(&l->thread, NULL, run, l) == 0)
			t->n_started++;
		else
			e = fault_raise(f, ERR_IO, "thread", "http", "cannot start a thread");
	}
	if (e != OK)
		front_stop(t);
	else
		*ret = t;
	return e;
}

static void tell_all(struct front *t, _Atomic bool *what)
{
	*what = true;
	for (size_t i = 0; i < t->n_started; i++)
		ring(&t->loops[i]);
}

void front_quiesce(struct front *t)
{
	tell_all(t, &t->quiet);
}

void front_stop(struct front *t)
{
	t->quiet = true;
	tell_all(t, &t->stopping);
	for (size_t i = 0; i < t->n_started; i++)
		pthread_join(t->loops[i].thread, NULL);
	for (size_t i = 0; i < t->n_loops; i++)
		close_loop(&t->loops[i]);
	free(t->loops);
	free(t);
}
