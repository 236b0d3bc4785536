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
/* For what is too long to be held: a digest to which it is added (EVP_DigestUpdate), with what the key's scheme hashes in front in it already. NULL: of this
 * key whole messages only (Ed25519). Gives: EVP_MD_CTX_free(). */
EVP_MD_CTX *kept_key_digest(const struct kept_key *k);
/* The same signature as kept_key_sign() over what was added. md can have nothing added any more. */
MUST_CHECK enum err kept_key_sign_digest(struct kept_key *k, EVP_MD_CTX *md, struct buf *ret, struct fault *f);

#endif
