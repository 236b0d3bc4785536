/*
 * For the gates at the edge.
 */
#include "ra/api.h"

#include "ra/edge.h"

static const struct rpc_param feed_params[] = {
	NUMBER("from", true, 0, INT64_MAX, "从该条目开始", "index of the first entry"),
	NUMBER("max", false, 1, 1024, "最多条数", "entries, 1024 when absent"),
	NUMBER("wait_ms", false, 0, 1000, "等待新条目的毫秒数", "wait for one, at most so long"),
	{0}};
static const struct rpc_param tile_params[] = {NUMBER("level", true, 0, 56, "层", "level of the tree: 0, 8, 16 …"),
					       NUMBER("index", true, 0, INT64_MAX, "序号", "the first node"),
					       NUMBER("width", true, 1, 256, "个数", "how many nodes"),
					       {0}};
static const struct rpc_param responder_params[] = {
	TEXT("note", true, 1, 8192, "由响应者密钥签名的申请", "tally of kind responder, signed by the responder's key"),
	TEXT("csr", true, 1, 8192, "密钥的证书申请", "PKCS#10 request for the key, DER in base64"),
	{0}};

static const struct desk_method methods[] = {
	METHOD("edge.feed", edge_feed, MODE_OWN, DESK_GATE, false, false, false, feed_params, OBJECT(STR("feed")),
	       "证书状态变更", "gate: what entries of the ledger do to certificates' status, as the signer signed it"),
	METHOD("edge.tile", edge_tile, MODE_OWN, DESK_GATE, false, false, false, tile_params, OBJECT(STR("hashes")),
	       "日志树的哈希", "gate: hashes of the ledger's tree"),
	METHOD("edge.responder", edge_responder, MODE_OWN, DESK_GATE, false, true, false, responder_params,
	       OBJECT(STR("certificate")), "OCSP 响应者证书",
	       "gate: a certificate for an OCSP responder's key that the roster lists"),
};

static const struct rpc_message messages[] = {
	{"edge_kind", "只接受 OCSP 响应者证书的申请", "only a tally of kind responder is taken here"},
	{"edge_lines", "申请须只有响应者密钥的签名", "the tally must be signed by the responder's key alone"},
	{"tile_unknown", "日志还没有那么长", "the ledger is not so long yet"},
	{"tile_level", "没有这一层的哈希", "hashes of that level are not kept"},
};

DESK_PART(api_edge, methods, messages);
