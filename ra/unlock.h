/*
 * Unlocking a token whose PIN is forgotten or locked: a request without a certificate (plain.h).
 */
#ifndef HUFU_RA_UNLOCK_H
#define HUFU_RA_UNLOCK_H

#include "ra/plain.h"
#include "ra/store_unlock.h"

#define PLAIN_UNLOCK_KIND "unlock"

/* Why that token can't be unlocked, as a rule's word; NULL: it can. */
const char *unlock_why_not(const struct token *t);
/* What a request of that kind means, in both languages. */
MUST_CHECK enum err unlock_explain(struct ctx *c, const struct request *r, struct buf *zh, struct buf *en,
				   struct fault *f);
/* For officers: {token, key, puk, puk_next}, under "unlock". */
MUST_CHECK enum err unlock_json(struct ctx *c, const struct request *r, json_t *o, struct fault *f);

enum err unlock_open(struct ctx *c, json_t **ret, struct fault *f);
enum err unlock_take(struct ctx *c, json_t **ret, struct fault *f);
enum err unlock_renew(struct ctx *c, json_t **ret, struct fault *f);
enum err unlock_report(struct ctx *c, json_t **ret, struct fault *f);
enum err review_unlock(struct ctx *c, json_t **ret, struct fault *f);

#endif
