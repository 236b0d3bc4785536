/*
 * Inside a box:
 *
 *     hufu-puk/v1
 *     serial: <of the token>
 *     puk: <one>
 *     puk: <another, that may be set already>
 *
 * A box says nothing of who made it: what is inside is tried on the one token that it names, and on no other.
 */
#include "common/base/puk.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <sodium.h>
#include <string.h>

#define OVER (PUK_KEY_ID + crypto_box_SEALBYTES)
#define KIND "hufu-puk/v1\nserial: "
#define CODE_LABEL "hufu-unlock/v1"
#define CODE_OPS 3
#define CODE_MEM ((size_t)64 << 20)

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 6 */

void puk_set_done(struct puk_set *s)
{
	for (size_t i = 0; i < PUK_MOST; i++)
		secret_done(&s->puk[i]);
	s->n = 0;
}

void puk_key_from(const uint8_t key[PUK_KEY], struct puk_key *ret)
{
	uint8_t hash[32];
	sha256(key, PUK_KEY, hash);
	memcpy(ret->key, key, PUK_KEY);
	memcpy(ret->id, hash, PUK_KEY_ID);
}

enum err puk_key_load(const char *path, struct puk_key *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	uint8_t key[PUK_KEY], shared[PUK_KEY], any[PUK_KEY] = {1};
	enum err e = file_read(path, 1024, &text, f);
	if (e != OK)
		return fault_raise(f, ERR_CONFIG, "token_key", "tokens.key", "%s: cannot be read", path);
	size_t n = text.len > 0 && text.data[text.len - 1] == '\n' ? text.len - 1 : text.len;
	/* A point of small order has no secret: everybody could open what is sealed to it (RFC 7748 6.1). */
	if (!hex_decode((const char *)text.data, n, key, sizeof(key)) || crypto_scalarmult(shared, any, key) != 0)
		return fault_raise(f, ERR_CONFIG, "token_key", "tokens.key",
				   "%s: wanted the public half of the desk's token key, 64 hex characters", path);
	puk_key_from(key, ret);
	return OK;
}

static bool printable(const uint8_t *p, size_t n, uint8_t least)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < least || p[i] > '~')
			return false;
	}
	return true;
}

bool puk_serial_ok(const char *serial)
{
	size_t n = strlen(serial);
	return n > 0 && n <= PUK_SERIAL && printable((const uint8_t *)serial, n, ' ') && serial[0] != ' ' &&
	       serial[n - 1] != ' ';
}

void puk_make(size_t n, struct secret *ret)
{
	secret_alloc(ret, n);
	for (size_t i = 0; i < n; i++)
		ret->p[i] = (uint8_t)base32[randombytes_uniform(32)];
}

/* --- boxes --- */

static enum err check_puks(const struct puk_set *s, struct fault *f)
{
	bool good = s->n > 0 && s->n <= PUK_MOST;
	for (size_t i = 0; good && i < s->n; i++)
		good = s->puk[i].n > 0 && s->puk[i].n <= PUK_MAX && printable(s->puk[i].p, s->puk[i].n, '!');
	return good ? OK
		    : fault_raise(f, ERR_PARSE, "puk_form", "puk",
				  "the PUK has no 1 to %d printable characters without spaces", PUK_MAX);
}

enum err puk_seal(const uint8_t key[PUK_KEY], const char *serial, const struct puk_set *s, struct buf *ret,
		  struct fault *f)
{
	_cleanup_secret_ struct secret room = {0};
	struct buf text = {0};
	TRY(check_puks(s, f));
	if (!puk_serial_ok(serial))
		return fault_raise(f, ERR_PARSE, "token_serial", "serial", "found no serial number of a token: \"%s\"",
				   ESC(serial, strlen(serial)));
	/* In guarded memory, which is as large as it needs to be: nothing grows, nothing is left behind. */
	secret_alloc(&room, 256);
	text = (struct buf){.data = room.p, .cap = room.n};
	buf_fmt(&text, KIND "%s\n", serial);
	for (size_t i = 0; i < s->n; i++) {
		buf_str(&text, "puk: ");
		buf_add(&text, s->puk[i].p, s->puk[i].n);
		buf_char(&text, '\n');
	}
	struct puk_key to;
	puk_key_from(key, &to);
	buf_reserve(ret, PUK_KEY_ID + crypto_box_SEALBYTES + text.len);
	/* A point of small order (RFC 7748 6.1): everybody could open it, so nothing is sealed. */
	if (crypto_box_seal(ret->data + ret->len + PUK_KEY_ID, text.data, text.len, key) != 0)
		return fault_raise(f, ERR_CRYPTO, "puk_key", "key", "the key to seal the PUK to has no secret half");
	memcpy(ret->data + ret->len, to.id, PUK_KEY_ID);
	ret->len += PUK_KEY_ID + crypto_box_SEALBYTES + text.len;
	return OK;
}

