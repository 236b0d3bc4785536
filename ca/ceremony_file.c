/*
 * The ceremony's file: one table for its form, with the kinds that use each line. A line without effect would be a line
 * that reviewers believe, and a date that hangs on the day of the run one that they could not review; so both are
 * refused, at their place and with what to write instead. What needs other files to judge is in ceremony_rule.c.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/lines.h"
#include "common/pki/der.h"
#include "common/token/token_uri.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define AT(member) .offset = offsetof(struct ceremony_file, member)
#define IN(part, member) .offset = offsetof(struct ceremony_file, part.member) - offsetof(struct ceremony_file, part)
#define PRESENT_IN(part, member)                                                                                       \
	.present = offsetof(struct ceremony_file, part.member) - offsetof(struct ceremony_file, part) + 1
#define PRESENT(member) .present = offsetof(struct ceremony_file, member) + 1
#define OF(type, member) .offset = offsetof(struct type, member)
#define MAX_FILE_BYTES 65536u
#define MAX_URL 300
#define MAX_PATH 500
#define MAX_VKEY 200
#define MAX_SIGNERS NOTE_MAX_SIGS

static const char *const kind_words[CEREMONY_KIND_N + 1] = {
	[CEREMONY_ROOT] = "root",
	[CEREMONY_INTERMEDIATE] = "intermediate",
	[CEREMONY_RESPONDER] = "responder",
	[CEREMONY_LOG_KEY] = "log-key",
	[CEREMONY_CRL] = "crl",
	[CEREMONY_ROSTER] = "roster",
	[CEREMONY_POLICY] = "policy",
	[CEREMONY_SHARES] = "shares",
	[CEREMONY_ROLLOVER] = "rollover",
	[CEREMONY_REVOKE_CA] = "revoke-ca",
};
/* In the order of enum role. */
static const char *const role_words[] = {"officer", "ra", "custodian", "responder", "signer", NULL};

static const struct yaml_rule attr_rules[] = {
	{"attribute", YK_STR, OF(ceremony_attr, attribute), .required = true, .min = 1, .max = 40},
	{"value", YK_STR, OF(ceremony_attr, value), .required = true, .min = 1, .max = NAME_MAX_VALUE},
	{0},
};
static const struct yaml_rule approval_rules[] = {
	{"note", YK_STR, IN(approval, note), .required = true, .min = 1, .max = MAX_PATH},
	{"roster", YK_STR, IN(approval, roster), .required = true, .min = 1, .max = MAX_PATH},
	{0},
};
static const struct yaml_rule key_rules[] = {
	{"algorithm", YK_STR, IN(key, algorithm), .required = true, .min = 1, .max = 16},
	{"bits", YK_INT, IN(key, bits), .min = 2048, .max = 4096},
	{"token", YK_STR, IN(key, token), .min = 1, .max = MAX_PATH},
	{0},
};
static const struct yaml_rule validity_rules[] = {
	{"not_before", YK_TIME, IN(validity, not_before)},
	{"not_after", YK_TIME, IN(validity, not_after)},
	{"years", YK_INT, IN(validity, years), PRESENT_IN(validity, has_years)},
	{0},
};
static const struct yaml_rule issuer_rules[] = {
	{"certificate", YK_STR, IN(issuer, certificate), .required = true, .min = 1, .max = MAX_PATH},
	{"key", YK_STR, IN(issuer, key), .required = true, .min = 1, .max = MAX_PATH},
	{0},
};
static const struct yaml_rule crl_rules[] = {
	{"number", YK_INT, IN(crl, number), .required = true, .min = 1, .max = INT32_MAX},
	{"this_update", YK_TIME, IN(crl, this_update)},
	{"next_update", YK_TIME, IN(crl, next_update)},
	{"days", YK_INT, IN(crl, days), PRESENT_IN(crl, has_days)},
	{0},
};
static const struct yaml_rule revoke_rules[] = {
	{"certificate", YK_STR, OF(ceremony_revoke, certificate), .required = true, .min = 1, .max = MAX_PATH},
	{"reason", YK_STR, OF(ceremony_revoke, reason), .required = true, .min = 1, .max = 40},
	{"when", YK_TIME, OF(ceremony_revoke, when), .required = true},
	{0},
};
static const struct yaml_rule member_rules[] = {
	{"role", YK_WORD, OF(ceremony_member, role), .required = true, .words = role_words},
	{"name", YK_STR, OF(ceremony_member, name), .min = 1, .max = TALLY_WORD - 1},
	{"key", YK_STR, OF(ceremony_member, key), .min = 1, .max = MAX_VKEY},
	{"public", YK_STR, OF(ceremony_member, public), .min = 1, .max = MAX_PATH},
	{"projects", YK_STR, OF(ceremony_member, projects), .min = 1, .max = 1000},
	{"kinds", YK_STR, OF(ceremony_member, kinds), .min = 1, .max = 300},
	{0},
};
static const struct yaml_rule output_rules[] = {
	{"certificate", YK_STR, IN(outputs, certificate), .min = 1, .max = MAX_PATH},
	{"key", YK_STR, IN(outputs, key), .min = 1, .max = MAX_PATH},
	{"public", YK_STR, IN(outputs, public), .min = 1, .max = MAX_PATH},
	{"crl", YK_STR, IN(outputs, crl), .min = 1, .max = MAX_PATH},
	{"note", YK_STR, IN(outputs, note), .min = 1, .max = MAX_PATH},
	{"transcript", YK_STR, IN(outputs, transcript), .min = 1, .max = MAX_PATH},
	{0},
};

