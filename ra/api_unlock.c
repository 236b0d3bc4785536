/*
 * Unlocking tokens.
 */
#include "ra/api.h"

#include "ra/unlock.h"

static const char *const result_words[] = {"done", "failed", NULL};
static const char *const puk_words[] = {"next", "kept", NULL};
#define PUK                                                                                                            \
	TEXT("puk", true, 1, 2 * PUK_BOX_MAX, "密封的管理密码（PUK）",                                                 \
	     "the PUK, sealed to the other side's key, base64")
static const struct rpc_param open_params[] = {
	TEXT("token", true, 1, PUK_SERIAL, "USB Key 序列号", "serial number of the token"),
	TEXT("key", true, 64, 64, "客户端的一次性公钥", "the client's one-time X25519 key, 64 hex characters"),
	{0}};
static const struct rpc_param request_params[] = {REQUEST, {0}};
static const struct rpc_param renew_params[] = {REQUEST, PUK, {0}};
static const struct rpc_param report_params[] = {
	REQUEST,
	WORD("result", true, result_words, "结果", "done: a new PIN is set; failed"),
	WORD("puk", false, puk_words, "USB Key 上现在的管理密码",
	     "next: the recorded one is on the token now; kept: the old one"),
	TEXT("text", false, 1, 300, "说明", "what happened"),
	{0}};
static const struct rpc_param unlock_params[] = {REQUEST, PUK, AS_OFFICER, {0}};

static const struct desk_method methods[] = {
	CHANGES("unlock.open", unlock_open, open_params, OBJECT(STATE "," STR("token")), "申请解锁 USB Key",
		"ask to have a token unlocked: with a one-time key, whose code the two people compare"),
	METHOD("unlock.take", unlock_take, MODE_OWN, OWNER, true, true, false, request_params,
	       OBJECT(STATE "," STR("puk")), "取得解锁信息", "the PUK, sealed to the one-time key: once"),
	CHANGES("unlock.renew", unlock_renew, renew_params, OBJECT(STATE), "登记新的管理密码",
		"the PUK that is going to be set, sealed to the desk's token key"),
	CHANGES("unlock.report", unlock_report, report_params, OBJECT(STATE), "报告解锁结果", "how it ended"),
	METHOD("review.unlock", review_unlock, MODE_CHANGE, DESK_OFFICER, false, true, false, unlock_params,
	       OBJECT(STATE), "同意解锁", "an officer's yes: the PUK, sealed to the client's one-time key"),
};

static const struct rpc_message messages[] = {
	{"unlock_puk_unknown", "服务台没有保管该 USB Key 的管理密码，无法解锁：请先申请恢复证书，再办理补办",
	 "the desk holds no PUK of this token and can't unlock it: ask for a recovery first, then for a reissue"},
	{"unlock_no_token", "服务台没有该证书所在 USB Key 的登记，请联系服务台",
	 "no token with this certificate is on record: ask the service desk"},
	{"unlock_token_state", "该 USB Key 不在使用中，不能解锁", "the token is not in use"},
	{"unlock_no_certificate", "该 USB Key 没有登记证书，请联系服务台", "no certificate of the token is on record"},
	{"unlock_open", "该 USB Key 的解锁申请尚未办结", "an unlock of this token has not ended"},
	{"unlock_kind", "该申请不是解锁", "this request is no unlock"},
	{"unlock_key", "一次性公钥格式不正确", "the one-time key is malformed"},
	{"unlock_released", "解锁信息已经发出，只发一次", "the PUK was handed out already"},
};

DESK_PART(api_unlock, methods, messages);
