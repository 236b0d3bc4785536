/*
 * Certification requests, RFC 2986: a carrier for the new key. The subject inside is not believed; the tally's is.
 */
#ifndef HUFU_PKI_CSR_H
#define HUFU_PKI_CSR_H

#include "common/pki/pubkey.h"

#define CSR_MAX_BYTES 16384

struct csr {
	struct pubkey key;      /* owned */
	struct slice subject;   /* Name, with tag; borrows from the DER given */
	struct slice info;      /* CertificationRequestInfo with tag */
	struct slice signature;
	struct sigalg sigalg;
};
void csr_done(struct csr *c);
/* Strict DER, version 0, nothing behind the end. Does not verify. ret borrows der. */
MUST_CHECK enum err csr_parse(struct slice der, struct csr *ret, struct fault *f);
/* Proof of possession. ERR_CRYPTO csr_signature. */
MUST_CHECK enum err csr_verify(const struct csr *c, struct fault *f);

#endif
