/*
 * CRLs, written from front to back: one entry after the other as the ledger gives them, then one signature.
 *
 * The order of the serials is checked on the way, because a serial that stands twice could be given two reasons. Next:
 * common/pki/cert.h for the reading side.
 */
#include "ca/crl.h"

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

/* RFC 5280 5.3.1: reasonCode, not critical; unspecified is not written. */
static void put_entry(const struct crl_entry *e, struct buf *ret)
{
	size_t entry = der_begin(ret, DER_SEQUENCE);
	der_put_magnitude(ret, slice_of(e->serial.b, e->serial.n));
	der_put_time(ret, e->when);
	if (e->reason) {
		uint8_t reason = (uint8_t)e->reason;
		size_t exts = der_begin(ret, DER_SEQUENCE);
		struct ext_open x = ext_begin(ret, OID_EXT_REASON, false);
		der_put(ret, DER_ENUMERATED, slice_of(&reason, 1));
		ext_end(ret, x);
		der_end(ret, exts);
	}
	der_end(ret, entry);
}

/* RFC 5280 5.1.2.6: the list is absent when it would be empty. */
static enum err put_entries(const struct crl_build *b, struct buf *ret, uint64_t *ret_count, struct fault *f)
{
	struct serial last = {0};
	struct crl_entry e = {0};
	size_t before = ret->len, list = der_begin(ret, DER_SEQUENCE);
	uint64_t count = 0;
	for (bool more = true;; count++) {
		TRY(b->next(b->arg, &e, &more, f));
		if (!more)
			break;
		TRY(check_entry(&e, &last, f));
		put_entry(&e, ret);
		last = e.serial;
	}
	if (count > 0)
		der_end(ret, list);
	else
		buf_cut(ret, before);
	*ret_count = count;
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

static void put_extensions(const struct crl_build *b, struct buf *ret)
{
	size_t wrapper = der_begin(ret, DER_CONTEXT_CONS(0)), list = der_begin(ret, DER_SEQUENCE);
	ext_put_aki(ret, false, issuer_key_id(b->issuer));
	struct ext_open e = ext_begin(ret, OID_EXT_CRL_NUMBER, false);
	der_put_uint(ret, b->number);
	ext_end(ret, e);
	if (b->idp_url)
		put_point(b->idp_url, ret);
	der_end(ret, list);
	der_end(ret, wrapper);
}

/* TBSCertList, RFC 5280 5.1.2. */
static enum err put_tbs(const struct crl_build *b, struct buf *ret, uint64_t *ret_count, struct fault *f)
{
	size_t tbs = der_begin(ret, DER_SEQUENCE);
	der_put_uint(ret, 1); /* v2 */
	sigalg_put(b->issuer->key.alg, ret);
	buf_add_slice(ret, b->issuer->subject);
	der_put_time(ret, b->this_update);
	der_put_time(ret, b->next_update);
	TRY(put_entries(b, ret, ret_count, f));
	put_extensions(b, ret);
	der_end(ret, tbs);
	return OK;
}

static enum err check_build(const struct crl_build *b, struct fault *f)
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

/* The whole is written in place, and taken back where a part fails. */
static enum err build_whole(const struct crl_build *b, struct buf *ret, uint64_t *ret_count, struct fault *f)
{
	_cleanup_buf_ struct buf signature = {0};
	size_t whole = der_begin(ret, DER_SEQUENCE), start = ret->len;
	TRY(put_tbs(b, ret, ret_count, f));
	TRY(ca_key_sign(b->key, slice_of(ret->data + start, ret->len - start), &signature, f));
	sigalg_put(b->issuer->key.alg, ret);
	der_put_bits(ret, buf_slice(&signature), 0);
	der_end(ret, whole);
	return OK;
}

enum err crl_build(const struct crl_build *b, struct buf *ret, uint64_t *ret_count, struct fault *f)
{
	uint64_t count = 0;
	size_t before = ret->len;
	TRY(check_build(b, f));
	enum err e = build_whole(b, ret, &count, f);
	if (e != OK) {
		buf_cut(ret, before);
		return e;
	}
	*ret_count = count;
	return OK;
}
