/*
 * The page for people: three files that are part of the program, so that no path of a request becomes the path of a file. It runs
 * no script but its own and asks nobody but this gate, by its Content-Security-Policy.
 */
#include "ra/gate/routes.h"

#include <string.h>

#define HOUR_SECONDS 3600

static const char html[] =
#include "ra/gate/page/status.html.inc"
	;
static const char css[] =
#include "ra/gate/page/status.css.inc"
	;
static const char js[] =
#include "ra/gate/page/status.js.inc"
	;

static const struct page {
	const char *path, *type, *text;
} pages[] = {{"/status", "text/html; charset=utf-8", html},
	     {"/status/status.css", "text/css; charset=utf-8", css},
	     {"/status/status.js", "text/javascript; charset=utf-8", js}};

bool route_page(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	if (strcmp(r->method, "GET") != 0)
		return false;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		uint8_t hash[32];
		if (strcmp(pages[i].path, r->path) != 0)
			continue;
		sha256(pages[i].text, strlen(pages[i].text), hash);
		hex_lower(hash, 16, to->etag);
		buf_str(&to->body, pages[i].text);
		to->type = pages[i].type;
		to->max_age = HOUR_SECONDS;
		to->is_page = true;
		gate_count(g, COUNT_DOCUMENT);
		return true;
	}
	return false;
}
