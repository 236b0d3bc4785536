/*
 * Key pairs on a token, and requests for certificates. What the token says of a private key that it
 * has just made is read back: a key that could leave, or that was not made there, is none for us. Next: token_public.c.
 */
#include "common/token/token_admin.h"

#include "common/token/token_private.h"

#include "common/pki/sign.h"

#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define KEY_ID 16
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
/* Curves by OID: RFC 5480 2.1.1.1, RFC 8410 3. */
static const uint8_t curve_p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t curve_p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t curve_ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
/* The same by name, which is how PKCS#11 3.0 began (curr. mech. 2.3.10) and SoftHSM still wants it: PrintableString. */
static const uint8_t name_ed25519[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};
static const uint8_t exponent[] = {0x01, 0x00, 0x01};

struct attributes {
	CK_ATTRIBUTE a[12];
	CK_ULONG n;
};

static void put(struct attributes *l, CK_ATTRIBUTE_TYPE type, const void *value, size_t size)
{
	l->a[l->n++] = (CK_ATTRIBUTE){type, (void *)value, size}; /* templates are only read */
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

static void put_curve(enum key_alg alg, struct attributes *public)
{
	if (alg == KEY_ED25519)
		put(public, CKA_EC_PARAMS, curve_ed25519, sizeof curve_ed25519);
	else if (alg == KEY_P384)
		put(public, CKA_EC_PARAMS, curve_p384, sizeof curve_p384);
	else
		put(public, CKA_EC_PARAMS, curve_p256, sizeof curve_p256);
}

static void templates(const struct token_keygen *g, const CK_ULONG *bits, struct attributes *public,
		      struct attributes *private)
{
	for (int i = 0; i < 2; i++) {
		struct attributes *l = i ? private : public;
		put(l, CKA_TOKEN, &yes, sizeof yes);
		put(l, CKA_LABEL, g->label.p, g->label.n);
		put(l, CKA_ID, g->id.p, g->id.n);
	}
	put(public, CKA_VERIFY, &yes, sizeof yes);
	put(private, CKA_PRIVATE, &yes, sizeof yes);
	put(private, CKA_SENSITIVE, &yes, sizeof yes);
	put(private, CKA_EXTRACTABLE, &no, sizeof no);
	put(private, CKA_SIGN, &yes, sizeof yes);
	if (g->alg == KEY_RSA) {
		put(public, CKA_MODULUS_BITS, bits, sizeof *bits);
		put(public, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
	} else {
		put_curve(g->alg, public);
	}
	if (g->signs_only) { /* some tokens let a key do more where nothing is said */
		put(private, CKA_DECRYPT, &no, sizeof no);
		put(private, CKA_UNWRAP, &no, sizeof no);
		return;
	}
	if (g->alg == KEY_RSA)
		put(public, CKA_ENCRYPT, &yes, sizeof yes);
	put(private, g->alg == KEY_RSA ? CKA_DECRYPT : CKA_DERIVE, &yes, sizeof yes);
}

static enum err mechanism_of(struct token *t, enum key_alg alg, CK_MECHANISM *ret, struct fault *f)
{
	static const struct {
		CK_MECHANISM_TYPE type;
		const char *name;
	} by_alg[KEY_ALG_N] = {
		[KEY_RSA] = {CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
		[KEY_P256] = {CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"},
		[KEY_P384] = {CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"},
		[KEY_ED25519] = {CKM_EC_EDWARDS_KEY_PAIR_GEN, "CKM_EC_EDWARDS_KEY_PAIR_GEN"},
	};
	CK_MECHANISM_INFO info = {0};
	if (!by_alg[alg].name)
		return fault_raise(f, ERR_CONFIG, "key_algorithm", "key.algorithm",
				   "found %s, wanted p256, p384, ed25519 or rsa: PKCS#11 has no mechanism for others",
				   key_alg_word(alg));
	CK_RV rv = t->fn->C_GetMechanismInfo(t->slot, by_alg[alg].type, &info);
	if (rv == CKR_MECHANISM_INVALID || (rv == CKR_OK && !(info.flags & CKF_GENERATE_KEY_PAIR)))
		return fault_raise(f, ERR_NOT_FOUND, "mechanism_missing", "token",
				   "token \"%s\" has no %s, wanted to make a key of kind %s", t->name, by_alg[alg].name,
				   key_alg_word(alg));
	if (rv != CKR_OK)
		return token_failed(t, "C_GetMechanismInfo", rv, f);
	*ret = (CK_MECHANISM){by_alg[alg].type, NULL, 0};
	return OK;
}

struct pair {
	CK_OBJECT_HANDLE public, private;
};

static CK_RV make_pair(struct token *t, CK_MECHANISM *mechanism, struct attributes *public, struct attributes *private,
		       struct pair *ret)
{
	return t->fn->C_GenerateKeyPair(t->session, mechanism, public->a, public->n, private->a, private->n,
					&ret->public, &ret->private);
}

/* A curve's name where its OID is not understood. */
static bool by_name(struct attributes *public)
{
	for (CK_ULONG i = 0; i < public->n; i++) {
		if (public->a[i].type != CKA_EC_PARAMS || public->a[i].pValue != curve_ed25519)
			continue;
		public->a[i] = (CK_ATTRIBUTE){CKA_EC_PARAMS, (void *)name_ed25519, sizeof name_ed25519};
		return true;
	}
	return false;
}

static enum err generate(struct token *t, const struct token_keygen *g, struct pair *ret, struct fault *f)
{
	CK_ULONG bits = g->bits;
	CK_MECHANISM mechanism;
	struct attributes public = {0}, private = {0};
	TRY(mechanism_of(t, g->alg, &mechanism, f));
	templates(g, &bits, &public, &private);
	CK_RV rv = make_pair(t, &mechanism, &public, &private, ret);
	if (rv != CKR_OK && rv != CKR_DEVICE_MEMORY && by_name(&public))
		rv = make_pair(t, &mechanism, &public, &private, ret);
	return rv == CKR_OK ? OK : token_failed(t, "C_GenerateKeyPair", rv, f);
}

enum err token_generate(struct token *t, const struct token_keygen *wanted, struct pubkey *ret_key, struct fault *f)
{
	struct token_keygen g = *wanted;
	struct pair pair = {0};
	uint8_t id[KEY_ID];
	if (g.id.n == 0) {
		random_fill(id, sizeof id);
		g.id = slice_of(id, sizeof id);
	}
	TRY(generate(t, &g, &pair, f));
	enum err e = check_private(t, pair.private, f);
	if (e == OK)
		e = token_public_key(t, pair.public, ret_key, f);
	if (e == OK)
		e = pubkey_check_strength(ret_key, "the token's new key", f);
	if (e != OK) {
		t->fn->C_DestroyObject(t->session, pair.private);
		t->fn->C_DestroyObject(t->session, pair.public);
	}
	return e;
}

static enum err delete_each(struct token *t, CK_OBJECT_CLASS class, struct slice label, struct slice id, bool *ret,
			    struct fault *f)
{
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
				   {CKA_LABEL, (void *)label.p, label.n}, /* only read */
				   {CKA_ID, (void *)id.p, id.n}};
	struct token_objects found;
	TRY(token_objects(t, template, 3, &found, f));
	for (CK_ULONG i = 0; i < found.n; i++) {
		CK_RV rv = t->fn->C_DestroyObject(t->session, found.handles[i]);
		if (rv != CKR_OK)
			return token_failed(t, "C_DestroyObject", rv, f);
		*ret = true;
	}
	return OK;
}

enum err token_delete(struct token *t, struct slice label, struct slice id, bool *ret, struct fault *f)
{
	*ret = false;
	TRY(delete_each(t, CKO_PRIVATE_KEY, label, id, ret, f));
	return delete_each(t, CKO_PUBLIC_KEY, label, id, ret, f);
}

/* --- a request --- */

struct signing {
	struct token *t;
	struct token_key private;
	const struct pubkey *public;
};

static enum err sign_there(void *arg, struct slice msg, struct buf *ret, struct fault *f)
{
	const struct signing *s = arg;
	return token_sign(s->t, &s->private, s->public, msg, ret, f);
}

enum err token_csr(struct token *t, const struct pubkey *key, const struct name *subject, struct buf *ret,
		   struct fault *f)
{
	_cleanup_buf_ struct buf name = {0};
	struct signing s = {.t = t, .public = key};
	TRY(token_find(t, key, "the key of the request", &s.private, f));
	name_put(subject, &name);
	return csr_make_by(key, sign_there, &s, buf_slice(&name), ret, f);
}
