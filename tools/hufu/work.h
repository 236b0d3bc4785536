/*
 * Keys that the desk makes, and the parcels that they travel in: what the commands about them share.
 */
#ifndef HUFU_TOOLS_WORK_H
#define HUFU_TOOLS_WORK_H

#include "common/note/tally.h"
#include "common/pki/csr.h"
#include "common/token/token.h"
#include "tools/hufu/cli.h"

/* The desk's tally of a key that it makes, and the request of that key: they name the same. */
struct work_tally {
	json_t *answer; /* owned: of review.show */
	struct tally tally;
	struct csr csr;
	struct buf der;
	const char *text; /* borrowed of answer */
};
void work_tally_done(struct work_tally *b); /* accepts the zero state */
/* ERR_RULE tally_missing: the key is to be made first; ERR_… proof_csr: the desk's csr is of another key than its tally. */
MUST_CHECK enum err work_tally_load(struct cli *c, const char *request, struct work_tally *ret, struct fault *f);
/* The line of a new key over a tally's text, by the token that has it: "— new-key …\n". Gives: free(). ERR_NOT_FOUND key_not_on_token. */
MUST_CHECK enum err work_line(struct token *t, const char *text, const struct pubkey *key, char **ret, struct fault *f);

int run_work_csr(struct cli *c, int argc, char **argv);
int run_work_prove(struct cli *c, int argc, char **argv);
int run_work_again(struct cli *c, int argc, char **argv);
int run_parcel_receive(struct cli *c, int argc, char **argv);

#endif
