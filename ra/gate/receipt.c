/*
 * A receipt, checked for somebody who has no program at hand: what the ledger's key and the issuing CA's certificate, which
 * the gate has, are enough for. Who asked and who approved wants the officers' roster, which it has not: the answer says so.
 * Nothing that was brought is kept.
 */
#include "common/pki/der.h"
#include "common/receipt/receipt_proof.h"
#include "common/rpc/json.h"
#include "ra/gate/routes.h"

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

#include <string.h>

static void proof_free(struct receipt_proof *p)
{
	receipt_proof_done(p);
	free(p);
}
CLEANUP_PTR(struct receipt_proof, proof_freep, proof_free)

/* --- words --- */

static const struct said {
	const char *zh, *en;
} checked[] =
	{
		{"台账检查点由台账密钥签名", "the checkpoint is signed by the ledger's key"},
		{"回执中的记录在该检查点的台账内", "the receipt's entries are in the ledger of that checkpoint"},
		{"这张证书就是台账所记录的那一张，签名逐字节相同",
		 "the certificate is the one that the ledger recorded, its signature byte for byte"},
		{"证书由本机构签发证书的密钥签名", "the certificate is signed by this authority's issuing key"},
},
  unchecked[] = {
	  {"申请人与审核员的签名未核对：需要名册，请用 hufu verify",
	   "who asked and who approved: that wants the roster, and `hufu verify`"},
	  {"证书的当前状态不在回执中，须另行查询", "the certificate's state today stands on its own, and not in a receipt"},
};

static const struct reason {
	const char *rule, *zh;
} reasons[] = {
	{"receipt_form", "这不是回执"},
	{"receipt_inclusion", "回执中的记录不在已签名的台账内"},
	{"receipt_mismatch", "回执与证书不相符"},
	{"receipt_issuer", "证书不是本机构签发的"},
	{"log_signature", "检查点不是由本机构的台账密钥签名的"},
	{"log_origin", "回执出自另一机构的台账"},
	{"cert_signature", "证书的签名不成立"},
};

static json_t *list_of(const struct said *v, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "zh", v[i].zh, "en", v[i].en));
	return list;
}

static json_t *say_good(const struct receipt_proof *p)
{
	char issuer[41];
	hex_lower(p->intent.issuer, 20, issuer);
	return json_pack("{s:b,s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:o}", "good", 1, "serial", SERIAL(&p->cert.serial),
			 "issuer", issuer, "ledger", p->head.origin, "ledger_size", (json_int_t)p->head.size, "intent",
			 (json_int_t)p->r.intent.index, "outcome", (json_int_t)p->r.outcome.index, "checked",
			 list_of(checked, sizeof(checked) / sizeof(checked[0])), "not_checked",
			 list_of(unchecked, sizeof(unchecked) / sizeof(unchecked[0])));
}

static json_t *say_bad(const struct fault *f)
{
	const char *zh = "回执不成立";
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i].rule, f->rule) == 0)
			zh = reasons[i].zh;
	return json_pack("{s:b,s:s,s:s,s:s,s:s}", "good", 0, "reason", f->rule, "where", f->where, "zh", zh, "en",
			 f->text);
}

/* --- the check --- */

/* The ledger's word for the issuing key is not enough: it is to be that of a CA whose certificate the gate was given. */
static enum err check_issuer(struct gate *g, const struct receipt_proof *p, struct fault *f)
{
	char id[41];
	hex_lower(p->intent.issuer, 20, id);
	const struct gate_issuer *issuer = gate_issuer(g, id);
	if (!issuer)
		return fault_raise(f, ERR_RULE, "receipt_issuer", "certificate.issuer",
				   "found the key id %s, which is none of this gate's CAs", id);
	TRY(cert_verify_by(&p->cert, &issuer->ca.cert, f));
	return g->root.der.len > 0 ? cert_verify_by(&issuer->ca.cert, &g->root.cert, f) : OK;
}

static enum err check(struct gate *g, const char *pem, const char *text, struct buf *der, struct receipt_proof *p,
		      struct fault *f)
{
	TRY(pem_or_der(slice_str(pem), "CERTIFICATE", der, f));
	TRY(receipt_proof_open(slice_str(text), &g->log_key, p, f));
	TRY(receipt_proof_cert(p, buf_slice(der), f));
	return check_issuer(g, p, f);
}

bool receipt_answer(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	static const struct json_limits limits = {HTTP_BODY_MAX, 1, 8};
	_cleanup_(json_freep) json_t *body = NULL, *answer = NULL;
	_cleanup_(proof_freep) struct receipt_proof *p = xcalloc(1, sizeof(*p));
	_cleanup_buf_ struct buf der = {0};
	struct fault f = {0};
	if (json_read(r->body, &limits, &body, NULL) != OK)
		body = NULL;
	const char *pem = json_string_value(json_object_get(body, "certificate")),
		   *text = json_string_value(json_object_get(body, "receipt"));
	if (!pem || !text) {
		status_refuse(g, to, 400, "receipt_body", "请求格式不正确",
			      "wanted {\"certificate\": PEM, \"receipt\": text}");
		return true;
	}
	answer = check(g, pem, text, &der, p, &f) == OK ? say_good(p) : say_bad(&f);
	to->type = "application/json";
	json_write(answer, &to->body);
	gate_count(g, COUNT_STATUS);
	return true;
}
