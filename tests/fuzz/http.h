/*
 * Requests as libmicrohttpd shows them to a handler, from an input: lines "Name: value", an empty line, the body. What the
 * handler asks of a connection is answered from there; the target is linked before the library.
 */
#ifndef HUFU_TEST_FUZZ_HTTP_H
#define HUFU_TEST_FUZZ_HTTP_H

#include "tests/fuzz/fuzz.h"

#include <microhttpd.h>
#include <strings.h>

#define HTTP_FIELDS 16
static struct {
	char *name[HTTP_FIELDS], *value[HTTP_FIELDS];
	size_t n;
} http_fields;

/* Cuts the text, which ends with NUL, into lines; what is behind the empty one. */
static inline char *http_read(char *text)
{
	http_fields.n = 0;
	for (;;) {
		char *end = strchr(text, '\n'), *colon = strstr(text, ": ");
		if (!end || end == text || !colon || colon > end || http_fields.n == HTTP_FIELDS)
			return end == text ? text + 1 : text;
		*colon = *end = '\0';
		http_fields.name[http_fields.n] = text;
		http_fields.value[http_fields.n++] = colon + 2;
		text = end + 1;
	}
}

/* Headers by name; of cookies there is one, the header's whole value behind its name. NULL: not there. */
const char *MHD_lookup_connection_value(struct MHD_Connection *c, enum MHD_ValueKind kind, const char *key)
{
	const char *name = kind == MHD_COOKIE_KIND ? "Cookie" : key;
	size_t n = strlen(key);
	(void)c;
	for (size_t i = 0; i < http_fields.n; i++) {
		const char *v = http_fields.value[i];
		if (strcasecmp(http_fields.name[i], name) != 0)
			continue;
		if (kind != MHD_COOKIE_KIND)
			return v;
		if (strncmp(v, key, n) == 0 && v[n] == '=')
			return v + n + 1;
	}
	return NULL;
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *c, enum MHD_ConnectionInfoType type, ...)
{
	(void)c, (void)type;
	return NULL;
}

#endif
