/*
 * Certificates as bytes: what leaf and CA certificates share, serial numbers, and CA certificates, which only
 * ceremonies make.
 *
 * Nothing here decides; every value is given, and what has no encoding is refused. Leaf certificates come from
 * template.c; what is wrong with a result lint.c says.
 */
#include "ca/build.h"

#include "ca/build_ext.h"
#include "ca/build_private.h"
#include "ca/random_stock.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/pki/der.h"

#include <string.h>
#include <time.h>

#define YEAR_1950 INT64_C(-631152000)
#define YEAR_10000 INT64_C(253402300800)
#define YEAR_2020_MS INT64_C(1577836800000)

enum err tbs_check(const struct tbs_head *h, struct fault *f)
{
	const struct serial *s = h->serial;
	/* RFC 5280 4.1.2.2: positive, and no longer than 20 octets with the sign bit's own. */
	if (s->n == 0 || s->b[0] == 0 || s->n > SERIAL_MAX || (s->n == SERIAL_MAX && s->b[0] >= 0x80))
		return fault_raise(
			f, ERR_RULE, "build_serial", "certificate.serial",
			"found a serial of %zu octets, wanted 1 to 20 without leading zero (RFC 5280 4.1.2.2)", s->n);
	if (h->not_before < YEAR_1950 || h->not_after >= YEAR_10000 || h->not_before >= h->not_after)
		return fault_raise(
			f, ERR_RULE, "build_validity", "certificate.validity",
			"found %lld to %lld (seconds since 1970), wanted a start in or after 1950 and a later "
			"end before 10000 (RFC 5280 4.1.2.5)",
			(long long)h->not_before, (long long)h->not_after);
	if (h->subject->n == 0)
		return fault_raise(f, ERR_RULE, "build_subject", "certificate.subject",
				   "found an empty name, wanted an attribute or more (RFC 5280 4.1.2.6)");
	return OK;
}

struct tbs_open tbs_begin(const struct tbs_head *h, struct buf *ret)
{
	struct tbs_open o;
	o.tbs = der_begin(ret, DER_SEQUENCE);
	size_t at = der_begin(ret, DER_CONTEXT_CONS(0));
	der_put_uint(ret, 2); /* v3 */
	der_end(ret, at);
	der_put_magnitude(ret, slice_of(h->serial->b, h->serial->n));
	buf_add_slice(ret, h->sigalg);
	buf_add_slice(ret, h->issuer);
	at = der_begin(ret, DER_SEQUENCE);
	der_put_time(ret, h->not_before);
	der_put_time(ret, h->not_after);
	der_end(ret, at);
	name_put(h->subject, ret);
	buf_add(ret, h->key->spki, h->key->spki_len);
	o.wrapper = der_begin(ret, DER_CONTEXT_CONS(3));
	o.list = der_begin(ret, DER_SEQUENCE);
	return o;
}

void tbs_end(struct tbs_open o, struct buf *ret)
{
	der_end(ret, o.list);
	der_end(ret, o.wrapper);
	der_end(ret, o.tbs);
}

void build_certificate(struct slice tbs, enum key_alg issuer_alg, struct slice signature, struct buf *ret)
{
	size_t at = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, tbs);
	sigalg_put(issuer_alg, ret);
	der_put_bits(ret, signature, 0);
	der_end(ret, at);
}

/* The top octet of the 48 bits counts from 1, so that a serial is 16 octets long now and for 4,000 years. */
void serial_make(uint64_t *last, struct serial *ret)
{
	static _Thread_local struct random_stock stock;
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	int64_t since = clock_now() * 1000 + ts.tv_nsec / 1000000 - YEAR_2020_MS;
	uint64_t rising = (UINT64_C(1) << 40) + (since > 0 ? (uint64_t)since : 0);
	if (rising < *last)
		rising = *last;
	*last = rising;
	*ret = (struct serial){.n = 16};
	for (size_t i = 0; i < 6; i++)
		ret->b[i] = (uint8_t)(rising >> (40 - 8 * i));
	random_stock_take(&stock, ret->b + 6, 10);
}

unsigned serial_shard(const struct serial *s, unsigned shards)
{
	unsigned v = s->n > 0 ? s->b[s->n - 1] : 0;
	if (s->n > 1)
		v |= (unsigned)s->b[s->n - 2] << 8;
	return v % shards;
}

static void put_ca_urls(const struct ca_build *b, struct buf *ret)
{
	const uint8_t *id = b->issuer ? b->issuer->key.key_id : b->key->key_id;
	if (b->ca_issuers_url) {
		_cleanup_buf_ struct buf url = {0};
		url_expand(b->ca_issuers_url, id, NULL, &url);
		ext_put_aia(ret, false, buf_text(&url), NULL);
	}
	if (b->crl_url) {
		_cleanup_buf_ struct buf url = {0};
		url_expand(b->crl_url, id, NULL, &url);
		ext_put_crl_dp(ret, false, buf_slice(&url));
	}
}

/* RFC 5280 4.2.1: what a CA's certificate must have. A root's AKI would repeat its SKI and is left out (4.2.1.1). */
static void put_ca_extensions(const struct ca_build *b, struct buf *ret)
{
	ext_put_basic_constraints(ret, true, true, b->path_len);
	ext_put_key_usage(ret, true, KU_BIT(KU_KEY_CERT_SIGN) | KU_BIT(KU_CRL_SIGN));
	ext_put_ski(ret, false, slice_of(b->key->key_id, sizeof(b->key->key_id)));
	if (b->issuer)
		ext_put_aki(ret, false, issuer_key_id(b->issuer));
	if (b->policy_oid)
		ext_put_policy(ret, false, b->policy_oid, NULL);
	put_ca_urls(b, ret);
}

enum err build_ca_tbs(const struct ca_build *b, enum key_alg issuer_alg, const struct serial *serial, struct buf *ret,
		      struct fault *f)
{
	_cleanup_buf_ struct buf sigalg = {0}, own_name = {0};
	sigalg_put(issuer_alg, &sigalg);
	name_put(b->subject, &own_name);
	struct tbs_head head = {.serial = serial,
				.sigalg = buf_slice(&sigalg),
				.issuer = b->issuer ? b->issuer->subject : buf_slice(&own_name),
				.not_before = b->not_before,
				.not_after = b->not_after,
				.subject = b->subject,
				.key = b->key};
	TRY(tbs_check(&head, f));
	struct tbs_open o = tbs_begin(&head, ret);
	put_ca_extensions(b, ret);
	tbs_end(o, ret);
	return OK;
}
