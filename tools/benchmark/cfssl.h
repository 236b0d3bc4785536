/*
 * A peer of `issue`: `cfssl serve` with a P-256 key, signing over HTTP, storing nothing or into its SQLite store.
 */
#ifndef HUFU_BENCHMARK_CFSSL_H
#define HUFU_BENCHMARK_CFSSL_H

#include "tools/benchmark/stock.h"

/* Where it is installed; NULL: it is not. */
const char *cfssl_program(void);
/* Starts it in a new folder dir, asks 32 requests at the same time for `seconds`, and ends it. Certificates a second, counted when the
 * answer has come that holds one. ca: whose key it signs with. */
MUST_CHECK enum err cfssl_run(const char *dir, const struct old_ca *ca, bool stores, double seconds, double *ret_per_s, struct fault *f);

#endif
