/*
 * Ed25519 key files of people and services: officers, the RA, a ceremony's operator.
 *
 *     hufu-key/v1
 *     name: alice
 *     public: <base64 of 32 bytes>
 *     secret: <base64 of libsodium's 64 bytes>      or      sealed: <base64 of secret_seal(), label "hufu-key:<name>">
 */
#ifndef HUFU_NOTE_PERSON_H
#define HUFU_NOTE_PERSON_H

#include "common/base/secret.h"
#include "common/note/note.h"

struct person_key {
	char name[48]; /* a-z, 0-9 and '-', starting with a letter */
	uint8_t public_key[ED25519_KEY];
	struct secret secret; /* 64 bytes */
};
void person_key_done(struct person_key *k); /* accepts the zero state */
MUST_CHECK enum err person_key_generate(const char *name, struct person_key *ret, struct fault *f);
/* Appends the file's text; with a secret in the clear (passphrase NULL) it is the caller's to wipe. */
MUST_CHECK enum err person_key_put(const struct person_key *k, const struct secret *passphrase, struct buf *ret, struct fault *f);
/* A new file, 0600. passphrase NULL: the secret is written plain, else sealed. ERR_CONFLICT when the file exists. */
MUST_CHECK enum err person_key_save(const struct person_key *k, const char *path, const struct secret *passphrase, struct fault *f);
/* A file that others may read is refused. Sealed and passphrase NULL: prompts on the terminal. */
MUST_CHECK enum err person_key_load(const char *path, const struct secret *passphrase, struct person_key *ret, struct fault *f);
/* What stands in such a file in the open: whose it is, and whether the secret is behind a passphrase. ret->secret stays empty. */
MUST_CHECK enum err person_key_read(const char *path, struct person_key *ret, bool *ret_sealed, struct fault *f);

#endif
