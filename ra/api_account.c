/*
 * What people do with their account: log in, set a password, see what is on record.
 */
#include "ra/api.h"

#include "ra/account.h"
#include "ra/password.h"

static const struct rpc_param login_params[] = {TEXT("identifier", true, 1, IDENTIFIER_MAX,
						     "用户名：组织机构代码或统一社会信用代码",
						     "organisation code or unified code"),
						TEXT("password", true, 1, PASSWORD_MAX, "密码", "password"),
						{0}};
static const struct rpc_param reset_params[] = {
	TEXT("new_password", true, 1, PASSWORD_MAX, "新密码", "the new password"), {0}};

#define ACCOUNT STR("identifier") "," STR("organisation") "," STR("agent") "," STR("mobile") "," STRS("flags")

static const struct desk_method methods[] = {
	METHOD("account.login", account_login, MODE_OWN, OWNER, false, false, false, login_params,
	       OBJECT(STR("session") "," BOOL("must_reset") "," STR("expires") "," OBJ("account", ACCOUNT)), "登录",
	       "log in"),
	METHOD("account.reset", account_reset, MODE_OWN, OWNER, true, true, true, reset_params, EMPTY, "重置密码",
	       "set a password of one's own"),
	METHOD("account.logout", account_logout, MODE_CHANGE, OWNER, true, true, true, no_params, EMPTY, "退出",
	       "log out"),
	METHOD("account.show", account_show, MODE_READ, OWNER, true, false, true, no_params,
	       OBJECT(ACCOUNT "," BOOL("must_reset")), "我的信息", "what is on record"),
};

static const struct rpc_message messages[] = {
	{"login_wrong", "用户名或密码不正确", "the identifier or the password is wrong"},
	{"login_locked", "密码错误次数过多，账号已暂时锁定，请稍后再试",
	 "too many wrong passwords: locked for a while"},
	{"session_unknown", "登录已失效，请重新登录", "the session is unknown or over: log in again"},
	{"session_missing", "请先登录", "log in first"},
	{"reset_first", "您使用的是初始密码，请先补录并重置密码",
	 "logged in with the initial password: set your own first"},
	{"password_weak", "新密码不符合要求：至少 8 个字符，且不能是初始密码、用户名或手机号",
	 "the new password is too short, published or the same as your identifier or mobile"},
	{"password_memory", "系统繁忙，请稍后再试", "busy: try again"},
};

DESK_PART(api_account, methods, messages);
