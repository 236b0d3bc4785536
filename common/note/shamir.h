/*
 * Shamir's scheme, byte by byte over GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1, as libgfshare has it: any m of the shares give the
 * secret, fewer give nothing. A. Shamir, How to Share a Secret, CACM 22(11), 1979.
 */
#ifndef HUFU_NOTE_SHAMIR_H
#define HUFU_NOTE_SHAMIR_H

#include "common/base/secret.h"

#define SHAMIR_MAX 16

/* Share i (0..n-1) is of the place x = i + 1; all in one guarded piece, secret->n bytes each. 2 <= m <= n <= SHAMIR_MAX (asserted). Gives:
 * secret_done(). */
void shamir_split(const struct secret *secret, unsigned m, unsigned n, struct secret *ret_shares);
/* The secret from m shares of len bytes at the places xs (1.., all different: asserted). Wrong shares give a wrong secret: who calls checks
 * each one before. Gives: secret_done(). */
void shamir_combine(const uint8_t *xs, const uint8_t *const *shares, unsigned m, size_t len, struct secret *ret);

#endif
