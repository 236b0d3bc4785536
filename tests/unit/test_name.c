/*
 * Names: which values are refused and how that is said, all string types to UTF-8, bounds, DER both ways beside
 * libcrypto.
 */
#include "pki_kit.h"

#include "common/pki/der.h"
#include "common/pki/name.h"
#include "common/pki/name_private.h"
#include "common/pki/unicode.h"

#include <openssl/x509.h>

static const struct {
	const char *value;
	size_t n; /* 0: strlen */
	enum err kind;
	const char *rule;
	const char *says; /* in the text */
} refused[] = {
	{"", 0, ERR_PARSE, "name_empty", ""},
	{"a\0b", 3, ERR_PARSE, "name_code_point", "U+0000"},
	{"a\tb", 0, ERR_PARSE, "name_code_point", "U+0009"},
	{"a\nb", 0, ERR_PARSE, "name_code_point", "U+000A"},
	{"a\x7f", 0, ERR_PARSE, "name_code_point", "U+007F"},
	{"a\xc2\x85", 0, ERR_PARSE, "name_code_point", "U+0085 at byte 1"},
	{"\u00ad"
	 "a",
	 0, ERR_PARSE, "name_code_point", "U+00AD at byte 0"},
	{"a\u061c", 0, ERR_PARSE, "name_code_point", "a bidi control"},
	{"a\u200e", 0, ERR_PARSE, "name_code_point", "a bidi control"},
	{"a\u202e"
	 "b",
	 0, ERR_PARSE, "name_code_point", "U+202E"},
	{"a\u2066"
	 "b",
	 0, ERR_PARSE, "name_code_point", "a bidi control"},
	{"a\u200b"
	 "b",
	 0, ERR_PARSE, "name_code_point", "zero-width"},
	{"a\u200d"
	 "b",
	 0, ERR_PARSE, "name_code_point", "zero-width"},
	{"a\u2060"
	 "b",
	 0, ERR_PARSE, "name_code_point", "zero-width"},
	{"\ufeff"
	 "b",
	 0, ERR_PARSE, "name_code_point", "zero-width"},
	{"a\u3164", 0, ERR_PARSE, "name_code_point", "U+3164"},
	{"a\ufe0f", 0, ERR_PARSE, "name_code_point", "U+FE0F"},
	{"\u9f8d\U000e0100", 0, ERR_PARSE, "name_code_point", "U+E0100"},
	{"a\U000e0041", 0, ERR_PARSE, "name_code_point", "U+E0041"},
	{"a\u2028", 0, ERR_PARSE, "name_code_point", "U+2028"},
	{"a\u0600", 0, ERR_PARSE, "name_code_point", "format"},
	{"a\U00013430", 0, ERR_PARSE, "name_code_point", "format"},
	{"a\ue000", 0, ERR_PARSE, "name_code_point", "private-use"},
	{"a\U000f0000", 0, ERR_PARSE, "name_code_point", "private-use"},
	{"a\U0010fffd", 0, ERR_PARSE, "name_code_point", "private-use"},
	{"a\ufffe", 0, ERR_PARSE, "name_code_point", "noncharacter"},
	{"a\ufdd0", 0, ERR_PARSE, "name_code_point", "noncharacter"},
	{"a\U0010ffff", 0, ERR_PARSE, "name_code_point", "noncharacter"},
	{"a\u0378", 0, ERR_PARSE, "name_code_point", "unassigned"},
	{"a\U0001ffff", 0, ERR_PARSE, "name_code_point", "noncharacter"},
	{"a\U000323b0", 0, ERR_PARSE, "name_code_point", "unassigned"},
	{"a\xed\xa0\x80", 0, ERR_PARSE, "name_utf8", "byte 1"}, /* surrogate */
	{"a\xff", 0, ERR_PARSE, "name_utf8", "byte 1"},
	{"\xc0\xaf", 0, ERR_PARSE, "name_utf8", "byte 0"},
	{"\xe6\x9d", 0, ERR_PARSE, "name_utf8", "byte 0"},
	{"\xf4\x90\x80\x80", 0, ERR_PARSE, "name_utf8", "byte 0"},
	{"\xba\xbc\xd6\xdd", 0, ERR_PARSE, "name_utf8", "byte 0"}, /* GBK */
	{" a", 0, ERR_PARSE, "name_space", "begins"},
	{"a ", 0, ERR_PARSE, "name_space", "ends"},
	{" ", 0, ERR_PARSE, "name_space", "begins"},
	{"\u3000a", 0, ERR_PARSE, "name_space", "U+3000"},
	{"a\u00a0", 0, ERR_PARSE, "name_space", "U+00A0"},
};

