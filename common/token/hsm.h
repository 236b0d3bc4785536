/*
 * A service's key in a PKCS#11 token that it never leaves: many threads sign by it, a session that dies is opened again, and a token that does not
 * answer costs a time that has an end. One library for the process.
 */
#ifndef HUFU_TOKEN_HSM_H
#define HUFU_TOKEN_HSM_H

#include "common/base/secret.h"
#include "common/pki/pubkey.h"

/* How keys in tokens are reached. module NULL: no token is used, unless a URI names one to hsm_key_open() or hsm_key_create(). */
struct hsm_settings {
	const char *module;	       /* path of the PKCS#11 library */
	unsigned sessions, timeout_ms; /* of each key: how many sign at once; how long a signature may take */
	bool extractable;	       /* take keys that could leave their token, with a warning */
};
/* Loads the library, for all keys of the process; before the walls go up. ERR_CONFIG token_module. */
MUST_CHECK enum err hsm_prepare(const struct hsm_settings *settings, struct fault *f);
/* After all keys are freed. */
void hsm_finish(void);

/* Whose key it is, in the words of messages. Static. */
struct hsm_owner {
	const char *where;    /* "ca_key": where of a fault */
	const char *name;     /* "the CA key" */
	const char *mismatch; /* "ca_key_mismatch": rule of a fault, it is another key */
	const char *wanted;   /* "the key of the certificate" */
	const char *pin_again; /* what to do after a PIN that was refused on the way */
};

struct hsm_key; /* signing is thread-safe */
/* Opens the key that a PKCS#11 URI with serial and object or id names. public: the one that it must be; NULL: the one that stands beside it on the token,
 * which must be one only. Another key: ERR_CONFIG and the owner's mismatch. ERR_CONFIG token_uri, token_module; ERR_NOT_FOUND token_absent, key_not_on_token,
 * mechanism_missing; ERR_CONFLICT token_ambiguous, key_ambiguous; ERR_DENIED pin_wrong, pin_locked; ERR_RULE key_exportable. Gives: hsm_key_free(). */
MUST_CHECK enum err hsm_key_open(const struct hsm_owner *owner, const char *uri, const struct pubkey *public, const struct secret *pin,
				 struct hsm_key **ret, struct fault *f);
struct hsm_keygen {
	enum key_alg alg;
	unsigned bits;	 /* of RSA, else 0 */
	struct slice id; /* where the URI names none; no bytes: 16 random ones */
};
/* Makes a new key there, under the URI's object and id, and opens it. Algorithms that PKCS#11 has mechanisms for, and the token too:
 * else ERR_NOT_FOUND mechanism_missing. ERR_CONFLICT key_exists; ERR_IO token_full; ERR_CRYPTO key_exportable; and as hsm_key_open(). */
MUST_CHECK enum err hsm_key_create(const struct hsm_owner *owner, const char *uri, const struct hsm_keygen *g, const struct secret *pin,
				   struct hsm_key **ret, struct fault *f);
/* Deletes what hsm_key_create() made there under that id: private and public half. *ret: whether there was any. As hsm_key_open(). */
MUST_CHECK enum err hsm_key_delete(const struct hsm_owner *owner, const char *uri, struct slice id, const struct secret *pin, bool *ret,
				   struct fault *f);
void hsm_key_free(struct hsm_key *k);
static inline void hsm_key_freep(struct hsm_key **k) { if (*k) hsm_key_free(*k); *k = NULL; }
/* Borrow. */
const struct pubkey *hsm_key_public(const struct hsm_key *k);
const struct secret *hsm_key_pin(const struct hsm_key *k);
/* Appends the raw signature (contents of the BIT STRING). ERR_LOCKED token_lost, token_stuck. */
MUST_CHECK enum err hsm_key_sign(struct hsm_key *k, struct slice msg, struct buf *ret, struct fault *f);
/* Would a signature come? ERR_LOCKED token_lost, token_stuck while its token does not sign; looks again once a second. */
MUST_CHECK enum err hsm_key_usable(struct hsm_key *k, struct fault *f);
/* Appends one line for people and transcripts: where the key is, and what its token says of it. */
MUST_CHECK enum err hsm_key_attest(const struct hsm_key *k, struct buf *ret, struct fault *f);

#endif
