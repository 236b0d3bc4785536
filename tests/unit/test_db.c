/*
 * The SQL layer: how files are opened, migrations, transactions, binding, rows, and damaged files.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/db/private.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static char dir[] = "/tmp/hufu-db-XXXXXX";
static const char *const schema[] = {
	"CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, photo BLOB, age INTEGER) STRICT;\n"
	"CREATE TABLE pet(id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES person(id)) STRICT;",
	"ALTER TABLE person ADD COLUMN note TEXT;",
};
static const char insert_person[] = "INSERT INTO person(id, name, photo, age) VALUES (?1, ?2, ?3, ?4)";
static const char count_people[] = "SELECT count(*) FROM person";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static void forget(const char *name)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	for (size_t i = 0; i < N(ends); i++) {
		_cleanup_(freep) char *path = xasprintf("%s%s", name, ends[i]);
		unlink(path);
	}
}

static int tear_down(void **state)
{
	(void)state;
	forget("t.db");
	return rmdir(dir);
}

/* A fresh file at the newest schema. */
static struct db *fresh(void)
{
	struct db *db = NULL;
	struct fault f = {0};
	forget("t.db");
	if (db_open("t.db", false, &db, &f) != OK || db_migrate(db, schema, N(schema), &f) != OK)
		fail_msg("%s", f.text);
	return db;
}

static void add(struct db *db, int64_t id, const char *name)
{
	struct fault f = {0};
	if (db_run(db, &f, insert_person, "itbn", id, name, slice_str("jpg")) != OK)
		fail_msg("%s", f.text);
}

static int64_t people(struct db *db)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	assert_int_equal(db_one(db, NULL, &row, count_people, ""), OK);
	return db_i64(row, 0);
}

static void expect_pragma(struct db *db, const char *sql, const char *want)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	assert_int_equal(db_one(db, NULL, &row, sql, ""), OK);
	assert_string_equal(db_text(row, 0), want);
}

