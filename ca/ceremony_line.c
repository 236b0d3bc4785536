/*
 * What each line of a ceremony's file may say, by itself and beside the others: people, names, keys and where they are,
 * dates, CRLs, URLs, outputs. No file but this one is looked at. Next: ceremony_rule.c.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/note/lines.h"
#include "common/pki/der.h"
#include "common/token/token_uri.h"

#include <string.h>

#define MAX_SIGNERS NOTE_MAX_SIGS
#define MAX_FILE_NAME 200 /* a file is written under a longer name first */

static enum err check_name(const struct ceremony_file *c, struct fault *f)
{
	if (!word_valid(slice_str(c->name), TALLY_WORD))
		return yaml_fault(c->doc, &c->name, f, "ceremony_name",
				  "found \"%s\", wanted a-z, 0-9 and '-' from a letter", ESC(c->name, strlen(c->name)));
	return OK;
}

static enum err check_person(const struct ceremony_file *c, const char *const *vkey, const char *what,
			     struct transcript_person *ret, struct fault *f)
{
	struct fault inner = {0};
	if (note_vkey_parse(slice_str(*vkey), ret->name, ret->key, &inner) != OK)
		return yaml_fault(
			c->doc, vkey, f, "ceremony_person",
			"%s: found \"%s\", wanted a verifier key as `hufu officer key` prints it: name+id+base64", what,
			ESC(*vkey, strlen(*vkey)));
	return OK;
}

/* A second name for one key is no second pair of eyes. */
static enum err check_other_person(const struct ceremony_file *c, const char *const *vkey,
				   const struct transcript_person *p, const struct transcript_person *other,
				   struct fault *f)
{
	if (strcmp(other->name, p->name) == 0)
		return yaml_fault(c->doc, vkey, f, "ceremony_person_twice",
				  "\"%s\" stands twice, wanted different people", p->name);
	if (memcmp(other->key, p->key, sizeof(p->key)) == 0)
		return yaml_fault(c->doc, vkey, f, "ceremony_person_twice",
				  "\"%s\" has the key of \"%s\", wanted different people with a key each", p->name,
				  other->name);
	return OK;
}

static enum err check_people(const struct ceremony_file *c, struct fault *f)
{
	struct transcript_person people[TRANSCRIPT_MAX_WITNESSES + 1];
	size_t n = 0;
	if (c->witnesses.n > TRANSCRIPT_MAX_WITNESSES)
		return yaml_fault(c->doc, &c->witnesses, f, "ceremony_witnesses", "found %zu, wanted at most %d",
				  c->witnesses.n, TRANSCRIPT_MAX_WITNESSES);
	if (c->operator)
		TRY(check_person(c, &c->operator, "operator", &people[n++], f));
	for (size_t i = 0; i < c->witnesses.n; i++, n++) {
		TRY(check_person(c, &c->witnesses.v[i], "witness", &people[n], f));
		for (size_t k = 0; k < n; k++)
			TRY(check_other_person(c, &c->witnesses.v[i], &people[n], &people[k], f));
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
		TRY(check_words(c, &c->custodians, "custodians",
				c->threshold > CUSTODY_PEOPLE ? (size_t)c->threshold : CUSTODY_PEOPLE, SHAMIR_MAX, f));
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

/* What would be refused only when it is written, after the keys were made, is refused here. */
static enum err check_path(const struct ceremony_file *c, const char *const *path, struct fault *f)
{
	const char *slash = strrchr(*path, '/'), *name = slash ? slash + 1 : *path;
	if (strpbrk(*path, "\n\r") || strstr(*path, ".."))
		return yaml_fault(c->doc, path, f, "ceremony_output",
				  "found \"%s\", wanted a path without line breaks and without \"..\"",
				  ESC(*path, strlen(*path)));
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strlen(name) > MAX_FILE_NAME)
		return yaml_fault(c->doc, path, f, "ceremony_output",
				  "found \"%s\", wanted a file and its name in at most %d bytes",
				  ESC(*path, strlen(*path)), MAX_FILE_NAME);
	return OK;
}

static enum err check_outputs(const struct ceremony_file *c, struct fault *f)
{
	for (size_t i = 0; i < CEREMONY_OUTPUTS; i++) {
		const char *const *path = ceremony_output(c, i, NULL);
		if (*path)
			TRY(check_path(c, path, f));
	}
	return OK;
}

enum err ceremony_lines(struct ceremony_file *c, struct fault *f)
{
	unsigned bit = 1u << c->kind;
	TRY(check_name(c, f));
	TRY(check_people(c, f));
	TRY(check_subject(c, f));
	TRY(check_key(c, f));
	TRY(check_issuer(c, f));
	if (CEREMONY_CERTIFICATES & bit)
		TRY(check_validity(c, f));
	if ((CEREMONY_CERTIFICATES | CEREMONY_CRLS) & bit)
		TRY(check_crl(c, f));
	TRY(check_urls(c, f));
	TRY(check_lists(c, f));
	return check_outputs(c, f);
}
