/*
 * What the tests of common/pki share: hex, faults, and a walk over a folder of outside bytes.
 */
#ifndef HUFU_TEST_PKI_KIT_H
#define HUFU_TEST_PKI_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a hex text, spaces allowed. Gives: buf_done(). */
static inline struct buf unhex(const char *text)
{
	struct buf b = {0};
	char pair[2];
	size_t k = 0;
	for (; *text; text++) {
		uint8_t octet;
		if (*text == ' ')
			continue;
		pair[k++] = *text;
		if (k < 2)
			continue;
		assert_true(hex_decode(pair, 2, &octet, 1));
		buf_add(&b, &octet, 1);
		k = 0;
	}
	assert_int_equal(k, 0);
	return b;
}

/* A copy in memory of exactly that size, so that a sanitizer sees a byte read behind it. Gives: free(). */
static inline uint8_t *exact(const void *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

#define assert_ok(expr, f)                                                                                             \
	do {                                                                                                           \
		enum err e_ = (expr);                                                                                  \
		if (e_ != OK)                                                                                          \
			fail_msg("%s: %s", (f)->rule, (f)->text);                                                      \
	} while (0)

#define assert_refused(expr, kind_, rule_, f, label)                                                                   \
	do {                                                                                                           \
		*(f) = (struct fault){0};                                                                              \
		enum err e_ = (expr);                                                                                  \
		if (e_ != (kind_) || (f)->kind != (kind_) || strcmp((f)->rule, (rule_)) != 0)                          \
			fail_msg("%s: got %s %s \"%s\", wanted %s %s", (label), err_word(e_), (f)->rule, (f)->text,    \
				 err_word(kind_), (rule_));                                                            \
		assert_true((f)->where[0] && (f)->text[0]);                                                            \
	} while (0)

/* Calls fn with each file of $HUFU_CORPUS/kind; how many there were. 0 when the variable is not set, which is said. */
static inline size_t corpus_each(const char *kind, void (*fn)(struct slice bytes, void *arg), void *arg)
{
	const char *root = getenv("HUFU_CORPUS");
	char path[4096];
	size_t n = 0;
	if (!root) {
		print_message("SKIPPED: HUFU_CORPUS names no folder, corpus %s not read\n", kind);
		return 0;
	}
	snprintf(path, sizeof(path), "%s/%s", root, kind);
	DIR *dir = opendir(path);
	if (!dir)
		fail_msg("HUFU_CORPUS: no folder %s", path);
	for (struct dirent *e; (e = readdir(dir));) {
		struct buf b = {0};
		struct fault f = {0};
		if (e->d_name[0] == '.' || strcmp(e->d_name, "INDEX.tsv") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", root, kind, e->d_name);
		assert_ok(file_read(path, 1 << 20, &b, &f), &f);
		uint8_t *bytes = exact(b.data, b.len);
		fn(slice_of(bytes, b.len), arg);
		free(bytes);
		buf_done(&b);
		n++;
	}
	closedir(dir);
	assert_true(n > 0);
	return n;
}

#endif
