/*
 * An SMS by an HTTP gateway.
 */
#ifndef HUFU_RA_NOTIFY_GATEWAY_H
#define HUFU_RA_NOTIFY_GATEWAY_H

#include "ra/notify/config.h"
#include "ra/notify/transfer.h"

/* Blocks until there is an answer or the time is over. The request carries the message's id as Idempotency-Key. */
struct outcome gateway_send(struct transfer *t, const struct gateway_config *g, const struct notice *n, int64_t now);
/* What an answer of that status and body means. */
struct outcome gateway_judge(const struct gateway_config *g, const struct notice *n, long status, struct slice answer);

#endif
