/*
 * Projects, and the services that accounts have.
 */
#include "ra/api.h"

#include "ra/service.h"

static const struct rpc_param search_params[] = {TEXT("query", true, 1, 200, "项目名称", "name of the project"), {0}};
static const struct rpc_param project_params[] = {TEXT("project", true, 1, 47, "项目", "name of the project"), {0}};
static const struct rpc_param list_params[] = {PAGE, SEARCH, {0}};

#define PROJECT STR("project") "," BOTH("title") "," STRS("aliases") "," STRS("profiles")
#define SERVICE                                                                                                        \
	STR("id")                                                                                                      \
	"," STR("project") "," STR("service") "," STR(                                                                 \
		"certificate_name") ",\"serial\":{\"type\":[\"string\","                                               \
				    "\"null\"]}," STR("begins") "," STR("ends") "," STR("state") "," STR("action")
#define CONTACT                                                                                                        \
	OBJ("contact", BOTH("name") "," BOTH("hours") "," BOTH("address") "," STR("telephone") "," STR("emergency"))

static const struct desk_method methods[] = {
	METHOD("project.search", project_search, MODE_READ, ANYBODY, false, false, false, search_params,
	       OBJECT(ROWS("projects", PROJECT)), "搜索合作项目",
	       "find a project by name, alias or some of its characters"),
	METHOD("project.show", project_show, MODE_READ, ANYBODY, false, false, false, project_params,
	       OBJECT(PROJECT "," CONTACT
			      "," ROWS("services", STR("service") "," BOTH("title") "," STR("profile") "," INT(
							   "price_fen") "," INT("period_months"))),
	       "合作项目", "a project, its services and its service desk"),
	READS("service.list", service_list, list_params, OBJECT(ROWS("services", SERVICE) "," INT("total")), "我的服务",
	      "my services"),
};

static const struct rpc_message messages[] = {
	{"project_unknown", "没有这个合作项目", "there is no such project"},
	{"service_unknown", "没有这项服务", "you have no such service"},
	{"service_expired", "服务已到期，请先续费并付款，然后再办理延期",
	 "the service has expired: renew and pay first, then extend"},
	{"service_missing", "该证书没有对应的服务，不能延期", "the certificate belongs to no service at the desk"},
	{"service_not_sold", "该项目已不再提供这项服务", "the project does not sell this service any more"},
};

DESK_PART(api_service, methods, messages);