static void hostile_values_are_refused(void **state)
{
	struct fault f;
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		size_t n = refused[i].n ? refused[i].n : strlen(refused[i].value);
		char *value = (char *)exact(refused[i].value, n);
		assert_refused(name_value_check("to.O", value, n, &f), refused[i].kind, refused[i].rule, &f,
			       refused[i].says);
		if (!strstr(f.text, refused[i].says))
			fail_msg("\"%s\" does not say \"%s\"", f.text, refused[i].says);
		assert_string_equal(f.where, "to.O");
		assert_true(utf8_valid(f.text, strlen(f.text)));
		free(value);
	}
	char long_value[NAME_MAX_VALUE + 2];
	memset(long_value, 'a', sizeof(long_value));
	assert_ok(name_value_check("x", long_value, NAME_MAX_VALUE, &f), &f);
	assert_refused(name_value_check("x", long_value, NAME_MAX_VALUE + 1, &f), ERR_LIMIT, "name_length", &f,
		       "too long");
}

static void real_names_pass(void **state)
{
	static const char *const good[] = {"擎洲测试投标人6",
					   "杭州田谷",
					   "金华市公共资源交易中心",
					   "A",
					   "a b",
					   "a\u3000b",
					   "（有限合伙）",
					   "O'Neill & Söhne GmbH",
					   "\U00020000\U0002a6dd\U00030000",
					   "龘䶵〇",
					   "é",
					   "ｆｕｌｌ",
					   "x=1,y+2;\"<>\\",
					   "😀"};
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_ok(name_value_check("x", good[i], strlen(good[i]), &f), &f);
}

/* The table is sorted and apart, and every code point that passes is one that utf8_next() gives. */
static void table_is_in_order(void **state)
{
	size_t passed = 0;
	(void)state;
	for (size_t i = 0; i < unicode_n_ranges; i++) {
		assert_true(unicode_ranges[i].from <= unicode_ranges[i].to);
		assert_true(i == 0 || unicode_ranges[i].from > unicode_ranges[i - 1].to + 1);
	}
	for (uint32_t cp = 0; cp <= 0x110000; cp++)
		passed += unicode_refusal(cp) == NULL;
	/* Unicode 14.0 assigns 144,697 characters, of which 163 are of category Cf. */
	assert_true(passed > 144000 && passed < 144697);
	assert_non_null(unicode_refusal(0x110000));
	assert_non_null(unicode_refusal(0xd800));
}

static void types_are_known_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < attr_count(); i++) {
		const struct attr_type *t = attr_at(i);
		struct buf b = {0};
		assert_ptr_equal(attr_by_word(t->word, strlen(t->word)), t);
		assert_ptr_equal(attr_by_oid(t->oid), t);
		assert_true(der_put_oid(&b, t->oid));
		assert_true(t->max_chars > 0 && t->max_chars <= NAME_MAX_VALUE);
		buf_done(&b);
	}
	assert_int_equal(attr_count(), 16);
	assert_null(attr_by_word("CNN", 3));
	assert_null(attr_by_word("C", 0));
	assert_null(attr_by_word("cn", 2));
	assert_ptr_equal(attr_by_word("CN=x", 2), attr_by_word("CN", 2));
	assert_null(attr_by_oid("2.5.4"));
}

