/*
 * The DER reader against a table of what it must and must not take and against libcrypto; the writer against libcrypto;
 * PEM against its hostile spellings.
 */
#include "pki_kit.h"

#include "common/base/clock.h"
#include "common/pki/der.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/pem.h>

static const struct {
	const char *hex;
	bool good;
	const char *why;
} elements[] = {
	{"05 00", true, "NULL"},
	{"30 00", true, "empty SEQUENCE"},
	{"31 02 05 00", true, "SET"},
	{"04 03 010203", true, "OCTET STRING"},
	{"80 01 00", true, "context, primitive"},
	{"a0 02 0500", true, "context, constructed"},
	{"", false, "nothing"},
	{"05", false, "no length"},
	{"04 03 0102", false, "content cut"},
	{"04 81 03 010203", false, "long form of a short length"},
	{"04 82 0003 010203", false, "leading zero in the length"},
	{"04 80 0102 0000", false, "indefinite length, primitive"},
	{"30 80 0500 0000", false, "indefinite length"},
	{"04 84 ffffffff 00", false, "length far behind the end"},
	{"04 85 0100000000 00", false, "five octets of length"},
	{"04 88 ffffffffffffffff", false, "eight octets of length"},
	{"04 ff 00", false, "reserved length"},
	{"04 81", false, "length cut"},
	{"04 82 01", false, "length cut in the middle"},
	{"1f 0100", false, "high tag number"},
	{"bf 21 00", false, "high tag number, context"},
	{"00 00", false, "end-of-contents"},
	{"10 00", false, "primitive SEQUENCE"},
	{"11 00", false, "primitive SET"},
	{"24 02 0400", false, "constructed OCTET STRING"},
	{"23 02 0300", false, "constructed BIT STRING"},
	{"2c 02 0c00", false, "constructed UTF8String"},
	{"22 02 0200", false, "constructed INTEGER"},
};

static void elements_are_taken_in_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		struct buf b = unhex(elements[i].hex);
		uint8_t *p = exact(b.data, b.len);
		struct der d = der_of(slice_of(p, b.len));
		struct slice body = {0}, whole = {0};
		int tag = 0;
		bool good = der_any(&d, &tag, &body, &whole);
		if (good != elements[i].good)
			fail_msg("%s (%s)", elements[i].hex, elements[i].why);
		if (good) {
			assert_true(der_at_end(&d));
			assert_int_equal(tag, p[0]);
			assert_true(whole.p == p && whole.n == b.len && body.p + body.n == p + b.len);
		} else {
			assert_ptr_equal(d.p, p); /* nothing moved */
		}
		free(p);
		buf_done(&b);
	}
}

/* How a getter answers: its value as text, or "no". */
static void probe(const char *what, const char *hex, char ret[64])
{
	struct buf b = unhex(hex);
	uint8_t *p = exact(b.data, b.len);
	struct der d = der_of(slice_of(p, b.len));
	const uint8_t *start = d.p;
	struct slice s = {0};
	bool good = false, flag = false;
	uint64_t v = 0;
	unsigned unused = 0;
	int64_t t = 0;
	snprintf(ret, 64, "no");
	if (strcmp(what, "bool") == 0) {
		if ((good = der_get_bool(&d, &flag)))
			snprintf(ret, 64, "%d", flag);
	} else if (strcmp(what, "uint") == 0) {
		if ((good = der_get_uint(&d, UINT64_MAX, &v)))
			snprintf(ret, 64, "%llu", (unsigned long long)v);
	} else if (strcmp(what, "uint5") == 0) {
		if ((good = der_get_uint(&d, 5, &v)))
			snprintf(ret, 64, "%llu", (unsigned long long)v);
	} else if (strcmp(what, "integer") == 0) {
		if ((good = der_get_integer(&d, &s)))
			hex_lower(s.p, s.n, ret);
	} else if (strcmp(what, "bits") == 0) {
		if ((good = der_get_bits(&d, &s, &unused)))
			snprintf(ret, 64, "%zu/%u", s.n, unused);
	} else if (strcmp(what, "time") == 0) {
		if ((good = der_get_time(&d, &t)))
			snprintf(ret, 64, "%s", UTC(t));
	} else {
		fail_msg("no getter %s", what);
	}
	if (!good)
		assert_ptr_equal(d.p, start);
	else
		assert_true(der_at_end(&d));
	free(p);
	buf_done(&b);
}

