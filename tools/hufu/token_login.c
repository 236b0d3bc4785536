/*
 * The holder is told what a wrong PIN would cost before being asked for it.
 */
#include "tools/hufu/token_login.h"

#include "common/base/cleanup.h"

#include <stdio.h>
#include <string.h>

#define PIN_MAX 255

static enum err ask_pin(struct token *t, const char *pin_fd, struct secret *pin, struct fault *f)
{
	_cleanup_(freep) char *prompt = xasprintf("PIN of token \"%s\": ", token_name(t));
	const char *warning = token_pin_warning(t);
	uint64_t fd = 0;
	if (warning)
		fprintf(stderr, "hufu: token \"%s\": %s\n", token_name(t), warning);
	if (!pin_fd)
		return secret_prompt(prompt, false, PIN_MAX, pin, f);
	if (!u64_parse(pin_fd, strlen(pin_fd), 1023, &fd))
		return fault_raise(f, ERR_CONFIG, "pin_fd", "--pin-fd", "\"%s\" is not a descriptor number",
				   ESC(pin_fd, strlen(pin_fd)));
	return secret_read_fd((int)fd, PIN_MAX, pin, f);
}

enum err token_ask_login(struct token *t, const char *pin_fd, struct secret *pin, struct fault *f)
{
	enum token_login_way way = token_login_way(t);
	if (way == TOKEN_LOGIN_NONE)
		return OK;
	if (way == TOKEN_LOGIN_PAD && !pin_fd) {
		fprintf(stderr, "hufu: enter the PIN on the keypad of token \"%s\"\n", token_name(t));
		return token_login(t, NULL, f);
	}
	TRY(ask_pin(t, pin_fd, pin, f));
	return token_login(t, pin, f);
}
