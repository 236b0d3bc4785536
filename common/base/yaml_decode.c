/*
 * One table-driven schema over the tree: each rule names a key, a kind and a place in a struct.
 *
 * Every place that is filled is noted with the position in the file, so that a later check of meaning can still
 * say line and column (yaml_fault). Notes are ranges of memory and the smallest one that holds an address wins, so a
 * member that was left out is reported at the map around it. Next: yaml_schema.c.
 */
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/yaml_private.h"

#include <assert.h>
#include <string.h>

#define WORDS_MAX 64u

struct decoder {
	struct yaml_doc *doc;
	struct fault *f;
};

static size_t kind_size(const struct yaml_rule *rule);

static size_t rules_size(const struct yaml_rule *rules)
{
	size_t size = 0;
	for (const struct yaml_rule *rule = rules; rule->key; rule++) {
		size_t end = rule->offset + kind_size(rule);
		size = end > size ? end : size;
	}
	return size;
}

static size_t kind_size(const struct yaml_rule *rule)
{
	switch (rule->kind) {
	case YK_NONE:
		return 0;
	case YK_STR:
		return sizeof(const char *);
	case YK_INT:
	case YK_TIME:
		return sizeof(int64_t);
	case YK_BOOL:
		return sizeof(bool);
	case YK_WORD:
		return sizeof(int);
	case YK_STRS:
		return sizeof(struct yaml_strs);
	case YK_INTS:
		return sizeof(struct yaml_ints);
	case YK_WORDS:
		return sizeof(uint64_t);
	case YK_SUB:
		return rules_size(rule->sub);
	case YK_LIST:
	case YK_DICT:
		return sizeof(struct yaml_list);
	}
	return 0;
}

static void note(struct decoder *d, const void *p, size_t len, const struct yaml_node *node)
{
	struct yaml_doc *doc = d->doc;
	if (doc->n_marks == doc->cap_marks) {
		doc->cap_marks = doc->cap_marks ? 2 * doc->cap_marks : 64;
		doc->marks = xrealloc(doc->marks, doc->cap_marks, sizeof(*doc->marks));
	}
	doc->marks[doc->n_marks++] = (struct yaml_mark){p, len, node->line, node->column, node->key};
}

static __attribute__((format(printf, 4, 5))) enum err refuse(struct decoder *d, const struct yaml_node *node,
							     const char *rule, const char *fmt, ...)
{
	const char *where = node->key ? node->key : d->doc->name;
	va_list ap;
	va_start(ap, fmt);
	enum err e = yaml_raise_va(d->doc, node->line, node->column, d->f, ERR_CONFIG, rule, ESC(where, strlen(where)),
				   fmt, ap);
	va_end(ap);
	return e;
}

static bool is_null(const struct yaml_node *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	if (node->type != YAML_SCALAR || node->quoted)
		return false;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
		if (strcmp(node->text, nulls[i]) == 0)
			return true;
	}
	return false;
}

/* What a message calls the thing that was found. Borrows ret. */
static const char *found(const struct yaml_node *node, char *ret, size_t size)
{
	char text[120];
	if (node->type != YAML_SCALAR)
		snprintf(ret, size, "%s", node->type == YAML_MAP ? "a map" : "a list");
	else if (is_null(node))
		snprintf(ret, size, "%s", node->text[0] ? "null" : "nothing");
	else
		snprintf(ret, size, "%s\"%s\"", node->quoted ? "quoted " : "",
			 text_escape(node->text, strlen(node->text), text, sizeof(text)));
	return ret;
}
#define FOUND(node) found((node), (char[160]){0}, 160)

static enum err want(struct decoder *d, const struct yaml_node *node, enum yaml_type type, const char *wanted)
{
	if (node->type != type || is_null(node))
		return refuse(d, node, "yaml_type", "%s%sfound %s, wanted %s", node->key ? node->key : "",
			      node->key ? ": " : "", FOUND(node), wanted);
	return OK;
}

static size_t count_words(const char *const *words)
{
	size_t n = 0;
	while (words[n])
		n++;
	assert(n <= WORDS_MAX);
	return n;
}

