/*
 * Parcels: a row a request, since a lost token's request goes on under another id.
 */
#ifndef HUFU_RA_STORE_PARCEL_H
#define HUFU_RA_STORE_PARCEL_H

#include "ra/store_keys.h"
#include "ra/store_work.h"

#define CARRIER_MAX 60
#define TRACKING_MAX 60
#define PARCEL_NOTE_MAX 500
struct parcel {
	char request[REQUEST_ID + 1];
	int64_t account;
	char token[WORK_TOKEN_MAX + 1];
	char state[16]; /* packed, shipped, received, lost, returned, undone */
	struct delivery to;
	char carrier[CARRIER_MAX + 1], tracking[TRACKING_MAX + 1];
	int64_t packed, shipped, due, reminded, ended; /* 0: not yet; due: when its receipt is overdue */
	char packed_by[WHO_MAX], shipped_by[WHO_MAX], ended_by[WHO_MAX];
	char ended_from[64];                           /* received: IP address or Unix user of who said so */
	char note[PARCEL_NOTE_MAX + 1];
	int64_t strangers;                             /* how often its owner said another token's serial */
	char number[COURSE_NUMBER_MAX + 1], organisation[ORGANISATION_MAX + 1]; /* of request and account; not written */
};
/* ERR_NOT_FOUND. */
MUST_CHECK enum err store_parcel_get(struct db *db, const char *request, struct parcel *ret, struct fault *f);
/* All but request, account and token may change. A token that lies in another open parcel: ERR_CONFLICT. */
MUST_CHECK enum err store_parcel_put(struct db *db, const struct parcel *p, struct fault *f);
MUST_CHECK enum err store_parcel_stranger(struct db *db, const char *request, struct fault *f);
/* The parcel of one request is another's from now on; nothing when there is none. */
MUST_CHECK enum err store_parcel_follow(struct db *db, const char *from, const char *to, struct fault *f);

struct parcel_filter {
	int64_t account;             /* 0 all */
	const char *state;           /* "" all */
	const char *const *projects; /* NULL: all; else only these n_projects */
	size_t n_projects;
	bool overdue;
	int64_t now;
};
typedef void parcel_fn(void *arg, const struct parcel *p);
/* An account's: the newest first. All: the open ones, the first due first, then what has ended, the last to end first. */
MUST_CHECK enum err store_parcels(struct db *db, const struct parcel_filter *q, const struct list_page *p, parcel_fn *fn, void *arg,
				  struct list_end *ret, struct fault *f);
/* Parcels whose receipt is overdue. */
MUST_CHECK enum err store_parcels_overdue(struct db *db, int64_t now, int64_t *ret, struct fault *f);
/* Requests whose shipped parcel is overdue and was not reminded of, at most max. */
MUST_CHECK enum err store_parcels_to_remind(struct db *db, int64_t now, char (*ret)[REQUEST_ID + 1], size_t max, size_t *ret_n,
					    struct fault *f);

#endif
