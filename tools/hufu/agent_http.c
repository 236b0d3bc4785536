/*
 * Between libmicrohttpd and the methods. A request is looked at before its body is read: the Host header must name this machine (a name that an
 * attacker lets resolve to 127.0.0.1 is another), the Origin must be on the list, the content must be JSON, so that a browser asks first
 * (Fetch standard, 3.2.2; Private Network Access). What is not from a page of the list gets no header by which a browser would show it the answer.
 */
#include "tools/hufu/agent.h"

#include "common/base/log.h"

#include <microhttpd.h>
#include <string.h>

#define BODY_MAX (128u * 1024u)
#define CONNECTIONS 32
#define IDLE_SECONDS 900 /* longer than a question is open */

struct agent_http {
	struct agent *agent;
	struct MHD_Daemon *daemon;
};

struct exchange {
	struct buf body;
	const char *origin; /* of the list; borrowed */
	bool too_large;
};

static const char *header(struct MHD_Connection *c, const char *name)
{
	const char *v = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
	return v ? v : "";
}

static bool host_is_here(const struct agent *a, const char *host)
{
	char port[8];
	size_t n = strcspn(host, ":");
	snprintf(port, sizeof port, ":%u", a->port);
	return strcmp(host + n, port) == 0 &&
	       ((n == 9 && strncmp(host, "127.0.0.1", n) == 0) || (n == 9 && strncmp(host, "localhost", n) == 0));
}

static const char *known_origin(const struct agent *a, const char *origin)
{
	for (size_t i = 0; i < a->n_origins; i++)
		if (strcmp(a->origins[i], origin) == 0)
			return a->origins[i];
	return NULL;
}

/* --- answers --- */

static void add(struct MHD_Response *m, const char *name, const char *value)
{
	(void)!MHD_add_response_header(m, name, value);
}

static enum MHD_Result give(struct MHD_Connection *c, unsigned status, const char *origin, struct MHD_Response *m)
{
	add(m, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	add(m, "X-Content-Type-Options", "nosniff");
	add(m, MHD_HTTP_HEADER_VARY, "Origin");
	add(m, MHD_HTTP_HEADER_CONNECTION, "close");
	if (origin)
		add(m, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, origin);
	enum MHD_Result sent = MHD_queue_response(c, status, m);
	MHD_destroy_response(m);
	return sent;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *origin, const char *text)
{
	struct MHD_Response *m = MHD_create_response_from_buffer(strlen(text), (char *)text, MHD_RESPMEM_PERSISTENT);
	add(m, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
	return give(c, status, origin, m);
}

static enum MHD_Result preflight(struct MHD_Connection *c, const char *origin)
{
	struct MHD_Response *m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	add(m, "Access-Control-Allow-Methods", "POST");
	add(m, "Access-Control-Allow-Headers", "content-type");
	add(m, "Access-Control-Max-Age", "600");
	if (strcmp(header(c, "Access-Control-Request-Private-Network"), "true") == 0)
		add(m, "Access-Control-Allow-Private-Network", "true");
	return give(c, MHD_HTTP_NO_CONTENT, origin, m);
}

static enum MHD_Result answer(struct agent *a, struct MHD_Connection *c, struct exchange *x)
{
	_cleanup_buf_ struct buf reply = {0};
	size_t n = 0;
	if (x->too_large)
		return refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, x->origin, "the body is too large\n");
	agent_handle(a, x->origin, buf_slice(&x->body), &reply);
	if (reply.len == 0)
		return refuse(c, MHD_HTTP_BAD_REQUEST, x->origin, "a notification has no answer\n");
	char *bytes = buf_take(&reply, &n);
	struct MHD_Response *m = MHD_create_response_from_buffer(n, bytes, MHD_RESPMEM_MUST_FREE);
	add(m, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	return give(c, MHD_HTTP_OK, x->origin, m);
}

/* --- a request --- */

static bool is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t n = strlen(json);
	return strncmp(type, json, n) == 0 && (type[n] == '\0' || type[n] == ';');
}

/* Before its body. */
static enum MHD_Result begin(struct agent *a, struct MHD_Connection *c, const char *url, const char *method,
			     void **state)
{
	const char *length = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH), *origin;
	uint64_t n = 0;
	if (!host_is_here(a, header(c, MHD_HTTP_HEADER_HOST)))
		return refuse(c, MHD_HTTP_MISDIRECTED_REQUEST, NULL, "this is not my name\n");
	origin = known_origin(a, header(c, MHD_HTTP_HEADER_ORIGIN));
	if (!origin)
		return refuse(c, MHD_HTTP_FORBIDDEN, NULL, "only pages of the portals that this agent knows may ask\n");
	if (strcmp(url, "/") != 0)
		return refuse(c, MHD_HTTP_NOT_FOUND, origin, "there is nothing of that name\n");
	if (strcmp(method, "OPTIONS") == 0)
		return preflight(c, origin);
	if (strcmp(method, "POST") != 0)
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, origin, "only POST is served\n");
	if (!is_json(header(c, MHD_HTTP_HEADER_CONTENT_TYPE)))
		return refuse(c, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, origin, "wanted application/json\n");
	if (length[0] && (!u64_parse(length, strlen(length), UINT64_MAX, &n) || n > BODY_MAX))
		return refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, origin, "the body is too large\n");
	struct exchange *x = xcalloc(1, sizeof *x);
	x->origin = origin;
	*state = x;
	return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *data, size_t *n, void **state)
{
	struct agent_http *h = arg;
	struct exchange *x = *state;
	(void)version;
	if (!x)
		return begin(h->agent, c, url, method, state);
	if (*n == 0)
		return answer(h->agent, c, x);
	x->too_large |= *n > BODY_MAX - x->body.len;
	if (!x->too_large)
		buf_add(&x->body, data, *n);
	*n = 0;
	return MHD_YES;
}

static void on_end(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *state;
	(void)arg;
	(void)c;
	(void)why;
	if (x)
		buf_done(&x->body);
	free(x);
	*state = NULL;
}

/* --- starting and stopping --- */

enum err agent_http_start(struct agent *a, int fd, struct agent_http **ret, struct fault *f)
{
	struct agent_http *h = xcalloc(1, sizeof *h);
	h->agent = a;
	/* A thread for each connection: one may wait for a person. */
	h->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL,
				     on_request, h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				     CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
				     MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
	if (!h->daemon) {
		free(h);
		return fault_raise(f, ERR_INTERNAL, "http", "agent", "libmicrohttpd does not start");
	}
	*ret = h;
	return OK;
}

void agent_http_stop(struct agent_http *h)
{
	MHD_stop_daemon(h->daemon);
	free(h);
}
