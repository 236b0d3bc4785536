/*
 * Which difference of subjects a kind may make. What is kept is kept as it is, even where today's rules would refuse
 * it: old records are like that, and an extension is no occasion to judge them again. What is new obeys the profile:
 * listed, allowed by the way, of its pattern and length, checked, and repeated where one attribute is taken from
 * another.
 */
#include "common/policy/judge.h"

#include "common/base/cleanup.h"
#include "common/pki/identifier.h"
#include "common/policy/profile.h"

#include <regex.h>
#include <string.h>

#define ESC_STR(s) ESC((s), strlen(s))

static enum err before_judge(const struct tally *t, const struct facts *x, struct fault *f)
{
	_cleanup_(name_done) struct name before = {0};
	const struct name none = {0};
	const struct name *was =
		t->kind != TALLY_ENROL && x->has_predecessor && x->subject != NULL ? x->subject : &none;
	_cleanup_buf_ struct buf found = {0}, wanted = {0};

	TRY(tally_subject_before(t, &before, f));
	if (name_eq(&before, was))
		return OK;
	name_text(&before, &found);
	name_text(was, &wanted);
	return fault_raise(f, ERR_RULE, "subject_before", "tally.subject", "found \"%s\" as it was, wanted \"%s\"",
			   ESC_STR(buf_text(&found)), ESC_STR(buf_text(&wanted)));
}

/* The whole value: POSIX takes the longest match from the leftmost start. */
static bool pattern_matches(const char *pattern, const char *value)
{
	regmatch_t match;
	regex_t re;
	bool whole;

	if (regcomp(&re, pattern, REG_EXTENDED) != 0)
		return false;
	whole = regexec(&re, value, 1, &match, 0) == 0 && match.rm_so == 0 && (size_t)match.rm_eo == strlen(value);
	regfree(&re);
	return whole;
}

static int64_t count_chars(const char *value)
{
	int64_t n = 0;

	for (size_t i = 0, len = strlen(value); i < len; n++) {
		if (utf8_next((const uint8_t *)value, len, &i) < 0)
			return INT64_MAX;
	}
	return n;
}

static enum err identifier_judge(const struct profile_attr *a, const char *value, struct fault *f)
{
	size_t n = strlen(value);

	switch ((enum attr_check)a->check) {
	case CHECK_NONE:
		return OK;
	case CHECK_ORGANISATION_CODE:
		return orgcode_check("tally.subject", value, n, f);
	case CHECK_UNIFIED_CODE:
		return uscc_check("tally.subject", value, n, f);
	case CHECK_ORGANISATION_OR_UNIFIED:
		return org_identifier_check("tally.subject", value, n, f);
	}
	return OK;
}

static enum err new_value_judge(const struct profile_attr *a, const char *value, struct fault *f)
{
	int64_t chars = count_chars(value);

	if (chars < a->min_chars || chars > a->max_chars)
		return fault_raise(f, ERR_RULE, "subject_attribute", "tally.subject",
				   "%s: found \"%s\", wanted %lld to %lld characters", a->attribute, ESC_STR(value),
				   (long long)a->min_chars, (long long)a->max_chars);
	if (a->pattern != NULL && !pattern_matches(a->pattern, value))
		return fault_raise(f, ERR_RULE, "subject_attribute", "tally.subject",
				   "%s: found \"%s\", wanted the pattern %s", a->attribute, ESC_STR(value), a->pattern);
	return identifier_judge(a, value, f);
}

static bool way_changes(const struct policy_way *w, const struct profile_attr *a)
{
	for (size_t i = 0; i < w->attributes.n; i++) {
		if (strcmp(w->attributes.v[i], a->attribute) == 0)
			return true;
	}
	return w->attributes.n == 0;
}

/* One line that is not kept. */
static enum err line_judge(const struct tally *t, const struct subject_line *line, const struct verdict *v,
			   struct fault *f)
{
	const struct profile_attr *a = profile_attr(v->profile, line->type);

	if (a == NULL)
		return fault_raise(f, ERR_RULE, "subject_attribute", "tally.subject",
				   "found a difference in %s, which profile %s does not list", line->type->word,
				   v->profile->name);
	if (t->kind == TALLY_CHANGE && a->on_change != ATTR_MAY_CHANGE)
		return fault_raise(f, ERR_RULE, "subject_change", "tally.subject",
				   "found a difference in %s, which profile %s keeps", a->attribute, v->profile->name);
	if (t->kind == TALLY_CHANGE && !way_changes(v->way, a))
		return fault_raise(f, ERR_RULE, "subject_change", "tally.subject",
				   "found a difference in %s, which way %s does not change", a->attribute, v->way->way);
	return line->mark == SUBJECT_NEW ? new_value_judge(a, line->value, f) : OK;
}

