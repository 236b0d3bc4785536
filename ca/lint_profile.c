/*
 * Rules that hold the extensions against the profile: which are there, how critical, and what they say. CA certificates
 * have a fixed set instead of a profile.
 */
#include "ca/lint_private.h"

#include "ca/build_ext.h"
#include "ca/responder.h"
#include "common/base/cleanup.h"

#include <string.h>

/* What build_ca_tbs() may write. */
static const struct ca_ext {
	const char *oid;
	bool critical;
} ca_exts[] = {
	{OID_EXT_BASIC_CONSTRAINTS, true}, {OID_EXT_KEY_USAGE, true}, {OID_EXT_SKI, false},   {OID_EXT_AKI, false},
	{OID_EXT_POLICIES, false},	   {OID_EXT_AIA, false},      {OID_EXT_CRL_DP, false}};

/* May the extension be there, and how critical? */
static bool listed(const struct lint_input *in, const char *oid, bool *ret_critical)
{
	size_t n;
	const struct profile_ext *exts = lint_exts(in, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(profile_ext_oid(&exts[i]), oid) == 0) {
			*ret_critical = exts[i].critical;
			return true;
		}
	}
	if (lint_is_responder(in) && strcmp(oid, OID_EXT_OCSP_NO_CHECK) == 0) {
		*ret_critical = false;
		return true;
	}
	for (size_t i = 0; !in->profile && i < sizeof(ca_exts) / sizeof(ca_exts[0]); i++) {
		if (strcmp(ca_exts[i].oid, oid) == 0) {
			*ret_critical = ca_exts[i].critical;
			return true;
		}
	}
	return false;
}

bool lint_extensions_listed(const struct lint_input *in, char *why, size_t why_size)
{
	char oid[64];
	bool critical;
	struct slice value;
	LOOK(v);
	for (struct der d = der_of(v.extensions); !der_at_end(&d);) {
		if (!lint_next_ext(&d, oid, &critical, &value))
			return NO("an extension is not an Extension in DER");
		if (!listed(in, oid, &critical))
			return NO("extension %s is there, and %s does not list it", oid,
				  in->profile ? in->profile->name : "a CA's certificate");
	}
	return true;
}

bool lint_extensions_present(const struct lint_input *in, char *why, size_t why_size)
{
	size_t n;
	const struct profile_ext *exts = lint_exts(in, &n);
	for (size_t i = 0; i < n; i++) {
		const char *oid = profile_ext_oid(&exts[i]);
		bool optional = exts[i].from && !name_get(in->subject, exts[i].from);
		if (!optional && !cert_ext(in->cert, oid))
			return NO("extension %s is absent, and profile %s lists it", oid, in->profile->name);
	}
	for (size_t i = 0; !in->profile && i < 3; i++) {
		if (!cert_ext(in->cert, ca_exts[i].oid))
			return NO("extension %s is absent from a CA's certificate", ca_exts[i].oid);
	}
	return true;
}

bool lint_extensions_criticality(const struct lint_input *in, char *why, size_t why_size)
{
	for (size_t i = 0; i < in->cert->n_exts; i++) {
		const struct cert_ext *e = &in->cert->exts[i];
		bool wanted = false;
		if (listed(in, e->oid, &wanted) && wanted != e->critical)
			return NO("extension %s is %scritical, wanted it %scritical", e->oid, e->critical ? "" : "not ",
				  wanted ? "" : "not ");
	}
	return true;
}

bool lint_extensions_not_critical(const struct lint_input *in, char *why, size_t why_size)
{
	static const char *const never[] = {OID_EXT_SKI, OID_EXT_AKI, OID_EXT_AIA, OID_EXT_CRL_DP, OID_EXT_SAN};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		const struct cert_ext *e = cert_ext(in->cert, never[i]);
		if (e && e->critical)
			return NO("extension %s is critical, wanted it not critical", never[i]);
	}
	return true;
}

