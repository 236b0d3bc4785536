/*
 * Every text of ours is lines of "field: value" in one fixed order. So reading needs no look-ahead and no table of what
 * was seen: a reader asks for the next field by name, and whatever else stands there is the error. Each value has one
 * way to be written; lines_same() proves it for the whole text at the end. Who reads and writes whole texts: tally.c,
 * roster.c, statement.c.
 */
#include "common/note/lines.h"

#include "common/base/clock.h"

#include <string.h>

/* The line at the front of rest, without its newline. Texts end in a newline, so there is one unless rest is empty. */
static struct slice front(struct slice rest)
{
	const uint8_t *end = rest.n > 0 ? memchr(rest.p, '\n', rest.n) : NULL;

	return end != NULL ? slice_of(rest.p, (size_t)(end - rest.p)) : rest;
}

static void drop_front(struct lines *l)
{
	size_t n = front(l->rest).n + 1;

	l->rest = n < l->rest.n ? slice_of(l->rest.p + n, l->rest.n - n) : slice_of(NULL, 0);
	l->line++;
}

static const char *where_of(const char *object, const char *field, char ret[96])
{
	snprintf(ret, 96, "%s.%s", object, field);
	return ret;
}
#define WHERE(l, field) where_of((l)->object, (field), (char[96]){0})

static enum err shape_check(const char *object, struct slice text, unsigned max_lines, struct fault *f)
{
	unsigned line = 0;

	for (size_t i = 0, start = 0; i < text.n; i++) {
		if (text.p[i] != '\n')
			continue;
		line++;
		if (i == start)
			return fault_raise(f, ERR_PARSE, "text_form", object,
					   "line %u is empty, wanted \"field: value\"", line);
		start = i + 1;
	}
	if (line > max_lines)
		return fault_raise(f, ERR_LIMIT, "text_lines", object, "found %u lines, wanted at most %u", line,
				   max_lines);
	return OK;
}

enum err lines_begin(struct lines *l, const char *object, const char *kind, struct slice text, unsigned max_lines,
		     struct fault *f)
{
	struct slice first;

	TRY(note_text_check(object, text, f));
	TRY(shape_check(object, text, max_lines, f));
	first = front(text);
	if (!slice_eq(first, slice_str(kind)))
		return fault_raise(f, ERR_PARSE, "text_kind", object, "found \"%s\" as first line, wanted \"%s\"",
				   ESC(first.p, first.n), kind);
	*l = (struct lines){.object = object, .rest = text, .line = 0};
	drop_front(l);
	return OK;
}

/* Splits the next line; false when it has no ": ". */
static bool split_field(const struct lines *l, struct slice *ret_field, struct slice *ret_value)
{
	struct slice line = front(l->rest);
	const uint8_t *sep = line.n > 0 ? memmem(line.p, line.n, ": ", 2) : NULL;

	if (sep == NULL)
		return false;
	*ret_field = slice_of(line.p, (size_t)(sep - line.p));
	*ret_value = slice_of(sep + 2, line.n - ret_field->n - 2);
	return true;
}

bool lines_next_is(const struct lines *l, const char *field)
{
	struct slice found, value;

	return split_field(l, &found, &value) && slice_eq(found, slice_str(field));
}

enum err lines_get(struct lines *l, const char *field, struct slice *ret, struct fault *f)
{
	struct slice line = front(l->rest), found, value;

	if (l->rest.n == 0)
		return fault_raise(f, ERR_PARSE, "field_missing", WHERE(l, field),
				   "the text ends after line %u, wanted field \"%s\"", l->line, field);
	if (!split_field(l, &found, &value))
		return fault_raise(f, ERR_PARSE, "field_form", WHERE(l, field),
				   "line %u: found \"%s\", wanted \"%s: value\"", l->line + 1, ESC(line.p, line.n),
				   field);
	if (!slice_eq(found, slice_str(field)))
		return fault_raise(f, ERR_PARSE, "field_order", WHERE(l, field),
				   "line %u: found field \"%s\", wanted \"%s\"", l->line + 1, ESC(found.p, found.n),
				   field);
	drop_front(l);
	if (value.n == 0)
		return lines_bad(l, field, value, "a value", f);
	*ret = value;
	return OK;
}

