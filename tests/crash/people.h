/*
 * One of the things that people and relying parties do all day, and whether what they hear can be so.
 */
#ifndef HUFU_TESTS_PEOPLE_H
#define HUFU_TESTS_PEOPLE_H

#include "tests/crash/gate_view.h"
#include "tests/crash/world.h"

enum work { STATUS, OCSP, CERTS, REQUESTS, CRL, LOG_IN, UPLOAD, MAIL, EXTEND, CHANGE, REVOKE, WORKS };
extern const char *const work_words[WORKS];

/* What a relying party has heard of a certificate. */
enum heard { HEARD_NOTHING, HEARD_GOOD, HEARD_REVOKED };
struct person {
	struct client *c;
	const struct gate_view *gate;
	unsigned seed;
	enum heard *heard; /* by place in c->told */
	size_t n_heard;
	uint64_t later, behind; /* OCSP answers: tryLater, and what was true a moment ago */
	int64_t oldest_us;	/* how long ago that was, at most */
	uint64_t crls_after;	/* CRLs made after a revocation that they must have */
};
void person_done(struct person *p);
/* One of them by chance, by their shares. */
enum work person_choose(struct person *p);
/* ERR_INTERNAL: something was heard that cannot be so. */
MUST_CHECK enum err person_do(struct person *p, enum work what, struct fault *f);
/* Of every certificate: OCSP says what it is, or does within a minute. */
MUST_CHECK enum err person_check_ocsp(struct person *p, struct fault *f);

#endif
