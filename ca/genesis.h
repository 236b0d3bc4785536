/*
 * Genesis: a new ledger with its first roster and its first policy.
 */
#ifndef HUFU_CA_GENESIS_H
#define HUFU_CA_GENESIS_H

#include "ca/config.h"

/* Makes config's ledger; an existing one is ERR_CONFLICT. roster: path of a signed note; policies: a bundle's folder
 * with policy.note. The log key is made where there is none (log_signer_make). When a note is refused, the new ledger is taken away again. */
MUST_CHECK enum err genesis(const struct ca_config *config, const char *roster, const char *policies, struct fault *f);

#endif
