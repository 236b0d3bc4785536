/*
 * A signed note is text, an empty line, and lines of signatures over the text. Reading is strict so that a note has
 * exactly one form: what two programs hold equal is equal byte for byte, and a signature line can be neither hidden nor
 * doubled. What the texts say is elsewhere: lines.c reads fields, tally.c, roster.c and statement.c give them meaning.
 */
#include "common/note/note.h"

#include "common/base/cleanup.h"
#include "common/base/text.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define DASH "\xe2\x80\x94 " /* em dash and space: how a signature line starts */
#define DASH_LEN (sizeof(DASH) - 1)
#define TYPE_ED25519 0x01
#define TYPE_NAMED 0xff
#define KEY_ID 4
#define SIG_MAX sizeof(((struct note_sig *)0)->sig)
#define SIG_MAX_BASE64 ((KEY_ID + SIG_MAX + 2) / 3 * 4)

void note_done(struct note *n)
{
	free(n->sigs);
	*n = (struct note){0};
}

enum err note_text_check(const char *object, struct slice text, struct fault *f)
{
	unsigned line = 1;

	if (text.n > NOTE_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "text_size", object, "found %zu bytes, wanted at most %d", text.n,
				   NOTE_MAX_BYTES);
	if (text.n == 0 || text.p[text.n - 1] != '\n')
		return fault_raise(f, ERR_PARSE, "text_form", object,
				   "the text does not end in a newline (C2SP signed-note)");
	for (size_t i = 0; i < text.n;) {
		int32_t c = text.p[i];

		if (c >= 0x20 && c < 0x7f) {
			i++;
			continue;
		}
		c = utf8_next(text.p, text.n, &i);
		if (c < 0)
			return fault_raise(f, ERR_PARSE, "text_utf8", object,
					   "line %u: invalid UTF-8 at byte %zu (C2SP signed-note)", line, i);
		if (c != '\n' && cp_is_hidden(c))
			return fault_raise(
				f, ERR_PARSE, "text_character", object,
				"line %u: found U+%04X, wanted no control, bidi, zero-width or private-use character",
				line, (unsigned)c);
		line += c == '\n';
	}
	return OK;
}

static bool name_ok(const uint8_t *p, size_t n)
{
	if (n == 0 || n > NOTE_MAX_NAME)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] <= 0x20 || p[i] >= 0x7f || p[i] == '+')
			return false;
	}
	return true;
}

static enum err line_bad(size_t i, struct slice line, const char *wanted, struct fault *f)
{
	char where[96];

	snprintf(where, sizeof(where), "note.signatures[%zu]", i);
	return fault_raise(f, ERR_PARSE, "note_signature_line", where, "found \"%s\", wanted %s (C2SP signed-note)",
			   ESC(line.p, line.n), wanted);
}

/* The bound comes before the decoding; base64_decode() takes the one encoding of its bytes only. */
static bool base64_bounded(struct slice text, size_t max_text, struct buf *ret)
{
	buf_clear(ret);
	return text.n > 0 && text.n <= max_text && base64_decode((const char *)text.p, text.n, ret);
}

static enum err sig_parse(size_t i, struct slice line, struct buf *scratch, struct note_sig *ret, struct fault *f)
{
	const uint8_t *name = line.p + DASH_LEN, *sep;
	size_t name_len;

	if (line.n <= DASH_LEN || memcmp(line.p, DASH, DASH_LEN) != 0)
		return line_bad(i, line, "an em dash, a space, a name and a signature", f);
	sep = memchr(name, ' ', line.n - DASH_LEN);
	if (sep == NULL)
		return line_bad(i, line, "a name, a space and a signature in base64", f);
	name_len = (size_t)(sep - name);
	if (!name_ok(name, name_len))
		return line_bad(i, line, "a name of 1 to 96 visible ASCII characters without '+'", f);
	if (!base64_bounded(slice_of(sep + 1, line.n - DASH_LEN - name_len - 1), SIG_MAX_BASE64, scratch) ||
	    scratch->len <= KEY_ID || scratch->len > KEY_ID + SIG_MAX)
		return line_bad(i, line, "strict base64 of a 4-byte key id and a signature of 1 to 600 bytes", f);
	memcpy(ret->name, name, name_len);
	ret->name[name_len] = '\0';
	memcpy(ret->key_id, scratch->data, KEY_ID);
	ret->sig_len = scratch->len - KEY_ID;
	memcpy(ret->sig, scratch->data + KEY_ID, ret->sig_len);
	return OK;
}

