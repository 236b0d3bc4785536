/*
 * What the files of a key in a token share: hsm.c (the library, one session), hsm_lanes.c (several), hsm_key.c (a key). Private to common/token/hsm*.c.
 */
#ifndef HUFU_TOKEN_HSM_PRIVATE_H
#define HUFU_TOKEN_HSM_PRIVATE_H

#include "common/token/hsm.h"
#include "common/token/token_admin.h"

/* --- the library, and one session (hsm.c) --- */

/* A key in a token: which one, whose public half is known, and what opens it. */
struct hsm_place {
	const struct hsm_owner *owner;
	char *text; /* the URI, for messages */
	struct token_uri uri;
	struct pubkey public;
	struct secret pin;
};
void hsm_place_free(struct hsm_place *p);
static inline void hsm_place_freep(struct hsm_place **p) { if (*p) hsm_place_free(*p); *p = NULL; }
/* Reads the URI, and loads the library that it names where none is loaded. */
MUST_CHECK enum err hsm_place_read(const struct hsm_owner *owner, const char *uri, struct token_uri *ret, struct fault *f);

struct hsm_session {
	struct token *t;
	struct token_key key;
	const struct token_scheme *scheme;
	unsigned epoch; /* of the library */
};
/* Finds the token by its serial number, logs in, finds the key, and holds both against the rules: attributes, and a signature that only this
 * key makes. Inside the library. */
MUST_CHECK enum err hsm_session_open(const struct hsm_place *p, struct hsm_session *ret, struct fault *f);
void hsm_session_close(struct hsm_session *s); /* accepts the zero state */
MUST_CHECK enum err hsm_session_sign(const struct hsm_session *s, struct slice msg, struct buf *ret, struct fault *f);
/* The token alone, for a moment, its holder logged in. Inside the library. Gives: token_close(). */
MUST_CHECK enum err hsm_token_open(const struct token_uri *u, enum token_use use, const struct secret *pin, struct token **ret, struct fault *f);

/* Whoever calls the library stands inside; it is only started again when nobody is. */
void hsm_library_enter(void);
void hsm_library_leave(void);
/* False: somebody does not come out, or it was done a moment ago. All sessions of before are gone. */
bool hsm_library_restart(void);
unsigned hsm_library_sessions(void);
unsigned hsm_library_timeout_ms(void);

/* What a token signs to show that it holds a key: no certificate, no CRL and no note begins so. */
struct slice hsm_proof_text(void);

/* --- several (hsm_lanes.c) --- */

/* place is taken, also on failure. Gives: hsm_key_free(). */
MUST_CHECK enum err hsm_lanes_open(struct hsm_place *place, struct hsm_key **ret, struct fault *f);
const struct hsm_place *hsm_key_place(const struct hsm_key *k);

#endif
