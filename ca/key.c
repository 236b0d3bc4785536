/*
 * The CA key: at rest PKCS#8 inside a sealed file, whose label names the key it holds; in use a libcrypto key that
 * leaves this file only as signatures. Or a key in a token, which is common/token/hsm.c's; here stands which of the two.
 *
 * The encoded key passes through guarded memory alone. What is opened is compared with the certificate it shall sign
 * for, so that a wrong file is found at start and not by the first verifier. Next: build.c, what gets signed.
 */
#include "ca/key.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/pki/kept_key.h"
#include "common/pki/sign.h"
#include "common/token/token_uri.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

/* An operation holds up to 2.5 KiB here (P-384; RSA and SM2 less), and each worker may be in one; touched pages only
 * are taken. RLIMIT_MEMLOCK is 8 MiB on Debian. */
#define LOCKED_BYTES (2u * 1024u * 1024u)
#define LOCKED_LEAST 32 /* bytes of the smallest piece */
#define SEALED_MAX_BYTES 65536u
#define LABEL_SIZE (sizeof("ca-key:") + 40)

struct ca_key {
	enum key_alg alg;
	struct pubkey public;
	EVP_PKEY *pkey;	       /* sealed file; else NULL */
	struct kept_key *kept; /* of pkey */
	struct hsm_key *token; /* token; else NULL */
};

static const struct hsm_owner owner = {
	.where = "ca_key",
	.name = "the CA key",
	.mismatch = "ca_key_mismatch",
	.wanted = "the key of the certificate",
	.pin_again = "start the signer anew and unlock it with the right PIN",
};

CLEANUP_PTR(PKCS8_PRIV_KEY_INFO, pkcs8_freep, PKCS8_PRIV_KEY_INFO_free)

void ca_key_prepare(void)
{
	if (CRYPTO_secure_malloc_init(LOCKED_BYTES, LOCKED_LEAST) != 1)
		log_event(LOG_LEVEL_WARNING, "memory_not_locked", "text=%s",
			  LQ("keys may reach the swap: raise the limit of locked memory (RLIMIT_MEMLOCK)"));
}

/* "ca-key:" or, over a token's PIN, "ca-pin:", and whose. */
static const char *label_of(const struct pubkey *k, bool in_token, char ret[LABEL_SIZE])
{
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): hex_lower ends it */
	memcpy(ret, in_token ? "ca-pin:" : "ca-key:", 7);
	hex_lower(k->key_id, sizeof(k->key_id), ret + 7);
	return ret;
}

const char *ca_key_file(const char *place)
{
	if (is_token_uri(place))
		return NULL;
	return strncmp(place, "file:", 5) == 0 ? place + 5 : place;
}

void ca_key_free(struct ca_key *k)
{
	hsm_key_freep(&k->token);
	kept_key_freep(&k->kept);
	EVP_PKEY_free(k->pkey);
	pubkey_done(&k->public);
	free(k);
}

/* Takes pkey. */
static enum err key_from_pkey(EVP_PKEY *pkey, struct ca_key **ret, struct fault *f)
{
	_cleanup_(ca_key_freep) struct ca_key *k = xcalloc(1, sizeof(*k));
	k->pkey = pkey;
	TRY(privkey_public(pkey, &k->public, f));
	k->alg = k->public.alg;
	TRY(kept_key_new(pkey, &k->public, &k->kept, f));
	*ret = TAKE(k);
	return OK;
}

/* One PrivateKeyInfo in DER and nothing behind it. RFC 5208 5. */
static EVP_PKEY *pkey_from_pkcs8(const struct secret *der)
{
	const unsigned char *p = der->p;
	_cleanup_(pkcs8_freep) PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der->n);
	if (!info || p != der->p + der->n) {
		ERR_clear_error();
		return NULL;
	}
	EVP_PKEY *pkey = EVP_PKCS82PKEY(info);
	ERR_clear_error();
	return pkey;
}

static enum err open_plain(const struct secret *plain, const char *where, const struct cert *cert, struct ca_key **ret,
			   struct fault *f)
{
	EVP_PKEY *pkey = pkey_from_pkcs8(plain);
	if (!pkey)
		return fault_raise(f, ERR_CONFIG, "ca_key_form", "ca_key",
				   "%s: the sealed content is not one private key as PKCS#8 in DER (RFC 5208 5)",
				   ESC(where, strlen(where)));
	_cleanup_(ca_key_freep) struct ca_key *k = NULL;
	TRY(key_from_pkey(pkey, &k, f));
	if (!slice_eq(slice_of(k->public.spki, k->public.spki_len), slice_of(cert->key.spki, cert->key.spki_len))) {
		char found[41], wanted[41];
		hex_lower(k->public.key_id, 20, found);
		hex_lower(cert->key.key_id, 20, wanted);
		return fault_raise(f, ERR_CONFIG, "ca_key_mismatch", "ca_key",
				   "%s: holds key %s, wanted that of the certificate, %s", ESC(where, strlen(where)),
				   found, wanted);
	}
	*ret = TAKE(k);
	return OK;
}

