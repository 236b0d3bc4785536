/*
 * The certificate table. Serial numbers are stored as magnitude octets, as the ledger has them; the name that an old
 * system gives an issuer ("ZJCA OCA2") is compared with the issuer's common name.
 */
#include "ra/store_cert.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

void cert_body_done(struct cert_body *b)
{
	buf_done(&b->der);
	*b = (struct cert_body){0};
}

void intent_done(struct intent *i)
{
	buf_done(&i->tbs);
	buf_done(&i->note);
}

static struct slice serial_slice(const struct serial *s)
{
	return slice_of(s->b, s->n);
}

static void read_fixed(struct db_row *row, int column, uint8_t *ret, size_t n)
{
	struct slice b = db_blob(row, column);
	assert(b.n == n);
	memcpy(ret, b.p, n);
}

#define ROW                                                                                                            \
	"c.id, c.issuer, c.serial, c.state, c.reason, c.changed, c.not_before, c.not_after, c.successor,"              \
	" c.predecessor, c.account, coalesce(c.state_entry, -1)"
#define ROW_N 12

static void read_row(struct db_row *row, struct cert_row *ret)
{
	struct slice serial = db_blob(row, 2);
	*ret = (struct cert_row){.id = db_i64(row, 0)};
	read_fixed(row, 1, ret->ref.issuer_key_id, 20);
	assert(serial.n <= SERIAL_MAX);
	memcpy(ret->ref.serial.b, serial.p, serial.n);
	ret->ref.serial.n = serial.n;
	ret->state = (enum cert_state)db_i64(row, 3);
	ret->reason = (unsigned)db_i64(row, 4);
	ret->changed = db_i64(row, 5);
	ret->not_before = db_i64(row, 6);
	ret->not_after = db_i64(row, 7);
	ret->successor = db_i64(row, 8);
	ret->predecessor = db_i64(row, 9);
	ret->account = db_i64(row, 10);
	ret->state_entry = db_i64(row, 11);
}

enum err store_cert_by_id(struct db *db, int64_t id, struct cert_row *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " ROW " FROM certs c WHERE c.id = ?1", "i", id));
	read_row(row, ret);
	return OK;
}

enum err store_cert_by_ref(struct db *db, const struct cert_ref *ref, struct cert_row *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " ROW " FROM certs c WHERE c.serial = ?1 AND c.issuer = ?2", "bb",
		   serial_slice(&ref->serial), slice_of(ref->issuer_key_id, 20)));
	read_row(row, ret);
	return OK;
}

/* Reads up to max rows. */
static enum err read_rows(struct db_row *row, struct cert_row *ret, size_t max, size_t *ret_n, struct fault *f)
{
	size_t n = 0;
	while (n < max) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			break;
		read_row(row, &ret[n++]);
	}
	*ret_n = n;
	return OK;
}

enum err store_certs_with_identifier(struct db *db, const char *profile, const char *identifier, struct cert_row *ret,
				     size_t max, size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT " ROW " FROM cert_bodies b JOIN certs c ON c.id = b.id"
		     " WHERE b.identifier = ?2 AND b.identifier <> '' AND b.profile = ?1 ORDER BY c.id DESC LIMIT ?3",
		     "tti", profile, identifier, (int64_t)max));
	return read_rows(row, ret, max, ret_n, f);
}

enum err store_certs_last(struct db *db, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT ifnull(max(id), 0) FROM certs", ""));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_certs_each(struct db *db, int64_t after, int64_t limit,
			  void (*fn)(void *arg, const struct cert_row *row), void *arg, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	TRY(db_query(db, f, &row, "SELECT " ROW " FROM certs c WHERE c.id > ?1 ORDER BY c.id LIMIT ?2", "ii", after,
		     limit));
	for (;;) {
		struct cert_row r;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		read_row(row, &r);
		fn(arg, &r);
	}
}

enum err store_certs_of_identifier(struct db *db, const char *identifier, struct cert_owned *ret, size_t max,
				   size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	size_t n = 0;
	bool more = false;
	TRY(db_query(db, f, &row,
		     "SELECT b.id, c.account, b.project FROM cert_bodies b JOIN certs c ON c.id = b.id"
		     " WHERE b.identifier = ?1 AND b.identifier <> '' ORDER BY b.id DESC LIMIT ?2",
		     "ti", identifier, (int64_t)max));
	for (;;) {
		TRY(db_next(row, &more, f));
		if (!more)
			break;
		ret[n] = (struct cert_owned){.id = db_i64(row, 0), .account = db_i64(row, 1)};
		COLUMN(row, 2, ret[n].project);
		n++;
	}
	*ret_n = n;
	return OK;
}

