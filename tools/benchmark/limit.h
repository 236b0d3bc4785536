/*
 * The crypto limit: how many issues a second the cores could do if an issue were nothing but its signatures.
 */
#ifndef HUFU_BENCHMARK_LIMIT_H
#define HUFU_BENCHMARK_LIMIT_H

#include "common/pki/pubkey.h"

struct limit; /* the keys and texts of one kind of CA key */
/* issuer: the CA's key, KEY_P256, KEY_RSA (2048 bits) or KEY_SM2. Gives: limit_free(). */
MUST_CHECK enum err limit_new(enum key_alg issuer, struct limit **ret, struct fault *f);
void limit_free(struct limit *l);
static inline void limit_freep(struct limit **l)
{
	if (*l)
		limit_free(*l);
	*l = NULL;
}
/* Runs on that many threads for so long: per issue one P-256 verification (the subscriber's line), two Ed25519
 * verifications (an officer's line and the RA's), and two signatures by the CA's kind of key (lint's throw-away one, and the real one),
 * with every context kept. *ret_per_s: issues a second of processor time, added over the threads. */
MUST_CHECK enum err limit_run(struct limit *l, unsigned threads, double seconds, double *ret_per_s, struct fault *f);

#endif
