/*
 * Certificates by their end, and who was reminded of which.
 */
#ifndef HUFU_RA_STORE_REMIND_H
#define HUFU_RA_STORE_REMIND_H

#include "ra/store_cert.h"

/* A place on the line of ends: a second, and the certificates of that second up to this id. */
struct end_mark {
	int64_t at, id;
};
struct ending {
	int64_t id, account, not_after;
	struct serial serial;
	char name[CERT_NAME_MAX + 1];
};
/* The next certificates behind the mark that end until then and are not revoked, ended or followed by another, in the order of their ends, at
 * most max; also those of nobody's account (0). */
MUST_CHECK enum err store_endings(struct db *db, struct end_mark after, int64_t until, struct ending *ret, size_t max, size_t *ret_n,
				  struct fault *f);
/* *ret_new false: that reminder was there already. */
MUST_CHECK enum err store_reminder_add(struct db *db, const struct ending *e, int64_t days, int64_t now, bool *ret_new, struct fault *f);
/* Those of certificates that ended before then. */
MUST_CHECK enum err store_reminders_purge(struct db *db, int64_t before, struct fault *f);

#endif
