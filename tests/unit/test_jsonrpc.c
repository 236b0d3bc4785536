/*
 * common/rpc/jsonrpc: requests as texts against a small table of methods, then one call over a real socket.
 */
#include "common/rpc/json.h"
#include "common/rpc/jsonrpc.h"

#include "common/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

enum { ROLE_READ = 1, ROLE_WRITE = 2 };
#define UID_NOBODY 9
#define UID_READER 1
#define UID_WRITER 2

struct log {
	unsigned ran, opened, closed;
};

static enum err echo(void *arg, struct rpc_call *call, json_t **ret_result, struct fault *f)
{
	(void)f;
	((struct log *)arg)->ran++;
	*ret_result = json_incref(call->params);
	return OK;
}

static enum err broken(void *arg, struct rpc_call *call, json_t **ret_result, struct fault *f)
{
	(void)arg, (void)ret_result;
	const char *kind = json_string_value(json_object_get(call->params, "kind"));
	enum err e = ERR_INTERNAL;
	assert_true(err_from_word(kind, &e));
	return fault_raise(f, e, "service_expired", "service", "service 20353 ended 2016-08-31, wanted one in force");
}

static enum err with_session(void *arg, struct rpc_call *call, json_t **ret_result, struct fault *f)
{
	(void)arg, (void)f;
	*ret_result = json_string(call->session);
	return OK;
}

/* Kept when it may be, for jsonrpc_end(). */
static struct rpc_call *kept_call;

static enum err keeps(void *arg, struct rpc_call *call, json_t **ret_result, struct fault *f)
{
	if (!call->ticket)
		return with_session(arg, call, ret_result, f);
	call->kept = true;
	kept_call = call;
	return OK;
}

static const char *const colours[] = {"red", "green", NULL};
static const struct rpc_param echo_params[] = {
	{"name", PARAM_STRING, true, 1, 8, .help_zh = "名称", .help_en = "name"},
	{"count", PARAM_INTEGER, false, -5, 5},
	{"flag", PARAM_BOOLEAN, false},
	{"colour", PARAM_STRING, false, .words = colours},
	{"colours", PARAM_STRINGS, false, 1, 2, colours},
	{"object", PARAM_OBJECT, false},
	{"objects", PARAM_OBJECTS, false, 0, 2},
	{"free", PARAM_STRING, false},
	{"any", PARAM_INTEGER, false},
	{0},
};
static const struct rpc_param kind_params[] = {{"kind", PARAM_STRING, true}, {0}};
static const struct rpc_method methods[] = {
	{"echo", echo, ROLE_READ | ROLE_WRITE, false, false, echo_params, "{\"type\":\"object\"}", "回声", "echoes"},
	{"write", echo, ROLE_WRITE, false, true, NULL, NULL, "写", "writes"},
	{"broken", broken, ROLE_READ, false, false, kind_params, NULL, "坏", "fails"},
	{"session", with_session, ROLE_READ, true, false, NULL, NULL, "会话", "wants a session"},
	{"keeps", keeps, ROLE_READ, true, false, NULL, NULL, "稍后", "answers later"},
};
static const struct rpc_message messages[] = {
	{"service_expired", "服务已到期，请先续费", "the service has expired, renew it first"}};
static const char *const role_words[] = {"read", "write", NULL};

static uint64_t roles(void *arg, const struct rpc_peer *peer)
{
	(void)arg;
	if (peer->uid == UID_NOBODY)
		return 0;
	return peer->uid == UID_WRITER ? ROLE_WRITE : ROLE_READ;
}

static enum err session(void *arg, struct rpc_call *call, const char *token, struct fault *f)
{
	struct log *l = arg;
	if (strcmp(token, "good") != 0)
		return fault_raise(f, ERR_DENIED, "session_unknown", "session", "no such session");
	l->opened++;
	call->session = xstrdup(token);
	return OK;
}

static void session_done(void *arg, struct rpc_call *call)
{
	((struct log *)arg)->closed++;
	free(call->session);
}

