/*
 * What was lost with a ledger that was restored, as the desk had followed it.
 */
#ifndef HUFU_RA_STORE_LOST_H
#define HUFU_RA_STORE_LOST_H

#include "ra/store_cert.h"

struct lost_row {
	int64_t restored, entry; /* entries: of the operator's word, and the one that is gone */
	bool issued;		 /* the certificate itself; else the state that it got */
	struct cert_row cert;	 /* as the desk has it: ref.serial, state, changed, not_after */
	char name[CERT_NAME_MAX + 1];
};

/* Notes all certificates and states from entry `from` on. *ret_n: how many. */
MUST_CHECK enum err store_lost_note(struct db *db, int64_t restored, int64_t from, int64_t *ret_n, struct fault *f);
MUST_CHECK enum err store_lost_count(struct db *db, int64_t *ret, struct fault *f);
/* The newest restore first, then by entry. */
MUST_CHECK enum err store_lost_each(struct db *db, int64_t limit, int64_t offset,
				    void (*fn)(void *arg, const struct lost_row *row), void *arg, struct fault *f);

#endif
