/*
 * Changes to DER and to lines. DER: an element is changed, left out, doubled or put in another's place, and the lengths of
 * all around it are written anew. Lines: one is changed behind its colon, left out, doubled or moved. Next: mutate_json.c.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"

/* --- any --- */

size_t mutation_below(struct mutation *m, size_t n)
{
	m->seed = m->seed * 1664525u + 1013904223u;
	return (size_t)(m->seed >> 8) % n;
}

void mutation_bytes(struct mutation *m, struct slice bytes, struct buf *ret)
{
	size_t most = bytes.n + 1 + mutation_below(m, 8);
	_cleanup_(freep) uint8_t *v = xcalloc(most, 1);
	if (bytes.n > 0)
		memcpy(v, bytes.p, bytes.n);
	buf_add(ret, v, LLVMFuzzerMutate(v, bytes.n, most));
}

size_t mutate(mutate_fn *fn, uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct mutation m = {seed, max};
	_cleanup_buf_ struct buf out = {0};
	if (mutation_below(&m, 8) == 0 || !fn(&m, slice_of(data, size), &out) || out.len > max)
		return LLVMFuzzerMutate(data, size, max);
	if (out.len > 0)
		memcpy(data, out.data, out.len);
	return out.len;
}

/* --- DER --- */

#define ELEMENTS_MAX 512
#define DEPTH_MAX 24
#define OCTETS 0x04
#define CONSTRUCTED 0x20

/* Where one stands; parent: index of the one around it, or -1. */
struct element {
	size_t at, head, len;
	int parent;
};
struct elements {
	struct slice bytes;
	struct element v[ELEMENTS_MAX];
	size_t n;
};

static bool read_head(struct slice s, size_t *ret_head, size_t *ret_len)
{
	if (s.n < 2 || (s.p[0] & 0x1f) == 0x1f)
		return false;
	size_t octets = s.p[1] < 0x80 ? 0 : s.p[1] & 0x7fu, len = octets == 0 ? s.p[1] : 0;
	if (octets > 3 || (s.p[1] >= 0x80 && octets == 0) || s.n < 2 + octets)
		return false;
	for (size_t i = 0; i < octets; i++)
		len = len << 8 | s.p[2 + i];
	*ret_head = 2 + octets;
	*ret_len = len;
	return len <= s.n - 2 - octets;
}

/* All elements from `at` to `end`; octet strings too are looked into, and are leaves where they hold no DER. False: these bytes are none. */
static bool read_elements(struct elements *e, size_t at, size_t end, int parent, unsigned depth)
{
	while (at < end) {
		struct element *one = &e->v[e->n];
		if (e->n == ELEMENTS_MAX || depth == DEPTH_MAX ||
		    !read_head(slice_of(e->bytes.p + at, end - at), &one->head, &one->len))
			return false;
		int self = (int)e->n++;
		size_t inside = at + one->head, after = inside + one->len, before = e->n;
		uint8_t tag = e->bytes.p[at];
		one->at = at;
		one->parent = parent;
		if ((tag & CONSTRUCTED) && !read_elements(e, inside, after, self, depth + 1))
			return false;
		if (tag == OCTETS && !read_elements(e, inside, after, self, depth + 1))
			e->n = before;
		at = after;
	}
	return true;
}

static struct slice whole_of(const struct elements *e, size_t i)
{
	return slice_of(e->bytes.p + e->v[i].at, e->v[i].head + e->v[i].len);
}

static void put_element(uint8_t tag, struct slice content, struct buf *ret)
{
	buf_char(ret, (char)tag);
	if (content.n >= 0x80) {
		unsigned octets = content.n > 0xffff ? 3 : content.n > 0xff ? 2 : 1;
		buf_char(ret, (char)(0x80 | octets));
		for (unsigned i = octets; i-- > 0;)
			buf_char(ret, (char)(content.n >> 8 * i));
	} else {
		buf_char(ret, (char)content.n);
	}
	buf_add_slice(ret, content);
}