bool puk_is_for(struct slice box, const struct puk_key *key)
{
	return box.n > OVER && box.n <= PUK_BOX_MAX && memcmp(box.p, key->id, PUK_KEY_ID) == 0;
}

static bool take(struct slice *rest, const char *word, struct slice *ret)
{
	size_t n = strlen(word);
	const uint8_t *end =
		rest->n > n && memcmp(rest->p, word, n) == 0 ? memchr(rest->p + n, '\n', rest->n - n) : NULL;
	if (!end)
		return false;
	*ret = slice_of(rest->p + n, (size_t)(end - rest->p) - n);
	*rest = slice_of(end + 1, rest->n - (size_t)(end + 1 - rest->p));
	return true;
}

static bool take_puks(struct slice *rest, struct puk_set *s)
{
	struct slice one;
	while (s->n < PUK_MOST && take(rest, "puk: ", &one)) {
		if (one.n == 0 || one.n > PUK_MAX)
			return false;
		secret_alloc(&s->puk[s->n], one.n);
		memcpy(s->puk[s->n++].p, one.p, one.n);
	}
	return rest->n == 0 && s->n > 0;
}

enum err puk_open(const uint8_t key[PUK_KEY], const struct secret *secret, const char *serial, struct slice box,
		  struct puk_set *ret, struct fault *f)
{
	struct puk_key mine;
	_cleanup_secret_ struct secret plain = {0};
	_cleanup_(puk_set_done) struct puk_set s = {0};
	struct slice rest, named;
	puk_key_from(key, &mine);
	if (box.n <= OVER || box.n > PUK_BOX_MAX)
		return fault_raise(f, ERR_CRYPTO, "puk_open", "puk", "found %zu bytes, which are no sealed PUK", box.n);
	if (!puk_is_for(box, &mine))
		return fault_raise(f, ERR_CRYPTO, "puk_key", "puk", "the PUK of token %s is sealed to another key",
				   serial);
	secret_alloc(&plain, box.n - OVER);
	if (crypto_box_seal_open(plain.p, box.p + PUK_KEY_ID, box.n - PUK_KEY_ID, key, secret->p) != 0)
		return fault_raise(f, ERR_CRYPTO, "puk_open", "puk", "the sealed PUK of token %s was altered", serial);
	rest = slice_of(plain.p, plain.n);
	if (!take(&rest, KIND, &named) || !take_puks(&rest, &s) || check_puks(&s, NULL) != OK)
		return fault_raise(f, ERR_CRYPTO, "puk_open", "puk", "the box opens, and no PUK is in it");
	if (!slice_eq(named, slice_str(serial)))
		return fault_raise(f, ERR_CRYPTO, "puk_serial", "puk",
				   "found the PUK of token \"%s\", wanted that of %s", ESC(named.p, named.n), serial);
	*ret = s;
	s = (struct puk_set){0};
	return OK;
}

/* --- the code --- */

enum err puk_code(const uint8_t key[PUK_KEY], const char *serial, char ret[PUK_CODE + 1], struct fault *f)
{
	_cleanup_(freep) char *label = xasprintf(CODE_LABEL ":%s", serial);
	uint8_t salt[32], bits[16];
	sha256(label, strlen(label), salt);
	if (crypto_pwhash(bits, sizeof(bits), (const char *)key, PUK_KEY, salt, CODE_OPS, CODE_MEM,
			  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return fault_raise(f, ERR_INTERNAL, "code_memory", "code",
				   "Argon2id could not have its 64 MiB of memory");
	for (size_t i = 0; i < 8; i++) {
		unsigned at = (unsigned)(5 * i / 8), shift = (unsigned)(5 * i % 8);
		unsigned two = (unsigned)bits[at] << 8 | bits[at + 1];
		ret[i < 4 ? i : i + 1] = base32[two >> (11 - shift) & 31];
	}
	ret[4] = '-';
	ret[PUK_CODE] = '\0';
	return OK;
}