/* "; allowed: a, b, c; did you mean "b"?" The list is cut so that the last part always fits into a fault. */
static void allowed(struct buf *b, const char *found_word, const char *const *words, size_t n)
{
	buf_str(b, "; allowed: ");
	size_t start = b->len;
	for (size_t i = 0; i < n; i++) {
		if (b->len - start + strlen(words[i]) > 280) {
			buf_str(b, ", …");
			break;
		}
		buf_fmt(b, "%s%s", i ? ", " : "", words[i]);
	}
	const char *near = word_nearest(found_word, words, n);
	if (near)
		buf_fmt(b, "; did you mean \"%s\"?", near);
}

static enum err decode_str(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule,
			   const char **ret)
{
	TRY(want(d, node, YAML_SCALAR, "text"));
	size_t n = strlen(node->text);
	if ((int64_t)n < rule->min || (rule->max != 0 && (int64_t)n > rule->max))
		return refuse(d, node, "yaml_range", "%s: found %zu bytes of text, wanted %s%lld%s%.0lld", rule->key, n,
			      rule->max ? "" : "at least ", (long long)rule->min, rule->max ? " to " : "",
			      (long long)rule->max);
	*ret = node->text;
	return OK;
}

/* A decimal without plus sign, leading zeros or "-0": one spelling for each number. */
static bool parse_int(const char *text, int64_t *ret)
{
	bool minus = text[0] == '-';
	uint64_t v;
	text += minus;
	if (!u64_parse(text, strlen(text), INT64_MAX, &v) || (minus && v == 0))
		return false;
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

static enum err decode_int(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule, int64_t *ret)
{
	int64_t v;
	TRY(want(d, node, YAML_SCALAR, "a whole number"));
	if (node->quoted || !parse_int(node->text, &v))
		return refuse(d, node, "yaml_type", "%s: found %s, wanted a whole number%s", rule->key, FOUND(node),
			      node->quoted ? " without quotes" : " in decimal digits");
	if (v < rule->min || (rule->max != 0 && v > rule->max))
		return refuse(d, node, "yaml_range", "%s: found %lld, wanted %s%lld%s%.0lld", rule->key, (long long)v,
			      rule->max ? "" : "at least ", (long long)rule->min, rule->max ? " to " : "",
			      (long long)rule->max);
	*ret = v;
	return OK;
}

static enum err decode_bool(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule, bool *ret)
{
	TRY(want(d, node, YAML_SCALAR, "true or false"));
	bool yes = strcmp(node->text, "true") == 0;
	if (node->quoted || (!yes && strcmp(node->text, "false") != 0))
		return refuse(d, node, "yaml_type", "%s: found %s, wanted true or false", rule->key, FOUND(node));
	*ret = yes;
	return OK;
}

static enum err decode_time(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule, int64_t *ret)
{
	TRY(want(d, node, YAML_SCALAR, "a time"));
	if (node->quoted || !time_parse_utc(node->text, strlen(node->text), ret))
		return refuse(d, node, "yaml_type",
			      "%s: found %s, wanted a time like 2026-11-23T00:00:00Z without quotes (RFC 3339, UTC)",
			      rule->key, FOUND(node));
	return OK;
}

static enum err decode_word(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule,
			    unsigned *ret)
{
	TRY(want(d, node, YAML_SCALAR, "a word"));
	size_t n = count_words(rule->words);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rule->words[i], node->text) == 0) {
			*ret = (unsigned)i;
			return OK;
		}
	}
	_cleanup_buf_ struct buf tail = {0};
	allowed(&tail, node->text, rule->words, n);
	return refuse(d, node, "yaml_word", "%s: found %s%s", rule->key, FOUND(node), buf_text(&tail));
}

static enum err decode_strs(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule,
			    struct yaml_strs *ret)
{
	TRY(want(d, node, YAML_SEQ, "a list of texts"));
	const char **v = yaml_alloc(d->doc, node->n_items, sizeof(*v));
	for (size_t i = 0; i < node->n_items; i++) {
		TRY(decode_str(d, node->items[i], rule, &v[i]));
		note(d, &v[i], sizeof(v[i]), node->items[i]);
	}
	*ret = (struct yaml_strs){v, node->n_items};
	return OK;
}

