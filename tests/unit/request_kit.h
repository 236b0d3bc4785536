/*
 * Calls about a request, for its tests.
 */
#ifndef HUFU_TEST_REQUEST_KIT_H
#define HUFU_TEST_REQUEST_KIT_H

#include "material_kit.h"
#include "ra_fixture.h"

#include "ra/bell.h"
#include "ra/clockwork.h"
#include "ra/request.h"

#include <string.h>

static inline json_t *of(struct fx *x, const char *request)
{
	return json_pack("{s:s,s:s}", "session", x->session, "request", request);
}

static inline json_t *show(struct fx *x, const char *request)
{
	return fx_do(x, UID_SUBSCRIBER, "request.show", of(x, request));
}

static inline json_t *with_line(struct fx *x, const char *request, const char *line)
{
	json_t *p = of(x, request);
	json_object_set_new(p, "lines", json_pack("[s]", line));
	return p;
}

static inline json_t *approval(const char *request, const char *line)
{
	return json_pack("{s:s,s:s}", "request", request, "line", line);
}

#endif
