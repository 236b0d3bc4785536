/*
 * The transcript: what was done, by which program, from which file, and the hash of each thing that came out, in lines
 * that a person reads aloud and the operator signs. Outputs stand behind the steps, in one place.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"

#include <openssl/crypto.h>
#include <string.h>

#define KIND_LINE "hufu/transcript/v1"
#define MAX_PROGRAM_BYTES (256u * 1024u * 1024u)

void transcript_done(struct transcript *t)
{
	buf_done(&t->text);
	buf_done(&t->outputs);
}

static void put_sha256(struct buf *b, const char *field, const uint8_t hash[32])
{
	buf_fmt(b, "%s: ", field);
	buf_hex(b, hash, 32);
	buf_char(b, '\n');
}

enum err transcript_begin(struct transcript *t, const struct ceremony_file *c, const char *operator_name,
			  struct fault *f)
{
	_cleanup_buf_ struct buf program = {0}, subject = {0};
	uint8_t hash[32];
	TRY(file_read("/proc/self/exe", MAX_PROGRAM_BYTES, &program, f));
	sha256(program.data, program.len, hash);
	name_text(&c->name_meant, &subject);
	buf_fmt(&t->text, KIND_LINE "\nceremony: %s\nkind: %s\nversion: hufu-ca " HUFU_VERSION "\nlibrary: %s\n",
		c->name, ceremony_kind_word(c->kind), OpenSSL_version(OPENSSL_VERSION));
	put_sha256(&t->text, "program", hash);
	put_sha256(&t->text, "file", c->sha256);
	buf_fmt(&t->text, "operator: %s\nsubject: %s\nbegun: %s\n", operator_name, buf_text(&subject),
		UTC(clock_now()));
	return OK;
}

void transcript_step(struct transcript *t, const char *fmt, ...)
{
	va_list ap;
	buf_fmt(&t->text, "step: %s ", UTC(clock_now()));
	va_start(ap, fmt);
	buf_vfmt(&t->text, fmt, ap);
	va_end(ap);
	buf_char(&t->text, '\n');
}

void transcript_output(struct transcript *t, const char *what, const char *path, struct slice bytes)
{
	uint8_t hash[32];
	sha256(bytes.p, bytes.n, hash);
	buf_fmt(&t->outputs, "output: %s %s ", what, path);
	buf_hex(&t->outputs, hash, 32);
	buf_char(&t->outputs, '\n');
}

enum err transcript_end(struct transcript *t, const struct person_key *operator_key, struct buf *ret, struct fault *f)
{
	buf_add_slice(&t->text, buf_slice(&t->outputs));
	buf_fmt(&t->text, "ended: %s\n", UTC(clock_now()));
	note_begin(buf_slice(&t->text), ret);
	return note_sign_ed25519(ret, operator_key->name, operator_key->secret.p, f);
}
