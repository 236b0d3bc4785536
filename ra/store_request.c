/*
 * Requests and what lists show of them. What belongs to one request (lines, materials, history) is in store_case.c, what
 * officers have before them in store_queue.c, the queue to the signer in store_handover.c.
 */
#include "ra/store_request.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

void request_done(struct request *r)
{
	free(r->subject);
	free(r->tally);
	buf_done(&r->csr);
	*r = (struct request){0};
}

static const char *or_null(const char *s)
{
	return s[0] != '\0' ? s : NULL;
}

static struct slice csr_or_null(const struct request *r)
{
	return r->csr.len > 0 ? buf_slice(&r->csr) : slice_of(NULL, 0);
}

static void read_terms(struct db_row *row, struct request *ret)
{
	COLUMN(row, 0, ret->id);
	ret->account = db_i64(row, 1);
	COLUMN(row, 2, ret->kind);
	COLUMN(row, 3, ret->way);
	COLUMN(row, 4, ret->project);
	COLUMN(row, 5, ret->profile);
	COLUMN(row, 6, ret->state);
	ret->cert = db_i64(row, 7);
	ret->months = db_i64(row, 8);
	COLUMN(row, 9, ret->order);
	COLUMN(row, 10, ret->files);
	ret->notice = db_i64(row, 11) != 0;
	COLUMN(row, 12, ret->reason);
	COLUMN(row, 22, ret->key_seen);
	COLUMN(row, 23, ret->collides);
	ret->hold = db_is_null(row, 24) ? -1 : db_i64(row, 24);
}

static void read_course(struct db_row *row, struct request *ret)
{
	COLUMN(row, 13, ret->policy);
	ret->proof = db_i64(row, 14);
	ret->officers = db_i64(row, 15);
	ret->made = db_i64(row, 16);
	ret->dies = db_i64(row, 17);
	ret->result = db_i64(row, 18);
	COLUMN(row, 19, ret->refusal_rule);
	COLUMN(row, 20, ret->refusal_where);
	COLUMN(row, 21, ret->refusal_text);
}

#define HEAD                                                                                                           \
	"r.id, r.account, r.kind, r.way, r.project, r.profile, r.state, r.cert, r.months, r.order_id, r.files,"        \
	" r.notice, r.reason, r.policy, r.proof, r.officers, r.made, r.dies, r.result, r.refusal_rule,"                \
	" r.refusal_where, r.refusal_text, r.key_seen, r.collides, r.hold, w.recipient, w.mobile, w.address"

static void read_head(struct db_row *row, struct request *ret)
{
	read_terms(row, ret);
	read_course(row, ret);
	COLUMN(row, 25, ret->delivery.recipient);
	COLUMN(row, 26, ret->delivery.mobile);
	COLUMN(row, 27, ret->delivery.address);
}

enum err store_request_head(struct db *db, const char *id, struct request *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " HEAD " FROM requests r LEFT JOIN works w ON w.request = r.id WHERE r.id = ?1",
		   "t", id));
	read_head(row, ret);
	return OK;
}

enum err store_request_get(struct db *db, const char *id, struct request *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT " HEAD ", t.subject, t.tally, t.csr FROM requests r JOIN request_texts t ON t.request = r.id"
		   " LEFT JOIN works w ON w.request = r.id WHERE r.id = ?1",
		   "t", id));
	read_head(row, ret);
	ret->subject = xstrdup(db_text(row, 28));
	ret->tally = xstrdup(db_text(row, 29));
	buf_add_slice(&ret->csr, db_blob(row, 30));
	return OK;
}

enum err store_request_stand(struct db *db, const char *id, struct request_stand *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT account, state FROM requests WHERE id = ?1", "t", id));
	ret->account = db_i64(row, 0);
	COLUMN(row, 1, ret->state);
	return OK;
}

