/*
 * What a page can ask of the agent, as a table: JSON-RPC 2.0, the desk's own way. A page's `session` is its pairing. While one call
 * has a question open, or a token in hand, others are told to wait.
 */
#include "tools/hufu/agent.h"

#include "common/base/puk.h"
#include "common/note/note.h"

#include <string.h>

#define PAGE 1u
#define CERT_TEXT 32768

/* --- hello and pairing --- */

static enum err hello(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	(void)call;
	(void)f;
	*ret = json_pack("{s:s,s:s,s:b,s:b,s:b}", "agent", "hufu", "version", HUFU_VERSION, "officer",
			 (int)(at->agent->officer_key != NULL), "unlocks", (int)(at->agent->token_key != NULL), "opens",
			 (int)(at->agent->escrow != NULL));
	return OK;
}

static enum err pair_begin(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	char code[PAIRING_DIGITS + 1];
	(void)call;
	TRY(pairing_begin(&at->agent->pairing, at->origin, code, f));
	_cleanup_(freep) char *text =
		xasprintf("%s\n配对码 / pairing code: %s\n"
			  "请在该网页输入，勿告知他人 / type it on that page, and tell it to nobody\n",
			  at->origin, code);
	agent_tell(at->agent, "pair", text);
	*ret = json_pack("{s:i}", "digits", PAIRING_DIGITS);
	return OK;
}

static enum err pair_finish(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	char token[PAIRING_TOKEN + 1];
	const char *code = json_string_value(json_object_get(call->params, "code"));
	TRY(pairing_finish(&at->agent->pairing, at->origin, code, token, f));
	*ret = json_pack("{s:s}", "session", token);
	return OK;
}

/* --- work on a token --- */

static const struct {
	const char *method;
	rpc_method_fn *fn;
} works[] = {
	{"token.list", agent_list},	    {"token.sign", agent_sign},
	{"token.keygen", agent_keygen},	    {"token.install", agent_install},
	{"token.test", agent_test},	    {"token.pin", agent_pin},
	{"unlock.ask", agent_unlock_ask},   {"unlock.next", agent_unlock_next},
	{"unlock.set", agent_unlock_set},   {"unlock.forget", agent_unlock_forget},
	{"officer.approve", agent_approve}, {"officer.unlock", agent_agree},
	{"officer.make", agent_make},
};

/* What a token or its library answers is for the person to read: at the desk such errors stay in the log. */
static enum err work(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	enum err e = ERR_INTERNAL;
	for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
		if (strcmp(works[i].method, call->method) == 0)
			e = works[i].fn(arg, call, ret, f);
	if (e == ERR_IO)
		e = agent_pulled(((struct agent_call *)arg)->agent, call->params, f);
	if (e == ERR_IO)
		f->kind = e = ERR_BUSY;
	return e;
}

/* --- the table --- */

#define EXPECT                                                                                                         \
	{                                                                                                              \
		"expect", PARAM_STRING, false, 1, PUK_SERIAL, NULL, "应插入的 USB Key 的序列号",                       \
			"serial number of the token that is meant; another one that is plugged in is an error"         \
	}
#define REQUEST                                                                                                        \
	{                                                                                                              \
		"request", PARAM_STRING, true, 1, 64, NULL, "申请编号", "number or id of the request"                  \
	}
