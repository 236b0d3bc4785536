/*
 * The gate's walls, in either role: which files it needs.
 */
#ifndef HUFU_RA_GATE_SANDBOX_H
#define HUFU_RA_GATE_SANDBOX_H

#include "ra/gate/config.h"

/* After both sockets listen (they stay open) and hsm_prepare(); before nng's first call. */
MUST_CHECK enum err gate_sandbox_enter(const struct gate_config *c, int public_fd, int admin_fd, struct fault *f);

#endif
