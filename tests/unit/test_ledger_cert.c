/*
 * What is derived from the ledger's entries: certificates, who follows whom, and what a ledger of an earlier version has of
 * them.
 */
#include "ledger_kit.h"

/* --- certificates --- */

static struct ledger_cert a_cert(unsigned serial, int64_t line)
{
	struct ledger_cert c = {.intent = 7,
				.entry = LEDGER_NONE,
				.not_before = NOW,
				.not_after = NOW + 1000,
				.line = line,
				.shard = serial % 4};
	memset(c.ref.issuer_key_id, 0xca, 20);
	c.ref.serial = (struct serial){.b = {0x10, (uint8_t)(serial >> 8), (uint8_t)serial}, .n = 3};
	snprintf(c.project, sizeof(c.project), "jinhua");
	snprintf(c.profile, sizeof(c.profile), "organisation");
	memset(c.key, (int)serial, 32);
	return c;
}

static enum err add_cert(struct ledger_tx *tx, void *arg, struct fault *f)
{
	return ledger_cert_add(tx, arg, f);
}

static void serials_are_unique(void **state)
{
	struct room *r = *state;
	struct ledger_cert c = a_cert(1, 5), twin = a_cert(1, 6), back, other = a_cert(1, 7);
	struct fault f = {0};
	must("add", ledger_do(r->l, add_cert, &c, &f), &f);
	assert_int_equal(c.root, c.id);
	assert_int_equal(ledger_do(r->l, add_cert, &twin, &f), ERR_CONFLICT);
	other.ref.issuer_key_id[0] ^= 1; /* another issuer's serials are its own */
	must("add", ledger_do(r->l, add_cert, &other, &f), &f);
	struct db *db = reader(r);
	must("cert", ledger_cert(db, &c.ref, &back, &f), &f);
	assert_int_equal(back.id, c.id);
	assert_int_equal(back.entry, LEDGER_NONE);
	assert_int_equal(back.intent, 7);
	assert_int_equal(back.state, CERT_GOOD);
	assert_int_equal(back.line, 5);
	assert_memory_equal(back.key, c.key, 32);
	struct serial last;
	must("last", ledger_last_serial(db, c.ref.issuer_key_id, &last, &f), &f);
	assert_true(serial_eq(&last, &c.ref.serial));
	c.ref.serial.b[0] ^= 1;
	assert_int_equal(ledger_cert(db, &c.ref, &back, &f), ERR_NOT_FOUND);
	ledger_reader_put(r->l, db);
}

static void lines_in_pages(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	int64_t ids[LEDGER_PAGE], below = INT64_MAX;
	size_t n = 0, all = 0;
	for (unsigned i = 0; i < LEDGER_PAGE + 6; i++) {
		struct ledger_cert c = a_cert(i, i % 35 == 34 ? 2 : 1);
		must("add", ledger_do(r->l, add_cert, &c, &f), &f);
	}
	struct db *db = reader(r);
	do {
		must("line", ledger_certs_in_line(db, 1, below, ids, &n, &f), &f);
		for (size_t i = 0; i < n; i++) {
			assert_true(ids[i] < below);
			below = ids[i];
		}
		all += n;
	} while (n == LEDGER_PAGE);
	assert_int_equal(all, LEDGER_PAGE + 6 - 2);
	uint8_t key[32];
	memset(key, 3, sizeof(key));
	must("key", ledger_certs_with_key(db, key, INT64_MAX, ids, &n, &f), &f);
	assert_int_equal(n, 1);
	ledger_reader_put(r->l, db);
	assert_true(ledger_line_hash("a", "bc") != ledger_line_hash("ab", "c"));
}

static enum err add_ended(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct ledger_cert *c = arg;
	TRY(ledger_cert_add(tx, c, f));
	return ledger_set_state(tx, c, c->adopted ? CERT_ENDED : CERT_REVOKED, 4, 1000, 0, f);
}

