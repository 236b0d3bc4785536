/*
 * A bell with lanes: rung when something that others may wait for has happened. Nobody polls, and who waits for one
 * thing is not woken for another.
 */
#ifndef HUFU_RA_BELL_H
#define HUFU_RA_BELL_H

#include <stdbool.h>
#include <stdint.h>

#define BELL_LANES 256

/* Lanes to be rung together, after a transaction has ended. Zero state: none. */
struct lanes {
	uint64_t bits[BELL_LANES / 64];
};
static inline void lanes_put(struct lanes *l, unsigned lane) { l->bits[lane / 64] |= UINT64_C(1) << lane % 64; }

struct bell; /* thread-safe */
/* At most max_waiters wait at once; one more waits only a moment. Gives: bell_free(). */
struct bell *bell_new(unsigned max_waiters);
void bell_free(struct bell *b);
void bell_ring(struct bell *b, unsigned lane);
void bell_ring_lanes(struct bell *b, struct lanes lanes);
/* Everybody goes, and nobody waits again. */
void bell_stop(struct bell *b);
/* How often a lane rang; take it before looking at what may have changed. */
uint64_t bell_count(struct bell *b, unsigned lane);
/* Waits until the lane rang since `count`, or the monotonic clock (clock_mono_us) passes until_us. False: no use in looking again. */
bool bell_wait(struct bell *b, unsigned lane, uint64_t count, int64_t until_us);

/* Somebody who waits without a thread, until it is called. */
struct bell_waiter {
	void (*called)(struct bell_waiter *w); /* once, by another thread, which others wait for: it hands w on */
	bool rang;			       /* false: its time is over, or nobody waits any more */
	struct bell_waiter *next, *prev;       /* the bell's own, as what follows */
	int64_t until_us;
};
enum bell_put { BELL_PUT, BELL_RANG, BELL_OVER, BELL_FULL };
/* As bell_wait(), but returns at once: BELL_PUT, and w->called() follows; or as bell_wait() would have returned already; or, when so many have been put, BELL_FULL. */
enum bell_put bell_put(struct bell *b, unsigned lane, uint64_t count, int64_t until_us, struct bell_waiter *w);

/* How many wait so. For tests. */
unsigned bell_n_put(struct bell *b);

/* The lane of an id in hex, whose end is random. */
unsigned bell_lane(const char *id);
static inline void lanes_add(struct lanes *l, const char *id) { lanes_put(l, bell_lane(id)); }

#endif
