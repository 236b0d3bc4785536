/*
 * Eight numbers side by side, by the vector instructions for limbs of 52 bits that some processors have (AVX-512 IFMA). Whoever uses them asks
 * lanes_there() and has another way when they are not. Private to common/pki, and for verification alone, as mod256.h.
 */
#ifndef HUFU_PKI_LANES_H
#define HUFU_PKI_LANES_H

#include <stdbool.h>
#include <stdint.h>

#define LANES 8
#define LANE_LIMBS 5 /* of 52 bits */
#define LANE_BITS 52
#define LANE_LIMB ((UINT64_C(1) << LANE_BITS) - 1)

/* Does this processor, and this system, have them? */
bool lanes_there(void);

/* A number below 2^256 in four words, least first, as limbs; and back. */
static inline void lane_limbs(const uint64_t w[4], uint64_t ret[LANE_LIMBS])
{
	ret[0] = w[0] & LANE_LIMB;
	ret[1] = (w[0] >> 52 | w[1] << 12) & LANE_LIMB;
	ret[2] = (w[1] >> 40 | w[2] << 24) & LANE_LIMB;
	ret[3] = (w[2] >> 28 | w[3] << 36) & LANE_LIMB;
	ret[4] = w[3] >> 16;
}
static inline void lane_words(const uint64_t l[LANE_LIMBS], uint64_t ret[4])
{
	ret[0] = l[0] | l[1] << 52;
	ret[1] = l[1] >> 12 | l[2] << 40;
	ret[2] = l[2] >> 24 | l[3] << 28;
	ret[3] = l[3] >> 36 | l[4] << 16;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES_FN __attribute__((target("avx512f,avx512ifma")))
#define LANES_INLINE static inline __attribute__((always_inline, target("avx512f,avx512ifma")))

/* Eight rows of eight words become eight vectors, of which number i has each row's word i. */
LANES_INLINE void lanes_turn(const __m512i r[8], __m512i ret[8])
{
	__m512i t[8], u[8];
	for (int i = 0; i < 8; i += 2) {
		t[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
	}
	for (int i = 0; i < 8; i += 4) {
		for (int k = 0; k < 2; k++) {
			u[i + k] = _mm512_shuffle_i64x2(t[i + k], t[i + k + 2], 0x88);
			u[i + k + 2] = _mm512_shuffle_i64x2(t[i + k], t[i + k + 2], 0xdd);
		}
	}
	for (int k = 0; k < 4; k++) {
		ret[k] = _mm512_shuffle_i64x2(u[k], u[k + 4], 0x88);
		ret[4 + k] = _mm512_shuffle_i64x2(u[k], u[k + 4], 0xdd);
	}
}

struct lanes {
	__m512i l[LANE_LIMBS];
};

LANES_INLINE __m512i lanes_all(uint64_t n)
{
	return _mm512_set1_epi64((long long)n);
}

/* sum, and the lower or the upper 52 bits of a times b. */
LANES_INLINE __m512i lanes_low(__m512i sum, __m512i a, __m512i b)
{
	return _mm512_madd52lo_epu64(sum, a, b);
}
LANES_INLINE __m512i lanes_high(__m512i sum, __m512i a, __m512i b)
{
	return _mm512_madd52hi_epu64(sum, a, b);
}

/* One limb of a with all of b: five columns get low halves, and those above them high ones. */
LANES_INLINE void lanes_row(__m512i a, const struct lanes *b, __m512i c[LANE_LIMBS + 1])
{
	c[0] = lanes_low(c[0], a, b->l[0]);
	c[1] = lanes_low(c[1], a, b->l[1]);
	c[2] = lanes_low(c[2], a, b->l[2]);
	c[3] = lanes_low(c[3], a, b->l[3]);
	c[4] = lanes_low(c[4], a, b->l[4]);
	c[1] = lanes_high(c[1], a, b->l[0]);
	c[2] = lanes_high(c[2], a, b->l[1]);
	c[3] = lanes_high(c[3], a, b->l[2]);
	c[4] = lanes_high(c[4], a, b->l[3]);
	c[5] = lanes_high(c[5], a, b->l[4]);
}

/* The product a b, nothing carried. A column gets at most five low halves and five high ones: below 2^56. */
LANES_INLINE void lanes_columns(struct lanes a, struct lanes b, __m512i ret[2 * LANE_LIMBS])
{
	for (int i = 0; i < 2 * LANE_LIMBS; i++)
		ret[i] = _mm512_setzero_si512();
	lanes_row(a.l[0], &b, ret);
	lanes_row(a.l[1], &b, ret + 1);
	lanes_row(a.l[2], &b, ret + 2);
	lanes_row(a.l[3], &b, ret + 3);
	lanes_row(a.l[4], &b, ret + 4);
}

/* a, and b in the lanes that are second. */
LANES_INLINE struct lanes lanes_pick(__mmask8 second, struct lanes a, struct lanes b)
{
	for (int i = 0; i < LANE_LIMBS; i++)
		a.l[i] = _mm512_mask_blend_epi64(second, a.l[i], b.l[i]);
	return a;
}
#endif

#endif
