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
	bool keeps_expired;      /* expiredCertsOnCRL (X.509 2.5.29.60): no entry was left out for its certificate's end, since expired_since */
	int64_t expired_since;
	crl_next *next;
	void *arg;
};
/* Appends the CRL's DER: version 2, AKI, cRLNumber. revokedCertificates is absent when there are no entries (5.1.2.6). *ret_count: entries.
 * Entries must rise by serial number (length first, then octets) with reasons of 5.3.1: ERR_INTERNAL crl_order, crl_reason. ERR_RULE crl_issuer (no cRLSign),
 * crl_key (not the issuer's), crl_next_update. ERR_LIMIT crl_size. After an error nothing is appended. */
MUST_CHECK enum err crl_build(const struct crl_build *b, struct buf *ret, uint64_t *ret_count, struct fault *f);

struct crl_written {
	uint64_t count, bytes;
	uint8_t sha256[32];
};
/* The same into an empty file, open for reading and writing, with as much memory for a million entries as for ten; not flushed. A key that signs whole
 * messages only reads the file as a mapping. expected: about how many bytes it will have; a wrong guess costs one move of what was written. ERR_IO, ERR_BUSY
 * disk_full. After an error the file's content means nothing. */
MUST_CHECK enum err crl_write(const struct crl_build *b, int fd, uint64_t expected, struct crl_written *ret, struct fault *f);

#endif
