/*
 * The audit.
 */
#include "ra/api.h"

#include "ra/audit.h"

#define ROW_PROPS                                                                                                      \
	INT("id")                                                                                                      \
	"," STR("at") "," STR("who") "," INT("uid") "," STR("address") "," STR("what") "," STR("object") "," STR(      \
		"detail") "," STR("hash")
#define HEAD OBJ("head", INT("id") "," STR("hash"))

static const struct rpc_param list_params[] = {
	TEXT("object", false, 1, 96, "对象编号", "id of the object; officers: id or number of a request"),
	TEXT("who", false, 1, 79, "操作者", "who did it, as account:35353550-9 or uid:1001"),
	TEXT("since", false, 20, 20, "起始时间（UTC）", "not before, as 2026-11-23T00:00:00Z"),
	TEXT("until", false, 20, 20, "截止时间（UTC）", "before, as 2026-11-24T00:00:00Z"),
	NUMBER("after", false, 0, INT64_MAX, "从该行之后开始", "rows behind this number"),
	NUMBER("limit", false, 1, 500, "条数", "at most so many rows, 50 when absent"),
	{0}};
static const struct rpc_param export_params[] = {
	NUMBER("after", false, 0, INT64_MAX, "从该行之后开始", "rows behind this number"),
	NUMBER("limit", false, 1, 1000, "条数", "at most so many rows, 500 when absent"),
	{0}};

static const struct desk_method methods[] = {
	METHOD("audit.list", audit_list, MODE_READ, DESK_OFFICER | DESK_ADMIN, false, false, false, list_params,
	       OBJECT(ROWS("rows", ROW_PROPS) "," HEAD), "审计记录",
	       "audit rows by object, person and time; officers of one request"),
	METHOD("audit.export", audit_export, MODE_READ, DESK_ADMIN, false, false, false, export_params,
	       OBJECT(ROWS("rows", ROW_PROPS) "," HEAD), "导出审计记录", "the audit in pages, with its chain and head"),
	METHOD("audit.verify", audit_verify, MODE_READ, DESK_ADMIN, false, false, false, no_params,
	       OBJECT(BOOL("holds") "," HEAD "," INT("row") "," STR("text")), "校验审计链",
	       "does the chain hold, and if not, from which row"),
};

static const struct rpc_message messages[] = {
	{"audit_object", "请指明申请编号", "name the request"},
	{"audit_time", "时间格式不正确", "a time is malformed"},
	{"address_denied", "只有门户可以提供用户地址", "only a portal may say where a call came from"},
	{"address_form", "地址格式不正确", "this is no IP address"},
};

DESK_PART(api_audit, methods, messages);