/* --- prints: the first eight octets of the SHA-256 of each certificate, as a number. Whole hashes in an index would
 * make it four times as large for nothing: what a print finds is compared. --- */

static int64_t print_of(const uint8_t sha256[32])
{
	int64_t print;
	memcpy(&print, sha256, sizeof(print));
	return (int64_t)be64toh((uint64_t)print);
}

static enum err print_put(struct db *db, int64_t id, struct slice der, struct fault *f)
{
	uint8_t hash[32];
	sha256(der.p, der.n, hash);
	return db_run(db, f, "INSERT INTO cert_prints (print, cert) VALUES (?1, ?2) ON CONFLICT DO NOTHING", "ii",
		      print_of(hash), id);
}

enum err store_cert_by_hash(struct db *db, const uint8_t sha[32], int64_t *ret_id, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	TRY(db_query(db, f, &row,
		     "SELECT b.id, b.der FROM cert_prints p JOIN cert_bodies b ON b.id = p.cert WHERE p.print = ?1",
		     "i", print_of(sha)));
	TRY(db_next(row, &more, f));
	while (more) {
		struct slice der = db_blob(row, 1);
		uint8_t hash[32];
		sha256(der.p, der.n, hash);
		if (memcmp(hash, sha, 32) == 0) {
			*ret_id = db_i64(row, 0);
			return OK;
		}
		TRY(db_next(row, &more, f));
	}
	return fault_raise(f, ERR_NOT_FOUND, "certificate_unknown", "sha256", "no certificate has this hash");
}

#define HEAD_PRINTS "prints_missing" /* set by the migration: ids up to here have none */

static enum err complete_prints(struct db *db, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	int64_t last = 0;
	bool more = false;
	TRY(store_head(db, HEAD_PRINTS, &last, f));
	if (last == 0)
		return OK;
	TRY(db_query(db, f, &row, "SELECT id, der FROM cert_bodies WHERE id <= ?1 ORDER BY id", "i", last));
	TRY(db_next(row, &more, f));
	while (more) {
		TRY(print_put(db, db_i64(row, 0), db_blob(row, 1), f));
		TRY(db_next(row, &more, f));
	}
	return store_head_set(db, HEAD_PRINTS, 0, f);
}

enum err store_cert_prints_complete(struct store *s, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(s, &db, f));
	return store_end(s, db, complete_prints(db, f), f);
}

static int by_id(const void *a, const void *b)
{
	const struct cert_row *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* One or two rows nearly always. SQLite would make a table to bring them into that order; an index has them by issuer. */
enum err store_certs_by_serial(struct db *db, const struct serial *serial, struct cert_row *ret, size_t max,
			       size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row, "SELECT " ROW " FROM certs c WHERE c.serial = ?1 ORDER BY c.issuer LIMIT ?2", "bi",
		     serial_slice(serial), (int64_t)max));
	TRY(read_rows(row, ret, max, ret_n, f));
	qsort(ret, *ret_n, sizeof(*ret), by_id);
	return OK;
}

enum err store_cert_body(struct db *db, int64_t id, struct cert_body *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT der, name, issuer_name, key_sha256, renewals, adopted, weak, project, profile, tally, entry,"
		   " identifier FROM cert_bodies WHERE id = ?1",
		   "i", id));
	buf_add_slice(&ret->der, db_blob(row, 0));
	COLUMN(row, 1, ret->name);
	COLUMN(row, 2, ret->issuer_name);
	read_fixed(row, 3, ret->key_sha256, 32);
	ret->renewals = db_i64(row, 4);
	ret->adopted = db_i64(row, 5) != 0;
	ret->weak = db_i64(row, 6) != 0;
	COLUMN(row, 7, ret->project);
	COLUMN(row, 8, ret->profile);
	COLUMN(row, 9, ret->tally);
	ret->entry = db_i64(row, 10);
	COLUMN(row, 11, ret->identifier);
	return OK;
}

