/*
 * The OpenRPC document (specification 1.2.6) of a table of methods.
 */
#include "common/rpc/json.h"
#include "common/rpc/jsonrpc_private.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

static void set_bounds(json_t *schema, const struct rpc_param *p, const char *min, const char *max)
{
	if (p->min == 0 && p->max == 0)
		return;
	json_object_set_new(schema, min, json_integer(p->min));
	json_object_set_new(schema, max, json_integer(p->max));
}

static json_t *string_schema(const struct rpc_param *p)
{
	json_t *schema = json_pack("{s:s}", "type", "string");
	if (!p->words)
		return schema;
	json_t *words = json_array();
	for (size_t i = 0; p->words[i]; i++)
		json_array_append_new(words, json_string(p->words[i]));
	json_object_set_new(schema, "enum", words);
	return schema;
}

/* Lengths are bytes of UTF-8, which for anything but ASCII is stricter than JSON Schema's characters. */
static json_t *param_schema(const struct rpc_param *p)
{
	json_t *schema = NULL;
	switch (p->type) {
	case PARAM_STRING:
		schema = string_schema(p);
		set_bounds(schema, p, "minLength", "maxLength");
		return schema;
	case PARAM_INTEGER:
		schema = json_pack("{s:s}", "type", "integer");
		set_bounds(schema, p, "minimum", "maximum");
		return schema;
	case PARAM_BOOLEAN:
		return json_pack("{s:s}", "type", "boolean");
	case PARAM_STRINGS:
		schema = json_pack("{s:s, s:o}", "type", "array", "items", string_schema(p));
		set_bounds(schema, p, "minItems", "maxItems");
		return schema;
	case PARAM_OBJECT:
		return json_pack("{s:s}", "type", "object");
	case PARAM_OBJECTS:
		schema = json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "object");
		set_bounds(schema, p, "minItems", "maxItems");
		return schema;
	}
	return json_object();
}

static void set_both(json_t *o, const char *key, const char *zh, const char *en)
{
	if (!zh && !en)
		return;
	_cleanup_(freep) char *text = xasprintf("%s%s%s", zh ? zh : "", zh && en ? " / " : "", en ? en : "");
	json_object_set_new(o, key, json_string(text));
}

static json_t *param_new(const struct rpc_param *p)
{
	json_t *o = json_pack("{s:s, s:b, s:o}", "name", p->name, "required", p->required, "schema", param_schema(p));
	set_both(o, "description", p->help_zh, p->help_en);
	return o;
}

static json_t *params_new(const struct rpc_method *m)
{
	static const struct rpc_param session = {"session",
						 PARAM_STRING,
						 true,
						 1,
						 SESSION_MAX,
						 .help_zh = "登录后取得的会话",
						 .help_en = "session of the person who is logged in"};
	json_t *list = json_array();
	if (m->session)
		json_array_append_new(list, param_new(&session));
	if (m->changes)
		json_array_append_new(list, json_pack("{s:s, s:b, s:{s:s, s:s}, s:s}", "name", "call_id", "required", 1,
						      "schema", "type", "string", "pattern", "^[A-Za-z0-9-]{8,64}$",
						      "description",
						      "调用方生成的编号，重复提交得到相同的答复 / made by the caller; "
						      "repeating it gives the same "
						      "answer"));
	for (const struct rpc_param *p = m->params; p && p->name; p++)
		json_array_append_new(list, param_new(p));
	for (const struct rpc_param *p = m->implied; p && p->name; p++)
		json_array_append_new(list, param_new(p));
	return list;
}

static json_t *result_new(const struct rpc_method *m)
{
	static const struct json_limits limits = {JSONRPC_MAX_REQUEST, 64, JSONRPC_MAX_VALUES};
	json_t *schema = NULL;
	if (m->result) {
		enum err e = json_read(slice_str(m->result), &limits, &schema, NULL);
		assert(e == OK && "result schema of a method is not JSON");
		(void)e;
	}
	return json_pack("{s:s, s:o}", "name", "result", "schema", schema ? schema : json_object());
}

static json_t *roles_new(const struct jsonrpc_config *c, uint64_t roles)
{
	json_t *list = json_array();
	for (unsigned bit = 0; c->role_words && bit < 64 && c->role_words[bit]; bit++)
		if (roles >> bit & 1)
			json_array_append_new(list, json_string(c->role_words[bit]));
	return list;
}

static json_t *method_new(const struct jsonrpc_config *c, const struct rpc_method *m)
{
	json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:b}", "name", m->name, "paramStructure", "by-name",
			      "params", params_new(m), "result", result_new(m), "x-roles", roles_new(c, m->roles),
			      "x-session", m->session, "x-changes", m->changes);
	set_both(o, "summary", m->zh, m->en);
	return o;
}

json_t *jsonrpc_openrpc(const struct jsonrpc_config *c)
{
	json_start();
	json_t *methods = json_array();
	for (size_t i = 0; i < c->n_methods; i++)
		json_array_append_new(methods, method_new(c, &c->methods[i]));
	json_t *doc = json_pack("{s:s, s:{s:s, s:s}, s:o}", "openrpc", "1.2.6", "info", "title", c->title, "version",
				c->version, "methods", methods);
	assert(doc);
	return doc;
}
