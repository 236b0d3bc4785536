/*
 * DER elements of any nesting: what is read, written by our own writer, is the same bytes, and libcrypto reads the same
 * tag, length and value.
 */
#include "tests/fuzz/mutate.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/pki/der.h"

#define MAX_DEPTH 64

static void try_number(struct slice whole)
{
	_cleanup_buf_ struct buf again = {0};
	struct der d = der_of(whole);
	struct slice body;
	uint64_t v;
	const uint8_t *p = whole.p;
	if (!der_get_integer(&d, &body)) {
		must(!der_get_uint(&d, UINT64_MAX, &v));
		return;
	}
	ASN1_INTEGER *theirs = d2i_ASN1_INTEGER(NULL, &p, (long)whole.n);
	must(theirs && p == whole.p + whole.n);
	uint64_t their_v;
	bool they_fit = ASN1_INTEGER_get_uint64(&their_v, theirs) == 1;
	ASN1_INTEGER_free(theirs);
	d = der_of(whole);
	must(der_get_uint(&d, UINT64_MAX, &v) == they_fit);
	if (they_fit) {
		must(v == their_v);
		der_put_uint(&again, v);
		must_be(buf_slice(&again), whole);
	}
}

static void try_oid(struct slice whole, struct slice body)
{
	_cleanup_buf_ struct buf again = {0};
	char text[256], their_text[1024];
	const uint8_t *p = whole.p;
	if (!der_oid_text(body, text, sizeof(text)))
		return;
	ASN1_OBJECT *theirs = d2i_ASN1_OBJECT(NULL, &p, (long)whole.n);
	must(theirs && OBJ_obj2txt(their_text, sizeof(their_text), theirs, 1) > 0);
	must(strcmp(text, their_text) == 0);
	ASN1_OBJECT_free(theirs);
	if (der_put_oid(&again, text))
		must_be(buf_slice(&again), whole);
}

static void try_time(struct slice whole)
{
	_cleanup_buf_ struct buf again = {0};
	struct der d = der_of(whole);
	const uint8_t *p = whole.p;
	struct tm tm;
	int64_t t;
	if (!der_get_time(&d, &t))
		return;
	ASN1_TIME *theirs = d2i_ASN1_TIME(NULL, &p, (long)whole.n);
	must(theirs && ASN1_TIME_check(theirs) && ASN1_TIME_to_tm(theirs, &tm) == 1);
	ASN1_TIME_free(theirs);
	must(t == timegm(&tm));
	der_put_time(&again, t);
	must_be(buf_slice(&again), whole);
}

static void try_bits_and_bool(struct slice whole)
{
	_cleanup_buf_ struct buf again = {0};
	struct der d = der_of(whole);
	struct slice bytes;
	unsigned unused;
	bool v;
	if (der_get_bits(&d, &bytes, &unused))
		der_put_bits(&again, bytes, unused);
	else if (der_get_bool(&d, &v))
		der_put_bool(&again, v);
	else
		return;
	must_be(buf_slice(&again), whole);
}

static void must_agree(int tag, struct slice body, struct slice whole)
{
	const uint8_t *p = whole.p;
	long len;
	int number, class;
	int flags = ASN1_get_object(&p, &len, &number, &class, (long)whole.n);
	must(!(flags & 0x81) && p == body.p && (size_t)len == body.n);
	must(number == (tag & 0x1f) && class == (tag & 0xc0) && (flags & 0x20) == (tag & 0x20));
}

/* Everything up to the first thing that is not DER, written again. */
static size_t walk(struct slice s, unsigned depth, struct buf *again)
{
	struct der d = der_of(s);
	struct slice body, whole;
	int tag;
	while (der_any(&d, &tag, &body, &whole)) {
		must_agree(tag, body, whole);
		try_number(whole);
		try_time(whole);
		try_bits_and_bool(whole);
		if (tag == DER_OID)
			try_oid(whole, body);
		if (!(tag & 0x20) || depth == MAX_DEPTH) {
			der_put(again, tag, body);
			continue;
		}
		size_t at = der_begin(again, tag), n = walk(body, depth + 1, again);
		buf_add(again, body.p + n, body.n - n);
		der_end(again, at);
	}
	return s.n - (size_t)(d.end - d.p);
}

MUTATES(mutate_der)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = {0};
	size_t n = walk(slice_of(data, size), 0, &again);
	must_be(buf_slice(&again), slice_of(data, n));
	ERR_clear_error();
	return 0;
}
