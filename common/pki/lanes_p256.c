/*
 * A lane for each key. Doublings are shared by both products: v has digits of five bits, -15 to 16, and multiples of its
 * point made here; u has digits of eight bits and G's multiples. Sums begin at T, whose share the caller takes away, so
 * that no lane ever has the neutral point. Where a sum meets itself or its opposite the formulas give Z = 0, which stays.
 *
 * With tables of both points all lanes work on one sum: each adds up every eighth digit's multiple, without a doubling,
 * and then the lanes are added to each other.
 *
 * Numbers modulo p in Montgomery's form, R = 2^260. Limbs are below 2^52, numbers below 2^256 and a little, whatever
 * operation they come from. p ends in 96 ones: what makes a limb vanish is the limb itself. Next: p256.c.
 */
#include "common/pki/lanes_p256.h"

#include "common/base/cleanup.h"

#include <string.h>

#define WINDOW 5
#define WINDOWS 52
#define HALF 16 /* multiples of Q */
#define BASE_WINDOW 8
#define BASE_WINDOWS 33
#define BITS (WINDOW * WINDOWS)
#define TABLE_DIGITS (2 * LANE_TABLE_WINDOWS) /* of u, then of v */
#define TABLE_ROUNDS ((TABLE_DIGITS + LANES - 1) / LANES)

/* Two vectors of eight words. */
struct lane_affine {
	_Alignas(64) uint64_t x[LANE_LIMBS];
	uint64_t y[LANE_LIMBS], none[6];
};
struct lane_base {
	struct lane_affine of_g[LANE_MULTIPLES], t;
};

#if defined(__x86_64__)
struct points {
	struct lanes x, y, z;
};
struct affines {
	struct lanes x, y;
};

static const uint64_t p_limbs[LANE_LIMBS] = {LANE_LIMB, 0xfffffffffff, 0, 0x1000000000, 0xffffffff0000};
/* 2^520 modulo p. */
static const uint64_t r_square[LANE_LIMBS] = {0x300, 0xffffffff00000, 0xffffefffffffb, 0xfdfffffffffff, 0x4ffffff};
/* 32 p in limbs that are larger than anything that is taken away: eight times a number at most. */
static const uint64_t bias[LANE_LIMBS] = {0x10fffffffffffe0, 0x101ffffffffffef, 0xfffffffffffff0, 0x10001fffffffff0,
					  0x1fffffffdffff0};

LANES_INLINE struct lanes constant(const uint64_t l[LANE_LIMBS])
{
	return (struct lanes){{lanes_all(l[0]), lanes_all(l[1]), lanes_all(l[2]), lanes_all(l[3]), lanes_all(l[4])}};
}

LANES_INLINE __m512i plus(__m512i a, __m512i b)
{
	return _mm512_add_epi64(a, b);
}

LANES_INLINE __m512i times(__m512i a, int bits)
{
	return _mm512_slli_epi64(a, (unsigned)bits);
}

/* The highest limb keeps its carry. Limbs may be negative, as long as the number is not. */
LANES_INLINE struct lanes carry(__m512i l0, __m512i l1, __m512i l2, __m512i l3, __m512i l4)
{
	const __m512i mask = lanes_all(LANE_LIMB);
	l1 = plus(l1, _mm512_srai_epi64(l0, LANE_BITS));
	l2 = plus(l2, _mm512_srai_epi64(l1, LANE_BITS));
	l3 = plus(l3, _mm512_srai_epi64(l2, LANE_BITS));
	l4 = plus(l4, _mm512_srai_epi64(l3, LANE_BITS));
	return (struct lanes){{_mm512_and_si512(l0, mask), _mm512_and_si512(l1, mask), _mm512_and_si512(l2, mask),
			       _mm512_and_si512(l3, mask), l4}};
}

/* What is above 2^256 comes back, since that is 2^224 - 2^192 - 2^96 + 1; the number is below 2^263. */
LANES_INLINE struct lanes tidy(struct lanes a)
{
	__m512i h = _mm512_srli_epi64(a.l[4], 48), top = _mm512_and_si512(a.l[4], lanes_all((UINT64_C(1) << 48) - 1));
	return carry(plus(a.l[0], h), _mm512_sub_epi64(a.l[1], times(h, 44)), a.l[2],
		     _mm512_sub_epi64(a.l[3], times(h, 36)), plus(top, times(h, 16)));
}

LANES_INLINE struct lanes add(struct lanes a, struct lanes b)
{
	for (int i = 0; i < LANE_LIMBS; i++)
		a.l[i] = plus(a.l[i], b.l[i]);
	return tidy(a);
}

