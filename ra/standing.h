/*
 * What changes a certificate's standing without making one: revoke, hold and release.
 */
#ifndef HUFU_RA_STANDING_H
#define HUFU_RA_STANDING_H

#include "ra/desk.h"

/* review.prepare: officers open one of the three for anybody's certificate, expired ones too. */
enum err review_prepare(struct ctx *c, json_t **ret, struct fault *f);
/* request.hold: a subscriber holds an own certificate, at once. */
enum err request_hold(struct ctx *c, json_t **ret, struct fault *f);

#endif
