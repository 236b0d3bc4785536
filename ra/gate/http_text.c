/*
 * One walk over a head. Lines end with CR and LF and are not folded, a name stands before its colon without a space, a length is
 * said once, and coded bodies are refused: RFC 9112 2.2, 5.1, 5.2, 6.3 and 11.2 let a server do so, and what is refused cannot be
 * read in two ways. Next: front.c.
 */
#include "ra/gate/http_text.h"

#include <string.h>
#include <strings.h>

#define METHOD_MAX 16u

/* RFC 9110 5.6.2: tchar. */
static const bool is_tchar[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true, ['#'] = true, ['$'] = true,
	['%'] = true,	      ['&'] = true,	    ['\''] = true,	  ['*'] = true, ['+'] = true, ['-'] = true,
	['.'] = true,	      ['^'] = true,	    ['_'] = true,	  ['`'] = true, ['|'] = true, ['~'] = true};

struct reading {
	char *p;
	struct http_text *to;
	const char *why;
	unsigned hosts, lengths, codings;
	bool chunked, old; /* HTTP/1.0 */
};

static unsigned refuse(struct reading *r, unsigned status, const char *why)
{
	r->why = why;
	return status;
}

/* A lone LF ends lines here too, or whoever sends only such would wait for an answer: the parser refuses it. */
size_t http_text_head(const char *p, size_t n, size_t *at)
{
	const char *lf;
	while (*at < n && (lf = memchr(p + *at, '\n', n - *at))) {
		size_t i = (size_t)(lf - p);
		*at = i + 1;
		if (i >= 1 && (p[i - 1] == '\n' || (i >= 2 && p[i - 1] == '\r' && p[i - 2] == '\n')))
			return i + 1;
	}
	*at = n;
	return 0;
}

static size_t token_length(const char *p, size_t n)
{
	size_t i = 0;
	while (i < n && is_tchar[(uint8_t)p[i]])
		i++;
	return i;
}

/* --- the target --- */

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* In place, with NUL behind it, for which there is room. 0, 400, or 404 where an escape is of NUL: nothing has such a name. */
static unsigned unescape(char *p, size_t n, bool plus)
{
	char *to = p;
	unsigned status = 0;
	for (size_t i = 0; i < n && status == 0; i++) {
		char c = p[i] == '+' && plus ? ' ' : p[i];
		if (p[i] == '%') {
			int a = n - i > 2 ? digit(p[i + 1]) : -1, b = n - i > 2 ? digit(p[i + 2]) : -1;
			c = (char)(a * 16 + b);
			status = a < 0 || b < 0 ? 400 : c == '\0' ? 404 : 0;
			i += 2;
		}
		*to++ = c;
	}
	*to = '\0';
	return status;
}

static unsigned read_arguments(struct reading *r, char *query, size_t n)
{
	struct http_text *to = r->to;
	for (char *at = query, *end = query + n; at < end;) {
		char *next = memchr(at, '&', (size_t)(end - at));
		next = next ? next : end;
		char *equals = memchr(at, '=', (size_t)(next - at)), *value = equals ? equals + 1 : next;
		if (to->n_arguments == HTTP_ARGUMENTS_MAX)
			return refuse(r, 414, "too many arguments");
		unsigned bad = unescape(value, (size_t)(next - value), true);
		if (bad == 0)
			bad = unescape(at, (size_t)((equals ? equals : next) - at), true);
		if (bad != 0)
			return refuse(r, 400, "an argument has a broken escape");
		to->arguments[to->n_arguments++] = (struct http_pair){(uint32_t)(at - r->p), (uint32_t)(value - r->p)};
		at = next + 1;
	}
	return 0;
}

/* RFC 9112 3.2.1, 3.2.2. The octet behind it is a space, and may be written over. */
static unsigned read_target(struct reading *r, char *at, size_t n)
{
	static const char scheme[] = "http://";
	for (size_t i = 0; i < n; i++) {
		if ((uint8_t)at[i] <= ' ' || (uint8_t)at[i] >= 0x7f)
			return refuse(r, 400, "the target has an octet that belongs into an escape");
	}
	if (n >= sizeof(scheme) && strncasecmp(at, scheme, sizeof(scheme) - 1) == 0) {
		char *path = memchr(at + sizeof(scheme) - 1, '/', n - (sizeof(scheme) - 1));
		if (!path)
			return refuse(r, 400, "the target has no path");
		n -= (size_t)(path - at);
		at = path;
	}
	if (n == 0 || *at != '/')
		return refuse(r, 400, "the target does not begin with a slash");
	char *query = memchr(at, '?', n);
	size_t path_n = query ? (size_t)(query - at) : n;
	if (n > HTTP_PATH_MAX)
		return refuse(r, 414, "the path is too long");
	unsigned bad = query ? read_arguments(r, query + 1, n - path_n - 1) : 0;
	if (bad != 0)
		return bad;
	r->to->path = (uint32_t)(at - r->p);
	bad = unescape(at, path_n, false);
	return bad ? refuse(r, bad, bad == 404 ? "there is nothing of that name" : "the path has a broken escape") : 0;
}

