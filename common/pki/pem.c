/*
 * PEM, RFC 7468: base64 between two lines that name what it is.
 *
 * Text around the blocks and blocks of another label are passed over; a block of the wanted label must be whole and
 * canonical, since what is skipped silently is what somebody misses later. Old PEM headers ("Proc-Type") are refused.
 */
#include "common/base/cleanup.h"
#include "common/pki/der.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The largest object read is a CRL of 64 MiB; base64 and line ends make it a third and a bit more. */
#define PEM_MAX_BYTES (96u * 1024u * 1024u)
#define LABEL_MAX 40

struct pem_reader {
	const char *p, *end;
	size_t line;
};

struct line {
	const char *p;
	size_t n;
};

/* The next line without its end and trailing blanks. */
static bool next_line(struct pem_reader *r, struct line *ret)
{
	if (r->p == r->end)
		return false;
	const char *start = r->p, *nl = memchr(start, '\n', (size_t)(r->end - start));
	const char *stop = nl ? nl : r->end;
	r->p = nl ? nl + 1 : r->end;
	r->line++;
	while (stop > start && (stop[-1] == '\r' || stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	*ret = (struct line){start, (size_t)(stop - start)};
	return true;
}

static bool line_is(struct line l, const char *edge, const char *label)
{
	char want[LABEL_MAX + 32];
	int n = snprintf(want, sizeof(want), "-----%s %s-----", edge, label);
	assert(n > 0 && (size_t)n < sizeof(want)); /* labels are our own */
	return (size_t)n == l.n && memcmp(l.p, want, l.n) == 0;
}

/* RFC 7468 7: requests carry an older label too. Returns the label that this line begins, or NULL. */
static const char *begins(struct line l, const char *label)
{
	if (line_is(l, "BEGIN", label))
		return label;
	if (strcmp(label, "CERTIFICATE REQUEST") == 0 && line_is(l, "BEGIN", "NEW CERTIFICATE REQUEST"))
		return "NEW CERTIFICATE REQUEST";
	return NULL;
}

static enum err read_block(struct pem_reader *r, const char *label, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	size_t first = r->line;
	struct line l;
	while (next_line(r, &l)) {
		if (line_is(l, "END", label)) {
			if (text.len == 0 || !base64_decode(buf_text(&text), text.len, ret))
				return fault_raise(
					f, ERR_PARSE, "pem_base64", "pem",
					"PEM block %s of line %zu: content is not canonical base64 (RFC 4648 4)", label,
					first);
			return OK;
		}
		if (l.n > 0 && (l.p[0] == '-' || memchr(l.p, ':', l.n)))
			return fault_raise(
				f, ERR_PARSE, "pem_form", "pem",
				"PEM block %s of line %zu: found \"%s\" in line %zu, wanted base64 or the END line "
				"(RFC 7468 2)",
				label, first, ESC(l.p, l.n), r->line);
		buf_add(&text, l.p, l.n);
	}
	return fault_raise(f, ERR_PARSE, "pem_form", "pem", "PEM block %s of line %zu: no END line (RFC 7468 2)", label,
			   first);
}

/* Appends the next block of that label; *ret_found false at the end of the text. */
static enum err next_block(struct pem_reader *r, const char *label, struct buf *ret, bool *ret_found, struct fault *f)
{
	struct line l;
	assert(label);
	*ret_found = false;
	while (next_line(r, &l)) {
		const char *found = begins(l, label);
		if (found) {
			*ret_found = true;
			return read_block(r, found, ret, f);
		}
	}
	return OK;
}

static enum err reader_init(struct pem_reader *r, struct slice bytes, struct fault *f)
{
	const char *p = (const char *)bytes.p;
	if (bytes.n > PEM_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "pem_size", "pem", "%zu bytes, wanted at most %u", bytes.n,
				   PEM_MAX_BYTES);
	*r = (struct pem_reader){.p = p, .end = p ? p + bytes.n : p};
	return OK;
}

static enum err none_found(struct slice bytes, const char *label, struct fault *f)
{
	return fault_raise(f, ERR_PARSE, "pem_none", "pem",
			   "%zu bytes that begin \"%s\": wanted a line -----BEGIN %s----- (RFC 7468) or DER", bytes.n,
			   ESC(bytes.p, bytes.n < 24 ? bytes.n : 24), label);
}

enum err pem_or_der(struct slice bytes, const char *label, struct buf *ret, struct fault *f)
{
	struct pem_reader r;
	struct der d = der_of(bytes);
	bool found;
	TRY(reader_init(&r, bytes, f));
	/* Text that happens to begin with "0" is not one whole SEQUENCE. */
	if (der_get(&d, DER_SEQUENCE, NULL) && der_at_end(&d)) {
		buf_add_slice(ret, bytes);
		return OK;
	}
	TRY(next_block(&r, label, ret, &found, f));
	return found ? OK : none_found(bytes, label, f);
}

static void drop(struct buf *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_done(&list[i]);
	free(list);
}

enum err pem_all(struct slice bytes, const char *label, size_t max_n, struct buf **ret, size_t *ret_n, struct fault *f)
{
	struct pem_reader r;
	struct buf *list = NULL;
	size_t n = 0;
	TRY(reader_init(&r, bytes, f));
	for (;;) {
		struct buf der = {0};
		bool found;
		enum err e = next_block(&r, label, &der, &found, f);
		if (e == OK && found && n == max_n)
			e = fault_raise(f, ERR_LIMIT, "pem_count", "pem", "more than %zu blocks %s", max_n, label);
		if (e == OK && !found && n == 0)
			e = none_found(bytes, label, f);
		if (e != OK || !found) {
			buf_done(&der);
			if (e == OK) {
				*ret = list;
				*ret_n = n;
			} else {
				drop(list, n);
			}
			return e;
		}
		list = xrealloc(list, n + 1, sizeof(*list));
		list[n++] = der;
	}
}

void pem_put(struct buf *b, const char *label, struct slice der)
{
	_cleanup_buf_ struct buf text = {0};
	buf_base64(&text, der.p, der.n);
	buf_fmt(b, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < text.len; at += 64) {
		buf_add(b, text.data + at, text.len - at < 64 ? text.len - at : 64);
		buf_char(b, '\n');
	}
	buf_fmt(b, "-----END %s-----\n", label);
}
