/*
 * Requests that ask for no certificate: a change of the desk's record, and the recovery of a key's files. They have the
 * courses, materials, history and officers of all requests, but no tally, and nothing goes to the signer.
 */
#ifndef HUFU_RA_PLAIN_H
#define HUFU_RA_PLAIN_H

#include "ra/request.h"

#define PLAIN_RECORD_WAY "legal-representative"
#define PLAIN_RECORD_ATTRIBUTE "legalRepresentative"
#define PLAIN_RECOVER_KIND "recover"

/* Is it of those? */
bool request_is_plain(const struct request *r);
/* The desk makes its key on a token, and has not made it yet: there is no tally, and nothing to sign. */
bool request_is_keyless(const struct request *r);
/* There is a tally, which people may have signed. */
bool request_has_tally(const struct request *r);
/* A draft that was saved before its terms make a tally. */
bool request_is_incomplete(const struct request *r);
/* The way of the request: the profile's, or the desk's own. NULL: it is not offered any more. */
const struct policy_way *request_way(struct ctx *c, const struct request *r);
/* The desk's own ways of a project's page: of a change of the record (NULL where the profile has one), of a recovery, of an unlock. */
const struct policy_way *plain_way(const struct profile *p, const char *kind);
/* Makes the tally anew after its materials have changed, and stores it; a plain request has none, and an incomplete draft may
 * stay without. */
MUST_CHECK enum err request_redraw(struct ctx *c, struct request *r, struct fault *f);

/* A case about one of the session's certificates, opened now and not stored yet; its kind is its way too. Zero-init *ret. Gives:
 * request_done(). */
MUST_CHECK enum err plain_make(struct ctx *c, const char *kind, int64_t cert, struct request *ret, struct fault *f);
/* Way and materials of a plain request, as far as draw_missing() looks. */
MUST_CHECK enum err plain_load(struct ctx *c, const struct request *r, struct draw *ret, struct fault *f);
/* ERR_RULE materials_missing. */
MUST_CHECK enum err plain_check(struct ctx *c, const struct request *r, struct draw *d, struct fault *f);
/* What the request means, in both languages. */
MUST_CHECK enum err plain_explain(struct ctx *c, const struct request *r, struct buf *zh, struct buf *en, struct fault *f);

/* --- record.c: a change of the desk's record ---------------------------------------------------------------------- */

/* Is it a change that makes no certificate: of the legal representative, where the profile has no such way? */
bool record_applies(struct ctx *c, const struct request *r);
/* Checks the terms of r and makes it ready to be stored. ERR_RULE record_terms, record_same. */
MUST_CHECK enum err record_make(struct ctx *c, struct request *r, struct fault *f);
/* [{attribute, old, new}] */
MUST_CHECK enum err record_difference(struct ctx *c, const struct request *r, json_t **ret, struct fault *f);
enum err review_decide(struct ctx *c, json_t **ret, struct fault *f);

/* --- recover.c: what the old key opens, before it is given up ------------------------------------------------------ */

enum err recover_open(struct ctx *c, json_t **ret, struct fault *f);
enum err review_recover(struct ctx *c, json_t **ret, struct fault *f);
/* May a new key take the place of this certificate's, after that answer on its files? ERR_RULE recovery_open, recovery_missing. */
MUST_CHECK enum err recover_allows(struct ctx *c, const struct request *r, const struct tally *t, struct fault *f);

#endif
