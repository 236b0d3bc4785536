/*
 * A part of the ledger, read: what can be known of entries before anybody has to wait for the writer.
 */
#ifndef HUFU_RA_LEDGER_PART_H
#define HUFU_RA_LEDGER_PART_H

#include "common/rpc/wire.h"
#include "ra/desk.h"
#include "ra/store_cert.h"

/* A certificate as an entry, or the signer's answer, tells of it; what the desk's tables know of it is not there yet. */
struct issued {
	struct cert_row row;
	struct cert_body body;
	uint8_t tally[TALLY_ID];
	bool has_predecessor;
	struct cert_ref predecessor;
};
void issued_done(struct issued *i);
/* entry: of its issue. note: the signed tally. */
MUST_CHECK enum err issued_read(struct desk *d, uint64_t entry, const uint8_t issuer[20], struct slice der, struct slice note, struct issued *ret,
				struct fault *f);
/* The same of an intent and its signature. */
MUST_CHECK enum err issued_signed(struct desk *d, uint64_t entry, const uint8_t issuer[20], struct slice tbs, struct slice note,
				  struct slice signature, struct issued *ret, struct fault *f);
/* A certificate alone: row and body of what it says itself. body->profile is known by now. */
MUST_CHECK enum err issued_cert(struct desk *d, struct slice der, struct cert_row *row, struct cert_body *body, struct fault *f);

struct ledger_entry {
	uint64_t index;
	struct slice bytes; /* borrowed */
	enum wire_type type;
	int64_t at;            /* when it was made */
	bool closed;           /* an intent whose outcome is in the same part */
	struct issued *issued; /* an issue whose intent is; else NULL */
};
struct ledger_part {
	uint64_t from;
	struct ledger_entry *entries;
	size_t n;
};
/* The entries from index `from` on, which are borrowed. Zero-init *ret. ERR_PARSE when one of them is no entry; the fault names it. */
MUST_CHECK enum err ledger_part_read(struct desk *d, uint64_t from, const struct slice *entries, size_t n, struct ledger_part *ret,
				     struct fault *f);
void ledger_part_done(struct ledger_part *p);

/* An issue completes an intent that is not open. */
MUST_CHECK enum err intent_missing(uint64_t entry, uint64_t intent, struct fault *f);

#endif
