/*
 * `status`, case "look-up-bare": the gate's table alone, without HTTP.
 */
#ifndef HUFU_BENCHMARK_LOOKUP_H
#define HUFU_BENCHMARK_LOOKUP_H

#include "tools/benchmark/issue.h"

#define LOOKUP_FEW 10000u
/* Appends a row: look-ups a second of one thread, by its processor time, in a table of b->certificates, in random order, each as a request does it (lock, find, copy of the
 * row, unlock). The limit is the same in a table of LOOKUP_FEW. */
MUST_CHECK enum err lookup_run(const struct bench_run *b, struct report *ret, struct fault *f);

#endif
