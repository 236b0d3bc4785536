/*
 * An unlock's work on the token: the boxes that came for it are opened, the token's administrator logged in, the next PUK made and sealed, the
 * holder's new PIN set. `hufu token unlock` does it in one go, `hufu agent` in the steps between which a page asks the desk.
 */
#ifndef HUFU_TOOLS_UNLOCK_CARD_H
#define HUFU_TOOLS_UNLOCK_CARD_H

#include "common/token/token.h"
#include "tools/hufu/unlock_client.h"

struct unlock_card {
	struct token *token;	 /* borrowed; chosen TOKEN_ADMIN */
	struct unlock_client *u; /* borrowed */
	struct puk_set known;	 /* those that may open it, in the order in which they are tried */
	struct secret next;	 /* the PUK that is going to be set */
	bool at_next;		 /* the token has it already */
};
void unlock_card_done(struct unlock_card *k); /* accepts the zero state */
/* Opens what u holds. ERR_CRYPTO puk_key, puk_open, puk_serial. */
MUST_CHECK enum err unlock_card_open(struct unlock_card *k, struct fault *f);
/* An earlier run may have been cut off between setting the next PUK and saying so. *ret: the PUK that it has; borrowed. ERR_DENIED puk_wrong, puk_locked. */
MUST_CHECK enum err unlock_card_login(struct unlock_card *k, const struct secret **ret, struct fault *f);
/* Makes the next PUK, unless there is one; into u, sealed to its own key. Appends the same sealed to the desk's token key of that file, base64. */
MUST_CHECK enum err unlock_card_next(struct unlock_card *k, const char *token_key, struct buf *ret, struct fault *f);
/* The new PIN, by the administrator who is logged in with that PUK; then the next PUK in its place. */
MUST_CHECK enum err unlock_card_set(struct unlock_card *k, const struct secret *puk, const struct secret *pin,
				    struct fault *f);
/* The new PIN opens it, and the keys are the same and work: how many. pin is borrowed until the token is closed. */
MUST_CHECK enum err unlock_card_try(struct unlock_card *k, const struct secret *pin, size_t *ret_n, struct fault *f);
/* What trying again mends is no end: a PIN of the wrong length, a token that was pulled out, a desk that is away. */
bool unlock_is_over(const struct fault *f);

#endif
