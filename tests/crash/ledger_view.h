/*
 * The ledger as the signer shows it over its wire, read whole: what was meant, what was done, for each tally.
 */
#ifndef HUFU_TESTS_LEDGER_VIEW_H
#define HUFU_TESTS_LEDGER_VIEW_H

#include "common/note/tally.h"

struct outcome {
	uint8_t tally[TALLY_ID];
	unsigned intents, issued, dead;
	bool responder; /* a gate's certificate, which no person was told */
	struct buf tbs; /* of the last intent */
};
struct ledger_view {
	struct outcome *outcomes; /* one a tally, in no order */
	size_t n, cap;
	uint64_t entries, issued; /* issued: to people */
};
void ledger_view_done(struct ledger_view *v);
/* Follows the signer's RA socket from entry 0 to the end. */
MUST_CHECK enum err ledger_view_read(const char *socket, struct ledger_view *ret, struct fault *f);
const struct outcome *ledger_view_find(const struct ledger_view *v, const uint8_t tally[TALLY_ID]);

#endif
