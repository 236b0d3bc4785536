/*
 * Reading an old system's export: libcsv for the commas and quotes, our own checks for the meaning, line by line.
 */
#include "common/base/file.h"
#include "tools/hufu/import.h"
#include "tools/hufu/note_files.h"

#include <csv.h>
#include <libgen.h>
#include <string.h>

#define IMPORT_MAX_BYTES (512u * 1024u * 1024u)
#define IMPORT_MAX_FIELD 1024

const char *const import_columns[IMPORT_COLUMNS] = {
	"account_identifier",
	"organisation",
	"agent",
	"mobile",
	"project",
	"service_id",
	"service",
	"service_begins",
	"service_ends",
	"certificate_name",
	"serial",
	"issuer",
	"pem_file",
};

void import_done(struct import_file *i)
{
	for (size_t r = 0; r < i->n; r++) {
		for (size_t k = 0; k < IMPORT_COLUMNS; k++)
			free(i->rows[r].text[k]);
		buf_done(&i->rows[r].der);
	}
	freep(&i->rows);
	freep(&i->dir);
	i->n = 0;
}

const char *import_get(const struct import_row *r, const char *column)
{
	for (size_t k = 0; k < IMPORT_COLUMNS; k++)
		if (strcmp(import_columns[k], column) == 0)
			return r->text[k] ? r->text[k] : "";
	return "";
}

struct reader {
	struct import_file *file;
	struct import_progress *progress;
	size_t cap;
	unsigned line;
	int map[64]; /* column of the file -> import_columns, -1: not ours */
	size_t n_map, field;
	struct import_row now;
	struct fault *f;
	enum err result;
};

static void row_problem(struct import_row *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void row_problem(struct import_row *r, const char *fmt, ...)
{
	va_list ap;
	if (r->problem[0])
		return;
	va_start(ap, fmt);
	(void)vsnprintf(r->problem, sizeof r->problem, fmt, ap);
	va_end(ap);
}

static void header_field(struct reader *rd, const char *text, size_t n)
{
	if (rd->n_map == 64) {
		rd->result = fault_raise(rd->f, ERR_LIMIT, "csv_columns", "csv", "more than 64 columns");
		return;
	}
	rd->map[rd->n_map] = -1;
	for (int k = 0; k < IMPORT_COLUMNS; k++)
		if (strlen(import_columns[k]) == n && memcmp(import_columns[k], text, n) == 0)
			rd->map[rd->n_map] = k;
	rd->n_map++;
}

static void on_field(void *p, size_t n, void *arg)
{
	struct reader *rd = arg;
	const char *text = p ? p : "";
	if (rd->result != OK)
		return;
	if (rd->line == 1) {
		header_field(rd, text, n);
		return;
	}
	size_t i = rd->field++;
	if (i >= rd->n_map || rd->map[i] < 0)
		return;
	if (n > IMPORT_MAX_FIELD || !utf8_valid(text, n) || memchr(text, '\0', n)) {
		row_problem(&rd->now, "%s: longer than %d bytes, or not UTF-8", import_columns[rd->map[i]],
			    IMPORT_MAX_FIELD);
		return;
	}
	free(rd->now.text[rd->map[i]]);
	rd->now.text[rd->map[i]] = xstrndup(text, n);
}

static void header_end(struct reader *rd)
{
	for (int k = 0; k < IMPORT_COLUMNS; k++) {
		bool there = false;
		for (size_t i = 0; i < rd->n_map; i++)
			there = there || rd->map[i] == k;
		if (!there && rd->result == OK)
			rd->result = fault_raise(rd->f, ERR_PARSE, "csv_header", "csv",
						 "the header line lacks the column \"%s\"", import_columns[k]);
	}
}

static void check_certificate(struct import_file *file, struct import_row *r)
{
	struct fault f = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	const char *name = import_get(r, "pem_file"), *serial = import_get(r, "serial");
	if (!name[0])
		return;
	_cleanup_(freep) char *path = path_join(file->dir, name);
	if (der_load(path, "CERTIFICATE", &r->der, &f) != OK || cert_parse(buf_slice(&r->der), &cert, &f) != OK)
		row_problem(r, "pem_file: %.250s", f.text);
	else if (serial[0] && strcmp(serial, SERIAL(&cert.serial)) != 0)
		row_problem(r, "serial: found %s, the certificate has %s", ESC(serial, strlen(serial)),
			    SERIAL(&cert.serial));
}

static void on_row(int end, void *arg)
{
	struct reader *rd = arg;
	(void)end;
	if (rd->result != OK)
		return;
	if (rd->line == 1) {
		header_end(rd);
	} else if (rd->field > 1) {
		struct import_file *file = rd->file;
		rd->now.line = rd->line;
		if (rd->field != rd->n_map)
			row_problem(&rd->now, "%zu fields; the header has %zu", rd->field, rd->n_map);
		if (!import_get(&rd->now, "account_identifier")[0])
			row_problem(&rd->now, "account_identifier is empty");
		check_certificate(file, &rd->now);
		if (file->n == rd->cap) {
			rd->cap = rd->cap ? rd->cap * 2 : 64;
			file->rows = xrealloc(file->rows, rd->cap, sizeof *file->rows);
		}
		file->rows[file->n++] = rd->now;
		import_progress(rd->progress, "rows read", file->n, 0);
		if (file->n > IMPORT_MAX_ROWS)
			rd->result =
				fault_raise(rd->f, ERR_LIMIT, "csv_rows", "csv", "more than %d rows", IMPORT_MAX_ROWS);
	}
	memset(&rd->now, 0, sizeof rd->now);
	rd->field = 0;
	rd->line++;
}

static enum err read_rows(struct reader *rd, struct slice bytes, struct fault *f)
{
	struct csv_parser p;
	if (csv_init(&p, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0)
		return fault_raise(f, ERR_INTERNAL, "csv", "csv", "parser");
	size_t n = csv_parse(&p, bytes.p, bytes.n, on_field, on_row, rd);
	int bad = n != bytes.n || csv_fini(&p, on_field, on_row, rd) != 0;
	int code = csv_error(&p);
	csv_free(&p);
	for (size_t k = 0; k < IMPORT_COLUMNS; k++)
		free(rd->now.text[k]);
	if (rd->result != OK)
		return rd->result;
	return bad ? fault_raise(f, ERR_PARSE, "csv_form", "csv", "line %u: %s", rd->line, csv_strerror(code)) : OK;
}

enum err import_read(const char *path, struct import_progress *p, struct import_file *ret, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	_cleanup_(freep) char *copy = xstrdup(path);
	struct reader rd = {.file = ret, .progress = p, .line = 1, .f = f};
	TRY(file_read(path, IMPORT_MAX_BYTES, &bytes, f));
	ret->dir = xstrdup(dirname(copy));
	enum err e = read_rows(&rd, buf_slice(&bytes), f);
	if (e == OK && ret->n == 0)
		e = fault_raise(f, ERR_PARSE, "csv_empty", "csv", "no row behind the header line");
	if (e != OK)
		fault_prefix(f, "%s", path);
	return e;
}
