/*
 * Lines are verified when they come in, by the key that the desk knows: a wrong one is answered at once and never
 * stored.
 *
 * Ed25519 signatures are the same each time, and the note that goes out is stored as it goes out: what is sent again
 * after a crash is the same bytes. Next: handover.c.
 */
#include "ra/note.h"

#include "ra/ahead.h"
#include "ra/handover.h"
#include "ra/law.h"
#include "ra/request_state.h"

#include <assert.h>
#include <string.h>

void one_line_done(struct one_line *l)
{
	note_done(&l->note);
	buf_done(&l->bytes);
	free(l->line);
	*l = (struct one_line){0};
}

enum err one_line_read(const char *tally, const char *line, struct one_line *ret, struct fault *f)
{
	size_t n = strlen(line);
	if (n > 0 && line[n - 1] == '\n')
		n--;
	if (n > LINE_MAX_BYTES || memchr(line, '\n', n))
		return fault_raise(f, ERR_PARSE, "line_form", "params.line",
				   "found %zu bytes, wanted one signature line of at most %d", n, LINE_MAX_BYTES);
	ret->line = xstrndup(line, n);
	note_begin(slice_str(tally), &ret->bytes);
	buf_str(&ret->bytes, ret->line);
	buf_char(&ret->bytes, '\n');
	return note_parse(buf_slice(&ret->bytes), 1, &ret->note, f);
}

/* --- proofs --- */

static bool holds(struct ctx *c, const struct one_line *l, const struct pubkey *key)
{
	return ahead_holds(c, &l->note, buf_slice(&l->bytes), key);
}

static enum err verify_proof(struct ctx *c, const struct draw *d, const struct request *r, const struct one_line *l,
			     const char **ret_part, struct fault *f)
{
	char wanted[NOTE_MAX_NAME + 1] = "";
	const struct note_sig *sig = &l->note.sigs[0];
	if (r->cert != 0)
		note_subscriber_name(d->row.ref.issuer_key_id, SERIAL(&d->row.ref.serial), wanted);
	if (r->cert != 0 && strcmp(sig->name, wanted) == 0) {
		*ret_part = "subscriber";
		if (holds(c, l, &d->cert.key))
			return OK;
		return fault_raise(f, ERR_CRYPTO, "subscriber_signature", "params.lines",
				   "the line of certificate %s does not hold under its key",
				   SERIAL(&d->row.ref.serial));
	}
	if (strcmp(sig->name, NOTE_NEW_KEY) == 0 && r->csr.len > 0) {
		*ret_part = "new-key";
		if (holds(c, l, &d->csr.key))
			return OK;
		return fault_raise(f, ERR_CRYPTO, "new_key_signature", "params.lines",
				   "the line of the new key does not hold under it");
	}
	return fault_raise(f, ERR_RULE, "signer_unknown", "params.lines", "found a line of \"%s\", wanted %s%s%s",
			   ESC(sig->name, strlen(sig->name)), wanted, r->cert != 0 && r->csr.len > 0 ? " or " : "",
			   r->csr.len > 0 ? NOTE_NEW_KEY : "");
}

enum err proof_check(struct ctx *c, const struct request *r, const struct draw *d, const char *line, struct fault *f)
{
	_cleanup_(one_line_done) struct one_line l = {0};
	const char *part = NULL;
	TRY(one_line_read(r->tally, line, &l, f));
	return verify_proof(c, d, r, &l, &part, f);
}

enum err proof_take(struct ctx *c, const struct request *r, const struct draw *d, const char *line, bool *ret_new,
		    struct fault *f)
{
	_cleanup_(one_line_done) struct one_line l = {0};
	const char *part = NULL;
	int64_t have = 0;
	TRY(one_line_read(r->tally, line, &l, f));
	TRY(verify_proof(c, d, r, &l, &part, f));
	TRY(store_lines_count(c->db, r->id, part, &have, f));
	*ret_new = have == 0;
	return have == 0 ? store_line_add(c->db, r->id, part, l.note.sigs[0].name, l.line, c->now, f) : OK;
}

/* --- what goes out --- */

static enum err sign(struct ctx *c, struct buf *note, struct fault *f)
{
	return note_sign_by(note, c->desk->key.name, ahead_signer(c), f);
}

/* The tally with all its lines, in the queue. */
static enum err put_in_queue(struct ctx *c, const struct request *r, bool sent, struct buf *note, int64_t *ret_id,
			     struct fault *f)
{
	note_begin(slice_str(r->tally), note);
	TRY(store_lines(c->db, r->id, note, f));
	TRY(sign(c, note, f));
	return store_handover_add(c->db, r->id, "tally", sent, buf_slice(note), buf_slice(&r->csr), c->now, ret_id, f);
}

/* Of several rows none is named: they are looked for. */
static void queued(struct ctx *c, int64_t tally)
{
	c->tally = c->queued ? 0 : tally;
	c->queued = true;
}

enum err note_hand_over(struct ctx *c, const struct request *r, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	int64_t id = 0;
	TRY(put_in_queue(c, r, false, &note, &id, f));
	queued(c, id);
	return OK;
}

bool note_goes_at_once(const struct ctx *c)
{
	return c->desk->handover != NULL;
}

enum err note_send(struct ctx *c, const struct request *r, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	int64_t id = 0;
	TRY(put_in_queue(c, r, note_goes_at_once(c), &note, &id, f));
	if (!note_goes_at_once(c) || id == 0) {
		queued(c, id);
		return OK;
	}
	c->going = (struct handover){.id = id, .what = "tally", .note = note};
	note = (struct buf){0};
	memcpy(c->going.request, r->id, sizeof(r->id));
	buf_add_slice(&c->going.csr, buf_slice(&r->csr));
	return OK;
}

enum err note_withdraw(struct ctx *c, const struct request *r, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0}, note = {0};
	struct tally t = {.kind = TALLY_WITHDRAW, .has_target = true, .reason = -1, .made = c->now};
	bool decoded = hex_decode(r->id, REQUEST_ID, t.target, TALLY_ID);
	assert(decoded);
	random_fill(t.id, sizeof(t.id));
	memcpy(t.ca, c->law->roster.ca, 20);
	t.dies = c->now + floor_of(TALLY_WITHDRAW)->max_life_seconds;
	tally_put(&t, &text);
	note_begin(buf_slice(&text), &note);
	TRY(sign(c, &note, f));
	TRY(store_handover_settled(c->db, r->id, "tally", f));
	queued(c, 0);
	lanes_add(&c->ended, r->id);
	int64_t id;
	return store_handover_add(c->db, r->id, "withdraw", false, buf_slice(&note), slice_of(NULL, 0), c->now, &id, f);
}
