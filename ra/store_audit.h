/*
 * The audit: who did what to what, when, from where; only ever appended, each row chained to the one before (common/note/audit.h).
 */
#ifndef HUFU_RA_STORE_AUDIT_H
#define HUFU_RA_STORE_AUDIT_H

#include "common/note/audit.h"
#include "ra/store.h"

/* Appends; row's id and hash are filled in. In the caller's transaction, which holds the one writer: the chain has no forks. */
MUST_CHECK enum err store_audit(struct db *db, struct audit_row *row, struct fault *f);
/* Gives rows from before there was a chain their hashes. Once, when the store is opened. */
MUST_CHECK enum err store_audit_seal(struct db *db, struct fault *f);
/* The last row: the chain's head. {0} when there is none. */
MUST_CHECK enum err store_audit_head(struct db *db, struct audit_walk *ret, struct fault *f);

struct audit_filter {
	const char *object, *who; /* NULL: any */
	int64_t since, until;     /* since <= at < until */
	int64_t after;            /* rows behind this one */
	int64_t limit;
};
/* Oldest first: by number, and by time when a person or a time is asked for without an object. fn: a fault ends the walk and is passed on. */
typedef enum err audit_row_fn(void *arg, const struct audit_row *row, struct fault *f);
MUST_CHECK enum err store_audit_rows(struct db *db, const struct audit_filter *filter, audit_row_fn *fn, void *arg, struct fault *f);
/* Is there a row of that kind since then? What a download asks before it writes one for each part. */
MUST_CHECK enum err store_audit_has(struct db *db, const char *object, const char *what, const char *who, int64_t uid, const char *detail, int64_t since,
				    bool *ret, struct fault *f);

#endif
