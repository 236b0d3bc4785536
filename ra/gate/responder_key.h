/*
 * A key that signs OCSP answers, in one of two places: a file (PEM, 0600), or a PKCS#11 token, which it never leaves.
 */
#ifndef HUFU_RA_GATE_RESPONDER_KEY_H
#define HUFU_RA_GATE_RESPONDER_KEY_H

#include "common/base/secret.h"
#include "common/pki/pubkey.h"

struct responder_key; /* thread-safe */
/* place: a path, or the URI of a key in a token, whose PIN is given (NULL: of a file). ERR_CONFIG for a file that holds no key; of a token: as hsm_key_open().
 * Gives: responder_key_free(). */
MUST_CHECK enum err responder_key_open(const char *place, const struct secret *pin, struct responder_key **ret, struct fault *f);
void responder_key_free(struct responder_key *k);
const struct pubkey *responder_key_public(const struct responder_key *k);
/* Appends its signature over data. ERR_LOCKED while its token does not sign. */
MUST_CHECK enum err responder_key_sign(const struct responder_key *k, struct slice data, struct buf *ret, struct fault *f);
/* Bytes of the longest one. */
size_t responder_key_signature_max(const struct responder_key *k);

#endif
