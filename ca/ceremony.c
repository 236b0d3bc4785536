/*
 * A ceremony, step by step as the transcript tells it: read, open the issuer, make the key, build, lint, sign, lint,
 * CRL, write.
 *
 * All that can be refused is refused before the first file is written, and what was written goes again when a later
 * step fails: a ceremony is done whole or not at all. The certificate takes the same road as a leaf's (build,
 * throw-away signature, lint, signature).
 */
#include "ca/ceremony.h"

#include "ca/build.h"
#include "ca/ceremony_private.h"
#include "ca/crl.h"
#include "ca/lint.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <string.h>

#define PASSPHRASE_MAX 1024
#define CERT_FILE_MAX 65536u
#define OUTPUTS_MAX 4

struct ceremony {
	const char *dir;
	struct ceremony_file file;
	struct person_key operator_key;
	struct transcript transcript;
	struct secret own, issuers; /* passphrases that were asked for */
	const struct secret *passphrase, *issuer_passphrase;
	struct buf issuer_der;
	struct cert issuer;	   /* of an intermediate */
	struct ca_key *issuer_key; /* of an intermediate */
	struct ca_key *key;
	struct buf cert_der, crl_der;
	struct cert cert;
	char *written[OUTPUTS_MAX]; /* paths */
	size_t n_written;
	bool done;
};

static void ceremony_done(struct ceremony *c)
{
	for (size_t i = 0; i < c->n_written; i++) {
		if (!c->done)
			unlink(c->written[i]);
		free(c->written[i]);
	}
	cert_done(&c->cert);
	cert_done(&c->issuer);
	buf_done(&c->cert_der);
	buf_done(&c->crl_der);
	buf_done(&c->issuer_der);
	ca_key_freep(&c->key);
	ca_key_freep(&c->issuer_key);
	secret_done(&c->own);
	secret_done(&c->issuers);
	transcript_done(&c->transcript);
	person_key_done(&c->operator_key);
	ceremony_file_done(&c->file);
}

static bool is_root(const struct ceremony *c)
{
	return c->file.kind == CEREMONY_ROOT;
}

static enum err check_absent(const struct ceremony *c, struct fault *f)
{
	const char *const paths[] = {c->file.outputs.certificate, c->file.outputs.key, c->file.outputs.transcript,
				     c->file.outputs.crl};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		_cleanup_(freep) char *path = paths[i] ? path_join(c->dir, paths[i]) : NULL;
		if (path && file_exists(path))
			return fault_raise(f, ERR_CONFLICT, "ceremony_output_exists", "ceremony.outputs",
					   "%s: exists already; nothing was made", ESC(path, strlen(path)));
	}
	return OK;
}

static enum err load_operator(struct ceremony *c, const char *option, struct fault *f)
{
	if ((option != NULL) == (c->file.operator_key != NULL))
		return fault_raise(f, ERR_CONFIG, "ceremony_operator", "ceremony.operator_key",
				   "the operator's key is named %s, wanted it in the file or on the command line",
				   option ? "in both" : "nowhere");
	_cleanup_(freep) char *path = option ? xstrdup(option) : path_join(c->dir, c->file.operator_key);
	return person_key_load(path, NULL, &c->operator_key, f);
}

/* What was not given is asked for. */
static enum err get_passphrases(struct ceremony *c, const struct secret *own, const struct secret *issuers,
				struct fault *f)
{
	_cleanup_(freep) char *ask = xasprintf("Passphrase for the new key of %s: ", c->file.name);
	c->passphrase = own;
	c->issuer_passphrase = issuers ? issuers : own;
	if (!c->passphrase) {
		TRY(secret_prompt(ask, true, PASSPHRASE_MAX, &c->own, f));
		c->passphrase = &c->own;
	}
	if (!is_root(c) && !c->issuer_passphrase) {
		TRY(secret_prompt("Passphrase of the issuer's key: ", false, PASSPHRASE_MAX, &c->issuers, f));
		c->issuer_passphrase = &c->issuers;
	}
	return OK;
}

