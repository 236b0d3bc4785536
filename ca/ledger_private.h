/*
 * What the files of the ledger share; nobody else includes this.
 */
#ifndef HUFU_CA_LEDGER_PRIVATE_H
#define HUFU_CA_LEDGER_PRIVATE_H

#include "ca/ledger.h"

#include <pthread.h>

#define LEDGER_POOL_MAX 32

/* One queued operation; lives on its worker's stack. */
struct operation {
	ledger_fn *fn;
	void *arg;
	struct fault *f;
	enum err result;
	bool done;
	pthread_cond_t finished;
	struct operation *next;
};

struct ledger {
	char *path;
	int lock_fd;
	struct db *db; /* the writer's */
	pthread_t writer;
	bool started;

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t work, grown;
	struct operation *first, **last;
	unsigned queued, entered;
	bool stopping, broken, awake;
	uint64_t size;
	int64_t last_at;

	bool clock_doubt, clock_behind_accepted;
	int64_t seen_wall, seen_mono_us;

	struct db *pool[LEDGER_POOL_MAX];
	unsigned n_pool;
};

extern const char *const ledger_migrations[];
extern const size_t ledger_n_migrations;

/* Looks at the clock; the lock is held. Doubt stays until the operator lifts it. */
void clock_look(struct ledger *l);

/* Rows hold indexes as signed numbers; LEDGER_NONE is null. */
static inline uint64_t column_index(struct db_row *row, int column)
{
	return db_is_null(row, column) ? LEDGER_NONE : (uint64_t)db_i64(row, column);
}
/* First 64 bits of a hash as SQLite keeps integers. */
int64_t hash_64(const uint8_t hash[32]);

#endif
