/*
 * The desk's walls: which files it needs.
 */
#ifndef HUFU_RA_SANDBOX_H
#define HUFU_RA_SANDBOX_H

#include "ra/config.h"

/* Before nng's first call. Makes the state folder when it is missing, since nothing can be made beside it later. A bundle's files may change inside their folder; another
 * folder put in its place needs a restart. */
MUST_CHECK enum err ra_sandbox_enter(const struct ra_config *c, struct fault *f);

#endif
