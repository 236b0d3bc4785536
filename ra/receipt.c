/*
 * A receipt is the signer's to make; the desk only knows whose certificate it is.
 */
#include "ra/receipt.h"

#include "ra/status.h"

#include "common/rpc/wire.h"

static enum err find_tally(struct ctx *c, json_t **ret, struct fault *f)
{
	struct cert_row row;
	_cleanup_(cert_body_done) struct cert_body body = {0};
	struct wire_receipt *ask = c->work;
	(void)ret;
	TRY(cert_find(c->db, param_text(c, "serial"), param_text(c, "issuer"), c->session->account.id, &row, f));
	TRY(store_cert_body(c->db, row.id, &body, f));
	if (!hex_decode(body.tally, 2 * TALLY_ID, ask->tally, TALLY_ID))
		return fault_raise(f, ERR_RULE, "receipt_none", "params.serial",
				   "certificate %s was adopted, not issued by this CA: there is no receipt",
				   SERIAL(&row.ref.serial));
	return OK;
}

enum err receipt_get(struct ctx *c, json_t **ret, struct fault *f)
{
	struct wire_receipt ask;
	struct wire_receipt_is is;
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	c->work = &ask;
	TRY(desk_read(c, find_tally, NULL, f));
	wire_receipt_put(&ask, &request);
	TRY(rpc_call(c->desk->signer, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_RECEIPT_IS, NULL, f));
	TRY(wire_receipt_is_get(buf_slice(&reply), &is, f));
	*ret = json_object();
	json_object_set_new(*ret, "receipt", json_stringn((const char *)is.text.p, is.text.n));
	return OK;
}