static const struct {
	const char *what, *hex, *want;
} values[] = {
	{"bool", "0101ff", "1"},
	{"bool", "010100", "0"},
	{"bool", "010101", "no"},
	{"bool", "0100", "no"},
	{"bool", "0102ffff", "no"},
	{"bool", "0201ff", "no"},
	{"uint", "020100", "0"},
	{"uint", "02017f", "127"},
	{"uint", "02020080", "128"},
	{"uint", "020900ffffffffffffffff", "18446744073709551615"},
	{"uint", "0209010000000000000000", "no"},
	{"uint", "020a00ffffffffffffffffff", "no"},
	{"uint", "0201ff", "no"},
	{"uint", "020180", "no"},
	{"uint", "0200", "no"},
	{"uint", "02020001", "no"},
	{"uint5", "020105", "5"},
	{"uint5", "020106", "no"},
	{"integer", "0200", "no"},
	{"integer", "020100", "00"},
	{"integer", "0201ff", "ff"},
	{"integer", "02020080", "0080"},
	{"integer", "0202007f", "no"},
	{"integer", "0202ff7f", "ff7f"},
	{"integer", "0202ff80", "no"},
	{"integer", "02020000", "no"},
	{"bits", "030100", "0/0"},
	{"bits", "0300", "no"},
	{"bits", "030101", "no"},
	{"bits", "03020780", "1/7"},
	{"bits", "030207c0", "no"},
	{"bits", "03020880", "no"},
	{"bits", "0302ff80", "no"},
	{"bits", "03020080", "1/0"},
	{"time", "170d3439313233313233353935395a", "2049-12-31T23:59:59Z"},
	{"time", "170d3530303130313030303030305a", "1950-01-01T00:00:00Z"},
	{"time", "180f32303530303130313030303030305a", "2050-01-01T00:00:00Z"},
	{"time", "180f39393939313233313233353935395a", "9999-12-31T23:59:59Z"},
	{"time", "170d3234303232393030303030305a", "2024-02-29T00:00:00Z"},
	{"time", "170d3233303232393030303030305a", "no"},	  /* 29 February of 2023 */
	{"time", "180f32303439313233313233353935395a", "no"},	  /* GeneralizedTime before 2050 */
	{"time", "170b323430323239303030305a", "no"},		  /* no seconds */
	{"time", "17113234303232393030303030302b30303030", "no"}, /* offset */
	{"time", "17113234303232393030303030302b30383030", "no"}, /* offset */
	{"time", "170c323430323239303030303030", "no"},		  /* no Z */
	{"time", "180f32303530303130313030303030307a", "no"},	  /* z */
	{"time", "181132303530303130313030303030302e355a", "no"}, /* fraction */
	{"time", "170d3234313332393030303030305a", "no"},	  /* month 13 */
	{"time", "170d3234303030313030303030305a", "no"},	  /* month 0 */
	{"time", "170d3234303130313234303030305a", "no"},	  /* hour 24 */
	{"time", "170d3234303130313233353936305a", "no"},	  /* second 60 */
	{"time", "170d2b34303130313030303030305a", "no"},	  /* sign */
	{"time", "170d3234303131003030303030305a", "no"},	  /* NUL */
	{"time", "170d3234202031303030303030305a", "no"},	  /* blanks */
	{"time", "1700", "no"},
	{"time", "040d3234303130313030303030305a", "no"},
};

