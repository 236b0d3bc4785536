/*
 * RFC 7512, the part of it that names tokens and keys. What is not understood is refused, not passed by: an attribute
 * without effect would be one that somebody believes.
 */
#include "common/token/token_uri.h"

#include "common/base/cleanup.h"

#include <string.h>

#define SCHEME "pkcs11:"

struct reading {
	const char *text, *where;
	enum token_uri_names names;
};

static enum err bad(const struct reading *r, struct fault *f, const char *what)
{
	return fault_raise(f, ERR_CONFIG, "token_uri", r->where, "\"%s\": %s (RFC 7512)", ESC(r->text, strlen(r->text)),
			   what);
}

bool is_token_uri(const char *text)
{
	return strncmp(text, SCHEME, sizeof(SCHEME) - 1) == 0;
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 7512 2.3: percent-encoding as of RFC 3986 2.1. */
static bool decode(struct slice from, struct token_uri_value *ret)
{
	for (size_t i = 0; i < from.n; i++) {
		char c = (char)from.p[i];
		if (ret->n == TOKEN_URI_VALUE)
			return false;
		if (c == '%') {
			int high = i + 2 < from.n ? hex_of((char)from.p[i + 1]) : -1;
			int low = i + 2 < from.n ? hex_of((char)from.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		ret->text[ret->n++] = c;
	}
	ret->text[ret->n] = '\0';
	return ret->n > 0;
}

/* Where a value goes; NULL: no attribute that is known here. */
static struct token_uri_value *place_of(struct slice name, bool in_query, struct token_uri *u, bool *ret_of_key)
{
	const struct {
		const char *name;
		struct token_uri_value *value;
		bool in_query, of_key;
	} known[] = {
		{"token", &u->token, false, false},
		{"serial", &u->serial, false, false},
		{"manufacturer", &u->manufacturer, false, false},
		{"model", &u->model, false, false},
		{"object", &u->object, false, true},
		{"id", &u->id, false, true},
		{"module-path", &u->module, true, false},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (in_query != known[i].in_query || !slice_eq(name, slice_str(known[i].name)))
			continue;
		*ret_of_key = known[i].of_key;
		return known[i].value;
	}
	return NULL;
}

static enum err unknown(const struct reading *r, struct fault *f)
{
	return bad(r, f,
		   r->names == TOKEN_URI_KEY
			   ? "wanted what names a key: serial, and object or id; token, manufacturer, model, "
			     "type=private and module-path besides"
			   : "wanted what names a token: token, serial, manufacturer, model, and module-path");
}

static enum err take(const struct reading *r, struct slice name, struct slice value, bool in_query,
		     struct token_uri *ret, struct fault *f)
{
	bool of_key = false, is_id = slice_eq(name, slice_str("id"));
	if (r->names == TOKEN_URI_KEY && !in_query && slice_eq(name, slice_str("type")) &&
	    slice_eq(value, slice_str("private")))
		return OK;
	struct token_uri_value *v = place_of(name, in_query, ret, &of_key);
	if (!v || (of_key && r->names == TOKEN_URI_TOKEN))
		return unknown(r, f);
	if (v->n > 0)
		return bad(r, f, "an attribute stands twice");
	if (!decode(value, v) || (!is_id && memchr(v->text, 0, v->n)))
		return bad(r, f, "a value is empty, longer than 256 bytes, or its percent-encoding is wrong");
	return OK;
}

/* One run of attributes: separated by ';' in the path, by '&' in the query. */
static enum err read_part(const struct reading *r, struct slice part, bool in_query, struct token_uri *ret,
			  struct fault *f)
{
	while (part.n > 0) {
		const uint8_t *end = memchr(part.p, in_query ? '&' : ';', part.n);
		size_t n = end ? (size_t)(end - part.p) : part.n;
		const uint8_t *equals = memchr(part.p, '=', n);
		if (!equals)
			return bad(r, f, "an attribute has no value");
		size_t name = (size_t)(equals - part.p);
		TRY(take(r, slice_of(part.p, name), slice_of(equals + 1, n - name - 1), in_query, ret, f));
		n += end ? 1 : 0;
		part = slice_of(part.p + n, part.n - n);
	}
	return OK;
}

enum err token_uri_parse(const char *text, enum token_uri_names names, const char *where, struct token_uri *ret,
			 struct fault *f)
{
	struct reading r = {text, where, names};
	struct token_uri u = {0};
	if (strstr(text, "pin-value") || strstr(text, "pin-source"))
		return fault_raise(f, ERR_CONFIG, "token_uri", where,
				   "a PIN has no place in a URI: it is asked for, or read from an open file");
	if (!is_token_uri(text))
		return bad(&r, f, "the scheme must be 'pkcs11:'");
	const char *path = text + sizeof(SCHEME) - 1, *query = strchr(path, '?');
	size_t n = query ? (size_t)(query - path) : strlen(path);
	TRY(read_part(&r, slice_of((const uint8_t *)path, n), false, &u, f));
	if (query)
		TRY(read_part(&r, slice_str(query + 1), true, &u, f));
	if (names == TOKEN_URI_KEY && (u.serial.n == 0 || (u.object.n == 0 && u.id.n == 0)))
		return unknown(&r, f);
	*ret = u;
	return OK;
}
