/*
 * Names as ordered attributes, one an RDN, values as UTF-8.
 *
 * What people compare, sign and are shown is the UTF-8 text, so every string type becomes that and every value passes
 * one check, from wherever it comes. A name of another CA may be longer than RFC 5280 wants, since it is there already;
 * what is added here may not. Next: name_der.c for the DER side, unicode.c for the code points.
 */
#include "common/pki/name.h"
#include "common/pki/der.h"
#include "common/pki/name_private.h"
#include "common/pki/unicode.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds: RFC 5280 appendix A.1; X.520 where that has none (street, postalCode); a DNS label for DC (RFC 4519 2.4). */
static const struct attr_type types[] = {
	{"C", "2.5.4.6", DER_PRINTABLE, 2, "国家", "country"},
	{"ST", "2.5.4.8", DER_UTF8, 128, "省", "province"},
	{"L", "2.5.4.7", DER_UTF8, 128, "市", "city"},
	{"street", "2.5.4.9", DER_UTF8, 128, "街道地址", "street address"},
	{"O", "2.5.4.10", DER_UTF8, 64, "单位名称", "organisation"},
	{"OU", "2.5.4.11", DER_UTF8, 64, "部门", "unit"},
	{"CN", "2.5.4.3", DER_UTF8, 64, "证书名称", "certificate's name"},
	{"SN", "2.5.4.4", DER_UTF8, NAME_MAX_VALUE, "姓", "surname"},
	{"GN", "2.5.4.42", DER_UTF8, NAME_MAX_VALUE, "名", "given name"},
	{"title", "2.5.4.12", DER_UTF8, 64, "职务", "position"},
	{"serialNumber", "2.5.4.5", DER_PRINTABLE, 64, "编号", "number"},
	{"organizationIdentifier", "2.5.4.97", DER_UTF8, NAME_MAX_VALUE, "统一社会信用代码或组织机构代码",
	 "organisation's identifier"},
	{"emailAddress", "1.2.840.113549.1.9.1", DER_IA5, 255, "电子邮箱", "e-mail address"},
	{"DC", "0.9.2342.19200300.100.1.25", DER_IA5, 63, "域名部分", "part of the domain"},
	{"postalCode", "2.5.4.17", DER_UTF8, 40, "邮政编码", "postal code"},
	{"dnQualifier", "2.5.4.46", DER_PRINTABLE, 64, "名称限定", "qualifier of the name"},
};

size_t attr_count(void)
{
	return sizeof(types) / sizeof(types[0]);
}

const struct attr_type *attr_at(size_t i)
{
	assert(i < attr_count());
	return &types[i];
}

const struct attr_type *attr_by_word(const char *word, size_t n)
{
	for (size_t i = 0; i < attr_count(); i++) {
		if (strlen(types[i].word) == n && memcmp(types[i].word, word, n) == 0)
			return &types[i];
	}
	return NULL;
}

const struct attr_type *attr_by_oid(const char *oid)
{
	for (size_t i = 0; i < attr_count(); i++) {
		if (strcmp(types[i].oid, oid) == 0)
			return &types[i];
	}
	return NULL;
}

void name_done(struct name *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->attrs[i].value);
	*n = (struct name){0};
}

static enum err check_code_points(const char *where, const char *value, size_t len, size_t *ret_chars, struct fault *f)
{
	size_t i = 0, chars = 0;
	int32_t last = -1;
	while (i < len) {
		size_t at = i;
		int32_t cp = utf8_next((const uint8_t *)value, len, &i);
		if (cp < 0)
			return fault_raise(f, ERR_PARSE, "name_utf8", where,
					   "\"%s\" is not UTF-8 from byte %zu on (RFC 3629)", ESC(value, len), at);
		const char *kind = unicode_refusal((uint32_t)cp);
		if (kind)
			return fault_raise(f, ERR_PARSE, "name_code_point", where,
					   "code point U+%04X at byte %zu of \"%s\" is %s, wanted assigned, visible "
					   "ones (Unicode %s)",
					   (unsigned)cp, at, ESC(value, len), kind, unicode_version);
		if (at == 0 && unicode_is_space((uint32_t)cp))
			return fault_raise(f, ERR_PARSE, "name_space", where, "\"%s\" begins with a space (U+%04X)",
					   ESC(value, len), (unsigned)cp);
		last = cp;
		chars++;
	}
	if (last >= 0 && unicode_is_space((uint32_t)last))
		return fault_raise(f, ERR_PARSE, "name_space", where, "\"%s\" ends with a space (U+%04X)",
				   ESC(value, len), (unsigned)last);
	*ret_chars = chars;
	return OK;
}

