/*
 * Lint: the list of rules, run one by one over a certificate that a throw-away key has signed; the first that does not
 * hold refuses.
 *
 * Rules read the bytes again, by their own paths, and compare them with what was meant: profile, name, key, issuer.
 * They do not trust that the builder did what it was told, nor that the reader read what the builder wrote. They are
 * grouped as certificates are: lint_form.c, lint_time.c, lint_name.c, lint_key.c, lint_usage.c, lint_profile.c, and
 * what libcrypto says, lint_libcrypto.c.
 */
#include "ca/lint.h"

#include "ca/lint_private.h"
#include "ca/responder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINT_ENTRY(name, source) {#name, source, lint_##name},
const struct lint_rule lint_rules[] = {LINT_RULES(LINT_ENTRY)};
#undef LINT_ENTRY
const size_t lint_n_rules = sizeof(lint_rules) / sizeof(lint_rules[0]);

bool lint_no(char *why, size_t why_size, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(why, why_size, fmt, ap);
	va_end(ap);
	return false;
}

/* TBSCertificate, RFC 5280 4.1. */
static bool look_tbs(struct der d, struct lint_view *v)
{
	struct der inner;
	struct slice body;
	if (der_peek(&d) == DER_CONTEXT_CONS(0)) {
		v->has_version = true;
		if (!der_enter(&d, DER_CONTEXT_CONS(0), &inner) || !der_get_uint(&inner, UINT64_MAX, &v->version) ||
		    !der_at_end(&inner))
			return false;
	}
	if (!der_get_integer(&d, &v->serial) || !der_get_whole(&d, DER_SEQUENCE, &v->inner_sigalg) ||
	    !der_get_whole(&d, DER_SEQUENCE, &v->issuer) || !der_get_whole(&d, DER_SEQUENCE, &v->validity) ||
	    !der_get_whole(&d, DER_SEQUENCE, &v->subject) || !der_get_whole(&d, DER_SEQUENCE, &v->spki))
		return false;
	for (int n = 1; n <= 2; n++)
		v->has_unique_ids = der_get(&d, DER_CONTEXT(n), &body) || v->has_unique_ids;
	if (der_peek(&d) == DER_CONTEXT_CONS(3) &&
	    (!der_enter(&d, DER_CONTEXT_CONS(3), &inner) || !der_get(&inner, DER_SEQUENCE, &v->extensions) ||
	     !der_at_end(&inner)))
		return false;
	return der_at_end(&d);
}

bool lint_look(const struct lint_input *in, struct lint_view *ret)
{
	if (in->view) {
		*ret = *in->view;
		return true;
	}
	struct der d = der_of(in->cert->der), cert, whole, tbs;
	unsigned unused;
	*ret = (struct lint_view){0};
	if (!der_enter(&d, DER_SEQUENCE, &cert) || !der_at_end(&d) || !der_get_whole(&cert, DER_SEQUENCE, &ret->tbs) ||
	    !der_get_whole(&cert, DER_SEQUENCE, &ret->outer_sigalg) || !der_get_bits(&cert, &ret->signature, &unused) ||
	    unused != 0 || !der_at_end(&cert))
		return false;
	whole = der_of(ret->tbs);
	return der_enter(&whole, DER_SEQUENCE, &tbs) && look_tbs(tbs, ret);
}

bool lint_next_ext(struct der *list, char oid[64], bool *ret_critical, struct slice *ret_value)
{
	struct der e;
	struct slice type;
	*ret_critical = false;
	return der_enter(list, DER_SEQUENCE, &e) && der_get(&e, DER_OID, &type) && der_oid_text(type, oid, 64) &&
	       (der_peek(&e) != DER_BOOLEAN || (der_get_bool(&e, ret_critical) && *ret_critical)) &&
	       der_get(&e, DER_OCTET_STRING, ret_value) && der_at_end(&e);
}

bool lint_is_responder(const struct lint_input *in)
{
	return in->profile == responder_profile();
}

bool lint_is_root(const struct lint_input *in)
{
	return !in->profile && slice_eq(in->cert->subject, in->issuer->subject) &&
	       slice_eq(slice_of(in->key->spki, in->key->spki_len),
			slice_of(in->issuer->key.spki, in->issuer->key.spki_len));
}

const struct profile_ext *lint_profile_ext(const struct lint_input *in, enum ext_type type)
{
	size_t n;
	const struct profile_ext *exts = lint_exts(in, &n);
	for (size_t i = 0; i < n; i++) {
		if (exts[i].type == (int)type)
			return &exts[i];
	}
	return NULL;
}

static bool eat(struct slice *url, const char *text, size_t n)
{
	if (url->n < n || memcmp(url->p, text, n) != 0)
		return false;
	*url = slice_of(url->p + n, url->n - n);
	return true;
}

bool lint_url_is(const char *pattern, const uint8_t key_id[20], const unsigned *shard, struct slice url)
{
	char id[41], number[16] = "";
	hex_lower(key_id, 20, id);
	if (shard)
		snprintf(number, sizeof(number), "%u", *shard);
	while (*pattern != '\0') {
		bool is_issuer = strncmp(pattern, "{issuer}", 8) == 0, is_shard = strncmp(pattern, "{shard}", 7) == 0;
		const char *text = is_issuer ? id : is_shard ? number : pattern;
		if (!eat(&url, text, is_issuer || is_shard ? strlen(text) : 1))
			return false;
		pattern += is_issuer ? 8 : is_shard ? 7 : 1;
	}
	return url.n == 0;
}

enum err lint_run(const struct lint_input *in, struct fault *f)
{
	struct lint_input viewed = *in;
	struct lint_view view;
	if (lint_look(in, &view))
		viewed.view = &view; /* taken apart once for all rules; when it can't be, the first one says so */
	char why[400], rule[40];
	for (size_t i = 0; i < lint_n_rules; i++) {
		why[0] = '\0';
		if (lint_rules[i].holds(&viewed, why, sizeof(why)))
			continue;
		snprintf(rule, sizeof(rule), "lint_%s", lint_rules[i].name);
		return fault_raise(f, ERR_RULE, rule, "certificate", "%s (%s)", why, lint_rules[i].source);
	}
	return OK;
}
