/*
 * Extensions as DER: each writer reads like the ASN.1 of its section. Next: template.c, which encodes what is constant
 * once.
 */
#include "ca/build_ext.h"

#include "common/pki/der.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { URI = 6, RFC822_NAME = 1 }; /* GeneralName, RFC 5280 4.2.1.6 */

void oid_put(struct buf *b, const char *dotted)
{
	if (!der_put_oid(b, dotted))
		abort(); /* checked when the file was read */
}

struct ext_open ext_begin(struct buf *b, const char *oid, bool critical)
{
	struct ext_open e;
	e.seq = der_begin(b, DER_SEQUENCE);
	oid_put(b, oid);
	if (critical) /* DEFAULT FALSE is not written: X.690 11.5 */
		der_put_bool(b, true);
	e.octets = der_begin(b, DER_OCTET_STRING);
	return e;
}

void ext_end(struct buf *b, struct ext_open e)
{
	der_end(b, e.octets);
	der_end(b, e.seq);
}

/* RFC 5280 4.2.1.9. */
void ext_put_basic_constraints(struct buf *b, bool critical, bool is_ca, int path_len)
{
	struct ext_open e = ext_begin(b, OID_EXT_BASIC_CONSTRAINTS, critical);
	size_t seq = der_begin(b, DER_SEQUENCE);
	if (is_ca)
		der_put_bool(b, true);
	if (path_len >= 0)
		der_put_uint(b, (uint64_t)path_len);
	der_end(b, seq);
	ext_end(b, e);
}

/* RFC 5280 4.2.1.3; a named bit list ends with its last set bit, X.690 11.2.2. */
void ext_put_key_usage(struct buf *b, bool critical, uint64_t bits)
{
	uint8_t octets[2] = {0};
	unsigned last = 0;
	assert(bits != 0 && bits < KU_BIT(9));
	for (unsigned i = 0; i < 9; i++) {
		if (bits & KU_BIT(i)) {
			octets[i / 8] |= (uint8_t)(0x80 >> i % 8);
			last = i;
		}
	}
	struct ext_open e = ext_begin(b, OID_EXT_KEY_USAGE, critical);
	der_put_bits(b, slice_of(octets, last / 8 + 1), 7 - last % 8);
	ext_end(b, e);
}

/* RFC 5280 4.2.1.12. */
void ext_put_purposes(struct buf *b, bool critical, const char *const *oids, size_t n)
{
	struct ext_open e = ext_begin(b, OID_EXT_PURPOSES, critical);
	size_t seq = der_begin(b, DER_SEQUENCE);
	for (size_t i = 0; i < n; i++)
		oid_put(b, oids[i]);
	der_end(b, seq);
	ext_end(b, e);
}

/* RFC 5280 4.2.1.2. */
void ext_put_ski(struct buf *b, bool critical, struct slice key_id)
{
	struct ext_open e = ext_begin(b, OID_EXT_SKI, critical);
	der_put(b, DER_OCTET_STRING, key_id);
	ext_end(b, e);
}

/* RFC 5280 4.2.1.1: the key identifier alone. */
void ext_put_aki(struct buf *b, bool critical, struct slice key_id)
{
	struct ext_open e = ext_begin(b, OID_EXT_AKI, critical);
	size_t seq = der_begin(b, DER_SEQUENCE);
	der_put(b, DER_CONTEXT(0), key_id);
	der_end(b, seq);
	ext_end(b, e);
}

static void access_put(struct buf *b, const char *method, const char *url)
{
	if (!url)
		return;
	size_t seq = der_begin(b, DER_SEQUENCE);
	oid_put(b, method);
	der_put(b, DER_CONTEXT(URI), slice_str(url));
	der_end(b, seq);
}

