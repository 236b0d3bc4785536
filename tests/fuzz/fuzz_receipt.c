/*
 * Receipts and checkpoints: what is read, written again, is the same bytes.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/note/receipt.h"

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	_cleanup_buf_ struct buf again = {0}, head = {0};
	struct receipt *r = xcalloc(1, sizeof(*r));
	struct checkpoint c;
	struct fault f = {0}, g = {0};
	enum err e = receipt_parse(text, r, &f), h = checkpoint_parse(text, &c, &g);
	must(e != OK || h != OK);
	if (e == OK) {
		receipt_put(r, &again);
		must_be(buf_slice(&again), text);
	} else {
		must_refuse(e, &f);
	}
	if (h == OK) {
		checkpoint_put(&c, &head);
		must_be(buf_slice(&head), text);
	} else {
		must_refuse(h, &g);
	}
	receipt_done(r);
	free(r);
	return 0;
}
