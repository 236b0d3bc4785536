/*
 * From the outside in, in the order of the ASN.1. What is not asked for is not written: version 1 is the default, and
 * unspecified no reason (RFC 6960 4.2.1, RFC 5280 5.3.1).
 */
#include "ra/gate/ocsp_answer.h"

#include "common/base/clock.h"

/* With tag and length: id-pkix-ocsp-basic, id-pkix-ocsp-nonce. This is written for each answer, also those that are kept. */
static const uint8_t oid_basic[] = {DER_OID, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 1};
static const uint8_t oid_nonce[] = {DER_OID, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 2};

static void put_word(const struct ocsp_single *s, struct buf *b)
{
	uint8_t reason = (uint8_t)s->reason;
	switch (s->word) {
	case OCSP_GOOD:
		der_put(b, DER_CONTEXT(0), (struct slice){0});
		return;
	case OCSP_UNKNOWN:
		der_put(b, DER_CONTEXT(2), (struct slice){0});
		return;
	case OCSP_REVOKED:
		break;
	}
	size_t info = der_begin(b, DER_CONTEXT_CONS(1));
	der_put_gentime(b, s->revoked_at);
	if (reason != 0) {
		size_t outer = der_begin(b, DER_CONTEXT_CONS(0));
		der_put(b, DER_ENUMERATED, slice_of(&reason, 1));
		der_end(b, outer);
	}
	der_end(b, info);
}

static void put_single(const struct ocsp_single *s, struct buf *b)
{
	size_t one = der_begin(b, DER_SEQUENCE);
	buf_add_slice(b, s->cert_id);
	put_word(s, b);
	der_put_gentime(b, s->this_update);
	size_t next = der_begin(b, DER_CONTEXT_CONS(0));
	der_put_gentime(b, s->next_update);
	der_end(b, next);
	der_end(b, one);
}

static void put_nonce(struct slice nonce, struct buf *b)
{
	size_t outer = der_begin(b, DER_CONTEXT_CONS(1)), list = der_begin(b, DER_SEQUENCE);
	size_t ext = der_begin(b, DER_SEQUENCE);
	buf_add(b, oid_nonce, sizeof(oid_nonce));
	size_t value = der_begin(b, DER_OCTET_STRING);
	der_put(b, DER_OCTET_STRING, nonce);
	der_end(b, value);
	der_end(b, ext);
	der_end(b, list);
	der_end(b, outer);
}

void ocsp_answer_data(const uint8_t key_id[20], int64_t produced, const struct ocsp_single *v, size_t n,
		      struct slice nonce, struct buf *ret)
{
	size_t data = der_begin(ret, DER_SEQUENCE);
	size_t by_key = der_begin(ret, DER_CONTEXT_CONS(2));
	der_put(ret, DER_OCTET_STRING, slice_of(key_id, 20));
	der_end(ret, by_key);
	der_put_gentime(ret, produced);
	size_t list = der_begin(ret, DER_SEQUENCE);
	for (size_t i = 0; i < n; i++)
		put_single(&v[i], ret);
	der_end(ret, list);
	if (nonce.n > 0)
		put_nonce(nonce, ret);
	der_end(ret, data);
}

void ocsp_answer_put(struct slice data, struct slice sigalg, struct slice signature, struct slice cert, struct buf *ret)
{
	static const uint8_t successful[] = {OCSP_SUCCESSFUL};
	size_t whole = der_begin(ret, DER_SEQUENCE);
	der_put(ret, DER_ENUMERATED, slice_of(successful, 1));
	size_t outer = der_begin(ret, DER_CONTEXT_CONS(0)), bytes = der_begin(ret, DER_SEQUENCE);
	buf_add(ret, oid_basic, sizeof(oid_basic));
	size_t octets = der_begin(ret, DER_OCTET_STRING), basic = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, data);
	buf_add_slice(ret, sigalg);
	der_put_bits(ret, signature, 0);
	size_t certs = der_begin(ret, DER_CONTEXT_CONS(0)), list = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, cert);
	der_end(ret, list);
	der_end(ret, certs);
	der_end(ret, basic);
	der_end(ret, octets);
	der_end(ret, bytes);
	der_end(ret, outer);
	der_end(ret, whole);
}

void ocsp_answer_error(enum ocsp_status status, struct buf *ret)
{
	uint8_t byte = (uint8_t)status;
	size_t whole = der_begin(ret, DER_SEQUENCE);
	der_put(ret, DER_ENUMERATED, slice_of(&byte, 1));
	der_end(ret, whole);
}