enum err store_request_add(struct db *db, const struct request *r, struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT INTO requests (id, account, kind, way, project, profile, state, cert, months, order_id,"
		   " files, notice, reason, policy, proof, officers, made, dies, key_seen, collides, hold)"
		   " VALUES (?1, NULLIF(?2, 0), ?3, ?4, ?5, ?6, ?7, NULLIF(?8, 0), ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
		   " ?16, ?17, ?18, ?19, ?20, NULLIF(?21, -1))",
		   "tittttt"
		   "ii"
		   "ttit"
		   "t"
		   "iiii"
		   "tti",
		   r->id, r->account, r->kind, r->way, r->project, r->profile, r->state, r->cert, r->months,
		   or_null(r->order), r->files, (int64_t)r->notice, r->reason, r->policy, r->proof, r->officers,
		   r->made, r->dies, r->key_seen, r->collides, r->hold));
	return db_run(db, f, "INSERT INTO request_texts (request, subject, tally, csr) VALUES (?1, ?2, ?3, ?4)", "tttb",
		      r->id, r->subject, r->tally, csr_or_null(r));
}

enum err store_request_redraw(struct db *db, const struct request *r, struct fault *f)
{
	TRY(db_run(db, f,
		   "UPDATE requests SET kind = ?2, way = ?3, project = ?4, profile = ?5, cert = NULLIF(?6, 0),"
		   " months = ?7, order_id = ?8, files = ?9, notice = ?10, reason = ?11, policy = ?12, proof = ?13,"
		   " officers = ?14, made = ?15, dies = ?16, key_seen = ?17, collides = ?18, hold = NULLIF(?19, -1)"
		   " WHERE id = ?1",
		   "ttttt"
		   "ii"
		   "ttit"
		   "t"
		   "iiii"
		   "tti",
		   r->id, r->kind, r->way, r->project, r->profile, r->cert, r->months, or_null(r->order), r->files,
		   (int64_t)r->notice, r->reason, r->policy, r->proof, r->officers, r->made, r->dies, r->key_seen,
		   r->collides, r->hold));
	return db_run(db, f, "UPDATE request_texts SET subject = ?2, tally = ?3, csr = ?4 WHERE request = ?1", "tttb",
		      r->id, r->subject, r->tally, csr_or_null(r));
}

enum err store_request_state(struct db *db, const char *id, const char *state, struct fault *f)
{
	return db_run(db, f, "UPDATE requests SET state = ?2 WHERE id = ?1", "tt", id, state);
}

enum err store_request_refusal(struct db *db, const char *id, const char *rule, const char *where, const char *text,
			       struct fault *f)
{
	return db_run(db, f,
		      "UPDATE requests SET refusal_rule = ?2, refusal_where = ?3, refusal_text = ?4 WHERE id = ?1",
		      "tttt", id, rule, where, text);
}

/* Such a state is none of the open ones, as the trigger on it would find, and say in a statement more. */
enum err store_request_result(struct db *db, const char *id, const char *state, int64_t cert, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE requests SET state = ?2, pending = 0, result = NULLIF(?3, 0), refusal_rule = NULL,"
		      " refusal_where = NULL, refusal_text = NULL WHERE id = ?1",
		      "tti", id, state, cert);
}

/* --- lists --- */

#define COURSE "k.number, coalesce(k.replaces, ''), '', k.entered_by, k.submitted, k.due, k.claimant, k.claim_ends"
#define ITEM                                                                                                           \
	"r.id, r.kind, r.way, r.project, r.profile, r.state, r.policy, c.issuer, c.serial, r.officers,"                \
	" (SELECT count(*) FROM lines l WHERE l.request = r.id AND l.part = 'officer'), r.made, r.dies,"               \
	" coalesce(a.organisation, ''), " COURSE " FROM requests r JOIN courses k ON k.request = r.id"                 \
	" LEFT JOIN certs c ON c.id = r.cert"                                                                          \
	" LEFT JOIN accounts a ON a.id = r.account"

