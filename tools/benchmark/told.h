/*
 * What a gate tells of itself in its metrics, asked by the bench.
 */
#ifndef HUFU_BENCHMARK_TOLD_H
#define HUFU_BENCHMARK_TOLD_H

#include "common/base/buf.h"

struct told {
	double kept;  /* answers that are kept signed */
	double fresh; /* answers given, since its start, that were signed for their request */
};
/* address: of its metrics; dir: where a file may be. */
MUST_CHECK enum err told_read(const char *dir, const char *address, struct told *ret, struct fault *f);
/* Waits until it signs nothing ahead any more: what that costs is not the requests'. ERR_BUSY after two minutes. */
MUST_CHECK enum err told_wait_quiet(const char *dir, const char *address, struct fault *f);

#endif