enum err lines_bad(const struct lines *l, const char *field, struct slice found, const char *wanted, struct fault *f)
{
	return fault_raise(f, ERR_PARSE, "field_value", WHERE(l, field), "line %u: found \"%s\", wanted %s", l->line,
			   ESC(found.p, found.n), wanted);
}

/* 0 and below are no times of ours: 0 says "none" in structs. */
static enum err time_value(const struct lines *l, const char *field, struct slice v, int64_t *ret, struct fault *f)
{
	int64_t t;

	if (!time_parse_utc((const char *)v.p, v.n, &t) || t <= 0)
		return lines_bad(l, field, v, "a time after 1970 as YYYY-MM-DDTHH:MM:SSZ (RFC 3339)", f);
	*ret = t;
	return OK;
}

enum err lines_time(struct lines *l, const char *field, int64_t *ret, struct fault *f)
{
	struct slice v;

	TRY(lines_get(l, field, &v, f));
	return time_value(l, field, v, ret, f);
}

enum err lines_time_or_none(struct lines *l, const char *field, int64_t *ret, struct fault *f)
{
	struct slice v;

	TRY(lines_get(l, field, &v, f));
	if (!slice_eq(v, slice_str("none")))
		return time_value(l, field, v, ret, f);
	*ret = 0;
	return OK;
}

enum err lines_u64(struct lines *l, const char *field, uint64_t max, uint64_t *ret, struct fault *f)
{
	struct slice v;
	char wanted[80];

	TRY(lines_get(l, field, &v, f));
	if (u64_parse((const char *)v.p, v.n, max, ret))
		return OK;
	snprintf(wanted, sizeof(wanted), "a decimal number of at most %llu", (unsigned long long)max);
	return lines_bad(l, field, v, wanted, f);
}

bool slice_hex(struct slice v, uint8_t *ret, size_t n)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] >= 'A' && v.p[i] <= 'F')
			return false;
	}
	return hex_decode((const char *)v.p, v.n, ret, n);
}

static enum err hex_bad(const struct lines *l, const char *field, struct slice v, size_t n, bool or_none,
			struct fault *f)
{
	char wanted[80];

	snprintf(wanted, sizeof(wanted), "%s%zu lower-case hex digits", or_none ? "none or " : "", 2 * n);
	return lines_bad(l, field, v, wanted, f);
}

enum err lines_hex(struct lines *l, const char *field, uint8_t *ret, size_t n, struct fault *f)
{
	struct slice v;

	TRY(lines_get(l, field, &v, f));
	return slice_hex(v, ret, n) ? OK : hex_bad(l, field, v, n, false, f);
}

enum err lines_hex_or_none(struct lines *l, const char *field, bool *ret_has, uint8_t *ret, size_t n, struct fault *f)
{
	struct slice v;

	TRY(lines_get(l, field, &v, f));
	if (slice_eq(v, slice_str("none"))) {
		*ret_has = false;
		return OK;
	}
	if (!slice_hex(v, ret, n))
		return hex_bad(l, field, v, n, true, f);
	*ret_has = true;
	return OK;
}