static void error_data(void *arg, const struct rpc_call *call, const struct fault *f, json_t *data)
{
	(void)arg, (void)f;
	json_object_set_new(data, "contact", json_string("0579-1"));
	if (call->method)
		json_object_set_new(data, "method", json_string(call->method));
}

static struct log seen;
static const struct jsonrpc_config config = {
	.title = "desk",
	.version = "1",
	.methods = methods,
	.n_methods = sizeof(methods) / sizeof(methods[0]),
	.messages = messages,
	.n_messages = 1,
	.role_words = role_words,
	.roles = roles,
	.session = session,
	.session_done = session_done,
	.error_data = error_data,
	.arg = &seen,
};

static json_t *ask_bytes(uid_t uid, struct slice request)
{
	_cleanup_buf_ struct buf reply = {0};
	struct rpc_peer peer = {.uid = uid};
	jsonrpc_handle(&config, &peer, request, &reply);
	if (reply.len == 0)
		return NULL;
	json_t *v = json_loadb((const char *)reply.data, reply.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	return v;
}

static json_t *ask(uid_t uid, const char *request)
{
	return ask_bytes(uid, slice_str(request));
}

static json_int_t code_of(const json_t *reply)
{
	return json_integer_value(json_object_get(json_object_get(reply, "error"), "code"));
}

static const char *data_of(const json_t *reply, const char *key)
{
	const char *s =
		json_string_value(json_object_get(json_object_get(json_object_get(reply, "error"), "data"), key));
	return s ? s : "";
}

/* --- the envelope ------------------------------------------------------------------------------------------------ */

static void test_envelope(void **state)
{
	(void)state;
	static const struct {
		const char *request;
		int code;
		const char *reason;
	} cases[] = {
		{"", -32700, "json_syntax"},
		{"{", -32700, "json_syntax"},
		{"nonsense", -32700, "json_syntax"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"} x", -32700, "json_syntax"},
		{"\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}", -32700, "json_syntax"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":1,\"method\":\"echo\"}", -32700, "json_duplicate_key"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"name\":\"a\",\"name\":\"b\"}}",
		 -32700, "json_duplicate_key"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"name\":\"a\\u0000b\"}}", -32700,
		 "json_nul"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"a\\u0000b\":1}}", -32700, "json_nul"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"name\":\"\xff\"}}", -32700,
		 "json_utf8"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"name\":\"\xed\xa0\x80\"}}", -32700,
		 "json_utf8"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"name\":\"\\ud800\"}}", -32700,
		 "json_syntax"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"count\":99999999999999999999}}",
		 -32700, "json_syntax"},
		{"1", -32600, "rpc_invalid"},
		{"\"echo\"", -32600, "rpc_invalid"},
		{"null", -32600, "rpc_invalid"},
		{"{}", -32600, "rpc_invalid"},
		{"{\"id\":1,\"method\":\"echo\"}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"echo\"}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"echo\"}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"echo\"}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"echo\"}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"extra\":1}", -32600, "rpc_invalid"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[1]}", -32602, "param_type"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":null}", -32602, "param_type"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ecko\"}", -32601, "method_unknown"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Echo\"}", -32601, "method_unknown"},
		{"[]", -32600, "rpc_batch"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(json_freep) json_t *reply = ask(UID_READER, cases[i].request);
		assert_non_null(reply);
		if (code_of(reply) != cases[i].code || strcmp(data_of(reply, "reason"), cases[i].reason) != 0)
			fail_msg("%s: %lld %s", cases[i].request, (long long)code_of(reply), data_of(reply, "reason"));
		assert_string_equal(data_of(reply, "contact"), "0579-1");
		assert_true(strlen(data_of(reply, "zh")) > 0 && strlen(data_of(reply, "en")) > 0);
		assert_null(json_object_get(reply, "result"));
		assert_non_null(json_object_get(reply, "id"));
	}
	assert_int_equal(seen.ran, 0);
}