/* a - 2^bits b - c. */
LANES_INLINE struct lanes sub_both(struct lanes a, int bits, struct lanes b, const struct lanes *c)
{
	for (int i = 0; i < LANE_LIMBS; i++) {
		a.l[i] = _mm512_sub_epi64(plus(a.l[i], lanes_all(bias[i])), times(b.l[i], bits));
		if (c)
			a.l[i] = _mm512_sub_epi64(a.l[i], c->l[i]);
	}
	return tidy(a);
}

LANES_INLINE struct lanes sub(struct lanes a, struct lanes b)
{
	return sub_both(a, 0, b, NULL);
}

LANES_INLINE struct lanes thrice(struct lanes a)
{
	for (int i = 0; i < LANE_LIMBS; i++)
		a.l[i] = plus(a.l[i], plus(a.l[i], a.l[i]));
	return tidy(a);
}

/* --- products --- */

/* The lowest limb c[0] goes: c[0] + c[0] p is a multiple of 2^52, and p's lowest limb is 2^52 - 1. */
LANES_INLINE void drop(__m512i c[LANE_LIMBS + 1])
{
	const __m512i m = _mm512_and_si512(c[0], lanes_all(LANE_LIMB));
	c[1] = plus(plus(c[1], m), _mm512_srli_epi64(c[0], LANE_BITS));
	c[1] = lanes_low(c[1], m, lanes_all(p_limbs[1]));
	c[2] = lanes_high(c[2], m, lanes_all(p_limbs[1]));
	c[3] = lanes_low(c[3], m, lanes_all(p_limbs[3]));
	c[4] = lanes_high(c[4], m, lanes_all(p_limbs[3]));
	c[4] = lanes_low(c[4], m, lanes_all(p_limbs[4]));
	c[5] = lanes_high(c[5], m, lanes_all(p_limbs[4]));
}

/* Columns are below 2^57. What stays is below p and a sixteenth of a product of numbers below 2^256 and a little. */
LANES_INLINE struct lanes reduce(__m512i c[2 * LANE_LIMBS])
{
	drop(c);
	drop(c + 1);
	drop(c + 2);
	drop(c + 3);
	drop(c + 4);
	return carry(c[5], c[6], c[7], c[8], c[9]);
}

LANES_INLINE struct lanes mul(struct lanes a, struct lanes b)
{
	__m512i c[2 * LANE_LIMBS];
	lanes_columns(a, b, c);
	return reduce(c);
}

LANES_INLINE struct lanes square(struct lanes a)
{
	return mul(a, a);
}

/* --- points --- */

/* dbl-2001-b of the Explicit-Formulas Database, a = -3. */
LANES_INLINE void make_double(struct points *q)
{
	struct lanes zz = square(q->z), yy = square(q->y), b = mul(q->x, yy);
	struct lanes a = thrice(mul(sub(q->x, zz), add(q->x, zz)));
	struct lanes yz = square(add(q->y, q->z)), y4 = square(yy), b4;
	for (int i = 0; i < LANE_LIMBS; i++)
		b4.l[i] = times(b.l[i], 2);
	q->x = sub_both(square(a), 3, b, NULL);
	q->z = sub_both(yz, 0, yy, &zz);
	q->y = sub_both(mul(a, sub(tidy(b4), q->x)), 3, y4, NULL);
}

/* u1, s1: of a; h, r: how far b's x and y are from those, all at the common Z. */
LANES_INLINE void add_rest(struct lanes u1, struct lanes s1, struct lanes h, struct lanes r, struct lanes zs,
			   struct points *ret)
{
	struct lanes hh = square(h), hhh = mul(h, hh), v = mul(u1, hh);
	ret->x = sub_both(square(r), 1, v, &hhh);
	ret->y = sub(mul(r, sub(v, ret->x)), mul(s1, hhh));
	ret->z = mul(zs, h);
}

LANES_INLINE void add_points(const struct points *a, const struct points *b, struct points *ret)
{
	struct lanes aa = square(a->z), bb = square(b->z), u1 = mul(a->x, bb), s1 = mul(a->y, mul(bb, b->z));
	struct lanes h = sub(mul(b->x, aa), u1), r = sub(mul(b->y, mul(aa, a->z)), s1);
	add_rest(u1, s1, h, r, mul(a->z, b->z), ret);
}

