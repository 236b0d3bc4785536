/*
 * The demo plays the authority that issued the old certificates, with libcrypto's own calls: a foreign CA, made without
 * Hufu's code.
 */
#ifndef HUFU_TOOLS_LEGACY_H
#define HUFU_TOOLS_LEGACY_H

#include "common/base/buf.h"

#include <openssl/evp.h>

struct legacy_ca {
	EVP_PKEY *key;
	void *cert; /* X509 * */
};
void legacy_done(struct legacy_ca *l);
/* An RSA-2048 authority "ZJCA OCA2", ten years old. */
MUST_CHECK enum err legacy_open(struct legacy_ca *ret, struct fault *f);

struct legacy_subject {
	const char *name, *identifier, *serial_hex;
	int64_t not_before, not_after;
};
/* Issues a certificate for a new RSA-2048 key; writes <stem>.pem and <stem>.key (0600). */
MUST_CHECK enum err legacy_issue(const struct legacy_ca *l, const struct legacy_subject *s, const char *stem,
				 struct fault *f);
MUST_CHECK enum err legacy_write_certificate(const struct legacy_ca *l, const char *path, struct fault *f);
/* An empty CRL, PEM. */
MUST_CHECK enum err legacy_write_crl(const struct legacy_ca *l, const char *path, struct fault *f);

#endif
