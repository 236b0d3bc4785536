/*
 * The table of methods: who may call, what it takes, what it gives. rpc.discover is made from it.
 */
#include "ra/desk.h"

#include "ra/account.h"
#include "ra/health.h"
#include "ra/import.h"
#include "ra/order.h"
#include "ra/password.h"
#include "ra/request.h"
#include "ra/review.h"
#include "ra/service.h"
#include "ra/status.h"

#define OWNER (DESK_SUBSCRIBER | DESK_PORTAL)
#define ANYBODY (DESK_SUBSCRIBER | DESK_OFFICER | DESK_ADMIN | DESK_PORTAL)
#define MAX_BASE64 (960u * 1024u)

/* --- parameters --- */

static const char *const kind_words[] = {"extend", "change", "revoke", NULL};
static const char *const files_words[] = {"no", "yes", "waived", NULL};
static const char *const renew_words[] = {"renew", NULL};
static const char *const state_words[] = {"drafted", "awaiting_proof", "awaiting_officers", "approved", "sent",
					  "issued",  "refused",	       "withdrawn",	    "expired",	NULL};

#define TEXT(n, req, lo, hi, zh, en)                                                                                   \
	{                                                                                                              \
		n, PARAM_STRING, req, lo, hi, NULL, zh, en                                                             \
	}
#define WORD(n, req, list, zh, en)                                                                                     \
	{                                                                                                              \
		n, PARAM_STRING, req, 1, 47, list, zh, en                                                              \
	}
#define NUMBER(n, req, lo, hi, zh, en)                                                                                 \
	{                                                                                                              \
		n, PARAM_INTEGER, req, lo, hi, NULL, zh, en                                                            \
	}
#define PAGE                                                                                                           \
	NUMBER("page", false, 1, 1000000, "页码", "page, from 1"),                                                     \
		NUMBER("per_page", false, 1, 100, "每页条数", "rows a page, 5 when absent")
#define REQUEST TEXT("request", true, REQUEST_ID, REQUEST_ID, "申请编号", "id of the request")
#define ORDER TEXT("order", true, 1, ORDER_ID_MAX, "订单编号", "id of the order")
#define SEARCH TEXT("search", false, 0, 200, "按证书名称搜索", "part of the certificate's name")
#define SERIAL_PARAM(req) TEXT("serial", req, 2, 40, "证书序列号", "serial number, upper-case hex")
#define ISSUER TEXT("issuer", false, 40, 40, "签发者密钥标识", "key id of the issuer, 40 hex characters")

static const struct rpc_param none[] = {{0}};
static const struct rpc_param login_params[] = {TEXT("identifier", true, 1, IDENTIFIER_MAX,
						     "用户名：组织机构代码或统一社会信用代码",
						     "organisation code or unified code"),
						TEXT("password", true, 1, PASSWORD_MAX, "密码", "password"),
						{0}};
static const struct rpc_param reset_params[] = {
	TEXT("new_password", true, 1, PASSWORD_MAX, "新密码", "the new password"), {0}};
static const struct rpc_param search_params[] = {TEXT("query", true, 1, 200, "项目名称", "name of the project"), {0}};
static const struct rpc_param project_params[] = {TEXT("project", true, 1, 47, "项目", "name of the project"), {0}};
static const struct rpc_param list_params[] = {PAGE, SEARCH, {0}};
static const struct rpc_param page_params[] = {PAGE, {0}};
static const struct rpc_param order_create_params[] = {
	TEXT("service_id", true, 1, SERVICE_ID_MAX, "服务编号", "id of the service"),
	WORD("kind", true, renew_words, "订单类型", "renew"),
	{0}};
static const struct rpc_param order_params[] = {ORDER, {0}};
static const struct rpc_param confirm_params[] = {
	ORDER, TEXT("bank_reference", true, 1, BANK_REFERENCE_MAX, "银行流水号", "the bank's own reference"), {0}};
