/*
 * Services and orders. What is used of an order is not counted in a column but read off the requests that name it, so
 * it cannot drift.
 */
#include "ra/store_order.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

/* The certificate's own data where the ledger has it, the import's where not. */
#define SERVICE                                                                                                        \
	"s.id, s.account, s.project, s.service, s.title, coalesce(b.name, s.certificate_name),"                        \
	" coalesce(c.serial, s.serial), coalesce(b.issuer_name, s.issuer_name), s.cert, s.begins, s.ends"              \
	" FROM services s LEFT JOIN certs c ON c.id = s.cert LEFT JOIN cert_bodies b ON b.id = s.cert"

static void read_service(struct db_row *row, struct service *ret)
{
	struct slice serial = db_blob(row, 6);
	*ret = (struct service){.account = db_i64(row, 1)};
	COLUMN(row, 0, ret->id);
	COLUMN(row, 2, ret->project);
	COLUMN(row, 3, ret->service);
	COLUMN(row, 4, ret->title);
	COLUMN(row, 5, ret->certificate_name);
	assert(serial.n <= SERIAL_MAX);
	if (serial.n > 0)
		memcpy(ret->serial.b, serial.p, serial.n);
	ret->serial.n = serial.n;
	COLUMN(row, 7, ret->issuer_name);
	ret->cert = db_i64(row, 8);
	ret->begins = db_i64(row, 9);
	ret->ends = db_i64(row, 10);
}

enum err store_service_get(struct db *db, const char *id, struct service *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " SERVICE " WHERE s.id = ?1", "t", id));
	read_service(row, ret);
	return OK;
}

enum err store_service_of_cert(struct db *db, int64_t cert, struct service *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " SERVICE " WHERE s.cert = ?1 ORDER BY s.ends DESC LIMIT 1", "i", cert));
	read_service(row, ret);
	return OK;
}

enum err store_service_add(struct db *db, const struct service *s, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO services (id, account, project, service, title, certificate_name, serial,"
		      " issuer_name, cert, begins, ends) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?9, ?10)",
		      "titttt"
		      "btii",
		      s->id, s->account, s->project, s->service, s->title, s->certificate_name,
		      slice_of(s->serial.b, s->serial.n), s->issuer_name, s->begins, s->ends);
}

enum err store_service_period(struct db *db, const char *id, int64_t begins, int64_t ends, struct fault *f)
{
	return db_run(db, f, "UPDATE services SET begins = ?2, ends = ?3 WHERE id = ?1", "tii", id, begins, ends);
}

enum err store_service_cert(struct db *db, const char *id, int64_t cert, struct fault *f)
{
	return db_run(db, f, "UPDATE services SET cert = ?2 WHERE id = ?1", "ti", id, cert);
}

enum err store_service_named(struct db *db, int64_t account, const char *project, const char *service,
			     struct service *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT " SERVICE " WHERE s.account = ?1 AND s.project = ?2 AND s.service = ?3"
		   " ORDER BY s.ends DESC LIMIT 1",
		   "itt", account, project, service));
	read_service(row, ret);
	return OK;
}

enum err store_services_of(struct db *db, int64_t account, const char *search, int64_t limit, int64_t offset,
			   void (*fn)(void *arg, const struct service *s), void *arg, int64_t *ret_total,
			   struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *count = NULL, *row = NULL;
	bool more = false;
	TRY(db_one(db, f, &count,
		   "SELECT count(*) FROM services s LEFT JOIN cert_bodies b ON b.id = s.cert"
		   " WHERE s.account = ?1 AND (?2 = '' OR instr(coalesce(b.name, s.certificate_name), ?2) > 0)",
		   "it", account, search));
	*ret_total = db_i64(count, 0);
	TRY(db_query(db, f, &row,
		     "SELECT " SERVICE
		     " WHERE s.account = ?1 AND (?2 = '' OR instr(coalesce(b.name, s.certificate_name), ?2) > 0)"
		     " ORDER BY s.id LIMIT ?3 OFFSET ?4",
		     "itii", account, search, limit, offset));
	for (;;) {
		struct service s;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		read_service(row, &s);
		fn(arg, &s);
	}
}

/* --- orders --- */

#define ORDER                                                                                                          \
	"o.id, o.account, o.service, o.kind, o.amount_fen, o.period_months, o.uses, o.months, o.policy, o.state,"      \
	" o.created, o.paid_at, o.payment, o.begins, o.ends, o.before_begins, o.before_ends, o.closed, o.why"

