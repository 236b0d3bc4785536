/*
 * The owner's side of a request.
 */
#include "ra/ahead.h"
#include "ra/api.h"

#include "ra/request.h"
#include "ra/standing.h"

static const char *const kind_words[] = {"extend", "change", "enrol", "reissue", "revoke", NULL};
static const char *const seen_words[] = {"token", "paper", "call", "person", NULL};
static const char *const files_words[] = {"no", "yes", "waived", NULL};
static const char *const state_words[] = {"drafted",
					  "awaiting_proof",
					  "awaiting_officers",
					  "approved",
					  "sent",
					  "issued",
					  "refused",
					  "withdrawn",
					  "expired",
					  "to_correct",
					  "opened",
					  "at_key_centre",
					  "done",
					  "delivered",
					  "no_copy",
					  "waived",
					  "corrected",
					  "to_make",
					  "keyed",
					  "to_ship",
					  "in_post",
					  "lapsed",
					  "sealed",
					  "released",
					  "failed",
					  NULL};
static const struct rpc_param prepare_params[] = {
	WORD("kind", true, kind_words, "业务类型", "extend, change, enrol, reissue or revoke"),
	TEXT("way", true, 1, 47, "办理方式", "one of the profile's ways"),
	TEXT("serial", false, 2, 40, "证书序列号", "serial number of the certificate, upper-case hex; none for enrol"),
	ISSUER,
	TEXT("project", true, 1, 47, "项目", "the certificate's project"),
	TEXT("profile", false, 1, 47, "证书类型", "when absent the certificate's own, or the project's only one"),
	{"subject", PARAM_OBJECTS, false, 0, 16, NULL, "主体属性",
	 "[{attribute, value}]: to change, or of a first certificate"},
	NUMBER("months", false, 0, 1200, "月数", "months to extend, or of a first certificate; 0 keeps the validity"),
	TEXT("order", false, 1, ORDER_ID_MAX, "已付款的订单", "a paid order"),
	TEXT("csr", false, 1, 32768, "新密钥的证书请求（PEM）", "PKCS#10 of a new key, PEM; absent: the same key"),
	WORD("files", false, files_words, "是否还有加密文件尚未开标", "encrypted files not yet opened?"),
	{"notice_accepted", PARAM_BOOLEAN, false, 0, 0, NULL, "已接受风险告知函", "the risk notice is accepted"},
	WORD("key_seen", false, seen_words, "审核员核对新密钥的方式",
	     "enrol, reissue: how the officers see the new key"),
	TEXT("recipient", false, 1, DELIVERY_NAME_MAX, "收件人",
	     "enrol, reissue: the desk makes the key on a USB key and ships it to this person"),
	TEXT("mobile", false, 1, DELIVERY_PHONE_MAX, "收件电话", "with recipient: a telephone for the carrier"),
	TEXT("ship_to", false, 1, DELIVERY_ADDRESS_MAX, "收件地址", "with recipient: where the parcel goes"),
	TEXT("collides", false, 1, CERT_REF_TEXT_MAX, "同一代码的现有证书",
	     "certificate of the same identifier that may live on: issuer's key id, space, serial number"),
	TEXT("reason", false, 1, 31, "吊销原因", "revoke: reason, RFC 5280 5.3.1"),
	{"save", PARAM_BOOLEAN, false, 0, 0, NULL, "只保存草稿",
	 "only save: terms that a rule refuses are kept, and told"},
	TEXT("request", false, 8, REQUEST_ID, "要修改的草稿或要补正的申请",
	     "a draft to edit, or a request that is to be corrected"),
	{0}};
static const struct rpc_param request_params[] = {REQUEST, {0}};
static const struct rpc_param submit_params[] = {REQUEST,
						 {"keep_valid", PARAM_BOOLEAN, false, 0, 0, NULL,
						  "遗失补办时不挂起原证书",
						  "reissue of a lost key: do not hold its certificate"},
						 {0}};
static const struct rpc_param show_params[] = {
	REQUEST, NUMBER("wait_ms", false, 0, 10000, "等待办结的毫秒数", "wait for the end, at most so long"), {0}};
