/*
 * The roster as text: read strictly, written in one form. A roster that could lock a CA out (a quorum larger than its
 * officers, a key that can never sign) or that blurs who is who (one key for two people) is refused here, as form. Who
 * signed what by it is in signers.c.
 */
#include "common/note/roster.h"

#include "common/base/cleanup.h"
#include "common/note/lines.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define HEAD_LINES 6
#define MAX_PROJECTS 64
#define EXPECTED_MAX 16
#define ALL_KINDS ((1u << TALLY_KIND_N) - 1)

static const char *const role_words[ROLE_N] = {
	[ROLE_OFFICER] = "officer",	[ROLE_RA] = "ra", [ROLE_CUSTODIAN] = "custodian", [ROLE_SIGNER] = "signer",
	[ROLE_RESPONDER] = "responder",
};

const char *role_word(enum role role)
{
	assert(role < ROLE_N);
	return role_words[role];
}

static void member_done(struct member *m)
{
	free(m->projects);
	known_ed25519_freep(&m->known);
}

void roster_done(struct roster *r)
{
	for (size_t i = 0; i < r->n_members; i++)
		member_done(&r->members[i]);
	free(r->members);
	*r = (struct roster){0};
}

/* The next part of a comma list; false at its end. */
static bool next_part(struct slice *rest, struct slice *ret)
{
	const uint8_t *comma;

	if (rest->p == NULL)
		return false;
	comma = rest->n > 0 ? memchr(rest->p, ',', rest->n) : NULL;
	if (comma == NULL) {
		*ret = *rest;
		*rest = slice_of(NULL, 0);
		return true;
	}
	*ret = slice_of(rest->p, (size_t)(comma - rest->p));
	*rest = slice_of(comma + 1, rest->n - ret->n - 1);
	return true;
}

/* Words in rising order, each once. */
static bool sorted_words(struct slice list, size_t max)
{
	struct slice part, last = {0};
	size_t n = 0;

	for (; next_part(&list, &part); n++) {
		size_t common = part.n < last.n ? part.n : last.n;
		int cmp = n > 0 ? memcmp(last.p, part.p, common) : -1;

		if (!word_valid(part, TALLY_WORD) || n == max || cmp > 0 || (cmp == 0 && last.n >= part.n))
			return false;
		last = part;
	}
	return true;
}

static bool kinds_parse(struct slice list, struct member *m)
{
	struct slice part;
	enum tally_kind kind;

	m->all_kinds = slice_eq(list, slice_str("*"));
	if (m->all_kinds) {
		m->kinds = ALL_KINDS;
		return true;
	}
	if (!sorted_words(list, TALLY_KIND_N))
		return false;
	while (next_part(&list, &part)) {
		if (!tally_kind_from_word((const char *)part.p, part.n, &kind))
			return false;
		m->kinds |= 1u << kind;
	}
	return true;
}

static bool role_parse(struct slice word, enum role *ret)
{
	for (size_t i = 0; i < ROLE_N; i++) {
		if (slice_eq(word, slice_str(role_words[i]))) {
			*ret = (enum role)i;
			return true;
		}
	}
	return false;
}

static bool key_parse(struct slice text, uint8_t ret[32])
{
	_cleanup_buf_ struct buf key = {0};

	if (text.n != 44 || !base64_decode((const char *)text.p, text.n, &key) || key.len != 32)
		return false;
	memcpy(ret, key.data, 32);
	return true;
}

static enum err member_parse(struct lines *l, struct member *m, struct fault *f)
{
	struct slice v, part[5];

	TRY(lines_get(l, "member", &v, f));
	if (!slice_split(v, part, 5, false))
		return lines_bad(l, "member", v, "role, name, key, projects and kinds with one space between", f);
	if (!role_parse(part[0], &m->role))
		return lines_bad(l, "member", part[0], "the role officer, ra, custodian, responder or signer", f);
	if (!word_valid(part[1], TALLY_WORD) || slice_eq(part[1], slice_str(NOTE_NEW_KEY)))
		return lines_bad(l, "member", part[1], "a name of a-z, 0-9 and '-', other than new-key", f);
	if (!key_parse(part[2], m->key))
		return lines_bad(l, "member", part[2], "the base64 of 32 bytes", f);
	if (m->role != ROLE_RESPONDER && crypto_core_ed25519_is_valid_point(m->key) != 1)
		return lines_bad(l, "member", part[2], "an Ed25519 key: a point of the main subgroup (RFC 8032)", f);
	if (!slice_eq(part[3], slice_str("*")) && !sorted_words(part[3], MAX_PROJECTS))
		return lines_bad(l, "member", part[3], "'*', or projects, sorted, with commas", f);
	if (!kinds_parse(part[4], m))
		return lines_bad(l, "member", part[4], "'*', or kinds of tallies, sorted, with commas", f);
	memcpy(m->name, part[1].p, part[1].n);
	m->projects = slice_dup_str(part[3]);
	return OK;
}

static enum err members_parse(struct lines *l, struct roster *r, struct fault *f)
{
	r->members = xcalloc(ROSTER_MAX_MEMBERS, sizeof(*r->members));
	do {
		struct member *m = &r->members[r->n_members];

		if (r->n_members == ROSTER_MAX_MEMBERS)
			return fault_raise(f, ERR_LIMIT, "roster_members", "roster.member",
					   "found more than %d members", ROSTER_MAX_MEMBERS);
		TRY(member_parse(l, m, f));
		r->n_members++;
		if (r->n_members > 1 && strcmp(m[-1].name, m->name) >= 0)
			return lines_bad(l, "member", slice_str(m->name), "members sorted by name, each name once", f);
		for (const struct member *o = r->members; o < m; o++) {
			if (memcmp(o->key, m->key, 32) == 0)
				return fault_raise(f, ERR_PARSE, "roster_key_twice", "roster.member",
						   "\"%s\" and \"%s\" have one key, wanted a key for each", o->name,
						   m->name);
		}
	} while (lines_next_is(l, "member"));
	return OK;
}

