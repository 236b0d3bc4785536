/*
 * Verification by a key that is known long before its signatures: the CA's own. Multiples of its point are computed once, so that
 * a signature's equation costs a fraction of what pubkey_verify() takes, with the same answer.
 */
#ifndef HUFU_PKI_KNOWN_KEY_H
#define HUFU_PKI_KNOWN_KEY_H

#include "common/pki/pubkey.h"

struct known_key; /* immutable: any number of threads */
/* Borrows k for its life. P-256 and SM2 get tables (about 20 ms and 150 KiB); every other kind is verified by
 * pubkey_verify(). Gives: known_key_free(). */
struct known_key *known_key_new(const struct pubkey *k);
void known_key_free(struct known_key *k);
static inline void known_key_freep(struct known_key **k) { if (*k) known_key_free(*k); *k = NULL; }
/* As pubkey_verify(): the key's own scheme, strict form. */
bool known_key_verify(const struct known_key *k, struct slice msg, struct slice sig);

#endif
