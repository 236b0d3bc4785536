/*
 * What is said beside a tally. The due date is fixed when a request comes in: a holiday that is announced later moves the
 * requests that come after it.
 */
#include "ra/course.h"

#include "ra/number.h"

#include <string.h>

enum err course_begin(struct ctx *c, const struct request *r, const char *entered_by, struct fault *f)
{
	struct course course = {0};
	number_make(c->now, course.number);
	snprintf(course.entered_by, sizeof(course.entered_by), "%s", entered_by);
	return store_course_add(c->db, r->id, &course, f);
}

enum err course_submit(struct ctx *c, const struct request *r, struct fault *f)
{
	int64_t due = calendar_due(law_calendar(c->law), c->now, c->desk->config.review.days);
	return store_course_submitted(c->db, r->id, c->now, due, f);
}

void course_json(const struct ctx *c, const struct course *course, bool waiting, json_t *o)
{
	json_object_set_new(o, "number", json_string(course->number));
	if (course->replaces[0] != '\0')
		json_object_set_new(o, "replaces", json_string(course->replaces));
	if (course->replaced_by[0] != '\0')
		json_object_set_new(o, "replaced_by", json_string(course->replaced_by));
	if (course->submitted != 0)
		json_object_set_new(o, "submitted", json_time(course->submitted));
	if (course->due == 0 || !waiting)
		return;
	json_object_set_new(o, "due", json_time(course->due));
	json_object_set_new(o, "overdue", json_boolean(course->due < c->now));
}

void course_claim_json(const struct ctx *c, const char *claimant, int64_t claim_ends, json_t *o)
{
	if (claimant[0] == '\0' || claim_ends <= c->now)
		return;
	json_object_set_new(o, "claimed_by", json_string(claimant));
	json_object_set_new(o, "claim_ends", json_time(claim_ends));
}
