/*
 * Lint of a profile's subject, validity and extensions, against the standards and against what strict verifiers are
 * known to refuse.
 */
#include "common/policy/lint.h"

#include "common/base/cleanup.h"

#include <string.h>

static const struct profile_ext *ext_find(const struct profile *p, enum ext_type type)
{
	for (size_t i = 0; i < p->extensions.n; i++) {
		if (exts_of(p)[i].type == (int)type)
			return &exts_of(p)[i];
	}
	return NULL;
}

static void missing_lint(struct lint *l, const struct profile *p)
{
	static const struct {
		enum ext_type type;
		bool error;
		const char *rule, *why;
	} wanted[] = {
		{EXT_AKI, true, "aki_missing", "conforming CAs must write it (RFC 5280 4.2.1.1)"},
		{EXT_CRL_DP, true, "cdp_missing", "without it relying parties do not find the CRL (RFC 5280 4.2.1.13)"},
		{EXT_SKI, true, "ski_missing",
		 "end-entity certificates should have it (RFC 5280 4.2.1.2), and GM/T 0015 asks for it"},
		{EXT_KEY_USAGE, false, "key_usage_missing", "the key may then be used for anything (RFC 5280 4.2.1.3)"},
		{EXT_AIA, false, "aia_missing",
		 "relying parties that lack the issuer's certificate cannot fetch it (RFC 5280 4.2.2.1)"},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (ext_find(p, wanted[i].type) == NULL)
			lint_say(l, p->doc, &p->extensions, wanted[i].error, wanted[i].rule, "found no %s: %s",
				 ext_type_words[wanted[i].type], wanted[i].why);
	}
}