#define STR(member, most) YK_STR, AT(member), .min = 1, .max = most
#define LIST(member, most, rules, type)                                                                                \
	YK_LIST, AT(member), .min = 1, .max = most, .sub = rules, .elem_size = sizeof(struct type)
static const struct yaml_rule file_rules[] = {
	{"kind", YK_WORD, AT(kind), .required = true, .words = kind_words},
	{"name", STR(name, 40), .required = true},
	{"operator", STR(operator, MAX_VKEY)},
	{"witnesses", YK_STRS, AT(witnesses), .min = 1, .max = MAX_VKEY},
	{"approval", YK_SUB, AT(approval), .sub = approval_rules, PRESENT(has_approval)},
	{"subject", LIST(subject, NAME_MAX_ATTRS, attr_rules, ceremony_attr)},
	{"key", YK_SUB, AT(key), .sub = key_rules},
	{"validity", YK_SUB, AT(validity), .sub = validity_rules},
	{"path_len", YK_INT, AT(path_len), .max = 10, PRESENT(has_path_len)},
	{"policy", YK_STR, AT(policy), .min = 3, .max = 100},
	{"crl_url", STR(crl_url, MAX_URL)},
	{"ca_issuers_url", STR(ca_issuers_url, MAX_URL)},
	{"issuer", YK_SUB, AT(issuer), .sub = issuer_rules},
	{"crl", YK_SUB, AT(crl), .sub = crl_rules, PRESENT(has_crl)},
	{"previous_crl", STR(previous_crl, MAX_PATH)},
	{"replaces", STR(replaces, MAX_PATH)},
	{"revoke", LIST(revoke, 64, revoke_rules, ceremony_revoke)},
	{"ca", STR(ca, MAX_PATH)},
	{"roster", STR(roster, MAX_PATH)},
	{"previous", STR(previous, MAX_PATH)},
	{"bundle", STR(bundle, MAX_PATH)},
	{"previous_set", STR(previous_set, 2 * CUSTODY_SET)},
	{"made", YK_TIME, AT(made)},
	{"until", YK_TIME, AT(until)},
	{"quorum", YK_INT, AT(quorum), .min = 2, .max = ROSTER_MAX_MEMBERS},
	{"threshold", YK_INT, AT(threshold), .min = CUSTODY_LEAST, .max = CUSTODY_MOST},
	{"members", LIST(members, ROSTER_MAX_MEMBERS, member_rules, ceremony_member)},
	{"custodians", YK_STRS, AT(custodians), .min = 1, .max = TALLY_WORD - 1},
	{"signers", YK_STRS, AT(signers), .min = 1, .max = TALLY_WORD - 1},
	{"outputs", YK_SUB, AT(outputs), .sub = output_rules},
	{0},
};

