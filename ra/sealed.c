/*
 * libsodium's secretbox under a random nonce.
 */
#include "ra/sealed.h"

#include <sodium.h>

#define HEAD crypto_secretbox_NONCEBYTES
#define OVER (HEAD + crypto_secretbox_MACBYTES)

void sealed_put(const struct desk *d, struct slice plain, struct buf *ret)
{
	uint8_t nonce[HEAD];
	random_fill(nonce, sizeof(nonce));
	buf_add(ret, nonce, sizeof(nonce));
	buf_reserve(ret, crypto_secretbox_MACBYTES + plain.n);
	crypto_secretbox_easy(ret->data + ret->len, plain.p, plain.n, nonce, d->seal_key);
	ret->len += crypto_secretbox_MACBYTES + plain.n;
}

enum err sealed_open(const struct desk *d, struct slice sealed, const char *what, struct buf *ret, struct fault *f)
{
	if (sealed.n > OVER) {
		size_t n = sealed.n - OVER;
		buf_reserve(ret, n);
		if (crypto_secretbox_open_easy(ret->data + ret->len, sealed.p + HEAD, sealed.n - HEAD, sealed.p,
					       d->seal_key) == 0) {
			ret->len += n;
			ret->data[ret->len] = '\0'; /* as everywhere in a struct buf: it may be read as a text */
			return OK;
		}
	}
	return fault_raise(f, ERR_INTERNAL, "sealed_open", "sealed", "%s does not open with this RA's key", what);
}
