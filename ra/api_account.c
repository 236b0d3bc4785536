/*
 * What people do with their account: log in, set a password, see what is on record.
 */
#include "ra/api.h"

#include "ra/account_case.h"
#include "ra/code.h"
#include "ra/password.h"
#include "ra/picture.h"

#define PICTURE                                                                                                        \
	TEXT("picture", false, 2 * 16, 2 * 16, "图形验证码编号", "id of a picture, from account.picture"),             \
		TEXT("picture_code", false, PICTURE_CHARS, PICTURE_CHARS, "图形验证码", "what the picture shows")
#define MAX_BASE64 (960u * 1024u)
#define SESSION_MAYBE TEXT("session", false, 1, 128, "会话", "session, where there is one")
#define IDENTIFIER(req, zh, en) TEXT("identifier", req, 1, IDENTIFIER_MAX, zh, en)
#define MOBILE(req) TEXT("mobile", req, 1, MOBILE_MAX, "手机号", "mobile number, eleven digits")
#define SMS_CODE(req) TEXT("sms_code", req, 6, 6, "短信验证码", "the six digits of the message")
#define NEW_PASSWORD                                                                                                   \
	TEXT("new_password", true, 1, PASSWORD_MAX, "新密码", "the new password"),                                     \
		TEXT("new_password_again", false, 1, PASSWORD_MAX, "再次输入新密码",                                   \
		     "the same again, as a person typed it")

static const char *const purpose_words[] = {"bind", "recorded", "old", "new", "forgot", "register", NULL};
static const char *const field_words[] = {"identifier",	  "organisation",	"agent", "mobile", "sms_code",
					  "new_password", "new_password_again", "mail",	 NULL};
static const char *const agent_words[] = {"sms", "officer", NULL};
static const char *const case_words[] = {"open", "accepted", "refused", NULL};
static const char *const decision_words[] = {"accept", "refuse", NULL};
static const char *const way_words[] = {"key", "sms", "officer", NULL};

static const struct rpc_param login_params[] = {IDENTIFIER(true, "用户名：手机号、组织机构代码或统一社会信用代码",
							   "mobile number, organisation code or unified code"),
						TEXT("password", true, 1, PASSWORD_MAX, "密码", "password"),
						PICTURE,
						{0}};
static const struct rpc_param prove_params[] = {
	WORD("way", true, way_words, "验证方式", "how the first log-in is shown to be the organisation's"),
	TEXT("line", false, 1, 1200, "证书密钥的签名行", "way key: the signature line over account.proof's text"),
	TEXT("code", false, 1, 40, "短信验证码或审核员给的验证码", "way sms, officer: the code"),
	{0}};
static const struct rpc_param grant_params[] = {
	IDENTIFIER(true, "用户名", "organisation code or unified code"),
	TEXT("reason", true, 1, 400, "核实依据", "what the officer has looked at"),
	{0}};
static const struct rpc_param sms_params[] = {WORD("purpose", true, purpose_words, "用途", "what the code is for"),
					      MOBILE(false),
					      SESSION_MAYBE,
					      PICTURE,
					      {0}};
static const struct rpc_param reset_params[] = {NEW_PASSWORD, MOBILE(false), SMS_CODE(false), {0}};
static const struct rpc_param password_params[] = {
	TEXT("password", true, 1, PASSWORD_MAX, "当前密码", "the present password"), NEW_PASSWORD, {0}};
static const struct rpc_param forgot_params[] = {MOBILE(true), SMS_CODE(true), NEW_PASSWORD, {0}};
static const struct rpc_param link_params[] = {
	IDENTIFIER(true, "组织机构代码或统一社会信用代码", "organisation code or unified code"),
	TEXT("organisation", true, 1, ORGANISATION_MAX, "单位名称", "name of the organisation"),
	TEXT("agent", false, 1, AGENT_MAX, "经办人", "agent; the one on record when absent"),
	SMS_CODE(true),
	{0}};
static const struct rpc_param register_params[] = {
	IDENTIFIER(true, "组织机构代码或统一社会信用代码", "organisation code or unified code"),
	TEXT("organisation", true, 1, ORGANISATION_MAX, "单位名称", "name of the organisation"),
	TEXT("agent", true, 1, AGENT_MAX, "经办人", "agent"),
	MOBILE(true),
	SMS_CODE(true),
	NEW_PASSWORD,
	{0}};
