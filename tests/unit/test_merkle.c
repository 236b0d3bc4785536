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

static void test_a_whole_tree_has_the_same_paths(void **state)
{
	merkle_hash leaves[MANY], wanted[MERKLE_MAX_PATH], path[MERKLE_MAX_PATH];
	struct merkle_whole whole = {0};

	(void)state;
	many_leaves(leaves);
	merkle_whole_done(&whole);
	merkle_whole_make(NULL, 0, &whole);
	assert_int_equal(whole.n, 0);
	merkle_whole_done(&whole);
	for (size_t n = 1; n <= MANY; n++) {
		merkle_whole_make((const merkle_hash *)leaves, n, &whole);
		for (size_t i = 0; i < n; i++) {
			size_t len = merkle_path((const merkle_hash *)leaves, n, i, wanted);

			assert_int_equal(merkle_whole_path(&whole, i, path), len);
			assert_memory_equal(path, wanted, len * sizeof(path[0]));
		}
		merkle_whole_done(&whole);
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

/* --- a tree that grows --- */

struct stored {
	merkle_hash leaves[MANY];
	unsigned fail_after; /* nodes that are still given */
};

static enum err stored_node(void *arg, unsigned level, uint64_t index, uint8_t ret[32], struct fault *f)
{
	struct stored *s = arg;
	if (s->fail_after-- == 0)
		return fault_raise(f, ERR_DB, "played", "node", "played");
	assert_true((index + 1) << level <= MANY);
	merkle_root(s->leaves + (index << level), (size_t)1 << level, ret);
	return OK;
}

static void test_edges_have_the_root(void **state)
{
	struct stored s = {.fail_after = UINT32_MAX};
	struct merkle_edge grown = {0}, loaded;
	const struct merkle_source source = {stored_node, &s};
	merkle_hash root, found;
	struct fault f;

	(void)state;
	many_leaves(s.leaves);
	for (size_t n = 0; n <= MANY; n++) {
		merkle_root(s.leaves, n, root);
		merkle_edge_root(&grown, found);
		assert_memory_equal(found, root, 32);
		assert_int_equal(merkle_edge_load(&source, n, &loaded, &f), OK);
		merkle_edge_root(&loaded, found);
		assert_memory_equal(found, root, 32);
		if (n < MANY)
			merkle_edge_add(&grown, s.leaves[n]);
	}
	s.fail_after = 2;
	assert_int_equal(merkle_edge_load(&source, 7, &loaded, &f), ERR_DB);
}

static void test_stored_trees_prove_inclusion(void **state)
{
	struct stored s = {.fail_after = UINT32_MAX};
	const struct merkle_source source = {stored_node, &s};
	merkle_hash wanted[MERKLE_MAX_PATH], found[MERKLE_MAX_PATH];
	struct fault f;
	size_t len;

	(void)state;
	many_leaves(s.leaves);
	for (size_t n = 1; n <= MANY; n++) {
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(merkle_prove_inclusion(&source, i, n, found, &len, &f), OK);
			assert_int_equal(len, merkle_path(s.leaves, n, i, wanted));
			assert_memory_equal(found, wanted, 32 * len);
		}
	}
}

/* Good between all sizes; wrong for other sizes, other roots, each damaged hash, and paths too short and too long. */
static void test_consistency(void **state)
{
	struct stored s = {.fail_after = UINT32_MAX};
	const struct merkle_source source = {stored_node, &s};
	merkle_hash roots[MANY + 1], path[MERKLE_MAX_PATH + 1];
	struct fault f;
	size_t len;

	(void)state;
	many_leaves(s.leaves);
	for (size_t n = 0; n <= MANY; n++)
		merkle_root(s.leaves, n, roots[n]);
	for (size_t n = 0; n <= MANY; n++) {
		for (size_t m = 0; m <= n; m++) {
			assert_int_equal(merkle_prove_consistency(&source, m, n, path, &len, &f), OK);
			assert_true(merkle_consistent(m, roots[m], n, roots[n], path, len));
			memset(path[len], 0x55, 32);
			assert_false(merkle_consistent(m, roots[m], n, roots[n], path, len + 1));
			if (m > 0)
				assert_false(merkle_consistent(m, roots[m - 1], n, roots[n], path, len));
			if (m > 0 && n < MANY)
				assert_false(merkle_consistent(m, roots[m], n, roots[n + 1], path, len));
			if (len > 0)
				assert_false(merkle_consistent(m, roots[m], n, roots[n], path, len - 1));
			for (size_t i = 0; i < len; i++) {
				path[i][n % 32] ^= 1;
				assert_false(merkle_consistent(m, roots[m], n, roots[n], path, len));
				path[i][n % 32] ^= 1;
			}
		}
	}
	assert_false(merkle_consistent(5, roots[5], 4, roots[4], path, 0));
	assert_false(merkle_consistent(0, roots[1], 4, roots[4], path, 0));
	assert_false(merkle_consistent(UINT64_MAX - 1, roots[1], UINT64_MAX, roots[2], path, MERKLE_MAX_PATH));
	assert_false(merkle_consistent(3, roots[3], UINT64_MAX, roots[2], path, MERKLE_MAX_PATH + 1));
}

/* Certificate Transparency's published proofs over its eight test leaves: sizes, then hashes. */
static void test_public_consistency(void **state)
{
	static const struct {
		uint64_t m, n;
		const char *path[4];
	} cases[] = {
		{1, 1, {NULL}},
		{1,
		 8,
		 {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
		  "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
		  "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4", NULL}},
		{6,
		 8,
		 {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
		  "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
		  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7", NULL}},
		{2,
		 5,
		 {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
		  "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b", NULL}},
	};
	struct stored s = {.fail_after = UINT32_MAX};
	const struct merkle_source source = {stored_node, &s};
	struct fault f;

	(void)state;
	public_leaves(s.leaves);
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		merkle_hash path[MERKLE_MAX_PATH], from, to;
		size_t len, wanted = 0;

		while (cases[c].path[wanted])
			wanted++;
		assert_int_equal(merkle_prove_consistency(&source, cases[c].m, cases[c].n, path, &len, &f), OK);
		assert_int_equal(len, wanted);
		for (size_t i = 0; i < len; i++)
			check_hash(path[i], cases[c].path[i]);
		assert_true(hex_decode(root_hex[cases[c].m], 64, from, 32));
		assert_true(hex_decode(root_hex[cases[c].n], 64, to, 32));
		assert_true(merkle_consistent(cases[c].m, from, cases[c].n, to, path, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_roots),
		cmocka_unit_test(test_public_path),
		cmocka_unit_test(test_every_path_proves_its_leaf_alone),
		cmocka_unit_test(test_a_whole_tree_has_the_same_paths),
		cmocka_unit_test(test_damaged_paths_prove_nothing),
		cmocka_unit_test(test_hostile_sizes),
		cmocka_unit_test(test_leaf_is_no_node),
		cmocka_unit_test(test_edges_have_the_root),
		cmocka_unit_test(test_stored_trees_prove_inclusion),
		cmocka_unit_test(test_consistency),
		cmocka_unit_test(test_public_consistency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
