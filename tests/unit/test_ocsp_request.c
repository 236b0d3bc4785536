/*
 * OCSP requests that are read, and those that are not: each hostile one is a good one with one thing changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ra/gate/ocsp_request.h"

#include "common/base/cleanup.h"

#include <string.h>

/* A request, written piece by piece. */
struct recipe {
	const char *what;
	const char *oid;       /* of the hash; NULL: SHA-1 */
	bool bare;	       /* no NULL */
	size_t hash_len;       /* 0: what the hash has */
	const char *serial;    /* INTEGER's body in hex; NULL: 01 */
	size_t n;	       /* certificates; 0: one; SIZE_MAX: none */
	long nonce;	       /* bytes; -1: none */
	unsigned nonces;       /* how many; 0: one */
	bool raw_nonce;	       /* without its OCTET STRING */
	const char *extension; /* another one, by OID */
	bool critical, single; /* it is critical; it stands at the Request */
	bool version, signature, requestor;
	const char *behind; /* bytes behind all, in hex */
	const char *rule;   /* NULL: good */
};

static void put_hex(struct buf *b, int tag, const char *hex)
{
	uint8_t bytes[64];
	size_t n = strlen(hex) / 2;
	assert_true(hex_decode(hex, 2 * n, bytes, n));
	der_put(b, tag, slice_of(bytes, n));
}

static void put_extension(struct buf *b, const char *oid, bool critical, struct slice value)
{
	size_t e = der_begin(b, DER_SEQUENCE);
	der_put_oid(b, oid);
	if (critical)
		der_put_bool(b, true);
	der_put(b, DER_OCTET_STRING, value);
	der_end(b, e);
}

static void put_one(struct buf *b, const struct recipe *r)
{
	static const uint8_t hash[64] = {1};
	size_t n = r->hash_len ? r->hash_len : r->oid ? 32 : 20;
	size_t one = der_begin(b, DER_SEQUENCE), id = der_begin(b, DER_SEQUENCE), alg = der_begin(b, DER_SEQUENCE);
	der_put_oid(b, r->oid ? r->oid : "1.3.14.3.2.26");
	if (!r->bare)
		der_put(b, DER_NULL, (struct slice){0});
	der_end(b, alg);
	der_put(b, DER_OCTET_STRING, slice_of(hash, n));
	der_put(b, DER_OCTET_STRING, slice_of(hash, n));
	put_hex(b, DER_INTEGER, r->serial ? r->serial : "01");
	der_end(b, id);
	if (r->extension && r->single) {
		size_t outer = der_begin(b, DER_CONTEXT_CONS(0)), list = der_begin(b, DER_SEQUENCE);
		put_extension(b, r->extension, r->critical, slice_str("x"));
		der_end(b, list);
		der_end(b, outer);
	}
	der_end(b, one);
}

static void put_extensions(struct buf *b, const struct recipe *r)
{
	static const uint8_t bytes[200] = {7};
	bool other = r->extension && !r->single;
	if (r->nonce < 0 && !other)
		return;
	size_t outer = der_begin(b, DER_CONTEXT_CONS(2)), list = der_begin(b, DER_SEQUENCE);
	for (unsigned i = 0; r->nonce >= 0 && i < (r->nonces ? r->nonces : 1); i++) {
		_cleanup_buf_ struct buf value = {0};
		if (r->raw_nonce)
			buf_add(&value, bytes, (size_t)r->nonce);
		else
			der_put(&value, DER_OCTET_STRING, slice_of(bytes, (size_t)r->nonce));
		put_extension(b, "1.3.6.1.5.5.7.48.1.2", false, buf_slice(&value));
	}
	if (other)
		put_extension(b, r->extension, r->critical, slice_str("x"));
	der_end(b, list);
	der_end(b, outer);
}

static void make(const struct recipe *r, struct buf *ret)
{
	size_t n = r->n == SIZE_MAX ? 0 : r->n ? r->n : 1;
	size_t whole = der_begin(ret, DER_SEQUENCE), tbs = der_begin(ret, DER_SEQUENCE);
	if (r->version) {
		size_t v = der_begin(ret, DER_CONTEXT_CONS(0));
		der_put_uint(ret, 0);
		der_end(ret, v);
	}
	if (r->requestor)
		put_hex(ret, DER_CONTEXT_CONS(1), "a4023000");
	size_t list = der_begin(ret, DER_SEQUENCE);
	for (size_t i = 0; i < n; i++)
		put_one(ret, r);
	der_end(ret, list);
	put_extensions(ret, r);
	der_end(ret, tbs);
	if (r->signature)
		put_hex(ret, DER_CONTEXT_CONS(0), "3000");
	der_end(ret, whole);
	if (r->behind)
		put_hex(ret, DER_NULL, r->behind);
}

