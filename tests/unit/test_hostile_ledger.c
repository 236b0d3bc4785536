/*
 * A ledger's file in the hands of whoever has the disk: each column of each table holds nothing, another type, nothing at all of a blob, too much of it, or a number
 * that no signer writes. Whatever is there, a start, a look from outside and every request end in an answer or in a clear error, and an entry that was touched is
 * found by the check. Each case is a process of its own, so that one that ends at once is seen, and is named.
 */
#include "ca_fixture.h"

#include "ca/ledger_check.h"
#include "common/base/file.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COLUMNS_MAX 256
#define CASE_S 20

static const char *const values[] = {"NULL",
				     "-1",
				     "9223372036854775807",
				     "1e300",
				     "'text'",
				     "x''",
				     "zeroblob(1)",
				     "zeroblob(70000)",
				     "CAST(zeroblob(20000000) AS TEXT)",
				     "randomblob(32)"};
#define VALUES (sizeof(values) / sizeof(values[0]))

struct column {
	char table[32], name[32];
};
static struct column columns[COLUMNS_MAX];
static size_t n_columns;

/* --- the file --- */

static void sql(sqlite3 *db, const char *text)
{
	char *why = NULL;
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
}

static int keep_column(void *arg, int n, char **v, char **names)
{
	(void)arg, (void)n, (void)names;
	assert_true(n_columns < COLUMNS_MAX);
	struct column *c = &columns[n_columns++];
	snprintf(c->table, sizeof(c->table), "%s", v[0]);
	snprintf(c->name, sizeof(c->name), "%s", v[1]);
	return 0;
}

/* Tables that take any value, without triggers; what is in them stays. */
static void loosen(const char *path)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sql(db, "PRAGMA journal_mode = DELETE; PRAGMA writable_schema = ON;"
		"DELETE FROM sqlite_schema WHERE type = 'trigger';"
		"UPDATE sqlite_schema SET sql = replace(replace(replace(sql, ') STRICT, WITHOUT', ') WITHOUT'), ') "
		"STRICT', ')'),"
		" ' NOT NULL', '') WHERE type = 'table';"
		"PRAGMA writable_schema = RESET; PRAGMA integrity_check;");
	assert_int_equal(sqlite3_exec(db,
				      "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c"
				      " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
				      keep_column, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Did it change anything? Some columns take no such value even so. */
static bool spoil(const char *path, const struct column *c, const char *value)
{
	_cleanup_(freep) char *text = xasprintf("UPDATE OR REPLACE %s SET %s = %s", c->table, c->name, value);
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sql(db, "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF");
	bool done = sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK && sqlite3_changes(db) > 0;
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return done;
}

/* --- what is asked --- */

static struct {
	struct fx *x;
	struct ca_key *key;
	struct buf file, extend, revoke, receipt;
	char *path, *said;
} held;
static unsigned n_wrong;

static void must_say(const char *what, enum err e, const struct fault *f)
{
	if (e == OK)
		return;
	if (f->kind != e || !f->rule[0] || !f->text[0])
		fail_msg("%s: %s without a word", what, err_word(e));
}

static void forget(void *arg, uint64_t index, struct slice text)
{
	(void)arg, (void)index, (void)text;
}

/* As `hufu ledger` does. */
static enum err look(struct fault *f)
{
	_cleanup_buf_ struct buf proof = {0};
	struct ledger_report report;
	uint8_t ca[20];
	enum err e = ledger_file_ca(held.path, ca, f);
	must_say("ca", e, f);
	e = ledger_file_prove(held.path, 3, 8, &proof, f);
	must_say("prove", e, f);
	e = ledger_file_print(held.path, 0, 1000, forget, NULL, f);
	must_say("print", e, f);
	e = ledger_check(held.path, &report, f);
	must_say("check", e, f);
	return e;
}

static void ask(struct fx *x, const char *what, const struct buf *request, bool by_operator, enum wire_type want)
{
	_cleanup_buf_ struct buf reply = {0};
	struct fault f = {0};
	enum err e = (by_operator ? fx_operator : fx_ra)(x, request, want, &reply, &f);
	must_say(what, e, &f);
}

static void send(struct fx *x, const char *what, const struct buf *note)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	fx_send(x, false, note, NULL, &a);
	must_say(what, a.kind, &a.f);
}

static void ask_all(struct fx *x)
{
	_cleanup_buf_ struct buf follow = {0}, feed = {0}, tile = {0}, health = {0}, ended = {0}, crl = {0};
	struct wire_crl m = {.shard = WIRE_FULL_CRL};
	memcpy(m.issuer, x->signer->issuer.key.key_id, 20);
	wire_crl_put(&m, &crl);
	wire_follow_put(&(struct wire_follow){.from = 0, .max = 1024}, &follow);
	wire_feed_put(&(struct wire_feed){.from = 0, .max = 1024}, &feed);
	wire_tile_put(&(struct wire_tile){.width = 5}, &tile);
	wire_health_put(&(struct wire_health){0}, &health);
	wire_ended_put(&(struct wire_ended){0}, &ended);
	ask(x, "follow", &follow, false, WIRE_TYPE_ENTRIES);
	ask(x, "feed", &feed, false, WIRE_TYPE_FEED_IS);
	ask(x, "tile", &tile, false, WIRE_TYPE_TILE_IS);
	ask(x, "health", &health, false, WIRE_TYPE_HEALTH_IS);
	ask(x, "ended", &ended, true, WIRE_TYPE_ENDED_IS);
	ask(x, "receipt", &held.receipt, false, WIRE_TYPE_RECEIPT_IS);
	send(x, "extend", &held.extend);
	send(x, "revoke", &held.revoke);
	ask(x, "crl", &crl, false, WIRE_TYPE_CRL_IS);
}

/* As the daemon does. */
static void start(struct fx *x)
{
	struct fault f = {0};
	enum err e = ledger_open(x->dir, false, &x->ledger, &f);
	if (e == OK)
		e = signer_new(&x->config, x->ledger, &x->signer, &f);
	if (e == OK) {
		e = signer_take_key(x->signer, TAKE(held.key), &f);
		must_say("key", e, &f);
		ask_all(x);
	} else {
		must_say("start", e, &f);
	}
	signer_freep(&x->signer);
	ledger_closep(&x->ledger);
}

/* --- a case --- */

/* 0: as it must be; 1: an entry was touched and the check finds nothing. */
static int one_case(const struct column *c)
{
	struct fault f = {0};
	alarm(CASE_S);
	bool found = look(&f) != OK;
	start(held.x);
	return strcmp(c->table, "entries") == 0 && !found;
}

static void write_file(void)
{
	struct fault f = {0};
	_cleanup_(freep) char *wal = xasprintf("%s-wal", held.path), *shm = xasprintf("%s-shm", held.path);
	(void)unlink(wal), (void)unlink(shm);
	assert_int_equal(file_write(held.path, buf_slice(&held.file), 0600, &f), OK);
}

/* The others are looked at all the same. */
static void wrong(const struct column *c, const char *value, int status)
{
	_cleanup_buf_ struct buf said = {0};
	size_t last = 0;
	n_wrong++;
	if (file_read(held.said, 1u << 20, &said, NULL) == OK)
		last = said.len < 200 ? 0 : said.len - 200;
	print_error("%s.%s = %s: %s %d: %s\n", c->table, c->name, value,
		    WIFSIGNALED(status) ? "ended by signal" : "exit code",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), buf_text(&said) + last);
}

