/*
 * What waits for officers, what is open, and how much of it there is.
 */
#ifndef HUFU_RA_STORE_QUEUE_H
#define HUFU_RA_STORE_QUEUE_H

#include "ra/store_keys.h"
#include "ra/store_request.h"

enum queue_claim { CLAIM_ANY, CLAIM_FREE, CLAIM_TAKEN };
struct queue_filter {
	const char *const *projects; /* NULL: all; else only these n_projects */
	size_t n_projects;
	const char *kind;            /* "" all */
	bool overdue;                /* only what is late */
	enum queue_claim claim;      /* only what nobody looks at, or what somebody has claimed until later than now */
	int64_t now;
};
struct queue_counts {
	int64_t total;   /* of the filter */
	int64_t waiting, overdue, claimed, claimed_late; /* of projects and kind */
};
/* The first due first. Of an item what stands in `waiting`: all but profile, policy, entered_by. Of *ret more and last; store_requests_queue_count()
 * knows the total. */
MUST_CHECK enum err store_requests_queue(struct db *db, const struct queue_filter *q, const struct list_page *p,
					 request_item_fn *fn, void *arg, struct list_end *ret, struct fault *f);
MUST_CHECK enum err store_requests_queue_count(struct db *db, const struct queue_filter *q, struct queue_counts *ret,
					       struct fault *f);
/* Not final, of the filter's projects; the first to die first. Of an item id, kind, project, profile, state, policy, dies; of *ret more and last. */
MUST_CHECK enum err store_requests_pending(struct db *db, const struct queue_filter *q, const struct list_page *p, request_item_fn *fn,
					   void *arg, struct list_end *ret, struct fault *f);
/* How many are in each state; states without any are left out. */
MUST_CHECK enum err store_requests_count(struct db *db, void (*fn)(void *arg, const char *state, int64_t n), void *arg,
					 struct fault *f);

#endif
