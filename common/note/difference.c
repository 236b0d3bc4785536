/*
 * Differences of what officers sign by quorum. Both texts are sorted, so both are walked once, side by side.
 */
#include "common/note/difference.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <string.h>

/* --- roster --- */

static void kinds_put(const struct member *m, struct buf *ret)
{
	const char *sep = "";
	if (m->all_kinds) {
		buf_char(ret, '*');
		return;
	}
	for (int k = 0; k < TALLY_KIND_N; k++) {
		if (!(m->kinds & (1u << k)))
			continue;
		buf_fmt(ret, "%s%s", sep, tally_kind_word((enum tally_kind)k));
		sep = ",";
	}
}

/* Role, key, projects and kinds: all that a member is but the name. */
static void member_put(const struct member *m, struct buf *ret)
{
	buf_fmt(ret, "%s ", role_word(m->role));
	buf_base64(ret, m->key, sizeof(m->key));
	buf_fmt(ret, " %s ", m->projects);
	kinds_put(m, ret);
}

static void member_line(const char *sign, const struct member *m, struct buf *ret)
{
	buf_fmt(ret, "%s %s: ", sign, m->name);
	member_put(m, ret);
	buf_char(ret, '\n');
}

static void member_change(const struct member *a, const struct member *b, struct buf *ret)
{
	_cleanup_buf_ struct buf was = {0}, is = {0};
	member_put(a, &was);
	member_put(b, &is);
	if (!slice_eq(buf_slice(&was), buf_slice(&is)))
		buf_fmt(ret, "~ %s: %s -> %s\n", a->name, buf_text(&was), buf_text(&is));
}

void roster_difference(const struct roster *now, const struct roster *next, struct buf *ret)
{
	static const struct roster none = {0};
	const struct roster *a = now ? now : &none;
	size_t i = 0, k = 0;
	if (a->quorum != next->quorum)
		buf_fmt(ret, "~ quorum: %llu -> %llu\n", (unsigned long long)a->quorum,
			(unsigned long long)next->quorum);
	while (i < a->n_members || k < next->n_members) {
		int cmp = i == a->n_members	 ? 1
			  : k == next->n_members ? -1
						 : strcmp(a->members[i].name, next->members[k].name);
		if (cmp < 0)
			member_line("-", &a->members[i++], ret);
		else if (cmp > 0)
			member_line("+", &next->members[k++], ret);
		else
			member_change(&a->members[i++], &next->members[k++], ret);
	}
}

/* --- policy --- */

static void file_line(const char *sign, const struct policy_file *x, struct buf *ret)
{
	buf_fmt(ret, "%s %s: ", sign, x->path);
	buf_hex(ret, x->sha256, sizeof(x->sha256));
	buf_char(ret, '\n');
}

static void file_change(const struct policy_file *a, const struct policy_file *b, struct buf *ret)
{
	if (memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0)
		return;
	buf_fmt(ret, "~ %s: ", a->path);
	buf_hex(ret, a->sha256, sizeof(a->sha256));
	buf_str(ret, " -> ");
	buf_hex(ret, b->sha256, sizeof(b->sha256));
	buf_char(ret, '\n');
}

void policy_note_difference(const struct policy_note *now, const struct policy_note *next, struct buf *ret)
{
	static const struct policy_note none = {0};
	const struct policy_note *a = now ? now : &none;
	size_t i = 0, k = 0;
	while (i < a->n_files || k < next->n_files) {
		int cmp = i == a->n_files ? 1 : k == next->n_files ? -1 : strcmp(a->files[i].path, next->files[k].path);
		if (cmp < 0)
			file_line("-", &a->files[i++], ret);
		else if (cmp > 0)
			file_line("+", &next->files[k++], ret);
		else
			file_change(&a->files[i++], &next->files[k++], ret);
	}
	if (now)
		buf_fmt(ret, "tallies made under the policy before count %s%s\n", next->until ? "until " : "no more",
			next->until ? UTC(next->until) : "");
}
