/*
 * Keys that the desk makes, and the parcels that they travel in: what the commands about them share.
 */
#ifndef HUFU_TOOLS_WORK_H
#define HUFU_TOOLS_WORK_H

#include "tools/hufu/cli.h"
#include "common/token/token.h"

/* The line of a new key over a tally's text, by the token that has it: "— new-key …\n". Gives: free(). ERR_NOT_FOUND key_not_on_token. */
MUST_CHECK enum err work_line(struct token *t, const char *text, const struct pubkey *key, char **ret, struct fault *f);

int run_work_csr(struct cli *c, int argc, char **argv);
int run_work_prove(struct cli *c, int argc, char **argv);
int run_work_again(struct cli *c, int argc, char **argv);
int run_parcel_receive(struct cli *c, int argc, char **argv);

#endif