enum err store_cert_line(struct db *db, const struct cert_ref *ref, struct cert_line *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT c.id, c.account, b.renewals, b.key_sha256 FROM certs c JOIN cert_bodies b ON b.id = c.id"
		   " WHERE c.serial = ?1 AND c.issuer = ?2",
		   "bb", serial_slice(&ref->serial), slice_of(ref->issuer_key_id, 20)));
	*ret = (struct cert_line){.id = db_i64(row, 0), .account = db_i64(row, 1), .renewals = db_i64(row, 2)};
	read_fixed(row, 3, ret->key_sha256, 32);
	return OK;
}

/* 0 stands for none: NULLIF makes it null. */
enum err store_cert_row_add(struct db *db, const struct cert_row *row, int64_t *ret_id, struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT INTO certs (issuer, serial, state, reason, changed, not_before, not_after, successor,"
		   " predecessor, account)"
		   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, NULLIF(?8, 0), NULLIF(?9, 0))",
		   "bbiiiiiii", slice_of(row->ref.issuer_key_id, 20), serial_slice(&row->ref.serial),
		   (int64_t)row->state, (int64_t)row->reason, row->changed, row->not_before, row->not_after,
		   row->predecessor, row->account));
	*ret_id = db_last_id(db);
	return OK;
}

enum err store_cert_add(struct db *db, const struct cert_row *row, const struct cert_body *body, int64_t *ret_id,
			bool *ret_added, struct fault *f)
{
	struct cert_row there;
	enum err e = store_cert_by_ref(db, &row->ref, &there, f);
	*ret_added = e == ERR_NOT_FOUND;
	if (e == OK)
		*ret_id = there.id;
	if (e != ERR_NOT_FOUND)
		return e;
	TRY(store_cert_row_add(db, row, ret_id, f));
	TRY(print_put(db, *ret_id, buf_slice(&body->der), f));
	return db_run(db, f,
		      "INSERT INTO cert_bodies (id, der, name, issuer_name, key_sha256, renewals, adopted, weak,"
		      " project, profile, tally, entry, identifier)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		      "ibttbiiitttit", *ret_id, buf_slice(&body->der), body->name, body->issuer_name,
		      slice_of(body->key_sha256, 32), body->renewals, (int64_t)body->adopted, (int64_t)body->weak,
		      body->project, body->profile, body->tally, body->entry, body->identifier);
}

enum err store_cert_status(struct db *db, int64_t id, enum cert_state state, unsigned reason, int64_t changed,
			   int64_t entry, struct fault *f)
{
	return db_run(db, f, "UPDATE certs SET state = ?2, reason = ?3, changed = ?4, state_entry = ?5 WHERE id = ?1",
		      "iiiii", id, (int64_t)state, (int64_t)reason, changed, entry);
}

enum err store_certs_held(struct db *db, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT n FROM held_count", ""));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_cert_successor(struct db *db, int64_t id, int64_t successor, struct fault *f)
{
	TRY(db_run(db, f, "UPDATE certs SET successor = ?2 WHERE id = ?1", "ii", id, successor));
	/* What was bought for the line of certificates goes on with its newest. One row at a time: a walk through an index that
	 * changes meanwhile would have SQLite keep a list first. */
	do
		TRY(db_run(db, f,
			   "UPDATE services SET cert = ?2 WHERE id = (SELECT id FROM services WHERE cert = ?1 LIMIT 1)",
			   "ii", id, successor));
	while (db_changes(db) > 0 && id != successor);
	return OK;
}

enum err store_certs_of(struct db *db, int64_t account, const char *search, int64_t limit, int64_t offset,
			void (*fn)(void *arg, const struct cert_item *item), void *arg, int64_t *ret_total,
			struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *count = NULL, *row = NULL;
	bool more = false;
	TRY(db_one(db, f, &count,
		   "SELECT count(*) FROM certs c JOIN cert_bodies b ON b.id = c.id"
		   " WHERE c.account = ?1 AND (?2 = '' OR instr(b.name, ?2) > 0)",
		   "it", account, search));
	*ret_total = db_i64(count, 0);
	TRY(db_query(db, f, &row,
		     "SELECT " ROW ", b.name, b.issuer_name, b.project, b.profile FROM certs c"
		     " JOIN cert_bodies b ON b.id = c.id"
		     " WHERE c.account = ?1 AND (?2 = '' OR instr(b.name, ?2) > 0)"
		     " ORDER BY c.id DESC LIMIT ?3 OFFSET ?4",
		     "itii", account, search, limit, offset));
	for (;;) {
		struct cert_item item;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		read_row(row, &item.row);
		COLUMN(row, ROW_N, item.name);
		COLUMN(row, ROW_N + 1, item.issuer_name);
		COLUMN(row, ROW_N + 2, item.project);
		COLUMN(row, ROW_N + 3, item.profile);
		fn(arg, &item);
	}
}

/* --- claims --- */

enum err store_claim(struct db *db, const struct serial *serial, const char *issuer_name, int64_t account,
		     int64_t *ret_owner, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_run(db, f,
		   "INSERT INTO claims (serial, issuer_name, account) VALUES (?1, ?2, ?3)"
		   " ON CONFLICT (serial, issuer_name) DO NOTHING",
		   "bti", serial_slice(serial), issuer_name, account));
	TRY(db_one(db, f, &row, "SELECT account FROM claims WHERE serial = ?1 AND issuer_name = ?2", "bt",
		   serial_slice(serial), issuer_name));
	*ret_owner = db_i64(row, 0);
	return OK;
}

