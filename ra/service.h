/*
 * service.*
 */
#ifndef HUFU_RA_SERVICE_H
#define HUFU_RA_SERVICE_H

#include "ra/desk.h"

enum err service_list(struct ctx *c, json_t **ret, struct fault *f);
enum err service_apply(struct ctx *c, json_t **ret, struct fault *f);

/* Is the service paid up at that time? ERR_RULE service_expired, service_unpaid. */
MUST_CHECK enum err service_check_paid(const struct service *s, int64_t now, struct fault *f);

#endif
