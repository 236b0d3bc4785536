/*
 * The list of what has ended. Hufu can't revoke another CA's certificate; it can say which ones that CA must revoke, and
 * why. The reasons are the ledger's own entries, so the list is as good as the ledger and asks nothing of the RA.
 */
#include "ca/ended.h"

#include "common/base/cleanup.h"

#include <string.h>

struct gathered {
	struct buf bytes;
	size_t ends[3 * LEDGER_PAGE];
	size_t n;
};

static enum err gather(struct db *db, struct gathered *g, uint64_t entry, struct fault *f)
{
	if (entry != LEDGER_NONE)
		TRY(ledger_entry(db, entry, &g->bytes, f));
	g->ends[g->n++] = g->bytes.len;
	return OK;
}

/* The certificate, its end, and what replaced it. */
static enum err gather_one(struct db *db, struct gathered *g, int64_t id, struct fault *f)
{
	_cleanup_buf_ struct buf body = {0};
	struct ledger_cert c;
	struct wire_e_revoked end;
	TRY(ledger_cert_by_id(db, id, &c, f));
	TRY(ledger_entry(db, c.state_entry, &body, f));
	TRY(wire_e_revoked_get(buf_slice(&body), &end, f));
	TRY(gather(db, g, c.entry, f));
	TRY(gather(db, g, c.state_entry, f));
	return gather(db, g, end.cause, f);
}

static enum err gather_page(struct db *db, int64_t above, struct gathered *g, uint64_t *ret_next, struct fault *f)
{
	int64_t ids[LEDGER_PAGE];
	size_t n = 0;
	TRY(ledger_certs_ended(db, above, ids, &n, f));
	for (size_t i = 0; i < n; i++)
		TRY(gather_one(db, g, ids[i], f));
	*ret_next = n == LEDGER_PAGE ? (uint64_t)ids[n - 1] : 0;
	return OK;
}

enum err serve_ended(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	struct wire_ended m;
	struct wire_ended_is is = {0};
	struct db *db;
	TRY(wire_ended_get(request, &m, f));
	if (m.after > INT64_MAX)
		return fault_raise(f, ERR_PARSE, "ended_after", "ended.after", "found %llu, wanted what was answered",
				   (unsigned long long)m.after);
	TRY(ledger_reader(s->ledger, &db, f));
	struct gathered *g = xcalloc(1, sizeof(*g));
	enum err e = gather_page(db, (int64_t)m.after, g, &is.next, f);
	ledger_reader_put(s->ledger, db);
	for (size_t i = 0, at = 0; e == OK && i < g->n; at = g->ends[i++])
		wire_list_add(&is.ended, slice_of(g->bytes.data + at, g->ends[i] - at));
	if (e == OK)
		wire_ended_is_put(&is, reply);
	wire_ended_is_done(&is);
	buf_done(&g->bytes);
	free(g);
	return e;
}
