/*
 * The subject and keys of a profile: attributes known and listed once, references that exist, patterns that compile,
 * algorithms that there are.
 */
#include "common/policy/profile.h"

#include "common/base/cleanup.h"

#include <regex.h>
#include <string.h>

static enum err attribute_known(const struct yaml_doc *doc, const char *const *member, struct fault *f)
{
	const char *words[64];
	size_t n = attr_count() < 64 ? attr_count() : 64;

	for (size_t i = 0; i < n; i++)
		words[i] = attr_at(i)->word;
	return word_check(doc, member, words, n, "attribute_unknown", "attribute", f);
}

static enum err pattern_check(const struct profile *p, const struct profile_attr *a, struct fault *f)
{
	regex_t re;
	int bad = regcomp(&re, a->pattern, REG_EXTENDED | REG_NOSUB);
	char why[100];

	if (bad == 0) {
		regfree(&re);
		return OK;
	}
	regerror(bad, &re, why, sizeof(why));
	return yaml_fault(p->doc, &a->pattern, f, "pattern", "%s: found no POSIX extended regular expression: %s",
			  a->attribute, why);
}

static enum err attribute_check(const struct profile *p, struct profile_attr *a, struct fault *f)
{
	TRY(attribute_known(p->doc, &a->attribute, f));
	a->type = attr_by_word(a->attribute, strlen(a->attribute));
	for (struct profile_attr *b = attrs_of(p); b < a; b++) {
		if (b->type == a->type)
			return yaml_fault(p->doc, &a->attribute, f, "attribute_twice", "found attribute %s twice",
					  a->attribute);
	}
	if (a->max_chars == 0)
		a->max_chars = (int64_t)a->type->max_chars;
	if (a->max_chars > (int64_t)a->type->max_chars)
		return yaml_fault(p->doc, &a->max_chars, f, "attribute_chars",
				  "%s: found max_chars %lld, wanted at most %zu (RFC 5280 appendix A)", a->attribute,
				  (long long)a->max_chars, a->type->max_chars);
	if (a->min_chars > a->max_chars)
		return yaml_fault(p->doc, &a->min_chars, f, "attribute_chars",
				  "%s: found min_chars %lld, wanted at most max_chars, %lld", a->attribute,
				  (long long)a->min_chars, (long long)a->max_chars);
	return a->pattern != NULL ? pattern_check(p, a, f) : OK;
}

/* Words of the attributes that the subject lists; ret holds NAME_MAX_ATTRS. */
static size_t subject_words(const struct profile *p, const char **ret)
{
	for (size_t i = 0; i < p->subject.n; i++)
		ret[i] = attrs_of(p)[i].attribute;
	return p->subject.n;
}

static enum err taken_from_check(const struct profile *p, const struct profile_attr *a, struct fault *f)
{
	const char *words[NAME_MAX_ATTRS];
	size_t n = subject_words(p, words);

	if (a->taken_from == NULL)
		return OK;
	TRY(word_check(p->doc, &a->taken_from, words, n, "taken_from_unknown", "attribute", f));
	if (strcmp(a->taken_from, a->attribute) == 0)
		return yaml_fault(p->doc, &a->taken_from, f, "taken_from_self", "found %s taken from itself",
				  a->attribute);
	return OK;
}

enum err profile_check_subject(struct profile *p, struct fault *f)
{
	const char *words[NAME_MAX_ATTRS];

	for (size_t i = 0; i < p->subject.n; i++)
		TRY(attribute_check(p, &attrs_of(p)[i], f));
	for (size_t i = 0; i < p->subject.n; i++)
		TRY(taken_from_check(p, &attrs_of(p)[i], f));
	TRY(word_check(p->doc, &p->identifier, words, subject_words(p, words), "identifier_unknown", "attribute", f));
	/* An optional identifier would be a way around "one live line for each identifier". */
	if (!profile_attr(p, attr_by_word(p->identifier, strlen(p->identifier)))->required)
		return yaml_fault(p->doc, &p->identifier, f, "identifier_optional",
				  "found identifier %s, which the subject does not require", p->identifier);
	return OK;
}

static enum err algorithms_check(struct profile *p, struct fault *f)
{
	const char *words[KEY_ALG_N];

	for (unsigned i = 0; i < KEY_ALG_N; i++)
		words[i] = key_alg_word((enum key_alg)i);
	for (size_t i = 0; i < p->key_algorithms.n; i++) {
		enum key_alg alg;
		const char **at = &p->key_algorithms.v[i];

		TRY(word_check(p->doc, at, words, KEY_ALG_N, "algorithm_unknown", "algorithm", f));
		if (!key_alg_from_word(*at, &alg) || (p->key_algs >> alg & 1) != 0)
			return yaml_fault(p->doc, at, f, "algorithm_twice", "found algorithm %s twice", *at);
		p->key_algs |= UINT32_C(1) << alg;
	}
	if (p->key_algs == 0)
		return yaml_fault(p->doc, &p->key_algorithms, f, "algorithms_empty",
				  "found no algorithm, wanted at least one");
	return OK;
}

enum err profile_check_keys(struct profile *p, struct fault *f)
{
	const struct yaml_ints *l = &p->lengths_months;

	TRY(algorithms_check(p, f));
	if (p->rsa_min_bits > p->rsa_max_bits)
		return yaml_fault(p->doc, &p->rsa_min_bits, f, "rsa_bits",
				  "found rsa_min_bits %lld, wanted at most rsa_max_bits, %lld",
				  (long long)p->rsa_min_bits, (long long)p->rsa_max_bits);
	if (l->n == 0)
		return yaml_fault(p->doc, l, f, "lengths_empty", "found no length, wanted at least one");
	for (size_t i = 1; i < l->n; i++) {
		if (l->v[i] <= l->v[i - 1])
			return yaml_fault(p->doc, &l->v[i], f, "lengths_order",
					  "found %lld months after %lld, wanted rising lengths", (long long)l->v[i],
					  (long long)l->v[i - 1]);
	}
	return OK;
}
