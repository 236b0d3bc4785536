/*
 * A request as an officer's own client sees it: the tally's text and difference, each material downloaded and its hash held against the tally. What is
 * signed is exactly what was shown; the desk's word is not taken for anything. For `hufu officer` and `hufu agent`.
 */
#ifndef HUFU_TOOLS_OFFICER_CASE_H
#define HUFU_TOOLS_OFFICER_CASE_H

#include "common/note/tally.h"
#include "tools/hufu/cli.h"

struct case_file {
	json_t *answer;	  /* owned: of review.show */
	const char *text; /* of the tally; "" for a request that makes no certificate */
	struct tally tally;
};
void case_done(struct case_file *k); /* accepts the zero state */
MUST_CHECK enum err case_load(struct cli *c, const char *id, struct case_file *ret, struct fault *f);
/* ERR_RULE nothing_to_sign. */
MUST_CHECK enum err case_signable(const struct case_file *k, const char *id, struct fault *f);
/* Appends the whole as text for a terminal, also as far as it came when something does not fit. Materials are kept in dir (0600), or only checked when it is NULL. ERR_CRYPTO
 * material_hash. */
MUST_CHECK enum err case_show(struct cli *c, const char *id, const struct case_file *k, const char *dir,
			      struct buf *ret, struct fault *f);

#endif
