/*
 * Lint of the kinds and ways of a profile: against the floors, against the fields that the tallies of a kind have, and
 * against what a way says elsewhere.
 */
#include "common/policy/judge.h"
#include "common/policy/lint.h"

#include <string.h>

struct way_at {
	const struct profile *p;
	enum tally_kind kind;
	const struct policy_way *w;
};

static void floors_lint(struct lint *l, const struct way_at *at)
{
	const struct floor *floor = floor_of(at->kind);
	const struct policy_way *w = at->w;
	unsigned least = w->new_key_allowed && !w->same_key_allowed ? floor->officers_new : floor->officers_same;

	if (w->new_key_allowed && w->same_key_allowed && floor->officers_new > least)
		least = floor->officers_new;
	if (floor->either && (w->proof & PROOF_CURRENT) != 0)
		least = 0;
	if (w->officers < (int64_t)least)
		lint_say(l, at->p->doc, &w->officers, true, "officers_floor",
			 "%s %s: found %lld officers, below the floor of %u", tally_kind_word(at->kind), w->way,
			 (long long)w->officers, least);
	if ((w->proof & PROOF_CURRENT) != 0 && at->kind == TALLY_ENROL)
		lint_say(l, at->p->doc, &w->proof, true, "proof_current",
			 "enrol %s: found proof by the current key, which an enrolment does not have", w->way);
}

/* Members that only tallies for a certificate have. */
static void papers_lint(struct lint *l, const struct way_at *at)
{
	const struct policy_way *w = at->w;

	if (tally_kind_issues(at->kind))
		return;
	if (w->materials.all_of.n > 0 || w->materials.any_of.n > 0 || w->notice != NULL || w->order != WAY_ORDER_NONE ||
	    w->asks_files || w->new_key_allowed || w->same_key_allowed || w->fate != FATE_KEEP)
		lint_say(l, at->p->doc, w, true, "way_member",
			 "%s %s: found a key, material, notice, order, question or fate, which tallies of this kind do "
			 "not have",
			 tally_kind_word(at->kind), w->way);
}

/* Nobody reads the checks of a way that no officer signs. */
static void checks_lint(struct lint *l, const struct way_at *at)
{
	const struct policy_way *w = at->w;

	if (w->checks.n > 0 && w->officers == 0)
		lint_say(l, at->p->doc, &w->checks, true, "checks_unread",
			 "%s %s: found checks, and no officer looks at a request of this way",
			 tally_kind_word(at->kind), w->way);
}

static void key_lint(struct lint *l, const struct way_at *at)
{
	const struct policy_way *w = at->w;
	bool must_new = at->kind == TALLY_ENROL || at->kind == TALLY_REISSUE;

	if (!tally_kind_issues(at->kind))
		return;
	if (!w->new_key_allowed && !w->same_key_allowed)
		lint_say(l, at->p->doc, w, true, "way_key", "%s %s: found neither new_key_allowed nor same_key_allowed",
			 tally_kind_word(at->kind), w->way);
	if (must_new && w->same_key_allowed)
		lint_say(l, at->p->doc, &w->same_key_allowed, true, "way_key",
			 "%s %s: found same_key_allowed, this kind always has a new key", tally_kind_word(at->kind),
			 w->way);
	if (w->same_key_allowed && at->p->renewal_times == 0)
		lint_say(l, at->p->doc, &w->same_key_allowed, true, "way_key",
			 "%s %s: found same_key_allowed, while renewal_times is 0", tally_kind_word(at->kind), w->way);
	if (w->new_key_allowed && !w->asks_files && !(at->kind == TALLY_ENROL))
		lint_say(l, at->p->doc, w, false, "files_unasked",
			 "%s %s: a new key does not open files encrypted for the old one, and asks_files is false",
			 tally_kind_word(at->kind), w->way);
}