enum err store_claims_resolve(struct db *db, const struct serial *serial, struct fault *f)
{
	TRY(db_run(db, f,
		   "UPDATE certs SET account ="
		   " (SELECT k.account FROM claims k JOIN cert_bodies b ON b.id = certs.id"
		   "  WHERE k.serial = certs.serial AND k.issuer_name = b.issuer_name)"
		   " WHERE serial = ?1 AND account IS NULL",
		   "b", serial_slice(serial)));
	return db_run(db, f,
		      "UPDATE services SET cert ="
		      " (SELECT c.id FROM certs c JOIN cert_bodies b ON b.id = c.id"
		      "  WHERE c.serial = services.serial AND b.issuer_name = services.issuer_name"
		      "  AND c.account = services.account)"
		      " WHERE serial = ?1 AND cert IS NULL",
		      "b", serial_slice(serial));
}

/* --- intents and adoptions --- */

enum err store_intent_put(struct db *db, int64_t entry, const uint8_t issuer[20], const uint8_t tally[TALLY_ID],
			  struct slice tbs, struct slice note, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO intents (entry, issuer, tally, tbs, note) VALUES (?1, ?2, ?3, ?4, ?5)"
		      " ON CONFLICT (entry) DO NOTHING",
		      "ibbbb", entry, slice_of(issuer, 20), slice_of(tally, TALLY_ID), tbs, note);
}

enum err store_intent_get(struct db *db, int64_t entry, struct intent *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT issuer, tally, tbs, note FROM intents WHERE entry = ?1", "i", entry));
	read_fixed(row, 0, ret->issuer, 20);
	read_fixed(row, 1, ret->tally, TALLY_ID);
	buf_add_slice(&ret->tbs, db_blob(row, 2));
	buf_add_slice(&ret->note, db_blob(row, 3));
	return OK;
}

enum err store_intent_drop(struct db *db, int64_t entry, struct fault *f)
{
	return db_run(db, f, "DELETE FROM intents WHERE entry = ?1", "i", entry);
}

enum err store_followed_forget(struct db *db, struct fault *f)
{
	TRY(db_run(db, f, "DELETE FROM intents", ""));
	return db_run(db, f, "DELETE FROM adoptions", "");
}

enum err store_adoption_put(struct db *db, int64_t entry, const char *project, const char *profile, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO adoptions (entry, project, profile) VALUES (?1, ?2, ?3)"
		      " ON CONFLICT (entry) DO NOTHING",
		      "itt", entry, project, profile);
}

enum err store_adoption_get(struct db *db, int64_t entry, char ret_project[TALLY_WORD], char ret_profile[TALLY_WORD],
			    struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	ret_project[0] = ret_profile[0] = '\0';
	TRY(db_query(db, f, &row, "SELECT project, profile FROM adoptions WHERE entry = ?1", "i", entry));
	TRY(db_next(row, &more, f));
	if (more) {
		column_copy(row, 0, ret_project, TALLY_WORD);
		column_copy(row, 1, ret_profile, TALLY_WORD);
	}
	return OK;
}
