/*
 * Output: tables for people, JSON for programs, faults for both.
 */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "tools/hufu/subscriber.h"

#include <assert.h>
#include <string.h>

/* What a peer says, for a terminal: control, bidi and hidden characters are shown, not obeyed. Gives: free(). */
static char *safe_text(const char *text)
{
	size_t n = strlen(text), size = 4 * n + 8;
	char *ret = xmalloc(size);
	text_escape(text, n, ret, size);
	return ret;
}

int cli_fail(const struct cli *c, const struct fault *f)
{
	_cleanup_(freep) char *text = safe_text(f->text), *rule = safe_text(f->rule);
	if (c->json) {
		json_t *o = json_pack("{s:{s:s,s:s,s:s,s:s}}", "error", "kind", err_word(f->kind), "rule", f->rule,
				      "where", f->where, "text", f->text);
		if (o)
			cli_print_json(o);
		json_decref(o);
	}
	fprintf(stderr, "hufu: %s%s%s%s\n", text, rule[0] ? " [" : "", rule, rule[0] ? "]" : "");
	return cli_exit(f->kind);
}

bool cli_confirm(const char *fmt, ...)
{
	char answer[16] = {0};
	va_list ap;
	va_start(ap, fmt);
	fflush(stdout);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(" Type yes: ", stderr);
	return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

void cli_print_json(json_t *v)
{
	json_dumpf(v, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
	putchar('\n');
}

int cli_said(const struct cli *c, json_t *o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (c->json)
		cli_print_json(o);
	else
		vprintf(fmt, ap);
	va_end(ap);
	json_decref(o);
	return EXIT_DONE;
}

/* Columns that a terminal gives a code point: CJK, kana, Hangul and full-width forms take two. */
static unsigned code_point_width(int32_t cp)
{
	bool wide =
		(cp >= 0x1100 && cp <= 0x115f) || (cp >= 0x2e80 && cp <= 0x303e) || (cp >= 0x3041 && cp <= 0xa4cf) ||
		(cp >= 0xac00 && cp <= 0xd7a3) || (cp >= 0xf900 && cp <= 0xfaff) || (cp >= 0xfe30 && cp <= 0xfe6f) ||
		(cp >= 0xff00 && cp <= 0xff60) || (cp >= 0xffe0 && cp <= 0xffe6) || (cp >= 0x20000 && cp <= 0x3fffd);
	return wide ? 2 : 1;
}

static size_t text_width(const char *s)
{
	size_t n = strlen(s), i = 0, w = 0;
	while (i < n) {
		int32_t cp = utf8_next((const uint8_t *)s, n, &i);
		if (cp < 0)
			return n;
		w += code_point_width(cp);
	}
	return w;
}

/* A cell's text: times in Asia/Shanghai, other strings as they are, the rest as compact JSON, absent or null as "-".
 * Gives: free(). */
static char *cell_text(json_t *row, const char *key)
{
	json_t *v = json_object_get(row, key);
	if (!v || json_is_null(v))
		return xstrdup("-");
	if (json_is_string(v)) {
		const char *text = json_string_value(v);
		int64_t t;
		return time_parse_utc(text, strlen(text), &t) ? xstrdup(SHANGHAI(t)) : safe_text(text);
	}
	char *s = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	return s ? s : xstrdup("-");
}

static void print_cell(const char *text, size_t width, bool last)
{
	fputs(text, stdout);
	if (last) {
		putchar('\n');
		return;
	}
	for (size_t w = text_width(text); w < width + 2; w++)
		putchar(' ');
}

void cli_table(const struct cli *c, const struct column *columns, size_t n, json_t *rows)
{
	if (c->json) {
		cli_print_json(rows);
		return;
	}
	size_t width[16];
	assert(n <= sizeof width / sizeof width[0]);
	for (size_t k = 0; k < n; k++)
		width[k] = text_width(columns[k].title);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) for (size_t k = 0; k < n; k++)
	{
		_cleanup_(freep) char *s = cell_text(row, columns[k].key);
		size_t w = text_width(s);
		width[k] = w > width[k] ? w : width[k];
	}
	for (size_t k = 0; k < n; k++)
		print_cell(columns[k].title, width[k], k + 1 == n);
	json_array_foreach(rows, i, row) for (size_t k = 0; k < n; k++)
	{
		_cleanup_(freep) char *s = cell_text(row, columns[k].key);
		print_cell(s, width[k], k + 1 == n);
	}
}

/* A text of many lines under its key, each made safe by itself. */
static void print_text(const char *key, const char *text)
{
	printf("\n%s:\n", key);
	while (*text) {
		size_t n = strcspn(text, "\n");
		_cleanup_(freep) char *line = xstrndup(text, n), *safe = safe_text(line);
		puts(safe);
		text += n + (text[n] == '\n');
	}
}

/* An object as "key: value" lines; texts of many lines come last, under their key. */
static void print_object(json_t *o)
{
	const char *key;
	json_t *v;
	json_object_foreach(o, key, v)
	{
		if (json_is_string(v) && strchr(json_string_value(v), '\n'))
			continue;
		_cleanup_(freep) char *s = cell_text(o, key);
		printf("%s: %s\n", key, s);
	}
	json_object_foreach(o, key, v) if (json_is_string(v) && strchr(json_string_value(v), '\n'))
		print_text(key, json_string_value(v));
}

int cli_show(struct cli *c, const char *method, json_t *params, bool session, bool changes)
{
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (c->dry_run && changes) {
		json_decref(params);
		return cli_said(c, json_pack("{s:s,s:b}", "method", method, "dry_run", 1), "would call %s (dry run)\n",
				method);
	}
	if (cli_desk(c, method, params, session, changes, &r, &f) != OK)
		return cli_fail(c, &f);
	if (c->json || !json_is_object(r))
		cli_print_json(r);
	else
		print_object(r);
	return EXIT_DONE;
}

int cli_list(struct cli *c, const char *method, json_t *params, const char *key, const struct column *columns, size_t n,
	     struct fault *f)
{
	return cli_rows(c, method, params, true, key, columns, n, f);
}

int cli_rows(struct cli *c, const char *method, json_t *params, bool session, const char *key,
	     const struct column *columns, size_t n, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	if (cli_desk(c, method, params, session, false, &r, f) != OK)
		return cli_fail(c, f);
	cli_table(c, columns, n, json_object_get(r, key));
	if (!c->json)
		cli_list_end(r);
	return EXIT_DONE;
}

void cli_list_end(json_t *r)
{
	json_t *total = json_object_get(r, "total");
	const char *next = json_string_value(json_object_get(r, "next"));
	if (json_is_integer(total))
		printf("%s%lld in all\n", json_is_false(json_object_get(r, "counted")) ? "more than " : "",
		       (long long)json_integer_value(total));
	if (next)
		printf("more: --after %s\n", next);
}

/* A list of the desk: page and search options, one table. */
int cli_list_command(struct cli *c, const struct command *cmd, int argc, char **argv, const char *method,
		     const char *key, const struct column *columns, size_t n)
{
	const char *page = NULL, *search = NULL;
	const struct option_rule rules[] = {
		{.name = "--page", .value = &page}, {.name = "--search", .value = &search}, {0}};
	struct fault f = {0};
	uint64_t number = 1;
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (page && !u64_parse(page, strlen(page), 1000000, &number))
		return cli_usage(cmd, "--page \"%s\" is not a number", ESC(page, strlen(page)));
	json_t *p = json_pack("{s:I}", "page", (json_int_t)number);
	if (search)
		json_object_set_new(p, "search", json_string(search));
	return cli_list(c, method, p, key, columns, n, &f);
}
