/*
 * Ids of tallies: what each was bound to, and which are dead. A refusal binds nothing, so a refused id has no row.
 *
 * The outcome of one that issues stands in the certificate's row, among those of its time. Ids are random: to write it
 * here as well would dirty a page for each certificate once more.
 */
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"

#include <string.h>

enum err ledger_tally(struct db *db, const uint8_t id[TALLY_ID], struct ledger_tally *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	*ret = (struct ledger_tally){.intent = LEDGER_NONE, .outcome = LEDGER_NONE};
	TRY(db_one(db, f, &row,
		   "SELECT t.text, t.intent, coalesce(t.outcome, c.entry), t.dead, w.entry FROM (SELECT ?1 AS id) q"
		   " LEFT JOIN tally t ON t.id = q.id LEFT JOIN withdrawn w ON w.id = q.id"
		   " LEFT JOIN certificate c ON c.id = t.cert",
		   "b", slice_of(id, TALLY_ID)));
	ret->withdrawn = !db_is_null(row, 4);
	ret->known = !db_is_null(row, 3);
	if (!ret->known)
		return OK;
	if (db_blob(row, 0).n == 32)
		memcpy(ret->text_sha256, db_blob(row, 0).p, 32);
	ret->intent = column_index(row, 1);
	ret->outcome = column_index(row, 2);
	ret->dead = db_i64(row, 3) != 0;
	return OK;
}

enum err ledger_tally_done(struct ledger_tx *tx, const uint8_t id[TALLY_ID], const uint8_t text_sha256[32],
			   uint64_t outcome, struct fault *f)
{
	return db_run(tx->db, f, "INSERT INTO tally (id, text, outcome, dead) VALUES (?1, ?2, ?3, 0)", "bbi",
		      slice_of(id, TALLY_ID), slice_of(text_sha256, 32), (int64_t)outcome);
}

enum err ledger_tally_bind(struct ledger_tx *tx, const uint8_t id[TALLY_ID], const uint8_t text_sha256[32],
			   uint64_t intent, int64_t cert, struct fault *f)
{
	return db_run(tx->db, f, "INSERT INTO tally (id, text, intent, cert, dead) VALUES (?1, ?2, ?3, ?4, 0)", "bbii",
		      slice_of(id, TALLY_ID), slice_of(text_sha256, 32), (int64_t)intent, cert);
}

/* The certificate's row is gone, and its number may be another's one day. */
enum err ledger_tally_dead(struct ledger_tx *tx, const uint8_t id[TALLY_ID], uint64_t outcome, struct fault *f)
{
	return db_run(tx->db, f, "UPDATE tally SET outcome = ?2, cert = NULL, dead = 1 WHERE id = ?1", "bi",
		      slice_of(id, TALLY_ID), (int64_t)outcome);
}

enum err ledger_withdraw(struct ledger_tx *tx, const uint8_t target[TALLY_ID], uint64_t entry, struct fault *f)
{
	return db_run(tx->db, f, "INSERT INTO withdrawn (id, entry) VALUES (?1, ?2)", "bi", slice_of(target, TALLY_ID),
		      (int64_t)entry);
}

enum err ledger_open_intent(struct db *db, uint64_t from, uint64_t *ret_intent, int64_t *ret_cert, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(db, f, &row,
		     "SELECT intent, id FROM certificate WHERE entry IS NULL AND intent >= ?1 ORDER BY intent LIMIT 1",
		     "i", (int64_t)from));
	TRY(db_next(row, &more, f));
	*ret_intent = more ? (uint64_t)db_i64(row, 0) : LEDGER_NONE;
	*ret_cert = more ? db_i64(row, 1) : 0;
	return OK;
}