static bool differs_in(const struct tally *t, const struct attr_type *type)
{
	for (size_t i = 0; i < t->n_subject; i++) {
		if (t->subject[i].type == type && t->subject[i].mark != SUBJECT_SAME)
			return true;
	}
	return false;
}

static size_t count_of(const struct name *n, const struct attr_type *type)
{
	size_t count = 0;

	for (size_t i = 0; i < n->n; i++)
		count += n->attrs[i].type == type;
	return count;
}

/* One attribute of the profile in the subject as it shall be. A subject that lacks what the profile requires stays so
 * only where nothing is asked to be new. */
static enum err result_judge(const struct tally *t, const struct profile *p, const struct profile_attr *a,
			     const struct name *after, struct fault *f)
{
	size_t count = count_of(after, a->type);
	const struct attr_type *source;

	if (a->required && count == 0)
		return fault_raise(f, ERR_RULE, "subject_attribute", "tally.subject",
				   "found no %s, which profile %s requires", a->attribute, p->name);
	if (count > 1 && differs_in(t, a->type))
		return fault_raise(f, ERR_RULE, "subject_attribute", "tally.subject",
				   "found %s %zu times, wanted it once", a->attribute, count);
	if (a->taken_from == NULL || count == 0)
		return OK;
	source = attr_by_word(a->taken_from, strlen(a->taken_from));
	if (!differs_in(t, a->type) && !differs_in(t, source))
		return OK;
	if (count_of(after, source) == 1 && strcmp(name_get(after, a->attribute), name_get(after, a->taken_from)) == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "subject_attribute", "tally.subject", "found %s \"%s\", wanted the value of %s",
			   a->attribute, ESC_STR(name_get(after, a->attribute)), a->taken_from);
}

/* An enrolment has no older order to keep. */
static enum err order_judge(const struct profile *p, const struct name *after, struct fault *f)
{
	const struct profile_attr *last = NULL;

	for (size_t i = 0; i < after->n; i++) {
		const struct profile_attr *a = profile_attr(p, after->attrs[i].type);

		if (last != NULL && a <= last)
			return fault_raise(f, ERR_RULE, "subject_attribute", "tally.subject",
					   "found %s after %s, wanted the order of profile %s", a->attribute,
					   last->attribute, p->name);
		last = a;
	}
	return OK;
}

static enum err difference_judge(const struct tally *t, const struct verdict *v, struct fault *f)
{
	_cleanup_(name_done) struct name after = {0};

	for (size_t i = 0; i < t->n_subject; i++) {
		if (t->subject[i].mark != SUBJECT_SAME)
			TRY(line_judge(t, &t->subject[i], v, f));
	}
	TRY(tally_subject_after(t, &after, f));
	for (size_t i = 0; i < v->profile->subject.n; i++)
		TRY(result_judge(t, v->profile, &attrs_of(v->profile)[i], &after, f));
	return t->kind == TALLY_ENROL ? order_judge(v->profile, &after, f) : OK;
}

static enum err kept_judge(const struct tally *t, struct fault *f)
{
	for (size_t i = 0; i < t->n_subject; i++) {
		if (t->subject[i].mark != SUBJECT_SAME)
			return fault_raise(f, ERR_RULE, "subject_change", "tally.subject",
					   "found a difference in %s, wanted none: kind %s keeps the subject",
					   t->subject[i].type->word, tally_kind_word(t->kind));
	}
	return OK;
}

static enum err change_judge(const struct tally *t, const struct verdict *v, struct fault *f)
{
	_cleanup_(name_done) struct name before = {0}, after = {0};

	TRY(tally_subject_before(t, &before, f));
	TRY(tally_subject_after(t, &after, f));
	if (name_eq(&before, &after))
		return fault_raise(f, ERR_RULE, "subject_empty_change", "tally.subject",
				   "found the subject as it was, wanted a difference");
	return difference_judge(t, v, f);
}

enum err judge_subject(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f)
{
	if (v->profile == NULL || !tally_kind_issues(t->kind))
		return OK;
	TRY(before_judge(t, x, f));
	if (t->kind == TALLY_CHANGE)
		return change_judge(t, v, f);
	return t->kind == TALLY_ENROL ? difference_judge(t, v, f) : kept_judge(t, f);
}
