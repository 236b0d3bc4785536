/*
 * The outbox. A row is added in the transaction of what it tells of, and keeps its text, sealed, until it is sent or dead.
 * A lease is no state of its own: a message that somebody is sending is one that waits for the end of that lease.
 */
#include "ra/store_outbox.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"

void message_done(struct message *m)
{
	buf_done(&m->sealed);
	*m = (struct message){0};
}

enum err store_message_add(struct db *db, const struct message *m, struct fault *f)
{
	return db_run(
		db, f,
		"INSERT INTO outbox (id, channel, recipient, template, sealed, state, made, dies, tries, next_at,"
		" error, account, urgent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, '', NULLIF(?10, 0), ?11)",
		"ttttbtiiiii", m->id, m->channel, m->recipient, m->template, buf_slice(&m->sealed), m->state, m->made,
		m->dies, m->next_at, m->account, (int64_t)m->urgent);
}

#define HEAD                                                                                                           \
	"o.id, o.channel, o.recipient, o.template, o.state, coalesce(o.account, 0), o.urgent, o.made, o.dies, "        \
	"o.tries,"                                                                                                     \
	" o.next_at, o.leased, o.ended, o.error"
#define HEAD_N 14

static void read_head(struct db_row *row, struct message *ret)
{
	COLUMN(row, 0, ret->id);
	COLUMN(row, 1, ret->channel);
	COLUMN(row, 2, ret->recipient);
	COLUMN(row, 3, ret->template);
	COLUMN(row, 4, ret->state);
	ret->account = db_i64(row, 5);
	ret->urgent = db_i64(row, 6) != 0;
	ret->made = db_i64(row, 7);
	ret->dies = db_i64(row, 8);
	ret->tries = db_i64(row, 9);
	ret->next_at = db_i64(row, 10);
	ret->leased = db_i64(row, 11);
	ret->ended = db_i64(row, 12);
	COLUMN(row, 13, ret->error);
}

static void read_whole(struct db_row *row, struct message *ret)
{
	read_head(row, ret);
	buf_clear(&ret->sealed);
	buf_add_slice(&ret->sealed, db_blob(row, HEAD_N));
}

static enum err read_one(struct db_row *row, bool *ret_there, struct message *ret, struct fault *f)
{
	TRY(db_next(row, ret_there, f));
	if (*ret_there)
		read_whole(row, ret);
	return OK;
}

enum err store_message_get(struct db *db, const char *id, struct message *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " HEAD ", o.sealed FROM outbox o WHERE o.id = ?1", "t", id));
	read_whole(row, ret);
	return OK;
}

enum err store_message_due(struct db *db, const char *channel, int64_t now, bool *ret_there, struct message *ret,
			   struct fault *f)
{
	for (int64_t urgent = 1; urgent >= 0; urgent--) {
		_cleanup_(db_row_donep) struct db_row *row = NULL;
		TRY(db_query(db, f, &row,
			     "SELECT " HEAD ", o.sealed FROM outbox o WHERE o.state = 'waiting' AND o.channel = ?1"
			     " AND o.urgent = ?2 AND o.next_at <= ?3 ORDER BY o.next_at LIMIT 1",
			     "tii", channel, urgent, now));
		TRY(read_one(row, ret_there, ret, f));
		if (*ret_there)
			return OK;
	}
	return OK;
}

enum err store_message_leased(struct db *db, const char *lease, int64_t now, bool *ret_there, struct message *ret,
			      struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_query(db, f, &row,
		     "SELECT " HEAD ", o.sealed FROM outbox o WHERE o.lease = ?1 AND o.lease <> ''"
		     " AND o.state = 'waiting' AND o.leased > ?2 LIMIT 1",
		     "ti", lease, now));
	return read_one(row, ret_there, ret, f);
}

enum err store_message_lease(struct db *db, const char *id, const char *lease, int64_t until, struct fault *f)
{
	return db_run(db, f, "UPDATE outbox SET lease = ?2, leased = ?3, next_at = ?3, tries = tries + 1 WHERE id = ?1",
		      "tti", id, lease, until);
}

/* A lease that was answered once has next_at = leased; one that was asked for again is told from it by a second. */
enum err store_message_hold(struct db *db, const char *id, struct fault *f)
{
	return db_run(db, f, "UPDATE outbox SET next_at = leased + 1 WHERE id = ?1", "t", id);
}

enum err store_message_unlease(struct db *db, const char *id, const char *lease, int64_t now, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE outbox SET lease = '', leased = 0, next_at = ?3, tries = tries - 1"
		      " WHERE id = ?1 AND lease = ?2 AND next_at = leased AND state = 'waiting'",
		      "tti", id, lease, now);
}

