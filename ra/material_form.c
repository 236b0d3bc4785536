/*
 * Which of the three a file is, and what is looked for in all of them: another file. An archive is found from its end
 * (zip), a script by its tag, a PDF by a header that viewers accept anywhere in the first kilobyte.
 */
#include "ra/material_form.h"

#include <string.h>
#include <strings.h>

#define WHERE "content"
#define ZIP_END 22u /* APPNOTE 4.3.16: end of central directory, without its comment */
#define ZIP_TAIL (ZIP_END + 65535u)
#define PDF_HEAD 1024u

enum err material_pixels(uint32_t width, uint32_t height, struct fault *f)
{
	if (width > 0 && height > 0 && width <= MATERIAL_SIDE_MAX && height <= MATERIAL_SIDE_MAX &&
	    (uint64_t)width * height <= MATERIAL_PIXELS_MAX)
		return OK;
	return fault_raise(f, ERR_RULE, "material_pixels", WHERE,
			   "found %u by %u pixels, wanted sides of 1 to %u and at most %u million in all", width,
			   height, MATERIAL_SIDE_MAX, MATERIAL_PIXELS_MAX / 1000000u);
}

static enum err hidden(const char *what, size_t at, struct fault *f)
{
	return fault_raise(f, ERR_RULE, "material_hidden", WHERE,
			   "found %s at byte %zu, wanted one file and nothing in it", what, at);
}

/* The end record names one disk, as many entries here as in all, and a comment that fits: random bytes do not. */
static bool is_zip_end(const uint8_t *p, size_t n)
{
	return memcmp(p, "PK\5\6\0\0\0\0", 8) == 0 && memcmp(p + 8, p + 10, 2) == 0 &&
	       (size_t)(p[20] | p[21] << 8) <= n - ZIP_END;
}

static enum err no_zip(struct slice s, struct fault *f)
{
	size_t at = s.n > ZIP_TAIL ? s.n - ZIP_TAIL : 0;
	for (; at + ZIP_END <= s.n; at++) {
		const uint8_t *p = memchr(s.p + at, 'P', s.n - ZIP_END + 1 - at);
		if (!p)
			return OK;
		at = (size_t)(p - s.p);
		if (is_zip_end(p, s.n - at))
			return hidden("a zip archive", at, f);
	}
	return OK;
}

static enum err no_tag(struct slice s, struct fault *f)
{
	static const char *const tags[] = {"<script", "<!doctype", "<?php "};
	const uint8_t *end = s.p + s.n;
	for (const uint8_t *p = s.p; (p = memchr(p, '<', (size_t)(end - p))); p++) {
		for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
			size_t n = strlen(tags[i]);
			if ((size_t)(end - p) >= n && strncasecmp((const char *)p, tags[i], n) == 0)
				return hidden("a page or script", (size_t)(p - s.p), f);
		}
	}
	return OK;
}

static enum err no_word(struct slice s, const char *word, size_t n, const char *what, struct fault *f)
{
	const uint8_t *p = memmem(s.p, s.n, word, n);
	return p ? hidden(what, (size_t)(p - s.p), f) : OK;
}

static enum err nothing_else(struct slice s, bool is_pdf, struct fault *f)
{
	if (!is_pdf)
		TRY(no_word(slice_of(s.p, s.n < PDF_HEAD ? s.n : PDF_HEAD), "%PDF-", 5, "a PDF", f));
	TRY(no_word(s, "Rar!\x1a\x07", 6, "a RAR archive", f));
	TRY(no_word(s, "__HALT_COMPILER", 15, "a PHP archive", f));
	TRY(no_tag(s, f));
	return no_zip(s, f);
}

enum err material_form(struct slice bytes, const char **ret_type, struct fault *f)
{
	/* PDF 7.5.2 (ISO 32000-1), JPEG SOI (T.81 B.1.1.3), PNG signature (ISO 15948 5.2). */
	static const struct {
		const char *type, *magic;
		size_t n;
		enum err (*check)(struct slice bytes, struct fault *f);
	} types[] = {{"pdf", "%PDF-", 5, material_pdf},
		     {"jpeg", "\xff\xd8\xff", 3, material_jpeg},
		     {"png", "\x89PNG\r\n\x1a\n", 8, material_png}};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (bytes.n < types[i].n || memcmp(bytes.p, types[i].magic, types[i].n) != 0)
			continue;
		TRY(types[i].check(bytes, f));
		TRY(nothing_else(bytes, types[i].check == material_pdf, f));
		*ret_type = types[i].type;
		return OK;
	}
	return fault_raise(f, ERR_RULE, "material_type", WHERE,
			   "found bytes that begin with \"%s\", wanted a PDF, JPEG or PNG file",
			   ESC(bytes.p, bytes.n < 8 ? bytes.n : 8));
}
