/*
 * The extensions of a profile: each type has its own members, and only these; each OID stands once; what is not for a
 * profile to give (OCSPSigning, a CA's usages) is refused by name.
 */
#include "common/policy/profile.h"

#include "common/base/cleanup.h"
#include "common/pki/der.h"

#include <stddef.h>
#include <string.h>

/* Members beside type and critical. */
enum {
	M_USAGES = 1,
	M_PURPOSES = 2,
	M_CA_ISSUERS = 4,
	M_OCSP = 8,
	M_URL = 16,
	M_OID = 32,
	M_CPS = 64,
	M_CODE = 128,
	M_FROM = 256
};
static const struct {
	const char *word;
	size_t at;
} members[] = {
	{"usages", offsetof(struct profile_ext, bits)},
	{"purposes", offsetof(struct profile_ext, purposes)},
	{"ca_issuers", offsetof(struct profile_ext, ca_issuers)},
	{"ocsp", offsetof(struct profile_ext, ocsp)},
	{"url", offsetof(struct profile_ext, url)},
	{"oid", offsetof(struct profile_ext, oid)},
	{"cps", offsetof(struct profile_ext, cps)},
	{"code", offsetof(struct profile_ext, code)},
	{"from", offsetof(struct profile_ext, from)},
};
#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static const struct {
	const char *oid;
	unsigned must, may;
} types[EXT_TYPE_N] = {
	[EXT_BASIC_CONSTRAINTS] = {"2.5.29.19", 0, 0},
	[EXT_KEY_USAGE] = {"2.5.29.15", M_USAGES, 0},
	[EXT_EXTENDED_KEY_USAGE] = {"2.5.29.37", M_PURPOSES, 0},
	[EXT_SKI] = {"2.5.29.14", 0, 0},
	[EXT_AKI] = {"2.5.29.35", 0, 0},
	[EXT_AIA] = {"1.3.6.1.5.5.7.1.1", 0, M_CA_ISSUERS | M_OCSP},
	[EXT_CRL_DP] = {"2.5.29.31", M_URL, 0},
	[EXT_CERT_POLICIES] = {"2.5.29.32", M_OID, M_CPS},
	[EXT_SAN] = {"2.5.29.17", M_FROM, 0},
	[EXT_GMT0015] = {NULL, M_CODE | M_FROM, 0},
};

static const struct {
	const char *word, *oid;
} purposes[] = {
	{"serverAuth", "1.3.6.1.5.5.7.3.1"},   {"clientAuth", "1.3.6.1.5.5.7.3.2"},
	{"codeSigning", "1.3.6.1.5.5.7.3.3"},  {"emailProtection", "1.3.6.1.5.5.7.3.4"},
	{"timeStamping", "1.3.6.1.5.5.7.3.8"},
};
#define N_PURPOSES (sizeof(purposes) / sizeof(purposes[0]))
/* Only the signer's own code gives the first (to responders that the roster lists); the second would give it too. */
static const char *const refused_purposes[] = {"1.3.6.1.5.5.7.3.9", "2.5.29.37.0"};

/* GM/T 0015-2012 5.2.4.2: identity codes. */
static const struct {
	const char *word, *oid;
} codes[] = {
	{"person", "1.2.156.10260.4.1.1"},	 {"insurance", "1.2.156.10260.4.1.2"},
	{"registration", "1.2.156.10260.4.1.3"}, {"organisation", "1.2.156.10260.4.1.4"},
	{"tax", "1.2.156.10260.4.1.5"},
};
#define N_CODES (sizeof(codes) / sizeof(codes[0]))

static bool oid_valid(const char *dotted)
{
	_cleanup_buf_ struct buf scratch = {0};

	return der_put_oid(&scratch, dotted);
}

const char *profile_purpose_oid(const char *purpose)
{
	for (size_t i = 0; i < N_PURPOSES; i++) {
		if (strcmp(purpose, purposes[i].word) == 0)
			return purposes[i].oid;
	}
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(purpose, refused_purposes[i]) == 0)
			return NULL;
	}
	return oid_valid(purpose) ? purpose : NULL;
}

const char *profile_ext_oid(const struct profile_ext *e)
{
	if (e->type != EXT_GMT0015)
		return types[e->type].oid;
	for (size_t i = 0; i < N_CODES; i++) {
		if (strcmp(e->code, codes[i].word) == 0)
			return codes[i].oid;
	}
	return e->code;
}

