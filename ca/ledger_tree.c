/*
 * The ledger as a Merkle tree. RFC 6962 2.1, C2SP tlog-checkpoint.
 *
 * Leaves stand with their entries. Of the inner nodes only the roots of whole tiles of 256 are kept (levels 8, 16, …),
 * one row for 256 entries; what lies between is hashed anew when a proof asks for it. The writer holds the open tile
 * of each level in memory, and the tree's size and root are written in the transaction that appends: so a start reads
 * at most 255 hashes a level, however long the ledger is, and finds out whether they still give the root.
 *
 * A checkpoint is signed when somebody asks, and only for what has been flushed.
 */
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <assert.h>
#include <string.h>

#define TILE_BITS 8
#define TILE (1u << TILE_BITS)

/* --- stored nodes --- */

struct tree_reader {
	struct db *db;
};

/* Hashes of one stored level from index lo on, n of them. ERR_DB when some are missing. */
static enum err stored_hashes(struct db *db, unsigned level, uint64_t lo, size_t n, merkle_hash *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	if (level == 0)
		TRY(db_query(db, f, &row, "SELECT leaf FROM entries WHERE idx >= ?1 ORDER BY idx LIMIT ?2", "ii",
			     (int64_t)lo, (int64_t)n));
	else
		TRY(db_query(db, f, &row, "SELECT hash FROM node WHERE level = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3",
			     "iii", (int64_t)level, (int64_t)lo, (int64_t)n));
	for (size_t i = 0; i < n; i++) {
		TRY(db_next(row, &more, f));
		struct slice hash = more ? db_blob(row, 0) : (struct slice){0};
		if (hash.n != 32)
			return fault_raise(f, ERR_DB, "ledger_tree", "ledger",
					   "node %llu of level %u is missing: the file is damaged",
					   (unsigned long long)lo + i, level);
		memcpy(ret[i], hash.p, 32);
	}
	return OK;
}

enum err tree_stored(struct db *db, unsigned level, uint64_t index, uint8_t ret[32], struct fault *f)
{
	merkle_hash h[1];
	TRY(stored_hashes(db, level, index, 1, h, f));
	memcpy(ret, h[0], 32);
	return OK;
}

static enum err tree_node(void *arg, unsigned level, uint64_t index, uint8_t ret[32], struct fault *f)
{
	const struct tree_reader *r = arg;
	merkle_hash hashes[TILE / 2];
	unsigned within = level % TILE_BITS;
	size_t n = (size_t)1 << within;
	TRY(stored_hashes(r->db, level - within, index << within, n, hashes, f));
	merkle_root(hashes, n, ret);
	return OK;
}

/* --- the writer's tree --- */

void tree_root(const struct ledger_tree *t, uint8_t ret[32])
{
	struct merkle_edge all = {0};
	size_t depth = 0;
	for (unsigned k = TREE_TILES; k-- > 0;) {
		size_t n = merkle_edge_depth(t->tile[k].n);
		memcpy(all.pending[depth], t->tile[k].pending, 32 * n);
		depth += n;
	}
	/* Only how many are pending counts for the root. */
	all.n = depth == 64 ? UINT64_MAX : (UINT64_C(1) << depth) - 1;
	merkle_edge_root(&all, ret);
}

enum err tree_push(struct ledger_tree *t, const struct tree_teller *teller, const uint8_t leaf[32], uint64_t index,
		   struct fault *f)
{
	merkle_hash h;
	memcpy(h, leaf, 32);
	for (unsigned k = 0; k < TREE_TILES; k++) {
		struct merkle_edge *tile = &t->tile[k];
		merkle_edge_add(tile, h);
		if (tile->n < TILE)
			return OK;
		merkle_edge_root(tile, h);
		tile->n = 0;
		index >>= TILE_BITS;
		TRY(teller->full(teller->arg, (k + 1) * TILE_BITS, index, h, f));
	}
	return OK;
}

static enum err store_node(void *arg, unsigned level, uint64_t index, const uint8_t hash[32], struct fault *f)
{
	return db_run(arg, f, "INSERT INTO node (level, idx, hash) VALUES (?1, ?2, ?3)", "iib", (int64_t)level,
		      (int64_t)index, slice_of(hash, 32));
}

