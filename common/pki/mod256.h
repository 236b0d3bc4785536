/*
 * Numbers modulo a prime of 256 bits, four limbs, in Montgomery's form, for verification alone: it takes time by what it is given, so
 * nothing secret may come here. Private to common/pki.
 */
#ifndef HUFU_PKI_MOD256_H
#define HUFU_PKI_MOD256_H

#include "common/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Least limb first. With a modulus: below it, and multiplied by 2^256. */
struct n256 {
	uint64_t w[4];
};
struct mod256 {
	struct n256 n; /* odd, its highest bit set */
	uint64_t inv; /* -1 / n modulo 2^64 */
	struct n256 one, square; /* 2^256 and 2^512 */
};

void mod256_make(struct n256 n, struct mod256 *ret);

struct n256 n256_read(const uint8_t big_endian[32]);
static inline bool n256_is_zero(struct n256 a)
{
	return (a.w[0] | a.w[1] | a.w[2] | a.w[3]) == 0;
}
static inline bool n256_eq(struct n256 a, struct n256 b)
{
	return ((a.w[0] ^ b.w[0]) | (a.w[1] ^ b.w[1]) | (a.w[2] ^ b.w[2]) | (a.w[3] ^ b.w[3])) == 0;
}

/* a + b and a - b; returned is what is carried, or borrowed. */
static inline unsigned n256_add(struct n256 a, struct n256 b, struct n256 *ret)
{
	typedef unsigned __int128 wide;
	wide t0 = (wide)a.w[0] + b.w[0], t1 = (wide)a.w[1] + b.w[1] + (uint64_t)(t0 >> 64);
	wide t2 = (wide)a.w[2] + b.w[2] + (uint64_t)(t1 >> 64), t3 = (wide)a.w[3] + b.w[3] + (uint64_t)(t2 >> 64);
	*ret = (struct n256){{(uint64_t)t0, (uint64_t)t1, (uint64_t)t2, (uint64_t)t3}};
	return (unsigned)(t3 >> 64);
}
static inline unsigned n256_sub(struct n256 a, struct n256 b, struct n256 *ret)
{
	typedef unsigned __int128 wide;
	wide t0 = (wide)a.w[0] - b.w[0], t1 = (wide)a.w[1] - b.w[1] - (t0 >> 127);
	wide t2 = (wide)a.w[2] - b.w[2] - (t1 >> 127), t3 = (wide)a.w[3] - b.w[3] - (t2 >> 127);
	*ret = (struct n256){{(uint64_t)t0, (uint64_t)t1, (uint64_t)t2, (uint64_t)t3}};
	return (unsigned)(t3 >> 127);
}
static inline bool n256_below(struct n256 a, struct n256 b)
{
	struct n256 rest;
	return n256_sub(a, b, &rest) == 1;
}
/* A scalar of a signature, big endian, leading zeros or none: false when it is not from 1 to n - 1. */
bool mod256_scalar(struct slice s, const struct mod256 *order, struct n256 *ret);
static inline struct n256 n256_pick(bool second, struct n256 a, struct n256 b)
{
	uint64_t m = -(uint64_t)second;
	return (struct n256){{a.w[0] ^ (m & (a.w[0] ^ b.w[0])), a.w[1] ^ (m & (a.w[1] ^ b.w[1])),
			      a.w[2] ^ (m & (a.w[2] ^ b.w[2])), a.w[3] ^ (m & (a.w[3] ^ b.w[3]))}};
}

static inline struct n256 mod256_add(const struct mod256 *m, struct n256 a, struct n256 b)
{
	struct n256 sum, less;
	unsigned carry = n256_add(a, b, &sum), borrow = n256_sub(sum, m->n, &less);
	return n256_pick(carry >= borrow, sum, less);
}
static inline struct n256 mod256_sub(const struct mod256 *m, struct n256 a, struct n256 b)
{
	struct n256 d, more;
	unsigned borrow = n256_sub(a, b, &d);
	n256_add(d, m->n, &more);
	return n256_pick(borrow, d, more);
}

/* One limb of b: t + a b, then as many times n as makes the lowest limb 0, which goes. */
static inline void mod256_step(const struct mod256 *m, const struct n256 *a, uint64_t b, struct n256 *t, uint64_t *top)
{
	typedef unsigned __int128 wide;
	wide x0 = (wide)a->w[0] * b + t->w[0], x1 = (wide)a->w[1] * b + t->w[1] + (uint64_t)(x0 >> 64);
	wide x2 = (wide)a->w[2] * b + t->w[2] + (uint64_t)(x1 >> 64);
	wide x3 = (wide)a->w[3] * b + t->w[3] + (uint64_t)(x2 >> 64), x4 = (wide)*top + (uint64_t)(x3 >> 64);
	uint64_t q = (uint64_t)x0 * m->inv;
	wide y0 = (wide)q * m->n.w[0] + (uint64_t)x0, y1 = (wide)q * m->n.w[1] + (uint64_t)x1 + (uint64_t)(y0 >> 64);
	wide y2 = (wide)q * m->n.w[2] + (uint64_t)x2 + (uint64_t)(y1 >> 64);
	wide y3 = (wide)q * m->n.w[3] + (uint64_t)x3 + (uint64_t)(y2 >> 64);
	x4 += (uint64_t)(y3 >> 64);
	*t = (struct n256){{(uint64_t)y1, (uint64_t)y2, (uint64_t)y3, (uint64_t)x4}};
	*top = (uint64_t)(x4 >> 64);
}
/* a b / 2^256. */
static inline struct n256 mod256_mul(const struct mod256 *m, struct n256 a, struct n256 b)
{
	struct n256 t = {{0}}, less;
	uint64_t top = 0;
	mod256_step(m, &a, b.w[0], &t, &top);
	mod256_step(m, &a, b.w[1], &t, &top);
	mod256_step(m, &a, b.w[2], &t, &top);
	mod256_step(m, &a, b.w[3], &t, &top);
	unsigned borrow = n256_sub(t, m->n, &less);
	return n256_pick(top >= borrow, t, less);
}
static inline struct n256 mod256_square(const struct mod256 *m, struct n256 a)
{
	return mod256_mul(m, a, a);
}
/* Into the form, of any number below 2^256; and out of it. */
static inline struct n256 mod256_in(const struct mod256 *m, struct n256 a)
{
	return mod256_mul(m, a, m->square);
}
static inline struct n256 mod256_out(const struct mod256 *m, struct n256 a)
{
	return mod256_mul(m, a, (struct n256){{1, 0, 0, 0}});
}
/* 1 / a modulo an odd prime, a below it, both in no form; 0 of 0. inv: -1 / modulus modulo 2^64. */
struct n256 n256_inverse(struct n256 modulus, uint64_t inv, struct n256 a);
/* 1 / a modulo a prime; 0 of 0. */
struct n256 mod256_inverse(const struct mod256 *m, struct n256 a);

#endif
