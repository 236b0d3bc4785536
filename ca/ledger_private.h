/*
 * What the files of the ledger share; nobody else includes this.
 */
#ifndef HUFU_CA_LEDGER_PRIVATE_H
#define HUFU_CA_LEDGER_PRIVATE_H

#include "ca/ledger.h"
#include "ca/log_signer.h"
#include "common/base/clock.h"

#include <pthread.h>
#include <sys/types.h>

#define LEDGER_KEEP_AFTER_END (7 * 86400) /* what `keep_until` adds to the end; policies may keep for longer */
#define LEDGER_POOL_MAX 32

/* The open tile of each level: the hashes that no stored node stands for yet. */
#define TREE_TILES 8
struct ledger_tree {
	struct merkle_edge tile[TREE_TILES];
};

struct ledger {
	char *path;
	int lock_fd;
	struct db *db; /* the writer's */
	struct ledger_tree tree; /* the writer's */
	pthread_t writer;
	bool started;
	dev_t dev; /* of the file, as it was opened */
	ino_t ino;
	bool doubted; /* the writer's: the file is not what was written to it */
	struct log_signer *log; /* set before anybody asks */

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t work, grown;
	struct ledger_op *first, **last;
	unsigned queued, entered;
	bool idle; /* the writer waits for a first operation */
	bool stopping, broken, awake;
	uint64_t size;
	uint8_t root[32]; /* of the tree of that size */
	int64_t last_at;
	struct ledger_standing standing;

	bool clock_doubt, clock_behind_accepted;
	int64_t seen_wall, seen_mono_us;

	struct db *pool[LEDGER_POOL_MAX]; /* the last to come first */
	unsigned n_pool;
	uint64_t commits; /* that have ended, one way or the other */
	bool committing;

	/* ledger_wal.c */
	struct db *copier_db;
	pthread_t copier;
	bool copier_started;
	pthread_cond_t copy, copied; /* there is something to be; one has ended */
	bool copying;
	unsigned wal_begin; /* pages that make the first copy due */
	unsigned wal_pages, wal_copied, wal_next; /* there after the last commit; of them in the file; that make the next copy due */
};

extern const char *const ledger_migrations[];
extern const size_t ledger_n_migrations;

/* ledger_reader.c. Before each commit, which readers that nobody uses shall not stand in the way of: it is `committing` until
 * it has ended and is counted. */
void readers_let_go(struct ledger *l);
/* ledger_wal.c. Before the writer starts; wal_start() with it. */
MUST_CHECK enum err wal_open(struct ledger *l, struct fault *f);
MUST_CHECK enum err wal_start(struct ledger *l, struct fault *f);
/* The writer's, behind each transaction: has what stands in the write-ahead log copied into the file, or copies the rest. */
void wal_look(struct ledger *l);
/* When the ledger is stopping. */
void wal_close(struct ledger *l);
/* ledger.c. A thread of the ledger's, which takes no signals. */
MUST_CHECK enum err ledger_thread(pthread_t *ret, void *(*body)(void *), void *arg, struct fault *f);
/* ledger_append.c. How many of each type the transaction has appended. */
MUST_CHECK enum err append_counts(struct ledger_tx *tx, struct fault *f);
/* ledger_tree.c. Adds a leaf; a tile of 256 that is full is told and goes up as one hash. */
struct tree_teller {
	enum err (*full)(void *arg, unsigned level, uint64_t index, const uint8_t hash[32], struct fault *f);
	void *arg;
};
MUST_CHECK enum err tree_push(struct ledger_tree *t, const struct tree_teller *teller, const uint8_t leaf[32], uint64_t index,
			      struct fault *f);
/* One stored node, or leaf. ERR_DB when it is missing. */
MUST_CHECK enum err tree_stored(struct db *db, unsigned level, uint64_t index, uint8_t ret[32], struct fault *f);
/* What the last transaction wrote of the tree; *ret_size UINT64_MAX: nothing. */
MUST_CHECK enum err tree_head(struct db *db, uint64_t *ret_size, uint8_t ret_root[32], struct fault *f);
/* The tree of a ledger of that size, checked against what the last transaction wrote. ERR_DB ledger_tree. */
MUST_CHECK enum err tree_open(struct ledger_tree *t, struct db *db, uint64_t size, struct fault *f);
/* The transaction's leaves enter the tree, and its size and root are written. */
MUST_CHECK enum err tree_append(struct ledger_tree *t, struct ledger_tx *tx, struct fault *f);
void tree_root(const struct ledger_tree *t, uint8_t ret[32]);

/* ledger_file.c. Which file was opened; is it still the one at its path? ERR_DB ledger_swapped. */
MUST_CHECK enum err file_remember(struct ledger *l, struct fault *f);
MUST_CHECK enum err file_same(const struct ledger *l, struct fault *f);
/* What the writer has open, into a marked copy beside. Outside a transaction. */
void file_rescue(struct ledger *l);
/* ledger_restore.c. SQL that marks a copy of a ledger as one. */
extern const char ledger_backup_mark[];
MUST_CHECK enum err restore_load(struct db *db, struct ledger_standing *ret, struct fault *f);
/* Looks at the clock; the lock is held. Doubt stays until the operator lifts it. */
void clock_look(struct ledger *l);

/* Rows hold indexes as signed numbers; LEDGER_NONE is null. */
static inline uint64_t column_index(struct db_row *row, int column)
{
	return db_is_null(row, column) ? LEDGER_NONE : (uint64_t)db_i64(row, column);
}
/* Null is 0. Another that no signer writes: ERR_DB ledger_damaged. */
static inline MUST_CHECK enum err column_time(struct db_row *row, int column, int64_t *ret, struct fault *f)
{
	*ret = db_i64(row, column);
	return time_fits(*ret) ? OK
			       : fault_raise(f, ERR_DB, "ledger_damaged", "ledger",
					     "found %lld as a time, wanted one of the years 0 to 9999: the file is damaged", (long long)*ret);
}
/* First 64 bits of a hash as SQLite keeps integers. */
int64_t hash_64(const uint8_t hash[32]);

#endif
