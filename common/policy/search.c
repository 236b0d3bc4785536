/*
 * The public search for a project, before log-in: people type part of a name, an old name, or leave characters out.
 * Three ranks over title and aliases: the whole, a part, the characters in order with gaps; ASCII letters in either
 * case.
 */
#include "common/policy/policy.h"

#include "common/base/cleanup.h"

#include <string.h>

#define MAX_QUERY 200

enum rank { RANK_WHOLE, RANK_PART, RANK_GAPS, RANK_NONE };

static void fold(const char *s, struct buf *ret)
{
	for (; *s != '\0'; s++)
		buf_char(ret, *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s);
}

/* Code points of needle, white space left out, one after another in hay. */
static bool subsequence(struct slice needle, struct slice hay)
{
	size_t i = 0, j = 0;

	while (i < needle.n) {
		int32_t wanted = utf8_next(needle.p, needle.n, &i), found = -1;

		if (wanted == ' ' || wanted == 0x3000)
			continue;
		while (j < hay.n && found != wanted)
			found = utf8_next(hay.p, hay.n, &j);
		if (found != wanted)
			return false;
	}
	return true;
}

static enum rank rank_of(const struct buf *query, const char *name)
{
	_cleanup_buf_ struct buf folded = {0};

	fold(name, &folded);
	if (strcmp(buf_text(query), buf_text(&folded)) == 0)
		return RANK_WHOLE;
	if (strstr(buf_text(&folded), buf_text(query)) != NULL)
		return RANK_PART;
	return subsequence(buf_slice(query), buf_slice(&folded)) ? RANK_GAPS : RANK_NONE;
}

static enum rank project_rank(const struct project *p, const struct buf *query)
{
	enum rank best = rank_of(query, p->title.zh), other = rank_of(query, p->title.en);

	best = other < best ? other : best;
	other = rank_of(query, p->name);
	best = other < best ? other : best;
	for (size_t i = 0; i < p->aliases.n; i++) {
		other = rank_of(query, p->aliases.v[i]);
		best = other < best ? other : best;
	}
	return best;
}

size_t policy_search(const struct policy *p, const char *query, const struct project **ret, size_t max)
{
	_cleanup_buf_ struct buf folded = {0};
	size_t n = 0, len = strlen(query);

	if (len > MAX_QUERY || !utf8_valid(query, len))
		return 0;
	fold(query, &folded);
	for (enum rank rank = RANK_WHOLE; rank < RANK_NONE; rank++) {
		for (size_t i = 0; i < p->n_projects && n < max; i++) {
			if (project_rank(&p->projects[i], &folded) == rank)
				ret[n++] = &p->projects[i];
		}
	}
	return n;
}
