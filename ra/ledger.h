/*
 * The effect of ledger entries on the desk's tables, in the caller's transaction.
 */
#ifndef HUFU_RA_LEDGER_H
#define HUFU_RA_LEDGER_H

#include "common/rpc/wire.h"
#include "ra/ledger_part.h"

/* Applies entries that were read, in their order; applying them again changes nothing. *ended gets the lanes of the requests that they
 * end. A fault names the entry. */
MUST_CHECK enum err ledger_apply(struct desk *d, struct db *db, const struct ledger_part *p, struct lanes *ended, struct fault *f);
/* The same for a certificate that the signer answered before its entry was followed. note: the signed tally. */
MUST_CHECK enum err ledger_put_issued(struct desk *d, struct db *db, const struct wire_done *done, struct slice note,
				      struct fault *f);
/* Moves a request by the signer's word when its state still can; another state is left as it is. */
MUST_CHECK enum err ledger_settle(struct db *db, const char *request, bool done, int64_t cert, const struct fault *why,
				  int64_t now, struct fault *f);

#endif
