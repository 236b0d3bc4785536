/*
 * The ceremony's file: one table for its form, and checks that what stands there is used by its kind. A line without
 * effect would be a line that reviewers believe. Next: ceremony.c, which does it.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <stddef.h>
#include <string.h>

#define AT(member) .offset = offsetof(struct ceremony_file, member)
#define IN(part, member) .offset = offsetof(struct ceremony_file, part.member) - offsetof(struct ceremony_file, part)
#define PRESENT_IN(part, member)                                                                                       \
	.present = offsetof(struct ceremony_file, part.member) - offsetof(struct ceremony_file, part) + 1
#define PRESENT(member) .present = offsetof(struct ceremony_file, member) + 1
#define MAX_FILE_BYTES 65536u
#define MAX_URL 300
#define MAX_PATH 500

static const char *const kind_words[] = {"root", "intermediate", NULL};

static const struct yaml_rule attr_rules[] = {
	{"attribute", YK_STR, .offset = offsetof(struct ceremony_attr, attribute), .required = true, .min = 1,
	 .max = 40},
	{"value", YK_STR, .offset = offsetof(struct ceremony_attr, value), .required = true, .min = 1,
	 .max = NAME_MAX_VALUE},
	{0},
};
static const struct yaml_rule key_rules[] = {
	{"algorithm", YK_STR, IN(key, algorithm), .required = true, .min = 1, .max = 16},
	{"bits", YK_INT, IN(key, bits), .min = 2048, .max = 4096},
	{0},
};
/* 25 years at most: CA/B BR 7.1.2.1.1. */
static const struct yaml_rule validity_rules[] = {
	{"years", YK_INT, IN(validity, years), .min = 1, .max = 25, PRESENT_IN(validity, has_years)},
	{"not_before", YK_TIME, IN(validity, not_before), PRESENT_IN(validity, has_not_before)},
	{"not_after", YK_TIME, IN(validity, not_after), PRESENT_IN(validity, has_not_after)},
	{0},
};
static const struct yaml_rule issuer_rules[] = {
	{"certificate", YK_STR, IN(issuer, certificate), .required = true, .min = 1, .max = MAX_PATH},
	{"key", YK_STR, IN(issuer, key), .required = true, .min = 1, .max = MAX_PATH},
	{0},
};
static const struct yaml_rule output_rules[] = {
	{"certificate", YK_STR, IN(outputs, certificate), .required = true, .min = 1, .max = MAX_PATH},
	{"key", YK_STR, IN(outputs, key), .required = true, .min = 1, .max = MAX_PATH},
	{"transcript", YK_STR, IN(outputs, transcript), .required = true, .min = 1, .max = MAX_PATH},
	{"crl", YK_STR, IN(outputs, crl), .min = 1, .max = MAX_PATH},
	{0},
};
/* A CA's CRL is renewed within twelve months: CA/B BR 4.9.7. */
static const struct yaml_rule crl_rules[] = {
	{"number", YK_INT, IN(crl, number), .required = true, .min = 1, .max = INT32_MAX},
	{"days", YK_INT, IN(crl, days), .required = true, .min = 1, .max = 366},
	{0},
};
static const struct yaml_rule file_rules[] = {
	{"kind", YK_WORD, AT(kind), .required = true, .words = kind_words},
	{"name", YK_STR, AT(name), .required = true, .min = 1, .max = 40},
	{"subject", YK_LIST, AT(subject), .required = true, .min = 1, .max = NAME_MAX_ATTRS, .sub = attr_rules,
	 .elem_size = sizeof(struct ceremony_attr)},
	{"key", YK_SUB, AT(key), .required = true, .sub = key_rules},
	{"validity", YK_SUB, AT(validity), .required = true, .sub = validity_rules},
	{"path_len", YK_INT, AT(path_len), .max = 10, PRESENT(has_path_len)},
	{"policy", YK_STR, AT(policy), .min = 3, .max = 100},
	{"crl_url", YK_STR, AT(crl_url), .min = 1, .max = MAX_URL},
	{"ca_issuers_url", YK_STR, AT(ca_issuers_url), .min = 1, .max = MAX_URL},
	{"issuer", YK_SUB, AT(issuer), .sub = issuer_rules, PRESENT(has_issuer)},
	{"outputs", YK_SUB, AT(outputs), .required = true, .sub = output_rules},
	{"crl", YK_SUB, AT(crl), .sub = crl_rules, PRESENT(has_crl)},
	{"operator_key", YK_STR, AT(operator_key), .min = 1, .max = MAX_PATH},
	{0},
};

const char *ceremony_kind_word(int kind)
{
	return kind_words[kind];
}

void ceremony_file_done(struct ceremony_file *c)
{
	name_done(&c->name_meant);
	if (c->doc)
		yaml_free(c->doc);
	*c = (struct ceremony_file){0};
}

