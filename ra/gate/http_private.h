/*
 * Between http.c and http_reply.c.
 */
#ifndef HUFU_RA_GATE_HTTP_PRIVATE_H
#define HUFU_RA_GATE_HTTP_PRIVATE_H

#include "ra/gate/http.h"

#include <microhttpd.h>

/* Queues the answer, with what follows from the request's conditions and range. Takes the answer's body and file. */
enum MHD_Result http_give(struct MHD_Connection *c, const struct http_request *r, struct http_reply *to);

#endif
