/*
 * review.*: the officers' side. Who may approve what is the roster's; these calls only want the desk's role officer.
 */
#ifndef HUFU_RA_REVIEW_H
#define HUFU_RA_REVIEW_H

#include "ra/desk.h"

enum err review_queue(struct ctx *c, json_t **ret, struct fault *f);
enum err review_show(struct ctx *c, json_t **ret, struct fault *f);
enum err review_approve(struct ctx *c, json_t **ret, struct fault *f);
enum err review_reject(struct ctx *c, json_t **ret, struct fault *f);

#endif
