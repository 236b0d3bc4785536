/*
 * The text of an HTTP/1.1 request (RFC 9112), read in place. Strict: what two servers might read in two ways is refused, since a proxy stands before this one.
 */
#ifndef HUFU_RA_GATE_HTTP_TEXT_H
#define HUFU_RA_GATE_HTTP_TEXT_H

#include "common/base/buf.h"

#define HTTP_HEAD_MAX 16384u /* request line, header fields and the empty line */
#define HTTP_PATH_MAX 8192u
#define HTTP_FIELDS_MAX 64u
#define HTTP_ARGUMENTS_MAX 16u

/* Both end with NUL; octets from the request's first. */
struct http_pair {
	uint32_t name, value;
};
struct http_text {
	uint32_t method, path; /* without escapes and query; end with NUL */
	struct http_pair fields[HTTP_FIELDS_MAX], arguments[HTTP_ARGUMENTS_MAX];
	uint32_t n_fields, n_arguments;
	uint64_t body_n;
	bool is_head;	/* HEAD: an answer without its body */
	bool closes;	/* the connection ends behind the answer */
	bool continues; /* whoever asks waits for a word before the body is sent */
};

/* Octets of the head with its empty line; 0: it is not all there. Of an earlier look, *at is where to look on; begins with 0. */
size_t http_text_head(const char *p, size_t n, size_t *at);
/* The head that http_text_head() has found: its n octets become texts that end with NUL. 0, or the status that it is refused with and why. */
unsigned http_text_parse(char *p, size_t n, struct http_text *ret, const char **ret_why);
/* p: the octets that were parsed, there or elsewhere by now. NULL: it is not there. The first one counts; names of fields in either case. */
const char *http_text_field(const struct http_text *t, const char *p, const char *name);
const char *http_text_argument(const struct http_text *t, const char *p, const char *name);

#endif
