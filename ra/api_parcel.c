/*
 * Works and parcels: keys that the desk makes, and their way to their owners.
 */
#include "ra/api.h"

#include "ra/parcel.h"
#include "ra/work.h"

#define TOKEN TEXT("token", true, 1, WORK_TOKEN_MAX, "UKey 序列号", "serial number of the token")
#define PARCEL                                                                                                                                             \
	STATE "," STR("token") "," STR("recipient") "," STR("mobile") "," STR("address") "," STR("carrier") "," STR("tracking") "," STR("packed") "," STR( \
		"shipped") "," STR("due") "," BOOL("overdue") "," STR("reminded") "," STR("ended") "," STR("ended_by") "," STR("ended_from") "," STR("note")
#define WHOSE TEXT("session", false, 1, 128, "会话", "the owner's session; officers need none")

static const char *const state_words[] = {"packed", "shipped", "received", "lost", "returned", "undone", NULL};
static const struct rpc_param csr_params[] = {
	REQUEST,
	TOKEN,
	TEXT("csr", true, 1, 32768, "新密钥的证书请求（PEM）", "PKCS#10 of the key on the token, PEM"),
	TEXT("start_pin", false, 4, 32, "初始 PIN", "start PIN: kept sealed, sent by SMS when the parcel leaves"),
	AS_OFFICER,
	{0}};
static const struct rpc_param prove_params[] = {
	REQUEST,
	TEXT("line", true, 1, 2048, "新密钥的签名行", "signature line of the key on the token"),
	AS_OFFICER,
	{0}};
static const struct rpc_param again_params[] = {
	REQUEST, TEXT("note", true, 1, PARCEL_NOTE_MAX, "原因", "why the token can't be used"), AS_OFFICER, {0}};
static const struct rpc_param list_params[] = {
	WORD("state", false, state_words, "状态", "only in this state"),
	{"overdue", PARAM_BOOLEAN, false, 0, 0, NULL, "只看逾期未签收的", "only those whose receipt is overdue"},
	WHOSE,
	LONG_PAGE,
	{0}};
static const struct rpc_param show_params[] = {REQUEST, WHOSE, {0}};
static const struct rpc_param pack_params[] = {REQUEST, TOKEN, AS_OFFICER, {0}};
static const struct rpc_param ship_params[] = {
	REQUEST,
	TEXT("carrier", true, 1, CARRIER_MAX, "快递公司", "who carries it"),
	TEXT("tracking", true, 1, TRACKING_MAX, "快递单号", "the carrier's number"),
	TEXT("recipient", false, 1, DELIVERY_NAME_MAX, "收件人（更正）", "corrected recipient"),
	TEXT("mobile", false, 1, DELIVERY_PHONE_MAX, "收件电话（更正）", "corrected telephone"),
	TEXT("ship_to", false, 1, DELIVERY_ADDRESS_MAX, "收件地址（更正）", "corrected address"),
	AS_OFFICER,
	{0}};
static const struct rpc_param lost_params[] = {REQUEST,
					       TEXT("note", true, 1, PARCEL_NOTE_MAX, "说明", "what is known of it"),
					       {"close", PARAM_BOOLEAN, false, 0, 0, NULL, "同时关闭申请",
						"the request ends too; absent: another token is picked"},
					       AS_OFFICER,
					       {0}};
static const struct rpc_param returned_params[] = {
	REQUEST, TOKEN, TEXT("note", true, 1, PARCEL_NOTE_MAX, "说明", "why it came back"), AS_OFFICER, {0}};
static const struct rpc_param receive_params[] = {REQUEST, TOKEN, {0}};

#define OFFICERS(name, fn, params, result, zh, en)                                                                     \
	METHOD(name, fn, MODE_CHANGE, DESK_OFFICER, false, true, false, params, result, zh, en)

static const struct desk_method methods[] = {
	OFFICERS("work.csr", work_csr, csr_params, OBJECT(STATE "," STR("token") "," STR("tally")), "登记新密钥",
		 "the key that was made on a token: the request's tally names it from now on"),
	OFFICERS("work.prove", work_prove, prove_params, OBJECT(STATE), "新密钥签名",
		 "the token's signature over the tally; officers are asked"),
	OFFICERS("work.again", work_again, again_params, OBJECT(STATE), "更换 UKey",
		 "the token can't be used: its key is given up, and another is to be made"),
	METHOD("parcel.list", parcel_list, MODE_READ, OWNER | DESK_OFFICER, false, false, false, list_params,
	       OBJECT(ROWS("parcels", PARCEL) "," LIST_END), "我的签收",
	       "my parcels; for officers all, the first due first"),
	METHOD("parcel.show", parcel_show, MODE_READ, OWNER | DESK_OFFICER, false, false, false, show_params,
	       OBJECT(PARCEL "," STR("request_state")), "包裹", "the parcel of a request"),
	OFFICERS("parcel.pack", parcel_pack, pack_params, OBJECT(PARCEL), "装箱", "the token lies in its parcel"),
	OFFICERS("parcel.ship", parcel_ship, ship_params, OBJECT(PARCEL), "寄出",
		 "the parcel has gone; the start PIN goes by SMS"),
	OFFICERS("parcel.lost", parcel_lost, lost_params, OBJECT(PARCEL "," STR("request_state")), "包裹遗失",
		 "the parcel never arrived: its key is given up"),
	OFFICERS("parcel.returned", parcel_returned, returned_params, OBJECT(PARCEL), "包裹退回",
		 "the parcel came back; it may be shipped again"),
	METHOD("parcel.receive", parcel_receive, MODE_OWN, OWNER, true, true, false, receive_params,
	       OBJECT(STATE "," STR("token") "," STR("received") "," STR("tally")), "签收",
	       "the token has arrived: the approved tally goes to the signer"),
};

static const struct rpc_message messages[] = {
	{"delivery_form", "请完整填写收件人、电话和地址", "recipient, telephone and address of the parcel are needed"},
	{"telephone_form", "电话号码格式不正确", "this is no telephone number that a carrier can call"},
	{"delivery_kind", "只有新办和补办可以寄送 UKey", "a key is shipped for enrol and reissue alone"},
	{"delivery_csr", "新密钥要么自备，要么由服务台制作", "bring a new key, or have the desk make one"},
	{"work_kind", "该申请不由服务台制作密钥", "the desk makes no key for this request"},
	{"work_under_way", "该证书已有补办申请正在办理", "a reissue of this certificate is under way"},
	{"key_at_desk", "密钥由服务台制作，无需签名，请直接提交",
	 "the desk makes the key: submit, there is nothing to sign"},
	{"token_taken", "该 UKey 已用于其他申请", "this token serves another request"},
	{"token_packed", "该 UKey 已装入其他包裹", "this token lies in another parcel"},
	{"token_other", "UKey 序列号不符，请与服务台联系", "this is another token: ask the desk"},
	{"parcel_unknown", "该申请还没有包裹", "the request has no parcel yet"},
	{"parcel_state", "包裹的当前状态不允许这个操作", "not possible in the parcel's state"},
	{"parcel_shipped", "包裹已寄出", "the parcel is on its way, or has arrived"},
	{"parcel_lost", "包裹遗失，申请已关闭", "the parcel was lost, and the request is closed"},
};

DESK_PART(api_parcel, methods, messages);
