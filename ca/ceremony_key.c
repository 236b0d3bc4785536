/*
 * The steps that make keys and certificates. The certificate takes the same road as a leaf's: built, signed with a
 * throw-away key, linted, then signed and linted again. A key is sealed and opened again before anything is written.
 *
 * In a check or a rehearsal the issuer's key is not touched: a throw-away CA of the same name, dates and path length
 * stands in for it, unless a rehearsal before this one left a key.
 */
#include "ca/ceremony_private.h"

#include "ca/build.h"
#include "ca/lint.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/checkpoint.h"
#include "common/pki/der.h"
#include "common/pki/sign.h"
#include "common/token/token_uri.h"

#include <openssl/evp.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

static bool is_root(const struct ceremony *c)
{
	return c->file.kind == CEREMONY_ROOT;
}

static const char *hex_of(const void *p, size_t n, char ret[65])
{
	hex_lower(p, n, ret);
	return ret;
}
#define HEX(p, n) hex_of((p), (n), (char[65]){0})

/* --- the issuer --- */

static enum err issuer_stand_in(struct ceremony *c, struct fault *f)
{
	_cleanup_(name_done) struct name subject = {0};
	_cleanup_buf_ struct buf tbs = {0}, signature = {0};
	struct cert *old = &c->issuer.cert;
	struct serial serial = old->serial;
	enum key_alg alg = old->key.alg;
	TRY(ca_key_throwaway(alg, alg == KEY_RSA ? old->key.bits : 0, &c->issuer_key, f));
	TRY(name_parse(old->subject, &subject, f));
	struct ca_build b = {.subject = &subject,
			     .key = ca_key_public(c->issuer_key),
			     .not_before = old->not_before,
			     .not_after = old->not_after,
			     .path_len = (int)old->path_len};
	TRY(build_ca_tbs(&b, alg, &serial, &tbs, f));
	TRY(ca_key_sign(c->issuer_key, buf_slice(&tbs), &signature, f));
	cert_done(old);
	buf_clear(&c->issuer.der);
	build_certificate(buf_slice(&tbs), alg, buf_slice(&signature), &c->issuer.der);
	return cert_parse(buf_slice(&c->issuer.der), old, f);
}

/* A passphrase that was typed may be typed again; a token's PIN never, since tokens count. */
static enum err open_issuer(struct ceremony *c, const char *path, const struct secret *given, struct fault *f)
{
	for (int tries = 1;; tries++) {
		enum err e = ca_key_open(path, &c->issuer.cert, &c->issuer_passphrase, &c->issuer_key, f);
		if (e == OK || given || is_token_uri(path) || strcmp(f->rule, "sealed_open") != 0 ||
		    tries == CEREMONY_TRIES)
			return e;
		ceremony_say(c, "      %s; once more\n", f->text);
		secret_done(&c->issuer_passphrase);
		TRY(ceremony_secret(c, NULL, false, "Passphrase of the issuer's key", &c->issuer_passphrase, f));
	}
}

enum err ceremony_open_issuer(struct ceremony *c, struct fault *f)
{
	const struct secret *given = c->o->issuer_passphrase ? c->o->issuer_passphrase : c->o->passphrase;
	uint8_t hash[32];
	TRY(ceremony_secret(c, given, false, "Passphrase of the issuer's key", &c->issuer_passphrase, f));
	cert_sha256(&c->issuer.cert, hash);
	if (c->mode != CEREMONY_RUN && !c->issuer.rehearsed) {
		TRY(issuer_stand_in(c, f));
		ceremony_did(c, "a throw-away CA stands in for the issuer, certificate %s", HEX(hash, 32));
		return OK;
	}
	const char *file = ca_key_file(c->file.issuer.key);
	_cleanup_(freep) char *path = file ? ceremony_in(c, file, &(bool){0}) : xstrdup(c->file.issuer.key);
	TRY(open_issuer(c, path, given, f));
	ceremony_did(c, "issuer %s opened, certificate %s", SERIAL(&c->issuer.cert.serial), HEX(hash, 32));
	return OK;
}

