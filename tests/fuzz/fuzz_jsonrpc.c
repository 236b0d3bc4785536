/*
 * JSON-RPC requests against a small table of methods: every answer is JSON-RPC 2.0 by the letter, says a kind that
 * clients may hear, and a method sees no parameters but those that its table allows.
 */
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/reply.h"

#include "common/rpc/jsonrpc.h"

static enum err echo(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	(void)arg, (void)f;
	*ret = json_incref(call->params);
	return OK;
}

static enum err pay(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	(void)arg;
	json_t *way = json_object_get(call->params, "way"), *fen = json_object_get(call->params, "fen");
	size_t id = json_string_length(json_object_get(call->params, "call_id"));
	must(call->session && id >= 8 && id <= 64 && json_is_integer(fen) && json_is_string(way));
	must(json_integer_value(fen) >= 1 && json_integer_value(fen) <= 100);
	must(strcmp(json_string_value(way), "bank") == 0 || strcmp(json_string_value(way), "card") == 0);
	if (json_integer_value(fen) == 13)
		return fault_raise(f, ERR_DB, "db_broken", "db", "not for outsiders");
	*ret = json_true();
	return OK;
}

static uint64_t roles(void *arg, const struct rpc_peer *peer)
{
	(void)arg, (void)peer;
	return 1;
}

static enum err session(void *arg, struct rpc_call *call, const char *token, struct fault *f)
{
	if (strcmp(token, "s1") != 0)
		return fault_raise(f, ERR_DENIED, "session_unknown", "session", "no such session");
	call->session = arg;
	return OK;
}

static const char *const ways[] = {"bank", "card", NULL};
static const struct rpc_param pay_params[] = {{"fen", PARAM_INTEGER, true, 1, 100, NULL, "分", "fen"},
					      {"way", PARAM_STRING, true, 0, 0, ways, "方式", "way"},
					      {0}};
static const struct rpc_param echo_params[] = {{"text", PARAM_STRING, false, 0, 16, NULL, "文", "text"},
					       {"yes", PARAM_BOOLEAN, false, 0, 0, NULL, "是", "yes"},
					       {"list", PARAM_STRINGS, false, 0, 3, ways, "列", "list"},
					       {"one", PARAM_OBJECT, false, 0, 0, NULL, "一", "one"},
					       {"many", PARAM_OBJECTS, false, 1, 2, NULL, "多", "many"},
					       {0}};
static const struct rpc_method methods[] = {
	{"echo", echo, 1, false, false, echo_params, "{}", "回声", "echo"},
	{"pay", pay, 1, true, true, pay_params, "{\"type\": \"boolean\"}", "支付", "pay"},
	{"denied", echo, 2, false, false, echo_params, "{}", "不许", "denied"},
};
static const char *const role_words[] = {"user", "officer", NULL};

static void check_reply(const json_t *result, const json_t *error)
{
	(void)result;
	if (!error)
		return;
	json_int_t code = json_integer_value(json_object_get(error, "code"));
	const json_t *data = json_object_get(error, "data");
	enum err kind;
	must(code <= -32000 && code >= -32700 && json_is_string(json_object_get(error, "message")));
	must(err_from_word(json_string_value(json_object_get(data, "kind")), &kind));
	must(kind == ERR_INTERNAL || err_is_public(kind));
	must(kind != ERR_INTERNAL || json_is_string(json_object_get(data, "ref")));
	must(json_is_string(json_object_get(data, "zh")) && json_is_string(json_object_get(data, "en")));
}

MUTATES(mutate_json)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int here;
	const struct jsonrpc_config c = {.title = "fuzz",
					 .version = "1",
					 .methods = methods,
					 .n_methods = sizeof(methods) / sizeof(methods[0]),
					 .role_words = role_words,
					 .roles = roles,
					 .session = session,
					 .arg = &here};
	_cleanup_buf_ struct buf text = {0};
	jsonrpc_handle(&c, &(struct rpc_peer){.uid = 1}, slice_of(data, size), &text);
	must_be_replies(&text, check_reply);
	return 0;
}
