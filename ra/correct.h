/*
 * Corrections: asked for by officers, made by the request's owner.
 */
#ifndef HUFU_RA_CORRECT_H
#define HUFU_RA_CORRECT_H

#include "ra/request.h"

enum err review_correct(struct ctx *c, json_t **ret, struct fault *f);

/* r is to be corrected: makes it a draft of its own, with a new id, the same number, and the materials that were not in question.
 * The one before becomes `corrected`. r->state is drafted afterwards, its tally still the old text. */
MUST_CHECK enum err correct_begin(struct ctx *c, struct request *r, struct fault *f);
/* ERR_RULE correction_unchanged: a material that was to be corrected came again as it was. */
MUST_CHECK enum err correct_check(struct ctx *c, const struct request *r, struct fault *f);
/* Puts `corrections`, [{item, zh, en, reason}]: what is asked for now, or what this request was to make good. */
MUST_CHECK enum err correct_json(struct ctx *c, const struct request *r, const struct course *course, json_t *o,
				 struct fault *f);

#endif
