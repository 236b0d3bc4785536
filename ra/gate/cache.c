/*
 * A table of two-way sets, each entry with the room that its signature needs. A lock for a stripe of sets, held for a
 * copy of a hundred bytes.
 */
#include "ra/gate/cache.h"

#include "common/base/cleanup.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define STRIPES 256u
#define WAYS 2u

struct cache {
	uint8_t *bytes;
	size_t entries, each, sig_max;
	_Atomic size_t n;
	pthread_mutex_t locks[STRIPES];
};

struct cache *cache_new(size_t entries, size_t sig_max)
{
	struct cache *c = xcalloc(1, sizeof(*c));
	c->entries = WAYS;
	while (c->entries < entries)
		c->entries *= 2;
	c->sig_max = sig_max;
	c->each = (sizeof(struct cached) + sig_max + 7) / 8 * 8;
	c->bytes = xcalloc(c->entries, c->each);
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_init(&c->locks[i], NULL);
	return c;
}

void cache_free(struct cache *c)
{
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&c->locks[i]);
	free(c->bytes);
	free(c);
}

static struct cached *at(const struct cache *c, size_t place)
{
	return (struct cached *)(void *)(c->bytes + place * c->each);
}

/* Keys count up: Fibonacci's multiplier spreads them. */
static size_t set_of(const struct cache *c, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (c->entries / WAYS - 1);
}

static size_t sig_len(const struct cached *e)
{
	return (size_t)e->sig_len_hi << 8 | e->sig_len_lo;
}

bool cache_get(struct cache *c, uint64_t key, struct cached *ret, uint8_t *sig, size_t *ret_sig_len)
{
	size_t set = set_of(c, key);
	bool found = false;
	pthread_mutex_lock(&c->locks[set % STRIPES]);
	for (size_t i = 0; i < WAYS && !found; i++) {
		const struct cached *e = at(c, set * WAYS + i);
		if (e->key != key)
			continue;
		*ret = *e;
		*ret_sig_len = sig_len(e);
		memcpy(sig, e + 1, *ret_sig_len);
		found = true;
	}
	pthread_mutex_unlock(&c->locks[set % STRIPES]);
	return found;
}

/* Its own place, an empty one, or that of the one that ends first. */
static struct cached *place_for(struct cache *c, size_t set, uint64_t key)
{
	struct cached *best = at(c, set * WAYS);
	for (size_t i = 0; i < WAYS; i++) {
		struct cached *e = at(c, set * WAYS + i);
		if (e->key == key)
			return e;
		if (best->key != 0 && (e->key == 0 || e->next_update < best->next_update))
			best = e;
	}
	return best;
}

void cache_put(struct cache *c, const struct cached *what, struct slice sig)
{
	size_t set = set_of(c, what->key);
	if (sig.n > c->sig_max)
		return;
	pthread_mutex_lock(&c->locks[set % STRIPES]);
	struct cached *e = place_for(c, set, what->key);
	if (e->key == 0)
		c->n++;
	*e = *what;
	e->sig_len_hi = (uint8_t)(sig.n >> 8);
	e->sig_len_lo = (uint8_t)sig.n;
	memcpy(e + 1, sig.p, sig.n);
	pthread_mutex_unlock(&c->locks[set % STRIPES]);
}

size_t cache_count(struct cache *c)
{
	return c->n;
}

size_t cache_entries(const struct cache *c)
{
	return c->entries;
}

uint64_t cache_key_at(struct cache *c, size_t place, struct cached *ret)
{
	size_t set = place / WAYS;
	pthread_mutex_lock(&c->locks[set % STRIPES]);
	*ret = *at(c, place);
	pthread_mutex_unlock(&c->locks[set % STRIPES]);
	return ret->key;
}
