/*
 * A mail by an SMTP server.
 */
#ifndef HUFU_RA_NOTIFY_SMTP_H
#define HUFU_RA_NOTIFY_SMTP_H

#include "ra/notify/config.h"
#include "ra/notify/transfer.h"

/* Blocks until the server has taken the mail or not, or the time is over. */
struct outcome smtp_send(struct transfer *t, const struct smtp_config *s, const struct notice *n, int64_t now);

#endif
