/*
 * What came in and what was decided, by time; certificates by their end; refusals of the signer; responders' certificates. Each is a walk along an
 * index of its own (schema/120-figures.sql, certs_end).
 */
#ifndef HUFU_RA_STORE_FIGURES_H
#define HUFU_RA_STORE_FIGURES_H

#include "ra/store_cert.h"

/* A step of a request's history that counts: event and after are the history's words. */
struct figure_step {
	int64_t at, submitted, due; /* due 0: none */
	const char *event, *after, *project;
};
/* Those of from ≤ at < until, by time. */
MUST_CHECK enum err store_figure_steps(struct db *db, int64_t from, int64_t until, void (*fn)(void *arg, const struct figure_step *s),
				       void *arg, struct fault *f);

/* How many certificates without a successor, neither revoked nor ended, end in from ≤ not_after < until. */
MUST_CHECK enum err store_certs_ending(struct db *db, int64_t from, int64_t until, int64_t *ret, struct fault *f);

struct refusal {
	int64_t at;
	const char *number, *kind, *project, *rule, *text; /* of the row: gone after fn */
};
/* The signer's last, newest first, at most limit. */
MUST_CHECK enum err store_refusals(struct db *db, int64_t limit, void (*fn)(void *arg, const struct refusal *r), void *arg, struct fault *f);

/* OCSP responders' certificates that have not ended by now, the one that lasts longest first, at most limit. */
MUST_CHECK enum err store_responders(struct db *db, int64_t now, int64_t limit, void (*fn)(void *arg, const struct cert_item *item), void *arg,
				     struct fault *f);

#endif
