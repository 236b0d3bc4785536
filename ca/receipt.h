/*
 * Receipts, put together from the ledger.
 */
#ifndef HUFU_CA_RECEIPT_H
#define HUFU_CA_RECEIPT_H

#include "ca/signer.h"

/* The receipt (common/note/receipt.h) of a tally that was issued, under the tree as it is now; appended. No such tally, one that was
 * refused, or that asked for no certificate: ERR_NOT_FOUND receipt_unknown. */
MUST_CHECK enum err receipt_make(struct signer *s, const uint8_t tally[TALLY_ID], struct buf *ret, struct fault *f);

#endif
