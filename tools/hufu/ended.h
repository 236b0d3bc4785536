/*
 * What other CAs must revoke, out of the signer's ledger. (cmd_ended.c)
 */
#ifndef HUFU_TOOLS_ENDED_H
#define HUFU_TOOLS_ENDED_H

#include "tools/hufu/cli.h"

/* Appends an object for each adopted certificate that has ended, oldest first: serial, issuer, issuer_key_id, subject,
 * not_after, reason, time, cause, successor, tally. Asks the operator's socket. ERR_NET, ERR_PARSE. */
MUST_CHECK enum err ended_rows(struct cli *c, json_t *rows, struct fault *f);
/* These as CSV (RFC 4180) under a header. Appends to *ret. */
void ended_csv(json_t *rows, struct buf *ret);

#endif
