/*
 * A private key that signs much, from many threads: what libcrypto prepares for a signature is kept between them.
 */
#ifndef HUFU_PKI_KEPT_KEY_H
#define HUFU_PKI_KEPT_KEY_H

#include "common/pki/pubkey.h"

struct kept_key;
/* Shares key, of which public is the public half. ERR_CRYPTO key_algorithm when they are of different kinds. Gives: kept_key_free(). */
MUST_CHECK enum err kept_key_new(EVP_PKEY *key, const struct pubkey *public, struct kept_key **ret, struct fault *f);
void kept_key_free(struct kept_key *k);
static inline void kept_key_freep(struct kept_key **k) { if (*k) kept_key_free(*k); *k = NULL; }
/* As privkey_sign(): the key's own scheme over msg, appended to *ret. */
MUST_CHECK enum err kept_key_sign(struct kept_key *k, struct slice msg, struct buf *ret, struct fault *f);

#endif
