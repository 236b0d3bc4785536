/*
 * Signatures whose secret is worth nothing, and so without what makes signatures dear.
 *
 * ECDSA and SM2 want a number k for each signature that nobody knows: two signatures with one k give the key away. Here
 * all have one, r is computed once, and what is left for s is linear in the hash. Of RSA's two exponents the short one
 * signs. Ed25519's s is linear in its hash too. None of it is constant in time. It is all valid: a verifier who took
 * this key's public half for an issuer's would find nothing wrong.
 */
#include "common/pki/throwaway.h"
#include "common/pki/pubkey_private.h"
#include "common/pki/sign.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <sodium.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define FIELD_MAX 48
#define RSA_MAX_BYTES 512

struct throwaway {
	enum key_alg alg;
	unsigned bytes;	 /* of the modulus, or the field */
	EVP_PKEY *key;	 /* EC: the key; RSA: its public half; Ed25519: NULL */
	BIGNUM *n;	 /* EC: the group's order; RSA: the modulus */
	BIGNUM *x;	 /* EC: of k G */
	BIGNUM *a, *b;	 /* EC: s = a e + b, SM2: s = a - b r; RSA: a is the exponent */
	BN_MONT_CTX *in; /* RSA: modulo n */
	uint8_t sm2_prefix[32];
	uint8_t scalar[32], nonce[32], point[32], r[32]; /* Ed25519 */
};

CLEANUP_PTR(BN_CTX, bn_ctx_freep, BN_CTX_free)
CLEANUP_PTR(OSSL_PARAM_BLD, param_bld_freep, OSSL_PARAM_BLD_free)
CLEANUP_PTR(OSSL_PARAM, param_freep, OSSL_PARAM_free)

void throwaway_free(struct throwaway *t)
{
	EVP_PKEY_free(t->key);
	BN_free(t->n);
	BN_free(t->x);
	BN_free(t->a);
	BN_free(t->b);
	BN_MONT_CTX_free(t->in);
	free(t);
}

/* libcrypto's numbers fail for want of memory alone. */
static void must(int good)
{
	if (good != 1)
		abort();
}

static BIGNUM *number_of(EVP_PKEY *key, const char *name)
{
	BIGNUM *n = NULL;
	must(EVP_PKEY_get_bn_param(key, name, &n));
	return n;
}

static BN_CTX *context(void)
{
	BN_CTX *ctx = BN_CTX_new();
	must(ctx != NULL);
	return ctx;
}

/* --- elliptic curves ---
 *
 * d: the key, k: the one number, x: of k G. ECDSA (FIPS 186-4 6.4): r = x, s = (e + r d) / k.
 * SM2 (GB/T 32918.2 6.1): r = e + x, s = (k - r d) / (1 + d). */

static void ecdsa_ready(struct throwaway *t, const BIGNUM *d, const BIGNUM *k, BN_CTX *ctx)
{
	must(BN_nnmod(t->x, t->x, t->n, ctx));
	must(BN_mod_inverse(t->a, k, t->n, ctx) != NULL);
	must(BN_mod_mul(t->b, t->x, d, t->n, ctx));
	must(BN_mod_mul(t->b, t->b, t->a, t->n, ctx));
}

static void sm2_ready(struct throwaway *t, const BIGNUM *d, const BIGNUM *k, BN_CTX *ctx)
{
	must(BN_mod_add(t->b, d, BN_value_one(), t->n, ctx));
	must(BN_mod_inverse(t->b, t->b, t->n, ctx) != NULL);
	must(BN_mod_mul(t->a, t->b, k, t->n, ctx));
	must(BN_mod_mul(t->b, t->b, d, t->n, ctx));
}

static enum err curve_new(struct throwaway *t, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *second = NULL;
	_cleanup_(bn_freep) BIGNUM *d = NULL, *k = NULL;
	_cleanup_(bn_ctx_freep) BN_CTX *ctx = context();
	_cleanup_(pubkey_done) struct pubkey public = {0};
	TRY(privkey_generate(t->alg, 0, &t->key, f));
	TRY(privkey_generate(t->alg, 0, &second, f)); /* k, and the point that is k G */
	TRY(privkey_public(t->key, &public, f));
	t->bytes = public.bits / 8;
	t->n = number_of(second, OSSL_PKEY_PARAM_EC_ORDER);
	t->x = number_of(second, OSSL_PKEY_PARAM_EC_PUB_X);
	t->a = BN_new();
	t->b = BN_new();
	must(t->a && t->b);
	k = number_of(second, OSSL_PKEY_PARAM_PRIV_KEY);
	d = number_of(t->key, OSSL_PKEY_PARAM_PRIV_KEY);
	if (t->alg == KEY_SM2) {
		sm2_prefix(&public, t->sm2_prefix);
		sm2_ready(t, d, k, ctx);
	} else {
		ecdsa_ready(t, d, k, ctx);
	}
	return OK;
}