static void values_are_taken_in_one_form(void **state)
{
	char got[64];
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		probe(values[i].what, values[i].hex, got);
		if (strcmp(got, values[i].want) != 0)
			fail_msg("%s of %s: got %s, wanted %s", values[i].what, values[i].hex, got, values[i].want);
	}
}

static void walk_stays_inside(void **state)
{
	struct buf b = unhex("3007 020105 0c0161 00 0500");
	struct der d = der_of(buf_slice(&b)), in, twice;
	struct slice s;
	uint64_t v;
	(void)state;
	assert_int_equal(der_peek(&d), DER_SEQUENCE);
	assert_false(der_enter(&d, DER_SET, &in));
	assert_true(der_enter(&d, DER_SEQUENCE, &in));
	twice = in;
	assert_true(der_get_uint(&in, 9, &v) && v == 5);
	assert_false(der_get(&in, DER_IA5, &s));
	assert_true(der_get(&in, DER_UTF8, &s) && s.n == 1 && s.p[0] == 'a');
	assert_false(der_any(&in, NULL, NULL, NULL)); /* one octet of 00 is left */
	assert_false(der_at_end(&in));
	assert_true(der_get_whole(&twice, DER_INTEGER, &s) && s.n == 3);
	assert_true(der_get(&d, DER_NULL, &s) && s.n == 0 && der_at_end(&d));
	assert_int_equal(der_peek(&d), -1);
	struct der empty = der_of((struct slice){0});
	assert_true(der_at_end(&empty) && !der_any(&empty, NULL, NULL, NULL));
	buf_done(&b);
}

/* What the reader takes, libcrypto takes with the same tag and length: random octets around the interesting ones. */
static void agrees_with_libcrypto(void **state)
{
	static const uint8_t interesting[] = {0,    1,	  2,	3,    4,    5,	  6,	0x0c, 0x1f, 0x30,
					      0x31, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xbf, 0xff};
	unsigned seed = 20261123;
	size_t taken = 0;
	(void)state;
	for (size_t i = 0; i < 300000; i++) {
		uint8_t bytes[12];
		for (size_t k = 0; k < sizeof(bytes); k++) {
			seed = seed * 1103515245 + 12345;
			bytes[k] = interesting[(seed >> 16) % sizeof(interesting)];
		}
		struct der d = der_of(slice_of(bytes, sizeof(bytes)));
		struct slice body;
		int tag;
		if (!der_any(&d, &tag, &body, NULL))
			continue;
		const unsigned char *p = bytes;
		long len;
		int number, class;
		int got = ASN1_get_object(&p, &len, &number, &class, sizeof(bytes));
		assert_true(!(got & 0x80) && !(got & 1));
		assert_int_equal(len, body.n);
		assert_ptr_equal(p, body.p);
		assert_int_equal(number | class | (got & 0x20), tag);
		taken++;
	}
	assert_true(taken > 10000);
}

static const struct {
	const char *dotted, *hex;
} oids[] = {
	{"1.2.156.10197.1.501", "06082a811ccf55018375"},
	{"1.2.156.10260.4.1.3", "06082a811cd014040103"},
	{"2.5.4.97", "0603550461"},
	{"0.9.2342.19200300.100.1.25", "060a0992268993f22c640119"},
	{"2.999", "06028837"},
	{"2.4294967295", "06059080808 04f"},
	{"0.0", "060100"},
	{"1.39", "06014f"},
	{"2.0", "060150"},
	{"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20", NULL},
	{"1", NULL},
	{"", NULL},
	{"3.1", NULL},
	{"1.40", NULL},
	{"1.2.", NULL},
	{".1.2", NULL},
	{"1..2", NULL},
	{"1.02", NULL},
	{"1.2.-3", NULL},
	{"1.2.4294967296", NULL},
	{"1.2.99999999999999999999999", NULL},
	{"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21", NULL},
	{"1.2 ", NULL},
	{"commonName", NULL},
};

