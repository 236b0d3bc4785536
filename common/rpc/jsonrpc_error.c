/*
 * A fault as a JSON-RPC error object, in Chinese and English, and the texts of the rules that this library itself has.
 */
#include "common/rpc/fault.h"
#include "common/rpc/jsonrpc_private.h"

#include "common/base/cleanup.h"

#include <string.h>

/* English is the fault's own text, which names found and wanted. */
static const struct rpc_message own_messages[] = {
	{"json_size", "请求过大", NULL},
	{"json_nul", "请求中含有空字符", NULL},
	{"json_utf8", "请求不是有效的 UTF-8 文本", NULL},
	{"json_depth", "请求嵌套过深", NULL},
	{"json_values", "请求中的数据项过多", NULL},
	{"json_syntax", "请求不是有效的 JSON", NULL},
	{"json_duplicate_key", "请求中有重复的键", NULL},
	{"rpc_invalid", "请求不符合 JSON-RPC 2.0", NULL},
	{"rpc_batch", "一次提交的请求数量不符合要求", NULL},
	{"method_unknown", "没有这个方法", NULL},
	{"method_denied", "您无权调用这个方法", NULL},
	{"peer_unknown", "您无权使用本服务", NULL},
	{"param_unknown", "有不认识的参数", NULL},
	{"param_missing", "缺少必需的参数", NULL},
	{"param_type", "参数类型不正确", NULL},
	{"param_range", "内容的长度或数值超出允许的范围", NULL},
	{"param_word", "参数取值不在允许的范围内", NULL},
	{"internal_error", "系统内部错误，请联系服务台并提供编号", NULL},
};

static const char *kind_zh(enum err kind)
{
	switch (kind) {
	case OK:
		return "正常";
	case ERR_PARSE:
		return "内容格式不正确";
	case ERR_LIMIT:
		return "超出允许的大小或数量";
	case ERR_RULE:
		return "按规定不能办理";
	case ERR_DENIED:
		return "没有权限";
	case ERR_NOT_FOUND:
		return "没有找到";
	case ERR_CONFLICT:
		return "与已有记录冲突";
	case ERR_CRYPTO:
		return "签名或密钥验证未通过";
	case ERR_IO:
		return "读写失败";
	case ERR_DB:
		return "数据库错误";
	case ERR_NET:
		return "网络连接失败";
	case ERR_BUSY:
		return "系统繁忙，请稍后再试";
	case ERR_CONFIG:
		return "配置不正确";
	case ERR_LOCKED:
		return "密钥尚未解锁";
	case ERR_INTERNAL:
		return "系统内部错误";
	}
	return "系统内部错误";
}

static const struct rpc_message *find_message(const struct rpc_message *v, size_t n, const char *rule)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].rule, rule) == 0)
			return &v[i];
	return NULL;
}

static void set_text(json_t *o, const char *key, const char *text)
{
	if (text[0])
		json_object_set_new(o, key, json_string(text));
}

json_t *rpc_error_new(const struct jsonrpc_config *c, const struct rpc_call *call, enum rpc_code code,
		      const struct fault *f)
{
	struct fault out;
	char ref[FAULT_REF];
	fault_publish(f, &out, ref);
	const struct rpc_message *m = find_message(c->messages, c->n_messages, out.rule);
	if (!m)
		m = find_message(own_messages, sizeof(own_messages) / sizeof(own_messages[0]), out.rule);
	const char *zh = m && m->zh ? m->zh : kind_zh(out.kind), *en = m && m->en ? m->en : out.text;
	json_t *data = json_object();
	set_text(data, "reason", out.rule);
	set_text(data, "kind", err_word(out.kind));
	set_text(data, "field", out.where);
	set_text(data, "zh", zh);
	set_text(data, "en", en);
	set_text(data, "text", out.text);
	set_text(data, "ref", ref);
	if (c->error_data)
		c->error_data(c->arg, call, &out, data);
	_cleanup_(freep) char *message = xasprintf("%s / %s", zh, en);
	return json_pack("{s:i, s:s, s:o}", "code", (int)(code ? (int)code : RPC_OURS - (int)out.kind), "message",
			 message, "data", data);
}
