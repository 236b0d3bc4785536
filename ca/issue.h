/*
 * From a judged tally to a certificate, in steps: build and lint, intent, signature, outcome. Between them stand the
 * ledger's flushes; course.h takes the steps in order.
 */
#ifndef HUFU_CA_ISSUE_H
#define HUFU_CA_ISSUE_H

#include "ca/checks.h"

/* A certificate under way. */
struct issue {
	struct request *r; /* borrowed; NULL when an intent of before is finished */
	const struct tally *t;
	struct buf tbs, signature;
	struct ledger_cert row;
	uint64_t intent, index; /* entries; index: of the outcome */
	bool dead;		/* predecessor or key were revoked meanwhile: the intent was given up, and why says so */
	struct fault why;
};
void issue_done(struct issue *i); /* accepts the zero state */

/* The to-be-signed bytes, judged by lint in a certificate that the throw-away key signed. */
MUST_CHECK enum err issue_prepare(struct request *r, struct issue *ret, struct fault *f);
/* Transaction: checks once more, and the intent with these bytes. arg: struct issue. */
ledger_fn issue_intent;
/* Signs exactly i->tbs, which is what the intent holds. A signature that does not hold never leaves: ERR_INTERNAL. */
MUST_CHECK enum err issue_sign(const struct known_key *verifier, const struct ca_key *key, struct issue *i,
			       struct fault *f);
/* Transaction: the outcome, or the end of the intent. arg: struct issue. */
ledger_fn issue_outcome;
/* What became of it, once that is flushed. */
void issue_log(const struct issue *i);
/* Fills r->done and r->cert; or, given up, r->given_up, and why is the refusal, recorded already. */
MUST_CHECK enum err issue_answer(struct issue *i, struct fault *f);

/* Finishes every intent that has no outcome, in order, by signing exactly its recorded bytes; key is the issuing CA's. One of a retired CA waits
 * until that key is open, and is given up when it is no more. */
MUST_CHECK enum err issue_recover(struct signer *s, const struct ca_key *key, struct fault *f);
/* A fault's text as an entry may hold it: UTF-8. Changes text in place. */
struct slice entry_text(char *text);

#endif
