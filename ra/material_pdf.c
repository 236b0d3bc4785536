/*
 * PDF (ISO 32000-1): header at the first byte, startxref and %%EOF at the last, and no name that makes a viewer act.
 *
 * Names are looked for everywhere, in streams too: an attacker's table of objects may point into any byte. A name may be
 * written with #xx for its characters, so it is read as a viewer reads it. What an object stream holds is compressed and
 * would take decoding to look at, so such a file is refused; printing it to PDF again makes a plain one.
 */
#include "ra/material_form.h"

#include <string.h>

#define TRAILING_MAX 64u /* white space behind %%EOF */
#define NAME_MAX_BYTES 24u
#define WHERE "content"

static enum err bad(const char *text, struct fault *f)
{
	return fault_raise(f, ERR_RULE, "material_form", WHERE, "PDF: %s", text);
}

/* 7.2.2, table 1. */
static bool is_space(uint8_t c)
{
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' ';
}

static bool is_delimiter(uint8_t c)
{
	return c != 0 && strchr("()<>[]{}/%", c) != NULL;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* --- head and tail --- */

static enum err head(struct slice s, struct fault *f)
{
	if (s.n >= 9 && (s.p[5] == '1' || s.p[5] == '2') && s.p[6] == '.' && is_digit(s.p[7]) && is_space(s.p[8]))
		return OK;
	return bad("wanted \"%PDF-1.x\" or \"%PDF-2.x\" as its first line", f);
}

static size_t back_over_space(const uint8_t *p, size_t n)
{
	while (n > 0 && is_space(p[n - 1]))
		n--;
	return n;
}

static bool ends_with(const uint8_t *p, size_t n, const char *word)
{
	size_t m = strlen(word);
	return n >= m && memcmp(p + n - m, word, m) == 0;
}

/* "12 0 obj" or "xref" behind white space? */
static bool is_table(const uint8_t *p, size_t n)
{
	size_t i = 0, numbers = 0;
	while (i < n && is_space(p[i]))
		i++;
	if (n - i >= 4 && memcmp(p + i, "xref", 4) == 0)
		return true;
	for (; numbers < 2; numbers++) {
		size_t first = i;
		while (i < n && is_digit(p[i]))
			i++;
		if (i == first)
			return false;
		first = i;
		while (i < n && is_space(p[i]))
			i++;
		if (i == first)
			return false;
	}
	return n - i >= 3 && memcmp(p + i, "obj", 3) == 0;
}

/* 7.5.5: startxref, the table's offset, %%EOF. */
static enum err tail(struct slice s, struct fault *f)
{
	size_t n = back_over_space(s.p, s.n);
	if (!ends_with(s.p, n, "%%EOF"))
		return memmem(s.p, s.n, "%%EOF", 5)
			       ? fault_raise(f, ERR_RULE, "material_hidden", WHERE,
					     "PDF: found bytes behind its last %%%%EOF, wanted none")
			       : bad("no %%EOF: the file is cut short", f);
	if (s.n - n > TRAILING_MAX)
		return fault_raise(f, ERR_RULE, "material_hidden", WHERE,
				   "PDF: found %zu bytes of white space behind its end, wanted at most %u", s.n - n,
				   TRAILING_MAX);
	n = back_over_space(s.p, n - 5);
	size_t end = n;
	while (n > 0 && is_digit(s.p[n - 1]))
		n--;
	uint64_t offset = 0;
	if (!u64_parse((const char *)s.p + n, end - n, s.n, &offset) || offset >= s.n)
		return bad("no offset of its table before %%EOF, or one outside the file", f);
	if (!ends_with(s.p, back_over_space(s.p, n), "startxref"))
		return bad("no startxref before %%EOF", f);
	if (!is_table(s.p + offset, s.n - (size_t)offset))
		return bad("startxref names a byte where no table of objects begins", f);
	return OK;
}

/* --- names --- */

static int hex_digit(uint8_t c)
{
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The name behind the '/' at p, as 7.3.5 reads it; "" when it is longer than any that matters. */
static void read_name(const uint8_t *p, const uint8_t *end, char ret[NAME_MAX_BYTES + 1])
{
	size_t n = 0;
	ret[0] = '\0';
	while (p < end && !is_space(*p) && !is_delimiter(*p)) {
		uint8_t c = *p++;
		if (c == '#' && end - p >= 2 && hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0) {
			c = (uint8_t)(hex_digit(p[0]) << 4 | hex_digit(p[1]));
			p += 2;
		}
		if (n == NAME_MAX_BYTES || c == 0) {
			ret[0] = '\0';
			return;
		}
		ret[n++] = (char)c;
		ret[n] = '\0';
	}
}

static const char *what_acts(const char *name)
{
	static const struct {
		const char *name, *what;
	} acting[] = {
		{"JavaScript", "a script"},
		{"Launch", "an action that starts a program"},
		{"EmbeddedFile", "a file inside"},
		{"EmbeddedFiles", "files inside"},
		{"FileAttachment", "a file inside"},
		{"GoToE", "an action that opens a file inside"},
		{"GoToR", "an action that opens another file"},
		{"SubmitForm", "a form that sends"},
		{"ImportData", "a form that loads"},
		{"XFA", "a form that acts"},
		{"RichMedia", "a player"},
		{"Rendition", "a player"},
		{"Movie", "a player"},
		{"Sound", "a player"},
		{"Encrypt", "a password or usage rights"},
		{"ObjStm", "compressed objects, which can't be looked at (print it to PDF again)"},
	};
	for (size_t i = 0; i < sizeof(acting) / sizeof(acting[0]); i++) {
		if (strcmp(acting[i].name, name) == 0)
			return acting[i].what;
	}
	return NULL;
}

static enum err names(struct slice s, struct fault *f)
{
	const uint8_t *end = s.p + s.n;
	bool root = false;
	for (const uint8_t *p = s.p; (p = memchr(p, '/', (size_t)(end - p))); p++) {
		char name[NAME_MAX_BYTES + 1];
		read_name(p + 1, end, name);
		root = root || strcmp(name, "Root") == 0;
		const char *what = what_acts(name);
		if (what)
			return fault_raise(f, ERR_RULE, "material_active", WHERE,
					   "PDF: found /%s at byte %zu: %s; wanted pages and nothing that acts", name,
					   (size_t)(p - s.p), what);
	}
	return root ? OK : bad("no /Root: it has no pages", f);
}

enum err material_pdf(struct slice bytes, struct fault *f)
{
	TRY(head(bytes, f));
	TRY(tail(bytes, f));
	return names(bytes, f);
}