static void oids_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
		struct buf b = {0};
		char text[128], other[128];
		bool twenty = i == 9; /* no hex: as libcrypto writes it */
		bool good = der_put_oid(&b, oids[i].dotted);
		assert_true(good == (oids[i].hex || twenty));
		if (good) {
			ASN1_OBJECT *obj = OBJ_txt2obj(oids[i].dotted, 1);
			assert_non_null(obj);
			unsigned char *der = NULL;
			int n = i2d_ASN1_OBJECT(obj, &der);
			assert_int_equal(n, b.len);
			assert_memory_equal(der, b.data, b.len);
			OBJ_obj2txt(other, sizeof(other), obj, 1);
			assert_true(der_oid_text(slice_of(b.data + 2, b.len - 2), text, sizeof(text)));
			assert_string_equal(text, other);
			assert_string_equal(text, oids[i].dotted);
			assert_false(der_oid_text(slice_of(b.data + 2, b.len - 2), text, strlen(oids[i].dotted)));
			OPENSSL_free(der);
			ASN1_OBJECT_free(obj);
		} else {
			assert_int_equal(b.len, 0);
		}
		buf_done(&b);
	}
}

static void malformed_oids_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "80", "8001", "2a80", "2a8001", "2a86", "55ffffffffffffffffffff7f", "2a83ffffffffffffffff7f"};
	char text[128];
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b = unhex(bad[i]);
		if (der_oid_text(buf_slice(&b), text, sizeof(text)))
			fail_msg("%s taken as %s", bad[i], text);
		buf_done(&b);
	}
}

static void lengths_are_minimal(void **state)
{
	static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 70000, 16777215, 16777216};
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf content = {0}, nested = {0}, plain = {0};
		buf_reserve(&content, sizes[i]);
		memset(content.data, 'x', sizes[i]);
		content.len = sizes[i];
		size_t outer = der_begin(&nested, DER_SEQUENCE), inner = der_begin(&nested, DER_OCTET_STRING);
		buf_add_slice(&nested, buf_slice(&content));
		der_end(&nested, inner);
		der_put_bool(&nested, true);
		der_end(&nested, outer);
		der_put(&plain, DER_OCTET_STRING, buf_slice(&content));
		assert_int_equal(nested.data[nested.len], 0);
		struct der d = der_of(buf_slice(&nested)), in;
		struct slice whole, body;
		bool flag;
		assert_true(der_enter(&d, DER_SEQUENCE, &in) && der_at_end(&d));
		struct der again = in;
		assert_true(der_get_whole(&in, DER_OCTET_STRING, &whole) && slice_eq(whole, buf_slice(&plain)));
		assert_true(der_get(&again, DER_OCTET_STRING, &body) && slice_eq(body, buf_slice(&content)));
		assert_true(der_get_bool(&in, &flag) && flag && der_at_end(&in));
		buf_done(&content);
		buf_done(&nested);
		buf_done(&plain);
	}
}

static void assert_hex(struct buf *b, const char *want)
{
	char got[200];
	assert_true(b->len < 99);
	hex_lower(b->data, b->len, got);
	assert_string_equal(got, want);
	buf_done(b);
}

static void written_values(void **state)
{
	static const struct {
		uint64_t v;
		const char *hex;
	} numbers[] = {{0, "020100"},
		       {1, "020101"},
		       {127, "02017f"},
		       {128, "02020080"},
		       {256, "02020100"},
		       {65535, "020300ffff"},
		       {UINT64_MAX, "020900ffffffffffffffff"}};
	struct buf b = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		der_put_uint(&b, numbers[i].v);
		assert_hex(&b, numbers[i].hex);
	}
	der_put_magnitude(&b, slice_of("\x00\x00\x80", 3));
	assert_hex(&b, "02020080");
	der_put_magnitude(&b, slice_of("\x00\x7f", 2));
	assert_hex(&b, "02017f");
	der_put_magnitude(&b, (struct slice){0});
	assert_hex(&b, "020100");
	der_put_bool(&b, false);
	assert_hex(&b, "010100");
	der_put_bits(&b, slice_of("\xc0", 1), 6);
	assert_hex(&b, "030206c0");
	der_put_bits(&b, (struct slice){0}, 0);
	assert_hex(&b, "030100");
}

