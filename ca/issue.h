/*
 * From a judged tally to a certificate: build, lint, intent, signature, outcome.
 */
#ifndef HUFU_CA_ISSUE_H
#define HUFU_CA_ISSUE_H

#include "ca/checks.h"

/* Issues what r was judged to deserve; fills r->done and r->cert. Nothing is given before it is durable. When the
 * predecessor was revoked meanwhile, the intent is given up (E_DEAD) and r->given_up says that the refusal is recorded.
 */
MUST_CHECK enum err issue(struct request *r, struct fault *f);
/* Finishes every intent that has no outcome, in order, by signing exactly its recorded bytes. */
MUST_CHECK enum err issue_recover(struct signer *s, const struct ca_key *key, struct fault *f);
/* A fault's text as an entry may hold it: UTF-8. Changes text in place. */
struct slice entry_text(char *text);

#endif
