/*
 * The CRLs: made when they are asked for and out of date, kept as files, numbered in the ledger.
 */
#ifndef HUFU_CA_PUBLISH_H
#define HUFU_CA_PUBLISH_H

#include "ca/signer.h"

/* A piece of the current CRL of our issuer for a shard or WIRE_FULL_CRL, from ask->from on, at most PUBLISH_PIECE. From 0: a revocation since the last one,
 * or the schedule, makes a new one first. Later pieces are of the CRL whose hash ask->sha256 is: ERR_CONFLICT crl_changed when there is a newer one, ERR_RULE
 * crl_piece behind its end. Another issuer or a shard that no profile has: ERR_NOT_FOUND. While locked, the last one as long as it is good, else ERR_LOCKED.
 * ERR_BUSY crl_busy: others wait for one that is being made. Appends to ret_der. *ret_size: of the whole. */
#define PUBLISH_PIECE 1048576u
MUST_CHECK enum err publish_crl(struct signer *s, const struct wire_crl *ask, struct buf *ret_der, struct ledger_crl *ret,
				uint64_t *ret_size, struct fault *f);

#endif
