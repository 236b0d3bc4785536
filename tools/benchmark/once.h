/*
 * Asking an HTTP server that closes the connection behind each answer, as `openssl ocsp` does: wrk, which opens all of its connections at once,
 * gets no answer from that one.
 */
#ifndef HUFU_BENCHMARK_ONCE_H
#define HUFU_BENCHMARK_ONCE_H

#include "common/base/buf.h"

/* Asks 127.0.0.1:port from n threads, each with a connection for each request, and gives answers a second. requests: a file as wrk_run() takes it.
 * ERR_NET: there was no answer of 2xx with a body at all. What fails behind the first ones is asked anew and counts for nothing. */
MUST_CHECK enum err once_run(const char *requests, unsigned port, unsigned n, double seconds, double *ret_per_s, struct fault *f);

#endif
