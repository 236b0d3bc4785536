/*
 * The CRLs that are served: fetched from the signer through the desk, believed for the CA's signature, kept as files.
 */
#ifndef HUFU_RA_GATE_CRLS_H
#define HUFU_RA_GATE_CRLS_H

#include "ra/gate/gate.h"

struct crls; /* thread-safe */
/* Of that CA, which is borrowed. Reads what the state folder has. Gives *ret: crls_close(). */
MUST_CHECK enum err crls_open(struct gate *g, const struct cert *ca, struct crls **ret, struct fault *f);
void crls_close(struct crls *c);
/* Asks for the full CRL and each shard, which lets the signer make those that are due. What cannot be had leaves what there is. crls_fetch.c. */
MUST_CHECK enum err crls_fetch(struct gate *g, struct crls *c, struct fault *f);
/* Whose they are: 20 bytes. */
const uint8_t *crls_issuer(const struct crls *c);
/* Where the one of that scope is served from. Gives: free(). */
char *crls_path(const struct crls *c, uint32_t scope);
/* Where a CRL of that scope is written before it is taken. Gives: free(). */
char *crls_beside(const struct crls *c, uint32_t scope);
/* Is the one that is served the one of that SHA-256? */
bool crls_has(struct crls *c, uint32_t scope, const uint8_t hash[32]);
/* Takes the CRL that was written beside, when it is the CA's for that scope, and newer; the file is gone then. ERR_RULE crl_scope, crl_older, crl_ledger,
 * and what crl_parse() and crl_verify_by() say. */
MUST_CHECK enum err crls_take_file(struct gate *g, struct crls *c, uint32_t scope, const char *beside, struct fault *f);
struct crl_file {
	int fd; /* taken by whoever asked */
	uint64_t size;
	char etag[48];
	int64_t this_update, next_update;
};
/* False: there is none. */
bool crls_open_file(struct crls *c, uint32_t scope, struct crl_file *ret);
/* How many; the age of the oldest and the seconds until the first nextUpdate (0: none). */
size_t crls_ages(struct crls *c, int64_t now, int64_t *ret_oldest, int64_t *ret_next);

#endif
