/*
 * Strict YAML: libyaml's events into a small tree that keeps line and column, and one table-driven schema
 * over it. Duplicate keys, anchors, aliases, tags, second documents, tabs in keys and unknown keys are
 * refused, each with file:line:column, what was found, what is allowed, and the nearest known word.
 *
 * A schema is an array of `struct yaml_rule` that ends with {0}. yaml_decode() fills a caller's struct
 * through it; all strings and lists live in the document, so the struct borrows from the doc.
 */
#ifndef HUFU_BASE_YAML_H
#define HUFU_BASE_YAML_H

#include "common/base/buf.h"

enum yaml_type { YAML_SCALAR, YAML_MAP, YAML_SEQ };

struct yaml_node {
	enum yaml_type type;
	unsigned line, column; /* from 1 */
	bool quoted;           /* a quoted scalar: never a number, bool or null */
	const char *text;      /* scalar; UTF-8, no NUL */
	const char *key;       /* this node's key in its map, or NULL */
	unsigned key_line, key_column;
	struct yaml_node **items; /* map values or sequence items, in file order */
	size_t n_items;
};

struct yaml_doc;
#define YAML_MAX_BYTES (1024u * 1024u)
#define YAML_MAX_DEPTH 32u
#define YAML_MAX_NODES 50000u

/* name is what messages call the file. ERR_CONFIG for wrong text, ERR_LIMIT beyond a limit; yaml_load also what
 * file_read() raises. Gives *ret: yaml_free().
 *
 * The dialect is a part of YAML 1.2 that has one reading: UTF-8 with LF, no tabs, no invisible characters; plain and quoted
 * scalars on one line, longer text as | or >; keys are scalars and not "<<"; no `?`, `...`, directives. */
MUST_CHECK enum err yaml_parse(const char *name, struct slice text, struct yaml_doc **ret, struct fault *f);
MUST_CHECK enum err yaml_load(const char *path, struct yaml_doc **ret, struct fault *f);
void yaml_doc_free(struct yaml_doc *doc);
/* Inline, because libyaml exports a yaml_free() of its own and would call a global one of ours instead. */
static inline void yaml_free(struct yaml_doc *doc) { yaml_doc_free(doc); }
static inline void yaml_freep(struct yaml_doc **doc) { yaml_free(*doc); *doc = NULL; }
const struct yaml_node *yaml_root(const struct yaml_doc *doc);
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); /* or NULL */

/* STR, WORD and their lists take plain and quoted scalars; INT, BOOL and TIME plain ones only. A plain ~ or null and a
 * value left out are refused everywhere. */
enum yaml_kind {
	YK_NONE = 0,
	YK_STR,   /* const char *        min/max: length in bytes */
	YK_INT,   /* int64_t             min/max: value */
	YK_BOOL,  /* bool                true | false only */
	YK_WORD,  /* int                 index into words */
	YK_TIME,  /* int64_t             RFC 3339 UTC */
	YK_STRS,  /* struct yaml_strs    a list of strings, the length of each within min/max */
	YK_INTS,  /* struct yaml_ints    a list of integers, each within min/max */
	YK_WORDS, /* uint64_t            a list of words as bit mask (at most 64 words); each at most once */
	YK_SUB,   /* nested struct at offset, by sub; when absent, its members get their defaults */
	YK_LIST,  /* struct yaml_list    a list of maps, each elem_size bytes by sub; min/max: how many */
	YK_DICT,  /* struct yaml_list    a map with free keys; each value by sub; the first member of the
		   *                     element is `const char *` and gets the key; min/max: how many */
};
struct yaml_strs { const char **v; size_t n; };
struct yaml_ints { int64_t *v; size_t n; };
struct yaml_list { void *v; size_t n; };

struct yaml_rule {
	const char *key;
	enum yaml_kind kind;
	size_t offset;
	bool required;
	int64_t min, max;             /* max 0: no upper bound beyond the file's; min always counts (0: nothing negative) */
	int64_t def;                  /* for INT, BOOL, WORD, TIME, WORDS when absent */
	const char *const *words;     /* NULL-terminated, for WORD and WORDS */
	const struct yaml_rule *sub;  /* for SUB, LIST, DICT */
	size_t elem_size;             /* for LIST and DICT */
	size_t present;               /* offset + 1 of a bool that is set when the key is there; 0: none */
	const char *help;             /* one line, goes into the JSON Schema */
};

/* out must be zeroed and stay where it is while yaml_fault() is used. ERR_CONFIG; *f has file:line:column first in its
 * text, and the key as where. */
MUST_CHECK enum err yaml_decode(struct yaml_doc *doc, const struct yaml_node *node, const struct yaml_rule *rules, void *out,
				struct fault *f);
/* For meaning found wrong after decoding: raises ERR_CONFIG at the place where *member (an address inside a
 * decoded struct, list element or yaml_strs item array) was written; at the file when unknown. */
enum err yaml_fault(const struct yaml_doc *doc, const void *member, struct fault *f, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* A JSON Schema (2020-12) of the rules, for editors. */
void yaml_schema_json(const char *title, const struct yaml_rule *rules, struct buf *ret);

#endif
