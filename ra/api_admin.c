/*
 * Imports, pending requests, health, figures of the day.
 */
#include "ra/api.h"

#include "ra/facts.h"
#include "ra/figures.h"
#include "ra/health.h"
#include "ra/import.h"
#include "ra/resume.h"
#include "ra/review.h"

static const struct rpc_param import_params[] = {
	{"rows", PARAM_OBJECTS, true, 1, 1000, NULL, "旧系统的记录", "rows of the old system's export"},
	{"dry_run", PARAM_BOOLEAN, false, 0, 0, NULL, "只检查，不写入", "check only"},
	{0}};

static const struct rpc_param pending_params[] = {
	NUMBER("per_page", false, 1, 500, "每页条数", "rows a page, 100 when absent"), LIST_AFTER, {0}};

static const struct rpc_param lost_params[] = {PAGE, {0}};

#define HOURS "\"median_hours\":{\"type\":[\"number\",\"null\"]}"

static const struct rpc_param figures_params[] = {
	NUMBER("days", false, 1, 31, "天数，缺省 14 天", "how many days, today the last; 14 when absent"), {0}};

#define WORRY STR("reason") "," STR("text") "," STR("zh") "," STR("en")

static const struct desk_method methods[] = {
	METHOD("policy.pending", policy_pending, MODE_READ, DESK_OFFICER | DESK_ADMIN, false, false, false,
	       pending_params,
	       OBJECT(STR("policy") "," STR("next") "," ROWS("requests",
							     STATE "," STR("kind") "," STR("policy") "," STR("dies"))),
	       "未办结的申请", "requests that are not final, with the policy that they were made under"),
	METHOD("import.accounts", import_accounts, MODE_OWN, DESK_ADMIN, false, true, false, import_params,
	       OBJECT(ROWS("report",
			   INT("line") "," STR("result") "," STR("text") "," STRS("flags")) "," BOOL("dry_run")),
	       "导入账号", "accounts and services of an old system"),
	METHOD("desk.law", desk_law, MODE_READ, DESK_OFFICER | DESK_ADMIN, false, false, false, no_params,
	       OBJECT(STRS("facts")), "现行规则",
	       "what the desk goes by: policy, roster, prices, contacts, calendar; administrators: callers too"),
	METHOD("desk.check", desk_check, MODE_OWN, DESK_ADMIN, false, false, false, no_params,
	       OBJECT(STRS("changes") "," BOOL("quorum")), "检查规则文件", "what reading the files again would change"),
	METHOD("desk.reload", desk_reload, MODE_OWN, DESK_ADMIN, false, true, false, no_params,
	       OBJECT(STRS("changes") "," BOOL("quorum")), "重新读取规则文件",
	       "read policies, roster and calendar again; what changed is in the audit"),
	METHOD("desk.resume", desk_resume, MODE_OWN, DESK_ADMIN, false, true, false, no_params,
	       OBJECT(INT("entry") "," INT("lost_entries") "," INT("noted")), "台账恢复后继续受理",
	       "go on with a ledger that was restored, once the operator's word is in it"),
	METHOD("desk.lost", desk_lost, MODE_READ, DESK_ADMIN | DESK_OFFICER, false, false, false, lost_params,
	       OBJECT(INT("total") "," ROWS("lost", STR("serial") "," STR("name") "," STR("lost") "," STR(
							    "state") "," INT("entry") "," INT("restored_entry"))),
	       "随台账丢失的记录", "certificates and states that the desk knows from entries which a restore has lost"),
	METHOD("calendar.show", calendar_show, MODE_READ, ANYBODY, false, false, false, no_params,
	       OBJECT(STRS("facts") "," BOOL("named") "," BOOL("today_works")), "工作日历",
	       "hours, days off, make-up working days"),
	METHOD(
		"desk.health", desk_health, MODE_READ, ANYBODY, false, false, false, no_params,
		OBJECT(STR("version") "," OBJ("signer", BOOL("reachable") "," BOOL("locked") "," INT("ledger_size")) "," INT("ledger_size") "," STR("as_of") "," INT(
			"lag") "," INT("queue") "," INT("messages_waiting") "," INT("messages_failed") "," INT("overdu"
													       "e") "," ROWS("remarks",
															     WORRY) "," ROWS("worries",
																	     WORRY)),
		"运行状况", "signer, follower, queue, and reasons for worry"),
	METHOD("desk.figures", desk_figures, MODE_READ, DESK_OFFICER | DESK_ADMIN, false, false, false, figures_params,
	       OBJECT(ROWS("days", STR("day") "," INT("received") "," INT("approved") "," INT("rejected") "," INT(
					   "corrected") "," INT("late") "," HOURS)),
	       "每日统计", "by day: handed in, approved, rejected, corrected, late, and the median of the hours"),
	METHOD("desk.outlook", desk_outlook, MODE_READ, DESK_OFFICER | DESK_ADMIN, false, false, false, no_params,
	       OBJECT(ROWS("weeks", STR("from") "," INT("ends")) "," ROWS(
		       "refusals",
		       STR("at") "," STR("number") "," STR("kind") "," STR("project") "," STR("rule") "," STR("text") "," STR(
			       "zh") "," STR("en")) "," STR("checkpoint") "," ROWS("responders",
										   STR("name") "," STR("serial") "," STR("issuer") "," STR(
											   "state") "," STR("not_"
													    "after"))),
	       "近期展望",
	       "certificates that end, week by week; the signer's last refusals; responders' certificates; the "
	       "checkpoint that was followed to"),
};

static const struct rpc_message messages[] = {
	{"restore_unsaid", "签发系统的台账中没有恢复的记录：这是另一本台账",
	 "the signer's ledger holds no word of a restore: it is another ledger"},
	{"restore_behind", "运行人员的确认不包括本处已跟随的记录，请运行人员再次确认",
	 "the operator's word does not reach what the desk has followed: it must be said again"},
	{"not_waiting", "台账与此前跟随的一致，无需确认", "the ledger is the one that was followed: no word is wanted"},
	{"service_taken", "服务编号属于其他账号", "the service belongs to another account"},
	{"certificate_taken", "证书属于其他账号", "the certificate belongs to another account"},
	{"import_time", "时间格式不正确", "a time is malformed"},
	{"import_empty", "缺少必填的内容", "a needed value is empty"},
	{"law_files", "规则文件不能使用，现行规则不变", "the files cannot be used; what is in force stays"},
	{"import_period", "服务期限不正确", "the service period is wrong"},
};

DESK_PART(api_admin, methods, messages);
