/*
 * "ready", the file by which a run says that everything it made lies whole in its folder, .ceremony-<name>.
 *
 * Whoever runs the ceremony's file again finishes such a run, without a key and without a question. So it is believed no
 * further than it can be checked: it must be of this file's bytes, name the outputs that the file names and no others, and the
 * transcript among them must be of this file, have the hash of each, and the line of its operator, who must be the file's where
 * the file names one. Next: ceremony_stage.c, which puts them in their places.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/note/lines.h"

#include <string.h>

#define READY_KIND "hufu/ceremony-ready/v1"
#define READY_MAX 8192u

void ceremony_ready_done(struct ceremony_ready *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].path);
}

void ceremony_ready_put(const struct ceremony_ready *r, struct buf *ret)
{
	buf_str(ret, READY_KIND "\n");
	lines_put_hex(ret, "file", r->file, 32);
	for (size_t i = 0; i < r->n; i++) {
		buf_fmt(ret, "output: %o ", r->v[i].mode);
		buf_hex(ret, r->v[i].sha256, 32);
		buf_fmt(ret, " %s\n", r->v[i].path);
	}
}

static enum err parse(struct slice text, struct ceremony_ready *r, struct fault *f)
{
	struct lines l;
	struct slice v, part[3];
	TRY(lines_begin(&l, "ceremony-ready", READY_KIND, text, 2 + CEREMONY_OUTPUTS, f));
	TRY(lines_hex(&l, "file", r->file, 32, f));
	while (lines_next_is(&l, "output") && r->n < CEREMONY_OUTPUTS) {
		TRY(lines_get(&l, "output", &v, f));
		if (!slice_split(v, part, 3, true) || part[0].n != 3 || !slice_hex(part[1], r->v[r->n].sha256, 32))
			return lines_bad(&l, "output", v, "a mode, a hash and a path", f);
		r->v[r->n].mode = slice_eq(part[0], slice_str("600")) ? 0600 : 0644;
		r->v[r->n++].path = slice_dup_str(part[2]);
	}
	return lines_end(&l, f);
}

static enum err not_of_this_run(const char *what, struct fault *f)
{
	return fault_raise(f, ERR_CONFLICT, "ceremony_stage", "ceremony", "%s", what);
}

/* The file's outputs, all of them and in their order. */
static enum err same_outputs(const struct ceremony *c, const struct ceremony_ready *r, struct fault *f)
{
	size_t n = 0;
	for (size_t i = 0; i < CEREMONY_OUTPUTS; i++) {
		const char *what, *path = *ceremony_output(&c->file, i, &what);
		if (!path)
			continue;
		if (n == r->n || strcmp(r->v[n].path, path) != 0)
			return not_of_this_run("it does not hold the outputs that the file names", f);
		if ((r->v[n++].mode == 0600) != (strcmp(what, "key") == 0))
			return not_of_this_run("a key would be open to others, or a certificate closed to them", f);
	}
	return n == r->n ? OK : not_of_this_run("it holds more than the outputs that the file names", f);
}

static enum err same_operator(const struct ceremony *c, const struct note *note, const struct transcript *t,
			      struct fault *f)
{
	struct transcript_person wanted = {0};
	const struct note_sig *s = note_sig_by_name(note, t->operator.name);
	if (!s || !note_sig_holds_ed25519(note, s, t->operator.key))
		return not_of_this_run("its transcript is not signed by its operator", f);
	if (!c->file.operator)
		return OK;
	TRY(note_vkey_parse(slice_str(c->file.operator), wanted.name, wanted.key, f));
	if (strcmp(wanted.name, t->operator.name) != 0 || memcmp(wanted.key, t->operator.key, sizeof(wanted.key)) != 0)
		return not_of_this_run("its transcript is not by the operator whom the file names", f);
	return OK;
}

static enum err same_transcript(const struct ceremony *c, const struct ceremony_ready *r, const struct note *note,
				const struct transcript *t, struct fault *f)
{
	if (t->rehearsal || memcmp(t->file, c->file.sha256, 32) != 0 || strcmp(t->ceremony, c->file.name) != 0)
		return not_of_this_run("its transcript is that of another ceremony", f);
	if (t->n_outputs + 1 != r->n)
		return not_of_this_run("its transcript has other outputs", f);
	for (size_t i = 0; i < t->n_outputs; i++)
		if (strcmp(t->outputs[i].path, r->v[i].path) != 0 ||
		    memcmp(t->outputs[i].sha256, r->v[i].sha256, 32) != 0)
			return not_of_this_run("its transcript has another hash of an output", f);
	return same_operator(c, note, t, f);
}

/* From the folder, or from its place where it has gone already. */
static enum err read_transcript(const struct ceremony *c, const struct ceremony_ready *r, struct buf *ret,
				struct fault *f)
{
	_cleanup_(freep) char *staged = ceremony_stage_product(c, r->n - 1),
			      *place = path_join(c->o->dir, c->file.outputs.transcript);
	uint8_t found[32];
	TRY(file_read(file_exists(staged) ? staged : place, CEREMONY_OUTPUT_MAX, ret, f));
	sha256(ret->data, ret->len, found);
	if (memcmp(found, r->v[r->n - 1].sha256, 32) != 0)
		return not_of_this_run("its transcript was altered", f);
	return OK;
}

static enum err judge(const struct ceremony *c, const struct ceremony_ready *r, struct fault *f)
{
	struct transcript *t = xcalloc(1, sizeof(*t));
	_cleanup_(note_done) struct note note = {0};
	_cleanup_buf_ struct buf bytes = {0};
	enum err e = same_outputs(c, r, f);
	if (e == OK)
		e = read_transcript(c, r, &bytes, f);
	if (e == OK)
		e = note_parse(buf_slice(&bytes), 1, &note, f);
	if (e == OK)
		e = transcript_parse(note.text, t, f);
	if (e == OK)
		e = same_transcript(c, r, &note, t, f);
	transcript_done(t);
	free(t);
	return e;
}

enum err ceremony_ready_load(const struct ceremony *c, struct ceremony_ready *ret, struct fault *f)
{
	_cleanup_(freep) char *path = ceremony_stage_path(c, "ready");
	_cleanup_buf_ struct buf text = {0};
	TRY(file_read(path, READY_MAX, &text, f));
	TRY(parse(buf_slice(&text), ret, f));
	if (memcmp(ret->file, c->file.sha256, 32) != 0)
		return fault_raise(
			f, ERR_CONFLICT, "ceremony_unfinished", "ceremony",
			"%s: a ceremony of this name, from another file, was cut off while it was written; run that "
			"file again, and it is finished",
			ESC(path, strlen(path)));
	enum err e = judge(c, ret, f);
	if (e != OK)
		fault_prefix(f,
			     "%s: not what a run of this file has left, so nothing of it was put in its place. Look "
			     "who was here, and move the folder away",
			     ESC(path, strlen(path)));
	return e;
}
