/*
 * Rules on the names. The subject is read again from its bytes, attribute by attribute.
 */
#include "ca/lint_private.h"

#include "common/base/cleanup.h"

#include <stdio.h>
#include <string.h>

bool lint_issuer_is_ca(const struct lint_input *in, char *why, size_t why_size)
{
	const struct cert *issuer = in->issuer;
	if (!issuer->has_bc || !issuer->is_ca)
		return NO("the issuer's certificate has no basicConstraints with cA");
	if (!issuer->has_ku || !(issuer->key_usage & KU_BIT(KU_KEY_CERT_SIGN)))
		return NO("the issuer's certificate has no keyUsage with keyCertSign");
	return true;
}

bool lint_issuer_name(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	if (!slice_eq(v.issuer, in->issuer->subject))
		return NO("the issuer is not byte for byte the subject of the issuer's certificate");
	return true;
}

bool lint_subject_meant(const struct lint_input *in, char *why, size_t why_size)
{
	_cleanup_(name_done) struct name found = {0};
	LOOK(v);
	if (name_parse(v.subject, &found, NULL) != OK)
		return NO("the subject is not a name of known attributes");
	if (!name_eq(&found, in->subject)) {
		_cleanup_buf_ struct buf is = {0}, meant = {0};
		name_text(&found, &is);
		name_text(in->subject, &meant);
		return NO("found subject %s, wanted %s", ESC(is.data, is.len), ESC(meant.data, meant.len));
	}
	return true;
}

/* One AttributeTypeAndValue of the subject. */
struct attribute {
	const struct attr_type *type; /* NULL: not known */
	char oid[64];
	int tag;
	struct slice value;
	bool alone; /* in its RDN */
};

/* RFC 5280 4.1.2.4. False: not such bytes. */
static bool next_attribute(struct der *rdns, struct attribute *ret)
{
	struct der set, pair;
	struct slice type;
	if (!der_enter(rdns, DER_SET, &set) || !der_enter(&set, DER_SEQUENCE, &pair) ||
	    !der_get(&pair, DER_OID, &type) || !der_oid_text(type, ret->oid, sizeof(ret->oid)) ||
	    !der_any(&pair, &ret->tag, &ret->value, NULL) || !der_at_end(&pair))
		return false;
	ret->type = attr_by_oid(ret->oid);
	ret->alone = der_at_end(&set);
	return true;
}

static bool each_attribute(const struct lint_input *in, char *why, size_t why_size,
			   bool (*check)(const struct attribute *a, char *why, size_t why_size))
{
	struct der whole, rdns;
	struct attribute a;
	LOOK(v);
	whole = der_of(v.subject);
	if (!der_enter(&whole, DER_SEQUENCE, &rdns))
		return NO("the subject is not a SEQUENCE");
	while (!der_at_end(&rdns)) {
		if (!next_attribute(&rdns, &a))
			return NO("an RDN of the subject is not a SET of type and value");
		if (!check(&a, why, why_size))
			return false;
	}
	return true;
}

static const char *word_of(const struct attribute *a)
{
	return a->type ? a->type->word : a->oid;
}

static bool value_present(const struct attribute *a, char *why, size_t why_size)
{
	return a->value.n > 0 || NO("attribute %s is empty", word_of(a));
}

bool lint_subject_present(const struct lint_input *in, char *why, size_t why_size)
{
	struct der whole, rdns;
	LOOK(v);
	whole = der_of(v.subject);
	if (!der_enter(&whole, DER_SEQUENCE, &rdns) || der_at_end(&rdns))
		return NO("the subject is empty");
	return each_attribute(in, why, why_size, value_present);
}

static bool value_alone(const struct attribute *a, char *why, size_t why_size)
{
	return a->alone || NO("attribute %s shares its RDN, wanted one attribute in each", word_of(a));
}

bool lint_subject_single(const struct lint_input *in, char *why, size_t why_size)
{
	return each_attribute(in, why, why_size, value_alone);
}

/* UTF8String, but PrintableString and IA5String where appendix A.1 allows nothing else. */
static bool value_string(const struct attribute *a, char *why, size_t why_size)
{
	if (!a->type)
		return NO("attribute %s is not known", a->oid);
	if (a->tag != a->type->string_tag)
		return NO("attribute %s has string type 0x%02x, wanted 0x%02x", word_of(a), (unsigned)a->tag,
			  (unsigned)a->type->string_tag);
	return true;
}

bool lint_subject_strings(const struct lint_input *in, char *why, size_t why_size)
{
	return each_attribute(in, why, why_size, value_string);
}

static bool value_bounded(const struct attribute *a, char *why, size_t why_size)
{
	size_t chars = 0;
	for (size_t i = 0; i < a->value.n; chars++) {
		if (utf8_next(a->value.p, a->value.n, &i) < 0)
			return NO("attribute %s is not UTF-8", word_of(a));
	}
	if (a->type && chars > a->type->max_chars)
		return NO("attribute %s has %zu characters, wanted at most %zu", word_of(a), chars, a->type->max_chars);
	return true;
}

bool lint_subject_lengths(const struct lint_input *in, char *why, size_t why_size)
{
	return each_attribute(in, why, why_size, value_bounded);
}

static bool value_visible(const struct attribute *a, char *why, size_t why_size)
{
	struct fault f = {0};
	if (a->value.n > 0 && name_value_check(word_of(a), (const char *)a->value.p, a->value.n, &f) != OK)
		return NO("attribute %s: %s", word_of(a), f.text);
	return true;
}

bool lint_subject_values(const struct lint_input *in, char *why, size_t why_size)
{
	return each_attribute(in, why, why_size, value_visible);
}

static bool value_country(const struct attribute *a, char *why, size_t why_size)
{
	if (!a->type || strcmp(a->type->word, "C") != 0)
		return true;
	bool good = a->value.n == 2;
	for (size_t i = 0; good && i < 2; i++)
		good = a->value.p[i] >= 'A' && a->value.p[i] <= 'Z';
	return good || NO("country is \"%s\", wanted two capital letters", ESC(a->value.p, a->value.n));
}

bool lint_subject_country(const struct lint_input *in, char *why, size_t why_size)
{
	return each_attribute(in, why, why_size, value_country);
}
