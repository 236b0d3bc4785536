/*
 * Which of the two places a responder's key is in. One in a file signs with a context that each thread keeps; one in a token
 * is common/token/hsm.h's, and what it cannot sign while the token is away it refuses at once.
 */
#include "ra/gate/responder_key.h"

#include "common/base/file.h"
#include "common/pki/sign.h"
#include "common/token/hsm.h"
#include "common/token/token_uri.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define KEY_PEM_MAX 16384

struct responder_key {
	EVP_PKEY *pkey;	       /* of a file; else NULL */
	struct pubkey public;  /* of pkey */
	struct hsm_key *token; /* else NULL */
};

static const struct hsm_owner owner = {
	.where = "responder",
	.name = "the responder's key",
	.mismatch = "responder_key_mismatch",
	.wanted = "the public key that stands beside it",
	.pin_again = "start the gate anew with the right PIN",
};

/* --- opening --- */

void responder_key_free(struct responder_key *k)
{
	hsm_key_freep(&k->token);
	EVP_PKEY_free(k->pkey);
	pubkey_done(&k->public);
	free(k);
}
CLEANUP_PTR(struct responder_key, responder_key_freep, responder_key_free)

static enum err open_file(const char *path, struct responder_key *k, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	TRY(file_read(path, KEY_PEM_MAX, &bytes, f));
	enum err e = privkey_from_pem(buf_slice(&bytes), NULL, &k->pkey, f);
	OPENSSL_cleanse(bytes.data, bytes.len);
	TRY(e);
	return privkey_public(k->pkey, &k->public, f);
}

enum err responder_key_open(const char *place, const struct secret *pin, struct responder_key **ret, struct fault *f)
{
	_cleanup_(responder_key_freep) struct responder_key *k = xcalloc(1, sizeof(*k));
	if (is_token_uri(place))
		TRY(hsm_key_open(&owner, place, NULL, pin, &k->token, f));
	else
		TRY(open_file(place, k, f));
	*ret = TAKE(k);
	return OK;
}

const struct pubkey *responder_key_public(const struct responder_key *k)
{
	return k->token ? hsm_key_public(k->token) : &k->public;
}

/* --- signing --- */

/* A context that is ready to sign with P-256, kept by each thread: making one costs half as much as the signature. */
struct ready {
	EVP_PKEY *key; /* borrowed: whose it is */
	EVP_PKEY_CTX *ctx;
};

static pthread_key_t ready_key;
static pthread_once_t ready_once = PTHREAD_ONCE_INIT;

static void ready_free(void *arg)
{
	struct ready *r = arg;
	EVP_PKEY_CTX_free(r->ctx);
	free(r);
}

static void ready_init(void)
{
	if (pthread_key_create(&ready_key, ready_free) != 0)
		abort();
}

/* NULL: libcrypto makes none. */
static EVP_PKEY_CTX *ready_ctx(EVP_PKEY *key)
{
	pthread_once(&ready_once, ready_init);
	struct ready *r = pthread_getspecific(ready_key);
	if (r && r->key == key)
		return r->ctx;
	if (r)
		ready_free(r);
	r = xcalloc(1, sizeof(*r));
	r->key = key;
	r->ctx = EVP_PKEY_CTX_new(key, NULL);
	bool good = r->ctx && EVP_PKEY_sign_init(r->ctx) == 1;
	if (!good) {
		ready_free(r);
		r = NULL;
	}
	pthread_setspecific(ready_key, r);
	return r ? r->ctx : NULL;
}

static enum err sign_here(const struct responder_key *k, struct slice data, struct buf *ret, struct fault *f)
{
	uint8_t hash[32], sig[80];
	size_t n = sizeof(sig);
	EVP_PKEY_CTX *ctx = k->public.alg == KEY_P256 ? ready_ctx(k->pkey) : NULL;
	if (!ctx)
		return privkey_sign(k->pkey, k->public.alg, data, ret, f);
	sha256(data.p, data.n, hash);
	if (EVP_PKEY_sign(ctx, sig, &n, hash, sizeof(hash)) != 1)
		return fault_raise(f, ERR_CRYPTO, "key_sign", "responder", "libcrypto does not sign");
	buf_add(ret, sig, n);
	return OK;
}

enum err responder_key_sign(const struct responder_key *k, struct slice data, struct buf *ret, struct fault *f)
{
	return k->token ? hsm_key_sign(k->token, data, ret, f) : sign_here(k, data, ret, f);
}

/* ECDSA-Sig-Value (RFC 3279 2.2.3) of two integers of the curve's size. */
size_t responder_key_signature_max(const struct responder_key *k)
{
	const struct pubkey *public = responder_key_public(k);
	switch (public->alg) {
	case KEY_RSA:
		return (public->bits + 7) / 8;
	case KEY_P256:
	case KEY_SM2:
		return 72;
	case KEY_P384:
		return 104;
	case KEY_ED25519:
	case KEY_ALG_N:
		break;
	}
	return 64;
}