LANES_INLINE void add_affine(const struct points *a, const struct affines *b, struct points *ret)
{
	struct lanes aa = square(a->z), h = sub(mul(b->x, aa), a->x), r = sub(mul(b->y, mul(aa, a->z)), a->y);
	add_rest(a->x, a->y, h, r, a->z, ret);
}

LANES_INLINE void keep(__mmask8 which, const struct points *fresh, struct points *to)
{
	to->x = lanes_pick(which, to->x, fresh->x);
	to->y = lanes_pick(which, to->y, fresh->y);
	to->z = lanes_pick(which, to->z, fresh->z);
}

LANES_INLINE struct lanes negated(__mmask8 which, struct lanes y)
{
	const struct lanes none = {{_mm512_setzero_si512()}};
	return lanes_pick(which, y, sub(none, y));
}

/* --- digits and tables --- */

/* From the lowest on, step apart; one above half of 2^bits is written as itself less 2^bits, and one more in the next. */
static void digits_of(struct n256 a, unsigned bits, unsigned n, unsigned step, int8_t *ret)
{
	int carried = 0, whole = 1 << bits;
	for (unsigned i = 0; i < n; i++) {
		unsigned at = i * bits;
		uint64_t w = at < 256 ? a.w[at / 64] >> at % 64 : 0;
		if (at / 64 < 3 && at % 64 > 64 - bits)
			w |= a.w[at / 64 + 1] << (64 - at % 64);
		int digit = (int)(w & (uint64_t)(whole - 1)) + carried;
		carried = digit > whole / 2 - (bits == BASE_WINDOW);
		ret[(size_t)i * step] = (int8_t)(digit - (carried ? whole : 0));
	}
}

/* Each lane's digit of one place. */
LANES_INLINE __m512i load_digits(const int8_t of[LANES])
{
	long long bytes;
	memcpy(&bytes, of, sizeof(bytes));
	return _mm512_cvtepi8_epi64(_mm_cvtsi64_si128(bytes));
}

/* 1 to 16 times each lane's point. */
LANES_INLINE void make_multiples(const struct points *q, struct points ret[HALF])
{
	ret[0] = *q;
	for (int k = 1; k < HALF; k++) {
		if (k % 2 == 1) {
			ret[k] = ret[k / 2];
			make_double(&ret[k]);
		} else {
			add_points(&ret[k - 1], q, &ret[k]);
		}
	}
}

LANES_INLINE void choose(__m512i size, const struct points from[HALF], struct points *ret)
{
	*ret = from[0];
	for (int k = 1; k < HALF; k++)
		keep(_mm512_cmpeq_epi64_mask(size, lanes_all((uint64_t)k + 1)), &from[k], ret);
}

LANES_INLINE void add_digit(const struct points from[HALF], const int8_t d[LANES], struct points *sum)
{
	__m512i digit = load_digits(d), none = _mm512_setzero_si512();
	struct points other, fresh;
	choose(_mm512_abs_epi64(digit), from, &other);
	other.y = negated(_mm512_cmplt_epi64_mask(digit, none), other.y);
	add_points(sum, &other, &fresh);
	keep(_mm512_cmpneq_epi64_mask(digit, none), &fresh, sum);
}

LANES_INLINE void load_affines(const struct lane_affine *const of[LANES], struct affines *ret)
{
	__m512i rows[2][8], w[2][8];
	for (int i = 0; i < LANES; i++) {
		rows[0][i] = _mm512_load_si512(of[i]);
		rows[1][i] = _mm512_load_si512((const uint64_t *)of[i] + 8);
	}
	lanes_turn(rows[0], w[0]);
	lanes_turn(rows[1], w[1]);
	for (int i = 0; i < LANE_LIMBS; i++) {
		ret->x.l[i] = w[0][i];
		ret->y.l[i] = w[(5 + i) / 8][(5 + i) % 8];
	}
}

/* Where d is 0 nothing is added. */
LANES_INLINE void add_signed(struct affines other, const int8_t d[LANES], struct points *sum)
{
	__m512i digit = load_digits(d), none = _mm512_setzero_si512();
	struct points fresh;
	other.y = negated(_mm512_cmplt_epi64_mask(digit, none), other.y);
	add_affine(sum, &other, &fresh);
	keep(_mm512_cmpneq_epi64_mask(digit, none), &fresh, sum);
}

/* Which multiple it is, the first being number 0; 0's is any. */
static unsigned multiple_of(int8_t digit)
{
	return digit == 0 ? 0 : (unsigned)(digit < 0 ? -digit : digit) - 1;
}

