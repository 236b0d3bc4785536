/*
 * Asking an HTTP server over many connections, from outside, by wrk.
 */
#ifndef HUFU_BENCHMARK_WRK_H
#define HUFU_BENCHMARK_WRK_H

#include "common/base/buf.h"

struct wrk_asking {
	const char *address;  /* "127.0.0.1:80" */
	const char *requests; /* file of the folder: whole requests, each behind its length in four octets */
	const char *from;     /* number of the first one; NULL: by chance */
	const char *cores;    /* where wrk runs, as taskset takes it; NULL: anywhere */
};
struct wrk_told {
	double per_s, p50_ms, p99_ms;
};
/* Writes the script that wrk_run() wants into that folder. */
MUST_CHECK enum err wrk_script(const char *dir, struct fault *f);
/* A thread for each processor. ERR_INTERNAL: an answer that is no 2xx, or an error of a socket. */
MUST_CHECK enum err wrk_run(const char *dir, unsigned cpus, const struct wrk_asking *a, double seconds, struct wrk_told *ret, struct fault *f);
/* How long that runs: it takes whole seconds. */
int wrk_seconds(double s);

#endif
