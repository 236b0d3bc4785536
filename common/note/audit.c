/*
 * One function says what a row's hash covers; desk and verifier both call it.
 */
#include "common/note/audit.h"

#include "common/base/cleanup.h"

#include <inttypes.h>
#include <string.h>

static void put_text(struct buf *b, const char *text)
{
	buf_fmt(b, "%zu:", strlen(text));
	buf_str(b, text);
	buf_char(b, ',');
}

static void put_number(struct buf *b, int64_t n)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, n);
	put_text(b, text);
}

void audit_row_hash(const uint8_t before[32], const struct audit_row *row, uint8_t ret[32])
{
	_cleanup_buf_ struct buf b = {0};
	buf_str(&b, "hufu/audit/v1\n");
	buf_add(&b, before, 32);
	put_number(&b, row->id);
	put_number(&b, row->at);
	put_text(&b, row->who);
	put_number(&b, row->uid);
	put_text(&b, row->address);
	put_text(&b, row->what);
	put_text(&b, row->object);
	put_text(&b, row->detail);
	sha256(b.data, b.len, ret);
}

enum err audit_walk_next(struct audit_walk *w, const struct audit_row *row, struct fault *f)
{
	uint8_t wanted[32];
	char where[40];
	snprintf(where, sizeof(where), "audit row %" PRId64, row->id);
	if (row->id != w->id + 1)
		return fault_raise(f, ERR_CRYPTO, "audit_gap", where,
				   "found row %" PRId64 " after row %" PRId64 ", wanted row %" PRId64
				   ": a row was taken out or put in",
				   row->id, w->id, w->id + 1);
	audit_row_hash(w->hash, row, wanted);
	if (memcmp(wanted, row->hash, 32) != 0)
		return fault_raise(f, ERR_CRYPTO, "audit_hash", where,
				   "row %" PRId64 ": its hash is not that of its content behind row %" PRId64
				   ": it was altered, or put in",
				   row->id, w->id);
	w->id = row->id;
	memcpy(w->hash, row->hash, 32);
	return OK;
}
