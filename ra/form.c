/*
 * A form is lines of text: "# " a title, "## " a subtitle, "| label | value |" a row, anything else a paragraph; {word}
 * stands for what the desk knows of the request. A notice goes out word for word, since its hash stands in the tally.
 *
 * The page that comes of it loads nothing and runs nothing; whatever is filled in is escaped where it is filled in.
 */
#include "ra/form.h"

#include "ra/plain.h"
#include "ra/title.h"

#include "common/base/clock.h"

#include <string.h>

#define N_FIELDS 9
struct field {
	const char *name;
	struct buf value;
};
struct fields {
	struct field v[N_FIELDS];
};
static void fields_done(struct fields *l)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		buf_done(&l->v[i].value);
}

enum field_at {
	AT_NUMBER,
	AT_PROJECT,
	AT_WAY,
	AT_ORGANISATION,
	AT_IDENTIFIER,
	AT_AGENT,
	AT_SERIAL,
	AT_DIFFERENCE,
	AT_DATE
};
static const char *const field_names[N_FIELDS] = {"number", "project", "way",	     "organisation", "identifier",
						  "agent",  "serial",  "difference", "date"};

/* --- what is known --- */

static enum err fill_difference(struct ctx *c, const struct request *r, struct buf *ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *list = NULL;
	_cleanup_(tally_done) struct tally t = {0};
	if (request_is_plain(r)) {
		TRY(record_difference(c, r, &list, f));
		json_t *o = json_array_get(list, 0);
		if (o)
			buf_fmt(ret, "%s %s: %s", title_of(PLAIN_RECORD_ATTRIBUTE).zh,
				title_of(PLAIN_RECORD_ATTRIBUTE).en, json_string_value(json_object_get(o, "new")));
		return OK;
	}
	if (!request_has_tally(r))
		return OK;
	TRY(tally_parse(slice_str(r->tally), &t, f));
	for (size_t i = 0; i < t.n_subject; i++) {
		const struct subject_line *line = &t.subject[i], *next = i + 1 < t.n_subject ? line + 1 : NULL;
		bool pair = line->mark == SUBJECT_OLD && next && next->mark == SUBJECT_NEW && next->type == line->type;
		if (line->mark == SUBJECT_SAME)
			continue;
		buf_fmt(ret, "%s%s %s: %s%s%s", ret->len > 0 ? "; " : "", line->type->zh, line->type->en, line->value,
			pair || line->mark == SUBJECT_OLD ? " → " : "", pair ? next->value : "");
		i += pair;
	}
	return OK;
}

static enum err fill_owner(struct ctx *c, const struct request *r, struct fields *l, struct fault *f)
{
	struct account a = {0};
	if (r->account == 0)
		return OK;
	TRY(store_account_get(c->db, r->account, &a, f));
	buf_str(&l->v[AT_ORGANISATION].value, a.organisation);
	buf_str(&l->v[AT_IDENTIFIER].value, a.identifier);
	buf_str(&l->v[AT_AGENT].value, a.agent);
	return OK;
}

static enum err fill(struct ctx *c, const struct request *r, struct fields *l, struct fault *f)
{
	struct course course;
	struct cert_row row;
	const struct project *p = policy_project(c->law->policy, r->project);
	const struct policy_way *way = request_way(c, r);
	for (size_t i = 0; i < N_FIELDS; i++)
		l->v[i].name = field_names[i];
	TRY(store_course_get(c->db, r->id, &course, f));
	buf_str(&l->v[AT_NUMBER].value, course.number);
	buf_str(&l->v[AT_PROJECT].value, p ? p->title.zh : r->project);
	buf_str(&l->v[AT_WAY].value, way && way->title.zh ? way->title.zh : r->way);
	buf_fmt(&l->v[AT_DATE].value, "%.10s", SHANGHAI(c->now));
	if (r->cert != 0) {
		TRY(store_cert_by_id(c->db, r->cert, &row, f));
		buf_str(&l->v[AT_SERIAL].value, SERIAL(&row.ref.serial));
	}
	TRY(fill_owner(c, r, l, f));
	return fill_difference(c, r, &l->v[AT_DIFFERENCE].value, f);
}

