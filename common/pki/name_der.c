/*
 * Names from and to DER.
 *
 * Two readers: name_is_wellformed() for names that are only carried and compared as bytes (an issuer, a request's
 * subject), name_parse() for those that people will see, which must be of attributes known here. Next: name.c.
 */
#include "common/base/cleanup.h"
#include "common/pki/der.h"
#include "common/pki/name_private.h"

#include <stdio.h>
#include <string.h>

enum { DER_UNIVERSAL_STRING = 0x1c };

static void put_utf8(struct buf *b, uint32_t cp)
{
	uint8_t octets[3];
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : 3;
	for (size_t i = n; i-- > 1; cp >>= 6)
		octets[i] = (uint8_t)(0x80 | (cp & 0x3f));
	octets[0] = (uint8_t)(cp | (n == 1 ? 0 : n == 2 ? 0xc0 : 0xe0));
	buf_add(b, octets, n);
}

/* UTF-16BE without surrogates, as BMPString has them. */
static bool bmp_to_utf8(struct slice body, struct buf *ret)
{
	if (body.n % 2 != 0)
		return false;
	for (size_t i = 0; i < body.n; i += 2) {
		uint32_t cp = (uint32_t)body.p[i] << 8 | body.p[i + 1];
		if (cp >= 0xd800 && cp <= 0xdfff)
			return false;
		put_utf8(ret, cp);
	}
	return true;
}

/* The value as UTF-8, or false when the octets are not of the type, or the type not one that is read. */
static bool value_to_utf8(int tag, struct slice body, struct buf *ret)
{
	const char *text = (const char *)body.p;
	if (tag == DER_BMP)
		return bmp_to_utf8(body, ret);
	bool good = (tag == DER_UTF8 && utf8_valid(text, body.n)) ||
		    (tag == DER_PRINTABLE && printable_is(text, body.n)) || (tag == DER_IA5 && ia5_is(text, body.n));
	if (good)
		buf_add_slice(ret, body);
	return good;
}

static const char *string_word(int tag)
{
	switch (tag) {
	case DER_UTF8:
		return "UTF8String";
	case DER_PRINTABLE:
		return "PrintableString";
	case DER_IA5:
		return "IA5String";
	case DER_BMP:
		return "BMPString";
	case DER_T61:
		return "TeletexString";
	case DER_UNIVERSAL_STRING:
		return "UniversalString";
	default: /* a tag from outside, not an enum of ours */
		return "not a string";
	}
}

/* AttributeTypeAndValue. */
static bool get_attribute(struct der *set, char oid[64], int *ret_tag, struct slice *ret_value)
{
	struct der attr;
	struct slice type;
	return der_enter(set, DER_SEQUENCE, &attr) && der_get(&attr, DER_OID, &type) && der_oid_text(type, oid, 64) &&
	       der_any(&attr, ret_tag, ret_value, NULL) && der_at_end(&attr);
}

static enum err add_attribute(struct name *n, const char *oid, int tag, struct slice value, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	char where[96];
	const struct attr_type *type = attr_by_oid(oid);
	snprintf(where, sizeof(where), "name.%s", type ? type->word : oid);
	if (!type)
		return fault_raise(f, ERR_PARSE, "name_attribute", where, "attribute %zu has the unknown type %s",
				   n->n + 1, oid);
	if (value.n > 2 * NAME_MAX_VALUE)
		return fault_raise(f, ERR_LIMIT, "name_length", where, "%zu bytes, wanted at most %d of UTF-8", value.n,
				   NAME_MAX_VALUE);
	if (!value_to_utf8(tag, value, &text))
		return fault_raise(
			f, ERR_PARSE, "name_string", where,
			"found tag 0x%02x (%s) with \"%s\", wanted a valid UTF8String, PrintableString, IA5String or "
			"BMPString (RFC 5280 4.1.2.4)",
			(unsigned)tag, string_word(tag), ESC(value.p, value.n));
	return name_append(n, type, buf_text(&text), text.len, false, f);
}

