/*
 * A bell: rung when something that others may wait for has happened. Nobody polls.
 */
#ifndef HUFU_RA_BELL_H
#define HUFU_RA_BELL_H

#include <stdbool.h>
#include <stdint.h>

struct bell; /* thread-safe */
/* At most max_waiters wait at once; the next one does not wait at all. Gives: bell_free(). */
struct bell *bell_new(unsigned max_waiters);
void bell_free(struct bell *b);
void bell_ring(struct bell *b);
/* Everybody goes, and nobody waits again. */
void bell_stop(struct bell *b);
/* How often it rang; take it before looking at what may have changed. */
uint64_t bell_count(struct bell *b);
/* Waits until it rang since `count` or the monotonic clock (clock_mono_us) passes until_us. False: no use in looking again. */
bool bell_wait(struct bell *b, uint64_t count, int64_t until_us);

#endif
