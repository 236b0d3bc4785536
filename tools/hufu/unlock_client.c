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
	_cleanup_(freep) char *name = xasprintf("unlock-%s", request);
	return cli_state_path(name);
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

void unlock_client_put(const struct unlock_client *u, struct buf *ret)
{
	buf_reserve(ret, FILE_MAX); /* so that the secret is not left behind by growing */
	buf_fmt(ret, KIND "\ntoken: %s\nkey: ", u->serial);
	buf_hex(ret, u->key, PUK_KEY);
	buf_str(ret, "\nsecret: ");
	buf_hex(ret, u->secret.p, PUK_KEY);
	buf_fmt(ret, "\ncall: %s\n", u->call_id);
	put_box(ret, "taken", &u->taken);
	put_box(ret, "next", &u->next);
}

enum err unlock_client_save(struct unlock_client *u, const char *request, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	if (!u->path)
		u->path = path_of(request);
	_cleanup_(freep) char *folder = xstrdup(u->path);
	TRY(dir_make(dirname(folder), 0700, f));
	unlock_client_put(u, &b);
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

/* A text without NUL. */
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

enum err unlock_client_parse(struct buf *text, struct unlock_client *ret, struct fault *f)
{
	return strlen(buf_text(text)) == text->len && parse(buf_text(text), ret)
		       ? OK
		       : fault_raise(f, ERR_PARSE, "unlock_file", "file", "no " KIND " file, or altered");
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
	enum err e = unlock_client_parse(&text, ret, f);
	sodium_memzero(text.data, text.len);
	if (e != OK)
		fault_prefix(f, "%s", ret->path);
	return e;
}

enum err unlock_offer_read(json_t *offer, const char **ret_token, uint8_t ret_key[PUK_KEY], struct fault *f)
{
	const char *token = json_string_value(json_object_get(offer, "token")),
		   *key = json_string_value(json_object_get(offer, "key"));
	if (!token || !key || !puk_serial_ok(token) || !hex_decode(key, strlen(key), ret_key, PUK_KEY))
		return fault_raise(f, ERR_NET, "desk_answer", "review.show",
				   "the desk's answer has no token, or no key");
	*ret_token = token;
	return OK;
}

void unlock_client_forget(const struct unlock_client *u)
{
	unlink(u->path);
}
