/*
 * u G + v Q on P-256 for up to eight keys at a time. Private to common/pki, and for verification alone.
 */
#ifndef HUFU_PKI_LANES_P256_H
#define HUFU_PKI_LANES_P256_H

#include "common/pki/lanes.h"
#include "common/pki/mod256.h"

/* x and y of a point; numbers as they are, in no form. */
struct lane_xy {
	struct n256 x, y;
};
/* What is the same for all sums: 1 to 128 times G, and some point T that nobody else knows. Made once. */
#define LANE_MULTIPLES 128u
struct lane_base;
/* Gives: lane_base_free(). */
struct lane_base *lane_base_new(const struct lane_xy of_g[LANE_MULTIPLES], const struct lane_xy *t);
void lane_base_free(struct lane_base *b);

struct lane_job {
	struct lane_xy q;
	struct n256 u, v; /* below the order */
};
/* X and Z of u G + v Q + 2^260 T, with x = X / Z^2; below 2^256. Z is 0 also when an addition met two points of the same x on its way: then nothing is
 * known of the sum. Only where lanes_there(). */
void lane_sums(const struct lane_base *b, const struct lane_job jobs[LANES], struct lane_xy ret_xz[LANES]);

/* Window i has 1 to 64 times 2^(7 i) of a point; numbers multiplied by 2^260, below p. */
#define LANE_TABLE_WINDOW 7u
#define LANE_TABLE_WINDOWS 37u
#define LANE_TABLE_MULTIPLES 64u
struct lane_table {
	_Alignas(64) struct lane_xy of[LANE_TABLE_WINDOWS][LANE_TABLE_MULTIPLES];
};
/* As lane_sums(), but of u P + v Q + 8 T alone: p and q are the points' tables. */
void lane_table_sum(const struct lane_base *b, const struct lane_table *p, const struct lane_table *q, struct n256 u, struct n256 v,
		    struct lane_xy *ret_xz);

#endif
