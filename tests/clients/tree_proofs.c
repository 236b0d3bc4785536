/*
 * Merkle proofs by Hufu's code, for another implementation to judge, and another's for Hufu's to judge: see log.bats.
 *
 *     tree_proofs make    roots, inclusion and consistency proofs of many trees, one a line
 *     tree_proofs check   the same lines from standard input: how many hold; each must, and none when one bit of it is changed
 *
 * A line is "root N HASH", "in I N HASH…" or "grown M N HASH…". The first 8 leaves are those of Certificate Transparency's tests,
 * leaf i behind them is i in decimal.
 */
#include "common/base/log.h"
#include "common/note/merkle.h"

#include "common/base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LEAVES 300u
#define ALL_TO 40u /* each pair of sizes up to here, some beyond */
#define LINE (128 + 65 * MERKLE_MAX_PATH)

static const char *const public_leaves[] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
};
static const unsigned sizes[] = {63, 64, 65, 127, 128, 129, 200, 255, 256, 257, LEAVES};
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static merkle_hash leaves[LEAVES];

static void make_leaves(void)
{
	for (unsigned i = 0; i < LEAVES; i++) {
		uint8_t bytes[24];
		size_t n;
		if (i < 8) {
			n = strlen(public_leaves[i]) / 2;
			if (!hex_decode(public_leaves[i], 2 * n, bytes, n))
				abort();
		} else {
			n = (size_t)snprintf((char *)bytes, sizeof(bytes), "%u", i);
		}
		merkle_leaf(slice_of(bytes, n), leaves[i]);
	}
}

/* As the ledger's file has them. */
static enum err node(void *arg, unsigned level, uint64_t index, uint8_t ret[32], struct fault *f)
{
	(void)arg;
	(void)f;
	merkle_root(leaves + (index << level), (size_t)1 << level, ret);
	return OK;
}
static const struct merkle_source source = {node, NULL};

/* --- make --- */

static void put(const merkle_hash *path, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char hex[65];
		hex_lower(path[i], 32, hex);
		printf(" %s", hex);
	}
	putchar('\n');
}

static enum err put_pair(uint64_t m, uint64_t n, struct fault *f)
{
	merkle_hash path[MERKLE_MAX_PATH];
	size_t len;
	TRY(merkle_prove_inclusion(&source, m - 1, n, path, &len, f));
	printf("in %" PRIu64 " %" PRIu64, m - 1, n);
	put(path, len);
	TRY(merkle_prove_consistency(&source, m, n, path, &len, f));
	printf("grown %" PRIu64 " %" PRIu64, m, n);
	put(path, len);
	return OK;
}

static enum err put_tree(uint64_t n, struct fault *f)
{
	merkle_hash root;
	merkle_root(leaves, n, root);
	printf("root %" PRIu64, n);
	put(&root, 1);
	for (uint64_t m = 1; m <= n; m++)
		TRY(put_pair(m, n, f));
	return OK;
}

static enum err make(struct fault *f)
{
	for (uint64_t n = 0; n <= ALL_TO; n++)
		TRY(put_tree(n, f));
	for (size_t i = 0; i < N_SIZES; i++)
		TRY(put_tree(sizes[i], f));
	return OK;
}

/* --- check --- */

struct line {
	char word[8];
	uint64_t m, n;
	merkle_hash path[MERKLE_MAX_PATH];
	size_t len;
};

static bool read_line(char *text, struct line *ret)
{
	char *save = NULL, *t = strtok_r(text, " \n", &save);
	bool root = t && strcmp(t, "root") == 0;
	if (!t || strlen(t) >= sizeof(ret->word))
		return false;
	memcpy(ret->word, t, strlen(t) + 1);
	if (!root && (!(t = strtok_r(NULL, " \n", &save)) || !u64_parse(t, strlen(t), LEAVES, &ret->m)))
		return false;
	if (!(t = strtok_r(NULL, " \n", &save)) || !u64_parse(t, strlen(t), LEAVES, &ret->n))
		return false;
	for (ret->len = 0; (t = strtok_r(NULL, " \n", &save)); ret->len++) {
		if (ret->len == MERKLE_MAX_PATH || !hex_decode(t, strlen(t), ret->path[ret->len], 32))
			return false;
	}
	return true;
}

static bool holds(const struct line *x)
{
	merkle_hash before, root;
	merkle_root(leaves, x->n, root);
	if (strcmp(x->word, "root") == 0)
		return x->len == 1 && memcmp(root, x->path[0], 32) == 0;
	if (strcmp(x->word, "in") == 0)
		return x->m < x->n && merkle_included(leaves[x->m], x->m, x->n, x->path, x->len, root);
	merkle_root(leaves, x->m, before);
	return strcmp(x->word, "grown") == 0 && merkle_consistent(x->m, before, x->n, root, x->path, x->len);
}

/* No bit of it may be another. */
static bool holds_alone(struct line *x)
{
	bool alone = holds(x);
	for (size_t i = 0; i < x->len; i++) {
		x->path[i][i % 32] ^= (uint8_t)(1u << (i % 8));
		alone = alone && !holds(x);
		x->path[i][i % 32] ^= (uint8_t)(1u << (i % 8));
	}
	return alone;
}

static enum err check(struct fault *f)
{
	static char text[LINE];
	unsigned n = 0;
	for (; fgets(text, sizeof(text), stdin); n++) {
		struct line x = {0};
		if (!read_line(text, &x))
			return fault_raise(f, ERR_PARSE, "line", "line", "line %u is none", n + 1);
		if (!holds_alone(&x))
			return fault_raise(f, ERR_RULE, "proof", "line", "line %u (%s %" PRIu64 " %" PRIu64 ") fails",
					   n + 1, x.word, x.m, x.n);
	}
	printf("%u hold\n", n);
	return OK;
}

int main(int argc, char **argv)
{
	struct fault f = {0};
	enum err e = ERR_CONFIG;
	log_init("tree_proofs", LOG_LEVEL_INFO);
	make_leaves();
	if (argc == 2 && strcmp(argv[1], "make") == 0)
		e = make(&f);
	else if (argc == 2 && strcmp(argv[1], "check") == 0)
		e = check(&f);
	if (e != OK)
		fprintf(stderr, "tree_proofs: %s\n", f.text);
	return e == OK && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
