/*
 * Tallies: one that is read, written again, is the same bytes; its subject lines are the ones that its two names give.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/note/tally.h"

static void try_subject(const struct tally *t)
{
	_cleanup_(name_done) struct name before = {0}, after = {0};
	_cleanup_(tally_done) struct tally other = {0};
	must(tally_subject_before(t, &before, NULL) == OK && tally_subject_after(t, &after, NULL) == OK);
	must(tally_subject_differs(t) == !name_eq(&before, &after));
	if (t->n_subject == 0)
		return;
	must(tally_set_subject(&other, &before, &after, NULL) == OK && other.n_subject == t->n_subject);
	for (size_t i = 0; i < t->n_subject; i++) {
		const struct subject_line *a = &t->subject[i], *b = &other.subject[i];
		must(a->mark == b->mark && a->type == b->type && strcmp(a->value, b->value) == 0);
	}
}

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf again = {0}, words = {0};
	struct fault f = {0};
	enum err e = tally_parse(text, &t, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return 0;
	}
	tally_put(&t, &again);
	must_be(buf_slice(&again), text);
	try_subject(&t);
	tally_explain(&t, "en", &words);
	tally_explain(&t, "zh", &words);
	must(words.len > 0 && utf8_valid(words.data, words.len));
	return 0;
}
