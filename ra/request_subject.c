/*
 * The subject as it shall be.
 *
 * Attributes keep their places; a value that is asked replaces the one that stands there, an empty value takes the
 * attribute away, and one that is not there yet goes where the profile's order wants it. What the profile takes from
 * another attribute (the common name from the organisation's name) follows it unless it is asked itself.
 */
#include "ra/request.h"

#include <assert.h>
#include <string.h>

struct wish {
	const struct attr_type *type;
	const char *value; /* borrowed; "" takes the attribute away */
	bool met;
};
struct wishes {
	struct wish v[NAME_MAX_ATTRS];
	size_t n;
};

static struct wish *wish_of(struct wishes *w, const struct attr_type *type)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->v[i].type == type)
			return &w->v[i];
	}
	return NULL;
}

static enum err add_wish(struct wishes *w, const struct attr_type *type, const char *value, struct fault *f)
{
	if (wish_of(w, type))
		return fault_raise(f, ERR_PARSE, "subject_twice", "params.subject", "attribute %s stands twice",
				   type->word);
	if (w->n == NAME_MAX_ATTRS)
		return fault_raise(f, ERR_LIMIT, "name_attributes", "params.subject", "more than %d attributes",
				   NAME_MAX_ATTRS);
	w->v[w->n++] = (struct wish){type, value, false};
	return OK;
}

static enum err read_wish(json_t *item, struct wishes *w, struct fault *f)
{
	const char *word, *value;
	char place[64];
	TRY(member_text(item, "params.subject", "attribute", true, 32, &word, f));
	const struct attr_type *type = attr_by_word(word, strlen(word));
	if (!type)
		return fault_raise(
			f, ERR_PARSE, "subject_attribute", "params.subject",
			"found attribute \"%s\", wanted one of C, ST, L, O, OU, CN, organizationIdentifier …",
			ESC(word, strlen(word)));
	snprintf(place, sizeof(place), "params.subject.%s", type->word);
	TRY(member_text(item, place, "value", true, NAME_MAX_VALUE, &value, f));
	if (value[0] != '\0')
		TRY(name_value_check(place, value, strlen(value), f));
	return add_wish(w, type, value, f);
}

/* Where the profile lists the attribute; after all of its own when it does not. */
static size_t rank_of(const struct profile *p, const struct attr_type *type)
{
	const struct profile_attr *attrs = p->subject.v;
	for (size_t i = 0; i < p->subject.n; i++) {
		if (attrs[i].type == type)
			return i;
	}
	return p->subject.n;
}

static const char *value_after(struct wishes *w, const struct name *before, const struct attr_type *type)
{
	const struct wish *wish = wish_of(w, type);
	return wish ? wish->value : name_get(before, type->word);
}

/* What follows another attribute is asked with it. */
static enum err follow_sources(struct wishes *w, const struct name *before, const struct profile *p, struct fault *f)
{
	const struct profile_attr *attrs = p->subject.v;
	for (size_t i = 0; i < p->subject.n; i++) {
		const struct profile_attr *a = &attrs[i];
		const struct attr_type *source =
			a->taken_from ? attr_by_word(a->taken_from, strlen(a->taken_from)) : NULL;
		if (!source || wish_of(w, a->type) || !wish_of(w, source))
			continue;
		const char *value = value_after(w, before, source);
		if (a->required || name_get(before, a->attribute))
			TRY(add_wish(w, a->type, value ? value : "", f));
	}
	return OK;
}

static enum err keep_places(struct wishes *w, const struct name *before, struct name *ret, struct fault *f)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct name_attr *a = &before->attrs[i];
		struct wish *wish = wish_of(w, a->type);
		const char *value = wish && !wish->met ? wish->value : a->value;
		if (wish)
			wish->met = true;
		if (value[0] != '\0')
			TRY(name_add(ret, a->type, value, strlen(value), f));
	}
	return OK;
}

/* Appends, then moves it in front of the first attribute that the profile lists after it. */
static enum err insert(const struct wish *wish, const struct profile *p, struct name *ret, struct fault *f)
{
	size_t at = 0;
	TRY(name_add(ret, wish->type, wish->value, strlen(wish->value), f));
	struct name_attr fresh = ret->attrs[ret->n - 1];
	while (at < ret->n - 1 && rank_of(p, ret->attrs[at].type) <= rank_of(p, wish->type))
		at++;
	memmove(&ret->attrs[at + 1], &ret->attrs[at], (ret->n - 1 - at) * sizeof(ret->attrs[0]));
	ret->attrs[at] = fresh;
	return OK;
}

enum err subject_apply(const struct name *before, const char *asked, const struct profile *p, struct name *ret,
		       struct fault *f)
{
	_cleanup_(json_freep) json_t *list = json_loads(asked, 0, NULL);
	_cleanup_(name_done) struct name after = {0};
	struct wishes w = {0};
	json_t *item;
	size_t i;
	assert(json_is_array(list));
	json_array_foreach(list, i, item) TRY(read_wish(item, &w, f));
	TRY(follow_sources(&w, before, p, f));
	TRY(keep_places(&w, before, &after, f));
	for (i = 0; i < w.n; i++) {
		if (!w.v[i].met && w.v[i].value[0] != '\0')
			TRY(insert(&w.v[i], p, &after, f));
	}
	*ret = after;
	after = (struct name){0};
	return OK;
}
