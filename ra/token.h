/*
 * USB keys: the inventory, and the life of one.
 *
 *   stock ──▶ prepared ──▶ shipped ──▶ in_use ──▶ returned ──▶ stock, or scrapped
 *                  └── handed over at the desk ──▶ in_use        lost, damaged: from everywhere
 *
 * The table is in token.c. Every step has when, who and why in the token's history.
 */
#ifndef HUFU_RA_TOKEN_H
#define HUFU_RA_TOKEN_H

#include "ra/desk.h"
#include "ra/store_token.h"

enum token_state {
	TOKEN_NONE, /* no such state */
	TOKEN_STOCK,
	TOKEN_PREPARED, /* somebody's, and still at the desk */
	TOKEN_SHIPPED,
	TOKEN_IN_USE,
	TOKEN_LOST,
	TOKEN_DAMAGED,
	TOKEN_RETURNED,
	TOKEN_SCRAPPED, /* the end */
	TOKEN_STATE_N
};
extern const char *const token_state_words[]; /* all of them, NULL-terminated */
const char *token_state_word(enum token_state state);
enum token_state token_state_from_word(const char *word);
/* May a token go from one state to the other? */
bool token_may(enum token_state from, enum token_state to);

/* For whatever moves tokens (parcels, reissues, unlocks), in its own transaction. -------------------------------------- */

/* ERR_NOT_FOUND token_unlisted. where: the parameter, "params.token". */
MUST_CHECK enum err token_by_serial(struct ctx *c, const char *serial, const char *where, struct token *ret,
				    struct fault *f);
/* From stock to prepared, for that account. ERR_RULE token_state: it is not in stock. */
MUST_CHECK enum err token_take(struct ctx *c, struct token *t, int64_t account, const char *who, const char *why,
			       struct fault *f);
/* Moves it, with history and audit. In stock it is nobody's and carries nothing. ERR_RULE token_state: not from where it is (the text says
 * when); token_holder: it is nobody's yet; token_certificate_live: it carries one that is good, which is to be revoked first. */
MUST_CHECK enum err token_change(struct ctx *c, struct token *t, enum token_state to, const char *who, const char *why,
				 struct fault *f);
/* It carries this certificate from now on. ERR_CONFLICT token_certificate_taken: another token does. */
MUST_CHECK enum err token_carry(struct ctx *c, struct token *t, int64_t cert, const char *who, struct fault *f);
/* The new PUK is on the token: it takes the place of the one before. ERR_RULE puk_next_missing. */
MUST_CHECK enum err token_puk_settle(const struct token *t, struct token_puks *p, struct fault *f);
/* {token, model, label, state, holder, keeper, certificate, puk_held, added, changed} */
MUST_CHECK enum err token_json(struct ctx *c, const struct token *t, json_t **ret, struct fault *f);

/* The methods. ----------------------------------------------------------------------------------------------------------- */

enum err token_add(struct ctx *c, json_t **ret, struct fault *f);
enum err token_puk(struct ctx *c, json_t **ret, struct fault *f);
enum err token_import(struct ctx *c, json_t **ret, struct fault *f);
enum err token_list(struct ctx *c, json_t **ret, struct fault *f);
enum err token_show(struct ctx *c, json_t **ret, struct fault *f);
enum err token_move(struct ctx *c, json_t **ret, struct fault *f);
enum err token_mine(struct ctx *c, json_t **ret, struct fault *f);

#endif
