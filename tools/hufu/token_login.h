/*
 * Opening a token with its PIN, asked from the person who holds it.
 */
#ifndef HUFU_TOOLS_TOKEN_LOGIN_H
#define HUFU_TOOLS_TOKEN_LOGIN_H

#include "common/token/token.h"

/* Asks for the PIN where the token wants one: from descriptor pin_fd (text, as of --pin-fd), or, when that is NULL, on the terminal
 * or the token's keypad. *pin is filled and must outlive the token's session. ERR_CONFIG pin_fd, and token_login()'s. */
MUST_CHECK enum err token_ask_login(struct token *t, const char *pin_fd, struct secret *pin, struct fault *f);

#endif
