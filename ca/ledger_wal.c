/*
 * From SQLite's write-ahead log into the ledger's file.
 *
 * What is flushed stands in the log, and some time it has to be written where it belongs, and flushed there: 8,000 pages
 * at random places, which takes a disk as long as a hundred commits. So a thread of its own copies while the writer goes
 * on, and copies what came meanwhile, until few pages are left. These the writer copies itself between two transactions:
 * only when nothing is left, SQLite begins the log anew. (SQLite calls this a checkpoint. The ledger's own are signed.)
 *
 * A reader that sees an older state ends a copy early, and keeps the log: then it grows for a while, and is tried again.
 * When the copy cannot keep up at all, the writer waits for it, so the log is bounded.
 */
#include "ca/ledger_private.h"

#include "common/base/log.h"

#define WAL_BEGIN 8000		 /* the first copy; 32 MiB */
#define WAL_MORE 2000		 /* until the next one, when somebody stood in its way */
#define WAL_FEW 400		 /* that the writer copies */
#define WAL_MOST (8 * WAL_BEGIN) /* before the writer waits for the copy */

/* Pages that are gone from memory and may not be on the disk: nobody knows what the file holds. A full disk says so before. */
static void copy_failed(struct ledger *l, const struct fault *f)
{
	log_fault(f->kind == ERR_BUSY ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
		  f->kind == ERR_BUSY ? "ledger_copy" : "ledger_broken", f);
	if (f->kind != ERR_BUSY)
		l->broken = true;
}

/* Copies by db; the lock is held, but not meanwhile. */
static void copy(struct ledger *l, struct db *db)
{
	struct fault f = {0};
	unsigned pages = 0, copied = 0;
	l->copying = true;
	pthread_mutex_unlock(&l->lock);
	enum err e = db_wal_copy(db, &pages, &copied, &f);
	pthread_mutex_lock(&l->lock);
	l->copying = false;
	if (copied > 0)
		l->wal_copied = copied;
	bool all = e == OK && copied > 0 && copied == pages;
	l->wal_next = all ? copied + WAL_FEW : (pages > l->wal_pages ? pages : l->wal_pages) + WAL_MORE;
	if (e != OK)
		copy_failed(l, &f);
	pthread_cond_broadcast(&l->copied);
}

static void *copy_loop(void *arg)
{
	struct ledger *l = arg;
	pthread_mutex_lock(&l->lock);
	while (!l->stopping) {
		if (!l->broken && l->wal_pages >= l->wal_next)
			copy(l, l->copier_db);
		else
			pthread_cond_wait(&l->copy, &l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

enum err wal_open(struct ledger *l, struct fault *f)
{
	l->wal_begin = l->wal_next = WAL_BEGIN;
	TRY(db_wal_keep(l->db, f));
	return db_open(l->path, false, &l->copier_db, f);
}

enum err wal_start(struct ledger *l, struct fault *f)
{
	TRY(ledger_thread(&l->copier, copy_loop, l, f));
	l->copier_started = true;
	return OK;
}

void wal_look(struct ledger *l)
{
	unsigned pages = db_wal_pages(l->db);
	pthread_mutex_lock(&l->lock);
	if (pages < l->wal_pages) { /* begun anew */
		l->wal_copied = 0;
		l->wal_next = l->wal_begin;
	}
	l->wal_pages = pages;
	bool few = pages >= l->wal_begin && pages < l->wal_next && pages - l->wal_copied <= WAL_FEW;
	if (!l->copying && !l->broken && few && pages > l->wal_copied)
		copy(l, l->db);
	else if (pages >= l->wal_next)
		pthread_cond_signal(&l->copy);
	while (l->copying && pages >= WAL_MOST)
		pthread_cond_wait(&l->copied, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

void wal_close(struct ledger *l)
{
	if (l->copier_started)
		pthread_join(l->copier, NULL);
	if (l->copier_db)
		db_close(l->copier_db);
}
