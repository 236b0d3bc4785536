/*
 * Encoder, strict decoder and limit check of every message and ledger entry.
 *
 * wire.def is expanded once for each of them: a field's type picks put_*, get_* and check_*, so a message is nothing
 * but its line in wire.def. Numbers are big endian. A decoder borrows from the bytes, never reads past them, wants
 * every field inside its limit and nothing behind the last one; so decode and encode give the same bytes back. How
 * messages are shown is in wire_print.c, faults as answers in wire_fault.c.
 */
#include "common/rpc/wire.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

struct reader {
	struct slice left;
	const char *what;
	struct fault *f;
};

/* In brackets, since tools/analyze.h has a macro of that name. */
__attribute__((format(printf, 6, 7))) static enum err(field_raise)(struct fault *f, enum err kind, const char *rule,
								   const char *what, const char *field, const char *fmt,
								   ...)
{
	if (!f)
		return kind;
	char where[sizeof(f->where)], text[sizeof(f->text)];
	snprintf(where, sizeof(where), "%s.%s", what, field);
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fault_raise(f, kind, rule, where, "%s", text);
}

void wire_list_done(struct wire_list *l)
{
	free(l->v);
	*l = (struct wire_list){0};
}

void wire_list_add(struct wire_list *l, struct slice item)
{
	if ((l->n & (l->n - 1)) == 0)
		l->v = xrealloc(l->v, l->n ? 2 * l->n : 1, sizeof(*l->v));
	l->v[l->n++] = item;
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

static uint64_t bound(uint64_t limit, uint64_t widest)
{
	return limit ? limit : widest;
}

static enum err check_number(const char *what, const char *name, uint64_t value, uint64_t max, struct fault *f)
{
	if (value > max)
		return field_raise(f, ERR_LIMIT, "wire_number", what, name,
				   "is %" PRIu64 ", at most %" PRIu64 " is allowed", value, max);
	return OK;
}

static enum err check_U8(const char *what, const char *name, const uint8_t *v, uint64_t limit, struct fault *f)
{
	return check_number(what, name, *v, bound(limit, UINT8_MAX), f);
}

static enum err check_U32(const char *what, const char *name, const uint32_t *v, uint64_t limit, struct fault *f)
{
	return check_number(what, name, *v, bound(limit, UINT32_MAX), f);
}

static enum err check_U64(const char *what, const char *name, const uint64_t *v, uint64_t limit, struct fault *f)
{
	return check_number(what, name, *v, bound(limit, UINT64_MAX), f);
}

/* Times: wire.def bounds none of them, two's complement takes all 64 bits. */
static enum err check_I64(const char *what, const char *name, const int64_t *v, uint64_t limit, struct fault *f)
{
	if (limit && (*v < 0 || (uint64_t)*v > limit))
		return field_raise(f, ERR_LIMIT, "wire_number", what, name,
				   "is %" PRId64 ", 0 to %" PRIu64 " is allowed", *v, limit);
	return OK;
}

static enum err check_FIXED(const char *what, const char *name, const void *v, uint64_t limit, struct fault *f)
{
	(void)what, (void)name, (void)v, (void)limit, (void)f; /* its size is the type's */
	return OK;
}

static enum err check_BYTES(const char *what, const char *name, const struct slice *v, uint64_t limit, struct fault *f)
{
	if (v->n > limit)
		return field_raise(f, ERR_LIMIT, "wire_bytes", what, name,
				   "has %zu bytes, at most %" PRIu64 " are allowed", v->n, limit);
	return OK;
}

static enum err check_TEXT(const char *what, const char *name, const struct slice *v, uint64_t limit, struct fault *f)
{
	TRY(check_BYTES(what, name, v, limit, f));
	if (v->n > 0 && memchr(v->p, 0, v->n))
		return field_raise(f, ERR_PARSE, "wire_text", what, name, "has a NUL; text must have none");
	if (!utf8_valid(v->p, v->n))
		return field_raise(f, ERR_PARSE, "wire_text", what, name, "is not UTF-8 (RFC 3629): \"%s\"",
				   ESC(v->p, v->n));
	return OK;
}

static enum err check_LIST(const char *what, const char *name, const struct wire_list *v, uint64_t limit,
			   struct fault *f)
{
	if (v->n > limit)
		return field_raise(f, ERR_LIMIT, "wire_list", what, name,
				   "has %zu items, at most %" PRIu64 " are allowed", v->n, limit);
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].n > WIRE_MAX_ITEM)
			return field_raise(f, ERR_LIMIT, "wire_item", what, name,
					   "item %zu has %zu bytes, at most %u are allowed", i, v->v[i].n,
					   WIRE_MAX_ITEM);
	return OK;
}

/* --- encode ------------------------------------------------------------------------------------------------------ */

