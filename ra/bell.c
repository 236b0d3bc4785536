/*
 * A counter and a condition a lane, all under one lock, on the monotonic clock. Who waits without a thread stands in the
 * lane's list; a thread, made for the first of them, looks after those whose time is over.
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
#define PUT_MAX 4096 /* that wait without a thread: each holds a request */

struct lane {
	pthread_cond_t rung;
	uint64_t count;
	struct bell_waiter *waiters;
};
struct bell {
	pthread_mutex_t lock; /* of all below */
	struct lane lanes[BELL_LANES];
	unsigned waiters, max_waiters;
	bool stopped;
	unsigned n_put;
	pthread_t keeper;
	bool kept; /* the keeper runs */
	pthread_cond_t earlier;
	int64_t look_us; /* when the keeper looks again */
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
	pthread_cond_init(&b->earlier, &attr);
	pthread_condattr_destroy(&attr);
	b->max_waiters = max_waiters;
	b->look_us = INT64_MAX;
	return b;
}

void bell_free(struct bell *b)
{
	bell_stop(b);
	if (b->kept)
		pthread_join(b->keeper, NULL);
	for (size_t i = 0; i < BELL_LANES; i++)
		pthread_cond_destroy(&b->lanes[i].rung);
	pthread_cond_destroy(&b->earlier);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* --- who waits without a thread --- */

/* With the lock held: out of its lane, into a list of those to be called. */
static void take_out(struct bell *b, struct lane *l, struct bell_waiter *w, bool rang, struct bell_waiter **list)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		l->waiters = w->next;
	if (w->next)
		w->next->prev = w->prev;
	b->n_put--;
	w->rang = rang;
	w->next = *list;
	*list = w;
}

static void take_all(struct bell *b, struct lane *l, bool rang, struct bell_waiter **list)
{
	while (l->waiters)
		take_out(b, l, l->waiters, rang, list);
}

/* Without the lock. A waiter may be gone as soon as it is called. */
static void call_all(struct bell_waiter *list)
{
	if (!list)
		return;
	rpc_resume_begin();
	for (struct bell_waiter *next; list; list = next) {
		next = list->next;
		list->called(list);
	}
	rpc_resume_end();
}

/* With the lock held: those whose time is over, and when the next one's is. */
static void take_late(struct bell *b, int64_t now, struct bell_waiter **list)
{
	b->look_us = INT64_MAX;
	for (size_t i = 0; i < BELL_LANES; i++) {
		for (struct bell_waiter *w = b->lanes[i].waiters, *next; w; w = next) {
			next = w->next;
			if (w->until_us <= now)
				take_out(b, &b->lanes[i], w, false, list);
			else if (w->until_us < b->look_us)
				b->look_us = w->until_us;
		}
	}
}

static void *keep(void *arg)
{
	struct bell *b = arg;
	pthread_mutex_lock(&b->lock);
	while (!b->stopped) {
		struct bell_waiter *late = NULL;
		take_late(b, clock_mono_us(), &late);
		if (late) {
			pthread_mutex_unlock(&b->lock);
			call_all(late);
			pthread_mutex_lock(&b->lock);
			continue;
		}
		if (b->look_us == INT64_MAX) {
			pthread_cond_wait(&b->earlier, &b->lock);
			continue;
		}
		struct timespec ts = {.tv_sec = b->look_us / 1000000, .tv_nsec = b->look_us % 1000000 * 1000};
		pthread_cond_timedwait(&b->earlier, &b->lock, &ts);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* With the lock held. */
static enum bell_put put(struct bell *b, unsigned lane, uint64_t count, int64_t until_us, struct bell_waiter *w)
{
	struct lane *l = &b->lanes[lane];
	if (b->stopped)
		return BELL_OVER;
	if (l->count != count)
		return BELL_RANG;
	if (clock_mono_us() >= until_us)
		return BELL_OVER;
	if (b->n_put == PUT_MAX)
		return BELL_FULL;
	if (!b->kept && pthread_create(&b->keeper, NULL, keep, b) != 0)
		return BELL_FULL;
	b->kept = true;
	w->until_us = until_us;
	w->prev = NULL;
	w->next = l->waiters;
	if (w->next)
		w->next->prev = w;
	l->waiters = w;
	b->n_put++;
	if (until_us < b->look_us) {
		b->look_us = until_us;
		pthread_cond_signal(&b->earlier);
	}
	return BELL_PUT;
}

enum bell_put bell_put(struct bell *b, unsigned lane, uint64_t count, int64_t until_us, struct bell_waiter *w)
{
	assert(lane < BELL_LANES);
	pthread_mutex_lock(&b->lock);
	enum bell_put p = put(b, lane, count, until_us, w);
	pthread_mutex_unlock(&b->lock);
	return p;
}

unsigned bell_n_put(struct bell *b)
{
	pthread_mutex_lock(&b->lock);
	unsigned n = b->n_put;
	pthread_mutex_unlock(&b->lock);
	return n;
}

/* --- ringing --- */

void bell_ring_lanes(struct bell *b, struct lanes lanes)
{
	static const struct lanes none;
	struct bell_waiter *called = NULL;
	if (memcmp(&lanes, &none, sizeof(none)) == 0)
		return;
	pthread_mutex_lock(&b->lock);
	for (unsigned i = 0; i < BELL_LANES; i++) {
		if ((lanes.bits[i / 64] >> i % 64 & 1) == 0)
			continue;
		b->lanes[i].count++;
		pthread_cond_broadcast(&b->lanes[i].rung);
		take_all(b, &b->lanes[i], true, &called);
	}
	pthread_mutex_unlock(&b->lock);
	call_all(called);
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
	struct bell_waiter *called = NULL;
	pthread_mutex_lock(&b->lock);
	b->stopped = true;
	for (size_t i = 0; i < BELL_LANES; i++) {
		pthread_cond_broadcast(&b->lanes[i].rung);
		take_all(b, &b->lanes[i], false, &called);
	}
	pthread_cond_signal(&b->earlier);
	pthread_mutex_unlock(&b->lock);
	call_all(called);
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
