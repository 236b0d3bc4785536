/*
 * Policy and adoption notes: one that is read, written again, is the same bytes.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/note/statement.h"

static void try_policy(struct slice text)
{
	_cleanup_(policy_note_done) struct policy_note p = {0};
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	enum err e = policy_note_parse(text, &p, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return;
	}
	policy_note_put(&p, &again);
	must_be(buf_slice(&again), text);
	must((policy_note_follows(&p, NULL, p.ca, NULL) == OK) == (p.version == 1 && !p.has_previous));
	must(policy_note_follows(&p, &p, p.ca, NULL) == ERR_RULE);
}

static void try_adoption(struct slice text)
{
	struct adoption a = {0};
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	enum err e = adoption_parse(text, &a, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return;
	}
	adoption_put(&a, &again);
	must_be(buf_slice(&again), text);
}

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_policy(slice_of(data, size));
	try_adoption(slice_of(data, size));
	return 0;
}