static void opens_private_and_durable(void **state)
{
	(void)state;
	mode_t old = umask(0);
	_cleanup_(db_closep) struct db *db = fresh();
	umask(old);
	static const char *const files[] = {"t.db", "t.db-wal", "t.db-shm"};
	for (size_t i = 0; i < N(files); i++) {
		struct stat st;
		assert_int_equal(stat(files[i], &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	static const struct {
		const char *sql, *want;
	} pragmas[] = {
		{"PRAGMA journal_mode", "wal"},	 {"PRAGMA synchronous", "2"},		{"PRAGMA foreign_keys", "1"},
		{"PRAGMA trusted_schema", "0"},	 {"PRAGMA wal_autocheckpoint", "8000"}, {"PRAGMA cache_size", "-2048"},
		{"PRAGMA busy_timeout", "5000"}, {"PRAGMA user_version", "2"},
	};
	for (size_t i = 0; i < N(pragmas); i++)
		expect_pragma(db, pragmas[i].sql, pragmas[i].want);
}

static void binds_and_reads_every_type(void **state)
{
	(void)state;
	struct fault f;
	_cleanup_(db_closep) struct db *db = fresh();
	static const char select[] = "SELECT id, name, photo, age FROM person WHERE id = ?1";
	static const uint8_t bytes[] = {0, 1, 0, 255};
	assert_int_equal(db_run(db, &f, insert_person, "itbi", INT64_MIN, "虎'; DROP TABLE person; --",
				slice_of(bytes, 4), INT64_MAX),
			 OK);
	assert_int_equal(db_changes(db), 1);
	assert_int_equal(db_last_id(db), INT64_MIN);
	struct db_row *row = NULL;
	assert_int_equal(db_one(db, &f, &row, select, "i", INT64_MIN), OK);
	assert_int_equal(db_i64(row, 0), INT64_MIN);
	assert_string_equal(db_text(row, 1), "虎'; DROP TABLE person; --");
	assert_true(slice_eq(db_blob(row, 2), slice_of(bytes, 4)));
	assert_int_equal(db_i64(row, 3), INT64_MAX);
	assert_false(db_is_null(row, 3));
	db_row_donep(&row);
	/* An empty blob and an empty text are not null. */
	assert_int_equal(db_run(db, &f, insert_person, "itbn", (int64_t)2, "", slice_of("", 0)), OK);
	assert_int_equal(db_one(db, &f, &row, select, "i", (int64_t)2), OK);
	assert_non_null(db_blob(row, 2).p);
	assert_int_equal(db_blob(row, 2).n, 0);
	assert_string_equal(db_text(row, 1), "");
	assert_true(db_is_null(row, 3));
	db_row_donep(&row);
	assert_int_equal(db_run(db, &f, insert_person, "itbn", (int64_t)3, "c", (struct slice){0}), OK);
	assert_int_equal(db_one(db, &f, &row, select, "i", (int64_t)3), OK);
	assert_null(db_blob(row, 2).p);
	assert_null(db_text(row, 3));
	db_row_donep(&row);
	assert_int_equal(db_one(db, &f, &row, select, "i", (int64_t)4), ERR_NOT_FOUND);
	assert_null(row);
}

static void kinds_of_failure(void **state)
{
	(void)state;
	_cleanup_(db_closep) struct db *db = fresh();
	struct fault f;
	add(db, 1, "a");
	static const struct {
		const char *sql;
		enum err want;
	} cases[] = {
		{"INSERT INTO person(id, name) VALUES (1, 'b')", ERR_CONFLICT},
		{"INSERT INTO person(id, name) VALUES (2, 'a')", ERR_CONFLICT},
		{"INSERT INTO person(id, name) VALUES (2, NULL)", ERR_CONFLICT},
		{"INSERT INTO pet(id, owner) VALUES (1, 77)", ERR_CONFLICT},
		{"INSERT INTO person(id, name, age) VALUES (2, 'b', 'old')", ERR_CONFLICT}, /* STRICT */
		{"INSERT INTO nowhere(id) VALUES (1)", ERR_DB},
		{"INSERT INTO person(id, name) VALUES (2, \"b\")", ERR_DB}, /* double quotes are names */
		{"SELEC 1", ERR_DB},
		{"PRAGMA writable_schema=ON", OK},
		{"DELETE FROM sqlite_schema", ERR_DB}, /* defensive mode */
		{"ATTACH DATABASE 'none/there.db' AS other", ERR_DB},
	};
	for (size_t i = 0; i < N(cases); i++) {
		enum err e = db_run(db, &f, cases[i].sql, "");
		if (e != cases[i].want)
			fail_msg("%s: %s", cases[i].sql, err_word(e));
		assert_int_equal(db_run(db, NULL, cases[i].sql, ""), cases[i].want);
	}
	assert_int_equal(people(db), 1);
}

static void rows_are_read_one_by_one(void **state)
{
	(void)state;
	_cleanup_(db_closep) struct db *db = fresh();
	struct fault f;
	static const char select[] = "SELECT id FROM person WHERE id >= ?1 ORDER BY id";
	add(db, 1, "a");
	add(db, 2, "b");
	add(db, 3, "c");
	int64_t pairs = 0;
	bool more, inner_more;
	_cleanup_(db_row_donep) struct db_row *outer = NULL;
	assert_int_equal(db_query(db, &f, &outer, select, "i", (int64_t)2), OK);
	while (assert_int_equal(db_next(outer, &more, &f), OK), more) {
		/* The same text while it is being read: a statement of its own. */
		_cleanup_(db_row_donep) struct db_row *inner = NULL;
		assert_int_equal(db_query(db, &f, &inner, select, "i", (int64_t)1), OK);
		while (assert_int_equal(db_next(inner, &inner_more, &f), OK), inner_more)
			pairs += db_i64(outer, 0) * 10 + db_i64(inner, 0);
	}
	assert_int_equal(pairs, 3 * 20 + 6 + 3 * 30 + 6);
	/* The end stays the end. */
	assert_int_equal(db_next(outer, &more, &f), OK);
	assert_false(more);
}

static void bound_values_may_go_before_the_rows(void **state)
{
	(void)state;
	_cleanup_(db_closep) struct db *db = fresh();
	add(db, 1, "name");
	char *name = strdup("name");
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	assert_int_equal(db_query(db, NULL, &row, "SELECT id FROM person WHERE name = ?1", "t", name), OK);
	memset(name, 'x', 4);
	free(name);
	bool more;
	assert_int_equal(db_next(row, &more, NULL), OK);
	assert_true(more);
}

static void the_cache_knows_text_and_address(void **state)
{
	(void)state;
	_cleanup_(db_closep) struct db *db = fresh();
	char sql[64] = "SELECT 1";
	for (int i = 1; i <= 3; i++) {
		snprintf(sql, sizeof(sql), "SELECT %d", i);
		_cleanup_(db_row_donep) struct db_row *row = NULL;
		assert_int_equal(db_one(db, NULL, &row, sql, ""), OK);
		assert_int_equal(db_i64(row, 0), i);
	}
	/* Many addresses: the table grows and still finds all. */
	static char many[300][40];
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 300; i++) {
			snprintf(many[i], sizeof(many[i]), "SELECT ?1 + %d", i);
			_cleanup_(db_row_donep) struct db_row *row = NULL;
			assert_int_equal(db_one(db, NULL, &row, many[i], "i", (int64_t)1000), OK);
			assert_int_equal(db_i64(row, 0), 1000 + i);
		}
	}
}

static void transactions(void **state)
{
	(void)state;
	_cleanup_(db_closep) struct db *db = fresh();
	struct fault f;
	db_rollback(db);
	assert_int_equal(db_begin(db, &f), OK);
	add(db, 1, "a");
	db_rollback(db);
	db_rollback(db);
	assert_int_equal(people(db), 0);
	assert_int_equal(db_begin(db, &f), OK);
	assert_int_equal(db_begin(db, &f), ERR_DB); /* no second one inside */
	add(db, 1, "a");
	assert_int_equal(db_savepoint(db, &f), OK);
	add(db, 2, "b");
	assert_int_equal(db_rollback_to(db, &f), OK);
	assert_int_equal(db_savepoint(db, &f), OK);
	add(db, 4, "d");
	assert_int_equal(db_take_back(db, ERR_RULE, &(struct fault){.rule = "refused"}, &f), OK);
	assert_int_equal(db_savepoint(db, &f), OK);
	assert_int_equal(db_take_back(db, ERR_IO, &(struct fault){.rule = "failed"}, &f), ERR_IO);
	assert_string_equal(f.rule, "failed");
	add(db, 3, "c");
	assert_int_equal(db_release(db, &f), OK);
	assert_int_equal(db_release(db, &f), ERR_DB);
	assert_int_equal(db_commit(db, &f), OK);
	assert_int_equal(db_commit(db, &f), ERR_DB);
	assert_int_equal(db_rollback_to(db, &f), ERR_DB);
	assert_int_equal(db_take_back(db, ERR_BUSY, &(struct fault){.rule = "disk_full"}, &f), ERR_BUSY);
	assert_string_equal(f.rule, "disk_full");
	assert_int_equal(people(db), 2);
}

static void closing_takes_back_what_was_not_committed(void **state)
{
	(void)state;
	struct db *db = fresh();
	assert_int_equal(db_begin(db, NULL), OK);
	add(db, 1, "a");
	db_closep(&db);
	assert_int_equal(db_open("t.db", false, &db, NULL), OK);
	assert_int_equal(people(db), 0);
	db_closep(&db);
}

static void two_connections(void **state)
{
	(void)state;
	struct fault f;
	_cleanup_(db_closep) struct db *a = fresh(), *b = NULL, *reader = NULL;
	assert_int_equal(db_open("t.db", false, &b, &f), OK);
	assert_int_equal(db_open("t.db", true, &reader, &f), OK);
	add(a, 1, "a");
	assert_int_equal(db_begin_read(b, &f), OK);
	assert_int_equal(people(b), 1);
	add(a, 2, "b");
	assert_int_equal(people(b), 1); /* the snapshot stays */
	assert_int_equal(people(reader), 2);
	/* A snapshot that is no longer the newest cannot write: at once, without waiting. */
	assert_int_equal(db_run(b, &f, insert_person, "itnn", (int64_t)3, "c"), ERR_BUSY);
	assert_string_equal(f.rule, "db_busy");
	db_rollback(b);
	assert_int_equal(people(b), 2);
	assert_int_equal(db_run(reader, &f, insert_person, "itnn", (int64_t)3, "c"), ERR_DB);
}

static int64_t version(struct db *db)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	assert_int_equal(db_one(db, NULL, &row, "PRAGMA user_version", ""), OK);
	return db_i64(row, 0);
}

