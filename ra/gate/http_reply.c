/*
 * A request's words and an answer's: what caches and clients know of an answer already (ETag, Last-Modified) and which part of
 * it they want is dealt with here, once for all routes.
 */
#include "ra/gate/http_private.h"

#include "common/base/clock.h"
#include "ra/gate/http_text.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#define MAX_AGE_MAX 2000000000 /* RFC 9111 1.2.2: what is more means as much */

/* --- a request --- */

const char *http_argument(const struct http_request *r, const char *name)
{
	if (r->text)
		return http_text_argument(r->text, r->head, name);
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *r, const char *name)
{
	if (r->text)
		return http_text_field(r->text, r->head, name);
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

const char *http_date(int64_t t, char ret[HTTP_DATE_BYTES])
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
	char date[HTTP_DATE_BYTES];
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

static void add_life(const struct http_reply *to, const struct http_sink *m)
{
	char text[100], date[HTTP_DATE_BYTES];
	m->add(m->to, MHD_HTTP_HEADER_CACHE_CONTROL,
	       to->max_age > 0	? cache_words(to, text)
	       : to->revalidate ? "no-cache"
				: "no-store");
	if (to->etag[0] != '\0') {
		size_t n = strlen(to->etag);
		memcpy(put_text(put_text(text, "\"", 1), to->etag, n), "\"", 2);
		m->add(m->to, MHD_HTTP_HEADER_ETAG, text);
	}
	if (to->modified != 0)
		m->add(m->to, MHD_HTTP_HEADER_LAST_MODIFIED, http_date(to->modified, date));
	if (to->expires != 0)
		m->add(m->to, MHD_HTTP_HEADER_EXPIRES, http_date(to->expires, date));
}

static void add_rest(const struct http_reply *to, const struct http_sink *m)
{
	if (to->type)
		m->add(m->to, MHD_HTTP_HEADER_CONTENT_TYPE, to->type);
	if (to->allow)
		m->add(m->to, MHD_HTTP_HEADER_ALLOW, to->allow);
	if (to->cookie[0] != '\0')
		m->add(m->to, MHD_HTTP_HEADER_SET_COOKIE, to->cookie);
	if (to->encoding) {
		m->add(m->to, MHD_HTTP_HEADER_CONTENT_ENCODING, to->encoding);
		m->add(m->to, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	}
	m->add(m->to, "X-Content-Type-Options", "nosniff");
	if (to->is_page) {
		m->add(m->to, "Content-Security-Policy",
		       to->policy ? to->policy
				  : "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
				    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
		m->add(m->to, "Referrer-Policy", "no-referrer");
	}
	if (!to->origin)
		return;
	m->add(m->to, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, to->origin);
	m->add(m->to, MHD_HTTP_HEADER_VARY, "Origin");
	m->add(m->to, "Access-Control-Allow-Methods", "GET, POST");
	m->add(m->to, "Access-Control-Allow-Headers", "authorization, content-type");
	m->add(m->to, "Access-Control-Max-Age", "3600");
}

enum http_body http_settle(const struct http_request *r, struct http_reply *to, struct http_part *ret)
{
	bool bad = false;
	*ret = (struct http_part){.n = to->fd_size};
	to->status = to->status ? to->status : MHD_HTTP_OK;
	if (is_known(r, to)) {
		to->status = MHD_HTTP_NOT_MODIFIED;
		to->type = NULL;
	} else if (to->fd > 0) {
		bool part = to->status == MHD_HTTP_OK &&
			    read_range(http_header(r, MHD_HTTP_HEADER_RANGE), to->fd_size, &ret->from, &ret->n, &bad);
		if (part)
			to->status = bad ? MHD_HTTP_RANGE_NOT_SATISFIABLE : MHD_HTTP_PARTIAL_CONTENT;
		if (!bad)
			return BODY_FILE;
	} else {
		return to->fixed.n > 0 ? BODY_FIXED : to->body.len > 0 ? BODY_BYTES : BODY_NONE;
	}
	if (to->fd > 0)
		close(to->fd);
	to->fd = 0;
	return BODY_NONE;
}

static void add_part(const struct http_reply *to, const struct http_part *part, const struct http_sink *m)
{
	char text[80];
	if (to->fd > 0)
		m->add(m->to, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (to->status == MHD_HTTP_PARTIAL_CONTENT)
		snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)part->from,
			 (unsigned long long)(part->from + part->n - 1), (unsigned long long)to->fd_size);
	else if (to->status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
		snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)to->fd_size);
	else
		return;
	m->add(m->to, MHD_HTTP_HEADER_CONTENT_RANGE, text);
}

void http_fields(const struct http_reply *to, const struct http_part *part, const struct http_sink *m)
{
	add_part(to, part, m);
	add_life(to, m);
	add_rest(to, m);
}
