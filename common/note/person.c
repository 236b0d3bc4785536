/*
 * Ed25519 key files of people and services ("hufu-key/v1"): name, public key, and the secret plain (0600) or sealed
 * with a passphrase.
 */
#include "common/note/person.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_FILE_KIND "hufu-key/v1"
#define KEY_FILE_MAX 4096

void person_key_done(struct person_key *k)
{
	secret_done(&k->secret);
	memset(k, 0, sizeof *k);
}

enum err person_key_generate(const char *name, struct person_key *ret, struct fault *f)
{
	size_t n = strlen(name);
	if (n == 0 || n >= 48 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n || name[0] < 'a')
		return fault_raise(f, ERR_CONFIG, "key_name", "key.name",
				   "name \"%s\": wanted a-z, 0-9 and '-', starting with a letter, at most 47",
				   ESC(name, n));
	memcpy(ret->name, name, n + 1);
	secret_alloc(&ret->secret, ED25519_SECRET);
	crypto_sign_keypair(ret->public_key, ret->secret.p);
	return OK;
}

static char *seal_label(const char *name)
{
	return xasprintf("hufu-key:%s", name);
}

enum err person_key_put(const struct person_key *k, const struct secret *passphrase, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf sealed = {0};
	if (passphrase) {
		_cleanup_(freep) char *label = seal_label(k->name);
		TRY(secret_seal(label, passphrase, slice_of(k->secret.p, k->secret.n), &sealed, f));
	}
	buf_fmt(ret, "%s\nname: %s\npublic: ", KEY_FILE_KIND, k->name);
	buf_base64(ret, k->public_key, ED25519_KEY);
	if (passphrase) {
		buf_str(ret, "\nsealed: ");
		buf_base64(ret, sealed.data, sealed.len);
	} else {
		buf_str(ret, "\nsecret: ");
		buf_base64(ret, k->secret.p, k->secret.n);
	}
	buf_char(ret, '\n');
	return OK;
}

enum err person_key_save(const struct person_key *k, const char *path, const struct secret *passphrase, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	enum err e = person_key_put(k, passphrase, &b, f);
	if (e == OK)
		e = file_write_new(path, buf_slice(&b), 0600, f);
	if (b.len > 0)
		sodium_memzero(b.data, b.len);
	return e;
}

/* Value of "key: value\n" at *rest, which advances. */
static bool take_line(struct slice *rest, const char *key, struct slice *ret)
{
	size_t n = strlen(key);
	const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (!end || (size_t)(end - rest->p) < n || memcmp(rest->p, key, n) != 0)
		return false;
	*ret = slice_of(rest->p + n, (size_t)(end - rest->p) - n);
	rest->n -= (size_t)(end - rest->p) + 1;
	rest->p = end + 1;
	return true;
}

static enum err open_secret(struct slice sealed64, const struct secret *passphrase, struct person_key *ret,
			    struct fault *f)
{
	_cleanup_buf_ struct buf sealed = {0};
	_cleanup_secret_ struct secret asked = {0};
	_cleanup_(freep) char *label = seal_label(ret->name);
	if (!base64_decode((const char *)sealed64.p, sealed64.n, &sealed))
		return fault_raise(f, ERR_PARSE, "key_file", "key.sealed", "not base64");
	if (!passphrase) {
		_cleanup_(freep) char *prompt = xasprintf("Passphrase of %s: ", ret->name);
		TRY(secret_prompt(prompt, false, 1024, &asked, f));
		passphrase = &asked;
	}
	return secret_open(label, passphrase, buf_slice(&sealed), &ret->secret, f);
}

/* The open half, and where the secret begins. */
static enum err parse_open(struct slice *text, struct person_key *ret, struct fault *f)
{
	struct slice name, public64;
	_cleanup_buf_ struct buf pub = {0};
	if (!take_line(text, KEY_FILE_KIND, &name) || name.n != 0 || !take_line(text, "name: ", &name) || name.n == 0 ||
	    name.n > 47 || !take_line(text, "public: ", &public64) ||
	    !base64_decode((const char *)public64.p, public64.n, &pub) || pub.len != ED25519_KEY)
		return fault_raise(f, ERR_PARSE, "key_file", "key",
				   "not a %s file (kind, name, public, secret or sealed, in this order)",
				   KEY_FILE_KIND);
	memcpy(ret->name, name.p, name.n);
	memcpy(ret->public_key, pub.data, ED25519_KEY);
	return OK;
}

static enum err parse_key_file(struct slice text, const struct secret *passphrase, struct person_key *ret,
			       struct fault *f)
{
	struct slice secret64;
	_cleanup_buf_ struct buf sec = {0};
	TRY(parse_open(&text, ret, f));
	if (take_line(&text, "sealed: ", &secret64)) {
		TRY(open_secret(secret64, passphrase, ret, f));
	} else if (take_line(&text, "secret: ", &secret64) &&
		   base64_decode((const char *)secret64.p, secret64.n, &sec)) {
		secret_alloc(&ret->secret, sec.len);
		memcpy(ret->secret.p, sec.data, sec.len);
		sodium_memzero(sec.data, sec.len);
	}
	if (ret->secret.n != ED25519_SECRET || memcmp(ret->secret.p + 32, ret->public_key, ED25519_KEY) != 0)
		return fault_raise(f, ERR_CRYPTO, "key_file", "key.secret",
				   "the secret is missing or does not belong to the public key");
	return OK;
}

enum err person_key_read(const char *path, struct person_key *ret, bool *ret_sealed, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	TRY(file_read(path, KEY_FILE_MAX, &b, f));
	struct slice text = buf_slice(&b), sealed;
	enum err e = parse_open(&text, ret, f);
	*ret_sealed = e == OK && take_line(&text, "sealed: ", &sealed);
	sodium_memzero(b.data, b.len);
	if (e != OK)
		fault_prefix(f, "%s", path);
	return e;
}

enum err person_key_load(const char *path, const struct secret *passphrase, struct person_key *ret, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	struct stat st;
	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		return fault_raise(f, ERR_CONFIG, "key_file_mode", "key",
				   "%s: mode %04o lets others read it; wanted 0600", path, st.st_mode & 07777u);
	TRY(file_read(path, KEY_FILE_MAX, &b, f));
	enum err e = parse_key_file(buf_slice(&b), passphrase, ret, f);
	sodium_memzero(b.data, b.len);
	if (e != OK) {
		fault_prefix(f, "%s", path);
		person_key_done(ret);
	}
	return e;
}
