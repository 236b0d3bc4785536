/*
 * Policy bundles as they come over the operator's socket: a note and files, held against each other. The input is parts
 * parted by form feeds: the note, then path, newline and bytes of each file. What loads with a note, loads without; the
 * note's text made again from the files lists them as it did.
 */
#include "tests/fuzz/fuzz.h"

#include "common/base/cleanup.h"
#include "common/policy/policy.h"

#define MAX_FILES 8

static struct slice next_part(struct slice *rest, uint8_t mark)
{
	const uint8_t *end = rest->n > 0 ? memchr(rest->p, mark, rest->n) : NULL;
	struct slice part = end ? slice_of(rest->p, (size_t)(end - rest->p)) : *rest;
	size_t used = part.n + (end != NULL);
	*rest = slice_of(used > 0 ? rest->p + used : rest->p, rest->n - used);
	return part;
}

static void try_loaded(const struct policy *p, const struct policy_source *files, size_t n)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(policy_freep) struct policy *bare = NULL;
	_cleanup_(note_done) struct note note = {0};
	must(policy_load((struct slice){0}, files, n, &bare, NULL) == OK);
	if (p->note_text.len == 0)
		return;
	must(note_parse(buf_slice(&p->note_text), 0, &note, NULL) == OK);
	policy_note_make(files, n, &p->note, &text);
	must_be(buf_slice(&text), note.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_source files[MAX_FILES] = {0};
	size_t n = 0;
	struct slice rest = slice_of(data, size), note = next_part(&rest, '\f');
	for (; rest.n > 0 && n < MAX_FILES; n++) {
		struct slice file = next_part(&rest, '\f'), path = next_part(&file, '\n');
		path.n = strnlen((const char *)path.p, path.n < POLICY_PATH - 1 ? path.n : POLICY_PATH - 1);
		memcpy(files[n].path, path.p, path.n);
		buf_add_slice(&files[n].bytes, file);
	}
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_buf_ struct buf faults = {0};
	struct fault f = {0};
	enum err e = policy_load(note, files, n, &p, &f);
	if (e != OK)
		must_refuse(e, &f);
	else
		try_loaded(p, files, n);
	(void)policy_check(files, n, &faults);
	for (size_t i = 0; i < n; i++)
		buf_done(&files[i].bytes);
	return 0;
}
