/*
 * CRLs, written from front to back: one entry after the other as the ledger gives them, then what stands around them,
 * then one signature. DER says lengths first, so the frame is made when the entries' length is known.
 *
 * The order of the serials is checked on the way, because a serial that stands twice could be given two reasons. Next:
 * crl_file.c for those that are too long to be held; common/pki/cert.h for the reading side.
 */
#include "ca/crl_private.h"

#include "ca/build_ext.h"
#include "ca/build_private.h"
#include "common/base/cleanup.h"
#include "common/pki/der.h"

#include <string.h>

#define REASON_MAX 10u
#define REASON_UNUSED 7u

static bool rises(const struct serial *last, const struct serial *next)
{
	if (last->n != next->n)
		return last->n < next->n;
	return memcmp(last->b, next->b, last->n) < 0;
}

static enum err check_entry(const struct crl_entry *e, const struct serial *last, struct fault *f)
{
	if (!rises(last, &e->serial))
		return fault_raise(f, ERR_INTERNAL, "crl_order", "crl.revoked",
				   "serial %s behind %s, wanted rising ones", SERIAL(&e->serial), SERIAL(last));
	if (e->reason > REASON_MAX || e->reason == REASON_UNUSED)
		return fault_raise(f, ERR_INTERNAL, "crl_reason", "crl.revoked",
				   "serial %s has reason %u, wanted one of RFC 5280 5.3.1", SERIAL(&e->serial),
				   e->reason);
	return OK;
}

/* RFC 5280 5.3.1: reasonCode (2.5.29.21), not critical; unspecified is not written. A long CRL has a million of them: each is
 * written forwards, its lengths are all below 128. */
static void put_entry(const struct crl_entry *e, struct buf *ret)
{
	static const uint8_t reason[] = {0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};
	_Static_assert(SERIAL_MAX + DER_TIME_MAX + sizeof(reason) + 8 < 0x80, "lengths of one octet");
	size_t zeros = 0, when = der_time_bytes(e->when);
	while (zeros < e->serial.n && e->serial.b[zeros] == 0)
		zeros++;
	size_t n = e->serial.n - zeros;
	bool high = n == 0 || e->serial.b[zeros] >= 0x80; /* an INTEGER of none is zero */
	size_t body = 2 + n + high + when + (e->reason ? sizeof(reason) + 1 : 0);
	buf_reserve(ret, 2 + body);
	uint8_t *at = ret->data + ret->len;
	*at++ = DER_SEQUENCE;
	*at++ = (uint8_t)body;
	*at++ = DER_INTEGER;
	*at++ = (uint8_t)(n + high);
	if (high)
		*at++ = 0;
	memcpy(at, e->serial.b + zeros, n);
	der_time_write(e->when, at + n);
	at += n + when;
	if (e->reason) {
		memcpy(at, reason, sizeof(reason));
		at[sizeof(reason)] = (uint8_t)e->reason;
	}
	ret->len += 2 + body;
	ret->data[ret->len] = '\0';
}

enum err crl_put_next(struct crl_walk *w, struct buf *ret, bool *ret_more, struct fault *f)
{
	struct crl_entry e = {0};
	TRY(w->build->next(w->build->arg, &e, ret_more, f));
	if (!*ret_more)
		return OK;
	TRY(check_entry(&e, &w->last, f));
	put_entry(&e, ret);
	w->last = e.serial;
	w->count++;
	return OK;
}

/* RFC 5280 5.2.5. */
static void put_point(const char *url, struct buf *ret)
{
	struct ext_open e = ext_begin(ret, OID_EXT_IDP, true);
	size_t seq = der_begin(ret, DER_SEQUENCE);
	point_put(ret, slice_str(url));
	der_end(ret, seq);
	ext_end(ret, e);
}

/* A GeneralizedTime whatever the year. X.509 (10/2019) 9.5.2.3. */
static void put_expired(int64_t since, struct buf *ret)
{
	struct ext_open e = ext_begin(ret, OID_EXT_EXPIRED_CERTS, false);
	der_put_gentime(ret, since);
	ext_end(ret, e);
}

