/*
 * JSON text from outside: bounded before jansson sees it, which recurses for every level and has no limits of its own.
 */
#ifndef HUFU_RPC_JSON_H
#define HUFU_RPC_JSON_H

#include "common/base/buf.h"

#include <jansson.h>

struct json_limits {
	size_t bytes, depth, values; /* values: members and items of all levels */
};
/* Any JSON value (RFC 8259), whole text. ERR_LIMIT; ERR_PARSE also for duplicate keys, NUL (raw or \u0000), invalid
 * UTF-8, a byte order mark, numbers out of range, text behind the value. Gives *ret: json_decref(). */
MUST_CHECK enum err json_read(struct slice text, const struct json_limits *limits, json_t **ret, struct fault *f);
/* Appends compact text, the same bytes as jansson's JSON_COMPACT. The tree holds no value inside itself. */
void json_write(const json_t *value, struct buf *ret);
/* Its parts: n bytes of valid UTF-8 as a string, and an integer. */
void json_write_text(const char *p, size_t n, struct buf *ret);
void json_write_integer(int64_t value, struct buf *ret);
/* jansson's hash seed from our own random bytes, once; before the first object and whatever the sandbox allows to open.
 */
void json_start(void);

#endif
