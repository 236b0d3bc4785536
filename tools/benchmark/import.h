/*
 * `tools/bench import`: an old system's accounts, each with a certificate, taken over by the real `hufu import`.
 */
#ifndef HUFU_BENCHMARK_IMPORT_H
#define HUFU_BENCHMARK_IMPORT_H

#include "tools/benchmark/issue.h"

/* Two cases: "import" into an empty Hufu, and "import-again", the same export once more. Each is one run, and its
 * latencies are that run's length. */
MUST_CHECK enum err import_run(const struct bench_run *b, struct report *ret, struct fault *f);

#endif
