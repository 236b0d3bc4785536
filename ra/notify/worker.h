/*
 * Workers: each takes one message at a time from the desk, sends it, and says what became of it.
 */
#ifndef HUFU_RA_NOTIFY_WORKER_H
#define HUFU_RA_NOTIFY_WORKER_H

#include "common/rpc/server.h"
#include "ra/notify/config.h"

struct workers; /* thread-safe */
/* config and desk are borrowed. Gives *ret: workers_stop(). */
MUST_CHECK enum err workers_start(const struct notifier_config *config, struct rpc_client *desk, struct workers **ret,
				  struct fault *f);
/* What is being sent is finished and reported; nothing more is taken. */
void workers_stop(struct workers *w);
/* Sends all that is due now, in this thread, and returns. A channel whose server is away is left for another time. *ret_n: how many were sent. ERR_NET when the desk is away. */
MUST_CHECK enum err workers_once(const struct notifier_config *config, struct rpc_client *desk, size_t *ret_n, struct fault *f);

#endif