static enum err check_name(const struct ceremony_file *c, struct fault *f)
{
	size_t n = strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (c->name[n] != '\0' || c->name[0] < 'a')
		return yaml_fault(c->doc, &c->name, f, "ceremony_name",
				  "found \"%s\", wanted a-z, 0-9 and '-' from a letter", ESC(c->name, strlen(c->name)));
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

static enum err check_key(struct ceremony_file *c, struct fault *f)
{
	if (!key_alg_from_word(c->key.algorithm, &c->alg))
		return yaml_fault(c->doc, &c->key.algorithm, f, "ceremony_algorithm",
				  "found \"%s\", wanted rsa, p256, p384, ed25519 or sm2",
				  ESC(c->key.algorithm, strlen(c->key.algorithm)));
	if ((c->alg == KEY_RSA) != (c->key.bits != 0))
		return yaml_fault(c->doc, c->key.bits ? (void *)&c->key.bits : (void *)&c->key.algorithm, f,
				  "ceremony_bits", "%s key: found %s, wanted %s", c->key.algorithm,
				  c->key.bits ? "bits" : "no bits",
				  c->key.bits ? "none: bits are for rsa" : "bits: 2048 to 4096");
	return OK;
}

static enum err check_validity(const struct ceremony_file *c, struct fault *f)
{
	bool absolute = c->validity.has_not_before && c->validity.has_not_after;
	bool some = c->validity.has_not_before || c->validity.has_not_after;
	if (c->validity.has_years ? some : !absolute)
		return yaml_fault(c->doc, &c->validity, f, "ceremony_validity",
				  "found %s%s%s, wanted years alone, or not_before and not_after",
				  c->validity.has_years ? "years " : "",
				  c->validity.has_not_before ? "not_before " : "",
				  c->validity.has_not_after ? "not_after" : "");
	if (absolute && c->validity.not_before >= c->validity.not_after)
		return yaml_fault(c->doc, &c->validity.not_after, f, "ceremony_validity",
				  "not_after is not later than not_before (RFC 5280 4.1.2.5)");
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

/* A root is its own issuer: who trusts it has it, and looks for its revocation nowhere. */
static enum err check_url(const struct ceremony_file *c, const char *const *url, const char *key, struct fault *f)
{
	if (!*url)
		return OK;
	if (c->kind == CEREMONY_ROOT)
		return yaml_fault(c->doc, url, f, "ceremony_unused", "a root has no %s (RFC 5280 4.2.1.13, 4.2.2.1)",
				  key);
	if (!url_valid(*url))
		return yaml_fault(c->doc, url, f, "ceremony_url",
				  "found \"%s\", wanted an http or https URL in printable ASCII, with {issuer} at most",
				  ESC(*url, strlen(*url)));
	return OK;
}

static enum err check_parts(const struct ceremony_file *c, struct fault *f)
{
	_cleanup_buf_ struct buf scratch = {0};
	bool wants_issuer = c->kind == CEREMONY_INTERMEDIATE;
	if (wants_issuer != c->has_issuer)
		return yaml_fault(c->doc, wants_issuer ? (const void *)&c->kind : (const void *)&c->issuer, f,
				  wants_issuer ? "ceremony_issuer" : "ceremony_unused",
				  "kind %s: found %s issuer, wanted %s", kind_words[c->kind],
				  c->has_issuer ? "an" : "no", wants_issuer ? "one" : "none");
	if (c->has_crl != (c->outputs.crl != NULL))
		return yaml_fault(c->doc, c->has_crl ? (const void *)&c->crl : (const void *)&c->outputs.crl, f,
				  "ceremony_crl", "found %s without %s, wanted both or neither",
				  c->has_crl ? "crl" : "outputs.crl", c->has_crl ? "outputs.crl" : "crl");
	if (c->policy && !der_put_oid(&scratch, c->policy))
		return yaml_fault(c->doc, &c->policy, f, "ceremony_policy", "found \"%s\", wanted a dotted OID",
				  ESC(c->policy, strlen(c->policy)));
	TRY(check_url(c, &c->crl_url, "crl_url", f));
	return check_url(c, &c->ca_issuers_url, "ca_issuers_url", f);
}

static enum err check_outputs(const struct ceremony_file *c, struct fault *f)
{
	const char *const *const outputs[] = {&c->outputs.certificate, &c->outputs.key, &c->outputs.transcript,
					      &c->outputs.crl};
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < i; j++) {
			if (*outputs[i] && strcmp(*outputs[i], *outputs[j]) == 0)
				return yaml_fault(c->doc, outputs[i], f, "ceremony_output", "path \"%s\" stands twice",
						  ESC(*outputs[i], strlen(*outputs[i])));
		}
		if (*outputs[i] && strpbrk(*outputs[i], "\n\r"))
			return yaml_fault(c->doc, outputs[i], f, "ceremony_output", "a path has a line break");
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
	TRY(check_name(c, f));
	TRY(check_subject(c, f));
	TRY(check_key(c, f));
	TRY(check_validity(c, f));
	TRY(check_parts(c, f));
	return check_outputs(c, f);
}