static enum err decode_ints(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule,
			    struct yaml_ints *ret)
{
	TRY(want(d, node, YAML_SEQ, "a list of whole numbers"));
	int64_t *v = yaml_alloc(d->doc, node->n_items, sizeof(*v));
	for (size_t i = 0; i < node->n_items; i++) {
		TRY(decode_int(d, node->items[i], rule, &v[i]));
		note(d, &v[i], sizeof(v[i]), node->items[i]);
	}
	*ret = (struct yaml_ints){v, node->n_items};
	return OK;
}

static enum err decode_words(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule,
			     uint64_t *ret)
{
	TRY(want(d, node, YAML_SEQ, "a list of words"));
	uint64_t mask = 0;
	for (size_t i = 0; i < node->n_items; i++) {
		unsigned bit = 0;
		TRY(decode_word(d, node->items[i], rule, &bit));
		if (mask >> bit & 1)
			return refuse(d, node->items[i], "yaml_word_twice", "%s: found \"%s\" twice", rule->key,
				      rule->words[bit]);
		mask |= UINT64_C(1) << bit;
	}
	*ret = mask;
	return OK;
}

static enum err decode_map(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rules, void *out,
			   size_t size, const char *called);

/* LIST and DICT differ in the type of the node and in the key that a DICT's element begins with. */
static enum err decode_elements(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule,
				struct yaml_list *ret)
{
	bool dict = rule->kind == YK_DICT;
	TRY(want(d, node, dict ? YAML_MAP : YAML_SEQ, dict ? "a map" : "a list of maps"));
	if ((int64_t)node->n_items < rule->min || (rule->max != 0 && (int64_t)node->n_items > rule->max))
		return refuse(d, node, "yaml_range", "%s: found %zu entries, wanted %s%lld%s%.0lld", rule->key,
			      node->n_items, rule->max ? "" : "at least ", (long long)rule->min,
			      rule->max ? " to " : "", (long long)rule->max);
	assert(rule->elem_size >= rules_size(rule->sub));
	uint8_t *v = yaml_alloc(d->doc, node->n_items, rule->elem_size);
	for (size_t i = 0; i < node->n_items; i++) {
		const struct yaml_node *item = node->items[i];
		uint8_t *element = v + i * rule->elem_size;
		if (dict) {
			struct yaml_node at_key = *item;
			at_key.line = item->key_line;
			at_key.column = item->key_column;
			memcpy(element, &item->key, sizeof(item->key));
			note(d, element, sizeof(item->key), &at_key);
		}
		TRY(decode_map(d, item, rule->sub, element, rule->elem_size, dict ? item->key : rule->key));
	}
	*ret = (struct yaml_list){v, node->n_items};
	return OK;
}

static enum err decode_value(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rule, uint8_t *at)
{
	unsigned word;
	switch (rule->kind) {
	case YK_NONE:
		break;
	case YK_STR:
		return decode_str(d, node, rule, (const char **)(void *)at);
	case YK_INT:
		return decode_int(d, node, rule, (int64_t *)(void *)at);
	case YK_BOOL:
		return decode_bool(d, node, rule, (bool *)(void *)at);
	case YK_WORD:
		TRY(decode_word(d, node, rule, &word));
		*(int *)(void *)at = (int)word;
		return OK;
	case YK_TIME:
		return decode_time(d, node, rule, (int64_t *)(void *)at);
	case YK_STRS:
		return decode_strs(d, node, rule, (struct yaml_strs *)(void *)at);
	case YK_INTS:
		return decode_ints(d, node, rule, (struct yaml_ints *)(void *)at);
	case YK_WORDS:
		return decode_words(d, node, rule, (uint64_t *)(void *)at);
	case YK_SUB:
		return decode_map(d, node, rule->sub, at, rules_size(rule->sub), rule->key);
	case YK_LIST:
	case YK_DICT:
		return decode_elements(d, node, rule, (struct yaml_list *)(void *)at);
	}
	abort(); /* a rule without a kind */
}