static bool run_case(const struct column *c, const char *value)
{
	int status = 0;
	write_file();
	if (!spoil(held.path, c, value))
		return false;
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(freopen(held.said, "w", stderr) ? one_case(c) : 2);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		wrong(c, value, status);
	return true;
}

/* A certificate that was issued, one that is revoked, a CRL; what will be asked. */
static void live(struct fx *x)
{
	_cleanup_(tally_done) struct tally t = {0}, u = {0}, v = {0}, w = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0};
	_cleanup_buf_ struct buf der = {0};
	struct ledger_crl crl;
	struct fault f = {0};
	struct wire_receipt m;
	fx_change(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_OF_P256, BY_RA | BY_SUB | BY_OFFICERS, &a);
	check_done("change", &a);
	memcpy(m.tally, t.id, TALLY_ID);
	wire_receipt_put(&m, &held.receipt);
	fx_follow(x, ORG_P256, &a, KEY_OF_P256);
	fx_hold(x, ORG_RSA, &u);
	fx_ask(x, &u, ORG_RSA, KEY_OF_RSA, BY_RA, &b);
	check_done("hold", &b);
	assert_int_equal(fx_publish(x, x->signer->issuer.key.key_id, WIRE_FULL_CRL, &der, &crl, &f), OK);
	fx_extend(x, ORG_P256, &v);
	fx_note(x, &v, ORG_P256, KEY_OF_P256, BY_RA | BY_SUB, &held.extend);
	fx_revoke(x, ORG_P256, &w);
	fx_note(x, &w, ORG_P256, KEY_OF_P256, BY_RA | BY_SUB, &held.revoke);
}

static void test_every_column(void **state)
{
	const char *run_all = getenv("HUFU_LONG");
	size_t step = run_all && strcmp(run_all, "1") == 0 ? 1 : 10, cases = 0;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct fault f = {0};
	(void)state;
	log_set_level(0);
	live(x);
	held.x = x;
	held.path = path_join(x->dir, "ledger.db");
	held.said = path_join(x->dir, "said");
	held.key = atomic_exchange(&x->signer->key, NULL);
	signer_freep(&x->signer);
	ledger_closep(&x->ledger); /* no thread of it is there when this process forks */
	loosen(held.path);
	assert_int_equal(file_read(held.path, 16u << 20, &held.file, &f), OK);
	for (size_t i = 0; i < n_columns; i++) {
		/* Of the ledger itself all of them. */
		size_t each = strcmp(columns[i].table, "entries") == 0 ? 1 : step;
		for (size_t k = i % each; k < VALUES; k += each)
			cases += run_case(&columns[i], values[k]);
	}
	print_message("%zu cases of %zu columns\n", cases, n_columns);
	assert_int_equal(n_wrong, 0);
	assert_true(cases > n_columns); /* the tables of an empty kind take none */
	ca_key_freep(&held.key);
	buf_done(&held.file);
	buf_done(&held.extend);
	buf_done(&held.revoke);
	buf_done(&held.receipt);
	freep(&held.path);
	freep(&held.said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_column)};
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fx_keys_done();
	return failed;
}
