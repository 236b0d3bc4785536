/*
 * What a tally does that asks for no certificate: revoke, hold, release, withdraw; and revocations that fall due.
 */
#ifndef HUFU_CA_REVOKE_H
#define HUFU_CA_REVOKE_H

#include "ca/checks.h"

struct revocation {
	unsigned reason;
	uint64_t cause;	      /* intent of the certificate that replaced it, or LEDGER_NONE */
	const uint8_t *tally; /* TALLY_ID bytes */
	struct slice note;    /* the revoke tally, or empty */
};
/* Inside a transaction: E_REVOKED and the state. An adopted certificate is ended, since another CA must revoke it. */
MUST_CHECK enum err revoke_certificate(struct ledger_tx *tx, const struct ledger_cert *c, const struct revocation *v,
				       uint64_t *ret_index, struct fault *f);
/* The predecessor (0: any one) whose grace has ended at the transaction's time. *ret_any says whether there was one. */
MUST_CHECK enum err revoke_due_one(struct ledger_tx *tx, int64_t predecessor, bool *ret_any, struct fault *f);
/* All that are due. */
MUST_CHECK enum err revoke_due(struct signer *s, struct fault *f);
/* Transaction: carries out a tally that passed all checks and asks for no certificate; fills r->done. arg: struct request. */
ledger_fn revoke_act;
/* Once that is flushed. */
void revoke_log(const struct request *r);

#endif
