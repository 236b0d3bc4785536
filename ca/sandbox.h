/*
 * The signer's walls: which files it needs.
 */
#ifndef HUFU_CA_SANDBOX_H
#define HUFU_CA_SANDBOX_H

#include "ca/config.h"

/* Before the ledger is opened. Files that the configuration names are reached as they are now: a key file that is put elsewhere later needs a restart. */
MUST_CHECK enum err ca_sandbox_enter(const struct ca_config *c, struct fault *f);

#endif