/* Adopted ones that ended, and no others, in the order in which they were adopted. */
static void ended_in_pages(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	int64_t ids[LEDGER_PAGE], above = 0;
	size_t n = 0, all = 0;
	for (unsigned i = 0; i < LEDGER_PAGE + 9; i++) {
		struct ledger_cert c = a_cert(i, 1);
		c.adopted = i % 3 != 0;
		must("add", ledger_do(r->l, i % 3 == 2 ? add_cert : add_ended, &c, &f), &f);
	}
	for (unsigned i = 0; i < LEDGER_PAGE; i++) {
		struct ledger_cert c = a_cert(1000 + i, 1);
		c.adopted = true;
		must("add", ledger_do(r->l, add_ended, &c, &f), &f);
	}
	struct db *db = reader(r);
	do {
		must("ended", ledger_certs_ended(db, above, ids, &n, &f), &f);
		for (size_t i = 0; i < n; i++) {
			assert_true(ids[i] > above);
			above = ids[i];
		}
		all += n;
	} while (n == LEDGER_PAGE);
	assert_int_equal(all, LEDGER_PAGE + (LEDGER_PAGE + 9) / 3);
	ledger_reader_put(r->l, db);
}

struct pair {
	struct ledger_cert old, new;
	struct ledger_fate fate;
};

static enum err succeed(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct pair *p = arg;
	TRY(ledger_cert_add(tx, &p->old, f));
	TRY(ledger_cert_issued(tx, p->old.id, 3, f));
	TRY(ledger_cert_add(tx, &p->new, f));
	return ledger_succeed(tx, p->old.id, p->new.id, &p->fate, f);
}
static enum err issued(struct ledger_tx *tx, void *arg, struct fault *f)
{
	return ledger_cert_issued(tx, ((struct pair *)arg)->new.id, 9, f);
}
static enum err drop(struct ledger_tx *tx, void *arg, struct fault *f)
{
	return ledger_cert_drop(tx, ((struct pair *)arg)->new.id, f);
}

static int64_t due_at(struct room *r, int64_t now, struct ledger_fate *ret)
{
	struct fault f = {0};
	int64_t id = 0;
	struct db *db = reader(r);
	must("due", ledger_due(db, now, 0, &id, ret, &f), &f);
	ledger_reader_put(r->l, db);
	return id;
}

/* A predecessor falls due only when its successor is really issued, and not before its time. */
static void due_after_issue(void **state)
{
	struct room *r = *state;
	struct pair p = {
		a_cert(1, 1), a_cert(2, 1), {.revoke = true, .reason = 4, .when = NOW + 100, .cause = 7, .tally = {9}}};
	struct ledger_fate fate;
	struct ledger_cert c;
	struct fault f = {0};
	must("succeed", ledger_do(r->l, succeed, &p, &f), &f);
	assert_int_equal(due_at(r, NOW + 200, &fate), 0);
	struct db *db = reader(r);
	must("cert", ledger_cert_by_id(db, p.old.id, &c, &f), &f);
	assert_true(c.successor == p.new.id &&c.successor_open);
	ledger_reader_put(r->l, db);
	must("issued", ledger_do(r->l, issued, &p, &f), &f);
	assert_int_equal(due_at(r, NOW + 99, &fate), 0);
	assert_int_equal(due_at(r, NOW + 100, &fate), p.old.id);
	assert_int_equal(fate.reason, 4);
	assert_int_equal(fate.cause, 7);
	assert_int_equal(fate.tally[0], 9);
	/* What is issued is not dropped. */
	must("drop", ledger_do(r->l, drop, &p, &f), &f);
	db = reader(r);
	must("cert", ledger_cert_by_id(db, p.new.id, &c, &f), &f);
	must("cert", ledger_cert_by_id(db, p.old.id, &c, &f), &f);
	assert_int_equal(c.successor, p.new.id);
	ledger_reader_put(r->l, db);
}

static void dropped_frees_the_predecessor(void **state)
{
	struct room *r = *state;
	struct pair p = {a_cert(1, 1), a_cert(2, 1), {.revoke = true, .reason = 4, .when = NOW}};
	struct ledger_cert c;
	struct fault f = {0};
	must("succeed", ledger_do(r->l, succeed, &p, &f), &f);
	must("drop", ledger_do(r->l, drop, &p, &f), &f);
	struct db *db = reader(r);
	must("cert", ledger_cert_by_id(db, p.old.id, &c, &f), &f);
	assert_int_equal(c.successor, 0);
	assert_int_equal(ledger_cert_by_id(db, p.new.id, &c, &f), ERR_NOT_FOUND);
	ledger_reader_put(r->l, db);
}

