/*
 * The portal's pages: files that are part of the program, so that no path of a request becomes the path of a file. One HTML file for each
 * audience, asked for anew each time; all others below a path that has the hash of them all, which caches may keep for good, so
 * that a browser never mixes two versions. pages/embed.py makes the table.
 */
#include "ra/gate/portal.h"
#include "ra/gate/routes.h"

#include <string.h>

#define YEAR_SECONDS (365 * 86400)

struct page_file {
	const char *path, *type, *etag;
	struct slice plain, gzip;
};
#include "ra/gate/pages/pages.inc"

#define N_FILES (sizeof(page_files) / sizeof(page_files[0]))

static const struct page_file *find(const struct gate *g, const char *path)
{
	static const char *const starts[] = {
		[AUDIENCE_SUBSCRIBERS] = "/index.html", [AUDIENCE_OFFICERS] = "/desk.html"};
	if (strcmp(path, "/") == 0)
		path = starts[g->config.portal.audience];
	else if (strncmp(path, PAGES_PREFIX, sizeof(PAGES_PREFIX) - 1) != 0)
		return NULL;
	for (size_t i = 0; i < N_FILES; i++) {
		if (strcmp(page_files[i].path, path) == 0)
			return &page_files[i];
	}
	return NULL;
}

/* RFC 9110 12.5.3, as browsers write it: "gzip, deflate, br". */
static bool takes_gzip(const struct http_request *r)
{
	const char *list = http_header(r, "Accept-Encoding");
	const char *at = list ? strstr(list, "gzip") : NULL;
	return at && strncmp(at + 4, ";q=0", 4) != 0;
}

bool route_pages(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	const struct page_file *p = find(g, r->path);
	if (!p || strcmp(r->method, "GET") != 0)
		return false;
	bool gzip = p->gzip.n > 0 && takes_gzip(r);
	bool start = strcmp(r->path, "/") == 0;
	to->fixed = gzip ? p->gzip : p->plain;
	to->encoding = gzip ? "gzip" : NULL;
	to->type = p->type;
	snprintf(to->etag, sizeof(to->etag), "%s%s", p->etag, gzip ? "-gz" : "");
	to->revalidate = start;
	to->immutable = !start;
	to->max_age = start ? 0 : YEAR_SECONDS;
	to->is_page = true;
	to->policy = (const char *)g->policy.data;
	gate_count(g, COUNT_PAGE);
	return true;
}
