/*
 * Key pairs on a token, their public halves, and requests for certificates. What the token says of a private key that it
 * has just made is read back: a key that could leave, or that was not made there, is none for us.
 */
#include "tools/hufu/token_admin.h"

#include "tools/hufu/token_private.h"

#include "common/pki/cert.h"

#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define KEY_ID 16
#define RSA_BITS 2048

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static const uint8_t curve_p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}; /* RFC 5480 2.1.1.1 */
static const uint8_t exponent[] = {0x01, 0x00, 0x01};

struct attributes {
	CK_ATTRIBUTE a[12];
	CK_ULONG n;
};

static void put(struct attributes *l, CK_ATTRIBUTE_TYPE type, const void *value, size_t size)
{
	l->a[l->n++] = (CK_ATTRIBUTE){type, (void *)value, size}; /* templates are only read */
}

/* --- what a public key object says --- */

static enum err read_attribute(struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, struct buf *ret,
			       struct fault *f)
{
	uint8_t room[PUBKEY_MAX_SPKI];
	size_t n = 0;
	TRY(token_attribute(t, object, type, room, sizeof room, &n, f));
	buf_add(ret, room, n);
	return OK;
}

static enum err put_ec(struct token *t, CK_OBJECT_HANDLE object, struct buf *spki, struct fault *f)
{
	_cleanup_buf_ struct buf params = {0}, point = {0};
	TRY(read_attribute(t, object, CKA_EC_PARAMS, &params, f));
	TRY(read_attribute(t, object, CKA_EC_POINT, &point, f));
	struct slice bits = buf_slice(&point), body;
	struct der d = der_of(bits);
	if (der_get(&d, DER_OCTET_STRING, &body) && der_at_end(&d))
		bits = body;
	size_t alg = der_begin(spki, DER_SEQUENCE);
	(void)der_put_oid(spki, "1.2.840.10045.2.1");
	buf_add_slice(spki, buf_slice(&params));
	der_end(spki, alg);
	der_put_bits(spki, bits, 0);
	return OK;
}

static enum err put_rsa(struct token *t, CK_OBJECT_HANDLE object, struct buf *spki, struct fault *f)
{
	_cleanup_buf_ struct buf n = {0}, e = {0}, key = {0};
	TRY(read_attribute(t, object, CKA_MODULUS, &n, f));
	TRY(read_attribute(t, object, CKA_PUBLIC_EXPONENT, &e, f));
	size_t seq = der_begin(&key, DER_SEQUENCE);
	der_put_magnitude(&key, buf_slice(&n));
	der_put_magnitude(&key, buf_slice(&e));
	der_end(&key, seq);
	size_t alg = der_begin(spki, DER_SEQUENCE);
	(void)der_put_oid(spki, "1.2.840.113549.1.1.1");
	der_put(spki, DER_NULL, (struct slice){0});
	der_end(spki, alg);
	der_put_bits(spki, buf_slice(&key), 0);
	return OK;
}

static enum err public_key(struct token *t, CK_OBJECT_HANDLE object, struct pubkey *ret, struct fault *f)
{
	_cleanup_buf_ struct buf spki = {0};
	CK_KEY_TYPE type = 0;
	size_t n = 0;
	TRY(token_attribute(t, object, CKA_KEY_TYPE, &type, sizeof type, &n, f));
	size_t seq = der_begin(&spki, DER_SEQUENCE);
	TRY(n > 0 && type == CKK_RSA ? put_rsa(t, object, &spki, f) : put_ec(t, object, &spki, f));
	der_end(&spki, seq);
	return pubkey_parse(buf_slice(&spki), ret, f);
}

static enum err certificate_key(struct token *t, CK_OBJECT_HANDLE object, struct pubkey *ret, struct fault *f)
{
	uint8_t room[CERT_MAX_BYTES];
	size_t n = 0;
	_cleanup_(cert_done) struct cert c = {0};
	TRY(token_attribute(t, object, CKA_VALUE, room, sizeof room, &n, f));
	TRY(cert_parse(slice_of(room, n), &c, f));
	return pubkey_parse(slice_of(c.key.spki, c.key.spki_len), ret, f);
}

/* Objects of kinds that are not read are passed by. */
static enum err keys_of(struct token *t, CK_OBJECT_CLASS class, struct pubkey *ret, size_t max, size_t *ret_n,
			struct fault *f)
{
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
	struct token_objects found;
	TRY(token_objects(t, template, 1, &found, f));
	for (CK_ULONG i = 0; i < found.n && *ret_n < max; i++) {
		enum err e = class == CKO_PUBLIC_KEY ? public_key(t, found.handles[i], &ret[*ret_n], f)
						     : certificate_key(t, found.handles[i], &ret[*ret_n], f);
		if (e == OK)
			(*ret_n)++;
		else if (e == ERR_IO)
			return e;
	}
	return OK;
}

enum err token_public_keys(struct token *t, struct pubkey *ret, size_t max, size_t *ret_n, struct fault *f)
{
	*ret_n = 0;
	TRY(keys_of(t, CKO_PUBLIC_KEY, ret, max, ret_n, f));
	return *ret_n > 0 ? OK : keys_of(t, CKO_CERTIFICATE, ret, max, ret_n, f);
}

