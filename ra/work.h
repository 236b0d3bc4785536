/*
 * Work: the desk makes the new key of an enrolment or a reissue on a token, ships it, and hands the approved tally over when
 * its owner has the token. So nothing that is valid travels by post.
 *
 *   to_make ──work.csr──▶ keyed ──work.prove──▶ awaiting_officers ──▶ to_ship ──parcel.ship──▶ in_post ──parcel.receive──▶ approved
 *
 * A tally that dies on the way leaves the request `lapsed`: another one, of the same number and key, is signed. A token that is lost
 * or broken sends it back to `to_make`, under another id; the id of before dies at the signer, so its key can't be certified.
 */
#ifndef HUFU_RA_WORK_H
#define HUFU_RA_WORK_H

#include "ra/request.h"
#include "ra/store_work.h"

/* --- work.c: what the owner says, and what people are shown -------------------------------------------------------- */

/* Reads recipient, mobile and address into r, and how its key is seen. ERR_PARSE delivery_form, ERR_RULE delivery_csr,
 * delivery_kind, key_seen. */
MUST_CHECK enum err work_said(struct ctx *c, struct request *r, struct fault *f);
/* May a complete work be handed in? ERR_RULE work_under_way: the certificate's key is being replaced already. */
MUST_CHECK enum err work_commission(struct ctx *c, struct request *r, struct fault *f);
/* ERR_PARSE delivery_form. */
MUST_CHECK enum err work_check_telephone(const char *text, struct fault *f);
/* What a work without a key asks for, in both languages. */
void work_explain(const struct request *r, struct buf *zh, struct buf *en);
/* Puts delivery, and the token once there is one; nothing for other requests. */
MUST_CHECK enum err work_json(struct ctx *c, const struct request *r, json_t *o, struct fault *f);

/* --- work_make.c: officers make the key ----------------------------------------------------------------------------- */

enum err work_csr(struct ctx *c, json_t **ret, struct fault *f);
enum err work_prove(struct ctx *c, json_t **ret, struct fault *f);
enum err work_again(struct ctx *c, json_t **ret, struct fault *f);

/* --- work_life.c: what becomes of it ---------------------------------------------------------------------------------- */

/* The last officer's line is there: to the parcel, or to the signer when its owner has the token already. */
MUST_CHECK enum err work_approved(struct ctx *c, const struct request *r, const char *officer, struct fault *f);
/* The request is over without a certificate, by an officer or its owner: its token comes back to the desk's stock. Nothing for other
 * requests. ERR_RULE parcel_shipped: the token is under way. */
MUST_CHECK enum err work_give_up(struct ctx *c, const struct request *r, struct fault *f);
/* Another request takes r's place, with its number, papers and delivery and an id of its own; r is that one after, in state
 * to_make, without a key. The id of before dies at the signer. */
MUST_CHECK enum err work_restart(struct ctx *c, struct request *r, enum request_event event, const char *who, const char *detail,
				 struct fault *f);
/* The same with key, token and parcel of before: keyed, with a tally that nobody has signed yet. */
MUST_CHECK enum err work_renew(struct ctx *c, struct request *r, const char *who, struct fault *f);
/* Makes the tally for the key in r->csr, judges and stores it: to_make to keyed. */
MUST_CHECK enum err work_put_key(struct ctx *c, struct request *r, const struct work *w, const char *who, struct fault *f);

/* --- work_token.c: the same in the inventory of tokens -------------------------------------------------------------- */

enum work_token_step {
	WORK_TOKEN_PICK,    /* out of stock, for a request: ERR_NOT_FOUND token_unlisted, ERR_RULE token_state, token_taken */
	WORK_TOKEN_FREE,    /* back into stock: nobody has it */
	WORK_TOKEN_SHIP,
	WORK_TOKEN_BACK,    /* came back in its parcel */
	WORK_TOKEN_ARRIVE,  /* its holder has it */
	WORK_TOKEN_LOSE,
	WORK_TOKEN_BREAK,
};
MUST_CHECK enum err work_token(struct ctx *c, enum work_token_step step, const char *serial, const struct request *r, const char *who,
			       const char *why, struct fault *f);
/* The ledger has the certificate: the token carries it. */
MUST_CHECK enum err work_issued(struct db *db, const struct request *r, int64_t cert, int64_t now, struct fault *f);

#endif