static void curve_sign(const struct throwaway *t, struct slice msg, struct buf *ret)
{
	uint8_t hash[EVP_MAX_MD_SIZE], raw[2 * FIELD_MAX];
	_cleanup_(bn_ctx_freep) BN_CTX *ctx = context();
	_cleanup_(bn_freep) BIGNUM *e = NULL, *s = BN_new();
	bool sm2 = t->alg == KEY_SM2;
	struct slice prefix = slice_of(t->sm2_prefix, sm2 ? sizeof(t->sm2_prefix) : 0);
	/* Each of these digests is as long as the order. */
	e = BN_bin2bn(hash, (int)digest_two(key_info(t->alg)->md, prefix, msg, hash), NULL);
	must(e && s);
	if (sm2)
		must(BN_mod_add(e, e, t->x, t->n, ctx)); /* r */
	must(BN_mod_mul(s, sm2 ? t->b : t->a, e, t->n, ctx));
	must(sm2 ? BN_mod_sub(s, t->a, s, t->n, ctx) : BN_mod_add(s, s, t->b, t->n, ctx));
	must(BN_bn2binpad(sm2 ? e : t->x, raw, (int)t->bytes) == (int)t->bytes);
	must(BN_bn2binpad(s, raw + t->bytes, (int)t->bytes) == (int)t->bytes);
	must(signature_der_from_rs(t->alg, slice_of(raw, 2 * (size_t)t->bytes), ret));
}

/* --- RSA --- */

static EVP_PKEY *rsa_public(BIGNUM *n, BIGNUM *e)
{
	EVP_PKEY *key = NULL;
	_cleanup_(param_bld_freep) OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	must(b && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) &&
	     OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e));
	_cleanup_(param_freep) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	_cleanup_(evp_pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	must(params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	     EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
	return key;
}

static enum err rsa_new(struct throwaway *t, unsigned bits, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	_cleanup_(bn_freep) BIGNUM *d = NULL;
	_cleanup_(bn_ctx_freep) BN_CTX *ctx = context();
	TRY(privkey_generate(KEY_RSA, bits, &key, f));
	t->bytes = bits / 8;
	t->n = number_of(key, OSSL_PKEY_PARAM_RSA_N);
	t->a = number_of(key, OSSL_PKEY_PARAM_RSA_E);
	d = number_of(key, OSSL_PKEY_PARAM_RSA_D);
	t->key = rsa_public(t->n, d); /* each undoes what the other does */
	t->in = BN_MONT_CTX_new();
	must(t->in != NULL);
	must(BN_MONT_CTX_set(t->in, t->n, ctx));
	return OK;
}

/* EMSA-PKCS1-v1_5 with SHA-256, RFC 8017 9.2. */
static void rsa_sign(const struct throwaway *t, struct slice msg, struct buf *ret)
{
	static const uint8_t info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
				       0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	uint8_t em[RSA_MAX_BYTES], *hash = em + t->bytes - 32, *inner = hash - sizeof(info);
	_cleanup_(bn_ctx_freep) BN_CTX *ctx = context();
	memset(em, 0xff, t->bytes);
	em[0] = 0;
	em[1] = 1;
	inner[-1] = 0;
	memcpy(inner, info, sizeof(info));
	sha256(msg.p, msg.n, hash);
	_cleanup_(bn_freep) BIGNUM *m = BN_bin2bn(em, (int)t->bytes, NULL);
	must(m != NULL);
	must(BN_mod_exp_mont(m, m, t->a, t->n, ctx, t->in));
	must(BN_bn2binpad(m, em, (int)t->bytes) == (int)t->bytes);
	buf_add(ret, em, t->bytes);
}

/* --- Ed25519: s = r + h a, RFC 8032 5.1.6 --- */

static void ed25519_new(struct throwaway *t)
{
	crypto_core_ed25519_scalar_random(t->scalar);
	crypto_core_ed25519_scalar_random(t->nonce);
	must(crypto_scalarmult_ed25519_base_noclamp(t->point, t->scalar) == 0 &&
	     crypto_scalarmult_ed25519_base_noclamp(t->r, t->nonce) == 0);
}

static void ed25519_sign(const struct throwaway *t, struct slice msg, struct buf *ret)
{
	crypto_hash_sha512_state state;
	uint8_t hash[crypto_hash_sha512_BYTES], s[32];
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, t->r, sizeof(t->r));
	crypto_hash_sha512_update(&state, t->point, sizeof(t->point));
	crypto_hash_sha512_update(&state, msg.p, msg.n);
	crypto_hash_sha512_final(&state, hash);
	crypto_core_ed25519_scalar_reduce(s, hash);
	crypto_core_ed25519_scalar_mul(s, s, t->scalar);
	crypto_core_ed25519_scalar_add(s, s, t->nonce);
	buf_add(ret, t->r, sizeof(t->r));
	buf_add(ret, s, sizeof(s));
}

/* --- all of them --- */

enum err throwaway_new(enum key_alg alg, unsigned rsa_bits, struct throwaway **ret, struct fault *f)
{
	_cleanup_(throwaway_freep) struct throwaway *t = xcalloc(1, sizeof(*t));
	t->alg = alg;
	if (alg == KEY_ED25519)
		ed25519_new(t);
	else
		TRY(alg == KEY_RSA ? rsa_new(t, rsa_bits, f) : curve_new(t, f));
	*ret = TAKE(t);
	return OK;
}

enum key_alg throwaway_alg(const struct throwaway *t)
{
	return t->alg;
}

EVP_PKEY *throwaway_public(const struct throwaway *t)
{
	EVP_PKEY *key = t->key;
	if (t->alg == KEY_ED25519)
		key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, t->point, sizeof(t->point));
	else
		must(EVP_PKEY_up_ref(key));
	must(key != NULL);
	return key;
}

void throwaway_sign(const struct throwaway *t, struct slice msg, struct buf *ret)
{
	if (t->alg == KEY_RSA)
		rsa_sign(t, msg, ret);
	else if (t->alg == KEY_ED25519)
		ed25519_sign(t, msg, ret);
	else
		curve_sign(t, msg, ret);
}