static void read_item(struct db_row *row, struct request_item *ret)
{
	COLUMN(row, 0, ret->id);
	COLUMN(row, 1, ret->kind);
	COLUMN(row, 2, ret->way);
	COLUMN(row, 3, ret->project);
	COLUMN(row, 4, ret->profile);
	COLUMN(row, 5, ret->state);
	COLUMN(row, 6, ret->policy);
	column_ref(row, 7, 8, &ret->ref);
	ret->officers = db_i64(row, 9);
	ret->officers_have = db_i64(row, 10);
	ret->made = db_i64(row, 11);
	ret->dies = db_i64(row, 12);
	COLUMN(row, 13, ret->organisation);
	COLUMN(row, 14, ret->course.number);
	COLUMN(row, 15, ret->course.replaces);
	COLUMN(row, 17, ret->course.entered_by);
	ret->course.submitted = db_i64(row, 18);
	ret->course.due = db_i64(row, 19);
	COLUMN(row, 20, ret->course.claimant);
	ret->course.claim_ends = db_i64(row, 21);
}

enum err store_request_item(struct db *db, const char *id, struct request_item *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " ITEM " WHERE r.id = ?1", "t", id));
	read_item(row, ret);
	return OK;
}

/* Their ids first, which stand in an index in this order: so nothing is read but what is shown. A state is the row's own. */
#define OF_ACCOUNT "FROM requests r INDEXED BY requests_account WHERE r.account = ?1"
#define OF_STATE OF_ACCOUNT " AND r.state = ?2"
#define OF_ORDER " ORDER BY r.made DESC, r.id DESC"

static enum err count_of(struct db *db, int64_t account, const char *state, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	if (state[0] == '\0')
		TRY(db_one(db, f, &row, "SELECT count(*) " OF_ACCOUNT, "i", account));
	else
		TRY(db_one(db, f, &row, "SELECT count(*) " OF_STATE, "it", account, state));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_requests_of(struct db *db, int64_t account, const char *state, int64_t limit, int64_t offset,
			   request_item_fn *fn, void *arg, int64_t *ret_total, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(count_of(db, account, state, ret_total, f));
	if (state[0] == '\0')
		TRY(db_query(db, f, &row, "SELECT r.id " OF_ACCOUNT OF_ORDER " LIMIT ?2 OFFSET ?3", "iii", account,
			     limit, offset));
	else
		TRY(db_query(db, f, &row, "SELECT r.id " OF_STATE OF_ORDER " LIMIT ?3 OFFSET ?4", "itii", account,
			     state, limit, offset));
	for (;;) {
		struct request_item item = {0};
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		TRY(store_request_item(db, db_text(row, 0), &item, f));
		fn(arg, &item);
	}
}

enum err store_requests_open(struct db *db, int64_t account, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(
		db, f, &row,
		"SELECT (SELECT count(*) FROM requests INDEXED BY requests_pending WHERE account = ?1 AND pending = 1)"
		" + (SELECT count(*) FROM requests INDEXED BY requests_unlocking WHERE account = ?1"
		"    AND state IN ('sealed', 'released'))",
		"i", account));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_requests_holds(struct db *db, int64_t since, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM requests WHERE kind = 'hold' AND made >= ?1", "i", since));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_requests_dead(struct db *db, int64_t now, char (*ret)[REQUEST_ID + 1], size_t max, size_t *ret_n,
			     struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	size_t n = 0;
	TRY(db_query(
		db, f, &row,
		"SELECT dies, id FROM requests INDEXED BY requests_open WHERE pending = 1 AND dies > 0 AND dies <= ?1"
		" AND state NOT IN ('sent', 'at_key_centre', 'to_make', 'lapsed') UNION ALL"
		" SELECT dies, id FROM requests INDEXED BY requests_unlocking WHERE state IN ('sealed', 'released')"
		" AND dies > 0 AND dies <= ?1 ORDER BY dies LIMIT ?2",
		"ii", now, (int64_t)max));
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			break;
		column_copy(row, 1, ret[n++], REQUEST_ID + 1);
	}
	*ret_n = n;
	return OK;
}
