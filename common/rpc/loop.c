/*
 * One epoll for the listener and all peers. What they ask goes into the queue (queue.c), from which the workers take it.
 *
 * nng's own listener stops for good when a peer hangs up before the greeting (seen with 1.5.2: the failed write of the
 * greeting counts as "closed" there), and it looks at peers only after the greeting; so the server's side is written
 * here, on the same wire. Peers are admitted by uid as soon as they are accepted, before a byte of theirs is read. See
 * conn.c for a single connection, server.c for the workers.
 */
#include "common/rpc/loop.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define MAX_CONNS 1024u
#define MAX_CONNS_OF_UID 256u
#define GREETING_US 5000000  /* to greet */
#define DRAIN_US 3000000     /* to take the last replies, when stopping */
#define TICK_MS 50	     /* only while there is a limit of time to watch */
#define LOG_EVERY_US 1000000 /* refused peers come back at once: one line a second */

enum phase { SERVING, STOPPING, ENDING };

struct loop {
	int epoll, listener, wake;
	struct loop_config config;
	uid_t *uids;
	uint8_t *scratch;
	struct conn *conns;
	unsigned n_conns;
	bool accept_paused;
	bool watching; /* something has a limit of time: look each tick */
	bool finishing;
	int64_t end_us, looked_us;
	int64_t last_log_us;
	uint64_t refused;
	_Atomic enum phase phase;
	struct queue *queue;
	bool waits; /* requests do, in the queue */
};

enum err loop_new(int listener, const struct loop_config *c, struct loop **ret, struct fault *f)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	l->config = *c;
	l->uids = xcalloc(c->n_uids + 1, sizeof(*l->uids));
	if (c->n_uids > 0)
		memcpy(l->uids, c->uids, c->n_uids * sizeof(*l->uids));
	l->scratch = xmalloc(CONN_SCRATCH);
	l->queue = queue_new(c->at_work, c->jobs);
	l->listener = listener;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event on_listener = {.events = EPOLLIN, .data.ptr = &l->listener},
			   on_wake = {.events = EPOLLIN, .data.ptr = &l->wake};
	if (l->epoll >= 0 && l->wake >= 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, listener, &on_listener) == 0 &&
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &on_wake) == 0) {
		*ret = l;
		return OK;
	}
	enum err e = fault_raise(f, ERR_IO, "socket", "socket", "epoll: %s", strerror(errno));
	loop_free(l);
	return e;
}

void loop_free(struct loop *l)
{
	queue_free(l->queue);
	closep(&l->listener);
	closep(&l->epoll);
	closep(&l->wake);
	free(l->scratch);
	free(l->uids);
	free(l);
}

/* --- connections ------------------------------------------------------------------------------------------------- */

static void link_conn(struct loop *l, struct conn *c)
{
	c->next = l->conns;
	if (l->conns)
		l->conns->prev = c;
	l->conns = c;
	l->n_conns++;
	l->watching = true;
}

static void drop_conn(struct loop *l, struct conn *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		l->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	l->n_conns--;
	conn_close(c);
	conn_unref(c);
}

static void log_peer(struct loop *l, const char *event, const struct rpc_peer *peer, const char *why)
{
	int64_t now = clock_mono_us();
	l->refused++;
	if (l->last_log_us != 0 && now - l->last_log_us < LOG_EVERY_US)
		return;
	l->last_log_us = now;
	log_event(LOG_LEVEL_WARNING, event, "uid=%u gid=%u pid=%d why=%s refused_total=%" PRIu64, (unsigned)peer->uid,
		  (unsigned)peer->gid, (int)peer->pid, LQ(why), l->refused);
}

/* NULL, or why this peer may not connect. */
static const char *refuse(const struct loop *l, uid_t uid)
{
	bool listed = l->config.any_uid;
	for (size_t i = 0; i < l->config.n_uids && !listed; i++)
		listed = l->uids[i] == uid;
	if (!listed)
		return "this user may not connect";
	unsigned same = 0;
	for (const struct conn *c = l->conns; c; c = c->next)
		same += c->peer.uid == uid;
	if (l->n_conns >= MAX_CONNS || same >= MAX_CONNS_OF_UID)
		return "too many connections";
	return NULL;
}