static void migrations(void **state)
{
	(void)state;
	struct fault f;
	_cleanup_(db_closep) struct db *db = NULL;
	forget("t.db");
	assert_int_equal(db_open("t.db", false, &db, &f), OK);
	assert_int_equal(db_migrate(db, schema, 0, &f), OK);
	assert_int_equal(db_migrate(db, schema, 1, &f), OK);
	assert_int_equal(version(db), 1);
	add(db, 1, "kept");
	assert_int_equal(db_migrate(db, schema, 2, &f), OK);
	assert_int_equal(db_migrate(db, schema, 2, &f), OK);
	assert_int_equal(version(db), 2);
	assert_int_equal(people(db), 1);
	/* A newer file than the program. */
	assert_int_equal(db_migrate(db, schema, 1, &f), ERR_DB);
	assert_string_equal(f.rule, "db_version");
	/* One that fails half-way leaves nothing of itself, and those before it stay. */
	const char *const broken[] = {schema[0], schema[1], "CREATE TABLE fine(id INTEGER) STRICT;",
				      "CREATE TABLE half(id INTEGER) STRICT; CREATE TABLE person(id INTEGER) STRICT;"};
	assert_int_equal(db_migrate(db, broken, 4, &f), ERR_DB);
	assert_int_equal(version(db), 3);
	assert_int_equal(db_run(db, &f, "SELECT id FROM half", ""), ERR_DB);
	assert_int_equal(db_run(db, &f, "SELECT id FROM fine", ""), OK);
	/* One that ends its own transaction. */
	const char *const sly[] = {schema[0], schema[1], broken[2], "COMMIT;"};
	assert_int_equal(db_migrate(db, sly, 4, &f), ERR_DB);
	assert_string_equal(f.rule, "db_migration");
	assert_int_equal(version(db), 3);
	assert_int_equal(db_run(db, &f, "PRAGMA user_version=-1", ""), OK);
	assert_int_equal(db_migrate(db, schema, 2, &f), ERR_DB);
}

