/*
 * Serial numbers: a positive integer of at most 20 octets, as magnitude, and as hex for people. RFC 5280 4.1.2.2.
 */
#include "common/pki/cert.h"

#include <assert.h>
#include <string.h>

const char *serial_text(const struct serial *s, char ret[SERIAL_TEXT])
{
	assert(s->n <= SERIAL_MAX);
	hex_upper(s->b, s->n, ret);
	return ret;
}

bool serial_parse(const char *text, size_t n, struct serial *ret)
{
	struct serial s = {.n = n / 2};
	if (n == 0 || n > 2 * SERIAL_MAX || !hex_decode(text, n, s.b, s.n) || s.b[0] == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] >= 'a')
			return false;
	}
	*ret = s;
	return true;
}

bool serial_from_integer(struct slice body, struct serial *ret)
{
	if (body.n == 0 || body.n > SERIAL_MAX || body.p[0] >= 0x80)
		return false;
	if (body.n > 1 && body.p[0] == 0 && body.p[1] < 0x80)
		return false;
	if (body.p[0] == 0)
		body = slice_of(body.p + 1, body.n - 1);
	if (body.n == 0)
		return false;
	*ret = (struct serial){.n = body.n};
	memcpy(ret->b, body.p, body.n);
	return true;
}

bool serial_eq(const struct serial *a, const struct serial *b)
{
	return a->n == b->n && memcmp(a->b, b->b, a->n) == 0;
}
