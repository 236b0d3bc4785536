/*
 * The shipped bundle in memory, and edits of it: for the tests of common/policy. Included first: it brings cmocka.
 */
#ifndef HUFU_TEST_POLICY_KIT_H
#define HUFU_TEST_POLICY_KIT_H

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/statement.h"
#include "common/policy/policy.h"
#include "common/policy/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PROFILE "profiles/organisation.yaml"
#define PROJECT "projects/jinhua.yaml"
static const struct slice no_note;

struct bundle {
	struct policy_source *files;
	size_t n;
};
static inline void bundle_done(struct bundle *b)
{
	policy_sources_done(b->files, b->n);
}
static inline struct bundle shipped(void)
{
	struct bundle b = {0};
	struct fault f = {0};

	if (policy_read_dir(POLICIES_DIR, &b.files, &b.n, &f) != OK)
		fail_msg("%s", f.text);
	return b;
}
static inline struct policy_source *file_of(const struct bundle *b, const char *path)
{
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->files[i].path, path) == 0)
			return &b->files[i];
	}
	fail_msg("no %s", path);
	return NULL;
}
static inline void set_text(struct policy_source *s, const char *text)
{
	buf_clear(&s->bytes);
	buf_str(&s->bytes, text);
}
/* The first place of `find` becomes `put`. */
static inline void edit(struct policy_source *s, const char *find, const char *put)
{
	_cleanup_buf_ struct buf b = {0};
	const char *text = buf_text(&s->bytes), *at = strstr(text, find);

	if (at == NULL)
		fail_msg("%s has no \"%s\"", s->path, find);
	buf_add(&b, text, (size_t)(at - text));
	buf_str(&b, put);
	buf_str(&b, at + strlen(find));
	set_text(s, buf_text(&b));
}

/* A line that begins with wants and has the rule as its third word. */
static inline bool has_line(const char *out, const char *wants, const char *rule)
{
	for (const char *line = out; *line != '\0'; line = strchr(line, '\n') + 1) {
		const char *place = strchr(line, ' ') + 1, *word = strchr(place, ' ') + 1;

		if (strncmp(line, wants, strlen(wants)) == 0 && strncmp(word, rule, strlen(rule)) == 0 &&
		    word[strlen(rule)] == ' ')
			return true;
	}
	return false;
}

#endif