static enum err check_value(const char *where, const char *value, size_t len, size_t *ret_chars, struct fault *f)
{
	if (len == 0)
		return fault_raise(f, ERR_PARSE, "name_empty", where, "the value is empty, wanted a character or more");
	if (len > NAME_MAX_VALUE)
		return fault_raise(f, ERR_LIMIT, "name_length", where, "%zu bytes, wanted at most %d", len,
				   NAME_MAX_VALUE);
	return check_code_points(where, value, len, ret_chars, f);
}

enum err name_value_check(const char *where, const char *value, size_t len, struct fault *f)
{
	size_t chars;
	return check_value(where, value, len, &chars, f);
}

bool printable_is(const char *value, size_t len)
{
	static const char marks[] = " '()+,-./:=?";
	for (size_t i = 0; i < len; i++) {
		char c = value[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!letter && !memchr(marks, c, sizeof(marks) - 1))
			return false;
	}
	return true;
}

bool ia5_is(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)value[i] >= 0x80)
			return false;
	}
	return true;
}

/* What the attribute's string type can hold. */
static enum err check_alphabet(const struct attr_type *type, const char *where, const char *value, size_t len,
			       struct fault *f)
{
	if (type->string_tag == DER_PRINTABLE && !printable_is(value, len))
		return fault_raise(f, ERR_PARSE, "name_printable", where,
				   "\"%s\" is no PrintableString, which RFC 5280 appendix A wants: A-Z a-z 0-9 space ' "
				   "( ) + , - . / : = ?",
				   ESC(value, len));
	if (type->string_tag == DER_IA5 && !ia5_is(value, len))
		return fault_raise(f, ERR_PARSE, "name_ia5", where,
				   "\"%s\" is no IA5String, which RFC 5280 appendix A wants: ASCII", ESC(value, len));
	return OK;
}

static bool is_country(const char *value, size_t len)
{
	return len == 2 && value[0] >= 'A' && value[0] <= 'Z' && value[1] >= 'A' && value[1] <= 'Z';
}

enum err name_append(struct name *n, const struct attr_type *type, const char *value, size_t len, bool bounded,
		     struct fault *f)
{
	char where[96];
	size_t chars;
	snprintf(where, sizeof(where), "name.%s", type->word);
	TRY(check_value(where, value, len, &chars, f));
	TRY(check_alphabet(type, where, value, len, f));
	if (bounded && chars > type->max_chars)
		return fault_raise(f, ERR_LIMIT, "name_length", where,
				   "\"%s\" has %zu characters, wanted at most %zu (RFC 5280 appendix A)",
				   ESC(value, len), chars, type->max_chars);
	if (bounded && type->max_chars == 2 && !is_country(value, len))
		return fault_raise(f, ERR_PARSE, "name_country", where,
				   "\"%s\", wanted two capital letters (RFC 5280 appendix A, ISO 3166)",
				   ESC(value, len));
	if (n->n == NAME_MAX_ATTRS)
		return fault_raise(f, ERR_LIMIT, "name_attributes", where, "more than %d attributes", NAME_MAX_ATTRS);
	n->attrs[n->n++] = (struct name_attr){type, xstrndup(value, len)};
	return OK;
}

enum err name_add(struct name *n, const struct attr_type *type, const char *value, size_t len, struct fault *f)
{
	return name_append(n, type, value, len, true, f);
}

enum err name_copy(const struct name *from, struct name *ret, struct fault *f)
{
	struct name copy = {0};
	for (size_t i = 0; i < from->n; i++) {
		const struct name_attr *a = &from->attrs[i];
		enum err e = name_append(&copy, a->type, a->value, strlen(a->value), false, f);
		if (e != OK) {
			name_done(&copy);
			return e;
		}
	}
	*ret = copy;
	return OK;
}

bool name_eq(const struct name *a, const struct name *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->attrs[i].type != b->attrs[i].type || strcmp(a->attrs[i].value, b->attrs[i].value) != 0)
			return false;
	}
	return true;
}

const char *name_get(const struct name *n, const char *word)
{
	for (size_t i = 0; i < n->n; i++) {
		if (strcmp(n->attrs[i].type->word, word) == 0)
			return n->attrs[i].value;
	}
	return NULL;
}

/* RFC 4514 2.4. */
static void put_escaped(struct buf *b, const char *value)
{
	size_t len = strlen(value);
	for (size_t i = 0; i < len; i++) {
		bool edge = (i == 0 && (value[i] == '#' || value[i] == ' ')) || (i == len - 1 && value[i] == ' ');
		if (edge || strchr("\"+,;<>\\", value[i]))
			buf_char(b, '\\');
		buf_char(b, value[i]);
	}
}

void name_text(const struct name *n, struct buf *ret)
{
	for (size_t i = 0; i < n->n; i++) {
		buf_fmt(ret, "%s%s=", i ? ", " : "", n->attrs[i].type->word);
		put_escaped(ret, n->attrs[i].value);
	}
}
