/*
 * `hufu token import`: an old system's tokens out of a CSV. PUKs are sealed here, before anything leaves this machine. All lines
 * are tried before one is written.
 */
#include "tools/hufu/cmd_token.h"

#include "common/base/file.h"
#include "common/base/puk.h"

#include <csv.h>
#include <sodium.h>
#include <string.h>

#define FILE_MAX (64u * 1024u * 1024u)
#define ROWS_MAX 100000
#define FIELD_MAX 512
#define PART 500

static const char *const names[] = {"token", "model", "label", "state", "identifier", "certificate", "puk"};
#define N_NAMES (sizeof names / sizeof names[0])

struct reader {
	json_t *rows, *now, *refused; /* refused: what is wrong before the desk sees it */
	int map[32];
	size_t n_map, field;
	int line;
	const struct puk_key *key; /* NULL: none is configured */
	struct fault *f;
	enum err e;
};

static void refuse(struct reader *r, const char *reason, const char *text)
{
	json_array_append_new(r->refused, json_pack("{s:i,s:s,s:s,s:s}", "line", r->line, "result", "refused", "reason",
						    reason, "text", text));
}

static void header_field(struct reader *r, const char *text, size_t n)
{
	int at = -1;
	for (size_t i = 0; i < N_NAMES; i++) {
		if (strlen(names[i]) == n && memcmp(names[i], text, n) == 0)
			at = (int)i;
	}
	if (at < 0 || r->n_map == sizeof r->map / sizeof r->map[0]) {
		r->e = fault_raise(r->f, ERR_PARSE, "csv_header", "csv",
				   "column \"%s\": wanted of token, model, label, state, identifier, certificate, puk",
				   ESC(text, n));
		return;
	}
	r->map[r->n_map++] = at;
}

static void on_field(void *p, size_t n, void *arg)
{
	struct reader *r = arg;
	const char *text = p ? p : "";
	if (r->e != OK)
		return;
	if (r->line == 1) {
		header_field(r, text, n);
		return;
	}
	size_t i = r->field++;
	if (i >= r->n_map)
		return;
	if (n > FIELD_MAX || !utf8_valid(text, n) || memchr(text, '\0', n)) {
		_cleanup_(freep) char *why =
			xasprintf("%s: longer than %d bytes, or not UTF-8", names[r->map[i]], FIELD_MAX);
		refuse(r, "csv_field", why);
		return;
	}
	if (n > 0)
		json_object_set_new(r->now, names[r->map[i]], json_stringn(text, n));
}

/* The clear one goes, the sealed one takes its place. */
static enum err seal_puk(struct reader *r, struct fault *f)
{
	json_t *clear = json_object_get(r->now, "puk");
	const char *serial = json_string_value(json_object_get(r->now, "token"));
	_cleanup_(puk_set_done) struct puk_set puk = {.n = 1};
	_cleanup_buf_ struct buf box = {0}, text = {0};
	size_t n = json_string_length(clear);
	if (n == 0)
		return OK;
	secret_alloc(&puk.puk[0], n);
	memcpy(puk.puk[0].p, json_string_value(clear), n);
	sodium_memzero((char *)json_string_value(clear), n);
	json_object_del(r->now, "puk");
	if (!r->key)
		return fault_raise(f, ERR_CONFIG, "token_key", "puk", "puk: there is no token key to seal it to");
	TRY(puk_seal(r->key->key, serial ? serial : "", &puk, &box, f));
	buf_base64(&text, box.data, box.len);
	json_object_set_new(r->now, "puk", json_string(buf_text(&text)));
	return OK;
}

static void on_row(int end, void *arg)
{
	struct reader *r = arg;
	struct fault why = {0};
	(void)end;
	if (r->e == OK && r->line > 1 && r->field > 0) {
		if (r->field != r->n_map) {
			_cleanup_(freep) char *text = xasprintf("%zu fields; the header has %zu", r->field, r->n_map);
			refuse(r, "csv_fields", text);
		}
		if (seal_puk(r, &why) != OK)
			refuse(r, why.rule, why.text);
		json_object_set_new(r->now, "line", json_integer(r->line));
		json_array_append(r->rows, r->now);
		if (json_array_size(r->rows) > ROWS_MAX)
			r->e = fault_raise(r->f, ERR_LIMIT, "csv_rows", "csv", "more than %d rows", ROWS_MAX);
	}
	json_decref(r->now);
	r->now = json_object();
	r->field = 0;
	r->line++;
}

