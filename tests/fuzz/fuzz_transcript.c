/*
 * Transcripts of ceremonies and the officers' orders for them: one that is read, written again, is the same bytes.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/note/transcript.h"

static void try_transcript(struct slice text)
{
	struct transcript *t = xcalloc(1, sizeof(*t));
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	enum err e = transcript_parse(text, t, &f);
	if (e != OK) {
		must_refuse(e, &f);
	} else {
		transcript_put(t, &again);
		must_be(buf_slice(&again), text);
	}
	transcript_done(t);
	free(t);
}

static void try_order(struct slice text)
{
	struct ceremony_order o = {0};
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	enum err e = ceremony_order_parse(text, &o, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return;
	}
	ceremony_order_put(&o, &again);
	must_be(buf_slice(&again), text);
}

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_transcript(slice_of(data, size));
	try_order(slice_of(data, size));
	return 0;
}
