/*
 * The text of a first log-in: what a subscriber's key is asked to sign outside a request.
 */
#ifndef HUFU_TOOLS_PROOF_TEXT_H
#define HUFU_TOOLS_PROOF_TEXT_H

#include "common/base/buf.h"
#include "common/base/err.h"

/* Is it that text, to the byte as the desk makes one, and of that account? A desk cannot pass a tally, or another organisation's log-in, off as this one. ERR_RULE
 * proof_text, with what was found. */
MUST_CHECK enum err proof_text_check(struct slice text, const char *identifier, struct fault *f);

#endif