/* Takes token. */
static enum err key_from_token(struct hsm_key *token, struct ca_key **ret, struct fault *f)
{
	_cleanup_(ca_key_freep) struct ca_key *k = xcalloc(1, sizeof(*k));
	const struct pubkey *public = hsm_key_public(token);
	k->token = token;
	TRY(pubkey_parse(slice_of(public->spki, public->spki_len), &k->public, f));
	k->alg = k->public.alg;
	*ret = TAKE(k);
	return OK;
}

static enum err open_token(const char *uri, const struct pubkey *public, const struct secret *pin, struct ca_key **ret,
			   struct fault *f)
{
	struct hsm_key *token;
	TRY(hsm_key_open(&owner, uri, public, pin, &token, f));
	return key_from_token(token, ret, f);
}

enum err ca_key_create_in_token(const char *uri, const struct hsm_keygen *g, const struct secret *pin,
				struct ca_key **ret, struct fault *f)
{
	struct hsm_key *token;
	TRY(hsm_key_create(&owner, uri, g, pin, &token, f));
	return key_from_token(token, ret, f);
}

enum err ca_key_attest(const struct ca_key *k, struct buf *ret, struct fault *f)
{
	if (k->token)
		return hsm_key_attest(k->token, ret, f);
	buf_fmt(ret, "in memory, from a sealed file");
	return OK;
}

enum err ca_key_open_sealed_at(const char *place, struct slice sealed, const char *where, const struct cert *cert,
			       const struct secret *passphrase, struct ca_key **ret, struct fault *f)
{
	_cleanup_secret_ struct secret plain = {0};
	bool in_token = !ca_key_file(place);
	char label[LABEL_SIZE];
	enum err e = secret_open(label_of(&cert->key, in_token, label), passphrase, sealed, &plain, f);
	if (e != OK) {
		fault_prefix(f, "%s", ESC(where, strlen(where)));
		return e;
	}
	return in_token ? open_token(place, &cert->key, &plain, ret, f) : open_plain(&plain, where, cert, ret, f);
}

enum err ca_key_open_sealed(struct slice sealed, const char *where, const struct cert *cert,
			    const struct secret *passphrase, struct ca_key **ret, struct fault *f)
{
	return ca_key_open_sealed_at(where, sealed, where, cert, passphrase, ret, f);
}

enum err ca_key_open(const char *place, const struct cert *cert, const struct secret *passphrase, struct ca_key **ret,
		     struct fault *f)
{
	_cleanup_buf_ struct buf sealed = {0};
	const char *path = ca_key_file(place);
	if (!path)
		return open_token(place, &cert->key, passphrase, ret, f);
	TRY(file_read(path, SEALED_MAX_BYTES, &sealed, f));
	return ca_key_open_sealed(buf_slice(&sealed), path, cert, passphrase, ret, f);
}

enum err ca_key_create(enum key_alg alg, unsigned rsa_bits, struct ca_key **ret, struct fault *f)
{
	EVP_PKEY *pkey = NULL;
	TRY(privkey_generate(alg, rsa_bits, &pkey, f));
	return key_from_pkey(pkey, ret, f);
}

enum err ca_key_throwaway(enum key_alg alg, unsigned rsa_bits, struct ca_key **ret, struct fault *f)
{
	return ca_key_create(alg, rsa_bits, ret, f);
}

enum err ca_key_seal_bytes(const struct ca_key *k, const struct secret *passphrase, struct buf *ret, struct fault *f)
{
	_cleanup_secret_ struct secret plain = {0};
	char label[LABEL_SIZE];
	if (k->token) {
		const struct secret *pin = hsm_key_pin(k->token);
		return secret_seal(label_of(&k->public, true, label), passphrase, slice_of(pin->p, pin->n), ret, f);
	}
	_cleanup_(pkcs8_freep) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k->pkey);
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : -1;
	if (n <= 0) {
		ERR_clear_error();
		return fault_raise(f, ERR_INTERNAL, "ca_key_form", "ca_key",
				   "libcrypto cannot write the key as PKCS#8");
	}
	secret_alloc(&plain, (size_t)n);
	unsigned char *p = plain.p;
	i2d_PKCS8_PRIV_KEY_INFO(info, &p);
	return secret_seal(label_of(&k->public, false, label), passphrase, slice_of(plain.p, plain.n), ret, f);
}

enum err ca_key_seal(const struct ca_key *k, const char *path, const struct secret *passphrase, struct fault *f)
{
	_cleanup_buf_ struct buf sealed = {0};
	assert(!k->token);
	TRY(ca_key_seal_bytes(k, passphrase, &sealed, f));
	return file_write_new(path, buf_slice(&sealed), 0600, f);
}

const struct pubkey *ca_key_public(const struct ca_key *k)
{
	return &k->public;
}

enum err ca_key_sign(const struct ca_key *k, struct slice tbs, struct buf *ret, struct fault *f)
{
	return k->token ? hsm_key_sign(k->token, tbs, ret, f) : kept_key_sign(k->kept, tbs, ret, f);
}

EVP_MD_CTX *ca_key_digest(const struct ca_key *k)
{
	return k->token ? NULL : kept_key_digest(k->kept);
}

enum err ca_key_sign_digest(const struct ca_key *k, EVP_MD_CTX *md, struct buf *ret, struct fault *f)
{
	return kept_key_sign_digest(k->kept, md, ret, f);
}

enum err ca_key_usable(const struct ca_key *k, struct fault *f)
{
	return k->token ? hsm_key_usable(k->token, f) : OK;
}
