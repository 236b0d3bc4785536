/*
 * "field: value" lines in one fixed order: how every note's text is written and read.
 */
#ifndef HUFU_NOTE_LINES_H
#define HUFU_NOTE_LINES_H

#include "common/base/buf.h"

/* A reader over a note's text. Errors name "object.field". */
struct lines {
	const char *object; /* "tally" */
	struct slice rest;
	unsigned line;
};
/* Checks the first line equals kind ("hufu/tally/v1") and the text: valid UTF-8, ends in \n, no CR, NUL or other control character,
 * no empty line, at most max_lines. */
MUST_CHECK enum err lines_begin(struct lines *l, const char *object, const char *kind, struct slice text, unsigned max_lines, struct fault *f);
/* Is the next line of that field? */
bool lines_next_is(const struct lines *l, const char *field);
/* Value of the next line, which must be of that field: ERR_PARSE says which field was found instead. */
MUST_CHECK enum err lines_get(struct lines *l, const char *field, struct slice *ret, struct fault *f);
MUST_CHECK enum err lines_time(struct lines *l, const char *field, int64_t *ret, struct fault *f);
MUST_CHECK enum err lines_u64(struct lines *l, const char *field, uint64_t max, uint64_t *ret, struct fault *f);
MUST_CHECK enum err lines_hex(struct lines *l, const char *field, uint8_t *ret, size_t n, struct fault *f); /* lower case only */
/* a-z, 0-9 and '-', starting with a letter, at most size-1. */
MUST_CHECK enum err lines_word(struct lines *l, const char *field, char *ret, size_t size, struct fault *f);
MUST_CHECK enum err lines_end(const struct lines *l, struct fault *f);
/* Splits at single spaces into exactly n parts (the last takes the rest when rest_last). */
bool slice_split(struct slice s, struct slice *ret, size_t n, bool rest_last);

#endif
