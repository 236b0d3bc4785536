/*
 * The server's side of JSON-RPC 2.0: text in, text out.
 *
 * A request passes, in this order: JSON within its limits (json.c), the envelope, who calls, the method, the caller's
 * roles, the parameters (jsonrpc_params.c), the session; only then the method's own function runs. What any of them
 * refuses becomes an error object (jsonrpc_error.c). Methods are named one table, which also yields the OpenRPC
 * document.
 */
#include "common/rpc/json.h"
#include "common/rpc/jsonrpc_private.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* What became of one request: a result, or a fault with its code (0: from its kind). */
struct outcome {
	json_t *result;
	enum rpc_code code;
	struct fault fault;
};

/* A request with a ticket, until it is answered. */
struct kept {
	struct rpc_call call;
	const struct jsonrpc_config *config;
	json_t *request;
	bool in_session;
	atomic_int holders; /* who kept the call may end it while its own thread is still on the way back */
};

static struct kept *kept_of(struct rpc_call *call)
{
	return (struct kept *)((char *)call - offsetof(struct kept, call));
}

static void kept_let_go(struct kept *k, int holders)
{
	if (atomic_fetch_sub(&k->holders, holders) > holders)
		return;
	json_decref(k->call.params);
	json_decref(k->request);
	free(k);
}

static const struct rpc_method *find_method(const struct jsonrpc_config *c, const char *name)
{
	for (size_t i = 0; i < c->n_methods; i++)
		if (strcmp(c->methods[i].name, name) == 0)
			return &c->methods[i];
	return NULL;
}

static enum err no_method_raise(const struct jsonrpc_config *c, const char *name, struct fault *f)
{
	_cleanup_(freep) const char **words = xcalloc(c->n_methods + 1, sizeof(*words));
	for (size_t i = 0; i < c->n_methods; i++)
		words[i] = c->methods[i].name;
	words[c->n_methods] = "rpc.discover";
	const char *near = word_nearest(name, words, c->n_methods + 1);
	return fault_raise(f, ERR_NOT_FOUND, "method_unknown", "method", "there is no method \"%s\"%s%s%s",
			   ESC(name, strlen(name)), near ? ", did you mean \"" : "", near ? near : "",
			   near ? "\"?" : "");
}

/* The method's own work, inside the session that it wants. */
static enum err run_method(const struct jsonrpc_config *c, const struct rpc_method *m, struct rpc_call *call,
			   struct outcome *ret)
{
	struct fault *f = &ret->fault;
	if (m->session)
		TRY(c->session(c->arg, call, json_string_value(json_object_get(call->params, "session")), f));
	if (call->ticket)
		kept_of(call)->in_session = m->session;
	enum err e = m->fn(c->arg, call, &ret->result, f);
	if (call->kept)
		return e;
	if (m->session && c->session_done)
		c->session_done(c->arg, call);
	assert(e != OK || ret->result);
	return e;
}

static enum err dispatch(const struct jsonrpc_config *c, struct rpc_call *call, struct outcome *ret)
{
	struct fault *f = &ret->fault;
	call->roles = c->roles(c->arg, &call->peer);
	if (call->roles == 0)
		return fault_raise(f, ERR_DENIED, "peer_unknown", "peer", "user id %u has no role here",
				   (unsigned)call->peer.uid);
	if (strcmp(call->method, "rpc.discover") == 0) {
		ret->result = jsonrpc_openrpc(c);
		return OK;
	}
	const struct rpc_method *m = find_method(c, call->method);
	if (!m) {
		ret->code = RPC_NO_METHOD;
		return no_method_raise(c, call->method, f);
	}
	if ((m->roles & call->roles) == 0)
		return fault_raise(f, ERR_DENIED, "method_denied", "method", "user id %u has no role that may call %s",
				   (unsigned)call->peer.uid, m->name);
	ret->code = RPC_PARAMS;
	TRY(rpc_params_check(m, call->params, f));
	ret->code = 0;
	return run_method(c, m, call, ret);
}

