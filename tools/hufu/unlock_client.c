/*
 * The file, line by line; what is not there yet is "-".
 */
#include "tools/hufu/unlock_client.h"

#include "common/base/file.h"

#include <libgen.h>
#include <sodium.h>
#include <string.h>

#define KIND "hufu-unlock/v1"
#define FILE_MAX 4096

void unlock_client_done(struct unlock_client *u)
{
	freep(&u->path);
	secret_done(&u->secret);
	buf_done(&u->taken);
	buf_done(&u->next);
}

void unlock_client_make(const char *serial, struct unlock_client *ret)
{
	uint8_t id[UNLOCK_CALL_ID / 2];
	snprintf(ret->serial, sizeof ret->serial, "%s", serial);
	secret_alloc(&ret->secret, PUK_KEY);
	crypto_box_keypair(ret->key, ret->secret.p);
	random_fill(id, sizeof id);
	hex_lower(id, sizeof id, ret->call_id);
}

/* Gives: free(). */
static char *path_of(const char *request)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	if (state && *state)
		return xasprintf("%s/hufu/unlock-%s", state, request);
	return xasprintf("%s/.local/state/hufu/unlock-%s", home && *home ? home : "/tmp", request);
}

static void put_box(struct buf *b, const char *name, const struct buf *box)
{
	buf_fmt(b, "%s: ", name);
	if (box->len > 0)
		buf_base64(b, box->data, box->len);
	else
		buf_char(b, '-');
	buf_char(b, '\n');
}

enum err unlock_client_save(struct unlock_client *u, const char *request, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	if (!u->path)
		u->path = path_of(request);
	_cleanup_(freep) char *folder = xstrdup(u->path);
	TRY(dir_make(dirname(folder), 0700, f));
	buf_reserve(&b, FILE_MAX); /* so that the secret is not left behind by growing */
	buf_fmt(&b, KIND "\ntoken: %s\nkey: ", u->serial);
	buf_hex(&b, u->key, PUK_KEY);
	buf_str(&b, "\nsecret: ");
	buf_hex(&b, u->secret.p, PUK_KEY);
	buf_fmt(&b, "\ncall: %s\n", u->call_id);
	put_box(&b, "taken", &u->taken);
	put_box(&b, "next", &u->next);
	enum err e = file_write(u->path, buf_slice(&b), 0600, f);
	sodium_memzero(b.data, b.len);
	return e;
}

static bool take(const char **at, const char *name, struct slice *ret)
{
	size_t n = strlen(name);
	if (strncmp(*at, name, n) != 0 || strncmp(*at + n, ": ", 2) != 0)
		return false;
	*ret = slice_of(*at + n + 2, strcspn(*at + n + 2, "\n"));
	*at += n + 2 + ret->n;
	*at += **at == '\n';
	return true;
}

static bool take_box(const char **at, const char *name, struct buf *ret)
{
	struct slice text;
	return take(at, name, &text) &&
	       (slice_eq(text, slice_str("-")) || base64_decode((const char *)text.p, text.n, ret));
}

static bool parse(const char *at, struct unlock_client *u)
{
	struct slice serial, key, secret, call;
	size_t n = strlen(KIND "\n");
	if (strncmp(at, KIND "\n", n) != 0)
		return false;
	at += n;
	secret_alloc(&u->secret, PUK_KEY);
	if (!take(&at, "token", &serial) || serial.n > PUK_SERIAL || !take(&at, "key", &key) ||
	    !hex_decode((const char *)key.p, key.n, u->key, PUK_KEY) || !take(&at, "secret", &secret) ||
	    !hex_decode((const char *)secret.p, secret.n, u->secret.p, PUK_KEY) || !take(&at, "call", &call) ||
	    call.n != UNLOCK_CALL_ID || !take_box(&at, "taken", &u->taken) || !take_box(&at, "next", &u->next))
		return false;
	memcpy(u->serial, serial.p, serial.n);
	memcpy(u->call_id, call.p, call.n);
	return puk_serial_ok(u->serial) && *at == '\0';
}

enum err unlock_client_load(const char *request, struct unlock_client *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	ret->path = path_of(request);
	if (!file_exists(ret->path))
		return fault_raise(
			f, ERR_NOT_FOUND, "unlock_elsewhere", "request",
			"unlock %s was asked for elsewhere: its one-time key is in the files of who asked (%s)",
			request, ret->path);
	TRY(file_read(ret->path, FILE_MAX, &text, f));
	bool good = parse(buf_text(&text), ret);
	sodium_memzero(text.data, text.len);
	return good ? OK
		    : fault_raise(f, ERR_PARSE, "unlock_file", "file", "%s: no " KIND " file, or altered", ret->path);
}

void unlock_client_forget(const struct unlock_client *u)
{
	unlink(u->path);
}
