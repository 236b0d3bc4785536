/*
 * review.*: the officers' side. Who may approve what is the roster's; these calls only want the desk's role officer.
 */
#ifndef HUFU_RA_REVIEW_H
#define HUFU_RA_REVIEW_H

#include "ra/request.h"

enum err review_queue(struct ctx *c, json_t **ret, struct fault *f);
enum err review_show(struct ctx *c, json_t **ret, struct fault *f);
/* What to look at: an array of {zh, en}. */
json_t *review_checklist(const struct policy *p, const struct draw *d);
enum err review_approve(struct ctx *c, json_t **ret, struct fault *f);
enum err review_reject(struct ctx *c, json_t **ret, struct fault *f);

#endif