uint64_t key_alg_usages(enum key_alg alg)
{
	uint64_t sign = KU_BIT(KU_DIGITAL_SIGNATURE) | KU_BIT(KU_NON_REPUDIATION);
	uint64_t encipher = KU_BIT(KU_KEY_ENCIPHERMENT) | KU_BIT(KU_DATA_ENCIPHERMENT);

	switch (alg) {
	case KEY_RSA: /* RFC 4055 1.2: no key agreement */
		return sign | encipher;
	case KEY_P256:
	case KEY_P384: /* RFC 8813 3: no encipherment */
		return sign | KU_BIT(KU_KEY_AGREEMENT);
	case KEY_ED25519: /* RFC 9295 3: signatures alone */
		return sign;
	case KEY_SM2: /* GM/T 0015: SM2 encrypts, too */
		return sign | encipher | KU_BIT(KU_KEY_AGREEMENT);
	case KEY_ALG_N:
		break;
	}
	return 0;
}

uint64_t profile_key_usage(const struct profile_ext *e, enum key_alg alg)
{
	return e->by_algorithm ? e->bits & key_alg_usages(alg) : e->bits;
}

/* Address of a member that is text. */
static const char *const *text_member(const struct profile_ext *e, size_t i)
{
	return (const char *const *)(const void *)((const char *)e + members[i].at);
}

static bool has_member(const struct profile_ext *e, size_t i)
{
	if (1u << i == M_USAGES)
		return e->bits != 0;
	if (1u << i == M_PURPOSES)
		return e->purposes.n > 0;
	return *text_member(e, i) != NULL;
}

/* RFC 5280 3.3 wants a revoked certificate on one CRL at least that is made after its end. */
static enum err expired_check(const struct profile *p, const struct profile_ext *e, const char *type, struct fault *f)
{
	bool has_days = e->expired_days > EXPIRED_DAYS;
	if ((has_days || e->keep_expired) && e->type != EXT_CRL_DP)
		return yaml_fault(p->doc, has_days ? (const void *)&e->expired_days : (const void *)&e->keep_expired, f,
				  "extension_member", "%s: found key \"%s\", which it does not have", type,
				  has_days ? "expired_days" : "keep_expired");
	if (has_days && e->keep_expired)
		return yaml_fault(p->doc, &e->expired_days, f, "expired_both",
				  "found expired_days %lld beside keep_expired: true, wanted one of them",
				  (long long)e->expired_days);
	return OK;
}

static enum err members_check(const struct profile *p, const struct profile_ext *e, struct fault *f)
{
	const char *type = ext_type_words[e->type];

	for (size_t i = 0; i < N_MEMBERS; i++) {
		unsigned member = 1u << i;
		bool has = has_member(e, i);

		if (!has && (types[e->type].must & member) != 0)
			return yaml_fault(p->doc, e, f, "extension_member", "%s: missing key \"%s\"", type,
					  members[i].word);
		if (has && ((types[e->type].must | types[e->type].may) & member) == 0)
			return yaml_fault(p->doc, e, f, "extension_member",
					  "%s: found key \"%s\", which it does not have", type, members[i].word);
	}
	if (e->type == EXT_AIA && e->ca_issuers == NULL && e->ocsp == NULL)
		return yaml_fault(p->doc, e, f, "extension_member", "%s: wanted ca_issuers, ocsp or both", type);
	if (e->by_algorithm && e->type != EXT_KEY_USAGE)
		return yaml_fault(p->doc, &e->by_algorithm, f, "extension_member",
				  "%s: found key \"by_algorithm\", which it does not have", type);
	if (e->shards > 1 && e->type != EXT_CRL_DP)
		return yaml_fault(p->doc, &e->shards, f, "extension_member",
				  "%s: found key \"shards\", which it does not have", type);
	return expired_check(p, e, type, f);
}

/* http or https, printable ASCII, and no placeholder but those that the place has. */
static bool url_valid(const char *url, bool shard)
{
	const char *rest;

	if (strncmp(url, "http://", 7) == 0)
		rest = url + 7;
	else if (strncmp(url, "https://", 8) == 0)
		rest = url + 8;
	else
		return false;
	if (*rest == '\0' || *rest == '/')
		return false;
	for (; *rest != '\0'; rest++) {
		if (strncmp(rest, "{issuer}", 8) == 0)
			rest += 7;
		else if (shard && strncmp(rest, "{shard}", 7) == 0)
			rest += 6;
		else if (*rest <= ' ' || *rest > '~' || strchr("{}<>\"\\^`|", *rest) != NULL)
			return false;
	}
	return true;
}