static void files_that_are_none(void **state)
{
	(void)state;
	struct fault f;
	struct db *db = NULL;
	forget("t.db");
	assert_int_equal(db_open("t.db", true, &db, &f), ERR_DB);
	assert_false(file_exists("t.db"));
	assert_int_equal(db_open("none/t.db", false, &db, &f), ERR_DB);
	assert_int_equal(db_open(".", false, &db, &f), ERR_DB);
	_cleanup_buf_ struct buf garbage = {0};
	buf_reserve(&garbage, 8192);
	garbage.len = 8192;
	random_fill(garbage.data, 8192);
	assert_int_equal(file_write("t.db", buf_slice(&garbage), 0600, &f), OK);
	assert_int_equal(db_open("t.db", false, &db, &f), ERR_DB);
	assert_non_null(strstr(f.text, "t.db"));
	assert_null(db);
}

static void damage_is_an_error_and_no_crash(void **state)
{
	(void)state;
	struct fault f;
	struct db *db = fresh();
	assert_int_equal(db_begin(db, &f), OK);
	for (int64_t i = 0; i < 500; i++) {
		_cleanup_(freep) char *name = xasprintf("somebody with a long name %lld", (long long)i);
		add(db, i, name);
	}
	assert_int_equal(db_commit(db, &f), OK);
	db_closep(&db);
	_cleanup_buf_ struct buf whole = {0};
	assert_int_equal(file_read("t.db", 1 << 20, &whole, &f), OK);
	/* Everything behind the page of the schema. */
	memset(whole.data + 4096, 0xa5, whole.len - 4096);
	assert_int_equal(file_write("t.db", buf_slice(&whole), 0600, &f), OK);
	assert_int_equal(db_open("t.db", false, &db, &f), OK);
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	assert_int_equal(db_one(db, &f, &row, "SELECT name FROM person WHERE id = ?1", "i", (int64_t)400), ERR_DB);
	db_closep(&db);
}

