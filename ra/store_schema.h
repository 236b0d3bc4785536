/*
 * The schema, as migrations that are only ever appended.
 */
#ifndef HUFU_RA_STORE_SCHEMA_H
#define HUFU_RA_STORE_SCHEMA_H

#include <stddef.h>

extern const char *const store_migrations[];
extern const size_t store_n_migrations;

#endif