static bool has_line(const struct note_sig *sigs, size_t n, const char *name, const uint8_t key_id[KEY_ID])
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(sigs[i].name, name) == 0 && memcmp(sigs[i].key_id, key_id, KEY_ID) == 0)
			return true;
	}
	return false;
}

static enum err sigs_parse(struct slice rest, struct note *ret, struct fault *f)
{
	_cleanup_buf_ struct buf scratch = {0};
	size_t n_lines = 0;

	for (size_t i = 0; i < rest.n; i++)
		n_lines += rest.p[i] == '\n';
	if (n_lines > NOTE_MAX_SIGS)
		return fault_raise(f, ERR_LIMIT, "note_signatures", "note.signatures",
				   "found %zu lines, wanted at most %d", n_lines, NOTE_MAX_SIGS);
	ret->sigs = n_lines > 0 ? xcalloc(n_lines, sizeof(*ret->sigs)) : NULL;
	for (const uint8_t *p = rest.p; ret->n_sigs < n_lines; ret->n_sigs++) {
		const uint8_t *end = memchr(p, '\n', rest.n - (size_t)(p - rest.p));
		struct note_sig *s = &ret->sigs[ret->n_sigs];

		assert(end != NULL);
		TRY(sig_parse(ret->n_sigs, slice_of(p, (size_t)(end - p)), &scratch, s, f));
		if (has_line(ret->sigs, ret->n_sigs, s->name, s->key_id))
			return fault_raise(f, ERR_PARSE, "note_signature_twice", "note.signatures",
					   "\"%s\" has two lines of one key, wanted one", s->name);
		p = end + 1;
	}
	return OK;
}

enum err note_parse(struct slice bytes, size_t min_sigs, struct note *ret, struct fault *f)
{
	_cleanup_(note_done) struct note n = {0};
	const uint8_t *gap = NULL;

	if (bytes.n > NOTE_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "note_size", "note", "found %zu bytes, wanted at most %d", bytes.n,
				   NOTE_MAX_BYTES);
	/* The last empty line: signature lines hold none, so whatever stands before belongs to the text. */
	for (size_t i = bytes.n; i >= 2 && gap == NULL; i--) {
		if (bytes.p[i - 2] == '\n' && bytes.p[i - 1] == '\n')
			gap = bytes.p + i - 1;
	}
	if (gap == NULL)
		return fault_raise(f, ERR_PARSE, "note_form", "note",
				   "found no empty line between text and signatures (C2SP signed-note)");
	if (bytes.p[bytes.n - 1] != '\n')
		return fault_raise(f, ERR_PARSE, "note_form", "note",
				   "the last line does not end in a newline (C2SP signed-note)");
	n.text = slice_of(bytes.p, (size_t)(gap - bytes.p));
	TRY(note_text_check("note", n.text, f));
	TRY(sigs_parse(slice_of(gap + 1, bytes.n - n.text.n - 1), &n, f));
	if (n.n_sigs < min_sigs)
		return fault_raise(f, ERR_PARSE, "note_unsigned", "note.signatures",
				   "found %zu signature lines, wanted at least %zu", n.n_sigs, min_sigs);
	*ret = n;
	n = (struct note){0};
	return OK;
}

struct slice note_kind(struct slice text)
{
	const uint8_t *end = text.n > 0 ? memchr(text.p, '\n', text.n) : NULL;

	return end != NULL ? slice_of(text.p, (size_t)(end - text.p)) : slice_of(NULL, 0);
}

void note_text_sha256(const struct note *n, uint8_t ret[32])
{
	sha256(n->text.p, n->text.n, ret);
}

static void key_id_of(const char *name, const char *type, size_t type_len, struct slice key, uint8_t ret[KEY_ID])
{
	_cleanup_buf_ struct buf b = {0};
	uint8_t hash[32];

	buf_str(&b, name);
	buf_char(&b, '\n');
	buf_add(&b, type, type_len);
	buf_add_slice(&b, key);
	sha256(b.data, b.len, hash);
	memcpy(ret, hash, KEY_ID);
}

