/*
 * For tools/analyze alone, before each file: what its analyzers cannot see from one file. A function that raises a fault
 * returns the kind of it, which is never OK. Their definitions have the name in brackets, so that these macros leave them be.
 */
#include "common/base/err.h"

static inline enum err raised(enum err by, enum err kind)
{
	(void)by;
	return kind;
}
#define fault_raise(f, kind, ...) raised((fault_raise)(f, kind, __VA_ARGS__), kind)
#define field_raise(f, kind, ...) raised((field_raise)(f, kind, __VA_ARGS__), kind)
#define db_raise(...) raised((db_raise)(__VA_ARGS__), ERR_DB)
#define token_failed(...) raised((token_failed)(__VA_ARGS__), ERR_IO)
#define token_login_failed(...) raised((token_login_failed)(__VA_ARGS__), ERR_IO)
