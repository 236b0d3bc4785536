/*
 * The checks on a YAML file that libyaml does not make.
 *
 * libyaml 0.2.5 reads some files that are not YAML (a comment glued to a value, wrongly indented flow collections,
 * block text with deeper blank lines, `--- key: value`), and people and programs then disagree about what a policy
 * says. So a second, far simpler walk goes over the characters between the scalars and accepts only what a short
 * dialect needs. Next: yaml.c.
 */
#include "common/base/text.h"
#include "common/base/yaml_private.h"

#include <string.h>

enum err yaml_check_text(const struct yaml_doc *doc, struct slice text, struct fault *f)
{
	unsigned line = 1, column = 1;
	for (size_t i = 0; i < text.n;) {
		size_t at = i;
		int32_t cp = utf8_next(text.p, text.n, &i);
		if (cp < 0)
			return yaml_raise_at(doc, line, column, f, ERR_CONFIG, "yaml_text", doc->name,
					     "found byte \\x%02x, wanted UTF-8", text.p[at]);
		if (cp == '\t')
			return yaml_raise_at(doc, line, column, f, ERR_CONFIG, "yaml_text", doc->name,
					     "found a tab, wanted spaces");
		if (cp == '\r')
			return yaml_raise_at(doc, line, column, f, ERR_CONFIG, "yaml_text", doc->name,
					     "found a carriage return, wanted lines that end with a line feed alone");
		if (cp != '\n' && cp_is_hidden(cp))
			return yaml_raise_at(doc, line, column, f, ERR_CONFIG, "yaml_text", doc->name,
					     "found U+%04X, which cannot be seen; wanted visible characters",
					     (unsigned)cp);
		column = cp == '\n' ? 1 : column + 1;
		line += cp == '\n';
	}
	return OK;
}

void yaml_walk_init(struct yaml_walk *w, const struct yaml_doc *doc, struct slice text)
{
	*w = (struct yaml_walk){.doc = doc, .text = text, .line = 1, .column = 1, .fresh_line = true};
}

static __attribute__((format(printf, 3, 4))) enum err refuse(const struct yaml_walk *w, struct fault *f,
							     const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	enum err e = yaml_raise_va(w->doc, w->line, w->column, f, ERR_CONFIG, "yaml_syntax", w->doc->name, fmt, ap);
	va_end(ap);
	return e;
}

/* The byte at an offset from here, '\n' beyond either end. */
static char peek(const struct yaml_walk *w, size_t ahead)
{
	return w->at + ahead < w->text.n ? (char)w->text.p[w->at + ahead] : '\n';
}

static char before(const struct yaml_walk *w)
{
	return w->at > 0 ? (char)w->text.p[w->at - 1] : '\n';
}

/* The character here for a message. Borrows ret. */
static const char *shown(const struct yaml_walk *w, size_t ahead, char *ret, size_t size)
{
	size_t at = w->at + ahead, next = at;
	if (at >= w->text.n || w->text.p[at] == '\n')
		return "the end of the line";
	(void)utf8_next(w->text.p, w->text.n, &next);
	return text_escape(w->text.p + at, next - at, ret, size);
}
#define HERE(w, ahead) shown((w), (ahead), (char[24]){0}, 24)

static bool is_blank(char c)
{
	return c == ' ' || c == '\n';
}

static void step(struct yaml_walk *w)
{
	bool newline = w->text.p[w->at] == '\n';
	(void)utf8_next(w->text.p, w->text.n, &w->at);
	w->index++;
	w->column = newline ? 1 : w->column + 1;
	w->line += newline;
}

/* YAML 1.2.2 section 7.4: the lines of a flow collection are indented deeper than the block around it. */
static enum err check_indent(struct yaml_walk *w, struct fault *f)
{
	if (w->fresh_line && w->flow_depth > 0 && w->column <= w->flow_indent)
		return refuse(w, f, "a line inside [ ] or { } starts in column %u, wanted column %u or more", w->column,
			      w->flow_indent + 1);
	w->fresh_line = false;
	return OK;
}

static enum err check_dash(struct yaml_walk *w, struct fault *f)
{
	if (w->column == 1 && peek(w, 1) == '-' && peek(w, 2) == '-') {
		size_t i = 3;
		while (peek(w, i) == ' ')
			i++;
		if (w->content || w->flow_depth > 0 || (peek(w, i) != '\n' && (i == 3 || peek(w, i) != '#')))
			return refuse(w, f,
				      "found ---, which may stand only once, before everything, on a line of its own");
		step(w);
		step(w);
		return OK;
	}
	if (w->flow_depth > 0 || !is_blank(peek(w, 1)))
		return refuse(w, f, "found - where no list item can start");
	return OK;
}

static enum err check_indicator(struct yaml_walk *w, char c, struct fault *f)
{
	switch (c) {
	case '[':
	case '{':
		if (!strchr(" \n[{,:", before(w)))
			return refuse(w, f, "found %s right after other text, wanted a space before it", HERE(w, 0));
		w->flow_depth++;
		break;
	case ']':
	case '}':
	case ',':
		if (w->flow_depth == 0)
			return refuse(w, f, "found %s outside [ ] and { }", HERE(w, 0));
		w->flow_depth -= c != ',';
		break;
	case ':':
		if (!w->key_possible || (w->flow_depth == 0 && !is_blank(peek(w, 1))))
			return refuse(w, f, "found : without a simple key before it on the line");
		break;
	case '-':
		TRY(check_dash(w, f));
		break;
	case '?':
		return refuse(w, f, "found ?, but keys are simple words here");
	case '%':
		return refuse(w, f, "found a directive; directives are not used here");
	case '.':
		return refuse(w, f, "found the end marker ...; one file is one document here");
	default:
		return refuse(w, f, "found %s, which belongs to no value", HERE(w, 0));
	}
	w->tight = c == ']' || c == '}';
	w->key_possible = false;
	w->content = true;
	return OK;
}