/* Who uses a line. The others refuse it; those that need it say what to write. */
#define K(kind) (1u << CEREMONY_##kind)
#define EVERY ((1u << CEREMONY_KIND_N) - 1)
#define CERTIFICATES (K(ROOT) | K(INTERMEDIATE) | K(ROLLOVER))
#define BELOW (K(INTERMEDIATE) | K(ROLLOVER))
#define CRLS (K(CRL) | K(REVOKE_CA))
#define HEADS (K(ROSTER) | K(POLICY) | K(SHARES))
struct use {
	const char *key;
	unsigned needs, may;
	const char *example;
};
static const struct use uses[] = {
	{"approval", K(ROLLOVER) | K(REVOKE_CA), EVERY & ~K(ROOT) & ~HEADS,
	 "approval: {note: FILE.note, roster: roster.note}, which the officers' quorum signs"},
	{"subject", CERTIFICATES, 0, "subject: [{attribute: CN, value: Example Root CA}]"},
	{"key", CERTIFICATES | K(RESPONDER), K(LOG_KEY), "key: {algorithm: p256}"},
	{"validity", CERTIFICATES, 0, "validity: {not_before: 2027-01-01T00:00:00Z, not_after: 2037-01-01T00:00:00Z}"},
	{"path_len", 0, CERTIFICATES, NULL},
	{"policy", 0, CERTIFICATES, NULL},
	{"crl_url", 0, BELOW, NULL},
	{"ca_issuers_url", 0, BELOW, NULL},
	{"issuer", BELOW | CRLS, 0, "issuer: {certificate: root.crt, key: root.key}"},
	{"crl", CRLS, CERTIFICATES,
	 "crl: {number: 2, this_update: 2027-01-01T00:00:00Z, next_update: 2027-12-31T00:00:00Z}"},
	{"previous_crl", K(REVOKE_CA), BELOW | K(CRL), "previous_crl: root.crl, the one before"},
	{"replaces", K(ROLLOVER), 0, "replaces: issuing.crt, the certificate of the CA that is rolled"},
	{"revoke", K(REVOKE_CA), 0,
	 "revoke: [{certificate: issuing.crt, reason: superseded, when: 2027-01-01T00:00:00Z}]"},
	{"ca", HEADS | K(LOG_KEY), 0, "ca: issuing.crt, the certificate of the CA"},
	{"roster", K(POLICY) | K(SHARES), 0, "roster: roster.note, the one in force"},
	{"previous", 0, K(ROSTER) | K(POLICY), NULL},
	{"bundle", K(POLICY), 0, "bundle: policies, the folder"},
	{"previous_set", 0, K(SHARES), NULL},
	{"made", HEADS, 0, "made: 2027-01-01T00:00:00Z"},
	{"until", 0, K(POLICY), NULL},
	{"quorum", K(ROSTER), 0, "quorum: 2"},
	{"threshold", K(SHARES), 0, "threshold: 3"},
	{"members", K(ROSTER), 0, "members: [{role: officer, key: alice+1a2b3c4d+AU…}]"},
	{"custodians", K(SHARES), 0, "custodians: [kate, liam, mona]"},
	{"signers", HEADS, 0, "signers: [alice, bob]"},
	{"outputs", EVERY, 0, "outputs, with a transcript"},
	{0},
};
static const struct use output_uses[] = {
	{"certificate", CERTIFICATES, 0, "certificate: etc/hufu/NAME.crt"},
	{"key", CERTIFICATES | K(RESPONDER) | K(LOG_KEY), 0, "key: var/lib/hufu-ca/NAME.key"},
	{"public", K(RESPONDER) | K(LOG_KEY), 0, "public: etc/hufu/NAME.pub"},
	{"crl", CRLS, CERTIFICATES, "crl: etc/hufu/root.crl"},
	{"note", HEADS, 0, "note: etc/hufu/NAME.note"},
	{"transcript", EVERY, 0, "transcript: etc/hufu/ceremonies/NAME.note"},
	{0},
};

const char *ceremony_kind_word(int kind)
{
	return kind_words[kind];
}

const char *const *ceremony_output(const struct ceremony_file *c, size_t i, const char **ret_what)
{
	const char *const *const outputs[CEREMONY_OUTPUTS] = {&c->outputs.key,	       &c->outputs.public,
							      &c->outputs.crl,	       &c->outputs.note,
							      &c->outputs.certificate, &c->outputs.transcript};
	static const char *const words[CEREMONY_OUTPUTS] = {"key",  "public",	   "crl",
							    "note", "certificate", "transcript"};
	assert(i < CEREMONY_OUTPUTS);
	if (ret_what)
		*ret_what = words[i];
	return outputs[i];
}

