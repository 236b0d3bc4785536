/*
 * Between libmicrohttpd and the routes. A request's body is bounded before it is kept, its path before it is looked at;
 * what may wait for the desk waits in threads of its own. Next: http_reply.c, which sends; routes.c.
 */
#include "ra/gate/http_private.h"

#include "common/base/clock.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES_MAX 8192
/* Headers of one request and its answer. libmicrohttpd clears it half again for each request, so where answers count it is short. */
#define CONNECTION_MEMORY 6144
#define CONNECTION_MEMORY_PORTAL 12288
#define ADMIN_CONNECTIONS 64
#define LATER_THREADS 4
#define LATER_PORTAL 16 /* all that a portal does waits for the desk */
#define LATER_MAX 256

/* Of one request, from its headers on. */
struct exchange {
	struct buf body;
	int64_t began;
	bool too_large;
	/* of one that is answered later: */
	bool answered;
	struct http_request request;
	struct http_reply reply;
	struct exchange *next;
};

/* Threads for what may wait, and what waits for them. */
struct waiting {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	pthread_t threads[LATER_PORTAL];
	size_t n_threads, n;
	struct exchange *first, **last;
	bool stopping;
};

struct http {
	struct gate *gate;
	struct MHD_Daemon *public, *admin;
	struct waiting waiting;
};

static void note_latency(struct gate *g, int64_t us)
{
	size_t i = 0;
	for (int64_t most = 16; i < LATENCY_BUCKETS - 1 && us > most; most *= 4)
		i++;
	atomic_fetch_add_explicit(&g->latency[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&g->latency_us, (uint64_t)us, memory_order_relaxed);
}

static bool method_known(const char *m)
{
	return strcmp(m, "GET") == 0 || strcmp(m, "POST") == 0 || strcmp(m, "OPTIONS") == 0;
}

static void dispatch(struct gate *g, const struct http_routes *routes, const struct http_request *r,
		     struct http_reply *to)
{
	if (!method_known(r->method)) {
		http_say(to, MHD_HTTP_METHOD_NOT_ALLOWED, "this method is not served");
		to->allow = "GET, HEAD, POST, OPTIONS";
		gate_count(g, COUNT_REFUSED);
		return;
	}
	for (size_t i = 0; i < routes->n; i++) {
		if (routes->v[i](g, r, to))
			return;
	}
	http_say(to, MHD_HTTP_NOT_FOUND, "there is nothing of that name");
	gate_count(g, COUNT_NOT_FOUND);
}

static enum MHD_Result refuse(struct gate *g, struct MHD_Connection *c, unsigned status, const char *text)
{
	struct http_request r = {.method = "GET", .path = "", .connection = c};
	struct http_reply to = {0};
	gate_count(g, COUNT_REFUSED);
	http_say(&to, status, text);
	return http_give(c, &r, &to);
}

static size_t body_max(const struct gate *g)
{
	return g->config.role == GATE_PORTAL ? HTTP_RPC_MAX : HTTP_BODY_MAX;
}

static enum MHD_Result begin(struct gate *g, struct MHD_Connection *c, const char *url, void **state)
{
	const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t n = 0;
	struct exchange *x = xcalloc(1, sizeof(*x));
	x->began = clock_mono_us();
	*state = x;
	if (strlen(url) > PATH_BYTES_MAX)
		return refuse(g, c, MHD_HTTP_URI_TOO_LONG, "the path is too long");
	if (length && (!u64_parse(length, strlen(length), UINT64_MAX, &n) || n > body_max(g)))
		return refuse(g, c, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
	return MHD_YES;
}

static void take_body(struct exchange *x, const char *data, size_t n, size_t max)
{
	x->too_large |= n > max - x->body.len;
	if (!x->too_large)
		buf_add(&x->body, data, n);
}

/* --- answers that come later --- */

/* The connection sleeps until its answer is there: libmicrohttpd's threads never wait for the desk. False: too many wait. */
static bool push(struct waiting *w, struct exchange *x)
{
	pthread_mutex_lock(&w->lock);
	bool taken = w->n < LATER_MAX && !w->stopping;
	if (taken) {
		MHD_suspend_connection(x->request.connection);
		x->next = NULL;
		*w->last = x;
		w->last = &x->next;
		w->n++;
		pthread_cond_signal(&w->more);
	}
	pthread_mutex_unlock(&w->lock);
	return taken;
}

/* NULL: it stops, and nobody waits any more. */
static struct exchange *pop(struct waiting *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->stopping)
		pthread_cond_wait(&w->more, &w->lock);
	struct exchange *x = w->first;
	if (x) {
		w->first = x->next;
		w->last = w->first ? w->last : &w->first;
		w->n--;
	}
	pthread_mutex_unlock(&w->lock);
	return x;
}

static void *run_waiting(void *arg)
{
	struct http *h = arg;
	struct exchange *x;
	while ((x = pop(&h->waiting))) {
		http_route *later = x->reply.later;
		x->reply.later = NULL;
		later(h->gate, &x->request, &x->reply);
		x->answered = true;
		MHD_resume_connection(x->request.connection);
	}
	return NULL;
}

static enum err waiting_start(struct http *h, struct fault *f)
{
	struct waiting *w = &h->waiting;
	size_t n = h->gate->config.role == GATE_PORTAL ? LATER_PORTAL : LATER_THREADS;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	w->last = &w->first;
	while (w->n_threads < n) {
		if (pthread_create(&w->threads[w->n_threads], NULL, run_waiting, h) != 0)
			return fault_raise(f, ERR_IO, "thread", "http", "cannot start a thread");
		w->n_threads++;
	}
	return OK;
}

static void waiting_stop(struct http *h)
{
	struct waiting *w = &h->waiting;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i], NULL);
}