static void test_requests(void **state)
{
	(void)state;
	static const struct recipe recipes[] = {
		{"plain", .nonce = -1},
		{"SHA-1 without NULL", .bare = true, .nonce = -1},
		{"SHA-256", .oid = "2.16.840.1.101.3.4.2.1", .nonce = -1},
		{"SM3", .oid = "1.2.156.10197.1.401", .nonce = -1},
		{"the version written", .version = true, .nonce = -1},
		{"a name and a signature", .requestor = true, .signature = true, .nonce = -1},
		{"a nonce of one octet", .nonce = 1},
		{"the longest nonce", .nonce = 128},
		{"as many as may be", .n = 32, .nonce = -1},
		{"an unknown extension", .extension = "1.2.3.4", .nonce = -1},
		{"the same at one certificate", .extension = "1.2.3.4", .single = true, .nonce = 16},
		{"a serial of zero, which nobody has", .serial = "00", .nonce = -1},
		{"a negative serial", .serial = "ff", .nonce = -1},
		{"a serial of 21 octets", .serial = "7f0000000000000000000000000000000000000000", .nonce = -1},
		{"a nonce of none", .nonce = 0, .rule = "ocsp_nonce"},
		{"a longer nonce", .nonce = 129, .rule = "ocsp_nonce"},
		{"two nonces", .nonce = 8, .nonces = 2, .rule = "ocsp_form"},
		{"a nonce that is no OCTET STRING", .nonce = 16, .raw_nonce = true, .rule = "ocsp_form"},
		{"a critical extension", .extension = "1.2.3.4", .critical = true, .nonce = -1,
		 .rule = "unknown_critical_extension"},
		{"the same at one certificate", .extension = "1.2.3.4", .critical = true, .single = true, .nonce = -1,
		 .rule = "unknown_critical_extension"},
		{"no certificate", .n = SIZE_MAX, .nonce = -1, .rule = "ocsp_form"},
		{"one too many", .n = 33, .nonce = -1, .rule = "ocsp_certs"},
		{"a hash of another length", .hash_len = 21, .nonce = -1, .rule = "ocsp_form"},
		{"SHA-1's length for SHA-256", .oid = "2.16.840.1.101.3.4.2.1", .hash_len = 20, .nonce = -1,
		 .rule = "ocsp_form"},
		{"SHA-512", .oid = "2.16.840.1.101.3.4.2.3", .hash_len = 64, .nonce = -1, .rule = "ocsp_hash"},
		{"a serial with a zero too many", .serial = "0001", .nonce = -1, .rule = "ocsp_form"},
		{"bytes behind", .behind = "", .nonce = -1, .rule = "ocsp_form"},
	};
	for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++) {
		const struct recipe *r = &recipes[i];
		_cleanup_buf_ struct buf der = {0};
		struct ocsp_request q;
		struct fault f = {0};
		make(r, &der);
		enum err e = ocsp_request_parse(buf_slice(&der), &q, &f);
		if ((e == OK) != (r->rule == NULL) || (r->rule && strcmp(f.rule, r->rule) != 0))
			fail_msg("%s: found %s, rule \"%s\": %s", r->what, err_word(e), f.rule, f.text);
		if (e != OK)
			continue;
		assert_int_equal(q.n, r->n ? r->n : 1);
		assert_int_equal(q.nonce.n, r->nonce < 0 ? 0 : r->nonce);
		assert_int_equal(q.certs[0].any_serial, r->serial != NULL);
	}
}

/* Cut anywhere, or with any byte changed, it is refused or means something: nothing is read past the end. */
static void test_cut(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf der = {0};
	struct ocsp_request q;
	make(&(struct recipe){"", .nonce = 16, .extension = "1.2.3.4"}, &der);
	for (size_t i = 0; i < der.len; i++) {
		_cleanup_(freep) uint8_t *copy = xmalloc(i + 1);
		memcpy(copy, der.data, i);
		assert_int_not_equal(ocsp_request_parse(slice_of(copy, i), &q, NULL), OK);
	}
	assert_int_not_equal(ocsp_request_parse((struct slice){0}, &q, NULL), OK);
}

static void test_path(void **state)
{
	(void)state;
	static const struct {
		const char *path, *bytes;
	} cases[] = {
		{"MEEwPw==", "0A0?"}, {"MEEwPw", "0A0?"}, {"MEEw", "0A0"}, {"", NULL},		{"MEE*", NULL},
		{"MEEwP", NULL},      {"MEE w", NULL},	  {"ME==", NULL},  {"MEEwPw=", "0A0?"}, {"../etc", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf der = {0};
		enum err e = ocsp_path_decode(cases[i].path, &der, NULL);
		if ((e == OK) != (cases[i].bytes != NULL) || (e == OK && strcmp(buf_text(&der), cases[i].bytes) != 0))
			fail_msg("\"%s\": found %s \"%s\"", cases[i].path, err_word(e), buf_text(&der));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
