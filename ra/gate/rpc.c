/*
 * POST /rpc: a call of a page's, handed to the desk.
 *
 * What makes it the person's own and not another site's: it is JSON by its content type, which no form can send; its Origin is this
 * portal's, which no other page can say; and the session's cookie is SameSite=Strict and read by no script. What it may ask is a
 * closed list (allowed.c). The session, the person's address and the officer's name are the gate's to say: a call that brings
 * them itself is refused.
 */
#include "common/rpc/json.h"
#include "common/rpc/jsonrpc.h"
#include "ra/gate/portal.h"
#include "ra/gate/routes.h"

#include "common/base/cleanup.h"

#include <arpa/inet.h>
#include <string.h>

#define TOKEN_MAX 128
#define OFFICER_MAX 47
#define RPC_DEPTH 8
#define RPC_VALUES 2000
#define CODE_PARSE (-32700)
#define CODE_INVALID (-32600)
#define CODE_NO_METHOD (-32601)
#define CODE_PARAMS (-32602)
#define CODE_GATE (-32000)
#define COOKIE_RULES "Path=/; HttpOnly; Secure; SameSite=Strict"

/* One call under way. */
struct call {
	struct gate *g;
	const struct http_request *r;
	struct http_reply *to;
	json_t *request; /* owned */
	const struct allowed *method;
};

/* --- answers --- */

/* error is taken. */
static void put_error(struct call *c, unsigned status, json_t *error)
{
	json_t *id = json_object_get(c->request, "id");
	_cleanup_(json_freep) json_t *o = json_object();
	json_object_set_new(o, "jsonrpc", json_string("2.0"));
	json_object_set(o, "id", id ? id : json_null());
	json_object_set_new(o, "error", error);
	c->to->status = status;
	c->to->type = "application/json";
	json_write(o, &c->to->body);
}

static void refuse(struct call *c, unsigned status, int code, const char *reason, const char *zh, const char *en)
{
	_cleanup_(freep) char *both = xasprintf("%s / %s", zh, en);
	gate_count(c->g, COUNT_RPC_REFUSED);
	put_error(c, status,
		  json_pack("{s:i, s:s, s:{s:s, s:s, s:s}}", "code", code, "message", both, "data", "reason", reason,
			    "zh", zh, "en", en));
}

static void set_cookie(struct call *c, const char *token)
{
	if (token)
		snprintf(c->to->cookie, sizeof(c->to->cookie), PORTAL_COOKIE "=%s; " COOKIE_RULES, token);
	else
		snprintf(c->to->cookie, sizeof(c->to->cookie), PORTAL_COOKIE "=; Max-Age=0; " COOKIE_RULES);
}

/* --- whose call it is --- */

static bool is_token(const char *text)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
	return n > 0 && n <= TOKEN_MAX && text[n] == '\0';
}

/* NULL: none. */
static const char *token_of(const struct http_request *r)
{
	const char *text = http_cookie(r, PORTAL_COOKIE);
	return text && is_token(text) ? text : NULL;
}

static bool is_json(const char *type)
{
	static const char json[] = "application/json";
	return type && strncmp(type, json, sizeof(json) - 1) == 0 &&
	       (type[sizeof(json) - 1] == '\0' || type[sizeof(json) - 1] == ';');
}

static bool is_own(const struct gate *g, const char *origin)
{
	for (size_t i = 0; origin && i < g->config.origins.n; i++) {
		if (strcmp(g->config.origins.v[i], origin) == 0)
			return true;
	}
	return false;
}

/* The browser's own word on where the call comes from. */
static bool check_browser(struct call *c)
{
	const char *site = http_header(c->r, "Sec-Fetch-Site");
	if (!is_json(http_header(c->r, "Content-Type"))) {
		refuse(c, 415, CODE_INVALID, "content_type", "请求必须是 application/json",
		       "found another content type, wanted application/json");
		return false;
	}
	if (!is_own(c->g, http_header(c->r, "Origin")) || (site && strcmp(site, "same-origin") != 0)) {
		refuse(c, 403, CODE_GATE, "origin", "请求不是来自本站页面",
		       "this call does not come from a page of this portal");
		return false;
	}
	return true;
}

/* --- what is asked --- */

static bool read_call(struct call *c)
{
	static const struct json_limits limits = {HTTP_RPC_MAX, RPC_DEPTH, RPC_VALUES};
	struct fault f = {0};
	if (json_read(c->r->body, &limits, &c->request, &f) != OK) {
		refuse(c, 400, CODE_PARSE, "json", "请求不是有效的 JSON",
		       "the body is no JSON, or has too many values");
		return false;
	}
	json_t *id = json_object_get(c->request, "id"), *params = json_object_get(c->request, "params");
	const char *version = json_string_value(json_object_get(c->request, "jsonrpc"));
	const char *method = json_string_value(json_object_get(c->request, "method"));
	if (!json_is_object(c->request) || !version || strcmp(version, "2.0") != 0 || !method ||
	    !(json_is_integer(id) || json_is_string(id)) || (params && !json_is_object(params))) {
		refuse(c, 400, CODE_INVALID, "call", "请求不是 JSON-RPC 2.0 调用",
		       "wanted one JSON-RPC 2.0 call with id, method and named params");
		return false;
	}
	c->method = allowed_find((enum gate_audience)c->g->config.portal.audience, method);
	if (!c->method) {
		refuse(c, 200, CODE_NO_METHOD, "method", "门户不提供此功能", "the portal offers no such method");
		return false;
	}
	return true;
}

