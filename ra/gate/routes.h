/*
 * Which paths there are: each part answers those of its own.
 */
#ifndef HUFU_RA_GATE_ROUTES_H
#define HUFU_RA_GATE_ROUTES_H

#include "ra/gate/http.h"

http_route route_ocsp;	 /* /ocsp, /ocsp/<base64> */
http_route route_crl;	 /* /crl/<issuer>/<shard|full>.crl */
http_route route_ca;	 /* /ca/<issuer>.crt, /ca/chain.pem */
http_route route_document; /* /documents/<name> */
http_route route_page;	   /* /status and its two files */
http_route route_log;	 /* /log/checkpoint, /log/tile/… */
http_route route_status; /* /v1/status, /v1/status/<serial>, /v1/status/receipt */
http_route receipt_answer; /* of the last one, where it may wait */
/* {"error": {"reason", "zh", "en"}} with that HTTP status. */
void status_refuse(struct gate *g, struct http_reply *to, unsigned status, const char *reason, const char *zh, const char *en);
http_route route_health; /* /healthz, /readyz */
http_route route_metrics;

/* A portal's: */
http_route route_pages;	 /* /, /a/<hash>/<file> */
http_route route_rpc;	 /* /rpc */
http_route route_agent;	 /* /agent.json */
http_route route_portal_health, route_portal_metrics;

#endif
