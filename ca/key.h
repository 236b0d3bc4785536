/*
 * The CA key: a sealed file (Argon2id + secretbox over PKCS#8), opened into guarded memory and libcrypto, used to sign to-be-signed bytes only.
 */
#ifndef HUFU_CA_KEY_H
#define HUFU_CA_KEY_H

#include "common/base/secret.h"
#include "common/pki/cert.h"
#include "common/pki/pubkey.h"

struct ca_key; /* signing is thread-safe */
/* Gives libcrypto locked memory, left out of core dumps, for the private numbers of keys. Once, before the first key. Where the system locks none
 * (RLIMIT_MEMLOCK), the log says so. */
void ca_key_prepare(void);
/* Opens a sealed key file. label is "ca-key:<key id hex>" of the certificate it belongs to; a key that is not the certificate's: ERR_CONFIG. Gives: ca_key_free(). */
/* The same with the sealed bytes; where names them in messages. */
MUST_CHECK enum err ca_key_open_sealed(struct slice sealed, const char *where, const struct cert *cert, const struct secret *passphrase, struct ca_key **ret, struct fault *f);
MUST_CHECK enum err ca_key_open(const char *path, const struct cert *cert, const struct secret *passphrase, struct ca_key **ret, struct fault *f);
/* A fresh throw-away key of the same algorithm: for the lint signature. */
MUST_CHECK enum err ca_key_throwaway(enum key_alg alg, unsigned rsa_bits, struct ca_key **ret, struct fault *f);
/* Makes a new key in memory (ceremonies) and seals it into a new file. */
MUST_CHECK enum err ca_key_create(enum key_alg alg, unsigned rsa_bits, struct ca_key **ret, struct fault *f);
/* Appends the sealed bytes. */
MUST_CHECK enum err ca_key_seal_bytes(const struct ca_key *k, const struct secret *passphrase, struct buf *ret, struct fault *f);
MUST_CHECK enum err ca_key_seal(const struct ca_key *k, const char *path, const struct secret *passphrase, struct fault *f);
void ca_key_free(struct ca_key *k);
static inline void ca_key_freep(struct ca_key **k) { if (*k) ca_key_free(*k); *k = NULL; }
const struct pubkey *ca_key_public(const struct ca_key *k);
/* Appends the raw signature (contents of the BIT STRING). */
MUST_CHECK enum err ca_key_sign(const struct ca_key *k, struct slice tbs, struct buf *ret, struct fault *f);

#endif
