/*
 * The floors: what the signer asks of each kind whatever a policy says. A policy is signed by officers too, but a
 * bundle is a long text and a quorum can be tired; these few numbers are what an attacker would have to get past the
 * compiler.
 */
#include "common/policy/judge.h"

#include <assert.h>

#define DAY INT64_C(86400)

static const struct floor floors[TALLY_KIND_N] = {
	/* By the key that is certified already; no officer is needed, since the asker gains no key by it. */
	[TALLY_EXTEND] = {.proof_same = PROOF_CURRENT,
			  .proof_new = PROOF_CURRENT | PROOF_NEW,
			  .officers_same = 0,
			  .officers_new = 1,
			  .max_life_seconds = DAY},
	[TALLY_CHANGE] = {.proof_same = PROOF_CURRENT,
			  .proof_new = PROOF_CURRENT | PROOF_NEW,
			  .officers_same = 1,
			  .officers_new = 1,
			  .max_life_seconds = 30 * DAY},
	/* No old key speaks for the new one: two people do, who have seen it. */
	[TALLY_ENROL] = {.proof_same = PROOF_NEW,
			 .proof_new = PROOF_NEW,
			 .officers_same = 2,
			 .officers_new = 2,
			 .key_seen = true,
			 .max_life_seconds = 30 * DAY},
	[TALLY_REISSUE] = {.proof_same = PROOF_NEW,
			   .proof_new = PROOF_NEW,
			   .officers_same = 2,
			   .officers_new = 2,
			   .key_seen = true,
			   .max_life_seconds = 30 * DAY},
	[TALLY_REVOKE] = {.proof_same = PROOF_CURRENT,
			  .proof_new = PROOF_CURRENT,
			  .officers_same = 1,
			  .officers_new = 1,
			  .either = true,
			  .max_life_seconds = 30 * DAY},
	/* Reversible, and urgent at night. */
	[TALLY_HOLD] = {.ra_alone = true, .max_life_seconds = 30 * DAY},
	[TALLY_RELEASE] = {.officers_same = 2, .officers_new = 2, .max_life_seconds = 30 * DAY},
	/* Any signer of the tally that dies. */
	[TALLY_WITHDRAW] = {.max_life_seconds = 30 * DAY},
	[TALLY_RESPONDER] = {.proof_same = PROOF_NEW, .proof_new = PROOF_NEW, .max_life_seconds = 30 * DAY},
};

const struct floor *floor_of(enum tally_kind kind)
{
	assert(kind < TALLY_KIND_N);
	return &floors[kind];
}