static const struct rpc_param cert_params[] = {SERIAL_PARAM(true), ISSUER, {0}};
static const struct rpc_param prepare_params[] = {
	WORD("kind", true, kind_words, "业务类型", "extend, change or revoke"),
	TEXT("way", true, 1, 47, "办理方式", "one of the profile's ways"),
	SERIAL_PARAM(true),
	ISSUER,
	TEXT("project", true, 1, 47, "项目", "the certificate's project"),
	TEXT("profile", false, 1, 47, "证书类型", "the certificate's own when absent"),
	{"subject", PARAM_OBJECTS, false, 0, 16, NULL, "要变更的主体属性", "[{attribute, value}] to change"},
	NUMBER("months", false, 0, 1200, "延期月数", "months to extend; 0 keeps the validity"),
	TEXT("order", false, 1, ORDER_ID_MAX, "已付款的订单", "a paid order"),
	TEXT("csr", false, 1, 32768, "新密钥的证书请求（PEM）", "PKCS#10 of a new key, PEM; absent: the same key"),
	WORD("files", false, files_words, "是否还有加密文件尚未开标", "encrypted files not yet opened?"),
	{"notice_accepted", PARAM_BOOLEAN, false, 0, 0, NULL, "已接受风险告知函", "the risk notice is accepted"},
	TEXT("reason", false, 1, 31, "吊销原因", "revoke: reason, RFC 5280 5.3.1"),
	TEXT("request", false, REQUEST_ID, REQUEST_ID, "要修改的草稿", "a draft to edit"),
	{0}};
static const struct rpc_param material_put_params[] = {
	REQUEST,
	TEXT("name", true, 1, 47, "材料名称", "name of the material"),
	TEXT("content", true, 4, MAX_BASE64, "文件内容（base64）", "the file, base64"),
	{0}};
static const struct rpc_param material_get_params[] = {
	REQUEST,
	TEXT("name", true, 1, 47, "材料名称", "name of the material"),
	TEXT("sha256", true, 64, 64, "SHA-256", "its SHA-256"),
	TEXT("session", false, 1, 128, "会话", "the owner's session; officers need none"),
	{0}};
static const struct rpc_param request_params[] = {REQUEST, {0}};
static const struct rpc_param show_params[] = {
	REQUEST, NUMBER("wait_ms", false, 0, 10000, "等待办结的毫秒数", "wait for the end, at most so long"), {0}};
static const struct rpc_param request_list_params[] = {
	WORD("state", false, state_words, "状态", "only in this state"), PAGE, {0}};
static const struct rpc_param prove_params[] = {
	REQUEST, {"lines", PARAM_STRINGS, true, 1, 2, NULL, "签名行", "signature lines over the tally's text"}, {0}};
static const struct rpc_param queue_params[] = {TEXT("project", false, 1, 47, "项目", "only this project"),
						WORD("kind", false, kind_words, "业务类型", "only this kind"),
						{0}};
static const struct rpc_param approve_params[] = {
	REQUEST, TEXT("line", true, 1, 2048, "审核员的签名行", "the officer's signature line"), {0}};
static const struct rpc_param reject_params[] = {
	REQUEST, TEXT("reason", true, 1, 500, "理由", "why, for the subscriber"), {0}};
static const struct rpc_param revoke_params[] = {SERIAL_PARAM(true),
						 ISSUER,
						 TEXT("reason", true, 1, 31, "吊销原因", "reason, RFC 5280 5.3.1"),
						 TEXT("way", true, 1, 47, "办理方式", "one of the profile's ways"),
						 {0}};
static const struct rpc_param status_params[] = {
	{"serials", PARAM_STRINGS, false, 1, 1000, NULL, "证书序列号", "serial numbers"},
	{"refs", PARAM_OBJECTS, false, 1, 1000, NULL, "签发者和序列号", "[{issuer, serial}]"},
	{0}};
static const struct rpc_param crl_params[] = {
	ISSUER, NUMBER("shard", false, 0, 4095, "分片", "a shard; absent: the full CRL"), {0}};