static void put_be(struct buf *b, uint64_t v, unsigned octets)
{
	uint8_t be[8];
	for (unsigned i = 0; i < octets; i++)
		be[i] = (uint8_t)(v >> (8 * (octets - 1 - i)));
	buf_add(b, be, octets);
}

static void put_U8(struct buf *b, const uint8_t *v, size_t limit)
{
	(void)limit;
	put_be(b, *v, 1);
}

static void put_U32(struct buf *b, const uint32_t *v, size_t limit)
{
	(void)limit;
	put_be(b, *v, 4);
}

static void put_U64(struct buf *b, const uint64_t *v, size_t limit)
{
	(void)limit;
	put_be(b, *v, 8);
}

static void put_I64(struct buf *b, const int64_t *v, size_t limit)
{
	(void)limit;
	put_be(b, (uint64_t)*v, 8);
}

static void put_FIXED(struct buf *b, const void *v, size_t limit)
{
	buf_add(b, v, limit);
}

static void put_BYTES(struct buf *b, const struct slice *v, size_t limit)
{
	(void)limit;
	put_be(b, v->n, 4);
	if (v->n > 0)
		buf_add_slice(b, *v);
}

static void put_TEXT(struct buf *b, const struct slice *v, size_t limit)
{
	put_BYTES(b, v, limit);
}

static void put_LIST(struct buf *b, const struct wire_list *v, size_t limit)
{
	put_be(b, v->n, 4);
	for (size_t i = 0; i < v->n; i++)
		put_BYTES(b, &v->v[i], limit);
}

/* --- decode ------------------------------------------------------------------------------------------------------ */

static enum err get_octets(struct reader *r, const char *name, size_t n, const uint8_t **ret)
{
	if (r->left.n < n)
		return field_raise(r->f, ERR_PARSE, "wire_truncated", r->what, name,
				   "needs %zu bytes, the message has %zu left", n, r->left.n);
	*ret = r->left.p;
	r->left = slice_of(r->left.p + n, r->left.n - n);
	return OK;
}

static enum err get_be(struct reader *r, const char *name, unsigned octets, uint64_t *ret)
{
	const uint8_t *p;
	TRY(get_octets(r, name, octets, &p));
	uint64_t v = 0;
	for (unsigned i = 0; i < octets; i++)
		v = v << 8 | p[i];
	*ret = v;
	return OK;
}

static enum err get_U8(struct reader *r, const char *name, uint8_t *ret, uint64_t limit)
{
	uint64_t v;
	TRY(get_be(r, name, 1, &v));
	*ret = (uint8_t)v;
	return check_U8(r->what, name, ret, limit, r->f);
}

static enum err get_U32(struct reader *r, const char *name, uint32_t *ret, uint64_t limit)
{
	uint64_t v;
	TRY(get_be(r, name, 4, &v));
	*ret = (uint32_t)v;
	return check_U32(r->what, name, ret, limit, r->f);
}

static enum err get_U64(struct reader *r, const char *name, uint64_t *ret, uint64_t limit)
{
	TRY(get_be(r, name, 8, ret));
	return check_U64(r->what, name, ret, limit, r->f);
}

static enum err get_I64(struct reader *r, const char *name, int64_t *ret, uint64_t limit)
{
	uint64_t v;
	TRY(get_be(r, name, 8, &v));
	memcpy(ret, &v, sizeof(*ret));
	return check_I64(r->what, name, ret, limit, r->f);
}

static enum err get_FIXED(struct reader *r, const char *name, void *ret, uint64_t limit)
{
	const uint8_t *p;
	TRY(get_octets(r, name, limit, &p));
	memcpy(ret, p, limit);
	return OK;
}

/* The length is held against its limit before the bytes are asked for, so that the message names the true fault. */
static enum err get_BYTES(struct reader *r, const char *name, struct slice *ret, uint64_t limit)
{
	uint64_t n;
	TRY(get_be(r, name, 4, &n));
	struct slice v = {NULL, n};
	TRY(check_BYTES(r->what, name, &v, limit, r->f));
	TRY(get_octets(r, name, n, &v.p));
	*ret = n ? v : slice_of(NULL, 0);
	return OK;
}

static enum err get_TEXT(struct reader *r, const char *name, struct slice *ret, uint64_t limit)
{
	TRY(get_BYTES(r, name, ret, limit));
	return check_TEXT(r->what, name, ret, limit, r->f);
}

/* Each item takes four bytes at least, which bounds the array before it is allocated. */
static enum err get_LIST(struct reader *r, const char *name, struct wire_list *ret, uint64_t limit)
{
	uint64_t n;
	TRY(get_be(r, name, 4, &n));
	if (n > limit)
		return field_raise(r->f, ERR_LIMIT, "wire_list", r->what, name,
				   "has %" PRIu64 " items, at most %" PRIu64 " are allowed", n, limit);
	if (n > r->left.n / 4)
		return field_raise(r->f, ERR_PARSE, "wire_truncated", r->what, name,
				   "has %" PRIu64 " items, the message has %zu bytes left", n, r->left.n);
	if (n == 0)
		return OK;
	ret->v = xcalloc(n, sizeof(*ret->v));
	ret->n = n;
	for (size_t i = 0; i < n; i++)
		TRY(get_BYTES(r, name, &ret->v[i], WIRE_MAX_ITEM));
	return OK;
}