LANES_INLINE void add_base_digit(const struct lane_base *b, const int8_t d[LANES], struct points *sum)
{
	const struct lane_affine *of[LANES];
	struct affines other;
	for (int i = 0; i < LANES; i++)
		of[i] = &b->of_g[multiple_of(d[i])];
	load_affines(of, &other);
	add_signed(other, d, sum);
}

/* Words of 64 bits into limbs. */
LANES_INLINE struct lanes limbs_of(const __m512i w[4])
{
	const __m512i mask = lanes_all(LANE_LIMB);
	struct lanes a = {{w[0], _mm512_or_si512(_mm512_srli_epi64(w[0], 52), times(w[1], 12)),
			   _mm512_or_si512(_mm512_srli_epi64(w[1], 40), times(w[2], 24)),
			   _mm512_or_si512(_mm512_srli_epi64(w[2], 28), times(w[3], 36)), _mm512_srli_epi64(w[3], 16)}};
	for (int i = 0; i < LANE_LIMBS - 1; i++)
		a.l[i] = _mm512_and_si512(a.l[i], mask);
	return a;
}

LANES_INLINE void load_multiples(const struct lane_xy *const of[LANES], struct affines *ret)
{
	__m512i rows[8], w[8];
	for (int i = 0; i < LANES; i++)
		rows[i] = _mm512_load_si512(of[i]);
	lanes_turn(rows, w);
	ret->x = limbs_of(w);
	ret->y = limbs_of(w + 4);
}

LANES_INLINE struct lanes moved(struct lanes a, int by)
{
	const __m512i from = plus(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), lanes_all((uint64_t)by));
	for (int i = 0; i < LANE_LIMBS; i++)
		a.l[i] = _mm512_permutexvar_epi64(from, a.l[i]);
	return a;
}

/* --- to and from lanes --- */

static void put_affine(const struct lane_xy *from, struct lane_affine *ret)
{
	lane_limbs(from->x.w, ret->x);
	lane_limbs(from->y.w, ret->y);
	memset(ret->none, 0, sizeof(ret->none));
}

/* Each limb of all lanes, as words. */
LANES_INLINE void unload(struct lanes a, uint64_t ret[LANES][LANE_LIMBS])
{
	_Alignas(64) uint64_t w[LANES];
	for (int i = 0; i < LANE_LIMBS; i++) {
		_mm512_store_si512(w, a.l[i]);
		for (int k = 0; k < LANES; k++)
			ret[k][i] = w[k];
	}
}

LANES_INLINE struct affines into_form(struct affines a)
{
	return (struct affines){mul(a.x, constant(r_square)), mul(a.y, constant(r_square))};
}

/* Out of the form, a number is p at most; p is 0. */
static struct n256 number(const uint64_t l[LANE_LIMBS])
{
	struct n256 n, p;
	lane_words(l, n.w);
	lane_words(p_limbs, p.w);
	return n256_eq(n, p) ? (struct n256){{0}} : n;
}

LANES_INLINE void out_of_form(struct lanes a, struct n256 ret[LANES])
{
	uint64_t l[LANES][LANE_LIMBS];
	unload(mul(a, (struct lanes){{lanes_all(1)}}), l);
	for (int i = 0; i < LANES; i++)
		ret[i] = number(l[i]);
}

LANES_FN static void make_ready(struct lane_affine *a)
{
	const struct lane_affine *of[LANES] = {a, a, a, a, a, a, a, a};
	struct affines in;
	uint64_t l[LANES][LANE_LIMBS];
	load_affines(of, &in);
	in = into_form(in);
	unload(in.x, l);
	memcpy(a->x, l[0], sizeof(a->x));
	unload(in.y, l);
	memcpy(a->y, l[0], sizeof(a->y));
}

struct lane_base *lane_base_new(const struct lane_xy of_g[LANE_MULTIPLES], const struct lane_xy *t)
{
	struct lane_base *b = aligned_alloc(_Alignof(struct lane_base), sizeof(*b));
	if (!b)
		abort();
	for (unsigned i = 0; i < LANE_MULTIPLES; i++) {
		put_affine(&of_g[i], &b->of_g[i]);
		make_ready(&b->of_g[i]);
	}
	put_affine(t, &b->t);
	make_ready(&b->t);
	return b;
}

