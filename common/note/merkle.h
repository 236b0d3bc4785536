/*
 * Merkle trees, RFC 6962 2.1 / RFC 9162 2.1 hashing (SHA-256).
 */
#ifndef HUFU_NOTE_MERKLE_H
#define HUFU_NOTE_MERKLE_H

#include "common/base/buf.h"

#define MERKLE_MAX_PATH 64
typedef uint8_t merkle_hash[32]; /* an array type is the one typedef: hashes are passed by pointer */

/* SHA-256(0x00 || entry) and SHA-256(0x01 || left || right). */
void merkle_leaf(struct slice entry, uint8_t ret[32]);
void merkle_node(const uint8_t left[32], const uint8_t right[32], uint8_t ret[32]);
/* Root over n leaf hashes; n = 0 gives SHA-256 of nothing. */
void merkle_root(const merkle_hash *leaves, size_t n, uint8_t ret[32]);
/* Inclusion path of leaf i among n; returns its length (at most MERKLE_MAX_PATH). */
size_t merkle_path(const merkle_hash *leaves, size_t n, size_t i, merkle_hash *ret_path);
/* RFC 9162 2.1.3.2. */
bool merkle_included(const uint8_t leaf[32], uint64_t i, uint64_t n, const merkle_hash *path, size_t path_len, const uint8_t root[32]);

/* RFC 9162 2.1.4.2: is the tree of n2 leaves the tree of n1 with leaves appended? n1 = 0 is every tree's beginning, and wants an empty
 * path and the root of no leaves, as equal sizes want an empty path and equal roots. */
bool merkle_consistent(uint64_t n1, const uint8_t root1[32], uint64_t n2, const uint8_t root2[32], const merkle_hash *path,
		       size_t path_len);

/* --- a whole tree in memory (merkle_whole.c) ---------------------------------------------------------------------- */

/* The roots of all its perfect subtrees, so that each path costs its length and not the tree's: 64 bytes a leaf. Zero state: no leaf. */
struct merkle_whole {
	merkle_hash *nodes; /* owned: level by level, the leaves first */
	size_t n;	    /* leaves */
	size_t at[MERKLE_MAX_PATH]; /* where each level begins in nodes */
};
void merkle_whole_done(struct merkle_whole *w);
/* Copies the leaves. Gives *ret: merkle_whole_done(). */
void merkle_whole_make(const merkle_hash *leaves, size_t n, struct merkle_whole *ret);
/* As merkle_path(). */
size_t merkle_whole_path(const struct merkle_whole *w, size_t i, merkle_hash ret_path[MERKLE_MAX_PATH]);

/* --- a tree that grows (merkle_grow.c) ---------------------------------------------------------------------------- */

/* The right edge: the roots of the perfect subtrees that the leaves so far are made of, largest first. Zero state: no leaf. */
struct merkle_edge {
	uint64_t n;
	merkle_hash pending[MERKLE_MAX_PATH];
};
void merkle_edge_add(struct merkle_edge *e, const uint8_t leaf[32]);
void merkle_edge_root(const struct merkle_edge *e, uint8_t ret[32]);
/* How many hashes are pending: the ones of n's bits. */
size_t merkle_edge_depth(uint64_t n);

/* Where a stored tree's perfect subtrees come from: the root over leaves index << level to (index + 1) << level. */
struct merkle_source {
	enum err (*node)(void *arg, unsigned level, uint64_t index, uint8_t ret[32], struct fault *f);
	void *arg;
};
/* The first n leaves' edge. */
MUST_CHECK enum err merkle_edge_load(const struct merkle_source *s, uint64_t n, struct merkle_edge *ret, struct fault *f);
/* Inclusion path of leaf i in the tree of the first n leaves, RFC 9162 2.1.3.1; i < n. */
MUST_CHECK enum err merkle_prove_inclusion(const struct merkle_source *s, uint64_t i, uint64_t n, merkle_hash ret_path[MERKLE_MAX_PATH],
					   size_t *ret_len, struct fault *f);
/* Consistency path from the first m leaves to the first n, RFC 9162 2.1.4.1; m <= n. Empty for m = 0 and m = n. */
MUST_CHECK enum err merkle_prove_consistency(const struct merkle_source *s, uint64_t m, uint64_t n,
					     merkle_hash ret_path[MERKLE_MAX_PATH], size_t *ret_len, struct fault *f);

#endif
