/*
 * The hand-over: threads that bring what is queued to the signer, each tally exactly once in effect.
 */
#ifndef HUFU_RA_HANDOVER_H
#define HUFU_RA_HANDOVER_H

#include "ra/desk.h"

#define HANDOVER_WHO "desk" /* in the history of what is sent */

struct handover_pool; /* thread-safe */
/* So many rows are brought to the signer at once. Gives *ret: handover_stop(). */
MUST_CHECK enum err handover_start(struct desk *d, unsigned n_senders, struct handover_pool **ret, struct fault *f);
/* A row of the queue is due: the tally of that id, committed and never tried; 0: some other. */
void handover_put(struct handover_pool *p, int64_t tally);
/* A tally that is recorded as sent, committed: brought at once, or found in the queue. Takes *row. */
void handover_bring(struct handover_pool *p, struct handover *row);
/* desk.followed_next has grown: what the signer answered up to there is settled. */
void handover_followed(struct handover_pool *p);
/* Something may be due. */
void handover_wake(struct handover_pool *p);
/* The signer is back, or unlocked: what waits for another try is due now, however often it has failed. */
MUST_CHECK enum err handover_hurry(struct handover_pool *p, struct fault *f);
/* What is under way is finished, the rest stays queued. */
void handover_stop(struct handover_pool *p);

/* Sends one row and records what became of it, without a moment for the follower. For tests. */
MUST_CHECK enum err handover_one(struct desk *d, int64_t id, struct fault *f);

#endif
