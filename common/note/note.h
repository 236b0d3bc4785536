/*
 * Signed notes: the one format of everything signed. C2SP signed-note.
 *
 * UTF-8 text that ends in a newline, an empty line, then signature lines
 *     — <name> <base64(key id (4 bytes) || signature)>
 * The signature covers the text with its last newline, without the empty line. Key id = the first four bytes of
 * SHA-256(name || 0x0A || type || key), where type is 0x01 with the 32-byte Ed25519 key, or 0xff followed by the type word
 * (key_alg_note_type) and the SPKI.
 */
#ifndef HUFU_NOTE_NOTE_H
#define HUFU_NOTE_NOTE_H

#include "common/pki/known_ed25519.h"
#include "common/pki/pubkey.h"

#define NOTE_MAX_BYTES 49152
#define NOTE_MAX_SIGS 16
#define NOTE_MAX_NAME 96
#define ED25519_KEY 32
#define ED25519_SECRET 64
#define ED25519_SIG 64

struct note_sig {
	char name[NOTE_MAX_NAME + 1];
	uint8_t key_id[4];
	uint8_t sig[600];
	size_t sig_len;
};
struct note {
	struct slice text;     /* borrows; with its last newline */
	struct note_sig *sigs; /* owned */
	size_t n_sigs;
};
void note_done(struct note *n);
/* Strict: the note re-encodes to the same bytes. At least min_sigs lines, at most NOTE_MAX_SIGS, no name+key id twice. */
MUST_CHECK enum err note_parse(struct slice bytes, size_t min_sigs, struct note *ret, struct fault *f);
/* What every text must be: UTF-8 that ends in a newline, at most NOTE_MAX_BYTES, no control character but newline, and none that hides or
 * reorders what a person reads (cp_is_hidden). object names it in messages. */
MUST_CHECK enum err note_text_check(const char *object, struct slice text, struct fault *f);
/* First line of a text ("hufu/tally/v1"), borrowed; empty when there is none. */
struct slice note_kind(struct slice text);
/* SHA-256 of the text: what "hash of the note" means everywhere. */
void note_text_sha256(const struct note *n, uint8_t ret[32]);

/* Key ids. */
void note_key_id_ed25519(const char *name, const uint8_t key[ED25519_KEY], uint8_t ret[4]);
void note_key_id_spki(const char *name, const struct pubkey *key, uint8_t ret[4]);
/* Does the line with this name and key id hold for that key? false also when the key id differs. */
bool note_sig_holds_ed25519(const struct note *n, const struct note_sig *s, const uint8_t key[ED25519_KEY]);
/* The same, faster, by a key that has its tables. */
bool note_sig_holds_known(const struct note *n, const struct note_sig *s, const struct known_ed25519 *key);
bool note_sig_holds_spki(const struct note *n, const struct note_sig *s, const struct pubkey *key);
/* The same in two: false, it does not hold; true, it does when *ret does (pubkey_verify_many()). Borrows all three. */
bool note_sig_claim(const struct note *n, const struct note_sig *s, const struct pubkey *key, struct pubkey_claim *ret);
const struct note_sig *note_sig_by_name(const struct note *n, const char *name); /* first, or NULL */

/* Writes text + empty line + no signature yet (a caller then adds lines). text must end in a newline. */
void note_begin(struct slice text, struct buf *ret);
/* Appends a signature line. name: 1-96 bytes of ASCII without space and '+'. ERR_LIMIT when the note or its lines would be too many,
 * ERR_CONFLICT when the name and key id have a line already: what is written here can be parsed. */
MUST_CHECK enum err note_add_line(struct buf *note, const char *name, const uint8_t key_id[4], struct slice sig, struct fault *f);
/* Signs the note's text with an Ed25519 secret key (libsodium's 64 bytes) and appends the line. */
/* By an Ed25519 key that may be elsewhere, in a token. */
struct note_signer {
	const uint8_t *public; /* ED25519_KEY bytes; borrowed, as arg is */
	enum err (*sign)(void *arg, struct slice text, uint8_t ret[ED25519_SIG], struct fault *f);
	void *arg;
};
MUST_CHECK enum err note_sign_by(struct buf *note, const char *name, struct note_signer s, struct fault *f);
/* A key that is here. Borrows secret. */
struct note_signer note_signer_of(const uint8_t secret[ED25519_SECRET]);
/* note_sign_by() of that. */
MUST_CHECK enum err note_sign_ed25519(struct buf *note, const char *name, const uint8_t secret[ED25519_SECRET], struct fault *f);

/* "name+<key id hex>+<base64(0x01 || key)>": the C2SP verifier key. */
void note_vkey_put(const char *name, const uint8_t key[ED25519_KEY], struct buf *ret);
MUST_CHECK enum err note_vkey_parse(struct slice text, char ret_name[NOTE_MAX_NAME + 1], uint8_t ret_key[ED25519_KEY], struct fault *f);

/* Name of a subscriber's line: "sub:<issuer key id hex>:<serial>". Returns ret. */
const char *note_subscriber_name(const uint8_t issuer_key_id[20], const char *serial_text, char ret[NOTE_MAX_NAME + 1]);
#define NOTE_NEW_KEY "new-key"

#endif
