/*
 * What proves by being typed: SMS codes and how often they were sent, picture codes, officers' codes for a first log-in.
 * All of them as keyed hashes.
 */
#ifndef HUFU_RA_STORE_CODE_H
#define HUFU_RA_STORE_CODE_H

#include "ra/store.h"

/* --- messages that were sent, for the limits ------------------------------------------------------------------- */

MUST_CHECK enum err store_send_add(struct db *db, const char *mobile, const char *address, int64_t now, struct fault *f);
struct sends {
	int64_t number_last;                       /* when; 0: none that counts */
	int64_t number_day, number_hour;           /* to the number */
	int64_t address_hour;                      /* from the address */
};
/* Those further than a day away in either direction count no more. */
MUST_CHECK enum err store_sends(struct db *db, const char *mobile, const char *address, int64_t now, struct sends *ret,
				struct fault *f);

/* --- codes by SMS: the newest of a number, purpose and account (0: none) ----------------------------------------- */

struct sms_code {
	int64_t id, made, dies, tries;
	uint8_t hash[32];
};
MUST_CHECK enum err store_code_put(struct db *db, const char *mobile, const char *purpose, int64_t account,
				   const struct sms_code *code, struct fault *f);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err store_code_get(struct db *db, const char *mobile, const char *purpose, int64_t account,
				   struct sms_code *ret, struct fault *f);
MUST_CHECK enum err store_code_tried(struct db *db, int64_t id, struct fault *f);
/* *ret_there false: somebody has used it. */
MUST_CHECK enum err store_code_take(struct db *db, int64_t id, bool *ret_there, struct fault *f);

/* --- pictures --------------------------------------------------------------------------------------------------- */

#define PICTURE_ID 16 /* bytes */
MUST_CHECK enum err store_picture_put(struct db *db, const uint8_t id[PICTURE_ID], const uint8_t hash[32], int64_t now,
				      int64_t dies, struct fault *f);
/* Takes it out: one use, right or wrong. *ret_there false: there is none, or it is over. */
MUST_CHECK enum err store_picture_take(struct db *db, const uint8_t id[PICTURE_ID], int64_t now, bool *ret_there,
				       uint8_t ret_hash[32], struct fault *f);
MUST_CHECK enum err store_pictures_trim(struct db *db, int64_t now, int64_t keep, struct fault *f);

/* --- an officer's code for a first log-in, one an account ---------------------------------------------------------- */

struct grant {
	int64_t made, dies, tries;
	uint8_t hash[32];
};
MUST_CHECK enum err store_grant_put(struct db *db, int64_t account, const struct grant *g, const char *who, struct fault *f);
MUST_CHECK enum err store_grant_get(struct db *db, int64_t account, struct grant *ret, struct fault *f);
MUST_CHECK enum err store_grant_tried(struct db *db, int64_t account, struct fault *f);
MUST_CHECK enum err store_grant_end(struct db *db, int64_t account, struct fault *f);

/* Codes, grants and sends that count no more. */
MUST_CHECK enum err store_codes_purge(struct db *db, int64_t now, struct fault *f);

#endif