/* --- out --- */

void form_escape(const char *text, struct buf *ret)
{
	static const char *const names[] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};
	for (const char *p = text; *p; p++) {
		unsigned char at = (unsigned char)*p;
		if (at < sizeof(names) / sizeof(names[0]) && names[at])
			buf_str(ret, names[at]);
		else
			buf_char(ret, *p);
	}
}

static const struct field *field_of(const struct fields *l, const char *name, size_t n)
{
	for (size_t k = 0; k < N_FIELDS; k++) {
		if (l->v[k].name && strlen(l->v[k].name) == n && memcmp(name, l->v[k].name, n) == 0)
			return &l->v[k];
	}
	return NULL;
}

/* n bytes of a template's line with the fields filled in. A word that is none stays as it stands. */
static void expand(const struct fields *l, const char *text, size_t n, struct buf *ret)
{
	for (size_t i = 0; i < n;) {
		const char *end = text[i] == '{' ? memchr(text + i, '}', n - i) : NULL;
		const struct field *found = end ? field_of(l, text + i + 1, (size_t)(end - text) - i - 1) : NULL;
		if (!found) {
			buf_char(ret, text[i++]);
			continue;
		}
		buf_add_slice(ret, buf_slice(&found->value));
		i = (size_t)(end - text) + 1;
	}
}

static void put(const char *open, const struct fields *l, const char *text, size_t n, const char *close,
		struct buf *ret)
{
	_cleanup_buf_ struct buf value = {0};
	expand(l, text, n, &value);
	buf_str(ret, open);
	form_escape(buf_text(&value), ret);
	buf_str(ret, close);
}

/* "| label | value |" */
static bool put_row(const struct fields *l, const char *line, size_t n, struct buf *ret)
{
	const char *middle = n > 4 ? memchr(line + 1, '|', n - 2) : NULL;
	if (n < 5 || line[0] != '|' || line[n - 1] != '|' || !middle)
		return false;
	put("<tr><th>", l, line + 1, (size_t)(middle - line) - 1, "</th>", ret);
	put("<td>", l, middle + 1, (size_t)(line + n - 1 - middle) - 1, "</td></tr>\n", ret);
	return true;
}

static void put_line(const struct fields *l, const char *line, size_t n, bool *in_table, struct buf *ret)
{
	bool row = n > 0 && line[0] == '|';
	if (row != *in_table)
		buf_str(ret, row ? "<table>\n" : "</table>\n");
	*in_table = row;
	if (row && put_row(l, line, n, ret))
		return;
	if (n > 3 && strncmp(line, "## ", 3) == 0)
		put("<h2>", l, line + 3, n - 3, "</h2>\n", ret);
	else if (n > 2 && strncmp(line, "# ", 2) == 0)
		put("<h1>", l, line + 2, n - 2, "</h1>\n", ret);
	else if (n > 0)
		put("<p>", l, line, n, "</p>\n", ret);
}

static const char page_head[] = "<!DOCTYPE html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\">\n"
				"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
				"'unsafe-inline'\">\n<title>";
static const char page_style[] =
	"</title>\n<style>@page{size:A4;margin:20mm}body{font-family:serif;max-width:170mm;margin:auto;line-height:1.5}"
	"h1{font-size:1.4em;text-align:center}h2{font-size:1em;text-align:center;font-weight:normal}"
	"table{width:100%;border-collapse:collapse;margin:1em 0}th,td{border:1px solid "
	"#000;padding:2mm;text-align:left;"
	"overflow-wrap:anywhere}th{width:35%;font-weight:normal}p{white-space:pre-wrap;margin:.3em "
	"0}</style></head><body>\n";

