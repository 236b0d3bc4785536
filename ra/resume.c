/*
 * Going on with a restored ledger.
 *
 * The operator's word is an entry that names the newest checkpoint that was known; it covers the desk when that is as
 * far as the desk had followed. Then what the desk knows from entries that are gone is noted for people, and the ledger
 * is followed again from its beginning: its entries say what is, and applying one again changes nothing. Certificates
 * of the lost part stay in the table as they were; the signer does not know them.
 */
#include "ra/resume.h"

#include "ra/follow.h"
#include "ra/handover.h"
#include "ra/status.h"
#include "ra/store_cert.h"
#include "ra/store_lost.h"

#include "common/base/log.h"
#include "common/note/checkpoint.h"
#include "common/rpc/wire.h"

#include <stdatomic.h>
#include <string.h>

/* --- showing --- */

static enum err read_note(struct desk *d, struct buf *ret, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(d->store, &db, f));
	enum err e = store_head_bytes(db, HEAD_CHECKPOINT, ret, f);
	store_read_end(d->store, db);
	return e;
}

enum err resume_show(struct desk *d, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0}, request = {0}, reply = {0};
	TRY(read_note(d, &note, f));
	if (note.len == 0)
		return OK;
	wire_seen_put(&(struct wire_seen){.checkpoint = buf_slice(&note)}, &request);
	TRY(rpc_call(d->signer, buf_slice(&request), &reply, f));
	return wire_expect(buf_slice(&reply), WIRE_TYPE_OK, NULL, f);
}

/* --- the operator's word --- */

struct word {
	uint64_t entry, lost, head; /* head: size of the newest checkpoint that was known */
	uint8_t root[32];
};

static enum err ask_where(struct desk *d, uint64_t *ret_entry, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_health_is h;
	wire_health_put(&(struct wire_health){0}, &request);
	TRY(rpc_call(d->signer, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_HEALTH_IS, NULL, f));
	TRY(wire_health_is_get(buf_slice(&reply), &h, f));
	if (h.waits)
		return fault_raise(f, ERR_LOCKED, "ledger_waits", "ledger",
				   "the signer waits for its operator's word: hufu ledger resume comes first");
	if (h.restored == 0)
		return fault_raise(f, ERR_RULE, "restore_unsaid", "ledger",
				   "the signer's ledger holds no word of a restore: found another ledger, not a "
				   "restored one");
	*ret_entry = h.restored - 1;
	return OK;
}

static enum err read_word(struct desk *d, struct slice entry, struct word *w, struct fault *f)
{
	struct wire_e_restored e;
	struct checkpoint c = {0};
	TRY(wire_e_restored_get(entry, &e, f));
	if (e.head.n > 0)
		TRY(checkpoint_open(e.head, &d->log_key, &c, f));
	w->lost = e.lost;
	w->head = c.size;
	memcpy(w->root, c.root, 32);
	return OK;
}

static enum err ask_word(struct desk *d, struct word *w, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	_cleanup_(wire_entries_done) struct wire_entries m = {0};
	TRY(ask_where(d, &w->entry, f));
	wire_follow_put(&(struct wire_follow){.from = w->entry, .max = 1}, &request);
	TRY(rpc_call(d->signer, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_ENTRIES, NULL, f));
	TRY(wire_entries_get(buf_slice(&reply), &m, f));
	if (m.entries.n != 1)
		return fault_raise(f, ERR_NET, "wire_answer", "entries", "found %zu entries, wanted one", m.entries.n);
	return read_word(d, m.entries.v[0], w, f);
}

/* Was the desk's own checkpoint known when the word was given? */
static enum err judge_word(struct db *db, const struct word *w, struct fault *f)
{
	_cleanup_buf_ struct buf edge = {0};
	uint64_t followed = 0;
	TRY(store_head_bytes(db, HEAD_EDGE, &edge, f));
	for (size_t i = 0; i < 8 && i < edge.len; i++)
		followed = followed << 8 | edge.data[i];
	if (followed <= w->head)
		return OK;
	return fault_raise(
		f, ERR_RULE, "restore_behind", "ledger",
		"found the operator's word for a checkpoint of %llu entries, but the desk has followed %llu: "
		"the signer is shown the desk's, and the word must be said again",
		(unsigned long long)w->head, (unsigned long long)followed);
}

static enum err resume_in(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct word *w = c->work;
	int64_t lost = 0;
	TRY(judge_word(c->db, w, f));
	TRY(store_lost_note(c->db, (int64_t)w->entry, (int64_t)w->entry, &lost, f));
	TRY(store_followed_forget(c->db, f));
	TRY(store_head_bytes_set(c->db, HEAD_EDGE, (struct slice){0}, f));
	TRY(store_head_bytes_set(c->db, HEAD_CHECKPOINT, (struct slice){0}, f));
	TRY(store_head_set(c->db, HEAD_NEXT, 0, f));
	_cleanup_(freep) char *detail = xasprintf("entry=%llu lost=%llu noted=%lld", (unsigned long long)w->entry,
						  (unsigned long long)w->lost, (long long)lost);
	TRY(desk_audit(c, "ledger_resumed", "ledger", detail, f));
	*ret = json_pack("{s:I,s:I,s:I}", "entry", (json_int_t)w->entry, "lost_entries", (json_int_t)w->lost, "noted",
			 (json_int_t)lost);
	return OK;
}

static void go_on(struct desk *d)
{
	d->followed_next = 0;
	atomic_fetch_add(&d->resumed, 1);
	if (atomic_exchange(&d->forked, false) && d->handover)
		handover_wake(d->handover);
}

enum err desk_resume(struct ctx *c, json_t **ret, struct fault *f)
{
	struct word w = {0};
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	if (!c->desk->forked)
		return fault_raise(f, ERR_CONFLICT, "not_waiting", "ledger",
				   "the desk follows the signer's ledger: it waits for no word");
	TRY(ask_word(c->desk, &w, f));
	c->work = &w;
	TRY(desk_change_forked(c, resume_in, ret, f));
	go_on(c->desk);
	return OK;
}

/* --- what was lost --- */

struct listing {
	struct status_index *status;
	json_t *rows;
	int64_t now;
};

static void add_row(void *arg, const struct lost_row *r)
{
	const struct listing *l = arg;
	json_array_append_new(l->rows, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "serial", SERIAL(&r->cert.ref.serial),
						 "name", r->name, "lost", r->issued ? "certificate" : "state", "state",
						 cert_state_word(l->status, &r->cert, l->now), "entry",
						 (json_int_t)r->entry, "restored_entry", (json_int_t)r->restored));
}

enum err desk_lost(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	int64_t limit, offset, total = 0;
	param_page(c, &limit, &offset);
	TRY(store_lost_count(c->db, &total, f));
	TRY(store_lost_each(c->db, limit, offset, add_row, &(struct listing){c->desk->status, rows, c->now}, f));
	*ret = json_pack("{s:I,s:O}", "total", (json_int_t)total, "lost", rows);
	return OK;
}
