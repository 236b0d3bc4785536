/*
 * What an OCSP request is answered with: the table's word, signed now or before.
 */
#ifndef HUFU_RA_GATE_OCSP_H
#define HUFU_RA_GATE_OCSP_H

#include "ra/gate/gate.h"

#define OCSP_STALE_SECONDS 86400 /* no answer outlives the last beat by more */

struct ocsp; /* thread-safe */
/* Of g's issuers; g is borrowed. Gives: ocsp_close(). */
struct ocsp *ocsp_open(struct gate *g);
void ocsp_close(struct ocsp *o);

/* How an answer may be kept by caches between. */
struct ocsp_life {
	bool cacheable; /* without a nonce, about a certificate that is there */
	int64_t this_update, next_update;
	uint8_t tag[16]; /* of its bytes: no two answers have the same signature */
};
/* Appends an OCSPResponse, whatever the request is. */
void ocsp_answer(struct ocsp *o, struct slice request, struct buf *ret, struct ocsp_life *ret_life);
#define OCSP_AHEAD_CALLS_A_SECOND 5
/* In the background, a little at each call: answers that are kept are signed again when they are half over, and new certificates' are signed before
 * anybody asks. Returns how many were signed. */
size_t ocsp_ahead(struct ocsp *o);
size_t ocsp_kept(struct ocsp *o);

#endif