/* One DistributionPoint of one full name of one URL. */
static bool read_point(struct slice value, struct slice *ret_url)
{
	struct der d = der_of(value), points, point, name, full;
	return der_enter(&d, DER_SEQUENCE, &points) && der_at_end(&d) && der_enter(&points, DER_SEQUENCE, &point) &&
	       der_at_end(&points) && der_enter(&point, DER_CONTEXT_CONS(0), &name) && der_at_end(&point) &&
	       der_enter(&name, DER_CONTEXT_CONS(0), &full) && der_at_end(&name) &&
	       der_get(&full, DER_CONTEXT(6), ret_url) && der_at_end(&full);
}

/* The URL's shard is that of the serial that stands in the bytes: its last two octets modulo the number of shards. */
bool lint_crl_dp_shard(const struct lint_input *in, char *why, size_t why_size)
{
	const struct profile_ext *p = lint_profile_ext(in, EXT_CRL_DP);
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_CRL_DP);
	struct slice url;
	LOOK(v);
	if (!e)
		return true;
	if (!read_point(e->value, &url))
		return NO("cRLDistributionPoints is not one point of one URL");
	if (!p)
		return !in->profile || NO("cRLDistributionPoints is there, and the profile does not list it");
	unsigned low = v.serial.p[v.serial.n - 1], high = v.serial.n > 1 ? v.serial.p[v.serial.n - 2] : 0;
	unsigned shard = (high * 256 + low) % (unsigned)p->shards;
	if (!lint_url_is(p->url, in->issuer->key.key_id, &shard, url))
		return NO("found CRL URL \"%s\", wanted \"%s\" with shard %u of %lld", ESC(url.p, url.n), p->url, shard,
			  (long long)p->shards);
	return true;
}

/* Each access of the profile once, and nothing else. */
bool lint_access_exact(const struct lint_input *in, char *why, size_t why_size)
{
	const struct profile_ext *p = lint_profile_ext(in, EXT_AIA);
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_AIA);
	struct der d, list, access;
	size_t found = 0;
	if (!e || !p)
		return true;
	d = der_of(e->value);
	if (!der_enter(&d, DER_SEQUENCE, &list) || !der_at_end(&d))
		return NO("authorityInfoAccess is not a SEQUENCE");
	for (char method[64]; !der_at_end(&list); found++) {
		struct slice oid, url;
		if (!der_enter(&list, DER_SEQUENCE, &access) || !der_get(&access, DER_OID, &oid) ||
		    !der_oid_text(oid, method, sizeof(method)) || !der_get(&access, DER_CONTEXT(6), &url) ||
		    !der_at_end(&access))
			return NO("authorityInfoAccess has an access that is not method and URL");
		const char *wanted = strcmp(method, OID_AD_OCSP) == 0	      ? p->ocsp
				     : strcmp(method, OID_AD_CA_ISSUERS) == 0 ? p->ca_issuers
									      : NULL;
		if (!wanted || !lint_url_is(wanted, in->issuer->key.key_id, NULL, url))
			return NO("found access %s at \"%s\", wanted \"%s\"", method, ESC(url.p, url.n),
				  wanted ? wanted : "none");
	}
	size_t wanted = (p->ocsp != NULL) + (p->ca_issuers != NULL);
	return found == wanted || NO("found %zu accesses, wanted %zu", found, wanted);
}

/* PolicyInformation: the profile's OID, and its CPS URL as the one qualifier. */
static bool policy_is(const struct lint_input *in, const struct profile_ext *p, struct der info)
{
	struct der list, qualifier;
	struct slice oid, cps;
	char text[64];
	if (!der_get(&info, DER_OID, &oid) || !der_oid_text(oid, text, sizeof(text)) || strcmp(text, p->oid) != 0)
		return false;
	if (!p->cps)
		return der_at_end(&info);
	return der_enter(&info, DER_SEQUENCE, &list) && der_at_end(&info) &&
	       der_enter(&list, DER_SEQUENCE, &qualifier) && der_at_end(&list) && der_get(&qualifier, DER_OID, &oid) &&
	       der_oid_text(oid, text, sizeof(text)) && strcmp(text, OID_QUALIFIER_CPS) == 0 &&
	       der_get(&qualifier, DER_IA5, &cps) && der_at_end(&qualifier) &&
	       lint_url_is(p->cps, in->issuer->key.key_id, NULL, cps);
}

