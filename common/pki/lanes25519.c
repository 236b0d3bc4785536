/*
 * Each lane adds up every eighth point, and then the lanes are added to each other. The curve's addition is complete
 * (Hisil, Wong, Carter, Dawson 2008), so lanes need no regard for what the others have.
 *
 * Numbers modulo p = 2^255 - 19: limbs below 2^52, the highest below 2^48, whatever operation they come from. A product's
 * upper half goes to the lower one 608 times, since 2^260 is 608. Next: known_ed25519.c.
 */
#include "common/pki/lanes25519.h"

#include <stdlib.h>

bool lanes_there(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma");
#else
	return false;
#endif
}

static void limbs_of(struct field a, uint64_t ret[LANE_LIMBS])
{
	uint8_t bytes[32];
	uint64_t w[4] = {0};
	field_write(a, bytes);
	for (int i = 0; i < 32; i++)
		w[i / 8] |= (uint64_t)bytes[i] << (i % 8 * 8);
	lane_limbs(w, ret);
}

void lane_point_make(struct field plus, struct field minus, struct field t2d, struct lane_point *ret)
{
	limbs_of(plus, ret->plus);
	limbs_of(minus, ret->minus);
	limbs_of(t2d, ret->t2d);
	ret->none = 0;
}

#if defined(__x86_64__)
struct points {
	struct lanes x, y, z, t;
};
struct ready {
	struct lanes plus, minus, t2d;
};

/* Limbs below 2^63, the highest below 2^58. What is above 2^255 comes back as 19 first, so that the last carry is the highest
 * limb's to keep. */
LANES_INLINE struct lanes carry(__m512i l0, __m512i l1, __m512i l2, __m512i l3, __m512i l4)
{
	const __m512i mask = lanes_all(LANE_LIMB);
	l0 = lanes_low(l0, _mm512_srli_epi64(l4, 47), lanes_all(19));
	l4 = _mm512_and_si512(l4, lanes_all((UINT64_C(1) << 47) - 1));
	l1 = _mm512_add_epi64(l1, _mm512_srli_epi64(l0, LANE_BITS));
	l2 = _mm512_add_epi64(l2, _mm512_srli_epi64(l1, LANE_BITS));
	l3 = _mm512_add_epi64(l3, _mm512_srli_epi64(l2, LANE_BITS));
	l4 = _mm512_add_epi64(l4, _mm512_srli_epi64(l3, LANE_BITS));
	return (struct lanes){{_mm512_and_si512(l0, mask), _mm512_and_si512(l1, mask), _mm512_and_si512(l2, mask),
			       _mm512_and_si512(l3, mask), l4}};
}

LANES_INLINE struct lanes add(struct lanes a, struct lanes b)
{
	return carry(_mm512_add_epi64(a.l[0], b.l[0]), _mm512_add_epi64(a.l[1], b.l[1]),
		     _mm512_add_epi64(a.l[2], b.l[2]), _mm512_add_epi64(a.l[3], b.l[3]),
		     _mm512_add_epi64(a.l[4], b.l[4]));
}

/* a and more than b, less b. */
LANES_INLINE __m512i less(__m512i a, uint64_t more, __m512i b)
{
	return _mm512_sub_epi64(_mm512_add_epi64(a, lanes_all(more)), b);
}

/* 8 p stands before it, in limbs that are each above b's: 2^258 - 152. */
LANES_INLINE struct lanes sub(struct lanes a, struct lanes b)
{
	const uint64_t two = UINT64_C(1) << 53;
	return carry(less(a.l[0], two - 152, b.l[0]), less(a.l[1], two - 2, b.l[1]), less(a.l[2], two - 2, b.l[2]),
		     less(a.l[3], two - 2, b.l[3]), less(a.l[4], (UINT64_C(1) << 50) - 2, b.l[4]));
}

/* Column k + 5 of a product has 2^260 times column k: below 2^52, and what is above is the next one's. */
LANES_INLINE void fold(__m512i column, __m512i *to, __m512i *next)
{
	const __m512i m = lanes_all(608);
	*to = lanes_low(*to, column, m);
	*next = lanes_high(*next, column, m);
	*next = lanes_low(*next, _mm512_srli_epi64(column, LANE_BITS), m);
}

/* The last column is below 2^43: nothing of it is above. */
LANES_INLINE struct lanes mul(struct lanes a, struct lanes b)
{
	__m512i c[2 * LANE_LIMBS];
	lanes_columns(a, b, c);
	fold(c[5], &c[0], &c[1]);
	fold(c[6], &c[1], &c[2]);
	fold(c[7], &c[2], &c[3]);
	fold(c[8], &c[3], &c[4]);
	c[4] = lanes_low(c[4], c[9], lanes_all(608));
	return carry(c[0], c[1], c[2], c[3], c[4]);
}

