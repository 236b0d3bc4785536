/*
 * A certificate beside its key, and the proof that the key works. Programs that sign take the first certificate that has the
 * key's id, so older ones of the same key make room.
 */
#include "common/token/token_admin.h"

#include "common/token/token_private.h"

#include "common/pki/cert.h"

#include <openssl/rsa.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define ID_MAX 128

/* --- installing --- */

static enum err is_same(struct token *t, CK_OBJECT_HANDLE object, struct slice der, bool *ret, struct fault *f)
{
	uint8_t room[CERT_MAX_BYTES];
	size_t n = 0;
	TRY(token_attribute(t, object, CKA_VALUE, room, sizeof room, &n, f));
	*ret = slice_eq(slice_of(room, n), der);
	return OK;
}

static enum err create(struct token *t, const struct cert *c, struct slice id, const char *label, struct fault *f)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_HANDLE made;
	_cleanup_buf_ struct buf serial = {0};
	der_put_magnitude(&serial, slice_of(c->serial.b, c->serial.n));
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof class},
		{CKA_CERTIFICATE_TYPE, &type, sizeof type},
		{CKA_TOKEN, &yes, sizeof yes},
		{CKA_PRIVATE, &no, sizeof no},
		{CKA_LABEL, (void *)label, strlen(label)},
		{CKA_ID, (void *)id.p, id.n},
		{CKA_SUBJECT, (void *)c->subject.p, c->subject.n},
		{CKA_ISSUER, (void *)c->issuer.p, c->issuer.n},
		{CKA_SERIAL_NUMBER, serial.data, serial.len},
		{CKA_VALUE, (void *)c->der.p, c->der.n},
	};
	CK_RV rv = t->fn->C_CreateObject(t->session, template, sizeof template / sizeof template[0], &made);
	return rv == CKR_OK ? OK : token_failed(t, "C_CreateObject", rv, f);
}

enum err token_install(struct token *t, struct slice der, bool *ret_there, struct fault *f)
{
	_cleanup_(cert_done) struct cert c = {0};
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	struct token_key key;
	struct token_objects older;
	uint8_t id[ID_MAX];
	size_t n = 0;
	*ret_there = false;
	TRY(cert_parse(der, &c, f));
	_cleanup_(freep) char *what = xasprintf("the key of certificate %s", SERIAL(&c.serial));
	TRY(token_find(t, &c.key, what, &key, f));
	TRY(token_attribute(t, key.handle, CKA_ID, id, sizeof id, &n, f));
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id, n}};
	TRY(token_objects(t, template, 2, &older, f));
	for (CK_ULONG i = 0; i < older.n && !*ret_there; i++)
		TRY(is_same(t, older.handles[i], der, ret_there, f));
	if (*ret_there)
		return OK;
	/* The new one first: pulled out in between, the token has two rather than none. */
	TRY(create(t, &c, slice_of(id, n), key.label, f));
	for (CK_ULONG i = 0; i < older.n; i++) {
		CK_RV rv = t->fn->C_DestroyObject(t->session, older.handles[i]);
		if (rv != CKR_OK)
			return token_failed(t, "C_DestroyObject", rv, f);
	}
	return OK;
}

/* --- trying --- */

static enum err encipher(const struct pubkey *key, struct slice plain, struct buf *ret, struct fault *f)
{
	_cleanup_(evp_pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
	size_t n = 0;
	if (!ctx || EVP_PKEY_encrypt_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_encrypt(ctx, NULL, &n, plain.p, plain.n) != 1)
		return fault_raise(f, ERR_INTERNAL, "encipher", "token", "libcrypto does not encipher");
	buf_reserve(ret, n);
	if (EVP_PKEY_encrypt(ctx, ret->data, &n, plain.p, plain.n) != 1)
		return fault_raise(f, ERR_INTERNAL, "encipher", "token", "libcrypto does not encipher");
	ret->len = n;
	return OK;
}

/* Tenders are enciphered for the certificate's key: a token that only signs would be found out on the day of opening. */
static enum err try_decipher(struct token *t, const struct token_key *private, const struct pubkey *key,
			     struct fault *f)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
	_cleanup_buf_ struct buf box = {0};
	uint8_t plain[32], room[PUBKEY_MAX_SPKI];
	CK_ULONG n = sizeof room;
	random_fill(plain, sizeof plain);
	TRY(encipher(key, slice_of(plain, sizeof plain), &box, f));
	CK_RV rv = t->fn->C_DecryptInit(t->session, &mechanism, private->handle);
	if (rv != CKR_OK)
		return token_failed(t, "C_DecryptInit", rv, f);
	rv = t->fn->C_Decrypt(t->session, box.data, box.len, room, &n);
	if (rv != CKR_OK)
		return token_failed(t, "C_Decrypt", rv, f);
	if (!slice_eq(slice_of(room, n <= sizeof room ? n : 0), slice_of(plain, sizeof plain)))
		return fault_raise(f, ERR_CRYPTO, "token_decipher", "token",
				   "token \"%s\", key \"%s\": what it deciphers is not what was enciphered", t->name,
				   private->label);
	return OK;
}

enum err token_try(struct token *t, const struct pubkey *key, struct fault *f)
{
	static const char text[] = "hufu token test: nothing but this text is signed";
	_cleanup_buf_ struct buf sig = {0};
	struct token_key private;
	TRY(token_find(t, key, "the key that is tried", &private, f));
	TRY(token_sign(t, &private, key, slice_str(text), &sig, f));
	return key->alg == KEY_RSA ? try_decipher(t, &private, key, f) : OK;
}
