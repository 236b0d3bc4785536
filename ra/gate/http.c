/*
 * Between libmicrohttpd and the routes of a portal and of whoever watches. A request's body is bounded before it is kept, its path before it is looked at;
 * what may wait for the desk waits in threads of its own. Next: front.c, the other server; http_reply.c; routes.c.
 */
#include "ra/gate/http_private.h"

#include "common/base/clock.h"

#include <string.h>
#include <unistd.h>

#define PATH_BYTES_MAX 8192
#define CONNECTION_MEMORY 12288 /* headers of one request and its answer */
#define ADMIN_CONNECTIONS 64

/* Of one request, from its headers on. */
struct exchange {
	struct later_job job; /* the request and its answer; first, since it is what comes back */
	struct buf body;
	int64_t began;
	bool too_large, answered;
};

struct http {
	struct gate *gate;
	struct front *front;	   /* the world's, of a gate for status */
	struct MHD_Daemon *public; /* of a portal */
	struct MHD_Daemon *admin;
	struct later *later;
	int public_fd;
};

void http_note_latency(struct gate *g, int64_t us)
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

void http_dispatch(struct gate *g, const struct http_routes *routes, const struct http_request *r,
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

static void add_to_response(void *to, const char *name, const char *value)
{
	(void)!MHD_add_response_header(to, name, value);
}

/* Takes the answer's body and file. */
static enum MHD_Result give(struct MHD_Connection *c, const struct http_request *r, struct http_reply *to)
{
	struct http_part part;
	struct MHD_Response *m = NULL;
	size_t n = 0;
	switch (http_settle(r, to, &part)) {
	case BODY_NONE:
		m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		break;
	case BODY_BYTES: {
		char *bytes = buf_take(&to->body, &n);
		m = MHD_create_response_from_buffer(n, bytes, MHD_RESPMEM_MUST_FREE);
		break;
	}
	case BODY_FIXED:
		m = MHD_create_response_from_buffer(to->fixed.n, (void *)(uintptr_t)to->fixed.p,
						    MHD_RESPMEM_PERSISTENT);
		break;
	case BODY_FILE:
		m = MHD_create_response_from_fd_at_offset64(part.n, to->fd, part.from);
		break;
	}
	http_fields(to, &part, &(struct http_sink){add_to_response, m});
	enum MHD_Result sent = MHD_queue_response(c, to->status, m);
	MHD_destroy_response(m);
	buf_done(&to->body);
	return sent;
}

static enum MHD_Result refuse(struct gate *g, struct MHD_Connection *c, unsigned status, const char *text)
{
	struct http_request r = {.method = "GET", .path = "", .connection = c};
	struct http_reply to = {0};
	gate_count(g, COUNT_REFUSED);
	http_say(&to, status, text);
	return give(c, &r, &to);
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

/* The connection sleeps until its answer is there. */
static void on_answered(struct later_job *j)
{
	struct exchange *x = (struct exchange *)j;
	x->answered = true;
	MHD_resume_connection(j->request.connection);
}

/* Put to sleep first: the answer may be there before this returns. */
static void wait_for(struct http *h, struct exchange *x)
{
	x->job.done = on_answered;
	MHD_suspend_connection(x->job.request.connection);
	if (later_push(h->later, &x->job))
		return;
	gate_count(h->gate, COUNT_REFUSED);
	x->job.reply.later = NULL;
	http_say(&x->job.reply, MHD_HTTP_SERVICE_UNAVAILABLE, "too many wait: try later");
	on_answered(&x->job);
}

static enum MHD_Result finish(struct gate *g, struct MHD_Connection *c, struct exchange *x)
{
	enum MHD_Result sent = give(c, &x->job.request, &x->job.reply);
	http_note_latency(g, clock_mono_us() - x->began);
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
	x->job.request = (struct http_request){.method = strcmp(method, "HEAD") == 0 ? "GET" : method,
					       .path = url,
					       .body = buf_slice(&x->body),
					       .connection = c};
	http_dispatch(g, routes, &x->job.request, &x->job.reply);
	if (!x->job.reply.later)
		return finish(g, c, x);
	wait_for(h, x);
	return MHD_YES;
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
	return on_request(h, &http_portal, c, url, method, data, n, state);
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
		buf_done(&x->job.reply.body);
	}
	free(x);
	*state = NULL;
}

static void on_log(void *arg, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *arg, const char *fmt, va_list ap)
{
	char text[300];
	(void)arg;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_event(LOG_LEVEL_DEBUG, "http", "text=%s", LQ(text));
}

static struct MHD_Daemon *start(struct http *h, int fd, MHD_AccessHandlerCallback handler, unsigned threads,
				unsigned connections)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
	return MHD_start_daemon(flags, 0, NULL, NULL, handler, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
				MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, threads,
				MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
				(unsigned)h->gate->config.idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
}

static enum err start_public(struct http *h, int fd, struct fault *f)
{
	const struct gate_config *c = &h->gate->config;
	unsigned threads = (unsigned)c->threads;
	if (c->role == GATE_STATUS)
		return front_start(h->gate, fd, h->later, &h->front, f);
	h->public = start(h, fd, on_public, threads > 1 ? threads : 0, (unsigned)c->connections);
	return h->public ? OK : fault_raise(f, ERR_INTERNAL, "http", "listen", "libmicrohttpd does not start");
}

static enum err start_all(struct http *h, int admin_fd, struct fault *f)
{
	TRY(later_start(h->gate, &h->later, f));
	TRY(start_public(h, h->public_fd, f));
	h->admin = start(h, admin_fd, on_admin, 0, ADMIN_CONNECTIONS);
	return h->admin ? OK : fault_raise(f, ERR_INTERNAL, "http", "metrics", "libmicrohttpd does not start");
}

enum err http_start(struct gate *g, int public_fd, int admin_fd, struct http **ret, struct fault *f)
{
	struct http *h = xcalloc(1, sizeof(*h));
	h->gate = g;
	h->public_fd = public_fd;
	enum err e = start_all(h, admin_fd, f);
	if (e != OK) {
		http_stop(h);
		return e;
	}
	*ret = h;
	return OK;
}

/* First those that wait get their answers, or libmicrohttpd would wait for them for ever. Requests that are being answered end: libmicrohttpd closes
 * connections only between requests once it is quiesced, and those that are idle at once; so does the front. */
void http_stop(struct http *h)
{
	if (h->front)
		front_quiesce(h->front);
	if (h->public)
		(void)MHD_quiesce_daemon(h->public);
	if (h->later)
		later_stop(h->later);
	if (h->front)
		front_stop(h->front);
	if (h->public)
		MHD_stop_daemon(h->public);
	close(h->public_fd);
	if (h->admin)
		MHD_stop_daemon(h->admin);
	if (h->later)
		later_free(h->later);
	free(h);
}
