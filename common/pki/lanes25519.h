/*
 * Sums of points of Ed25519's curve, eight additions at a time. Private to common/pki.
 */
#ifndef HUFU_PKI_LANES25519_H
#define HUFU_PKI_LANES25519_H

#include "common/pki/field25519.h"
#include "common/pki/lanes.h"

/* y + x, y - x and 2 d x y of an affine point. */
struct lane_point {
	_Alignas(64) uint64_t plus[LANE_LIMBS];
	uint64_t minus[LANE_LIMBS], t2d[LANE_LIMBS], none; /* two vectors of eight words */
};
void lane_point_make(struct field plus, struct field minus, struct field t2d, struct lane_point *ret);

#define LANE_ROUNDS 11
/* What is added up: points and, a bit each from the lowest on, which of them are taken away. NULL: the neutral one. */
struct lane_sum {
	const struct lane_point *of[LANE_ROUNDS][LANES];
	uint8_t negative[LANE_ROUNDS];
};
/* X, Y and Z of the sum, with x = X / Z and y = Y / Z. d2: twice the curve's d. Only where lanes_there(). */
void lane_sum_take(const struct lane_sum *s, struct field d2, struct field ret[3]);

#endif
