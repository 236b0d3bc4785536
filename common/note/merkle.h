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

#endif
