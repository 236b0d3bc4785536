/*
 * Validity as the policy computes it: notBefore is the time of issue; what was bought runs on from the old notAfter, or
 * from now when that has passed; nothing outlives the issuer, the cap, or the latest notAfter that the subscriber
 * signed. A certificate is never shortened to fit: who paid for 36 months gets them or is told why not.
 */
#include "common/policy/judge.h"

#include "common/base/clock.h"

#define DAY INT64_C(86400)
/* Beyond this (the year 9900) no months are added: notAfter is a four-digit year (RFC 5280 4.1.2.5). */
#define FAR_END INT64_C(250245590400)

static int64_t uncapped(int64_t now, int64_t old_not_after, unsigned add_months)
{
	int64_t from = old_not_after > now ? old_not_after : now;

	if (add_months == 0)
		return old_not_after;
	return from < FAR_END && add_months <= 1200 ? time_add_months(from, (int)add_months) : INT64_MAX;
}

int64_t judge_not_after(const struct profile *p, int64_t now, int64_t old_not_after, unsigned add_months)
{
	int64_t end = uncapped(now, old_not_after, add_months), cap = now + p->cap_days * DAY;

	return end < cap ? end : cap;
}

/* early: the window may not be open yet; it still must not be closed. */
static enum err window_judge(const struct profile *p, const struct facts *x, bool early, struct fault *f)
{
	int64_t opens = x->not_after - p->window_before_days * DAY, closes = x->not_after + p->window_after_days * DAY;

	if (x->now < opens && !early)
		return fault_raise(
			f, ERR_RULE, "validity_window", "tally.validity",
			"the certificate ends at %s: wanted now, %s, at most %lld days before, by profile %s",
			UTC(x->not_after), UTC(x->now), (long long)p->window_before_days, p->name);
	if (x->now > closes)
		return fault_raise(f, ERR_RULE, "validity_window", "tally.validity",
				   "the certificate ended at %s: wanted now, %s, at most %lld days after, by profile "
				   "%s; identity is verified anew",
				   UTC(x->not_after), UTC(x->now), (long long)p->window_after_days, p->name);
	return OK;
}

static enum err length_judge(const struct profile *p, const struct tally *t, struct fault *f)
{
	for (size_t i = 0; i < p->lengths_months.n; i++) {
		if (p->lengths_months.v[i] == (int64_t)t->add_months)
			return OK;
	}
	return fault_raise(f, ERR_RULE, "validity_length", "tally.validity",
			   "found %u months, which profile %s does not list", t->add_months, p->name);
}

/* Change and reissue without an extension: the old end, which must be still ahead. */
static enum err keep_judge(const struct facts *x, struct fault *f)
{
	if (x->now <= x->not_after)
		return OK;
	return fault_raise(f, ERR_RULE, "validity_window", "tally.validity",
			   "the certificate ended at %s: there is no validity to keep", UTC(x->not_after));
}

static enum err length_and_window(const struct tally *t, const struct facts *x, const struct verdict *v,
				  struct fault *f)
{
	bool may_keep = t->kind == TALLY_CHANGE || t->kind == TALLY_REISSUE;

	if (!t->has_validity)
		return fault_raise(f, ERR_RULE, "validity_length", "tally.validity",
				   "found none, wanted keep or a length");
	if (t->add_months == 0 && may_keep)
		return keep_judge(x, f);
	if (may_keep && (t->kind != TALLY_CHANGE || !v->way->extension_allowed))
		return fault_raise(f, ERR_RULE, "validity_length", "tally.validity",
				   "found %u months, wanted keep: way %s carries no extension", t->add_months,
				   v->way->way);
	if (t->kind != TALLY_ENROL)
		TRY(window_judge(v->profile, x, may_keep && v->way->extension_early, f));
	return length_judge(v->profile, t, f);
}

static enum err issuer_judge(const struct facts *x, int64_t end, struct fault *f)
{
	if (end <= x->issuer_not_after)
		return OK;
	return fault_raise(f, ERR_RULE, "validity_issuer", "tally.validity",
			   "notAfter would be %s, wanted at most the issuer's, %s", UTC(end), UTC(x->issuer_not_after));
}

/* Responders: a week, from code. */
static enum err responder_judge(const struct facts *x, struct verdict *v, struct fault *f)
{
	v->not_before = x->now;
	v->not_after = x->now + JUDGE_RESPONDER_DAYS * DAY;
	return issuer_judge(x, v->not_after, f);
}

enum err judge_validity(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f)
{
	int64_t old = t->kind != TALLY_ENROL ? x->not_after : 0, end;

	if (!tally_kind_issues(t->kind))
		return OK;
	if (v->profile == NULL || v->way == NULL)
		return responder_judge(x, v, f);
	TRY(length_and_window(t, x, v, f));
	end = judge_not_after(v->profile, x->now, old, t->add_months);
	if (end != uncapped(x->now, old, t->add_months))
		return fault_raise(f, ERR_RULE, "validity_cap", "tally.validity",
				   "notAfter would be more than %lld days from now, the cap of profile %s",
				   (long long)v->profile->cap_days, v->profile->name);
	if (end > t->latest)
		return fault_raise(f, ERR_RULE, "validity_latest", "tally.latest",
				   "notAfter would be %s, wanted at most the tally's latest, %s", UTC(end),
				   UTC(t->latest));
	TRY(issuer_judge(x, end, f));
	v->not_before = x->now;
	v->not_after = end;
	return OK;
}
