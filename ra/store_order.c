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
	"id, account, service, kind, amount_fen, period_months, uses, months, policy, state, created, paid_at,"        \
	" bank_reference FROM orders"

static void read_order(struct db_row *row, struct order *ret)
{
	COLUMN(row, 0, ret->id);
	ret->account = db_i64(row, 1);
	COLUMN(row, 2, ret->service);
	COLUMN(row, 3, ret->kind);
	ret->amount_fen = db_i64(row, 4);
	ret->period_months = db_i64(row, 5);
	ret->uses = db_i64(row, 6);
	ret->months = db_i64(row, 7);
	COLUMN(row, 8, ret->policy);
	COLUMN(row, 9, ret->state);
	ret->created = db_i64(row, 10);
	ret->paid_at = db_i64(row, 11);
	COLUMN(row, 12, ret->bank_reference);
}

enum err store_order_get(struct db *db, const char *id, struct order *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " ORDER " WHERE id = ?1", "t", id));
	read_order(row, ret);
	return OK;
}

enum err store_order_add(struct db *db, const struct order *o, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO orders (id, account, service, kind, amount_fen, period_months, uses, months, policy,"
		      " state, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		      "titt"
		      "iiii"
		      "tti",
		      o->id, o->account, o->service, o->kind, o->amount_fen, o->period_months, o->uses, o->months,
		      o->policy, o->state, o->created);
}

enum err store_order_state(struct db *db, const char *id, const char *state, struct fault *f)
{
	return db_run(db, f, "UPDATE orders SET state = ?2 WHERE id = ?1", "tt", id, state);
}

enum err store_order_paid(struct db *db, const char *id, const char *bank_reference, int64_t now, struct fault *f)
{
	return db_run(db, f, "UPDATE orders SET state = 'paid', bank_reference = ?2, paid_at = ?3 WHERE id = ?1", "tti",
		      id, bank_reference, now);
}

enum err store_order_open(struct db *db, const char *service, struct order *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " ORDER " WHERE service = ?1 AND state IN ('open', 'awaiting_payment') LIMIT 1",
		   "t", service));
	read_order(row, ret);
	return OK;
}

enum err store_orders_of(struct db *db, int64_t account, int64_t limit, int64_t offset,
			 void (*fn)(void *arg, const struct order *o), void *arg, int64_t *ret_total, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *count = NULL, *row = NULL;
	bool more = false;
	TRY(db_one(db, f, &count, "SELECT count(*) FROM orders WHERE account = ?1", "i", account));
	*ret_total = db_i64(count, 0);
	TRY(db_query(db, f, &row, "SELECT " ORDER " WHERE account = ?1 ORDER BY created DESC, id LIMIT ?2 OFFSET ?3",
		     "iii", account, limit, offset));
	for (;;) {
		struct order o;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		read_order(row, &o);
		fn(arg, &o);
	}
}

enum err store_order_used(struct db *db, const char *id, const char *except, int64_t *ret_uses, int64_t *ret_months,
			  struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT count(*), coalesce(sum(months), 0) FROM requests WHERE order_id = ?1 AND id <> ?2"
		   " AND state IN ('awaiting_officers', 'to_correct', 'approved', 'sent', 'issued')",
		   "tt", id, except));
	*ret_uses = db_i64(row, 0);
	*ret_months = db_i64(row, 1);
	return OK;
}
