/*
 * Bytes: borrowed slices, growing buffers, hex, base64, and escaping of outside bytes.
 *
 * Allocation of our own aborts on failure, so every size from outside is bounded before.
 */
#ifndef HUFU_BASE_BUF_H
#define HUFU_BASE_BUF_H

#include "common/base/err.h"

#include <stdarg.h>
#include <stdint.h>

/* Borrowed bytes. {NULL, 0} is the empty slice. */
struct slice {
	const uint8_t *p;
	size_t n;
};

static inline struct slice slice_of(const void *p, size_t n) { return (struct slice){p, n}; }
struct slice slice_str(const char *s);
bool slice_eq(struct slice a, struct slice b);
/* A NUL-terminated copy. Gives: free(). The slice must hold no NUL (asserted). */
char *slice_dup_str(struct slice s);

/* Owned, growing bytes. Zero state is empty; buf_done() accepts it and returns to it. data[len] is always
 * NUL once something was written, so text can be used as a string. */
struct buf {
	uint8_t *data;
	size_t len, cap;
};
void buf_done(struct buf *b);
void buf_clear(struct buf *b);             /* len = 0, memory kept */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_slice(struct buf *b, struct slice s);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_hex(struct buf *b, const void *p, size_t n);    /* lower case */
void buf_base64(struct buf *b, const void *p, size_t n); /* RFC 4648 4, with padding */
static inline struct slice buf_slice(const struct buf *b) { return (struct slice){b->data, b->len}; }
/* The text, never NULL. Borrows. */
const char *buf_text(const struct buf *b);
/* The bytes leave the buffer. Gives: free(). */
char *buf_take(struct buf *b, size_t *ret_len);

/* malloc family that aborts instead of failing. Gives: free(). */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size); /* n*size checked for overflow */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Hex. Encoders write 2n+1 characters. The decoder wants exactly n bytes; either case. */
void hex_lower(const void *p, size_t n, char *ret);
void hex_upper(const void *p, size_t n, char *ret);
bool hex_decode(const char *text, size_t text_len, uint8_t *ret, size_t n);
/* Strict RFC 4648 4: canonical padding, no white space. Appends to *b. */
bool base64_decode(const char *text, size_t text_len, struct buf *b);

/* Outside bytes for a message: printable UTF-8 kept, the rest as \xNN, cut at about max bytes with "…".
 * Returns ret, a caller's array of at least size bytes. */
const char *text_escape(const void *p, size_t n, char *ret, size_t size);
/* Stack helper: ESC(p, n) is an escaped copy with the lifetime of the enclosing block. */
#define ESC(p, n) text_escape((p), (n), (char[200]){0}, 200)

bool utf8_valid(const void *p, size_t n);
/* Decodes one code point at *i and advances; -1 at the first invalid byte. */
int32_t utf8_next(const uint8_t *p, size_t n, size_t *i);

/* Unsigned decimal without sign, leading zero or white space, at most max. */
bool u64_parse(const char *s, size_t n, uint64_t max, uint64_t *ret);

/* The nearest of n words for "did you mean", or NULL if none is near (edit distance at most 2 or a third). */
const char *word_nearest(const char *found, const char *const *words, size_t n);

/* SHA-256 with a digest fetched once. */
void sha256(const void *p, size_t n, uint8_t ret[32]);
/* Cryptographic random bytes (libsodium). */
void random_fill(void *p, size_t n);

#endif
