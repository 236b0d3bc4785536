/*
 * The gate before jansson: size, UTF-8, depth and number of values are settled in one pass over the bytes. And the way
 * out, which is our own: a list's page is some hundred short texts.
 */
#include "common/rpc/json.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

static void seed_once(void)
{
	size_t seed;
	random_fill(&seed, sizeof(seed));
	json_object_seed(seed | 1); /* 0 would mean: find one yourself */
}

void json_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, seed_once);
}

/* Index of the quote that ends the string that starts at i, or n. */
static size_t skip_string(const uint8_t *p, size_t n, size_t i)
{
	for (i++; i < n && p[i] != '"'; i++)
		if (p[i] == '\\')
			i++;
	return i < n ? i : n;
}

/* Counts brackets and separators outside strings; whether they make sense is jansson's to say. */
static enum err measure(struct slice text, const struct json_limits *limits, struct fault *f)
{
	size_t depth = 0, values = 1;
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '"':
			i = skip_string(text.p, text.n, i);
			break;
		case '[':
		case '{':
			values++;
			if (++depth > limits->depth)
				return fault_raise(f, ERR_LIMIT, "json_depth", "request",
						   "nested deeper than %zu levels at byte %zu", limits->depth, i);
			break;
		case ']':
		case '}':
			depth -= depth > 0;
			break;
		case ',':
			if (++values > limits->values)
				return fault_raise(f, ERR_LIMIT, "json_values", "request", "has more than %zu values",
						   limits->values);
			break;
		}
	}
	return OK;
}

static enum err parse_raise(const json_error_t *e, struct fault *f)
{
	enum json_error_code code = json_error_code(e);
	const char *rule = "json_syntax";
	if (code == json_error_duplicate_key)
		rule = "json_duplicate_key";
	if (code == json_error_null_character || code == json_error_null_byte_in_key)
		rule = "json_nul";
	return fault_raise(f, ERR_PARSE, rule, "request", "line %d column %d: %s (RFC 8259)", e->line, e->column,
			   ESC(e->text, strlen(e->text)));
}

enum err json_read(struct slice text, const struct json_limits *limits, json_t **ret, struct fault *f)
{
	json_start();
	if (text.n > limits->bytes)
		return fault_raise(f, ERR_LIMIT, "json_size", "request", "has %zu bytes, at most %zu are allowed",
				   text.n, limits->bytes);
	if (text.n > 0 && memchr(text.p, 0, text.n))
		return fault_raise(f, ERR_PARSE, "json_nul", "request", "has a NUL byte (RFC 8259 7)");
	if (!utf8_valid(text.p, text.n))
		return fault_raise(f, ERR_PARSE, "json_utf8", "request", "is not UTF-8 (RFC 8259 8.1)");
	TRY(measure(text, limits, f));
	json_error_t e;
	json_t *v = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!v)
		return parse_raise(&e, f);
	*ret = v;
	return OK;
}

/* --- writing --- */

/*
 * jansson's writer keeps a table of the objects that it is in, against trees that contain themselves, and looks at
 * each character of each text by itself. Ours have no such trees and are texts that were checked when they came in.
 */

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES << 7)

static bool plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/* True also for some groups without any, behind no group without: the caller looks again. */
static bool group_has_special(uint64_t x)
{
	uint64_t quote = x ^ ONES * '"', slash = x ^ ONES * '\\';
	return (((x - ONES * 0x20) & ~x) | ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash)) & HIGHS;
}

static size_t plain_run(const char *p, size_t n)
{
	size_t i = 0;
	for (uint64_t x; i + 8 <= n; i += 8) {
		memcpy(&x, p + i, 8);
		if (group_has_special(x))
			break;
	}
	while (i < n && plain((uint8_t)p[i]))
		i++;
	return i;
}

static void put_escape(uint8_t c, struct buf *ret)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c ? strchr(from, c) : NULL;
	if (at) {
		buf_char(ret, '\\');
		buf_char(ret, to[at - from]);
	} else {
		buf_fmt(ret, "\\u%04X", c);
	}
}

void json_write_text(const char *p, size_t n, struct buf *ret)
{
	buf_reserve(ret, n + 2);
	buf_char(ret, '"');
	for (;;) {
		size_t run = plain_run(p, n);
		buf_add(ret, p, run);
		if (run == n)
			break;
		put_escape((uint8_t)p[run], ret);
		p += run + 1;
		n -= run + 1;
	}
	buf_char(ret, '"');
}

void json_write_integer(int64_t value, struct buf *ret)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	do
		digits[--at] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (value < 0)
		buf_char(ret, '-');
	buf_add(ret, digits + at, sizeof(digits) - at);
}

static void put_object(json_t *value, struct buf *ret)
{
	const char *key, *between = "";
	json_t *member;
	buf_char(ret, '{');
	json_object_foreach(value, key, member)
	{
		buf_str(ret, between);
		json_write_text(key, strlen(key), ret);
		buf_char(ret, ':');
		json_write(member, ret);
		between = ",";
	}
	buf_char(ret, '}');
}

static void put_array(const json_t *value, struct buf *ret)
{
	buf_char(ret, '[');
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (i > 0)
			buf_char(ret, ',');
		json_write(json_array_get(value, i), ret);
	}
	buf_char(ret, ']');
}

static void put_real(const json_t *value, struct buf *ret)
{
	char text[64];
	size_t n = json_dumpb(value, text, sizeof(text), JSON_ENCODE_ANY);
	assert(n > 0 && n <= sizeof(text));
	buf_add(ret, text, n);
}

void json_write(const json_t *value, struct buf *ret)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		put_object((json_t *)value, ret);
		break;
	case JSON_ARRAY:
		put_array(value, ret);
		break;
	case JSON_STRING:
		json_write_text(json_string_value(value), json_string_length(value), ret);
		break;
	case JSON_INTEGER:
		json_write_integer(json_integer_value(value), ret);
		break;
	case JSON_REAL:
		put_real(value, ret);
		break;
	case JSON_TRUE:
		buf_str(ret, "true");
		break;
	case JSON_FALSE:
		buf_str(ret, "false");
		break;
	case JSON_NULL:
		buf_str(ret, "null");
		break;
	}
}
