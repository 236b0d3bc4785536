/*
 * The log signs while the CA key is still locked: followers hear of beats, and of what the operator revoked. So a log key in
 * a token has a token of its own: a PKCS#11 library knows one login for a process, and a token that is open for the log would
 * be open for a CA key in it too, whatever passphrase is given for that (ca/config.c refuses it).
 */
#include "ca/log_signer.h"

#include "common/base/file.h"
#include "common/note/person.h"

#include <sodium.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define KEY_NAME "log"
#define PIN_MAX 1024
#define VKEY_MAX 1024

struct log_signer {
	struct log_key public;
	struct person_key file;
	struct hsm_key *token; /* NULL: it is in the file */
};

static const struct hsm_owner owner = {
	.where = "log_key",
	.name = "the log key",
	.mismatch = "log_key_mismatch",
	.wanted = "the key of log.vkey",
	.pin_again = "start the signer anew with the right PIN",
};

/* SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes: RFC 8410 4. */
static const uint8_t spki_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

/* --- a file --- */

static enum err make_file(const char *dir, const uint8_t ca[20], struct fault *f)
{
	_cleanup_(person_key_done) struct person_key k = {0};
	_cleanup_(freep) char *path = path_join(dir, "log.key"), *public = path_join(dir, "log.vkey");
	_cleanup_buf_ struct buf vkey = {0};
	char origin[CHECKPOINT_ORIGIN_SIZE];
	if (file_exists(path))
		TRY(person_key_load(path, NULL, &k, f));
	else
		TRY(person_key_generate(KEY_NAME, &k, f));
	log_origin(ca, origin);
	note_vkey_put(origin, k.public_key, &vkey);
	buf_char(&vkey, '\n');
	if (!file_exists(path))
		TRY(person_key_save(&k, path, NULL, f));
	return file_exists(public) ? OK : file_write_new(public, buf_slice(&vkey), 0600, f);
}

static enum err open_file(const char *dir, struct log_signer *s, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(dir, "log.key");
	if (!file_exists(path))
		return fault_raise(f, ERR_CONFIG, "log_key_missing", "log key",
				   "%s is missing: hufu-ca genesis makes it, a backup holds it",
				   ESC(path, strlen(path)));
	TRY(person_key_load(path, NULL, &s->file, f));
	memcpy(s->public.key, s->file.public_key, ED25519_KEY);
	return OK;
}

/* --- a token --- */

static enum err read_vkey(const char *dir, struct log_key *ret, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(dir, "log.vkey");
	_cleanup_buf_ struct buf text = {0};
	struct log_key found;
	if (!file_exists(path))
		return fault_raise(f, ERR_CONFIG, "log_key_missing", "log key",
				   "%s is missing: it says which key of the token is the log's, and the ceremony "
				   "`log-key` that made the key writes it",
				   ESC(path, strlen(path)));
	TRY(file_read(path, VKEY_MAX, &text, f));
	enum err e = log_key_parse(buf_slice(&text), &found, f);
	if (e != OK) {
		fault_prefix(f, "%s", ESC(path, strlen(path)));
		return e;
	}
	if (strcmp(found.origin, ret->origin) != 0)
		return fault_raise(f, ERR_CONFIG, "log_key_mismatch", "log key", "%s: found the key of %s, wanted %s",
				   ESC(path, strlen(path)), found.origin, ret->origin);
	*ret = found;
	return OK;
}

static enum err open_token(const struct ca_config *c, struct log_signer *s, struct fault *f)
{
	_cleanup_secret_ struct secret pin = {0};
	_cleanup_(pubkey_done) struct pubkey public = {0};
	uint8_t spki[sizeof(spki_head) + ED25519_KEY];
	TRY(hsm_prepare(&c->token.settings, f));
	TRY(read_vkey(c->state, &s->public, f));
	memcpy(spki, spki_head, sizeof(spki_head));
	memcpy(spki + sizeof(spki_head), s->public.key, ED25519_KEY);
	TRY(pubkey_parse(slice_of(spki, sizeof(spki)), &public, f));
	TRY(secret_read_file(c->log_key_pin, PIN_MAX, &pin, f));
	return hsm_key_open(&owner, c->log_key, &public, &pin, &s->token, f);
}

static enum err sign_token(void *arg, struct slice text, uint8_t ret[ED25519_SIG], struct fault *f)
{
	const struct log_signer *s = arg;
	_cleanup_buf_ struct buf signature = {0};
	TRY(hsm_key_sign(s->token, text, &signature, f));
	if (signature.len != ED25519_SIG ||
	    crypto_sign_verify_detached(signature.data, text.p, text.n, s->public.key) != 0)
		return fault_raise(f, ERR_CRYPTO, "log_signature", "log_key",
				   "the token's signature does not verify with the log key");
	memcpy(ret, signature.data, ED25519_SIG);
	return OK;
}

/* --- either --- */

enum err log_signer_open(const struct ca_config *config, const uint8_t ca[20], struct log_signer **ret, struct fault *f)
{
	_cleanup_(log_signer_freep) struct log_signer *s = xcalloc(1, sizeof(*s));
	log_origin(ca, s->public.origin);
	TRY(config->log_key ? open_token(config, s, f) : open_file(config->state, s, f));
	*ret = TAKE(s);
	return OK;
}

enum err log_signer_make(const struct ca_config *config, const uint8_t ca[20], struct fault *f)
{
	_cleanup_(log_signer_freep) struct log_signer *there = NULL;
	return config->log_key ? log_signer_open(config, ca, &there, f) : make_file(config->state, ca, f);
}

void log_signer_free(struct log_signer *s)
{
	hsm_key_freep(&s->token);
	person_key_done(&s->file);
	free(s);
}

void log_signer_public(const struct log_signer *s, struct log_key *ret)
{
	*ret = s->public;
}

struct note_signer log_signer_hand(struct log_signer *s)
{
	if (!s->token)
		return note_signer_of(s->file.secret.p);
	return (struct note_signer){.public = s->public.key, .sign = sign_token, .arg = s};
}

enum err log_signer_usable(struct log_signer *s, struct fault *f)
{
	return s->token ? hsm_key_usable(s->token, f) : OK;
}
