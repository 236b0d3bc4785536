/*
 * Is the file still the one that was opened? Somebody may put another in its place, or write over it, while the signer
 * runs. SQLite goes on with the file that it has open, whatever its name leads to: each flush would be lost with the
 * process. So the name is looked at around each flush, before anybody is answered, and the tail with each beat. A
 * ledger that lost its name is written down under another one, since nobody else has what it holds.
 */
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

static enum err swapped_raise(const struct ledger *l, const char *what, struct fault *f)
{
	return fault_raise(f, ERR_DB, "ledger_swapped", "ledger", "%s: %s", ESC(l->path, strlen(l->path)), what);
}

enum err file_remember(struct ledger *l, struct fault *f)
{
	struct stat st;
	if (stat(l->path, &st) != 0)
		return swapped_raise(l, strerror(errno), f);
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return OK;
}

enum err file_same(const struct ledger *l, struct fault *f)
{
	struct stat st;
	if (stat(l->path, &st) != 0)
		return swapped_raise(l, strerror(errno), f);
	if (st.st_dev != l->dev || st.st_ino != l->ino)
		return swapped_raise(l, "another file lies in its place: nothing more is written", f);
	return OK;
}

void file_rescue(struct ledger *l)
{
	_cleanup_(freep) char *copy = xstrdup(l->path),
			      *to = xasprintf("%s/ledger-rescued-%llu.db", dirname(copy), (unsigned long long)l->size);
	struct fault f = {0};
	if (db_backup(l->db, to, ledger_backup_mark, &f) == OK)
		log_event(LOG_LEVEL_ERROR, "ledger_rescued", "path=%s ledger_size=%llu", LQ(to),
			  (unsigned long long)l->size);
	else
		log_fault(LOG_LEVEL_ERROR, "ledger_rescue_failed", &f);
}

/* The file as a start would find it, against what was flushed last. */
static enum err compare_tail(struct ledger *l, struct ledger_tx *tx, struct db *db, struct fault *f)
{
	_cleanup_(freep) struct ledger_tree *tree = xcalloc(1, sizeof(*tree));
	merkle_hash found, known;
	uint64_t size;
	TRY(db_begin_read(db, f));
	TRY(tree_head(db, &size, found, f));
	tree_root(&l->tree, known);
	if (size != tx->first || memcmp(found, known, 32) != 0)
		return swapped_raise(l, "the file has another tree than was written to it last", f);
	return tree_open(tree, db, size, f);
}

/* On the writer's thread: nothing is being written meanwhile. */
static enum err look_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct ledger *l = arg;
	_cleanup_(db_closep) struct db *db = NULL;
	enum err e = tx->next == tx->first ? db_open(l->path, true, &db, f) : OK;
	if (e == OK && db)
		e = compare_tail(l, tx, db, f);
	if (e != OK && e != ERR_BUSY)
		l->doubted = true;
	return e;
}

enum err ledger_look(struct ledger *l, struct fault *f)
{
	return ledger_do(l, look_op, l, f);
}