static const struct attr_type *type(const char *word)
{
	const struct attr_type *t = attr_by_word(word, strlen(word));
	assert_non_null(t);
	return t;
}

static void bounds_of_what_is_added(void **state)
{
	static const struct {
		const char *word, *value;
		size_t repeat;	  /* times the value */
		const char *rule; /* NULL: good */
	} cases[] = {
		{"C", "CN", 1, NULL},
		{"C", "cn", 1, "name_country"},
		{"C", "C1", 1, "name_country"},
		{"C", "C", 1, "name_country"},
		{"C", "CHN", 1, "name_length"},
		{"C", "\u4e2d\u56fd", 1, "name_printable"},
		{"O", "\u5b57", 64, NULL},
		{"O", "\u5b57", 65, "name_length"},
		{"CN", "a", 64, NULL},
		{"CN", "a", 65, "name_length"},
		{"L", "a", 128, NULL},
		{"L", "a", 129, "name_length"},
		{"SN", "a", 256, NULL},
		{"serialNumber", "74C2008800000AE9", 1, NULL},
		{"serialNumber", "a_b", 1, "name_printable"},
		{"serialNumber", "a@b", 1, "name_printable"},
		{"dnQualifier", "a*", 1, "name_printable"},
		{"emailAddress", "a_b@example.org", 1, NULL},
		{"emailAddress", "\u00e9@example.org", 1, "name_ia5"},
		{"DC", "example", 1, NULL},
		{"DC", "a", 64, "name_length"},
		{"postalCode", "a", 41, "name_length"},
		{"CN", "a\u202e", 1, "name_code_point"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct name n = {0};
		struct buf v = {0};
		struct fault f = {0};
		for (size_t k = 0; k < cases[i].repeat; k++)
			buf_str(&v, cases[i].value);
		enum err e = name_add(&n, type(cases[i].word), buf_text(&v), v.len, &f);
		if (cases[i].rule ? e == OK || strcmp(f.rule, cases[i].rule) != 0 : e != OK)
			fail_msg("%s=%s: %s %s", cases[i].word, buf_text(&v), f.rule, f.text);
		assert_int_equal(n.n, cases[i].rule ? 0 : 1);
		name_done(&n);
		buf_done(&v);
	}
}

static void sixteen_attributes_and_no_more(void **state)
{
	struct name n = {0};
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < NAME_MAX_ATTRS; i++)
		assert_ok(name_add(&n, type("OU"), "x", 1, &f), &f);
	assert_refused(name_add(&n, type("OU"), "x", 1, &f), ERR_LIMIT, "name_attributes", &f, "17th");
	assert_int_equal(n.n, NAME_MAX_ATTRS);
	name_done(&n);
	name_done(&n);
}

static struct name story_name(void)
{
	struct name n = {0};
	struct fault f = {0};
	assert_ok(name_add(&n, type("C"), "CN", 2, &f), &f);
	assert_ok(name_add(&n, type("O"), "杭州田谷", strlen("杭州田谷"), &f), &f);
	assert_ok(name_add(&n, type("organizationIdentifier"), "35353550-9", 10, &f), &f);
	assert_ok(name_add(&n, type("serialNumber"), "20353", 5, &f), &f);
	assert_ok(name_add(&n, type("emailAddress"), "a@example.org", 13, &f), &f);
	assert_ok(name_add(&n, type("CN"), "擎洲测试投标人6", strlen("擎洲测试投标人6"), &f), &f);
	return n;
}

