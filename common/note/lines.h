/*
 * "field: value" lines in one fixed order: how every note's text is written and read.
 */
#ifndef HUFU_NOTE_LINES_H
#define HUFU_NOTE_LINES_H

#include "common/note/note.h"

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
/* "none" (0) or a time. */
MUST_CHECK enum err lines_time_or_none(struct lines *l, const char *field, int64_t *ret, struct fault *f);
/* "none" or n bytes of hex. */
MUST_CHECK enum err lines_hex_or_none(struct lines *l, const char *field, bool *ret_has, uint8_t *ret, size_t n, struct fault *f);
/* For a value that is found wrong: ERR_PARSE field_value, with what was found (escaped) and what is wanted. For the line got last. */
enum err lines_bad(const struct lines *l, const char *field, struct slice found, const char *wanted, struct fault *f);
/* Exactly n bytes in lower-case hex, the one spelling that texts have. */
bool slice_hex(struct slice s, uint8_t *ret, size_t n);
/* The word alone, by the rule of lines_word. */
bool word_valid(struct slice s, size_t size);
MUST_CHECK enum err lines_end(const struct lines *l, struct fault *f);
/* Splits at single spaces into exactly n parts (the last takes the rest when rest_last). */
bool slice_split(struct slice s, struct slice *ret, size_t n, bool rest_last);

/* The last word on every text: what was read, written again, must be the same bytes. ERR_PARSE not_canonical. */
MUST_CHECK enum err lines_same(const char *object, struct slice text, const struct buf *again, struct fault *f);
void lines_put(struct buf *b, const char *field, const char *value);
void lines_put_u64(struct buf *b, const char *field, uint64_t v);
void lines_put_time(struct buf *b, const char *field, int64_t t);
void lines_put_hex(struct buf *b, const char *field, const uint8_t *p, size_t n);
void lines_put_hex_or_none(struct buf *b, const char *field, bool has, const uint8_t *p, size_t n);

/* What chains a roster or policy to the one before it. */
struct note_head {
	const uint8_t *ca;       /* 20 */
	uint64_t version;
	const uint8_t *previous; /* 32, or NULL */
	const uint8_t *sha256;   /* 32: of the text itself */
};
/* next is of that CA, one version on, and names now's text (now NULL: version 1 that names none). ERR_RULE, by the rule given. */
MUST_CHECK enum err note_head_follows(const char *object, const char *rule, const struct note_head *next, const struct note_head *now,
				      const uint8_t ca[20], struct fault *f);

#endif
