/*
 * A transcript as a page to print: every line with a box to tick, every hash in groups of four, and for everybody who was
 * there a place to sign by hand. One file, no script, nothing loaded, so that it prints from any browser, or none: the
 * text is readable as it is. A rehearsal's page, with the ceremony's file, is the sheet of the day. Table heads come again
 * on each sheet of paper, and what is signed by hand stays on one.
 */
#include "tools/hufu/ceremony.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <string.h>

static const char style[] =
	"body{font:11pt/1.4 serif;max-width:18cm;margin:1cm auto}h1{font-size:16pt}h2{font-size:12pt;margin-top:1.2em}"
	"table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #999;padding:2pt 6pt 2pt "
	"0;text-align:left;"
	"vertical-align:top}code{font:9.5pt/1.4 "
	"monospace;overflow-wrap:anywhere}.box{width:1.2em}.box:before{content:'\\2610'}"
	".sign td{height:1.6cm;border:1px solid #333;padding:4pt}.rehearsal{border:3px solid "
	"#000;padding:6pt;font-weight:bold}"
	".file td{border:0;padding:0 6pt 0 0}.file code{white-space:pre-wrap}"
	"td{overflow-wrap:anywhere}.time{white-space:nowrap}@page{margin:1.5cm}@media print{body{margin:0 "
	"auto}}tr,h2,.hand{break-inside:avoid}h2{break-after:"
	"avoid}";

static void html_put(const char *text, struct buf *ret)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			buf_str(ret, "&amp;");
			break;
		case '<':
			buf_str(ret, "&lt;");
			break;
		case '>':
			buf_str(ret, "&gt;");
			break;
		case '"':
			buf_str(ret, "&quot;");
			break;
		default:
			buf_char(ret, *text);
		}
	}
}

static void cell(const char *text, struct buf *ret)
{
	buf_str(ret, "<td>");
	html_put(text, ret);
	buf_str(ret, "</td>");
}

static void hash_cell(const uint8_t hash[32], struct buf *ret)
{
	buf_str(ret, "<td><code>");
	hash_aloud(hash, "<br>", ret);
	buf_str(ret, "</code></td>");
}

static void row(const char *name, const char *text, struct buf *ret)
{
	buf_str(ret, "<tr>");
	cell(name, ret);
	cell(text, ret);
	buf_str(ret, "</tr>\n");
}

static void hash_row(const char *name, const uint8_t hash[32], struct buf *ret)
{
	buf_str(ret, "<tr>");
	cell(name, ret);
	hash_cell(hash, ret);
	buf_str(ret, "</tr>\n");
}

static void vkey_row(const char *role, const struct transcript_person *p, struct buf *ret)
{
	_cleanup_buf_ struct buf vkey = {0};
	note_vkey_put(p->name, p->key, &vkey);
	buf_str(ret, "<tr>");
	cell(role, ret);
	buf_str(ret, "<td><code>");
	html_put(buf_text(&vkey), ret);
	buf_str(ret, "</code></td></tr>\n");
}

static void head(const struct transcript *t, struct buf *ret)
{
	buf_fmt(ret,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Ceremony "
		"%s</title>\n<style>%s</style></head>\n"
		"<body>\n<h1>Ceremony %s, of kind %s</h1>\n",
		t->ceremony, style, t->ceremony, t->kind); /* words of a-z, 0-9 and '-' */
	if (t->rehearsal)
		buf_str(ret, "<p class=\"rehearsal\">A REHEARSAL: its keys are thrown away, and nothing of it "
			     "counts.</p>\n");
	buf_str(ret, "<table>\n");
	row("begun", UTC(t->begun), ret);
	row("ended", UTC(t->ended), ret);
	hash_row("SHA-256 of the ceremony file", t->file, ret);
	row("program", t->version, ret);
	hash_row("SHA-256 of the program", t->program, ret);
	row("library", t->library, ret);
	vkey_row("operator", &t->operator, ret);
	for (size_t i = 0; i < t->n_witnesses; i++)
		vkey_row("witness", &t->witnesses[i], ret);
	buf_str(ret, "</table>\n");
}

