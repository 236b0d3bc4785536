/*
 * What lies on disk and is nobody's to read: sealed with a key that is made from the RA's.
 */
#ifndef HUFU_RA_SEALED_H
#define HUFU_RA_SEALED_H

#include "ra/desk.h"

/* Appends nonce and box. */
void sealed_put(const struct desk *d, struct slice plain, struct buf *ret);
/* Appends the plain bytes. ERR_INTERNAL sealed_open: altered, or another RA's. */
MUST_CHECK enum err sealed_open(const struct desk *d, struct slice sealed, const char *what, struct buf *ret, struct fault *f);

#endif