static void der_goes_both_ways_and_libcrypto_agrees(void **state)
{
	static const int tags[] = {V_ASN1_PRINTABLESTRING, V_ASN1_UTF8STRING, V_ASN1_UTF8STRING,
				   V_ASN1_PRINTABLESTRING, V_ASN1_IA5STRING,  V_ASN1_UTF8STRING};
	struct name n = story_name(), back = {0}, copy = {0};
	struct fault f = {0};
	struct buf der = {0}, again = {0};
	(void)state;
	name_put(&n, &der);
	assert_ok(name_parse(buf_slice(&der), &back, &f), &f);
	assert_true(name_eq(&n, &back) && name_is_wellformed(buf_slice(&der)));
	assert_ok(name_copy(&back, &copy, &f), &f);
	name_done(&back);
	assert_true(name_eq(&n, &copy));
	name_put(&copy, &again);
	assert_true(slice_eq(buf_slice(&der), buf_slice(&again)));
	const unsigned char *p = der.data;
	X509_NAME *x = d2i_X509_NAME(NULL, &p, (long)der.len);
	assert_non_null(x);
	assert_ptr_equal(p, der.data + der.len);
	assert_int_equal(X509_NAME_entry_count(x), n.n);
	for (size_t i = 0; i < n.n; i++) {
		const ASN1_STRING *s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(x, (int)i));
		assert_int_equal(ASN1_STRING_type(s), tags[i]);
		assert_int_equal((size_t)ASN1_STRING_length(s), strlen(n.attrs[i].value));
		assert_memory_equal(ASN1_STRING_get0_data(s), n.attrs[i].value, strlen(n.attrs[i].value));
	}
	X509_NAME_free(x);
	name_done(&n);
	name_done(&copy);
	buf_done(&der);
	buf_done(&again);
}

static void equality_is_by_byte_and_order(void **state)
{
	struct name a = story_name(), b = {0}, c = {0}, empty = {0};
	struct fault f = {0};
	(void)state;
	assert_false(name_eq(&a, &empty));
	for (size_t i = a.n; i-- > 0;)
		assert_ok(name_add(&b, a.attrs[i].type, a.attrs[i].value, strlen(a.attrs[i].value), &f), &f);
	assert_false(name_eq(&a, &b));
	assert_ok(name_copy(&a, &c, &f), &f);
	assert_true(name_eq(&a, &c));
	c.attrs[0].value[0] = 'c';
	assert_false(name_eq(&a, &c));
	assert_string_equal(name_get(&a, "CN"), "擎洲测试投标人6");
	assert_null(name_get(&a, "OU"));
	name_done(&a);
	name_done(&b);
	name_done(&c);
}

static void text_for_people(void **state)
{
	struct name n = {0};
	struct fault f = {0};
	struct buf b = {0};
	(void)state;
	assert_ok(name_add(&n, type("C"), "CN", 2, &f), &f);
	assert_ok(name_add(&n, type("O"), "#a, b+c \"d\" <e>;\\", 17, &f), &f);
	assert_ok(name_add(&n, type("CN"), "田谷", 6, &f), &f);
	name_text(&n, &b);
	assert_string_equal(buf_text(&b), "C=CN, O=\\#a\\, b\\+c \\\"d\\\" \\<e\\>\\;\\\\, CN=田谷");
	name_done(&n);
	buf_done(&b);
}

/* CN with the given tag and content. */
static struct buf name_with(int tag, const void *p, size_t n)
{
	struct buf b = {0};
	size_t rdns = der_begin(&b, DER_SEQUENCE), set = der_begin(&b, DER_SET), attr = der_begin(&b, DER_SEQUENCE);
	assert_true(der_put_oid(&b, "2.5.4.3"));
	der_put(&b, tag, slice_of(p, n));
	der_end(&b, attr);
	der_end(&b, set);
	der_end(&b, rdns);
	return b;
}

