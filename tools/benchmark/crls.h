/*
 * `status`, case "crl": a CRL of as many entries as the run has certificates, from the signer's ledger to a signed, flushed file.
 */
#ifndef HUFU_BENCHMARK_CRLS_H
#define HUFU_BENCHMARK_CRLS_H

#include "tools/benchmark/issue.h"

/* Appends a row, whose figures are entries a second, and the signer's memory. The limit is an ordered scan of the same table, the DER and one signature, nothing
 * written; the peer is `openssl ca -gencrl` of at most CRLS_PEER_MAX of the entries. */
#define CRLS_PEER_MAX 100000u
MUST_CHECK enum err crls_run(const struct bench_run *b, const struct old_ca *ca, struct report *ret, struct fault *f);

#endif
