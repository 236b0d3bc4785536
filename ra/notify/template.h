/*
 * What a gateway is sent: a body from the configuration with a message's words in their places.
 *
 * A template is taken apart when it is loaded, JSON into its tree and a form into its pairs, and the words are put into the
 * parts. So no word, whatever it holds, can end the string, member or field that it stands in.
 */
#ifndef HUFU_RA_NOTIFY_TEMPLATE_H
#define HUFU_RA_NOTIFY_TEMPLATE_H

#include "common/base/err.h"

#include <jansson.h>

#include "common/base/cleanup.h"

enum template_kind { TEMPLATE_JSON, TEMPLATE_FORM };
struct template_word {
	const char *name, *value;
};
struct template; /* not changed after it was read */
/* words: names that may stand as {name}, NULL-terminated. ERR_CONFIG template_json, template_form, template_word. Gives *ret: template_free(). */
MUST_CHECK enum err template_read(enum template_kind kind, const char *text, const char *const *words, struct template **ret,
				  struct fault *f);
void template_free(struct template *t);
static inline void template_freep(struct template **t) { template_free(*t); *t = NULL; }
/* Appends the body. words has every name that the template may hold. */
void template_put(const struct template *t, const struct template_word *words, size_t n, struct buf *ret);

/* Is each {name} in a text one of the words? For headers. */
MUST_CHECK enum err template_check(const char *text, const char *const *words, struct fault *f);
/* The text with the words in their places, as they are. */
void template_fill(const char *text, const struct template_word *words, size_t n, struct buf *ret);

#endif
