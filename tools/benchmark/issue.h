/*
 * `issue`: durable certificates a second through the signer's wire, and through RA and signer, beside the crypto limit.
 */
#ifndef HUFU_BENCHMARK_ISSUE_H
#define HUFU_BENCHMARK_ISSUE_H

#include "tools/benchmark/report.h"

struct bench_run {
	const char *build, *policies; /* folders */
	const char *dir;	      /* an empty folder, on the disk that is measured */
	const char *only;	      /* part of the names of the cases that are wanted; NULL: all */
	unsigned cpus, runs;
	double seconds; /* of one run */
	size_t certificates; /* that a generated desk holds */
	size_t rows;	     /* of an export that is imported */
	size_t entries;	     /* of the long ledger beside the others; 0: none */
	bool progress;	     /* say on stderr what is being done */
};
/* Fills rows and programs of *ret. */
MUST_CHECK enum err issue_run(const struct bench_run *b, struct report *ret, struct fault *f);

#endif
