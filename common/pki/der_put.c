/*
 * DER, the writing half: elements appended to a buffer, each in the only form that the reader accepts.
 *
 * A structure's length is known when it ends, so der_begin() leaves one octet for it and der_end() moves the content
 * when it takes more. Values come from this program, so a value that has no DER form is a bug. Next: pem.c.
 */
#include "common/base/clock.h"
#include "common/pki/der.h"

#include <assert.h>
#include <string.h>

static size_t put_length(uint8_t head[5], size_t len)
{
	assert(len <= UINT32_MAX);
	if (len < 0x80) {
		head[0] = (uint8_t)len;
		return 1;
	}
	size_t n = len > 0xffffff ? 4 : len > 0xffff ? 3 : len > 0xff ? 2 : 1;
	head[0] = (uint8_t)(0x80 | n);
	for (size_t i = 0; i < n; i++)
		head[1 + i] = (uint8_t)(len >> 8 * (n - 1 - i));
	return n + 1;
}

size_t der_begin(struct buf *b, int tag)
{
	uint8_t head[2] = {(uint8_t)tag, 0};
	buf_add(b, head, 2);
	return b->len;
}

void der_end(struct buf *b, size_t begin)
{
	uint8_t head[5];
	assert(begin >= 2 && begin <= b->len);
	size_t len = b->len - begin, n = put_length(head, len);
	if (n > 1) {
		buf_add(b, head, n - 1);
		memmove(b->data + begin + n - 1, b->data + begin, len);
	}
	memcpy(b->data + begin - 1, head, n);
}

void der_put_head(struct buf *b, int tag, size_t len)
{
	uint8_t head[6] = {(uint8_t)tag};
	size_t n = put_length(head + 1, len);
	buf_add(b, head, n + 1);
}

void der_put(struct buf *b, int tag, struct slice body)
{
	der_put_head(b, tag, body.n);
	buf_add_slice(b, body);
}

void der_put_uint(struct buf *b, uint64_t v)
{
	uint8_t octets[8];
	for (size_t i = 0; i < 8; i++)
		octets[i] = (uint8_t)(v >> 8 * (7 - i));
	der_put_magnitude(b, slice_of(octets, 8));
}

void der_put_magnitude(struct buf *b, struct slice magnitude)
{
	static const uint8_t zero = 0;
	while (magnitude.n > 0 && magnitude.p[0] == 0) {
		magnitude.p++;
		magnitude.n--;
	}
	if (magnitude.n > 0 && magnitude.p[0] < 0x80) {
		der_put(b, DER_INTEGER, magnitude);
		return;
	}
	size_t at = der_begin(b, DER_INTEGER);
	buf_add(b, &zero, 1);
	buf_add_slice(b, magnitude);
	der_end(b, at);
}

void der_put_bool(struct buf *b, bool v)
{
	uint8_t octet = v ? 0xff : 0;
	der_put(b, DER_BOOLEAN, slice_of(&octet, 1));
}

void der_put_bits(struct buf *b, struct slice bytes, unsigned unused)
{
	assert(unused < 8 && (unused == 0 || (bytes.n > 0 && (bytes.p[bytes.n - 1] & ((1u << unused) - 1)) == 0)));
	uint8_t octet = (uint8_t)unused;
	size_t at = der_begin(b, DER_BIT_STRING);
	buf_add(b, &octet, 1);
	buf_add_slice(b, bytes);
	der_end(b, at);
}

/* A CRL has one for each entry. */
static void put_digits(char *at, int v)
{
	at[0] = (char)('0' + v / 10);
	at[1] = (char)('0' + v % 10);
}

/* YYYYMMDDHHMMSSZ */
static void time_text(const struct civil *c, char text[15])
{
	const int fields[] = {c->year / 100, c->year % 100, c->month, c->day, c->hour, c->minute, c->second};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		put_digits(text + 2 * i, fields[i]);
	text[14] = 'Z';
}

/* RFC 5280 4.1.2.5: UTCTime until 2049. */
#define UTCTIME_END INT64_C(2524608000) /* 2050-01-01 */

size_t der_time_bytes(int64_t t)
{
	return t < UTCTIME_END ? 2 + 13 : 2 + 15;
}

void der_time_write(int64_t t, uint8_t *ret)
{
	struct civil c = time_civil(t);
	char text[DER_GENTIME_TEXT];
	assert(c.year >= 1950 && c.year <= 9999);
	size_t skip = t < UTCTIME_END ? 2 : 0;
	time_text(&c, text);
	ret[0] = t < UTCTIME_END ? DER_UTCTIME : DER_GENTIME;
	ret[1] = (uint8_t)(DER_GENTIME_TEXT - skip);
	memcpy(ret + 2, text + skip, DER_GENTIME_TEXT - skip);
}

void der_put_time(struct buf *b, int64_t t)
{
	uint8_t element[DER_TIME_MAX];
	der_time_write(t, element);
	buf_add(b, element, der_time_bytes(t));
}

void der_gentime_text(int64_t t, char ret[DER_GENTIME_TEXT])
{
	struct civil c = time_civil(t);
	assert(c.year >= 0 && c.year <= 9999);
	time_text(&c, ret);
}

void der_put_gentime(struct buf *b, int64_t t)
{
	char text[DER_GENTIME_TEXT];
	der_gentime_text(t, text);
	der_put(b, DER_GENTIME, slice_of(text, DER_GENTIME_TEXT));
}

#define OID_MAX_ARCS 20
#define OID_MAX_TEXT 255

static bool arcs_from_text(const char *dotted, uint64_t arcs[OID_MAX_ARCS], size_t *ret_n)
{
	size_t n = 0, rest = strnlen(dotted, OID_MAX_TEXT + 1);
	if (rest > OID_MAX_TEXT)
		return false;
	for (;;) {
		const char *dot = memchr(dotted, '.', rest);
		size_t len = dot ? (size_t)(dot - dotted) : rest;
		if (n == OID_MAX_ARCS || !u64_parse(dotted, len, UINT32_MAX, &arcs[n++]))
			return false;
		if (!dot)
			break;
		dotted = dot + 1;
		rest -= len + 1;
	}
	*ret_n = n;
	return n >= 2 && arcs[0] <= 2 && (arcs[0] == 2 || arcs[1] < 40);
}

bool der_put_oid(struct buf *b, const char *dotted)
{
	uint64_t arcs[OID_MAX_ARCS];
	size_t n;
	if (!arcs_from_text(dotted, arcs, &n))
		return false;
	arcs[1] += arcs[0] * 40;
	size_t at = der_begin(b, DER_OID);
	for (size_t i = 1; i < n; i++) {
		uint8_t octets[5]; /* 80 + 2^32 fits 35 bits */
		size_t k = sizeof(octets);
		uint8_t more = 0;
		for (uint64_t v = arcs[i]; k == sizeof(octets) || v; v >>= 7) {
			octets[--k] = (uint8_t)((v & 0x7f) | more);
			more = 0x80;
		}
		buf_add(b, octets + k, sizeof(octets) - k);
	}
	der_end(b, at);
	return true;
}