static enum err quorum_check(const struct roster *r, struct fault *f)
{
	size_t officers = 0;

	for (size_t i = 0; i < r->n_members; i++)
		officers += r->members[i].role == ROLE_OFFICER;
	if (r->quorum >= 2 && r->quorum <= officers)
		return OK;
	return fault_raise(f, ERR_PARSE, "roster_quorum", "roster.quorum",
			   "found %llu, wanted at least 2 and at most the number of officers, %zu",
			   (unsigned long long)r->quorum, officers);
}

static enum err body_parse(struct lines *l, struct roster *r, struct fault *f)
{
	TRY(lines_hex(l, "ca", r->ca, sizeof(r->ca), f));
	TRY(lines_u64(l, "version", UINT32_MAX, &r->version, f));
	TRY(lines_hex_or_none(l, "previous", &r->has_previous, r->previous, sizeof(r->previous), f));
	TRY(lines_u64(l, "quorum", ROSTER_MAX_MEMBERS, &r->quorum, f));
	TRY(lines_time(l, "made", &r->made, f));
	TRY(members_parse(l, r, f));
	TRY(lines_end(l, f));
	return quorum_check(r, f);
}

enum err roster_parse(struct slice text, struct roster *ret, struct fault *f)
{
	_cleanup_(roster_done) struct roster r = {0};
	_cleanup_buf_ struct buf again = {0};
	struct lines l;

	TRY(lines_begin(&l, "roster", ROSTER_KIND_LINE, text, HEAD_LINES + ROSTER_MAX_MEMBERS, f));
	TRY(body_parse(&l, &r, f));
	roster_put(&r, &again);
	TRY(lines_same("roster", text, &again, f));
	sha256(text.p, text.n, r.sha256);
	*ret = r;
	r = (struct roster){0};
	return OK;
}

static int word_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void kinds_put(const struct member *m, struct buf *ret)
{
	const char *words[TALLY_KIND_N];
	size_t n = 0;

	if (m->all_kinds) {
		buf_char(ret, '*');
		return;
	}
	for (unsigned i = 0; i < TALLY_KIND_N; i++) {
		if (m->kinds & (1u << i))
			words[n++] = tally_kind_word((enum tally_kind)i);
	}
	qsort(words, n, sizeof(words[0]), word_cmp);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_char(ret, ',');
		buf_str(ret, words[i]);
	}
}

void roster_put(const struct roster *r, struct buf *ret)
{
	buf_str(ret, ROSTER_KIND_LINE "\n");
	lines_put_hex(ret, "ca", r->ca, sizeof(r->ca));
	lines_put_u64(ret, "version", r->version);
	lines_put_hex_or_none(ret, "previous", r->has_previous, r->previous, sizeof(r->previous));
	lines_put_u64(ret, "quorum", r->quorum);
	lines_put_time(ret, "made", r->made);
	for (size_t i = 0; i < r->n_members; i++) {
		const struct member *m = &r->members[i];

		buf_fmt(ret, "member: %s %s ", role_word(m->role), m->name);
		buf_base64(ret, m->key, sizeof(m->key));
		buf_fmt(ret, " %s ", m->projects);
		kinds_put(m, ret);
		buf_char(ret, '\n');
	}
}

void roster_expect(struct roster *r)
{
	static const enum role roles[] = {ROLE_RA, ROLE_OFFICER};
	size_t n = 0;

	for (size_t k = 0; k < sizeof(roles) / sizeof(roles[0]); k++) {
		for (size_t i = 0; i < r->n_members && n < EXPECTED_MAX; i++) {
			struct member *m = &r->members[i];

			if (m->role != roles[k] || m->known)
				continue;
			m->known = known_ed25519_new(m->key);
			n++;
		}
	}
}

const struct member *roster_by_name(const struct roster *r, const char *name)
{
	for (size_t i = 0; i < r->n_members; i++) {
		if (strcmp(r->members[i].name, name) == 0)
			return &r->members[i];
	}
	return NULL;
}

static bool covers_project(const struct member *m, const char *project)
{
	struct slice list = slice_str(m->projects), part;

	if (strcmp(m->projects, "*") == 0)
		return true;
	while (next_part(&list, &part)) {
		if (slice_eq(part, slice_str(project)))
			return true;
	}
	return false;
}

bool member_may(const struct member *m, const char *project, enum tally_kind kind)
{
	assert(kind < TALLY_KIND_N);
	return (m->all_kinds || (m->kinds & (1u << kind)) != 0) && covers_project(m, project);
}

enum err roster_follows(const struct roster *next, const struct roster *now, const uint8_t ca[20], struct fault *f)
{
	const struct note_head head = {next->ca, next->version, next->has_previous ? next->previous : NULL,
				       next->sha256};
	struct note_head before;

	if (now == NULL)
		return note_head_follows("roster", "roster_sequence", &head, NULL, ca, f);
	before = (struct note_head){now->ca, now->version, now->has_previous ? now->previous : NULL, now->sha256};
	return note_head_follows("roster", "roster_sequence", &head, &before, ca, f);
}
