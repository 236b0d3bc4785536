/*
 * parcel.*: a token on its way from the desk to its owner.
 *
 *   packed ──ship──▶ shipped ──receive──▶ received        packed, returned ──(its request is given up)──▶ undone
 *             ▲         ├── lost ──▶ lost
 *             └─────────┴── returned ──▶ returned
 */
#ifndef HUFU_RA_PARCEL_H
#define HUFU_RA_PARCEL_H

#include "ra/request.h"
#include "ra/store_parcel.h"

enum err parcel_list(struct ctx *c, json_t **ret, struct fault *f);
enum err parcel_show(struct ctx *c, json_t **ret, struct fault *f);
enum err parcel_pack(struct ctx *c, json_t **ret, struct fault *f);
enum err parcel_ship(struct ctx *c, json_t **ret, struct fault *f);
enum err parcel_lost(struct ctx *c, json_t **ret, struct fault *f);
enum err parcel_returned(struct ctx *c, json_t **ret, struct fault *f);
enum err parcel_receive(struct ctx *c, json_t **ret, struct fault *f);

/* Did its owner sign for the token of this request? */
MUST_CHECK enum err parcel_was_received(struct ctx *c, const struct request *r, bool *ret, struct fault *f);
/* The token is at the desk: ERR_RULE parcel_shipped when it is on its way, or arrived. */
MUST_CHECK enum err parcel_is_here(struct ctx *c, const struct request *r, struct fault *f);
/* The token is taken out of its parcel again; nothing when there is none. */
MUST_CHECK enum err parcel_undo(struct ctx *c, const struct request *r, const char *who, struct fault *f);
/* Reminds of parcels that are overdue, each once for every time that it was shipped. */
MUST_CHECK enum err parcel_turn(struct desk *d, int64_t now, struct fault *f);

/* --- parcel_show.c --- */

json_t *parcel_json(const struct ctx *c, const struct parcel *p);

#endif
