/*
 * Next: gateway.c.
 */
#include "ra/notify/template.h"

#include "common/rpc/json.h"

#include <string.h>

#define FIELDS_MAX 32
#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" /* RFC 3986 2.3 */

struct field {
	char *name, *value;
};
struct template
{
	enum template_kind kind;
	json_t *tree;
	struct field fields[FIELDS_MAX];
	size_t n_fields;
};

void template_free(struct template *t)
{
	if (!t)
		return;
	json_decref(t->tree);
	for (size_t i = 0; i < t->n_fields; i++) {
		free(t->fields[i].name);
		free(t->fields[i].value);
	}
	free(t);
}

/* --- words in a text --- */

enum err template_check(const char *text, const char *const *words, struct fault *f)
{
	for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{')) {
		size_t n = strcspn(p + 1, "}");
		bool known = false;
		for (const char *const *w = words; *w; w++)
			known |= strlen(*w) == n && memcmp(*w, p + 1, n) == 0;
		if (!known || p[n + 1] != '}')
			return fault_raise(
				f, ERR_CONFIG, "template_word", "template",
				"found \"%s\", wanted of {mobile} {text} {id} {sender}, and {token} in headers",
				ESC(p, strlen(p)));
	}
	return OK;
}

void template_fill(const char *text, const struct template_word *words, size_t n, struct buf *ret)
{
	while (*text) {
		size_t plain = strcspn(text, "{");
		buf_add(ret, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		size_t len = strcspn(text + 1, "}");
		for (size_t i = 0; i < n; i++) {
			if (strlen(words[i].name) == len && memcmp(words[i].name, text + 1, len) == 0)
				buf_str(ret, words[i].value);
		}
		text += len + 2;
	}
}

/* --- JSON --- */

static enum err check_tree(json_t *v, const char *const *words, struct fault *f)
{
	const char *key;
	json_t *item;
	size_t i;
	if (json_is_string(v))
		return template_check(json_string_value(v), words, f);
	json_object_foreach(v, key, item)
	{
		if (strchr(key, '{'))
			return fault_raise(f, ERR_CONFIG, "template_word", "template",
					   "found a word in a member's name, \"%s\"", ESC(key, strlen(key)));
		TRY(check_tree(item, words, f));
	}
	json_array_foreach(v, i, item) TRY(check_tree(item, words, f));
	return OK;
}

/* Gives: json_decref(). */
static json_t *filled(json_t *v, const struct template_word *words, size_t n)
{
	const char *key;
	json_t *item, *o;
	size_t i;
	if (json_is_string(v)) {
		_cleanup_buf_ struct buf text = {0};
		template_fill(json_string_value(v), words, n, &text);
		return json_string(buf_text(&text));
	}
	if (json_is_object(v)) {
		o = json_object();
		json_object_foreach(v, key, item) json_object_set_new(o, key, filled(item, words, n));
		return o;
	}
	if (json_is_array(v)) {
		o = json_array();
		json_array_foreach(v, i, item) json_array_append_new(o, filled(item, words, n));
		return o;
	}
	return json_incref(v);
}

static enum err read_json(struct template *t, const char *text, const char *const *words, struct fault *f)
{
	static const struct json_limits limits = {16384, 8, 200};
	struct fault inner;
	if (json_read(slice_str(text), &limits, &t->tree, &inner) != OK)
		return fault_raise(f, ERR_CONFIG, "template_json", "template",
				   "the template is no JSON: %s; {words} stand inside of strings", inner.text);
	return check_tree(t->tree, words, f);
}

/* --- form --- */

static enum err read_form(struct template *t, const char *text, const char *const *words, struct fault *f)
{
	_cleanup_(freep) char *own = xstrdup(text);
	char *rest = own;
	for (char *pair = strsep(&rest, "&"); pair; pair = strsep(&rest, "&")) {
		char *value = strchr(pair, '=');
		if (t->n_fields == FIELDS_MAX || !value || value == pair ||
		    strspn(pair, UNRESERVED "[]") != (size_t)(value - pair))
			return fault_raise(f, ERR_CONFIG, "template_form", "template",
					   "found \"%s\", wanted name=value&…, at most %d, names of letters and digits",
					   ESC(pair, strlen(pair)), FIELDS_MAX);
		t->fields[t->n_fields++] = (struct field){xstrndup(pair, (size_t)(value - pair)), xstrdup(value + 1)};
		TRY(template_check(value + 1, words, f));
	}
	return OK;
}

static void put_percent(const char *text, struct buf *ret)
{
	for (; *text; text++) {
		if (strchr(UNRESERVED, *text))
			buf_char(ret, *text);
		else
			buf_fmt(ret, "%%%02X", (unsigned char)*text);
	}
}

static void put_form(const struct template *t, const struct template_word *words, size_t n, struct buf *ret)
{
	for (size_t i = 0; i < t->n_fields; i++) {
		_cleanup_buf_ struct buf value = {0};
		template_fill(t->fields[i].value, words, n, &value);
		if (i > 0)
			buf_char(ret, '&');
		put_percent(t->fields[i].name, ret);
		buf_char(ret, '=');
		put_percent(buf_text(&value), ret);
	}
}

/* --- both --- */

enum err template_read(enum template_kind kind, const char *text, const char *const *words, struct template **ret,
		       struct fault *f)
{
	_cleanup_(template_freep) struct template *t = xcalloc(1, sizeof(*t));
	t->kind = kind;
	TRY(kind == TEMPLATE_JSON ? read_json(t, text, words, f) : read_form(t, text, words, f));
	*ret = TAKE(t);
	return OK;
}

void template_put(const struct template *t, const struct template_word *words, size_t n, struct buf *ret)
{
	if (t->kind == TEMPLATE_FORM) {
		put_form(t, words, n, ret);
		return;
	}
	_cleanup_(json_freep) json_t *o = filled(t->tree, words, n);
	json_write(o, ret);
}
