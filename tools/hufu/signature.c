/*
 * Signatures that were made elsewhere. Tools disagree on the form of an ECDSA signature and on who hashes the text; a
 * holder who got it wrong is told what came out, rather than only that it does not hold.
 */
#include "tools/hufu/signature.h"

#include "common/pki/der.h"

#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

static bool has_rs(enum key_alg alg)
{
	return alg == KEY_P256 || alg == KEY_P384 || alg == KEY_SM2;
}

static size_t field_bytes(enum key_alg alg)
{
	return alg == KEY_P384 ? 48 : 32;
}

/* --- form --- */

static bool is_rs_der(struct slice s)
{
	struct der d = der_of(s), rs;
	struct slice r, v;
	return der_enter(&d, DER_SEQUENCE, &rs) && der_at_end(&d) && der_get_integer(&rs, &r) &&
	       der_get_integer(&rs, &v) && der_at_end(&rs);
}

static bool is_text(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < ' ' || s.p[i] > '~') && s.p[i] != '\n' && s.p[i] != '\r')
			return false;
	return s.n > 0;
}

static enum err bad_form(const char *what, struct slice bytes, const char *wanted, struct fault *f)
{
	return fault_raise(f, ERR_PARSE, "signature_form", "--signature", "found %zu bytes%s; for %s wanted %s",
			   bytes.n, is_text(bytes) ? " of text (base64 or hex?)" : "", what, wanted);
}

static enum err read_rs(struct slice bytes, bool raw, const struct pubkey *key, const char *what, struct buf *ret,
			struct fault *f)
{
	char wanted[120];
	size_t pair = 2 * field_bytes(key->alg);
	if (raw && signature_der_from_rs(key->alg, bytes, ret))
		return OK;
	if (raw) {
		snprintf(wanted, sizeof wanted, "%zu: r and s side by side%s", pair,
			 is_rs_der(bytes) ? " (this is DER: leave --raw-ecdsa out)" : "");
		return bad_form(what, bytes, wanted, f);
	}
	if (!is_rs_der(bytes)) {
		snprintf(wanted, sizeof wanted, "DER of r and s (RFC 3279 2.2.3)%s",
			 bytes.n == pair ? ", or --raw-ecdsa if these are r and s side by side" : "");
		return bad_form(what, bytes, wanted, f);
	}
	buf_add_slice(ret, bytes);
	return OK;
}

enum err signature_read(struct slice bytes, bool raw_ecdsa, const struct pubkey *key, const char *what, struct buf *ret,
			struct fault *f)
{
	char wanted[120];
	size_t size = key->alg == KEY_RSA ? (key->bits + 7) / 8 : 64;
	if (has_rs(key->alg))
		return read_rs(bytes, raw_ecdsa, key, what, ret, f);
	if (raw_ecdsa || bytes.n != size) {
		snprintf(wanted, sizeof wanted, "%zu of a signature of kind %s%s", size, key_alg_word(key->alg),
			 raw_ecdsa ? ", without --raw-ecdsa" : "");
		return bad_form(what, bytes, wanted, f);
	}
	buf_add_slice(ret, bytes);
	return OK;
}

/* --- does it hold, and if not, over what was it made? --- */

static void with_crlf(struct slice text, struct buf *ret)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_char(ret, '\r');
		buf_char(ret, (char)text.p[i]);
	}
}

static const char *other_digest(const struct pubkey *key, struct slice text, struct slice sig)
{
	static const char *const digests[][2] = {{"SHA1", "it was made with SHA-1"},
						 {"SHA256", "it was made with SHA-256"},
						 {"SHA384", "it was made with SHA-384"},
						 {"SHA512", "it was made with SHA-512"}};
	if (key->alg == KEY_ED25519 || key->alg == KEY_SM2) /* their digest is a part of the scheme */
		return NULL;
	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
		if (pubkey_verify_md(key, digests[i][0], text, sig))
			return digests[i][1];
	return NULL;
}

/* What a tool signed instead of the text, or NULL. */
static const char *find_mistake(const struct pubkey *key, struct slice text, struct slice sig)
{
	_cleanup_buf_ struct buf crlf = {0}, hex = {0};
	uint8_t digest[32];
	const char *md = other_digest(key, text, sig);
	if (md)
		return md;
	sha256(text.p, text.n, digest);
	buf_hex(&hex, digest, sizeof digest);
	with_crlf(text, &crlf);
	const struct {
		struct slice signed_bytes;
		const char *mistake;
	} tries[] = {
		{buf_slice(&crlf), "it was made over the text with other line ends (CR LF): sign the file as it came"},
		{slice_of(text.p, text.n ? text.n - 1 : 0), "it was made over the text without its last line end"},
		{slice_of(digest, sizeof digest),
		 "it was made over the text's SHA-256, hashed once more: give the tool "
		 "the text, or let it sign without hashing"},
		{buf_slice(&hex), "it was made over the text's SHA-256 in hex"},
	};
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
		if (pubkey_verify(key, tries[i].signed_bytes, sig))
			return tries[i].mistake;
	return NULL;
}

enum err signature_check(const struct pubkey *key, const char *what, struct slice text, struct slice sig,
			 struct fault *f)
{
	if (pubkey_verify(key, text, sig))
		return OK;
	const char *mistake = find_mistake(key, text, sig);
	return fault_raise(
		f, ERR_CRYPTO, "signature_wrong", "--signature",
		"the signature does not hold under %s: %s (wanted %s over exactly the bytes of the text); nothing "
		"was sent",
		what, mistake ? mistake : "it is by another key, or over another text", key_alg_note_type(key->alg));
}
