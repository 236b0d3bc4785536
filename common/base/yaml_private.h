/*
 * What the files of the YAML reader share; nobody else includes this.
 */
#ifndef HUFU_BASE_YAML_PRIVATE_H
#define HUFU_BASE_YAML_PRIVATE_H

#include "common/base/yaml.h"

#include <stdarg.h>

struct arena_chunk {
	struct arena_chunk *next;
};

/* Where the len bytes at p were written: a member, an element, a whole struct. */
struct yaml_mark {
	const uint8_t *p;
	size_t len;
	unsigned line, column;
	const char *key; /* or NULL */
};

struct yaml_doc {
	char *name; /* escaped already */
	struct yaml_node *root;
	struct arena_chunk *chunks;
	uint8_t *free_at; /* room of the newest chunk */
	size_t free_n;
	struct yaml_mark *marks;
	size_t n_marks, cap_marks;
};

/* Zeroed, aligned for anything, freed with the doc. */
void *yaml_alloc(struct yaml_doc *doc, size_t n, size_t size);
/* Raises kind with "name:line:column: " before the text; line 0: "name: ". */
enum err yaml_raise_at(const struct yaml_doc *doc, unsigned line, unsigned column, struct fault *f, enum err kind,
		       const char *rule, const char *where, const char *fmt, ...) __attribute__((format(printf, 8, 9)));
enum err yaml_raise_va(const struct yaml_doc *doc, unsigned line, unsigned column, struct fault *f, enum err kind,
		       const char *rule, const char *where, const char *fmt, va_list ap)
	__attribute__((format(printf, 8, 0)));

/* The characters of the file before any parsing: UTF-8, LF, nothing invisible. */
MUST_CHECK enum err yaml_check_text(const struct yaml_doc *doc, struct slice text, struct fault *f);

/* A walk over the file beside libyaml's, which looks at what stands between the scalars. */
struct yaml_walk {
	const struct yaml_doc *doc;
	struct slice text;
	size_t at, index; /* byte and character of the next one */
	unsigned line, column;
	unsigned flow_depth;
	unsigned flow_indent; /* lines in a flow collection start right of this column; 0: anywhere */
	bool comment;
	bool fresh_line;   /* only spaces since the line began */
	bool started_line; /* the scalar at hand is the first on its line */
	bool key_possible; /* a scalar ended on this line and only spaces followed */
	bool tight;	   /* a quoted scalar or a bracket ended right here */
	bool content;	   /* something other than comments was there */
};
void yaml_walk_init(struct yaml_walk *w, const struct yaml_doc *doc, struct slice text);
/* Checks the characters up to (not with) the one numbered index. */
MUST_CHECK enum err yaml_walk_between(struct yaml_walk *w, size_t index, struct fault *f);
/* Steps over a scalar that ends before the character numbered end, with checks that libyaml leaves out. */
enum yaml_scalar_style { SCALAR_PLAIN, SCALAR_QUOTED, SCALAR_BLOCK };
MUST_CHECK enum err yaml_walk_scalar(struct yaml_walk *w, enum yaml_scalar_style style, size_t end, struct fault *f);

#endif