/* --- a CA --- */

enum err ceremony_make_key(struct ceremony *c, struct fault *f)
{
	if (ceremony_in_token(c))
		TRY(ceremony_make_ca_in_token(c, f));
	else
		TRY(ca_key_create(c->file.alg, (unsigned)c->file.key.bits, &c->key, f));
	const struct pubkey *public = ca_key_public(c->key);
	ceremony_did(c, "key made: %s, %u bits, key id %s", key_alg_word(c->file.alg), public->bits,
		     HEX(public->key_id, 20));
	return OK;
}

/* Signs, parses and lints. Gives ret_cert, which borrows ret_der. */
static enum err sign_and_lint(const struct ceremony *c, const struct ca_key *signer, struct buf *ret_der,
			      struct cert *ret_cert, struct fault *f)
{
	_cleanup_buf_ struct buf signature = {0};
	const struct pubkey *public = ca_key_public(signer);
	TRY(ca_key_sign(signer, buf_slice(&c->tbs), &signature, f));
	build_certificate(buf_slice(&c->tbs), public->alg, buf_slice(&signature), ret_der);
	TRY(cert_parse(buf_slice(ret_der), ret_cert, f));
	return lint_run(&(struct lint_input){.cert = ret_cert,
					     .issuer = is_root(c) ? ret_cert : &c->issuer.cert,
					     .subject = &c->file.name_meant,
					     .key = ca_key_public(c->key),
					     .signer = public,
					     .now = clock_now()},
			f);
}

static const struct ca_key *signer_of(const struct ceremony *c)
{
	return is_root(c) ? c->key : c->issuer_key;
}

enum err ceremony_build(struct ceremony *c, struct fault *f)
{
	const struct ceremony_file *x = &c->file;
	const struct pubkey *public = ca_key_public(signer_of(c));
	_cleanup_(ca_key_freep) struct ca_key *throwaway = NULL;
	_cleanup_(cert_done) struct cert trial = {0};
	_cleanup_buf_ struct buf trial_der = {0};
	uint64_t last = 0;
	struct serial serial;
	struct ca_build b = {
		.subject = &x->name_meant,
		.key = ca_key_public(c->key),
		.not_before = x->validity.not_before,
		.not_after = x->validity.not_after,
		.path_len = x->has_path_len ? (int)x->path_len : -1,
		.issuer = is_root(c) ? NULL : &c->issuer.cert,
		.ca_issuers_url = x->ca_issuers_url,
		.crl_url = x->crl_url,
		.policy_oid = x->policy,
	};
	serial_make(&last, &serial);
	TRY(build_ca_tbs(&b, public->alg, &serial, &c->tbs, f));
	TRY(ca_key_throwaway(public->alg, public->alg == KEY_RSA ? public->bits : 0, &throwaway, f));
	TRY(sign_and_lint(c, throwaway, &trial_der, &trial, f));
	ceremony_did(c, "certificate built, serial %s, %s to %s; %zu lint rules hold under a throw-away key",
		     SERIAL(&trial.serial), UTC(trial.not_before), UTC(trial.not_after), lint_n_rules);
	return OK;
}

enum err ceremony_sign_certificate(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf subject = {0};
	struct buf *pem = ceremony_product(c, "certificate", c->file.outputs.certificate, 0644);
	TRY(sign_and_lint(c, signer_of(c), &c->cert_der, &c->cert, f));
	TRY(cert_verify_by(&c->cert, is_root(c) ? &c->cert : &c->issuer.cert, f));
	pem_put(pem, "CERTIFICATE", buf_slice(&c->cert_der));
	name_text(&c->file.name_meant, &subject);
	ceremony_did(c, "certificate of %s signed by %s; %zu lint rules hold", buf_text(&subject),
		     is_root(c) ? "itself" : "the issuer", lint_n_rules);
	return OK;
}

