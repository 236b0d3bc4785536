/*
 * A claim is one row's two columns. Whoever signs without one does nothing wrong; what counts is the signature.
 */
#include "ra/claim.h"

#include "ra/officer.h"
#include "ra/request.h"

#include "common/base/clock.h"

#include <string.h>

static bool lives(const struct ctx *c, const struct course *course)
{
	return course->claimant[0] != '\0' && course->claim_ends > c->now;
}

static enum err waiting(struct ctx *c, struct request *r, struct course *course, struct fault *f)
{
	TRY(request_any(c, r, f));
	TRY(store_course_get(c->db, r->id, course, f));
	if (request_state_waits(request_state_from_word(r->state)))
		return OK;
	return fault_raise(f, ERR_RULE, "request_state", "request.state",
			   "request %s is %s: a claim is possible while officers are asked", course->number, r->state);
}

static enum err others(const struct course *course, struct fault *f)
{
	return fault_raise(f, ERR_RULE, "claimed", "request.claimed_by", "request %s is claimed by %s until %s",
			   course->number, course->claimant, UTC(course->claim_ends));
}

static enum err answer(struct ctx *c, const struct request *r, json_t **ret, struct fault *f)
{
	struct course course;
	TRY(store_course_get(c->db, r->id, &course, f));
	TRY(request_answer(c, r->id, ret, f));
	course_claim_json(c, course.claimant, course.claim_ends, *ret);
	return OK;
}

enum err review_claim(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	struct course course;
	char who[WHO_MAX];
	TRY(officer_of(c, who, f));
	TRY(waiting(c, &r, &course, f));
	if (lives(c, &course) && strcmp(course.claimant, who) != 0)
		return others(&course, f);
	TRY(store_course_claim(c->db, r.id, who, c->now + c->desk->config.review.claim_minutes * 60, f));
	TRY(desk_audit(c, "request_claimed", r.id, who, f));
	return answer(c, &r, ret, f);
}

enum err review_release_claim(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	struct course course;
	char who[WHO_MAX];
	TRY(officer_of(c, who, f));
	TRY(request_any(c, &r, f));
	TRY(store_course_get(c->db, r.id, &course, f));
	if (lives(c, &course) && strcmp(course.claimant, who) != 0)
		return others(&course, f);
	TRY(store_course_claim(c->db, r.id, "", 0, f));
	TRY(desk_audit(c, "request_handed_back", r.id, who, f));
	return answer(c, &r, ret, f);
}

enum err claim_end(struct ctx *c, const struct request *r, const char *officer, struct fault *f)
{
	struct course course;
	TRY(store_course_get(c->db, r->id, &course, f));
	return strcmp(course.claimant, officer) == 0 ? store_course_claim(c->db, r->id, "", 0, f) : OK;
}
