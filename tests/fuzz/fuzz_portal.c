/*
 * POST /rpc of a portal: a request's headers and body, and behind a NUL what the desk answers. What comes to the desk is
 * on the list of that audience, from a page of this portal's own, and says of session, address and officer only what the
 * portal knows; whatever goes back is JSON, and a token goes into the cookie alone.
 */
#include "tests/fuzz/http.h"
#include "tests/fuzz/mutate.h"

#include "common/rpc/json.h"
#include "common/rpc/jsonrpc.h"
#include "ra/gate/portal.h"
#include "ra/gate/routes.h"

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

#define ORIGIN "https://portal.example.test"
#define OFFICER_HEADER "X-Officer"
#define ADDRESS_HEADER "X-Real-IP"

static struct gate gate;
static struct slice desk_says;
static const struct json_limits limits = {1 << 20, 16, 65536};

static const char *header(const char *name)
{
	return MHD_lookup_connection_value(NULL, MHD_HEADER_KIND, name);
}

static void same_or_none(const json_t *found, const char *wanted)
{
	must(!found || (wanted && json_is_string(found) && strcmp(json_string_value(found), wanted) == 0));
}

/* In the place of the way to the desk. */
enum err __wrap_jsonrpc_call(struct rpc_client *c, const char *method, json_t *params, json_t **ret, json_t **ret_error,
			     struct fault *f);
enum err __wrap_jsonrpc_call(struct rpc_client *c, const char *method, json_t *params, json_t **ret, json_t **ret_error,
			     struct fault *f)
{
	enum gate_audience audience = (enum gate_audience)gate.config.portal.audience;
	const struct allowed *a = allowed_find(audience, method);
	const char *site = header("Sec-Fetch-Site");
	(void)c;
	must(a && json_is_object(params) && !json_object_get(params, "wait_ms"));
	must(strcmp(header("Origin"), ORIGIN) == 0 && (!site || strcmp(site, "same-origin") == 0));
	must(strncmp(header("Content-Type"), "application/json", 16) == 0);
	same_or_none(json_object_get(params, "session"),
		     MHD_lookup_connection_value(NULL, MHD_COOKIE_KIND, PORTAL_COOKIE));
	must(a->session != SESSION_WANTED || json_object_get(params, "session"));
	same_or_none(json_object_get(params, "address"),
		     gate.config.portal.address_header ? header(ADDRESS_HEADER) : NULL);
	if (a->officer && gate.config.portal.officer_header)
		same_or_none(json_object_get(params, "officer"), header(OFFICER_HEADER));
	if (json_read(desk_says, &limits, ret, f) == OK && json_is_object(*ret) && !json_object_get(*ret, "data"))
		return OK;
	*ret_error = *ret;
	*ret = NULL;
	return fault_raise(f, ERR_RULE, *ret_error ? "session_unknown" : "desk_away", "desk", "no");
}

static void ask(struct slice body)
{
	struct http_request r = {.method = "POST", .path = "/rpc", .body = body};
	struct http_reply to = {0};
	_cleanup_(json_freep) json_t *o = NULL;
	must(route_rpc(&gate, &r, &to));
	if (to.later)
		must(to.later(&gate, &r, &to));
	must(json_read(buf_slice(&to.body), &limits, &o, NULL) == OK && json_object_size(o) == 3);
	must(!json_object_get(o, "result") == !!json_object_get(o, "error") && json_object_get(o, "id"));
	must(strpbrk(to.cookie, "\r\n\t") == NULL && strlen(to.cookie) < sizeof(to.cookie) - 1);
	must(to.cookie[0] == '\0' || strstr(to.cookie, "; Path=/; HttpOnly; Secure; SameSite=Strict"));
	buf_done(&to.body);
}

/* The headers, or the call. */
static bool mutate_request(struct mutation *m, struct slice bytes, struct buf *ret)
{
	const uint8_t *gap = bytes.n > 0 ? memmem(bytes.p, bytes.n, "\n\n", 2) : NULL;
	if (!gap)
		return false;
	struct slice head = slice_of(bytes.p, (size_t)(gap - bytes.p) + 1);
	struct slice rest = slice_of(gap + 1, bytes.n - head.n);
	if (mutation_below(m, 2) == 0) {
		(void)mutate_lines(m, head, ret);
		buf_add_slice(ret, rest);
		return true;
	}
	const uint8_t *nul = memchr(rest.p, 0, rest.n);
	size_t n = nul ? (size_t)(nul - rest.p) : rest.n;
	buf_add_slice(ret, head);
	buf_char(ret, '\n');
	if (!mutate_json(m, slice_of(rest.p + 1, n - 1), ret))
		return false;
	buf_add(ret, rest.p + n, rest.n - n);
	return true;
}

MUTATES(mutate_request)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *origins[] = {ORIGIN};
	_cleanup_(freep) char *text = xcalloc(size + 1, 1);
	memcpy(text, data, size);
	gate.config.role = GATE_PORTAL;
	gate.config.origins = (struct yaml_strs){.v = origins, .n = 1};
	char *body = http_read(text);
	size_t n = strlen(body), left = size - (size_t)(body - text);
	desk_says = n < left ? slice_of(body + n + 1, left - n - 1) : (struct slice){0};
	static const struct portal_rules rules[] = {
		{.audience = AUDIENCE_SUBSCRIBERS},
		{.audience = AUDIENCE_SUBSCRIBERS, .address_header = ADDRESS_HEADER},
		{.audience = AUDIENCE_OFFICERS},
		{.audience = AUDIENCE_OFFICERS, .officer_header = OFFICER_HEADER},
	};
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		gate.config.portal = rules[i];
		ask(slice_of(body, n));
	}
	return 0;
}
