/*
 * Statements are prepared once for each connection and found again by the address of their text.
 *
 * The text is compared too, so that an address that is used anew (a test's array, a library reloaded) prepares anew. A
 * statement that is still being read is not reset under its reader: the second one gets a statement of its own.
 */
#include "common/db/private.h"

#include <assert.h>
#include <string.h>

struct db_row {
	struct db *db;
	struct db_stmt *cached; /* or NULL: stmt is this row's own */
	sqlite3_stmt *stmt;
	bool ended;
};

static size_t slot_of(const struct db *db, const char *sql)
{
	size_t mask = db->n_slots - 1;
	size_t i = (size_t)(((uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;
	while (db->cache[i] && db->cache[i]->sql != sql)
		i = (i + 1) & mask;
	return i;
}

static void cache_grow(struct db *db)
{
	struct db_stmt **old = db->cache;
	size_t n_old = db->n_slots;
	db->n_slots = n_old ? 2 * n_old : 64;
	db->cache = xcalloc(db->n_slots, sizeof(struct db_stmt *));
	for (size_t i = 0; i < n_old; i++) {
		if (old[i])
			db->cache[slot_of(db, old[i]->sql)] = old[i];
	}
	free(old);
}

void stmt_cache_done(struct db *db)
{
	for (size_t i = 0; i < db->n_slots; i++) {
		if (!db->cache[i])
			continue;
		assert(!db->cache[i]->busy);
		sqlite3_finalize(db->cache[i]->stmt);
		free(db->cache[i]);
	}
	free(db->cache);
	db->cache = NULL;
	db->n_slots = db->n_cached = 0;
}

static enum err prepare(struct db *db, const char *sql, unsigned flags, sqlite3_stmt **ret, struct fault *f)
{
	const char *tail = NULL;
	int code = sqlite3_prepare_v3(db->handle, sql, -1, flags, ret, &tail);
	if (code != SQLITE_OK)
		return db_raise(db, code, sql, f);
	/* One statement each: what stands behind the first would be dropped in silence. */
	assert(*ret && tail[strspn(tail, " \t\n;")] == '\0');
	return OK;
}

/* The cached statement, reset and marked busy; or one of its own in *ret_stmt with *ret_cached NULL. */
static enum err acquire(struct db *db, const char *sql, struct db_stmt **ret_cached, sqlite3_stmt **ret_stmt,
			struct fault *f)
{
	if (2 * (db->n_cached + 1) > db->n_slots)
		cache_grow(db);
	size_t i = slot_of(db, sql);
	struct db_stmt *hit = db->cache[i];
	if (hit && hit->busy)
		return prepare(db, sql, 0, ret_stmt, f);
	if (!hit || strcmp(sqlite3_sql(hit->stmt), sql) != 0) {
		sqlite3_stmt *fresh = NULL;
		TRY(prepare(db, sql, SQLITE_PREPARE_PERSISTENT, &fresh, f));
		if (!hit) {
			hit = db->cache[i] = xcalloc(1, sizeof(*hit));
			hit->sql = sql;
			db->n_cached++;
		}
		sqlite3_finalize(hit->stmt);
		hit->stmt = fresh;
	}
	hit->busy = true;
	*ret_cached = hit;
	*ret_stmt = hit->stmt;
	return OK;
}

static void release(struct db_stmt *cached, sqlite3_stmt *stmt)
{
	if (!cached) {
		sqlite3_finalize(stmt);
		return;
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	cached->busy = false;
}

/* life: SQLITE_STATIC when the values outlive the statement's run, else SQLITE_TRANSIENT. */
static int bind_one(sqlite3_stmt *stmt, int column, char type, sqlite3_destructor_type life, va_list *ap)
{
	if (type == 'i')
		return sqlite3_bind_int64(stmt, column, va_arg(*ap, int64_t));
	if (type == 't') {
		const char *text = va_arg(*ap, const char *);
		return text ? sqlite3_bind_text64(stmt, column, text, strlen(text), life, SQLITE_UTF8)
			    : sqlite3_bind_null(stmt, column);
	}
	if (type == 'b') {
		struct slice s = va_arg(*ap, struct slice);
		return s.p ? sqlite3_bind_blob64(stmt, column, s.p, s.n, life) : sqlite3_bind_null(stmt, column);
	}
	assert(type == 'n');
	return sqlite3_bind_null(stmt, column);
}

static int bind_all(sqlite3_stmt *stmt, const char *types, sqlite3_destructor_type life, va_list *ap)
{
	assert((size_t)sqlite3_bind_parameter_count(stmt) == strlen(types));
	int code = SQLITE_OK;
	for (int i = 0; types[i] != '\0' && code == SQLITE_OK; i++)
		code = bind_one(stmt, i + 1, types[i], life, ap);
	return code;
}

enum err db_run(struct db *db, struct fault *f, const char *sql, const char *types, ...)
{
	struct db_stmt *cached = NULL;
	sqlite3_stmt *stmt = NULL;
	TRY(acquire(db, sql, &cached, &stmt, f));
	va_list ap;
	va_start(ap, types);
	int code = bind_all(stmt, types, SQLITE_STATIC, &ap);
	va_end(ap);
	if (code == SQLITE_OK) {
		do
			code = sqlite3_step(stmt);
		while (code == SQLITE_ROW);
	}
	/* Raised before the reset, while the handle still has the text. */
	enum err e = code == SQLITE_DONE ? OK : db_raise(db, code, sql, f);
	release(cached, stmt);
	return e;
}

static enum err query(struct db *db, struct fault *f, struct db_row **ret, const char *sql, const char *types,
		      va_list *ap)
{
	_cleanup_(db_row_donep) struct db_row *row = xcalloc(1, sizeof(*row));
	row->db = db;
	TRY(acquire(db, sql, &row->cached, &row->stmt, f));
	int code = bind_all(row->stmt, types, SQLITE_TRANSIENT, ap);
	if (code != SQLITE_OK)
		return db_raise(db, code, sql, f);
	*ret = TAKE(row);
	return OK;
}

enum err db_query(struct db *db, struct fault *f, struct db_row **ret, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	enum err e = query(db, f, ret, sql, types, &ap);
	va_end(ap);
	return e;
}

enum err db_next(struct db_row *row, bool *ret_more, struct fault *f)
{
	if (row->ended) {
		*ret_more = false;
		return OK;
	}
	int code = sqlite3_step(row->stmt);
	row->ended = code != SQLITE_ROW;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return db_raise(row->db, code, sqlite3_sql(row->stmt), f);
	*ret_more = !row->ended;
	return OK;
}

enum err db_one(struct db *db, struct fault *f, struct db_row **ret, const char *sql, const char *types, ...)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	va_list ap;
	va_start(ap, types);
	enum err e = query(db, f, &row, sql, types, &ap);
	va_end(ap);
	TRY(e);
	bool more;
	TRY(db_next(row, &more, f));
	if (!more)
		return fault_raise(f, ERR_NOT_FOUND, "db_no_row", "row", "no such record");
	*ret = TAKE(row);
	return OK;
}

void db_row_done(struct db_row *row)
{
	if (row->stmt)
		release(row->cached, row->stmt);
	free(row);
}

/* Reading a column that is not there, or beyond the last row, is a bug: SQLite would answer NULL in silence. */
static sqlite3_stmt *at(struct db_row *row, int column)
{
	assert(!row->ended && column >= 0 && column < sqlite3_data_count(row->stmt));
	return row->stmt;
}

int64_t db_i64(struct db_row *row, int column)
{
	return sqlite3_column_int64(at(row, column), column);
}

const char *db_text(struct db_row *row, int column)
{
	return (const char *)sqlite3_column_text(at(row, column), column);
}

/* A blob of no bytes is {"", 0}, so that it is told from null. */
struct slice db_blob(struct db_row *row, int column)
{
	sqlite3_stmt *stmt = at(row, column);
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return (struct slice){0};
	const void *p = sqlite3_column_blob(stmt, column);
	return slice_of(p ? p : "", (size_t)sqlite3_column_bytes(stmt, column));
}

bool db_is_null(struct db_row *row, int column)
{
	return sqlite3_column_type(at(row, column), column) == SQLITE_NULL;
}
