/*
 * Heads of the roster's and the policy's chains, policy files by hash, adoptions under way, and the last CRL of each
 * scope.
 */
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"

#include <string.h>

static void copy_hash(uint8_t ret[32], struct slice s)
{
	if (s.n == 32)
		memcpy(ret, s.p, 32);
}

enum err ledger_head(struct db *db, enum ledger_head which, struct head *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	*ret = (struct head){0};
	TRY(db_query(db, f, &row, "SELECT version, entry, sha256 FROM head WHERE which = ?1", "i", (int64_t)which));
	TRY(db_next(row, &more, f));
	if (!more)
		return OK;
	ret->version = (uint64_t)db_i64(row, 0);
	ret->entry = (uint64_t)db_i64(row, 1);
	copy_hash(ret->sha256, db_blob(row, 2));
	return OK;
}

enum err ledger_tx_heads(struct ledger_tx *tx, uint64_t *ret_roster, uint64_t *ret_policy, struct fault *f)
{
	struct head roster, policy;
	if (!tx->heads_read) {
		TRY(ledger_head(tx->db, HEAD_ROSTER, &roster, f));
		TRY(ledger_head(tx->db, HEAD_POLICY, &policy, f));
		tx->roster = roster.entry;
		tx->policy = policy.entry;
		tx->heads_read = true;
	}
	*ret_roster = tx->roster;
	*ret_policy = tx->policy;
	return OK;
}

enum err ledger_head_set(struct ledger_tx *tx, enum ledger_head which, const struct head *head, struct fault *f)
{
	tx->heads_read = false;
	if (which == HEAD_POLICY)
		TRY(db_run(tx->db, f,
			   "INSERT OR REPLACE INTO head (which, version, entry, sha256) SELECT ?2, version, entry, "
			   "sha256 FROM head WHERE which = ?1",
			   "ii", (int64_t)HEAD_POLICY, (int64_t)HEAD_POLICY_BEFORE));
	return db_run(tx->db, f, "INSERT OR REPLACE INTO head (which, version, entry, sha256) VALUES (?1, ?2, ?3, ?4)",
		      "iiib", (int64_t)which, (int64_t)head->version, (int64_t)head->entry, slice_of(head->sha256, 32));
}

enum err ledger_file_add(struct ledger_tx *tx, const uint8_t sha256[32], struct slice bytes, struct fault *f)
{
	return db_run(tx->db, f, "INSERT INTO policy_file (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING", "bb",
		      slice_of(sha256, 32), slice_of(bytes.p ? bytes.p : (const uint8_t *)"", bytes.n));
}

enum err ledger_file(struct db *db, const uint8_t sha256[32], struct buf *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT bytes FROM policy_file WHERE sha256 = ?1", "b", slice_of(sha256, 32)));
	buf_add_slice(ret, db_blob(row, 0));
	return OK;
}

enum err ledger_adoption(struct db *db, const uint8_t id[TALLY_ID], struct ledger_adoption *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	*ret = (struct ledger_adoption){.entry = LEDGER_NONE};
	TRY(db_query(db, f, &row, "SELECT entry, sha256, taken FROM adoption WHERE id = ?1", "b",
		     slice_of(id, TALLY_ID)));
	TRY(db_next(row, &more, f));
	if (!more)
		return OK;
	ret->entry = (uint64_t)db_i64(row, 0);
	copy_hash(ret->sha256, db_blob(row, 1));
	ret->taken = (uint64_t)db_i64(row, 2);
	return OK;
}

enum err ledger_adoption_set(struct ledger_tx *tx, const uint8_t id[TALLY_ID], const struct ledger_adoption *a,
			     struct fault *f)
{
	return db_run(tx->db, f, "INSERT OR REPLACE INTO adoption (id, entry, sha256, taken) VALUES (?1, ?2, ?3, ?4)",
		      "bibi", slice_of(id, TALLY_ID), (int64_t)a->entry, slice_of(a->sha256, 32), (int64_t)a->taken);
}

