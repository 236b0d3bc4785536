/*
 * Public keys out of SubjectPublicKeyInfo, by our own reader.
 *
 * libcrypto's decoder costs more than a signature's check, because it tries every format it knows; here the five known
 * AlgorithmIdentifiers are compared as bytes and the point is set on a copy of a template key. Each key has one form:
 * EC points uncompressed, named curves only, NULL where RFC 3279 wants it. Next: pubkey_verify.c, strength.c, sigalg.c.
 */
#include "common/pki/pubkey.h"
#include "common/pki/der.h"
#include "common/pki/p256.h"
#include "common/pki/pubkey_private.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define BYTES(...)                                                                                                     \
	{                                                                                                              \
		(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                                 \
	}
#define OID_RSA 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01
#define OID_EC 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01
#define OID_ECDSA_SHA2 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03

static const struct key_info infos[KEY_ALG_N] = {
	[KEY_RSA] = {.word = "rsa",
		     .note_type = "hufu/rsa-pkcs1-sha256",
		     .type = "RSA",
		     .md = "SHA256",
		     .algid = BYTES(0x30, 0x0d, OID_RSA, 0x01, 0x05, 0x00),
		     .sigalg = BYTES(0x30, 0x0d, OID_RSA, 0x0b, 0x05, 0x00)},
	[KEY_P256] = {.word = "p256",
		      .note_type = "hufu/ecdsa-sha256",
		      .type = "EC",
		      .group = "P-256",
		      .md = "SHA256",
		      .bits = 256,
		      .algid = BYTES(0x30, 0x13, OID_EC, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07),
		      .sigalg = BYTES(0x30, 0x0a, OID_ECDSA_SHA2, 0x02)},
	[KEY_P384] = {.word = "p384",
		      .note_type = "hufu/ecdsa-sha384",
		      .type = "EC",
		      .group = "P-384",
		      .md = "SHA384",
		      .bits = 384,
		      .algid = BYTES(0x30, 0x10, OID_EC, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22),
		      .sigalg = BYTES(0x30, 0x0a, OID_ECDSA_SHA2, 0x03)},
	[KEY_ED25519] = {.word = "ed25519",
			 .note_type = "hufu/ed25519",
			 .type = "ED25519",
			 .bits = 256,
			 .algid = BYTES(0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70),
			 .sigalg = BYTES(0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70)},
	[KEY_SM2] = {.word = "sm2",
		     .note_type = "hufu/sm2-sm3",
		     .type = "SM2",
		     .group = "SM2",
		     .md = "SM3",
		     .bits = 256,
		     .algid = BYTES(0x30, 0x13, OID_EC, 0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d),
		     .sigalg = BYTES(0x30, 0x0a, 0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75)},
};

static EVP_PKEY *templates[KEY_ALG_N]; /* parameters alone */
static EVP_MD *digests[6];
static const char *const digest_names[6] = {"MD5", "SHA1", "SHA256", "SHA384", "SHA512", "SM3"};
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void release_all(void)
{
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		EVP_PKEY_free(templates[i]);
		templates[i] = NULL;
	}
	for (size_t i = 0; i < 6; i++) {
		EVP_MD_free(digests[i]);
		digests[i] = NULL;
	}
}

static EVP_PKEY *template_make(const struct key_info *info)
{
	EVP_PKEY *key = NULL;
	char *group = (char *)info->group; /* only read, says OSSL_PARAM(3) */
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
			       OSSL_PARAM_construct_end()};
	_cleanup_(evp_pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, info->type, NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		abort(); /* libcrypto without its own curves */
	return key;
}

/* MD5 may be missing (FIPS provider): then nothing verifies by it. */
static void fetch_all(void)
{
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		if (infos[i].group)
			templates[i] = template_make(&infos[i]);
	}
	for (size_t i = 0; i < 6; i++)
		digests[i] = EVP_MD_fetch(NULL, digest_names[i], NULL);
	OPENSSL_atexit(release_all);
}

const EVP_MD *digest_by_name(const char *md)
{
	pthread_once(&fetch_once, fetch_all);
	for (size_t i = 0; i < 6; i++) {
		if (strcmp(md, digest_names[i]) == 0)
			return digests[i];
	}
	return NULL;
}

size_t digest_two(const char *md, struct slice a, struct slice b, uint8_t *ret)
{
	unsigned n = 0;
	if (a.n == 0 && strcmp(md, "SHA256") == 0) {
		sha256(b.p, b.n, ret);
		return 32;
	}
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestInit_ex2(ctx, digest_by_name(md), NULL) != 1 || EVP_DigestUpdate(ctx, a.p, a.n) != 1 ||
	    EVP_DigestUpdate(ctx, b.p, b.n) != 1 || EVP_DigestFinal_ex(ctx, ret, &n) != 1)
		abort();
	return n;
}

const struct key_info *key_info(enum key_alg alg)
{
	return &infos[alg];
}

const char *key_alg_word(enum key_alg alg)
{
	return infos[alg].word;
}

