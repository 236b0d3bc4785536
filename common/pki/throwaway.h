/*
 * A key for signatures that nobody shall accept: a certificate is judged whole before the CA's own key signs it, and for that it needs a signature of the
 * right form that is not the CA's. What its owner would have to keep secret is given away by such signatures, so they cost next to nothing, and no other
 * key may sign like this.
 */
#ifndef HUFU_PKI_THROWAWAY_H
#define HUFU_PKI_THROWAWAY_H

#include "common/pki/pubkey.h"

struct throwaway; /* immutable: any number of threads */
/* Makes a fresh key. rsa_bits for RSA (2048-4096), 0 else. Gives: throwaway_free(). */
MUST_CHECK enum err throwaway_new(enum key_alg alg, unsigned rsa_bits, struct throwaway **ret, struct fault *f);
void throwaway_free(struct throwaway *t);
static inline void throwaway_freep(struct throwaway **t) { if (*t) throwaway_free(*t); *t = NULL; }
enum key_alg throwaway_alg(const struct throwaway *t);
/* The public half. An RSA key's exponent is as long as its modulus, which pubkey_parse() takes from nobody, and libcrypto up to 3072 bits. Gives: EVP_PKEY_free(). */
EVP_PKEY *throwaway_public(const struct throwaway *t);
/* Appends a signature over msg by the key's own scheme (pubkey_verify()); it holds under throwaway_public(). */
void throwaway_sign(const struct throwaway *t, struct slice msg, struct buf *ret);

#endif
