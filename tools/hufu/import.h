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
/* Zero state: says nothing. */
struct import_progress {
	size_t every, last; /* rows */
	int64_t from_us;
	bool terminal, drawn;
};
/* From here on it says on stderr how far the import is. */
void import_progress_open(struct import_progress *p);
/* So many rows of one step are done; all: of so many, 0 when not known. */
void import_progress(struct import_progress *p, const char *what, size_t done, size_t all);
/* Before anything else is written to the terminal. */
void import_progress_hide(struct import_progress *p);

/* Reads and checks each row: columns, UTF-8, certificate, serial as said. ERR_PARSE for a file that is no such CSV; a
 * bad row is only marked. */
MUST_CHECK enum err import_read(const char *path, struct import_progress *p, struct import_file *ret, struct fault *f);
const char *import_get(const struct import_row *r, const char *column);

struct import_run {
	struct option_list officer_keys, crls; /* crls: files, each used for the issuer that signed it */
	const char *project, *profile;	       /* NULL: what each row says; "organisation" */
	struct import_progress progress;
};

/* Said line by line as it happens, or kept for --json. */
struct import_report {
	json_t *entries; /* NULL: printed at once */
	struct import_progress *progress;
	bool dry_run;
	size_t created, changed, unchanged, problems; /* rows; problems were refused */
	size_t certificates;
	uint64_t adopted;
};
/* result: created, changed, unchanged, refused. */
void import_tell(struct import_report *r, unsigned line, const char *result, const char *text);
void import_tell_signer(struct import_report *r, size_t certificates, uint64_t adopted, size_t refused);

/* The certificates: rows that cannot be taken are told and marked (problem), the rest goes to the signer unless it is a
 * dry run. */
MUST_CHECK enum err import_adopt(struct cli *c, const struct import_run *run, struct import_file *file,
				 struct import_report *report, struct fault *f);
/* How many entries the signer's ledger has by now. */
MUST_CHECK enum err import_ledger_size(struct cli *c, uint64_t *ret, struct fault *f);
/* Certificates into the signer by one adoption note for each issuer and project, accounts into the desk. Prints the
 * line-by-line report, and waits until the desk has read the ledger as far as it was written, so that who logs in next
 * has their certificates. Returns an exit code. */
int import_apply(struct cli *c, struct import_run *run, struct import_file *file);

#endif