/* RFC 5280 4.2.2.1. */
void ext_put_aia(struct buf *b, bool critical, const char *ca_issuers, const char *ocsp)
{
	struct ext_open e = ext_begin(b, OID_EXT_AIA, critical);
	size_t seq = der_begin(b, DER_SEQUENCE);
	access_put(b, OID_AD_OCSP, ocsp);
	access_put(b, OID_AD_CA_ISSUERS, ca_issuers);
	der_end(b, seq);
	ext_end(b, e);
}

void point_put(struct buf *b, struct slice url)
{
	size_t point = der_begin(b, DER_CONTEXT_CONS(0)), full = der_begin(b, DER_CONTEXT_CONS(0));
	der_put(b, DER_CONTEXT(URI), url);
	der_end(b, full);
	der_end(b, point);
}

/* RFC 5280 4.2.1.13. */
void ext_put_crl_dp(struct buf *b, bool critical, struct slice url)
{
	struct ext_open e = ext_begin(b, OID_EXT_CRL_DP, critical);
	size_t points = der_begin(b, DER_SEQUENCE), seq = der_begin(b, DER_SEQUENCE);
	point_put(b, url);
	der_end(b, seq);
	der_end(b, points);
	ext_end(b, e);
}

/* RFC 5280 4.2.1.4. */
void ext_put_policy(struct buf *b, bool critical, const char *oid, const char *cps)
{
	struct ext_open e = ext_begin(b, OID_EXT_POLICIES, critical);
	size_t policies = der_begin(b, DER_SEQUENCE), info = der_begin(b, DER_SEQUENCE);
	oid_put(b, oid);
	if (cps) {
		size_t qualifiers = der_begin(b, DER_SEQUENCE), qualifier = der_begin(b, DER_SEQUENCE);
		oid_put(b, OID_QUALIFIER_CPS);
		der_put(b, DER_IA5, slice_str(cps));
		der_end(b, qualifier);
		der_end(b, qualifiers);
	}
	der_end(b, info);
	der_end(b, policies);
	ext_end(b, e);
}

/* RFC 5280 4.2.1.6: rfc822Name. */
void ext_put_mail(struct buf *b, bool critical, const char *mail)
{
	struct ext_open e = ext_begin(b, OID_EXT_SAN, critical);
	size_t names = der_begin(b, DER_SEQUENCE);
	der_put(b, DER_CONTEXT(RFC822_NAME), slice_str(mail));
	der_end(b, names);
	ext_end(b, e);
}

/* GM/T 0015-2012 5.2.4.2: a PrintableString; the person's code is a CHOICE of which residents have [0]. The standard
 * does not say how that is tagged; EXPLICIT is what issuers in the field write. */
void ext_put_gmt0015(struct buf *b, bool critical, const char *oid, const char *value)
{
	struct ext_open e = ext_begin(b, oid, critical);
	if (strcmp(oid, OID_GMT0015_PERSON) == 0) {
		size_t choice = der_begin(b, DER_CONTEXT_CONS(0));
		der_put(b, DER_PRINTABLE, slice_str(value));
		der_end(b, choice);
	} else {
		der_put(b, DER_PRINTABLE, slice_str(value));
	}
	ext_end(b, e);
}

void url_expand(const char *pattern, const uint8_t key_id[20], const unsigned *shard, struct buf *ret)
{
	while (*pattern != '\0') {
		if (strncmp(pattern, "{issuer}", 8) == 0) {
			buf_hex(ret, key_id, 20);
			pattern += 8;
		} else if (shard && strncmp(pattern, "{shard}", 7) == 0) {
			buf_fmt(ret, "%u", *shard);
			pattern += 7;
		} else {
			buf_char(ret, *pattern++);
		}
	}
}

bool text_is_printable(const char *text)
{
	static const char marks[] = " '()+,-./:=?";
	for (; *text != '\0'; text++) {
		char c = *text;
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!letter && !strchr(marks, c))
			return false;
	}
	return true;
}

void buf_cut(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
	if (b->data)
		b->data[len] = '\0';
}
