/*
 * Private keys as PEM files and signatures by them: for the signer's sealed key, ceremonies, and subscribers' proofs.
 * A file of its own, so that a program that signs nothing links nothing that could.
 */
#ifndef HUFU_PKI_SIGN_H
#define HUFU_PKI_SIGN_H

#include "common/pki/pubkey.h"

/* Makes a key. rsa_bits for RSA (2048-4096), 0 else. Gives: EVP_PKEY_free(). */
MUST_CHECK enum err privkey_generate(enum key_alg alg, unsigned rsa_bits, EVP_PKEY **ret, struct fault *f);
/* PKCS#8 PEM, unencrypted or (with passphrase) encrypted. Gives: EVP_PKEY_free(). Wrong passphrase: ERR_CRYPTO. */
MUST_CHECK enum err privkey_from_pem(struct slice pem, const char *passphrase, EVP_PKEY **ret, struct fault *f);
MUST_CHECK enum err privkey_to_pem(EVP_PKEY *key, struct buf *ret, struct fault *f);
/* The public half, parsed by pubkey_parse(). */
MUST_CHECK enum err privkey_public(EVP_PKEY *key, struct pubkey *ret, struct fault *f);
/* Signature over msg by the key's own scheme (see pubkey_verify). Appends to *ret. Thread-safe for one key. */
MUST_CHECK enum err privkey_sign(EVP_PKEY *key, enum key_alg alg, struct slice msg, struct buf *ret, struct fault *f);
/* Whoever signs by a key that is not here: as privkey_sign(). */
typedef enum err sign_fn(void *arg, struct slice msg, struct buf *ret, struct fault *f);
/* csr_make() for such a key. */
MUST_CHECK enum err csr_make_by(const struct pubkey *public, sign_fn *sign, void *arg, struct slice name_der, struct buf *ret, struct fault *f);
/* A PKCS#10 request with that subject. Appends DER. */
MUST_CHECK enum err csr_make(EVP_PKEY *key, struct slice name_der, struct buf *ret, struct fault *f);

#endif
