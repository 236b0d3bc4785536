/*
 * `tools/bench desk`: what portals and people ask the desk all day, beside a server that answers without looking.
 */
#ifndef HUFU_BENCHMARK_ASK_H
#define HUFU_BENCHMARK_ASK_H

#include "tools/benchmark/issue.h"

MUST_CHECK enum err ask_run(const struct bench_run *b, struct report *ret, struct fault *f);

#endif
