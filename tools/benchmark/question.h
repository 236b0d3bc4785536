/*
 * What a desk over a generated database (crowd.h) is asked: a kind of question is a method, its parameters, who asks, and what the answer
 * must have.
 */
#ifndef HUFU_BENCHMARK_QUESTION_H
#define HUFU_BENCHMARK_QUESTION_H

#include "tools/benchmark/crowd.h"

/* Who asks. Each has a start of the programs of its own. */
enum seat {
	SEAT_ALL,      /* a caller who may all and sees all, at the desk's socket */
	SEAT_NARROW,   /* the same, who sees one small project */
	SEAT_PORTAL,   /* a person's page, through hufu-gate: POST /rpc */
	SEAT_OFFICERS, /* an officer's page */
	SEATS
};

struct asking;
typedef void ask_fn(const struct asking *a, struct buf *ret);
struct kind {
	const char *name, *method;
	unsigned in_flight, serials; /* serials: in each question; 0: a list */
	ask_fn *ask;
	const char *fixed; /* parameters that are always the same, or what ask makes of it */
	const char *list;  /* of its answer */
	unsigned rows;	   /* that it has; 0: some, or none */
	bool own;	   /* asked by one of the accounts that have a session */
};
#define QUESTION_IN_FLIGHT 64u /* at most */

/* The kinds of a seat. */
const struct kind *question_kinds(enum seat seat, size_t *ret_n);
/* JSON-RPC, with a session among its parameters when it is an own one; as a page's POST with the session in its cookie. */
void question_write(const struct kind *k, const struct crowd *w, struct buf *ret);
void question_post(const struct kind *k, const struct crowd *w, struct buf *ret);
#define QUESTION_ORIGIN "http://portal.bench.test"
/* Is that an answer to it? ERR_INTERNAL. */
MUST_CHECK enum err question_read(const struct kind *k, struct slice reply, struct fault *f);

#endif