static void admit(struct loop *l, int fd_given)
{
	_cleanup_(closep) int fd = fd_given;
	struct ucred u = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t n = sizeof(u);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) < 0)
		return;
	struct rpc_peer peer = {.uid = u.uid, .gid = u.gid, .pid = u.pid};
	const char *why = refuse(l, u.uid);
	if (why) {
		log_peer(l, "peer_refused", &peer, why);
		return;
	}
	struct conn *c = conn_new(l->epoll, fd, &peer);
	fd = -1; /* taken. NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
	if (!c)
		return;
	c->at_once = l->config.at_once;
	c->arg = l->config.arg;
	link_conn(l, c);
}

static void watch_listener(struct loop *l, bool on)
{
	struct epoll_event e = {.events = on ? EPOLLIN : 0, .data.ptr = &l->listener};
	(void)epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->listener, &e);
	l->accept_paused = !on;
	l->watching |= !on;
}

static void accept_peers(struct loop *l)
{
	int fd;
	while ((fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		admit(l, fd);
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		log_event(LOG_LEVEL_ERROR, "accept_failed", "why=%s", LQ(strerror(errno)));
		watch_listener(l, false);
	}
}

static void on_conn(struct loop *l, struct conn *c, uint32_t events, struct request ***tail)
{
	struct fault f;
	bool alive = true;
	if (events & EPOLLOUT)
		alive = conn_flush(c);
	if (alive && events & EPOLLIN) {
		enum err e = conn_read(c, l->scratch, l->config.max_request, tail, &f);
		alive = e == OK;
		l->watching |= c->kept;
		if (e != OK && e != ERR_NET)
			log_peer(l, "peer_violation", &c->peer, f.text);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		alive = false;
	}
	if (!alive)
		drop_conn(l, c);
}

/* --- the thread -------------------------------------------------------------------------------------------------- */

/* What has a limit of time: greetings, replies that nobody reads, a pause in accepting. */
static void look_after(struct loop *l)
{
	int64_t now = clock_mono_us();
	if (!l->watching || now - l->looked_us < TICK_MS * 1000)
		return;
	l->looked_us = now;
	l->watching = l->finishing;
	if (l->accept_paused && l->listener >= 0)
		watch_listener(l, true);
	struct conn *next;
	for (struct conn *c = l->conns; c; c = next) {
		next = c->next;
		bool stalled = conn_stalled(c, now, l->config.send_timeout_us);
		if (stalled || (!c->greeted && now - c->since_us > GREETING_US)) {
			log_peer(l, "peer_violation", &c->peer,
				 stalled ? "does not read its replies" : "does not greet");
			drop_conn(l, c);
		} else if (c->pending || !c->greeted) {
			l->watching = true;
		}
	}
}

/* True when there is nothing left to do. */
static bool advance(struct loop *l)
{
	enum phase phase = atomic_load(&l->phase);
	if (phase != SERVING && l->listener >= 0)
		closep(&l->listener);
	if (phase != ENDING)
		return false;
	if (!l->finishing) {
		l->finishing = l->watching = true;
		l->end_us = clock_mono_us() + DRAIN_US;
		for (struct conn *c = l->conns; c; c = c->next)
			conn_finish(c);
	}
	return l->n_conns == 0 || clock_mono_us() >= l->end_us;
}

void *loop_run(void *arg)
{
	struct loop *l = arg;
	while (!advance(l)) {
		struct epoll_event v[64];
		int n = epoll_wait(l->epoll, v, 64, l->waits ? QUEUE_SLOW_US / 1000 : l->watching ? TICK_MS : -1);
		struct request *batch = NULL, **tail = &batch;
		for (int i = 0; i < n; i++) {
			uint64_t woken;
			if (v[i].data.ptr == &l->wake)
				l->watching |= read(l->wake, &woken, sizeof(woken)) > 0;
			else if (v[i].data.ptr == &l->listener && l->listener >= 0)
				accept_peers(l);
			else if (v[i].data.ptr != &l->listener)
				on_conn(l, v[i].data.ptr, v[i].events, &tail);
		}
		queue_add(l->queue, batch, tail);
		if (batch || l->waits)
			l->waits = queue_look(l->queue);
		look_after(l);
	}
	while (l->conns)
		drop_conn(l, l->conns);
	return NULL;
}

static void wake(struct loop *l)
{
	(void)!write(l->wake, &(uint64_t){1}, sizeof(uint64_t)); /* full means woken already */
}

void loop_stop(struct loop *l)
{
	queue_stop(l->queue);
	atomic_store(&l->phase, STOPPING);
	wake(l);
}

void loop_end(struct loop *l)
{
	atomic_store(&l->phase, ENDING);
	wake(l);
}

/* --- the workers' side ------------------------------------------------------------------------------------------- */

bool loop_next(struct loop *l, struct worker *w, struct request **ret_request, struct rpc_job **ret_job)
{
	bool more = queue_next(l->queue, w, ret_request, ret_job);
	if (*ret_request)
		(*ret_request)->loop = l;
	return more;
}

struct request *loop_more(struct loop *l, struct worker *w)
{
	struct request *r = queue_more(l->queue, w);
	if (r)
		r->loop = l;
	return r;
}

void loop_resume(struct loop *l, struct rpc_job *job)
{
	queue_resume(l->queue, job);
}

void loop_done(struct loop *l, struct request *r, struct slice reply)
{
	if (reply.n > 0 && conn_reply(r->conn, r->id, reply))
		wake(l);
	queue_done(l->queue, r);
}