enum err store_message_sent(struct db *db, const char *id, int64_t now, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE outbox SET state = 'sent', sealed = NULL, lease = '', leased = 0, ended = ?2, error = ''"
		      " WHERE id = ?1 AND state IN ('waiting', 'failed', 'expired')",
		      "ti", id, now);
}

enum err store_message_failed(struct db *db, const char *id, const char *error, int64_t now, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE outbox SET state = 'failed', lease = '', leased = 0, ended = ?3, error = ?2"
		      " WHERE id = ?1 AND state = 'waiting'",
		      "tti", id, error, now);
}

enum err store_message_later(struct db *db, const char *id, int64_t next_at, int64_t tries, const char *error,
			     struct fault *f)
{
	return db_run(db, f,
		      "UPDATE outbox SET next_at = ?2, error = ?3, lease = '', leased = 0, tries = tries + ?4"
		      " WHERE id = ?1 AND state = 'waiting'",
		      "titi", id, next_at, error, tries);
}

enum err store_message_again(struct db *db, const char *id, int64_t now, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE outbox SET state = 'waiting', next_at = ?2, tries = 0, ended = 0"
		      " WHERE id = ?1 AND state = 'failed'",
		      "ti", id, now);
}

enum err store_messages_dead(struct db *db, int64_t now, bool *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT EXISTS (SELECT 1 FROM outbox WHERE sealed IS NOT NULL AND dies <= ?1)", "i",
		   now));
	*ret = db_i64(row, 0) != 0;
	return OK;
}

enum err store_messages_expire(struct db *db, int64_t now, int64_t *ret_n, struct fault *f)
{
	TRY(db_run(db, f,
		   "UPDATE outbox SET state = 'expired', ended = ?1 WHERE state = 'waiting' AND sealed IS NOT NULL"
		   " AND dies <= ?1",
		   "i", now));
	*ret_n = db_changes(db);
	return db_run(db, f, "UPDATE outbox SET sealed = NULL, lease = '' WHERE sealed IS NOT NULL AND dies <= ?1", "i",
		      now);
}

/* --- reading many --- */

#define LISTED                                                                                                         \
	"SELECT " HEAD ", coalesce(a.identifier, '') FROM outbox o LEFT JOIN accounts a ON a.id = o.account WHERE "
#define OLDER                                                                                                          \
	"(o.made, o.id) < (?1, ?2) AND (?3 = '' OR o.channel = ?3) AND (o.account IS NULL OR " VIEW_ACCOUNT(           \
		"?5", "o.account") ")"
#define PAGE " ORDER BY o.made DESC, o.id DESC LIMIT ?4"

static enum err find_messages(struct db *db, const struct message_filter *l, struct db_row **ret, struct fault *f)
{
	if (l->account != 0)
		return db_query(
			db, f, ret,
			LISTED "o.account = ?6 AND o.account IS NOT NULL AND (?7 = '' OR o.state = ?7) AND " OLDER PAGE,
			"ittitit", l->made, l->id, l->channel, l->limit, l->view, l->account, l->state);
	if (l->state[0] != '\0')
		return db_query(db, f, ret, LISTED "o.state = ?6 AND " OLDER PAGE, "ittitt", l->made, l->id, l->channel,
				l->limit, l->view, l->state);
	return db_query(db, f, ret, LISTED OLDER PAGE, "ittit", l->made, l->id, l->channel, l->limit, l->view);
}

enum err store_messages(struct db *db, const struct message_filter *filter,
			void (*fn)(void *arg, const struct message *m, const char *identifier), void *arg,
			struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(find_messages(db, filter, &row, f));
	for (;;) {
		struct message m = {0};
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		read_head(row, &m);
		fn(arg, &m, db_text(row, HEAD_N));
	}
}

enum err store_outbox_counts(struct db *db, int64_t failed_since, struct outbox_counts *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT count(*), coalesce(min(made), 0), (SELECT count(*) FROM outbox WHERE state = 'failed' AND"
		   " made >= ?1) FROM outbox WHERE state = 'waiting'",
		   "i", failed_since));
	*ret = (struct outbox_counts){db_i64(row, 0), db_i64(row, 1), db_i64(row, 2)};
	return OK;
}

enum err store_outbox_purge(struct db *db, int64_t before, struct fault *f)
{
	return db_run(db, f, "DELETE FROM outbox WHERE made < ?1 AND state <> 'waiting'", "i", before);
}
