/*
 * Codes. A row is the newest code of its number and purpose: a new one takes the place of the old one, and using it
 * takes it out, so that it is used once whoever else comes at the same moment.
 */
#include "ra/store_code.h"

#include "common/base/cleanup.h"

#include <string.h>

#define DAY_S 86400
#define HOUR_S 3600

static void read_hash(struct db_row *row, int column, uint8_t ret[32])
{
	struct slice s = db_blob(row, column);
	if (s.n == 32)
		memcpy(ret, s.p, 32);
}

/* --- sends --- */

enum err store_send_add(struct db *db, const char *mobile, const char *address, int64_t now, struct fault *f)
{
	return db_run(db, f, "INSERT INTO sms_sends (at, mobile, address) VALUES (?1, ?2, ?3)", "itt", now, mobile,
		      address);
}

enum err store_sends(struct db *db, const char *mobile, const char *address, int64_t now, struct sends *ret,
		     struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *number = NULL, *from = NULL;
	TRY(db_one(db, f, &number,
		   "SELECT coalesce(max(at), 0), count(*), count(*) FILTER (WHERE at > ?4) FROM sms_sends"
		   " WHERE mobile = ?1 AND at > ?2 AND at < ?3",
		   "tiii", mobile, now - DAY_S, now + DAY_S, now - HOUR_S));
	TRY(db_one(db, f, &from, "SELECT count(*) FROM sms_sends WHERE address = ?1 AND at > ?2 AND at < ?3", "tii",
		   address, now - HOUR_S, now + DAY_S));
	*ret = (struct sends){db_i64(number, 0), db_i64(number, 1), db_i64(number, 2), db_i64(from, 0)};
	return OK;
}

/* --- codes --- */

enum err store_code_put(struct db *db, const char *mobile, const char *purpose, int64_t account,
			const struct sms_code *code, struct fault *f)
{
	TRY(db_run(db, f, "DELETE FROM sms_codes WHERE mobile = ?1 AND purpose = ?2 AND account = ?3", "tti", mobile,
		   purpose, account));
	return db_run(db, f,
		      "INSERT INTO sms_codes (mobile, purpose, account, hash, made, dies, tries)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
		      "ttibii", mobile, purpose, account, slice_of(code->hash, 32), code->made, code->dies);
}

enum err store_code_get(struct db *db, const char *mobile, const char *purpose, int64_t account, struct sms_code *ret,
			struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT id, made, dies, tries, hash FROM sms_codes WHERE mobile = ?1 AND purpose = ?2"
		   " AND account = ?3",
		   "tti", mobile, purpose, account));
	*ret = (struct sms_code){
		.id = db_i64(row, 0), .made = db_i64(row, 1), .dies = db_i64(row, 2), .tries = db_i64(row, 3)};
	read_hash(row, 4, ret->hash);
	return OK;
}

enum err store_code_tried(struct db *db, int64_t id, struct fault *f)
{
	return db_run(db, f, "UPDATE sms_codes SET tries = tries + 1 WHERE id = ?1", "i", id);
}

enum err store_code_take(struct db *db, int64_t id, bool *ret_there, struct fault *f)
{
	TRY(db_run(db, f, "DELETE FROM sms_codes WHERE id = ?1", "i", id));
	*ret_there = db_changes(db) == 1;
	return OK;
}

/* --- pictures --- */

enum err store_picture_put(struct db *db, const uint8_t id[PICTURE_ID], const uint8_t hash[32], int64_t now,
			   int64_t dies, struct fault *f)
{
	return db_run(db, f, "INSERT INTO pictures (id, hash, made, dies) VALUES (?1, ?2, ?3, ?4)", "bbii",
		      slice_of(id, PICTURE_ID), slice_of(hash, 32), now, dies);
}

enum err store_picture_take(struct db *db, const uint8_t id[PICTURE_ID], int64_t now, bool *ret_there,
			    uint8_t ret_hash[32], struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	TRY(db_query(db, f, &row, "SELECT hash, made <= ?2 AND dies > ?3 FROM pictures WHERE id = ?1", "bii",
		     slice_of(id, PICTURE_ID), now + 60, now));
	TRY(db_next(row, &more, f));
	*ret_there = more && db_i64(row, 1) != 0;
	if (*ret_there)
		read_hash(row, 0, ret_hash);
	db_row_done(TAKE(row));
	return db_run(db, f, "DELETE FROM pictures WHERE id = ?1", "b", slice_of(id, PICTURE_ID));
}

enum err store_pictures_trim(struct db *db, int64_t now, int64_t keep, struct fault *f)
{
	TRY(db_run(db, f, "DELETE FROM pictures WHERE dies <= ?1 OR made > ?2", "ii", now, now + DAY_S));
	return db_run(
		db, f,
		"DELETE FROM pictures WHERE id IN (SELECT id FROM pictures ORDER BY dies DESC LIMIT -1 OFFSET ?1)", "i",
		keep);
}

/* --- grants --- */

enum err store_grant_put(struct db *db, int64_t account, const struct grant *g, const char *who, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO grants (account, hash, made, dies, tries, who) VALUES (?1, ?2, ?3, ?4, 0, ?5)"
		      " ON CONFLICT (account) DO UPDATE SET hash = ?2, made = ?3, dies = ?4, tries = 0, who = ?5",
		      "ibiit", account, slice_of(g->hash, 32), g->made, g->dies, who);
}

enum err store_grant_get(struct db *db, int64_t account, struct grant *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT made, dies, tries, hash FROM grants WHERE account = ?1", "i", account));
	*ret = (struct grant){.made = db_i64(row, 0), .dies = db_i64(row, 1), .tries = db_i64(row, 2)};
	read_hash(row, 3, ret->hash);
	return OK;
}

enum err store_grant_tried(struct db *db, int64_t account, struct fault *f)
{
	return db_run(db, f, "UPDATE grants SET tries = tries + 1 WHERE account = ?1", "i", account);
}

enum err store_grant_end(struct db *db, int64_t account, struct fault *f)
{
	return db_run(db, f, "DELETE FROM grants WHERE account = ?1", "i", account);
}

enum err store_codes_purge(struct db *db, int64_t now, struct fault *f)
{
	TRY(db_run(db, f, "DELETE FROM sms_codes WHERE dies <= ?1", "i", now));
	TRY(db_run(db, f, "DELETE FROM grants WHERE dies <= ?1", "i", now));
	return db_run(db, f, "DELETE FROM sms_sends WHERE at <= ?1", "i", now - DAY_S);
}
