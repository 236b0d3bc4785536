/*
 * Unlocks of tokens, beside their requests.
 */
#ifndef HUFU_RA_STORE_UNLOCK_H
#define HUFU_RA_STORE_UNLOCK_H

#include "ra/store_course.h"
#include "ra/store_token.h"

struct unlock {
	char request[REQUEST_ID + 1];
	int64_t token;
	uint8_t key[PUK_KEY]; /* the client's one-time key, public half */
	struct buf sealed;    /* the PUK, sealed to it; empty: not yet, or handed out */
};
void unlock_done(struct unlock *u);
MUST_CHECK enum err store_unlock_add(struct db *db, const struct unlock *u, struct fault *f);
MUST_CHECK enum err store_unlock_get(struct db *db, const char *request, struct unlock *ret, struct fault *f);
MUST_CHECK enum err store_unlock_sealed(struct db *db, const char *request, struct slice sealed, struct fault *f);
/* The number of the token's unlock that has not come to its end. ERR_NOT_FOUND. */
MUST_CHECK enum err store_unlock_open(struct db *db, int64_t token, char ret[COURSE_NUMBER_MAX + 1], struct fault *f);

#endif
