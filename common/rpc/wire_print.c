/*
 * Messages and entries for people: "name: value" lines, and the tables of docs/protocol.md.
 *
 * Outside bytes go to a terminal here, so nothing is printed raw: text that a reader can see whole is shown as text
 * (notes as a block behind "| "), everything else as hex. See wire.c for the coding.
 */
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/rpc/wire.h"

#include <inttypes.h>
#include <string.h>

static bool is_readable(struct slice s)
{
	size_t i = 0;
	while (i < s.n) {
		int32_t cp = utf8_next(s.p, s.n, &i);
		if (cp < 0 || (cp != '\n' && cp_is_hidden(cp)))
			return false;
	}
	return s.n > 0;
}

static void print_block(struct buf *b, struct slice s)
{
	size_t start = 0;
	while (start < s.n) {
		const uint8_t *nl = memchr(s.p + start, '\n', s.n - start);
		size_t end = nl ? (size_t)(nl - s.p) : s.n;
		buf_str(b, "\n  | ");
		buf_add(b, s.p + start, end - start);
		start = end + 1;
	}
	buf_char(b, '\n');
}

static void print_bytes(struct buf *b, struct slice s)
{
	if (s.n == 0) {
		buf_str(b, "-\n");
	} else if (is_readable(s) && memchr(s.p, '\n', s.n)) {
		print_block(b, s);
	} else if (is_readable(s)) {
		buf_char(b, '"');
		buf_add_slice(b, s);
		buf_str(b, "\"\n");
	} else {
		buf_hex(b, s.p, s.n);
		buf_char(b, '\n');
	}
}

static void print_U8(struct buf *b, const char *name, const uint8_t *v, size_t limit)
{
	(void)limit;
	buf_fmt(b, "%s: %u\n", name, *v);
}

static void print_U32(struct buf *b, const char *name, const uint32_t *v, size_t limit)
{
	(void)limit;
	buf_fmt(b, "%s: %" PRIu32 "\n", name, *v);
}

static void print_U64(struct buf *b, const char *name, const uint64_t *v, size_t limit)
{
	(void)limit;
	buf_fmt(b, "%s: %" PRIu64 "\n", name, *v);
}

/* Every I64 of wire.def is a time. What time_utc() cannot show stays a number. */
static void print_I64(struct buf *b, const char *name, const int64_t *v, size_t limit)
{
	(void)limit;
	buf_fmt(b, "%s: %" PRId64, name, *v);
	if (*v != 0 && time_fits(*v))
		buf_fmt(b, " (%s)", UTC(*v));
	buf_char(b, '\n');
}

static void print_FIXED(struct buf *b, const char *name, const void *v, size_t limit)
{
	buf_fmt(b, "%s: ", name);
	buf_hex(b, v, limit);
	buf_char(b, '\n');
}

static void print_BYTES(struct buf *b, const char *name, const struct slice *v, size_t limit)
{
	(void)limit;
	buf_fmt(b, "%s: ", name);
	if (strcmp(name, "passphrase") == 0)
		buf_str(b, "(not shown)\n");
	else
		print_bytes(b, *v);
}

static void print_TEXT(struct buf *b, const char *name, const struct slice *v, size_t limit)
{
	print_BYTES(b, name, v, limit);
}

static void print_LIST(struct buf *b, const char *name, const struct wire_list *v, size_t limit)
{
	(void)limit;
	if (v->n == 0)
		buf_fmt(b, "%s: -\n", name);
	for (size_t i = 0; i < v->n; i++) {
		buf_fmt(b, "%s[%zu]: ", name, i);
		print_bytes(b, v->v[i]);
	}
}

#define PRINT_FIELD(type, name, limit) print_##type(b, #name, &m.name, limit);
#define PRINT(UPPER, lower, number, FIELDS)                                                                            \
	static enum err print_##lower(struct slice bytes, struct buf *b, struct fault *f)                              \
	{                                                                                                              \
		_cleanup_(wire_##lower##_done) struct wire_##lower m = {0};                                            \
		TRY(wire_##lower##_get(bytes, &m, f));                                                                 \
		buf_str(b, "message: " #lower "\n");                                                                   \
		FIELDS(PRINT_FIELD)                                                                                    \
		return OK;                                                                                             \
	}
WIRE_MESSAGES(PRINT)
WIRE_ENTRY_LIST(PRINT)

enum err wire_print(struct slice bytes, struct buf *ret, struct fault *f)
{
	enum wire_type type;
	TRY(wire_type(bytes, &type, f));
	switch (type) {
#define PRINT_CASE(UPPER, lower, number, FIELDS)                                                                       \
	case WIRE_TYPE_##UPPER:                                                                                        \
		return print_##lower(bytes, ret, f);
		WIRE_MESSAGES(PRINT_CASE)
		WIRE_ENTRY_LIST(PRINT_CASE)
	}
	return fault_raise(f, ERR_PARSE, "wire_type", "message", "type %u is none of this wire", type);
}

/* "note BYTES ≤ 49152" */
static void describe_field(struct buf *b, const char *type, const char *name, uint64_t limit)
{
	buf_fmt(b, " `%s` %s", name, type);
	if (strcmp(type, "FIXED") == 0)
		buf_fmt(b, " %" PRIu64, limit);
	else if (limit)
		buf_fmt(b, " ≤ %" PRIu64, limit);
	buf_char(b, ';');
}

void wire_describe(struct buf *ret)
{
#define DESCRIBE_FIELD(type, name, limit) describe_field(ret, #type, #name, limit);
#define DESCRIBE(UPPER, lower, number, FIELDS)                                                                         \
	buf_fmt(ret, "| %d | %s |", number, #lower);                                                                   \
	FIELDS(DESCRIBE_FIELD)                                                                                         \
	ret->data[--ret->len] = 0;                                                                                     \
	buf_str(ret, " |\n");
	buf_str(ret, "| type | message | fields, in order |\n| --- | --- | --- |\n");
	WIRE_MESSAGES(DESCRIBE)
	buf_str(ret, "\n| type | entry | fields, in order |\n| --- | --- | --- |\n");
	WIRE_ENTRY_LIST(DESCRIBE)
}
