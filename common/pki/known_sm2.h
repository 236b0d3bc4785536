/*
 * SM2's equation (GB/T 32918.2 7.1) by a key that is known long before its signatures. Private to common/pki; for others: known_key.h.
 */
#ifndef HUFU_PKI_KNOWN_SM2_H
#define HUFU_PKI_KNOWN_SM2_H

#include "common/pki/pubkey.h"

struct known_sm2; /* immutable: any number of threads; 86 KiB */
/* Gives: free(). */
struct known_sm2 *known_sm2_new(const struct pubkey *key);
/* r and s big-endian, any length; e: what was signed, hashed behind the key's prefix. */
bool known_sm2_holds(const struct known_sm2 *k, struct slice r, struct slice s, const uint8_t e[32]);

#endif