static enum err open_issuer(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	_cleanup_(freep) char *cert = path_join(c->dir, c->file.issuer.certificate),
			      *key = path_join(c->dir, c->file.issuer.key);
	char hex[65];
	uint8_t hash[32];
	TRY(file_read(cert, CERT_FILE_MAX, &bytes, f));
	TRY(pem_or_der(buf_slice(&bytes), "CERTIFICATE", &c->issuer_der, f));
	TRY(cert_parse(buf_slice(&c->issuer_der), &c->issuer, f));
	if (slice_eq(c->issuer.issuer, c->issuer.subject))
		TRY(cert_verify_by(&c->issuer, &c->issuer, f));
	TRY(ca_key_open(key, &c->issuer, c->issuer_passphrase, &c->issuer_key, f));
	cert_sha256(&c->issuer, hash);
	hex_lower(hash, sizeof(hash), hex);
	transcript_step(&c->transcript, "issuer %s opened, certificate %s", SERIAL(&c->issuer.serial), hex);
	return OK;
}

static enum err make_key(struct ceremony *c, struct fault *f)
{
	char id[41];
	TRY(ca_key_create(c->file.alg, (unsigned)c->file.key.bits, &c->key, f));
	hex_lower(ca_key_public(c->key)->key_id, 20, id);
	transcript_step(&c->transcript, "key made: %s, %u bits, key id %s", key_alg_word(c->file.alg),
			ca_key_public(c->key)->bits, id);
	return OK;
}

static enum err build(const struct ceremony *c, enum key_alg issuer_alg, struct buf *ret_tbs, struct fault *f)
{
	uint64_t last = 0;
	struct serial serial;
	bool relative = c->file.validity.has_years;
	int64_t begin = relative ? clock_now() : c->file.validity.not_before;
	struct ca_build b = {
		.subject = &c->file.name_meant,
		.key = ca_key_public(c->key),
		.not_before = begin,
		.not_after = relative ? time_add_months(begin, 12 * (int)c->file.validity.years)
				      : c->file.validity.not_after,
		.path_len = c->file.has_path_len ? (int)c->file.path_len : -1,
		.issuer = is_root(c) ? NULL : &c->issuer,
		.ca_issuers_url = c->file.ca_issuers_url,
		.crl_url = c->file.crl_url,
		.policy_oid = c->file.policy,
	};
	serial_make(&last, &serial);
	return build_ca_tbs(&b, issuer_alg, &serial, ret_tbs, f);
}

/* Signs, parses and lints. Gives ret_cert, which borrows ret_der. */
static enum err sign_and_lint(const struct ceremony *c, struct slice tbs, const struct ca_key *signer,
			      struct buf *ret_der, struct cert *ret_cert, struct fault *f)
{
	_cleanup_buf_ struct buf signature = {0};
	const struct pubkey *public = ca_key_public(signer);
	TRY(ca_key_sign(signer, tbs, &signature, f));
	build_certificate(tbs, public->alg, buf_slice(&signature), ret_der);
	TRY(cert_parse(buf_slice(ret_der), ret_cert, f));
	return lint_run(&(struct lint_input){.cert = ret_cert,
					     .issuer = is_root(c) ? ret_cert : &c->issuer,
					     .subject = &c->file.name_meant,
					     .key = ca_key_public(c->key),
					     .signer = public,
					     .now = clock_now()},
			f);
}

static enum err make_certificate(struct ceremony *c, struct fault *f)
{
	const struct ca_key *signer = is_root(c) ? c->key : c->issuer_key;
	const struct pubkey *public = ca_key_public(signer);
	_cleanup_(ca_key_freep) struct ca_key *throwaway = NULL;
	_cleanup_(cert_done) struct cert trial = {0};
	_cleanup_buf_ struct buf tbs = {0}, trial_der = {0};
	TRY(build(c, public->alg, &tbs, f));
	TRY(ca_key_throwaway(public->alg, public->alg == KEY_RSA ? public->bits : 0, &throwaway, f));
	TRY(sign_and_lint(c, buf_slice(&tbs), throwaway, &trial_der, &trial, f));
	transcript_step(&c->transcript,
			"certificate built, serial %s, %s to %s; %zu lint rules hold under a throw-away key",
			SERIAL(&trial.serial), UTC(trial.not_before), UTC(trial.not_after), lint_n_rules);
	TRY(sign_and_lint(c, buf_slice(&tbs), signer, &c->cert_der, &c->cert, f));
	TRY(cert_verify_by(&c->cert, is_root(c) ? &c->cert : &c->issuer, f));
	transcript_step(&c->transcript, "certificate signed by %s; %zu lint rules hold",
			is_root(c) ? "itself" : "the issuer", lint_n_rules);
	return OK;
}