static void times_agree_with_libcrypto(void **state)
{
	static const int64_t times[] = {-631152000, -1,		0,	    1,		1409499576,
					1795392000, 2524607999, 2524608000, 4102444800, 253402300799};
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct buf b = {0};
		der_put_time(&b, times[i]);
		ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)times[i]);
		assert_non_null(t);
		assert_int_equal(t->type, b.data[0]);
		assert_int_equal((size_t)t->length, b.len - 2);
		assert_memory_equal(t->data, b.data + 2, b.len - 2);
		struct der d = der_of(buf_slice(&b));
		int64_t back;
		assert_true(der_get_time(&d, &back) && der_at_end(&d));
		assert_int_equal(back, times[i]);
		ASN1_TIME_free(t);
		buf_done(&b);
	}
}

#define B "-----BEGIN CERTIFICATE-----\n"
#define E "-----END CERTIFICATE-----\n"

static const struct {
	const char *text;
	const char *hex;  /* or NULL */
	const char *rule; /* when NULL */
} pems[] = {
	{B "MAA=\n" E, "3000", NULL},
	{B "MA\nA=\n" E, "3000", NULL},
	{"-----BEGIN CERTIFICATE-----\r\nMAA=\r\n-----END CERTIFICATE-----\r\n", "3000", NULL},
	{B "MAA=\n-----END CERTIFICATE-----", "3000", NULL},
	{"subject=/CN=x\n\n" B "MAA= \n\n" E "after\n", "3000", NULL},
	{"-----BEGIN X-----\nAAAA\n-----END X-----\n" B "MAA=\n" E, "3000", NULL},
	{B "MAA=\n" E B "MAEA\n" E, "3000", NULL},
	{"0 is text\n" B "MAA=\n" E, "3000", NULL},
	{"", NULL, "pem_none"},
	{"hello", NULL, "pem_none"},
	{"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n", NULL, "pem_none"},
	{" " B "MAA=\n" E, NULL, "pem_none"},
	{B, NULL, "pem_form"},
	{B "MAA=\n", NULL, "pem_form"},
	{B "MAA=\n-----END X-----\n", NULL, "pem_form"},
	{B B "MAA=\n" E, NULL, "pem_form"},
	{B "Proc-Type: 4,ENCRYPTED\n\nMAA=\n" E, NULL, "pem_form"},
	{B E, NULL, "pem_base64"},
	{B "MAA\n" E, NULL, "pem_base64"},
	{B "MAB=\n" E, NULL, "pem_base64"},
	{B "MA A=\n" E, NULL, "pem_base64"},
	{B "MAA=MAA=\n" E, NULL, "pem_base64"},
	{B "MA\x01=\n" E, NULL, "pem_base64"},
};

static void pem_is_read_strictly(void **state)
{
	struct fault f;
	(void)state;
	for (size_t i = 0; i < sizeof(pems) / sizeof(pems[0]); i++) {
		struct buf got = {0};
		struct slice text = slice_str(pems[i].text);
		if (pems[i].hex) {
			f = (struct fault){0};
			assert_ok(pem_or_der(text, "CERTIFICATE", &got, &f), &f);
			assert_hex(&got, pems[i].hex);
		} else {
			assert_refused(pem_or_der(text, "CERTIFICATE", &got, &f), ERR_PARSE, pems[i].rule, &f,
				       pems[i].text);
			assert_int_equal(got.len, 0);
		}
		buf_done(&got);
	}
}