bool word_valid(struct slice s, size_t size)
{
	if (s.n == 0 || s.n >= size || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

enum err lines_word(struct lines *l, const char *field, char *ret, size_t size, struct fault *f)
{
	struct slice v;
	char wanted[96];

	TRY(lines_get(l, field, &v, f));
	if (!word_valid(v, size)) {
		snprintf(wanted, sizeof(wanted), "a word of a-z, 0-9 and '-' that starts with a letter, at most %zu",
			 size - 1);
		return lines_bad(l, field, v, wanted, f);
	}
	memcpy(ret, v.p, v.n);
	ret[v.n] = '\0';
	return OK;
}

enum err lines_end(const struct lines *l, struct fault *f)
{
	struct slice line = front(l->rest);

	if (l->rest.n == 0)
		return OK;
	return fault_raise(f, ERR_PARSE, "field_extra", l->object, "line %u: found \"%s\", wanted the end of the text",
			   l->line + 1, ESC(line.p, line.n));
}

bool slice_split(struct slice s, struct slice *ret, size_t n, bool rest_last)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *sep = s.n > 0 ? memchr(s.p, ' ', s.n) : NULL;
		bool last = i + 1 == n;

		if (s.n == 0 || sep == s.p || (last ? sep != NULL && !rest_last : sep == NULL))
			return false;
		ret[i] = last ? s : slice_of(s.p, (size_t)(sep - s.p));
		if (!last)
			s = slice_of(sep + 1, s.n - ret[i].n - 1);
	}
	return true;
}

enum err lines_same(const char *object, struct slice text, const struct buf *again, struct fault *f)
{
	struct slice a = text, b = buf_slice(again);
	unsigned line = 1;

	if (slice_eq(a, b))
		return OK;
	for (; a.n > 0 && b.n > 0 && slice_eq(front(a), front(b)); line++) {
		size_t n = front(a).n + 1;

		if (n > a.n || n > b.n)
			break;
		a = slice_of(a.p + n, a.n - n);
		b = slice_of(b.p + n, b.n - n);
	}
	return fault_raise(f, ERR_PARSE, "not_canonical", object,
			   "line %u: found \"%s\", wanted \"%s\", the one way to write it", line,
			   ESC(front(a).p, front(a).n), ESC(front(b).p, front(b).n));
}

void lines_put(struct buf *b, const char *field, const char *value)
{
	buf_str(b, field);
	buf_add(b, ": ", 2);
	buf_str(b, value);
	buf_char(b, '\n');
}

void lines_put_u64(struct buf *b, const char *field, uint64_t v)
{
	buf_fmt(b, "%s: %llu\n", field, (unsigned long long)v);
}

void lines_put_time(struct buf *b, const char *field, int64_t t)
{
	lines_put(b, field, UTC(t));
}

void lines_put_hex(struct buf *b, const char *field, const uint8_t *p, size_t n)
{
	buf_str(b, field);
	buf_add(b, ": ", 2);
	buf_hex(b, p, n);
	buf_char(b, '\n');
}

void lines_put_hex_or_none(struct buf *b, const char *field, bool has, const uint8_t *p, size_t n)
{
	if (has)
		lines_put_hex(b, field, p, n);
	else
		lines_put(b, field, "none");
}

enum err note_head_follows(const char *object, const char *rule, const struct note_head *next,
			   const struct note_head *now, const uint8_t ca[20], struct fault *f)
{
	char found[65] = "none", wanted[65] = "none";
	uint64_t version = now != NULL ? now->version + 1 : 1;

	if (memcmp(next->ca, ca, 20) != 0) {
		hex_lower(next->ca, 20, found);
		hex_lower(ca, 20, wanted);
		return fault_raise(f, ERR_RULE, rule, where_of(object, "ca", (char[96]){0}), "found CA %s, wanted %s",
				   found, wanted);
	}
	if (next->version != version)
		return fault_raise(f, ERR_RULE, rule, where_of(object, "version", (char[96]){0}),
				   "found version %llu, wanted %llu, the one after the version in force",
				   (unsigned long long)next->version, (unsigned long long)version);
	if (now == NULL ? next->previous == NULL
			: next->previous != NULL && memcmp(next->previous, now->sha256, 32) == 0)
		return OK;
	if (next->previous != NULL)
		hex_lower(next->previous, 32, found);
	if (now != NULL)
		hex_lower(now->sha256, 32, wanted);
	return fault_raise(f, ERR_RULE, rule, where_of(object, "previous", (char[96]){0}),
			   "found %s, wanted %s, the hash of the one in force", found, wanted);
}
