/*
 * The public search for a project, before log-in: people type part of a name, an old name, or leave characters out.
 * Ranks over title, aliases and name: the whole, a part, the characters in order with gaps, and at last a name with more
 * around it; within a rank the name with the fewest other characters is first. Width, case and spacing do not count:
 * both sides are folded to code points once, so the time is that of reading each name once.
 */
#include "common/policy/policy.h"

#include <string.h>

#define MAX_QUERY 600 /* bytes: 200 characters */
#define MAX_FOLDED MAX_QUERY
#define RANK_STEP 1000u

enum rank { RANK_WHOLE, RANK_PART, RANK_GAPS, RANK_AROUND, RANK_NONE };

struct folded {
	int32_t cp[MAX_FOLDED];
	size_t n;
};

/* Full-width forms (Unicode U+FF01-FF5E) are their ASCII ones, capitals small; -1: left out. */
static int32_t fold_one(int32_t cp)
{
	if (cp >= 0xff01 && cp <= 0xff5e)
		cp -= 0xff01 - 0x21;
	if (cp == ' ' || cp == '\t' || cp == 0x3000 || cp == 0xa0 || cp == 0x00b7)
		return -1;
	return cp >= 'A' && cp <= 'Z' ? cp - 'A' + 'a' : cp;
}

static void fold(const char *text, struct folded *ret)
{
	size_t n = strlen(text), i = 0;

	ret->n = 0;
	while (i < n && ret->n < MAX_FOLDED) {
		int32_t cp = fold_one(utf8_next((const uint8_t *)text, n, &i));

		if (cp >= 0)
			ret->cp[ret->n++] = cp;
	}
}

static bool part(const struct folded *needle, const struct folded *hay)
{
	for (size_t i = 0; i + needle->n <= hay->n; i++) {
		if (memcmp(needle->cp, hay->cp + i, needle->n * sizeof(needle->cp[0])) == 0)
			return true;
	}
	return false;
}

static bool in_order(const struct folded *needle, const struct folded *hay)
{
	size_t i = 0;

	for (size_t j = 0; j < hay->n && i < needle->n; j++)
		i += hay->cp[j] == needle->cp[i];
	return i == needle->n;
}

static enum rank rank_of(const struct folded *query, const struct folded *name)
{
	if (part(query, name))
		return query->n == name->n ? RANK_WHOLE : RANK_PART;
	if (in_order(query, name))
		return RANK_GAPS;
	return name->n > 1 && part(name, query) ? RANK_AROUND : RANK_NONE;
}

/* Smaller is better. */
static unsigned score(const struct folded *query, const char *text)
{
	struct folded name;
	enum rank rank;

	fold(text, &name);
	rank = rank_of(query, &name);
	return (unsigned)rank * RANK_STEP +
	       (unsigned)(name.n > query->n ? name.n - query->n : query->n - name.n) * (rank != RANK_NONE);
}

static unsigned project_score(const struct project *p, const struct folded *query)
{
	unsigned best = score(query, p->title.zh);
	const char *const names[] = {p->title.en, p->name};

	for (size_t i = 0; i < 2 + p->aliases.n; i++) {
		unsigned other = score(query, i < 2 ? names[i] : p->aliases.v[i - 2]);

		best = other < best ? other : best;
	}
	return best;
}

size_t policy_search(const struct policy *p, const char *query, const struct project **ret, size_t max)
{
	unsigned scores[POLICY_MAX_FILES] = {0};
	struct folded folded;
	size_t n = 0, len = strlen(query);

	if (len > MAX_QUERY || !utf8_valid(query, len))
		return 0;
	fold(query, &folded);
	for (size_t i = 0; i < p->n_projects; i++) {
		unsigned own = folded.n == 0 ? 0 : project_score(&p->projects[i], &folded);
		size_t at;

		if (own >= RANK_NONE * RANK_STEP)
			continue;
		/* Insertion into the best so far; of equals the earlier stays first. */
		for (at = n; at > 0 && scores[at - 1] > own; at--)
			;
		if (at == max)
			continue;
		n = n < max ? n + 1 : n;
		for (size_t k = n - 1; k > at; k--) {
			scores[k] = scores[k - 1];
			ret[k] = ret[k - 1];
		}
		scores[at] = own;
		ret[at] = &p->projects[i];
	}
	return n;
}