static const char *const algorithms[] = {"p256", "rsa", NULL};
static const struct rpc_param
	none[] = {{0}},
	expect[] = {EXPECT, {0}},
	code_params[] = {{"code", PARAM_STRING, true, 1, 16, NULL, "配对码", "the agent's code"}, {0}},
	sign_params[] = {{"text", PARAM_STRING, true, 1, NOTE_MAX_BYTES, NULL, "要签署的文本", "the text"},
			 {"certificate", PARAM_STRING, false, 1, CERT_TEXT, NULL, "当前证书",
			  "the present certificate, PEM, where it is not on the token"},
			 {"line", PARAM_STRING, false, 1, NOTE_MAX_NAME, NULL, "签名行的名称",
			  "first log-in: name of the signature line"},
			 {"identifier", PARAM_STRING, false, 1, 64, NULL, "账户的机构代码", "first log-in: whose"},
			 EXPECT,
			 {0}},
	keygen_params[] = {{"algorithm", PARAM_STRING, true, 0, 0, algorithms, "密钥算法", "as the profile wants it"},
			   EXPECT,
			   {0}},
	install_params[] = {{"certificate", PARAM_STRING, true, 1, CERT_TEXT, NULL, "证书", "the certificate, PEM"},
			    EXPECT,
			    {0}},
	puk_params[] = {{"puk", PARAM_STRING, true, 1, 2 * PUK_BOX_MAX, NULL, "密封的 PUK", "what unlock.take gave"},
			EXPECT,
			{0}};
static const struct rpc_param approve_params[] = {REQUEST, EXPECT, {0}};
static const struct rpc_param agree_params[] = {REQUEST, {0}};
static const struct rpc_param make_params[] = {
	REQUEST,
	{"algorithm", PARAM_STRING, true, 0, 0, algorithms, "密钥算法", "as the profile wants it"},
	EXPECT,
	{0}};

static const struct rpc_method methods[] = {
	{"agent.hello", hello, PAGE, false, false, none, "{}", "客户端在吗？", "is there an agent?"},
	{"pair.begin", pair_begin, PAGE, false, false, none, "{}", "显示配对码", "show a pairing code at the agent"},
	{"pair.finish", pair_finish, PAGE, false, false, code_params, "{}", "配对", "pair this page"},
	{"token.list", work, PAGE, true, false, none, "{}", "已插入的 USB Key", "tokens that are plugged in"},
	{"token.sign", work, PAGE, true, false, sign_params, "{}", "签署", "sign a tally, or a first log-in"},
	{"token.keygen", work, PAGE, true, false, keygen_params, "{}", "生成密钥", "make a key and its request"},
	{"token.install", work, PAGE, true, false, install_params, "{}", "安装证书",
	 "put a certificate beside its key, and try it"},
	{"token.test", work, PAGE, true, false, expect, "{}", "测试", "do its keys sign, and decipher?"},
	{"token.pin", work, PAGE, true, false, expect, "{}", "修改 PIN", "change the PIN"},
	{"unlock.ask", work, PAGE, true, false, expect, "{}", "申请解锁", "a one-time key for unlock.open"},
	{"unlock.next", work, PAGE, true, false, puk_params, "{}", "收到 PUK", "a PUK for unlock.renew"},
	{"unlock.set", work, PAGE, true, false, expect, "{}", "设置新 PIN", "set the new PIN"},
	{"unlock.forget", work, PAGE, true, false, expect, "{}", "解锁结束", "the unlock is over"},
	{"officer.approve", work, PAGE, true, false, approve_params, "{}", "审批", "an officer's yes to a request"},
	{"officer.unlock", work, PAGE, true, false, agree_params, "{}", "同意解锁", "an officer's yes to an unlock"},
	{"officer.make", work, PAGE, true, false, make_params, "{}", "制作密钥",
	 "the key of a request, on a token of the desk's"},
};

