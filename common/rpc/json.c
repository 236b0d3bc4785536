/*
 * The gate before jansson: size, UTF-8, depth and number of values are settled in one pass over the bytes.
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

static int add_text(const char *p, size_t n, void *buf)
{
	buf_add(buf, p, n);
	return 0;
}

void json_write(const json_t *value, struct buf *ret)
{
	int rv = json_dump_callback(value, add_text, ret, JSON_COMPACT | JSON_ENCODE_ANY);
	assert(rv == 0);
	(void)rv;
}
