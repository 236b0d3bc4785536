/*
 * Rules on the validity.
 */
#include "ca/lint_private.h"

#include "common/base/clock.h"

#include <string.h>

#define DAY INT64_C(86400)
#define LEAF_MAX_DAYS 3653
#define CA_MAX_DAYS 9132 /* 25 years */
#define BACKDATE_SECONDS (2 * DAY)
#define YEAR_2050 INT64_C(2524608000)

/* UTCTime through 2049, GeneralizedTime from then on, whole seconds, Z. Our reader takes nothing else; here the type is
 * compared with the value, so that reader and rule can't err alike. */
bool lint_validity_form(const struct lint_input *in, char *why, size_t why_size)
{
	struct der whole, times;
	LOOK(v);
	whole = der_of(v.validity);
	if (!der_enter(&whole, DER_SEQUENCE, &times))
		return NO("validity is not a SEQUENCE");
	for (int i = 0; i < 2; i++) {
		int64_t t = i == 0 ? in->cert->not_before : in->cert->not_after;
		int tag, wanted = t < YEAR_2050 ? DER_UTCTIME : DER_GENTIME;
		size_t length = t < YEAR_2050 ? 13 : 15;
		struct slice body;
		if (!der_any(&times, &tag, &body, NULL) || tag != wanted || body.n != length ||
		    body.p[length - 1] != 'Z')
			return NO("%s of %s is not a %s to the second with Z", i == 0 ? "notBefore" : "notAfter",
				  UTC(t), wanted == DER_UTCTIME ? "UTCTime" : "GeneralizedTime");
	}
	if (!der_at_end(&times))
		return NO("validity has more than two times");
	return true;
}

bool lint_validity_order(const struct lint_input *in, char *why, size_t why_size)
{
	if (in->cert->not_before >= in->cert->not_after)
		return NO("found %s to %s, wanted an end after the start", UTC(in->cert->not_before),
			  UTC(in->cert->not_after));
	return true;
}

bool lint_validity_length(const struct lint_input *in, char *why, size_t why_size)
{
	int64_t max = !in->profile			      ? CA_MAX_DAYS
		      : in->profile->cap_days < LEAF_MAX_DAYS ? in->profile->cap_days
							      : LEAF_MAX_DAYS;
	int64_t found = in->cert->not_after - in->cert->not_before;
	if (found > max * DAY)
		return NO("found a lifetime of %lld days and %lld seconds, wanted at most %lld days",
			  (long long)(found / DAY), (long long)(found % DAY), (long long)max);
	return true;
}

/* A leaf's notBefore is the time of issue; a ceremony may give a CA's. Neither may be over already. */
bool lint_validity_now(const struct lint_input *in, char *why, size_t why_size)
{
	int64_t ahead = in->cert->not_before - in->now;
	if (in->profile && (ahead > 0 || ahead < -BACKDATE_SECONDS))
		return NO("found notBefore %s at %s, wanted the time of issue", UTC(in->cert->not_before),
			  UTC(in->now));
	if (in->cert->not_after <= in->now)
		return NO("found notAfter %s at %s: over before it begins", UTC(in->cert->not_after), UTC(in->now));
	return true;
}

bool lint_validity_within_issuer(const struct lint_input *in, char *why, size_t why_size)
{
	if (in->cert->not_before < in->issuer->not_before || in->cert->not_after > in->issuer->not_after)
		return NO("found %s to %s, wanted a part of the issuer's %s to %s", UTC(in->cert->not_before),
			  UTC(in->cert->not_after), UTC(in->issuer->not_before), UTC(in->issuer->not_after));
	return true;
}