static const struct rpc_param check_params[] = {
	WORD("field", true, field_words, "字段", "which field"),
	TEXT("value", true, 1, ORGANISATION_MAX, "内容", "what was typed"),
	TEXT("other", false, 1, PASSWORD_MAX, "相关内容：再次输入时为新密码，新密码时为手机号",
	     "new_password_again: the first one; new_password: the number that is being bound"),
	SESSION_MAYBE,
	{0}};
static const struct rpc_param agent_params[] = {
	TEXT("agent", true, 1, AGENT_MAX, "新经办人", "the new agent"),
	MOBILE(true),
	WORD("way", true, agent_words, "办理方式",
	     "sms: the old number shows a code as well; officer: an officer decides"),
	TEXT("new_code", true, 6, 6, "新手机的短信验证码", "code sent to the new number"),
	TEXT("old_code", false, 6, 6, "原手机的短信验证码", "way sms: code sent to the number of before"),
	TEXT("new_password", false, 1, PASSWORD_MAX, "新密码", "way sms: the new agent's password"),
	TEXT("new_password_again", false, 1, PASSWORD_MAX, "再次输入新密码", "the same again, as a person typed it"),
	TEXT("text", false, 1, CASE_TEXT_MAX, "情况说明", "way officer: what the officer should know"),
	{0}};
static const struct rpc_param freeze_params[] = {TEXT("code", true, 1, 40, "通知中的冻结码", "the code of the notice"),
						 {0}};
static const struct rpc_param licence_params[] = {
	TEXT("organisation", true, 1, ORGANISATION_MAX, "单位名称", "name of the organisation"),
	TEXT("agent", true, 1, AGENT_MAX, "联系人", "whom to call"),
	MOBILE(true),
	TEXT("text", false, 1, CASE_TEXT_MAX, "情况说明", "what the desk should know"),
	TEXT("content", false, 4, MAX_BASE64, "营业执照扫描件（base64），不超过 512 KiB；更大的另行分片上传",
	     "the licence (PDF, JPEG, PNG), base64, at most 512 KiB; a larger one by material.begin with the case's "
	     "id"),
	PICTURE,
	{0}};
static const struct rpc_param find_params[] = {
	TEXT("search", true, 1, 200, "单位代码、登录手机号或单位名称的一部分",
	     "identifier, mobile that logs in, or part of the organisation's name"),
	LONG_PAGE,
	{0}};
static const struct rpc_param cases_params[] = {
	WORD("state", false, case_words, "状态", "open when absent"), LONG_PAGE, {0}};
static const struct rpc_param case_params[] = {TEXT("case", true, CASE_ID, CASE_ID, "事项编号", "id of the case"), {0}};
static const struct rpc_param decide_params[] = {
	TEXT("case", true, CASE_ID, CASE_ID, "事项编号", "id of the case"),
	WORD("decision", true, decision_words, "决定", "accept or refuse"),
	TEXT("answer", true, 1, CASE_TEXT_MAX, "依据与答复", "on what it was decided"),
	{0}};
static const struct rpc_param end_params[] = {
	TEXT("id", false, 32, 32, "会话编号；不填则全部退出", "id of a session; all end when absent"), {0}};
static const struct rpc_param choose_params[] = {
	IDENTIFIER(true, "单位的用户名", "organisation code or unified code of the organisation"), {0}};

#define ACCOUNT                                                                                                        \
	STR("identifier")                                                                                              \
	"," STR("organisation") "," STR("agent") "," STR("mobile") "," STR("login_mobile") "," STRS("flags")

#define CASE                                                                                                           \
	STR("case")                                                                                                    \
	"," STR("kind") "," STR("state") "," STR("organisation") "," STR("agent") "," STR("mobile") "," STR(           \
		"text") "," STR("made") "," STR("decided") "," STR("by") "," STR("answer")

