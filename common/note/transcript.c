/*
 * Transcripts and orders of ceremonies as text. The program that runs a ceremony fills the struct and writes it; whoever
 * verifies reads the text back with the same code, so there is one form. What a ceremony does stands in ca/ceremony.c.
 */
#include "common/note/transcript.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/note/lines.h"

#include <assert.h>
#include <string.h>

#define FIXED_LINES 11
#define HASH_GROUP 4
#define HASH_LINE 32

static const char *const what_words[TRANSCRIPT_WHAT_N] = {
	[TRANSCRIPT_PROMPT] = "prompt",
	[TRANSCRIPT_STEP] = "step",
	[TRANSCRIPT_TOKEN] = "token",
};
static const char *const answers[] = {"yes", "given", "option"};

void transcript_done(struct transcript *t)
{
	for (size_t i = 0; i < t->n_lines; i++)
		free(t->lines[i].text);
	for (size_t i = 0; i < t->n_inputs; i++)
		free(t->inputs[i].path);
	for (size_t i = 0; i < t->n_outputs; i++)
		free(t->outputs[i].path);
	free(t->version);
	free(t->library);
	*t = (struct transcript){0};
}

/* --- writing --- */

static void person_put(const char *field, const struct transcript_person *p, struct buf *ret)
{
	buf_fmt(ret, "%s: ", field);
	note_vkey_put(p->name, p->key, ret);
	buf_char(ret, '\n');
}

static void files_put(const char *field, const struct transcript_file *files, size_t n, struct buf *ret)
{
	for (size_t i = 0; i < n; i++) {
		buf_fmt(ret, "%s: %s ", field, files[i].what);
		buf_hex(ret, files[i].sha256, 32);
		buf_fmt(ret, " %s\n", files[i].path);
	}
}

static void line_put(const struct transcript_line *l, struct buf *ret)
{
	buf_fmt(ret, "%s: %s %s%s%s\n", what_words[l->what], UTC(l->when),
		l->what == TRANSCRIPT_PROMPT ? l->answer : "", l->what == TRANSCRIPT_PROMPT ? " " : "", l->text);
}

void transcript_put(const struct transcript *t, struct buf *ret)
{
	buf_str(ret, TRANSCRIPT_KIND_LINE "\n");
	lines_put(ret, "ceremony", t->ceremony);
	lines_put(ret, "kind", t->kind);
	lines_put(ret, "mode", t->rehearsal ? "rehearsal" : "run");
	lines_put(ret, "version", t->version);
	lines_put(ret, "library", t->library);
	lines_put_hex(ret, "program", t->program, 32);
	lines_put_hex(ret, "file", t->file, 32);
	person_put("operator", &t->operator, ret);
	for (size_t i = 0; i < t->n_witnesses; i++)
		person_put("witness", &t->witnesses[i], ret);
	lines_put_time(ret, "begun", t->begun);
	files_put("input", t->inputs, t->n_inputs, ret);
	for (size_t i = 0; i < t->n_lines; i++)
		line_put(&t->lines[i], ret);
	files_put("output", t->outputs, t->n_outputs, ret);
	lines_put_time(ret, "ended", t->ended);
}

int64_t transcript_time(const struct transcript *t, int64_t now)
{
	int64_t last = t->n_lines > 0 ? t->lines[t->n_lines - 1].when : t->begun;
	return now < last ? last : now;
}

void transcript_add(struct transcript *t, enum transcript_what what, int64_t when, const char *answer, const char *text)
{
	char escaped[600];
	struct transcript_line *l = &t->lines[t->n_lines];
	assert(t->n_lines < TRANSCRIPT_MAX_LINES);
	*l = (struct transcript_line){.what = what, .when = transcript_time(t, when)};
	if (answer)
		snprintf(l->answer, sizeof(l->answer), "%s", answer);
	l->text = xstrdup(text_escape(text, strlen(text), escaped, sizeof(escaped)));
	t->n_lines++;
}

void transcript_add_file(struct transcript_file *files, size_t *n, const char *what, const char *path,
			 struct slice bytes)
{
	struct transcript_file *x = &files[*n];
	char escaped[600];
	assert(*n < TRANSCRIPT_MAX_FILES);
	*x = (struct transcript_file){.path = xstrdup(text_escape(path, strlen(path), escaped, sizeof(escaped)))};
	snprintf(x->what, sizeof(x->what), "%s", what);
	sha256(bytes.p, bytes.n, x->sha256);
	(*n)++;
}