static void read_order(struct db_row *row, struct order *ret)
{
	*ret = (struct order){
		.account = db_i64(row, 1),
		.amount_fen = db_i64(row, 4),
		.period_months = db_i64(row, 5),
		.uses = db_i64(row, 6),
		.months = db_i64(row, 7),
		.created = db_i64(row, 10),
		.paid_at = db_i64(row, 11),
		.begins = db_i64(row, 13),
		.ends = db_i64(row, 14),
		.before_begins = db_i64(row, 15),
		.before_ends = db_i64(row, 16),
		.closed = db_i64(row, 17),
	};
	COLUMN(row, 0, ret->id);
	COLUMN(row, 2, ret->service);
	COLUMN(row, 3, ret->kind);
	COLUMN(row, 8, ret->policy);
	COLUMN(row, 9, ret->state);
	COLUMN(row, 12, ret->payment);
	COLUMN(row, 18, ret->why);
}

enum err store_order_get(struct db *db, const char *id, struct order *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " ORDER " FROM orders o WHERE o.id = ?1", "t", id));
	read_order(row, ret);
	return OK;
}

enum err store_order_add(struct db *db, const struct order *o, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO orders (id, account, service, kind, amount_fen, period_months, uses, months, policy,"
		      " state, created, project) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		      " (SELECT project FROM services WHERE id = ?3))",
		      "titt"
		      "iiii"
		      "tti",
		      o->id, o->account, o->service, o->kind, o->amount_fen, o->period_months, o->uses, o->months,
		      o->policy, o->state, o->created);
}

enum err store_order_set(struct db *db, const struct order *o, struct fault *f)
{
	return db_run(db, f,
		      "UPDATE orders SET state = ?2, paid_at = nullif(?3, 0), payment = nullif(?4, ''), begins = ?5,"
		      " ends = ?6, before_begins = ?7, before_ends = ?8, closed = ?9, why = ?10 WHERE id = ?1",
		      "ttit"
		      "iiii"
		      "it",
		      o->id, o->state, o->paid_at, o->payment, o->begins, o->ends, o->before_begins, o->before_ends,
		      o->closed, o->why);
}

enum err store_order_state(struct db *db, const char *id, const char *state, struct fault *f)
{
	return db_run(db, f, "UPDATE orders SET state = ?2 WHERE id = ?1", "tt", id, state);
}

enum err store_order_open(struct db *db, const char *service, struct order *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT " ORDER
		   " FROM orders o INDEXED BY orders_service WHERE o.service = ?1 AND o.state = 'created' LIMIT 1",
		   "t", service));
	read_order(row, ret);
	return OK;
}

enum err store_orders_of(struct db *db, int64_t account, const char *state, int64_t limit, int64_t offset, order_fn *fn,
			 void *arg, int64_t *ret_total, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *count = NULL, *row = NULL;
	bool more = false;
	TRY(db_one(db, f, &count, "SELECT count(*) FROM orders WHERE account = ?1 AND (?2 = '' OR state = ?2)", "it",
		   account, state));
	*ret_total = db_i64(count, 0);
	TRY(db_query(db, f, &row,
		     "SELECT " ORDER " FROM orders o WHERE o.account = ?1 AND (?2 = '' OR o.state = ?2)"
		     " ORDER BY o.created DESC, o.id DESC LIMIT ?3 OFFSET ?4",
		     "itii", account, state, limit, offset));
	for (;;) {
		struct order o;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		read_order(row, &o);
		fn(arg, &o);
	}
}

enum err store_orders_due(struct db *db, int64_t created, int64_t now, char (*ret)[ORDER_ID_MAX + 1], size_t max,
			  size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more = false;
	TRY(db_query(db, f, &row,
		     "SELECT id FROM orders INDEXED BY orders_state WHERE state = 'created' AND created < ?1 UNION ALL"
		     " SELECT id FROM orders INDEXED BY orders_ends WHERE state = 'paid' AND ends > 0 AND ends <= ?2"
		     " LIMIT ?3",
		     "iii", created, now, (int64_t)max));
	for (*ret_n = 0;; (*ret_n)++) {
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		assert(*ret_n < max);
		COLUMN(row, 0, ret[*ret_n]);
	}
}

enum err store_order_used(struct db *db, const char *id, const char *except, int64_t *ret_uses, int64_t *ret_months,
			  struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(
		db, f, &row,
		"SELECT count(*), coalesce(sum(months), 0) FROM requests WHERE order_id = ?1 AND id <> ?2"
		" AND state IN ('awaiting_officers', 'to_correct', 'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed',"
		" 'approved', 'sent', 'issued')",
		"tt", id, except));
	*ret_uses = db_i64(row, 0);
	*ret_months = db_i64(row, 1);
	return OK;
}

enum err store_order_issued(struct db *db, const char *id, int64_t *ret_uses, int64_t *ret_months, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT count(*), coalesce(sum(months), 0) FROM requests WHERE order_id = ?1 AND state = 'issued'",
		   "t", id));
	*ret_uses = db_i64(row, 0);
	*ret_months = db_i64(row, 1);
	return OK;
}