enum err ledger_crl(struct db *db, const uint8_t issuer[20], uint32_t scope, struct ledger_crl *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	*ret = (struct ledger_crl){.changed = LEDGER_NONE};
	TRY(db_query(db, f, &row,
		     "SELECT number, this_update, next_update, upto, changed, sha256 FROM crl WHERE issuer = ?2 AND "
		     "scope = ?1",
		     "ib", (int64_t)scope, slice_of(issuer, 20)));
	TRY(db_next(row, &more, f));
	if (!more)
		return OK;
	ret->number = (uint64_t)db_i64(row, 0);
	TRY(column_time(row, 1, &ret->this_update, f));
	TRY(column_time(row, 2, &ret->next_update, f));
	ret->upto = (uint64_t)db_i64(row, 3);
	ret->changed = column_index(row, 4);
	copy_hash(ret->sha256, db_blob(row, 5));
	return OK;
}

/* `changed` is the revocations' column: one that came while this CRL was made must not be forgotten. */
enum err ledger_crl_set(struct ledger_tx *tx, const uint8_t issuer[20], uint32_t scope, const struct ledger_crl *c,
			struct fault *f)
{
	return db_run(tx->db, f,
		      "INSERT INTO crl (issuer, scope, number, this_update, next_update, upto, sha256) VALUES (?7, ?1, "
		      "?2, ?3, ?4, ?5, ?6)"
		      " ON CONFLICT (issuer, scope) DO UPDATE SET number = excluded.number, this_update = "
		      "excluded.this_update,"
		      " next_update = excluded.next_update, upto = excluded.upto, sha256 = excluded.sha256",
		      "iiiiibb", (int64_t)scope, (int64_t)c->number, c->this_update, c->next_update, (int64_t)c->upto,
		      slice_of(c->sha256, 32), slice_of(issuer, 20));
}

struct ledger_revoked {
	struct db_row *row;
};

enum err ledger_revoked(struct db *db, const uint8_t issuer[20], uint32_t scope, int64_t since,
			struct ledger_revoked **ret, struct fault *f)
{
	_cleanup_(ledger_revoked_donep) struct ledger_revoked *r = xcalloc(1, sizeof(*r));
	if (scope == WIRE_FULL_CRL)
		TRY(db_query(db, f, &r->row,
			     "SELECT serial, at, reason FROM revocation WHERE issuer = (SELECT id FROM issuer WHERE "
			     "key_id = ?2) AND keep_until > ?1 ORDER BY serial",
			     "ib", since + LEDGER_KEEP_AFTER_END, slice_of(issuer, 20)));
	else
		TRY(db_query(db, f, &r->row,
			     "SELECT serial, at, reason FROM revocation WHERE issuer = (SELECT id FROM issuer WHERE "
			     "key_id = ?3) AND shard = ?2 AND keep_until > ?1 ORDER BY serial",
			     "iib", since + LEDGER_KEEP_AFTER_END, (int64_t)scope, slice_of(issuer, 20)));
	*ret = TAKE(r);
	return OK;
}

enum err ledger_revoked_next(struct ledger_revoked *r, struct serial *ret, int64_t *ret_when, unsigned *ret_reason,
			     bool *ret_more, struct fault *f)
{
	TRY(db_next(r->row, ret_more, f));
	if (!*ret_more)
		return OK;
	struct slice s = db_blob(r->row, 0);
	*ret = (struct serial){.n = s.n <= SERIAL_MAX ? s.n : SERIAL_MAX};
	if (ret->n > 0)
		memcpy(ret->b, s.p, ret->n);
	*ret_reason = (unsigned)db_i64(r->row, 2);
	return column_time(r->row, 1, ret_when, f);
}

void ledger_revoked_done(struct ledger_revoked *r)
{
	db_row_donep(&r->row);
	free(r);
}
