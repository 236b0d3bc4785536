/*
 * What a relying party hears from a gate, over HTTP on its Unix socket: OCSP and the CRL, judged by libcrypto alone.
 */
#ifndef HUFU_TESTS_GATE_VIEW_H
#define HUFU_TESTS_GATE_VIEW_H

#include "common/pki/cert.h"

#include <openssl/x509.h>

struct gate_view {
	char *socket;
	char issuer_id[41];
	X509 *issuer;
	X509_STORE *store; /* root and issuing CA */
};
void gate_view_done(struct gate_view *v); /* accepts the zero state */
/* dir: of a tree; socket: a copy is kept. Any number of threads may ask. */
MUST_CHECK enum err gate_view_open(const char *dir, const char *socket, struct gate_view *ret, struct fault *f);

enum ocsp_said { SAID_GOOD, SAID_REVOKED, SAID_UNKNOWN, SAID_LATER };
/* About a certificate of the issuing CA. ERR_NET: no gate there; ERR_CRYPTO: what it said does not verify, or is not about that certificate. */
MUST_CHECK enum err gate_view_ocsp(const struct gate_view *v, const struct serial *serial, enum ocsp_said *ret, struct fault *f);
/* The full CRL, verified. ERR_NET: no gate there, or it serves none now. Gives. */
MUST_CHECK enum err gate_view_crl(const struct gate_view *v, X509_CRL **ret, struct fault *f);
/* The desk's, DER, verified by the same CA. Gives. */
MUST_CHECK enum err gate_view_read_crl(const struct gate_view *v, struct slice der, X509_CRL **ret, struct fault *f);
/* Is that certificate on it? CRL_OLDER: no, and it was made before that moment. */
enum crl_word { CRL_OLDER, CRL_HAS, CRL_LACKS };
enum crl_word gate_view_crl_has(X509_CRL *crl, const struct serial *serial, int64_t revoked_at);

#endif