void ceremony_file_done(struct ceremony_file *c)
{
	name_done(&c->name_meant);
	if (c->doc)
		yaml_free(c->doc);
	*c = (struct ceremony_file){0};
}

/* --- lines that are used, and those that are not --- */

static const void *member_of(const struct yaml_rule *rules, const char *key, const void *base)
{
	while (strcmp(rules->key, key) != 0)
		rules++;
	return (const uint8_t *)base + rules->offset;
}

static void kinds_text(unsigned kinds, struct buf *ret)
{
	for (int i = 0; i < CEREMONY_KIND_N; i++)
		if (kinds & (1u << i))
			buf_fmt(ret, "%s%s", ret->len ? ", " : "", kind_words[i]);
}

static enum err check_uses(const struct ceremony_file *c, const struct yaml_node *map, const struct use *u,
			   const struct yaml_rule *rules, const void *base, struct fault *f)
{
	unsigned bit = 1u << c->kind;
	bool outputs = u == output_uses;
	for (; u->key; u++) {
		bool there = yaml_get(map, u->key) != NULL;
		if (there && !((u->needs | u->may) & bit)) {
			_cleanup_buf_ struct buf kinds = {0};
			kinds_text(u->needs | u->may, &kinds);
			return yaml_fault(c->doc, member_of(rules, u->key, base), f, "ceremony_unused",
					  "kind %s does not use %s%s; it is for %s. Take the line out",
					  kind_words[c->kind], outputs ? "outputs." : "", u->key, buf_text(&kinds));
		}
		if (!there && (u->needs & bit))
			return yaml_fault(c->doc, outputs ? (const void *)&c->outputs : (const void *)&c->kind, f,
					  "ceremony_missing", "kind %s: found no %s%s, wanted for example %s",
					  kind_words[c->kind], outputs ? "outputs." : "", u->key, u->example);
	}
	return OK;
}

/* --- each line --- */

static enum err check_name(const struct ceremony_file *c, struct fault *f)
{
	if (!word_valid(slice_str(c->name), TALLY_WORD))
		return yaml_fault(c->doc, &c->name, f, "ceremony_name",
				  "found \"%s\", wanted a-z, 0-9 and '-' from a letter", ESC(c->name, strlen(c->name)));
	return OK;
}

static enum err check_person(const struct ceremony_file *c, const char *const *vkey, const char *what, char *ret_name,
			     struct fault *f)
{
	uint8_t key[ED25519_KEY];
	struct fault inner = {0};
	if (note_vkey_parse(slice_str(*vkey), ret_name, key, &inner) != OK)
		return yaml_fault(
			c->doc, vkey, f, "ceremony_person",
			"%s: found \"%s\", wanted a verifier key as `hufu officer key` prints it: name+id+base64", what,
			ESC(*vkey, strlen(*vkey)));
	return OK;
}

static enum err check_people(const struct ceremony_file *c, struct fault *f)
{
	char names[TRANSCRIPT_MAX_WITNESSES + 1][NOTE_MAX_NAME + 1];
	size_t n = 0;
	if (c->witnesses.n > TRANSCRIPT_MAX_WITNESSES)
		return yaml_fault(c->doc, &c->witnesses, f, "ceremony_witnesses", "found %zu, wanted at most %d",
				  c->witnesses.n, TRANSCRIPT_MAX_WITNESSES);
	if (c->operator)
		TRY(check_person(c, &c->operator, "operator", names[n++], f));
	for (size_t i = 0; i < c->witnesses.n; i++) {
		TRY(check_person(c, &c->witnesses.v[i], "witness", names[n], f));
		for (size_t k = 0; k < n; k++)
			if (strcmp(names[k], names[n]) == 0)
				return yaml_fault(c->doc, &c->witnesses.v[i], f, "ceremony_person_twice",
						  "\"%s\" stands twice, wanted different people", names[n]);
		n++;
	}
	return OK;
}