static const struct rpc_param import_params[] = {
	{"rows", PARAM_OBJECTS, true, 1, 1000, NULL, "旧系统的记录", "rows of the old system's export"},
	{"dry_run", PARAM_BOOLEAN, false, 0, 0, NULL, "只检查，不写入", "check only"},
	{0}};

/* --- results: JSON Schema --- */

#define OBJECT(props) "{\"type\":\"object\",\"properties\":{" props "}}"
#define STR(n) "\"" n "\":{\"type\":\"string\"}"
#define INT(n) "\"" n "\":{\"type\":\"integer\"}"
#define BOOL(n) "\"" n "\":{\"type\":\"boolean\"}"
#define OBJ(n, props) "\"" n "\":" OBJECT(props)
#define ROWS(n, props) "\"" n "\":{\"type\":\"array\",\"items\":" OBJECT(props) "}"
#define STRS(n) "\"" n "\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"
#define BOTH(n) OBJ(n, STR("zh") "," STR("en"))
#define ACCOUNT STR("identifier") "," STR("organisation") "," STR("agent") "," STR("mobile") "," STRS("flags")
#define PROJECT STR("project") "," BOTH("title") "," STRS("aliases") "," STRS("profiles")
#define CONTACT                                                                                                        \
	OBJ("contact", BOTH("name") "," BOTH("hours") "," BOTH("address") "," STR("telephone") "," STR("emergency"))
#define SERVICE                                                                                                        \
	STR("id")                                                                                                      \
	"," STR("project") "," STR("service") "," STR(                                                                 \
		"certificate_name") ",\"serial\":{\"type\":[\"string\","                                               \
				    "\"null\"]}," STR("begins") "," STR("ends") "," STR("state") "," STR("action")
#define ORDER_IS                                                                                                       \
	STR("order")                                                                                                   \
	"," STR("kind") "," STR("service_id") "," INT("amount_fen") "," INT("period_months") "," INT("uses") "," INT(  \
		"uses_left") "," INT("months") "," STR("state") "," STR("created") "," STR("paid_at") "," STR("bank_"  \
													      "refere" \
													      "nce")
#define STATE STR("request") "," STR("state")
#define CERT                                                                                                           \
	STR("serial")                                                                                                  \
	"," STR("name") "," STR("issuer") "," STR("not_before") "," STR("not_after") "," STR("state") "," STR(         \
		"project") "," STR("profile") "," STRS("actions")
#define MATERIALS ROWS("materials", STR("name") "," STR("sha256") "," INT("bytes") "," STR("type"))
#define HISTORY                                                                                                        \
	ROWS("history", STR("at") "," STR("event") "," STR("from") "," STR("to") "," STR("who") "," STR("detail"))
#define ITEM STATE "," STR("kind") "," STR("way") "," STR("project") "," STR("serial") "," STR("made") "," STR("dies")

static const char empty_result[] = "{\"type\":\"object\",\"maxProperties\":0}";

#define METHOD(name_, fn_, mode_, roles_, session_, changes_, initial_, params_, result_, zh_, en_)                    \
	{                                                                                                              \
		.rpc = {.name = name_,                                                                                 \
			.roles = roles_,                                                                               \
			.session = session_,                                                                           \
			.changes = changes_,                                                                           \
			.params = params_,                                                                             \
			.result = result_,                                                                             \
			.zh = zh_,                                                                                     \
			.en = en_},                                                                                    \
		.mode = mode_, .with_initial = initial_, .fn = fn_                                                     \
	}
/* Of a person who is logged in: reading, changing. */
#define READS(name, fn, params, result, zh, en)                                                                        \
	METHOD(name, fn, MODE_READ, OWNER, true, false, false, params, result, zh, en)
#define CHANGES(name, fn, params, result, zh, en)                                                                      \
	METHOD(name, fn, MODE_CHANGE, OWNER, true, true, false, params, result, zh, en)