static const struct rpc_message messages[] = {
	{"agent_unpaired", "此网页尚未与客户端配对", NULL},
	{"agent_officer", "此客户端未配置审核员密钥", NULL},
	{"agent_escrow", "此客户端未配置打开 PUK 的密钥", NULL},
	{"code_wrong", "核对码不符，未解锁。如果听到和输入都无误，可能有人替换了密钥，请停止办理", NULL},
	{"work_state", "该申请现在不能制作密钥", NULL},
	{"fingerprint_wrong", "输入的字符与新密钥不符，未签署", NULL},
	{"nothing_to_sign", "此申请不产生证书，无需签署", NULL},
	{"material_hash", "材料与所签文本中的散列值不符，请勿批准", NULL},
	{"key_seen", "请插入新密钥所在的 USB Key", NULL},
	{"sealed_open", "口令错误", NULL},
	{"agent_busy", "客户端正在等待您的确认，请先在客户端窗口回答", NULL},
	{"pair_code", "配对码不正确", NULL},
	{"pair_closed", "配对码多次错误，请十分钟后再试", NULL},
	{"pair_often", "配对码请求过多，请在十分钟后再试", NULL},
	{"not_confirmed", "您未在客户端确认，未做任何操作", NULL},
	{"prompt_program", "客户端的确认窗口未能打开", NULL},
	{"secret_no_terminal", "客户端没有可输入 PIN 的终端", NULL},
	{"secret_cancelled", "您取消了输入", NULL},
	{"secret_mismatch", "两次输入的 PIN 不一致", NULL},
	{"token_other", "插入的是另一个 USB Key，未做任何操作", NULL},
	{"token_absent", "未插入 USB Key", NULL},
	{"token_ambiguous", "插入了多个 USB Key，请只保留一个", NULL},
	{"token_pulled", "USB Key 已被拔出，未发送任何内容，请重新插入后再试", NULL},
	{"token_full", "USB Key 空间已满", NULL},
	{"token_failed", "USB Key 操作失败", NULL},
	{"token_module", "USB Key 的驱动未能加载", NULL},
	{"pin_wrong", "PIN 错误", NULL},
	{"pin_locked", "PIN 已锁定，请申请解锁", NULL},
	{"pin_start", "请先修改初始 PIN", NULL},
	{"pin_same", "新 PIN 与原 PIN 相同", NULL},
	{"pin_form", "新 PIN 长度不符", NULL},
	{"key_not_on_token", "USB Key 中没有所需的密钥", NULL},
	{"text_kind", "客户端只签署业务文本，不签署其他内容", NULL},
	{"token_key", "客户端未配置解锁所需的服务台公钥", NULL},
	{"unlock_elsewhere", "解锁申请是在另一台电脑或另一个用户下提出的", NULL},
	{"unlock_order", "尚未收到解锁用的 PUK", NULL},
	{"puk_wrong", "管理密码错误，无法解锁", NULL},
	{"puk_locked", "管理密码已锁定，请补办", NULL},
};

/* --- who may --- */

static uint64_t roles_of(void *arg, const struct rpc_peer *peer)
{
	(void)arg;
	(void)peer;
	return PAGE;
}

static enum err enter(void *arg, struct rpc_call *call, const char *token, struct fault *f)
{
	struct agent_call *at = arg;
	(void)call;
	if (!pairing_holds(&at->agent->pairing, at->origin, token))
		return fault_raise(f, ERR_DENIED, "agent_unpaired", "session",
				   "this page is not paired with this agent");
	if (pthread_mutex_trylock(&at->agent->busy) != 0)
		return fault_raise(f, ERR_BUSY, "agent_busy", "agent",
				   "the agent has a question open: answer it there first");
	return OK;
}

static void leave(void *arg, struct rpc_call *call)
{
	struct agent_call *at = arg;
	(void)call;
	pthread_mutex_unlock(&at->agent->busy);
}

void agent_handle(struct agent *a, const char *origin, struct slice request, struct buf *reply)
{
	struct agent_call at = {a, origin};
	struct jsonrpc_config c = {.title = "Hufu agent",
				   .version = HUFU_VERSION,
				   .methods = methods,
				   .n_methods = sizeof methods / sizeof methods[0],
				   .messages = messages,
				   .n_messages = sizeof messages / sizeof messages[0],
				   .role_words = (const char *const[]){"page", NULL},
				   .roles = roles_of,
				   .session = enter,
				   .session_done = leave,
				   .arg = &at};
	jsonrpc_handle(&c, &(struct rpc_peer){0}, request, reply);
}
