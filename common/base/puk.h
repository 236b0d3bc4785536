/*
 * The PUK of a token (its PKCS#11 security officer's PIN) on its way between people: always sealed (libsodium's sealed box, X25519) to the one who
 * may open it next, and always with the token's serial number inside, so that a PUK is never tried on another token.
 */
#ifndef HUFU_BASE_PUK_H
#define HUFU_BASE_PUK_H

#include "common/base/secret.h"

#define PUK_KEY 32       /* bytes of either half of an X25519 key */
#define PUK_KEY_ID 8     /* of its SHA-256: which key a box is sealed to; a box begins with it */
#define PUK_SERIAL 32    /* bytes of a token's serial number at most; PKCS#11 has 16 */
#define PUK_MAX 64       /* bytes of a PUK at most */
#define PUK_MOST 2       /* in one box: the one in force, and one that may be set already */
#define PUK_BOX_MAX 300
#define PUK_CODE 9       /* "K7M2-9QXA" */

/* The desk's token key, public half: a file of 64 hex characters. */
struct puk_key {
	uint8_t key[PUK_KEY], id[PUK_KEY_ID];
};
void puk_key_from(const uint8_t key[PUK_KEY], struct puk_key *ret);
/* ERR_CONFIG token_key names the file. */
MUST_CHECK enum err puk_key_load(const char *path, struct puk_key *ret, struct fault *f);

/* What a serial number of a token looks like: 1 to PUK_SERIAL printable ASCII characters, no space at either end. */
bool puk_serial_ok(const char *serial);

struct puk_set {
	struct secret puk[PUK_MOST];
	size_t n;
};
void puk_set_done(struct puk_set *s); /* accepts the zero state */
/* A new one at random: n characters of A-Z and 2-7. */
void puk_make(size_t n, struct secret *ret);
/* Appends the box: key id, sealed box. serial is a good one, each PUK has 1 to PUK_MAX printable characters: ERR_PARSE puk_form.
 * ERR_CRYPTO puk_key: no key that somebody has the secret half of. */
MUST_CHECK enum err puk_seal(const uint8_t key[PUK_KEY], const char *serial, const struct puk_set *s, struct buf *ret, struct fault *f);
/* Can these bytes be a box that is sealed to this key? By length and key id; only the secret half tells more. */
bool puk_is_for(struct slice box, const struct puk_key *key);
/* ERR_CRYPTO puk_key: sealed to another key; puk_open: altered; puk_serial: it is of another token, which the text names. */
MUST_CHECK enum err puk_open(const uint8_t key[PUK_KEY], const struct secret *secret, const char *serial, struct slice box, struct puk_set *ret,
			     struct fault *f);
/* The short code of a one-time key for a token, that two people compare: 40 bits behind Argon2id, so that nobody finds another key with the same
 * code in time. Takes some tenths of a second. */
MUST_CHECK enum err puk_code(const uint8_t key[PUK_KEY], const char *serial, char ret[PUK_CODE + 1], struct fault *f);

#endif
