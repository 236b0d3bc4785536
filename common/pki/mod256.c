/*
 * What the sums of known_key.c compute with. The operations that count are inline in the header.
 */
#include "common/pki/mod256.h"

#define WINDOW_BITS 4

struct n256 n256_read(const uint8_t big_endian[32])
{
	struct n256 r = {{0}};
	for (int i = 0; i < 32; i++)
		r.w[3 - i / 8] = r.w[3 - i / 8] << 8 | big_endian[i];
	return r;
}

void mod256_make(struct n256 n, struct mod256 *ret)
{
	struct mod256 m = {.n = n, .inv = 1};
	/* Newton: each step doubles the bits that are right. */
	for (int i = 0; i < 6; i++)
		m.inv *= 2 - m.n.w[0] * m.inv;
	m.inv = -m.inv;
	/* 2^256 - n is below n; doubled 256 times it is 2^512. */
	n256_sub((struct n256){{0}}, m.n, &m.one);
	m.square = m.one;
	for (int i = 0; i < 256; i++)
		m.square = mod256_add(&m, m.square, m.square);
	*ret = m;
}

/* Fermat: a^(n - 2), four bits at a time. */
struct n256 mod256_inverse(const struct mod256 *m, struct n256 a)
{
	struct n256 powers[1 << WINDOW_BITS] = {m->one}, r = m->one, e;
	n256_sub(m->n, (struct n256){{2}}, &e);
	for (int i = 1; i < 1 << WINDOW_BITS; i++)
		powers[i] = mod256_mul(m, powers[i - 1], a);
	for (int at = 256 - WINDOW_BITS; at >= 0; at -= WINDOW_BITS) {
		for (int k = 0; k < WINDOW_BITS; k++)
			r = mod256_square(m, r);
		r = mod256_mul(m, r, powers[e.w[at / 64] >> at % 64 & 15]);
	}
	return r;
}