/* --- a ledger of before --- */

static const uint8_t own[20] = {0xca, 1}, foreign[20] = {0xca, 2};

/* One certificate of ours and one adopted with the same serial, ours revoked and on two CRLs. */
static void fill_of_before(struct db *db)
{
	_cleanup_buf_ struct buf body = {0};
	struct fault f = {0};
	struct wire_e_crl e = {.at = NOW, .shard = WIRE_FULL_CRL, .number = 7};
	static const uint8_t zero[32];
	memcpy(e.issuer, own, 20);
	wire_e_crl_put(&e, &body);
	must("entry",
	     db_run(db, &f, "INSERT INTO entries (idx, type, at, leaf, body) VALUES (0, ?1, ?2, ?3, ?4)", "iibb",
		    (int64_t)WIRE_TYPE_E_CRL, NOW, slice_of(zero, 32), buf_slice(&body)),
	     &f);
	must("issuers",
	     db_run(db, &f, "INSERT INTO issuer (id, key_id) VALUES (1, ?1), (2, ?2)", "bb", slice_of(foreign, 20),
		    slice_of(own, 20)),
	     &f);
	for (int64_t issuer = 1; issuer <= 2; issuer++)
		must("certificate",
		     db_run(db, &f,
			    "INSERT INTO certificate (issuer, serial, not_before, not_after, project, profile, line, "
			    "key64, "
			    "key, root, renewals, shard, adopted, weak) VALUES (?1, x'0102', 0, 0, 'p', 'p', 0, 0, "
			    "x'00', 1, "
			    "0, 3, ?2, 0)",
			    "ii", issuer, (int64_t)(issuer == 1)),
		     &f);
	must("revoked",
	     db_run(db, &f,
		    "INSERT INTO revocation (serial, shard, at, reason, keep_until) VALUES (x'0102', 3, 5, 1, "
		    "?1)",
		    "i", NOW),
	     &f);
	must("crls",
	     db_run(db, &f,
		    "INSERT INTO crl (scope, number, this_update, next_update, upto, changed, sha256) VALUES (?1, 7, "
		    "1, 2, 3, 4, ?2), (3, 5, 1, 2, 3, NULL, ?2)",
		    "ib", (int64_t)WIRE_FULL_CRL, slice_of(zero, 32)),
	     &f);
}

static size_t count_revoked(struct db *db, const uint8_t issuer[20], uint32_t scope)
{
	_cleanup_(ledger_revoked_donep) struct ledger_revoked *r = NULL;
	struct fault f = {0};
	struct serial serial;
	int64_t when;
	unsigned reason;
	bool more = true;
	size_t n = 0;
	must("revoked", ledger_revoked(db, issuer, scope, 0, &r, &f), &f);
	must("next", ledger_revoked_next(r, &serial, &when, &reason, &more, &f), &f);
	for (; more; n++) {
		assert_string_equal(SERIAL(&serial), "0102");
		assert_int_equal(when, 5);
		assert_int_equal(reason, 1);
		must("next", ledger_revoked_next(r, &serial, &when, &reason, &more, &f), &f);
	}
	return n;
}

static void crls_get_their_issuer(void **state)
{
	struct room *r = *state;
	_cleanup_(freep) char *path = xasprintf("%s/before.db", r->dir);
	_cleanup_(db_closep) struct db *db = NULL;
	struct ledger_crl c;
	struct fault f = {0};
	ledger_closep(&r->l);
	must("open", db_open(path, false, &db, &f), &f);
	must("of before", db_migrate(db, ledger_migrations, 3, &f), &f);
	fill_of_before(db);
	must("today's", db_migrate(db, ledger_migrations, ledger_n_migrations, &f), &f);
	must("full", ledger_crl(db, own, WIRE_FULL_CRL, &c, &f), &f);
	assert_int_equal(c.number, 7);
	assert_int_equal(c.changed, 4);
	must("shard", ledger_crl(db, own, 3, &c, &f), &f);
	assert_int_equal(c.number, 5);
	must("another's", ledger_crl(db, foreign, WIRE_FULL_CRL, &c, &f), &f);
	assert_int_equal(c.number, 0);
	assert_int_equal(count_revoked(db, own, WIRE_FULL_CRL), 1);
	assert_int_equal(count_revoked(db, own, 3), 1);
	assert_int_equal(count_revoked(db, own, 2), 0);
	assert_int_equal(count_revoked(db, foreign, WIRE_FULL_CRL), 0);
}

