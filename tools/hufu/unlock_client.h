/*
 * The client's half of an unlock: a one-time key, and what came for it, in a file of the user's own (0600) until the unlock has ended. So a crash
 * at any point loses nothing: the same command goes on.
 */
#ifndef HUFU_TOOLS_UNLOCK_CLIENT_H
#define HUFU_TOOLS_UNLOCK_CLIENT_H

#include "common/base/puk.h"
#include "tools/hufu/cli.h"

#define UNLOCK_CALL_ID 32

struct unlock_client {
	char *path; /* owned */
	char serial[PUK_SERIAL + 1];
	uint8_t key[PUK_KEY];
	struct secret secret;
	char call_id[UNLOCK_CALL_ID + 1]; /* of the call that takes the PUK: asked again, it gives the same answer */
	struct buf taken;		  /* the box that the desk gave; empty: not yet */
	struct buf next;		  /* the PUK that is going to be set, sealed to the own key; empty: none yet */
};
void unlock_client_done(struct unlock_client *u); /* accepts the zero state */
/* A new one-time key for that token. */
void unlock_client_make(const char *serial, struct unlock_client *ret);
/* The file's text: appended to *ret, which holds the secret then; and read: ERR_PARSE unlock_file. */
void unlock_client_put(const struct unlock_client *u, struct buf *ret);
MUST_CHECK enum err unlock_client_parse(struct buf *text, struct unlock_client *ret, struct fault *f);
/* Under the request's id. */
MUST_CHECK enum err unlock_client_save(struct unlock_client *u, const char *request, struct fault *f);
/* ERR_NOT_FOUND unlock_elsewhere: it was asked for on another machine, or by another user. */
MUST_CHECK enum err unlock_client_load(const char *request, struct unlock_client *ret, struct fault *f);
/* The unlock has ended. */
void unlock_client_forget(const struct unlock_client *u);

/* The officer's half: what the desk says (`unlock` of review.show) of the token and of the one-time key that asks. ret_token: borrowed of offer.
 * ERR_NET desk_answer. */
MUST_CHECK enum err unlock_offer_read(json_t *offer, const char **ret_token, uint8_t ret_key[PUK_KEY], struct fault *f);

#endif