/* --- a new pair --- */

static enum err check_private(struct token *t, CK_OBJECT_HANDLE key, struct fault *f)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		CK_BBOOL wanted;
		const char *name;
	} rules[] = {{CKA_SENSITIVE, CK_TRUE, "CKA_SENSITIVE"},
		     {CKA_EXTRACTABLE, CK_FALSE, "CKA_EXTRACTABLE"},
		     {CKA_LOCAL, CK_TRUE, "CKA_LOCAL"},
		     {CKA_ALWAYS_SENSITIVE, CK_TRUE, "CKA_ALWAYS_SENSITIVE"},
		     {CKA_NEVER_EXTRACTABLE, CK_TRUE, "CKA_NEVER_EXTRACTABLE"}};
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		CK_BBOOL found = CK_FALSE;
		size_t n = 0;
		TRY(token_attribute(t, key, rules[i].type, &found, sizeof found, &n, f));
		if (n == 0 || found != rules[i].wanted)
			return fault_raise(f, ERR_CRYPTO, "key_exportable", "token",
					   "token \"%s\": its new key has %s %s, wanted %s; it was deleted again",
					   t->name, rules[i].name,
					   n == 0  ? "unsaid"
					   : found ? "true"
						   : "false",
					   rules[i].wanted ? "true" : "false");
	}
	return OK;
}

static void templates(enum key_alg alg, const char *label, const uint8_t id[KEY_ID], struct attributes *public,
		      struct attributes *private)
{
	static const CK_ULONG bits = RSA_BITS;
	for (int i = 0; i < 2; i++) {
		struct attributes *l = i ? private : public;
		put(l, CKA_TOKEN, &yes, sizeof yes);
		put(l, CKA_LABEL, label, strlen(label));
		put(l, CKA_ID, id, KEY_ID);
	}
	put(public, CKA_VERIFY, &yes, sizeof yes);
	put(private, CKA_PRIVATE, &yes, sizeof yes);
	put(private, CKA_SENSITIVE, &yes, sizeof yes);
	put(private, CKA_EXTRACTABLE, &no, sizeof no);
	put(private, CKA_SIGN, &yes, sizeof yes);
	if (alg == KEY_RSA) {
		put(public, CKA_ENCRYPT, &yes, sizeof yes);
		put(public, CKA_MODULUS_BITS, &bits, sizeof bits);
		put(public, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
		put(private, CKA_DECRYPT, &yes, sizeof yes);
	} else {
		put(public, CKA_EC_PARAMS, curve_p256, sizeof curve_p256);
		put(private, CKA_DERIVE, &yes, sizeof yes);
	}
}

enum err token_generate(struct token *t, enum key_alg alg, const char *label, struct pubkey *ret_key, struct fault *f)
{
	CK_MECHANISM mechanism = {alg == KEY_RSA ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0};
	struct attributes public = {0}, private = {0};
	CK_OBJECT_HANDLE its_public = 0, its_private = 0;
	uint8_t id[KEY_ID];
	if (alg != KEY_RSA && alg != KEY_P256)
		return fault_raise(f, ERR_CONFIG, "key_algorithm", "--algorithm",
				   "found %s, wanted p256 or rsa, which tokens make", key_alg_word(alg));
	random_fill(id, sizeof id);
	templates(alg, label, id, &public, &private);
	CK_RV rv = t->fn->C_GenerateKeyPair(t->session, &mechanism, public.a, public.n, private.a, private.n,
					    &its_public, &its_private);
	if (rv != CKR_OK)
		return token_failed(t, "C_GenerateKeyPair", rv, f);
	enum err e = check_private(t, its_private, f);
	if (e == OK)
		e = public_key(t, its_public, ret_key, f);
	if (e == OK)
		e = pubkey_check_strength(ret_key, "the token's new key", f);
	if (e != OK) {
		t->fn->C_DestroyObject(t->session, its_private);
		t->fn->C_DestroyObject(t->session, its_public);
	}
	return e;
}

/* --- a request --- */

enum err token_csr(struct token *t, const struct pubkey *key, const struct name *subject, struct buf *ret,
		   struct fault *f)
{
	_cleanup_buf_ struct buf info = {0}, sig = {0};
	struct token_key private;
	TRY(token_find(t, key, "the key of the request", &private, f));
	size_t seq = der_begin(&info, DER_SEQUENCE);
	der_put_uint(&info, 0);
	name_put(subject, &info);
	buf_add(&info, key->spki, key->spki_len);
	der_put(&info, DER_CONTEXT_CONS(0), (struct slice){0});
	der_end(&info, seq);
	TRY(token_sign(t, &private, key, buf_slice(&info), &sig, f));
	size_t whole = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, buf_slice(&info));
	sigalg_put(key->alg, ret);
	der_put_bits(ret, buf_slice(&sig), 0);
	der_end(ret, whole);
	return OK;
}
