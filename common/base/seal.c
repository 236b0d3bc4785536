/*
 * Secrets at rest: a passphrase, Argon2id (RFC 9106), and a secretbox.
 *
 * sealed = magic "hufu-sealed/v1\n" | opslimit u32 | memlimit u64 (bytes) | salt 16 | nonce 24 | box (tag 16, then
 * text) key = BLAKE2b-256(key = Argon2id(passphrase, salt), label length u32 | label | all bytes before the box)
 *
 * Integers are big-endian. Every byte is authenticated, the label too, and there is one form only. The parameters stand
 * in the file, so that they can be raised later; the bounds on reading keep a forged file from choosing a weak key
 * or eating the memory.
 */
#include "common/base/cleanup.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define MAGIC "hufu-sealed/v1\n"
#define MAGIC_LEN (sizeof(MAGIC) - 1)
#define OPS_LEAST 3u
#define OPS_MOST 10u
#define MEM_LEAST (UINT64_C(64) << 20)
#define MEM_MOST (UINT64_C(1) << 30)
#define PLAIN_MOST (1024u * 1024u)
#define HEAD_LEN (MAGIC_LEN + 4 + 8 + crypto_pwhash_SALTBYTES + crypto_secretbox_NONCEBYTES)
#define SALT_AT (MAGIC_LEN + 12)
#define NONCE_AT (SALT_AT + crypto_pwhash_SALTBYTES)

static void put_be(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static uint64_t get_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static enum err derive(const char *label, const struct secret *passphrase, const uint8_t head[HEAD_LEN],
		       struct secret *ret_key, struct fault *f)
{
	_cleanup_secret_ struct secret slow = {0};
	secret_alloc(&slow, crypto_secretbox_KEYBYTES);
	uint64_t ops = get_be(head + MAGIC_LEN, 4), mem = get_be(head + MAGIC_LEN + 4, 8);
	if (crypto_pwhash(slow.p, slow.n, (const char *)passphrase->p, passphrase->n, head + SALT_AT, ops, (size_t)mem,
			  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return fault_raise(f, ERR_INTERNAL, "sealed_memory", label,
				   "Argon2id could not have the %llu MiB of memory that the sealed file asks for",
				   (unsigned long long)(mem >> 20));
	uint8_t label_len[4];
	put_be(label_len, sizeof(label_len), strlen(label));
	secret_alloc(ret_key, crypto_secretbox_KEYBYTES);
	crypto_generichash_state st;
	crypto_generichash_init(&st, slow.p, slow.n, ret_key->n);
	crypto_generichash_update(&st, label_len, sizeof(label_len));
	crypto_generichash_update(&st, (const uint8_t *)label, strlen(label));
	crypto_generichash_update(&st, head, HEAD_LEN);
	crypto_generichash_final(&st, ret_key->p, ret_key->n);
	sodium_memzero(&st, sizeof(st));
	return OK;
}

static enum err check_passphrase(const char *label, const struct secret *passphrase, struct fault *f)
{
	if (passphrase->n == 0)
		return fault_raise(f, ERR_CONFIG, "secret_empty", label, "the passphrase is empty");
	return OK;
}

enum err secret_seal(const char *label, const struct secret *passphrase, struct slice plain, struct buf *ret,
		     struct fault *f)
{
	TRY(check_passphrase(label, passphrase, f));
	if (plain.n > PLAIN_MOST)
		return fault_raise(f, ERR_LIMIT, "sealed_size", label, "found %zu bytes to seal, allowed %u", plain.n,
				   PLAIN_MOST);
	uint8_t head[HEAD_LEN];
	memcpy(head, MAGIC, MAGIC_LEN);
	put_be(head + MAGIC_LEN, 4, OPS_LEAST);
	put_be(head + MAGIC_LEN + 4, 8, MEM_LEAST);
	random_fill(head + SALT_AT, HEAD_LEN - SALT_AT);
	_cleanup_secret_ struct secret key = {0};
	TRY(derive(label, passphrase, head, &key, f));
	buf_add(ret, head, HEAD_LEN);
	buf_reserve(ret, crypto_secretbox_MACBYTES + plain.n);
	crypto_secretbox_easy(ret->data + ret->len, plain.n ? plain.p : head, plain.n, head + NONCE_AT, key.p);
	ret->len += crypto_secretbox_MACBYTES + plain.n;
	ret->data[ret->len] = '\0';
	return OK;
}

static enum err check_head(const char *label, struct slice sealed, struct fault *f)
{
	if (sealed.n < MAGIC_LEN || memcmp(sealed.p, MAGIC, MAGIC_LEN) != 0)
		return fault_raise(f, ERR_CRYPTO, "sealed_form", label,
				   "not a sealed file: wanted \"hufu-sealed/v1\" first");
	if (sealed.n < HEAD_LEN + crypto_secretbox_MACBYTES ||
	    sealed.n > HEAD_LEN + crypto_secretbox_MACBYTES + PLAIN_MOST)
		return fault_raise(f, ERR_CRYPTO, "sealed_form", label,
				   "a sealed file of %zu bytes; wanted %zu and at most %u of content", sealed.n,
				   (size_t)(HEAD_LEN + crypto_secretbox_MACBYTES), PLAIN_MOST);
	uint64_t ops = get_be(sealed.p + MAGIC_LEN, 4), mem = get_be(sealed.p + MAGIC_LEN + 4, 8);
	if (ops < OPS_LEAST || ops > OPS_MOST || mem < MEM_LEAST || mem > MEM_MOST)
		return fault_raise(f, ERR_CRYPTO, "sealed_limit", label,
				   "found Argon2id parameters ops=%llu memory=%llu; wanted ops %u-%u, memory %llu-%llu",
				   (unsigned long long)ops, (unsigned long long)mem, OPS_LEAST, OPS_MOST,
				   (unsigned long long)MEM_LEAST, (unsigned long long)MEM_MOST);
	return OK;
}

enum err secret_open(const char *label, const struct secret *passphrase, struct slice sealed, struct secret *ret,
		     struct fault *f)
{
	TRY(check_passphrase(label, passphrase, f));
	TRY(check_head(label, sealed, f));
	_cleanup_secret_ struct secret key = {0}, plain = {0};
	TRY(derive(label, passphrase, sealed.p, &key, f));
	secret_alloc(&plain, sealed.n - HEAD_LEN - crypto_secretbox_MACBYTES);
	if (crypto_secretbox_open_easy(plain.p, sealed.p + HEAD_LEN, sealed.n - HEAD_LEN, sealed.p + NONCE_AT, key.p) !=
	    0)
		return fault_raise(f, ERR_CRYPTO, "sealed_open", label,
				   "wrong passphrase, another kind of sealed file, or altered bytes");
	*ret = plain;
	plain = (struct secret){0};
	return OK;
}
