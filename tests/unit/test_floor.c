/*
 * Who must sign: the shipped numbers, then bundles that ask for less than the floors.
 */
#include "judge_kit.h"

static void c_by_officer(struct scene *s)
{
	snprintf(s->t.way, TALLY_WORD, "by-officer");
}
static void c_collides(struct scene *s)
{
	s->t.has_collides = true;
}

/* Who must sign: the shipped numbers, then a bundle that asks for less than the floors. */
static const struct {
	const char *name;
	enum tally_kind kind;
	change *change;
	const char *find, *put;
	unsigned proof, officers;
} needs[] = {
	{"extend", TALLY_EXTEND, c_none, NULL, NULL, PROOF_CURRENT, 0},
	{"extend, new key", TALLY_EXTEND, c_rekey, NULL, NULL, PROOF_CURRENT | PROOF_NEW, 1},
	{"change", TALLY_CHANGE, c_none, NULL, NULL, PROOF_CURRENT, 2},
	{"change, new key", TALLY_CHANGE, c_new_key, NULL, NULL, PROOF_CURRENT | PROOF_NEW, 2},
	{"change into a code that lives elsewhere", TALLY_CHANGE, c_collides, NULL, NULL, PROOF_CURRENT, 3},
	{"enrol", TALLY_ENROL, c_none, NULL, NULL, PROOF_NEW, 2},
	{"enrol into a code that lives elsewhere", TALLY_ENROL, c_collides, NULL, NULL, PROOF_NEW, 3},
	{"reissue", TALLY_REISSUE, c_none, NULL, NULL, PROOF_NEW, 3},
	{"revoke by the key", TALLY_REVOKE, c_none, NULL, NULL, PROOF_CURRENT, 0},
	{"revoke by an officer", TALLY_REVOKE, c_by_officer, NULL, NULL, 0, 1},
	{"hold", TALLY_HOLD, c_none, NULL, NULL, 0, 0},
	{"release", TALLY_RELEASE, c_none, NULL, NULL, 0, 2},
	{"withdraw", TALLY_WITHDRAW, c_none, NULL, NULL, 0, 0},
	{"policy asks more", TALLY_EXTEND, c_none, "proof: [current]\n        officers: 0",
	 "proof: [current]\n        officers: 2", PROOF_CURRENT, 2},
	{"policy asks more for a hold", TALLY_HOLD, c_none, "Hold}\n        officers: 0", "Hold}\n        officers: 1",
	 0, 1},
	{"floor of extend's proof", TALLY_EXTEND, c_none, "        proof: [current]\n", "", PROOF_CURRENT, 0},
	{"floor of extend, new key", TALLY_EXTEND, c_rekey, "proof: [current, new]\n        officers: 1", "officers: 0",
	 PROOF_CURRENT | PROOF_NEW, 1},
	{"floor of change", TALLY_CHANGE, c_none, "proof: [current]\n        officers: 2", "officers: 0", PROOF_CURRENT,
	 1},
	{"floor of enrol", TALLY_ENROL, c_none, "proof: [new]\n        officers: 2", "officers: 0", PROOF_NEW, 2},
	{"floor of reissue", TALLY_REISSUE, c_none, "proof: [new]\n        officers: 3", "officers: 0", PROOF_NEW, 2},
	{"floor of revoke", TALLY_REVOKE, c_by_officer, "officers: 1\n\n  hold", "officers: 0\n\n  hold", 0, 1},
	{"floor of revoke, proof forgotten", TALLY_REVOKE, c_none, "subscriber}\n        proof: [current]\n",
	 "subscriber}\n", 0, 1},
	{"floor of release", TALLY_RELEASE, c_none, "Release}\n        officers: 2", "Release}\n        officers: 0", 0,
	 2},
};

static void test_needs_and_floors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		struct scene s;
		struct verdict v = {0};
		struct fault f = {0};

		scene_make(&s, needs[i].kind, needs[i].find, needs[i].put);
		needs[i].change(&s);
		if (judge(s.p, &s.t, &s.x, &v, &f) != OK)
			fail_msg("%s: %s %s", needs[i].name, f.rule, f.text);
		if (v.proof != needs[i].proof || v.officers != needs[i].officers)
			fail_msg("%s: found proof %u and %u officers, wanted %u and %u", needs[i].name, v.proof,
				 v.officers, needs[i].proof, needs[i].officers);
		assert_int_equal(v.same_key, !s.t.has_key || !s.t.key_is_new);
		scene_done(&s);
	}
}

static void test_floors_are_the_table(void **state)
{
	(void)state;
	static const struct {
		unsigned proof_same, proof_new, officers_same, officers_new, days;
		bool key_seen, either, ra_alone;
	} rows[TALLY_KIND_N] = {
		[TALLY_EXTEND] = {PROOF_CURRENT, PROOF_CURRENT | PROOF_NEW, 0, 1, 1, false, false, false},
		[TALLY_CHANGE] = {PROOF_CURRENT, PROOF_CURRENT | PROOF_NEW, 1, 1, 30, false, false, false},
		[TALLY_ENROL] = {PROOF_NEW, PROOF_NEW, 2, 2, 30, true, false, false},
		[TALLY_REISSUE] = {PROOF_NEW, PROOF_NEW, 2, 2, 30, true, false, false},
		[TALLY_REVOKE] = {PROOF_CURRENT, PROOF_CURRENT, 1, 1, 30, false, true, false},
		[TALLY_HOLD] = {0, 0, 0, 0, 30, false, false, true},
		[TALLY_RELEASE] = {0, 0, 2, 2, 30, false, false, false},
		[TALLY_WITHDRAW] = {0, 0, 0, 0, 30, false, false, false},
		[TALLY_RESPONDER] = {PROOF_NEW, PROOF_NEW, 0, 0, 30, false, false, false},
	};

	for (unsigned i = 0; i < TALLY_KIND_N; i++) {
		const struct floor *floor = floor_of((enum tally_kind)i);

		assert_int_equal(floor->proof_same, rows[i].proof_same);
		assert_int_equal(floor->proof_new, rows[i].proof_new);
		assert_int_equal(floor->officers_same, rows[i].officers_same);
		assert_int_equal(floor->officers_new, rows[i].officers_new);
		assert_int_equal(floor->max_life_seconds, rows[i].days * DAY);
		assert_int_equal(floor->key_seen, rows[i].key_seen);
		assert_int_equal(floor->either, rows[i].either);
		assert_int_equal(floor->ra_alone, rows[i].ra_alone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needs_and_floors),
		cmocka_unit_test(test_floors_are_the_table),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