const char *key_alg_note_type(enum key_alg alg)
{
	return infos[alg].note_type;
}

bool key_alg_from_word(const char *word, enum key_alg *ret)
{
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		if (strcmp(word, infos[i].word) == 0) {
			*ret = (enum key_alg)i;
			return true;
		}
	}
	return false;
}

void pubkey_done(struct pubkey *k)
{
	EVP_PKEY_free(k->pkey);
	*k = (struct pubkey){0};
}

static enum err bad_key(struct fault *f, enum key_alg alg, const char *what)
{
	ERR_clear_error();
	return fault_raise(f, ERR_PARSE, "key_form", "key", "%s key: %s", infos[alg].word, what);
}

bool rsa_numbers(struct slice key_bits, struct slice *ret_n, struct slice *ret_e)
{
	struct der d = der_of(key_bits), numbers;
	return der_enter(&d, DER_SEQUENCE, &numbers) && der_at_end(&d) && der_get_integer(&numbers, ret_n) &&
	       der_get_integer(&numbers, ret_e) && der_at_end(&numbers);
}

/* Bits of a positive INTEGER's body, 0 for zero and negative ones. */
static unsigned integer_bits(struct slice body)
{
	if (body.p[0] >= 0x80)
		return 0;
	while (body.n > 0 && body.p[0] == 0) {
		body.p++;
		body.n--;
	}
	if (body.n == 0 || body.n > UINT16_MAX)
		return 0;
	return (unsigned)body.n * 8 - (unsigned)__builtin_clz(body.p[0]) + 24;
}

static bool last_bit_set(struct slice body)
{
	return body.p[body.n - 1] & 1;
}

static EVP_PKEY *rsa_from_numbers(struct slice n, struct slice e)
{
	EVP_PKEY *key = NULL;
	uint8_t native[1025 + 33];
	if (n.n > 1025 || e.n > 33)
		return NULL;
	/* OSSL_PARAM holds integers in the machine's order. */
	_cleanup_(bn_freep) BIGNUM *bn_n = BN_bin2bn(n.p, (int)n.n, NULL);
	_cleanup_(bn_freep) BIGNUM *bn_e = BN_bin2bn(e.p, (int)e.n, NULL);
	if (!bn_n || !bn_e || BN_bn2nativepad(bn_n, native, (int)n.n) < 0 ||
	    BN_bn2nativepad(bn_e, native + n.n, (int)e.n) < 0)
		abort();
	OSSL_PARAM params[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native, n.n),
			       OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, native + n.n, e.n),
			       OSSL_PARAM_construct_end()};
	_cleanup_(evp_pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

/* RFC 8017 A.1.1. Exponents end at 256 bits, so that no key makes a verifier work for long (FIPS 186-4 B.3.1). */
static enum err parse_rsa(struct slice bits, struct pubkey *k, struct fault *f)
{
	struct slice n, e;
	if (!rsa_numbers(bits, &n, &e))
		return bad_key(f, KEY_RSA, "not a SEQUENCE of two INTEGERs in DER (RFC 8017 A.1.1)");
	unsigned n_bits = integer_bits(n), e_bits = integer_bits(e);
	if (n_bits < 1024 || n_bits > 8192 || !last_bit_set(n))
		return fault_raise(f, ERR_PARSE, "key_form", "key",
				   "rsa key: modulus of %u bits%s, wanted positive, odd, 1024 to 8192 bits", n_bits,
				   last_bit_set(n) ? "" : ", even");
	if (e_bits < 2 || e_bits > 256 || !last_bit_set(e))
		return fault_raise(f, ERR_PARSE, "key_form", "key",
				   "rsa key: exponent of %u bits%s, wanted odd, above 1, at most 256 bits", e_bits,
				   last_bit_set(e) ? "" : ", even");
	k->bits = n_bits;
	k->pkey = rsa_from_numbers(n, e);
	return k->pkey ? OK : bad_key(f, KEY_RSA, "libcrypto refuses modulus and exponent");
}

static EVP_PKEY *pkey_of_point(enum key_alg alg, struct slice bits)
{
	pthread_once(&fetch_once, fetch_all);
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = EVP_PKEY_dup(templates[alg]);
	if (!key)
		abort();
	return EVP_PKEY_set1_encoded_public_key(key, bits.p, bits.n) == 1 ? TAKE(key) : NULL;
}

/* SEC 1 2.3.3, the uncompressed form; that the point is on its curve is libcrypto's check. A P-256 key needs no more:
 * the EVP_PKEY costs a fifth of a verification, and p256.c does without. */
static enum err parse_point(struct slice bits, struct pubkey *k, struct fault *f)
{
	size_t want = 1 + 2 * (size_t)infos[k->alg].bits / 8;
	if (bits.n != want || bits.p[0] != 0x04)
		return fault_raise(f, ERR_PARSE, "key_form", "key",
				   "%s key: found %zu octets that begin 0x%02x, wanted %zu that begin 0x04 "
				   "(uncompressed point, SEC 1 2.3.3)",
				   infos[k->alg].word, bits.n, bits.n ? bits.p[0] : 0, want);
	if (k->alg != KEY_P256)
		k->pkey = pkey_of_point(k->alg, bits);
	if (k->alg == KEY_P256 ? p256_is_point(bits.p) : k->pkey != NULL)
		return OK;
	return bad_key(f, k->alg, "the point is not on the curve (SEC 1 3.2.2.1)");
}

static enum err parse_ed25519(struct slice bits, struct pubkey *k, struct fault *f)
{
	if (bits.n != crypto_sign_PUBLICKEYBYTES)
		return fault_raise(f, ERR_PARSE, "key_form", "key",
				   "ed25519 key: found %zu octets, wanted 32 (RFC 8410 4)", bits.n);
	if (crypto_core_ed25519_is_valid_point(bits.p) != 1)
		return bad_key(f, KEY_ED25519, "not a canonical point of the main subgroup (RFC 8032 5.1.3)");
	k->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, bits.p, bits.n);
	return k->pkey ? OK : bad_key(f, KEY_ED25519, "libcrypto refuses the octets");
}

