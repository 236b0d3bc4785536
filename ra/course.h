/*
 * The course of a request at the desk: its number, when it is due, who looks at it.
 */
#ifndef HUFU_RA_COURSE_H
#define HUFU_RA_COURSE_H

#include "ra/desk.h"
#include "ra/store_course.h"

/* Gives a fresh request, which is stored already, its number. entered_by: the officer who opened it, "" for its owner. */
MUST_CHECK enum err course_begin(struct ctx *c, const struct request *r, const char *entered_by, struct fault *f);
/* It waits for officers from now on: by the desk's calendar it is due. */
MUST_CHECK enum err course_submit(struct ctx *c, const struct request *r, struct fault *f);
/* Puts number, replaces, replaced_by, submitted, due, overdue, where there are such. waiting: it is with the officers still. */
void course_json(const struct ctx *c, const struct course *course, bool waiting, json_t *o);
/* Puts claimed_by and claim_ends, when there is a claim that lives. */
void course_claim_json(const struct ctx *c, const char *claimant, int64_t claim_ends, json_t *o);

#endif
