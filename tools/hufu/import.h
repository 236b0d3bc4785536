/*
 * An old system's export: a CSV with a header line and PEM files beside it.
 */
#ifndef HUFU_TOOLS_IMPORT_H
#define HUFU_TOOLS_IMPORT_H

#include "common/pki/cert.h"
#include "tools/hufu/cli.h"

#define IMPORT_MAX_ROWS 1000000
#define IMPORT_COLUMNS 13

extern const char *const import_columns[IMPORT_COLUMNS];

struct import_row {
	unsigned line;		    /* of the CSV, header is 1 */
	char *text[IMPORT_COLUMNS]; /* by import_columns; "" when empty */
	struct buf der;		    /* of pem_file; empty when none */
	char problem[300];	    /* why the row cannot be taken; "" when it can */
};
struct import_file {
	struct import_row *rows;
	size_t n;
	char *dir; /* of the CSV: pem_file is relative to it */
};
void import_done(struct import_file *i);
/* Reads and checks each row: columns, UTF-8, certificate, serial as said. ERR_PARSE for a file that is no such CSV; a
 * bad row is only marked. */
MUST_CHECK enum err import_read(const char *path, struct import_file *ret, struct fault *f);
const char *import_get(const struct import_row *r, const char *column);

struct import_run {
	struct option_list officer_keys;
	const char *crl, *project, *profile;
};
/* Accounts into the desk, certificates into the signer by one adoption note. Prints the line-by-line report. Returns an
 * exit code. */
int import_apply(struct cli *c, const struct import_run *run, struct import_file *file);

#endif