static void test_id(void **state)
{
	(void)state;
	static const char *const ids[] = {"1", "-7", "\"abc\"", "\"\"", "null", "9007199254740993"};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (int good = 0; good < 2; good++) {
			_cleanup_(freep) char *text = xasprintf(
				"{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"echo\",\"params\":{\"name\":\"%s\"}}",
				ids[i], good ? "a" : "");
			_cleanup_(json_freep) json_t *reply = ask(UID_READER, text);
			_cleanup_(json_freep) json_t *id = json_loads(ids[i], JSON_DECODE_ANY, NULL);
			assert_true(json_equal(json_object_get(reply, "id"), id));
			assert_true((json_object_get(reply, "error") == NULL) == good);
		}
	_cleanup_buf_ struct buf long_id = {0};
	for (size_t n = 128; n <= 129; n++) {
		buf_clear(&long_id);
		buf_str(&long_id, "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"name\":\"a\"},\"id\":\"");
		for (size_t i = 0; i < n; i++)
			buf_char(&long_id, 'i');
		buf_str(&long_id, "\"}");
		_cleanup_(json_freep) json_t *reply = ask_bytes(UID_READER, buf_slice(&long_id));
		assert_int_equal(code_of(reply), n == 128 ? 0 : -32600);
		assert_true(json_is_null(json_object_get(reply, "id")) == (n == 129));
	}
}

static void test_size_depth_values(void **state)
{
	(void)state;
	static const struct {
		size_t opens; /* of params' own nesting */
		const char *reason;
	} depths[] = {{14, "param_unknown"}, {15, "json_depth"}, {100000, "json_depth"}};
	for (size_t i = 0; i < 3; i++) {
		_cleanup_buf_ struct buf b = {0};
		buf_str(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"x\":");
		for (size_t n = 0; n < depths[i].opens; n++)
			buf_char(&b, '[');
		for (size_t n = 0; n < depths[i].opens; n++)
			buf_char(&b, ']');
		buf_str(&b, "}}");
		_cleanup_(json_freep) json_t *reply = ask_bytes(UID_READER, buf_slice(&b));
		assert_string_equal(data_of(reply, "reason"), depths[i].reason);
	}
	/* brackets inside a string are none */
	_cleanup_(json_freep) json_t *quoted =
		ask(UID_READER, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"name\":\"a\",\"free\":"
				"\"[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[\\\\\"}}");
	assert_int_equal(code_of(quoted), 0);
	static const struct {
		size_t commas, bytes;
		int code;
		const char *reason;
	} sizes[] = {{70000, 0, -32600, "json_values"},
		     {0, JSONRPC_MAX_REQUEST, -32602, "param_unknown"},
		     {0, JSONRPC_MAX_REQUEST + 1, -32600, "json_size"}};
	for (size_t i = 0; i < 3; i++) {
		_cleanup_buf_ struct buf b = {0};
		buf_str(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"x\":[1");
		for (size_t n = 0; n < sizes[i].commas; n++)
			buf_str(&b, ",1");
		buf_str(&b, "]}}");
		while (b.len < sizes[i].bytes)
			buf_char(&b, ' ');
		_cleanup_(json_freep) json_t *reply = ask_bytes(UID_READER, buf_slice(&b));
		assert_int_equal(code_of(reply), sizes[i].code);
		assert_string_equal(data_of(reply, "reason"), sizes[i].reason);
	}
	_cleanup_(json_freep) json_t *nul = ask_bytes(UID_READER, slice_of("{\0}", 3));
	assert_string_equal(data_of(nul, "reason"), "json_nul");
	_cleanup_(json_freep) json_t *empty = ask_bytes(UID_READER, slice_of(NULL, 0));
	assert_int_equal(code_of(empty), -32700);
}

