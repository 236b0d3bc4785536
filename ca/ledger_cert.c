/*
 * Certificates, as far as decisions need them: one narrow row each, and a status row for those that are not plainly
 * good. The certificate's bytes stay in its entries.
 *
 * A row appears with the intent, so that the serial, the identifier and the predecessor are taken from that moment on;
 * it counts as a certificate when its outcome is there, and goes again when the intent is given up.
 */
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"

#include <string.h>

#define CERT_COLUMNS                                                                                                   \
	"c.id, i.key_id, c.serial, c.intent, c.entry, c.not_before, c.not_after, c.project, c.profile, c.line, "       \
	"c.root, c.key, c.renewals,"                                                                                   \
	" c.shard, c.adopted, c.weak, s.state, s.reason, s.at, s.entry, s.successor, n.entry"
#define CERT_TABLES                                                                                                    \
	" FROM certificate c JOIN issuer i ON i.id = c.issuer LEFT JOIN status s ON s.cert = c.id LEFT JOIN "          \
	"certificate n ON n.id = s.successor"

static void copy_word(char ret[TALLY_WORD], const char *text)
{
	size_t n = text ? strnlen(text, TALLY_WORD - 1) : 0;
	memcpy(ret, text ? text : "", n);
	ret[n] = '\0';
}

static void copy_fixed(uint8_t *ret, size_t n, struct slice s)
{
	if (s.n == n)
		memcpy(ret, s.p, n);
}

static void read_serial(struct slice s, struct serial *ret)
{
	*ret = (struct serial){0};
	ret->n = s.n <= SERIAL_MAX ? s.n : SERIAL_MAX;
	if (ret->n > 0)
		memcpy(ret->b, s.p, ret->n);
}

static enum err read_status(struct db_row *row, int column, struct ledger_cert *c, struct fault *f)
{
	c->state = (enum cert_state)db_i64(row, column); /* null reads as 0: good */
	c->reason = (unsigned)db_i64(row, column + 1);
	c->state_entry = column_index(row, column + 3);
	c->successor = db_i64(row, column + 4);
	c->successor_open = c->successor != 0 && db_is_null(row, column + 5);
	return column_time(row, column + 2, &c->when, f);
}

static enum err read_cert(struct db_row *row, struct ledger_cert *c, struct fault *f)
{
	*c = (struct ledger_cert){.id = db_i64(row, 0)};
	copy_fixed(c->ref.issuer_key_id, 20, db_blob(row, 1));
	read_serial(db_blob(row, 2), &c->ref.serial);
	c->intent = column_index(row, 3);
	c->entry = column_index(row, 4);
	TRY(column_time(row, 5, &c->not_before, f));
	TRY(column_time(row, 6, &c->not_after, f));
	copy_word(c->project, db_text(row, 7));
	copy_word(c->profile, db_text(row, 8));
	c->line = db_i64(row, 9);
	c->root = db_i64(row, 10);
	copy_fixed(c->key, 32, db_blob(row, 11));
	c->renewals = (unsigned)db_i64(row, 12);
	c->shard = (unsigned)db_i64(row, 13);
	c->adopted = db_i64(row, 14) != 0;
	c->weak = db_i64(row, 15) != 0;
	return read_status(row, 16, c, f);
}

static enum err one_cert(struct db_row *row, struct ledger_cert *ret, struct fault *f)
{
	bool more;
	TRY(db_next(row, &more, f));
	if (!more)
		return fault_raise(f, ERR_NOT_FOUND, "cert_unknown", "ledger.certificate",
				   "the ledger has no such certificate");
	return read_cert(row, ret, f);
}

enum err ledger_cert(struct db *db, const struct cert_ref *ref, struct ledger_cert *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row, "SELECT " CERT_COLUMNS CERT_TABLES " WHERE i.key_id = ?1 AND c.serial = ?2", "bb",
		     slice_of(ref->issuer_key_id, 20), slice_of(ref->serial.b, ref->serial.n)));
	return one_cert(row, ret, f);
}

enum err ledger_cert_by_id(struct db *db, int64_t id, struct ledger_cert *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row, "SELECT " CERT_COLUMNS CERT_TABLES " WHERE c.id = ?1", "i", id));
	return one_cert(row, ret, f);
}

