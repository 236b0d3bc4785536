/*
 * Around a request: ways to choose, forms to print; requests without a certificate: the desk's record, and recoveries.
 */
#include "ra/api.h"

#include "ra/form.h"
#include "ra/plain.h"
#include "ra/way.h"

static const char *const step_words[] = {"sent", "delivered", "no_copy", "waived", NULL};
static const struct rpc_param open_params[] = {SERIAL_PARAM(true), ISSUER, {0}};
static const char *const format_words[] = {"html", "text", NULL};
static const struct rpc_param form_params[] = {
	TEXT("form", true, 1, 47, "表格或告知函", "name of a form or a risk notice"),
	REQUEST,
	WORD("format", false, format_words, "格式", "html when absent, a page that loads nothing; or text"),
	TEXT("session", false, 1, 128, "会话", "the owner's session; officers need none"),
	{0}};
static const struct rpc_param decide_params[] = {REQUEST, AS_OFFICER, {0}};
static const struct rpc_param recover_params[] = {
	REQUEST,
	WORD("step", true, step_words, "进展", "sent to the key centre, delivered, no copy held, waived in writing"),
	TEXT("note", true, 1, 500, "说明", "what was done, for the owner and the record"),
	AS_OFFICER,
	{0}};

static const struct desk_method methods[] = {
	CHANGES("recover.open", recover_open, open_params, OBJECT(STATE), "申请恢复证书",
		"open a recovery case: files that the present key opens, before it is replaced"),
	READS("request.ways", request_ways, open_params,
	      OBJECT(STR("serial") "," INT("review_days") "," ROWS(
		      "ways",
		      STR("kind") "," STR("way") "," BOTH("title") "," STR("makes") "," BOOL("linked_account") "," BOOL("recommended") "," INT(
			      "officers") "," STR("key") "," STR("order") "," STR("notice") "," BOTH("files") "," BOOL("possible"))),
	      "可办理的业务", "what can be done with a certificate, what it asks, and whether it is possible now"),
	METHOD("form.list", form_list, MODE_READ, ANYBODY, false, false, false, no_params,
	       OBJECT(ROWS("forms", STR("form") "," STR("what") "," STR("sha256"))), "表格下载",
	       "forms and risk notices"),
	METHOD("form.get", form_get, MODE_READ, OWNER | DESK_OFFICER, false, false, false, form_params,
	       OBJECT(STR("form") "," STR("sha256") "," STR("format") "," STR("content")), "下载表格",
	       "a form or risk notice, filled in for a request"),
	METHOD("review.recover", review_recover, MODE_CHANGE, DESK_OFFICER, false, true, false, recover_params,
	       OBJECT(STATE), "推进恢复证书", "move a recovery case; no key passes through the desk"),
	METHOD("review.decide", review_decide, MODE_CHANGE, DESK_OFFICER, false, true, false, decide_params,
	       OBJECT(STATE), "同意变更登记", "say yes to a change of the desk's record"),
};

static const struct rpc_message messages[] = {
	{"form_unknown", "没有这种表格", "there is no such form"},
	{"record_terms", "法定代表人变更只需填写新的法定代表人姓名",
	 "this change takes the new representative's name alone"},
	{"record_same", "登记的法定代表人没有变化", "the record says so already"},
	{"nothing_to_sign", "该申请不涉及证书，无需签名",
	 "this request makes no certificate: there is nothing to sign"},
	{"decide_kind", "该申请涉及证书，须由审核员签名", "this request asks for a certificate: officers sign it"},
	{"recovery_open", "恢复证书尚未办结", "a recovery case is open"},
	{"recovery_missing", "请先办理恢复证书，并提交放弃恢复的书面声明", "no recovery case was waived in writing"},
	{"recovery_kind", "该申请不是恢复证书", "this is no recovery case"},
	{"waiver_missing", "缺少放弃恢复证书声明（盖章扫描件）", "the stamped waiver is missing"},
};

DESK_PART(api_case, methods, messages);
