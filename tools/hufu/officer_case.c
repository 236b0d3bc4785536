/*
 * Text first: nothing here prints, so that a terminal and a window show the same.
 */
#include "tools/hufu/officer_case.h"

#include "tools/hufu/key_seen.h"
#include "tools/hufu/material.h"

#include <string.h>

void case_done(struct case_file *k)
{
	tally_done(&k->tally);
	json_freep(&k->answer);
}

enum err case_load(struct cli *c, const char *id, struct case_file *ret, struct fault *f)
{
	TRY(cli_desk(c, "review.show", json_pack("{s:s}", "request", id), false, false, &ret->answer, f));
	ret->text = json_string_value(json_object_get(ret->answer, "tally"));
	if (!ret->text)
		return fault_raise(f, ERR_NET, "desk_answer", "review.show", "the desk's answer has no tally text");
	if (ret->text[0] == '\0')
		return OK;
	return tally_parse(slice_str(ret->text), &ret->tally, f);
}

enum err case_signable(const struct case_file *k, const char *id, struct fault *f)
{
	if (k->text[0] != '\0')
		return OK;
	return fault_raise(f, ERR_RULE, "nothing_to_sign", "request",
			   "request %s makes no certificate: there is nothing to sign (hufu officer decide)", id);
}

/* What the desk says, so that a terminal shows it and does not obey it. */
static void put_said(struct buf *b, json_t *o, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(o, key));
	size_t n = text ? strlen(text) : 0;
	_cleanup_(freep) char *room = xmalloc(4 * n + 8);
	buf_str(b, text ? text_escape(text, n, room, 4 * n + 8) : otherwise);
}

/* The same of several lines. */
static void put_lines(struct buf *b, json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	for (const char *at = text ? text : ""; *at;) {
		size_t n = strcspn(at, "\n");
		_cleanup_(freep) char *room = xmalloc(4 * n + 8);
		buf_fmt(b, "%s\n", text_escape(at, n, room, 4 * n + 8));
		at += n + (at[n] == '\n');
	}
}

/* --- materials --- */

static enum err fetch_material(struct cli *c, const char *id, const struct tally_material *m, const char *source,
			       const char *dir, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	_cleanup_(freep) char *path = NULL;
	TRY(material_download(c, "request", id, m->name, m->sha256, false, &bytes, f));
	buf_fmt(ret, "material %-20s %8zu bytes  SHA-256 as %s\n", m->name, bytes.len, source);
	return dir ? material_save(dir, m->name, m->sha256, buf_slice(&bytes), &path, f) : OK;
}

static enum err fetch_plain(struct cli *c, const char *id, json_t *answer, const char *dir, struct buf *ret,
			    struct fault *f)
{
	json_t *v;
	size_t i;
	json_array_foreach(json_object_get(answer, "materials"), i, v)
	{
		struct tally_material m = {0};
		const char *name = json_string_value(json_object_get(v, "name")),
			   *hex = json_string_value(json_object_get(v, "sha256"));
		if (!name || !hex || strlen(hex) != 64 || !hex_decode(hex, 64, m.sha256, 32))
			return fault_raise(f, ERR_NET, "desk_answer", "review.show",
					   "the desk's answer has a malformed material");
		snprintf(m.name, sizeof m.name, "%s", name);
		TRY(fetch_material(c, id, &m, "the desk says", dir, ret, f));
	}
	return OK;
}

/* --- words --- */

static void put_difference(const struct tally *t, struct buf *ret)
{
	buf_str(ret, "difference:\n");
	for (size_t i = 0; i < t->n_subject; i++)
		if (t->subject[i].mark != SUBJECT_SAME)
			buf_fmt(ret, "  %c %s %s\n", t->subject[i].mark == SUBJECT_OLD ? '-' : '+',
				t->subject[i].type->word, t->subject[i].value);
	if (!tally_subject_differs(t))
		buf_str(ret, "  subject: none\n");
}

/* A request that asks for no certificate has no tally: what the desk says of it is all that there is. */
static void put_plain(json_t *r, struct buf *ret)
{
	json_t *explain = json_object_get(r, "explain"), *v;
	size_t i;
	buf_str(ret, "request ");
	put_said(ret, r, "number", "?");
	buf_str(ret, ": ");
	put_said(ret, r, "state", "?");
	buf_char(ret, '\n');
	put_lines(ret, explain, "zh");
	put_lines(ret, explain, "en");
	json_array_foreach(json_object_get(r, "difference"), i, v)
	{
		buf_str(ret, "  ");
		put_said(ret, v, "attribute", "?");
		buf_str(ret, ": ");
		put_said(ret, v, "old", "(nothing on record)");
		buf_str(ret, " -> ");
		put_said(ret, v, "new", "?");
		buf_char(ret, '\n');
	}
}

static void put_pairs(json_t *list, const char *before, const char *first, const char *between, const char *second,
		      struct buf *ret)
{
	json_t *v;
	size_t i;
	json_array_foreach(list, i, v)
	{
		buf_str(ret, before);
		put_said(ret, v, first, "?");
		buf_str(ret, between);
		put_said(ret, v, second, "?");
		buf_char(ret, '\n');
	}
}

/* Beside the text: what the desk asks an officer to look at. It proves nothing. */
static void put_desk(json_t *r, struct buf *ret)
{
	buf_str(ret, "\nnumber ");
	put_said(ret, r, "number", "?");
	if (json_is_string(json_object_get(r, "due"))) {
		buf_str(ret, ", due ");
		put_said(ret, r, "due", "");
	}
	buf_str(ret, json_is_true(json_object_get(r, "overdue")) ? " (LATE)" : "");
	if (json_is_string(json_object_get(r, "claimed_by"))) {
		buf_str(ret, ", claimed by ");
		put_said(ret, r, "claimed_by", "");
	}
	buf_char(ret, '\n');
	put_pairs(json_object_get(r, "corrections"), "was to be corrected: ", "item", ": ", "reason", ret);
	put_pairs(json_object_get(r, "checklist"), "[ ] ", "zh", "\n    ", "en", ret);
}

static enum err show_plain(struct cli *c, const char *id, const struct case_file *k, const char *dir, struct buf *ret,
			   struct fault *f)
{
	put_plain(k->answer, ret);
	TRY(fetch_plain(c, id, k->answer, dir, ret, f));
	put_desk(k->answer, ret);
	return OK;
}

enum err case_show(struct cli *c, const char *id, const struct case_file *k, const char *dir, struct buf *ret,
		   struct fault *f)
{
	if (k->text[0] == '\0')
		return show_plain(c, id, k, dir, ret, f);
	key_seen_put(&k->tally, k->text, ret);
	buf_char(ret, '\n');
	tally_explain(&k->tally, "zh", ret);
	buf_char(ret, '\n');
	tally_explain(&k->tally, "en", ret);
	buf_char(ret, '\n');
	put_difference(&k->tally, ret);
	for (size_t i = 0; i < k->tally.n_materials; i++)
		TRY(fetch_material(c, id, &k->tally.materials[i], "in the tally", dir, ret, f));
	put_desk(k->answer, ret);
	return OK;
}
