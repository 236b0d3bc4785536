/*
 * What the two back ends of a CA key share: a sealed file (key.c) and a token (key_token.c, key_lanes.c). Private to ca/key*.c.
 */
#ifndef HUFU_CA_KEY_PRIVATE_H
#define HUFU_CA_KEY_PRIVATE_H

#include "ca/key.h"
#include "common/token/token_admin.h"

struct key_token;
struct ca_key {
	enum key_alg alg;
	struct pubkey public;
	EVP_PKEY *pkey;		 /* sealed file; else NULL */
	struct kept_key *kept;	 /* of pkey */
	struct key_token *token; /* token; else NULL */
};

/* --- one session (key_token.c) --- */

/* A key in a token: which one, whose public half is known, and what opens it. */
struct key_place {
	char *text; /* the URI, for messages */
	struct token_uri uri;
	const struct pubkey *public;
	struct secret pin;
};
struct key_session {
	struct token *t;
	struct token_key key;
	const struct token_scheme *scheme;
	unsigned epoch; /* of the library */
};
/* Finds the token by its serial number, logs in, finds the key, and holds both against the rules: attributes, and a signature that only this
 * certificate's key makes. Inside the library. */
MUST_CHECK enum err key_session_open(const struct key_place *p, struct key_session *ret, struct fault *f);
void key_session_close(struct key_session *s); /* accepts the zero state */
MUST_CHECK enum err key_session_sign(const struct key_session *s, struct slice msg, struct buf *ret, struct fault *f);

/* Whoever calls the library stands inside; it is only started again when nobody is. */
void key_library_enter(void);
void key_library_leave(void);
/* False: somebody does not come out, or it was done a moment ago. All sessions of before are gone. */
bool key_library_restart(void);
unsigned key_library_sessions(void);
unsigned key_library_timeout_ms(void);

/* --- several (key_lanes.c) --- */

/* place is taken, also on failure. Gives: key_token_free(). */
MUST_CHECK enum err key_token_open(struct key_place *place, struct key_token **ret, struct fault *f);
void key_token_free(struct key_token *k);
MUST_CHECK enum err key_token_sign(struct key_token *k, struct slice msg, struct buf *ret, struct fault *f);
/* See ca_key_usable(). */
MUST_CHECK enum err key_token_usable(struct key_token *k, struct fault *f);
const struct key_place *key_token_place(const struct key_token *k);
void key_place_free(struct key_place *p);

/* What a token signs to show that it holds a key: no certificate and no CRL begins so. */
struct slice key_proof_text(void);

#endif
