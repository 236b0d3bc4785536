/*
 * A counter under a lock with a condition on the monotonic clock.
 */
#include "ra/bell.h"

#include "common/base/buf.h"
#include "common/base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct bell {
	pthread_mutex_t lock;
	pthread_cond_t rung;
	uint64_t count;
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
	pthread_cond_init(&b->rung, &attr);
	pthread_condattr_destroy(&attr);
	b->max_waiters = max_waiters;
	return b;
}

void bell_free(struct bell *b)
{
	pthread_cond_destroy(&b->rung);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void bell_ring(struct bell *b)
{
	pthread_mutex_lock(&b->lock);
	b->count++;
	pthread_cond_broadcast(&b->rung);
	pthread_mutex_unlock(&b->lock);
}

void bell_stop(struct bell *b)
{
	pthread_mutex_lock(&b->lock);
	b->stopped = true;
	pthread_cond_broadcast(&b->rung);
	pthread_mutex_unlock(&b->lock);
}

uint64_t bell_count(struct bell *b)
{
	pthread_mutex_lock(&b->lock);
	uint64_t count = b->count;
	pthread_mutex_unlock(&b->lock);
	return count;
}

bool bell_wait(struct bell *b, uint64_t count, int64_t until_us)
{
	struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
	pthread_mutex_lock(&b->lock);
	int rv = b->waiters < b->max_waiters ? 0 : 1;
	b->waiters++;
	while (rv == 0 && !b->stopped && b->count == count)
		rv = pthread_cond_timedwait(&b->rung, &b->lock, &until);
	b->waiters--;
	bool rang = b->count != count && !b->stopped;
	pthread_mutex_unlock(&b->lock);
	return rang;
}
