/*
 * What the fuzz targets share: one entry point, and checks that end the process, since under a fuzzer that is what a
 * finding is.
 *
 * A target is one file, fuzz_<name>.c. It is linked with libFuzzer by tools/fuzz, and with replay.c in every other
 * build, where it runs over corpus/<name>/ as a test.
 */
#ifndef HUFU_TEST_FUZZ_H
#define HUFU_TEST_FUZZ_H

#include "common/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* data: exactly size bytes of its own memory, so that a sanitizer sees a byte read behind them. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(cond)                                                                                                     \
	do {                                                                                                           \
		if (!(cond)) {                                                                                         \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);                      \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

static inline void must_be(struct slice found, struct slice wanted)
{
	if (slice_eq(found, wanted))
		return;
	fprintf(stderr, "found  \"%s\"\nwanted \"%s\"\n", ESC(found.p, found.n), ESC(wanted.p, wanted.n));
	abort();
}

/* A refusal of outside bytes: it names kind, rule and place, says something, and lets no control character of theirs
 * through. */
static inline void must_refuse(enum err e, const struct fault *f)
{
	must(e == ERR_PARSE || e == ERR_LIMIT || e == ERR_RULE || e == ERR_CRYPTO || e == ERR_CONFIG);
	must(f->kind == e && f->rule[0] && f->where[0] && f->text[0]);
	for (const char *p = f->text; *p; p++)
		must((uint8_t)*p >= 0x20 && *p != 0x7f);
}

#endif