static enum err check_one(struct yaml_walk *w, struct fault *f)
{
	char c = peek(w, 0);
	if (c == '\n') {
		w->comment = w->key_possible = w->tight = false;
		w->fresh_line = true;
		return OK;
	}
	if (w->comment)
		return OK;
	if (c == ' ') {
		w->tight = false;
		return OK;
	}
	/* YAML 1.2.2 section 6.6: white space comes before a comment. */
	if (c == '#') {
		if (!is_blank(before(w)))
			return refuse(w, f, "found # right after other text, wanted a space before a comment");
		w->comment = true;
		return OK;
	}
	TRY(check_indent(w, f));
	if (w->tight && !strchr(",]}:", c))
		return refuse(w, f, "found %s right after the end of a value, wanted a space", HERE(w, 0));
	return check_indicator(w, c, f);
}

enum err yaml_walk_between(struct yaml_walk *w, size_t index, struct fault *f)
{
	while (w->index < index && w->at < w->text.n) {
		TRY(check_one(w, f));
		step(w);
	}
	return OK;
}

/* YAML 1.2.2 section 8.1: | or >, then + or -. Indentation indicators are left out of the dialect. Blank lines before
 * the text may not be deeper than the text (8.1.1.1). */
static enum err check_block(struct yaml_walk *w, size_t end, struct fault *f)
{
	if (w->started_line)
		return refuse(w, f,
			      "found a block of text that starts a line, wanted its sign right after the key or -");
	size_t i = strchr("+-", peek(w, 1)) ? 2 : 1;
	if (!is_blank(peek(w, i)))
		return refuse(w, f, "found %s after the sign of a block of text, wanted the end of the line",
			      HERE(w, i));
	while (peek(w, i) != '\n')
		i++;
	size_t deepest = 0, n_chars = w->index;
	for (i++; w->at + i < w->text.n && n_chars < end; i++) {
		size_t spaces = 0;
		while (peek(w, i + spaces) == ' ')
			spaces++;
		i += spaces;
		n_chars += spaces + 1;
		if (peek(w, i) == '\n') {
			deepest = spaces > deepest ? spaces : deepest;
			continue;
		}
		if (deepest > spaces)
			return refuse(
				w, f,
				"a blank line in this block of text has %zu spaces, more than its first line (%zu)",
				deepest, spaces);
		return OK;
	}
	return OK;
}

static enum err check_scalar_start(struct yaml_walk *w, enum yaml_scalar_style style, struct fault *f)
{
	char c = peek(w, 0);
	w->started_line = w->fresh_line;
	TRY(check_indent(w, f));
	if (w->tight)
		return refuse(w, f, "found text right after the end of a value, wanted a space");
	switch (style) {
	case SCALAR_PLAIN:
		/* 7.3.3: an indicator begins text only with text right behind it. libyaml takes "[-]" for one. */
		if (strchr("-?:", c) && strchr(" \n,[]{}", peek(w, 1)))
			return refuse(w, f, "found %s, which is no value without quotes", HERE(w, 0));
		/* libyaml drops the tag "!" in silence. */
		if (strchr("!&*'\"|>%@`#,[]{}", c))
			return refuse(w, f, "found %s before a value; anchors, aliases and tags are not used here",
				      HERE(w, 0));
		return OK;
	case SCALAR_QUOTED:
		if (c != '"' && c != '\'')
			return refuse(w, f, "found %s before a quoted value; anchors and tags are not used here",
				      HERE(w, 0));
		return OK;
	case SCALAR_BLOCK:
		if (c != '|' && c != '>')
			return refuse(w, f, "found %s before a block of text; anchors and tags are not used here",
				      HERE(w, 0));
		return OK;
	}
	return OK;
}

/* 8.1.1.2 speaks of a final line break; readers differ about text that the file cuts off. */
static enum err check_block_end(struct yaml_walk *w, struct fault *f)
{
	size_t i = 0;
	while (peek(w, i) == ' ')
		i++;
	if (before(w) != '\n' || (i > 0 && w->at + i == w->text.n))
		return refuse(w, f, "the file ends within a block of text, wanted a line feed at its end");
	return OK;
}

enum err yaml_walk_scalar(struct yaml_walk *w, enum yaml_scalar_style style, size_t end, struct fault *f)
{
	if (end <= w->index)
		return OK; /* a value left out */
	if (w->comment)
		return refuse(w, f, "found a value where a comment is");
	TRY(check_scalar_start(w, style, f));
	if (style == SCALAR_BLOCK)
		TRY(check_block(w, end, f));
	unsigned line = w->line;
	while (w->index < end && w->at < w->text.n) {
		if (style != SCALAR_BLOCK && peek(w, 0) == '\n')
			return refuse(w, f,
				      "a value that starts on line %u does not end there; write longer text as a block "
				      "with | or >",
				      line);
		step(w);
	}
	if (style == SCALAR_BLOCK)
		TRY(check_block_end(w, f));
	w->content = true;
	w->fresh_line = style == SCALAR_BLOCK;
	w->key_possible = style != SCALAR_BLOCK;
	w->tight = style == SCALAR_QUOTED;
	return OK;
}
