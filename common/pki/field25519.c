/*
 * The rest of the arithmetic modulo 2^255 - 19: what is done once for a signature. What counts is inline in the header.
 */
#include "common/pki/field25519.h"
#include "common/pki/mod256.h"

#include <string.h>

#define WINDOW_BITS 4

struct field field_power(struct field a, const uint8_t e[32])
{
	struct field powers[1 << WINDOW_BITS] = {FIELD_ONE}, r = FIELD_ONE;
	for (int i = 1; i < 1 << WINDOW_BITS; i++)
		powers[i] = field_mul(powers[i - 1], a);
	for (int i = 63; i >= 0; i--) {
		unsigned digit = e[i / 2] >> (i % 2 * WINDOW_BITS) & 15;
		for (int k = 0; k < WINDOW_BITS; k++)
			r = field_square(r);
		if (digit > 0)
			r = field_mul(r, powers[digit]);
	}
	return r;
}

/* p's upper bytes are all 0xff, but for the highest. */
static void near_p(uint8_t first, uint8_t last, uint8_t ret[32])
{
	memset(ret, 0xff, 32);
	ret[0] = first;
	ret[31] = last;
}

static struct field read_whole(const uint64_t w[4])
{
	return (struct field){{w[0] & FIELD_LIMB, (w[0] >> 51 | w[1] << 13) & FIELD_LIMB,
			       (w[1] >> 38 | w[2] << 26) & FIELD_LIMB, (w[2] >> 25 | w[3] << 39) & FIELD_LIMB,
			       (w[3] >> 12) & FIELD_LIMB}};
}

static void words_of(const uint8_t bytes[32], uint64_t ret[4])
{
	for (int i = 0; i < 4; i++)
		ret[i] = 0;
	for (int i = 0; i < 32; i++)
		ret[i / 8] |= (uint64_t)bytes[i] << (i % 8 * 8);
}

struct field field_inverse(struct field a)
{
	/* -1 / p modulo 2^64, where p is -19. */
	static const uint64_t inv = UINT64_C(0x86bca1af286bca1b);
	static const struct n256 p = {{UINT64_MAX - 18, UINT64_MAX, UINT64_MAX, UINT64_MAX >> 1}};
	uint8_t bytes[32];
	struct n256 n = {{0}};
	field_write(a, bytes);
	words_of(bytes, n.w);
	n = n256_inverse(p, inv, n);
	return read_whole(n.w);
}

bool field_read(const uint8_t bytes[32], struct field *ret)
{
	uint64_t w[4];
	uint8_t again[32];
	words_of(bytes, w);
	*ret = read_whole(w);
	field_write(*ret, again);
	return memcmp(again, bytes, 31) == 0 && again[31] == (bytes[31] & 0x7f);
}

void field_write(struct field a, uint8_t ret[32])
{
	/* Twice: after the first no limb has more than 51 bits but the lowest, by a bit at most. */
	for (int turn = 0; turn < 2; turn++) {
		for (int i = 0; i < 4; i++) {
			a.l[i + 1] += a.l[i] >> FIELD_BITS;
			a.l[i] &= FIELD_LIMB;
		}
		a.l[0] += 19 * (a.l[4] >> FIELD_BITS);
		a.l[4] &= FIELD_LIMB;
	}
	/* Is it p or more? Then 19 more reach 2^255. */
	uint64_t more = (a.l[0] + 19) >> FIELD_BITS;
	for (int i = 1; i < 5; i++)
		more = (a.l[i] + more) >> FIELD_BITS;
	a.l[0] += 19 * more;
	for (int i = 0; i < 4; i++) {
		a.l[i + 1] += a.l[i] >> FIELD_BITS;
		a.l[i] &= FIELD_LIMB;
	}
	a.l[4] &= FIELD_LIMB;
	uint64_t w[4] = {a.l[0] | a.l[1] << 51, a.l[1] >> 13 | a.l[2] << 38, a.l[2] >> 26 | a.l[3] << 25,
			 a.l[3] >> 39 | a.l[4] << 12};
	for (int i = 0; i < 32; i++)
		ret[i] = (uint8_t)(w[i / 8] >> (i % 8 * 8));
}

bool field_eq(struct field a, struct field b)
{
	uint8_t x[32], y[32];
	field_write(a, x);
	field_write(b, y);
	return memcmp(x, y, 32) == 0;
}

/* a^((p + 3) / 8), times 2^((p - 1) / 4), a root of -1, when that is the other one. */
bool field_root(struct field a, struct field *ret)
{
	uint8_t e[32];
	near_p(0xfe, 0x0f, e);
	struct field r = field_power(a, e);
	if (!field_eq(field_square(r), a)) {
		near_p(0xfb, 0x1f, e);
		r = field_mul(r, field_power(field_small(2), e));
	}
	*ret = r;
	return field_eq(field_square(r), a);
}
