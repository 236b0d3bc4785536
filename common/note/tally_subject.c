/*
 * The subject as it was and as it shall be is one list of lines, like a diff: same, old, new. Two names have many
 * diffs, a tally has one: the alignment that keeps most attributes as they are, then pairs most attributes of one type
 * (old value, then new), found by the usual table over both lists, which are short. Whoever reads a tally with another
 * diff of the same names refuses it.
 */
#include "common/note/tally_field.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

/* One attribute kept outweighs all pairs that there can be. */
#define SAME_WEIGHT (NAME_MAX_ATTRS + 1)

static unsigned weight(const struct name_attr *a, const struct name_attr *b)
{
	if (a->type != b->type)
		return 0;
	return strcmp(a->value, b->value) == 0 ? SAME_WEIGHT : 1;
}

static void line_add(struct tally *t, enum subject_mark mark, const struct name_attr *a)
{
	t->subject[t->n_subject++] = (struct subject_line){mark, a->type, xstrdup(a->value)};
}

static void subject_clear(struct tally *t)
{
	for (size_t i = 0; i < t->n_subject; i++)
		free(t->subject[i].value);
	free(t->subject);
	t->subject = NULL;
	t->n_subject = 0;
}

enum err tally_set_subject(struct tally *t, const struct name *before, const struct name *after, struct fault *f)
{
	/* best[i][j]: weight of the best alignment of before's attributes from i on with after's from j on. */
	unsigned best[NAME_MAX_ATTRS + 1][NAME_MAX_ATTRS + 1] = {0};
	size_t i = 0, j = 0;

	if (after->n == 0)
		return fault_raise(f, ERR_PARSE, "subject_empty", "tally.subject",
				   "the subject to be has no attribute");
	for (size_t a = before->n; a-- > 0;) {
		for (size_t b = after->n; b-- > 0;) {
			unsigned w = weight(&before->attrs[a], &after->attrs[b]);
			unsigned skip = best[a + 1][b] > best[a][b + 1] ? best[a + 1][b] : best[a][b + 1];

			best[a][b] = w > 0 && w + best[a + 1][b + 1] >= skip ? w + best[a + 1][b + 1] : skip;
		}
	}
	subject_clear(t);
	t->subject = xcalloc(2 * NAME_MAX_ATTRS, sizeof(*t->subject));
	while (i < before->n || j < after->n) {
		bool both = i < before->n && j < after->n;
		unsigned w = both ? weight(&before->attrs[i], &after->attrs[j]) : 0;

		if (w > 0 && best[i][j] == w + best[i + 1][j + 1]) {
			line_add(t, w == SAME_WEIGHT ? SUBJECT_SAME : SUBJECT_OLD, &before->attrs[i++]);
			if (w != SAME_WEIGHT)
				line_add(t, SUBJECT_NEW, &after->attrs[j]);
			j++;
		} else if (j == after->n || (both && best[i][j] == best[i + 1][j])) {
			line_add(t, SUBJECT_OLD, &before->attrs[i++]);
		} else {
			line_add(t, SUBJECT_NEW, &after->attrs[j++]);
		}
	}
	return OK;
}

static enum err side(const struct tally *t, enum subject_mark other, struct name *ret, struct fault *f)
{
	_cleanup_(name_done) struct name n = {0};

	for (size_t i = 0; i < t->n_subject; i++) {
		const struct subject_line *s = &t->subject[i];

		if (s->mark != other)
			TRY(name_add(&n, s->type, s->value, strlen(s->value), f));
	}
	*ret = n;
	n = (struct name){0};
	return OK;
}

enum err tally_subject_before(const struct tally *t, struct name *ret, struct fault *f)
{
	return side(t, SUBJECT_NEW, ret, f);
}

enum err tally_subject_after(const struct tally *t, struct name *ret, struct fault *f)
{
	return side(t, SUBJECT_OLD, ret, f);
}

bool tally_subject_differs(const struct tally *t)
{
	for (size_t i = 0; i < t->n_subject; i++) {
		if (t->subject[i].mark != SUBJECT_SAME)
			return true;
	}
	return false;
}

static bool same_lines(const struct tally *a, const struct tally *b)
{
	if (a->n_subject != b->n_subject)
		return false;
	for (size_t i = 0; i < a->n_subject; i++) {
		const struct subject_line *x = &a->subject[i], *y = &b->subject[i];

		if (x->mark != y->mark || x->type != y->type || strcmp(x->value, y->value) != 0)
			return false;
	}
	return true;
}

enum err tally_subject_check(const struct tally *t, struct fault *f)
{
	_cleanup_(name_done) struct name before = {0}, after = {0};
	_cleanup_(tally_done) struct tally again = {0};

	if (t->n_subject == 0)
		return OK;
	TRY(tally_subject_after(t, &after, f));
	if (!tally_subject_differs(t))
		return OK;
	TRY(tally_subject_before(t, &before, f));
	if (before.n == 0 && t->kind == TALLY_CHANGE)
		return fault_raise(f, ERR_PARSE, "subject_empty", "tally.subject",
				   "the subject as it was has no attribute");
	TRY(tally_set_subject(&again, &before, &after, f));
	if (!same_lines(t, &again))
		return fault_raise(
			f, ERR_PARSE, "subject_difference", "tally.subject",
			"found lines in another form than the one difference of these two names (same attributes "
			"'=', an old value's '-' before its new value's '+')");
	return OK;
}
