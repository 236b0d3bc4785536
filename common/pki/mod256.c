/*
 * What the equations of known_key.c and p256.c compute with. The operations that count are inline in the header.
 */
#include "common/pki/mod256.h"

#include <string.h>

struct n256 n256_read(const uint8_t big_endian[32])
{
	struct n256 r = {{0}};
	for (int i = 0; i < 32; i++)
		r.w[3 - i / 8] = r.w[3 - i / 8] << 8 | big_endian[i];
	return r;
}

bool mod256_scalar(struct slice s, const struct mod256 *order, struct n256 *ret)
{
	uint8_t bytes[32] = {0};
	while (s.n > 0 && s.p[0] == 0)
		s = slice_of(s.p + 1, s.n - 1);
	if (s.n > sizeof(bytes))
		return false;
	memcpy(bytes + sizeof(bytes) - s.n, s.p, s.n);
	*ret = n256_read(bytes);
	return !n256_is_zero(*ret) && n256_below(*ret, order->n);
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

/* --- the inverse ---
 *
 * Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (2019), in the form that takes its time
 * by the numbers. Steps halve g, and first trade it for f when that is worth it; 62 of them depend on the lowest 62 bits
 * of f and g alone, and are put together into four factors before they are applied to the whole numbers. With f and g
 * go two numbers d and e so that a d = f and a e = g modulo n, and when g is 0, f is 1 or -1. */

#define LIMB_BITS 62
#define LIMB_MASK ((UINT64_C(1) << LIMB_BITS) - 1)
#define LIMBS 5

/* Least limb first, all but the last below 2^62; the last has the sign. */
struct signed310 {
	int64_t l[LIMBS];
};
/* 2^62 (f, g) = (u f + v g, q f + r g), of those before; sums of two factors' sizes are 2^62 at most. */
struct factors {
	int64_t u, v, q, r;
};

static struct signed310 to_limbs(struct n256 a)
{
	return (struct signed310){{(int64_t)(a.w[0] & LIMB_MASK), (int64_t)((a.w[0] >> 62 | a.w[1] << 2) & LIMB_MASK),
				   (int64_t)((a.w[1] >> 60 | a.w[2] << 4) & LIMB_MASK),
				   (int64_t)((a.w[2] >> 58 | a.w[3] << 6) & LIMB_MASK), (int64_t)(a.w[3] >> 56)}};
}

/* Of one that is not negative, and below 2^256. */
static struct n256 from_limbs(const struct signed310 *a)
{
	const uint64_t l0 = (uint64_t)a->l[0], l1 = (uint64_t)a->l[1], l2 = (uint64_t)a->l[2], l3 = (uint64_t)a->l[3];
	return (struct n256){
		{l0 | l1 << 62, l1 >> 2 | l2 << 60, l2 >> 4 | l3 << 58, l3 >> 6 | (uint64_t)a->l[4] << 56}};
}

/* 62 steps by the lowest bits. lead: how far f's size may be ahead of g's, less one; below 0 the two change places. */
static int64_t take_steps(int64_t lead, uint64_t f, uint64_t g, struct factors *ret)
{
	uint64_t u = 1, v = 0, q = 0, r = 1;
	for (int left = LIMB_BITS;;) {
		int zeros = __builtin_ctzll(g | UINT64_MAX << left);
		g >>= zeros;
		u <<= zeros;
		v <<= zeros;
		lead -= zeros;
		left -= zeros;
		if (left == 0)
			break;
		if (lead < 0) {
			uint64_t f0 = f, u0 = u, v0 = v;
			lead = -lead;
			f = g;
			u = q;
			v = r;
			g = -f0;
			q = -u0;
			r = -v0;
		}
		/* As many times f as make g's lowest bits 0: up to six of them, while no change of places is due. */
		int bits = lead + 1 < left ? (int)lead + 1 : left;
		uint64_t mask = (UINT64_MAX >> (64 - bits)) & 63;
		uint64_t w = (f * g * (f * f - 2)) & mask;
		g += f * w;
		q += u * w;
		r += v * w;
	}
	*ret = (struct factors){(int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r};
	return lead;
}

/* (a, b) = (u a + v b, q a + r b) / 2^62, which has no rest. */
static void apply(const struct factors *t, struct signed310 *a, struct signed310 *b)
{
	typedef __int128 wide;
	wide x = (wide)t->u * a->l[0] + (wide)t->v * b->l[0], y = (wide)t->q * a->l[0] + (wide)t->r * b->l[0];
	for (int i = 1; i < LIMBS; i++) {
		x = (x >> LIMB_BITS) + (wide)t->u * a->l[i] + (wide)t->v * b->l[i];
		y = (y >> LIMB_BITS) + (wide)t->q * a->l[i] + (wide)t->r * b->l[i];
		a->l[i - 1] = (int64_t)((uint64_t)x & LIMB_MASK);
		b->l[i - 1] = (int64_t)((uint64_t)y & LIMB_MASK);
	}
	a->l[LIMBS - 1] = (int64_t)(x >> LIMB_BITS);
	b->l[LIMBS - 1] = (int64_t)(y >> LIMB_BITS);
}

/* n more, if it is negative. */
static void add_when_negative(struct signed310 *a, const struct signed310 *n)
{
	/* cppcheck-suppress shiftTooManyBitsSigned ; every compiler that this is for keeps the sign */
	int64_t sign = a->l[LIMBS - 1] >> 63, carry = 0;
	for (int i = 0; i < LIMBS; i++) {
		carry += a->l[i] + (n->l[i] & sign);
		a->l[i] = i < LIMBS - 1 ? (int64_t)((uint64_t)carry & LIMB_MASK) : carry;
		carry >>= LIMB_BITS;
	}
}

/* The same modulo n: as many times n are added as leave no rest. inverse: 1 / n modulo 2^62. Both stay above -2n and
 * below n. */
static void apply_modulo(const struct factors *t, const struct signed310 *n, uint64_t inverse, struct signed310 *d,
			 struct signed310 *e)
{
	typedef __int128 wide;
	/* cppcheck-suppress shiftTooManyBitsSigned ; every compiler that this is for keeps the sign */
	const int64_t d_sign = d->l[LIMBS - 1] >> 63, e_sign = e->l[LIMBS - 1] >> 63;
	/* As if n were added to the negative ones first. */
	int64_t more_d = (t->u & d_sign) + (t->v & e_sign), more_e = (t->q & d_sign) + (t->r & e_sign);
	wide x = (wide)t->u * d->l[0] + (wide)t->v * e->l[0], y = (wide)t->q * d->l[0] + (wide)t->r * e->l[0];
	more_d -= (int64_t)((inverse * (uint64_t)x + (uint64_t)more_d) & LIMB_MASK);
	more_e -= (int64_t)((inverse * (uint64_t)y + (uint64_t)more_e) & LIMB_MASK);
	x += (wide)n->l[0] * more_d;
	y += (wide)n->l[0] * more_e;
	for (int i = 1; i < LIMBS; i++) {
		x = (x >> LIMB_BITS) + (wide)t->u * d->l[i] + (wide)t->v * e->l[i] + (wide)n->l[i] * more_d;
		y = (y >> LIMB_BITS) + (wide)t->q * d->l[i] + (wide)t->r * e->l[i] + (wide)n->l[i] * more_e;
		d->l[i - 1] = (int64_t)((uint64_t)x & LIMB_MASK);
		e->l[i - 1] = (int64_t)((uint64_t)y & LIMB_MASK);
	}
	d->l[LIMBS - 1] = (int64_t)(x >> LIMB_BITS);
	e->l[LIMBS - 1] = (int64_t)(y >> LIMB_BITS);
}

static bool is_zero(const struct signed310 *a)
{
	return (a->l[0] | a->l[1] | a->l[2] | a->l[3] | a->l[4]) == 0;
}

struct n256 n256_inverse(struct n256 modulus, uint64_t inv, struct n256 a)
{
	const struct signed310 n = to_limbs(modulus);
	struct signed310 f = n, g = to_limbs(a), d = {{0}}, e = {{1}};
	struct factors t;
	for (int64_t lead = -1; !is_zero(&g);) {
		lead = take_steps(lead, (uint64_t)f.l[0] | (uint64_t)f.l[1] << LIMB_BITS,
				  (uint64_t)g.l[0] | (uint64_t)g.l[1] << LIMB_BITS, &t);
		apply_modulo(&t, &n, -inv, &d, &e);
		apply(&t, &f, &g);
	}
	add_when_negative(&d, &n);
	if (f.l[LIMBS - 1] < 0) { /* f is -1 */
		int64_t carry = 0;
		for (int i = 0; i < LIMBS; i++) {
			carry -= d.l[i];
			d.l[i] = i < LIMBS - 1 ? (int64_t)((uint64_t)carry & LIMB_MASK) : carry;
			carry >>= LIMB_BITS;
		}
	}
	add_when_negative(&d, &n);
	return from_limbs(&d);
}

/* Of a 2^256 it is 1 / (a 2^256); that wants 2^512 more. */
struct n256 mod256_inverse(const struct mod256 *m, struct n256 a)
{
	return mod256_in(m, mod256_in(m, n256_inverse(m->n, m->inv, a)));
}