void note_key_id_ed25519(const char *name, const uint8_t key[ED25519_KEY], uint8_t ret[KEY_ID])
{
	key_id_of(name, (const char[]){TYPE_ED25519}, 1, slice_of(key, ED25519_KEY), ret);
}

void note_key_id_spki(const char *name, const struct pubkey *key, uint8_t ret[KEY_ID])
{
	const char *word = key_alg_note_type(key->alg);
	char type[64] = {(char)TYPE_NAMED};
	size_t n = strlen(word);

	assert(n < sizeof(type));
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes and no text */
	memcpy(type + 1, word, n);
	key_id_of(name, type, 1 + n, slice_of(key->spki, key->spki_len), ret);
}

static bool is_of_ed25519(const struct note_sig *s, const uint8_t key[ED25519_KEY])
{
	uint8_t id[KEY_ID];

	note_key_id_ed25519(s->name, key, id);
	return memcmp(id, s->key_id, KEY_ID) == 0 && s->sig_len == ED25519_SIG;
}

bool note_sig_holds_ed25519(const struct note *n, const struct note_sig *s, const uint8_t key[ED25519_KEY])
{
	return is_of_ed25519(s, key) && crypto_sign_verify_detached(s->sig, n->text.p, n->text.n, key) == 0;
}

bool note_sig_holds_known(const struct note *n, const struct note_sig *s, const struct known_ed25519 *key)
{
	return is_of_ed25519(s, known_ed25519_key(key)) && known_ed25519_verify(key, n->text, s->sig);
}

bool note_sig_claim(const struct note *n, const struct note_sig *s, const struct pubkey *key, struct pubkey_claim *ret)
{
	uint8_t id[KEY_ID];

	note_key_id_spki(s->name, key, id);
	*ret = (struct pubkey_claim){.key = key, .msg = n->text, .sig = slice_of(s->sig, s->sig_len)};
	return memcmp(id, s->key_id, KEY_ID) == 0;
}

bool note_sig_holds_spki(const struct note *n, const struct note_sig *s, const struct pubkey *key)
{
	struct pubkey_claim c;

	return note_sig_claim(n, s, key, &c) && pubkey_verify(c.key, c.msg, c.sig);
}

const struct note_sig *note_sig_by_name(const struct note *n, const char *name)
{
	for (size_t i = 0; i < n->n_sigs; i++) {
		if (strcmp(n->sigs[i].name, name) == 0)
			return &n->sigs[i];
	}
	return NULL;
}

void note_begin(struct slice text, struct buf *ret)
{
	assert(text.n > 0 && text.p[text.n - 1] == '\n');
	buf_add_slice(ret, text);
	buf_char(ret, '\n');
}

/* now is the note as it stands in *bytes. */
static enum err add_line(struct buf *bytes, const struct note *now, const char *name, const uint8_t key_id[KEY_ID],
			 struct slice sig, struct fault *f)
{
	_cleanup_buf_ struct buf blob = {0}, line = {0};

	if (!name_ok((const uint8_t *)name, strlen(name)))
		return fault_raise(f, ERR_PARSE, "note_name", "note.signatures",
				   "found \"%s\", wanted a name of 1 to %d visible ASCII characters without '+'",
				   ESC(name, strlen(name)), NOTE_MAX_NAME);
	if (sig.n == 0 || sig.n > SIG_MAX)
		return fault_raise(f, ERR_LIMIT, "note_signature_size", "note.signatures",
				   "found a signature of %zu bytes, wanted 1 to %zu", sig.n, SIG_MAX);
	if (has_line(now->sigs, now->n_sigs, name, key_id))
		return fault_raise(f, ERR_CONFLICT, "note_signature_twice", "note.signatures",
				   "\"%s\" has a line of this key already", name);
	buf_add(&blob, key_id, KEY_ID);
	buf_add_slice(&blob, sig);
	buf_str(&line, DASH);
	buf_str(&line, name);
	buf_char(&line, ' ');
	buf_base64(&line, blob.data, blob.len);
	buf_char(&line, '\n');
	if (now->n_sigs == NOTE_MAX_SIGS || bytes->len + line.len > NOTE_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "note_size", "note",
				   "a line more than %zu lines and %zu bytes, wanted at most %d and %d", now->n_sigs,
				   bytes->len, NOTE_MAX_SIGS, NOTE_MAX_BYTES);
	buf_add_slice(bytes, buf_slice(&line));
	return OK;
}

