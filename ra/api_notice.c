/*
 * Messages to people: the notifier's two calls, and what officers see and do.
 */
#include "ra/api.h"

#include "ra/contact.h"
#include "ra/notice.h"
#include "ra/outbox.h"

static const char *const language_words[] = {"zh", "en", NULL};
#define NOTICE TEXT("notice", true, MESSAGE_ID, MESSAGE_ID, "消息编号", "id of the message")

static const struct rpc_param take_params[] = {
	WORD("channel", true, notice_channel_words, "渠道", "sms or mail"),
	TEXT("lease", true, 16, LEASE_MAX, "租约名，由发送程序随机产生",
	     "name of the lease, random, made by the caller; the same again gives the same message"),
	NUMBER("lease_seconds", false, 10, 900, "租约秒数",
	       "nobody else gets the message for so long; 120 when absent"),
	NUMBER("wait_ms", false, 0, 10000, "等待新消息的毫秒数", "wait for one, at most so long"),
	{0}};
static const struct rpc_param done_params[] = {
	NOTICE,
	WORD("result", true, notice_result_words, "结果", "sent; later: try again; refused: for good"),
	TEXT("error", false, 1, NOTICE_ERROR_MAX, "原因", "why not, without a word of the message"),
	{0}};
static const struct rpc_param list_params[] = {
	WORD("state", false, notice_state_words, "状态", "only in this state"),
	WORD("channel", false, notice_channel_words, "渠道", "sms or mail"),
	TEXT("identifier", false, 1, IDENTIFIER_MAX, "单位代码", "messages about this account"),
	TEXT("before", false, MESSAGE_ID, MESSAGE_ID, "从这条消息之后继续", "the next page: behind this message"),
	NUMBER("limit", false, 1, 100, "条数", "rows, 20 when absent"),
	{0}};
static const struct rpc_param notice_params[] = {NOTICE, {0}};
static const struct rpc_param contact_params[] = {
	TEXT("mail", false, 0, MAIL_MAX, "通知邮箱；空则取消", "address for notices; empty: none"),
	WORD("language", false, language_words, "通知语言", "of notices"),
	{0}};

#define ROW                                                                                                            \
	STR("notice")                                                                                                  \
	"," STR("channel") "," STR("to") "," STR("identifier") "," STR("template") "," STR("state") "," BOOL(          \
		"sending") "," STR("made") "," STR("dies") ",\"ended\":{\"type\":[\"string\",\"null\"]},"              \
							   "\"next\":{\"type\":[\"string\",\"null\"]}," INT(           \
								   "tries") "," STR("error")
#define RESULT OBJECT(STR("notice") "," STR("state"))

static const struct desk_method methods[] = {
	METHOD("notice.take", notice_take, MODE_OWN, DESK_NOTIFIER, false, false, false, take_params,
	       OBJECT(OBJ(
		       "notice",
		       STR("id") "," STR("channel") "," STR("to") "," STR("template") "," STR("subject") "," STR(
			       "sender") "," STR("text") "," STR("made") "," STR("dies") "," INT("tries") "," STR("leas"
														  "ed_"
														  "unti"
														  "l"))),
	       "取一条待发消息", "notifier: a message that is due, under a lease; none: an empty object"),
	METHOD("notice.done", notice_done, MODE_CHANGE, DESK_NOTIFIER, false, true, false, done_params, RESULT,
	       "报告发送结果", "notifier: what became of a message"),
	METHOD("notice.list", notice_list, MODE_READ, DESK_OFFICER | DESK_ADMIN, false, false, false, list_params,
	       OBJECT(ROWS("notices", ROW) "," BOOL("more")), "消息列表", "messages to people, newest first"),
	METHOD("notice.show", notice_show, MODE_READ, DESK_OFFICER | DESK_ADMIN, false, false, false, notice_params,
	       OBJECT(ROW "," BOOL("closed") "," STR("subject") "," STR("text")), "查看消息",
	       "one message; its text while it waits, and never of one that holds a code"),
	METHOD("notice.retry", notice_retry, MODE_CHANGE, DESK_OFFICER | DESK_ADMIN, false, true, false, notice_params,
	       RESULT, "重新发送失败的消息", "send a failed message again"),
	CHANGES("account.contact", account_contact, contact_params, OBJECT(STR("mail") "," STR("language")),
		"设置通知邮箱和语言", "where notices go besides the mobile, and in which language"),
};

static const struct rpc_message messages[] = {
	{"notice_unknown", "没有这条消息", "there is no such message"},
	{"notice_dead", "该消息已过有效期，不再发送", "the message is of no use any more and is not sent"},
	{"notice_state", "只有发送失败的消息可以重新发送", "only a message that failed can be sent again"},
	{"notices_spooled", "消息由业务系统写入文件夹，没有启用发送程序",
	 "the desk puts messages into its spool itself"},
	{"mail_form", "邮箱地址格式不正确", "this is no mail address that can be sent to"},
};

DESK_PART(api_notice, methods, messages);