static const struct desk_method methods[] = {
	METHOD("account.picture", picture_new, MODE_OWN, OWNER, false, false, false, no_params,
	       OBJECT(STR("picture") "," STR("png") "," INT("characters") "," STR("dies") "," BOTH("alternative")),
	       "获取图形验证码", "a picture code: a PNG in base64"),
	METHOD("account.login", account_login, MODE_OWN, OWNER, false, false, false, login_params,
	       OBJECT(STR("session") "," BOOL("must_reset") "," BOOL("must_choose") "," STR(
		       "first_login_"
		       "proof") "," STR("expires") "," OBJ("account",
							   ACCOUNT) "," ROWS("organisations",
									     STR("identifier") "," STR(
										     "organisation") "," BOOL("froze"
													      "n"))),
	       "登录", "log in"),
	METHOD("account.proof", account_proof, MODE_READ, OWNER, true, false, true, no_params,
	       OBJECT(STR("wanted") "," STR("proved") "," BOOL("enough") "," STRS("ways") "," STR("text") "," ROWS(
		       "certificates", STR("serial") "," STR("issuer") "," STR("name") "," STR("line") "," STR(
					       "pem")) "," STR("mobile")),
	       "首次登录需要的验证", "what a first log-in must show, and the text that a key signs"),
	METHOD("account.prove", account_prove, MODE_OWN, OWNER, true, true, true, prove_params,
	       OBJECT(STR("proved") "," OBJ("account", ACCOUNT)), "首次登录验证", "show it"),
	METHOD("account.grant", account_grant, MODE_OWN, DESK_OFFICER, false, false, false, grant_params,
	       OBJECT(STR("code") "," STR("dies") "," OBJ("account", ACCOUNT)), "审核员核发首次登录验证码",
	       "officer: a one-time code for a first log-in"),
	METHOD("account.sms", account_sms, MODE_OWN, OWNER, false, true, true, sms_params,
	       OBJECT(BOOL("sent") "," INT("wait_seconds") "," INT("lives_seconds") "," STR("mobile")),
	       "获取短信验证码", "a code by SMS"),
	METHOD("account.reset", account_reset, MODE_OWN, OWNER, true, true, true, reset_params, EMPTY, "补录并重置密码",
	       "first log-in: bind a mobile number and set a password of one's own"),
	METHOD("account.password", account_password, MODE_OWN, OWNER, true, true, false, password_params, EMPTY,
	       "修改密码", "change the password; all other sessions end"),
	METHOD("account.forgot", account_forgot, MODE_OWN, OWNER, false, true, false, forgot_params, EMPTY, "忘记密码",
	       "set a password anew by a code to the bound number; all sessions end"),
	METHOD("account.logout", account_logout, MODE_CHANGE, OWNER, true, true, true, no_params, EMPTY, "退出",
	       "log out"),
	METHOD("account.show", account_show, MODE_READ, OWNER, true, false, true, no_params,
	       OBJECT(ACCOUNT "," BOOL("must_reset") "," BOOL("must_choose") "," STR("legal_representative") "," STR(
		       "mail") "," STR("language")),
	       "我的信息", "what is on record"),
	METHOD("account.choose", account_choose, MODE_OWN, OWNER, true, true, true, choose_params,
	       OBJECT(OBJ("account", ACCOUNT)), "选择单位", "the organisation that is meant, of those of the number"),
	METHOD("account.register", account_register, MODE_OWN, OWNER, false, true, false, register_params,
	       OBJECT(STR("identifier")), "注册账户", "a new organisation"),
	METHOD("account.link", account_link, MODE_OWN, OWNER, true, true, false, link_params, OBJECT(STR("identifier")),
	       "以同一手机号增加单位", "another organisation under my number: a new certificate with new data"),
	METHOD("account.check", account_check, MODE_OWN, OWNER, false, false, true, check_params,
	       OBJECT(STR("field") "," BOOL("ok") "," STR("reason") "," STR("zh") "," STR("en")), "检查一个输入项",
	       "the form of one field, as it is typed"),
	METHOD("account.agent", account_agent, MODE_OWN, OWNER, true, true, false, agent_params,
	       OBJECT(BOOL("done") "," STR("case")), "变更经办人", "another agent and number"),
	METHOD("account.freeze", account_freeze, MODE_CHANGE, OWNER, false, true, false, freeze_params,
	       OBJECT(BOOL("frozen")), "凭通知中的冻结码冻结账户", "freeze a binding by the code of the notice"),
	METHOD("account.licence", account_licence, MODE_OWN, OWNER, false, true, false, licence_params,
	       OBJECT(STR("case") "," STR("zh") "," STR("en")), "忘记用户名：上传营业执照",
	       "a forgotten identifier: a case for the desk, with the licence"),
	METHOD("account.find", account_find, MODE_READ, DESK_OFFICER, false, false, false, find_params,
	       OBJECT(ROWS("accounts", ACCOUNT "," BOOL("initial") "," BOOL("frozen")) "," LIST_END), "查找账户",
	       "officer: accounts by identifier, mobile that logs in, or part of the name"),
	METHOD("account.cases", account_cases, MODE_READ, DESK_OFFICER, false, false, false, cases_params,
	       OBJECT(ROWS("cases", CASE) "," LIST_END), "账户事项", "officer: cases about accounts"),
	METHOD("account.case", account_case_show, MODE_OWN, DESK_OFFICER, false, false, false, case_params,
	       OBJECT(CASE "," MATERIALS "," OBJ("account", ACCOUNT)), "查看账户事项",
	       "officer: one case, and which files it has"),
	METHOD("account.decide", account_decide, MODE_CHANGE, DESK_OFFICER, false, true, false, decide_params,
	       OBJECT(STR("case") "," STR("state")), "办结账户事项", "officer: decide a case"),
	READS("account.sessions", account_sessions, no_params,
	      OBJECT(ROWS("sessions", STR("id") "," BOOL("this") "," STR("address") "," STR("created") "," STR(
					      "used") "," STR("expires"))),
	      "我的会话", "my sessions"),
	CHANGES("account.end", account_end, end_params, EMPTY, "结束会话", "end one of my sessions, or all"),
};

