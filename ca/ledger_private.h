/*
 * What the files of the ledger share; nobody else includes this.
 */
#ifndef HUFU_CA_LEDGER_PRIVATE_H
#define HUFU_CA_LEDGER_PRIVATE_H

#include "ca/ledger.h"

extern const char *const ledger_migrations[];
extern const size_t ledger_n_migrations;

/* Rows hold indexes as signed numbers; LEDGER_NONE is null. */
static inline uint64_t column_index(struct db_row *row, int column)
{
	return db_is_null(row, column) ? LEDGER_NONE : (uint64_t)db_i64(row, column);
}
/* First 64 bits of a hash as SQLite keeps integers. */
int64_t hash_64(const uint8_t hash[32]);
/* The first column of the only row; def when there is none or it is null. */
MUST_CHECK enum err query_i64(struct db *db, const char *sql, int64_t def, int64_t *ret, struct fault *f);

#endif
