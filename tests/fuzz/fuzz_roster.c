/*
 * Rosters: one that is read, written again, is the same bytes, follows only its own past, and finds each member.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/note/roster.h"

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	_cleanup_(roster_done) struct roster r = {0};
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	enum err e = roster_parse(text, &r, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return 0;
	}
	roster_put(&r, &again);
	must_be(buf_slice(&again), text);
	must(r.quorum >= 2 && r.n_members >= r.quorum && r.n_members <= ROSTER_MAX_MEMBERS);
	must((roster_follows(&r, NULL, r.ca, NULL) == OK) == (r.version == 1 && !r.has_previous));
	must(roster_follows(&r, &r, r.ca, NULL) == ERR_RULE);
	for (size_t i = 0; i < r.n_members; i++) {
		const struct member *m = &r.members[i];
		must(roster_by_name(&r, m->name) == m);
		for (int kind = 0; kind < TALLY_KIND_N; kind++)
			must(!member_may(m, "", (enum tally_kind)kind) || member_may(m, "x", (enum tally_kind)kind));
	}
	return 0;
}
