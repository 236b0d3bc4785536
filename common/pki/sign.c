/*
 * Private keys and signatures by them. Nothing else in this library refers to this file, so that a program links it
 * only when it signs.
 *
 * Each kind of key has one scheme, the one that pubkey_verify() wants. The curve and length of a key are judged by its
 * public half, which goes through the same reader as everybody's.
 */
#include "common/pki/sign.h"
#include "common/pki/csr.h"
#include "common/pki/der.h"
#include "common/pki/name_private.h"
#include "common/pki/pubkey_private.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define PRIVKEY_MAX_PEM (64u * 1024u)
#define SIGNATURE_MAX 1024 /* RSA-8192 */

/* Raises with libcrypto's own reason and empties its queue. */
static enum err crypto_failed(struct fault *f, enum err kind, const char *rule, const char *what)
{
	char reason[160];
	ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
	ERR_clear_error();
	return fault_raise(f, kind, rule, "private key", "%s: %s", what, ESC(reason, strlen(reason)));
}

enum err privkey_generate(enum key_alg alg, unsigned rsa_bits, EVP_PKEY **ret, struct fault *f)
{
	const struct key_info *info = key_info(alg);
	EVP_PKEY *key = NULL;
	if (alg == KEY_RSA && (rsa_bits < 2048 || rsa_bits > 4096 || rsa_bits % 8 != 0))
		return fault_raise(f, ERR_RULE, "key_strength", "private key",
				   "%u bits of RSA, wanted 2048 to 4096, a multiple of 8", rsa_bits);
	if (alg == KEY_RSA)
		key = EVP_PKEY_Q_keygen(NULL, NULL, info->type, (size_t)rsa_bits);
	else if (alg == KEY_P256 || alg == KEY_P384)
		key = EVP_PKEY_Q_keygen(NULL, NULL, info->type, info->group);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, info->type);
	if (!key)
		return crypto_failed(f, ERR_INTERNAL, "key_generate", "libcrypto makes no key");
	*ret = key;
	return OK;
}

static int give_passphrase(char *ret, int size, int writing, void *arg)
{
	const char *passphrase = arg;
	size_t n = passphrase ? strlen(passphrase) : 0;
	(void)writing;
	if (n == 0 || n > (size_t)size)
		return -1;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): libcrypto wants the length */
	memcpy(ret, passphrase, n);
	return (int)n;
}

enum err privkey_from_pem(struct slice pem, const char *passphrase, EVP_PKEY **ret, struct fault *f)
{
	struct pubkey public = {0};
	if (pem.n == 0 || pem.n > PRIVKEY_MAX_PEM)
		return fault_raise(f, ERR_LIMIT, "key_size", "private key", "%zu bytes of PEM, wanted 1 to %u", pem.n,
				   PRIVKEY_MAX_PEM);
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (!bio)
		abort();
	/* The callback's argument is not written to. */
	_cleanup_(evp_pkey_freep) EVP_PKEY *key =
		PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)passphrase);
	if (!key)
		return crypto_failed(f, ERR_CRYPTO, "key_open",
				     passphrase ? "no private key in PEM, or the passphrase is wrong"
						: "no private key in PEM, or it needs a passphrase");
	ERR_clear_error();
	TRY(privkey_public(key, &public, f));
	pubkey_done(&public);
	*ret = TAKE(key);
	return OK;
}

enum err privkey_to_pem(EVP_PKEY *key, struct buf *ret, struct fault *f)
{
	char *text;
	_cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());
	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		return crypto_failed(f, ERR_CRYPTO, "key_write", "libcrypto does not write the key");
	long n = BIO_get_mem_data(bio, &text);
	buf_add(ret, text, (size_t)n);
	return OK;
}

static void openssl_freep(uint8_t **p)
{
	OPENSSL_free(*p);
}

enum err privkey_public(EVP_PKEY *key, struct pubkey *ret, struct fault *f)
{
	_cleanup_(openssl_freep) uint8_t *spki = NULL;
	int n = i2d_PUBKEY(key, &spki);
	if (n <= 0)
		return crypto_failed(f, ERR_CRYPTO, "key_public", "no public half");
	return pubkey_parse(slice_of(spki, (size_t)n), ret, f);
}

/* A key of one kind under the scheme of another would make signatures that nobody accepts. */
static bool key_is(EVP_PKEY *key, enum key_alg alg)
{
	const struct key_info *info = key_info(alg);
	return EVP_PKEY_is_a(key, info->type) == 1 &&
	       (alg == KEY_RSA || alg == KEY_ED25519 || EVP_PKEY_get_bits(key) == (int)info->bits);
}

enum err privkey_sign(EVP_PKEY *key, enum key_alg alg, struct slice msg, struct buf *ret, struct fault *f)
{
	const struct key_info *info = key_info(alg);
	uint8_t sig[SIGNATURE_MAX];
	size_t n = sizeof(sig);
	EVP_PKEY_CTX *pctx = NULL; /* ctx's own */
	if (!key_is(key, alg))
		return fault_raise(f, ERR_CRYPTO, "key_algorithm", "private key", "the key is not of kind %s",
				   info->word);
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestSignInit_ex(ctx, &pctx, info->md, NULL, NULL, key, NULL) != 1 ||
	    (alg == KEY_SM2 && !sm2_set_id(pctx)) ||
	    EVP_DigestSign(ctx, sig, &n, msg.p ? msg.p : (const uint8_t *)"", msg.n) != 1)
		return crypto_failed(f, ERR_CRYPTO, "key_sign", "libcrypto does not sign");
	buf_add(ret, sig, n);
	return OK;
}

/* CertificationRequestInfo, RFC 2986 4.1; the attributes are not optional, and empty. */
static void put_info(const struct pubkey *public, struct slice name_der, struct buf *ret)
{
	size_t info = der_begin(ret, DER_SEQUENCE);
	der_put_uint(ret, 0);
	buf_add_slice(ret, name_der);
	buf_add(ret, public->spki, public->spki_len);
	der_put(ret, DER_CONTEXT_CONS(0), (struct slice){0});
	der_end(ret, info);
}

enum err csr_make_by(const struct pubkey *public, sign_fn *sign, void *arg, struct slice name_der, struct buf *ret,
		     struct fault *f)
{
	_cleanup_buf_ struct buf info = {0}, sig = {0};
	if (!name_is_wellformed(name_der))
		return fault_raise(f, ERR_PARSE, "name_form", "csr.subject", "not a Name in DER (RFC 5280 4.1.2.4)");
	put_info(public, name_der, &info);
	TRY(sign(arg, buf_slice(&info), &sig, f));
	size_t csr = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, buf_slice(&info));
	sigalg_put(public->alg, ret);
	der_put_bits(ret, buf_slice(&sig), 0);
	der_end(ret, csr);
	return OK;
}

struct here {
	EVP_PKEY *key;
	enum key_alg alg;
};

static enum err sign_here(void *arg, struct slice msg, struct buf *ret, struct fault *f)
{
	const struct here *h = arg;
	return privkey_sign(h->key, h->alg, msg, ret, f);
}

enum err csr_make(EVP_PKEY *key, struct slice name_der, struct buf *ret, struct fault *f)
{
	_cleanup_(pubkey_done) struct pubkey public = {0};
	TRY(privkey_public(key, &public, f));
	return csr_make_by(&public, sign_here, &(struct here){key, public.alg}, name_der, ret, f);
}