static enum err check_subject(struct ceremony_file *c, struct fault *f)
{
	const struct ceremony_attr *attrs = c->subject.v;
	for (size_t i = 0; i < c->subject.n; i++) {
		const char *word = attrs[i].attribute, *value = attrs[i].value;
		const struct attr_type *type = attr_by_word(word, strlen(word));
		struct fault inner = {0};
		if (!type)
			return yaml_fault(c->doc, &attrs[i].attribute, f, "ceremony_attribute",
					  "found attribute \"%s\", wanted a known one (C, O, OU, CN and so on)",
					  ESC(word, strlen(word)));
		if (name_add(&c->name_meant, type, value, strlen(value), &inner) != OK)
			return yaml_fault(c->doc, &attrs[i].value, f, inner.rule, "%s", inner.text);
	}
	return OK;
}

/* A key's URI as a ceremony names it: no configuration says by which library. */
static enum err check_uri(const struct ceremony_file *c, const char *const *member, const char *what,
			  struct token_uri *ret, struct fault *f)
{
	struct fault why = {0};
	if (token_uri_parse(*member, TOKEN_URI_KEY, what, ret, &why) != OK)
		return yaml_fault(c->doc, member, f, "ceremony_token", "%s", why.text);
	if (ret->module.n == 0)
		return yaml_fault(c->doc, member, f, "ceremony_token",
				  "%s: found no module-path, wanted that of the PKCS#11 library, as in "
				  "pkcs11:serial=…;object=…?module-path=/usr/lib/softhsm/libsofthsm2.so",
				  what);
	return OK;
}

static enum err check_issuer(const struct ceremony_file *c, struct fault *f)
{
	struct token_uri issuer, own;
	if (!c->issuer.key || !is_token_uri(c->issuer.key))
		return OK;
	TRY(check_uri(c, &c->issuer.key, "issuer.key", &issuer, f));
	if (!c->key.token)
		return OK;
	TRY(check_uri(c, &c->key.token, "key.token", &own, f));
	if (strcmp(issuer.module.text, own.module.text) == 0)
		return OK;
	return yaml_fault(c->doc, &c->issuer.key, f, "ceremony_token",
			  "found library %s, and %s for key.token: a ceremony uses one",
			  ESC(issuer.module.text, issuer.module.n), ESC(own.module.text, own.module.n));
}

static enum err check_token(const struct ceremony_file *c, struct fault *f)
{
	struct token_uri uri;
	TRY(check_uri(c, &c->key.token, "key.token", &uri, f));
	if (uri.object.n == 0)
		return yaml_fault(
			c->doc, &c->key.token, f, "ceremony_token",
			"found no object, wanted the new key's label: pkcs11:serial=…;object=NAME?module-path=…");
	if (c->alg == KEY_SM2)
		return yaml_fault(c->doc, &c->key.token, f, "ceremony_token",
				  "PKCS#11 has no mechanism for SM2: keep that key in a file");
	return OK;
}

static enum err check_key(struct ceremony_file *c, struct fault *f)
{
	if (!c->key.algorithm)
		return OK;
	if (!key_alg_from_word(c->key.algorithm, &c->alg))
		return yaml_fault(c->doc, &c->key.algorithm, f, "ceremony_algorithm",
				  "found \"%s\", wanted rsa, p256, p384, ed25519 or sm2",
				  ESC(c->key.algorithm, strlen(c->key.algorithm)));
	if ((c->alg == KEY_RSA) != (c->key.bits != 0))
		return yaml_fault(c->doc, c->key.bits ? (void *)&c->key.bits : (void *)&c->key.algorithm, f,
				  "ceremony_bits", "%s key: found %s, wanted %s", c->key.algorithm,
				  c->key.bits ? "bits" : "no bits",
				  c->key.bits ? "none: bits are for rsa" : "bits: 2048 to 4096");
	if (c->key.bits % 1024 != 0)
		return yaml_fault(c->doc, &c->key.bits, f, "ceremony_bits",
				  "found %lld bits, wanted 2048, 3072 or 4096", (long long)c->key.bits);
	if (c->kind == CEREMONY_LOG_KEY && (c->alg != KEY_ED25519 || !c->key.token))
		return yaml_fault(
			c->doc, &c->key, f, "ceremony_log_key",
			"the log key is an ed25519 key; without this line it is a file, and with it in a token: "
			"wanted {algorithm: ed25519, token: \"pkcs11:…\"}");
	return c->key.token ? check_token(c, f) : OK;
}

