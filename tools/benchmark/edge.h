/*
 * `tools/bench status`: OCSP answers a second from the real hufu-gate, beside nginx with a file of the same size and the bare signing.
 */
#ifndef HUFU_BENCHMARK_EDGE_H
#define HUFU_BENCHMARK_EDGE_H

#include "tools/benchmark/issue.h"

/* Cases "ocsp-get" and "ocsp-post": kept answers, by keep-alive connections of wrk, the limit is nginx's rate in the same run. "ocsp-nonce": signed for
 * each request, the limit is P-256 signatures alone on as many threads as the gate has. The gate's table has b->certificates. "crl": see crls.h. */
MUST_CHECK enum err edge_run(const struct bench_run *b, struct report *ret, struct fault *f);

#endif
