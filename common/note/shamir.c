/*
 * A polynomial of degree m - 1 for each byte, whose value at 0 is the secret; Lagrange's formula at 0 gives it back.
 *
 * Nothing here takes a branch or an address from a secret: the product shifts and masks, and the inverse is a power.
 */
#include "common/note/shamir.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

#define POLYNOMIAL 0x1du /* without x^8 */

static uint8_t mul(uint8_t a, uint8_t b)
{
	uint8_t r = 0;
	for (int i = 0; i < 8; i++) {
		r ^= (uint8_t)(a & -(b & 1));
		a = (uint8_t)((a << 1) ^ (POLYNOMIAL & -(a >> 7)));
		b >>= 1;
	}
	return r;
}

/* a^254. */
static uint8_t inverse(uint8_t a)
{
	uint8_t r = 1;
	for (int i = 0; i < 7; i++) {
		a = mul(a, a);
		r = mul(r, a);
	}
	return r;
}

void shamir_split(const struct secret *secret, unsigned m, unsigned n, struct secret *ret_shares)
{
	_cleanup_secret_ struct secret above = {0}; /* coefficients of x, x^2, … */
	assert(m >= 2 && m <= n && n <= SHAMIR_MAX && secret->n > 0);
	secret_alloc(&above, secret->n * (m - 1));
	secret_alloc(ret_shares, secret->n * n);
	random_fill(above.p, above.n);
	for (unsigned i = 0; i < n; i++) {
		uint8_t *share = ret_shares->p + i * secret->n, x = (uint8_t)(i + 1);
		for (size_t k = 0; k < secret->n; k++) {
			uint8_t y = 0;
			for (unsigned c = m - 1; c-- > 0;)
				y = mul((uint8_t)(y ^ above.p[c * secret->n + k]), x);
			share[k] = (uint8_t)(y ^ secret->p[k]);
		}
	}
}

/* What share i weighs at 0: the product of x_j / (x_j - x_i) over all others. */
static uint8_t weight(const uint8_t *xs, unsigned m, unsigned i)
{
	uint8_t above = 1, below = 1;
	for (unsigned j = 0; j < m; j++) {
		if (j == i)
			continue;
		assert(xs[j] != xs[i] && xs[j] != 0);
		above = mul(above, xs[j]);
		below = mul(below, (uint8_t)(xs[j] ^ xs[i]));
	}
	return mul(above, inverse(below));
}

void shamir_combine(const uint8_t *xs, const uint8_t *const *shares, unsigned m, size_t len, struct secret *ret)
{
	assert(m >= 2 && m <= SHAMIR_MAX && len > 0);
	secret_alloc(ret, len);
	memset(ret->p, 0, len);
	for (unsigned i = 0; i < m; i++) {
		uint8_t w = weight(xs, m, i);
		for (size_t k = 0; k < len; k++)
			ret->p[k] ^= mul(w, shares[i][k]);
	}
}
