/*
 * A request's words and an answer's: what caches and clients know of an answer already (ETag, Last-Modified) and which part of
 * it they want is dealt with here, once for all routes.
 */
#include "ra/gate/http_private.h"

#include "common/base/clock.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#define DATE_BYTES 32
#define MAX_AGE_MAX 2000000000 /* RFC 9111 1.2.2: what is more means as much */

/* --- a request --- */

const char *http_argument(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *http_cookie(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);
}

void http_peer(const struct http_request *r, char ret[46])
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = i ? i->client_addr : NULL;
	ret[0] = '\0';
	if (a && a->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, ret, 46);
	if (a && a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, ret, 46);
}

void http_say(struct http_reply *to, unsigned status, const char *text)
{
	to->status = status;
	to->type = "text/plain; charset=utf-8";
	buf_clear(&to->body);
	buf_str(&to->body, text);
	buf_char(&to->body, '\n');
}

/* --- an answer --- */

static char *put_text(char *at, const char *text, size_t n)
{
	memcpy(at, text, n);
	return at + n;
}

static char *put_digits(char *at, int v, int n)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		at[i] = (char)('0' + v % 10);
	return at + n;
}

/* IMF-fixdate, RFC 9110 5.6.7; two of them stand in most answers. */
static const char *http_date(int64_t t, char ret[DATE_BYTES])
{
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil c = time_civil(t);
	int64_t day = t >= 0 ? t / 86400 % 7 : 0;
	char *at = put_text(ret, days[day], 3);
	at = put_text(put_digits(put_text(at, ", ", 2), c.day, 2), " ", 1);
	at = put_digits(put_text(put_text(at, months[(c.month - 1) % 12], 3), " ", 1), c.year, 4);
	at = put_digits(put_text(put_digits(put_text(at, " ", 1), c.hour, 2), ":", 1), c.minute, 2);
	memcpy(put_digits(put_text(at, ":", 1), c.second, 2), " GMT", 5);
	return ret;
}

/* Does the list of If-None-Match name the tag? Weakly compared, RFC 9110 13.1.2. */
static bool names_tag(const char *list, const char *tag)
{
	size_t n = strlen(tag);
	if (strcmp(list, "*") == 0)
		return true;
	for (const char *p = list; (p = strstr(p, tag)); p += n) {
		if (p > list && p[-1] == '"' && p[n] == '"')
			return true;
	}
	return false;
}

/* If-Modified-Since counts only where there is no If-None-Match; a date that is not ours by the letter is another. */
static bool is_known(const struct http_request *r, const struct http_reply *to)
{
	const char *tags = http_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH);
	const char *since = http_header(r, MHD_HTTP_HEADER_IF_MODIFIED_SINCE);
	char date[DATE_BYTES];
	if (to->status != MHD_HTTP_OK || strcmp(r->method, "GET") != 0)
		return false;
	if (tags)
		return to->etag[0] != '\0' && names_tag(tags, to->etag);
	return since && to->modified != 0 && strcmp(since, http_date(to->modified, date)) == 0;
}

/* One range of a file, RFC 9110 14.2: "bytes=a-b", "bytes=a-", "bytes=-n". Anything else is the whole. *ret_bad: nothing of the
 * file is in it. */
static bool read_range(const char *text, uint64_t size, uint64_t *ret_from, uint64_t *ret_n, bool *ret_bad)
{
	uint64_t a = 0, b = size - 1;
	*ret_bad = false;
	if (!text || strncmp(text, "bytes=", 6) != 0 || strchr(text, ',') || size == 0)
		return false;
	const char *from = text + 6, *dash = strchr(from, '-');
	if (!dash)
		return false;
	bool has_a = dash > from, has_b = dash[1] != '\0';
	if ((has_a && !u64_parse(from, (size_t)(dash - from), UINT64_MAX, &a)) ||
	    (has_b && !u64_parse(dash + 1, strlen(dash + 1), UINT64_MAX, &b)) || (!has_a && !has_b))
		return false;
	if (!has_a) {
		*ret_bad = b == 0;
		a = b >= size ? 0 : size - b;
		b = size - 1;
	}
	if (has_a && has_b && b < a)
		return false;
	*ret_bad |= a >= size;
	*ret_from = a;
	*ret_n = (b >= size ? size - 1 : b) - a + 1;
	return true;
}

static void add(struct MHD_Response *m, const char *name, const char *value)
{
	(void)!MHD_add_response_header(m, name, value);
}