/* A key that nobody can open is found now. */
enum err ceremony_seal_key(struct ceremony *c, struct fault *f)
{
	_cleanup_(freep) char *prompt = xasprintf("Passphrase for the new key of %s", c->file.name);
	_cleanup_(ca_key_freep) struct ca_key *opened = NULL;
	if (ceremony_in_token(c)) {
		ceremony_put_token(c);
		return OK;
	}
	struct buf *sealed = ceremony_product(c, "key", c->file.outputs.key, 0600);
	TRY(ceremony_secret(c, c->o->passphrase, true, prompt, &c->passphrase, f));
	TRY(ca_key_seal_bytes(c->key, &c->passphrase, sealed, f));
	TRY(ca_key_open_sealed(buf_slice(sealed), c->file.outputs.key, &c->cert, &c->passphrase, &opened, f));
	ceremony_did(c, "key sealed (Argon2id, XSalsa20-Poly1305), and opened again");
	return OK;
}

/* --- keys of services: plain files, or in a token --- */

static const struct hsm_owner responder_owner = {
	.where = "key.token",
	.name = "the responder's key",
	.mismatch = "responder_key_mismatch",
	.wanted = "the key that was made",
	.pin_again = "run the ceremony again with the right PIN",
};

static enum err responder_key(struct ceremony *c, struct pubkey *ret, struct fault *f)
{
	if (ceremony_in_token(c)) {
		TRY(ceremony_make_in_token(c, &responder_owner, f));
		const struct pubkey *made = hsm_key_public(c->token_key);
		ceremony_put_token(c);
		return pubkey_parse(slice_of(made->spki, made->spki_len), ret, f);
	}
	TRY(privkey_generate(c->file.alg, (unsigned)c->file.key.bits, &c->plain_key, f));
	TRY(privkey_public(c->plain_key, ret, f));
	return privkey_to_pem(c->plain_key, ceremony_product(c, "key", c->file.outputs.key, 0600), f);
}

enum err ceremony_make_responder(struct ceremony *c, struct fault *f)
{
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_buf_ struct buf line = {0};
	TRY(responder_key(c, &public, f));
	TRY(pubkey_check_strength(&public, "responder", f));
	pem_put(ceremony_product(c, "public", c->file.outputs.public, 0644), "PUBLIC KEY",
		slice_of(public.spki, public.spki_len));
	buf_base64(&line, public.spki_sha256, 32);
	ceremony_did(c, "key made: %s, %u bits; in the roster it is: member: responder %s %s * responder",
		     key_alg_word(public.alg), public.bits, c->file.name, buf_text(&line));
	return OK;
}

static const struct hsm_owner log_owner = {
	.where = "key.token",
	.name = "the log key",
	.mismatch = "log_key_mismatch",
	.wanted = "the key that was made",
	.pin_again = "run the ceremony again with the right PIN",
};

/* The 32 bytes of RFC 8410 4, at the end of the SubjectPublicKeyInfo. */
static enum err log_key(struct ceremony *c, uint8_t ret[ED25519_KEY], struct fault *f)
{
	if (ceremony_in_token(c)) {
		TRY(ceremony_make_in_token(c, &log_owner, f));
		const struct pubkey *made = hsm_key_public(c->token_key);
		memcpy(ret, made->spki + made->spki_len - ED25519_KEY, ED25519_KEY);
		ceremony_put_token(c);
		return OK;
	}
	TRY(person_key_generate("log", &c->log_key, f));
	memcpy(ret, c->log_key.public_key, ED25519_KEY);
	return person_key_put(&c->log_key, NULL, ceremony_product(c, "key", c->file.outputs.key, 0600), f);
}

enum err ceremony_make_log_key(struct ceremony *c, struct fault *f)
{
	char origin[CHECKPOINT_ORIGIN_SIZE];
	uint8_t public[ED25519_KEY];
	TRY(log_key(c, public, f));
	log_origin(c->ca.cert.key.key_id, origin);
	struct buf *vkey = ceremony_product(c, "public", c->file.outputs.public, 0644);
	note_vkey_put(origin, public, vkey);
	ceremony_did(c, "log key made: %s", buf_text(vkey));
	buf_char(vkey, '\n');
	return OK;
}
