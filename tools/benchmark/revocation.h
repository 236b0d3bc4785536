/*
 * `status`, case "revocation": how long a gate goes on saying good of what the signer has revoked.
 */
#ifndef HUFU_BENCHMARK_REVOCATION_H
#define HUFU_BENCHMARK_REVOCATION_H

#include "tools/benchmark/issue.h"

/* Appends a row: revocations one after the other by the operator's socket of a whole Hufu, with a gate that has answered about each before. A time runs from the
 * moment in which the signer is asked (so its checks, signature and flush are in it) to the gate's first answer that says revoked. The limit is what is wanted, one a second. */
MUST_CHECK enum err revocation_run(const struct bench_run *b, const struct old_ca *ca, struct report *ret, struct fault *f);

#endif
