/*
 * Signatures verified by a public key.
 *
 * ECDSA and SM2 signatures are read by our own strict reader first, so that one signature has one spelling, whatever
 * the library forgives. Ed25519 is libsodium's, which is faster here and refuses small-order and non-canonical values.
 */
#include "common/pki/der.h"
#include "common/pki/p256.h"
#include "common/pki/pubkey_private.h"

#include <openssl/err.h>
#include <sodium.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

static bool scalar_is_sane(struct slice body, unsigned field_bits)
{
	size_t n = body.n - (body.p[0] == 0);
	return body.p[0] < 0x80 && n > 0 && n <= field_bits / 8;
}

/* SEQUENCE of r and s, positive, no wider than the order; that they are below it libcrypto checks. RFC 3279 2.2.3. */
bool rs_read(struct slice sig, unsigned field_bits, struct slice *ret_r, struct slice *ret_s)
{
	struct der d = der_of(sig), rs;
	return der_enter(&d, DER_SEQUENCE, &rs) && der_at_end(&d) && der_get_integer(&rs, ret_r) &&
	       der_get_integer(&rs, ret_s) && der_at_end(&rs) && scalar_is_sane(*ret_r, field_bits) &&
	       scalar_is_sane(*ret_s, field_bits);
}

static bool verify_ed25519(const struct pubkey *k, struct slice msg, struct slice sig)
{
	if (sig.n != crypto_sign_BYTES || k->spki_len < crypto_sign_PUBLICKEYBYTES)
		return false;
	const uint8_t *point = k->spki + k->spki_len - crypto_sign_PUBLICKEYBYTES;
	return crypto_sign_verify_detached(sig.p, msg.p ? msg.p : (const uint8_t *)"", msg.n, point) == 0;
}

bool sm2_set_id(EVP_PKEY_CTX *pctx)
{
	return EVP_PKEY_CTX_set1_id(pctx, SM2_ID, sizeof(SM2_ID) - 1) == 1;
}

static bool verify_evp(const struct pubkey *k, const EVP_MD *md, struct slice msg, struct slice sig)
{
	EVP_PKEY_CTX *pctx = NULL; /* ctx's own */
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx)
		abort();
	bool good = EVP_DigestVerifyInit_ex(ctx, &pctx, EVP_MD_get0_name(md), NULL, NULL, k->pkey, NULL) == 1 &&
		    (k->alg != KEY_SM2 || sm2_set_id(pctx)) &&
		    EVP_DigestVerify(ctx, sig.p, sig.n, msg.p ? msg.p : (const uint8_t *)"", msg.n) == 1;
	if (!good)
		ERR_clear_error();
	return good;
}

/* The hash's leftmost bits, as many as the order has; a shorter one is the smaller number. FIPS 186-4 6.4. */
static void p256_number(const char *md_name, struct slice msg, uint8_t ret[32])
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	size_t n = digest_two(md_name, (struct slice){0}, msg, hash), used = n < 32 ? n : 32;
	memset(ret, 0, 32);
	memcpy(ret + 32 - used, hash, used);
}

static const uint8_t *p256_point(const struct pubkey *k)
{
	return k->spki + k->spki_len - P256_POINT_BYTES;
}

static bool verify_p256(const struct pubkey *k, const char *md_name, struct slice r, struct slice s, struct slice msg)
{
	uint8_t number[32];
	p256_number(md_name, msg, number);
	return p256_holds(p256_point(k), r, s, number);
}

static bool verify(const struct pubkey *k, const char *md_name, struct slice msg, struct slice sig)
{
	if (k->spki_len == 0 || sig.n == 0)
		return false;
	if (k->alg == KEY_ED25519)
		return !md_name && verify_ed25519(k, msg, sig);
	const EVP_MD *md = md_name ? digest_by_name(md_name) : NULL;
	struct slice r, s;
	if (!md || (k->alg != KEY_RSA && !rs_read(sig, k->bits, &r, &s)))
		return false;
	return k->alg == KEY_P256 ? verify_p256(k, md_name, r, s, msg) : verify_evp(k, md, msg, sig);
}

bool pubkey_verify(const struct pubkey *k, struct slice msg, struct slice sig)
{
	return verify(k, key_info(k->alg)->md, msg, sig);
}

#define TOGETHER 8u

/* Can it hold, and only p256.h knows? */
static bool is_p256_claim(const struct pubkey_claim *c, struct slice *ret_r, struct slice *ret_s)
{
	return c->key->alg == KEY_P256 && c->key->spki_len > 0 && c->sig.n > 0 &&
	       rs_read(c->sig, c->key->bits, ret_r, ret_s);
}

void pubkey_verify_many(struct pubkey_claim *claims, size_t n)
{
	struct p256_claim some[TOGETHER];
	struct pubkey_claim *of[TOGETHER];
	uint8_t numbers[TOGETHER][32];
	size_t together = 0;
	for (size_t i = 0; i < n; i++) {
		struct pubkey_claim *c = &claims[i];
		struct p256_claim *p = &some[together];
		if (is_p256_claim(c, &p->r, &p->s)) {
			p256_number(key_info(KEY_P256)->md, c->msg, numbers[together]);
			p->point = p256_point(c->key);
			p->hash = numbers[together];
			of[together++] = c;
		} else {
			c->holds = pubkey_verify(c->key, c->msg, c->sig);
		}
		if (together < TOGETHER && i + 1 < n)
			continue;
		p256_hold_many(some, together);
		while (together > 0) {
			together--;
			of[together]->holds = some[together].holds;
		}
	}
}

bool pubkey_verify_md(const struct pubkey *k, const char *md, struct slice msg, struct slice sig)
{
	if (k->alg != KEY_RSA && k->alg != KEY_P256 && k->alg != KEY_P384)
		return pubkey_verify(k, msg, sig);
	return md && strcmp(md, "SM3") != 0 && verify(k, md, msg, sig);
}
