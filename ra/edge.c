/*
 * A gate that waits is woken by the follower's bell and asks the signer then: so it hears of a revocation when the desk
 * does, and the signer has one caller that waits and not one for each gate. While the desk itself cannot follow, a gate
 * is late by its wait at most.
 *
 * A responder's key asks for its own certificate. The desk adds its line, since the signer hears nobody else, and is no
 * help for any other kind of tally.
 */
#include "ra/edge.h"

#include "common/base/clock.h"
#include "common/note/tally.h"
#include "common/rpc/wire.h"

#include <string.h>

/* A gate that has all there is waits for more; one that has not, or is ahead of the desk, does not. */
static void wait_for_more(struct ctx *c, uint64_t from, int64_t wait_ms)
{
	struct desk *d = c->desk;
	int64_t until = clock_mono_us() + wait_ms * 1000;
	while (wait_ms > 0) {
		uint64_t count = bell_count(d->followed, 0);
		if (d->followed_next != from || !bell_wait(d->followed, 0, count, until))
			return;
	}
}

enum err edge_feed(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_feed ask = {.from = (uint64_t)param_number(c, "from", 0),
				.max = (uint32_t)param_number(c, "max", 1024)};
	wait_for_more(c, ask.from, param_number(c, "wait_ms", 0));
	wire_feed_put(&ask, &request);
	TRY(rpc_call(c->desk->signer, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_FEED_IS, NULL, f));
	*ret = json_object();
	json_object_set_new(*ret, "feed", json_base64(buf_slice(&reply)));
	return OK;
}

enum err edge_tile(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_tile_is is;
	wire_tile_put(&(struct wire_tile){.level = (uint8_t)param_number(c, "level", 0),
					  .index = (uint64_t)param_number(c, "index", 0),
					  .width = (uint32_t)param_number(c, "width", 256)},
		      &request);
	TRY(rpc_call(c->desk->signer, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_TILE_IS, NULL, f));
	TRY(wire_tile_is_get(buf_slice(&reply), &is, f));
	*ret = json_object();
	json_object_set_new(*ret, "hashes", json_base64(is.hashes));
	return OK;
}

/* --- edge.responder --- */

struct renewal {
	struct tally tally;
	struct buf csr, note, reply;
	struct wire_done done; /* borrows from reply */
};

static void renewal_done(struct renewal *r)
{
	tally_done(&r->tally);
	buf_done(&r->csr);
	buf_done(&r->note);
	buf_done(&r->reply);
}

/* The note as it came, whole, and the desk's line behind the others. */
static enum err read_note(struct ctx *c, struct renewal *r, struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};
	const char *text = param_text(c, "note"), *csr = param_text(c, "csr");
	TRY(note_parse(slice_str(text), 1, &note, f));
	TRY(tally_parse(note.text, &r->tally, f));
	if (r->tally.kind != TALLY_RESPONDER)
		return fault_raise(f, ERR_RULE, "edge_kind", "params.note",
				   "found a tally of kind %s, wanted responder", tally_kind_word(r->tally.kind));
	if (note.n_sigs != 1 || strcmp(note.sigs[0].name, NOTE_NEW_KEY) != 0)
		return fault_raise(f, ERR_RULE, "edge_lines", "params.note",
				   "found %zu signature lines, wanted one, of the responder's own key", note.n_sigs);
	if (!base64_decode(csr, strlen(csr), &r->csr))
		return fault_raise(f, ERR_PARSE, "csr_form", "params.csr", "wanted a PKCS#10 request, DER in base64");
	buf_str(&r->note, text);
	return note_sign_ed25519(&r->note, c->desk->key.name, c->desk->key.secret.p, f);
}

static enum err record(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct renewal *r = c->work;
	char key[65];
	hex_lower(r->tally.key_sha256, 32, key);
	*ret = json_object();
	json_object_set_new(*ret, "certificate", json_base64(r->done.cert));
	return desk_audit(c, "edge.responder", key, TALLY_ID_TEXT(r->tally.id), f);
}

enum err edge_responder(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(renewal_done) struct renewal r = {0};
	_cleanup_buf_ struct buf request = {0};
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	TRY(read_note(c, &r, f));
	wire_tally_put(&(struct wire_tally){.note = buf_slice(&r.note), .csr = buf_slice(&r.csr)}, &request);
	TRY(rpc_call(c->desk->signer, buf_slice(&request), &r.reply, f));
	TRY(wire_expect(buf_slice(&r.reply), WIRE_TYPE_DONE, NULL, f));
	TRY(wire_done_get(buf_slice(&r.reply), &r.done, f));
	c->work = &r;
	return desk_change(c, record, ret, f);
}