static enum err urls_check(const struct profile *p, const struct profile_ext *e, struct fault *f)
{
	for (size_t i = 0; i < N_MEMBERS; i++) {
		unsigned member = 1u << i;
		const char *const *at = text_member(e, i);

		if ((member & (M_CA_ISSUERS | M_OCSP | M_URL | M_CPS)) != 0 && *at != NULL &&
		    !url_valid(*at, member == M_URL))
			return yaml_fault(p->doc, at, f, "url",
					  "found \"%s\", wanted an http or https URL in printable ASCII, %s",
					  ESC(*at, strlen(*at)),
					  member == M_URL ? "with {issuer} and {shard} at most"
							  : "with {issuer} at most");
	}
	if (e->type == EXT_CRL_DP && (e->shards > 1) != (strstr(e->url, "{shard}") != NULL))
		return yaml_fault(p->doc, &e->url, f, "url_shard", "found %lld shards and a URL %s {shard}",
				  (long long)e->shards, e->shards > 1 ? "without" : "with");
	return OK;
}

static enum err purposes_check(const struct profile *p, const struct profile_ext *e, struct fault *f)
{
	const char *words[N_PURPOSES];

	for (size_t i = 0; i < N_PURPOSES; i++)
		words[i] = purposes[i].word;
	for (size_t i = 0; i < e->purposes.n; i++) {
		const char **at = &e->purposes.v[i];
		bool ocsp = strcmp(*at, "OCSPSigning") == 0 || strcmp(*at, refused_purposes[0]) == 0;

		if (ocsp || strcmp(*at, refused_purposes[1]) == 0)
			return yaml_fault(p->doc, at, f, "purpose_refused",
					  "found purpose \"%s\", which no profile may give: %s", *at,
					  ocsp ? "only tallies of kind responder lead to it"
					       : "it stands for every purpose");
		const char *oid = profile_purpose_oid(*at);
		if (oid == NULL)
			return word_check(p->doc, at, words, N_PURPOSES, "purpose_unknown", "purpose (or dotted OID)",
					  f);
		for (size_t j = 0; j < i; j++) {
			const char *before = profile_purpose_oid(e->purposes.v[j]);
			if (before != NULL && strcmp(before, oid) == 0)
				return yaml_fault(p->doc, at, f, "purpose_twice", "found purpose \"%s\" twice", *at);
		}
	}
	return OK;
}

static enum err sources_check(const struct profile *p, const struct profile_ext *e, struct fault *f)
{
	const char *words[NAME_MAX_ATTRS], *code_words[N_CODES];

	for (size_t i = 0; i < p->subject.n; i++)
		words[i] = attrs_of(p)[i].attribute;
	for (size_t i = 0; i < N_CODES; i++)
		code_words[i] = codes[i].word;
	if (e->from != NULL)
		TRY(word_check(p->doc, &e->from, words, p->subject.n, "from_unknown", "attribute", f));
	if (e->oid != NULL && !oid_valid(e->oid))
		return yaml_fault(p->doc, &e->oid, f, "oid", "found \"%s\", wanted a dotted OID",
				  ESC(e->oid, strlen(e->oid)));
	if (e->type == EXT_GMT0015 && !oid_valid(e->code))
		TRY(word_check(p->doc, &e->code, code_words, N_CODES, "code_unknown", "code (or dotted OID)", f));
	if (e->type == EXT_SAN && strcmp(e->from, "emailAddress") != 0)
		return yaml_fault(p->doc, &e->from, f, "from_unknown",
				  "found attribute \"%s\", wanted emailAddress: the alternative name is a mailbox",
				  e->from);
	return OK;
}

enum err profile_check_extensions(struct profile *p, struct fault *f)
{
	for (size_t i = 0; i < p->extensions.n; i++) {
		struct profile_ext *e = &exts_of(p)[i];

		TRY(members_check(p, e, f));
		TRY(urls_check(p, e, f));
		TRY(purposes_check(p, e, f));
		TRY(sources_check(p, e, f));
		for (struct profile_ext *b = exts_of(p); b < e; b++) {
			/* RFC 5280 4.2: no more than one instance of an extension. */
			if (strcmp(profile_ext_oid(b), profile_ext_oid(e)) == 0)
				return yaml_fault(p->doc, e, f, "extension_twice", "found extension %s (%s) twice",
						  ext_type_words[e->type], profile_ext_oid(e));
		}
	}
	return OK;
}
