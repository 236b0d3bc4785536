/*
 * Policy and adoption notes as text. Both bind many bytes by few hashes (a bundle's files, a manifest of certificates),
 * so what they list has one order and their paths cannot leave the folder that they are about. Signatures are judged by
 * roster_quorum().
 */
#include "common/note/statement.h"

#include "common/base/cleanup.h"
#include "common/note/lines.h"

#include <string.h>

#define POLICY_HEAD_LINES 7
#define ADOPTION_LINES 16

void policy_note_done(struct policy_note *p)
{
	free(p->files);
	*p = (struct policy_note){0};
}

/* a-z 0-9 - _ . in parts between '/', none empty or starting with '.'. */
static bool path_valid(struct slice s)
{
	bool part_begins = true;

	if (s.n == 0 || s.n >= POLICY_PATH || s.p[s.n - 1] == '/')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

		if (part_begins ? !plain : !plain && c != '.' && c != '/')
			return false;
		part_begins = c == '/';
	}
	return true;
}

static enum err file_parse(struct lines *l, struct policy_file *file, struct fault *f)
{
	struct slice v, part[2];

	TRY(lines_get(l, "file", &v, f));
	if (!slice_split(v, part, 2, false) || !slice_hex(part[1], file->sha256, 32))
		return lines_bad(l, "file", v, "a path, a space, and 64 lower-case hex digits", f);
	if (!path_valid(part[0]))
		return lines_bad(
			l, "file", part[0],
			"a relative path of a-z, 0-9, '-', '_', '.' and '/', at most 119 bytes, no part of which "
			"starts with '.'",
			f);
	memcpy(file->path, part[0].p, part[0].n);
	return OK;
}

static enum err files_parse(struct lines *l, struct policy_note *p, struct fault *f)
{
	p->files = xcalloc(POLICY_MAX_FILES, sizeof(*p->files));
	do {
		struct policy_file *file = &p->files[p->n_files];

		if (p->n_files == POLICY_MAX_FILES)
			return fault_raise(f, ERR_LIMIT, "policy_files", "policy.file", "found more than %d files",
					   POLICY_MAX_FILES);
		TRY(file_parse(l, file, f));
		if (p->n_files > 0 && strcmp(file[-1].path, file->path) >= 0)
			return lines_bad(l, "file", slice_str(file->path), "files sorted by path, each once", f);
		p->n_files++;
	} while (lines_next_is(l, "file"));
	return OK;
}

static enum err policy_body(struct lines *l, struct policy_note *p, struct fault *f)
{
	TRY(lines_hex(l, "ca", p->ca, sizeof(p->ca), f));
	TRY(lines_u64(l, "version", UINT32_MAX, &p->version, f));
	TRY(lines_hex_or_none(l, "previous", &p->has_previous, p->previous, sizeof(p->previous), f));
	TRY(lines_time_or_none(l, "until", &p->until, f));
	TRY(lines_time(l, "made", &p->made, f));
	TRY(files_parse(l, p, f));
	return lines_end(l, f);
}

enum err policy_note_parse(struct slice text, struct policy_note *ret, struct fault *f)
{
	_cleanup_(policy_note_done) struct policy_note p = {0};
	_cleanup_buf_ struct buf again = {0};
	struct lines l;

	TRY(lines_begin(&l, "policy", POLICY_KIND_LINE, text, POLICY_HEAD_LINES + POLICY_MAX_FILES, f));
	TRY(policy_body(&l, &p, f));
	policy_note_put(&p, &again);
	TRY(lines_same("policy", text, &again, f));
	sha256(text.p, text.n, p.sha256);
	*ret = p;
	p = (struct policy_note){0};
	return OK;
}

void policy_note_put(const struct policy_note *p, struct buf *ret)
{
	buf_str(ret, POLICY_KIND_LINE "\n");
	lines_put_hex(ret, "ca", p->ca, sizeof(p->ca));
	lines_put_u64(ret, "version", p->version);
	lines_put_hex_or_none(ret, "previous", p->has_previous, p->previous, sizeof(p->previous));
	if (p->until == 0)
		lines_put(ret, "until", "none");
	else
		lines_put_time(ret, "until", p->until);
	lines_put_time(ret, "made", p->made);
	for (size_t i = 0; i < p->n_files; i++) {
		buf_fmt(ret, "file: %s ", p->files[i].path);
		buf_hex(ret, p->files[i].sha256, 32);
		buf_char(ret, '\n');
	}
}

enum err policy_note_follows(const struct policy_note *next, const struct policy_note *now, const uint8_t ca[20],
			     struct fault *f)
{
	const struct note_head head = {next->ca, next->version, next->has_previous ? next->previous : NULL,
				       next->sha256};
	struct note_head before;

	if (now == NULL)
		return note_head_follows("policy", "policy_sequence", &head, NULL, ca, f);
	before = (struct note_head){now->ca, now->version, now->has_previous ? now->previous : NULL, now->sha256};
	return note_head_follows("policy", "policy_sequence", &head, &before, ca, f);
}

static enum err adoption_body(struct lines *l, struct adoption *a, struct fault *f)
{
	TRY(lines_hex(l, "ca", a->ca, sizeof(a->ca), f));
	TRY(lines_hex(l, "id", a->id, sizeof(a->id), f));
	TRY(lines_hex(l, "issuer", a->issuer, sizeof(a->issuer), f));
	TRY(lines_word(l, "project", a->project, sizeof(a->project), f));
	TRY(lines_word(l, "profile", a->profile, sizeof(a->profile), f));
	TRY(lines_u64(l, "count", UINT32_MAX, &a->count, f));
	if (a->count == 0)
		return lines_bad(l, "count", slice_str("0"), "at least 1 certificate", f);
	TRY(lines_hex(l, "root", a->root, sizeof(a->root), f));
	TRY(lines_hex_or_none(l, "crl", &a->has_crl, a->crl_sha256, sizeof(a->crl_sha256), f));
	TRY(lines_time(l, "made", &a->made, f));
	TRY(lines_time(l, "dies", &a->dies, f));
	TRY(lines_end(l, f));
	if (a->dies <= a->made)
		return fault_raise(f, ERR_PARSE, "adoption_window", "adoption.dies",
				   "the adoption dies before it is made or as it is made");
	return OK;
}

enum err adoption_parse(struct slice text, struct adoption *ret, struct fault *f)
{
	_cleanup_buf_ struct buf again = {0};
	struct adoption a = {0};
	struct lines l;

	TRY(lines_begin(&l, "adoption", ADOPTION_KIND_LINE, text, ADOPTION_LINES, f));
	TRY(adoption_body(&l, &a, f));
	adoption_put(&a, &again);
	TRY(lines_same("adoption", text, &again, f));
	*ret = a;
	return OK;
}

void adoption_put(const struct adoption *a, struct buf *ret)
{
	buf_str(ret, ADOPTION_KIND_LINE "\n");
	lines_put_hex(ret, "ca", a->ca, sizeof(a->ca));
	lines_put_hex(ret, "id", a->id, sizeof(a->id));
	lines_put_hex(ret, "issuer", a->issuer, sizeof(a->issuer));
	lines_put(ret, "project", a->project);
	lines_put(ret, "profile", a->profile);
	lines_put_u64(ret, "count", a->count);
	lines_put_hex(ret, "root", a->root, sizeof(a->root));
	lines_put_hex_or_none(ret, "crl", a->has_crl, a->crl_sha256, sizeof(a->crl_sha256));
	lines_put_time(ret, "made", a->made);
	lines_put_time(ret, "dies", a->dies);
}
