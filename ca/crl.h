/*
 * CRLs, streamed: entries in serial order written as DER on the way, hashed, signed once. RFC 5280 5.
 */
#ifndef HUFU_CA_CRL_H
#define HUFU_CA_CRL_H

#include "ca/key.h"

struct crl_entry {
	struct serial serial;
	int64_t when;
	unsigned reason; /* 0: not written */
};
/* Gives the next entry; *ret_more false at the end. */
typedef enum err crl_next(void *arg, struct crl_entry *ret, bool *ret_more, struct fault *f);
struct crl_build {
	const struct cert *issuer;
	const struct ca_key *key;
	uint64_t number;
	int64_t this_update, next_update;
	const char *idp_url;     /* critical issuingDistributionPoint for a shard; NULL: full CRL without one */
	crl_next *next;
	void *arg;
};
/* Appends the CRL's DER: version 2, AKI, cRLNumber. revokedCertificates is absent when there are no entries (5.1.2.6). *ret_count: entries.
 * Entries must rise by serial number (length first, then octets) with reasons of 5.3.1: ERR_INTERNAL crl_order, crl_reason. ERR_RULE crl_issuer (no cRLSign),
 * crl_key (not the issuer's), crl_next_update. After an error nothing is appended. */
MUST_CHECK enum err crl_build(const struct crl_build *b, struct buf *ret, uint64_t *ret_count, struct fault *f);

#endif
