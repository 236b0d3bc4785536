/*
 * Certificates, their status, and CRLs.
 */
#include "ra/api.h"

#include "ra/service.h"
#include "ra/status.h"

static const struct rpc_param list_params[] = {PAGE, SEARCH, {0}};
static const struct rpc_param cert_params[] = {SERIAL_PARAM(true), ISSUER, {0}};
static const struct rpc_param status_params[] = {
	{"serials", PARAM_STRINGS, false, 1, 1000, NULL, "证书序列号", "serial numbers"},
	{"refs", PARAM_OBJECTS, false, 1, 1000, NULL, "签发者和序列号", "[{issuer, serial}]"},
	{"hashes", PARAM_STRINGS, false, 1, 1000, NULL, "证书的 SHA-256", "SHA-256 of certificates (DER), hex"},
	TEXT("identifier", false, 1, CERT_NAME_MAX, "证书主体的标识（须有会话或令牌）",
	     "identifier of the subject: needs session or token"),
	TEXT("session", false, 1, 256, "登录后取得的会话", "session of the person who is logged in"),
	TEXT("token", false, 1, 256, "门户的令牌", "the portal's token"),
	{0}};
static const struct rpc_param crl_params[] = {
	ISSUER, NUMBER("shard", false, 0, 4095, "分片", "a shard; absent: the full CRL"),
	NUMBER("from", false, 0, INT32_MAX, "从第几个字节起", "the octet from which a piece is wanted; absent: 0"),
	TEXT("sha256", false, 64, 64, "第一段所答的 SHA-256，取后续各段时必须给出", "as the first piece said: names the CRL whose next piece is wanted"),
	{0}};

// clang-format off
#define OFFERS ROWS("offers", STR("action") "," BOOL("possible") "," MAYBE("reason") "," STR("zh") "," STR("en") ","       \
	STR("from") "," STR("until"))
// clang-format on
#define CERT                                                                                                           \
	STR("serial")                                                                                                  \
	"," STR("name") "," STR("issuer") "," STR("not_before") "," STR("not_after") "," STR("state") "," STR(         \
		"project") "," STR("profile") "," STRS("actions") "," OFFERS

#define MAYBE(n) "\"" n "\":{\"type\":[\"string\",\"null\"]}"

static const struct desk_method methods[] = {
	READS("cert.list", cert_list, list_params, OBJECT(ROWS("certificates", CERT) "," INT("total")), "我的证书",
	      "my certificates"),
	READS("cert.show", cert_show, cert_params,
	      OBJECT(CERT "," STR("pem") "," STR("reason") "," STR("when") "," STR("successor")), "证书",
	      "one certificate"),
	METHOD("status.query", status_query, MODE_OWN, ANYBODY | DESK_GATE, false, false, false, status_params,
	       OBJECT(STR("as_of") "," INT("ledger_size") "," ROWS(
		       "answers",
		       MAYBE("serial") "," MAYBE("issuer") "," STR("state") "," STR("reason") "," STR("when") "," STR(
			       "not_after") "," STR("successor") "," STR("successor_issuer") "," STR("sha256") "," STR("identifier"))),
	       "证书状态", "status by serial number, issuer and serial number, hash, or subject"),
	METHOD("crl.get", crl_get, MODE_OWN, ANYBODY | DESK_GATE, false, false, false, crl_params,
	       OBJECT(STR("der") "," INT("number") "," STR("next_update") "," INT("size") "," STR("sha256")), "吊销列表",
	       "the current CRL, a piece of at most 1 MiB"),
};

static const struct rpc_message messages[] = {
	{"certificate_unknown", "没有找到这张证书", "there is no such certificate for you"},
	{"serial_ambiguous", "多个签发者有相同序列号的证书，请指明签发者",
	 "several issuers have this serial: name the issuer"},
	{"serial_form", "证书序列号格式不正确", "the serial number is malformed"},
	{"issuer_form", "签发者标识格式不正确", "the issuer's key id is malformed"},
	{"sha256_form", "SHA-256 值格式不正确", "the SHA-256 is malformed"},
	{"identifier_closed", "按主体查询须先登录，或使用门户的令牌",
	 "to ask by subject, log in or show the portal's token"},
	{"token_unknown", "令牌无效", "the token is not valid"},
	{"status_nothing", "请给出要查询的证书", "name the certificates to ask for"},
	{"crl_scope", "没有这份吊销列表", "there is no such CRL"},
	{"certificate_expired", "证书已过期，请先延期", "the certificate has expired: extend it first"},
	{"unlock_at_desk", "解锁请联系服务台", "ask the service desk to unlock the USB key"},
	{"crl_changed", "吊销列表已更新，请从头下载", "the CRL was made anew meanwhile: begin with the first piece"},
	{"crl_piece", "吊销列表没有那么长", "the CRL ends before that"},
	{"crl_busy", "正在生成吊销列表，请稍后再试", "a CRL is being made: try again in a moment"},
};

DESK_PART(api_status, methods, messages);