static const struct {
	int tag;
	const char *bytes;
	size_t n;
	const char *want; /* NULL: refused by the rule */
	const char *rule;
} strings[] = {
	{DER_UTF8, "\xe7\x94\xb0", 3, "田", NULL},
	{DER_PRINTABLE, "ZJCA OCA2", 9, "ZJCA OCA2", NULL},
	{DER_IA5, "a@b", 3, "a@b", NULL},
	{DER_BMP, "\x75\x30\x8c\x37", 4, "田谷", NULL},
	{DER_BMP, "\0a\0\xe9", 4, "aé", NULL},
	{DER_PRINTABLE, "a*b", 3, NULL, "name_string"},
	{DER_PRINTABLE, "\xe7\x94\xb0", 3, NULL, "name_string"},
	{DER_IA5, "\xe7\x94\xb0", 3, NULL, "name_string"},
	{DER_UTF8, "\xba\xbc", 2, NULL, "name_string"},
	{DER_BMP, "\x75", 1, NULL, "name_string"},
	{DER_BMP, "\xd8\x3d\xde\0", 4, NULL, "name_string"}, /* surrogates: UTF-16, which BMPString is not */
	{DER_BMP, "\x20\x2e\0a", 4, NULL, "name_code_point"},
	{DER_BMP, "\0\0", 2, NULL, "name_code_point"},
	{DER_BMP, "\xff\xfe", 2, NULL, "name_code_point"},
	{DER_UTF8, "a\0b", 3, NULL, "name_code_point"},
	{DER_UTF8, "", 0, NULL, "name_empty"},
	{DER_T61, "abc", 3, NULL, "name_string"},
	{0x1c, "\0\0\0a", 4, NULL, "name_string"},
	{DER_OCTET_STRING, "abc", 3, NULL, "name_string"},
	{DER_SEQUENCE, "", 0, NULL, "name_string"},
	{DER_UTF8, " a", 2, NULL, "name_space"},
};

static void every_string_type_becomes_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct buf der = name_with(strings[i].tag, strings[i].bytes, strings[i].n);
		uint8_t *p = exact(der.data, der.len);
		struct name n = {0};
		struct fault f = {0};
		if (strings[i].want) {
			assert_ok(name_parse(slice_of(p, der.len), &n, &f), &f);
			assert_string_equal(name_get(&n, "CN"), strings[i].want);
			const unsigned char *q = p;
			X509_NAME *x = d2i_X509_NAME(NULL, &q, (long)der.len);
			assert_non_null(x);
			unsigned char *utf8 = NULL;
			int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(x, 0)));
			assert_true(slice_eq(slice_of(utf8, (size_t)len), slice_str(strings[i].want)));
			OPENSSL_free(utf8);
			X509_NAME_free(x);
		} else {
			assert_refused(name_parse(slice_of(p, der.len), &n, &f), ERR_PARSE, strings[i].rule, &f,
				       "string");
			assert_string_equal(f.where, "name.CN");
			assert_int_equal(n.n, 0);
		}
		name_done(&n);
		free(p);
		buf_done(&der);
	}
}

static void long_values_of_old_names_are_kept(void **state)
{
	char value[600];
	struct fault f = {0};
	(void)state;
	memset(value, 'a', sizeof(value));
	static const struct {
		size_t n;
		bool good;
	} lengths[] = {{65, true}, {NAME_MAX_VALUE, true}, {NAME_MAX_VALUE + 1, false}, {600, false}};
	for (size_t i = 0; i < 4; i++) {
		struct buf der = name_with(DER_UTF8, value, lengths[i].n);
		struct name n = {0}, copy = {0};
		if (lengths[i].good) {
			assert_ok(name_parse(buf_slice(&der), &n, &f), &f);
			assert_ok(name_copy(&n, &copy, &f), &f);
			assert_true(name_eq(&n, &copy));
		} else {
			assert_refused(name_parse(buf_slice(&der), &n, &f), ERR_LIMIT, "name_length", &f, "too long");
		}
		name_done(&n);
		name_done(&copy);
		buf_done(&der);
	}
}

