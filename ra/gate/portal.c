/*
 * A portal's paths, and what its pages may do in a browser: run what this gate serves, ask this gate and the person's own agent, and
 * nothing else. Next: pages.c, rpc.c.
 */
#include "ra/gate/portal.h"

#include "ra/gate/routes.h"

#include <string.h>

#define AGENT_ORIGIN "http://127.0.0.1:27183" /* where hufu agent listens when nobody says otherwise */

void portal_open(struct gate *g)
{
	const char *agent = g->config.portal.agent ? g->config.portal.agent : AGENT_ORIGIN;
	/* Officers look at people's papers, which a page has in memory: PDF goes into a frame. */
	const char *frames =
		g->config.portal.audience == AUDIENCE_OFFICERS ? "frame-src blob:; object-src blob:; " : "";
	buf_fmt(&g->policy,
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
		"%sconnect-src 'self' %s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		frames, agent);
	buf_char(&g->policy, '\0');
}

/* Where a page finds the person's own agent. The configuration has held it against the form of an origin. */
bool route_agent(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	const char *agent = g->config.portal.agent;
	if (strcmp(r->path, "/agent.json") != 0 || strcmp(r->method, "GET") != 0)
		return false;
	buf_fmt(&to->body, "{\"agent\":\"%s\"}\n", agent ? agent : AGENT_ORIGIN);
	to->type = "application/json";
	return true;
}

static http_route *const portal_routes[] = {route_rpc, route_agent, route_pages};
static http_route *const portal_admin_routes[] = {route_portal_health, route_portal_metrics};
#define ROUTES(v)                                                                                                      \
	{                                                                                                              \
		(v), sizeof(v) / sizeof((v)[0])                                                                        \
	}
const struct http_routes http_portal = ROUTES(portal_routes), http_portal_admin = ROUTES(portal_admin_routes);
