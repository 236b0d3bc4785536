/*
 * What the lint files share. Private to common/policy.
 */
#ifndef HUFU_POLICY_LINT_H
#define HUFU_POLICY_LINT_H

#include "common/policy/profile.h"

struct lint {
	const struct policy *policy;
	struct buf *out;
	size_t n_errors;
};
/* One line, at the place where *member was written. */
void lint_say(struct lint *l, const struct yaml_doc *doc, const void *member, bool error, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
void profile_lint(struct lint *l, const struct profile *p);
/* The kinds and ways: lint_kind.c. */
void kinds_lint(struct lint *l, const struct profile *p);

#endif
