/*
 * Merkle trees as RFC 6962 2.1 and RFC 9162 2.1 hash them: a leaf and a node start with different bytes, so that
 * neither can stand for the other, and an uneven tree is split at the largest power of two below its size. A root is
 * made in one pass over the leaves with one pending hash for each perfect subtree, as a binary counter keeps its ones.
 */
#include "common/note/merkle.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

void merkle_leaf(struct slice entry, uint8_t ret[32])
{
	_cleanup_buf_ struct buf b = {0};

	buf_reserve(&b, entry.n + 1);
	buf_char(&b, 0x00);
	buf_add_slice(&b, entry);
	sha256(b.data, b.len, ret);
}

void merkle_node(const uint8_t left[32], const uint8_t right[32], uint8_t ret[32])
{
	uint8_t b[65] = {0x01};

	memcpy(b + 1, left, 32);
	memcpy(b + 33, right, 32);
	sha256(b, sizeof(b), ret);
}

void merkle_root(const merkle_hash *leaves, size_t n, uint8_t ret[32])
{
	merkle_hash pending[MERKLE_MAX_PATH + 1];
	size_t depth = 0;

	if (n == 0) {
		sha256("", 0, ret);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(pending[depth++], leaves[i], 32);
		/* i + 1 leaves are in: as many pairs of equal height are closed as that number has trailing zeros. */
		for (size_t count = i + 1; (count & 1) == 0; count >>= 1) {
			merkle_node(pending[depth - 2], pending[depth - 1], pending[depth - 2]);
			depth--;
		}
	}
	for (; depth > 1; depth--)
		merkle_node(pending[depth - 2], pending[depth - 1], pending[depth - 2]);
	memcpy(ret, pending[0], 32);
}

/* The largest power of two below n; n > 1. */
static size_t split_of(size_t n)
{
	size_t k = 1;

	while (k < n - k)
		k <<= 1;
	return k;
}

size_t merkle_path(const merkle_hash *leaves, size_t n, size_t i, merkle_hash *ret_path)
{
	size_t len, k;

	assert(i < n);
	if (n == 1)
		return 0;
	k = split_of(n);
	if (i < k) {
		len = merkle_path(leaves, k, i, ret_path);
		merkle_root(leaves + k, n - k, ret_path[len]);
	} else {
		len = merkle_path(leaves + k, n - k, i - k, ret_path);
		merkle_root(leaves, k, ret_path[len]);
	}
	return len + 1;
}

bool merkle_included(const uint8_t leaf[32], uint64_t i, uint64_t n, const merkle_hash *path, size_t path_len,
		     const uint8_t root[32])
{
	uint64_t fn = i, sn = n - 1;
	uint8_t r[32];

	if (i >= n || path_len > MERKLE_MAX_PATH)
		return false;
	memcpy(r, leaf, 32);
	for (size_t p = 0; p < path_len; p++) {
		if (sn == 0)
			return false;
		if ((fn & 1) == 1 || fn == sn) {
			merkle_node(path[p], r, r);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(r, path[p], r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(r, root, 32) == 0;
}

bool merkle_consistent(uint64_t n1, const uint8_t root1[32], uint64_t n2, const uint8_t root2[32],
		       const merkle_hash *path, size_t path_len)
{
	uint8_t old[32], fresh[32];
	size_t p = 0;

	if (n1 > n2 || path_len > MERKLE_MAX_PATH)
		return false;
	if (n1 == 0) {
		sha256("", 0, old);
		return path_len == 0 && memcmp(root1, old, 32) == 0;
	}
	if (n1 == n2)
		return path_len == 0 && memcmp(root1, root2, 32) == 0;
	if (path_len == 0)
		return false;
	/* An old tree that is one perfect subtree is its own first hash. */
	memcpy(old, (n1 & (n1 - 1)) == 0 ? root1 : path[p++], 32);
	memcpy(fresh, old, 32);
	uint64_t fn = n1 - 1, sn = n2 - 1;
	for (; (fn & 1) == 1; fn >>= 1)
		sn >>= 1;
	for (; p < path_len; p++) {
		if (sn == 0)
			return false;
		if ((fn & 1) == 1 || fn == sn) {
			merkle_node(path[p], old, old);
			merkle_node(path[p], fresh, fresh);
			for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			merkle_node(fresh, path[p], fresh);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(old, root1, 32) == 0 && memcmp(fresh, root2, 32) == 0;
}