const struct desk_method desk_methods[] = {
	METHOD("account.login", account_login, MODE_OWN, OWNER, false, false, false, login_params,
	       OBJECT(STR("session") "," BOOL("must_reset") "," STR("expires") "," OBJ("account", ACCOUNT)), "登录",
	       "log in"),
	METHOD("account.reset", account_reset, MODE_OWN, OWNER, true, true, true, reset_params, empty_result,
	       "重置密码", "set a password of one's own"),
	METHOD("account.logout", account_logout, MODE_CHANGE, OWNER, true, true, true, none, empty_result, "退出",
	       "log out"),
	METHOD("account.show", account_show, MODE_READ, OWNER, true, false, true, none,
	       OBJECT(ACCOUNT "," BOOL("must_reset")), "我的信息", "what is on record"),

	METHOD("project.search", project_search, MODE_READ, ANYBODY, false, false, false, search_params,
	       OBJECT(ROWS("projects", PROJECT)), "搜索合作项目",
	       "find a project by name, alias or some of its characters"),
	METHOD("project.show", project_show, MODE_READ, ANYBODY, false, false, false, project_params,
	       OBJECT(PROJECT "," CONTACT
			      "," ROWS("services", STR("service") "," BOTH("title") "," STR("profile") "," INT(
							   "price_fen") "," INT("period_months"))),
	       "合作项目", "a project, its services and its service desk"),
	READS("service.list", service_list, list_params, OBJECT(ROWS("services", SERVICE) "," INT("total")), "我的服务",
	      "my services"),

	CHANGES("order.create", order_create, order_create_params, OBJECT(ORDER_IS), "下单续费",
		"order the renewal of a service"),
	READS("order.list", order_list, page_params, OBJECT(ROWS("orders", ORDER_IS) "," INT("total")), "我的订单",
	      "my orders"),
	READS("order.show", order_show, order_params, OBJECT(ORDER_IS), "订单", "one order"),
	CHANGES("order.pay", order_pay, order_params,
		OBJECT(ORDER_IS "," STR("reference") ",\"bank\":{\"type\":[\"object\",\"null\"],\"properties\":{" STR(
			"name") "," STR("bank") "," STR("account") "}}"),
		"付款", "bank details and the reference to pay under"),
	CHANGES("order.cancel", order_cancel, order_params, OBJECT(ORDER_IS), "取消订单", "cancel an unpaid order"),
	METHOD("order.confirm", order_confirm, MODE_CHANGE, DESK_OFFICER, false, true, false, confirm_params,
	       OBJECT(ORDER_IS), "确认收款", "the bank's reference has come: the service runs on"),

	READS("cert.list", cert_list, list_params, OBJECT(ROWS("certificates", CERT) "," INT("total")), "我的证书",
	      "my certificates"),
	READS("cert.show", cert_show, cert_params,
	      OBJECT(CERT "," STR("pem") "," STR("reason") "," STR("when") "," STR("successor")), "证书",
	      "one certificate"),

	CHANGES("request.prepare", request_prepare, prepare_params, OBJECT(STATE "," STR("tally") "," STRS("missing")),
		"填写申请", "draft a request, or edit a draft"),
	METHOD("request.show", request_show, MODE_OWN, OWNER, true, false, false, show_params,
	       OBJECT(ITEM "," STR("tally") "," STR("note") "," STRS("missing") "," MATERIALS "," HISTORY "," BOTH(
		       "explain") "," OBJ("refusal",
					  STR("rule") "," STR("where") "," STR(
						  "text")) "," STR("certificate") "," STR("certificate_serial")),
	       "申请", "one request"),
	READS("request.list", request_list, request_list_params, OBJECT(ROWS("requests", ITEM) "," INT("total")),
	      "我的申请", "my requests"),
	CHANGES("request.prove", request_prove, prove_params, OBJECT(STATE "," STRS("missing")), "签名",
		"bring the signature of the current key, the new key or both"),
	CHANGES("request.submit", request_submit, request_params, OBJECT(STATE), "提交申请", "hand the request in"),
	CHANGES("request.withdraw", request_withdraw, request_params, OBJECT(STATE), "撤回申请",
		"take the request back: its tally dies at the signer too"),
	METHOD("material.put", material_put, MODE_OWN, OWNER, true, true, false, material_put_params,
	       OBJECT(STR("sha256")), "上传材料", "add a material (PDF, JPEG, PNG) to a draft"),
	METHOD("material.get", material_get, MODE_OWN, OWNER | DESK_OFFICER, false, false, false, material_get_params,
	       OBJECT(STR("request") "," STR("name") "," STR("type") "," STR("content")), "下载材料",
	       "a material, for its owner or an officer"),

	METHOD("review.queue", review_queue, MODE_READ, DESK_OFFICER, false, false, false, queue_params,
	       OBJECT(ROWS("requests", ITEM "," STR("organisation") "," STR("officers"))), "待审核",
	       "what waits for officers"),
	METHOD("review.show", review_show, MODE_READ, DESK_OFFICER, false, false, false, request_params,
	       OBJECT(ITEM "," STR("tally") "," STR("note") "," MATERIALS "," STRS("checklist") "," STR(
		       "officers") "," ROWS("difference", STR("attribute") ",\"old\":{\"type\":[\"string\",\"null\"]},"
									   "\"new\":{\"type\":[\"string\",\"null\"]}")),
	       "审核", "one request, for officers"),
	METHOD("review.approve", review_approve, MODE_CHANGE, DESK_OFFICER, false, true, false, approve_params,
	       OBJECT(STATE "," STR("officers")), "审核通过", "an officer's signature line"),
	METHOD("review.reject", review_reject, MODE_CHANGE, DESK_OFFICER, false, true, false, reject_params,
	       OBJECT(STATE), "审核不通过", "an officer says no"),
	METHOD("review.prepare_revoke", review_prepare_revoke, MODE_CHANGE, DESK_OFFICER, false, true, false,
	       revoke_params, OBJECT(STATE "," STR("tally")), "吊销", "open the revocation of any certificate"),

	METHOD("status.query", status_query, MODE_READ, ANYBODY, false, false, false, status_params,
	       OBJECT(STR("as_of") "," INT("ledger_size") "," ROWS(
		       "answers", STR("serial") ",\"issuer\":{\"type\":[\"string\",\"null\"]}," STR("state") "," STR(
					  "reason") "," STR("when") "," STR("not_after") "," STR("successor"))),
	       "证书状态", "status by serial number, or by issuer and serial number"),
	METHOD("crl.get", crl_get, MODE_OWN, ANYBODY, false, false, false, crl_params,
	       OBJECT(STR("der") "," INT("number") "," STR("next_update")), "吊销列表", "the current CRL"),

	METHOD("policy.pending", policy_pending, MODE_READ, DESK_OFFICER | DESK_ADMIN, false, false, false, none,
	       OBJECT(STR("policy") "," ROWS("requests", STATE "," STR("kind") "," STR("policy") "," STR("dies"))),
	       "未办结的申请", "requests that are not final, with the policy that they were made under"),
	METHOD("import.accounts", import_accounts, MODE_OWN, DESK_ADMIN, false, true, false, import_params,
	       OBJECT(ROWS("report",
			   INT("line") "," STR("result") "," STR("text") "," STRS("flags")) "," BOOL("dry_run")),
	       "导入账号", "accounts and services of an old system"),
	METHOD("desk.health", desk_health, MODE_READ, ANYBODY, false, false, false, none,
	       OBJECT(STR("version") "," OBJ("signer", BOOL("reachable") "," BOOL("locked") "," INT("ledger_size")) "," INT(
		       "ledger_size") "," STR("as_of") "," INT("lag") "," INT("queue") "," ROWS("worries",
												STR("reason") "," STR(
													"text"))),
	       "运行状况", "signer, follower, queue, and reasons for worry"),
};
const size_t desk_n_methods = sizeof(desk_methods) / sizeof(desk_methods[0]);