/* For max_age > 0. */
static const char *cache_words(const struct http_reply *to, char ret[100])
{
	int64_t age = to->max_age < MAX_AGE_MAX ? to->max_age : MAX_AGE_MAX;
	int digits = 1;
	for (int64_t v = age; v >= 10; v /= 10)
		digits++;
	char *at = put_digits(put_text(ret, "max-age=", 8), (int)age, digits);
	const char *rest =
		to->immutable ? ", public, no-transform, immutable" : ", public, no-transform, must-revalidate";
	memcpy(at, rest, strlen(rest) + 1);
	return ret;
}

static void add_life(struct MHD_Response *m, const struct http_reply *to)
{
	char text[100], date[DATE_BYTES];
	add(m, MHD_HTTP_HEADER_CACHE_CONTROL,
	    to->max_age > 0  ? cache_words(to, text)
	    : to->revalidate ? "no-cache"
			     : "no-store");
	if (to->etag[0] != '\0') {
		size_t n = strlen(to->etag);
		memcpy(put_text(put_text(text, "\"", 1), to->etag, n), "\"", 2);
		add(m, MHD_HTTP_HEADER_ETAG, text);
	}
	if (to->modified != 0)
		add(m, MHD_HTTP_HEADER_LAST_MODIFIED, http_date(to->modified, date));
	if (to->expires != 0)
		add(m, MHD_HTTP_HEADER_EXPIRES, http_date(to->expires, date));
}

static void add_rest(struct MHD_Response *m, const struct http_reply *to)
{
	if (to->type)
		add(m, MHD_HTTP_HEADER_CONTENT_TYPE, to->type);
	if (to->allow)
		add(m, MHD_HTTP_HEADER_ALLOW, to->allow);
	if (to->cookie[0] != '\0')
		add(m, MHD_HTTP_HEADER_SET_COOKIE, to->cookie);
	if (to->encoding) {
		add(m, MHD_HTTP_HEADER_CONTENT_ENCODING, to->encoding);
		add(m, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	}
	add(m, "X-Content-Type-Options", "nosniff");
	if (to->is_page) {
		add(m, "Content-Security-Policy",
		    to->policy ? to->policy
			       : "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
				 "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
		add(m, "Referrer-Policy", "no-referrer");
	}
	if (!to->origin)
		return;
	add(m, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, to->origin);
	add(m, MHD_HTTP_HEADER_VARY, "Origin");
	add(m, "Access-Control-Allow-Methods", "GET, POST");
	add(m, "Access-Control-Allow-Headers", "authorization, content-type");
	add(m, "Access-Control-Max-Age", "3600");
}

/* Takes the file. */
static struct MHD_Response *from_file(const struct http_request *r, struct http_reply *to)
{
	uint64_t from = 0, n = to->fd_size;
	char text[80];
	bool bad = false, part = to->status == MHD_HTTP_OK &&
				 read_range(http_header(r, MHD_HTTP_HEADER_RANGE), to->fd_size, &from, &n, &bad);
	if (bad) {
		close(to->fd);
		to->status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	}
	struct MHD_Response *m = MHD_create_response_from_fd_at_offset64(n, to->fd, from);
	add(m, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (!part)
		return m;
	to->status = MHD_HTTP_PARTIAL_CONTENT;
	snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)from,
		 (unsigned long long)(from + n - 1), (unsigned long long)to->fd_size);
	add(m, MHD_HTTP_HEADER_CONTENT_RANGE, text);
	return m;
}

static struct MHD_Response *from_buffer(struct http_reply *to)
{
	size_t n = 0;
	if (to->fixed.n > 0)
		return MHD_create_response_from_buffer(to->fixed.n, (void *)(uintptr_t)to->fixed.p,
						       MHD_RESPMEM_PERSISTENT);
	if (to->body.len == 0)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	char *bytes = buf_take(&to->body, &n);
	return MHD_create_response_from_buffer(n, bytes, MHD_RESPMEM_MUST_FREE);
}

enum MHD_Result http_give(struct MHD_Connection *c, const struct http_request *r, struct http_reply *to)
{
	struct MHD_Response *m;
	to->status = to->status ? to->status : MHD_HTTP_OK;
	if (is_known(r, to)) {
		to->status = MHD_HTTP_NOT_MODIFIED;
		to->type = NULL;
		if (to->fd > 0)
			close(to->fd);
		m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	} else {
		m = to->fd > 0 ? from_file(r, to) : from_buffer(to);
	}
	add_life(m, to);
	add_rest(m, to);
	enum MHD_Result sent = MHD_queue_response(c, to->status, m);
	MHD_destroy_response(m);
	buf_done(&to->body);
	return sent;
}