static void put_html(const struct fields *l, const char *name, const char *text, struct buf *ret)
{
	bool in_table = false;
	buf_str(ret, page_head);
	form_escape(name, ret);
	buf_str(ret, page_style);
	while (*text) {
		size_t n = strcspn(text, "\n");
		put_line(l, text, n, &in_table, ret);
		text += n + (text[n] == '\n');
	}
	buf_str(ret, in_table ? "</table>\n</body></html>\n" : "</body></html>\n");
}

/* What stands above a notice: which request it belongs to, and which version it is. */
static void put_notice(const struct fields *l, const struct notice *notice, bool html, struct buf *ret)
{
	static const struct fields none; /* nothing in a notice stands for anything else */
	_cleanup_buf_ struct buf head = {0};
	char hex[65];
	hex_lower(notice->sha256, 32, hex);
	buf_fmt(&head,
		"| 申请编号 Number | %s |\n| 单位名称 Organisation | %s |\n| 证书序列号 Certificate | %s |\n| 版本 "
		"Version | %s |\n"
		"| SHA-256 | %s |\n",
		buf_text(&l->v[AT_NUMBER].value), buf_text(&l->v[AT_ORGANISATION].value),
		buf_text(&l->v[AT_SERIAL].value), notice->name, hex);
	buf_char(&head, '\n');
	buf_str(&head, notice->text);
	if (html)
		put_html(&none, notice->name, buf_text(&head), ret);
	else
		buf_add_slice(ret, buf_slice(&head));
}

/* --- calls --- */

static enum err find_request(struct ctx *c, struct request *r, struct fault *f)
{
	if (!c->session && !caller_is(c, DESK_OFFICER))
		return fault_raise(f, ERR_DENIED, "session_missing", "params.session",
				   "wanted a session, or a caller with role officer");
	return c->session ? request_own(c, r, f) : request_any(c, r, f);
}

static enum err render(struct ctx *c, const struct request *r, const char *name, bool html, struct buf *ret,
		       uint8_t hash[32], struct fault *f)
{
	_cleanup_(fields_done) struct fields l = {0};
	const struct notice *form = policy_form(c->law->policy, name), *notice = policy_notice(c->law->policy, name);
	if (!form && !notice)
		return fault_raise(f, ERR_NOT_FOUND, "form_unknown", "params.form", "there is no form or notice \"%s\"",
				   ESC(name, strlen(name)));
	memcpy(hash, form ? form->sha256 : notice->sha256, 32);
	TRY(fill(c, r, &l, f));
	if (!form)
		put_notice(&l, notice, html, ret);
	else if (html)
		put_html(&l, form->name, form->text, ret);
	else
		expand(&l, form->text, strlen(form->text), ret);
	return OK;
}

enum err form_get(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	_cleanup_buf_ struct buf text = {0};
	const char *name = param_text(c, "form"), *format = param_text(c, "format");
	uint8_t hash[32];
	bool html = !format || strcmp(format, "html") == 0;
	TRY(find_request(c, &r, f));
	TRY(render(c, &r, name, html, &text, hash, f));
	*ret = json_object();
	json_object_set_new(*ret, "form", json_string(name));
	json_object_set_new(*ret, "sha256", json_hex(hash, 32));
	json_object_set_new(*ret, "format", json_string(html ? "html" : "text"));
	json_object_set_new(*ret, "content", json_string(buf_text(&text)));
	return OK;
}

static void add_forms(const struct notice *v, size_t n, const char *what, json_t *list)
{
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "form", json_string(v[i].name));
		json_object_set_new(o, "what", json_string(what));
		json_object_set_new(o, "sha256", json_hex(v[i].sha256, 32));
		json_array_append_new(list, o);
	}
}

enum err form_list(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct policy *p = c->law->policy;
	json_t *list = json_array();
	(void)f;
	add_forms(p->forms, p->n_forms, "form", list);
	add_forms(p->notices, p->n_notices, "notice", list);
	*ret = json_object();
	json_object_set_new(*ret, "forms", list);
	return OK;
}