static void test_batch(void **state)
{
	(void)state;
	for (int n = 32; n <= 33; n++) {
		_cleanup_buf_ struct buf b = {0};
		buf_char(&b, '[');
		for (int i = 0; i < n; i++) {
			_cleanup_(freep) char *text =
				xasprintf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"echo\"}", i);
			buf_fmt(&b, "%s%s", i ? "," : "", text);
		}
		buf_char(&b, ']');
		_cleanup_(json_freep) json_t *reply = ask_bytes(UID_READER, buf_slice(&b));
		assert_int_equal(json_array_size(reply), n == 32 ? 32 : 0);
		assert_int_equal(code_of(reply), n == 32 ? 0 : -32600);
	}
	_cleanup_(json_freep) json_t *mixed = ask(
		UID_READER, "[1,{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"name\":\"n\"}},"
			    "{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"echo\",\"params\":{\"name\":\"a\"}},[]]");
	assert_int_equal(json_array_size(mixed), 3);
	assert_int_equal(code_of(json_array_get(mixed, 0)), -32600);
	assert_non_null(json_object_get(json_array_get(mixed, 1), "result"));
	assert_int_equal(code_of(json_array_get(mixed, 2)), -32600);
}

static void test_notification(void **state)
{
	(void)state;
	unsigned before = seen.ran;
	assert_null(ask(UID_READER, "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"name\":\"a\"}}"));
	assert_int_equal(seen.ran, before + 1);
	static const char *const silent[] = {
		"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"name\":7}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"rpc.discover\"}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"write\",\"params\":{\"call_id\":\"12345678\"}}",
		"[{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"},{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}]",
	};
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		assert_null(ask(UID_READER, silent[i]));
	assert_int_equal(seen.ran, before + 1);
}

/* --- parameters -------------------------------------------------------------------------------------------------- */

static void test_params(void **state)
{
	(void)state;
	static const struct {
		const char *params, *reason, *field; /* reason "": passes */
	} cases[] = {
		{"{\"name\":\"a\"}", "", ""},
		{"{\"name\":\"12345678\",\"count\":-5,\"flag\":false,\"colour\":\"red\",\"colours\":[\"red\",\"green\"]"
		 ",\"object\":{},"
		 "\"objects\":[{},{}],\"free\":\"\",\"any\":-9223372036854775808}",
		 "", ""},
		{"{}", "param_missing", "name"},
		{"{\"name\":\"\"}", "param_range", "name"},
		{"{\"name\":\"123456789\"}", "param_range", "name"},
		{"{\"name\":\"虎符虎\"}", "param_range", "name"}, /* nine bytes */
		{"{\"name\":1}", "param_type", "name"},
		{"{\"name\":null}", "param_type", "name"},
		{"{\"name\":[\"a\"]}", "param_type", "name"},
		{"{\"name\":{}}", "param_type", "name"},
		{"{\"name\":true}", "param_type", "name"},
		{"{\"name\":\"a\",\"nam\":\"a\"}", "param_unknown", "nam"},
		{"{\"name\":\"a\",\"Name\":\"a\"}", "param_unknown", "Name"},
		{"{\"name\":\"a\",\"\":\"a\"}", "param_unknown", ""},
		{"{\"name\":\"a\",\"session\":\"a\"}", "param_unknown", "session"},
		{"{\"name\":\"a\",\"call_id\":\"12345678\"}", "param_unknown", "call_id"},
		{"{\"name\":\"a\",\"count\":6}", "param_range", "count"},
		{"{\"name\":\"a\",\"count\":-6}", "param_range", "count"},
		{"{\"name\":\"a\",\"count\":\"1\"}", "param_type", "count"},
		{"{\"name\":\"a\",\"count\":1.0}", "param_type", "count"},
		{"{\"name\":\"a\",\"count\":1e0}", "param_type", "count"},
		{"{\"name\":\"a\",\"flag\":0}", "param_type", "flag"},
		{"{\"name\":\"a\",\"flag\":\"true\"}", "param_type", "flag"},
		{"{\"name\":\"a\",\"colour\":\"gren\"}", "param_word", "colour"},
		{"{\"name\":\"a\",\"colour\":\"\"}", "param_word", "colour"},
		{"{\"name\":\"a\",\"colour\":\"RED\"}", "param_word", "colour"},
		{"{\"name\":\"a\",\"colours\":[]}", "param_range", "colours"},
		{"{\"name\":\"a\",\"colours\":[\"red\",\"red\",\"red\"]}", "param_range", "colours"},
		{"{\"name\":\"a\",\"colours\":[\"red\",1]}", "param_type", "colours"},
		{"{\"name\":\"a\",\"colours\":[\"blue\"]}", "param_word", "colours"},
		{"{\"name\":\"a\",\"colours\":\"red\"}", "param_type", "colours"},
		{"{\"name\":\"a\",\"object\":[]}", "param_type", "object"},
		{"{\"name\":\"a\",\"objects\":{}}", "param_type", "objects"},
		{"{\"name\":\"a\",\"objects\":[{},[]]}", "param_type", "objects"},
		{"{\"name\":\"a\",\"objects\":[{},{},{}]}", "param_range", "objects"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *text =
			xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":%s}", cases[i].params);
		unsigned before = seen.ran;
		_cleanup_(json_freep) json_t *reply = ask(UID_READER, text);
		bool good = cases[i].reason[0] == 0;
		if (strcmp(data_of(reply, "reason"), cases[i].reason) != 0 ||
		    strcmp(data_of(reply, "field"), cases[i].field) != 0)
			fail_msg("%s: %s %s", cases[i].params, data_of(reply, "reason"), data_of(reply, "field"));
		assert_int_equal(code_of(reply), good ? 0 : -32602);
		assert_int_equal(seen.ran, before + good);
	}
	_cleanup_(json_freep) json_t *near = ask(
		UID_READER,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"name\":\"a\",\"colour\":\"gren\"}}");
	assert_non_null(strstr(data_of(near, "text"), "did you mean \"green\"?"));
	assert_non_null(strstr(data_of(near, "text"), "red, green"));
}