static void der_passes_as_it_is(void **state)
{
	struct fault f = {0};
	struct buf got = {0};
	(void)state;
	assert_ok(pem_or_der(slice_of("\x30\x02\x05\x00", 4), "X", &got, &f), &f);
	assert_hex(&got, "30020500");
	assert_refused(pem_or_der(slice_of("\x30\x02\x05\x00\n", 5), "X", &got, &f), ERR_PARSE, "pem_none", &f,
		       "trailing");
	static const char csr[] =
		"-----BEGIN NEW CERTIFICATE REQUEST-----\nMAA=\n-----END NEW CERTIFICATE REQUEST-----\n";
	assert_ok(pem_or_der(slice_str(csr), "CERTIFICATE REQUEST", &got, &f), &f);
	assert_hex(&got, "3000");
	static const char mixed[] =
		"-----BEGIN NEW CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n";
	assert_refused(pem_or_der(slice_str(mixed), "CERTIFICATE REQUEST", &got, &f), ERR_PARSE, "pem_form", &f,
		       "mixed");
}

static void all_blocks(void **state)
{
	static const char text[] = "a\n" B "MAA=\n" E "-----BEGIN X-----\nAAAA\n-----END X-----\n" B "MAIFAA==\n" E;
	struct fault f = {0};
	struct buf *list = NULL;
	size_t n = 0;
	(void)state;
	assert_ok(pem_all(slice_str(text), "CERTIFICATE", 2, &list, &n, &f), &f);
	assert_int_equal(n, 2);
	assert_hex(&list[0], "3000");
	assert_hex(&list[1], "30020500");
	free(list);
	assert_refused(pem_all(slice_str(text), "CERTIFICATE", 1, &list, &n, &f), ERR_LIMIT, "pem_count", &f,
		       "one too many");
	assert_refused(pem_all(slice_str("x"), "CERTIFICATE", 1, &list, &n, &f), ERR_PARSE, "pem_none", &f, "none");
	assert_refused(pem_all(slice_str(B "MAA=\n" E B "MA\n" E), "CERTIFICATE", 9, &list, &n, &f), ERR_PARSE,
		       "pem_base64", &f, "second broken");
}

/* Written PEM is read back by us and by libcrypto, for every length of the last line. */
static void pem_goes_both_ways(void **state)
{
	uint8_t bytes[200];
	(void)state;
	memset(bytes, 0xa5, sizeof(bytes));
	bytes[0] = 0x30;
	for (size_t n = 1; n <= sizeof(bytes); n++) {
		struct buf text = {0}, back = {0};
		struct fault f = {0};
		pem_put(&text, "THING", slice_of(bytes, n));
		assert_ok(pem_or_der(buf_slice(&text), "THING", &back, &f), &f);
		assert_true(slice_eq(buf_slice(&back), slice_of(bytes, n)));
		BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
		char *name, *header;
		unsigned char *data;
		long len;
		assert_int_equal(PEM_read_bio(bio, &name, &header, &data, &len), 1);
		assert_true(slice_eq(slice_of(data, (size_t)len), slice_of(bytes, n)));
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(data);
		BIO_free(bio);
		buf_done(&text);
		buf_done(&back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_taken_in_one_form),
		cmocka_unit_test(values_are_taken_in_one_form),
		cmocka_unit_test(walk_stays_inside),
		cmocka_unit_test(agrees_with_libcrypto),
		cmocka_unit_test(oids_go_both_ways),
		cmocka_unit_test(malformed_oids_are_refused),
		cmocka_unit_test(lengths_are_minimal),
		cmocka_unit_test(written_values),
		cmocka_unit_test(times_agree_with_libcrypto),
		cmocka_unit_test(pem_is_read_strictly),
		cmocka_unit_test(der_passes_as_it_is),
		cmocka_unit_test(all_blocks),
		cmocka_unit_test(pem_goes_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
