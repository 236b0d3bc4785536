/*
 * The check of a call's parameters against the method's table. Everything a table says is refused here, so that a
 * method reads its parameters without asking again.
 */
#include "common/rpc/jsonrpc_private.h"

#include "common/base/cleanup.h"

#include <inttypes.h>
#include <string.h>

static const char *type_word(enum param_type t)
{
	switch (t) {
	case PARAM_STRING:
		return "a string";
	case PARAM_INTEGER:
		return "an integer";
	case PARAM_BOOLEAN:
		return "true or false";
	case PARAM_STRINGS:
		return "a list of strings";
	case PARAM_OBJECT:
		return "an object";
	case PARAM_OBJECTS:
		return "a list of objects";
	}
	return "?";
}

static const char *found_word(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a number with a fraction or exponent";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		return "null (leave it out instead)";
	}
	return "?";
}

static bool all_are(const json_t *list, json_type type)
{
	size_t i;
	json_t *item;
	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, item) if (json_typeof(item) != type) return false;
	return true;
}

static bool has_type(const json_t *v, enum param_type t)
{
	switch (t) {
	case PARAM_STRING:
		return json_is_string(v);
	case PARAM_INTEGER:
		return json_is_integer(v);
	case PARAM_BOOLEAN:
		return json_is_boolean(v);
	case PARAM_STRINGS:
		return all_are(v, JSON_STRING);
	case PARAM_OBJECT:
		return json_is_object(v);
	case PARAM_OBJECTS:
		return all_are(v, JSON_OBJECT);
	}
	return false;
}

/* min and max both 0: unbounded. */
static enum err check_range(const struct rpc_param *p, int64_t n, const char *unit, struct fault *f)
{
	if ((p->min == 0 && p->max == 0) || (n >= p->min && n <= p->max))
		return OK;
	return fault_raise(f, ERR_PARSE, "param_range", p->name, "%s is %" PRId64 "%s, wanted %" PRId64 " to %" PRId64,
			   p->name, n, unit, p->min, p->max);
}

static size_t count_words(const char *const *words)
{
	size_t n = 0;
	while (words[n])
		n++;
	return n;
}

static enum err check_word(const struct rpc_param *p, const json_t *v, struct fault *f)
{
	if (!p->words)
		return OK;
	for (size_t i = 0; p->words[i]; i++)
		if (strcmp(p->words[i], json_string_value(v)) == 0)
			return OK;
	_cleanup_buf_ struct buf list = {0};
	for (size_t i = 0; p->words[i]; i++)
		buf_fmt(&list, "%s%s", i ? ", " : "", p->words[i]);
	const char *near = word_nearest(json_string_value(v), p->words, count_words(p->words));
	return fault_raise(f, ERR_PARSE, "param_word", p->name, "%s is \"%s\"%s%s%s, wanted one of: %s", p->name,
			   ESC(json_string_value(v), json_string_length(v)), near ? " (did you mean \"" : "",
			   near ? near : "", near ? "\"?)" : "", buf_text(&list));
}

static enum err check_value(const struct rpc_param *p, const json_t *v, struct fault *f)
{
	size_t i;
	json_t *item;
	if (!has_type(v, p->type))
		return fault_raise(f, ERR_PARSE, "param_type", p->name, "%s is %s, wanted %s", p->name, found_word(v),
				   type_word(p->type));
	switch (p->type) {
	case PARAM_STRING:
		TRY(check_range(p, (int64_t)json_string_length(v), " bytes long", f));
		return check_word(p, v, f);
	case PARAM_INTEGER:
		return check_range(p, json_integer_value(v), "", f);
	case PARAM_STRINGS:
		TRY(check_range(p, (int64_t)json_array_size(v), " items long", f));
		json_array_foreach(v, i, item) TRY(check_word(p, item, f));
		return OK;
	case PARAM_OBJECTS:
		return check_range(p, (int64_t)json_array_size(v), " items long", f);
	case PARAM_BOOLEAN:
	case PARAM_OBJECT:
		return OK;
	}
	return OK;
}

static const struct rpc_param session_param = {"session", PARAM_STRING, true, 1, SESSION_MAX};
static const struct rpc_param call_id_param = {"call_id", PARAM_STRING, true, CALL_ID_MIN, CALL_ID_MAX};

static const struct rpc_param *find_param(const struct rpc_method *m, const char *name)
{
	if (m->session && strcmp(name, session_param.name) == 0)
		return &session_param;
	if (m->changes && strcmp(name, call_id_param.name) == 0)
		return &call_id_param;
	for (const struct rpc_param *p = m->params; p && p->name; p++)
		if (strcmp(name, p->name) == 0)
			return p;
	for (const struct rpc_param *p = m->implied; p && p->name; p++)
		if (strcmp(name, p->name) == 0)
			return p;
	return NULL;
}

static enum err unknown_raise(const struct rpc_method *m, const char *name, struct fault *f)
{
	const char *words[64];
	size_t n = 0;
	if (m->session)
		words[n++] = session_param.name;
	if (m->changes)
		words[n++] = call_id_param.name;
	for (const struct rpc_param *p = m->params; p && p->name && n < 64; p++)
		words[n++] = p->name;
	for (const struct rpc_param *p = m->implied; p && p->name && n < 64; p++)
		words[n++] = p->name;
	const char *near = word_nearest(name, words, n);
	const char *shown = ESC(name, strlen(name));
	return fault_raise(f, ERR_PARSE, "param_unknown", shown, "%s is no parameter of %s%s%s%s", shown, m->name,
			   near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

static enum err check_call_id(const json_t *v, struct fault *f)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
	const char *s = json_string_value(v);
	if (strspn(s, allowed) == strlen(s))
		return OK;
	return fault_raise(f, ERR_PARSE, "param_range", "call_id",
			   "call_id is \"%s\", wanted letters, digits and hyphens only", ESC(s, strlen(s)));
}

static enum err check_present(const struct rpc_param *p, const json_t *params, struct fault *f)
{
	if (!p->required || json_object_get(params, p->name))
		return OK;
	return fault_raise(f, ERR_PARSE, "param_missing", p->name, "%s is missing, wanted %s", p->name,
			   type_word(p->type));
}

enum err rpc_params_check(const struct rpc_method *m, const json_t *params, struct fault *f)
{
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)params, name, v)
	{
		const struct rpc_param *p = find_param(m, name);
		if (!p)
			return unknown_raise(m, name, f);
		TRY(check_value(p, v, f));
		if (p == &call_id_param)
			TRY(check_call_id(v, f));
	}
	if (m->session)
		TRY(check_present(&session_param, params, f));
	if (m->changes)
		TRY(check_present(&call_id_param, params, f));
	for (const struct rpc_param *p = m->params; p && p->name; p++)
		TRY(check_present(p, params, f));
	return OK;
}
