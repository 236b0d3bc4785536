/*
 * The asking side of JSON-RPC: one call, and an error turned back into the fault that the server had.
 */
#include "common/rpc/json.h"
#include "common/rpc/jsonrpc_private.h"

#include "common/base/cleanup.h"

#include <string.h>

#define CALL_ID 1 /* one call to a message, nng pairs request and reply */

static const char *text_of(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : otherwise;
}

/* Servers that are not ours say no kind. */
static enum err kind_of(const json_t *data, json_int_t code)
{
	enum err kind;
	if (err_from_word(text_of(data, "kind", ""), &kind) && kind != OK)
		return kind;
	switch (code) {
	case RPC_PARSE:
	case RPC_INVALID:
	case RPC_PARAMS:
		return ERR_PARSE;
	case RPC_NO_METHOD:
		return ERR_NOT_FOUND;
	}
	return ERR_NET;
}

/* The texts are the peer's: they go through text_escape(), for they end on a terminal. What was found and wanted stands
 * behind the words for people, unless these say it already. */
static enum err error_raise(json_t *error, json_t **ret_error, struct fault *f)
{
	const json_t *data = json_object_get(error, "data");
	const char *reason = text_of(data, "reason", "rpc_error"), *field = text_of(data, "field", "");
	const char *words = text_of(error, "message", "error without a message"), *detail = text_of(data, "text", "");
	bool said = strstr(words, detail) != NULL;
	_cleanup_(freep) char *message = said ? xstrdup(words) : xasprintf("%s: %s", words, detail);
	if (ret_error)
		*ret_error = json_incref(error);
	return fault_raise(f, kind_of(data, json_integer_value(json_object_get(error, "code"))),
			   ESC(reason, strlen(reason)), ESC(field, strlen(field)), "%s",
			   text_escape(message, strlen(message), (char[600]){0}, 600));
}

static enum err read_reply(struct slice text, json_t **ret_result, json_t **ret_error, struct fault *f)
{
	static const struct json_limits limits = {SIZE_MAX, 64, SIZE_MAX}; /* size: the client's max_reply */
	_cleanup_(json_freep) json_t *reply = NULL;
	struct fault inner;
	if (json_read(text, &limits, &reply, &inner) != OK)
		return fault_raise(f, ERR_NET, "rpc_reply", "reply", "the reply is unreadable: %s", inner.text);
	json_t *result = json_object_get(reply, "result"), *error = json_object_get(reply, "error");
	const json_t *id = json_object_get(reply, "id");
	if (json_is_object(error) && !result)
		return error_raise(error, ret_error, f);
	if (!result || error || !json_is_integer(id) || json_integer_value(id) != CALL_ID)
		return fault_raise(f, ERR_NET, "rpc_reply", "reply",
				   "the reply is no JSON-RPC 2.0 answer to this call");
	*ret_result = json_incref(result);
	return OK;
}

enum err jsonrpc_call(struct rpc_client *c, const char *method, json_t *params, json_t **ret_result, json_t **ret_error,
		      struct fault *f)
{
	json_start();
	_cleanup_buf_ struct buf text = {0}, reply = {0};
	_cleanup_(json_freep) json_t *request =
		json_pack("{s:s, s:i, s:s}", "jsonrpc", "2.0", "id", CALL_ID, "method", method);
	if (!request)
		return fault_raise(f, ERR_PARSE, "rpc_invalid", "method", "method is not UTF-8");
	if (params)
		json_object_set(request, "params", params);
	json_write(request, &text);
	TRY(rpc_call(c, buf_slice(&text), &reply, f));
	return read_reply(buf_slice(&reply), ret_result, ret_error, f);
}
