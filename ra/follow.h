/*
 * The follower: a thread that reads the signer's ledger as it grows.
 */
#ifndef HUFU_RA_FOLLOW_H
#define HUFU_RA_FOLLOW_H

#include "ra/desk.h"

/* Heads in the store: entries applied so far, and the time of the last one. */
#define HEAD_NEXT "ledger_next"
#define HEAD_AT "ledger_at"

struct follower; /* thread-safe */
MUST_CHECK enum err follower_start(struct desk *d, struct follower **ret, struct fault *f);
void follower_stop(struct follower *w);

/* Asks for what is new and applies it in one transaction; waits up to wait_ms for the first entry. *ret_n: how many. */
MUST_CHECK enum err follow_once(struct desk *d, uint32_t wait_ms, size_t *ret_n, struct fault *f);

#endif
