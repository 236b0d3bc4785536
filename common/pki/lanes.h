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
#endif

#endif