static enum err parse_rdn(struct der *rdns, struct name *n, struct fault *f)
{
	struct der set;
	char oid[64];
	int tag;
	struct slice value;
	if (!der_enter(rdns, DER_SET, &set) || !get_attribute(&set, oid, &tag, &value))
		return fault_raise(f, ERR_PARSE, "name_form", "name",
				   "RDN %zu is not a SET of a SEQUENCE of type and value in DER (RFC 5280 4.1.2.4)",
				   n->n + 1);
	if (!der_at_end(&set))
		return fault_raise(f, ERR_PARSE, "name_rdn", "name",
				   "RDN %zu has several values, wanted one (X.501 9.3)", n->n + 1);
	return add_attribute(n, oid, tag, value, f);
}

enum err name_parse(struct slice der, struct name *ret, struct fault *f)
{
	_cleanup_(name_done) struct name n = {0};
	struct der d = der_of(der), rdns;
	if (!der_enter(&d, DER_SEQUENCE, &rdns) || !der_at_end(&d))
		return fault_raise(f, ERR_PARSE, "name_form", "name",
				   "%zu bytes that are not one SEQUENCE in DER (X.690 10.1)", der.n);
	while (!der_at_end(&rdns))
		TRY(parse_rdn(&rdns, &n, f));
	*ret = n;
	n = (struct name){0};
	return OK;
}

/* X.690 11.6: the members of a SET OF stand in the order of their encodings; equal ones would say a thing twice. */
static bool comes_before(struct slice a, struct slice b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return order < 0 || (order == 0 && a.n < b.n);
}

/* UTF-32BE. */
static bool universal_is_wellformed(struct slice body)
{
	for (size_t i = 0; i + 4 <= body.n; i += 4) {
		uint32_t cp = (uint32_t)body.p[i] << 24 | (uint32_t)body.p[i + 1] << 16 | (uint32_t)body.p[i + 2] << 8 |
			      body.p[i + 3];
		if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
			return false;
	}
	return body.n % 4 == 0;
}

/* What the strings that name_parse() does not read may hold. */
static bool string_is_wellformed(int tag, struct slice body)
{
	_cleanup_buf_ struct buf text = {0};
	if (body.n > 64 * 1024)
		return false;
	if (tag == DER_T61)
		return true;
	if (tag == DER_UNIVERSAL_STRING)
		return universal_is_wellformed(body);
	return value_to_utf8(tag, body, &text);
}

bool name_is_wellformed(struct slice der)
{
	struct der d = der_of(der), rdns, set;
	if (!der_enter(&d, DER_SEQUENCE, &rdns) || !der_at_end(&d))
		return false;
	while (!der_at_end(&rdns)) {
		struct slice last = {0};
		if (!der_enter(&rdns, DER_SET, &set) || der_at_end(&set))
			return false;
		while (!der_at_end(&set)) {
			char oid[64];
			int tag;
			struct slice value, whole = {set.p, 0};
			if (!get_attribute(&set, oid, &tag, &value) || !string_is_wellformed(tag, value))
				return false;
			whole.n = (size_t)(set.p - whole.p);
			if (last.p && !comes_before(last, whole))
				return false;
			last = whole;
		}
	}
	return true;
}

void name_put(const struct name *n, struct buf *ret)
{
	size_t rdns = der_begin(ret, DER_SEQUENCE);
	for (size_t i = 0; i < n->n; i++) {
		const struct name_attr *a = &n->attrs[i];
		size_t set = der_begin(ret, DER_SET), attr = der_begin(ret, DER_SEQUENCE);
		if (!der_put_oid(ret, a->type->oid))
			abort(); /* an OID of our own table */
		der_put(ret, a->type->string_tag, slice_str(a->value));
		der_end(ret, attr);
		der_end(ret, set);
	}
	der_end(ret, rdns);
}