static enum err unknown_algorithm(struct slice algid, struct fault *f)
{
	struct der d = der_of(algid), inner;
	struct slice oid, params = {0};
	char text[128], hex[2 * 40 + 1] = "";
	if (!der_enter(&d, DER_SEQUENCE, &inner) || !der_get(&inner, DER_OID, &oid) ||
	    !der_oid_text(oid, text, sizeof(text)))
		return fault_raise(f, ERR_PARSE, "key_form", "key",
				   "the algorithm does not begin with an OBJECT IDENTIFIER in DER (RFC 5280 4.1.1.2)");
	params = slice_of(inner.p, (size_t)(inner.end - inner.p));
	hex_lower(params.p, params.n < 40 ? params.n : 40, hex);
	return fault_raise(f, ERR_PARSE, "key_algorithm", "key",
			   "algorithm %s with parameters \"%s\" (hex), wanted rsa with NULL, ed25519, or a named "
			   "curve: p256, p384, sm2",
			   text, hex);
}

static enum err parse_bits(struct slice algid, struct slice bits, struct pubkey *k, struct fault *f)
{
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		if (!slice_eq(algid, infos[i].algid))
			continue;
		k->alg = (enum key_alg)i;
		k->bits = infos[i].bits;
		if (k->alg == KEY_RSA)
			return parse_rsa(bits, k, f);
		return k->alg == KEY_ED25519 ? parse_ed25519(bits, k, f) : parse_point(bits, k, f);
	}
	return unknown_algorithm(algid, f);
}

enum err pubkey_parse_like(struct slice spki, const struct pubkey *like, struct pubkey *ret, struct fault *f)
{
	if (!like || !slice_eq(spki, slice_of(like->spki, like->spki_len)))
		return pubkey_parse(spki, ret, f);
	*ret = *like;
	if (ret->pkey && EVP_PKEY_up_ref(ret->pkey) != 1)
		abort();
	return OK;
}

EVP_PKEY *pubkey_evp(const struct pubkey *k)
{
	EVP_PKEY *key = k->pkey;
	if (k->alg == KEY_P256)
		key = pkey_of_point(k->alg, slice_of(k->spki + k->spki_len - P256_POINT_BYTES, P256_POINT_BYTES));
	else if (EVP_PKEY_up_ref(key) != 1)
		key = NULL;
	if (!key)
		abort();
	return key;
}

enum err pubkey_parse(struct slice spki, struct pubkey *ret, struct fault *f)
{
	_cleanup_(pubkey_done) struct pubkey k = {0};
	struct der d = der_of(spki), inner;
	struct slice algid, bits;
	unsigned unused;
	if (spki.n > PUBKEY_MAX_SPKI)
		return fault_raise(f, ERR_LIMIT, "key_size", "key", "%zu bytes, wanted at most %d", spki.n,
				   PUBKEY_MAX_SPKI);
	if (!der_enter(&d, DER_SEQUENCE, &inner) || !der_at_end(&d) || !der_get_whole(&inner, DER_SEQUENCE, &algid) ||
	    !der_get_bits(&inner, &bits, &unused) || !der_at_end(&inner) || unused != 0)
		return fault_raise(
			f, ERR_PARSE, "key_form", "key",
			"not a SEQUENCE of algorithm and BIT STRING of whole octets in DER (RFC 5280 4.1.2.7)");
	TRY(parse_bits(algid, bits, &k, f));
	memcpy(k.spki, spki.p, spki.n);
	k.spki_len = spki.n;
	sha256(spki.p, spki.n, k.spki_sha256);
	if (EVP_Digest(bits.p, bits.n, k.key_id, NULL, digest_by_name("SHA1"), NULL) != 1)
		abort();
	*ret = k;
	k.pkey = NULL;
	return OK;
}
