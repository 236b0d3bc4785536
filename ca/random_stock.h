/*
 * Cryptographic random bytes for who wants few of them often: drawn many at once, each given once and gone then.
 */
#ifndef HUFU_CA_RANDOM_STOCK_H
#define HUFU_CA_RANDOM_STOCK_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_STOCK_BYTES 512u
/* Of one thread, in a process that does not fork meanwhile; a zero state is empty. For what becomes public some time, not for keys. */
struct random_stock {
	uint8_t bytes[RANDOM_STOCK_BYTES];
	size_t left;
};
/* n: RANDOM_STOCK_BYTES at most. */
void random_stock_take(struct random_stock *s, void *ret, size_t n);

#endif
