/*
 * From libyaml's events to a tree that keeps line and column.
 *
 * The characters are checked first (yaml_text.c), then each event is taken together with the text between it and the
 * last one. The tree is built on a stack of fixed depth; everything lives in the document's arena. Next: yaml_decode.c.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/yaml_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define KEY_MAX 200u
#define CHUNK (16u * 1024u)

void *yaml_alloc(struct yaml_doc *doc, size_t n, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(n, size, &total) || total > SIZE_MAX / 2)
		abort();
	total = (total + 15) & ~(size_t)15;
	if (total > doc->free_n) {
		size_t room = total > CHUNK ? total : CHUNK;
		/* The header takes 16 bytes, so that what follows stays aligned. */
		struct arena_chunk *chunk = xcalloc(1, 16 + room);
		chunk->next = doc->chunks;
		doc->chunks = chunk;
		doc->free_at = (uint8_t *)chunk + 16;
		doc->free_n = room;
	}
	void *p = doc->free_at;
	doc->free_at += total;
	doc->free_n -= total;
	return p;
}

void yaml_doc_free(struct yaml_doc *doc)
{
	if (!doc)
		return;
	for (struct arena_chunk *chunk = doc->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(doc->marks);
	free(doc->name);
	free(doc);
}

enum err yaml_raise_va(const struct yaml_doc *doc, unsigned line, unsigned column, struct fault *f, enum err kind,
		       const char *rule, const char *where, const char *fmt, va_list ap)
{
	char text[sizeof(f->text)];
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	if (line == 0)
		return fault_raise(f, kind, rule, where, "%s: %s", doc->name, text);
	return fault_raise(f, kind, rule, where, "%s:%u:%u: %s", doc->name, line, column, text);
}

enum err yaml_raise_at(const struct yaml_doc *doc, unsigned line, unsigned column, struct fault *f, enum err kind,
		       const char *rule, const char *where, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	enum err e = yaml_raise_va(doc, line, column, f, kind, rule, where, fmt, ap);
	va_end(ap);
	return e;
}

/* A collection that is open. */
struct frame {
	struct yaml_node *node;
	size_t cap;
	bool flow;
	const char *key; /* read, its value is next */
	unsigned key_line, key_column;
};

struct reader {
	yaml_parser_t parser;
	struct yaml_doc *doc;
	struct yaml_walk walk;
	struct frame stack[YAML_MAX_DEPTH];
	size_t depth, n_nodes, n_documents;
};

static enum err refuse(const struct reader *r, yaml_mark_t at, struct fault *f, enum err kind, const char *rule,
		       const char *text)
{
	return yaml_raise_at(r->doc, (unsigned)at.line + 1, (unsigned)at.column + 1, f, kind, rule, r->doc->name, "%s",
			     text);
}

static struct yaml_node *node_new(struct reader *r, enum yaml_type type, yaml_mark_t at)
{
	struct yaml_node *node = yaml_alloc(r->doc, 1, sizeof(*node));
	node->type = type;
	node->line = (unsigned)at.line + 1;
	node->column = (unsigned)at.column + 1;
	return node;
}

/* Hangs a node where it belongs: the root, an item, the value of the key just read. */
static enum err attach(struct reader *r, struct yaml_node *node, yaml_mark_t at, struct fault *f)
{
	if (++r->n_nodes > YAML_MAX_NODES)
		return refuse(r, at, f, ERR_LIMIT, "yaml_limit", "more than 50000 values in one file");
	if (r->depth == 0) {
		r->doc->root = node;
		return OK;
	}
	struct frame *top = &r->stack[r->depth - 1];
	node->key = top->key;
	node->key_line = top->key_line;
	node->key_column = top->key_column;
	top->key = NULL;
	if (top->node->n_items == top->cap) {
		size_t cap = top->cap ? 2 * top->cap : 8;
		struct yaml_node **items = yaml_alloc(r->doc, cap, sizeof(struct yaml_node *));
		if (top->cap)
			memcpy(items, top->node->items, top->cap * sizeof(struct yaml_node *));
		top->node->items = items;
		top->cap = cap;
	}
	top->node->items[top->node->n_items++] = node;
	return OK;
}

static bool wants_key(const struct reader *r)
{
	return r->depth > 0 && r->stack[r->depth - 1].node->type == YAML_MAP && !r->stack[r->depth - 1].key;
}

static enum err push(struct reader *r, enum yaml_type type, bool flow, yaml_mark_t at, struct fault *f)
{
	if (wants_key(r))
		return refuse(r, at, f, ERR_CONFIG, "yaml_syntax", "found a collection as a key, wanted a simple word");
	if (r->depth == YAML_MAX_DEPTH)
		return refuse(r, at, f, ERR_LIMIT, "yaml_limit", "nested deeper than 32 levels");
	struct yaml_node *node = node_new(r, type, at);
	TRY(attach(r, node, at, f));
	/* The block around the outermost flow collection decides how far its lines are indented. */
	if (flow && r->walk.flow_depth == 0)
		r->walk.flow_indent = r->depth > 0 ? r->stack[r->depth - 1].node->column : 0;
	r->stack[r->depth++] = (struct frame){.node = node, .flow = flow};
	return OK;
}

static int by_key(const void *a, const void *b)
{
	const struct yaml_node *x = *(struct yaml_node *const *)a, *y = *(struct yaml_node *const *)b;
	int order = strcmp(x->key, y->key);
	if (order != 0)
		return order;
	if (x->key_line != y->key_line)
		return x->key_line < y->key_line ? -1 : 1;
	return (x->key_column > y->key_column) - (x->key_column < y->key_column);
}

/* Sorted, so that a hostile file of many keys costs no more than n log n. */
static enum err check_twice(struct reader *r, const struct yaml_node *map, struct fault *f)
{
	if (map->n_items < 2)
		return OK;
	_cleanup_(freep) struct yaml_node **sorted = xmalloc(map->n_items * sizeof(struct yaml_node *));
	memcpy(sorted, map->items, map->n_items * sizeof(struct yaml_node *));
	qsort(sorted, map->n_items, sizeof(struct yaml_node *), by_key);
	for (size_t i = 1; i < map->n_items; i++) {
		const struct yaml_node *first = sorted[i - 1], *again = sorted[i];
		if (strcmp(first->key, again->key) == 0)
			return yaml_raise_at(r->doc, again->key_line, again->key_column, f, ERR_CONFIG,
					     "yaml_key_twice", ESC(again->key, strlen(again->key)),
					     "key \"%s\" is there twice, first on line %u",
					     ESC(again->key, strlen(again->key)), first->key_line);
	}
	return OK;
}

static enum err pop(struct reader *r, struct fault *f)
{
	struct frame *top = &r->stack[--r->depth];
	return top->node->type == YAML_MAP ? check_twice(r, top->node, f) : OK;
}

/* What escapes in double quotes can put into a value is held to the same rule as the file. */
static enum err check_value(struct reader *r, const yaml_event_t *ev, bool is_key, struct fault *f)
{
	const uint8_t *p = ev->data.scalar.value;
	size_t n = ev->data.scalar.length;
	for (size_t i = 0; i < n;) {
		int32_t cp = utf8_next(p, n, &i);
		bool space = !is_key && (cp == '\n' || cp == '\t');
		if (cp < 0 || (cp_is_hidden(cp) && !space))
			return refuse(r, ev->start_mark, f, ERR_CONFIG, "yaml_text",
				      "an escape in this value stands for a character that cannot be seen");
	}
	if (!is_key)
		return OK;
	if (n == 0 || n > KEY_MAX)
		return refuse(r, ev->start_mark, f, ERR_CONFIG, "yaml_key", "a key is empty or longer than 200 bytes");
	if (n == 2 && memcmp(p, "<<", 2) == 0)
		return refuse(r, ev->start_mark, f, ERR_CONFIG, "yaml_key",
			      "found the merge key <<, which is not used here");
	return OK;
}

static enum err take_scalar(struct reader *r, const yaml_event_t *ev, struct fault *f)
{
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	bool block =
		ev->data.scalar.style == YAML_LITERAL_SCALAR_STYLE || ev->data.scalar.style == YAML_FOLDED_SCALAR_STYLE;
	bool is_key = wants_key(r);
	TRY(yaml_walk_scalar(&r->walk,
			     plain   ? SCALAR_PLAIN
			     : block ? SCALAR_BLOCK
				     : SCALAR_QUOTED,
			     ev->end_mark.index, f));
	TRY(check_value(r, ev, is_key, f));
	char *text = yaml_alloc(r->doc, ev->data.scalar.length + 1, 1);
	memcpy(text, ev->data.scalar.value, ev->data.scalar.length);
	if (is_key) {
		struct frame *top = &r->stack[r->depth - 1];
		top->key = text;
		top->key_line = (unsigned)ev->start_mark.line + 1;
		top->key_column = (unsigned)ev->start_mark.column + 1;
		return OK;
	}
	struct yaml_node *node = node_new(r, YAML_SCALAR, ev->start_mark);
	node->text = text;
	node->quoted = !plain;
	return attach(r, node, ev->start_mark, f);
}

static enum err take_document(struct reader *r, const yaml_event_t *ev, struct fault *f)
{
	if (ev->data.document_start.version_directive ||
	    ev->data.document_start.tag_directives.start != ev->data.document_start.tag_directives.end)
		return refuse(r, ev->start_mark, f, ERR_CONFIG, "yaml_syntax",
			      "found a directive; directives are not used here");
	if (++r->n_documents > 1)
		return refuse(r, ev->start_mark, f, ERR_CONFIG, "yaml_syntax",
			      "found a second document; one file is one document here");
	return OK;
}

static enum err refuse_reference(struct reader *r, const yaml_event_t *ev, const char *what, struct fault *f)
{
	return yaml_raise_at(r->doc, (unsigned)ev->start_mark.line + 1, (unsigned)ev->start_mark.column + 1, f,
			     ERR_CONFIG, "yaml_syntax", r->doc->name,
			     "found %s; anchors, aliases and tags are not used here", what);
}

static enum err take_event(struct reader *r, const yaml_event_t *ev, struct fault *f)
{
	TRY(yaml_walk_between(&r->walk, ev->start_mark.index, f));
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return refuse_reference(r, ev, "an alias", f);
	case YAML_SCALAR_EVENT:
		if (ev->data.scalar.anchor || ev->data.scalar.tag)
			return refuse_reference(r, ev, ev->data.scalar.anchor ? "an anchor" : "a tag", f);
		return take_scalar(r, ev, f);
	case YAML_SEQUENCE_START_EVENT:
		if (ev->data.sequence_start.anchor || ev->data.sequence_start.tag)
			return refuse_reference(r, ev, ev->data.sequence_start.anchor ? "an anchor" : "a tag", f);
		return push(r, YAML_SEQ, ev->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE, ev->start_mark, f);
	case YAML_MAPPING_START_EVENT:
		if (ev->data.mapping_start.anchor || ev->data.mapping_start.tag)
			return refuse_reference(r, ev, ev->data.mapping_start.anchor ? "an anchor" : "a tag", f);
		return push(r, YAML_MAP, ev->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE, ev->start_mark, f);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return pop(r, f);
	case YAML_DOCUMENT_START_EVENT:
		return take_document(r, ev, f);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return OK;
	}
	return OK;
}