/* In the place of an element: nothing, it and a copy, its content changed, its tag, or another element. */
static void put_change(struct mutation *m, const struct elements *e, size_t i, struct buf *ret)
{
	static const uint8_t tags[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x16, 0x17,
				       0x18, 0x1e, 0x30, 0x31, 0x80, 0x82, 0x86, 0xa0, 0xa1, 0xa2, 0xa3};
	struct slice whole = whole_of(e, i), content = slice_of(whole.p + e->v[i].head, e->v[i].len);
	_cleanup_buf_ struct buf other = {0};
	switch (mutation_below(m, 8)) {
	case 0:
		break;
	case 1:
		buf_add_slice(ret, whole);
		buf_add_slice(ret, whole);
		break;
	case 2:
		put_element(tags[mutation_below(m, sizeof(tags))], content, ret);
		break;
	case 3:
		buf_add_slice(ret, whole_of(e, mutation_below(m, e->n)));
		break;
	case 4:
		buf_add_slice(ret, whole_of(e, mutation_below(m, e->n)));
		buf_add_slice(ret, whole);
		break;
	default:
		mutation_bytes(m, content, &other);
		put_element(whole.p[0], buf_slice(&other), ret);
		break;
	}
}

/* The bytes with that in the element's place; those around it get their lengths. */
static void put_around(const struct elements *e, size_t i, struct buf *change, struct buf *ret)
{
	const struct element *one = &e->v[i];
	for (; one->parent >= 0; one = &e->v[one->parent]) {
		const struct element *around = &e->v[one->parent];
		size_t from = around->at + around->head, behind = one->at + one->head + one->len;
		_cleanup_buf_ struct buf content = {0};
		buf_add(&content, e->bytes.p + from, one->at - from);
		buf_add_slice(&content, buf_slice(change));
		buf_add(&content, e->bytes.p + behind, from + around->len - behind);
		buf_clear(change);
		put_element(e->bytes.p[around->at], buf_slice(&content), change);
	}
	size_t behind = one->at + one->head + one->len;
	buf_add(ret, e->bytes.p, one->at);
	buf_add_slice(ret, buf_slice(change));
	buf_add(ret, e->bytes.p + behind, e->bytes.n - behind);
}

bool mutate_der(struct mutation *m, struct slice bytes, struct buf *ret)
{
	_cleanup_(freep) struct elements *e = xcalloc(1, sizeof(*e));
	_cleanup_buf_ struct buf change = {0};
	e->bytes = bytes;
	if (!read_elements(e, 0, bytes.n, -1, 0) || e->n == 0)
		return false;
	size_t i = mutation_below(m, e->n);
	put_change(m, e, i, &change);
	put_around(e, i, &change, ret);
	return true;
}

/* --- lines --- */

#define LINES_MAX 256

/* With its line feed, which the last may lack. */
static size_t read_lines(struct slice s, struct slice *v)
{
	size_t n = 0;
	while (s.n > 0 && n < LINES_MAX) {
		const uint8_t *end = memchr(s.p, '\n', s.n);
		v[n] = slice_of(s.p, end ? (size_t)(end - s.p) + 1 : s.n);
		s = slice_of(s.p + v[n].n, s.n - v[n].n);
		n++;
	}
	return s.n == 0 ? n : 0;
}

/* What stands behind the colon, or all of it, in other words; the line feed stays. */
static void put_value(struct mutation *m, struct slice line, struct buf *ret)
{
	size_t end = line.n - (line.p[line.n - 1] == '\n');
	const uint8_t *colon = memchr(line.p, ':', end);
	size_t from = colon ? (size_t)(colon - line.p) + 1 : 0;
	from += from < end && line.p[from] == ' ';
	buf_add(ret, line.p, from);
	mutation_bytes(m, slice_of(line.p + from, end - from), ret);
	buf_add(ret, line.p + end, line.n - end);
}

bool mutate_lines(struct mutation *m, struct slice bytes, struct buf *ret)
{
	struct slice v[LINES_MAX];
	size_t n = read_lines(bytes, v);
	if (n == 0)
		return false;
	size_t at = mutation_below(m, n), other = mutation_below(m, n), what = mutation_below(m, 8);
	for (size_t i = 0; i < n; i++) {
		if (i != at)
			buf_add_slice(ret, what == 3 && i == other ? v[at] : v[i]);
		else if (what == 1 || what == 2)
			buf_add_slice(ret, what == 1 ? v[other] : v[at]);
		else if (what == 3)
			buf_add_slice(ret, v[other]);
		else if (what > 3)
			put_value(m, v[i], ret);
		if (i == at && what == 2)
			buf_add_slice(ret, v[other]);
	}
	return true;
}