static enum err open_message(struct reader *r, enum wire_type want)
{
	enum wire_type type;
	TRY(wire_type(r->left, &type, r->f));
	if (type != want)
		return fault_raise(r->f, ERR_PARSE, "wire_type", r->what, "type is %u (%s), wanted %u (%s)", type,
				   wire_type_word(type), want, r->what);
	r->left = slice_of(r->left.p + 2, r->left.n - 2);
	return OK;
}

static enum err close_message(const struct reader *r)
{
	if (r->left.n > 0)
		return fault_raise(r->f, ERR_PARSE, "wire_trailing", r->what,
				   "%zu bytes behind the last field, wanted none", r->left.n);
	return OK;
}

/* --- one of each for every message ------------------------------------------------------------------------------- */

/* Lists own an array; nothing else needs freeing. */
#define DONE_U8(v)
#define DONE_U32(v)
#define DONE_U64(v)
#define DONE_I64(v)
#define DONE_FIXED(v)
#define DONE_BYTES(v)
#define DONE_TEXT(v)
#define DONE_LIST(v) wire_list_done(v);

#define CHECK_FIELD(type, name, limit) TRY(check_##type(what, #name, &m->name, limit, f));
#define PUT_FIELD(type, name, limit) put_##type(ret, &m->name, limit);
#define GET_FIELD(type, name, limit) TRY(get_##type(r, #name, &m->name, limit));
#define DONE_FIELD(type, name, limit) DONE_##type(&m->name)

#define CODE(UPPER, lower, number, FIELDS)                                                                             \
	enum err wire_##lower##_check(const struct wire_##lower *m, struct fault *f)                                   \
	{                                                                                                              \
		const char *what = #lower;                                                                             \
		FIELDS(CHECK_FIELD)                                                                                    \
		return OK;                                                                                             \
	}                                                                                                              \
	void wire_##lower##_put(const struct wire_##lower *m, struct buf *ret)                                         \
	{                                                                                                              \
		assert(wire_##lower##_check(m, NULL) == OK);                                                           \
		put_be(ret, WIRE_VERSION, 1);                                                                          \
		put_be(ret, number, 1);                                                                                \
		FIELDS(PUT_FIELD)                                                                                      \
	}                                                                                                              \
	static enum err get_##lower(struct reader *r, struct wire_##lower *m)                                          \
	{                                                                                                              \
		TRY(open_message(r, number));                                                                          \
		FIELDS(GET_FIELD)                                                                                      \
		return close_message(r);                                                                               \
	}                                                                                                              \
	enum err wire_##lower##_get(struct slice bytes, struct wire_##lower *ret, struct fault *f)                     \
	{                                                                                                              \
		struct reader r = {bytes, #lower, f};                                                                  \
		struct wire_##lower m = {0};                                                                           \
		enum err e = get_##lower(&r, &m);                                                                      \
		if (e != OK)                                                                                           \
			wire_##lower##_done(&m);                                                                       \
		else                                                                                                   \
			*ret = m;                                                                                      \
		return e;                                                                                              \
	}                                                                                                              \
	void wire_##lower##_done(struct wire_##lower *m)                                                               \
	{                                                                                                              \
		(void)m;                                                                                               \
		FIELDS(DONE_FIELD)                                                                                     \
	}
WIRE_MESSAGES(CODE)
WIRE_ENTRY_LIST(CODE)

/* Not one of ours: NULL. */
static const char *type_word(unsigned number)
{
	switch (number) {
#define WORD(UPPER, lower, number, FIELDS)                                                                             \
	case number:                                                                                                   \
		return #lower;
		WIRE_MESSAGES(WORD)
		WIRE_ENTRY_LIST(WORD)
	}
	return NULL;
}

const char *wire_type_word(enum wire_type type)
{
	const char *word = type_word(type);
	return word ? word : "unknown";
}

enum err wire_type(struct slice bytes, enum wire_type *ret, struct fault *f)
{
	if (bytes.n < 2)
		return fault_raise(f, ERR_PARSE, "wire_truncated", "message",
				   "%zu bytes, wanted a version and a type at least", bytes.n);
	if (bytes.p[0] != WIRE_VERSION)
		return fault_raise(f, ERR_PARSE, "wire_version", "message", "version is %u, wanted %u", bytes.p[0],
				   WIRE_VERSION);
	if (!type_word(bytes.p[1]))
		return fault_raise(f, ERR_PARSE, "wire_type", "message", "type %u is none of this wire", bytes.p[1]);
	*ret = (enum wire_type)bytes.p[1];
	return OK;
}