/* Where negative, of the opposite: y + x and y - x change places, and 2 d x y is taken away. */
LANES_INLINE void add_ready(struct points *a, const struct ready *b, __mmask8 negative, struct points *ret)
{
	struct lanes down = mul(sub(a->y, a->x), lanes_pick(negative, b->minus, b->plus));
	struct lanes up = mul(add(a->y, a->x), lanes_pick(negative, b->plus, b->minus));
	struct lanes c = mul(a->t, b->t2d), zz = add(a->z, a->z);
	struct lanes e = sub(up, down), h = add(up, down), fewer = sub(zz, c), more = add(zz, c);
	struct lanes f = lanes_pick(negative, fewer, more), g = lanes_pick(negative, more, fewer);
	ret->x = mul(e, f);
	ret->y = mul(g, h);
	ret->t = mul(e, h);
	ret->z = mul(f, g);
}

/* The point itself, with Z = 4: what adding it to the neutral one gives. */
LANES_INLINE void start(const struct ready *b, __mmask8 negative, struct points *ret)
{
	struct lanes up = lanes_pick(negative, b->plus, b->minus), down = lanes_pick(negative, b->minus, b->plus);
	struct lanes e = sub(up, down), h = add(up, down);
	ret->x = add(e, e);
	ret->y = add(h, h);
	ret->t = mul(e, h);
	ret->z = (struct lanes){{lanes_all(4)}};
}

LANES_INLINE void add_points(const struct points *a, const struct points *b, struct lanes d2, struct points *ret)
{
	struct lanes down = mul(sub(a->y, a->x), sub(b->y, b->x)), up = mul(add(a->y, a->x), add(b->y, b->x));
	struct lanes c = mul(mul(a->t, b->t), d2), zz = mul(a->z, add(b->z, b->z));
	struct lanes e = sub(up, down), h = add(up, down), f = sub(zz, c), g = add(zz, c);
	ret->x = mul(e, f);
	ret->y = mul(g, h);
	ret->t = mul(e, h);
	ret->z = mul(f, g);
}

/* --- to and from lanes --- */

LANES_INLINE void load(const struct lane_point *const of[LANES], struct ready *ret)
{
	static const struct lane_point neutral = {.plus = {1}, .minus = {1}};
	__m512i rows[2][8], w[2][8];
	for (int i = 0; i < LANES; i++) {
		const struct lane_point *p = of[i] ? of[i] : &neutral;
		rows[0][i] = _mm512_load_si512(p);
		rows[1][i] = _mm512_load_si512((const uint64_t *)p + 8);
	}
	lanes_turn(rows[0], w[0]);
	lanes_turn(rows[1], w[1]);
	for (int i = 0; i < LANE_LIMBS; i++) {
		ret->plus.l[i] = w[0][i];
		ret->minus.l[i] = w[(5 + i) / 8][(5 + i) % 8];
		ret->t2d.l[i] = w[1][2 + i];
	}
}

LANES_INLINE struct lanes moved(struct lanes a, int by)
{
	const __m512i from = _mm512_add_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), lanes_all((uint64_t)by));
	for (int i = 0; i < LANE_LIMBS; i++)
		a.l[i] = _mm512_permutexvar_epi64(from, a.l[i]);
	return a;
}

/* The first lane's. */
LANES_INLINE struct field first_of(struct lanes a)
{
	uint64_t l[LANE_LIMBS], w[4];
	for (int i = 0; i < LANE_LIMBS; i++)
		l[i] = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(a.l[i]));
	lane_words(l, w);
	return (struct field){{w[0] & FIELD_LIMB, (w[0] >> 51 | w[1] << 13) & FIELD_LIMB,
			       (w[1] >> 38 | w[2] << 26) & FIELD_LIMB, (w[2] >> 25 | w[3] << 39) & FIELD_LIMB,
			       w[3] >> 12}};
}

LANES_FN void lane_sum_take(const struct lane_sum *s, struct field d2, struct field ret[3])
{
	uint64_t l[LANE_LIMBS];
	struct points sum;
	struct ready next;
	load(s->of[0], &next);
	start(&next, s->negative[0], &sum);
	for (int i = 1; i < LANE_ROUNDS; i++) {
		load(s->of[i], &next);
		add_ready(&sum, &next, s->negative[i], &sum);
	}
	limbs_of(d2, l);
	struct lanes d2s = {{lanes_all(l[0]), lanes_all(l[1]), lanes_all(l[2]), lanes_all(l[3]), lanes_all(l[4])}};
	for (int by = LANES / 2; by > 0; by /= 2) {
		struct points others = {moved(sum.x, by), moved(sum.y, by), moved(sum.z, by), moved(sum.t, by)};
		add_points(&sum, &others, d2s, &sum);
	}
	ret[0] = first_of(sum.x);
	ret[1] = first_of(sum.y);
	ret[2] = first_of(sum.z);
}
#else
void lane_sum_take(const struct lane_sum *s, struct field d2, struct field ret[3])
{
	(void)s;
	(void)d2;
	(void)ret;
	abort(); /* nobody is told that they are there */
}
#endif
