/*
 * PKCS#11 URIs (RFC 7512): what names a token, or one key on one token. A PIN has no place in one.
 */
#ifndef HUFU_TOKEN_URI_H
#define HUFU_TOKEN_URI_H

#include "common/base/buf.h"

/* A value and how long it is: text, but for id. n 0: not named. */
#define TOKEN_URI_VALUE 256
struct token_uri_value {
	char text[TOKEN_URI_VALUE + 1];
	size_t n;
};
struct token_uri {
	struct token_uri_value token, serial, manufacturer, model; /* fields of CK_TOKEN_INFO */
	struct token_uri_value object, id;			   /* CKA_LABEL and CKA_ID of a key */
	struct token_uri_value module;				   /* path of the PKCS#11 library */
};
enum token_uri_names {
	TOKEN_URI_TOKEN, /* object, id and type are refused */
	TOKEN_URI_KEY	 /* serial is wanted, and object or id: neither another token nor another key may pass for it */
};
bool is_token_uri(const char *text);
/* where: what holds it, for messages. Attributes that are not above, that stand twice, or that hold a PIN (whose text stays unsaid): ERR_CONFIG
 * token_uri. */
MUST_CHECK enum err token_uri_parse(const char *text, enum token_uri_names names, const char *where, struct token_uri *ret, struct fault *f);

#endif
