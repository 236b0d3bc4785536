/*
 * A tree whose issuing key lies in a SoftHSM token.
 */
#ifndef HUFU_BENCHMARK_HSM_H
#define HUFU_BENCHMARK_HSM_H

#include "tools/benchmark/tree.h"

/* Is SoftHSM's library there? */
bool hsm_there(void);
/* Before `hufu init`: a token beside t->dir, whose PIN is the tree's passphrase, and a bundle whose issuing ceremony makes the key there. Sets
 * t->hsm_policies, and SOFTHSM2_CONF for this process and those that it starts. */
MUST_CHECK enum err hsm_prepare(struct tree *t, struct fault *f);
/* After it: ca.yaml names the key in the token. */
MUST_CHECK enum err hsm_configure(const struct tree *t, struct fault *f);

#endif