enum err note_add_line(struct buf *note, const char *name, const uint8_t key_id[KEY_ID], struct slice sig,
		       struct fault *f)
{
	_cleanup_(note_done) struct note now = {0};

	TRY(note_parse(buf_slice(note), 0, &now, f));
	return add_line(note, &now, name, key_id, sig, f);
}

enum err note_sign_by(struct buf *note, const char *name, struct note_signer s, struct fault *f)
{
	_cleanup_(note_done) struct note now = {0};
	uint8_t sig[ED25519_SIG], id[KEY_ID];

	TRY(note_parse(buf_slice(note), 0, &now, f));
	note_key_id_ed25519(name, s.public, id);
	TRY(s.sign(s.arg, now.text, sig, f));
	return add_line(note, &now, name, id, slice_of(sig, sizeof(sig)), f);
}

static enum err sign_here(void *secret, struct slice text, uint8_t ret[ED25519_SIG], struct fault *f)
{
	(void)f;
	crypto_sign_detached(ret, NULL, text.p, text.n, secret);
	return OK;
}

struct note_signer note_signer_of(const uint8_t secret[ED25519_SECRET])
{
	/* libsodium keeps the public half behind the seed */
	return (struct note_signer){.public = secret + 32, .sign = sign_here, .arg = (void *)(uintptr_t)secret};
}

enum err note_sign_ed25519(struct buf *note, const char *name, const uint8_t secret[ED25519_SECRET], struct fault *f)
{
	return note_sign_by(note, name, note_signer_of(secret), f);
}

void note_vkey_put(const char *name, const uint8_t key[ED25519_KEY], struct buf *ret)
{
	uint8_t id[KEY_ID], typed[1 + ED25519_KEY] = {TYPE_ED25519};

	assert(name_ok((const uint8_t *)name, strlen(name)));
	note_key_id_ed25519(name, key, id);
	memcpy(typed + 1, key, ED25519_KEY);
	buf_str(ret, name);
	buf_char(ret, '+');
	buf_hex(ret, id, KEY_ID);
	buf_char(ret, '+');
	buf_base64(ret, typed, sizeof(typed));
}

/* The name, "+", eight hex digits, "+", base64 of 33 bytes: 44 characters, so the parts lie at fixed places from the
 * end. */
enum err note_vkey_parse(struct slice text, char ret_name[NOTE_MAX_NAME + 1], uint8_t ret_key[ED25519_KEY],
			 struct fault *f)
{
	_cleanup_buf_ struct buf key = {0}, again = {0};
	const size_t tail = 1 + 8 + 1 + 44;
	char name[NOTE_MAX_NAME + 1];

	if (text.n <= tail || text.n > NOTE_MAX_NAME + tail || !name_ok(text.p, text.n - tail) ||
	    text.p[text.n - tail] != '+' || text.p[text.n - 45] != '+' ||
	    !base64_bounded(slice_of(text.p + text.n - 44, 44), 44, &key) || key.len != 1 + ED25519_KEY ||
	    key.data[0] != TYPE_ED25519)
		return fault_raise(
			f, ERR_PARSE, "vkey_form", "vkey",
			"found \"%s\", wanted name+<key id>+<base64 of 0x01 and an Ed25519 key> (C2SP signed-note)",
			ESC(text.p, text.n));
	memcpy(name, text.p, text.n - tail);
	name[text.n - tail] = '\0';
	note_vkey_put(name, key.data + 1, &again);
	if (!slice_eq(text, buf_slice(&again)))
		return fault_raise(f, ERR_PARSE, "vkey_id", "vkey.id",
				   "found key id %s, wanted the first four bytes of the name's and key's hash: %s",
				   ESC(text.p + text.n - 53, 8), ESC(again.data + again.len - 53, 8));
	memcpy(ret_name, name, sizeof(name));
	memcpy(ret_key, key.data + 1, ED25519_KEY);
	return OK;
}

const char *note_subscriber_name(const uint8_t issuer_key_id[20], const char *serial_text, char ret[NOTE_MAX_NAME + 1])
{
	char hex[41];

	hex_lower(issuer_key_id, 20, hex);
	snprintf(ret, NOTE_MAX_NAME + 1, "sub:%s:%s", hex, serial_text);
	return ret;
}
