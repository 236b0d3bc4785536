/*
 * Receipts are asked of the signer and judged by the very code of `hufu verify`.
 */
#include "tests/crash/receipt_view.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/rpc/wire.h"
#include "tools/hufu/cli.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/receipt_check.h"

#include <string.h>

#define TIMEOUT_MS 10000

void receipt_view_done(struct receipt_view *v)
{
	rpc_client_closep(&v->signer);
	roster_done(&v->roster);
}

enum err receipt_view_open(const char *dir, const char *socket, struct receipt_view *ret, struct fault *f)
{
	_cleanup_(freep) char *log = path_join(dir, "etc/hufu/log.vkey"),
			      *roster = path_join(dir, "etc/hufu/roster.note");
	_cleanup_buf_ struct buf vkey = {0};
	TRY(file_read(log, 1024, &vkey, f));
	TRY(log_key_parse(buf_slice(&vkey), &ret->log, f));
	TRY(roster_load(roster, &ret->roster, f));
	return rpc_client_open(socket, TIMEOUT_MS, WIRE_MAX_MESSAGE, &ret->signer, f);
}

enum err receipt_view_check(struct receipt_view *v, const uint8_t tally[TALLY_ID], struct slice cert, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0}, words = {0};
	struct wire_receipt ask;
	struct wire_receipt_is is;
	memcpy(ask.tally, tally, TALLY_ID);
	wire_receipt_put(&ask, &request);
	TRY(rpc_call(v->signer, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_RECEIPT_IS, NULL, f));
	TRY(wire_receipt_is_get(buf_slice(&reply), &is, f));
	enum err e =
		receipt_check(cert, is.text, &(struct receipt_trust){.log = &v->log, .roster = &v->roster}, &words, f);
	if (e != OK)
		fault_prefix(f, "receipt of %s", TALLY_ID_TEXT(tally));
	return e;
}
