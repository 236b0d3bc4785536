/*
 * Adoption: certificates of another CA come under this ledger, one by one, as a quorum of officers said.
 */
#ifndef HUFU_CA_ADOPT_H
#define HUFU_CA_ADOPT_H

#include "ca/signer.h"

/* Takes a part of an adoption in. Certificates that the ledger has already are counted, not repeated; what cannot be
 * adopted is told in the answer. */
MUST_CHECK enum err adopt(struct signer *s, struct slice request, struct buf *reply, struct fault *f);

#endif
