/*
 * `hufu responder renew`: the responder's key asks for its own certificate, by a tally that it alone signs. The signer
 * knows the key from the roster; nothing else is asked, since all that the certificate says is in the signer's code.
 */
#include "common/base/file.h"
#include "common/note/tally.h"
#include "common/pki/csr.h"
#include "common/pki/sign.h"
#include "tools/hufu/note_files.h"

#include <string.h>

#include <openssl/crypto.h>

#define LIFE_S 3600

static enum err key_load(const char *path, EVP_PKEY **ret, struct fault *f)
{
	_cleanup_buf_ struct buf pem = {0};
	TRY(file_read(path, 16384, &pem, f));
	enum err e = privkey_from_pem(buf_slice(&pem), NULL, ret, f);
	OPENSSL_cleanse(pem.data, pem.len);
	if (e != OK)
		fault_prefix(f, "%s", path);
	return e;
}

static enum err signer_is(struct cli *c, struct buf *reply, struct wire_health_is *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_HEALTH_IS, reply, f));
	return wire_health_is_get(buf_slice(reply), ret, f);
}

/* issuer: key id in hex, NULL for the CA that issues. */
static enum err tally_text(struct cli *c, EVP_PKEY *key, const char *issuer, struct buf *ret, struct fault *f)
{
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_buf_ struct buf reply = {0};
	struct wire_health_is h = {0};
	struct tally t = {
		.kind = TALLY_RESPONDER, .reason = -1, .profile = "responder", .has_key = true, .key_is_new = true};
	TRY(signer_is(c, &reply, &h, f));
	TRY(privkey_public(key, &public, f));
	random_fill(t.id, sizeof t.id);
	memcpy(t.ca, h.ca, sizeof t.ca);
	memcpy(t.key_sha256, public.spki_sha256, sizeof t.key_sha256);
	t.has_issuer = issuer != NULL;
	if (issuer && (strlen(issuer) != 40 || !hex_decode(issuer, 40, t.issuer, sizeof t.issuer)))
		return fault_raise(f, ERR_CONFIG, "issuer_form", "--issuer",
				   "wanted the key id of a CA, 40 hex digits, as `hufu health --signer` prints it");
	t.made = h.now;
	t.dies = h.now + LIFE_S;
	tally_put(&t, ret);
	return OK;
}

static enum err signed_note(const struct buf *text, const char *key_path, struct buf *ret, struct fault *f)
{
	_cleanup_(freep) char *line = NULL;
	TRY(line_by_pem(buf_slice(text), NOTE_NEW_KEY, key_path, &line, f));
	note_begin(buf_slice(text), ret);
	buf_str(ret, line);
	return OK;
}

enum err responder_renew(struct cli *c, const char *key_path, const char *issuer, struct buf *ret_text,
			 struct buf *ret_pem, struct fault *f)
{
	static const uint8_t no_name[] = {0x30, 0x00};
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	_cleanup_buf_ struct buf note = {0}, csr = {0}, request = {0}, reply = {0};
	struct wire_done done = {0};
	TRY(key_load(key_path, &key, f));
	TRY(tally_text(c, key, issuer, ret_text, f));
	TRY(signed_note(ret_text, key_path, &note, f));
	TRY(csr_make(key, slice_of(no_name, sizeof no_name), &csr, f));
	if (c->dry_run)
		return OK;
	wire_tally_put(&(struct wire_tally){.note = buf_slice(&note), .csr = buf_slice(&csr)}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_DONE, &reply, f));
	TRY(wire_done_get(buf_slice(&reply), &done, f));
	pem_put(ret_pem, "CERTIFICATE", done.cert);
	return OK;
}

int run_responder_renew(struct cli *c, int argc, char **argv)
{
	const char *key = NULL, *out = NULL, *issuer = NULL;
	const struct option_rule rules[] = {{.name = "--key", .value = &key},
					    {.name = "--out", .value = &out},
					    {.name = "--issuer", .value = &issuer},
					    {0}};
	const struct command *cmd = cli_command(commands_operator, run_responder_renew);
	_cleanup_buf_ struct buf text = {0}, pem = {0};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!key || !out)
		return cli_usage(cmd, "--key FILE and --out FILE are wanted");
	if (responder_renew(c, key, issuer, &text, &pem, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:s,s:b}", "text", buf_text(&text), "dry_run", 1), "%s",
				buf_text(&text));
	if (file_write(out, buf_slice(&pem), 0644, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:s,s:s}", "file", out, "certificate", buf_text(&pem)), "%s: written\n", out);
}
