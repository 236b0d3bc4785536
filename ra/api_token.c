/*
 * USB keys: the officers' inventory, and an organisation's own.
 */
#include "ra/api.h"

#include "ra/token.h"

static const char *const step_words[] = {"next", "set", NULL};
static const char *const entry_words[] = {"stock",   "prepared", "in_use",   "lost",
					  "damaged", "returned", "scrapped", NULL};
#define TOKEN TEXT("token", true, 1, PUK_SERIAL, "USB Key 序列号", "serial number of the token")
#define HOLDER                                                                                                         \
	TEXT("identifier", false, 1, IDENTIFIER_MAX, "持有单位的代码", "identifier of the organisation that has it")
#define KEEPER TEXT("keeper", false, 1, TALLY_WORD - 1, "保管的审核员", "name of the officer who has it")
#define CERTIFICATE                                                                                                    \
	TEXT("certificate", false, 2, 2 * SERIAL_MAX, "装有的证书序列号", "serial number of the certificate on it")
#define PUK                                                                                                            \
	TEXT("puk", false, 1, 2 * PUK_BOX_MAX, "密封的管理密码（PUK）",                                                \
	     "its PUK, sealed to the desk's token key, base64")
#define AFTER                                                                                                          \
	TEXT("after", false, 1, PUK_SERIAL, "从该序列号之后开始",                                                      \
	     "rows behind this serial: `next` of the page before"),                                                    \
		NUMBER("per_page", false, 1, 100, "每页条数", "rows a page, 20 when absent")
static const struct rpc_param add_params[] = {
	TOKEN,
	TEXT("model", false, 1, TOKEN_MODEL_MAX, "型号", "model"),
	TEXT("label", false, 1, TOKEN_LABEL_MAX, "标签", "label"),
	WORD("state", false, entry_words, "状态，缺省为在库", "where it is; stock when absent"),
	HOLDER,
	KEEPER,
	CERTIFICATE,
	PUK,
	AS_OFFICER,
	{0}};
static const struct rpc_param puk_params[] = {
	TOKEN,
	WORD("step", true, step_words, "登记将要设置的，或报告已设置",
	     "next: record the one that is going to be set; set: it is on the token now"),
	PUK,
	AS_OFFICER,
	{0}};
static const struct rpc_param import_params[] = {
	{"rows", PARAM_OBJECTS, true, 1, 1000, NULL, "旧系统的 USB Key",
	 "tokens of an old system: the members of token.add, and line"},
	{"dry_run", PARAM_BOOLEAN, false, 0, 0, NULL, "只检查，不写入", "check only"},
	AS_OFFICER,
	{0}};
static const struct rpc_param list_params[] = {
	TEXT("token", false, 1, PUK_SERIAL, "序列号的开头", "what the serial number begins with"),
	HOLDER,
	KEEPER,
	WORD("state", false, token_state_words, "状态", "state"),
	AFTER,
	{0}};
static const struct rpc_param show_params[] = {TOKEN, {0}};
static const struct rpc_param move_params[] = {TOKEN,
					       WORD("to", true, token_state_words, "新状态", "where it goes"),
					       TEXT("why", true, 1, 500, "原因", "why, for the record"),
					       HOLDER,
					       CERTIFICATE,
					       AS_OFFICER,
					       {0}};
static const struct rpc_param mine_params[] = {AFTER, {0}};

#define TOKEN_IS                                                                                                       \
	STR("token")                                                                                                   \
	"," STR("model") "," STR("label") "," STR("state") "," STR("certificate") "," BOOL("puk_held") "," STR(        \
		"added") "," STR("changed")
#define OFFICER_WRITES(name, fn, mode, params, result, zh, en)                                                         \
	METHOD(name, fn, mode, DESK_OFFICER, false, true, false, params, result, zh, en)

static const struct desk_method methods[] = {
	OFFICER_WRITES("token.add", token_add, MODE_CHANGE, add_params, OBJECT(TOKEN_IS), "登记 USB Key",
		       "put a token into the inventory"),
	OFFICER_WRITES("token.puk", token_puk, MODE_CHANGE, puk_params, OBJECT(TOKEN_IS), "登记新的管理密码",
		       "another PUK: recorded before it is set, settled when it is"),
	OFFICER_WRITES("token.import", token_import, MODE_OWN, import_params,
		       OBJECT(ROWS("report", INT("line") "," STR("result") "," STR("reason") "," STR("text")) "," INT(
			       "refused") "," BOOL("written")),
		       "导入 USB Key", "tokens of an old system: all of them, or none when a row is refused"),
	METHOD("token.list", token_list, MODE_READ, DESK_OFFICER, false, false, false, list_params,
	       OBJECT(ROWS("tokens", TOKEN_IS) "," STR("next")), "USB Key 清单",
	       "the inventory by serial number, page by page"),
	METHOD("token.show", token_show, MODE_READ, DESK_OFFICER, false, false, false, show_params,
	       OBJECT(TOKEN_IS "," STRS("may_become") "," ROWS(
		       "history", STR("at") "," STR("event") "," STR("from") "," STR("to") "," STR("who") "," STR(
					  "why") "," STR("zh") "," STR("en"))),
	       "一个 USB Key", "one token with its history"),
	OFFICER_WRITES("token.move", token_move, MODE_CHANGE, move_params, OBJECT(TOKEN_IS), "变更 USB Key 的状态",
		       "a step in a token's life"),
	READS("token.mine", token_mine, mine_params, OBJECT(ROWS("tokens", TOKEN_IS) "," STR("next")), "我的 USB Key",
	      "the tokens of my organisation"),
};

static const struct rpc_message messages[] = {
	{"token_unlisted", "没有这个 USB Key 的登记", "there is no such token"},
	{"token_there", "该 USB Key 已登记", "the token is in the inventory already"},
	{"token_serial", "USB Key 序列号格式不正确", "this is no serial number of a token"},
	{"token_state", "USB Key 目前的状态不允许这样做", "the token's state does not allow this"},
	{"token_state_word", "USB Key 状态不正确", "there is no such state for a token that comes in"},
	{"token_holder", "USB Key 的持有单位不符或未登记", "the token's holder is missing or another"},
	{"token_certificate_live", "USB Key 中的证书仍然有效，请先吊销",
	 "the certificate on it is good: revoke it first"},
	{"token_certificate_taken", "该证书已登记在另一个 USB Key 上", "another token carries the certificate"},
	{"token_key_missing", "服务台未设置 USB Key 管理密钥，不保管管理密码",
	 "this desk has no token key: it holds no PUKs"},
	{"puk_sealed", "管理密码未按服务台的密钥密封", "the PUK is not sealed to the desk's token key"},
	{"puk_next_missing", "尚未登记新的管理密码", "no new PUK was recorded"},
	{"import_overtaken", "登记在导入期间发生了变化，请重试", "the inventory changed meanwhile: run it again"},
};

DESK_PART(api_token, methods, messages);