enum err ledger_cert_refresh(struct db *db, struct ledger_cert *c, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(
		db, f, &row,
		"SELECT s.state, s.reason, s.at, s.entry, s.successor, n.entry FROM status s LEFT JOIN certificate n"
		" ON n.id = s.successor WHERE s.cert = ?1",
		"i", c->id));
	TRY(db_next(row, &more, f));
	c->state = CERT_GOOD;
	c->reason = 0;
	c->when = c->successor = 0;
	c->state_entry = LEDGER_NONE;
	c->successor_open = false;
	if (more)
		return read_status(row, 0, c, f);
	return OK;
}

static enum err collect_ids(struct db_row *row, int64_t ret_ids[LEDGER_PAGE], size_t *ret_n, struct fault *f)
{
	bool more;
	size_t n = 0;
	TRY(db_next(row, &more, f));
	while (more) {
		ret_ids[n++] = db_i64(row, 0);
		TRY(db_next(row, &more, f));
	}
	*ret_n = n;
	return OK;
}

enum err ledger_certs_in_line(struct db *db, int64_t line, int64_t below, int64_t ret_ids[LEDGER_PAGE], size_t *ret_n,
			      struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row, "SELECT id FROM certificate WHERE line = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
		     "iii", line, below, (int64_t)LEDGER_PAGE));
	return collect_ids(row, ret_ids, ret_n, f);
}

enum err ledger_certs_with_key(struct db *db, const uint8_t key[32], int64_t below, int64_t ret_ids[LEDGER_PAGE],
			       size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT id FROM certificate WHERE key64 = ?1 AND key = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4",
		     "ibii", hash_64(key), slice_of(key, 32), below, (int64_t)LEDGER_PAGE));
	return collect_ids(row, ret_ids, ret_n, f);
}

enum err ledger_key_ended(struct db *db, const uint8_t key[32], unsigned reason, bool *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT EXISTS (SELECT 1 FROM certificate c JOIN status s ON s.cert = c.id"
		   " WHERE c.key64 = ?1 AND c.key = ?2 AND s.state IN (?3, ?4) AND s.reason = ?5)",
		   "ibiii", hash_64(key), slice_of(key, 32), (int64_t)CERT_REVOKED, (int64_t)CERT_ENDED,
		   (int64_t)reason));
	*ret = db_i64(row, 0) != 0;
	return OK;
}

/* In the order of the primary key: a page ends as soon as it is full, and no index grows with every issue. */
enum err ledger_certs_ended(struct db *db, int64_t above, int64_t ret_ids[LEDGER_PAGE], size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(
		db, f, &row,
		"SELECT s.cert FROM status s JOIN certificate c ON c.id = s.cert WHERE s.cert > ?1 AND s.state = ?2"
		" AND c.adopted = 1 ORDER BY s.cert LIMIT ?3",
		"iii", above, (int64_t)CERT_ENDED, (int64_t)LEDGER_PAGE));
	return collect_ids(row, ret_ids, ret_n, f);
}

int64_t ledger_line_hash(const char *profile, const char *identifier)
{
	_cleanup_buf_ struct buf b = {0};
	uint8_t hash[32];
	buf_add(&b, profile, strlen(profile) + 1);
	buf_str(&b, identifier);
	sha256(b.data, b.len, hash);
	return hash_64(hash);
}

enum err ledger_last_serial(struct db *db, const uint8_t issuer[20], struct serial *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(db, f, &row,
		     "SELECT serial FROM certificate WHERE issuer = (SELECT id FROM issuer WHERE key_id = ?1) ORDER BY "
		     "serial DESC LIMIT 1",
		     "b", slice_of(issuer, 20)));
	TRY(db_next(row, &more, f));
	*ret = (struct serial){0};
	if (more)
		read_serial(db_blob(row, 0), ret);
	return OK;
}

enum err ledger_has_issued(struct db *db, bool *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT EXISTS (SELECT 1 FROM certificate WHERE adopted = 0 AND profile <> 'responder')", ""));
	*ret = db_i64(row, 0) != 0;
	return OK;
}

enum err ledger_has_profile(struct db *db, const char *profile, bool *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT EXISTS (SELECT 1 FROM certificate WHERE profile = ?1)", "t", profile));
	*ret = db_i64(row, 0) != 0;
	return OK;
}

enum err ledger_lives_in(struct db *db, const char *project, const char *profile, int64_t now, bool *ret,
			 struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT EXISTS (SELECT 1 FROM certificate c LEFT JOIN status s ON s.cert = c.id WHERE c.project = ?1"
		   " AND c.profile = ?2 AND c.not_after >= ?3 AND coalesce(s.state, 0) NOT IN (?4, ?5))",
		   "ttiii", project, profile, now, (int64_t)CERT_REVOKED, (int64_t)CERT_ENDED));
	*ret = db_i64(row, 0) != 0;
	return OK;
}

