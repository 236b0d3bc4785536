/*
 * Writing to a token: initialising it, PINs, a key pair, a certificate. A token is chosen by its serial number, and that is looked at before
 * anything is written (token.h). Objects want a log-in of its holder, PINs one of its administrator, by the PUK.
 */
#ifndef HUFU_TOKEN_ADMIN_H
#define HUFU_TOKEN_ADMIN_H

#include "common/pki/cert.h"
#include "common/pki/name.h"
#include "common/token/token.h"

#define TOKEN_PUK_LENGTH 16

struct token_info {
	char serial[80], label[140], model[80], maker[140]; /* as a message may show them */
	bool initialized, pin_set, pin_locked, pin_final_try, pin_low;
	unsigned long pin_min, pin_max;
};
/* Of the token as it is now. */
MUST_CHECK enum err token_info_read(struct token *t, struct token_info *ret, struct fault *f);
/* Of each that is plugged in, blank ones too. */
MUST_CHECK enum err token_each(const char *module, void (*fn)(void *arg, const struct token_info *info), void *arg,
			       struct fault *f);

/* Everything on it is wiped. t was chosen TOKEN_CLOSED; puk: its present one, or the first of a blank one. Then a session for its administrator is
 * open, who is logged in. ERR_DENIED puk_wrong, puk_locked. */
MUST_CHECK enum err token_initialise(struct token *t, const struct secret *puk, const char *label, struct fault *f);
/* t was chosen TOKEN_ADMIN. ERR_DENIED puk_wrong, puk_locked. */
MUST_CHECK enum err token_puk_login(struct token *t, const struct secret *puk, struct fault *f);
/* The holder's PIN, by its administrator who is logged in. ERR_DENIED pin_form. */
MUST_CHECK enum err token_pin_init(struct token *t, const struct secret *pin, struct fault *f);
/* The PIN of who is logged in: holder or administrator. ERR_DENIED pin_form. */
MUST_CHECK enum err token_pin_change(struct token *t, const struct secret *old, const struct secret *new_one,
				     struct fault *f);

/* A key pair that shall be made. */
struct token_keygen {
	enum key_alg alg; /* RSA, P-256, P-384 or Ed25519 */
	unsigned bits;	  /* of RSA, else 0 */
	struct slice label, id; /* id of no bytes: 16 random ones */
	bool signs_only;  /* else it also deciphers or derives, where its kind can */
};
/* Made there and can't leave, which is looked at afterwards. *ret_key: zero-init, pubkey_done(). ERR_NOT_FOUND mechanism_missing; ERR_IO token_full;
 * ERR_CRYPTO key_exportable: the token would give it away; the pair is deleted again. */
MUST_CHECK enum err token_generate(struct token *t, const struct token_keygen *g, struct pubkey *ret_key, struct fault *f);
/* A pair by its label and id, both halves of what there is. *ret: whether there was any. t was chosen TOKEN_WRITE. */
MUST_CHECK enum err token_delete(struct token *t, struct slice label, struct slice id, bool *ret, struct fault *f);
/* Public keys that stand on it, or of its certificates where there are none, at most max. Each pubkey_done(). */
MUST_CHECK enum err token_public_keys(struct token *t, struct pubkey *ret, size_t max, size_t *ret_n, struct fault *f);
/* The one public key object with that label, id, or both (either may be empty). ERR_NOT_FOUND key_not_on_token; ERR_CONFLICT key_ambiguous. */
MUST_CHECK enum err token_public_named(struct token *t, struct slice label, struct slice id, struct pubkey *ret, struct fault *f);
/* Each certificate that stands on it and can be read; c is borrowed. */
MUST_CHECK enum err token_each_certificate(struct token *t, void (*fn)(void *arg, const struct cert *c), void *arg, struct fault *f);
/* A certification request (RFC 2986), signed by that key. Appends DER. */
MUST_CHECK enum err token_csr(struct token *t, const struct pubkey *key, const struct name *subject, struct buf *ret,
			      struct fault *f);
/* The certificate beside its key, in the place of older ones of the same key. *ret_there: it was there already. ERR_NOT_FOUND key_not_on_token. */
MUST_CHECK enum err token_install(struct token *t, struct slice der, bool *ret_there, struct fault *f);
/* Signs and verifies; an RSA key also deciphers what was enciphered for it. ERR_CRYPTO token_signature, token_decipher. */
MUST_CHECK enum err token_try(struct token *t, const struct pubkey *key, struct fault *f);

#endif