/* --- the envelope ------------------------------------------------------------------------------------------------ */

static enum err check_id(const json_t *id, struct fault *f)
{
	if (!id || json_is_null(id) || json_is_integer(id) ||
	    (json_is_string(id) && json_string_length(id) <= JSONRPC_MAX_ID))
		return OK;
	return fault_raise(f, ERR_PARSE, "rpc_invalid", "id",
			   "id is not a string of at most %u bytes, an integer or null", JSONRPC_MAX_ID);
}

static enum err check_members(const json_t *request, struct fault *f)
{
	static const char *const known[] = {"jsonrpc", "method", "params", "id"};
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)request, name, v)
	{
		bool found = false;
		for (size_t i = 0; i < 4; i++)
			found |= strcmp(name, known[i]) == 0;
		if (!found)
			return fault_raise(f, ERR_PARSE, "rpc_invalid", "request",
					   "\"%s\" is no member of a request (JSON-RPC 2.0, section 4)",
					   ESC(name, strlen(name)));
	}
	return OK;
}

static enum err check_envelope(const json_t *request, struct fault *f)
{
	if (!json_is_object(request))
		return fault_raise(f, ERR_PARSE, "rpc_invalid", "request",
				   "a request is an object (JSON-RPC 2.0, section 4)");
	const json_t *version = json_object_get(request, "jsonrpc"), *method = json_object_get(request, "method");
	TRY(check_id(json_object_get(request, "id"), f));
	TRY(check_members(request, f));
	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return fault_raise(f, ERR_PARSE, "rpc_invalid", "jsonrpc",
				   "jsonrpc is not \"2.0\" (JSON-RPC 2.0, section 4)");
	if (!json_is_string(method) || json_string_length(method) == 0 ||
	    json_string_length(method) > JSONRPC_MAX_METHOD)
		return fault_raise(f, ERR_PARSE, "rpc_invalid", "method", "method is not a string of 1 to %u bytes",
				   JSONRPC_MAX_METHOD);
	return OK;
}

static enum err run(const struct jsonrpc_config *c, json_t *request, struct rpc_call *call, struct outcome *ret)
{
	ret->code = RPC_INVALID;
	TRY(check_envelope(request, &ret->fault));
	call->method = json_string_value(json_object_get(request, "method"));
	json_t *params = json_object_get(request, "params");
	ret->code = RPC_PARAMS;
	if (params && !json_is_object(params))
		return fault_raise(&ret->fault, ERR_PARSE, "param_type", "params",
				   "params is not an object: parameters go by name");
	call->params = params ? json_incref(params) : json_object(); /* handle_one() lets go */
	ret->code = 0;
	return dispatch(c, call, ret);
}

static json_t *reply_new(json_t *id, const char *key, json_t *value_given)
{
	json_t *reply = json_object();
	json_object_set_new(reply, "jsonrpc", json_string("2.0"));
	json_object_set_new(reply, key, value_given);
	json_object_set_new(reply, "id", id ? json_incref(id) : json_null());
	return reply;
}

static json_t *answer(const struct jsonrpc_config *c, const struct rpc_call *call, json_t *id, enum err e,
		      struct outcome *o)
{
	if (call->method && !id) {
		json_decref(o->result);
		return NULL;
	}
	if (e == OK)
		return reply_new(id, "result", o->result);
	return reply_new(check_id(id, NULL) == OK ? id : NULL, "error", rpc_error_new(c, call, o->code, &o->fault));
}

/* NULL for a notification: it is done and not answered. What has no valid envelope is none. */
static json_t *handle_one(const struct jsonrpc_config *c, const struct rpc_peer *peer, json_t *request)
{
	struct rpc_call call = {.peer = *peer};
	struct outcome o = {0};
	json_t *id = json_is_object(request) ? json_object_get(request, "id") : NULL;
	enum err e = run(c, request, &call, &o);
	json_t *reply = answer(c, &call, id, e, &o);
	json_decref(call.params);
	return reply;
}