static void check_tally(struct db *db, uint8_t first, uint64_t intent, uint64_t outcome, bool dead)
{
	struct ledger_tally t;
	struct fault f = {0};
	const uint8_t id[TALLY_ID] = {first};
	must("tally", ledger_tally(db, id, &t, &f), &f);
	assert_true(t.known && !t.withdrawn);
	assert_int_equal(t.intent, intent);
	assert_int_equal(t.outcome, outcome);
	assert_int_equal(t.dead, dead);
}

/* Of before: an outcome stood with the tally. 1 is done, 2 and 4 are open, 3 was given up, 5 is a revocation. */
static void outcomes_move_to_certificates(void **state)
{
	struct room *r = *state;
	_cleanup_(freep) char *path = xasprintf("%s/before.db", r->dir);
	_cleanup_(db_closep) struct db *db = NULL;
	struct fault f = {0};
	uint64_t intent;
	int64_t cert;
	ledger_closep(&r->l);
	must("open", db_open(path, false, &db, &f), &f);
	must("of before", db_migrate(db, ledger_migrations, 4, &f), &f);
	must("issuer", db_run(db, &f, "INSERT INTO issuer (id, key_id) VALUES (1, x'01')", ""), &f);
	must("certificates",
	     db_run(db, &f,
		    "INSERT INTO certificate (id, issuer, serial, intent, entry, not_before, not_after, project,"
		    " profile, line, key64, key, root, renewals, shard, adopted, weak)"
		    " SELECT column1, 1, column2, column3, column4, 0, 0, '', '', 0, 0, x'', column1, 0, 0, 0, 0"
		    " FROM (VALUES (11, x'01', 100, 101), (12, x'02', 102, NULL), (14, x'04', 106, NULL),"
		    " (15, x'05', NULL, 3))",
		    ""),
	     &f);
	must("tallies",
	     db_run(db, &f,
		    "INSERT INTO tally (id, text, intent, outcome, dead) SELECT CAST(column1 || zeroblob(15) AS BLOB), "
		    "zeroblob(32),"
		    " column2, column3, column4 FROM (VALUES (x'01', 100, 101, 0), (x'02', 102, NULL, 0),"
		    " (x'03', 103, 104, 1), (x'04', 106, NULL, 0), (x'05', NULL, 105, 0))",
		    ""),
	     &f);
	must("today's", db_migrate(db, ledger_migrations, ledger_n_migrations, &f), &f);
	check_tally(db, 1, 100, 101, false);
	check_tally(db, 2, 102, LEDGER_NONE, false);
	check_tally(db, 3, 103, 104, true);
	check_tally(db, 5, LEDGER_NONE, 105, false);
	must("open", ledger_open_intent(db, 0, &intent, &cert, &f), &f);
	assert_int_equal(intent, 102);
	assert_int_equal(cert, 12);
	must("open", ledger_open_intent(db, 103, &intent, &cert, &f), &f);
	assert_int_equal(intent, 106);
	assert_int_equal(cert, 14);
	must("open", ledger_open_intent(db, 107, &intent, &cert, &f), &f);
	assert_int_equal(intent, LEDGER_NONE);
	/* Its outcome comes, and is the tally's. */
	must("outcome", ledger_cert_issued(&(struct ledger_tx){.db = db}, 12, 108, &f), &f);
	check_tally(db, 2, 102, 108, false);
	must("dead", ledger_tally_dead(&(struct ledger_tx){.db = db}, (const uint8_t[TALLY_ID]){4}, 109, &f), &f);
	must("dropped", ledger_cert_drop(&(struct ledger_tx){.db = db}, 14, &f), &f);
	check_tally(db, 4, 106, 109, true);
	must("open", ledger_open_intent(db, 0, &intent, &cert, &f), &f);
	assert_int_equal(intent, LEDGER_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(serials_are_unique),
		TEST(lines_in_pages),
		TEST(ended_in_pages),
		TEST(due_after_issue),
		TEST(dropped_frees_the_predecessor),
		TEST(crls_get_their_issuer),
		TEST(outcomes_move_to_certificates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
