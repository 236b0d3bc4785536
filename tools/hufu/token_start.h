/*
 * The start PIN of a token: made at random, marked on the token, and given up at the holder's first use.
 */
#ifndef HUFU_TOOLS_TOKEN_START_H
#define HUFU_TOOLS_TOKEN_START_H

#include "common/token/token_admin.h"

/* Digits, as many as a token of such PINs takes (min, max of token_info; max 0: no limit), eight where it may be. */
void start_pin_make(unsigned long min, unsigned long max, struct secret *ret);

/* The token's PIN is a start PIN from now on. A session that writes; who is logged in: its administrator or holder. */
MUST_CHECK enum err token_start_mark(struct token *t, struct fault *f);
/* It is none any more. Likewise. */
MUST_CHECK enum err token_start_clear(struct token *t, struct fault *f);
/* Is it one? Any session. */
MUST_CHECK enum err token_start_is(struct token *t, bool *ret, struct fault *f);
/* ERR_RULE pin_start when it is one: its holder does nothing with it but change it. */
MUST_CHECK enum err token_start_refuse(struct token *t, struct fault *f);
/* Asks for one of the holder's own, from descriptor new_pin_fd (text) or on the terminal, and token_pin_replace()s. pin: as logged in. */
MUST_CHECK enum err token_start_end(struct token *t, const struct secret *pin, const char *new_pin_fd, struct fault *f);
/* The holder, who is logged in with pin, has another from now on. ERR_RULE pin_same: it is no other; and token_pin_change()'s. */
MUST_CHECK enum err token_pin_replace(struct token *t, const struct secret *pin, const struct secret *next, struct fault *f);

#endif
