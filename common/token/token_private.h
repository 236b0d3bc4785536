/*
 * What the files about tokens share; nobody else includes this.
 */
#ifndef HUFU_TOKEN_PRIVATE_H
#define HUFU_TOKEN_PRIVATE_H

#include "common/token/token.h"

#include <p11-kit/pkcs11.h>

/* A loaded PKCS#11 library. (token_module.c, the one file with calls of this operating system) */
struct token_module {
	void *library;
	CK_FUNCTION_LIST *fn;
	bool initialized; /* by us */
	char *path;
};
/* Loaded and started. */
MUST_CHECK enum err token_module_open(const char *path, struct token_module **ret, struct fault *f);
/* The module that stands for all that the system is configured with. */
extern const char token_module_default[];

struct token {
	struct token_module *module; /* NULL: shared, somebody else's */
	CK_FUNCTION_LIST *fn;	     /* the module's */
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	bool has_session, logged_in;
	CK_FLAGS flags; /* of CK_TOKEN_INFO, as last read */
	char name[80];
	const struct secret *pin; /* borrowed; NULL on a keypad */
};

#define TOKEN_OBJECTS_MAX 256
struct token_objects {
	CK_OBJECT_HANDLE handles[TOKEN_OBJECTS_MAX];
	CK_ULONG n;
};
/* All that have these attributes. */
MUST_CHECK enum err token_objects(struct token *t, CK_ATTRIBUTE *template, CK_ULONG n, struct token_objects *ret,
				  struct fault *f);
/* Opens the session of a token that was chosen TOKEN_CLOSED. */
MUST_CHECK enum err token_session(struct token *t, bool writes, struct fault *f);
/* A field of CK_TOKEN_INFO without its padding, which is spaces by the standard and NULs by some. */
struct slice token_field(const unsigned char *p, size_t n);
/* What a module's answer means to the holder. call: "C_Sign". */
enum err(token_failed)(const struct token *t, const char *call, CK_RV rv, struct fault *f);
/* The same after C_Login: says how the tries stand. */
enum err(token_login_failed)(struct token *t, CK_RV rv, struct fault *f);
/* The same after a log-in of the administrator: it is the PUK that is wrong. */
enum err token_puk_failed(struct token *t, CK_RV rv, struct fault *f);
/* The same of a new PIN or PUK that the token does not take. */
enum err token_new_pin_failed(const struct token *t, const char *call, CK_RV rv, struct fault *f);
/* Reads one attribute into room of size bytes. *ret_len 0: the object has none that can be read, or a longer one. */
MUST_CHECK enum err token_attribute(struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *room,
				    size_t size, size_t *ret_len, struct fault *f);
/* "rsa" -> CKK_RSA; false for a kind that PKCS#11 2.40 has no word for. */
bool token_key_type(enum key_alg alg, CK_KEY_TYPE *ret);

/* Of a public key object. *ret: zero-init, pubkey_done(). (token_public.c) */
MUST_CHECK enum err token_public_key(struct token *t, CK_OBJECT_HANDLE object, struct pubkey *ret, struct fault *f);

#endif
