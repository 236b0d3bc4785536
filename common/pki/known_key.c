/*
 * Tables for the keys that have some: P-256's and SM2's equations ask for a sum u G + v Q of the curve's generator G and
 * the key's point Q, and libcrypto keeps multiples of G alone, so that v Q is nearly all of a verification's time. Next:
 * p256.c, known_sm2.c.
 */
#include "common/pki/known_key.h"
#include "common/pki/known_sm2.h"
#include "common/pki/p256.h"
#include "common/pki/pubkey_private.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define FIELD_BYTES 32
#define POINT_BYTES P256_POINT_BYTES

struct known_key {
	const struct pubkey *key;
	struct p256_table *p256;
	struct known_sm2 *sm2;
	uint8_t z[32]; /* SM2: hash of id, curve and key (GB/T 32918.2 5.5) */
};

CLEANUP_PTR(EC_GROUP, ec_group_freep, EC_GROUP_free)

static struct slice point_of(const struct pubkey *key)
{
	return slice_of(key->spki + key->spki_len - POINT_BYTES, POINT_BYTES);
}

static void put_number(struct buf *b, const BIGNUM *n)
{
	uint8_t bytes[FIELD_BYTES];
	if (BN_bn2binpad(n, bytes, FIELD_BYTES) != FIELD_BYTES)
		abort();
	buf_add(b, bytes, FIELD_BYTES);
}

/* Length of the id in bits, id, a, b, G, Q. */
void sm2_prefix(const struct pubkey *key, uint8_t ret[32])
{
	_cleanup_buf_ struct buf b = {0};
	uint8_t generator[POINT_BYTES];
	struct slice point = point_of(key);
	_cleanup_(ec_group_freep) EC_GROUP *curve = EC_GROUP_new_by_curve_name(NID_sm2);
	_cleanup_(bn_freep) BIGNUM *curve_a = BN_new(), *curve_b = BN_new();
	if (!curve || !curve_a || !curve_b || EC_GROUP_get_curve(curve, NULL, curve_a, curve_b, NULL) != 1 ||
	    EC_POINT_point2oct(curve, EC_GROUP_get0_generator(curve), POINT_CONVERSION_UNCOMPRESSED, generator,
			       sizeof(generator), NULL) != sizeof(generator))
		abort();
	size_t bits = 8 * (sizeof(SM2_ID) - 1);
	buf_char(&b, (char)(bits >> 8));
	buf_char(&b, (char)bits);
	buf_str(&b, SM2_ID);
	put_number(&b, curve_a);
	put_number(&b, curve_b);
	buf_add(&b, generator + 1, sizeof(generator) - 1);
	buf_add(&b, point.p + 1, point.n - 1);
	digest_two("SM3", buf_slice(&b), (struct slice){0}, ret);
}

struct known_key *known_key_new(const struct pubkey *key)
{
	struct known_key *k = xcalloc(1, sizeof(*k));
	k->key = key;
	if (key->alg == KEY_P256)
		k->p256 = p256_table_new(point_of(key).p);
	if (key->alg == KEY_SM2) {
		k->sm2 = known_sm2_new(key);
		sm2_prefix(key, k->z);
	}
	return k;
}

void known_key_free(struct known_key *k)
{
	if (k->p256)
		p256_table_free(k->p256);
	free(k->sm2);
	free(k);
}

bool known_key_verify(const struct known_key *k, struct slice msg, struct slice sig)
{
	struct slice r, s;
	uint8_t hash[32];
	if (!k->p256 && !k->sm2)
		return pubkey_verify(k->key, msg, sig);
	if (!rs_read(sig, k->key->bits, &r, &s))
		return false;
	if (k->p256) {
		sha256(msg.p, msg.n, hash);
		return p256_table_holds(k->p256, r, s, hash);
	}
	digest_two("SM3", slice_of(k->z, sizeof(k->z)), msg, hash);
	return known_sm2_holds(k->sm2, r, s, hash);
}
