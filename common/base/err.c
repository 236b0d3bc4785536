/*
 * Faults are filled in one place, so that truncation and the words on the wire are decided once.
 *
 * A fault is plain memory of a fixed size: raising one cannot fail, not even when memory is gone. Cuts fall on the
 * border of a UTF-8 sequence. Next: log.c, which prints faults.
 */
#include "common/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = {
	[OK] = "ok",
	[ERR_PARSE] = "parse",
	[ERR_LIMIT] = "limit",
	[ERR_RULE] = "rule",
	[ERR_DENIED] = "denied",
	[ERR_NOT_FOUND] = "not_found",
	[ERR_CONFLICT] = "conflict",
	[ERR_CRYPTO] = "crypto",
	[ERR_IO] = "io",
	[ERR_DB] = "db",
	[ERR_NET] = "net",
	[ERR_BUSY] = "busy",
	[ERR_CONFIG] = "config",
	[ERR_LOCKED] = "locked",
	[ERR_INTERNAL] = "internal",
};
#define N_WORDS (sizeof(words) / sizeof(words[0]))

/* Takes back a sequence that the cut at the end of text has split. */
static void trim_cut(char *text, size_t size)
{
	size_t n = strlen(text);
	if (n + 1 < size)
		return;
	size_t i = n;
	while (i > 0 && n - i < 3 && ((unsigned char)text[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0 || ((unsigned char)text[i - 1] & 0xc0) != 0xc0)
		return;
	unsigned char lead = (unsigned char)text[i - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (n - (i - 1) < want)
		text[i - 1] = '\0';
}

static void copy_cut(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text ? text : "");
	trim_cut(ret, size);
}

/* In brackets, since tools/analyze.h has a macro of that name. */
enum err(fault_raise)(struct fault *f, enum err kind, const char *rule, const char *where, const char *fmt, ...)
{
	assert(kind != OK);
	if (!f)
		return kind;
	/* Arguments may point into *f itself (a fault that is raised anew), so the new one is made beside. */
	struct fault made = {.kind = kind};
	copy_cut(made.rule, sizeof(made.rule), rule);
	copy_cut(made.where, sizeof(made.where), where);
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(made.text, sizeof(made.text), fmt, ap);
	va_end(ap);
	trim_cut(made.text, sizeof(made.text));
	*f = made;
	return kind;
}

void fault_prefix(struct fault *f, const char *fmt, ...)
{
	if (!f)
		return;
	char text[sizeof(f->text)];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	trim_cut(text, sizeof(text));
	size_t used = strlen(text);
	if (n >= 0 && (size_t)n == used) {
		snprintf(text + used, sizeof(text) - used, ": %.*s", (int)(sizeof(text) - used), f->text);
		trim_cut(text, sizeof(text));
	}
	memcpy(f->text, text, sizeof(text));
}

const char *err_word(enum err kind)
{
	return (size_t)kind < N_WORDS ? words[kind] : words[ERR_INTERNAL];
}

bool err_from_word(const char *word, enum err *ret_kind)
{
	for (size_t i = 0; i < N_WORDS; i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret_kind = (enum err)i;
			return true;
		}
	}
	return false;
}

bool err_is_public(enum err kind)
{
	switch (kind) {
	case OK:
	case ERR_PARSE:
	case ERR_LIMIT:
	case ERR_RULE:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_CRYPTO:
	case ERR_NET:
	case ERR_BUSY:
	case ERR_CONFIG:
	case ERR_LOCKED:
		return true;
	case ERR_IO:
	case ERR_DB:
	case ERR_INTERNAL:
		return false;
	}
	return false;
}