bool lint_policies_exact(const struct lint_input *in, char *why, size_t why_size)
{
	const struct profile_ext *p = lint_profile_ext(in, EXT_CERT_POLICIES);
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_POLICIES);
	struct der d, list, info;
	if (!e || !p)
		return true;
	d = der_of(e->value);
	if (!der_enter(&d, DER_SEQUENCE, &list) || !der_at_end(&d) || !der_enter(&list, DER_SEQUENCE, &info) ||
	    !der_at_end(&list) || !policy_is(in, p, info))
		return NO("certificatePolicies is not %s alone with the profile's qualifier", p->oid);
	return true;
}

bool lint_mail_of_subject(const struct lint_input *in, char *why, size_t why_size)
{
	const struct profile_ext *p = lint_profile_ext(in, EXT_SAN);
	const struct cert_ext *e = cert_ext(in->cert, OID_EXT_SAN);
	const char *wanted = p && p->from ? name_get(in->subject, p->from) : NULL;
	struct der d, list;
	struct slice mail;
	if (!e)
		return true;
	d = der_of(e->value);
	if (!der_enter(&d, DER_SEQUENCE, &list) || !der_at_end(&d) || !der_get(&list, DER_CONTEXT(1), &mail) ||
	    !der_at_end(&list))
		return NO("subjectAltName is not one rfc822Name");
	if (!wanted || !slice_eq(mail, slice_str(wanted)))
		return NO("found rfc822Name \"%s\", wanted the subject's \"%s\"", ESC(mail.p, mail.n),
			  wanted ? wanted : "");
	return true;
}

#define GMT0015_ARC "1.2.156.10260.4.1."

bool lint_gmt0015_not_critical(const struct lint_input *in, char *why, size_t why_size)
{
	for (size_t i = 0; i < in->cert->n_exts; i++) {
		const struct cert_ext *e = &in->cert->exts[i];
		if (e->critical && strncmp(e->oid, GMT0015_ARC, strlen(GMT0015_ARC)) == 0)
			return NO("extension %s is critical, wanted it not critical", e->oid);
	}
	return true;
}

/* A PrintableString; the person's code within the [0] of its CHOICE. */
static bool read_code(const struct cert_ext *e, struct slice *ret)
{
	struct der d = der_of(e->value), choice;
	if (strcmp(e->oid, OID_GMT0015_PERSON) == 0) {
		if (!der_enter(&d, DER_CONTEXT_CONS(0), &choice) || !der_at_end(&d))
			return false;
		d = choice;
	}
	if (!der_get(&d, DER_PRINTABLE, ret) || !der_at_end(&d) || ret->n == 0 || memchr(ret->p, 0, ret->n))
		return false;
	_cleanup_(freep) char *text = slice_dup_str(*ret);
	return text_is_printable(text);
}

bool lint_gmt0015_of_subject(const struct lint_input *in, char *why, size_t why_size)
{
	size_t n;
	const struct profile_ext *exts = lint_exts(in, &n);
	for (size_t i = 0; i < n; i++) {
		const struct cert_ext *e =
			exts[i].type == EXT_GMT0015 ? cert_ext(in->cert, profile_ext_oid(&exts[i])) : NULL;
		const char *wanted = e ? name_get(in->subject, exts[i].from) : NULL;
		struct slice code;
		if (!e)
			continue;
		if (!read_code(e, &code))
			return NO("extension %s is not a PrintableString", e->oid);
		if (!wanted || !slice_eq(code, slice_str(wanted)))
			return NO("extension %s is \"%s\", wanted the subject's %s \"%s\"", e->oid, ESC(code.p, code.n),
				  exts[i].from, wanted ? wanted : "");
	}
	return true;
}
