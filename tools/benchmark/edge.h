/*
 * `tools/bench status`: OCSP answers a second from the real hufu-gate, beside nginx with a file of the same size and the bare signing.
 */
#ifndef HUFU_BENCHMARK_EDGE_H
#define HUFU_BENCHMARK_EDGE_H

#include "tools/benchmark/issue.h"

/* Cases "ocsp-get" and "ocsp-post": kept answers, by keep-alive connections of wrk, the limit is nginx's rate in the same run; by POST cfssl is
 * asked as well. "ocsp-nonce": signed for each request, by a gate that has the first half of the processors, wrk on the others; the limit is P-256
 * signatures alone on that half. The gate's table has b->certificates. "snapshot": certificates a second from the gate's start until it is ready, once; the
 * limit is reading that file. "look-up": status by serial number; the limit is the same with a table of 10,000. "look-up-bare": see lookup.h. "revocation":
 * see revocation.h. "crl": see crls.h. */
MUST_CHECK enum err edge_run(const struct bench_run *b, struct report *ret, struct fault *f);

#endif
