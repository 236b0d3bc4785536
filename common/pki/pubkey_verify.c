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
static bool verify_p256(const struct pubkey *k, const char *md_name, struct slice r, struct slice s, struct slice msg)
{
	uint8_t hash[EVP_MAX_MD_SIZE], number[32] = {0};
	size_t n = digest_two(md_name, (struct slice){0}, msg, hash);
	size_t used = n < sizeof(number) ? n : sizeof(number);
	memcpy(number + sizeof(number) - used, hash, used);
	return p256_holds(k->spki + k->spki_len - P256_POINT_BYTES, r, s, number);
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

bool pubkey_verify_md(const struct pubkey *k, const char *md, struct slice msg, struct slice sig)
{
	if (k->alg != KEY_RSA && k->alg != KEY_P256 && k->alg != KEY_P384)
		return pubkey_verify(k, msg, sig);
	return md && strcmp(md, "SM3") != 0 && verify(k, md, msg, sig);
}