static const struct rpc_param request_list_params[] = {
	WORD("state", false, state_words, "状态", "only in this state"), PAGE, {0}};
static const struct rpc_param prove_params[] = {
	REQUEST,
	{"lines", PARAM_STRINGS, true, 1, 2, NULL, "签名行", "signature lines over the tally's text"},
	{"submit", PARAM_BOOLEAN, false, 0, 0, NULL, "同时提交申请",
	 "hand the request in as well, as request.submit does"},
	{"keep_valid", PARAM_BOOLEAN, false, 0, 0, NULL, "遗失补办时不挂起原证书",
	 "with submit, reissue of a lost key: do not hold its certificate"},
	{0}};

static const struct rpc_param hold_params[] = {SERIAL_PARAM(true), ISSUER, {0}};

#define HOLD OBJ("hold", STR("request") "," STR("number") "," STR("zh") "," STR("en"))
#define HISTORY                                                                                                        \
	ROWS("history", STR("at") "," STR("event") "," STR("from") "," STR("to") "," STR("who") "," STR(               \
				"detail") "," STR("zh") "," STR("en"))

static const struct desk_method methods[] = {
	CHANGES("request.prepare", request_prepare, prepare_params,
		OBJECT(STATE "," STR("makes") "," STR("tally") "," MISSING), "填写申请",
		"draft a request, or edit a draft"),
	METHOD_AHEAD("request.show", request_show, request_show_ahead, MODE_AWAIT, OWNER, true, false, false, show_params,
	       OBJECT(ITEM "," ROWS("subject", STR("attribute") "," STR("value")) "," STR("files") "," STR("tally") "," STR(
		       "note") "," MISSING "," MATERIALS "," HISTORY
			       "," BOTH("explain") "," OBJ("refusal", STR("rule") "," STR("where") "," STR("text")) "," STR("certificate") "," STR("certificate_serial") "," STR(
				       "key_fingerprint") "," STR("key_seen") "," OBJ("delivery",
										      STR("recipient") "," STR("mobile") "," STR(
											      "address")) "," STR("toke"
														  "n")),
	       "申请", "one request"),
	READS("request.list", request_list, request_list_params,
	      OBJECT(ROWS("requests", ITEM "," COURSE) "," INT("total")), "我的申请", "my requests"),
	METHOD_AHEAD("request.prove", request_prove, ahead_proof, MODE_CHANGE, OWNER, true, true, false, prove_params,
		     OBJECT(STATE "," MISSING "," HOLD), "签名",
		     "bring the signature of the current key, the new key or both"),
	CHANGES("request.submit", request_submit, submit_params, OBJECT(STATE "," HOLD), "提交申请",
		"hand the request in"),
	CHANGES("request.hold", request_hold, hold_params, OBJECT(STATE), "挂起",
		"hold an own certificate at once: a key that may be lost"),
	CHANGES("request.withdraw", request_withdraw, request_params, OBJECT(STATE), "撤回申请",
		"take the request back: its tally dies at the signer too"),
};

static const struct rpc_message messages[] = {
	{"request_unknown", "没有找到这项申请", "you have no such request"},
	{"request_state", "申请的当前状态不允许这个操作", "not possible in the request's state"},
	{"requests_many", "未办结的申请过多", "too many open requests"},
	{"materials_missing", "材料不齐全", "materials are missing"},
	{"notice_missing", "请先阅读并接受证书业务风险告知函", "accept the risk notice first"},
	{"files_unsaid", "请回答是否还有加密文件尚未开标", "say whether encrypted files are not yet opened"},
	{"files_pending", "还有加密文件尚未开标，请先办理恢复证书",
	 "encrypted files are not yet opened: recover first"},
	{"draft_saved", "草稿只是保存过，请重新填写并确认", "this draft was only saved: prepare it once more"},
	{"correction_unchanged", "需补正的材料与原来的完全相同",
	 "a material that was to be corrected is the same file again"},
	{"collides_form", "同一代码的现有证书填写格式不正确", "the colliding certificate is named in the wrong form"},
	{"service_has_certificate", "该服务已有证书", "the service has a certificate already"},
	{"subject_twice", "同一主体属性重复", "a subject attribute stands twice"},
};

DESK_PART(api_request, methods, messages);
