/*
 * What changes a certificate's standing without making one: revoke, hold and release.
 */
#ifndef HUFU_RA_STANDING_H
#define HUFU_RA_STANDING_H

#include "ra/request.h"

/* review.prepare: officers open one of the three for anybody's certificate, expired ones too. */
enum err review_prepare(struct ctx *c, json_t **ret, struct fault *f);
/* request.hold: a subscriber holds an own certificate, at once. */
enum err request_hold(struct ctx *c, json_t **ret, struct fault *f);
/* A reissue of a lost key was handed in: its certificate is put on hold at once, unless the call says keep_valid or it is
 * not good any more; answer gets `hold`. Nothing for other requests. d: of the request, judged. */
MUST_CHECK enum err standing_lost(struct ctx *c, const struct request *r, const struct draw *d, json_t *answer, struct fault *f);

#endif
