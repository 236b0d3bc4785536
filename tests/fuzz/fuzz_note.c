/*
 * Signed notes: one that is read, written line by line again, is the same bytes. Verifier keys likewise.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/note/note.h"

static void try_vkey(struct slice bytes)
{
	_cleanup_buf_ struct buf again = {0};
	char name[NOTE_MAX_NAME + 1];
	uint8_t key[ED25519_KEY];
	struct fault f = {0};
	enum err e = note_vkey_parse(bytes, name, key, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return;
	}
	note_vkey_put(name, key, &again);
	must_be(buf_slice(&again), bytes);
}

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[ED25519_KEY] = {0x58, 0x66, 0x66}; /* a point, and nobody's */
	struct slice bytes = slice_of(data, size);
	_cleanup_(note_done) struct note n = {0};
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	try_vkey(bytes);
	enum err e = note_parse(bytes, 0, &n, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return 0;
	}
	must(note_text_check("note", n.text, NULL) == OK && note_kind(n.text).n < n.text.n);
	note_begin(n.text, &again);
	for (size_t i = 0; i < n.n_sigs; i++) {
		const struct note_sig *s = &n.sigs[i];
		must(note_add_line(&again, s->name, s->key_id, slice_of(s->sig, s->sig_len), NULL) == OK);
		must(note_sig_by_name(&n, s->name) && !note_sig_holds_ed25519(&n, s, key));
	}
	must_be(buf_slice(&again), bytes);
	return 0;
}