static enum err relative(const struct ceremony_file *c, const void *member, const char *what, const char *from,
			 const char *to, struct fault *f)
{
	return yaml_fault(c->doc, member, f, "ceremony_relative",
			  "%s depends on the day of the run, which nobody can review; wanted %s and %s, such as "
			  "2027-01-01T00:00:00Z",
			  what, from, to);
}

static enum err check_validity(const struct ceremony_file *c, struct fault *f)
{
	const int64_t *begin = &c->validity.not_before, *end = &c->validity.not_after;
	if (c->validity.has_years)
		return relative(c, &c->validity.years, "years", "not_before", "not_after", f);
	if (*begin == 0 || *end == 0)
		return yaml_fault(c->doc, &c->validity, f, "ceremony_validity",
				  "found no %s, wanted not_before and not_after",
				  *begin == 0 ? "not_before" : "not_after");
	if (*begin >= *end)
		return yaml_fault(c->doc, end, f, "ceremony_validity",
				  "not_after is not later than not_before (RFC 5280 4.1.2.5)");
	return OK;
}

/* A CA's CRL is renewed within twelve months: CA/B BR 4.9.7. */
static enum err check_crl(const struct ceremony_file *c, struct fault *f)
{
	const int64_t *now = &c->crl.this_update, *next = &c->crl.next_update;
	if (c->has_crl != (c->outputs.crl != NULL))
		return yaml_fault(c->doc, c->has_crl ? (const void *)&c->crl : (const void *)&c->outputs.crl, f,
				  "ceremony_crl", "found %s without %s, wanted both or neither",
				  c->has_crl ? "crl" : "outputs.crl", c->has_crl ? "outputs.crl" : "crl");
	if (!c->has_crl)
		return c->previous_crl
			       ? yaml_fault(c->doc, &c->previous_crl, f, "ceremony_unused",
					    "previous_crl is for a crl, and the file has none. Take the line out")
			       : OK;
	if (c->crl.has_days)
		return relative(c, &c->crl.days, "days", "this_update", "next_update", f);
	if (*now == 0 || *next == 0)
		return yaml_fault(c->doc, &c->crl, f, "ceremony_crl", "found no %s, wanted this_update and next_update",
				  *now == 0 ? "this_update" : "next_update");
	if (*next <= *now || *next - *now > 366 * INT64_C(86400))
		return yaml_fault(c->doc, next, f, "ceremony_crl",
				  "found %s, wanted a time after this_update and at most 366 days from it", UTC(*next));
	if (c->kind == CEREMONY_ROOT && c->crl.number != 1)
		return yaml_fault(c->doc, &c->crl.number, f, "ceremony_crl", "found %lld, wanted 1: a new root's first",
				  (long long)c->crl.number);
	if ((c->crl.number == 1) == (c->previous_crl != NULL))
		return yaml_fault(
			c->doc, c->previous_crl ? (const void *)&c->previous_crl : (const void *)&c->crl.number, f,
			"ceremony_crl_previous",
			c->previous_crl
				? "number 1 is the first CRL: found a previous_crl, wanted none"
				: "a CRL of a number above 1 takes over what is revoked: found no previous_crl, "
				  "wanted the file of the CRL before");
	return OK;
}

static bool url_valid(const char *url)
{
	size_t n = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
	if (n == 0 || url[n] == '\0' || url[n] == '/')
		return false;
	for (url += n; *url != '\0'; url++) {
		if (strncmp(url, "{issuer}", 8) == 0)
			url += 7;
		else if (*url <= ' ' || *url > '~' || strchr("{}<>\"\\^`|", *url))
			return false;
	}
	return true;
}

static enum err check_urls(const struct ceremony_file *c, struct fault *f)
{
	const char *const *const urls[] = {&c->crl_url, &c->ca_issuers_url};
	_cleanup_buf_ struct buf scratch = {0};
	for (size_t i = 0; i < 2; i++)
		if (*urls[i] && !url_valid(*urls[i]))
			return yaml_fault(
				c->doc, urls[i], f, "ceremony_url",
				"found \"%s\", wanted an http or https URL in printable ASCII, with {issuer} at most",
				ESC(*urls[i], strlen(*urls[i])));
	if (c->policy && !der_put_oid(&scratch, c->policy))
		return yaml_fault(c->doc, &c->policy, f, "ceremony_policy", "found \"%s\", wanted a dotted OID",
				  ESC(c->policy, strlen(c->policy)));
	return OK;
}

