/*
 * Every message and ledger entry of wire.def: what is decoded, encoded again, is the same bytes, passes its own limits,
 * and is what wire_type() says; exactly that can be printed.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/rpc/wire.h"

#define TRY_ONE(UPPER, lower, number, FIELDS)                                                                          \
	static bool try_##lower(struct slice bytes)                                                                    \
	{                                                                                                              \
		_cleanup_(wire_##lower##_done) struct wire_##lower m = {0};                                            \
		_cleanup_buf_ struct buf again = {0};                                                                  \
		struct fault f = {0};                                                                                  \
		enum err e = wire_##lower##_get(bytes, &m, &f);                                                        \
		if (e != OK) {                                                                                         \
			must_refuse(e, &f);                                                                            \
			return false;                                                                                  \
		}                                                                                                      \
		must(wire_##lower##_check(&m, NULL) == OK);                                                            \
		wire_##lower##_put(&m, &again);                                                                        \
		must_be(buf_slice(&again), bytes);                                                                     \
		enum wire_type type;                                                                                   \
		must(wire_type(bytes, &type, NULL) == OK && type == WIRE_TYPE_##UPPER);                                \
		return true;                                                                                           \
	}
WIRE_MESSAGES(TRY_ONE)
WIRE_ENTRY_LIST(TRY_ONE)

/* --- mutations: one field at a time, its length written anew --- */

#define SPANS_MAX 256

/* Of a number or of fixed bytes head is 0, else that of the length before it. */
struct span {
	size_t at, head, n;
};
struct spans {
	struct slice bytes;
	size_t at;
	struct span v[SPANS_MAX];
	size_t n;
};

static bool add_fixed(struct spans *w, size_t n)
{
	if (w->n == SPANS_MAX || n > w->bytes.n - w->at)
		return false;
	w->v[w->n++] = (struct span){.at = w->at, .n = n};
	w->at += n;
	return true;
}

static bool add_bytes(struct spans *w)
{
	const uint8_t *p = w->bytes.p + w->at;
	if (w->n == SPANS_MAX || w->bytes.n - w->at < 4)
		return false;
	size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (n > w->bytes.n - w->at - 4)
		return false;
	w->v[w->n++] = (struct span){.at = w->at, .head = 4, .n = n};
	w->at += 4 + n;
	return true;
}

static bool add_list(struct spans *w)
{
	const uint8_t *p = w->bytes.p + w->at;
	if (!add_fixed(w, 4))
		return false;
	size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	while (n > 0 && add_bytes(w))
		n--;
	return n == 0;
}

#define SPAN_U8(limit) add_fixed(w, 1)
#define SPAN_U32(limit) add_fixed(w, 4)
#define SPAN_U64(limit) add_fixed(w, 8)
#define SPAN_I64(limit) add_fixed(w, 8)
#define SPAN_FIXED(limit) add_fixed(w, limit)
#define SPAN_BYTES(limit) add_bytes(w)
#define SPAN_TEXT(limit) add_bytes(w)
#define SPAN_LIST(limit) add_list(w)
#define SPAN(type, name, limit) &&SPAN_##type(limit)
#define SPANS_OF(UPPER, lower, number, FIELDS)                                                                         \
	case WIRE_TYPE_##UPPER:                                                                                        \
		return true FIELDS(SPAN);

static bool add_all(struct spans *w, enum wire_type type)
{
	switch (type) {
		WIRE_MESSAGES(SPANS_OF)
		WIRE_ENTRY_LIST(SPANS_OF)
	}
	return false;
}

/* Of these bytes: changed ones, of the same number where that is fixed. */
static void put_span(struct mutation *m, const struct span *s, struct slice old, struct buf *ret)
{
	_cleanup_buf_ struct buf other = {0};
	mutation_bytes(m, old, &other);
	size_t n = s->head ? other.len : old.n;
	for (unsigned i = (unsigned)s->head; i-- > 0;)
		buf_char(ret, (char)(n >> 8 * i));
	for (size_t i = 0; i < n; i++)
		buf_char(ret, i < other.len ? (char)other.data[i] : 0);
}

static bool mutate_message(struct mutation *m, struct slice bytes, struct buf *ret)
{
	struct spans w = {.bytes = bytes, .at = 2};
	enum wire_type type;
	if (wire_type(bytes, &type, NULL) != OK || !add_all(&w, type) || w.n == 0)
		return false;
	const struct span *s = &w.v[mutation_below(m, w.n)];
	size_t from = s->at + s->head;
	buf_add(ret, bytes.p, s->at);
	put_span(m, s, slice_of(bytes.p + from, s->n), ret);
	buf_add(ret, bytes.p + from + s->n, bytes.n - from - s->n);
	return true;
}

MUTATES(mutate_message)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of(data, size);
	_cleanup_buf_ struct buf words = {0};
	unsigned n = 0;
#define COUNT_ONE(UPPER, lower, number, FIELDS) n += try_##lower(bytes);
	WIRE_MESSAGES(COUNT_ONE)
	WIRE_ENTRY_LIST(COUNT_ONE)
	must(n <= 1);
	must((wire_print(bytes, &words, NULL) == OK) == (n == 1));
	must(utf8_valid(words.data, words.len));
	struct fault f = {0};
	uint32_t retry_ms;
	enum err e = wire_expect(bytes, WIRE_TYPE_DONE, &retry_ms, &f);
	must(e == OK || f.kind == e);
	return 0;
}
