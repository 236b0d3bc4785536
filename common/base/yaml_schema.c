/*
 * The same rules as a JSON Schema (2020-12), so that an editor completes and checks what the program will read.
 *
 * A schema is written by hand here, because the signer must not link a JSON library. Lengths are in bytes in the rules
 * and in characters in JSON Schema, so minimum lengths are given only as far as they hold for every text.
 */
#include "common/base/yaml.h"

#include <string.h>

static void json_string(struct buf *b, const char *s)
{
	buf_char(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_fmt(b, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			buf_fmt(b, "\\u%04x", (unsigned)(unsigned char)*s);
		else
			buf_char(b, *s);
	}
	buf_char(b, '"');
}

static void json_words(struct buf *b, const char *const *words)
{
	buf_str(b, "{\"enum\": [");
	for (size_t i = 0; words[i]; i++) {
		if (i)
			buf_str(b, ", ");
		json_string(b, words[i]);
	}
	buf_str(b, "]}");
}

static void text_type(struct buf *b, const struct yaml_rule *rule)
{
	buf_str(b, "{\"type\": \"string\"");
	/* A character of UTF-8 is at most four bytes. */
	if (rule->min > 0)
		buf_fmt(b, ", \"minLength\": %lld", (long long)((rule->min + 3) / 4));
	if (rule->max != 0)
		buf_fmt(b, ", \"maxLength\": %lld", (long long)rule->max);
	buf_char(b, '}');
}

static void int_type(struct buf *b, const struct yaml_rule *rule)
{
	buf_fmt(b, "{\"type\": \"integer\", \"minimum\": %lld", (long long)rule->min);
	if (rule->max != 0)
		buf_fmt(b, ", \"maximum\": %lld", (long long)rule->max);
	buf_char(b, '}');
}

static void write_map(struct buf *b, const struct yaml_rule *rules, unsigned depth);

/* entries: "Items" or "Properties". */
static void counts(struct buf *b, const struct yaml_rule *rule, const char *entries)
{
	if (rule->min > 0)
		buf_fmt(b, ", \"min%s\": %lld", entries, (long long)rule->min);
	if (rule->max != 0)
		buf_fmt(b, ", \"max%s\": %lld", entries, (long long)rule->max);
}

/* The type as one object; what belongs to the member (help, default) is beside it under allOf. */
static void write_type(struct buf *b, const struct yaml_rule *rule, unsigned depth)
{
	switch (rule->kind) {
	case YK_NONE:
		buf_str(b, "false");
		return;
	case YK_STR:
		text_type(b, rule);
		return;
	case YK_INT:
		int_type(b, rule);
		return;
	case YK_BOOL:
		buf_str(b, "{\"type\": \"boolean\"}");
		return;
	case YK_WORD:
		json_words(b, rule->words);
		return;
	case YK_TIME:
		buf_str(b, "{\"type\": \"string\", \"format\": \"date-time\", \"pattern\": \"Z$\"}");
		return;
	case YK_STRS:
		buf_str(b, "{\"type\": \"array\", \"items\": ");
		text_type(b, rule);
		buf_char(b, '}');
		return;
	case YK_INTS:
		buf_str(b, "{\"type\": \"array\", \"items\": ");
		int_type(b, rule);
		buf_char(b, '}');
		return;
	case YK_WORDS:
		buf_str(b, "{\"type\": \"array\", \"uniqueItems\": true, \"items\": ");
		json_words(b, rule->words);
		buf_char(b, '}');
		return;
	case YK_SUB:
		write_map(b, rule->sub, depth);
		return;
	case YK_LIST:
		buf_str(b, "{\"type\": \"array\"");
		counts(b, rule, "Items");
		buf_str(b, ", \"items\": ");
		write_map(b, rule->sub, depth);
		buf_char(b, '}');
		return;
	case YK_DICT:
		buf_str(b, "{\"type\": \"object\"");
		counts(b, rule, "Properties");
		buf_str(b, ", \"additionalProperties\": ");
		write_map(b, rule->sub, depth);
		buf_char(b, '}');
		return;
	}
}

static void write_default(struct buf *b, const struct yaml_rule *rule)
{
	bool first = true;
	switch (rule->kind) {
	case YK_INT:
		buf_fmt(b, ", \"default\": %lld", (long long)rule->def);
		return;
	case YK_BOOL:
		buf_fmt(b, ", \"default\": %s", rule->def ? "true" : "false");
		return;
	case YK_WORD:
		for (int64_t i = 0; rule->words[i]; i++) {
			if (i != rule->def)
				continue;
			buf_str(b, ", \"default\": ");
			json_string(b, rule->words[i]);
		}
		return;
	case YK_WORDS:
		buf_str(b, ", \"default\": [");
		for (size_t i = 0; i < 64 && rule->words[i]; i++) {
			if (!((uint64_t)rule->def >> i & 1))
				continue;
			buf_str(b, first ? "" : ", ");
			json_string(b, rule->words[i]);
			first = false;
		}
		buf_char(b, ']');
		return;
	case YK_NONE:
	case YK_STR:
	case YK_TIME:
	case YK_STRS:
	case YK_INTS:
	case YK_SUB:
	case YK_LIST:
	case YK_DICT:
		return;
	}
}

static void indent(struct buf *b, unsigned depth)
{
	buf_fmt(b, "\n%*s", (int)(2 * depth), "");
}

static void write_required(struct buf *b, const struct yaml_rule *rules)
{
	bool first = true;
	for (const struct yaml_rule *rule = rules; rule->key; rule++) {
		if (!rule->required)
			continue;
		buf_str(b, first ? ", \"required\": [" : ", ");
		json_string(b, rule->key);
		first = false;
	}
	if (!first)
		buf_char(b, ']');
}

/* The members of an object without its braces. */
static void write_members(struct buf *b, const struct yaml_rule *rules, unsigned depth)
{
	buf_str(b, "\"type\": \"object\", \"additionalProperties\": false");
	write_required(b, rules);
	buf_str(b, ", \"properties\": {");
	for (const struct yaml_rule *rule = rules; rule->key; rule++) {
		buf_str(b, rule == rules ? "" : ",");
		indent(b, depth + 1);
		json_string(b, rule->key);
		buf_str(b, ": {\"allOf\": [");
		write_type(b, rule, depth + 1);
		buf_char(b, ']');
		if (rule->help) {
			buf_str(b, ", \"description\": ");
			json_string(b, rule->help);
		}
		if (!rule->required)
			write_default(b, rule);
		buf_char(b, '}');
	}
	indent(b, depth);
	buf_char(b, '}');
}

static void write_map(struct buf *b, const struct yaml_rule *rules, unsigned depth)
{
	buf_char(b, '{');
	write_members(b, rules, depth);
	buf_char(b, '}');
}

void yaml_schema_json(const char *title, const struct yaml_rule *rules, struct buf *ret)
{
	buf_str(ret, "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"title\": ");
	json_string(ret, title);
	buf_str(ret, ", ");
	write_members(ret, rules, 0);
	buf_str(ret, "}\n");
}