LANES_FN void lane_sums(const struct lane_base *b, const struct lane_job jobs[LANES], struct lane_xy ret_xz[LANES])
{
	int8_t of_v[WINDOWS * LANES], of_u[BASE_WINDOWS * LANES];
	struct lane_affine keys[LANES];
	const struct lane_affine *of_q[LANES], *of_t[LANES];
	struct affines q, t;
	struct points multiples[HALF], sum, first;
	struct n256 x[LANES], z[LANES];
	for (unsigned i = 0; i < LANES; i++) {
		put_affine(&jobs[i].q, &keys[i]);
		of_q[i] = &keys[i];
		of_t[i] = &b->t;
		digits_of(jobs[i].v, WINDOW, WINDOWS, LANES, of_v + i);
		digits_of(jobs[i].u, BASE_WINDOW, BASE_WINDOWS, LANES, of_u + i);
	}
	const struct lanes one = mul((struct lanes){{lanes_all(1)}}, constant(r_square));
	load_affines(of_q, &q);
	load_affines(of_t, &t);
	q = into_form(q);
	first = (struct points){q.x, q.y, one};
	make_multiples(&first, multiples);
	sum = (struct points){t.x, t.y, one};
	for (int bit = BITS - 1; bit >= 0; bit--) {
		make_double(&sum);
		if (bit % WINDOW == 0)
			add_digit(multiples, of_v + bit / WINDOW * LANES, &sum);
		if (bit % BASE_WINDOW == 0)
			add_base_digit(b, of_u + bit / BASE_WINDOW * LANES, &sum);
	}
	out_of_form(sum.x, x);
	out_of_form(sum.z, z);
	for (int i = 0; i < LANES; i++)
		ret_xz[i] = (struct lane_xy){x[i], z[i]};
}

/* Each lane's multiple in a round. */
static void find_multiples(const struct lane_table *const of[2], const int8_t *digits, unsigned round,
			   const struct lane_xy *ret[LANES])
{
	for (unsigned i = 0; i < LANES; i++) {
		unsigned at = round * LANES + i, window = at % LANE_TABLE_WINDOWS;
		ret[i] = at < TABLE_DIGITS ? &of[at / LANE_TABLE_WINDOWS]->of[window][multiple_of(digits[at])]
					   : &of[0]->of[0][0];
	}
}

LANES_FN void lane_table_sum(const struct lane_base *b, const struct lane_table *p, const struct lane_table *q,
			     struct n256 u, struct n256 v, struct lane_xy *ret_xz)
{
	const struct lane_affine *const of_t[LANES] = {&b->t, &b->t, &b->t, &b->t, &b->t, &b->t, &b->t, &b->t};
	const struct lane_table *const tables[] = {p, q};
	int8_t digits[TABLE_ROUNDS * LANES] = {0};
	struct affines other;
	struct n256 x[LANES], z[LANES];
	digits_of(u, LANE_TABLE_WINDOW, LANE_TABLE_WINDOWS, 1, digits);
	digits_of(v, LANE_TABLE_WINDOW, LANE_TABLE_WINDOWS, 1, digits + LANE_TABLE_WINDOWS);
	load_affines(of_t, &other);
	struct points sum = {other.x, other.y, mul((struct lanes){{lanes_all(1)}}, constant(r_square))};
	for (unsigned round = 0; round < TABLE_ROUNDS; round++) {
		const struct lane_xy *of[LANES];
		find_multiples(tables, digits, round, of);
		load_multiples(of, &other);
		add_signed(other, digits + (size_t)round * LANES, &sum);
	}
	for (int by = LANES / 2; by > 0; by /= 2) {
		struct points others = {moved(sum.x, by), moved(sum.y, by), moved(sum.z, by)}, both;
		add_points(&sum, &others, &both);
		sum = both;
	}
	out_of_form(sum.x, x);
	out_of_form(sum.z, z);
	*ret_xz = (struct lane_xy){x[0], z[0]};
}
#else
struct lane_base *lane_base_new(const struct lane_xy of_g[LANE_MULTIPLES], const struct lane_xy *t)
{
	(void)of_g;
	(void)t;
	abort(); /* nobody is told that they are there */
}

void lane_sums(const struct lane_base *b, const struct lane_job jobs[LANES], struct lane_xy ret_xz[LANES])
{
	(void)b;
	(void)jobs;
	(void)ret_xz;
	abort();
}

void lane_table_sum(const struct lane_base *b, const struct lane_table *p, const struct lane_table *q, struct n256 u,
		    struct n256 v, struct lane_xy *ret_xz)
{
	(void)b;
	(void)p;
	(void)q;
	(void)u;
	(void)v;
	(void)ret_xz;
	abort();
}
#endif

void lane_base_free(struct lane_base *b)
{
	free(b);
}