static enum err syntax_fault(struct reader *r, struct fault *f)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "not YAML";
	return yaml_raise_at(r->doc, (unsigned)p->problem_mark.line + 1, (unsigned)p->problem_mark.column + 1, f,
			     ERR_CONFIG, "yaml_syntax", r->doc->name, "%s%s%s", problem, p->context ? " " : "",
			     p->context ? p->context : "");
}

static enum err read_events(struct reader *r, struct fault *f)
{
	for (bool end = false; !end;) {
		yaml_event_t ev;
		if (!yaml_parser_parse(&r->parser, &ev))
			return syntax_fault(r, f);
		end = ev.type == YAML_STREAM_END_EVENT;
		enum err e = take_event(r, &ev, f);
		yaml_event_delete(&ev);
		TRY(e);
	}
	TRY(yaml_walk_between(&r->walk, SIZE_MAX, f));
	/* After "---" alone there is a value left out. */
	const struct yaml_node *root = r->doc->root;
	if (!root || (root->type == YAML_SCALAR && !root->quoted && root->text[0] == '\0'))
		return yaml_raise_at(r->doc, 0, 0, f, ERR_CONFIG, "yaml_syntax", r->doc->name, "the file is empty");
	return OK;
}

enum err yaml_parse(const char *name, struct slice text, struct yaml_doc **ret, struct fault *f)
{
	_cleanup_(yaml_freep) struct yaml_doc *doc = xcalloc(1, sizeof(*doc));
	doc->name = xstrdup(ESC(name, strlen(name)));
	if (text.n > YAML_MAX_BYTES)
		return yaml_raise_at(doc, 0, 0, f, ERR_LIMIT, "yaml_limit", doc->name, "%zu bytes, allowed %u", text.n,
				     YAML_MAX_BYTES);
	TRY(yaml_check_text(doc, text, f));
	_cleanup_(freep) struct reader *r = xcalloc(1, sizeof(*r));
	r->doc = doc;
	yaml_walk_init(&r->walk, doc, text);
	if (!yaml_parser_initialize(&r->parser))
		abort();
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, text.n ? text.p : (const uint8_t *)"", text.n);
	enum err e = read_events(r, f);
	yaml_parser_delete(&r->parser);
	if (e != OK)
		return e;
	*ret = TAKE(doc);
	return OK;
}

enum err yaml_load(const char *path, struct yaml_doc **ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	TRY(file_read(path, YAML_MAX_BYTES, &text, f));
	return yaml_parse(path, buf_slice(&text), ret, f);
}

const struct yaml_node *yaml_root(const struct yaml_doc *doc)
{
	return doc->root;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map->type == YAML_MAP && i < map->n_items; i++) {
		if (strcmp(map->items[i]->key, key) == 0)
			return map->items[i];
	}
	return NULL;
}
