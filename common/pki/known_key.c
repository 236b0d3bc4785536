/*
 * The equations of ECDSA (FIPS 186-4 6.4) and SM2 (GB/T 32918.2 7.1) with tables.
 *
 * Both ask for a sum u G + v Q of the curve's generator G and the key's point Q. libcrypto keeps multiples of G alone,
 * and computes v Q anew for each signature, which is nearly all of a verification's time. A group whose generator is Q
 * makes it keep multiples of Q as well. All numbers here are public: the signature's, the message's hash, the public
 * key. So nothing needs constant time, and nothing secret is touched.
 *
 * P-256 has assembly in libcrypto that multiplies a generator by its table alone: two products and a sum. SM2 has none,
 * and its sums are known_sm2.c's.
 */
/* EC_GROUP_precompute_mult() and EC_POINTs_mul(): OpenSSL 3 has nothing in their place. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/pki/known_key.h"
#include "common/pki/known_sm2.h"
#include "common/pki/pubkey_private.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define FIELD_BYTES 32
#define POINT_BYTES (1 + 2 * FIELD_BYTES)

struct known_key {
	const struct pubkey *key;
	EC_GROUP *base, *own; /* P-256: whose generator is G, and Q */
	struct known_sm2 *sm2;
	uint8_t z[32]; /* SM2: hash of id, curve and key (GB/T 32918.2 5.5) */
};

CLEANUP_PTR(BN_CTX, bn_ctx_freep, BN_CTX_free)
CLEANUP_PTR(EC_POINT, ec_point_freep, EC_POINT_free)
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

static void make_tables(struct known_key *k)
{
	struct slice point = point_of(k->key);
	_cleanup_(bn_ctx_freep) BN_CTX *ctx = BN_CTX_new();
	if (!ctx)
		abort();
	BN_CTX_start(ctx);
	k->base = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	k->own = k->base ? EC_GROUP_dup(k->base) : NULL;
	_cleanup_(ec_point_freep) EC_POINT *q = k->own ? EC_POINT_new(k->own) : NULL;
	if (!q || EC_POINT_oct2point(k->own, q, point.p, point.n, ctx) != 1 ||
	    EC_GROUP_set_generator(k->own, q, EC_GROUP_get0_order(k->base), EC_GROUP_get0_cofactor(k->base)) != 1 ||
	    EC_GROUP_precompute_mult(k->own, ctx) != 1)
		abort();
	BN_CTX_end(ctx);
}

struct known_key *known_key_new(const struct pubkey *key)
{
	struct known_key *k = xcalloc(1, sizeof(*k));
	k->key = key;
	if (key->alg == KEY_P256)
		make_tables(k);
	if (key->alg == KEY_SM2) {
		k->sm2 = known_sm2_new(key);
		sm2_prefix(key, k->z);
	}
	return k;
}

void known_key_free(struct known_key *k)
{
	EC_GROUP_free(k->base);
	EC_GROUP_free(k->own);
	free(k->sm2);
	free(k);
}

/* One verification: room for its numbers in ctx. */
struct equation {
	const struct known_key *k;
	BN_CTX *ctx;
	const BIGNUM *n; /* order */
	BIGNUM *r, *s, *e, *u, *v, *x;
};

/* x of u G + v Q. False at infinity, or when libcrypto fails. */
static bool sum_x(const struct equation *q)
{
	const EC_GROUP *base = q->k->base, *own = q->k->own;
	_cleanup_(ec_point_freep) EC_POINT *a = EC_POINT_new(base), *b = EC_POINT_new(base);
	if (!a || !b)
		abort();
	return EC_POINT_mul(base, a, q->u, NULL, NULL, q->ctx) == 1 &&
	       EC_POINT_mul(own, b, q->v, NULL, NULL, q->ctx) == 1 && EC_POINT_add(base, a, a, b, q->ctx) == 1 &&
	       EC_POINT_get_affine_coordinates(base, a, q->x, NULL, q->ctx) == 1;
}

/* u = e / s, v = r / s; x of the sum is r. */
static bool ecdsa_holds(const struct equation *q)
{
	return BN_mod_inverse(q->s, q->s, q->n, q->ctx) && BN_mod_mul(q->u, q->e, q->s, q->n, q->ctx) == 1 &&
	       BN_mod_mul(q->v, q->r, q->s, q->n, q->ctx) == 1 && sum_x(q) && BN_nnmod(q->x, q->x, q->n, q->ctx) == 1 &&
	       BN_cmp(q->x, q->r) == 0;
}

static bool in_range(const BIGNUM *v, const BIGNUM *n)
{
	return !BN_is_zero(v) && !BN_is_negative(v) && BN_cmp(v, n) < 0;
}

static bool holds(const struct equation *q, struct slice r, struct slice s, const uint8_t hash[32])
{
	if (!q->x || !BN_bin2bn(r.p, (int)r.n, q->r) || !BN_bin2bn(s.p, (int)s.n, q->s) || !BN_bin2bn(hash, 32, q->e))
		abort();
	if (!in_range(q->r, q->n) || !in_range(q->s, q->n))
		return false;
	return ecdsa_holds(q);
}

static bool ecdsa_verify(const struct known_key *k, struct slice r, struct slice s, struct slice msg)
{
	uint8_t hash[32];
	sha256(msg.p, msg.n, hash);
	_cleanup_(bn_ctx_freep) BN_CTX *ctx = BN_CTX_new();
	if (!ctx)
		abort();
	BN_CTX_start(ctx);
	struct equation q = {.k = k, .ctx = ctx, .n = EC_GROUP_get0_order(k->base)};
	BIGNUM **numbers[] = {&q.r, &q.s, &q.e, &q.u, &q.v, &q.x};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i] = BN_CTX_get(ctx);
	bool good = holds(&q, r, s, hash);
	BN_CTX_end(ctx);
	if (!good)
		ERR_clear_error();
	return good;
}

bool known_key_verify(const struct known_key *k, struct slice msg, struct slice sig)
{
	struct slice r, s;
	uint8_t hash[32];
	if (!k->base && !k->sm2)
		return pubkey_verify(k->key, msg, sig);
	if (!rs_read(sig, k->key->bits, &r, &s))
		return false;
	if (k->base)
		return ecdsa_verify(k, r, s, msg);
	digest_two("SM3", slice_of(k->z, sizeof(k->z)), msg, hash);
	return known_sm2_holds(k->sm2, r, s, hash);
}