/* No CA adopts its own: the first certificate says it for all of an issuer. */
enum err ledger_issuers(struct db *db, uint8_t (*ret)[20], size_t most, size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(
		db, f, &row,
		"SELECT key_id FROM issuer WHERE (SELECT adopted FROM certificate WHERE issuer = issuer.id LIMIT 1) "
		"= 0 ORDER BY id LIMIT ?1",
		"i", (int64_t)most));
	TRY(db_next(row, &more, f));
	for (*ret_n = 0; more; ++*ret_n) {
		copy_fixed(ret[*ret_n], 20, db_blob(row, 0));
		TRY(db_next(row, &more, f));
	}
	return OK;
}

enum err ledger_cert_add(struct ledger_tx *tx, struct ledger_cert *c, struct fault *f)
{
	if (memcmp(tx->issuer, c->ref.issuer_key_id, 20) != 0) {
		TRY(db_run(tx->db, f, "INSERT INTO issuer (key_id) VALUES (?1) ON CONFLICT DO NOTHING", "b",
			   slice_of(c->ref.issuer_key_id, 20)));
		memcpy(tx->issuer, c->ref.issuer_key_id, 20);
	}
	TRY(db_run(tx->db, f,
		   "INSERT INTO certificate (issuer, serial, intent, entry, not_before, not_after, project, profile, "
		   "line, key64, key, root,"
		   " renewals, shard, adopted, weak) VALUES ((SELECT id FROM issuer WHERE key_id = ?1), ?2, iif(?3 < "
		   "0, NULL, ?3),"
		   " iif(?4 < 0, NULL, ?4), ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
		   "bbiiiittiibiiiii", slice_of(c->ref.issuer_key_id, 20), slice_of(c->ref.serial.b, c->ref.serial.n),
		   (int64_t)c->intent, (int64_t)c->entry, c->not_before, c->not_after, c->project, c->profile, c->line,
		   hash_64(c->key), slice_of(c->key, 32), c->root, (int64_t)c->renewals, (int64_t)c->shard,
		   (int64_t)c->adopted, (int64_t)c->weak));
	c->id = db_last_id(tx->db);
	if (c->root != 0)
		return OK;
	c->root = c->id;
	return db_run(tx->db, f, "UPDATE certificate SET root = id WHERE id = ?1", "i", c->id);
}

enum err ledger_cert_issued(struct ledger_tx *tx, int64_t id, uint64_t entry, struct fault *f)
{
	return db_run(tx->db, f, "UPDATE certificate SET entry = ?2 WHERE id = ?1", "ii", id, (int64_t)entry);
}

/* The link first: it is asked of the row whether it is still only intended. */
enum err ledger_cert_drop(struct ledger_tx *tx, int64_t id, struct fault *f)
{
	TRY(db_run(
		tx->db, f,
		"UPDATE status SET successor = NULL, due = NULL, due_reason = NULL, due_cause = NULL, due_tally = NULL"
		" WHERE successor = ?1 AND EXISTS (SELECT 1 FROM certificate WHERE id = ?1 AND entry IS NULL)",
		"i", id));
	return db_run(tx->db, f, "DELETE FROM certificate WHERE id = ?1 AND entry IS NULL", "i", id);
}

#define STATUS_ROW "INSERT INTO status (cert, state, reason, at) VALUES (?1, 0, 0, 0) ON CONFLICT DO NOTHING"

enum err ledger_succeed(struct ledger_tx *tx, int64_t predecessor, int64_t successor, const struct ledger_fate *fate,
			struct fault *f)
{
	if (!fate->revoke)
		return db_run(tx->db, f,
			      "INSERT INTO status (cert, state, reason, at, successor) VALUES (?1, 0, 0, 0, ?2)"
			      " ON CONFLICT (cert) DO UPDATE SET successor = excluded.successor",
			      "ii", predecessor, successor);
	TRY(db_run(tx->db, f, STATUS_ROW, "i", predecessor));
	return db_run(tx->db, f,
		      "UPDATE status SET successor = ?2, due = ?3, due_reason = ?4, due_cause = ?5, due_tally = ?6 "
		      "WHERE cert = ?1",
		      "iiiiib", predecessor, successor, fate->when, (int64_t)fate->reason, (int64_t)fate->cause,
		      slice_of(fate->tally, TALLY_ID));
}