static void set_default(const struct yaml_rule *rule, uint8_t *at)
{
	switch (rule->kind) {
	case YK_INT:
	case YK_TIME:
		*(int64_t *)(void *)at = rule->def;
		return;
	case YK_BOOL:
		*(bool *)(void *)at = rule->def != 0;
		return;
	case YK_WORD:
		*(int *)(void *)at = (int)rule->def;
		return;
	case YK_WORDS:
		*(uint64_t *)(void *)at = (uint64_t)rule->def;
		return;
	case YK_SUB:
		for (const struct yaml_rule *sub = rule->sub; sub->key; sub++)
			set_default(sub, at + sub->offset);
		return;
	case YK_NONE:
	case YK_STR:
	case YK_STRS:
	case YK_INTS:
	case YK_LIST:
	case YK_DICT:
		return;
	}
}

static const struct yaml_rule *rule_of(const struct yaml_rule *rules, const char *key)
{
	for (const struct yaml_rule *rule = rules; rule->key; rule++) {
		if (strcmp(rule->key, key) == 0)
			return rule;
	}
	return NULL;
}

static enum err refuse_key(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rules,
			   const char *called)
{
	size_t n = 0;
	while (rules[n].key)
		n++;
	_cleanup_(freep) const char **keys = xcalloc(n, sizeof(*keys));
	for (size_t i = 0; i < n; i++)
		keys[i] = rules[i].key;
	_cleanup_buf_ struct buf tail = {0};
	allowed(&tail, node->key, keys, n);
	char shown[100], called_shown[100];
	text_escape(node->key, strlen(node->key), shown, sizeof(shown));
	text_escape(called, strlen(called), called_shown, sizeof(called_shown));
	return yaml_raise_at(d->doc, node->key_line, node->key_column, d->f, ERR_CONFIG, "yaml_key_unknown", shown,
			     "unknown key \"%s\" in %s%s", shown, called_shown, buf_text(&tail));
}

/* size bytes at out; called: what a message calls this map. */
static enum err decode_map(struct decoder *d, const struct yaml_node *node, const struct yaml_rule *rules, void *out,
			   size_t size, const char *called)
{
	TRY(want(d, node, YAML_MAP, "a map"));
	note(d, out, size, node);
	for (size_t i = 0; i < node->n_items; i++) {
		const struct yaml_node *item = node->items[i];
		const struct yaml_rule *rule = rule_of(rules, item->key);
		if (!rule)
			return refuse_key(d, item, rules, called);
		uint8_t *at = (uint8_t *)out + rule->offset;
		note(d, at, kind_size(rule), item);
		TRY(decode_value(d, item, rule, at));
		if (rule->present)
			*((bool *)out + rule->present - 1) = true;
	}
	for (const struct yaml_rule *rule = rules; rule->key; rule++) {
		if (yaml_get(node, rule->key))
			continue;
		if (rule->required)
			return yaml_raise_at(d->doc, node->line, node->column, d->f, ERR_CONFIG, "yaml_key_missing",
					     rule->key, "missing key \"%s\" in %s%s%s", rule->key,
					     ESC(called, strlen(called)), rule->help ? ": " : "",
					     rule->help ? rule->help : "");
		set_default(rule, (uint8_t *)out + rule->offset);
	}
	return OK;
}

enum err yaml_decode(struct yaml_doc *doc, const struct yaml_node *node, const struct yaml_rule *rules, void *out,
		     struct fault *f)
{
	struct decoder d = {doc, f};
	return decode_map(&d, node, rules, out, rules_size(rules), node->key ? node->key : "the file");
}

enum err yaml_fault(const struct yaml_doc *doc, const void *member, struct fault *f, const char *rule, const char *fmt,
		    ...)
{
	const struct yaml_mark *best = NULL;
	const uint8_t *p = member;
	for (size_t i = 0; p && i < doc->n_marks; i++) {
		const struct yaml_mark *mark = &doc->marks[i];
		if (p >= mark->p && p < mark->p + mark->len && (!best || mark->len <= best->len))
			best = mark;
	}
	const char *where = best && best->key ? best->key : doc->name;
	va_list ap;
	va_start(ap, fmt);
	enum err e = yaml_raise_va(doc, best ? best->line : 0, best ? best->column : 0, f, ERR_CONFIG, rule,
				   ESC(where, strlen(where)), fmt, ap);
	va_end(ap);
	return e;
}
