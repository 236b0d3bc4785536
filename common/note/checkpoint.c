/*
 * Three lines and a signature. A checkpoint has one signature line here, the log's own, and one spelling.
 */
#include "common/note/checkpoint.h"

#include "common/base/cleanup.h"

#include <inttypes.h>
#include <string.h>

void log_origin(const uint8_t ca[20], char ret[CHECKPOINT_ORIGIN_SIZE])
{
	memcpy(ret, CHECKPOINT_ORIGIN, sizeof(CHECKPOINT_ORIGIN) - 1);
	hex_lower(ca, 20, ret + sizeof(CHECKPOINT_ORIGIN) - 1);
	ret[CHECKPOINT_ORIGIN_SIZE - 1] = '\0';
}

void checkpoint_origin_ca(const char origin[CHECKPOINT_ORIGIN_SIZE], uint8_t ret[20])
{
	if (!hex_decode(origin + sizeof(CHECKPOINT_ORIGIN) - 1, 40, ret, 20))
		memset(ret, 0, 20); /* nobody's, as the zero state of a key */
}

/* "hufu/log/" and 40 lower-case hex characters. */
static bool origin_take(struct slice s, char ret[CHECKPOINT_ORIGIN_SIZE])
{
	uint8_t ca[20];
	size_t n = sizeof(CHECKPOINT_ORIGIN) - 1;
	if (s.n != CHECKPOINT_ORIGIN_SIZE - 1 || memcmp(s.p, CHECKPOINT_ORIGIN, n) != 0 ||
	    !hex_decode((const char *)s.p + n, 40, ca, 20))
		return false;
	log_origin(ca, ret);
	return memcmp(ret, s.p, s.n) == 0;
}

static enum err origin_raise(const char *where, struct slice found, struct fault *f)
{
	return fault_raise(f, ERR_PARSE, "log_origin", where,
			   "found \"%s\", wanted " CHECKPOINT_ORIGIN " and the CA's key id, 40 hex characters",
			   ESC(found.p, found.n));
}

enum err log_key_parse(struct slice text, struct log_key *ret, struct fault *f)
{
	char name[NOTE_MAX_NAME + 1];
	struct log_key k;
	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	TRY(note_vkey_parse(text, name, k.key, f));
	if (!origin_take(slice_str(name), k.origin))
		return origin_raise("log key", slice_str(name), f);
	*ret = k;
	return OK;
}

void checkpoint_put(const struct checkpoint *c, struct buf *ret)
{
	buf_fmt(ret, "%s\n%" PRIu64 "\n", c->origin, c->size);
	buf_base64(ret, c->root, sizeof(c->root));
	buf_char(ret, '\n');
}

/* The next line, without its newline. */
static bool line_take(struct slice *rest, struct slice *ret)
{
	const uint8_t *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
	if (!end)
		return false;
	*ret = slice_of(rest->p, (size_t)(end - rest->p));
	*rest = slice_of(end + 1, rest->n - ret->n - 1);
	return true;
}

enum err checkpoint_parse(struct slice text, struct checkpoint *ret, struct fault *f)
{
	_cleanup_buf_ struct buf root = {0};
	struct slice rest = text, origin, size, hash;
	struct checkpoint c;
	if (text.n > CHECKPOINT_MAX_BYTES || !line_take(&rest, &origin) || !line_take(&rest, &size) ||
	    !line_take(&rest, &hash) || rest.n > 0)
		return fault_raise(f, ERR_PARSE, "checkpoint_form", "checkpoint",
				   "wanted three lines: origin, size and root (C2SP tlog-checkpoint)");
	if (!origin_take(origin, c.origin))
		return origin_raise("checkpoint.origin", origin, f);
	if (!u64_parse((const char *)size.p, size.n, INT64_MAX, &c.size))
		return fault_raise(f, ERR_PARSE, "checkpoint_form", "checkpoint.size",
				   "found \"%s\", wanted a number of entries", ESC(size.p, size.n));
	if (!base64_decode((const char *)hash.p, hash.n, &root) || root.len != sizeof(c.root))
		return fault_raise(f, ERR_PARSE, "checkpoint_form", "checkpoint.root",
				   "found \"%s\", wanted 32 bytes in base64", ESC(hash.p, hash.n));
	memcpy(c.root, root.data, sizeof(c.root));
	*ret = c;
	return OK;
}

enum err checkpoint_sign(const struct checkpoint *c, struct note_signer s, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0}, note = {0};
	checkpoint_put(c, &text);
	note_begin(buf_slice(&text), &note);
	TRY(note_sign_by(&note, c->origin, s, f));
	buf_add_slice(ret, buf_slice(&note));
	return OK;
}

enum err checkpoint_open(struct slice bytes, const struct log_key *key, struct checkpoint *ret, struct fault *f)
{
	_cleanup_(note_done) struct note n = {0};
	struct checkpoint c;
	TRY(note_parse(bytes, 1, &n, f));
	TRY(checkpoint_parse(n.text, &c, f));
	if (strcmp(c.origin, key->origin) != 0)
		return fault_raise(f, ERR_RULE, "log_origin", "checkpoint.origin", "found %s, wanted %s", c.origin,
				   key->origin);
	if (n.n_sigs != 1 || strcmp(n.sigs[0].name, key->origin) != 0)
		return fault_raise(f, ERR_RULE, "signer_unknown", "checkpoint.signatures",
				   "found %zu lines, the first of \"%s\"; wanted one line, of the log itself", n.n_sigs,
				   n.sigs[0].name);
	if (!note_sig_holds_ed25519(&n, &n.sigs[0], key->key))
		return fault_raise(f, ERR_CRYPTO, "log_signature", "checkpoint.signatures",
				   "the line does not hold for the log's key");
	*ret = c;
	return OK;
}
