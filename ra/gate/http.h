/*
 * The two HTTP servers: one for the world, one for whoever watches the gate. Plain HTTP; a proxy before it does TLS. The world's questions about
 * certificates come to front.c; people's, and the watcher's, to libmicrohttpd.
 */
#ifndef HUFU_RA_GATE_HTTP_H
#define HUFU_RA_GATE_HTTP_H

#include "ra/gate/gate.h"

#define HTTP_BODY_MAX 65536u
#define HTTP_RPC_MAX (1024u * 1024u) /* a portal's: a part of an upload in base64 */

struct http_request {
	const char *method; /* GET (HEAD too), POST or OPTIONS */
	const char *path;   /* without escapes and query */
	struct slice body;
	const struct http_text *text; /* of the front's requests, with its octets; NULL: libmicrohttpd's */
	const char *head;
	void *connection; /* libmicrohttpd's */
};
struct http_reply;
/* Answers a request. True: the path is this part's. */
typedef bool http_route(struct gate *g, const struct http_request *r, struct http_reply *to);
/* Zero state: 200 and no body. */
struct http_reply {
	http_route *later;     /* set instead of an answer: what makes it, where it may wait */
	unsigned status;
	const char *type;      /* of the body; NULL: none */
	struct buf body;
	struct slice fixed;    /* instead of the body: bytes that never go away */
	int fd;		       /* a file instead of the body; taken; 0: none */
	uint64_t fd_size;
	char etag[48];	       /* without quotes; "": none */
	int64_t modified;      /* 0: not said */
	int64_t max_age;       /* seconds that caches may keep it; 0: no cache may */
	int64_t expires;       /* 0: not said */
	bool revalidate;       /* caches may keep it, and ask each time */
	bool immutable;	       /* its path never means anything else */
	const char *encoding;  /* Content-Encoding, of what is chosen by Accept-Encoding; NULL: as it is */
	char cookie[240];      /* Set-Cookie; "": none */
	const char *allow;     /* of a method that is not served */
	const char *origin;    /* that may read it; NULL: none; borrows */
	bool is_page;	       /* for a browser's window: it runs what comes from here alone */
	bool is_costly;	       /* it took long to make: it may leave together with others */
	const char *policy;    /* its Content-Security-Policy, when it is another than a lone page's; borrows */
};
/* A query argument and a header; NULL: not there. */
const char *http_argument(const struct http_request *r, const char *name);
const char *http_header(const struct http_request *r, const char *name);
/* A portal's alone. */
const char *http_cookie(const struct http_request *r, const char *name);
/* Of the other end of the connection; "" for a Unix socket. A portal's alone. */
void http_peer(const struct http_request *r, char ret[46]);
/* A short text for people, with a status. */
void http_say(struct http_reply *to, unsigned status, const char *text);

extern const struct http_routes {
	http_route *const *v;
	size_t n;
} http_public, http_admin, http_portal, http_portal_admin; /* routes.c, portal.c */

struct http;
/* Makes the listening socket; before the sandbox. A Unix socket that nobody listens on is replaced; its mode is 0666, for the folder says who may. */
MUST_CHECK enum err http_listen(const struct gate_listen *l, int *ret_fd, struct fault *f);
/* Serves on the sockets, which are taken. Gives *ret: http_stop(). */
MUST_CHECK enum err http_start(struct gate *g, int public_fd, int admin_fd, struct http **ret, struct fault *f);
/* Takes no new connection, finishes what is being answered, closes. */
void http_stop(struct http *h);

#endif
