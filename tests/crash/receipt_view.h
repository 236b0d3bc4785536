/*
 * What was answered against its receipt, as anybody may check it; and the ledger's file, every entry of it.
 */
#ifndef HUFU_TESTS_RECEIPT_VIEW_H
#define HUFU_TESTS_RECEIPT_VIEW_H

#include "common/note/checkpoint.h"
#include "common/note/roster.h"
#include "common/note/tally.h"
#include "common/rpc/server.h"

struct receipt_view {
	struct rpc_client *signer; /* the RA's socket */
	struct log_key log;
	struct roster roster;
};
void receipt_view_done(struct receipt_view *v);
/* dir: of a tree. Zero-init *ret. */
MUST_CHECK enum err receipt_view_open(const char *dir, const char *socket, struct receipt_view *ret, struct fault *f);
/* The receipt of that tally holds for that certificate. */
MUST_CHECK enum err receipt_view_check(struct receipt_view *v, const uint8_t tally[TALLY_ID], struct slice cert,
				       struct fault *f);

#endif
