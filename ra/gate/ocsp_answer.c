/*
 * From the outside in, in the order of the ASN.1. What is not asked for is not written: version 1 is the default, and
 * unspecified no reason (RFC 6960 4.2.1, RFC 5280 5.3.1). This is written for each answer, also those that are kept, so
 * lengths are counted first: nothing moves, and memory is taken once.
 */
#include "ra/gate/ocsp_answer.h"

#include "common/base/clock.h"

#include <assert.h>
#include <string.h>

#define TIME_BYTES 17u /* GeneralizedTime, with tag and length */
#define KEY_ID 20u

/* With tag and length: id-pkix-ocsp-basic, id-pkix-ocsp-nonce. */
static const uint8_t oid_basic[] = {DER_OID, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 1};
static const uint8_t oid_nonce[] = {DER_OID, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 2};

/* --- counting: bytes of an element with tag and length --- */

static size_t whole(size_t body)
{
	return body + (body < 0x80 ? 2 : body < 0x100 ? 3 : body < 0x10000 ? 4 : 5);
}

static size_t word_bytes(const struct ocsp_single *s)
{
	return s->word == OCSP_REVOKED ? whole(TIME_BYTES + (s->reason != 0 ? whole(whole(1)) : 0)) : whole(0);
}

/* Of a SingleResponse's content. */
static size_t single_bytes(const struct ocsp_single *s)
{
	return s->cert_id.n + word_bytes(s) + TIME_BYTES + whole(TIME_BYTES);
}

/* --- writing: each gives where the next begins --- */

static uint8_t *put_head(uint8_t *at, int tag, size_t len)
{
	unsigned n = len < 0x80 ? 0 : len < 0x100 ? 1 : len < 0x10000 ? 2 : 3;
	assert(len < 0x1000000);
	*at++ = (uint8_t)tag;
	if (n > 0)
		*at++ = (uint8_t)(0x80 | n);
	for (unsigned shift = n > 0 ? 8 * n : 8; shift > 0; shift -= 8)
		*at++ = (uint8_t)(len >> (shift - 8));
	return at;
}

static uint8_t *put_bytes(uint8_t *at, const void *p, size_t n)
{
	if (n > 0)
		memcpy(at, p, n);
	return at + n;
}

static uint8_t *put_time(uint8_t *at, int64_t t)
{
	at = put_head(at, DER_GENTIME, DER_GENTIME_TEXT);
	der_gentime_text(t, (char *)at);
	return at + DER_GENTIME_TEXT;
}

static uint8_t *put_word(uint8_t *at, const struct ocsp_single *s)
{
	if (s->word != OCSP_REVOKED)
		return put_head(at, s->word == OCSP_GOOD ? DER_CONTEXT(0) : DER_CONTEXT(2), 0);
	at = put_head(at, DER_CONTEXT_CONS(1), TIME_BYTES + (s->reason != 0 ? whole(whole(1)) : 0));
	at = put_time(at, s->revoked_at);
	if (s->reason == 0)
		return at;
	at = put_head(put_head(at, DER_CONTEXT_CONS(0), whole(1)), DER_ENUMERATED, 1);
	*at = (uint8_t)s->reason;
	return at + 1;
}

static uint8_t *put_single(uint8_t *at, const struct ocsp_single *s)
{
	at = put_head(at, DER_SEQUENCE, single_bytes(s));
	at = put_word(put_bytes(at, s->cert_id.p, s->cert_id.n), s);
	at = put_head(put_time(at, s->this_update), DER_CONTEXT_CONS(0), TIME_BYTES);
	return put_time(at, s->next_update);
}

static uint8_t *put_nonce(uint8_t *at, struct slice nonce)
{
	size_t value = whole(nonce.n), ext = sizeof(oid_nonce) + whole(value), list = whole(ext);
	at = put_head(put_head(at, DER_CONTEXT_CONS(1), whole(list)), DER_SEQUENCE, list);
	at = put_bytes(put_head(at, DER_SEQUENCE, ext), oid_nonce, sizeof(oid_nonce));
	at = put_head(put_head(at, DER_OCTET_STRING, value), DER_OCTET_STRING, nonce.n);
	return put_bytes(at, nonce.p, nonce.n);
}

/* Room for n bytes more in ret, that are counted as there. */
static uint8_t *make_room(struct buf *ret, size_t n)
{
	buf_reserve(ret, n);
	uint8_t *at = ret->data + ret->len;
	ret->len += n;
	ret->data[ret->len] = '\0';
	return at;
}

/* What was written is what was counted. */
static void check_end(const struct buf *b, const uint8_t *at)
{
	if (at != b->data + b->len)
		abort();
}

void ocsp_answer_data(const uint8_t key_id[20], int64_t produced, const struct ocsp_single *v, size_t n,
		      struct slice nonce, struct buf *ret)
{
	size_t list = 0, extensions = 0;
	for (size_t i = 0; i < n; i++)
		list += whole(single_bytes(&v[i]));
	if (nonce.n > 0)
		extensions = whole(whole(whole(sizeof(oid_nonce) + whole(whole(nonce.n)))));
	size_t data = whole(whole(KEY_ID)) + TIME_BYTES + whole(list) + extensions;
	uint8_t *at = put_head(make_room(ret, whole(data)), DER_SEQUENCE, data);
	at = put_head(put_head(at, DER_CONTEXT_CONS(2), whole(KEY_ID)), DER_OCTET_STRING, KEY_ID);
	at = put_time(put_bytes(at, key_id, KEY_ID), produced);
	at = put_head(at, DER_SEQUENCE, list);
	for (size_t i = 0; i < n; i++)
		at = put_single(at, &v[i]);
	check_end(ret, nonce.n > 0 ? put_nonce(at, nonce) : at);
}

void ocsp_answer_put(struct slice data, struct slice sigalg, struct slice signature, struct slice cert, struct buf *ret)
{
	static const uint8_t successful[] = {DER_ENUMERATED, 1, OCSP_SUCCESSFUL};
	size_t certs = whole(cert.n), bits = signature.n + 1;
	size_t basic = data.n + sigalg.n + whole(bits) + whole(certs), octets = whole(basic);
	size_t bytes = sizeof(oid_basic) + whole(octets), all = sizeof(successful) + whole(whole(bytes));
	uint8_t *at = put_head(make_room(ret, whole(all)), DER_SEQUENCE, all);
	at = put_head(put_bytes(at, successful, sizeof(successful)), DER_CONTEXT_CONS(0), whole(bytes));
	at = put_bytes(put_head(at, DER_SEQUENCE, bytes), oid_basic, sizeof(oid_basic));
	at = put_head(put_head(at, DER_OCTET_STRING, octets), DER_SEQUENCE, basic);
	at = put_bytes(put_bytes(at, data.p, data.n), sigalg.p, sigalg.n);
	at = put_head(at, DER_BIT_STRING, bits);
	*at++ = 0; /* unused bits */
	at = put_head(put_bytes(at, signature.p, signature.n), DER_CONTEXT_CONS(0), certs);
	check_end(ret, put_bytes(put_head(at, DER_SEQUENCE, cert.n), cert.p, cert.n));
}

void ocsp_answer_error(enum ocsp_status status, struct buf *ret)
{
	uint8_t byte = (uint8_t)status;
	size_t whole = der_begin(ret, DER_SEQUENCE);
	der_put(ret, DER_ENUMERATED, slice_of(&byte, 1));
	der_end(ret, whole);
}