/* n: without the line's end. */
static unsigned read_line(struct reading *r, char *line, size_t n)
{
	static const char http[] = " HTTP/1.";
	const size_t tail = sizeof(http); /* with the digit */
	size_t method = token_length(line, n);
	if (method == 0 || method > METHOD_MAX || n < method + 1 + tail || line[method] != ' ')
		return refuse(r, 400, "wanted a method, a target and a version");
	char *end = line + n - tail;
	if (memcmp(end, " HTTP/", 6) != 0)
		return refuse(r, 400, "wanted a method, a target and a version");
	if (memcmp(end, http, sizeof(http) - 1) != 0 || digit(end[tail - 1]) < 0 || digit(end[tail - 1]) > 9)
		return refuse(r, 505, "wanted HTTP/1.1");
	r->old = end[tail - 1] == '0';
	r->to->method = (uint32_t)(line - r->p);
	r->to->is_head = method == 4 && memcmp(line, "HEAD", 4) == 0;
	line[method] = '\0';
	return read_target(r, line + method + 1, (size_t)(end - line) - method - 1);
}

/* --- fields --- */

static bool lists(const char *value, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = value; *p;) {
		p += strspn(p, " \t,");
		size_t one = strcspn(p, " \t,");
		if (one == n && strncasecmp(p, word, n) == 0)
			return true;
		p += one;
	}
	return false;
}

/* Those that say where the request ends and what follows it. */
static unsigned note_field(struct reading *r, const char *name, const char *value)
{
	struct http_text *to = r->to;
	switch (strlen(name)) {
	case 4:
		r->hosts += strcasecmp(name, "Host") == 0;
		break;
	case 6:
		to->continues |= strcasecmp(name, "Expect") == 0 && strcasecmp(value, "100-continue") == 0;
		break;
	case 10:
		to->closes |= strcasecmp(name, "Connection") == 0 && lists(value, "close");
		break;
	case 14:
		if (strcasecmp(name, "Content-Length") != 0)
			break;
		r->lengths++;
		if (!u64_parse(value, strlen(value), INT64_MAX, &to->body_n))
			return refuse(r, 400, "Content-Length is no number");
		break;
	case 17:
		if (strcasecmp(name, "Transfer-Encoding") != 0)
			break;
		r->codings++;
		r->chunked = strcasecmp(value, "chunked") == 0;
		break;
	default:
		break;
	}
	return 0;
}

static unsigned read_field(struct reading *r, char *line, size_t n)
{
	struct http_text *to = r->to;
	size_t name = token_length(line, n);
	char *value = line + name + 1, *end = line + n;
	if (name == 0 || name == n || line[name] != ':')
		return refuse(r, 400, "a header field has no name with a colon behind it");
	if (to->n_fields == HTTP_FIELDS_MAX)
		return refuse(r, 431, "too many header fields");
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	for (const char *p = value; p < end; p++) {
		if (((uint8_t)*p < ' ' && *p != '\t') || *p == 0x7f)
			return refuse(r, 400, "a header field has a control character");
	}
	line[name] = '\0';
	*end = '\0';
	to->fields[to->n_fields++] = (struct http_pair){(uint32_t)(line - r->p), (uint32_t)(value - r->p)};
	return note_field(r, line, value);
}

/* RFC 9112 3.2, 6.1, 6.3. */
static unsigned judge(struct reading *r)
{
	if (r->hosts > 1 || (r->hosts == 0 && !r->old))
		return refuse(r, 400, "wanted one Host");
	if (r->lengths > 1 || (r->lengths > 0 && r->codings > 0))
		return refuse(r, 400, "the body's length is said twice");
	if (r->codings > 0)
		return r->codings == 1 && r->chunked ? refuse(r, 411, "wanted Content-Length")
						     : refuse(r, 501, "this coding of a body is not read");
	r->to->closes |= r->old;
	return 0;
}

unsigned http_text_parse(char *p, size_t n, struct http_text *ret, const char **ret_why)
{
	struct reading r = {.p = p, .to = ret, .why = ""};
	unsigned bad = 0;
	ret->n_fields = ret->n_arguments = 0;
	ret->body_n = 0;
	ret->is_head = ret->closes = ret->continues = false;
	for (char *at = p, *end = p + n; at < end && bad == 0;) {
		char *lf = memchr(at, '\n', (size_t)(end - at));
		if (!lf || lf == at || lf[-1] != '\r') {
			bad = refuse(&r, 400, "a line ends without CR and LF");
			break;
		}
		size_t len = (size_t)(lf - 1 - at);
		if (at == p)
			bad = read_line(&r, at, len);
		else if (len > 0)
			bad = read_field(&r, at, len);
		at = lf + 1;
	}
	if (bad == 0)
		bad = judge(&r);
	*ret_why = r.why;
	return bad;
}

const char *http_text_field(const struct http_text *t, const char *p, const char *name)
{
	for (uint32_t i = 0; i < t->n_fields; i++)
		if (strcasecmp(p + t->fields[i].name, name) == 0)
			return p + t->fields[i].value;
	return NULL;
}

const char *http_text_argument(const struct http_text *t, const char *p, const char *name)
{
	for (uint32_t i = 0; i < t->n_arguments; i++)
		if (strcmp(p + t->arguments[i].name, name) == 0)
			return p + t->arguments[i].value;
	return NULL;
}
