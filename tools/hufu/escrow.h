/*
 * The desk's token key: an X25519 pair. PUKs are sealed to its public half, FILE.pub, which desk and clients have; its secret half, FILE, is the
 * officers' who unlock:
 *
 *     hufu-token-key/v1
 *     public: <64 hex characters>
 *     sealed: <base64 of secret_seal(), label "hufu-token-key">      or      secret: <base64 of 32 bytes>
 */
#ifndef HUFU_TOOLS_ESCROW_H
#define HUFU_TOOLS_ESCROW_H

#include "common/base/puk.h"

struct escrow_key {
	uint8_t key[PUK_KEY];
	struct secret secret;
};
void escrow_done(struct escrow_key *k); /* accepts the zero state */
/* New files: path (0600), and path.pub. passphrase NULL: the secret is written plain. ERR_CONFLICT when one is there. */
MUST_CHECK enum err escrow_make(const char *path, const struct secret *passphrase, struct escrow_key *ret,
				struct fault *f);
/* A file that others may read is refused. A sealed one's passphrase is the one that is given, else comes from descriptor fd_text, or is asked for when that is NULL too. */
MUST_CHECK enum err escrow_load(const char *path, const struct secret *passphrase, const char *fd_text,
				struct escrow_key *ret, struct fault *f);
/* Is its secret half behind a passphrase? */
MUST_CHECK enum err escrow_sealed(const char *path, bool *ret, struct fault *f);
/* The PUKs in a box (base64, as the desk gives it; NULL and "" hold none), added to *set. */
MUST_CHECK enum err escrow_open(const struct escrow_key *k, const char *serial, const char *box, struct puk_set *set,
				struct fault *f);

#endif
