/*
 * The log's key (Ed25519), which signs checkpoints and the status feed: in a file of the state folder, or in a PKCS#11 token, which it never leaves.
 * Either way log.vkey in the state folder is its public half, for everybody.
 */
#ifndef HUFU_CA_LOG_SIGNER_H
#define HUFU_CA_LOG_SIGNER_H

#include "ca/config.h"
#include "common/note/checkpoint.h"

struct log_signer; /* thread-safe */
/* Where it is a file: makes log.key (0600) where there is none, and log.vkey. Where it is in a token: a ceremony made it, and it is opened once, to see
 * that it is there. */
MUST_CHECK enum err log_signer_make(const struct ca_config *config, const uint8_t ca[20], struct fault *f);
/* The key of the log of that CA. ERR_CONFIG log_key_missing, log_key_mismatch; of a token: as hsm_key_open(). Gives: log_signer_free(). */
MUST_CHECK enum err log_signer_open(const struct ca_config *config, const uint8_t ca[20], struct log_signer **ret, struct fault *f);
void log_signer_free(struct log_signer *s);
static inline void log_signer_freep(struct log_signer **s) { if (*s) log_signer_free(*s); *s = NULL; }
/* Its public half. */
void log_signer_public(const struct log_signer *s, struct log_key *ret);
/* For notes. Each signature of a token is verified before it is given; while the token does not sign: ERR_LOCKED token_lost, token_stuck. */
struct note_signer log_signer_hand(struct log_signer *s);
/* Would a signature come? As hsm_key_usable(). */
MUST_CHECK enum err log_signer_usable(struct log_signer *s, struct fault *f);

#endif