enum err tree_append(struct ledger_tree *t, struct ledger_tx *tx, struct fault *f)
{
	merkle_hash root;
	const struct tree_teller store = {store_node, tx->db};
	for (size_t at = 0; at < tx->leaves.len; at += 32)
		TRY(tree_push(t, &store, tx->leaves.data + at, tx->first + at / 32, f));
	tree_root(t, root);
	return db_run(tx->db, f,
		      "INSERT INTO tree (id, size, root) VALUES (1, ?1, ?2)"
		      " ON CONFLICT (id) DO UPDATE SET size = ?1, root = ?2",
		      "ib", (int64_t)tx->next, slice_of(root, 32));
}

/* --- opening --- */

/* Of a ledger from before there was a tree: every leaf once. */
static enum err tree_build(struct ledger_tree *t, struct db *db, uint64_t size, struct fault *f)
{
	merkle_hash leaves[TILE];
	merkle_hash root;
	const struct tree_teller store = {store_node, db};
	for (uint64_t at = 0; at < size; at += TILE) {
		size_t n = size - at < TILE ? (size_t)(size - at) : TILE;
		TRY(stored_hashes(db, 0, at, n, leaves, f));
		for (size_t i = 0; i < n; i++)
			TRY(tree_push(t, &store, leaves[i], at + i, f));
	}
	tree_root(t, root);
	return db_run(db, f, "INSERT INTO tree (id, size, root) VALUES (1, ?1, ?2)", "ib", (int64_t)size,
		      slice_of(root, 32));
}

static enum err build_all(struct ledger_tree *t, struct db *db, uint64_t size, struct fault *f)
{
	TRY(db_begin(db, f));
	enum err e = tree_build(t, db, size, f);
	if (e == OK)
		e = db_commit(db, f);
	if (e != OK)
		db_rollback(db);
	return e;
}

static enum err load_tiles(struct ledger_tree *t, struct db *db, uint64_t size, struct fault *f)
{
	merkle_hash hashes[TILE];
	for (unsigned k = 0; k < TREE_TILES; k++) {
		uint64_t full = size >> (k * TILE_BITS);
		size_t n = full % TILE;
		TRY(stored_hashes(db, k * TILE_BITS, full - n, n, hashes, f));
		for (size_t i = 0; i < n; i++)
			merkle_edge_add(&t->tile[k], hashes[i]);
	}
	return OK;
}

enum err tree_head(struct db *db, uint64_t *ret_size, uint8_t ret_root[32], struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	*ret_size = UINT64_MAX;
	TRY(db_query(db, f, &row, "SELECT size, root FROM tree", ""));
	TRY(db_next(row, &more, f));
	if (!more)
		return OK;
	struct slice root = db_blob(row, 1);
	*ret_size = (uint64_t)db_i64(row, 0);
	if (root.n != 32)
		return fault_raise(f, ERR_DB, "ledger_tree", "ledger",
				   "found a root of %zu bytes, wanted 32: the file is damaged", root.n);
	memcpy(ret_root, root.p, 32);
	return OK;
}

/* The bodies of the open tile against their leaves: the tail is what a torn write would have hit. */
static enum err check_tail(struct db *db, uint64_t size, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	merkle_hash leaf;
	TRY(db_query(db, f, &row, "SELECT idx, leaf, body FROM entries WHERE idx >= ?1 ORDER BY idx", "i",
		     (int64_t)(size - size % TILE)));
	TRY(db_next(row, &more, f));
	while (more) {
		merkle_leaf(db_blob(row, 2), leaf);
		if (!slice_eq(db_blob(row, 1), slice_of(leaf, 32)))
			return fault_raise(f, ERR_DB, "ledger_tree", "ledger",
					   "entry %lld is not what its leaf hash says: the file is damaged",
					   (long long)db_i64(row, 0));
		TRY(db_next(row, &more, f));
	}
	return OK;
}

