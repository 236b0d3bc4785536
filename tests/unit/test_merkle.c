/*
 * Merkle trees against RFC 6962's public roots and paths, and every path of every small tree, good and damaged.
 */
#include "tests/unit/note_kit.h"

#include "common/note/merkle.h"

/* The test leaves of Certificate Transparency's reference code. */
static const char *const leaf_hex[] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
};
static const char *const root_hex[] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void public_leaves(merkle_hash ret[8])
{
	for (size_t i = 0; i < 8; i++) {
		uint8_t bytes[16];
		size_t n = strlen(leaf_hex[i]) / 2;

		assert_true(hex_decode(leaf_hex[i], 2 * n, bytes, n));
		merkle_leaf(slice_of(bytes, n), ret[i]);
	}
}

static void check_hash(const uint8_t found[32], const char *wanted)
{
	char hex[65];

	hex_lower(found, 32, hex);
	assert_string_equal(hex, wanted);
}

static void test_public_roots(void **state)
{
	merkle_hash leaves[8], root;

	(void)state;
	public_leaves(leaves);
	for (size_t n = 0; n <= 8; n++) {
		merkle_root(leaves, n, root);
		check_hash(root, root_hex[n]);
	}
}

static void test_public_path(void **state)
{
	merkle_hash leaves[8], path[MERKLE_MAX_PATH];

	(void)state;
	public_leaves(leaves);
	assert_int_equal(merkle_path(leaves, 8, 0, path), 3);
	check_hash(path[0], "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
	check_hash(path[1], "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e");
	check_hash(path[2], "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
}

#define MANY 70

static void many_leaves(merkle_hash ret[MANY])
{
	for (size_t i = 0; i < MANY; i++)
		merkle_leaf(slice_of(&i, sizeof(i)), ret[i]);
}

static void test_every_path_proves_its_leaf_alone(void **state)
{
	merkle_hash leaves[MANY], path[MERKLE_MAX_PATH], root;

	(void)state;
	many_leaves(leaves);
	for (size_t n = 1; n <= MANY; n++) {
		merkle_root(leaves, n, root);
		for (size_t i = 0; i < n; i++) {
			size_t len = merkle_path(leaves, n, i, path);

			assert_true(merkle_included(leaves[i], i, n, path, len, root));
			assert_false(merkle_included(leaves[(i + 1) % MANY], i, n, path, len, root));
			for (size_t other = 0; n <= 20 && other <= n; other++) {
				if (other != i)
					assert_false(merkle_included(leaves[i], other, n, path, len, root));
			}
		}
	}
}

static void test_damaged_paths_prove_nothing(void **state)
{
	merkle_hash leaves[MANY], path[MERKLE_MAX_PATH] = {0}, root;

	(void)state;
	many_leaves(leaves);
	for (size_t n = 2; n <= 33; n++) {
		size_t i = n / 2, len = merkle_path(leaves, n, i, path);

		merkle_root(leaves, n, root);
		assert_false(merkle_included(leaves[i], i, n, path, len - 1, root));
		assert_false(merkle_included(leaves[i], i, n, path, len + 1, root));
		for (size_t bit = 0; bit < 8 * 32 * len; bit += 13) {
			path[bit / 256][bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
			assert_false(merkle_included(leaves[i], i, n, path, len, root));
			path[bit / 256][bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
		}
		root[n % 32] ^= 0x80;
		assert_false(merkle_included(leaves[i], i, n, path, len, root));
	}
}

static void test_hostile_sizes(void **state)
{
	merkle_hash leaf, path[MERKLE_MAX_PATH + 1] = {0};

	(void)state;
	merkle_leaf(slice_of("x", 1), leaf);
	assert_true(merkle_included(leaf, 0, 1, path, 0, leaf));
	assert_false(merkle_included(leaf, 0, 0, path, 0, leaf));
	assert_false(merkle_included(leaf, 1, 1, path, 0, leaf));
	assert_false(merkle_included(leaf, UINT64_MAX, UINT64_MAX, path, MERKLE_MAX_PATH, leaf));
	assert_false(merkle_included(leaf, UINT64_MAX - 1, UINT64_MAX, path, MERKLE_MAX_PATH, leaf));
	assert_false(merkle_included(leaf, 0, UINT64_MAX, path, MERKLE_MAX_PATH + 1, leaf));
}

/* Leaf and node are hashed apart: a node's two halves given as an entry do not make the node's hash. */
static void test_leaf_is_no_node(void **state)
{
	merkle_hash two[2], node, leaf;

	(void)state;
	merkle_leaf(slice_of("a", 1), two[0]);
	merkle_leaf(slice_of("b", 1), two[1]);
	merkle_node(two[0], two[1], node);
	merkle_leaf(slice_of(two, sizeof(two)), leaf);
	assert_memory_not_equal(node, leaf, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_roots),
		cmocka_unit_test(test_public_path),
		cmocka_unit_test(test_every_path_proves_its_leaf_alone),
		cmocka_unit_test(test_damaged_paths_prove_nothing),
		cmocka_unit_test(test_hostile_sizes),
		cmocka_unit_test(test_leaf_is_no_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