enum err ledger_predecessor(struct db *db, int64_t id, int64_t *ret_id, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(db, f, &row, "SELECT cert FROM status WHERE successor = ?1", "i", id));
	TRY(db_next(row, &more, f));
	*ret_id = more ? db_i64(row, 0) : 0;
	return OK;
}

static enum err set_revocation(struct ledger_tx *tx, const struct ledger_cert *c, enum cert_state state,
			       unsigned reason, int64_t when, uint64_t entry, struct fault *f)
{
	struct slice serial = slice_of(c->ref.serial.b, c->ref.serial.n), issuer = slice_of(c->ref.issuer_key_id, 20);
	int64_t end = c->not_after > when ? c->not_after : when;
	if (state == CERT_HELD || state == CERT_REVOKED)
		TRY(db_run(tx->db, f,
			   "INSERT INTO revocation (issuer, serial, shard, at, reason, keep_until) VALUES ((SELECT id "
			   "FROM "
			   "issuer WHERE key_id = ?6), ?1, ?2, ?3, ?4, ?5)"
			   " ON CONFLICT (issuer, serial) DO UPDATE SET at = excluded.at, reason = excluded.reason, "
			   "keep_until "
			   "= excluded.keep_until",
			   "biiiib", serial, (int64_t)c->shard, when, (int64_t)reason, end + LEDGER_KEEP_AFTER_END,
			   issuer));
	else
		TRY(db_run(tx->db, f,
			   "DELETE FROM revocation WHERE issuer = (SELECT id FROM issuer WHERE key_id = ?2) AND serial "
			   "= ?1",
			   "bb", serial, issuer));
	return db_run(tx->db, f, "UPDATE crl SET changed = ?3 WHERE issuer = ?4 AND scope IN (?1, ?2)", "iiib",
		      (int64_t)c->shard, (int64_t)WIRE_FULL_CRL, (int64_t)entry, issuer);
}

enum err ledger_set_state(struct ledger_tx *tx, const struct ledger_cert *c, enum cert_state state, unsigned reason,
			  int64_t when, uint64_t entry, struct fault *f)
{
	TRY(db_run(tx->db, f, STATUS_ROW, "i", c->id));
	TRY(db_run(tx->db, f, "UPDATE status SET state = ?2, reason = ?3, at = ?4, entry = ?5 WHERE cert = ?1", "iiiii",
		   c->id, (int64_t)state, (int64_t)reason, when, (int64_t)entry));
	if (state == CERT_REVOKED || state == CERT_ENDED)
		TRY(db_run(tx->db, f,
			   "UPDATE status SET due = NULL, due_reason = NULL, due_cause = NULL, due_tally = NULL WHERE "
			   "cert = ?1",
			   "i", c->id));
	return c->adopted ? OK : set_revocation(tx, c, state, reason, when, entry, f);
}

static enum err read_due(struct db_row *row, int64_t *ret_id, struct ledger_fate *ret, struct fault *f)
{
	bool more;
	TRY(db_next(row, &more, f));
	*ret_id = 0;
	if (!more)
		return OK;
	*ret_id = db_i64(row, 0);
	*ret = (struct ledger_fate){.revoke = true, .reason = (unsigned)db_i64(row, 2), .cause = column_index(row, 3)};
	copy_fixed(ret->tally, TALLY_ID, db_blob(row, 4));
	return column_time(row, 1, &ret->when, f);
}

enum err ledger_due(struct db *db, int64_t now, int64_t predecessor, int64_t *ret_id, struct ledger_fate *ret,
		    struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	if (predecessor != 0) {
		TRY(db_query(db, f, &row,
			     "SELECT s.cert, s.due, s.due_reason, s.due_cause, s.due_tally FROM status s JOIN "
			     "certificate n ON n.id = s.successor"
			     " WHERE s.cert = ?2 AND s.due <= ?1 AND n.entry IS NOT NULL",
			     "ii", now, predecessor));
		return read_due(row, ret_id, ret, f);
	}
	TRY(db_query(db, f, &row,
		     "SELECT s.cert, s.due, s.due_reason, s.due_cause, s.due_tally FROM status s JOIN certificate n ON "
		     "n.id = s.successor"
		     " WHERE s.due <= ?1 AND n.entry IS NOT NULL ORDER BY s.due LIMIT 1",
		     "i", now));
	return read_due(row, ret_id, ret, f);
}
