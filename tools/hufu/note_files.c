/*
 * Notes and certificates as files; signing a note as a person does: read the text, confirm, add one line.
 */
#include "tools/hufu/note_files.h"

#include "common/base/file.h"
#include "common/pki/sign.h"

#include <string.h>

enum err note_load(const char *path, struct buf *ret, struct fault *f)
{
	TRY(file_read(path, NOTE_MAX_BYTES, ret, f));
	struct slice b = buf_slice(ret);
	if (b.n < 2 || b.p[b.n - 1] != '\n')
		return fault_raise(f, ERR_PARSE, "note_form", "note", "%s: a note ends in a newline", path);
	/* A text that nobody signed yet has no empty line: give it one. */
	if (!memmem(b.p, b.n, "\n\n", 2))
		buf_char(ret, '\n');
	return OK;
}

enum err roster_load(const char *path, struct roster *ret, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_(note_done) struct note n = {0};
	TRY(note_load(path, &b, f));
	enum err e = note_parse(buf_slice(&b), 0, &n, f);
	if (e == OK)
		e = roster_parse(n.text, ret, f);
	if (e != OK)
		fault_prefix(f, "%s", path);
	return e;
}

enum err der_load(const char *path, const char *label, struct buf *ret, struct fault *f)
{
	return der_load_long(path, label, 65536, ret, f);
}

enum err der_load_long(const char *path, const char *label, size_t max, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	TRY(file_read(path, max, &b, f));
	enum err e = pem_or_der(buf_slice(&b), label, ret, f);
	if (e != OK)
		fault_prefix(f, "%s", path);
	return e;
}

enum err line_by_signature(struct slice text, const char *name, const struct pubkey *key, struct slice sig, char **ret,
			   struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	uint8_t key_id[4];
	note_key_id_spki(name, key, key_id);
	note_begin(text, &note);
	size_t head = note.len;
	TRY(note_add_line(&note, name, key_id, sig, f));
	*ret = xstrndup((const char *)note.data + head, note.len - head);
	return OK;
}

enum err line_by_pem(struct slice text, const char *name, const char *key_path, char **ret, struct fault *f)
{
	_cleanup_buf_ struct buf pem = {0}, sig = {0};
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	_cleanup_(pubkey_done) struct pubkey pub = {0};
	TRY(file_read(key_path, 16384, &pem, f));
	enum err e = privkey_from_pem(buf_slice(&pem), NULL, &key, f);
	OPENSSL_cleanse(pem.data, pem.len);
	if (e != OK) {
		fault_prefix(f, "%s", key_path);
		return e;
	}
	TRY(privkey_public(key, &pub, f));
	TRY(privkey_sign(key, pub.alg, text, &sig, f));
	return line_by_signature(text, name, &pub, buf_slice(&sig), ret, f);
}

enum err line_by_person(const char *text, const struct person_key *key, char **ret, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	TRY(note_sign_ed25519(&note, key->name, key->secret.p, f));
	*ret = xstrndup((const char *)note.data + head, note.len - head);
	return OK;
}

static enum err add_line(struct buf *bytes, const char *key_path, bool yes, struct fault *f)
{
	_cleanup_(note_done) struct note n = {0};
	_cleanup_(person_key_done) struct person_key key = {0};
	TRY(note_parse(buf_slice(bytes), 0, &n, f));
	TRY(person_key_load(key_path, NULL, &key, f));
	if (note_sig_by_name(&n, key.name))
		return fault_raise(f, ERR_CONFLICT, "signature_repeated", "note", "%s has signed this note already",
				   key.name);
	if (!yes &&
	    !cli_confirm("%.*s\nSign exactly this text as %s?", (int)n.text.n, (const char *)n.text.p, key.name))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "note", "not signed: the answer was not \"yes\"");
	return note_sign_ed25519(bytes, key.name, key.secret.p, f);
}

int note_sign_file(struct cli *c, const char *path, const char *key_path, bool yes)
{
	struct fault f = {0};
	_cleanup_buf_ struct buf bytes = {0};
	if (note_load(path, &bytes, &f) != OK || add_line(&bytes, key_path, yes, &f) != OK)
		return cli_fail(c, &f);
	if (!c->dry_run && file_write(path, buf_slice(&bytes), 0644, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:s,s:b}", "file", path, "signed", !c->dry_run), "%s: %s\n", path,
			c->dry_run ? "would be signed (dry run)" : "signed");
}

enum err change_confirm(struct cli *c, struct slice note, bool yes, char **ret_text, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_change_is m = {0};
	wire_change_put(&(struct wire_change){.note = note}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_CHANGE_IS, &reply, f));
	TRY(wire_change_is_get(buf_slice(&reply), &m, f));
	_cleanup_(freep) char *text = slice_dup_str(m.text);
	if (!c->json)
		printf("%s", text[0] ? text : "nothing changes but version and date\n");
	fflush(stdout);
	if (!yes && !c->dry_run && !c->json && isatty(STDIN_FILENO) && !cli_confirm("Give it to the signer?"))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "note", "not sent: the answer was not \"yes\"");
	*ret_text = TAKE(text);
	return OK;
}
