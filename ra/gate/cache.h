/*
 * Signatures of OCSP answers, kept: of an answer only what cannot be written again, its signature and its times. Bounded; an answer that comes where
 * another one is takes its place.
 */
#ifndef HUFU_RA_GATE_CACHE_H
#define HUFU_RA_GATE_CACHE_H

#include "common/base/buf.h"

/* What an answer was made of: while all of it is the same, so is the answer. */
struct cached {
	uint64_t key;	     /* row and hash algorithm; 0: empty */
	uint32_t changed;    /* of the row */
	uint8_t state;	     /* and its reason */
	uint8_t sig_len_hi, sig_len_lo;
	uint8_t generation;  /* of the responder's certificate */
	uint32_t this_update, next_update;
};

struct cache; /* thread-safe */
/* sig_max: bytes that a signature may have. Gives: cache_free(). */
struct cache *cache_new(size_t entries, size_t sig_max);
void cache_free(struct cache *c);
/* A copy of what is kept under the key. False: nothing. sig has room for sig_max bytes. */
bool cache_get(struct cache *c, uint64_t key, struct cached *ret, uint8_t *sig, size_t *ret_sig_len);
void cache_put(struct cache *c, const struct cached *what, struct slice sig);
size_t cache_count(struct cache *c);
size_t cache_entries(const struct cache *c);
/* The key at a place, 0 for none: for whoever refreshes what is kept. */
uint64_t cache_key_at(struct cache *c, size_t place, struct cached *ret);

#endif
