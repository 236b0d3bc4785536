/*
 * How an officer sees a new key that no old key speaks for, before signing for it (DESIGN: key-seen).
 */
#ifndef HUFU_TOOLS_KEY_SEEN_H
#define HUFU_TOOLS_KEY_SEEN_H

#include "common/note/tally.h"
#include "common/token/token.h"
#include "tools/hufu/cli.h"

struct seen_how {
	const char *word;	    /* of --key-seen; NULL when it was not given */
	struct token_choice choice; /* --key-seen token: which one */
	const char *pin_fd;
	const struct secret *pin; /* --key-seen token: known already; NULL: it is asked for */
	const struct person_key
		*own; /* the officer's: a line of it under the tally before, for the same key, says that it was seen */
};
/* Is the key hash to stay unseen until it is typed? */
bool key_seen_is_typed(const struct tally *t);
/* Appends a tally's text; the key's hash only where it need not be typed. */
void key_seen_put(const struct tally *t, const char *text, struct buf *ret);
/* Are these characters, as they were typed, those of the key that the tally names? */
bool key_seen_fits(const struct tally *t, const char *typed);
/* They are not, and nothing was signed: ERR_DENIED fingerprint_wrong. */
enum err key_seen_wrong(struct fault *f);
/* Lets the token prove that it holds the key; without one, a line of the officer's under the tally before does. */
MUST_CHECK enum err key_seen_token(const struct seen_how *how, const struct tally *t, json_t *answer, struct fault *f);
/* Asks for the ten characters on standard input, three times at most, or lets the token prove that it holds the key. Nothing to
 * do for a tally that names no way of seeing. answer: of review.show, for its csr. ERR_CONFIG key_seen: --key-seen is missing or
 * not wanted; ERR_RULE key_seen_other: it is not the tally's; ERR_DENIED fingerprint_wrong; and the token's. */
MUST_CHECK enum err key_seen_check(const struct cli *c, const struct seen_how *how, const struct tally *t,
				   json_t *answer, struct fault *f);

#endif
