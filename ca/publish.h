/*
 * The CRLs: made when they are asked for and out of date, kept as files, numbered in the ledger.
 */
#ifndef HUFU_CA_PUBLISH_H
#define HUFU_CA_PUBLISH_H

#include "ca/signer.h"

/* The current CRL of our issuer for a shard or WIRE_FULL_CRL. A revocation since the last one, or the schedule, makes a
 * new one first. Another issuer or a shard that no profile has: ERR_NOT_FOUND. While locked, the last one as long as it
 * is good, else ERR_LOCKED. Appends the DER. */
MUST_CHECK enum err publish_crl(struct signer *s, const uint8_t issuer[20], uint32_t scope, struct buf *ret_der,
				struct ledger_crl *ret, struct fault *f);

#endif