static void critical_lint(struct lint *l, const struct profile *p, const struct profile_ext *e)
{
	static const struct {
		enum ext_type type;
		bool wrong, error;
		const char *rule, *why;
	} rows[] = {
		{EXT_SKI, true, true, "ski_critical", "must not be critical (RFC 5280 4.2.1.2)"},
		{EXT_AKI, true, true, "aki_critical", "must not be critical (RFC 5280 4.2.1.1)"},
		{EXT_AIA, true, true, "aia_critical", "must not be critical (RFC 5280 4.2.2.1)"},
		{EXT_GMT0015, true, true, "gmt0015_critical", "identity codes are never critical (GM/T 0015)"},
		{EXT_CERT_POLICIES, true, false, "policies_critical",
		 "strict SM2 verifiers refuse critical certificatePolicies"},
		{EXT_CRL_DP, true, false, "cdp_critical",
		 "strict SM2 verifiers refuse critical distribution points; RFC 5280 4.2.1.13 asks for non-critical"},
		{EXT_KEY_USAGE, false, false, "key_usage_critical", "should be critical (RFC 5280 4.2.1.3)"},
		{EXT_SAN, true, false, "san_critical", "should not be critical beside a subject (RFC 5280 4.2.1.6)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (e->type == (int)rows[i].type && e->critical == rows[i].wrong)
			lint_say(l, p->doc, e, rows[i].error, rows[i].rule, "%s: found critical: %s, %s",
				 ext_type_words[e->type], e->critical ? "true" : "false", rows[i].why);
	}
	if (e->type == EXT_BASIC_CONSTRAINTS)
		lint_say(l, p->doc, e, false, "basic_constraints",
			 "strict SM2 verifiers refuse an empty BasicConstraints in end-entity certificates");
}

static void usages_put(uint64_t bits, struct buf *ret)
{
	for (size_t i = 0; key_usage_words[i] != NULL; i++) {
		if ((bits >> i & 1) != 0)
			buf_fmt(ret, "%s%s", ret->len > 0 ? ", " : "", key_usage_words[i]);
	}
}

static void key_usage_lint(struct lint *l, const struct profile *p, const struct profile_ext *e)
{
	for (unsigned i = 0; i < KEY_ALG_N; i++) {
		_cleanup_buf_ struct buf words = {0};
		enum key_alg alg = (enum key_alg)i;
		uint64_t wrong = profile_key_usage(e, alg) & ~key_alg_usages(alg);

		if ((p->key_algs >> i & 1) == 0)
			continue;
		usages_put(wrong, &words);
		if (wrong != 0)
			lint_say(l, p->doc, &e->bits, true, "key_usage_algorithm",
				 "found %s, which %s keys cannot have (RFC 4055 1.2, RFC 8813 3, RFC 9295 3); "
				 "by_algorithm: true leaves it out for them",
				 buf_text(&words), key_alg_word(alg));
		if (profile_key_usage(e, alg) == 0)
			lint_say(l, p->doc, &e->bits, true, "key_usage_algorithm",
				 "found no usage that %s keys can have", key_alg_word(alg));
	}
}

/* A shard's CRL is one for all profiles, and says under which URL it is found. */
static void one_cdp_lint(struct lint *l, const struct profile *p)
{
	const struct profile *first = l->policy->profiles;
	const struct profile_ext *one = ext_find(first, EXT_CRL_DP), *e = ext_find(p, EXT_CRL_DP);

	if (one != NULL && e != NULL && strcmp(one->url, e->url) != 0)
		lint_say(l, p->doc, &e->url, true, "cdp_differs",
			 "found another CRL URL than profile %s has: they share CRLs, and one that names another URL "
			 "than the certificate is not taken (RFC 5280 6.3.3)",
			 first->name);
}

static void extensions_lint(struct lint *l, const struct profile *p)
{
	missing_lint(l, p);
	for (size_t i = 0; i < p->extensions.n; i++) {
		const struct profile_ext *e = &exts_of(p)[i];

		critical_lint(l, p, e);
		if (e->type == EXT_KEY_USAGE)
			key_usage_lint(l, p, e);
		if (e->type == EXT_CRL_DP && strncmp(e->url, "https:", 6) == 0)
			lint_say(l, p->doc, &e->url, false, "cdp_https",
				 "a CRL over https needs a certificate to fetch the state of certificates");
	}
	one_cdp_lint(l, p);
}

/* Days of a length at most: leap days where it can span them. */
static int64_t longest_days(int64_t months)
{
	static const int64_t days_in[] = {0, 31, 62, 92, 123, 153, 184, 215, 245, 276, 306, 337};
	int64_t years = months / 12;

	return years * 365 + (years + 3) / 4 + days_in[months % 12];
}

static void validity_lint(struct lint *l, const struct profile *p)
{
	for (size_t i = 0; i < p->lengths_months.n; i++) {
		const int64_t *months = &p->lengths_months.v[i];
		int64_t days = longest_days(*months);

		if (days > p->cap_days)
			lint_say(l, p->doc, months, true, "lengths_cap",
				 "found %lld months, up to %lld days, above cap_days, %lld", (long long)*months,
				 (long long)days, (long long)p->cap_days);
		else if (days + p->window_before_days > p->cap_days)
			lint_say(l, p->doc, months, false, "lengths_window",
				 "found %lld months: with an extension %lld days early this is up to %lld days, above "
				 "cap_days, %lld",
				 (long long)*months, (long long)p->window_before_days,
				 (long long)days + p->window_before_days, (long long)p->cap_days);
	}
}

static void subject_lint(struct lint *l, const struct profile *p)
{
	for (size_t i = 0; i < p->subject.n; i++) {
		const struct profile_attr *a = &attrs_of(p)[i];
		const struct profile_attr *source = NULL;

		if (strcmp(a->attribute, p->identifier) == 0 && a->check == CHECK_NONE && a->pattern == NULL)
			lint_say(l, p->doc, a, false, "identifier_unchecked",
				 "identifier %s has neither check nor pattern", a->attribute);
		if (a->taken_from != NULL)
			source = profile_attr(p, attr_by_word(a->taken_from, strlen(a->taken_from)));
		if (source != NULL && source->on_change == ATTR_MAY_CHANGE && a->on_change == ATTR_KEEP)
			lint_say(l, p->doc, a, true, "taken_from_kept",
				 "%s repeats %s, which may change, and may not change itself", a->attribute,
				 source->attribute);
	}
}

void profile_lint(struct lint *l, const struct profile *p)
{
	subject_lint(l, p);
	validity_lint(l, p);
	extensions_lint(l, p);
	kinds_lint(l, p);
}
