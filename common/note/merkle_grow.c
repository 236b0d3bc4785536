/*
 * A Merkle tree that only grows: its right edge, and proofs about any of its earlier sizes from the roots of perfect
 * subtrees, which never change once their leaves are all in. RFC 9162 2.1.
 */
#include "common/note/merkle.h"

#include <assert.h>
#include <string.h>

size_t merkle_edge_depth(uint64_t n)
{
	return (size_t)__builtin_popcountll(n);
}

void merkle_edge_add(struct merkle_edge *e, const uint8_t leaf[32])
{
	size_t depth = merkle_edge_depth(e->n);
	memcpy(e->pending[depth++], leaf, 32);
	e->n++;
	/* As many pairs of equal height are closed as the new number has trailing zeros. */
	for (uint64_t count = e->n; (count & 1) == 0; count >>= 1) {
		merkle_node(e->pending[depth - 2], e->pending[depth - 1], e->pending[depth - 2]);
		depth--;
	}
}

void merkle_edge_root(const struct merkle_edge *e, uint8_t ret[32])
{
	size_t depth = merkle_edge_depth(e->n);
	if (depth == 0) {
		sha256("", 0, ret);
		return;
	}
	memcpy(ret, e->pending[depth - 1], 32);
	for (size_t i = depth - 1; i > 0; i--)
		merkle_node(e->pending[i - 1], ret, ret);
}

enum err merkle_edge_load(const struct merkle_source *s, uint64_t n, struct merkle_edge *ret, struct fault *f)
{
	struct merkle_edge e = {.n = n};
	size_t depth = 0;
	for (unsigned level = 64; level-- > 0;) {
		if ((n >> level & 1) == 0)
			continue;
		TRY(s->node(s->arg, level, (n >> level) - 1, e.pending[depth++], f));
	}
	*ret = e;
	return OK;
}

/* The largest power of two below n; n > 1. */
static uint64_t split_of(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* Root over leaves lo to hi, where lo is a multiple of the smallest power of two that hi - lo fits in. */
static enum err range_root(const struct merkle_source *s, uint64_t lo, uint64_t hi, uint8_t ret[32], struct fault *f)
{
	uint64_t n = hi - lo;
	unsigned level = (unsigned)__builtin_ctzll(n);
	if (n == UINT64_C(1) << level)
		return s->node(s->arg, level, lo >> level, ret, f);
	merkle_hash right;
	uint64_t k = split_of(n);
	TRY(range_root(s, lo, lo + k, ret, f));
	TRY(range_root(s, lo + k, hi, right, f));
	merkle_node(ret, right, ret);
	return OK;
}

enum err merkle_prove_inclusion(const struct merkle_source *s, uint64_t i, uint64_t n,
				merkle_hash ret_path[MERKLE_MAX_PATH], size_t *ret_len, struct fault *f)
{
	uint64_t lo = 0, hi = n, from[MERKLE_MAX_PATH], to[MERKLE_MAX_PATH];
	size_t depth = 0;
	assert(i < n);
	while (hi - lo > 1) {
		uint64_t middle = lo + split_of(hi - lo);
		bool left = i < middle;
		from[depth] = left ? middle : lo;
		to[depth++] = left ? hi : middle;
		*(left ? &hi : &lo) = middle;
	}
	/* From the leaf up. */
	for (size_t p = 0; p < depth; p++)
		TRY(range_root(s, from[depth - 1 - p], to[depth - 1 - p], ret_path[p], f));
	*ret_len = depth;
	return OK;
}

enum err merkle_prove_consistency(const struct merkle_source *s, uint64_t m, uint64_t n,
				  merkle_hash ret_path[MERKLE_MAX_PATH], size_t *ret_len, struct fault *f)
{
	uint64_t lo = 0, hi = n, from[MERKLE_MAX_PATH + 1], to[MERKLE_MAX_PATH + 1];
	size_t depth = 0;
	assert(m <= n);
	*ret_len = 0;
	if (m == 0 || m == n)
		return OK;
	/* Down to the subtree that ends where the old tree ended. */
	while (m < hi) {
		uint64_t middle = lo + split_of(hi - lo);
		bool left = m <= middle;
		from[depth] = left ? middle : lo;
		to[depth++] = left ? hi : middle;
		*(left ? &hi : &lo) = middle;
	}
	/* The old root itself is known to whoever asks; any other last subtree is not. */
	if (lo > 0) {
		from[depth] = lo;
		to[depth++] = hi;
	}
	assert(depth <= MERKLE_MAX_PATH);
	for (size_t p = 0; p < depth; p++)
		TRY(range_root(s, from[depth - 1 - p], to[depth - 1 - p], ret_path[p], f));
	*ret_len = depth;
	return OK;
}
