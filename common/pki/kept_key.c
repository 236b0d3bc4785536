/*
 * A context for each thread that signs at the same time as others. They wait in a list; a thread takes one and puts it
 * back. All are of the one key: a copy by EVP_PKEY_dup() would leave the locked memory that it is kept in.
 *
 * What is signed is the digest, made here: for SM2 its prefix (GB/T 32918.2 5.5) is computed once from the key, which
 * libcrypto does anew for each signature. Ed25519 has no digest in front, and goes the ordinary way.
 */
#include "common/pki/kept_key.h"
#include "common/pki/pubkey_private.h"
#include "common/pki/sign.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define KEPT_MAX 64u
#define SIGNATURE_MAX 1024 /* RSA-8192 */

struct kept_key {
	EVP_PKEY *key;
	enum key_alg alg;
	uint8_t sm2_prefix[32];
	pthread_mutex_t lock; /* of the list */
	EVP_PKEY_CTX *free[KEPT_MAX];
	unsigned n_free;
};

static enum err failed(struct fault *f)
{
	char reason[160];
	ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
	ERR_clear_error();
	return fault_raise(f, ERR_CRYPTO, "key_sign", "private key", "libcrypto does not sign: %s",
			   ESC(reason, strlen(reason)));
}

void kept_key_free(struct kept_key *k)
{
	for (unsigned i = 0; i < k->n_free; i++)
		EVP_PKEY_CTX_free(k->free[i]);
	EVP_PKEY_free(k->key);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

enum err kept_key_new(EVP_PKEY *key, const struct pubkey *public, struct kept_key **ret, struct fault *f)
{
	_cleanup_buf_ struct buf first = {0};
	TRY(privkey_sign(key, public->alg, (struct slice){0}, &first, f)); /* is it such a key at all? */
	struct kept_key *k = xcalloc(1, sizeof(*k));
	if (EVP_PKEY_up_ref(key) != 1)
		abort();
	k->key = key;
	k->alg = public->alg;
	if (k->alg == KEY_SM2)
		sm2_prefix(public, k->sm2_prefix);
	pthread_mutex_init(&k->lock, NULL);
	*ret = k;
	return OK;
}

static EVP_PKEY_CTX *context_make(const struct kept_key *k)
{
	_cleanup_(evp_pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->key, NULL);
	if (!ctx || EVP_PKEY_sign_init(ctx) != 1)
		return NULL;
	if (k->alg == KEY_RSA && (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
				  EVP_PKEY_CTX_set_signature_md(ctx, digest_by_name("SHA256")) != 1))
		return NULL;
	return TAKE(ctx);
}

static EVP_PKEY_CTX *context_take(struct kept_key *k)
{
	EVP_PKEY_CTX *ctx = NULL;
	pthread_mutex_lock(&k->lock);
	if (k->n_free > 0)
		ctx = k->free[--k->n_free];
	pthread_mutex_unlock(&k->lock);
	return ctx ? ctx : context_make(k);
}

static void context_put(struct kept_key *k, EVP_PKEY_CTX *ctx)
{
	pthread_mutex_lock(&k->lock);
	bool keep = k->n_free < KEPT_MAX;
	if (keep)
		k->free[k->n_free++] = ctx;
	pthread_mutex_unlock(&k->lock);
	if (!keep)
		EVP_PKEY_CTX_free(ctx);
}

static enum err sign_hash(struct kept_key *k, const uint8_t *hash, size_t hash_n, struct buf *ret, struct fault *f)
{
	uint8_t sig[SIGNATURE_MAX];
	size_t n = sizeof(sig);
	EVP_PKEY_CTX *ctx = context_take(k);
	if (!ctx)
		return failed(f);
	bool good = EVP_PKEY_sign(ctx, sig, &n, hash, hash_n) == 1;
	context_put(k, ctx);
	if (!good)
		return failed(f);
	buf_add(ret, sig, n);
	return OK;
}

static struct slice prefix_of(const struct kept_key *k)
{
	return slice_of(k->sm2_prefix, k->alg == KEY_SM2 ? sizeof(k->sm2_prefix) : 0);
}

enum err kept_key_sign(struct kept_key *k, struct slice msg, struct buf *ret, struct fault *f)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	if (k->alg == KEY_ED25519)
		return privkey_sign(k->key, k->alg, msg, ret, f);
	return sign_hash(k, hash, digest_two(key_info(k->alg)->md, prefix_of(k), msg, hash), ret, f);
}

EVP_MD_CTX *kept_key_digest(const struct kept_key *k)
{
	struct slice prefix = prefix_of(k);
	if (k->alg == KEY_ED25519)
		return NULL;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	if (!md || EVP_DigestInit_ex2(md, digest_by_name(key_info(k->alg)->md), NULL) != 1 ||
	    EVP_DigestUpdate(md, prefix.p, prefix.n) != 1)
		abort();
	return md;
}

enum err kept_key_sign_digest(struct kept_key *k, EVP_MD_CTX *md, struct buf *ret, struct fault *f)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (EVP_DigestFinal_ex(md, hash, &n) != 1)
		return failed(f);
	return sign_hash(k, hash, n, ret, f);
}