static void files(const char *title, const struct transcript_file *v, size_t n, struct buf *ret)
{
	if (n == 0)
		return;
	buf_fmt(ret,
		"<h2>%s</h2>\n<table><thead><tr><th></th><th>what</th><th>file</th><th>SHA-256</th></tr></thead>\n",
		title);
	for (size_t i = 0; i < n; i++) {
		buf_str(ret, "<tr><td class=\"box\"></td>");
		cell(v[i].what, ret);
		cell(v[i].path, ret);
		hash_cell(v[i].sha256, ret);
		buf_str(ret, "</tr>\n");
	}
	buf_str(ret, "</table>\n");
}

static const char *answer_text(const struct transcript_line *l)
{
	if (l->what != TRANSCRIPT_PROMPT)
		return l->what == TRANSCRIPT_TOKEN ? "token" : "done";
	if (strcmp(l->answer, "given") == 0)
		return "given, not recorded";
	return strcmp(l->answer, "option") == 0 ? "said on the command line" : "yes";
}

static void lines(const struct transcript *t, struct buf *ret)
{
	buf_str(ret, "<h2>What was "
		     "done</h2>\n<table><thead><tr><th></th><th>time</th><th></th><th>answer</th></tr></thead>\n");
	for (size_t i = 0; i < t->n_lines; i++) {
		const struct transcript_line *l = &t->lines[i];
		buf_str(ret, "<tr><td class=\"box\"></td>");
		buf_fmt(ret, "<td class=\"time\">%s</td>", UTC(l->when));
		cell(l->text, ret);
		cell(answer_text(l), ret);
		buf_str(ret, "</tr>\n");
	}
	buf_str(ret, "</table>\n");
}

static void sign_row(const char *role, const char *name, const struct note *n, struct buf *ret)
{
	buf_str(ret, "<tr>");
	cell(role, ret);
	cell(name, ret);
	cell(note_sig_by_name(n, name) ? "has a signature line" : "no signature line yet", ret);
	buf_str(ret, "<td>signature:</td><td>date:</td></tr>\n");
}

static void file_lines(const char *file, struct buf *ret)
{
	unsigned n = 0;
	buf_str(ret, "<h2>The ceremony file</h2>\n<table class=\"file\">\n");
	while (*file != '\0') {
		size_t len = strcspn(file, "\n");
		_cleanup_(freep) char *line = xstrndup(file, len);
		buf_fmt(ret, "<tr><td>%u</td><td><code>", ++n);
		html_put(line, ret);
		buf_str(ret, "</code></td></tr>\n");
		file += len + (file[len] == '\n');
	}
	buf_str(ret, "</table>\n");
}

void ceremony_page(const struct transcript *t, const struct note *n, const char *file, struct buf *ret)
{
	uint8_t hash[32];
	head(t, ret);
	if (file)
		file_lines(file, ret);
	files("What was read", t->inputs, t->n_inputs, ret);
	lines(t, ret);
	files("What came out", t->outputs, t->n_outputs, ret);
	note_text_sha256(n, hash);
	buf_str(ret, "<div class=\"hand\"><h2>Signed by hand</h2>\n<p>Each of us saw this, and read these hashes "
		     "aloud. SHA-256 of this "
		     "transcript's text:<br><code>");
	hash_aloud(hash, "<br>", ret);
	buf_str(ret, "</code></p>\n<table class=\"sign\">\n");
	sign_row("operator", t->operator.name, n, ret);
	for (size_t i = 0; i < t->n_witnesses; i++)
		sign_row("witness", t->witnesses[i].name, n, ret);
	buf_str(ret, "</table></div>\n</body></html>\n");
}