static enum err read_rows(struct reader *r, const char *path, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	struct csv_parser p;
	TRY(file_read(path, FILE_MAX, &bytes, f));
	if (csv_init(&p, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0)
		return fault_raise(f, ERR_INTERNAL, "csv", "csv", "parser");
	r->f = f;
	bool bad = csv_parse(&p, bytes.data, bytes.len, on_field, on_row, r) != bytes.len ||
		   csv_fini(&p, on_field, on_row, r) != 0;
	int code = csv_error(&p);
	csv_free(&p);
	r->f = NULL;
	sodium_memzero(bytes.data, bytes.len);
	TRY(r->e);
	if (bad)
		return fault_raise(f, ERR_PARSE, "csv_form", "csv", "%s: line %d: %s", path, r->line,
				   csv_strerror(code));
	return json_array_size(r->rows) > 0
		       ? OK
		       : fault_raise(f, ERR_PARSE, "csv_empty", "csv", "%s: no row behind the header line", path);
}

/* --- sending --- */

static enum err send(struct cli *c, json_t *rows, const char *as, bool dry_run, json_t *report, size_t *n_refused,
		     struct fault *f)
{
	size_t n = json_array_size(rows);
	for (size_t at = 0; at < n; at += PART) {
		_cleanup_(json_freep) json_t *r = NULL;
		json_t *part = json_array();
		for (size_t i = at; i < n && i < at + PART; i++)
			json_array_append(part, json_array_get(rows, i));
		json_t *p = json_pack("{s:o,s:b}", "rows", part, "dry_run", dry_run);
		token_text(p, "officer", as);
		TRY(cli_desk(c, "token.import", p, false, true, &r, f));
		json_array_extend(report, json_object_get(r, "report"));
		*n_refused += (size_t)json_integer_value(json_object_get(r, "refused"));
	}
	return OK;
}

/* Serials twice in one file would only be found when the first is written. */
static void find_twice(struct reader *r)
{
	_cleanup_(json_freep) json_t *seen = json_object();
	size_t i;
	json_t *row;
	json_array_foreach(r->rows, i, row)
	{
		const char *serial = json_string_value(json_object_get(row, "token"));
		r->line = (int)json_integer_value(json_object_get(row, "line"));
		if (serial && json_object_get(seen, serial)) {
			_cleanup_(freep) char *why =
				xasprintf("token %s stands in line %d already", ESC(serial, strlen(serial)),
					  (int)json_integer_value(json_object_get(seen, serial)));
			refuse(r, "csv_twice", why);
		} else if (serial) {
			json_object_set_new(seen, serial, json_integer(r->line));
		}
	}
}

static int report(struct cli *c, json_t *lines, size_t n_refused, bool written)
{
	size_t i;
	json_t *l;
	if (c->json) {
		_cleanup_(json_freep) json_t *o = json_pack("{s:O,s:I,s:b}", "report", lines, "refused",
							    (json_int_t)n_refused, "written", written);
		cli_print_json(o);
	} else {
		json_array_foreach(lines, i, l)
		{
			const char *text = json_string_value(json_object_get(l, "text"));
			printf("line %lld: %s%s%s\n", (long long)json_integer_value(json_object_get(l, "line")),
			       json_string_value(json_object_get(l, "result")), text && *text ? ": " : "",
			       text ? text : "");
		}
		printf("%zu lines, %zu refused: %s\n", json_array_size(lines), n_refused,
		       written ? "all are taken" : "nothing is written");
	}
	return n_refused ? EXIT_REFUSED : EXIT_DONE;
}

static int import(struct cli *c, struct reader *r, const char *path, const char *as)
{
	struct fault f = {0};
	_cleanup_(json_freep) json_t *tried = json_array(), *done = json_array();
	size_t n = 0;
	if (read_rows(r, path, &f) != OK)
		return cli_fail(c, &f);
	find_twice(r);
	if (send(c, r->rows, as, true, tried, &n, &f) != OK)
		return cli_fail(c, &f);
	if (json_array_size(r->refused) > 0 || n > 0) {
		json_array_extend(tried, r->refused);
		return report(c, tried, n + json_array_size(r->refused), false);
	}
	if (c->dry_run)
		return report(c, tried, 0, false);
	if (send(c, r->rows, as, false, done, &n, &f) != OK)
		return cli_fail(c, &f);
	return report(c, done, n, n == 0);
}

int run_token_import(struct cli *c, int argc, char **argv)
{
	const char *as = NULL;
	const struct option_rule rules[] = {{.name = "--as", .value = &as}, {0}};
	struct puk_key key;
	struct fault f = {0};
	if (!cli_options(cli_command(commands_token, run_token_import), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (cli_load(c, &f) != OK)
		return cli_fail(c, &f);
	struct reader r = {.rows = json_array(), .now = json_object(), .refused = json_array(), .line = 1};
	struct fault no_key = {0};
	r.key = puk_key_load(c->token_key, &key, &no_key) == OK ? &key : NULL;
	int rc = import(c, &r, argv[1], as);
	json_decref(r.rows);
	json_decref(r.now);
	json_decref(r.refused);
	return rc;
}