void hash_aloud(const uint8_t hash[32], const char *indent, struct buf *ret)
{
	char hex[65];
	hex_lower(hash, 32, hex);
	for (size_t i = 0; i < 64; i += HASH_GROUP) {
		if (i > 0 && i % HASH_LINE == 0 && indent)
			buf_fmt(ret, "\n%s", indent);
		else if (i > 0)
			buf_char(ret, ' ');
		buf_add(ret, hex + i, HASH_GROUP);
	}
}

/* --- reading --- */

static enum err person_get(struct lines *l, const char *field, struct transcript_person *ret, struct fault *f)
{
	struct slice v;
	TRY(lines_get(l, field, &v, f));
	if (note_vkey_parse(v, ret->name, ret->key, NULL) != OK)
		return lines_bad(l, field, v, "a verifier key: name+id+base64", f);
	return OK;
}

static enum err text_get(struct lines *l, const char *field, char **ret, struct fault *f)
{
	struct slice v;
	TRY(lines_get(l, field, &v, f));
	*ret = slice_dup_str(v);
	return OK;
}

static enum err head_get(struct lines *l, struct transcript *t, struct fault *f)
{
	struct slice mode;
	TRY(lines_word(l, "ceremony", t->ceremony, sizeof(t->ceremony), f));
	TRY(lines_word(l, "kind", t->kind, sizeof(t->kind), f));
	TRY(lines_get(l, "mode", &mode, f));
	t->rehearsal = slice_eq(mode, slice_str("rehearsal"));
	if (!t->rehearsal && !slice_eq(mode, slice_str("run")))
		return lines_bad(l, "mode", mode, "run or rehearsal", f);
	TRY(text_get(l, "version", &t->version, f));
	TRY(text_get(l, "library", &t->library, f));
	TRY(lines_hex(l, "program", t->program, 32, f));
	TRY(lines_hex(l, "file", t->file, 32, f));
	TRY(person_get(l, "operator", &t->operator, f));
	while (lines_next_is(l, "witness")) {
		if (t->n_witnesses == TRANSCRIPT_MAX_WITNESSES)
			return fault_raise(f, ERR_LIMIT, "transcript_witnesses", "transcript.witness",
					   "found more than %d", TRANSCRIPT_MAX_WITNESSES);
		TRY(person_get(l, "witness", &t->witnesses[t->n_witnesses++], f));
	}
	return lines_time(l, "begun", &t->begun, f);
}

static enum err files_get(struct lines *l, const char *field, struct transcript_file *files, size_t *n, struct fault *f)
{
	struct slice v, part[3];
	while (lines_next_is(l, field)) {
		struct transcript_file *x = &files[*n];
		if (*n == TRANSCRIPT_MAX_FILES)
			return fault_raise(f, ERR_LIMIT, "transcript_files", "transcript", "found more than %d %ss",
					   TRANSCRIPT_MAX_FILES, field);
		TRY(lines_get(l, field, &v, f));
		if (!slice_split(v, part, 3, true) || !word_valid(part[0], sizeof(x->what)) ||
		    !slice_hex(part[1], x->sha256, 32))
			return lines_bad(l, field, v, "a word, 64 lower-case hex digits and a path", f);
		memcpy(x->what, part[0].p, part[0].n);
		x->path = slice_dup_str(part[2]);
		(*n)++;
	}
	return OK;
}

/* The word of the next line, or TRANSCRIPT_WHAT_N. */
static enum transcript_what next_what(const struct lines *l)
{
	enum transcript_what what = TRANSCRIPT_PROMPT;
	while (what < TRANSCRIPT_WHAT_N && !lines_next_is(l, what_words[what]))
		what++;
	return what;
}

static bool answer_valid(struct slice word)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (slice_eq(word, slice_str(answers[i])))
			return true;
	return false;
}

