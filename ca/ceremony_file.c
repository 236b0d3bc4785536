/*
 * The ceremony's file: one table for its form, with the kinds that use each line. A line without effect would be a line
 * that reviewers believe, and a date that hangs on the day of the run one that they could not review; so both are
 * refused, at their place and with what to write instead. What each line means is in ceremony_line.c, and what needs other
 * files to judge in ceremony_rule.c.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

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
#define EVERY ((1u << CEREMONY_KIND_N) - 1)
#define BELOW (CEREMONY_BIT(INTERMEDIATE) | CEREMONY_BIT(ROLLOVER))
#define HEADS (CEREMONY_BIT(ROSTER) | CEREMONY_BIT(POLICY) | CEREMONY_BIT(SHARES))
struct use {
	const char *key;
	unsigned needs, may;
	const char *example;
};
static const struct use uses[] = {
	{"approval", CEREMONY_BIT(ROLLOVER) | CEREMONY_BIT(REVOKE_CA), EVERY & ~CEREMONY_BIT(ROOT) & ~HEADS,
	 "approval: {note: FILE.note, roster: roster.note}, which the officers' quorum signs"},
	{"subject", CEREMONY_CERTIFICATES, 0, "subject: [{attribute: CN, value: Example Root CA}]"},
	{"key", CEREMONY_CERTIFICATES | CEREMONY_BIT(RESPONDER), CEREMONY_BIT(LOG_KEY), "key: {algorithm: p256}"},
	{"validity", CEREMONY_CERTIFICATES, 0,
	 "validity: {not_before: 2027-01-01T00:00:00Z, not_after: 2037-01-01T00:00:00Z}"},
	{"path_len", 0, CEREMONY_CERTIFICATES, NULL},
	{"policy", 0, CEREMONY_CERTIFICATES, NULL},
	{"crl_url", 0, BELOW, NULL},
	{"ca_issuers_url", 0, BELOW, NULL},
	{"issuer", BELOW | CEREMONY_CRLS, 0, "issuer: {certificate: root.crt, key: root.key}"},
	{"crl", CEREMONY_CRLS, CEREMONY_CERTIFICATES,
	 "crl: {number: 2, this_update: 2027-01-01T00:00:00Z, next_update: 2027-12-31T00:00:00Z}"},
	{"previous_crl", CEREMONY_BIT(REVOKE_CA), BELOW | CEREMONY_BIT(CRL), "previous_crl: root.crl, the one before"},
	{"replaces", CEREMONY_BIT(ROLLOVER), 0, "replaces: issuing.crt, the certificate of the CA that is rolled"},
	{"revoke", CEREMONY_BIT(REVOKE_CA), 0,
	 "revoke: [{certificate: issuing.crt, reason: superseded, when: 2027-01-01T00:00:00Z}]"},
	{"ca", HEADS | CEREMONY_BIT(LOG_KEY), 0, "ca: issuing.crt, the certificate of the CA"},
	{"roster", CEREMONY_BIT(POLICY) | CEREMONY_BIT(SHARES), 0, "roster: roster.note, the one in force"},
	{"previous", 0, CEREMONY_BIT(ROSTER) | CEREMONY_BIT(POLICY), NULL},
	{"bundle", CEREMONY_BIT(POLICY), 0, "bundle: policies, the folder"},
	{"previous_set", 0, CEREMONY_BIT(SHARES), NULL},
	{"made", HEADS, 0, "made: 2027-01-01T00:00:00Z"},
	{"until", 0, CEREMONY_BIT(POLICY), NULL},
	{"quorum", CEREMONY_BIT(ROSTER), 0, "quorum: 2"},
	{"threshold", CEREMONY_BIT(SHARES), 0, "threshold: 3"},
	{"members", CEREMONY_BIT(ROSTER), 0, "members: [{role: officer, key: alice+1a2b3c4d+AU…}]"},
	{"custodians", CEREMONY_BIT(SHARES), 0, "custodians: [kate, liam, mona]"},
	{"signers", HEADS, 0, "signers: [alice, bob]"},
	{"outputs", EVERY, 0, "outputs, with a transcript"},
	{0},
};
static const struct use output_uses[] = {
	{"certificate", CEREMONY_CERTIFICATES, 0, "certificate: etc/hufu/NAME.crt"},
	{"key", CEREMONY_CERTIFICATES | CEREMONY_BIT(RESPONDER) | CEREMONY_BIT(LOG_KEY), 0,
	 "key: var/lib/hufu-ca/NAME.key"},
	{"public", CEREMONY_BIT(RESPONDER) | CEREMONY_BIT(LOG_KEY), 0, "public: etc/hufu/NAME.pub"},
	{"crl", CEREMONY_CRLS, CEREMONY_CERTIFICATES, "crl: etc/hufu/root.crl"},
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
	return ceremony_lines(c, f);
}
