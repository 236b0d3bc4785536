/*
 * Which code points a name may hold: assigned ones that a reader sees. Inside common/pki alone.
 */
#ifndef HUFU_PKI_UNICODE_H
#define HUFU_PKI_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorted, inclusive, apart from one another. Version of Unicode they are from: "14.0.0". */
struct unicode_range {
	uint32_t from, to;
};
extern const struct unicode_range unicode_ranges[];
extern const size_t unicode_n_ranges;
extern const char unicode_version[];

/* NULL for a code point that is assigned and seen, or what it is else ("a bidi control", …). */
const char *unicode_refusal(uint32_t cp);
/* General category Zs: U+0020, U+00A0, U+3000, … */
bool unicode_is_space(uint32_t cp);

#endif
