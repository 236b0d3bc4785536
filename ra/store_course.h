/*
 * The course of a request at the desk, beside its tally: the number that people see, who entered it, who claims it, when it
 * is due, and what officers asked to be corrected.
 */
#ifndef HUFU_RA_STORE_COURSE_H
#define HUFU_RA_STORE_COURSE_H

#include "ra/store_request.h"

MUST_CHECK enum err store_course_add(struct db *db, const char *request, const struct course *course, struct fault *f);
MUST_CHECK enum err store_course_get(struct db *db, const char *request, struct course *ret, struct fault *f);
/* Where a request is, in a word, and the number that people see. ERR_NOT_FOUND. */
struct course_place {
	char number[COURSE_NUMBER_MAX + 1], state[20];
};
MUST_CHECK enum err store_course_place(struct db *db, const char *request, struct course_place *ret, struct fault *f);
MUST_CHECK enum err store_course_submitted(struct db *db, const char *request, int64_t at, int64_t due, struct fault *f);
/* who "": handed back. */
MUST_CHECK enum err store_course_claim(struct db *db, const char *request, const char *who, int64_t ends, struct fault *f);
/* The request that stands for the number now: the one that nothing replaces. ERR_NOT_FOUND. */
MUST_CHECK enum err store_course_current(struct db *db, const char *number, char ret[REQUEST_ID + 1], struct fault *f);
/* How many requests the number has had. */
MUST_CHECK enum err store_course_length(struct db *db, const char *number, int64_t *ret, struct fault *f);

struct correction {
	const char *item, *reason; /* borrowed for the call */
};
MUST_CHECK enum err store_correction_add(struct db *db, const char *request, const struct correction *c, struct fault *f);
MUST_CHECK enum err store_corrections(struct db *db, const char *request,
				      void (*fn)(void *arg, const struct correction *c), void *arg, struct fault *f);
/* The materials of one request are another's from now on, except those that were to be corrected. */
MUST_CHECK enum err store_materials_carry(struct db *db, const char *from, const char *to, struct fault *f);
/* How many materials of a request that were to be corrected came again with the very same bytes. */
MUST_CHECK enum err store_materials_unchanged(struct db *db, const char *replaced, const char *request, int64_t *ret,
					      struct fault *f);

#endif
