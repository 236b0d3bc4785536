/*
 * Claims: an officer says "I look at this one". A courtesy among officers; it locks nothing and dies by itself.
 */
#ifndef HUFU_RA_CLAIM_H
#define HUFU_RA_CLAIM_H

#include "ra/course.h"

enum err review_claim(struct ctx *c, json_t **ret, struct fault *f);
enum err review_release_claim(struct ctx *c, json_t **ret, struct fault *f);
/* The officer has done with it: a claim of that officer ends. */
MUST_CHECK enum err claim_end(struct ctx *c, const struct request *r, const char *officer, struct fault *f);

#endif
