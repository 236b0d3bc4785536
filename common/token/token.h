/*
 * A PKCS#11 token (a USB key, an HSM's partition): found by label, serial number or URI, opened with its PIN, and asked to sign with one key
 * only, the one that belongs to a public key that the caller names. The private key never leaves the token. OASIS PKCS#11 2.40.
 *
 * Nothing here writes to a token (token_admin.h does). A struct token is one session, for one thread at a time.
 */
#ifndef HUFU_TOKEN_TOKEN_H
#define HUFU_TOKEN_TOKEN_H

#include "common/base/secret.h"
#include "common/pki/pubkey.h"
#include "common/token/token_uri.h"

enum token_use {
	TOKEN_SIGN,   /* reads, and signs */
	TOKEN_WRITE,  /* its holder's objects and PIN change */
	TOKEN_ADMIN,  /* its administrator's session: also when the PIN is locked */
	TOKEN_CLOSED, /* no session: it is to be initialised, or only looked at */
};
/* A PKCS#11 library that several tokens share, each perhaps in a thread of its own. */
struct token_module;
/* Loads it, and calls nothing in it yet. Gives: token_module_free(). ERR_CONFIG token_module. */
MUST_CHECK enum err token_module_load(const char *path, struct token_module **ret, struct fault *f);
/* C_Initialize; once it is started: OK. ERR_CONFIG token_module; also where it cannot be used by several threads. */
MUST_CHECK enum err token_module_start(struct token_module *m, struct fault *f);
/* Ends and starts it again: for a library whose daemon went away. Nobody may be inside, and all its tokens must be closed first. */
MUST_CHECK enum err token_module_restart(struct token_module *m, struct fault *f);
void token_module_free(struct token_module *m); /* accepts NULL; ends it first */

/* Which token: by its label, by a PKCS#11 URI that names a token (RFC 7512) as text or read already, or by its serial number; one of the four. blank:
 * one that was never initialised, which has no serial number on some. module: path of the PKCS#11 library; NULL: the URI's module-path, else all
 * modules that p11-kit is configured with. shared: instead of module, one that is started; then closing one token logs nobody out. */
struct token_choice {
	const char *label, *uri, *serial, *module;
	const struct token_uri *fields;
	struct token_module *shared;
	bool blank;
	enum token_use use;
};

struct token;
/* Loads the module, finds the token and opens a session. Gives: token_close(). ERR_CONFIG token_module (not loadable),
 * token_uri (also one that holds a PIN); ERR_NOT_FOUND token_absent; ERR_CONFLICT token_ambiguous (two fit);
 * ERR_DENIED pin_locked. */
MUST_CHECK enum err token_open(const struct token_choice *choice, struct token **ret, struct fault *f);
/* Logs out and unloads. Accepts NULL. */
void token_close(struct token *t);
/* Without a call into a shared library that was started again meanwhile, which knows nothing of this session. */
void token_forget(struct token *t);
static inline void token_closep(struct token **t)
{
	token_close(*t);
	*t = NULL;
}
/* The label as a message may show it. Borrows. */
const char *token_name(const struct token *t);

enum token_login_way {
	TOKEN_LOGIN_NONE, /* the token asks for no PIN */
	TOKEN_LOGIN_PIN,  /* token_login() wants the PIN */
	TOKEN_LOGIN_PAD	  /* the PIN is entered on the token's own keypad: token_login() with NULL */
};
enum token_login_way token_login_way(const struct token *t);
/* What the holder should know before typing a PIN ("one try is left"), or NULL. Borrows. */
const char *token_pin_warning(const struct token *t);
/* pin is borrowed until token_close(): keys that want it for each signature get it again. ERR_DENIED pin_wrong (says
 * whether tries run out), pin_locked, pin_unset, pin_expired. */
MUST_CHECK enum err token_login(struct token *t, const struct secret *pin, struct fault *f);

/* Nobody is logged in any more; the session stays. */
void token_logout(struct token *t);

struct token_key {
	unsigned long handle;
	char label[80];	   /* as a message may show it */
	char id[81];	   /* CKA_ID in hex, as far as there is room */
	bool always_login; /* it wants the PIN for each signature */
};
/* The private key that belongs to want: by modulus, by point, or by the id that it shares with the public key or
 * certificate on the token. what names the key in messages ("the current key of certificate 01"). ERR_NOT_FOUND
 * key_not_on_token; ERR_CONFLICT key_ambiguous: two private keys carry that id. */
MUST_CHECK enum err token_find(struct token *t, const struct pubkey *want, const char *what, struct token_key *ret,
			       struct fault *f);
/* The one private key with that label, id, or both (either may be empty). ERR_NOT_FOUND key_not_on_token; ERR_CONFLICT key_ambiguous. */
MUST_CHECK enum err token_find_named(struct token *t, struct slice label, struct slice id, struct token_key *ret, struct fault *f);
/* What a token says of a private key. One that it leaves unsaid is the worse of the two. */
struct token_attest {
	bool sensitive, always_sensitive, extractable, never_extractable, local;
};
MUST_CHECK enum err token_attest(struct token *t, const struct token_key *key, struct token_attest *ret, struct fault *f);

/* A mechanism that the token signs with by keys of a kind. Static. ERR_NOT_FOUND mechanism_missing. */
struct token_scheme;
MUST_CHECK enum err token_scheme(struct token *t, enum key_alg alg, const struct token_scheme **ret, struct fault *f);
/* Signature over msg, as token_sign() but not verified: the caller does. Appends to *ret. */
MUST_CHECK enum err token_sign_by(struct token *t, const struct token_key *key, const struct token_scheme *s, struct slice msg, struct buf *ret,
				  struct fault *f);
/* Signature over msg by the key's own scheme (see pubkey_verify), verified under want before it is given. Appends to
 * *ret: DER for ECDSA. ERR_NOT_FOUND mechanism_missing; ERR_IO token_pulled; ERR_CRYPTO token_signature. */
MUST_CHECK enum err token_sign(struct token *t, const struct token_key *key, const struct pubkey *want,
			       struct slice msg, struct buf *ret, struct fault *f);

#endif
