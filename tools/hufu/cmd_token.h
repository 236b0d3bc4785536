/*
 * What the commands about tokens share.
 */
#ifndef HUFU_TOOLS_CMD_TOKEN_H
#define HUFU_TOOLS_CMD_TOKEN_H

#include "tools/hufu/subscriber.h"
#include "common/token/token_admin.h"

/* A token in a slot, and who opens it. */
struct card {
	struct token_choice choice;
	const char *pin_fd;
	struct token *token;
	struct secret pin; /* outlives the token's session */
	char *serial;	   /* owned, when the desk's record named it */
};
void card_done(struct card *k); /* accepts the zero state */
#define CARD_RULES(k)                                                                                                  \
	{.name = "--serial", .value = &(k)->choice.serial}, {.name = "--module", .value = &(k)->choice.module},        \
	{                                                                                                              \
		.name = "--pin-fd", .value = &(k)->pin_fd                                                              \
	}
/* Finds the token by its serial number: --serial, or the one that the desk has on record for who is logged in. ERR_CONFIG token_unnamed. */
MUST_CHECK enum err card_find(struct cli *c, struct card *k, enum token_use use, struct fault *f);
/* The same, and its holder is logged in. */
MUST_CHECK enum err card_open(struct cli *c, struct card *k, enum token_use use, struct fault *f);
/* Sets a text member when there is one. */
void token_text(json_t *o, const char *key, const char *value);

int run_token_show(struct cli *c, int argc, char **argv);
int run_token_init(struct cli *c, int argc, char **argv);
int run_token_pin(struct cli *c, int argc, char **argv);
int run_token_keygen(struct cli *c, int argc, char **argv);
int run_token_csr(struct cli *c, int argc, char **argv);
int run_token_install(struct cli *c, int argc, char **argv);
int run_token_test(struct cli *c, int argc, char **argv);
int run_token_unlock(struct cli *c, int argc, char **argv);
int run_token_escrow(struct cli *c, int argc, char **argv);
int run_token_list(struct cli *c, int argc, char **argv);
int run_token_record(struct cli *c, int argc, char **argv);
int run_token_add(struct cli *c, int argc, char **argv);
int run_token_import(struct cli *c, int argc, char **argv);
int run_token_move(struct cli *c, int argc, char **argv);
int run_token_mine(struct cli *c, int argc, char **argv);

#endif
