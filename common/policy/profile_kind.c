/*
 * The kinds and ways of a profile: words that tallies can hold, reasons that exist, attributes that may change. Whether
 * a way asks for enough is lint's question, and at issue the floors' (floor.c).
 */
#include "common/policy/profile.h"

#include <string.h>

/* Kinds that a profile offers. Withdrawals and responders are the signer's own code. */
static const enum tally_kind offered[] = {TALLY_EXTEND, TALLY_CHANGE, TALLY_ENROL,  TALLY_REISSUE,
					  TALLY_REVOKE, TALLY_HOLD,   TALLY_RELEASE};
#define N_OFFERED (sizeof(offered) / sizeof(offered[0]))

static enum err strs_names(const struct profile *p, const struct yaml_strs *s, const char *what, struct fault *f)
{
	for (size_t i = 0; i < s->n; i++) {
		TRY(name_check(p->doc, &s->v[i], what, f));
		for (size_t j = 0; j < i; j++) {
			if (strcmp(s->v[i], s->v[j]) == 0)
				return yaml_fault(p->doc, &s->v[i], f, "word_twice", "found %s \"%s\" twice", what,
						  s->v[i]);
		}
	}
	return OK;
}

static enum err materials_check(const struct profile *p, const struct policy_way *w, struct fault *f)
{
	TRY(strs_names(p, &w->materials.all_of, "material", f));
	for (size_t i = 0; i < w->materials.any_of.n; i++) {
		const struct material_any *any = &anys_of(w)[i];

		TRY(strs_names(p, &any->of, "material", f));
		if (any->of.n == 0)
			return yaml_fault(p->doc, &any->of, f, "materials_empty",
					  "found a choice of no material, wanted at least one");
	}
	return OK;
}

/* Reasons that a revocation can have (RFC 5280 5.3.1): a hold is a kind of its own. */
static enum err reason_check(const struct profile *p, const struct policy_way *w, struct fault *f)
{
	static const char *const words[] = {"unspecified", "keyCompromise",	   "affiliationChanged",
					    "superseded",  "cessationOfOperation", "privilegeWithdrawn"};

	if (w->reason != NULL)
		TRY(word_check(p->doc, &w->reason, words, sizeof(words) / sizeof(words[0]), "reason_unknown", "reason",
			       f));
	if ((w->fate == FATE_REVOKE) == (w->reason != NULL))
		return OK;
	return yaml_fault(p->doc, w, f, "reason_fate", "way %s: found %s, wanted fate: revoke and a reason together",
			  w->way,
			  w->reason != NULL ? "a reason without fate: revoke" : "fate: revoke without a reason");
}

static enum err attributes_check(const struct profile *p, const struct policy_way *w, struct fault *f)
{
	const char *words[NAME_MAX_ATTRS];

	for (size_t i = 0; i < p->subject.n; i++)
		words[i] = attrs_of(p)[i].attribute;
	for (size_t i = 0; i < w->attributes.n; i++)
		TRY(word_check(p->doc, &w->attributes.v[i], words, p->subject.n, "attribute_unknown", "attribute", f));
	return OK;
}

/* A line on an officer's screen. Characters that cannot be seen are the YAML reader's to refuse. */
static enum err check_text(const struct profile *p, const char *const *text, struct fault *f)
{
	size_t n = strlen(*text);

	if ((*text)[0] != ' ' && (*text)[n - 1] != ' ' && strcspn(*text, "\t\r\n") == n)
		return OK;
	return yaml_fault(p->doc, text, f, "check_text",
			  "found \"%s\", wanted one line without tabs and without space at its ends", ESC(*text, n));
}

static enum err checks_check(const struct profile *p, const struct policy_way *w, struct fault *f)
{
	for (size_t i = 0; i < w->checks.n; i++) {
		const struct bilingual *b = &checks_of(w)[i];

		TRY(check_text(p, &b->zh, f));
		TRY(check_text(p, &b->en, f));
		for (size_t j = 0; j < i; j++) {
			if (strcmp(b->zh, checks_of(w)[j].zh) == 0 || strcmp(b->en, checks_of(w)[j].en) == 0)
				return yaml_fault(p->doc, &b->zh, f, "check_twice", "way %s: found check \"%s\" twice",
						  w->way, ESC(b->en, strlen(b->en)));
		}
	}
	return OK;
}

static enum err way_check(const struct profile *p, const struct policy_way *w, struct fault *f)
{
	TRY(name_check(p->doc, &w->way, "way", f));
	TRY(reason_check(p, w, f));
	TRY(attributes_check(p, w, f));
	if (w->notice != NULL)
		TRY(name_check(p->doc, &w->notice, "notice", f));
	TRY(checks_check(p, w, f));
	return materials_check(p, w, f);
}

enum err profile_check_kinds(struct profile *p, struct fault *f)
{
	const char *words[N_OFFERED];

	for (size_t i = 0; i < N_OFFERED; i++)
		words[i] = tally_kind_word(offered[i]);
	for (size_t i = 0; i < p->kinds.n; i++) {
		const struct policy_kind *k = &kinds_of(p)[i];

		TRY(word_check(p->doc, &k->kind, words, N_OFFERED, "kind_unknown", "kind", f));
		for (size_t j = 0; j < k->ways.n; j++)
			TRY(way_check(p, &ways_of(k)[j], f));
	}
	return OK;
}
