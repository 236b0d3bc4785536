/*
 * The paths, in the order in which they are asked for most. OCSP over HTTP: RFC 6960 A.1, RFC 5019 6.
 */
#include "ra/gate/routes.h"

#include "common/base/clock.h"
#include "ra/gate/ocsp.h"
#include "ra/gate/ocsp_answer.h"
#include "ra/gate/ocsp_request.h"

#include "common/base/cleanup.h"

#include <string.h>

#define OCSP_PREFIX "/ocsp"
#define OCSP_TYPE "application/ocsp-response"

/* RFC 5019 6.2: what caches and clients are told is what the answer says; never longer than it holds. */
static void set_life(struct gate *g, const struct ocsp_life *life, struct http_reply *to)
{
	int64_t left = life->next_update - clock_now();
	if (!life->cacheable || left <= 0)
		return;
	hex_lower(life->tag, sizeof(life->tag), to->etag);
	to->modified = life->this_update;
	to->expires = life->next_update;
	to->max_age = left < g->config.ocsp.max_age ? left : g->config.ocsp.max_age;
}

bool route_ocsp(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	_cleanup_buf_ struct buf der = {0};
	struct ocsp_life life;
	const char *rest = r->path + sizeof(OCSP_PREFIX) - 1;
	bool get = strcmp(r->method, "GET") == 0;
	if (strncmp(r->path, OCSP_PREFIX, sizeof(OCSP_PREFIX) - 1) != 0 || (*rest != '\0' && *rest != '/'))
		return false;
	rest += strspn(rest, "/");
	to->type = OCSP_TYPE;
	if (strcmp(r->method, "OPTIONS") == 0 || (get && *rest == '\0')) {
		http_say(to, 405, "OCSP by POST here, or by GET with the request in the path");
		to->allow = "POST";
		gate_count(g, COUNT_REFUSED);
		return true;
	}
	if (get && ocsp_path_decode(rest, &der, NULL) != OK)
		buf_clear(&der); /* is no request: malformedRequest */
	ocsp_answer(g->ocsp, get ? buf_slice(&der) : r->body, &to->body, &life);
	to->is_costly = !life.cacheable; /* it was signed */
	if (get)
		set_life(g, &life, to);
	return true;
}

static http_route *const public_routes[] = {route_ocsp, route_crl,	route_ca,  route_status,
					    route_log,	route_document, route_page};
static http_route *const admin_routes[] = {route_health, route_metrics};
#define ROUTES(v)                                                                                                      \
	{                                                                                                              \
		(v), sizeof(v) / sizeof((v)[0])                                                                        \
	}
const struct http_routes http_public = ROUTES(public_routes), http_admin = ROUTES(admin_routes);
