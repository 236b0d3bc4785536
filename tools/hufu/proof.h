/*
 * A subscriber's proof of a request: the text that is signed, the keys under which a signature must hold, and the
 * signature lines made so far.
 */
#ifndef HUFU_TOOLS_PROOF_H
#define HUFU_TOOLS_PROOF_H

#include "common/note/tally.h"
#include "tools/hufu/cli.h"

enum { PROOF_KEY_CURRENT, PROOF_KEY_NEW, PROOF_KEYS };
struct proof_key {
	bool there;
	char what[120];		      /* "the current key, of certificate 74C2008800000AE9": for messages */
	char name[NOTE_MAX_NAME + 1]; /* of its signature line */
	struct pubkey key;	      /* owned */
};
struct proof_set {
	json_t *answer; /* owned: request.show */
	struct slice text;
	struct tally tally;
	struct proof_key keys[PROOF_KEYS];
	json_t *lines; /* owned: array of signature lines */
};
void proof_done(struct proof_set *p); /* accepts the zero state */
/* A tally's text, which is borrowed. */
MUST_CHECK enum err proof_read(struct slice text, struct proof_set *ret, struct fault *f);
/* The request's text, as the desk has it now. ERR_RULE tally_missing. */
MUST_CHECK enum err proof_load(struct cli *c, const char *request, struct proof_set *ret, struct fault *f);
/* The public keys: of the certificate that the tally names, and of the request for a new one, each held against what
 * the tally says of it. ERR_RULE proof_certificate, proof_csr when the desk's are others. */
MUST_CHECK enum err proof_load_keys(struct cli *c, struct proof_set *p, struct fault *f);
/* One of the keys, from elsewhere: taken when the tally's text does not speak against it. Takes the key. ERR_RULE proof_certificate, proof_csr. */
MUST_CHECK enum err proof_take_key(struct proof_set *p, int which, struct pubkey *key, struct fault *f);
/* The current key, by its certificate: PEM or DER. */
MUST_CHECK enum err proof_take_certificate(struct proof_set *p, const char *pem, struct fault *f);
/* Adds the line of one of the keys. ERR_CONFIG proof_twice: that key has one. */
MUST_CHECK enum err proof_add(struct proof_set *p, const struct proof_key *k, struct slice sig, struct fault *f);
/* The same by a private key in a PEM file; whether it is the right one is the desk's to say. */
MUST_CHECK enum err proof_add_pem(struct proof_set *p, int which, const char *key_path, struct fault *f);

#endif
