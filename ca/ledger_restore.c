/*
 * A ledger that waits for the operator's word: it was restored from a backup, or somebody holds a checkpoint of it that
 * it does not lead to. Whatever is in it may be read; nothing is appended until the word is an entry.
 *
 * The row of `waiting` is the state, and a copy made by a backup is born with it. `restored` is derived from the
 * entries: tallies made before the last of them are dead. `lost` has the checkpoints of histories that are not this one:
 * each makes the ledger wait once. Next: restore.c, which judges.
 */
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"

#include <string.h>

const char ledger_backup_mark[] =
	"INSERT INTO waiting (id, since) SELECT 1, coalesce(max(last_at), 0) FROM type_count WHERE true"
	" ON CONFLICT (id) DO NOTHING";

enum err restore_load(struct db *db, struct ledger_standing *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT EXISTS (SELECT 1 FROM waiting), coalesce(max(entry) + 1, 0), coalesce(max(at), 0),"
		   " coalesce(max(lost_to), 0) FROM restored",
		   ""));
	*ret = (struct ledger_standing){.waits = db_i64(row, 0) != 0,
					.restored = (uint64_t)db_i64(row, 1),
					.at = db_i64(row, 2),
					.lost_to = (uint64_t)db_i64(row, 3)};
	return OK;
}

void ledger_standing(struct ledger *l, struct ledger_standing *ret)
{
	pthread_mutex_lock(&l->lock);
	*ret = l->standing;
	pthread_mutex_unlock(&l->lock);
}

enum err ledger_waits_raise(struct fault *f)
{
	return fault_raise(f, ERR_LOCKED, "ledger_waits", "ledger",
			   "the ledger was restored, or is behind a checkpoint of it: nothing is signed until the "
			   "operator's word (hufu ledger resume)");
}

enum err ledger_waiting_head(struct db *db, struct buf *ret_note, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(db, f, &row, "SELECT head FROM waiting WHERE head IS NOT NULL", ""));
	TRY(db_next(row, &more, f));
	if (more)
		buf_add_slice(ret_note, db_blob(row, 0));
	return OK;
}

enum err ledger_lost_add(struct ledger_tx *tx, const struct checkpoint *c, struct fault *f)
{
	return db_run(tx->db, f, "INSERT INTO lost (size, root) VALUES (?1, ?2) ON CONFLICT DO NOTHING", "ib",
		      (int64_t)c->size, slice_of(c->root, 32));
}

enum err ledger_is_lost(struct db *db, const struct checkpoint *c, bool *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT EXISTS (SELECT 1 FROM lost WHERE size = ?1 AND root = ?2)", "ib",
		   (int64_t)c->size, slice_of(c->root, 32)));
	*ret = db_i64(row, 0) != 0;
	return OK;
}

enum err ledger_halt(struct ledger_tx *tx, struct slice head, struct fault *f)
{
	tx->standing.waits = true;
	return db_run(
		tx->db, f,
		"INSERT INTO waiting (id, since, head) VALUES (1, ?1, ?2) ON CONFLICT (id) DO UPDATE SET head = ?2",
		"ib", tx->at, head);
}

enum err ledger_resume(struct ledger_tx *tx, struct wire_e_restored *e, uint64_t lost_to, uint64_t *ret_index,
		       struct fault *f)
{
	tx->standing.waits = false;
	TRY(db_run(tx->db, f, "DELETE FROM waiting", ""));
	TRY(ledger_append_e_restored(tx, e, ret_index, f));
	TRY(db_run(tx->db, f, "INSERT INTO restored (entry, at, lost_to) VALUES (?1, ?2, ?3)", "iii",
		   (int64_t)*ret_index, tx->at, (int64_t)lost_to));
	return restore_load(tx->db, &tx->standing, f);
}
