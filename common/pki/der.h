/*
 * DER: a strict reader that walks borrowed bytes, and a writer that appends to a buffer. X.690.
 *
 * The reader accepts definite, minimal lengths of at most four octets and one-octet tags only, and never reads past its
 * slice. Nothing is copied. Every ret_ may be NULL in der_any(), der_get() and der_get_whole().
 */
#ifndef HUFU_PKI_DER_H
#define HUFU_PKI_DER_H

#include "common/base/buf.h"

enum {
	DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_OCTET_STRING = 0x04, DER_NULL = 0x05,
	DER_OID = 0x06, DER_ENUMERATED = 0x0a, DER_UTF8 = 0x0c, DER_PRINTABLE = 0x13, DER_T61 = 0x14, DER_IA5 = 0x16,
	DER_UTCTIME = 0x17, DER_GENTIME = 0x18, DER_BMP = 0x1e, DER_SEQUENCE = 0x30, DER_SET = 0x31,
};
#define DER_CONTEXT(n) (0x80 | (n))             /* primitive, implicit */
#define DER_CONTEXT_CONS(n) (0xa0 | (n))        /* constructed */

/* What is left to read. */
struct der {
	const uint8_t *p, *end;
};
static inline struct der der_of(struct slice s) { return (struct der){s.p, s.n ? s.p + s.n : s.p}; }
static inline bool der_at_end(const struct der *d) { return d->p == d->end; }
/* The next tag, or -1 at the end. */
int der_peek(const struct der *d);
/* Each returns false on anything but exactly that element; *d advances on success only. */
bool der_any(struct der *d, int *ret_tag, struct slice *ret_body, struct slice *ret_whole);
bool der_get(struct der *d, int tag, struct slice *ret_body);
bool der_get_whole(struct der *d, int tag, struct slice *ret_whole); /* with tag and length */
bool der_enter(struct der *d, int tag, struct der *ret_inner);
bool der_get_bool(struct der *d, bool *ret);
bool der_get_uint(struct der *d, uint64_t max, uint64_t *ret);       /* non-negative INTEGER */
bool der_get_integer(struct der *d, struct slice *ret);              /* minimal form, sign bit kept */
bool der_get_bits(struct der *d, struct slice *ret, unsigned *ret_unused); /* BIT STRING, unused bits are zero */
/* UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 wants them (seconds, Z, UTCTime through 2049). */
bool der_get_time(struct der *d, int64_t *ret);

/* Writer. begin/end nest; der_end fixes the length. */
size_t der_begin(struct buf *b, int tag);
void der_end(struct buf *b, size_t begin);
void der_put(struct buf *b, int tag, struct slice body);
/* Tag and length alone: the body follows. len at most UINT32_MAX. */
void der_put_head(struct buf *b, int tag, size_t len);
void der_put_uint(struct buf *b, uint64_t v);
/* Big-endian magnitude: leading zeros dropped, a zero octet added where the sign bit would be set. */
void der_put_magnitude(struct buf *b, struct slice magnitude);
void der_put_bool(struct buf *b, bool v);
void der_put_bits(struct buf *b, struct slice bytes, unsigned unused);
void der_put_time(struct buf *b, int64_t t);   /* UTCTime through 2049, then GeneralizedTime */
void der_put_gentime(struct buf *b, int64_t t); /* GeneralizedTime, whatever the year; seconds, Z */
#define DER_TIME_MAX 17 /* der_put_time()'s element: der_time_bytes() of them, written to ret */
size_t der_time_bytes(int64_t t);
void der_time_write(int64_t t, uint8_t *ret);
#define DER_GENTIME_TEXT 15
void der_gentime_text(int64_t t, char ret[DER_GENTIME_TEXT]); /* its content; no NUL */
/* OBJECT IDENTIFIER from dotted text; false when the text is not one (at most 20 arcs of 32 bits). */
bool der_put_oid(struct buf *b, const char *dotted);
/* Body of an OID as dotted text; false when malformed, longer than size, or with an arc of more than 64 bits. */
bool der_oid_text(struct slice body, char *ret, size_t size);

/* The first PEM block of that label ("CERTIFICATE"), or DER as it is. Appends the DER to *ret. ERR_PARSE, ERR_LIMIT (96 MiB of
 * text). The DER is not looked into. "CERTIFICATE REQUEST" also finds "NEW CERTIFICATE REQUEST" (RFC 7468 7). */
MUST_CHECK enum err pem_or_der(struct slice bytes, const char *label, struct buf *ret, struct fault *f);
/* All PEM blocks of that label, up to max_n; each appended to a list of buffers. None: ERR_PARSE; more: ERR_LIMIT.
 * Gives: each buf_done(), free(). */
MUST_CHECK enum err pem_all(struct slice bytes, const char *label, size_t max_n, struct buf **ret, size_t *ret_n, struct fault *f);
void pem_put(struct buf *b, const char *label, struct slice der);

#endif