static void test_call_id(void **state)
{
	(void)state;
	static const struct {
		const char *params, *reason;
	} cases[] = {
		{"{\"call_id\":\"12345678\"}", ""},
		{"{\"call_id\":\"AZaz09--AZaz09--AZaz09--AZaz09--AZaz09--AZaz09--AZaz09--AZaz09--\"}", ""},
		{"{}", "param_missing"},
		{"{\"call_id\":\"1234567\"}", "param_range"},
		{"{\"call_id\":\"AZaz09--AZaz09--AZaz09--AZaz09--AZaz09--AZaz09--AZaz09--AZaz09--x\"}", "param_range"},
		{"{\"call_id\":\"1234567_\"}", "param_range"},
		{"{\"call_id\":\"1234567 \"}", "param_range"},
		{"{\"call_id\":\"1234567\\n\"}", "param_range"},
		{"{\"call_id\":\"虎符虎符\"}", "param_range"},
		{"{\"call_id\":12345678}", "param_type"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *text =
			xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"write\",\"params\":%s}", cases[i].params);
		_cleanup_(json_freep) json_t *reply = ask(UID_WRITER, text);
		assert_string_equal(data_of(reply, "reason"), cases[i].reason);
	}
}

/* --- who may ----------------------------------------------------------------------------------------------------- */