/* What the gate alone says, and what would hold one of its threads. */
static bool check_reserved(struct call *c, json_t *params)
{
	static const char *const names[] = {"session", "address", "wait_ms"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!json_object_get(params, names[i]))
			continue;
		refuse(c, 200, CODE_PARAMS, "param_reserved", "该参数由门户填写",
		       "found session, address or wait_ms, wanted none: the portal says these");
		return false;
	}
	return true;
}

static bool add_session(struct call *c, json_t *params)
{
	const char *token = token_of(c->r);
	bool wanted = c->method->session == SESSION_WANTED || c->method->session == SESSION_ENDS;
	if (wanted && !token) {
		refuse(c, 200, CODE_GATE, "session_missing", "请先登录", "log in first");
		return false;
	}
	if (token && (wanted || c->method->session == SESSION_MAYBE))
		json_object_set_new(params, "session", json_string(token));
	return true;
}

/* Limits count by it. Only a proxy that is named may say another one than the connection's. */
static void add_address(struct call *c, json_t *params)
{
	const char *header = c->g->config.portal.address_header, *said = header ? http_header(c->r, header) : NULL;
	uint8_t bytes[16];
	char text[INET6_ADDRSTRLEN];
	if (said && (inet_pton(AF_INET, said, bytes) == 1 || inet_pton(AF_INET6, said, bytes) == 1))
		snprintf(text, sizeof(text), "%s", said);
	else
		http_peer(c->r, text);
	if (text[0] != '\0')
		json_object_set_new(params, "address", json_string(text));
}

static bool add_officer(struct call *c, json_t *params)
{
	const char *header = c->g->config.portal.officer_header, *said = header ? http_header(c->r, header) : NULL;
	if (!header)
		return true;
	if (!said || said[0] == '\0' || strlen(said) > OFFICER_MAX) {
		refuse(c, 403, CODE_GATE, "officer_unknown", "无法确认审核员身份",
		       "the proxy before this portal does not say which officer this is");
		return false;
	}
	if (c->method->officer)
		json_object_set_new(params, "officer", json_string(said));
	return true;
}

static bool add_own(struct call *c, json_t *params)
{
	if (c->g->config.portal.audience == AUDIENCE_OFFICERS)
		return add_officer(c, params);
	add_address(c, params);
	return add_session(c, params);
}

/* --- the desk's answer --- */

static void pass_error(struct call *c, json_t *error, const struct fault *f)
{
	if (strcmp(f->rule, "session_unknown") == 0)
		set_cookie(c, NULL);
	gate_count(c->g, COUNT_RPC_ERROR);
	if (error)
		put_error(c, 200, json_incref(error));
	else
		refuse(c, 503, CODE_GATE, "desk_away", "业务系统暂不可用，请稍后再试",
		       "the desk is not available now: try later");
}

/* The token goes into the cookie and out of the answer. */
static void pass_result(struct call *c, json_t *result)
{
	_cleanup_(json_freep) json_t *o = json_object();
	const char *token = json_string_value(json_object_get(result, "session"));
	if (c->method->session == SESSION_BEGINS && token && is_token(token)) {
		set_cookie(c, token);
		json_object_del(result, "session");
	}
	if (c->method->session == SESSION_ENDS)
		set_cookie(c, NULL);
	json_object_set_new(o, "jsonrpc", json_string("2.0"));
	json_object_set(o, "id", json_object_get(c->request, "id"));
	json_object_set(o, "result", result);
	c->to->type = "application/json";
	json_write(o, &c->to->body);
	gate_count(c->g, COUNT_RPC);
}

static void ask(struct call *c)
{
	_cleanup_(json_freep) json_t *result = NULL, *error = NULL, *params = NULL;
	struct fault f = {0};
	json_t *given = json_object_get(c->request, "params");
	params = given ? json_incref(given) : json_object();
	if (!check_reserved(c, params) || !add_own(c, params))
		return;
	if (jsonrpc_call(c->g->desk, c->method->method, params, &result, &error, &f) == OK)
		pass_result(c, result);
	else
		pass_error(c, error, &f);
}

/* Runs where it may wait. */
static bool forward(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	struct call c = {.g = g, .r = r, .to = to};
	if (read_call(&c))
		ask(&c);
	json_decref(c.request);
	return true;
}

bool route_rpc(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	struct call c = {.g = g, .r = r, .to = to};
	if (strcmp(r->path, "/rpc") != 0)
		return false;
	if (strcmp(r->method, "POST") != 0) {
		refuse(&c, 405, CODE_INVALID, "http_method", "请使用 POST", "wanted POST");
		to->allow = "POST";
		return true;
	}
	if (check_browser(&c))
		to->later = forward;
	return true;
}