/* Several people sign, each once. */
static enum err check_words(const struct ceremony_file *c, const struct yaml_strs *l, const char *what, size_t least,
			    size_t most, struct fault *f)
{
	if (l->n < least || l->n > most)
		return yaml_fault(c->doc, l, f, "ceremony_number", "%s: found %zu, wanted %zu to %zu", what, l->n,
				  least, most);
	for (size_t i = 0; i < l->n; i++) {
		if (!word_valid(slice_str(l->v[i]), TALLY_WORD))
			return yaml_fault(c->doc, &l->v[i], f, "ceremony_name",
					  "%s: found \"%s\", wanted a name of the roster", what,
					  ESC(l->v[i], strlen(l->v[i])));
		for (size_t k = 0; k < i; k++)
			if (strcmp(l->v[i], l->v[k]) == 0)
				return yaml_fault(c->doc, &l->v[i], f, "ceremony_person_twice",
						  "%s: \"%s\" stands twice, wanted different people", what, l->v[i]);
	}
	return OK;
}

static enum err check_lists(const struct ceremony_file *c, struct fault *f)
{
	if (c->signers.n)
		TRY(check_words(c, &c->signers, "signers", 2, MAX_SIGNERS, f));
	if (c->custodians.n)
		TRY(check_words(c, &c->custodians, "custodians", (size_t)c->threshold, SHAMIR_MAX, f));
	uint8_t set[CUSTODY_SET];
	if (c->previous_set && !slice_hex(slice_str(c->previous_set), set, sizeof(set)))
		return yaml_fault(c->doc, &c->previous_set, f, "ceremony_set",
				  "found \"%s\", wanted the 32 hex digits of the set in force",
				  ESC(c->previous_set, strlen(c->previous_set)));
	const struct ceremony_revoke *r = c->revoke.v;
	for (size_t i = 0; i < c->revoke.n; i++)
		if (crl_reason_from_word(r[i].reason) < 0)
			return yaml_fault(
				c->doc, &r[i].reason, f, "ceremony_reason",
				"found \"%s\", wanted a reason such as keyCompromise or superseded (RFC 5280 5.3.1)",
				ESC(r[i].reason, strlen(r[i].reason)));
	return OK;
}

static enum err check_outputs(const struct ceremony_file *c, struct fault *f)
{
	for (size_t i = 0; i < CEREMONY_OUTPUTS; i++) {
		const char *const *path = ceremony_output(c, i, NULL);
		for (size_t k = 0; k < i && *path; k++) {
			const char *const *other = ceremony_output(c, k, NULL);
			if (*other && strcmp(*path, *other) == 0)
				return yaml_fault(c->doc, path, f, "ceremony_output", "path \"%s\" stands twice",
						  ESC(*path, strlen(*path)));
		}
		if (*path && (strpbrk(*path, "\n\r") || strstr(*path, "..")))
			return yaml_fault(c->doc, path, f, "ceremony_output",
					  "found \"%s\", wanted a path without line breaks and without \"..\"",
					  ESC(*path, strlen(*path)));
	}
	return OK;
}

static enum err check_each(struct ceremony_file *c, struct fault *f)
{
	unsigned bit = 1u << c->kind;
	TRY(check_name(c, f));
	TRY(check_people(c, f));
	TRY(check_subject(c, f));
	TRY(check_key(c, f));
	TRY(check_issuer(c, f));
	if (CERTIFICATES & bit)
		TRY(check_validity(c, f));
	if ((CERTIFICATES | CRLS) & bit)
		TRY(check_crl(c, f));
	TRY(check_urls(c, f));
	TRY(check_lists(c, f));
	return check_outputs(c, f);
}

enum err ceremony_file_load(const char *path, struct ceremony_file *ret, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	struct ceremony_file *c = ret;
	TRY(file_read(path, MAX_FILE_BYTES, &bytes, f));
	sha256(bytes.data, bytes.len, c->sha256);
	TRY(yaml_parse(path, buf_slice(&bytes), &c->doc, f));
	TRY(yaml_decode(c->doc, yaml_root(c->doc), file_rules, c, f));
	TRY(check_uses(c, yaml_root(c->doc), uses, file_rules, c, f));
	TRY(check_uses(c, yaml_get(yaml_root(c->doc), "outputs"), output_uses, output_rules, &c->outputs, f));
	return check_each(c, f);
}