static void test_permission(void **state)
{
	(void)state;
	static const struct {
		uid_t uid;
		const char *method, *params, *reason;
	} cases[] = {
		{UID_READER, "echo", "{\"name\":\"a\"}", ""},
		{UID_WRITER, "echo", "{\"name\":\"a\"}", ""},
		{UID_WRITER, "write", "{\"call_id\":\"12345678\"}", ""},
		{UID_READER, "write", "{\"call_id\":\"12345678\"}", "method_denied"},
		{UID_READER, "write", "{}", "method_denied"}, /* before the parameters are looked at */
		{UID_WRITER, "broken", "{\"kind\":\"io\"}", "method_denied"},
		{UID_NOBODY, "echo", "{\"name\":\"a\"}", "peer_unknown"},
		{UID_NOBODY, "rpc.discover", "{}", "peer_unknown"},
		{UID_NOBODY, "no.such.method", "{}", "peer_unknown"},
		{UID_READER, "session", "{\"session\":\"good\"}", ""},
		{UID_READER, "session", "{\"session\":\"bad\"}", "session_unknown"},
		{UID_READER, "session", "{}", "param_missing"},
		{UID_READER, "session", "{\"session\":\"\"}", "param_range"},
		{UID_READER, "session", "{\"session\":7}", "param_type"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *text =
			xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", cases[i].method,
				  cases[i].params);
		_cleanup_(json_freep) json_t *reply = ask(cases[i].uid, text);
		assert_string_equal(data_of(reply, "reason"), cases[i].reason);
		if (strstr(cases[i].reason, "denied") || strstr(cases[i].reason, "unknown"))
			assert_int_equal(code_of(reply), -32000 - (int)ERR_DENIED);
	}
	assert_int_equal(seen.opened, 1);
	assert_int_equal(seen.closed, 1);
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

static void test_errors(void **state)
{
	(void)state;
	for (enum err kind = ERR_PARSE; kind <= ERR_INTERNAL; kind++) {
		_cleanup_(freep) char *text =
			xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"broken\",\"params\":{\"kind\":\"%s\"}}",
				  err_word(kind));
		_cleanup_(json_freep) json_t *reply = ask(UID_READER, text);
		bool public = err_is_public(kind);
		assert_int_equal(code_of(reply), -32000 - (int)(public ? kind : ERR_INTERNAL));
		assert_string_equal(data_of(reply, "kind"), err_word(public ? kind : ERR_INTERNAL));
		assert_string_equal(data_of(reply, "reason"), public ? "service_expired" : "internal_error");
		assert_string_equal(data_of(reply, "contact"), "0579-1");
		const char *message = json_string_value(json_object_get(json_object_get(reply, "error"), "message"));
		if (public) {
			assert_string_equal(message, "服务已到期，请先续费 / the service has expired, renew it first");
			assert_string_equal(data_of(reply, "zh"), "服务已到期，请先续费");
			assert_string_equal(data_of(reply, "en"), "the service has expired, renew it first");
			assert_string_equal(data_of(reply, "text"),
					    "service 20353 ended 2016-08-31, wanted one in force");
			assert_string_equal(data_of(reply, "field"), "service");
			assert_string_equal(data_of(reply, "ref"), "");
		} else {
			assert_int_equal(strlen(data_of(reply, "ref")), 10);
			assert_non_null(strstr(message, data_of(reply, "ref")));
			assert_null(strstr(message, "20353"));
		}
	}
}

static void test_openrpc(void **state)
{
	(void)state;
	_cleanup_(json_freep) json_t *reply =
		ask(UID_READER, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}");
	const json_t *doc = json_object_get(reply, "result");
	_cleanup_(json_freep) json_t *direct = jsonrpc_openrpc(&config);
	assert_true(json_equal(doc, direct));
	assert_string_equal(json_string_value(json_object_get(doc, "openrpc")), "1.2.6");
	assert_string_equal(json_string_value(json_object_get(json_object_get(doc, "info"), "title")), "desk");
	const json_t *list = json_object_get(doc, "methods");
	assert_int_equal(json_array_size(list), config.n_methods);
	static const char *const wanted = "{\"name\":\"write\",\"summary\":\"写 / "
					  "writes\",\"paramStructure\":\"by-name\",\"params\":[{\"name\":\"call_id\","
					  "\"required\":true,\"schema\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9-"
					  "]{8,64}$\"},\"description\":"
					  "\"调用方生成的编号，重复提交得到相同的答复 / made by the caller; repeating "
					  "it gives the same answer\"}],"
					  "\"result\":{\"name\":\"result\",\"schema\":{}},\"x-roles\":[\"write\"],\"x-"
					  "session\":false,\"x-changes\":true}";
	_cleanup_(json_freep) json_t *want = json_loads(wanted, 0, NULL);
	assert_non_null(want);
	assert_true(json_equal(json_array_get(list, 1), want));
	const json_t *colours_schema =
		json_object_get(json_array_get(json_object_get(json_array_get(list, 0), "params"), 4), "schema");
	_cleanup_(json_freep) json_t *want_colours = json_loads(
		"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"red\",\"green\"]},\"minItems\":1,"
		"\"maxItems\":2}",
		0, NULL);
	assert_true(json_equal(colours_schema, want_colours));
}

/* --- over a socket ----------------------------------------------------------------------------------------------- */

static const char *fake_reply; /* instead of the library's, when set */

