/*
 * Receipts as text: fields first, then the checkpoint as it was signed.
 */
#include "common/note/receipt.h"

#include "common/base/cleanup.h"
#include "common/note/lines.h"

#include <inttypes.h>
#include <string.h>

#define SPKI_MAX 2048
#define ENTRY_MAX 65535

static void entry_done(struct receipt_entry *e)
{
	buf_done(&e->body);
}

void receipt_done(struct receipt *r)
{
	buf_done(&r->issuer_key);
	entry_done(&r->intent);
	entry_done(&r->outcome);
	entry_done(&r->predecessor);
	buf_done(&r->checkpoint);
	*r = (struct receipt){0};
}

/* --- writing --- */

static void put_entry(struct buf *b, const char *field, const struct receipt_entry *e)
{
	if (!e) {
		buf_fmt(b, "%s: none\n%s-path: none\n", field, field);
		return;
	}
	buf_fmt(b, "%s: %" PRIu64 " ", field, e->index);
	buf_base64(b, e->body.data, e->body.len);
	buf_fmt(b, "\n%s-path: ", field);
	if (e->path_len == 0)
		buf_str(b, "none");
	buf_base64(b, e->path, 32 * e->path_len);
	buf_char(b, '\n');
}

void receipt_put(const struct receipt *r, struct buf *ret)
{
	buf_str(ret, RECEIPT_KIND_LINE "\n");
	lines_put_hex(ret, "ca", r->ca, sizeof(r->ca));
	lines_put_hex(ret, "tally", r->tally, sizeof(r->tally));
	lines_put_hex(ret, "certificate", r->cert_sha256, sizeof(r->cert_sha256));
	buf_str(ret, "issuer-key: ");
	buf_base64(ret, r->issuer_key.data, r->issuer_key.len);
	buf_char(ret, '\n');
	put_entry(ret, "intent", &r->intent);
	put_entry(ret, "outcome", &r->outcome);
	put_entry(ret, "predecessor", r->has_predecessor ? &r->predecessor : NULL);
	buf_char(ret, '\n');
	buf_add_slice(ret, buf_slice(&r->checkpoint));
}

/* --- reading --- */

static enum err get_base64(struct lines *l, const char *field, struct slice v, size_t max, struct buf *ret,
			   struct fault *f)
{
	if (v.n > (max + 2) / 3 * 4 || !base64_decode((const char *)v.p, v.n, ret) || ret->len == 0 || ret->len > max)
		return lines_bad(l, field, v, "base64 of as many bytes as it may have", f);
	return OK;
}

static enum err get_path(struct lines *l, const char *entry, struct receipt_entry *e, struct fault *f)
{
	_cleanup_buf_ struct buf hashes = {0};
	char field[32];
	struct slice v;
	snprintf(field, sizeof(field), "%s-path", entry);
	TRY(lines_get(l, field, &v, f));
	if (slice_eq(v, slice_str("none")))
		return OK;
	TRY(get_base64(l, field, v, 32 * MERKLE_MAX_PATH, &hashes, f));
	if (hashes.len % 32 != 0)
		return lines_bad(l, field, v, "hashes of 32 bytes", f);
	memcpy(e->path, hashes.data, hashes.len);
	e->path_len = hashes.len / 32;
	return OK;
}

static enum err get_entry(struct lines *l, const char *field, struct receipt_entry *e, bool *ret_has, struct fault *f)
{
	struct slice v, parts[2];
	TRY(lines_get(l, field, &v, f));
	*ret_has = !slice_eq(v, slice_str("none"));
	if (*ret_has) {
		if (!slice_split(v, parts, 2, false) ||
		    !u64_parse((const char *)parts[0].p, parts[0].n, INT64_MAX, &e->index))
			return lines_bad(l, field, v, "an index and the entry in base64", f);
		TRY(get_base64(l, field, parts[1], ENTRY_MAX, &e->body, f));
	}
	return get_path(l, field, e, f);
}

static enum err get_fields(struct lines *l, struct receipt *r, struct fault *f)
{
	bool intent, outcome;
	struct slice v;
	TRY(lines_hex(l, "ca", r->ca, sizeof(r->ca), f));
	TRY(lines_hex(l, "tally", r->tally, sizeof(r->tally), f));
	TRY(lines_hex(l, "certificate", r->cert_sha256, sizeof(r->cert_sha256), f));
	TRY(lines_get(l, "issuer-key", &v, f));
	TRY(get_base64(l, "issuer-key", v, SPKI_MAX, &r->issuer_key, f));
	TRY(get_entry(l, "intent", &r->intent, &intent, f));
	TRY(get_entry(l, "outcome", &r->outcome, &outcome, f));
	if (!intent || !outcome)
		return lines_bad(l, intent ? "outcome" : "intent", slice_str("none"), "an entry", f);
	return get_entry(l, "predecessor", &r->predecessor, &r->has_predecessor, f);
}

static enum err parse(struct slice text, struct receipt *r, struct fault *f)
{
	static const char kind[] = RECEIPT_KIND_LINE "\n";
	_cleanup_buf_ struct buf again = {0};
	size_t n = sizeof(kind) - 1;
	if (text.n > RECEIPT_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "receipt_size", "receipt", "found %zu bytes, wanted at most %u",
				   text.n, RECEIPT_MAX_BYTES);
	const uint8_t *gap = NULL;
	if (text.p && text.n >= n && memcmp(text.p, kind, n) == 0)
		gap = memmem(text.p, text.n, "\n\n", 2);
	if (!gap)
		return fault_raise(f, ERR_PARSE, "receipt_form", "receipt",
				   "wanted \"%s\", its fields, an empty line and a checkpoint", RECEIPT_KIND_LINE);
	size_t fields = (size_t)(gap - text.p) + 1;
	struct lines l = {.object = "receipt", .rest = slice_of(text.p + n, fields > n ? fields - n : 0), .line = 1};
	TRY(get_fields(&l, r, f));
	TRY(lines_end(&l, f));
	buf_add(&r->checkpoint, text.p + fields + 1, text.n - fields - 1);
	receipt_put(r, &again);
	return lines_same("receipt", text, &again, f);
}

enum err receipt_parse(struct slice text, struct receipt *ret, struct fault *f)
{
	enum err e = parse(text, ret, f);
	if (e != OK)
		receipt_done(ret);
	return e;
}
