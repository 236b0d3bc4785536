/*
 * Static faults of meaning in a bundle that loads: what a reviewer would find by reading all its files together. An
 * error is something that would be refused at issue, or that a relying party would refuse; a warning is something that
 * a bundle may want, seldom. The checks of one profile are in lint_profile.c.
 */
#include "common/policy/lint.h"

#include "common/base/cleanup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void lint_say(struct lint *l, const struct yaml_doc *doc, const void *member, bool error, const char *rule,
	      const char *fmt, ...)
{
	char text[sizeof(((struct fault *)0)->text)];
	struct fault f = {0};
	const char *colon, *sp;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* "path:line:column: text": the rule goes in between. */
	(void)(yaml_fault(doc, member, &f, rule, "%s", text) == OK);
	colon = strstr(f.text, ": ");
	sp = colon != NULL ? colon + 2 : f.text;
	buf_fmt(l->out, "%s %.*s %s %s\n", error ? "error" : "warning", colon != NULL ? (int)(colon - f.text) : 0,
		f.text, rule, sp);
	l->n_errors += error;
}

static void service_lint(struct lint *l, const struct project *p, const struct service_def *s)
{
	const struct profile *profile = policy_profile(l->policy, s->profile);
	bool offered = false;

	if (!project_has_profile(p, s->profile))
		lint_say(l, p->doc, &s->profile, true, "service_profile",
			 "service %s: found profile \"%s\", which the project does not list", s->name, s->profile);
	if (profile == NULL)
		return;
	for (size_t i = 0; i < profile->lengths_months.n; i++)
		offered = offered || profile->lengths_months.v[i] <= s->order_months;
	if (!offered)
		lint_say(l, p->doc, &s->order_months, true, "service_order",
			 "service %s: found order_months %lld, less than every length of profile %s: no paid order "
			 "could extend anything",
			 s->name, (long long)s->order_months, s->profile);
}

static bool answers_to(const struct project *p, const char *name)
{
	if (strcmp(p->title.zh, name) == 0 || strcmp(p->title.en, name) == 0)
		return true;
	for (size_t i = 0; i < p->aliases.n; i++) {
		if (strcmp(p->aliases.v[i], name) == 0)
			return true;
	}
	return false;
}

/* People choose a project by these names. */
static void names_lint(struct lint *l, const struct project *p)
{
	for (const struct project *q = l->policy->projects; q < p; q++) {
		if (answers_to(q, p->title.zh) || answers_to(q, p->title.en))
			lint_say(l, p->doc, &p->title, false, "alias_twice", "projects %s and %s answer to one title",
				 q->name, p->name);
		for (size_t i = 0; i < p->aliases.n; i++) {
			if (answers_to(q, p->aliases.v[i]))
				lint_say(l, p->doc, &p->aliases.v[i], false, "alias_twice",
					 "projects %s and %s answer to one name", q->name, p->name);
		}
	}
}

static void project_lint(struct lint *l, const struct project *p)
{
	for (size_t i = 0; i < p->profiles.n; i++) {
		if (policy_profile(l->policy, p->profiles.v[i]) == NULL)
			lint_say(l, p->doc, &p->profiles.v[i], true, "profile_unknown",
				 "found profile \"%s\", which the bundle does not have", p->profiles.v[i]);
	}
	for (size_t i = 0; i < p->services.n; i++)
		service_lint(l, p, &services_of(p)[i]);
	names_lint(l, p);
	if (strcmp(p->first_login_proof, "none") == 0)
		lint_say(l, p->doc, &p->first_login_proof, false, "first_login_open",
			 "found none: whoever reads the published password can log in first");
}

static bool profile_used(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_projects; i++) {
		if (project_has_profile(&p->projects[i], name))
			return true;
	}
	return false;
}

size_t policy_lint(const struct policy *p, struct buf *ret)
{
	struct lint l = {.policy = p, .out = ret};

	for (size_t i = 0; i < p->n_profiles; i++) {
		profile_lint(&l, &p->profiles[i]);
		if (!profile_used(p, p->profiles[i].name))
			lint_say(&l, p->profiles[i].doc, &p->profiles[i].name, false, "profile_unused",
				 "no project takes profile %s", p->profiles[i].name);
	}
	for (size_t i = 0; i < p->n_projects; i++)
		project_lint(&l, &p->projects[i]);
	return l.n_errors;
}

/* A file that does not load, as a lint line. The fault's text begins with its place. */
static void load_say(const struct fault *f, const char *path, struct buf *ret)
{
	const char *colon = strstr(f->text, ": ");
	bool placed = colon != NULL && strncmp(f->text, path, strlen(path)) == 0;

	if (placed)
		buf_fmt(ret, "error %.*s %s %s\n", (int)(colon - f->text), f->text, f->rule, colon + 2);
	else
		buf_fmt(ret, "error %s %s %s\n", path, f->rule, f->text);
}

size_t policy_check(const struct policy_source *files, size_t n, struct buf *ret)
{
	_cleanup_(policy_freep) struct policy *all = NULL;
	const struct slice no_note = {0};
	struct fault f = {0};
	size_t n_errors = 0;

	for (size_t i = 0; i < n; i++) {
		_cleanup_(policy_freep) struct policy *one = NULL;

		if (policy_load(no_note, &files[i], 1, &one, &f) == OK)
			continue;
		load_say(&f, files[i].path, ret);
		n_errors++;
	}
	if (n_errors > 0)
		return n_errors;
	if (policy_load(no_note, files, n, &all, &f) != OK) {
		load_say(&f, "bundle", ret);
		return 1;
	}
	return policy_lint(all, ret);
}
