/*
 * ECDSA over P-256 (FIPS 186-4 6.4), verification alone: libcrypto's sums of points, and everything around them by our own arithmetic.
 * Private to common/pki.
 */
#ifndef HUFU_PKI_P256_H
#define HUFU_PKI_P256_H

#include "common/base/buf.h"

#define P256_POINT_BYTES 65 /* 0x04, x, y */

/* Is it a point of the curve, in the uncompressed form (SEC 1 2.3.4)? */
bool p256_is_point(const uint8_t point[P256_POINT_BYTES]);
/* Does it hold? r and s: INTEGER bodies, of any size; hash: its leftmost 32 octets. */
bool p256_holds(const uint8_t point[P256_POINT_BYTES], struct slice r, struct slice s, const uint8_t hash[32]);

/* Several at a time, which costs less for each than one where the processor has lanes (AVX-512 IFMA) and there are three or more. */
struct p256_claim {
	const uint8_t *point; /* P256_POINT_BYTES */
	struct slice r, s;
	const uint8_t *hash;
	bool holds; /* set */
};
void p256_hold_many(struct p256_claim *claims, size_t n);

struct p256_table;
/* Multiples of a point, for a key that signs much; about 150 KiB and 10 ms. The point is one of the curve. Gives: p256_table_free(). */
struct p256_table *p256_table_new(const uint8_t point[P256_POINT_BYTES]);
/* The same by the arithmetic that every processor has. */
struct p256_table *p256_table_new_plain(const uint8_t point[P256_POINT_BYTES]);
void p256_table_free(struct p256_table *t);
/* As p256_holds() with that point. Any number of threads. */
bool p256_table_holds(const struct p256_table *t, struct slice r, struct slice s, const uint8_t hash[32]);

#endif
