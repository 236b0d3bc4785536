/*
 * One call of the kernel for many small wishes. What has been given is wiped, so that the stock knows only what nobody
 * has yet.
 */
#include "ca/random_stock.h"

#include "common/base/buf.h"

#include <assert.h>
#include <string.h>

void random_stock_take(struct random_stock *s, void *ret, size_t n)
{
	assert(n <= sizeof(s->bytes));
	if (s->left < n) {
		random_fill(s->bytes, sizeof(s->bytes));
		s->left = sizeof(s->bytes);
	}
	s->left -= n;
	memcpy(ret, s->bytes + s->left, n);
	explicit_bzero(s->bytes + s->left, n);
}
