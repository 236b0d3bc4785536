/*
 * What the operator does past the desk: the officers' next roster lists an OCSP responder, whose key then fetches its
 * own certificate; and the list of what the old authority must revoke. Next: demo_attack.c.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/sign.h"
#include "tools/hufu/demo.h"
#include "tools/hufu/ended.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/setup.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>

#define RESPONDER "ocsp-1"

/* --- responder --- */

static enum err make_key(const char *key_path, const char *public_path, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_buf_ struct buf private_pem = {0}, public_pem = {0};
	TRY(privkey_generate(KEY_P256, 0, &key, f));
	TRY(privkey_public(key, &public, f));
	TRY(privkey_to_pem(key, &private_pem, f));
	pem_put(&public_pem, "PUBLIC KEY", slice_of(public.spki, public.spki_len));
	enum err e = file_write_new(key_path, buf_slice(&private_pem), 0600, f);
	OPENSSL_cleanse(private_pem.data, private_pem.len);
	TRY(e);
	return file_write_new(public_path, buf_slice(&public_pem), 0644, f);
}

/* The roster in force, and in it that public key: signed by two officers, which is the quorum. */
static enum err next_roster(struct demo *d, const char *public_path, struct buf *note, struct fault *f)
{
	static const char *const quorum[] = {"alice", "bob"};
	_cleanup_(roster_done) struct roster r = {0};
	_cleanup_(freep) char *add = xasprintf("responder:" RESPONDER "=%s", public_path);
	_cleanup_buf_ struct buf text = {0};
	const char *added[] = {add};
	TRY(roster_load(d->c->roster, &r, f));
	TRY(roster_next(&r, &(struct roster_change){.add = {added, 1}}, &text, f));
	note_begin(buf_slice(&text), note);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(person_key_done) struct person_key k = {0};
		_cleanup_(freep) char *path = setup_person_path(d->dir, quorum[i]);
		TRY(person_key_load(path, NULL, &k, f));
		TRY(note_sign_ed25519(note, k.name, k.secret.p, f));
	}
	demo_say("roster version %llu lists the key of " RESPONDER "; alice and bob sign it",
		 (unsigned long long)r.version);
	return OK;
}

/* To the signer first, then where the desk and people's clients read it. Receipts of before name the roster that was in
 * force, so that one stays in out/ too. */
static enum err put_roster(struct demo *d, struct slice note, struct fault *f)
{
	_cleanup_(freep) char *first = path_join(d->out, "roster.note"), *second = path_join(d->out, "roster-2.note");
	_cleanup_buf_ struct buf before = {0}, request = {0}, reply = {0};
	TRY(file_read(d->c->roster, NOTE_MAX_BYTES, &before, f));
	TRY(file_write_new(first, buf_slice(&before), 0644, f));
	TRY(file_write_new(second, note, 0644, f));
	wire_roster_put(&(struct wire_roster){.note = note}, &request);
	TRY(cli_operator(d->c, buf_slice(&request), WIRE_TYPE_OK, &reply, f));
	TRY(file_write(d->c->roster, note, 0644, f));
	(void)kill(d->daemons.ra, SIGHUP);
	return OK;
}

enum err demo_responder(struct demo *d, struct fault *f)
{
	_cleanup_(freep) char *key = demo_path(d, "home/" RESPONDER ".key"),
			      *public = demo_path(d, "home/" RESPONDER ".pub"),
			      *out = path_join(d->out, "responder.pem");
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_buf_ struct buf note = {0}, text = {0}, pem = {0}, der = {0};
	demo_step(d, "the operator: an OCSP responder is listed by the officers' quorum, and fetches its certificate");
	TRY(make_key(key, public, f));
	TRY(next_roster(d, public, &note, f));
	TRY(put_roster(d, buf_slice(&note), f));
	TRY(responder_renew(d->c, key, NULL, &text, &pem, f));
	TRY(pem_or_der(buf_slice(&pem), "CERTIFICATE", &der, f));
	TRY(cert_parse(buf_slice(&der), &cert, f));
	TRY(file_write_new(out, buf_slice(&pem), 0644, f));
	demo_say("certificate %s, %s to %s", SERIAL(&cert.serial), SHANGHAI(cert.not_before), SHANGHAI(cert.not_after));
	demo_say("receipts of before verify by roster version 1: out/roster.note; the next is out/roster-2.note");
	demo_took(d);
	return OK;
}

/* --- what the old authority must revoke --- */

enum err demo_ended(struct demo *d, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	_cleanup_(freep) char *out = path_join(d->out, "ended.csv");
	_cleanup_buf_ struct buf csv = {0};
	size_t i;
	json_t *row;
	demo_step(d, "the operator: what ZJCA OCA2 must revoke, as a list for it: out/ended.csv");
	TRY(ended_rows(d->c, rows, f));
	ended_csv(rows, &csv);
	TRY(file_write_new(out, buf_slice(&csv), 0644, f));
	json_array_foreach(rows, i, row)
	{
		const char *successor = demo_text(row, "successor");
		demo_say("%s %s, %s%s%s", demo_text(row, "serial"), demo_text(row, "reason"), demo_text(row, "cause"),
			 successor[0] ? ", successor " : "", successor);
	}
	demo_took(d);
	return OK;
}
