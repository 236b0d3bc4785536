/*
 * Making, keeping and using the token key. What it opens stays in guarded memory.
 */
#include "tools/hufu/escrow.h"

#include "common/base/file.h"
#include "tools/hufu/subscriber.h"

#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#define KIND "hufu-token-key/v1\npublic: "
#define LABEL "hufu-token-key"
#define FILE_MAX 4096

void escrow_done(struct escrow_key *k)
{
	secret_done(&k->secret);
}

static enum err put_secret(const struct escrow_key *k, const struct secret *passphrase, struct buf *b, struct fault *f)
{
	_cleanup_buf_ struct buf sealed = {0};
	if (!passphrase) {
		buf_str(b, "\nsecret: ");
		buf_base64(b, k->secret.p, k->secret.n);
		return OK;
	}
	TRY(secret_seal(LABEL, passphrase, slice_of(k->secret.p, k->secret.n), &sealed, f));
	buf_str(b, "\nsealed: ");
	buf_base64(b, sealed.data, sealed.len);
	return OK;
}

enum err escrow_make(const char *path, const struct secret *passphrase, struct escrow_key *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0}, public = {0};
	_cleanup_(freep) char *beside = xasprintf("%s.pub", path);
	secret_alloc(&ret->secret, PUK_KEY);
	crypto_box_keypair(ret->key, ret->secret.p);
	buf_hex(&public, ret->key, PUK_KEY);
	buf_char(&public, '\n');
	buf_fmt(&text, KIND "%.*s", 2 * PUK_KEY, buf_text(&public));
	TRY(put_secret(ret, passphrase, &text, f));
	buf_char(&text, '\n');
	enum err e = file_write_new(path, buf_slice(&text), 0600, f);
	sodium_memzero(text.data, text.len);
	TRY(e);
	return file_write_new(beside, buf_slice(&public), 0644, f);
}

/* --- reading --- */

static enum err no_key(const char *path, struct fault *f)
{
	return fault_raise(f, ERR_PARSE, "key_file", "key", "%s: no hufu-token-key/v1 file, or altered", path);
}

/* How a sealed file is opened: by a passphrase that is known, from a descriptor, or by asking. */
struct opening {
	const struct secret *passphrase;
	const char *fd_text;
};

static enum err take_sealed(struct slice sealed, const struct opening *o, struct secret *ret, struct fault *f)
{
	_cleanup_secret_ struct secret pass = {0};
	if (o->passphrase)
		return secret_open(LABEL, o->passphrase, sealed, ret, f);
	TRY(ask_secret(o->fd_text, "--passphrase-fd", "Passphrase of the token key: ", false, &pass, f));
	return secret_open(LABEL, &pass, sealed, ret, f);
}

static enum err parse(const char *path, const char *text, const struct opening *o, struct escrow_key *ret,
		      struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	uint8_t public[PUK_KEY];
	size_t n = strlen(KIND);
	if (strncmp(text, KIND, n) != 0 || strlen(text) < n + 2 * PUK_KEY + 9 ||
	    !hex_decode(text + n, 2 * PUK_KEY, ret->key, PUK_KEY))
		return no_key(path, f);
	const char *at = text + n + 2 * PUK_KEY;
	bool sealed = strncmp(at, "\nsealed: ", 9) == 0;
	if ((!sealed && strncmp(at, "\nsecret: ", 9) != 0) || !base64_decode(at + 9, strcspn(at + 9, "\n"), &bytes))
		return no_key(path, f);
	if (sealed) {
		TRY(take_sealed(buf_slice(&bytes), o, &ret->secret, f));
	} else {
		secret_alloc(&ret->secret, bytes.len ? bytes.len : 1);
		memcpy(ret->secret.p, bytes.data, bytes.len);
		sodium_memzero(bytes.data, bytes.len);
	}
	if (ret->secret.n != PUK_KEY)
		return no_key(path, f);
	crypto_scalarmult_base(public, ret->secret.p);
	return memcmp(public, ret->key, PUK_KEY) == 0 ? OK : no_key(path, f);
}

enum err escrow_sealed(const char *path, bool *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	TRY(file_read(path, FILE_MAX, &text, f));
	*ret = strstr(buf_text(&text), "\nsealed: ") != NULL;
	sodium_memzero(text.data, text.len);
	return OK;
}

enum err escrow_load(const char *path, const struct secret *passphrase, const char *fd_text, struct escrow_key *ret,
		     struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	struct stat st;
	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		return fault_raise(f, ERR_CONFIG, "key_file_mode", "key",
				   "%s: mode %04o lets others read it; wanted 0600", path, st.st_mode & 07777u);
	TRY(file_read(path, FILE_MAX, &text, f));
	enum err e = parse(path, buf_text(&text), &(struct opening){passphrase, fd_text}, ret, f);
	sodium_memzero(text.data, text.len);
	return e;
}

enum err escrow_open(const struct escrow_key *k, const char *serial, const char *box, struct puk_set *set,
		     struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	_cleanup_(puk_set_done) struct puk_set found = {0};
	if (!box || !box[0])
		return OK;
	if (!base64_decode(box, strlen(box), &bytes))
		return fault_raise(f, ERR_NET, "desk_answer", "puk", "the desk's sealed PUK is no base64");
	TRY(puk_open(k->key, &k->secret, serial, buf_slice(&bytes), &found, f));
	for (size_t i = 0; i < found.n && set->n < PUK_MOST; i++) {
		set->puk[set->n++] = found.puk[i];
		found.puk[i] = (struct secret){0};
	}
	return OK;
}