enum err tree_open(struct ledger_tree *t, struct db *db, uint64_t size, struct fault *f)
{
	uint64_t stored;
	merkle_hash wanted, found;
	TRY(tree_head(db, &stored, wanted, f));
	if (stored == UINT64_MAX)
		return build_all(t, db, size, f);
	if (stored != size)
		return fault_raise(f, ERR_DB, "ledger_tree", "ledger",
				   "%llu entries, but a tree of %llu: the file is damaged", (unsigned long long)size,
				   (unsigned long long)stored);
	TRY(load_tiles(t, db, size, f));
	TRY(check_tail(db, size, f));
	tree_root(t, found);
	if (memcmp(found, wanted, 32) == 0)
		return OK;
	return fault_raise(f, ERR_DB, "ledger_tree", "ledger",
			   "the tree's right edge does not give the root of its %llu entries: the file is damaged",
			   (unsigned long long)size);
}

/* --- the log key --- */

void ledger_take_log(struct ledger *l, struct log_signer *log)
{
	if (l->log)
		log_signer_free(l->log);
	l->log = log;
}

enum err ledger_log_usable(struct ledger *l, struct fault *f)
{
	return log_signer_usable(l->log, f);
}

void ledger_log_key(const struct ledger *l, struct log_key *ret)
{
	log_signer_public(l->log, ret);
}

enum err ledger_checkpoint(struct ledger *l, struct checkpoint *ret, struct buf *ret_note, struct fault *f)
{
	struct checkpoint c;
	struct log_key key;
	log_signer_public(l->log, &key);
	memcpy(c.origin, key.origin, sizeof(c.origin));
	pthread_mutex_lock(&l->lock);
	c.size = l->size;
	memcpy(c.root, l->root, 32);
	pthread_mutex_unlock(&l->lock);
	TRY(checkpoint_sign(&c, log_signer_hand(l->log), ret_note, f));
	*ret = c;
	return OK;
}

enum err ledger_sign_feed(struct ledger *l, struct feed_part *p, struct buf *ret_note, struct fault *f)
{
	struct log_key key;
	log_signer_public(l->log, &key);
	memcpy(p->origin, key.origin, sizeof(p->origin));
	return feed_part_sign(p, log_signer_hand(l->log), ret_note, f);
}

/* --- proofs --- */

enum err ledger_root(struct db *db, uint64_t size, uint8_t ret[32], struct fault *f)
{
	struct merkle_edge edge;
	TRY(merkle_edge_load(&(struct merkle_source){tree_node, &(struct tree_reader){db}}, size, &edge, f));
	merkle_edge_root(&edge, ret);
	return OK;
}

enum err ledger_hashes(struct db *db, unsigned level, uint64_t from, size_t n, struct buf *ret, struct fault *f)
{
	merkle_hash hashes[TILE];
	assert(level % TILE_BITS == 0 && n <= TILE);
	TRY(stored_hashes(db, level, from, n, hashes, f));
	buf_add(ret, hashes, 32 * n);
	return OK;
}

enum err ledger_prove_inclusion(struct db *db, uint64_t index, uint64_t size, struct buf *ret, struct fault *f)
{
	merkle_hash path[MERKLE_MAX_PATH];
	size_t n;
	if (index >= size)
		return fault_raise(f, ERR_NOT_FOUND, "entry_unknown", "index",
				   "found %llu, but the ledger has %llu entries", (unsigned long long)index,
				   (unsigned long long)size);
	TRY(merkle_prove_inclusion(&(struct merkle_source){tree_node, &(struct tree_reader){db}}, index, size, path, &n,
				   f));
	buf_add(ret, path, 32 * n);
	return OK;
}

enum err ledger_prove_consistency(struct db *db, uint64_t from, uint64_t to, struct buf *ret, struct fault *f)
{
	merkle_hash path[MERKLE_MAX_PATH];
	size_t n;
	TRY(merkle_prove_consistency(&(struct merkle_source){tree_node, &(struct tree_reader){db}}, from, to, path, &n,
				     f));
	buf_add(ret, path, 32 * n);
	return OK;
}