static json_t *handle_batch(const struct jsonrpc_config *c, const struct rpc_peer *peer, json_t *batch)
{
	size_t n = json_array_size(batch);
	if (n == 0 || n > JSONRPC_MAX_BATCH) {
		struct fault f;
		(void)fault_raise(&f, n ? ERR_LIMIT : ERR_PARSE, "rpc_batch", "request",
				  "a batch of %zu requests, wanted 1 to %u", n, JSONRPC_MAX_BATCH);
		return reply_new(NULL, "error", rpc_error_new(c, &(struct rpc_call){.peer = *peer}, RPC_INVALID, &f));
	}
	_cleanup_(json_freep) json_t *replies = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *reply = handle_one(c, peer, json_array_get(batch, i));
		if (reply)
			json_array_append_new(replies, reply);
	}
	return json_array_size(replies) > 0 ? TAKE(replies) : NULL;
}

/* NULL: *ret_reply is there, of what is no request at all. */
static json_t *read_request(const struct jsonrpc_config *c, const struct rpc_peer *peer, struct slice request,
			    json_t **ret_reply)
{
	static const struct json_limits limits = {JSONRPC_MAX_REQUEST, JSONRPC_MAX_DEPTH, JSONRPC_MAX_VALUES};
	json_t *in = NULL;
	struct fault f;
	enum err e = json_read(request, &limits, &in, &f);
	if (e == OK)
		return in;
	*ret_reply = reply_new(
		NULL, "error",
		rpc_error_new(c, &(struct rpc_call){.peer = *peer}, e == ERR_LIMIT ? RPC_INVALID : RPC_PARSE, &f));
	return NULL;
}

void jsonrpc_handle(const struct jsonrpc_config *c, const struct rpc_peer *peer, struct slice request,
		    struct buf *reply)
{
	_cleanup_(json_freep) json_t *out = NULL;
	_cleanup_(json_freep) json_t *in = read_request(c, peer, request, &out);
	if (in)
		out = json_is_array(in) ? handle_batch(c, peer, in) : handle_one(c, peer, in);
	if (out)
		json_write(out, reply);
}

bool jsonrpc_take(const struct jsonrpc_config *c, const struct rpc_peer *peer, struct slice request,
		  struct rpc_ticket *ticket, struct buf *reply)
{
	_cleanup_(json_freep) json_t *out = NULL;
	_cleanup_(json_freep) json_t *in = read_request(c, peer, request, &out);
	struct outcome o = {0};
	if (in && json_is_array(in)) {
		out = handle_batch(c, peer, in);
	} else if (in) {
		struct kept *k = xcalloc(1, sizeof(*k));
		*k = (struct kept){.call = {.peer = *peer, .ticket = ticket},
				   .config = c,
				   .request = json_incref(in),
				   .holders = 2};
		enum err e = run(c, in, &k->call, &o);
		bool kept = k->call.kept;
		if (!kept)
			out = answer(c, &k->call, json_object_get(in, "id"), e, &o);
		kept_let_go(k, kept ? 1 : 2);
		if (kept)
			return false;
	}
	if (out)
		json_write(out, reply);
	return true;
}

void jsonrpc_end(struct rpc_call *call, enum err e, json_t *result, const struct fault *f, struct buf *reply)
{
	struct kept *k = kept_of(call);
	struct outcome o = {.result = result};
	assert(call->kept && (e != OK) == (result == NULL));
	if (k->in_session && k->config->session_done)
		k->config->session_done(k->config->arg, call);
	if (e != OK)
		o.fault = *f;
	_cleanup_(json_freep) json_t *out = answer(k->config, call, json_object_get(k->request, "id"), e, &o);
	if (out)
		json_write(out, reply);
	kept_let_go(k, 1);
}
