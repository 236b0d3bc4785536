/*
 * Ed25519 verification by a key that is known long before its signatures: those of the roster's people. Multiples of its point are
 * computed once, so that a signature costs two fifths of what libsodium takes, with the same answer.
 */
#ifndef HUFU_PKI_KNOWN_ED25519_H
#define HUFU_PKI_KNOWN_ED25519_H

#include "common/base/buf.h"

struct known_ed25519; /* immutable: any number of threads; 172 KiB at most */
/* NULL: the key is no canonical point of the main subgroup, nothing is signed by it. Takes a millisecond. Gives: known_ed25519_free(). */
struct known_ed25519 *known_ed25519_new(const uint8_t key[32]);
/* The same by the arithmetic that every processor has. */
struct known_ed25519 *known_ed25519_new_plain(const uint8_t key[32]);
void known_ed25519_free(struct known_ed25519 *k);
static inline void known_ed25519_freep(struct known_ed25519 **k) { if (*k) known_ed25519_free(*k); *k = NULL; }
const uint8_t *known_ed25519_key(const struct known_ed25519 *k); /* 32 bytes */
/* As crypto_sign_verify_detached(): s below the group's order, R not of small order, both sides of the equation the same bytes. RFC 8032 5.1.7. */
bool known_ed25519_verify(const struct known_ed25519 *k, struct slice msg, const uint8_t sig[64]);

#endif
