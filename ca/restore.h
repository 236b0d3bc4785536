/*
 * A ledger behind itself: how the signer finds out, and how it goes on.
 *
 * Three signs: the ledger is a copy that a backup made; the last checkpoint that this signer wrote down beside it
 * (state/head.note) is not of its tree; the RA or the operator shows a signed checkpoint that it does not lead to. Each
 * makes it wait: no tally, CRL or beat, until the operator's word is in the ledger.
 */
#ifndef HUFU_CA_RESTORE_H
#define HUFU_CA_RESTORE_H

#include "ca/signer.h"

/* At the start, before anything is appended: compares the ledger with state/head.note and says in the log what was
 * found. */
MUST_CHECK enum err restore_start(struct signer *s, struct fault *f);
/* Writes state/head.note: what the next start must find. */
MUST_CHECK enum err restore_note_head(struct signer *s, struct fault *f);
/* A checkpoint that somebody holds. OK also when it makes the ledger wait: HEALTH says so. ERR_PARSE; ERR_RULE
 * log_origin; ERR_CRYPTO log_signature. */
MUST_CHECK enum err restore_see(struct signer *s, struct slice note, struct fault *f);
/* The operator's word. *ret_index: its entry. ERR_CONFLICT not_waiting; ERR_RULE restore_word, restore_alone,
 * restore_lost; ERR_BUSY heads_changed when another checkpoint came meanwhile. */
MUST_CHECK enum err restore_resume(struct signer *s, const struct wire_resume *m, uint64_t *ret_index, struct fault *f);
/* The newest checkpoint that a waiting ledger was shown: its size, 0 none. */
MUST_CHECK enum err restore_seen(struct signer *s, struct db *db, uint64_t *ret_size, struct fault *f);

#endif
