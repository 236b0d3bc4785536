/*
 * The follower: a thread that reads the signer's ledger as it grows.
 */
#ifndef HUFU_RA_FOLLOW_H
#define HUFU_RA_FOLLOW_H

#include "ra/desk.h"

/* Heads in the store: entries applied so far, the time of the last one, and the right edge of the ledger's Merkle tree over them. */
#define HEAD_NEXT "ledger_next"
#define HEAD_AT "ledger_at"
#define HEAD_EDGE "ledger_edge"

struct follower; /* thread-safe */
MUST_CHECK enum err follower_start(struct desk *d, struct follower **ret, struct fault *f);
void follower_stop(struct follower *w);

/* Asks for what is new and applies it in one transaction; waits up to wait_ms for the first entry. *ret_n: how many. Entries are
 * applied only when they lead from the tree that was followed to the signer's signed checkpoint: else ERR_DB ledger_fork, and the
 * desk takes no more work until it is started again. */
MUST_CHECK enum err follow_once(struct desk *d, uint32_t wait_ms, size_t *ret_n, struct fault *f);

#endif
