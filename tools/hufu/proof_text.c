/*
 * Eight lines in one order, read and written again: a ninth, or a value that another line could hide in, is another text.
 * Source: account.proof of the desk (ra/account_first.c).
 */
#include "tools/hufu/proof_text.h"

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/note/lines.h"

#include <string.h>

#define KIND "hufu/account/v1"
#define OBJECT "account.proof"
#define N_LINES 8

static enum err read_again(struct slice text, struct slice *ret_identifier, struct buf *ret_again, struct fault *f)
{
	struct lines l;
	struct slice purpose, desk, organisation;
	uint8_t ca[20], session[16];
	int64_t made = 0;
	TRY(lines_begin(&l, OBJECT, KIND, text, N_LINES, f));
	TRY(lines_get(&l, "purpose", &purpose, f));
	if (!slice_eq(purpose, slice_str("first-log-in")))
		return lines_bad(&l, "purpose", purpose, "first-log-in", f);
	TRY(lines_hex(&l, "ca", ca, sizeof(ca), f));
	TRY(lines_get(&l, "desk", &desk, f));
	TRY(lines_get(&l, "identifier", ret_identifier, f));
	TRY(lines_get(&l, "organisation", &organisation, f));
	TRY(lines_hex(&l, "session", session, sizeof(session), f));
	TRY(lines_time(&l, "made", &made, f));
	TRY(lines_end(&l, f));
	buf_fmt(ret_again, KIND "\npurpose: first-log-in\n");
	lines_put_hex(ret_again, "ca", ca, sizeof(ca));
	buf_fmt(ret_again, "desk: %.*s\nidentifier: %.*s\norganisation: %.*s\n", (int)desk.n, (const char *)desk.p,
		(int)ret_identifier->n, (const char *)ret_identifier->p, (int)organisation.n,
		(const char *)organisation.p);
	lines_put_hex(ret_again, "session", session, sizeof(session));
	lines_put_time(ret_again, "made", made);
	return lines_same(OBJECT, text, ret_again, f);
}

enum err proof_text_check(struct slice text, const char *identifier, struct fault *f)
{
	_cleanup_buf_ struct buf again = {0};
	struct slice own = {0};
	struct fault why = {0};
	if (note_text_check(OBJECT, text, &why) != OK || read_again(text, &own, &again, &why) != OK)
		return fault_raise(f, ERR_RULE, "proof_text", OBJECT,
				   "found another text than that of a first log-in: do not sign (%s: %s)", why.where,
				   why.text);
	if (slice_eq(own, slice_str(identifier)))
		return OK;
	return fault_raise(f, ERR_RULE, "proof_text", OBJECT ".identifier",
			   "found the log-in of \"%s\", wanted that of \"%s\": do not sign",
			   ESC((const char *)own.p, own.n), ESC(identifier, strlen(identifier)));
}