/* A plan that looked at values (for an index of a part of the rows) would be made anew for each. */
static void statements_are_prepared_once(void **state)
{
	(void)state;
	static const char find[] = "SELECT id FROM person WHERE note = ?1";
	_cleanup_(db_closep) struct db *db = fresh();
	assert_int_equal(db_run(db, NULL, "CREATE INDEX tall ON person(age) WHERE note = 'tall'", ""), OK);
	for (int i = 0; i < 10; i++) {
		_cleanup_(db_row_donep) struct db_row *row = NULL;
		bool more;
		assert_int_equal(db_query(db, NULL, &row, find, "t", i % 2 ? "tall" : "small"), OK);
		assert_int_equal(db_next(row, &more, NULL), OK);
	}
	sqlite3_stmt *s = NULL;
	while ((s = sqlite3_next_stmt(db->handle, s)) && strcmp(sqlite3_sql(s), find) != 0)
		;
	assert_non_null(s);
	assert_int_equal(sqlite3_stmt_status(s, SQLITE_STMTSTATUS_RUN, 0), 10);
	assert_int_equal(sqlite3_stmt_status(s, SQLITE_STMTSTATUS_REPREPARE, 0), 0);
}

static void a_log_is_kept_until_it_is_copied(void **state)
{
	(void)state;
	_cleanup_(db_closep) struct db *db = fresh(), *other = NULL;
	struct fault f;
	unsigned pages = 0, copied = 0;
	assert_int_equal(db_open("t.db", false, &other, &f), OK);
	assert_int_equal(db_wal_keep(db, &f), OK);
	add(db, 1, "a");
	assert_true(db_wal_pages(db) > 0);
	/* Somebody reads what was before the next row: that stays. */
	assert_int_equal(db_begin_read(other, &f), OK);
	assert_int_equal(people(other), 1);
	add(db, 2, "b");
	assert_int_equal(db_wal_copy(db, &pages, &copied, &f), OK);
	assert_int_equal(pages, db_wal_pages(db));
	assert_true(copied > 0 && copied < pages);
	db_rollback(other);
	assert_int_equal(db_wal_copy(other, &pages, &copied, &f), OK);
	assert_int_equal(copied, pages);
	add(db, 3, "c");
	assert_true(db_wal_pages(db) < pages);
	assert_int_equal(people(other), 3);
}

static void memory_needs_no_file(void **state)
{
	(void)state;
	_cleanup_(db_closep) struct db *db = NULL;
	struct fault f;
	assert_int_equal(db_open(":memory:", false, &db, &f), OK);
	assert_int_equal(db_migrate(db, schema, N(schema), &f), OK);
	add(db, 1, "a");
	assert_int_equal(people(db), 1);
	assert_false(file_exists(":memory:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_private_and_durable),
		cmocka_unit_test(binds_and_reads_every_type),
		cmocka_unit_test(kinds_of_failure),
		cmocka_unit_test(rows_are_read_one_by_one),
		cmocka_unit_test(bound_values_may_go_before_the_rows),
		cmocka_unit_test(the_cache_knows_text_and_address),
		cmocka_unit_test(transactions),
		cmocka_unit_test(closing_takes_back_what_was_not_committed),
		cmocka_unit_test(two_connections),
		cmocka_unit_test(migrations),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(damage_is_an_error_and_no_crash),
		cmocka_unit_test(statements_are_prepared_once),
		cmocka_unit_test(a_log_is_kept_until_it_is_copied),
		cmocka_unit_test(memory_needs_no_file),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
