/*
 * The notifier's walls: which files and ports it needs.
 */
#ifndef HUFU_RA_NOTIFY_SANDBOX_H
#define HUFU_RA_NOTIFY_SANDBOX_H

#include "ra/notify/config.h"

/* Makes the spool when it is missing. Before nng's first call and after curl_global_init(). */
MUST_CHECK enum err notifier_sandbox_enter(const struct notifier_config *c, struct fault *f);

#endif
