/*
 * A counter and a condition a lane, all under one lock, on the monotonic clock.
 */
#include "ra/bell.h"

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/rpc/server.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOMENT_US 50000

struct lane {
	pthread_cond_t rung;
	uint64_t count;
};
struct bell {
	pthread_mutex_t lock; /* of all below */
	struct lane lanes[BELL_LANES];
	unsigned waiters, max_waiters;
	bool stopped;
};

struct bell *bell_new(unsigned max_waiters)
{
	struct bell *b = xcalloc(1, sizeof(*b));
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&b->lock, NULL);
	for (size_t i = 0; i < BELL_LANES; i++)
		pthread_cond_init(&b->lanes[i].rung, &attr);
	pthread_condattr_destroy(&attr);
	b->max_waiters = max_waiters;
	return b;
}

void bell_free(struct bell *b)
{
	for (size_t i = 0; i < BELL_LANES; i++)
		pthread_cond_destroy(&b->lanes[i].rung);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void bell_ring_lanes(struct bell *b, struct lanes lanes)
{
	static const struct lanes none;
	if (memcmp(&lanes, &none, sizeof(none)) == 0)
		return;
	pthread_mutex_lock(&b->lock);
	for (unsigned i = 0; i < BELL_LANES; i++) {
		if ((lanes.bits[i / 64] >> i % 64 & 1) == 0)
			continue;
		b->lanes[i].count++;
		pthread_cond_broadcast(&b->lanes[i].rung);
	}
	pthread_mutex_unlock(&b->lock);
}

void bell_ring(struct bell *b, unsigned lane)
{
	assert(lane < BELL_LANES);
	struct lanes one = {0};
	lanes_put(&one, lane);
	bell_ring_lanes(b, one);
}

void bell_stop(struct bell *b)
{
	pthread_mutex_lock(&b->lock);
	b->stopped = true;
	for (size_t i = 0; i < BELL_LANES; i++)
		pthread_cond_broadcast(&b->lanes[i].rung);
	pthread_mutex_unlock(&b->lock);
}

uint64_t bell_count(struct bell *b, unsigned lane)
{
	pthread_mutex_lock(&b->lock);
	uint64_t count = b->lanes[lane].count;
	pthread_mutex_unlock(&b->lock);
	return count;
}

static struct timespec time_until(const struct bell *b, int64_t until_us)
{
	/* Too many wait already: this one shall not come back at once, nor stay. */
	int64_t moment = clock_mono_us() + MOMENT_US;
	int64_t until = b->waiters >= b->max_waiters && until_us > moment ? moment : until_us;
	return (struct timespec){.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
}

bool bell_wait(struct bell *b, unsigned lane, uint64_t count, int64_t until_us)
{
	struct lane *l = &b->lanes[lane];
	int rv = 0;
	pthread_mutex_lock(&b->lock);
	struct timespec until = time_until(b, until_us);
	b->waiters++;
	rpc_wait_begin();
	while (rv == 0 && !b->stopped && l->count == count)
		rv = pthread_cond_timedwait(&l->rung, &b->lock, &until);
	rpc_wait_end();
	b->waiters--;
	bool rang = l->count != count && !b->stopped;
	pthread_mutex_unlock(&b->lock);
	return rang;
}

unsigned bell_lane(const char *id)
{
	uint8_t last = 0;
	size_t n = strlen(id);
	if (n < 2 || !hex_decode(id + n - 2, 2, &last, 1))
		return 0;
	return last % BELL_LANES;
}