static void serve(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	(void)arg, (void)peer;
	struct rpc_peer reader = {.uid = UID_READER};
	if (fake_reply)
		buf_str(reply, fake_reply);
	else
		jsonrpc_handle(&config, &reader, request, reply);
}

static void check_fakes(struct rpc_client *c)
{
	static const struct {
		const char *reply;
		enum err want;
		const char *rule;
	} fakes[] = {
		{"x", ERR_NET, "rpc_reply"},
		{"[]", ERR_NET, "rpc_reply"},
		{"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":1}", ERR_NET, "rpc_reply"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1}", ERR_NET, "rpc_reply"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":{}}", ERR_NET, "rpc_reply"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":7}", ERR_NET, "rpc_reply"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", ERR_NET, "rpc_error"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no\"}}", ERR_NOT_FOUND,
		 "rpc_error"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"no\"}}", ERR_PARSE,
		 "rpc_error"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\\u001b[2J\",\"data\":{\"kind\":"
		 "\"ok\"}}}",
		 ERR_NET, "rpc_error"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"m\",\"data\":{\"kind\":\"busy\","
		 "\"reason\":7}}}",
		 ERR_BUSY, "rpc_error"},
	};
	for (size_t i = 0; i < sizeof(fakes) / sizeof(fakes[0]); i++) {
		_cleanup_(json_freep) json_t *result = NULL;
		struct fault f = {0};
		fake_reply = fakes[i].reply;
		assert_int_equal(jsonrpc_call(c, "echo", NULL, &result, NULL, &f), fakes[i].want);
		assert_string_equal(f.rule, fakes[i].rule);
		assert_null(strchr(f.text, '\x1b'));
		assert_null(result);
	}
	fake_reply = NULL;
}

static void test_call(void **state)
{
	(void)state;
	char dir[] = "/tmp/hufu-json-XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s.sock", dir);
	struct rpc_server_config sc = {
		.path = path, .mode = 0600, .max_request = JSONRPC_MAX_REQUEST, .workers = 2, .handle = serve};
	struct rpc_server *s = NULL;
	struct rpc_client *c = NULL;
	assert_int_equal(rpc_server_start(&sc, &s, NULL), OK);
	assert_int_equal(rpc_client_open(path, 3000, JSONRPC_MAX_REQUEST, &c, NULL), OK);
	_cleanup_(json_freep) json_t *params = json_pack("{s:s}", "name", "虎"), *result = NULL, *error = NULL;
	struct fault f = {0};
	assert_int_equal(jsonrpc_call(c, "echo", params, &result, &error, &f), OK);
	assert_true(json_equal(params, result));
	assert_null(error);
	_cleanup_(json_freep) json_t *kind = json_pack("{s:s}", "kind", "rule"), *none = NULL;
	assert_int_equal(jsonrpc_call(c, "broken", kind, &none, &error, &f), ERR_RULE);
	assert_null(none);
	assert_int_equal(f.kind, ERR_RULE);
	assert_string_equal(f.rule, "service_expired");
	assert_string_equal(f.where, "service");
	assert_string_equal(f.text, "服务已到期，请先续费 / the service has expired, renew it first: "
				    "service 20353 ended 2016-08-31, wanted one in force");
	assert_string_equal(json_string_value(json_object_get(json_object_get(error, "data"), "contact")), "0579-1");
	check_fakes(c);
	rpc_client_close(c);
	rpc_server_stop(s);
	assert_int_equal(rmdir(dir), 0);
}

/* --- answered later --- */

#define TICKET ((struct rpc_ticket *)&seen)
#define KEEPS(id) "{\"jsonrpc\":\"2.0\"" id ",\"method\":\"keeps\",\"params\":{\"session\":\"good\"}}"

static bool take(const char *request, struct buf *reply)
{
	return jsonrpc_take(&config, &(struct rpc_peer){.uid = UID_READER}, slice_str(request), TICKET, reply);
}