static void put_extensions(const struct crl_build *b, struct buf *ret)
{
	size_t wrapper = der_begin(ret, DER_CONTEXT_CONS(0)), list = der_begin(ret, DER_SEQUENCE);
	ext_put_aki(ret, false, issuer_key_id(b->issuer));
	struct ext_open e = ext_begin(ret, OID_EXT_CRL_NUMBER, false);
	der_put_uint(ret, b->number);
	ext_end(ret, e);
	if (b->idp_url)
		put_point(b->idp_url, ret);
	if (b->keeps_expired)
		put_expired(b->expired_since, ret);
	der_end(ret, list);
	der_end(ret, wrapper);
}

void crl_frame_done(struct crl_frame *frame)
{
	buf_done(&frame->head);
	buf_done(&frame->tail);
}

/* TBSCertList, RFC 5280 5.1.2. The list is absent when it would be empty (5.1.2.6). */
enum err crl_frame_make(const struct crl_build *b, uint64_t entries_len, struct crl_frame *ret, struct fault *f)
{
	_cleanup_buf_ struct buf fields = {0};
	if (entries_len > CRL_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "crl_size", "crl", "entries of %llu bytes, wanted at most %u",
				   (unsigned long long)entries_len, CRL_MAX_BYTES);
	der_put_uint(&fields, 1); /* v2 */
	sigalg_put(b->issuer->key.alg, &fields);
	buf_add_slice(&fields, b->issuer->subject);
	der_put_time(&fields, b->this_update);
	der_put_time(&fields, b->next_update);
	if (entries_len > 0)
		der_put_head(&fields, DER_SEQUENCE, entries_len);
	put_extensions(b, &ret->tail);
	der_put_head(&ret->head, DER_SEQUENCE, fields.len + entries_len + ret->tail.len);
	buf_add_slice(&ret->head, buf_slice(&fields));
	return OK;
}

void crl_sign_frame(const struct crl_build *b, size_t tbs_len, struct slice signature, struct buf *head,
		    struct buf *tail)
{
	sigalg_put(b->issuer->key.alg, tail);
	der_put_bits(tail, signature, 0);
	der_put_head(head, DER_SEQUENCE, tbs_len + tail->len);
}

enum err crl_check(const struct crl_build *b, struct fault *f)
{
	const struct pubkey *key = ca_key_public(b->key);
	/* RFC 5280 4.2.1.3, 6.3.3 (f). */
	if (b->issuer->has_ku && !(b->issuer->key_usage & KU_BIT(KU_CRL_SIGN)))
		return fault_raise(f, ERR_RULE, "crl_issuer", "crl.issuer",
				   "the issuer's certificate has no cRLSign (RFC 5280 4.2.1.3)");
	if (!slice_eq(slice_of(key->spki, key->spki_len), slice_of(b->issuer->key.spki, b->issuer->key.spki_len)))
		return fault_raise(f, ERR_RULE, "crl_key", "crl.issuer",
				   "the signing key is not that of the issuer's certificate (RFC 5280 6.3.3 (g))");
	if (b->next_update <= b->this_update)
		return fault_raise(f, ERR_RULE, "crl_next_update", "crl.nextUpdate",
				   "found nextUpdate %lld, thisUpdate %lld (seconds since 1970), wanted a later one "
				   "(RFC 5280 5.1.2.5)",
				   (long long)b->next_update, (long long)b->this_update);
	return OK;
}

enum err crl_build(const struct crl_build *b, struct buf *ret, uint64_t *ret_count, struct fault *f)
{
	_cleanup_(crl_frame_done) struct crl_frame frame = {0};
	_cleanup_buf_ struct buf entries = {0}, tbs = {0}, signature = {0}, tail = {0};
	struct crl_walk w = {.build = b};
	TRY(crl_check(b, f));
	for (bool more = true; more;)
		TRY(crl_put_next(&w, &entries, &more, f));
	TRY(crl_frame_make(b, entries.len, &frame, f));
	buf_add_slice(&tbs, buf_slice(&frame.head));
	buf_add_slice(&tbs, buf_slice(&entries));
	buf_add_slice(&tbs, buf_slice(&frame.tail));
	TRY(ca_key_sign(b->key, buf_slice(&tbs), &signature, f));
	crl_sign_frame(b, tbs.len, buf_slice(&signature), ret, &tail);
	buf_add_slice(ret, buf_slice(&tbs));
	buf_add_slice(ret, buf_slice(&tail));
	*ret_count = w.count;
	return OK;
}
