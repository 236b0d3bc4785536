/*
 * Projects, and the services that accounts have.
 */
#include "ra/api.h"

#include "ra/project.h"
#include "ra/service.h"

static const struct rpc_param search_params[] = {TEXT("query", true, 1, 600, "项目名称", "name of the project"), {0}};
static const struct rpc_param project_params[] = {TEXT("project", true, 1, 47, "项目", "name of the project"), {0}};
static const struct rpc_param apply_params[] = {TEXT("project", true, 1, 47, "项目", "name of the project"),
						TEXT("service", true, 1, 47, "服务", "name of the service"),
						{0}};
static const struct rpc_param list_params[] = {PAGE, SEARCH, {0}};

#define PROJECT STR("project") "," BOTH("title") "," STRS("aliases") "," STRS("profiles")
// clang-format off
#define STR_OR_NULL(n) "\"" n "\":{\"type\":[\"string\",\"null\"]}"
#define INT_OR_NULL(n) "\"" n "\":{\"type\":[\"integer\",\"null\"]}"
#define SERVICE STR("id") "," STR("project") "," STR("service") "," STR("certificate_name") "," STR_OR_NULL("serial") ","   \
	STR_OR_NULL("begins") "," STR_OR_NULL("ends") "," STR("state") "," INT_OR_NULL("price_fen") ","                  \
	INT_OR_NULL("period_months") "," STR_OR_NULL("open_order") "," STR("action")
// clang-format on
#define CONTACT                                                                                                        \
	OBJ("contact", BOTH("name") "," BOTH("hours") "," BOTH("address") "," STR("telephone") "," STR("emergency"))
// clang-format off
#define PAGE_TEXTS ROWS("process", BOTH("title") "," BOTH("text")) "," ROWS("help", BOTH("title") "," BOTH("text")) ","   \
	ROWS("downloads", BOTH("title") "," STR("version") "," STR("url") "," STR("sha256"))
#define WAYS ROWS("ways", STR("profile") "," STR("kind") "," STR("way") "," BOTH("title") "," INT("officers") ","          \
	STR("order") "," STR_OR_NULL("notice") "," BOOL("asks_files") ",\"materials\":{\"type\":\"array\",\"items\":"      \
	"{\"type\":\"array\",\"items\":" PROPS STR("name") "," BOTH("title") "}}}}")
// clang-format on

static const struct desk_method methods[] = {
	METHOD("project.search", project_search, MODE_READ, ANYBODY, false, false, false, search_params,
	       OBJECT(ROWS("projects", PROJECT)), "搜索合作项目",
	       "find a project by name, alias or some of its characters"),
	METHOD("project.show", project_show, MODE_READ, ANYBODY, false, false, false, project_params,
	       OBJECT(PROJECT "," CONTACT "," PAGE_TEXTS "," WAYS
			      "," ROWS("services", STR("service") "," BOTH("title") "," STR("profile") "," INT(
							   "price_fen") "," INT("period_months"))),
	       "合作项目", "a project's page: services with prices, ways, process, help, downloads, service desk"),
	READS("service.list", service_list, list_params, OBJECT(ROWS("services", SERVICE) "," INT("total")), "我的服务",
	      "my services"),
	CHANGES("service.apply", service_apply, apply_params, OBJECT(SERVICE "," STR("order") "," INT("amount_fen")),
		"服务申请", "apply for a service of a project, and order it; its period begins when the order is paid"),
};

static const struct rpc_message messages[] = {
	{"project_unknown", "没有这个合作项目", "there is no such project"},
	{"service_unknown", "没有这项服务", "you have no such service"},
	{"service_expired", "服务已到期，请先续费并付款，然后再办理延期",
	 "the service has expired: renew and pay first, then extend"},
	{"service_unpaid", "服务尚未付款，请先为订单付款", "the service has not been paid yet: pay its order first"},
	{"service_not_begun", "该服务从未付款且没有待付款订单，请重新申请",
	 "the service was never paid and has no open order: apply for it again"},
	{"service_held", "您已有这项服务，请续费", "you have this service: renew it"},
	{"service_far", "服务期限已足够长，暂不能续费", "the service runs far ahead already"},
	{"service_missing", "该证书没有对应的服务，不能延期", "the certificate belongs to no service at the desk"},
	{"service_not_sold", "该项目已不再提供这项服务", "the project does not sell this service any more"},
};

DESK_PART(api_service, methods, messages);
