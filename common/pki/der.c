/*
 * DER, the reading half: one element at a time from borrowed bytes, refused unless it is in the one form that DER has.
 *
 * Two encodings of one value are how checks get walked around: what one program reads as this serial, another reads as
 * that. So long lengths, padded integers, high tag numbers and constructed strings all end here, and every reader above
 * is a plain list of what its structure holds. Nothing recurses: depth is the caller's code. Next: der_put.c, pem.c.
 */
#include "common/pki/der.h"
#include "common/base/clock.h"

#include <stdio.h>
#include <string.h>

int der_peek(const struct der *d)
{
	return der_at_end(d) ? -1 : *d->p;
}

/* X.690 8.1.2, 10.2: one tag octet; of the universal types only those built of others are constructed. */
static bool tag_is_der(uint8_t tag)
{
	unsigned number = tag & 0x1f;
	bool constructed = tag & 0x20;
	if (number == 0x1f)
		return false;
	if (tag & 0xc0)
		return true;
	bool composite = number == 0x10 || number == 0x11 || number == 8 || number == 11 || number == 29;
	return number != 0 && constructed == composite;
}

/* X.690 10.1: definite, in the fewest octets. */
static bool read_length(const uint8_t **p, const uint8_t *end, size_t *ret)
{
	if (*p == end)
		return false;
	size_t len = *(*p)++;
	if (len >= 0x80) {
		size_t n = len & 0x7f;
		if (n == 0 || n > 4 || n > (size_t)(end - *p) || **p == 0)
			return false;
		len = 0;
		for (size_t i = 0; i < n; i++)
			len = len << 8 | *(*p)++;
		if (len < 0x80)
			return false;
	}
	if (len > (size_t)(end - *p))
		return false;
	*ret = len;
	return true;
}

bool der_any(struct der *d, int *ret_tag, struct slice *ret_body, struct slice *ret_whole)
{
	const uint8_t *p = d->p;
	size_t len;
	if (p == d->end || !tag_is_der(*p))
		return false;
	uint8_t tag = *p++;
	if (!read_length(&p, d->end, &len))
		return false;
	if (ret_tag)
		*ret_tag = tag;
	if (ret_body)
		*ret_body = slice_of(p, len);
	if (ret_whole)
		*ret_whole = slice_of(d->p, (size_t)(p - d->p) + len);
	d->p = p + len;
	return true;
}

bool der_get(struct der *d, int tag, struct slice *ret_body)
{
	return der_peek(d) == tag && der_any(d, NULL, ret_body, NULL);
}

bool der_get_whole(struct der *d, int tag, struct slice *ret_whole)
{
	return der_peek(d) == tag && der_any(d, NULL, NULL, ret_whole);
}

bool der_enter(struct der *d, int tag, struct der *ret_inner)
{
	struct slice body;
	if (!der_get(d, tag, &body))
		return false;
	*ret_inner = der_of(body);
	return true;
}

/* X.690 11.1: TRUE is all ones. */
bool der_get_bool(struct der *d, bool *ret)
{
	struct der at = *d;
	struct slice body;
	if (!der_get(&at, DER_BOOLEAN, &body) || body.n != 1 || (body.p[0] != 0 && body.p[0] != 0xff))
		return false;
	*ret = body.p[0] != 0;
	*d = at;
	return true;
}

/* X.690 8.3.2: the first nine bits are neither all zero nor all one. */
bool der_get_integer(struct der *d, struct slice *ret)
{
	struct der at = *d;
	struct slice body;
	if (!der_get(&at, DER_INTEGER, &body) || body.n == 0)
		return false;
	if (body.n > 1 && ((body.p[0] == 0 && body.p[1] < 0x80) || (body.p[0] == 0xff && body.p[1] >= 0x80)))
		return false;
	*ret = body;
	*d = at;
	return true;
}

bool der_get_uint(struct der *d, uint64_t max, uint64_t *ret)
{
	struct der at = *d;
	struct slice body;
	uint64_t v = 0;
	if (!der_get_integer(&at, &body) || body.p[0] >= 0x80 || body.n > 9 || (body.n == 9 && body.p[0] != 0))
		return false;
	for (size_t i = 0; i < body.n; i++)
		v = v << 8 | body.p[i];
	if (v > max)
		return false;
	*ret = v;
	*d = at;
	return true;
}

/* X.690 11.2.1: unused bits are zero. */
bool der_get_bits(struct der *d, struct slice *ret, unsigned *ret_unused)
{
	struct der at = *d;
	struct slice body;
	if (!der_get(&at, DER_BIT_STRING, &body) || body.n == 0 || body.p[0] > 7)
		return false;
	unsigned unused = body.p[0];
	if (unused != 0 && (body.n == 1 || (body.p[body.n - 1] & ((1u << unused) - 1)) != 0))
		return false;
	*ret = slice_of(body.p + 1, body.n - 1);
	*ret_unused = unused;
	*d = at;
	return true;
}

/* RFC 5280 4.1.2.5: YYMMDDHHMMSSZ stands for 1950-2049; later years, and only they, are YYYYMMDDHHMMSSZ. */
bool der_get_time(struct der *d, int64_t *ret)
{
	struct der at = *d;
	struct slice body;
	char text[] = "YYYY-MM-DDTHH:MM:SSZ";
	bool utc = der_peek(&at) == DER_UTCTIME;
	if (!der_get(&at, utc ? DER_UTCTIME : DER_GENTIME, &body) || body.n != (utc ? 13u : 15u) ||
	    body.p[body.n - 1] != 'Z')
		return false;
	const char *p = (const char *)body.p;
	if (utc)
		memcpy(text, p[0] < '5' ? "20" : "19", 2);
	else
		memcpy(text, p, 2);
	p += utc ? 0 : 2;
	memcpy(text + 2, p, 2);
	for (size_t i = 0; i < 5; i++)
		memcpy(text + 5 + 3 * i, p + 2 + 2 * i, 2);
	if (!utc && memcmp(text, "2050", 4) < 0)
		return false;
	if (!time_parse_utc(text, sizeof(text) - 1, ret))
		return false;
	*d = at;
	return true;
}

/* X.690 8.19: base 128, no leading zero digits; the first number holds two arcs. */
static bool read_arc(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
	uint64_t v = 0;
	if (**p == 0x80)
		return false;
	while (*p < end) {
		uint8_t b = *(*p)++;
		if (v >> 57)
			return false;
		v = v << 7 | (b & 0x7f);
		if (b < 0x80) {
			*ret = v;
			return true;
		}
	}
	return false;
}

/* The number, behind a dot unless it is the first; printf would take most of a certificate's reading. */
static bool put_arc(char *ret, size_t size, size_t *used, uint64_t v)
{
	char digits[20];
	size_t n = 0;
	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	if (*used + (*used > 0) + n >= size)
		return false;
	if (*used > 0)
		ret[(*used)++] = '.';
	while (n > 0)
		ret[(*used)++] = digits[--n];
	return true;
}

bool der_oid_text(struct slice body, char *ret, size_t size)
{
	const uint8_t *p = body.p, *end = p ? p + body.n : p;
	size_t used = 0;
	if (p == end)
		return false;
	while (p < end) {
		uint64_t v;
		bool first = used == 0;
		if (!read_arc(&p, end, &v))
			return false;
		unsigned top = v < 80 ? (unsigned)(v / 40) : 2;
		if (first && !put_arc(ret, size, &used, top))
			return false;
		if (!put_arc(ret, size, &used, first ? v - 40 * top : v))
			return false;
	}
	ret[used] = '\0';
	return true;
}
