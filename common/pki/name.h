/*
 * Names: a subject as an ordered list of attributes, one an RDN, values as UTF-8. RFC 5280 4.1.2.4.
 *
 * Old certificates come with PrintableString, UTF8String, IA5String and BMPString values; all become UTF-8 here.
 * Multi-valued RDNs and TeletexString are refused. What Hufu writes is UTF8String, but PrintableString where
 * RFC 5280 appendix A allows nothing else (countryName, serialNumber, dnQualifier) and IA5String for emailAddress and DC.
 */
#ifndef HUFU_PKI_NAME_H
#define HUFU_PKI_NAME_H

#include "common/base/buf.h"

#define NAME_MAX_ATTRS 16
#define NAME_MAX_VALUE 256 /* bytes of UTF-8 */

/* Known attribute types: short word (as in tallies and policies), OID, and what people call it. */
struct attr_type {
	const char *word; /* "C", "ST", "L", "street", "O", "OU", "CN", "SN", "GN", "title", "serialNumber", "organizationIdentifier", "emailAddress", "DC", "postalCode", "dnQualifier" */
	const char *oid;
	int string_tag;  /* what is written: DER_UTF8, DER_PRINTABLE, DER_IA5 */
	size_t max_chars; /* RFC 5280 appendix A upper bounds, X.520's where that has none; NAME_MAX_VALUE for unbounded ones */
	const char *zh, *en;
};
/* NULL when not known. */
const struct attr_type *attr_by_word(const char *word, size_t n);
const struct attr_type *attr_by_oid(const char *oid);
size_t attr_count(void);
const struct attr_type *attr_at(size_t i);

struct name_attr {
	const struct attr_type *type;
	char *value; /* UTF-8, NUL-terminated, owned by the name */
};
struct name {
	struct name_attr attrs[NAME_MAX_ATTRS];
	size_t n;
};
void name_done(struct name *n); /* accepts the zero state */
/* A Name (SEQUENCE with tag). Zero-init *ret before. ERR_PARSE and ERR_LIMIT say which attribute and why. Every value passes
 * name_value_check() and the alphabet of the type that name_put() writes; max_chars does not count here, since old
 * certificates go beyond it. */
MUST_CHECK enum err name_parse(struct slice der, struct name *ret, struct fault *f);
/* Appends; the value is copied. Value checked by name_value_check(), the attribute's alphabet and bound (C: two capitals). */
MUST_CHECK enum err name_add(struct name *n, const struct attr_type *type, const char *value, size_t len, struct fault *f);
MUST_CHECK enum err name_copy(const struct name *from, struct name *ret, struct fault *f);
/* Writes the Name as DER. */
void name_put(const struct name *n, struct buf *ret);
bool name_eq(const struct name *a, const struct name *b); /* byte for byte, same order */
const char *name_get(const struct name *n, const char *word); /* first value, or NULL */
/* "C=CN, O=…, CN=…" for people (RFC 4514 escapes). */
void name_text(const struct name *n, struct buf *ret);
/* Refuses empty values, control, bidi-control, zero-width and other format and invisible, private-use, surrogate,
 * non-character and unassigned code points (Unicode 14.0, see tools/unicode-ranges), leading or trailing space (any of
 * category Zs), and invalid UTF-8; the text names the code point as U+XXXX. where names the field.
 * ERR_PARSE name_empty, name_utf8, name_code_point, name_space; ERR_LIMIT name_length. */
MUST_CHECK enum err name_value_check(const char *where, const char *value, size_t len, struct fault *f);

#endif
