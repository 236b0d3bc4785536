/*
 * The operator sees what a note changes before it comes into force, from the signer itself: it alone knows for certain
 * what is in force. The ledger has both notes whole, so the difference can be had from it at any time; the log has the
 * lines.
 */
#include "ca/change.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/note/difference.h"

#include <string.h>

static enum err roster_change(const struct signer *s, const struct heads *h, const struct note *note, struct buf *ret,
			      struct fault *f)
{
	_cleanup_(roster_done) struct roster next = {0};
	TRY(roster_parse(note->text, &next, f));
	TRY(roster_follows(&next, &h->roster, s->ca, f));
	TRY(roster_quorum(&h->roster, note, "roster", f));
	roster_difference(&h->roster, &next, ret);
	return OK;
}

static enum err policy_change(const struct signer *s, const struct heads *h, const struct note *note, struct buf *ret,
			      struct fault *f)
{
	_cleanup_(policy_note_done) struct policy_note next = {0};
	TRY(policy_note_parse(note->text, &next, f));
	TRY(policy_note_follows(&next, &h->now.policy->note, s->ca, f));
	TRY(roster_quorum(&h->roster, note, "policy", f));
	policy_note_difference(&h->now.policy->note, &next, ret);
	return OK;
}

enum err serve_change(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	_cleanup_(heads_unrefp) struct heads *h = signer_heads(s);
	_cleanup_(note_done) struct note note = {0};
	_cleanup_buf_ struct buf text = {0};
	struct wire_change m;
	TRY(wire_change_get(request, &m, f));
	TRY(note_parse(m.note, 1, &note, f));
	struct slice kind = note_kind(note.text);
	if (slice_eq(kind, slice_str(ROSTER_KIND_LINE)))
		TRY(roster_change(s, h, &note, &text, f));
	else if (slice_eq(kind, slice_str(POLICY_KIND_LINE)))
		TRY(policy_change(s, h, &note, &text, f));
	else
		return fault_raise(f, ERR_PARSE, "text_kind", "change.note", "found \"%s\", wanted %s or %s",
				   ESC(kind.p, kind.n), ROSTER_KIND_LINE, POLICY_KIND_LINE);
	wire_change_is_put(&(struct wire_change_is){.text = buf_slice(&text)}, reply);
	return OK;
}

void change_log(const char *what, const struct buf *difference)
{
	for (const char *p = buf_text(difference), *end; (end = strchr(p, '\n')) != NULL; p = end + 1) {
		_cleanup_(freep) char *line = xstrndup(p, (size_t)(end - p));
		log_audit(what, "change=%s", LQ(line));
	}
}
