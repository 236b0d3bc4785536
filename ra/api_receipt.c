/*
 * Receipts of the ledger.
 */
#include "ra/api.h"

#include "ra/receipt.h"

static const struct rpc_param get_params[] = {SERIAL_PARAM(true), ISSUER, {0}};

static const struct desk_method methods[] = {
	METHOD("receipt.get", receipt_get, MODE_OWN, OWNER, true, false, false, get_params, OBJECT(STR("receipt")),
	       "台账回执", "the ledger's receipt of one of my certificates, to be checked offline"),
};

static const struct rpc_message messages[] = {
	{"receipt_none", "该证书由原 CA 签发，没有台账回执",
	 "the certificate was issued by another CA: there is no receipt"},
	{"receipt_unknown", "签发系统没有这张证书的回执", "the signer has no receipt of this certificate"},
};

DESK_PART(api_receipt, methods, messages);
