/*
 * What comes to a person's agent over HTTP, as libmicrohttpd shows it: "METHOD path", lines of headers, an empty line, the body. Whatever it is, the methods see a
 * body only from a page of the list that asked this machine by its name, for JSON, whole and within its bound; and nobody else can read an answer.
 */
#include "tests/fuzz/http.h"
#include "tests/fuzz/mutate.h"

#include "tools/hufu/agent.h"

#define PORT 18088
#define ORIGIN "https://portal.example.test"
#define OTHER "https://desk.example.test"
#define BODY_MAX (128u * 1024u)

/* --- libmicrohttpd's part --- */

static struct {
	MHD_AccessHandlerCallback on_request;
	MHD_RequestCompletedCallback on_end;
	void *arg;
} server;

/* Since this request began. */
static struct {
	unsigned answers, status;
	const char *origin; /* who may read the answer; NULL: nobody but this machine */
	struct slice body;
	bool handled;
} now;

struct MHD_Daemon *MHD_start_daemon(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback on_accept, void *accept_arg,
				    MHD_AccessHandlerCallback on_request, void *arg, ...)
{
	va_list ap;
	(void)flags, (void)port, (void)on_accept, (void)accept_arg;
	server.on_request = on_request;
	server.arg = arg;
	va_start(ap, arg);
	for (int option = va_arg(ap, int); option != MHD_OPTION_END; option = va_arg(ap, int)) {
		if (option == MHD_OPTION_NOTIFY_COMPLETED) {
			server.on_end = va_arg(ap, MHD_RequestCompletedCallback);
			(void)va_arg(ap, void *);
		} else {
			(void)va_arg(ap, int);
		}
	}
	va_end(ap);
	return (struct MHD_Daemon *)&server;
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *m, const char *name, const char *value)
{
	(void)m;
	if (strcasecmp(name, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN) == 0)
		now.origin = value;
	return MHD_YES;
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *c, unsigned status, struct MHD_Response *m)
{
	(void)c, (void)m;
	now.answers++;
	now.status = status;
	return MHD_YES;
}

/* --- what must hold --- */

static const char *shown(const char *name)
{
	const char *v = MHD_lookup_connection_value(NULL, MHD_HEADER_KIND, name);
	return v ? v : "";
}

static bool is_listed(const char *origin)
{
	return strcmp(origin, ORIGIN) == 0 || strcmp(origin, OTHER) == 0;
}

static bool is_here(const char *host)
{
	return strcmp(host, "127.0.0.1:18088") == 0 || strcmp(host, "localhost:18088") == 0;
}

void __wrap_agent_handle(struct agent *a, const char *origin, struct slice request, struct buf *reply);
void __wrap_agent_handle(struct agent *a, const char *origin, struct slice request, struct buf *reply)
{
	(void)a;
	must(is_listed(origin) && strcmp(origin, shown("Origin")) == 0 && is_here(shown("Host")));
	must(strncmp(shown("Content-Type"), "application/json", 16) == 0);
	must(request.n <= BODY_MAX);
	must_be(request, now.body);
	now.handled = true;
	if (request.n % 2 == 0) /* else it is a notification */
		buf_str(reply, "{}");
}

/* In two parts, as the network brings it. */
static void bring(const char *url, const char *method)
{
	const char *body = (const char *)now.body.p;
	size_t part = now.body.n / 2, rest = now.body.n - part, none = 0;
	void *state = NULL;
	must(server.on_request(server.arg, NULL, url, method, "HTTP/1.1", NULL, &none, &state) == MHD_YES);
	if (state) {
		must(now.answers == 0);
		if (part > 0)
			must(server.on_request(server.arg, NULL, url, method, "HTTP/1.1", body, &part, &state) ==
				     MHD_YES &&
			     part == 0);
		if (rest > 0)
			must(server.on_request(server.arg, NULL, url, method, "HTTP/1.1", body + now.body.n / 2, &rest,
					       &state) == MHD_YES &&
			     rest == 0);
		must(server.on_request(server.arg, NULL, url, method, "HTTP/1.1", NULL, &none, &state) == MHD_YES);
	}
	server.on_end(server.arg, NULL, &state, MHD_REQUEST_TERMINATED_COMPLETED_OK);
	must(!state && now.answers == 1);
}

static void start(void)
{
	static const char *origins[] = {ORIGIN, OTHER};
	static struct agent agent = {.port = PORT, .origins = origins, .n_origins = 2};
	struct agent_http *h = NULL;
	struct fault f = {0};
	must(agent_http_start(&agent, -1, &h, &f) == OK && server.on_request && server.on_end);
}

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size), *head = text;
	if (!server.on_request)
		start();
	char *line = strsep(&head, "\n");
	char *method = strsep(&line, " ");
	const char *url = line ? line : "";
	memset(&now, 0, sizeof(now));
	now.body = slice_str(http_read(head ? head : (char[]){""}));
	bring(url, method);
	must(!now.origin || (is_listed(now.origin) && strcmp(now.origin, shown("Origin")) == 0));
	must(is_here(shown("Host")) || now.status == MHD_HTTP_MISDIRECTED_REQUEST);
	must(now.handled == (now.status == MHD_HTTP_OK || (now.status == MHD_HTTP_BAD_REQUEST)));
	free(text);
	return 0;
}
