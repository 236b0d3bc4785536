/*
 * One signature by a key on a token. Mechanisms that take a digest come first: every token has them, and the text stays
 * short on the wire to the card. What comes back is verified before anybody gets it, so that a broken or lying token
 * is found here and not by the desk.
 */
#include "common/token/token_private.h"

#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define SIGNATURE_MAX 1024 /* RSA-8192 */

enum input { IN_MESSAGE, IN_DIGEST, IN_DIGEST_INFO };
static const struct token_scheme {
	enum key_alg alg;
	CK_MECHANISM_TYPE mechanism;
	const char *name;
	enum input input;
	bool rs; /* r and s side by side come out */
} schemes[] = {
	{KEY_RSA, CKM_RSA_PKCS, "CKM_RSA_PKCS", IN_DIGEST_INFO, false},
	{KEY_RSA, CKM_SHA256_RSA_PKCS, "CKM_SHA256_RSA_PKCS", IN_MESSAGE, false},
	{KEY_P256, CKM_ECDSA, "CKM_ECDSA", IN_DIGEST, true},
	{KEY_P256, CKM_ECDSA_SHA256, "CKM_ECDSA_SHA256", IN_MESSAGE, true},
	{KEY_P384, CKM_ECDSA, "CKM_ECDSA", IN_DIGEST, true},
	{KEY_P384, CKM_ECDSA_SHA384, "CKM_ECDSA_SHA384", IN_MESSAGE, true},
	{KEY_ED25519, CKM_EDDSA, "CKM_EDDSA", IN_MESSAGE, false},
};
#define N_SCHEMES (sizeof schemes / sizeof schemes[0])

/* The first that the token signs by. */
enum err token_scheme(struct token *t, enum key_alg alg, const struct token_scheme **ret, struct fault *f)
{
	_cleanup_buf_ struct buf wanted = {0};
	for (size_t i = 0; i < N_SCHEMES; i++) {
		CK_MECHANISM_INFO info = {0};
		if (schemes[i].alg != alg)
			continue;
		CK_RV rv = t->fn->C_GetMechanismInfo(t->slot, schemes[i].mechanism, &info);
		if (rv == CKR_OK && (info.flags & CKF_SIGN)) {
			*ret = &schemes[i];
			return OK;
		}
		if (rv != CKR_OK && rv != CKR_MECHANISM_INVALID)
			return token_failed(t, "C_GetMechanismInfo", rv, f);
		buf_fmt(&wanted, "%s%s", wanted.len ? " or " : "", schemes[i].name);
	}
	return fault_raise(f, ERR_NOT_FOUND, "mechanism_missing", "token",
			   "token \"%s\" does not sign by %s, wanted for a key of kind %s: sign with the token's own "
			   "tool, and hand the signature in by --signature",
			   t->name, buf_text(&wanted), key_alg_word(alg));
}

/* What the mechanism signs. RFC 8017 9.2, note 1: DigestInfo of SHA-256. */
static enum err make_input(const struct token_scheme *s, struct slice msg, struct buf *ret, struct fault *f)
{
	static const uint8_t digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
					      0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	uint8_t digest[64];
	size_t n = 0;
	if (s->input == IN_MESSAGE) {
		buf_add_slice(ret, msg);
		return OK;
	}
	if (EVP_Q_digest(NULL, s->alg == KEY_P384 ? "SHA384" : "SHA256", NULL, msg.p, msg.n, digest, &n) != 1)
		return fault_raise(f, ERR_INTERNAL, "digest", "token", "libcrypto makes no digest");
	if (s->input == IN_DIGEST_INFO)
		buf_add(ret, digest_info, sizeof digest_info);
	buf_add(ret, digest, n);
	return OK;
}

/* Some keys want the PIN again for each signature (CKA_ALWAYS_AUTHENTICATE). */
static enum err log_in_again(struct token *t, const struct token_key *key, struct fault *f)
{
	if (!key->always_login)
		return OK;
	CK_RV rv = t->fn->C_Login(t->session, CKU_CONTEXT_SPECIFIC, t->pin ? t->pin->p : NULL, t->pin ? t->pin->n : 0);
	return rv == CKR_OK ? OK : token_login_failed(t, rv, f);
}

static enum err ask(struct token *t, const struct token_key *key, const struct token_scheme *s, struct buf *input,
		    struct buf *ret, struct fault *f)
{
	CK_MECHANISM mechanism = {s->mechanism, NULL, 0};
	uint8_t room[SIGNATURE_MAX];
	CK_ULONG n = sizeof room;
	CK_RV rv = t->fn->C_SignInit(t->session, &mechanism, key->handle);
	if (rv != CKR_OK)
		return token_failed(t, "C_SignInit", rv, f);
	TRY(log_in_again(t, key, f));
	rv = t->fn->C_Sign(t->session, input->data, input->len, room, &n);
	if (rv != CKR_OK)
		return token_failed(t, "C_Sign", rv, f);
	if (n > sizeof room)
		return fault_raise(f, ERR_CRYPTO, "token_signature", "token",
				   "token \"%s\" says that its signature has %lu bytes, wanted at most %zu", t->name, n,
				   sizeof room);
	buf_add(ret, room, n);
	return OK;
}

enum err token_sign_by(struct token *t, const struct token_key *key, const struct token_scheme *s, struct slice msg,
		       struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf input = {0}, raw = {0};
	TRY(make_input(s, msg, &input, f));
	TRY(ask(t, key, s, &input, &raw, f));
	if (!s->rs || !signature_der_from_rs(s->alg, buf_slice(&raw), ret))
		buf_add_slice(ret, buf_slice(&raw));
	return OK;
}

enum err token_sign(struct token *t, const struct token_key *key, const struct pubkey *want, struct slice msg,
		    struct buf *ret, struct fault *f)
{
	const struct token_scheme *s = NULL;
	_cleanup_buf_ struct buf sig = {0};
	TRY(token_scheme(t, want->alg, &s, f));
	TRY(token_sign_by(t, key, s, msg, &sig, f));
	if (!pubkey_verify(want, msg, buf_slice(&sig)))
		return fault_raise(f, ERR_CRYPTO, "token_signature", "token",
				   "token \"%s\", key \"%s\": its signature (%zu bytes) does not hold under the public "
				   "key; nothing was sent",
				   t->name, key->label, sig.len);
	buf_add_slice(ret, buf_slice(&sig));
	return OK;
}
