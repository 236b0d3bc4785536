/*
 * Five fields and a signature. Beside checkpoint.c, under the same key: the first lines differ, so that neither can be
 * taken for the other.
 */
#include "common/note/feed.h"

#include "common/base/cleanup.h"
#include "common/note/lines.h"

#include <sodium.h>
#include <string.h>

void feed_records_sha256(const struct slice *records, size_t n, uint8_t ret[32])
{
	crypto_hash_sha256_state s;
	crypto_hash_sha256_init(&s);
	for (size_t i = 0; i < n; i++) {
		uint32_t len = (uint32_t)records[i].n;
		uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
		crypto_hash_sha256_update(&s, head, sizeof(head));
		crypto_hash_sha256_update(&s, records[i].p, records[i].n);
	}
	crypto_hash_sha256_final(&s, ret);
}

void feed_part_put(const struct feed_part *p, struct buf *ret)
{
	buf_str(ret, FEED_KIND_LINE "\n");
	lines_put(ret, "log", p->origin);
	lines_put_u64(ret, "from", p->from);
	lines_put_u64(ret, "to", p->to);
	lines_put_hex(ret, "root", p->root, 32);
	lines_put_hex(ret, "records", p->records, 32);
}

static enum err part_parse(struct slice text, struct feed_part *ret, struct fault *f)
{
	_cleanup_buf_ struct buf again = {0};
	struct lines l;
	struct slice origin;
	struct feed_part p = {0};
	TRY(lines_begin(&l, "feed", FEED_KIND_LINE, text, 8, f));
	TRY(lines_get(&l, "log", &origin, f));
	TRY(lines_u64(&l, "from", INT64_MAX, &p.from, f));
	TRY(lines_u64(&l, "to", INT64_MAX, &p.to, f));
	TRY(lines_hex(&l, "root", p.root, 32, f));
	TRY(lines_hex(&l, "records", p.records, 32, f));
	TRY(lines_end(&l, f));
	if (origin.n != sizeof(p.origin) - 1)
		return lines_bad(&l, "log", origin, "the origin of a ledger", f);
	memcpy(p.origin, origin.p, origin.n);
	if (p.from > p.to)
		return fault_raise(f, ERR_PARSE, "field_value", "feed.to", "found %llu, wanted %llu or more",
				   (unsigned long long)p.to, (unsigned long long)p.from);
	feed_part_put(&p, &again);
	TRY(lines_same("feed", text, &again, f));
	*ret = p;
	return OK;
}

enum err feed_part_sign(const struct feed_part *p, struct note_signer s, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0}, note = {0};
	feed_part_put(p, &text);
	note_begin(buf_slice(&text), &note);
	TRY(note_sign_by(&note, p->origin, s, f));
	buf_add_slice(ret, buf_slice(&note));
	return OK;
}

static enum err check_signature(const struct note *n, const struct log_key *key, struct fault *f)
{
	if (n->n_sigs != 1 || strcmp(n->sigs[0].name, key->origin) != 0)
		return fault_raise(f, ERR_RULE, "signer_unknown", "feed.signatures",
				   "found %zu lines, the first of \"%s\"; wanted one line, of the log itself",
				   n->n_sigs, n->sigs[0].name);
	if (!note_sig_holds_ed25519(n, &n->sigs[0], key->key))
		return fault_raise(f, ERR_CRYPTO, "log_signature", "feed.signatures",
				   "the line does not hold for the log's key");
	return OK;
}

enum err feed_part_open(struct slice bytes, const struct log_key *key, const struct slice *records, size_t n,
			struct feed_part *ret, struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};
	struct feed_part p;
	uint8_t hash[32];
	TRY(note_parse(bytes, 1, &note, f));
	TRY(part_parse(note.text, &p, f));
	if (strcmp(p.origin, key->origin) != 0)
		return fault_raise(f, ERR_RULE, "log_origin", "feed.log", "found %s, wanted %s",
				   ESC(p.origin, strlen(p.origin)), key->origin);
	TRY(check_signature(&note, key, f));
	feed_records_sha256(records, n, hash);
	if (memcmp(hash, p.records, 32) != 0)
		return fault_raise(f, ERR_RULE, "feed_records", "feed.records",
				   "the %zu records are not those that the log's key signed", n);
	*ret = p;
	return OK;
}
