/*
 * A PKCS#11 token (a USB key): found by label or URI, opened with its PIN, and asked to sign with one key only, the
 * one that belongs to a public key that the caller names. The private key never leaves the token. OASIS PKCS#11 2.40.
 *
 * Nothing here writes to a token (token_admin.h does). One thread.
 */
#ifndef HUFU_TOOLS_TOKEN_H
#define HUFU_TOOLS_TOKEN_H

#include "common/base/secret.h"
#include "common/pki/pubkey.h"

enum token_use {
	TOKEN_SIGN,   /* reads, and signs */
	TOKEN_WRITE,  /* its holder's objects and PIN change */
	TOKEN_ADMIN,  /* its administrator's session: also when the PIN is locked */
	TOKEN_CLOSED, /* no session: it is to be initialised, or only looked at */
};
/* Which token: by its label, by a PKCS#11 URI that names a token (RFC 7512), or by its serial number; one of the three. blank: one that was never
 * initialised, which has no serial number on some. module: path of the PKCS#11 library; NULL: the URI's module-path, else all modules that p11-kit
 * is configured with. */
struct token_choice {
	const char *label, *uri, *serial, *module;
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
	char label[80]; /* as a message may show it */
};
/* The private key that belongs to want: by modulus, by point, or by the id that it shares with the public key or
 * certificate on the token. what names the key in messages ("the current key of certificate 01"). ERR_NOT_FOUND
 * key_not_on_token; ERR_CONFLICT key_ambiguous: two private keys carry that id. */
MUST_CHECK enum err token_find(struct token *t, const struct pubkey *want, const char *what, struct token_key *ret,
			       struct fault *f);
/* Signature over msg by the key's own scheme (see pubkey_verify), verified under want before it is given. Appends to
 * *ret: DER for ECDSA. ERR_NOT_FOUND mechanism_missing; ERR_IO token_pulled; ERR_CRYPTO token_signature. */
MUST_CHECK enum err token_sign(struct token *t, const struct token_key *key, const struct pubkey *want,
			       struct slice msg, struct buf *ret, struct fault *f);

#endif
