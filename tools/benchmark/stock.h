/*
 * What the benchmarks spend: certificates of an old authority, each with a key of its own, and a signed tally that
 * extends it.
 */
#ifndef HUFU_BENCHMARK_STOCK_H
#define HUFU_BENCHMARK_STOCK_H

#include "common/note/person.h"
#include "common/pki/cert.h"
#include "common/pki/pubkey.h"

#define STOCK_PROJECT "jinhua"
#define STOCK_PROFILE "organisation"
#define STOCK_WAY "same-key"
#define STOCK_MONTHS 12
#define STOCK_ISSUER "ZJCA OCA2"

/* The old authority, with a P-256 key so that a stock is soon made. */
struct old_ca {
	EVP_PKEY *key;
	struct pubkey public;
	struct buf name; /* DER */
	struct buf cert; /* DER */
	int64_t made;
};
void old_ca_done(struct old_ca *o);
MUST_CHECK enum err old_ca_new(struct old_ca *ret, struct fault *f);
/* Its CRL of today with n revoked certificates, none of which is one of a stock. */
MUST_CHECK enum err old_ca_crl(const struct old_ca *o, size_t n, struct buf *ret, struct fault *f);
/* How many of its certificates one core verifies in a second of its time, found with so many verifications of that one. 0: it does not hold. */
double old_ca_verified_per_s(const struct cert *issuer, struct slice der, unsigned samples);

/* One old certificate that ends in 60 days, so that it may be extended now. */
struct item {
	struct buf cert;    /* DER */
	char name[48];	    /* of its subject */
	char serial[24];    /* hex */
	EVP_PKEY *key;	    /* when the proof is made later; NULL else */
	struct buf request; /* wire message TALLY with the subscriber's, an officer's and the RA's lines; empty when the proof is made
			       later */
};
void items_free(struct item *items, size_t n); /* and the array */

struct stock {
	const struct old_ca *old;
	uint8_t ca[20], policy[32]; /* what the tallies name */
	const struct person_key *ra, *officer;
	uint64_t next; /* number of the next item: subject and serial follow from it */
};
/* Makes n items on all cores. tallies: make the request, and forget the key. Gives *ret: items_free(). */
MUST_CHECK enum err stock_make(struct stock *s, size_t n, bool tallies, struct item **ret, struct fault *f);

#endif
