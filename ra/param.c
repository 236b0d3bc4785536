/*
 * Parameters out of JSON and answers into it.
 */
#include "ra/desk.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"

#include <assert.h>
#include <string.h>

const char *param_text(const struct ctx *c, const char *name)
{
	return json_string_value(json_object_get(c->call->params, name));
}

int64_t param_number(const struct ctx *c, const char *name, int64_t def)
{
	json_t *v = json_object_get(c->call->params, name);
	return v ? (int64_t)json_integer_value(v) : def;
}

bool param_true(const struct ctx *c, const char *name)
{
	return json_is_true(json_object_get(c->call->params, name));
}

void param_page(const struct ctx *c, int64_t *ret_limit, int64_t *ret_offset)
{
	*ret_limit = param_number(c, "per_page", PER_PAGE);
	*ret_offset = (param_number(c, "page", 1) - 1) * *ret_limit;
}

/* "1764064800:0132b4e9…", as list_end_put() writes it. */
static bool read_key(const char *text, struct list_key *ret)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t at = 0;
	if (text[digits] != ':' || strlen(text + digits + 1) > KEY_ID_MAX || !u64_parse(text, digits, INT64_MAX, &at))
		return false;
	ret->at = (int64_t)at;
	snprintf(ret->id, sizeof(ret->id), "%s", text + digits + 1);
	return true;
}

enum err param_list(const struct ctx *c, int64_t per_page, struct list_page *ret, struct fault *f)
{
	const char *after = param_text(c, "after");
	*ret = PAGE_FROM_START(param_number(c, "per_page", per_page));
	ret->offset = (param_number(c, "page", 1) - 1) * ret->limit;
	if (after && !read_key(after, &ret->after))
		return fault_raise(f, ERR_PARSE, "list_after", "params.after",
				   "found \"%s\", wanted what a page before gave as next", ESC(after, strlen(after)));
	if (ret->offset + ret->limit >= KEYS_MAX)
		return fault_raise(f, ERR_LIMIT, "page_deep", "params.page",
				   "found row %lld, wanted one of the first %d: go on with after",
				   (long long)(ret->offset + ret->limit), KEYS_MAX - 1);
	return OK;
}

void list_end_put(const struct list_end *end, json_t *o)
{
	json_object_set_new(o, "total", json_integer(end->total));
	json_object_set_new(o, "counted", json_boolean(end->counted));
	if (end->more)
		json_object_set_new(o, "next", json_sprintf("%lld:%s", (long long)end->last.at, end->last.id));
}

static enum err text_check(const char *text, const char *where, size_t max, struct fault *f)
{
	size_t n = strlen(text), i = 0;
	if (n > max)
		return fault_raise(f, ERR_LIMIT, "param_length", where, "found %zu bytes, wanted at most %zu", n, max);
	while (i < n) {
		if (cp_is_hidden(utf8_next((const uint8_t *)text, n, &i)))
			return fault_raise(f, ERR_PARSE, "param_characters", where,
					   "found \"%s\" with a control or an invisible character", ESC(text, n));
	}
	return OK;
}

enum err member_text(json_t *object, const char *where, const char *name, bool required, size_t max, const char **ret,
		     struct fault *f)
{
	json_t *v = json_object_get(object, name);
	char place[96];
	snprintf(place, sizeof(place), "%s.%s", where, name);
	if (!v && !required) {
		*ret = "";
		return OK;
	}
	const char *text = json_string_value(v);
	if (!text)
		return fault_raise(f, ERR_PARSE, "param_type", place, "%s: found %s, wanted a string", name,
				   v ? "another type" : "nothing");
	enum err e = text_check(text, place, max, f);
	if (e != OK)
		fault_prefix(f, "%s", name);
	else
		*ret = text;
	return e;
}

enum err param_clean(const struct ctx *c, const char *name, const char **ret, struct fault *f)
{
	return member_text(c->call->params, "params", name, true, JSONRPC_MAX_REQUEST, ret, f);
}

json_t *json_time(int64_t t)
{
	return json_string(UTC(t));
}

json_t *json_hex(const uint8_t *p, size_t n)
{
	char hex[2 * 64 + 1];
	assert(n <= 64);
	hex_lower(p, n, hex);
	return json_string(hex);
}

json_t *json_bilingual(const struct bilingual *b)
{
	json_t *o = json_object();
	json_object_set_new(o, "zh", json_string(b->zh ? b->zh : ""));
	json_object_set_new(o, "en", json_string(b->en ? b->en : ""));
	return o;
}

json_t *json_base64(struct slice bytes)
{
	_cleanup_buf_ struct buf text = {0};
	buf_base64(&text, bytes.p, bytes.n);
	return json_string(buf_text(&text));
}

bool caller_is(const struct ctx *c, enum desk_role role)
{
	return (c->call->roles & (uint64_t)role) != 0;
}