static void test_later(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf reply = {0};
	struct fault f;
	seen = (struct log){0};
	assert_false(take(KEEPS(",\"id\":7"), &reply));
	assert_int_equal(reply.len, 0);
	assert_ptr_equal(kept_call->ticket, TICKET);
	assert_int_equal(seen.closed, 0); /* the session is open as long as the call is */
	jsonrpc_end(kept_call, OK, json_string(kept_call->session), NULL, &reply);
	assert_string_equal(buf_text(&reply), "{\"jsonrpc\":\"2.0\",\"result\":\"good\",\"id\":7}");
	assert_int_equal(seen.closed, 1);
	buf_clear(&reply);
	assert_false(take(KEEPS(",\"id\":\"x\""), &reply));
	(void)fault_raise(&f, ERR_RULE, "service_expired", "service", "service 20353 ended");
	jsonrpc_end(kept_call, ERR_RULE, NULL, &f, &reply);
	_cleanup_(json_freep) json_t *error = json_loadb((const char *)reply.data, reply.len, 0, NULL);
	assert_string_equal(data_of(error, "reason"), "service_expired");
	assert_string_equal(data_of(error, "method"), "keeps");
	assert_string_equal(json_string_value(json_object_get(error, "id")), "x");
	/* A notification has no answer then either. */
	buf_clear(&reply);
	assert_false(take(KEEPS(""), &reply));
	jsonrpc_end(kept_call, OK, json_null(), NULL, &reply);
	assert_int_equal(reply.len, 0);
	assert_int_equal(seen.closed, 3);
}

/* What is not kept is answered as by jsonrpc_handle(), byte by byte; in a batch nothing is kept. */
static void test_now(void **state)
{
	static const char *const requests[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"name\":\"a\"}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"name\":\"a\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"none\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session\",\"params\":{\"session\":\"bad\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session\",\"params\":{\"session\":\"good\"}}",
		"[" KEEPS(",\"id\":1") "," KEEPS(",\"id\":2") "]",
		"[]",
		"{",
		"1",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		_cleanup_buf_ struct buf now = {0}, handled = {0};
		seen = (struct log){0};
		assert_true(take(requests[i], &now));
		assert_int_equal(seen.opened, seen.closed);
		jsonrpc_handle(&config, &(struct rpc_peer){.uid = UID_READER}, slice_str(requests[i]), &handled);
		assert_string_equal(buf_text(&now), buf_text(&handled));
	}
}

/* --- writing: the bytes are jansson's --- */

static void check_written(const json_t *value)
{
	_cleanup_buf_ struct buf ours = {0};
	char *wanted = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	assert_non_null(wanted);
	json_write(value, &ours);
	assert_string_equal(buf_text(&ours), wanted);
	assert_int_equal(ours.len, strlen(wanted));
	free(wanted);
}

static void test_write(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		"false",
		"0",
		"-1",
		"9223372036854775807",
		"-9223372036854775808",
		"1.5",
		"-1e-7",
		"1e300",
		"3.0",
		"\"\"",
		"[]",
		"{}",
		"[[],{},\"\"]",
		"{\"b\":1,\"a\":{\"\":[1,2,3]},\"c\\\"\":null}",
		"\"杭州有限公司 \\/ 😀\"",
		"\"\\u0001\\u001f\x7f\"",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *v = json_loads(texts[i], JSON_DECODE_ANY, NULL);
		assert_non_null(v);
		check_written(v);
		json_decref(v);
	}
}

/* Each character that is one byte, NUL too, at each place of a text of two groups of eight and a rest. */
static void test_write_text(void **state)
{
	(void)state;
	for (int c = 0; c < 0x80; c++) {
		for (size_t at = 0; at < 19; at++) {
			char text[20];
			memset(text, 'x', sizeof(text));
			text[at] = (char)c;
			text[at + 1] = (char)(c ^ 1); /* what follows a special character is looked at, too */
			json_t *v = json_stringn(text, sizeof(text));
			check_written(v);
			json_decref(v);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_size_depth_values),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_notification),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_call_id),
		cmocka_unit_test(test_permission),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_openrpc),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_text),
	};
	return cmocka_run_group_tests_name("jsonrpc", tests, NULL, NULL);
}