static void fate_lint(struct lint *l, const struct way_at *at)
{
	const struct policy_way *w = at->w;
	bool lost = at->kind == TALLY_REISSUE && strcmp(w->way, "lost") == 0;
	bool compromise = w->reason != NULL && strcmp(w->reason, "keyCompromise") == 0;

	if (compromise && w->grace_days > 0)
		lint_say(l, at->p->doc, &w->grace_days, true, "key_compromise_grace",
			 "%s %s: found grace_days %lld after keyCompromise, wanted none", tally_kind_word(at->kind),
			 w->way, (long long)w->grace_days);
	if (w->fate == FATE_KEEP && w->grace_days > 0)
		lint_say(l, at->p->doc, &w->grace_days, true, "grace_fate",
			 "%s %s: found grace_days without fate: revoke", tally_kind_word(at->kind), w->way);
	if (at->kind == TALLY_REISSUE && w->fate == FATE_KEEP)
		lint_say(l, at->p->doc, w, true, "reissue_fate",
			 "reissue %s: found fate: keep, a reissue always revokes", w->way);
	if (lost && w->reason != NULL && !compromise)
		lint_say(l, at->p->doc, &w->reason, true, "lost_reason",
			 "reissue lost: found reason %s, wanted keyCompromise", w->reason);
	if (at->kind == TALLY_REISSUE && !lost && w->reason != NULL && !compromise &&
	    strcmp(w->reason, "superseded") != 0)
		lint_say(l, at->p->doc, &w->reason, true, "reissue_reason",
			 "reissue %s: found reason %s, wanted keyCompromise or superseded", w->way, w->reason);
	if (at->kind == TALLY_ENROL && w->fate == FATE_REVOKE)
		lint_say(l, at->p->doc, w, true, "enrol_fate",
			 "enrol %s: found fate: revoke, an enrolment follows no certificate", w->way);
}

static void changes_lint(struct lint *l, const struct way_at *at)
{
	const struct profile *p = at->p;
	const struct policy_way *w = at->w;
	size_t n = 0;

	if (at->kind != TALLY_CHANGE) {
		if (w->extension_allowed)
			lint_say(l, p->doc, &w->extension_allowed, true, "way_member",
				 "%s %s: only a change carries an extension", tally_kind_word(at->kind), w->way);
		if (w->extension_early)
			lint_say(l, p->doc, &w->extension_early, true, "way_member",
				 "%s %s: only a change's extension may be early", tally_kind_word(at->kind), w->way);
		if (w->attributes.n > 0)
			lint_say(l, p->doc, &w->attributes, true, "way_member", "%s %s: only a change has attributes",
				 tally_kind_word(at->kind), w->way);
		return;
	}
	for (size_t i = 0; i < p->subject.n; i++)
		n += attrs_of(p)[i].on_change == ATTR_MAY_CHANGE;
	if (n == 0)
		lint_say(l, p->doc, w, true, "change_nothing", "change %s: no attribute of the subject may change",
			 w->way);
	for (size_t i = 0; i < w->attributes.n; i++) {
		const char **word = &w->attributes.v[i];

		if (profile_attr(p, attr_by_word(*word, strlen(*word)))->on_change != ATTR_MAY_CHANGE)
			lint_say(l, p->doc, word, true, "attribute_kept",
				 "change %s: found %s, which the subject keeps", w->way, *word);
	}
	if (w->extension_allowed && w->order == WAY_ORDER_NONE)
		lint_say(l, p->doc, &w->order, true, "extension_free",
			 "change %s: found extension_allowed with order: none, wanted when_extended or always", w->way);
}

static void way_lint(struct lint *l, const struct way_at *at)
{
	floors_lint(l, at);
	papers_lint(l, at);
	checks_lint(l, at);
	key_lint(l, at);
	fate_lint(l, at);
	changes_lint(l, at);
	if (at->w->notice != NULL && policy_notice(l->policy, at->w->notice) == NULL)
		lint_say(l, at->p->doc, &at->w->notice, true, "notice_unknown",
			 "%s %s: found notice \"%s\", wanted a file notices/%s.txt in the bundle",
			 tally_kind_word(at->kind), at->w->way, at->w->notice, at->w->notice);
}

void kinds_lint(struct lint *l, const struct profile *p)
{
	for (size_t i = 0; i < p->kinds.n; i++) {
		const struct policy_kind *k = &kinds_of(p)[i];
		struct way_at at = {.p = p};

		if (!tally_kind_from_word(k->kind, strlen(k->kind), &at.kind))
			continue;
		for (size_t j = 0; j < k->ways.n; j++) {
			at.w = &ways_of(k)[j];
			way_lint(l, &at);
		}
	}
	if (profile_kind(p, TALLY_REVOKE) == NULL)
		lint_say(l, p->doc, &p->kinds, true, "revoke_missing",
			 "found no kind revoke: nobody could end a certificate");
}
