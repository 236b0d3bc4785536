/*
 * Errors: one closed set of kinds, and the detail in a fault that the caller owns.
 *
 * Every attempt returns `enum err` and takes a `struct fault *` last. It is raised once, where the
 * error is found, and passed on untouched. `fault` may be NULL when the caller wants the kind alone.
 */
#ifndef HUFU_BASE_ERR_H
#define HUFU_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum err {
	OK = 0,
	ERR_PARSE,     /* bytes or text that are not of their form */
	ERR_LIMIT,     /* larger, longer or more than allowed */
	ERR_RULE,      /* well formed, and refused by a rule (policy, floor, state) */
	ERR_DENIED,    /* this caller may not do this */
	ERR_NOT_FOUND, /* no such object, as far as this caller may know */
	ERR_CONFLICT,  /* exists already with another content */
	ERR_CRYPTO,    /* a signature, key or seal that does not hold */
	ERR_IO,        /* file or device */
	ERR_DB,        /* database */
	ERR_NET,       /* peer unreachable or the wire broke */
	ERR_BUSY,      /* try again later */
	ERR_CONFIG,    /* configuration, policy or command line */
	ERR_LOCKED,    /* key not open yet */
	ERR_INTERNAL,  /* what should not happen; the text stays in the log */
};

/* A detail that people and programs read. `where` names object and field ("tally.dies"), `rule` is a
 * stable word for programs ("tally_expired"), `text` says found and wanted and the source. */
struct fault {
	enum err kind;
	char rule[40];
	char where[96];
	char text[600];
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Passes an error on untouched. The only control-flow macro. */
#define TRY(expr)                        \
	do {                             \
		enum err try_ = (expr);  \
		if (try_ != OK)          \
			return try_;     \
	} while (0)

/* Fills *f (when not NULL) and returns kind. rule and where are copied; outside bytes in the text must
 * have gone through text_escape() first. Truncates, never fails. */
enum err fault_raise(struct fault *f, enum err kind, const char *rule, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Puts "prefix: " before the text of a raised fault: for the layer that knows the file or object. */
void fault_prefix(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "parse", "limit", …: stable words, used on the wire and in logs. Never NULL. */
const char *err_word(enum err kind);
/* The reverse; false for a word that is none of ours. */
bool err_from_word(const char *word, enum err *ret_kind);

/* May a client outside hear the text? (all kinds but IO, DB, INTERNAL) */
bool err_is_public(enum err kind);

#endif
