/*
 * A message as a file of JSON, which somebody else takes and removes.
 */
#ifndef HUFU_RA_NOTIFY_SPOOL_H
#define HUFU_RA_NOTIFY_SPOOL_H

#include "ra/notify/notice.h"

/* Writes folder/ID.json, 0600, whole: the same message has the same name and bytes. */
struct outcome spool_send(const char *folder, const struct notice *n, bool mail);

#endif