static enum MHD_Result finish(struct gate *g, struct MHD_Connection *c, struct exchange *x)
{
	enum MHD_Result sent = http_give(c, &x->request, &x->reply);
	note_latency(g, clock_mono_us() - x->began);
	return sent;
}

static enum MHD_Result serve(struct http *h, const struct http_routes *routes, struct MHD_Connection *c,
			     const char *url, const char *method, struct exchange *x)
{
	struct gate *g = h->gate;
	if (x->answered)
		return finish(g, c, x);
	if (x->too_large)
		return refuse(g, c, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
	x->request = (struct http_request){.method = strcmp(method, "HEAD") == 0 ? "GET" : method,
					   .path = url,
					   .body = buf_slice(&x->body),
					   .connection = c};
	dispatch(g, routes, &x->request, &x->reply);
	if (!x->reply.later)
		return finish(g, c, x);
	return push(&h->waiting, x) ? MHD_YES : refuse(g, c, MHD_HTTP_SERVICE_UNAVAILABLE, "too many wait: try later");
}

static enum MHD_Result on_request(struct http *h, const struct http_routes *routes, struct MHD_Connection *c,
				  const char *url, const char *method, const char *data, size_t *n, void **state)
{
	if (!*state)
		return begin(h->gate, c, url, state);
	if (*n > 0) {
		take_body(*state, data, *n, body_max(h->gate));
		*n = 0;
		return MHD_YES;
	}
	return serve(h, routes, c, url, method, *state);
}

static enum MHD_Result on_public(void *arg, struct MHD_Connection *c, const char *url, const char *method,
				 const char *version, const char *data, size_t *n, void **state)
{
	struct http *h = arg;
	(void)version;
	return on_request(h, h->gate->config.role == GATE_PORTAL ? &http_portal : &http_public, c, url, method, data, n,
			  state);
}

static enum MHD_Result on_admin(void *arg, struct MHD_Connection *c, const char *url, const char *method,
				const char *version, const char *data, size_t *n, void **state)
{
	struct http *h = arg;
	(void)version;
	return on_request(h, h->gate->config.role == GATE_PORTAL ? &http_portal_admin : &http_admin, c, url, method,
			  data, n, state);
}

static void on_end(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *state;
	(void)arg;
	(void)c;
	(void)why;
	if (x) {
		buf_done(&x->body);
		buf_done(&x->reply.body);
	}
	free(x);
	*state = NULL;
}

static void on_log(void *arg, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *arg, const char *fmt, va_list ap)
{
	char text[300];
	(void)arg;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_event(LOG_LEVEL_DEBUG, "http", "text=%s", LQ(text));
}

static struct MHD_Daemon *start(struct http *h, int fd, MHD_AccessHandlerCallback handler, unsigned threads,
				unsigned connections)
{
	const struct gate_config *c = &h->gate->config;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
	return MHD_start_daemon(flags, 0, NULL, NULL, handler, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
				MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, threads,
				MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
				(unsigned)c->idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)(c->role == GATE_PORTAL ? CONNECTION_MEMORY_PORTAL : CONNECTION_MEMORY),
				MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
}

enum err http_start(struct gate *g, int public_fd, int admin_fd, struct http **ret, struct fault *f)
{
	struct http *h = xcalloc(1, sizeof(*h));
	unsigned threads = (unsigned)g->config.threads;
	h->gate = g;
	if (waiting_start(h, f) != OK) {
		http_stop(h);
		return ERR_IO;
	}
	h->public = start(h, public_fd, on_public, threads > 1 ? threads : 0, (unsigned)g->config.connections);
	h->admin = start(h, admin_fd, on_admin, 0, ADMIN_CONNECTIONS);
	if (!h->public || !h->admin) {
		http_stop(h);
		return fault_raise(f, ERR_INTERNAL, "http", "listen", "libmicrohttpd does not start");
	}
	*ret = h;
	return OK;
}

/* First those that wait get their answers, or libmicrohttpd would wait for them for ever. Requests that are being answered end: libmicrohttpd closes connections only between requests once it is quiesced, and
 * those that are idle at once. */
void http_stop(struct http *h)
{
	int fd = h->public ? MHD_quiesce_daemon(h->public) : -1;
	waiting_stop(h);
	if (h->public) {
		MHD_stop_daemon(h->public);
		if (fd >= 0)
			close(fd);
	}
	if (h->admin)
		MHD_stop_daemon(h->admin);
	free(h);
}
