/*
 * audit.*: the audit as officers and administrators see it, and its head in the log. Written by desk_audit() alone (desk.h).
 */
#ifndef HUFU_RA_AUDIT_H
#define HUFU_RA_AUDIT_H

#include "ra/desk.h"

enum err audit_list(struct ctx *c, json_t **ret, struct fault *f);
enum err audit_export(struct ctx *c, json_t **ret, struct fault *f);
enum err audit_verify(struct ctx *c, json_t **ret, struct fault *f);
/* Once a day, if there is one: number and hash of the last row go to the log (audit=1, event=audit_head), which is kept elsewhere; so a tail that
 * was cut off is missed. In a transaction of its own. */
MUST_CHECK enum err audit_log_head(struct desk *d, int64_t now, struct fault *f);

#endif