static enum err line_get(struct lines *l, enum transcript_what what, struct transcript *t, struct fault *f)
{
	struct transcript_line *x = &t->lines[t->n_lines];
	struct slice v, part[3];
	bool prompt = what == TRANSCRIPT_PROMPT;
	size_t n = prompt ? 3 : 2;
	if (t->n_lines == TRANSCRIPT_MAX_LINES)
		return fault_raise(f, ERR_LIMIT, "transcript_lines", "transcript", "found more than %d steps",
				   TRANSCRIPT_MAX_LINES);
	TRY(lines_get(l, what_words[what], &v, f));
	if (!slice_split(v, part, n, true) || !time_parse_utc((const char *)part[0].p, part[0].n, &x->when) ||
	    (prompt && !answer_valid(part[1])))
		return lines_bad(l, what_words[what], v,
				 prompt ? "a time, yes, given or option, and the text" : "a time and the text", f);
	x->what = what;
	if (prompt)
		memcpy(x->answer, part[1].p, part[1].n);
	x->text = slice_dup_str(part[n - 1]);
	t->n_lines++;
	return OK;
}

/* Nothing before what stands above it. */
static enum err check_times(const struct transcript *t, struct fault *f)
{
	int64_t last = t->begun;
	for (size_t i = 0; i <= t->n_lines; i++) {
		int64_t when = i < t->n_lines ? t->lines[i].when : t->ended;
		if (when < last)
			return fault_raise(f, ERR_PARSE, "transcript_times", "transcript",
					   "found %s behind %s, wanted times that do not go back", UTC(when),
					   UTC(last));
		last = when;
	}
	return OK;
}

static enum err parse(struct lines *l, struct transcript *t, struct fault *f)
{
	enum transcript_what what;
	TRY(head_get(l, t, f));
	TRY(files_get(l, "input", t->inputs, &t->n_inputs, f));
	while ((what = next_what(l)) != TRANSCRIPT_WHAT_N)
		TRY(line_get(l, what, t, f));
	TRY(files_get(l, "output", t->outputs, &t->n_outputs, f));
	if (t->n_outputs == 0)
		return fault_raise(f, ERR_PARSE, "transcript_outputs", "transcript.output",
				   "found none, wanted one or more");
	TRY(lines_time(l, "ended", &t->ended, f));
	return lines_end(l, f);
}

enum err transcript_parse(struct slice text, struct transcript *ret, struct fault *f)
{
	_cleanup_buf_ struct buf again = {0};
	struct lines l;
	unsigned most = FIXED_LINES + TRANSCRIPT_MAX_WITNESSES + TRANSCRIPT_MAX_LINES + 2 * TRANSCRIPT_MAX_FILES;
	TRY(lines_begin(&l, "transcript", TRANSCRIPT_KIND_LINE, text, most, f));
	TRY(parse(&l, ret, f));
	TRY(check_times(ret, f));
	transcript_put(ret, &again);
	return lines_same("transcript", text, &again, f);
}

/* --- the order --- */

enum err ceremony_order_parse(struct slice text, struct ceremony_order *ret, struct fault *f)
{
	_cleanup_buf_ struct buf again = {0};
	struct ceremony_order o = {0};
	struct lines l;
	TRY(lines_begin(&l, "ceremony", CEREMONY_KIND_LINE, text, 6, f));
	TRY(lines_hex(&l, "ca", o.ca, sizeof(o.ca), f));
	TRY(lines_word(&l, "ceremony", o.ceremony, sizeof(o.ceremony), f));
	TRY(lines_word(&l, "kind", o.kind, sizeof(o.kind), f));
	TRY(lines_hex(&l, "file", o.file, sizeof(o.file), f));
	TRY(lines_time(&l, "made", &o.made, f));
	TRY(lines_end(&l, f));
	ceremony_order_put(&o, &again);
	TRY(lines_same("ceremony", text, &again, f));
	*ret = o;
	return OK;
}

void ceremony_order_put(const struct ceremony_order *o, struct buf *ret)
{
	buf_str(ret, CEREMONY_KIND_LINE "\n");
	lines_put_hex(ret, "ca", o->ca, sizeof(o->ca));
	lines_put(ret, "ceremony", o->ceremony);
	lines_put(ret, "kind", o->kind);
	lines_put_hex(ret, "file", o->file, sizeof(o->file));
	lines_put_time(ret, "made", o->made);
}
