/*
 * The ledger's readers: connections in a pool.
 *
 * SQLite forgets a connection's pages at the first transaction behind somebody else's commit, and reads the upper ones of
 * each tree anew. So a snapshot stays open when it is put back, and serves the next who wants one, for as long as nothing
 * was committed since it began: it is the newest state then. Who finds that something was ends it, and the writer ends
 * those that lie in the pool before it commits, since a checkpoint of the WAL waits for whoever reads behind it.
 */
#include "ca/ledger_private.h"

/* A look-up touches few pages: the system's page cache holds the rest for all of them. */
#define CACHE "PRAGMA cache_size=-256"

static enum err reader_open(const struct ledger *l, struct db **ret, struct fault *f)
{
	struct db *db;
	TRY(db_open(l->path, true, &db, f));
	enum err e = db_run(db, f, CACHE, "");
	if (e != OK) {
		db_close(db);
		return e;
	}
	*ret = db;
	return OK;
}

/* *ret_commits: as many had ended before. */
static enum err reader_take(struct ledger *l, struct db **ret, uint64_t *ret_commits, struct fault *f)
{
	struct db *db = NULL;
	pthread_mutex_lock(&l->lock);
	if (l->n_pool > 0)
		db = l->pool[--l->n_pool];
	*ret_commits = l->commits;
	pthread_mutex_unlock(&l->lock);
	if (!db)
		TRY(reader_open(l, &db, f));
	*ret = db;
	return OK;
}

/* The lock is held. */
static bool pool_add(struct ledger *l, struct db *db)
{
	bool room = l->n_pool < LEDGER_POOL_MAX;
	if (room)
		l->pool[l->n_pool++] = db;
	return room;
}

enum err ledger_reader(struct ledger *l, struct db **ret, struct fault *f)
{
	uint64_t commits;
	struct db *db;
	TRY(reader_take(l, &db, &commits, f));
	db_rollback(db); /* of a snapshot that was kept */
	if (db_in_transaction(db)) {
		db_close(db);
		return reader_open(l, ret, f);
	}
	*ret = db;
	return OK;
}

void ledger_reader_put(struct ledger *l, struct db *db)
{
	/* One whose snapshot could not be ended would go on showing it. */
	bool ended = !db_in_transaction(db);
	pthread_mutex_lock(&l->lock);
	bool kept = ended && pool_add(l, db);
	pthread_mutex_unlock(&l->lock);
	if (!kept)
		db_close(db);
}

enum err ledger_snapshot(struct ledger *l, struct ledger_snapshot *ret, struct fault *f)
{
	struct ledger_snapshot s;
	TRY(reader_take(l, &s.db, &s.commits, f));
	enum err e = db_in_transaction(s.db) ? OK : db_begin_read(s.db, f);
	if (e != OK) {
		ledger_reader_put(l, s.db);
		return e;
	}
	*ret = s;
	return OK;
}

void ledger_snapshot_put(struct ledger *l, struct ledger_snapshot *s)
{
	pthread_mutex_lock(&l->lock);
	bool newest = !l->committing && s->commits == l->commits;
	bool kept = newest && pool_add(l, s->db);
	pthread_mutex_unlock(&l->lock);
	if (kept)
		return;
	db_rollback(s->db);
	ledger_reader_put(l, s->db);
}

void readers_let_go(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->committing = true;
	unsigned n = l->n_pool;
	l->n_pool = 0;
	for (unsigned i = 0; i < n; i++) {
		struct db *db = l->pool[i];
		db_rollback(db);
		if (db_in_transaction(db) || !pool_add(l, db))
			db_close(db);
	}
	pthread_mutex_unlock(&l->lock);
}
