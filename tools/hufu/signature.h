/*
 * Signatures that were made elsewhere, by any tool: their forms, and whether they hold.
 */
#ifndef HUFU_TOOLS_SIGNATURE_H
#define HUFU_TOOLS_SIGNATURE_H

#include "common/pki/pubkey.h"

#define SIGNATURE_FILE_MAX 4096

/* A file's bytes as the signature that the key's scheme writes: RSA as long as the modulus, ECDSA and SM2 in DER or,
 * with raw_ecdsa, r and s side by side. Appends to *ret. what names the key ("the new key"). ERR_PARSE signature_form. */
MUST_CHECK enum err signature_read(struct slice bytes, bool raw_ecdsa, const struct pubkey *key, const char *what,
				   struct buf *ret, struct fault *f);

/* Does it hold under the key, over exactly this text? ERR_CRYPTO signature_wrong; the text says what was signed
 * instead, where that can be found out: another digest, other line ends, a digest of the digest. */
MUST_CHECK enum err signature_check(const struct pubkey *key, const char *what, struct slice text, struct slice sig,
				    struct fault *f);

#endif
