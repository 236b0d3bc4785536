/*
 * desk.health and policy.pending: what operators watch.
 */
#ifndef HUFU_RA_HEALTH_H
#define HUFU_RA_HEALTH_H

#include "ra/desk.h"

enum err desk_health(struct ctx *c, json_t **ret, struct fault *f);
enum err policy_pending(struct ctx *c, json_t **ret, struct fault *f);

#endif