static const struct rpc_message messages[] = {
	{"login_wrong", "用户名或密码不正确", "the name or the password is wrong"},
	{"login_locked", "密码错误次数过多，账号已暂时锁定，请稍后再试",
	 "too many wrong passwords: locked for a while"},
	{"session_unknown", "登录已失效，请重新登录", "the session is unknown or over: log in again"},
	{"session_missing", "请先登录", "log in first"},
	{"session_not_found", "没有这个会话", "there is no such session"},
	{"reset_first", "您使用的是初始密码，请先补录并重置密码",
	 "logged in with the initial password: set your own first"},
	{"reset_done", "该账户已设置过自己的密码", "this account has a password of its own"},
	{"choose_first", "请先选择单位", "choose the organisation first"},
	{"organisation_unknown", "您的手机号没有绑定这个单位", "your number does not serve that organisation"},
	{"account_frozen", "账户已冻结，请联系服务台", "the account is frozen: ask the service desk"},
	{"account_unknown", "没有这个账户", "there is no such account"},
	{"proof_first", "请先完成首次登录验证", "show first that the log-in is the organisation's"},
	{"proof_way", "本项目不接受这种验证方式", "this proof is not enough here"},
	{"grant_wrong", "验证码不正确或已失效，请联系服务台", "the code is wrong or over: ask the service desk"},
	{"picture_wanted", "请输入图形验证码", "a picture code is wanted"},
	{"picture_wrong", "图形验证码不正确或已失效，请换一张", "the picture code is wrong or over: take a new one"},
	{"mobile_form", "手机号格式不正确", "this is no mobile number that can be sent to"},
	{"mobile_used", "该手机号已被其他账户使用，请联系服务台",
	 "another account uses this number: ask the service desk"},
	{"number_taken", "原手机号现已绑定其他账户：请先为该账户更换手机号，或不同意本次撤销",
	 "the number of before logs in to another account meanwhile: give that one another number first, or refuse"},
	{"mobile_wanted", "请输入手机号和短信验证码", "a mobile number and the code sent to it are wanted"},
	{"sms_code_wrong", "短信验证码不正确或已失效，请重新获取", "the code is wrong or over: ask for a new one"},
	{"sms_limit_number", "该手机号今天获取验证码的次数已用完，请明天再试或联系服务台",
	 "too many codes for this number today: try tomorrow, or ask the service desk"},
	{"sms_limit_address", "获取验证码过于频繁，请稍后再试", "too many codes asked for: try later"},
	{"password_weak", "新密码不符合要求：不能过短，不能是初始密码、用户名或手机号",
	 "the new password is too short, published or the same as your identifier or mobile"},
	{"password_wrong", "当前密码不正确", "the present password is wrong"},
	{"password_changed", "密码刚刚被修改，请重新登录", "the password was just changed: log in again"},
	{"password_differs", "两次输入的新密码不一致", "the two new passwords differ"},
	{"mobile_missing", "该账户尚未绑定手机号，请先绑定", "no number is bound to this account: bind one first"},
	{"identifier_taken", "该单位代码已有账户，请直接登录或联系服务台",
	 "there is an account of this identifier: log in, or ask the service desk"},
	{"text_blank", "内容不能为空，首尾不能有空格", "the text is empty or has space at its ends"},
	{"sms_code_form", "短信验证码为六位数字", "a code is six digits"},
	{"freeze_wrong", "冻结码不正确或已失效，请致电服务台", "the code is wrong or over: call the service desk"},
	{"case_open", "该账户已有正在办理的经办人变更", "a change of agent is being decided already"},
	{"case_unknown", "没有这个事项", "there is no such case"},
	{"case_done", "该事项已办结", "the case was decided already"},
	{"cases_limit", "提交过于频繁，请致电服务台", "too many cases: call the service desk"},
	{"password_memory", "系统繁忙，请稍后再试", "busy: try again"},
};

DESK_PART(api_account, methods, messages);
