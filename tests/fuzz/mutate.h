/*
 * Mutations that keep a form: what comes out is still DER with right lengths, lines of fields, or JSON, so that a fuzzer
 * gets behind the readers' first checks. A target names one: MUTATES(mutate_der). One in eight is any change of bytes.
 */
#ifndef HUFU_TEST_FUZZ_MUTATE_H
#define HUFU_TEST_FUZZ_MUTATE_H

#include "tests/fuzz/fuzz.h"

/* libFuzzer's own: any change of bytes. Returns the new size. replay.c has one as well. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
#define MUTATES(fn)                                                                                                    \
	size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)                          \
	{                                                                                                              \
		return mutate(fn, data, size, max, seed);                                                              \
	}

struct mutation {
	unsigned seed;
	size_t max;
};
/* Some number below n, which is not 0. */
size_t mutation_below(struct mutation *m, size_t n);
/* Appends the bytes, changed in any way. */
void mutation_bytes(struct mutation *m, struct slice bytes, struct buf *ret);

/* False: the bytes have not that form. Appends what became of them. */
typedef bool mutate_fn(struct mutation *m, struct slice bytes, struct buf *ret);
mutate_fn mutate_der, mutate_lines, mutate_json;
size_t mutate(mutate_fn *fn, uint8_t *data, size_t size, size_t max, unsigned seed);

#endif
