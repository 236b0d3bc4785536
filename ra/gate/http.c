/*
 * Between libmicrohttpd and the routes. A request's body is bounded before it is kept, its path before it is looked at;
 * what caches and clients know of an answer already (ETag, Last-Modified) and which part of it they want is dealt with
 * here, once for all routes. Next: routes.c.
 */
#include "ra/gate/http.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/rpc/path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define PATH_BYTES_MAX 8192
#define CONNECTION_MEMORY 12288 /* headers of one request and its answer; libmicrohttpd clears it for each */
#define BACKLOG 1024
#define ADMIN_CONNECTIONS 64
#define DATE_BYTES 32
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

/* --- a request --- */

const char *http_argument(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *http_cookie(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);
}

void http_peer(const struct http_request *r, char ret[46])
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = i ? i->client_addr : NULL;
	ret[0] = '\0';
	if (a && a->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, ret, 46);
	if (a && a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, ret, 46);
}

void http_say(struct http_reply *to, unsigned status, const char *text)
{
	to->status = status;
	to->type = "text/plain; charset=utf-8";
	buf_clear(&to->body);
	buf_str(&to->body, text);
	buf_char(&to->body, '\n');
}

/* --- an answer --- */

static char *put_text(char *at, const char *text, size_t n)
{
	memcpy(at, text, n);
	return at + n;
}

static char *put_digits(char *at, int v, int n)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		at[i] = (char)('0' + v % 10);
	return at + n;
}

/* IMF-fixdate, RFC 9110 5.6.7; two of them stand in most answers. */
static const char *http_date(int64_t t, char ret[DATE_BYTES])
{
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil c = time_civil(t);
	int64_t day = t >= 0 ? t / 86400 % 7 : 0;
	char *at = put_text(ret, days[day], 3);
	at = put_text(put_digits(put_text(at, ", ", 2), c.day, 2), " ", 1);
	at = put_digits(put_text(put_text(at, months[(c.month - 1) % 12], 3), " ", 1), c.year, 4);
	at = put_digits(put_text(put_digits(put_text(at, " ", 1), c.hour, 2), ":", 1), c.minute, 2);
	memcpy(put_digits(put_text(at, ":", 1), c.second, 2), " GMT", 5);
	return ret;
}

/* Does the list of If-None-Match name the tag? Weakly compared, RFC 9110 13.1.2. */
static bool names_tag(const char *list, const char *tag)
{
	size_t n = strlen(tag);
	if (strcmp(list, "*") == 0)
		return true;
	for (const char *p = list; (p = strstr(p, tag)); p += n) {
		if (p > list && p[-1] == '"' && p[n] == '"')
			return true;
	}
	return false;
}

/* If-Modified-Since counts only where there is no If-None-Match; a date that is not ours by the letter is another. */
static bool is_known(const struct http_request *r, const struct http_reply *to)
{
	const char *tags = http_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH);
	const char *since = http_header(r, MHD_HTTP_HEADER_IF_MODIFIED_SINCE);
	char date[DATE_BYTES];
	if (to->status != MHD_HTTP_OK || strcmp(r->method, "GET") != 0)
		return false;
	if (tags)
		return to->etag[0] != '\0' && names_tag(tags, to->etag);
	return since && to->modified != 0 && strcmp(since, http_date(to->modified, date)) == 0;
}

/* One range of a file, RFC 9110 14.2: "bytes=a-b", "bytes=a-", "bytes=-n". Anything else is the whole. *ret_bad: nothing of the
 * file is in it. */
static bool read_range(const char *text, uint64_t size, uint64_t *ret_from, uint64_t *ret_n, bool *ret_bad)
{
	uint64_t a = 0, b = size - 1;
	*ret_bad = false;
	if (!text || strncmp(text, "bytes=", 6) != 0 || strchr(text, ',') || size == 0)
		return false;
	const char *from = text + 6, *dash = strchr(from, '-');
	if (!dash)
		return false;
	bool has_a = dash > from, has_b = dash[1] != '\0';
	if ((has_a && !u64_parse(from, (size_t)(dash - from), UINT64_MAX, &a)) ||
	    (has_b && !u64_parse(dash + 1, strlen(dash + 1), UINT64_MAX, &b)) || (!has_a && !has_b))
		return false;
	if (!has_a) {
		*ret_bad = b == 0;
		a = b >= size ? 0 : size - b;
		b = size - 1;
	}
	if (has_a && has_b && b < a)
		return false;
	*ret_bad |= a >= size;
	*ret_from = a;
	*ret_n = (b >= size ? size - 1 : b) - a + 1;
	return true;
}

static void add(struct MHD_Response *m, const char *name, const char *value)
{
	(void)!MHD_add_response_header(m, name, value);
}

static void add_life(struct MHD_Response *m, const struct http_reply *to)
{
	char text[100], date[DATE_BYTES];
	snprintf(text, sizeof(text), "max-age=%lld, public, no-transform, %s", (long long)to->max_age,
		 to->immutable ? "immutable" : "must-revalidate");
	add(m, MHD_HTTP_HEADER_CACHE_CONTROL, to->max_age > 0 ? text : to->revalidate ? "no-cache" : "no-store");
	if (to->etag[0] != '\0') {
		snprintf(text, sizeof(text), "\"%s\"", to->etag);
		add(m, MHD_HTTP_HEADER_ETAG, text);
	}
	if (to->modified != 0)
		add(m, MHD_HTTP_HEADER_LAST_MODIFIED, http_date(to->modified, date));
	if (to->expires != 0)
		add(m, MHD_HTTP_HEADER_EXPIRES, http_date(to->expires, date));
}

