/*
 * Works: requests whose key the desk makes on a token. Where it goes is read with the request itself (struct delivery).
 */
#ifndef HUFU_RA_STORE_WORK_H
#define HUFU_RA_STORE_WORK_H

#include "common/base/puk.h"
#include "ra/store_request.h"

#define WORK_TOKEN_MAX PUK_SERIAL
struct work {
	char token[WORK_TOKEN_MAX + 1]; /* serial; "" none yet */
	char maker[WHO_MAX];            /* who made the key; "" nobody yet */
	struct buf pin;                 /* sealed; empty when it was sent, or there is none */
};
void work_done(struct work *w);

/* Where the token goes, as the request says; for one that goes nowhere the row is removed. */
MUST_CHECK enum err store_delivery_put(struct db *db, const struct request *r, struct fault *f);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err store_work_get(struct db *db, const char *request, struct work *ret, struct fault *f);
MUST_CHECK enum err store_work_set(struct db *db, const char *request, const struct work *w, struct fault *f);
/* How many other requests that are not over count on that token. */
MUST_CHECK enum err store_work_with_token(struct db *db, const char *token, const char *request, int64_t *ret, struct fault *f);
/* Requests of that kind for the certificate that are not over. */
MUST_CHECK enum err store_requests_under_way(struct db *db, int64_t cert, const char *kind, const char *request, int64_t *ret,
					     struct fault *f);

#endif
