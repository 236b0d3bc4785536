/*
 * Custody's four texts: one that is read, written again, is the same bytes, and one text is of one kind.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/note/custody.h"

static bool try_custody(struct slice text)
{
	_cleanup_(custody_done) struct custody c = {0};
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	enum err e = custody_parse(text, &c, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return false;
	}
	custody_put(&c, &again);
	must_be(buf_slice(&again), text);
	must(c.threshold >= CUSTODY_LEAST && c.threshold <= c.n && c.n <= SHAMIR_MAX && c.n_keys >= 1 &&
	     c.n_keys <= CUSTODY_KEYS);
	/* A place's share stands for itself. */
	for (unsigned i = 0; i < c.n; i++) {
		_cleanup_buf_ struct buf share = {0};
		struct custody_share s;
		if (!c.places[i].has_box)
			continue;
		custody_share_put(&c, i + 1, &share);
		must(custody_share_parse(buf_slice(&share), &s, &f) == OK && s.place == i + 1);
	}
	return true;
}

static bool try_share(struct slice text)
{
	struct custody_share s;
	struct fault f = {0};
	enum err e = custody_share_parse(text, &s, &f);
	if (e != OK)
		must_refuse(e, &f);
	else
		must(s.place >= 1 && s.place <= SHAMIR_MAX && s.threshold <= CUSTODY_MOST);
	return e == OK;
}

static bool try_order(struct slice text)
{
	struct custody_order o;
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	enum err e = custody_order_parse(text, &o, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return false;
	}
	custody_order_put(&o, &again);
	must_be(buf_slice(&again), text);
	must(o.threshold <= o.n && o.n <= SHAMIR_MAX);
	return true;
}

static bool try_submission(struct slice text)
{
	struct custody_submission s;
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	enum err e = custody_submission_parse(text, &s, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return false;
	}
	custody_submission_put(&s, &again);
	must_be(buf_slice(&again), text);
	return true;
}

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	must(try_custody(text) + try_share(text) + try_order(text) + try_submission(text) <= 1);
	return 0;
}