static enum err no_entry(void *arg, struct crl_entry *ret, bool *ret_more, struct fault *f)
{
	(void)arg;
	(void)ret;
	(void)f;
	*ret_more = false;
	return OK;
}

static enum err make_crl(struct ceremony *c, struct fault *f)
{
	const struct cert *issuer = is_root(c) ? &c->cert : &c->issuer;
	int64_t now = clock_now();
	uint64_t count;
	struct crl crl;
	if (!c->file.has_crl)
		return OK;
	TRY(crl_build(&(struct crl_build){.issuer = issuer,
					  .key = is_root(c) ? c->key : c->issuer_key,
					  .number = (uint64_t)c->file.crl.number,
					  .this_update = now,
					  .next_update = now + c->file.crl.days * 86400,
					  .next = no_entry},
		      &c->crl_der, &count, f));
	TRY(crl_parse(buf_slice(&c->crl_der), &crl, f));
	TRY(crl_verify_by(&crl, issuer, f));
	transcript_step(&c->transcript, "empty CRL signed by %s, number %lld, until %s",
			is_root(c) ? "the root" : "the issuer", (long long)c->file.crl.number, UTC(crl.next_update));
	return OK;
}

/* Remembers a path that is written now. */
static const char *writing(struct ceremony *c, const char *path)
{
	return c->written[c->n_written++] = path_join(c->dir, path);
}

/* A file of somebody else's that came in between must not be removed. */
static enum err kept(struct ceremony *c, enum err e)
{
	if (e == ERR_CONFLICT)
		free(c->written[--c->n_written]);
	return e;
}

static enum err write_output(struct ceremony *c, const char *what, const char *path, struct slice bytes,
			     struct fault *f)
{
	transcript_output(&c->transcript, what, path, bytes);
	return kept(c, file_write_new(writing(c, path), bytes, 0644, f));
}

static enum err write_key(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf sealed = {0};
	const char *path = writing(c, c->file.outputs.key);
	TRY(kept(c, ca_key_seal(c->key, path, c->passphrase, f)));
	TRY(file_read(path, CERT_FILE_MAX, &sealed, f));
	transcript_output(&c->transcript, "key", c->file.outputs.key, buf_slice(&sealed));
	/* Opened once from where it lies: a key that nobody can open is found now. */
	_cleanup_(ca_key_freep) struct ca_key *opened = NULL;
	return ca_key_open(path, &c->cert, c->passphrase, &opened, f);
}

static enum err write_all(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf pem = {0}, note = {0};
	TRY(write_key(c, f));
	transcript_step(&c->transcript, "key sealed, and opened again");
	pem_put(&pem, "CERTIFICATE", buf_slice(&c->cert_der));
	TRY(write_output(c, "certificate", c->file.outputs.certificate, buf_slice(&pem), f));
	if (c->file.has_crl)
		TRY(write_output(c, "crl", c->file.outputs.crl, buf_slice(&c->crl_der), f));
	TRY(transcript_end(&c->transcript, &c->operator_key, &note, f));
	return kept(c, file_write_new(writing(c, c->file.outputs.transcript), buf_slice(&note), 0644, f));
}

enum err ceremony_run(const char *file, const char *dir, const char *operator_key, const struct secret *passphrase,
		      const struct secret *issuer_passphrase, struct fault *f)
{
	_cleanup_(ceremony_done) struct ceremony c = {.dir = dir};
	TRY(ceremony_file_load(file, &c.file, f));
	TRY(check_absent(&c, f));
	TRY(load_operator(&c, operator_key, f));
	TRY(transcript_begin(&c.transcript, &c.file, c.operator_key.name, f));
	TRY(get_passphrases(&c, passphrase, issuer_passphrase, f));
	if (!is_root(&c))
		TRY(open_issuer(&c, f));
	TRY(make_key(&c, f));
	TRY(make_certificate(&c, f));
	TRY(make_crl(&c, f));
	TRY(write_all(&c, f));
	c.done = true;
	log_audit("ceremony", "name=%s kind=%s serial=%s operator=%s", c.file.name, ceremony_kind_word(c.file.kind),
		  SERIAL(&c.cert.serial), c.operator_key.name);
	return OK;
}
