/*
 * An officer's yes to an unlock: the code that the holder says is held against the one-time key that the desk shows, and only then the PUK is opened
 * and sealed anew to that key. For `hufu officer unlock` and `hufu agent`.
 */
#ifndef HUFU_TOOLS_UNLOCK_YES_H
#define HUFU_TOOLS_UNLOCK_YES_H

#include "tools/hufu/cli.h"
#include "tools/hufu/escrow.h"

struct unlock_yes {
	const char *request; /* borrowed */
	json_t *answer;	     /* owned: of review.show */
	const char *token;   /* borrowed of answer */
	uint8_t client[PUK_KEY];
	char code[PUK_CODE + 1]; /* what the holder will say; never shown */
};
void unlock_yes_done(struct unlock_yes *y); /* accepts the zero state */
/* ERR_RULE unlock_kind: the request is no unlock. */
MUST_CHECK enum err unlock_yes_load(struct cli *c, const char *request, struct unlock_yes *ret, struct fault *f);
/* Appends whose token it is, as a line for a terminal. */
void unlock_yes_put(const struct unlock_yes *y, struct buf *ret);
/* Is this, as it was typed, that code? Letters in either case, with hyphens and spaces wherever. */
bool unlock_yes_fits(const struct unlock_yes *y, const char *typed);
/* It is not, and nothing was opened: ERR_DENIED code_wrong. */
enum err unlock_yes_wrong(struct fault *f);
/* Opens the PUK and seals it to the holder's client; *ret is the desk's answer, NULL in a dry run. as: the officer's name, may be NULL. */
MUST_CHECK enum err unlock_yes_say(struct cli *c, const struct unlock_yes *y, const struct escrow_key *key,
				   const char *as, json_t **ret, struct fault *f);

#endif
