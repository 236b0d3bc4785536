/*
 * Numbers modulo 2^255 - 19, five limbs of 51 bits, for verification alone: it takes time by what it is given, so nothing secret may come
 * here. Private to common/pki.
 *
 * Limbs may be larger than 51 bits. field_mul() and field_square() take any below 2^54, so that no carry leaves 64 bits, and give ones
 * below 2^51 + 2^20; sums and differences are left as they are, and what is taken away must be a product (or a small number). So two of
 * them at most stand between two products.
 */
#ifndef HUFU_PKI_FIELD25519_H
#define HUFU_PKI_FIELD25519_H

#include <stdbool.h>
#include <stdint.h>

struct field {
	uint64_t l[5];
};
#define FIELD_BITS 51
#define FIELD_LIMB ((UINT64_C(1) << FIELD_BITS) - 1)
#define FIELD_ZERO ((struct field){{0}})
#define FIELD_ONE ((struct field){{1}})

static inline struct field field_add(struct field a, struct field b)
{
	return (struct field){
		{a.l[0] + b.l[0], a.l[1] + b.l[1], a.l[2] + b.l[2], a.l[3] + b.l[3], a.l[4] + b.l[4]}};
}

/* Twice the modulus stands before it, so that no limb falls below 0: b's are below 2^52 - 38. */
static inline struct field field_sub(struct field a, struct field b)
{
	const uint64_t first = 2 * (FIELD_LIMB - 18), rest = 2 * FIELD_LIMB;
	return (struct field){{a.l[0] + first - b.l[0], a.l[1] + rest - b.l[1], a.l[2] + rest - b.l[2],
			       a.l[3] + rest - b.l[3], a.l[4] + rest - b.l[4]}};
}

/* 2^255 is 19. */
static inline struct field field_carry(unsigned __int128 t0, unsigned __int128 t1, unsigned __int128 t2, unsigned __int128 t3,
				       unsigned __int128 t4)
{
	struct field r;
	t1 += (uint64_t)(t0 >> FIELD_BITS);
	t2 += (uint64_t)(t1 >> FIELD_BITS);
	t3 += (uint64_t)(t2 >> FIELD_BITS);
	t4 += (uint64_t)(t3 >> FIELD_BITS);
	unsigned __int128 low = (t0 & FIELD_LIMB) + (unsigned __int128)19 * (uint64_t)(t4 >> FIELD_BITS);
	r.l[0] = (uint64_t)low & FIELD_LIMB;
	r.l[1] = ((uint64_t)t1 & FIELD_LIMB) + (uint64_t)(low >> FIELD_BITS);
	r.l[2] = (uint64_t)t2 & FIELD_LIMB;
	r.l[3] = (uint64_t)t3 & FIELD_LIMB;
	r.l[4] = (uint64_t)t4 & FIELD_LIMB;
	return r;
}

static inline struct field field_mul(struct field a, struct field b)
{
	typedef unsigned __int128 wide;
	const uint64_t a0 = a.l[0], a1 = a.l[1], a2 = a.l[2], a3 = a.l[3], a4 = a.l[4];
	const uint64_t b0 = b.l[0], b1 = b.l[1], b2 = b.l[2], b3 = b.l[3], b4 = b.l[4];
	const uint64_t c1 = 19 * a1, c2 = 19 * a2, c3 = 19 * a3, c4 = 19 * a4;
	return field_carry((wide)a0 * b0 + (wide)c1 * b4 + (wide)c2 * b3 + (wide)c3 * b2 + (wide)c4 * b1,
			   (wide)a0 * b1 + (wide)a1 * b0 + (wide)c2 * b4 + (wide)c3 * b3 + (wide)c4 * b2,
			   (wide)a0 * b2 + (wide)a1 * b1 + (wide)a2 * b0 + (wide)c3 * b4 + (wide)c4 * b3,
			   (wide)a0 * b3 + (wide)a1 * b2 + (wide)a2 * b1 + (wide)a3 * b0 + (wide)c4 * b4,
			   (wide)a0 * b4 + (wide)a1 * b3 + (wide)a2 * b2 + (wide)a3 * b1 + (wide)a4 * b0);
}

static inline struct field field_square(struct field a)
{
	typedef unsigned __int128 wide;
	const uint64_t a0 = a.l[0], a1 = a.l[1], a2 = a.l[2], a3 = a.l[3], a4 = a.l[4];
	const uint64_t d0 = 2 * a0, d1 = 2 * a1, c3 = 19 * a3, c4 = 19 * a4;
	return field_carry((wide)a0 * a0 + (wide)(2 * a1) * c4 + (wide)(2 * a2) * c3,
			   (wide)d0 * a1 + (wide)(2 * a2) * c4 + (wide)a3 * c3,
			   (wide)d0 * a2 + (wide)a1 * a1 + (wide)(2 * a3) * c4,
			   (wide)d0 * a3 + (wide)d1 * a2 + (wide)a4 * c4, (wide)d0 * a4 + (wide)d1 * a3 + (wide)a2 * a2);
}

static inline struct field field_small(uint64_t below_2_51)
{
	return (struct field){{below_2_51}};
}
/* a to the power e, little-endian. */
struct field field_power(struct field a, const uint8_t e[32]);
/* 1 / a; 0 of 0. */
struct field field_inverse(struct field a);
/* Both ways little-endian and below the modulus. False: it is not below it; its highest bit is not looked at. */
bool field_read(const uint8_t bytes[32], struct field *ret);
void field_write(struct field a, uint8_t ret[32]);
bool field_eq(struct field a, struct field b);
/* Square root, one of both; false: there is none. RFC 8032 5.1.3. */
bool field_root(struct field a, struct field *ret);

#endif