static void add_rest(struct MHD_Response *m, const struct http_reply *to)
{
	if (to->type)
		add(m, MHD_HTTP_HEADER_CONTENT_TYPE, to->type);
	if (to->allow)
		add(m, MHD_HTTP_HEADER_ALLOW, to->allow);
	if (to->cookie[0] != '\0')
		add(m, MHD_HTTP_HEADER_SET_COOKIE, to->cookie);
	if (to->encoding) {
		add(m, MHD_HTTP_HEADER_CONTENT_ENCODING, to->encoding);
		add(m, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	}
	add(m, "X-Content-Type-Options", "nosniff");
	if (to->is_page) {
		add(m, "Content-Security-Policy",
		    to->policy ? to->policy
			       : "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
				 "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
		add(m, "Referrer-Policy", "no-referrer");
	}
	if (!to->origin)
		return;
	add(m, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, to->origin);
	add(m, MHD_HTTP_HEADER_VARY, "Origin");
	add(m, "Access-Control-Allow-Methods", "GET, POST");
	add(m, "Access-Control-Allow-Headers", "authorization, content-type");
	add(m, "Access-Control-Max-Age", "3600");
}

/* Takes the file. */
static struct MHD_Response *from_file(const struct http_request *r, struct http_reply *to)
{
	uint64_t from = 0, n = to->fd_size;
	char text[80];
	bool bad = false, part = to->status == MHD_HTTP_OK &&
				 read_range(http_header(r, MHD_HTTP_HEADER_RANGE), to->fd_size, &from, &n, &bad);
	if (bad) {
		close(to->fd);
		to->status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	}
	struct MHD_Response *m = MHD_create_response_from_fd_at_offset64(n, to->fd, from);
	add(m, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (!part)
		return m;
	to->status = MHD_HTTP_PARTIAL_CONTENT;
	snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)from,
		 (unsigned long long)(from + n - 1), (unsigned long long)to->fd_size);
	add(m, MHD_HTTP_HEADER_CONTENT_RANGE, text);
	return m;
}

static struct MHD_Response *from_buffer(struct http_reply *to)
{
	size_t n = 0;
	if (to->fixed.n > 0)
		return MHD_create_response_from_buffer(to->fixed.n, (void *)(uintptr_t)to->fixed.p,
						       MHD_RESPMEM_PERSISTENT);
	if (to->body.len == 0)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	char *bytes = buf_take(&to->body, &n);
	return MHD_create_response_from_buffer(n, bytes, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result give(struct MHD_Connection *c, const struct http_request *r, struct http_reply *to)
{
	struct MHD_Response *m;
	to->status = to->status ? to->status : MHD_HTTP_OK;
	if (is_known(r, to)) {
		to->status = MHD_HTTP_NOT_MODIFIED;
		to->type = NULL;
		if (to->fd > 0)
			close(to->fd);
		m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	} else {
		m = to->fd > 0 ? from_file(r, to) : from_buffer(to);
	}
	add_life(m, to);
	add_rest(m, to);
	enum MHD_Result sent = MHD_queue_response(c, to->status, m);
	MHD_destroy_response(m);
	buf_done(&to->body);
	return sent;
}

/* --- the servers --- */

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
	enum MHD_Result sent = give(c, &x->request, &x->reply);
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
				(size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
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

/* --- listening --- */

static enum err failed(struct fault *f, const char *where, const char *what)
{
	return fault_raise(f, errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "listen", where, "%s: %s", what,
			   strerror(errno));
}

static enum err listen_unix(const char *path, int fd, struct fault *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	TRY(path_check(path, f));
	TRY(path_claim(path, f));
	memcpy(a.sun_path, path, strlen(path));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || chmod(path, 0666) != 0)
		return failed(f, "listen", path);
	return OK;
}

static enum err listen_tcp(const struct gate_listen *l, int fd, struct fault *f)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)l->port)};
	int on = 1;
	bool is_v6 = strchr(l->address, ':') != NULL;
	if (is_v6)
		inet_pton(AF_INET6, l->address, &v6.sin6_addr);
	else
		inet_pton(AF_INET, l->address, &v4.sin_addr);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (is_v6 ? bind(fd, (struct sockaddr *)&v6, sizeof(v6)) : bind(fd, (struct sockaddr *)&v4, sizeof(v4))) != 0)
		return failed(f, "listen", l->address);
	return OK;
}

enum err http_listen(const struct gate_listen *l, int *ret_fd, struct fault *f)
{
	int family = l->path ? AF_UNIX : strchr(l->address, ':') ? AF_INET6 : AF_INET;
	_cleanup_(closep) int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed(f, "listen", "socket");
	TRY(l->path ? listen_unix(l->path, fd, f) : listen_tcp(l, fd, f));
	if (listen(fd, BACKLOG) != 0)
		return failed(f, "listen", "listen");
	*ret_fd = fd;
	fd = -1;
	return OK;
}
