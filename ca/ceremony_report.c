/*
 * What a ceremony did, for programs: "field: value" lines on a descriptor of their own, apart from the screen. `hufu --json`
 * makes an object of them; hufu-ca links no JSON.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/note/lines.h"

#include <string.h>

static const char *mode_word(const struct ceremony *c)
{
	switch (c->mode) {
	case CEREMONY_CHECK:
		return "check";
	case CEREMONY_REHEARSE:
		return "rehearsal";
	case CEREMONY_RUN:
		break;
	}
	return "run";
}

static void put_outputs(const struct ceremony *c, struct buf *text)
{
	for (size_t i = 0; i < c->t->n_outputs; i++) {
		const struct transcript_file *x = &c->t->outputs[i];
		buf_fmt(text, "output: %s ", x->what);
		buf_hex(text, x->sha256, 32);
		buf_fmt(text, " %s\n", x->path);
	}
	lines_put(text, "transcript", c->file.outputs.transcript);
}

void ceremony_report(const struct ceremony *c, bool finished)
{
	_cleanup_buf_ struct buf text = {0};
	if (!c->o->report)
		return;
	lines_put(&text, "ceremony", c->file.name);
	lines_put(&text, "kind", ceremony_kind_word(c->file.kind));
	lines_put(&text, "mode", mode_word(c));
	lines_put_hex(&text, "file", c->file.sha256, 32);
	if (finished)
		lines_put(&text, "state", "finished");
	if (c->mode != CEREMONY_CHECK)
		put_outputs(c, &text);
	if (c->mode == CEREMONY_REHEARSE)
		lines_put(&text, "into", ESC(c->out, strlen(c->out)));
	(void)fputs(buf_text(&text), c->o->report); /* who reads it misses "finished" */
}

void ceremony_report_fault(FILE *report, const struct fault *f)
{
	fprintf(report, "error: %s\nrule: %s\nwhere: %s\ntext: %s\n", err_word(f->kind), f->rule,
		ESC(f->where, strlen(f->where)), ESC(f->text, strlen(f->text)));
}