static const struct {
	const char *hex, *rule; /* rule NULL: good */
	bool wellformed;
	const char *why;
} forms[] = {
	{"3000", NULL, true, "empty"},
	{"300c310a300806035504030c0161", NULL, true, "one"},
	{"300c310a300806035504030c016100", "name_form", false, "a byte behind"},
	{"", "name_form", false, "nothing"},
	{"310c310a300806035504030c0161", "name_form", false, "SET outside"},
	{"300c300a300806035504030c0161", "name_form", false, "SEQUENCE for the RDN"},
	{"30023100", "name_form", false, "empty RDN"},
	{"300931073005060355 0403", "name_form", false, "no value"},
	{"300e310c300a06035504030c01610500", "name_form", false, "something behind the value"},
	{"300c310a300806030000030c0161", "name_attribute", true, "unknown type 0.0.0.3"},
	{"300c310a300806035504290c0161", "name_attribute", true, "2.5.4.41"},
	{"300c310a300806038004030c0161", "name_form", false, "OID with a leading zero digit"},
	{"3016 3114 3008 0603550403 0c0161 3008 060355040a 0c0161", "name_rdn", true, "two values, in order"},
	{"3016 3114 3008 060355040a 0c0161 3008 0603550403 0c0161", "name_rdn", false, "two values, out of order"},
	{"3016 3114 3008 0603550403 0c0161 3008 0603550403 0c0161", "name_rdn", false, "the same value twice"},
	{"300d310b300906035504030c810161", "name_form", false, "long length"},
	{"30803108300606035504030c0161 0000", "name_form", false, "indefinite length"},
	{"300c310a300806035504030c0261", "name_form", false, "cut"},
};

static void malformed_names_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct buf der = unhex(forms[i].hex);
		uint8_t *p = exact(der.data, der.len);
		struct name n = {0};
		struct fault f = {0};
		if (forms[i].rule)
			assert_refused(name_parse(slice_of(p, der.len), &n, &f), ERR_PARSE, forms[i].rule, &f,
				       forms[i].why);
		else
			assert_ok(name_parse(slice_of(p, der.len), &n, &f), &f);
		if (name_is_wellformed(slice_of(p, der.len)) != forms[i].wellformed)
			fail_msg("%s: wellformed is wrong", forms[i].why);
		name_done(&n);
		free(p);
		buf_done(&der);
	}
}

/* Every octet of a real name changed to every value: no crash, and what is taken libcrypto takes with the same text. */
static void changed_octets(void **state)
{
	struct name n = story_name();
	struct buf der = {0};
	size_t taken = 0;
	(void)state;
	name_put(&n, &der);
	for (size_t i = 0; i < der.len; i++) {
		for (unsigned v = 0; v < 256; v++) {
			uint8_t *p = exact(der.data, der.len);
			struct name got = {0};
			p[i] = (uint8_t)v;
			bool good = name_parse(slice_of(p, der.len), &got, NULL) == OK;
			if (good || name_is_wellformed(slice_of(p, der.len))) {
				const unsigned char *q = p;
				X509_NAME *x = d2i_X509_NAME(NULL, &q, (long)der.len);
				assert_non_null(x);
				assert_int_equal(q - p, der.len);
				assert_true(!good || (size_t)X509_NAME_entry_count(x) == got.n);
				X509_NAME_free(x);
				taken++;
			}
			name_done(&got);
			free(p);
		}
	}
	assert_true(taken > der.len);
	name_done(&n);
	buf_done(&der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_values_are_refused),
		cmocka_unit_test(real_names_pass),
		cmocka_unit_test(table_is_in_order),
		cmocka_unit_test(types_are_known_both_ways),
		cmocka_unit_test(bounds_of_what_is_added),
		cmocka_unit_test(sixteen_attributes_and_no_more),
		cmocka_unit_test(der_goes_both_ways_and_libcrypto_agrees),
		cmocka_unit_test(equality_is_by_byte_and_order),
		cmocka_unit_test(text_for_people),
		cmocka_unit_test(every_string_type_becomes_utf8),
		cmocka_unit_test(long_values_of_old_names_are_kept),
		cmocka_unit_test(malformed_names_are_refused),
		cmocka_unit_test(changed_octets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
