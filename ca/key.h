/*
 * The CA key, in one of two places: a sealed file (Argon2id + secretbox over PKCS#8), opened into guarded memory and libcrypto, or a PKCS#11 token,
 * which it never leaves (common/token/hsm.h). Used to sign to-be-signed bytes only.
 */
#ifndef HUFU_CA_KEY_H
#define HUFU_CA_KEY_H

#include "common/base/secret.h"
#include "common/pki/cert.h"
#include "common/pki/pubkey.h"
#include "common/token/hsm.h"

struct ca_key; /* signing is thread-safe */
/* Gives libcrypto locked memory, left out of core dumps, for the private numbers of keys. Once, before the first key. Where the system locks none
 * (RLIMIT_MEMLOCK), the log says so. */
void ca_key_prepare(void);

/* Opens the certificate's key. place: "PATH" or "file:PATH" of a sealed file, whose label is "ca-key:<key id hex>" of the certificate, or a PKCS#11
 * URI with serial and object or id. passphrase: of the file, or the token's PIN. Another key than the certificate's: ERR_CONFIG ca_key_mismatch. Of a
 * token: as hsm_key_open(). Gives: ca_key_free(). */
MUST_CHECK enum err ca_key_open(const char *place, const struct cert *cert, const struct secret *passphrase, struct ca_key **ret, struct fault *f);
/* The same with the sealed bytes of a key; where names them in messages. */
MUST_CHECK enum err ca_key_open_sealed(struct slice sealed, const char *where, const struct cert *cert, const struct secret *passphrase, struct ca_key **ret, struct fault *f);
/* The same with what ca_key_seal_bytes() gave of a key in that place. */
MUST_CHECK enum err ca_key_open_sealed_at(const char *place, struct slice sealed, const char *where, const struct cert *cert, const struct secret *passphrase, struct ca_key **ret, struct fault *f);
/* The path of a sealed file; NULL: the place is a token. Borrows. */
const char *ca_key_file(const char *place);
/* A fresh throw-away key of the same algorithm: for the lint signature. */
MUST_CHECK enum err ca_key_throwaway(enum key_alg alg, unsigned rsa_bits, struct ca_key **ret, struct fault *f);
/* Makes a new key in memory (ceremonies) and seals it into a new file. */
MUST_CHECK enum err ca_key_create(enum key_alg alg, unsigned rsa_bits, struct ca_key **ret, struct fault *f);
/* Makes a new key inside a token: hsm_key_create(). */
MUST_CHECK enum err ca_key_create_in_token(const char *uri, const struct hsm_keygen *g, const struct secret *pin, struct ca_key **ret, struct fault *f);
/* Appends one line for people and transcripts: where the key is, and what its token says of it. */
MUST_CHECK enum err ca_key_attest(const struct ca_key *k, struct buf *ret, struct fault *f);
/* Would a signature come? ERR_LOCKED token_lost, token_stuck while its token does not sign; looks again once a second. A key in memory: OK. */
MUST_CHECK enum err ca_key_usable(const struct ca_key *k, struct fault *f);
/* Appends what opens the key, sealed: the key itself, or its token's PIN. */
MUST_CHECK enum err ca_key_seal_bytes(const struct ca_key *k, const struct secret *passphrase, struct buf *ret, struct fault *f);
/* A key in memory into a new file. */
MUST_CHECK enum err ca_key_seal(const struct ca_key *k, const char *path, const struct secret *passphrase, struct fault *f);
void ca_key_free(struct ca_key *k);
static inline void ca_key_freep(struct ca_key **k) { if (*k) ca_key_free(*k); *k = NULL; }
const struct pubkey *ca_key_public(const struct ca_key *k);
/* Appends the raw signature (contents of the BIT STRING). By a token: ERR_LOCKED token_lost, token_stuck. */
MUST_CHECK enum err ca_key_sign(const struct ca_key *k, struct slice tbs, struct buf *ret, struct fault *f);
/* As kept_key_digest(), kept_key_sign_digest(). NULL: a token's key, or Ed25519, which sign whole messages only. */
EVP_MD_CTX *ca_key_digest(const struct ca_key *k);
MUST_CHECK enum err ca_key_sign_digest(const struct ca_key *k, EVP_MD_CTX *md, struct buf *ret, struct fault *f);

#endif
